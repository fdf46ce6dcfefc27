//! Amounts and dates as they are written on paper.

use domain::entity::Language;
use domain::money::Currency;

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

/// A `YYYY-MM-DD` date in words; what is no date stays as it is.
#[must_use]
pub fn spoken_date(date: &str, language: Language) -> String {
    let Ok(day) = date.parse::<jiff::civil::Date>() else {
        return date.to_owned();
    };
    let month = usize::from(day.month().unsigned_abs()) - 1;
    match language {
        Language::En => format!("{} {} {}", day.day(), MONTHS_EN[month], day.year()),
        _ => format!("{} de {} de {}", day.day(), MONTHS_ES[month], day.year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_dates_are_written_out() {
        let mxn: Currency = "MXN".parse().unwrap();
        assert_eq!(amount(1_850_005, mxn), "18,500.05 MXN");
        assert_eq!(amount(-7, "CLP".parse().unwrap()), "-7 CLP");
        assert_eq!(
            spoken_date("2026-11-06", Language::Es),
            "6 de noviembre de 2026"
        );
        assert_eq!(spoken_date("2026-11-06", Language::En), "6 November 2026");
        assert_eq!(spoken_date("pronto", Language::Es), "pronto");
    }
}
