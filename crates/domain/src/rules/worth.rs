//! What amounts of several currencies are worth beside each other, to put contacts in an order. House
//! reference rates: rounded, of October 2025, changed by hand. They only order; no amount is ever
//! shown, promised or booked by them.

use crate::money::Currency;

/// Hundredths of a minor unit for one US cent.
///
/// Source: public mid-market rates of October 2025, rounded to two or three digits.
const PER_CENT: &[(&str, i64)] = &[
    ("ARS", 143_000),
    ("BOB", 690),
    ("BRL", 535),
    ("CAD", 139),
    ("CLP", 960),
    ("COP", 390_000),
    ("CRC", 50_500),
    ("DOP", 6_250),
    ("EUR", 85),
    ("GBP", 74),
    ("GTQ", 766),
    ("HNL", 2_620),
    ("MXN", 1_840),
    ("NIO", 3_680),
    ("PAB", 100),
    ("PEN", 350),
    ("PYG", 7_050),
    ("USD", 100),
    ("UYU", 4_000),
];

/// A currency the table does not hold counts like the dollar.
pub const OTHERS: i64 = 100;

/// The table: currency, hundredths of its minor unit for one US cent.
pub fn reference_rates() -> impl Iterator<Item = (&'static str, i64)> {
    PER_CENT.iter().copied()
}

/// An amount in US cents, towards zero.
#[must_use]
pub fn worth(amount_minor: i64, currency: Currency) -> i64 {
    let rate = PER_CENT
        .iter()
        .find(|(code, _)| *code == currency.as_str())
        .map_or(OTHERS, |(_, rate)| *rate);
    let cents = i128::from(amount_minor) * 100 / i128::from(rate);
    i64::try_from(cents).unwrap_or(if amount_minor < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(amount_minor: i64, currency: &str) -> i64 {
        worth(amount_minor, currency.parse().expect("a currency"))
    }

    #[test]
    fn amounts_of_several_currencies_stand_beside_each_other() {
        assert_eq!(of(10_000, "USD"), 10_000);
        // 1,840 pesos of Mexico, 390,000 of Colombia, 96,000 of Chile (no decimals): a hundred dollars.
        assert_eq!(of(184_000, "MXN"), 10_000);
        assert_eq!(of(39_000_000, "COP"), 10_000);
        assert_eq!(of(96_000, "CLP"), 10_000);
        assert!(of(500_000, "MXN") > of(39_000_000, "COP"));
        assert_eq!(of(-184_000, "MXN"), -10_000);
        assert_eq!(of(i64::MAX, "EUR"), i64::MAX);
        assert_eq!(of(7, "SEK"), 7);
    }

    #[test]
    fn the_table_is_sorted_and_holds_each_currency_once() {
        let codes: Vec<&str> = reference_rates().map(|(code, _)| code).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(reference_rates().all(|(code, rate)| code.parse::<Currency>().is_ok() && rate > 0));
    }
}
