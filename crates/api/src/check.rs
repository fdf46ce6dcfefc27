//! Checks of single values in request bodies. Each says the path and what would be right.

use crate::problem::Problem;
use domain::phone::Phone;

/// Longest name of anything, characters.
pub(crate) const NAME_MAX: usize = 120;
/// Longest free text (evidence, proof, reason), characters.
pub(crate) const TEXT_MAX: usize = 500;
/// Largest amount of one field, minor units: 10¹³ is 100 thousand millions of pesos.
pub(crate) const AMOUNT_MAX: i64 = 10_000_000_000_000;

/// A text of 1 to `max` characters that is not blank and holds no control characters.
pub(crate) fn text(path: &str, value: &str, max: usize) -> Result<String, Problem> {
    let value = value.trim();
    let count = value.chars().count();
    if count == 0 || count > max {
        return Err(Problem::invalid(
            path,
            format!("expected 1 to {max} characters"),
        ));
    }
    if value
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(Problem::invalid(path, "expected no control characters"));
    }
    Ok(value.to_owned())
}

/// A name.
pub(crate) fn name(path: &str, value: &str) -> Result<String, Problem> {
    text(path, value, NAME_MAX)
}

/// A lower-case handle: letters, digits, dot, dash, underscore.
pub(crate) fn handle(path: &str, value: &str, min: usize, max: usize) -> Result<String, Problem> {
    let value = value.trim().to_lowercase();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@".contains(c);
    if (min..=max).contains(&value.len()) && value.chars().all(good) {
        return Ok(value);
    }
    let reason = format!("expected {min} to {max} of a-z, 0-9, dot, dash, underscore, @");
    Err(Problem::invalid(path, reason))
}

/// An E.164 phone.
pub(crate) fn phone(path: &str, value: &str) -> Result<Phone, Problem> {
    if !value.starts_with('+') {
        return Err(Problem::invalid(
            path,
            "expected E.164 with +, as +525512345678",
        ));
    }
    Phone::parse(value, None).map_err(|e| Problem::invalid(path, e.to_string()))
}

/// A country, ISO 3166 alpha-2.
pub(crate) fn country(path: &str, value: &str) -> Result<String, Problem> {
    if value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(value.to_owned());
    }
    Err(Problem::invalid(
        path,
        "expected two capital letters (ISO 3166), as MX",
    ))
}

/// An IANA zone.
pub(crate) fn zone(path: &str, value: &str) -> Result<String, Problem> {
    domain::time::zone(value).map_err(|e| Problem::invalid(path, e.to_string()))?;
    Ok(value.to_owned())
}

/// A date that exists.
pub(crate) fn day(path: &str, value: &str) -> Result<String, Problem> {
    let whole = value.len() == 10
        && format!("{value}T00:00:00Z")
            .parse::<domain::time::UtcMs>()
            .is_ok();
    if whole {
        return Ok(value.to_owned());
    }
    Err(Problem::invalid(path, "expected a date as 2026-11-30"))
}

/// An amount from 0 to `AMOUNT_MAX`.
pub(crate) fn amount(path: &str, value: i64) -> Result<i64, Problem> {
    range(path, value, 0, AMOUNT_MAX)
}

/// A number between two others, both included.
pub(crate) fn range<N: PartialOrd + Copy + std::fmt::Display>(
    path: &str,
    value: N,
    least: N,
    most: N,
) -> Result<N, Problem> {
    if value >= least && value <= most {
        return Ok(value);
    }
    Err(Problem::invalid(
        path,
        format!("expected {least} to {most}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(text("x", " a\u{301} ", 2).ok().as_deref(), Some("a\u{301}"));
        assert!(text("x", " ", 5).is_err() && text("x", "a\u{0}", 5).is_err());
        assert_eq!(handle("x", "Ana.1", 3, 9).ok().as_deref(), Some("ana.1"));
        assert!(handle("x", "a b", 1, 9).is_err());
        assert!(phone("x", "5512345678").is_err() && phone("x", "+5255").is_err());
        assert!(day("x", "2026-02-29").is_err() && day("x", "2028-02-29").is_ok());
        assert!(zone("x", "Mars/Base").is_err() && country("x", "mx").is_err());
        assert!(amount("x", -1).is_err() && amount("x", AMOUNT_MAX + 1).is_err());
    }
}
