//! Personal data that prints masked, so that a log line or a panic can never show it.

/// A value that is personal data: `Debug` and `Display` show only `·· last two characters`.
#[derive(
    Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Pii<T>(pub T);

impl<T> Pii<T> {
    /// The value itself; use it at the edge only (screen, wire, database).
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Pii<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T: AsRef<str>> std::fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&mask(self.0.as_ref()))
    }
}

impl<T: AsRef<str>> std::fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&mask(self.0.as_ref()))
    }
}

/// `··76`: two dots and the last two characters; shorter texts are hidden whole.
#[must_use]
pub fn mask(text: &str) -> String {
    masked(text, 6, 2)
}

/// `··4576`: two dots and the last four digits, so that the numbers of one person can be told apart;
/// shorter than nine characters it is hidden as [`mask`] does.
#[must_use]
pub fn mask_phone(number: &str) -> String {
    if number.chars().count() < 9 {
        return mask(number);
    }
    masked(number, 9, 4)
}

fn masked(text: &str, least: usize, shown: usize) -> String {
    let count = text.chars().count();
    if count < least {
        return "··".to_owned();
    }
    text.chars()
        .skip(count - shown)
        .fold("··".to_owned(), |mut out, c| {
            out.push(c);
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_person_can_be_told_apart() {
        assert_eq!(mask("+525512343576"), "··76");
        assert_eq!(mask_phone("+525512343576"), "··3576");
        assert_eq!(mask_phone("+525512341276"), "··1276");
        assert_eq!(mask_phone("12345678"), "··78");
        assert_eq!(mask_phone("123"), "··");
    }
}
