//! Templates of messages: strict variables. A name outside the list is refused when the text is saved, a
//! value that the debtor does not have when it is rendered; each by its name.

/// Variables that a template may hold.
pub const VARIABLES: &[&str] = &[
    "debtor.name",
    "debtor.first_name",
    "client.name",
    "client.phone",
    "company.name",
    "debt.reference",
    "debt.product",
    "debt.balance",
    "debt.overdue",
    "debt.minimum",
    "debt.due_date",
    "promise.amount",
    "promise.due_date",
    "payment.link",
    "optout",
];
/// Variable that tells how to opt out.
pub const OPT_OUT: &str = "optout";
/// Variable of a signed address at which what is overdue is paid.
pub const PAYMENT_LINK: &str = "payment.link";
/// Variables that a mailbox must not show before the mail is opened: amounts, and who the creditor is and what
/// for.
pub const NOT_IN_PREVIEW: &[&str] = &[
    "client.name",
    "debt.product",
    "debt.balance",
    "debt.overdue",
    "debt.minimum",
    "promise.amount",
];
/// Longest text of an e-mail, characters.
pub const EMAIL_MAX: usize = 20_000;
/// Longest text of an SMS, characters: six parts of GSM 03.40.
pub const SMS_MAX: usize = 918;
/// Longest text of a WhatsApp template, characters (limit of the Cloud API).
pub const WHATSAPP_MAX: usize = 1_024;
/// Longest subject, characters.
pub const SUBJECT_MAX: usize = 200;

/// Why a template or its rendering is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// No such variable.
    #[error("column {column}: unknown variable '{name}', expected one of {}", VARIABLES.join(", "))]
    Unknown {
        /// What was written, cut to 40 characters.
        name: String,
        /// Characters from 1.
        column: usize,
    },
    /// A brace that is not closed.
    #[error("column {0}: a brace is not closed")]
    Open(usize),
    /// Nothing is written.
    #[error("the text is empty")]
    Empty,
    /// Too long.
    #[error("the text has more than {0} characters")]
    TooLong(usize),
    /// The debtor has no value for it.
    #[error("no value for the variable '{0}'")]
    Missing(String),
}

/// Variables of a text in the order in which they stand.
///
/// # Errors
/// `Unknown` or `Open`, with the column.
pub fn variables(text: &str) -> Result<Vec<&str>, TemplateFault> {
    let mut found = Vec::new();
    walk(text, &mut |part| {
        if let Part::Variable(name) = part {
            found.push(name);
        }
        Ok(())
    })?;
    Ok(found)
}

enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn walk<'a>(
    text: &'a str,
    each: &mut dyn FnMut(Part<'a>) -> Result<(), TemplateFault>,
) -> Result<(), TemplateFault> {
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|n| at + n) {
        let column = text[..open].chars().count() + 1;
        each(Part::Text(&text[at..open]))?;
        let close = text[open..].find('}').ok_or(TemplateFault::Open(column))?;
        let name = &text[open + 1..open + close];
        if !VARIABLES.contains(&name) {
            let name = name.chars().take(40).collect();
            return Err(TemplateFault::Unknown { name, column });
        }
        each(Part::Variable(name))?;
        at = open + close + 1;
    }
    each(Part::Text(&text[at..]))
}

/// Checks a text that is to be saved.
///
/// # Errors
/// What is wrong with it, and where.
pub fn check(text: &str, most: usize) -> Result<(), TemplateFault> {
    if text.trim().is_empty() {
        return Err(TemplateFault::Empty);
    }
    if text.chars().count() > most {
        return Err(TemplateFault::TooLong(most));
    }
    variables(text).map(drop)
}

/// Fills a text in.
///
/// # Errors
/// `Missing` by name where `value` has nothing (or nothing but blanks) to say.
pub fn render(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, TemplateFault> {
    let mut out = String::with_capacity(text.len() + 64);
    walk(text, &mut |part| {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable(name) => match value(name).filter(|v| !v.trim().is_empty()) {
                Some(value) => out.push_str(&value),
                None => return Err(TemplateFault::Missing(name.to_owned())),
            },
        }
        Ok(())
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "debtor.name" => Some("Ana Núñez".into()),
            "debt.balance" => Some("1,200.00 MXN".into()),
            "debt.product" => Some("  ".into()),
            _ => None,
        }
    }

    #[test]
    fn a_missing_variable_refuses_by_name_row_05() {
        let text = "Hola {debtor.name}: {debt.balance}.";
        assert_eq!(
            render(text, &value).unwrap(),
            "Hola Ana Núñez: 1,200.00 MXN."
        );
        assert_eq!(variables(text).unwrap(), ["debtor.name", "debt.balance"]);
        for name in ["debt.due_date", "debt.product"] {
            let text = format!("Vence {{{name}}}");
            assert_eq!(
                render(&text, &value),
                Err(TemplateFault::Missing(name.into()))
            );
        }
    }

    #[test]
    fn an_unknown_one_is_refused_when_it_is_saved() {
        let fault = check("¡Hola {deudor}!", SMS_MAX).unwrap_err();
        assert_eq!(
            fault,
            TemplateFault::Unknown {
                name: "deudor".into(),
                column: 7
            }
        );
        assert!(fault.to_string().contains("debtor.name"));
        assert_eq!(check("Hola {debtor.name", 50), Err(TemplateFault::Open(6)));
        assert_eq!(check(" \n", 50), Err(TemplateFault::Empty));
        assert_eq!(check("ñañaña", 5), Err(TemplateFault::TooLong(5)));
        assert!(check("ñañañ", 5).is_ok());
    }

    #[test]
    fn a_value_is_never_read_as_a_template() {
        let sly = |_: &str| Some("{optout}".to_owned());
        assert_eq!(render("{debtor.name}", &sly).unwrap(), "{optout}");
    }
}
