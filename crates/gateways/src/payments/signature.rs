//! The header `Stripe-Signature`: `t=<seconds>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over `t.body` with the
//! endpoint's secret (docs.stripe.com/webhooks, "Verify webhook signatures manually").

use domain::ports::PaymentsError;
use domain::time::UtcMs;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Age beyond which a webhook is not believed, s (Stripe's own default).
pub(super) const TOLERANCE_S: i64 = 300;
/// Longest header that is looked at, bytes.
const HEADER_MAX: usize = 2_048;
/// Most signatures of a header that are tried: there are two while a secret is being changed.
const SIGNATURES_MAX: usize = 8;

/// Checks a header against a body.
pub(super) fn check(
    header: &str,
    body: &[u8],
    secrets: &[String],
    now: UtcMs,
) -> Result<(), PaymentsError> {
    let bad = |why| Err(PaymentsError::Signature(why));
    if header.len() > HEADER_MAX {
        return bad("the header is too long");
    }
    let mut at: Option<&str> = None;
    let mut tags: Vec<Vec<u8>> = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if at.is_none() => at = Some(value),
            Some(("v1", value)) if tags.len() < SIGNATURES_MAX => {
                tags.extend(hex::decode(value).ok());
            }
            // Other schemes, among them v0 of test accounts, prove nothing.
            _ => {}
        }
    }
    let Some(at) = at else {
        return bad("expected t= and v1=");
    };
    let Ok(seconds) = at.parse::<i64>() else {
        return bad("t: expected seconds");
    };
    if tags.is_empty() {
        return bad("expected a v1= of hexadecimal digits");
    }
    let fits = secrets.iter().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            return false;
        };
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok())
    });
    if !fits {
        return bad("none fits the body");
    }
    // Ahead of us is allowed the same distance: clocks differ.
    if now
        .0
        .div_euclid(1_000)
        .saturating_sub(seconds)
        .saturating_abs()
        > TOLERANCE_S
    {
        return bad("too old: sent again by somebody, or the clock is wrong");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"{\"id\":\"evt_1\"}";
    const SECRET: &str = "whsec_test_secret";
    /// `printf '1492774577.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret`
    const TAG: &str = "799c4ba7bb339f3c8601adfd112f0e477c930a268be1243d341abb8286501c2f";

    fn at(seconds: i64) -> UtcMs {
        UtcMs(seconds * 1_000)
    }

    fn checked(header: &str, body: &[u8], now: UtcMs) -> Result<(), String> {
        let secrets = ["whsec_other".to_owned(), SECRET.to_owned()];
        check(header, body, &secrets, now).map_err(|e| e.to_string())
    }

    #[test]
    fn a_signature_made_by_openssl_fits_within_five_minutes() {
        let header = format!(
            "t=1492774577,v1={TAG},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
        );
        for now in [1_492_774_577, 1_492_774_877, 1_492_774_277] {
            assert_eq!(checked(&header, BODY, at(now)), Ok(()), "{now}");
        }
        for now in [1_492_774_878, 1_492_774_276] {
            let error = checked(&header, BODY, at(now)).expect_err("too far");
            assert!(error.contains("too old"), "{error}");
        }
        let two = format!("t=1492774577,v1={},v1={TAG}", "0".repeat(64));
        assert_eq!(checked(&two, BODY, at(1_492_774_577)), Ok(()), "one of two");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let now = at(1_492_774_577);
        for (header, body) in [
            (
                format!("t=1492774577,v1={TAG}"),
                b"{\"id\":\"evt_2\"}".as_slice(),
            ),
            (format!("t=1492774578,v1={TAG}"), BODY),
            (format!("t=1492774577,v0={TAG}"), BODY),
            (format!("v1={TAG}"), BODY),
            ("t=1492774577,v1=zz".to_owned(), BODY),
            ("t=soon,v1=00".to_owned(), BODY),
            (String::new(), BODY),
            ("x".repeat(5_000), BODY),
        ] {
            assert!(checked(&header, body, now).is_err(), "{header}");
        }
    }
}
