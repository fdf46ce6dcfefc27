//! Phones that a spreadsheet has spoilt. One is mended only by a rule that the map names, only into a
//! number of the debtor's own country, and only when a single number can be meant.

use crate::phone::Phone;
use std::collections::BTreeSet;

crate::text_enum! {
    /// A rule by which phones may be mended.
    pub enum PhoneRepair {
        /// Zeros in front are gone: `52 55 1234 5678` was `0052 …`, `11 2345 6789` was `011 …`.
        LostZero = "lost_zero",
        /// The country's code stands there twice: `+52 52 55 1234 5678`.
        DoublePrefix = "double_prefix",
        /// A power of ten that still holds every digit: `5.25512345678E+11`. One that lost digits
        /// (`1.5E+11`) is refused under any rule.
        Scientific = "scientific",
        /// Decimals that a phone does not have: `5512345678.0`.
        Decimals = "decimals",
    }
}

/// Most digits of a number with its international prefix and a doubled code.
const DIGITS_MAX: usize = 24;

/// The digits of a power of ten that holds all of them; `None` when the spreadsheet cut some.
pub(super) fn whole_digits(text: &str) -> Option<String> {
    let (mantissa, power) = text.trim().split_once(['e', 'E'])?;
    let power: usize = power.trim_start_matches('+').parse().ok()?;
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    // As many digits behind the sign as the power moves it: nothing was rounded away and no zero is
    // made up. A number that ends in zeros looks the same as one that was cut, and is refused.
    let all = whole.len() == 1 && digits(whole) && digits(fraction) && fraction.len() == power;
    all.then(|| format!("{whole}{fraction}"))
}

/// The one number of the country that the rules can make of it.
pub(super) fn mend(
    text: &str,
    country: &str,
    rules: &BTreeSet<PhoneRepair>,
) -> Option<(Phone, PhoneRepair)> {
    if rules.is_empty() {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || digits.len() > DIGITS_MAX {
        return None;
    }
    let mut found: Option<(Phone, PhoneRepair)> = None;
    for (guess, rule) in guesses(text, &digits, country, rules) {
        let Ok(phone) = Phone::parse(&guess, Some(country)) else {
            continue;
        };
        if phone.country().as_deref() != Some(country) {
            continue;
        }
        match &found {
            Some((other, _)) if *other != phone => return None,
            Some(_) => {}
            None => found = Some((phone, rule)),
        }
    }
    found
}

/// What the text may have been.
fn guesses(
    text: &str,
    digits: &str,
    country: &str,
    rules: &BTreeSet<PhoneRepair>,
) -> Vec<(String, PhoneRepair)> {
    let mut guesses = Vec::new();
    if rules.contains(&PhoneRepair::LostZero) && !text.trim_start().starts_with('+') {
        guesses.push((format!("0{digits}"), PhoneRepair::LostZero));
        guesses.push((format!("+{digits}"), PhoneRepair::LostZero));
    }
    if rules.contains(&PhoneRepair::DoublePrefix)
        && let Some(code) = calling_code(country)
        && let Some(rest) = digits.trim_start_matches('0').strip_prefix(&code)
    {
        let rest = rest.trim_start_matches('0');
        if rest.starts_with(&code) {
            guesses.push((format!("+{rest}"), PhoneRepair::DoublePrefix));
        }
    }
    guesses
}

/// Calling code of a country: `52` of `MX`.
fn calling_code(country: &str) -> Option<String> {
    let found = phonenumber::metadata::DATABASE.by_id(country)?;
    Some(found.country_code().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(names: &[PhoneRepair]) -> BTreeSet<PhoneRepair> {
        names.iter().copied().collect()
    }

    fn read(
        text: &str,
        country: &str,
        names: &[PhoneRepair],
    ) -> Result<(String, Option<PhoneRepair>), String> {
        let read = super::super::value::phone(text, country, &rules(names));
        read.map(|(phone, rule)| (phone.e164().to_owned(), rule))
    }

    #[test]
    fn each_rule_mends_what_is_sure() {
        use PhoneRepair::{Decimals, DoublePrefix, Scientific};
        for (text, country, rule, e164) in [
            ("+52 52 55 1234 5678", "MX", DoublePrefix, "+525512345678"),
            ("52525512345678", "MX", DoublePrefix, "+525512345678"),
            ("0052 0052 5512345678", "MX", DoublePrefix, "+525512345678"),
            ("5.25512345678E+11", "MX", Scientific, "+525512345678"),
            ("5,512345678e+09", "MX", Scientific, "+525512345678"),
            ("5512345678.0", "MX", Decimals, "+525512345678"),
            ("5512345678,00", "MX", Decimals, "+525512345678"),
        ] {
            let want = Ok((e164.to_owned(), Some(rule)));
            assert_eq!(read(text, country, &[rule]), want, "{text}");
            assert!(read(text, country, &[]).is_err(), "{text} without a rule");
        }
    }

    #[test]
    fn what_lost_digits_is_refused_under_every_rule() {
        for text in [
            "1.5E+11",
            "5.2551E+11",
            "5E+11",
            "5.255123456780E+11",
            "5.2551234567811E+11",
            "55.12345678E+08",
        ] {
            let reason = read(text, "MX", PhoneRepair::ALL).expect_err(text);
            assert!(reason.contains("powers of ten"), "{text}: {reason}");
        }
    }

    #[test]
    fn a_good_number_is_left_alone_and_another_country_is_not_made_up() {
        let good = read("55 1234 5678", "MX", PhoneRepair::ALL);
        assert_eq!(good, Ok(("+525512345678".to_owned(), None)));
        for text in ["12345", "57 601 9123456 7", "+57 57 601 912 345", "000"] {
            assert!(read(text, "MX", PhoneRepair::ALL).is_err(), "{text}");
        }
    }

    #[test]
    fn lost_zeros_come_back_only_where_one_number_can_be_meant() {
        let rule = [PhoneRepair::LostZero];
        for (text, country) in [("525512345678", "MX"), ("573001234567", "CO")] {
            let (phone, _) = read(text, country, &rule).expect(text);
            assert_eq!(phone, format!("+{text}"));
        }
        assert!(
            read("447911123456", "MX", &rule).is_err(),
            "not his country"
        );
    }
}
