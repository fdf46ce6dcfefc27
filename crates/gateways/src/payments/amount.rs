//! Amounts as Stripe writes them: in its own smallest unit, which is not everywhere that of ISO 4217
//! (docs.stripe.com/currencies, "zero-decimal", "three-decimal" and "special case" currencies).

use domain::money::{Currency, Money};

/// Decimal digits of an amount in Stripe's API.
fn digits(currency: Currency) -> u32 {
    match currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        // Among them ISK and UGX, which have no decimals but are written with two.
        _ => 2,
    }
}

/// Our amount in Stripe's unit; `None` when it does not come out whole.
pub(super) fn to_stripe(money: Money) -> Option<i64> {
    let (own, theirs) = (money.currency.minor_digits(), digits(money.currency));
    if theirs >= own {
        return money
            .amount_minor
            .checked_mul(10_i64.checked_pow(theirs - own)?);
    }
    let step = 10_i64.checked_pow(own - theirs)?;
    (money.amount_minor % step == 0).then_some(money.amount_minor / step)
}

/// Stripe's amount in our minor units; `None` when it does not come out whole.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Option<Money> {
    let (own, theirs) = (currency.minor_digits(), digits(currency));
    if own >= theirs {
        let minor = amount.checked_mul(10_i64.checked_pow(own - theirs)?)?;
        return Some(Money::new(minor, currency));
    }
    let step = 10_i64.checked_pow(theirs - own)?;
    (amount % step == 0).then(|| Money::new(amount / step, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_in_its_own_unit_there_and_back() {
        for (code, minor, stripe) in [
            ("MXN", 185_000, 185_000),
            ("CLP", 9_900, 9_900),
            ("COP", 5_000_000, 5_000_000),
            ("PYG", 70_000, 70_000),
            ("ISK", 500, 50_000),
            ("UGX", 10_000, 1_000_000),
            ("KWD", 5_120, 5_120),
        ] {
            let money = Money::new(minor, code.parse().expect("a currency"));
            assert_eq!(to_stripe(money), Some(stripe), "{code}");
            assert_eq!(from_stripe(stripe, money.currency), Some(money), "{code}");
        }
        let ariary = "MGA".parse().expect("a currency");
        assert_eq!(
            to_stripe(Money::new(150, ariary)),
            None,
            "no half of its unit"
        );
        assert_eq!(
            from_stripe(50_001, "ISK".parse().expect("a currency")),
            None
        );
    }
}
