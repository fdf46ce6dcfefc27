//! E-mail addresses: the form that mail servers of the world take (RFC 5321 §4.1.2, dot-string and a domain of
//! names), not every form that the grammar lets be.

/// Longest address, characters (RFC 5321 §4.5.3.1.3).
pub const EMAIL_MAX: usize = 254;
/// Longest part before the `@` (RFC 5321 §4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// Longest name within a domain (RFC 1035 §2.3.4).
const LABEL_MAX: usize = 63;

/// Reads an address and gives it in small letters, as points and lists hold it.
///
/// # Errors
/// What is wrong with it and what would be right.
pub fn email(text: &str) -> Result<String, String> {
    let text = text.trim();
    let text = text
        .strip_prefix("mailto:")
        .unwrap_or(text)
        .trim_end_matches(['.', '>'])
        .trim_start_matches('<');
    if text.matches('@').count() > 1 || text.contains([';', ' ']) && text.contains('@') {
        return Err("more than one address, or spaces within it: one address a column".into());
    }
    let Some((local, domain)) = text.split_once('@') else {
        return Err("expected an e-mail address, as ana@example.com".into());
    };
    if text.chars().count() > EMAIL_MAX || local.len() > LOCAL_MAX {
        return Err(format!(
            "longer than an e-mail address may be: at most {LOCAL_MAX} characters before the @, {EMAIL_MAX} in all"
        ));
    }
    let fine = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    if local.is_empty() || !local.chars().all(fine) {
        return Err("the part before the @ is empty or has signs that no mail server takes".into());
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("the part before the @ has a dot at an end, or two together".into());
    }
    place(domain)?;
    Ok(text.to_ascii_lowercase())
}

/// A domain of two names or more, the last of letters.
fn place(domain: &str) -> Result<(), String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let fine = |label: &&str| {
        (1..=LABEL_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if domain.contains(',') {
        return Err("a comma in the domain: expected a dot, as ana@example.com".into());
    }
    let last = labels.last().copied().unwrap_or_default();
    // An international domain is written in its ASCII form.
    let top = last.starts_with("xn--")
        || last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic());
    if labels.len() < 2 || !labels.iter().all(fine) || !top {
        return Err("its domain is none: expected names with dots between, as example.com".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_one_form() {
        for (text, want) in [
            ("Ana.Ruiz@Example.COM", "ana.ruiz@example.com"),
            (" mailto:ana@example.com ", "ana@example.com"),
            ("<ana@example.com>", "ana@example.com"),
            (
                "ana+cobros@correo.empresa.com.mx",
                "ana+cobros@correo.empresa.com.mx",
            ),
            ("o'higgins_1@a-b.cl", "o'higgins_1@a-b.cl"),
            ("x@xn--maana-pta.com", "x@xn--maana-pta.com"),
        ] {
            assert_eq!(email(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_no_server_takes_is_refused_with_a_reason() {
        let long = format!("{}@example.com", "a".repeat(65));
        for (text, part) in [
            ("", "expected an e-mail address"),
            ("no tiene", "expected an e-mail address"),
            ("N/A", "expected an e-mail address"),
            ("ana@", "domain"),
            ("@example.com", "before the @"),
            ("ana@localhost", "domain"),
            ("ana@example,com", "comma"),
            ("ana@example..com", "domain"),
            ("ana@-example.com", "domain"),
            ("ana@example.c0m", "domain"),
            ("ana@10.0.0.1", "domain"),
            ("ana..ruiz@example.com", "dot"),
            (".ana@example.com", "dot"),
            ("año@example.com", "before the @"),
            ("ana@example.com;luis@example.com", "more than one"),
            ("ana@example.com luis@example.com", "more than one"),
            ("ana ruiz@example.com", "more than one"),
            (long.as_str(), "longer"),
        ] {
            let reason = email(text).expect_err(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
