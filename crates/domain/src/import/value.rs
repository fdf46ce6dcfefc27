//! Values of one cell: text, yes and no, countries, languages, phones.

use super::amount::{FORMULA, SCIENTIFIC, SHEET_ERROR, is_formula, is_scientific, is_sheet_error};
use super::repair::{self, PhoneRepair};
use crate::entity::{DebtorKind, Language};
use crate::phone::Phone;
use std::collections::BTreeSet;

/// Text within `max` characters that no damage shows in.
pub(super) fn text(value: &str, max: usize) -> Result<String, String> {
    let value = value.trim();
    if value.contains('\u{fffd}') {
        return Err(
            "holds bytes that are no text in the file's encoding: name the encoding in the map"
                .into(),
        );
    }
    if value
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t')
    {
        return Err("holds control characters".into());
    }
    if is_formula(value) {
        return Err(FORMULA.into());
    }
    if value.chars().count() > max {
        return Err(format!("longer than {max} characters"));
    }
    Ok(value.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A key or document: text whose digits a spreadsheet may have spoilt.
pub(super) fn key(value: &str, max: usize) -> Result<String, String> {
    if is_scientific(value) {
        return Err(SCIENTIFIC.into());
    }
    if is_sheet_error(value) {
        return Err(SHEET_ERROR.into());
    }
    let value = text(value, max)?;
    if value.is_empty() {
        Err("empty: a value is needed".into())
    } else {
        Ok(value)
    }
}

pub(super) fn yes_no(value: &str) -> Result<bool, String> {
    match super::column::plain(value).as_str() {
        "si" | "s" | "yes" | "y" | "1" | "true" | "verdadero" | "x" => Ok(true),
        "" | "no" | "n" | "0" | "false" | "falso" => Ok(false),
        _ => Err("expected yes or no (sí or no)".into()),
    }
}

const COUNTRIES: &[(&str, &[&str])] = &[
    ("AR", &["argentina", "arg"]),
    ("BO", &["bolivia", "bol"]),
    ("BR", &["brasil", "brazil", "bra"]),
    ("CL", &["chile", "chl"]),
    ("CO", &["colombia", "col"]),
    ("CR", &["costa_rica", "cri"]),
    ("DO", &["republica_dominicana", "dominican_republic", "dom"]),
    ("EC", &["ecuador", "ecu"]),
    ("ES", &["espana", "spain", "esp"]),
    ("GB", &["reino_unido", "united_kingdom", "gbr", "uk"]),
    ("GT", &["guatemala", "gtm"]),
    ("HN", &["honduras", "hnd"]),
    ("MX", &["mexico", "mex"]),
    ("NI", &["nicaragua", "nic"]),
    ("PA", &["panama", "pan"]),
    ("PE", &["peru", "per"]),
    ("PT", &["portugal", "prt"]),
    ("PY", &["paraguay", "pry"]),
    ("SV", &["el_salvador", "slv"]),
    ("US", &["estados_unidos", "united_states", "usa"]),
    ("UY", &["uruguay", "ury"]),
    ("VE", &["venezuela", "ven"]),
];

/// ISO 3166 alpha-2 in capitals.
pub(super) fn country(value: &str) -> Result<String, String> {
    let plain = super::column::plain(value);
    if let Some((code, _)) = COUNTRIES
        .iter()
        .find(|(_, names)| names.contains(&plain.as_str()))
    {
        return Ok((*code).to_owned());
    }
    let code = value.trim().to_ascii_uppercase();
    let known = code.len() == 2 && code.parse::<phonenumber::country::Id>().is_ok();
    if known {
        Ok(code)
    } else {
        Err("unknown country: expected two letters, as MX".into())
    }
}

pub(super) fn subdivision(value: &str, country: &str) -> Result<Option<String>, String> {
    let code = value.trim().to_ascii_uppercase();
    let code = code
        .strip_prefix(&format!("{country}-"))
        .unwrap_or(&code)
        .to_owned();
    match code.len() {
        0 => Ok(None),
        1..=3 if code.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(Some(code)),
        _ => Err("expected a code of ISO 3166-2, as SP".into()),
    }
}

pub(super) fn language(value: &str, country: &str) -> Result<Language, String> {
    match super::column::plain(value).as_str() {
        "" => Ok(match country {
            "BR" | "PT" => Language::Pt,
            "US" | "GB" => Language::En,
            _ => Language::Es,
        }),
        "es" | "espanol" | "spanish" | "castellano" | "spa" => Ok(Language::Es),
        "en" | "ingles" | "english" | "eng" => Ok(Language::En),
        "pt" | "portugues" | "portuguese" | "por" => Ok(Language::Pt),
        _ => Err("expected es, en or pt".into()),
    }
}

pub(super) fn kind(value: &str) -> Result<DebtorKind, String> {
    match super::column::plain(value).as_str() {
        "" | "person" | "persona" | "fisica" | "persona_fisica" | "natural" | "persona_natural"
        | "pf" => Ok(DebtorKind::Person),
        "company" | "empresa" | "moral" | "persona_moral" | "juridica" | "persona_juridica"
        | "pm" | "pj" => Ok(DebtorKind::Company),
        _ => Err("expected person or company".into()),
    }
}

/// A phone by the plan of its country, and the rule that mended it. Without `rules` nothing is mended.
pub(super) fn phone(
    value: &str,
    country: &str,
    rules: &BTreeSet<PhoneRepair>,
) -> Result<(Phone, Option<PhoneRepair>), String> {
    let value = value.trim().trim_start_matches('\'');
    if is_scientific(value) {
        let whole =
            repair::whole_digits(value).filter(|_| rules.contains(&PhoneRepair::Scientific));
        let digits = whole.ok_or(SCIENTIFIC)?;
        let (phone, _) = plain_phone(&digits, country, rules)?;
        return Ok((phone, Some(PhoneRepair::Scientific)));
    }
    if is_sheet_error(value) {
        return Err(SHEET_ERROR.into());
    }
    let decimals = value
        .rsplit_once(['.', ','])
        .filter(|(_, tail)| *tail == "0" || *tail == "00");
    match decimals {
        Some((digits, _)) if rules.contains(&PhoneRepair::Decimals) => {
            let (phone, _) = plain_phone(digits, country, rules)?;
            Ok((phone, Some(PhoneRepair::Decimals)))
        }
        Some(_) => Err(
            "written by a spreadsheet as a number with decimals: export the column as text".into(),
        ),
        None => plain_phone(value, country, rules),
    }
}

/// An e-mail address; what a spreadsheet made of one is refused.
pub(super) fn email(value: &str) -> Result<String, String> {
    let value = value.trim().trim_start_matches('\'');
    if is_sheet_error(value) {
        return Err(SHEET_ERROR.into());
    }
    if is_formula(value) {
        return Err(FORMULA.into());
    }
    crate::email::email(value)
}

/// A number of a do-not-call list. A national form is read by the list's `country` (ISO 3166 alpha-2) alone: the
/// same digits may begin with another country's code, and would then list somebody else.
///
/// # Errors
/// Why it is not one number, and what would be right.
pub fn listed_phone(value: &str, country: Option<&str>) -> Result<Phone, String> {
    let value = value.trim().trim_start_matches('\'');
    let international = value.starts_with('+') || value.starts_with("00");
    // An international number is read alike from anywhere.
    let from = country.or(international.then_some("MX")).ok_or(NATIONAL)?;
    phone(value, from, &BTreeSet::new()).map(|(phone, _)| phone)
}

/// Why a number that may be of several countries is refused.
const NATIONAL: &str =
    "a national number: expected +525512345678, or the country of the list beside it";

fn plain_phone(
    value: &str,
    country: &str,
    rules: &BTreeSet<PhoneRepair>,
) -> Result<(Phone, Option<PhoneRepair>), String> {
    let fine = |c: char| {
        c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}')
    };
    if is_formula(value) {
        return Err(FORMULA.into());
    }
    if !value.chars().all(fine) {
        return Err("expected digits, as +525512345678".into());
    }
    let international = match value.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => value.to_owned(),
    };
    match Phone::parse(&international, Some(country)) {
        Ok(phone) => Ok((phone, None)),
        Err(error) => repair::mend(value, country, rules)
            .map(|(phone, rule)| (phone, Some(rule)))
            .ok_or_else(|| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones() {
        for (text, country, e164) in [
            ("55 0012 3456", "MX", "+525500123456"),
            ("+52 55 0012 3456", "CO", "+525500123456"),
            ("0052 55 0012 3456", "MX", "+525500123456"),
            ("'5500123456", "MX", "+525500123456"),
            ("601 9123456", "CO", "+576019123456"),
            ("739 000 123", "ES", "+34739000123"),
        ] {
            assert_eq!(
                phone(text, country, &BTreeSet::new()).map(|p| p.0.e164().to_owned()),
                Ok(e164.to_owned()),
                "{text}"
            );
        }
        for (text, part) in [
            ("1.5E+11", "powers of ten"),
            ("5,25513E+11", "powers of ten"),
            ("5500123456.0", "decimals"),
            ("12345", "numbering plan"),
            ("no tiene", "expected digits"),
            ("#N/A", "spreadsheet"),
        ] {
            let reason = phone(text, "MX", &BTreeSet::new()).expect_err(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }

    #[test]
    fn a_listed_number_is_of_one_country() {
        let read = |text: &str, country| listed_phone(text, country).map(|p| p.e164().to_owned());
        for text in ["+52 55 1234 5678", "0052 5512345678"] {
            assert_eq!(read(text, None).as_deref(), Ok("+525512345678"), "{text}");
            assert_eq!(read(text, Some("US")).as_deref(), Ok("+525512345678"));
        }
        for (text, country, e164) in [
            ("5512345678", "MX", "+525512345678"),
            ("2122345678", "US", "+12122345678"),
            ("1-212-234-5678", "US", "+12122345678"),
            ("987 654 321", "CL", "+56987654321"),
        ] {
            assert_eq!(read(text, Some(country)).as_deref(), Ok(e164), "{text}");
            let reason = read(text, None).expect_err(text);
            assert!(reason.contains("country"), "{text}: {reason}");
        }
        for text in [
            "+5512345678",
            "+999512345678",
            "+52551234",
            "5.51234E+09",
            "+52 no",
        ] {
            assert!(read(text, Some("MX")).is_err(), "{text}");
        }
    }

    #[test]
    fn words() {
        assert_eq!(country("méxico").as_deref(), Ok("MX"));
        assert_eq!(country(" co ").as_deref(), Ok("CO"));
        assert!(country("ZZ").is_err() && country("Atlantis").is_err());
        assert_eq!(subdivision("BR-SP", "BR"), Ok(Some("SP".into())));
        assert_eq!(subdivision("", "BR"), Ok(None));
        assert!(subdivision("São Paulo", "BR").is_err());
        assert_eq!(language("", "BR"), Ok(Language::Pt));
        assert_eq!(yes_no("Sí"), Ok(true));
        assert!(yes_no("quizás").is_err());
        assert_eq!(kind("Persona moral"), Ok(DebtorKind::Company));
        assert_eq!(text("  Ana\u{a0} Ruiz ", 20).as_deref(), Ok("Ana Ruiz"));
        assert!(
            text("A\u{fffd}a", 20).is_err()
                && text("a\u{1b}[1m", 20).is_err()
                && text("abc", 2).is_err()
        );
        assert!(key("4.15E+12", 20).is_err() && key("", 20).is_err());
    }

    #[test]
    fn formulas_are_no_values() {
        for formula in [
            "=A2&\" \"&B2",
            "=\"00123\"",
            "\"=1+1",
            " =HYPERLINK(\"http://x\")",
            "'=A1",
            "@SUM(A1:A2)",
            "+Hoja1!B2",
            "-cmd|'/c calc'!A0",
        ] {
            for read in [text(formula, 200), key(formula, 200)] {
                let reason = read.expect_err(formula);
                assert!(reason.contains("formula"), "{formula}: {reason}");
            }
            let reason = phone(formula, "MX", &BTreeSet::new()).expect_err(formula);
            assert!(reason.contains("formula"), "{formula}: {reason}");
        }
        for plain in [
            "-",
            "+Crédito",
            "A=B",
            "-123",
            "@ana",
            "O'Higgins 12",
            "-Pérez (hijo)",
            "@casa (norte)",
        ] {
            assert!(text(plain, 20).is_ok(), "{plain}");
        }
    }
}
