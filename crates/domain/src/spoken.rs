//! Amounts and dates as people read them: on cards, in messages, on paper and on hosted pages.

use crate::entity::Language;
use crate::money::Currency;
use jiff::civil::Date;

const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `18,500.00 MXN`: minor units with thousands and the ISO code.
#[must_use]
pub fn amount(minor: i64, currency: Currency) -> String {
    let digits = currency.minor_digits();
    let unit = 10_u64.pow(digits);
    let whole = (minor.unsigned_abs() / unit).to_string();
    let mut grouped = String::new();
    for (n, c) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    let sign = if minor < 0 { "-" } else { "" };
    if digits == 0 {
        return format!("{sign}{grouped} {currency}");
    }
    let part = minor.unsigned_abs() % unit;
    format!(
        "{sign}{grouped}.{part:0width$} {currency}",
        width = digits as usize
    )
}

fn month<'a>(day: Date, names: &[&'a str; 12]) -> &'a str {
    names[usize::from(day.month().unsigned_abs()) - 1]
}

/// `6 de noviembre de 2026`, `6 November 2026`: a `YYYY-MM-DD` date in words, in Spanish for whom there are no words
/// of his language; what is no date stays as it is.
#[must_use]
pub fn date(date: &str, language: Language) -> String {
    let Ok(day) = date.parse::<Date>() else {
        return date.to_owned();
    };
    match language {
        Language::En => format!("{} {} {}", day.day(), month(day, &MONTHS_EN), day.year()),
        Language::Es | Language::Pt => {
            let name = month(day, &MONTHS_ES);
            format!("{} de {name} de {}", day.day(), day.year())
        }
    }
}

/// `5 sep 2026`, `5 Sep 2026`: a `YYYY-MM-DD` date in short, Spanish and English; what is no date stays as it is.
#[must_use]
pub fn short_date(date: &str) -> (String, String) {
    let Ok(day) = date.parse::<Date>() else {
        return (date.to_owned(), date.to_owned());
    };
    let short = |names: &[&str; 12]| {
        let name: String = month(day, names).chars().take(3).collect();
        format!("{} {name} {}", day.day(), day.year())
    };
    (short(&MONTHS_ES), short(&MONTHS_EN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_by_their_currency() {
        let of = |minor, code: &str| amount(minor, code.parse().unwrap());
        assert_eq!(of(1_850_005, "MXN"), "18,500.05 MXN");
        assert_eq!(of(5, "MXN"), "0.05 MXN");
        assert_eq!(of(-100, "MXN"), "-1.00 MXN");
        assert_eq!(of(-105, "USD"), "-1.05 USD");
        assert_eq!(of(1_234_567, "CLP"), "1,234,567 CLP");
        assert_eq!(of(-7, "CLP"), "-7 CLP");
    }

    #[test]
    fn dates_are_told_in_the_language_asked() {
        assert_eq!(date("2026-11-06", Language::Es), "6 de noviembre de 2026");
        assert_eq!(date("2026-11-06", Language::Pt), "6 de noviembre de 2026");
        assert_eq!(date("2026-01-31", Language::En), "31 January 2026");
        assert_eq!(date("pronto", Language::Es), "pronto");
        let short = ("5 sep 2026".to_owned(), "5 Sep 2026".to_owned());
        assert_eq!(short_date("2026-09-05"), short);
        assert_eq!(short_date("pronto").1, "pronto");
    }
}
