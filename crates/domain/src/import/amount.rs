//! Amounts as people and spreadsheets write them, to minor units.

crate::text_enum! {
    /// Which sign separates decimals.
    pub enum Decimal {
        /// `1.234,56`.
        Comma = "comma",
        /// `1,234.56`.
        Point = "point",
    }
}

/// Largest amount in minor units: far above any debt, far below overflow of a sum of millions.
pub(super) const AMOUNT_MAX_MINOR: i64 = 1_000_000_000_000_000;

const AMBIGUOUS: &str = "can be read in two ways (1.234 may be one thousand or one): say in the map which sign separates decimals";
pub(super) const SCIENTIFIC: &str =
    "written by a spreadsheet in powers of ten, its digits are lost: export the column as text";
pub(super) const SHEET_ERROR: &str = "an error value of a spreadsheet";
pub(super) const FORMULA: &str = "a formula, not what it gives: paste its values, or let the map say that results stored in a workbook are taken";

impl Decimal {
    const fn sign(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Point => '.',
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Comma => Self::Point,
            Self::Point => Self::Comma,
        }
    }
}

/// `1.5E+11`: digits with a power of ten.
pub(super) fn is_scientific(text: &str) -> bool {
    let text = text.trim();
    let Some(at) = text.find(['e', 'E']) else {
        return false;
    };
    let (head, tail) = (&text[..at], &text[at + 1..]);
    let digits = tail.trim_start_matches(['+', '-']);
    !head.is_empty()
        && head
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b',')
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (tail.len() != digits.len() || head.contains(['.', ',']))
}

/// `#N/A`, `#REF!`, `####`.
pub(super) fn is_sheet_error(text: &str) -> bool {
    text.trim_start().starts_with('#')
}

/// `=B2*1.16`, `@SUM(A1)`, `+A1!B2`: what a spreadsheet would have calculated. A text may begin with a sign.
pub(super) fn is_formula(text: &str) -> bool {
    let text = text
        .trim_start()
        .trim_start_matches(['"', '\''])
        .trim_start();
    let Some(rest) = text.strip_prefix(['+', '-', '@']) else {
        return text.starts_with('=');
    };
    let name = rest.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '.');
    let calls = name.len() < rest.len() && name.starts_with('(');
    let refers = rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains(['!', '|']);
    calls || refers
}

/// The number inside symbols and spaces: only digits, `,`, `.` and group marks are left.
fn bare(text: &str, currency: &str) -> Result<String, String> {
    let mut text = text.trim();
    if text.is_empty() {
        return Err("empty: expected an amount".into());
    }
    if is_sheet_error(text) {
        return Err(SHEET_ERROR.into());
    }
    if is_scientific(text) {
        return Err(SCIENTIFIC.into());
    }
    if is_formula(text) {
        return Err(FORMULA.into());
    }
    for mark in [currency, "US$", "R$", "S/.", "S/", "$", "€", "£"] {
        text = text.strip_prefix(mark).unwrap_or(text).trim_start();
        text = text.strip_suffix(mark).unwrap_or(text).trim_end();
    }
    if text.starts_with(['-', '\u{2212}', '(']) || text.ends_with('-') {
        return Err("negative: expected what is owed".into());
    }
    let text = text
        .replace(['\u{a0}', '\u{202f}', '\u{2009}', '’'], "'")
        .replace(' ', "'");
    let fine = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | '\'');
    if !text.chars().all(fine) || !text.contains(|c: char| c.is_ascii_digit()) {
        return Err("not a number: expected digits, as 1234.56".into());
    }
    Ok(text)
}

/// What one number tells about its own convention.
enum Reading {
    /// Digits only: fits both.
    Plain,
    /// Only this one fits.
    Clear(Decimal),
    /// Both fit and give different amounts.
    Ambiguous,
}

fn reading(bare: &str) -> Result<Reading, String> {
    let (commas, points) = (bare.matches(',').count(), bare.matches('.').count());
    let (one, count) = match (commas, points) {
        (0, 0) => return Ok(Reading::Plain),
        (0, n) => (Decimal::Point, n),
        (n, 0) => (Decimal::Comma, n),
        _ => {
            let last = bare
                .rfind([',', '.'])
                .map_or(' ', |at| char::from(bare.as_bytes()[at]));
            let decimal = if last == ',' {
                Decimal::Comma
            } else {
                Decimal::Point
            };
            if bare.matches(last).count() > 1 {
                return Err("not a number: its decimal sign appears twice".into());
            }
            return Ok(Reading::Clear(decimal));
        }
    };
    if count > 1 {
        return Ok(Reading::Clear(one.other()));
    }
    let (before, after) = bare.split_once(one.sign()).unwrap_or((bare, ""));
    let grouped = after.len() == 3
        && (1..=3).contains(&before.len())
        && !before.starts_with('0')
        && !before.contains('\'');
    Ok(if grouped {
        Reading::Ambiguous
    } else {
        Reading::Clear(one)
    })
}

/// The convention that a value shows by itself, if any.
pub(super) fn evidence(text: &str) -> Option<Decimal> {
    match reading(&bare(text, "").ok()?).ok()? {
        Reading::Clear(decimal) => Some(decimal),
        Reading::Plain | Reading::Ambiguous => None,
    }
}

/// Reads an amount. `decimal` is the convention of the file or map, when known.
///
/// # Errors
/// Says what is wrong and what would be right.
pub(super) fn parse(
    text: &str,
    currency: &crate::money::Currency,
    decimal: Option<Decimal>,
) -> Result<i64, String> {
    let bare = bare(text, currency.as_str())?;
    let convention = match (reading(&bare)?, decimal) {
        (Reading::Plain, _) => Decimal::Point,
        (Reading::Ambiguous, None) => return Err(AMBIGUOUS.into()),
        (Reading::Ambiguous, Some(given)) => given,
        (Reading::Clear(own), Some(given)) if own != given => {
            return Err(format!(
                "written with decimal {own}, but here decimals are separated by {given}"
            ));
        }
        (Reading::Clear(own), _) => own,
    };
    let (whole, fraction) = match bare.rsplit_once(convention.sign()) {
        Some((whole, fraction)) => (whole, fraction),
        None => (bare.as_str(), ""),
    };
    let whole = ungroup(whole, convention.other().sign())?;
    minor(&whole, fraction, currency)
}

/// Takes the marks out of `1.234.567`; every group but the first has three digits.
fn ungroup(whole: &str, mark: char) -> Result<String, String> {
    let mut groups = whole.split([mark, '\'']);
    let first = groups.next().unwrap_or("");
    let mut digits = first.to_owned();
    let mut grouped = false;
    for group in groups {
        grouped = true;
        if group.len() != 3 || !group.bytes().all(|b| b.is_ascii_digit()) {
            return Err("not a number: groups of thousands have three digits".into());
        }
        digits.push_str(group);
    }
    if (grouped && !(1..=3).contains(&first.len())) || !first.bytes().all(|b| b.is_ascii_digit()) {
        return Err("not a number: groups of thousands have three digits".into());
    }
    Ok(digits)
}

fn minor(whole: &str, fraction: &str, currency: &crate::money::Currency) -> Result<i64, String> {
    let digits = currency.minor_digits() as usize;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err("not a number: expected digits after the decimal sign".into());
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(digits));
    if rest.bytes().any(|b| b != b'0') {
        return Err(format!("more decimals than {currency} has ({digits})"));
    }
    let text = format!("{whole}{kept:0<digits$}");
    let text = if text.is_empty() { "0" } else { &text };
    match text.parse::<i64>() {
        Ok(amount) if amount <= AMOUNT_MAX_MINOR => Ok(amount),
        _ => Err("larger than any debt: expected an amount below ten million million".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, currency: &str, decimal: Option<Decimal>) -> Result<i64, String> {
        parse(text, &currency.parse().expect("currency"), decimal)
    }

    #[test]
    fn clear_amounts() {
        for (text, currency, minor) in [
            ("0", "MXN", 0),
            ("1234", "MXN", 123_400),
            ("1234.5", "MXN", 123_450),
            ("1234,56", "MXN", 123_456),
            ("1.234,56", "MXN", 123_456),
            ("1,234.56", "MXN", 123_456),
            ("1'234,567.00", "MXN", 123_456_700),
            ("1 234 567,80", "EUR", 123_456_780),
            ("1\u{a0}234,80 €", "EUR", 123_480),
            ("$ 1,234.56", "MXN", 123_456),
            ("MXN 10", "MXN", 1_000),
            ("1.234.567", "CLP", 1_234_567),
            ("1,234,567", "COP", 123_456_700),
            ("0.500", "MXN", 50),
            ("12.50000", "MXN", 1_250),
            (".5", "MXN", 50),
            ("1.2345", "MXN", -1),
        ] {
            let got = read(text, currency, None);
            if minor < 0 {
                assert!(got.is_err(), "{text}");
            } else {
                assert_eq!(got, Ok(minor), "{text} {currency}");
            }
        }
    }

    #[test]
    fn ambiguous_ones_ask() {
        for text in ["1.234", "1,234", "12.500", "999,000"] {
            let reason = read(text, "MXN", None).expect_err(text);
            assert!(reason.contains("two ways"), "{reason}");
        }
        assert_eq!(read("1.234", "MXN", Some(Decimal::Comma)), Ok(123_400));
        assert_eq!(read("1,500", "MXN", Some(Decimal::Comma)), Ok(150));
        assert_eq!(read("1,500", "MXN", Some(Decimal::Point)), Ok(150_000));
        let clash = read("12.50", "MXN", Some(Decimal::Comma)).expect_err("clash");
        assert!(
            clash.contains("decimal point") && clash.contains("comma"),
            "{clash}"
        );
    }

    #[test]
    fn damaged_ones_say_why() {
        for (text, part) in [
            ("", "empty"),
            ("1.5E+11", "powers of ten"),
            ("1,5e11", "powers of ten"),
            ("#REF!", "spreadsheet"),
            ("-5.00", "negative"),
            ("(5.00)", "negative"),
            ("abc", "not a number"),
            ("1.2,3.4", "twice"),
            ("12.34.56", "three digits"),
            ("1,23,456.00", "three digits"),
            ("1.005", "two ways"),
            ("10.123,456", "more decimals"),
            ("99999999999999999999", "larger"),
            ("1..2", "three digits"),
            ("''", "not a number"),
        ] {
            let reason = read(text, "MXN", None).expect_err(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
        assert!(
            read("10.50", "CLP", None)
                .expect_err("no centavos")
                .contains("more decimals")
        );
    }

    #[test]
    fn evidence_is_only_what_is_clear() {
        assert_eq!(evidence("1.234,5"), Some(Decimal::Comma));
        assert_eq!(evidence("1.234.567"), Some(Decimal::Comma));
        assert_eq!(evidence("12.5"), Some(Decimal::Point));
        for text in ["1.234", "1234", "x", ""] {
            assert_eq!(evidence(text), None, "{text}");
        }
    }
}
