//! References of money as people know them.

use super::bank::NAME_LEN;

/// What stands behind a name: nothing, the number of a share, another amount, a reversal or a dispute.
fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['#', '~', '-', '!'])
}

/// A reference without the digest that [`super::bank::name_rows`] puts behind it.
fn without_digest(reference: &str) -> String {
    let digest = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    let named = reference.rsplit_once(' ').and_then(|(own, rest)| {
        let (name, behind) = rest.split_at_checked(NAME_LEN)?;
        (name.as_bytes().iter().all(digest) && ends(behind)).then_some((own, behind))
    });
    match named {
        // The row had none of its own.
        Some(("row", behind)) => behind.to_owned(),
        Some((own, behind)) => format!("{own}{behind}"),
        None => reference.to_owned(),
    }
}

/// A reference as people know it: without the digest of a bank's row, and without the amount that tells money
/// under one reference apart (`~35000MXN`); the number of a share, of a reversal or of a dispute stays. Empty for a
/// row that had no reference of its own.
#[must_use]
pub fn own_reference(reference: &str) -> String {
    let own = without_digest(reference);
    let Some((front, rest)) = own.split_once('~') else {
        return own;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let code = rest.as_bytes().get(digits..digits + 3);
    let code = code.is_some_and(|c| c.iter().all(u8::is_ascii_uppercase));
    match rest.get(digits + 3..) {
        Some(behind) if digits > 0 && code && ends(behind) => format!("{front}{behind}"),
        _ => own,
    }
}
