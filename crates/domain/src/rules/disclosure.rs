//! What a message shows to whoever looks at the phone or the mailbox: the part that is seen without being
//! opened holds no amount, no creditor and no word of debt (law.md §5). A pack may let a channel show it.

use crate::entity::{Channel, Verdict};
use crate::rules::template::{NOT_IN_PREVIEW, OPT_OUT, TemplateFault, variables};

/// Characters of an e-mail's text that mailboxes show beside its subject.
pub const EMAIL_PREVIEW: usize = 140;
/// End of the name of the rule that hides the debt in a verdict.
pub const HIDES: &str = "/messages/preview";
/// End of the name of the rule that wants a way to opt out in a verdict.
pub const ASKS_OPT_OUT: &str = "/messages/optout";

/// Words of debt in the languages of the house, folded: capitals without accents. A phone is read by whoever
/// holds it, whatever the text's own language is.
const WORDS: &[&str] = &[
    "DEUDA",
    "DEUDAS",
    "DEUDOR",
    "DEUDORA",
    "ADEUDO",
    "ADEUDOS",
    "ADEUDA",
    "MOROSO",
    "MOROSA",
    "MOROSIDAD",
    "EN MORA",
    "COBRANZA",
    "COBRO",
    "IMPAGO",
    "IMPAGOS",
    "SALDO VENCIDO",
    "PAGO VENCIDO",
    "CUOTA VENCIDA",
    "DEBT",
    "DEBTS",
    "DEBTOR",
    "OVERDUE",
    "PAST DUE",
    "ARREARS",
    "DELINQUENT",
    "YOU OWE",
    "DIVIDA",
    "DIVIDAS",
    "DEVEDOR",
    "DEVEDORA",
    "INADIMPLENTE",
    "INADIMPLENCIA",
    "COBRANCA",
    "EM ATRASO",
];
/// Signs of money that stand before an amount.
const SIGNS: &[&str] = &["$", "€", "£", "S/", "R$"];
/// Words of money that stand behind one, folded.
const MONEY: &[&str] = &[
    "MXN", "USD", "EUR", "GBP", "COP", "CLP", "PEN", "ARS", "BRL", "PESO", "PESOS", "DOLAR",
    "DOLARES", "DOLLAR", "DOLLARS", "EURO", "EUROS", "SOL", "SOLES", "REAL", "REAIS", "POUNDS",
];

/// What a preview would show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `subject` or `body`.
    pub place: &'static str,
    /// The variable, word or kind of value.
    pub what: String,
}

/// The start of a text that is seen before it is opened: a mailbox shows a line or two, a phone the whole of
/// a short message.
fn preview(channel: Channel, body: &str) -> &str {
    match channel {
        Channel::Email => &body[..end_of_preview(body)],
        _ => body,
    }
}

/// Byte behind the preview of a text. What a variable comes to may be short: it counts as one character.
fn end_of_preview(body: &str) -> usize {
    let (mut seen, mut named) = (0, false);
    for (at, c) in body.char_indices() {
        if seen == EMAIL_PREVIEW && !named {
            return at;
        }
        seen += usize::from(!named);
        named = c == '{' || (named && c != '}');
    }
    body.len()
}

fn folded(text: &str) -> String {
    let fold = |c: char| match c {
        'á' | 'à' | 'â' | 'ã' | 'Á' | 'À' | 'Â' | 'Ã' => 'A',
        'é' | 'ê' | 'É' | 'Ê' => 'E',
        'í' | 'Í' => 'I',
        'ó' | 'ô' | 'õ' | 'Ó' | 'Ô' | 'Õ' => 'O',
        'ú' | 'ü' | 'Ú' | 'Ü' => 'U',
        'ç' | 'Ç' => 'C',
        'ñ' | 'Ñ' => 'N',
        other => other.to_ascii_uppercase(),
    };
    let words: String = text
        .chars()
        .map(fold)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    format!(" {} ", words.join(" "))
}

fn has_amount(text: &str) -> bool {
    let number = |t: &str| t.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let signed = SIGNS.iter().any(|sign| {
        text.match_indices(sign)
            .any(|(at, s)| number(&text[at + s.len()..]))
    });
    let folded = folded(text);
    let words: Vec<&str> = folded.split_whitespace().collect();
    let behind = words
        .windows(2)
        .any(|w| w[0].ends_with(|c: char| c.is_ascii_digit()) && MONEY.contains(&w[1]));
    let before = words
        .windows(2)
        .any(|w| number(w[1]) && MONEY.contains(&w[0]) && w[0].len() == 3);
    signed || behind || before
}

/// A text with a blank where each variable stands.
fn without_variables(text: &str) -> String {
    let mut named = false;
    text.chars()
        .filter_map(|c| {
            let inside = named;
            named = c == '{' || (inside && c != '}');
            match c {
                '{' => Some(' '),
                _ if inside => None,
                other => Some(other),
            }
        })
        .collect()
}

fn of_text(place: &'static str, text: &str) -> Option<Shown> {
    let folded = folded(text);
    let word = WORDS.iter().find(|w| folded.contains(&format!(" {w} ")));
    let what = match word {
        Some(word) => word.to_lowercase(),
        None if has_amount(text) => "an amount".to_owned(),
        None => return None,
    };
    Some(Shown { place, what })
}

/// What a text, with its variables not yet filled in, would show before it is opened; what it shows is told
/// by its variable or its word.
///
/// # Errors
/// The text cannot be read as a template.
pub fn shown(channel: Channel, subject: &str, body: &str) -> Result<Option<Shown>, TemplateFault> {
    for (place, text) in [("subject", subject), ("body", body)] {
        let seen = match place {
            "body" => preview(channel, text),
            _ => text,
        };
        // A variable that begins within the preview shows there.
        let begun = seen.matches('{').count();
        let named = variables(text)?;
        let hidden = named
            .iter()
            .take(begun)
            .find(|n| NOT_IN_PREVIEW.contains(n));
        if let Some(name) = hidden {
            let what = format!("{{{name}}}");
            return Ok(Some(Shown { place, what }));
        }
        if let Some(found) = of_text(place, &without_variables(seen)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What a text that somebody wrote would show before it is opened.
#[must_use]
pub fn shown_by_hand(channel: Channel, subject: &str, body: &str) -> Option<Shown> {
    of_text("subject", subject).or_else(|| of_text("body", preview(channel, body)))
}

/// The word of debt or the amount in a text that is spoken to whoever answers; what stands in braces is left out.
#[must_use]
pub fn spoken(text: &str) -> Option<String> {
    of_text("body", &without_variables(text)).map(|found| found.what)
}

/// Whether a template tells how to opt out: by the variable, or by the words that debtors answer with.
#[must_use]
pub fn tells_opt_out(body: &str) -> bool {
    let named = variables(body).is_ok_and(|names| names.contains(&OPT_OUT));
    let folded = folded(body);
    named
        || [" BAJA ", " STOP ", " SAIR ", " UNSUBSCRIBE "]
            .iter()
            .any(|w| folded.contains(w))
}

/// The condition of a verdict whose name ends so.
#[must_use]
pub fn asked<'a>(verdict: &'a Verdict, end: &str) -> Option<&'a str> {
    let found = verdict.rules.iter().find(|r| r.rule.ends_with(end));
    found.map(|r| r.rule.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(channel: Channel, subject: &str, body: &str) -> Option<(&'static str, String)> {
        let found = shown(channel, subject, body).unwrap();
        found.map(|s| (s.place, s.what))
    }

    #[test]
    fn a_phone_shows_no_amount_no_creditor_and_no_word_of_debt_row_05() {
        for (body, what) in [
            ("Hola {debtor.name}: {debt.balance}", "{debt.balance}"),
            ("De parte de {client.name}", "{client.name}"),
            ("Su compromiso de {promise.amount}", "{promise.amount}"),
            ("Tiene una DEUDA con nosotros", "deuda"),
            ("Gestión de cobranza", "cobranza"),
            ("Your account is past due", "past due"),
            ("Sua dívida", "divida"),
            ("Pague $ 1,200 hoy", "an amount"),
            ("Son 1,200.00 MXN", "an amount"),
        ] {
            for channel in [Channel::Sms, Channel::Whatsapp] {
                assert_eq!(
                    told(channel, "", body),
                    Some(("body", what.to_owned())),
                    "{body}"
                );
            }
        }
        for body in [
            "Hola {debtor.first_name}: llámenos al {client.phone} por su asunto {debt.reference}.",
            "Le recordamos su compromiso del {promise.due_date}. {optout}",
            "Su página segura: {payment.link}",
            "Su número 1234 está listo, llame al 55 1234 5678",
        ] {
            assert_eq!(told(Channel::Sms, "", body), None, "{body}");
        }
    }

    #[test]
    fn a_mailbox_shows_the_subject_and_the_first_lines() {
        let hello = "Hola {debtor.first_name}. ".to_owned();
        let far = hello.clone() + &"Este mensaje es personal. ".repeat(6) + "Debe {debt.balance}";
        assert_eq!(told(Channel::Email, "Su cuenta", &far), None);
        let near = hello + "Debe {debt.balance}" + &" y nada más".repeat(20);
        let what = "{debt.balance}".to_owned();
        assert_eq!(
            told(Channel::Email, "Su cuenta", &near),
            Some(("body", what))
        );
        let subject = told(Channel::Email, "Su deuda", &far);
        assert_eq!(subject, Some(("subject", "deuda".to_owned())));
    }

    #[test]
    fn what_somebody_writes_is_read_the_same_way() {
        let found = shown_by_hand(Channel::Sms, "", "Debe 500 pesos {no es plantilla}");
        assert_eq!(found.map(|s| s.what).as_deref(), Some("an amount"));
        assert_eq!(
            shown_by_hand(Channel::Sms, "", "Buen día, ¿me puede llamar?"),
            None
        );
    }

    #[test]
    fn opting_out_is_told_by_variable_or_word() {
        assert!(tells_opt_out("Hola. {optout}"));
        assert!(tells_opt_out("Responda BAJA para no recibir más"));
        assert!(!tells_opt_out("Hola {debtor.name}"));
        assert!(!tells_opt_out("Trabajamos"));
    }
}
