//! Numbers as far ends write them on calls that come in.

use domain::phone::Phone;

/// Fewest digits of a number that somebody can be found by.
const DIGITS_LEAST: usize = 8;
/// Most digits of E.164.
const DIGITS_MOST: usize = 15;

/// What a far end writes as a number, as E.164 with `+`; `None` for what is none. `country` (ISO 3166 alpha-2) is
/// that of the trunk, whose national numbers it may show: what has no plus is one of its plan, else a whole number of
/// another country's. A plus is believed where a number of some plan follows; some carriers write it before national
/// numbers, too.
pub(super) fn e164(user: &str, country: Option<&str>) -> Option<String> {
    let user = user.split([';', '@']).next().unwrap_or(user);
    let whole = user.strip_prefix('+').or_else(|| user.strip_prefix("00"));
    let digits = whole.unwrap_or(user);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(country) = country {
        let national = || Phone::parse(digits, Some(country));
        let other = || Phone::parse(&format!("+{digits}"), None);
        // What is neither would be taken for another country's.
        let read = match whole {
            None => national().or_else(|_| other()),
            Some(_) => other().or_else(|_| national()),
        };
        if read.is_ok() || whole.is_none() {
            return read.ok().map(|phone| phone.e164().to_owned());
        }
    }
    let fits = (DIGITS_LEAST..=DIGITS_MOST).contains(&digits.len()) && !digits.starts_with('0');
    fits.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::e164;

    #[test]
    fn numbers_as_carriers_write_them() {
        for (written, number) in [
            ("+525555550101", Some("+525555550101")),
            ("525555550101", Some("+525555550101")),
            ("00525555550101", Some("+525555550101")),
            ("+525555550101;phone-context=+52", Some("+525555550101")),
            ("anonymous", None),
            ("", None),
            ("1234567", None),
            ("0555555501", None),
            ("+5255555501010000", None),
        ] {
            assert_eq!(e164(written, None).as_deref(), number, "{written}");
        }
    }

    /// A trunk's own country makes national numbers international; what is written as international, with or
    /// without its plus, stays what it is.
    #[test]
    fn national_numbers_are_of_the_trunks_country() {
        for (country, written, number) in [
            ("MX", "5512345678", Some("+525512345678")),
            ("MX", "525512345678", Some("+525512345678")),
            ("MX", "+525512345678", Some("+525512345678")),
            ("MX", "00525512345678", Some("+525512345678")),
            ("MX", "+5511987654321", Some("+5511987654321")),
            ("MX", "34912345678", Some("+34912345678")),
            ("AR", "01143215678", Some("+541143215678")),
            ("AR", "1143215678", Some("+541143215678")),
            ("AR", "5491123456789", Some("+5491123456789")),
            ("BR", "11987654321", Some("+5511987654321")),
            ("BR", "011987654321", Some("+5511987654321")),
            ("CL", "961234567", Some("+56961234567")),
            ("CL", "56961234567", Some("+56961234567")),
            ("CL", "912345678", None),
            ("ES", "912345678", Some("+34912345678")),
            ("MX", "anonymous", None),
            ("MX", "", None),
            ("MX", "12", None),
            ("MX", "0000000000", None),
            ("MX", "+5512345678", Some("+525512345678")),
            ("MX", "005512345678", Some("+525512345678")),
            ("CL", "+961234567", Some("+56961234567")),
            ("MX", "+12", None),
            ("MX", "+999999999999", Some("+999999999999")),
        ] {
            let read = e164(written, Some(country));
            assert_eq!(read.as_deref(), number, "{country} {written}");
        }
    }
}
