//! Money: integer minor units with their currency. Never a float.

use crate::ValueError;

/// Codes of ISO 4217 list one (2025): money in use and units of account, without metals and test codes.
#[rustfmt::skip]
const ISO_4217: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW",
    "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN",
    "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG",
    "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW",
    "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK",
    "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR",
    "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR",
    "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW",
    "UZS", "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

/// Currencies whose minor unit is the unit itself (ISO 4217).
pub const NO_DIGITS: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];

/// Currencies with thousandths (ISO 4217).
pub const THREE_DIGITS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// An ISO 4217 code of three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimal digits of the minor unit (ISO 4217): 2 for most, 0 for CLP, PYG and others.
    #[must_use]
    pub fn minor_digits(&self) -> u32 {
        match self.as_str() {
            code if NO_DIGITS.contains(&code) => 0,
            code if THREE_DIGITS.contains(&code) => 3,
            _ => 2,
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = ValueError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s.as_bytes() {
            [a, b, c] if ISO_4217.binary_search(&s).is_ok() => Ok(Self([*a, *b, *c])),
            _ => Err(ValueError::malformed(
                "currency",
                "expected a code of ISO 4217 in capital letters, as MXN",
            )),
        }
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount in the currency's minor unit. JSON: `{"amount_minor": 1850000, "currency": "MXN"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Money {
    /// Minor units (centavos); may be negative for reversals.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Builds an amount.
    #[must_use]
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self {
            amount_minor,
            currency,
        }
    }

    /// Adds another amount of the same currency.
    ///
    /// # Errors
    /// When the currencies differ or the sum overflows.
    pub fn checked_add(self, other: Self) -> Result<Self, ValueError> {
        if self.currency != other.currency {
            return Err(ValueError::malformed("money", "currencies differ"));
        }
        let sum = self
            .amount_minor
            .checked_add(other.amount_minor)
            .ok_or_else(|| ValueError::malformed("money", "amount too large"))?;
        Ok(Self::new(sum, self.currency))
    }
}

/// Amounts added up in hundredths of their currencies' units, so that one threshold means the same in pesos of
/// Chile and of Mexico; of thousandths, what is left below a hundredth of their sum is cut off.
#[must_use]
pub fn hundredths(amounts: impl Iterator<Item = Money>) -> i64 {
    let (mut units, mut cents, mut mils) = (0_i64, 0_i64, 0_i64);
    for money in amounts {
        let sum = match money.currency.minor_digits() {
            0 => &mut units,
            3 => &mut mils,
            _ => &mut cents,
        };
        *sum = sum.saturating_add(money.amount_minor);
    }
    let cents = cents.saturating_add(units.saturating_mul(100));
    cents.saturating_add(mils / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_of_each_currencys_unit() {
        let of = |amounts: &[(i64, &str)]| {
            hundredths(
                amounts
                    .iter()
                    .map(|(n, c)| Money::new(*n, c.parse().expect("currency"))),
            )
        };
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[(1_000, "CLP")]), 100_000, "pesos have no cents");
        assert_eq!(of(&[(1_000, "MXN")]), 1_000);
        assert_eq!(of(&[(1_009, "KWD")]), 100, "a fils is a thousandth");
        assert_eq!(
            of(&[(1_000, "PYG"), (-50, "USD"), (5, "KWD"), (5, "KWD")]),
            99_951
        );
        assert_eq!(of(&[(i64::MAX, "CLP")]), i64::MAX);
    }

    #[test]
    fn only_what_iso_4217_lists_is_a_currency() {
        assert!(ISO_4217.is_sorted(), "the list is searched by halves");
        for code in ISO_4217 {
            assert_eq!(
                code.parse::<Currency>().map(|c| c.to_string()),
                Ok((*code).to_owned())
            );
        }
        for bad in ["ZZZ", "mxn", "MX", "MXNN", "", "XXX", "PÉN"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }
}
