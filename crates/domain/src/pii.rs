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
    let count = text.chars().count();
    if count < 6 {
        return "··".to_owned();
    }
    text.chars()
        .skip(count - 2)
        .fold("··".to_owned(), |mut out, c| {
            out.push(c);
            out
        })
}
