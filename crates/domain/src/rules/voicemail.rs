//! Messages for mailboxes: what a template may hold, and how it is rendered for one call.
//!
//! law.md §5: a limited message names the company, a number and a person to ask for, and asks for a call
//! back. That there is a debt is never said, nor whose.

use crate::ValueError;
use crate::entity::{VoicemailPart, VoicemailTemplate};
use crate::ports::Spoken;

/// Most parts of a message.
pub const PARTS_MAX: usize = 12;
/// Longest text of all parts together, characters: about half a minute.
pub const TEXT_MAX: usize = 400;
/// Longest name of a recording.
const NAME_MAX: usize = 40;

/// What a text may name.
const VARIABLES: [&str; 3] = ["company", "number", "person"];

/// Beginnings of words that tell of a debt, in both languages, without accents.
const FORBIDDEN: [&str; 34] = [
    "deud",
    "adeud",
    "debe",
    "pag",
    "cobr",
    "sald",
    "credit",
    "prestam",
    "moros",
    "atras",
    "vencid",
    "mora",
    "embarg",
    "demand",
    "juic",
    "abogad",
    "cuota",
    "factur",
    "cartera",
    "financ",
    "debt",
    "owe",
    "owing",
    "pay",
    "paid",
    "collect",
    "balance",
    "loan",
    "overdue",
    "past-due",
    "arrear",
    "delinquen",
    "invoice",
    "lawsuit",
];

/// What holds at one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The company's name.
    pub company: &'a str,
    /// The number shown, E.164 with `+`: it can be called back.
    pub number: &'a str,
}

fn wrong(reason: impl Into<String>) -> ValueError {
    ValueError::malformed("voicemail template", reason)
}

/// Letters without accents, in lower case.
pub(super) fn plain(text: &str) -> String {
    let fold = |c: char| match c {
        'á' | 'à' | 'ã' | 'â' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'õ' | 'ô' => 'o',
        'ú' | 'ü' => 'u',
        other => other,
    };
    text.to_lowercase().chars().map(fold).collect()
}

/// The first word that tells of a debt.
#[must_use]
pub fn telling_word(text: &str) -> Option<String> {
    plain(text)
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .find(|word| FORBIDDEN.iter().any(|f| word.starts_with(f)))
        .map(str::to_owned)
}

/// The names in braces of a text.
fn variables(text: &str) -> Result<Vec<&str>, ValueError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let after = &rest[open + 1..];
        let close = after
            .find('}')
            .ok_or_else(|| wrong("a brace is opened and not closed"))?;
        found.push(&after[..close]);
        rest = &after[close + 1..];
    }
    Ok(found)
}

/// Whether a template may be kept.
///
/// # Errors
/// Says which word, variable or limit is in the way.
pub fn check(template: &VoicemailTemplate) -> Result<(), ValueError> {
    if template.parts.is_empty() || template.parts.len() > PARTS_MAX {
        return Err(wrong(format!("expected 1 to {PARTS_MAX} parts")));
    }
    let mut letters = 0;
    let mut says_number = false;
    for part in &template.parts {
        match part {
            VoicemailPart::Recorded { name } => {
                let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(fits) {
                    return Err(wrong(
                        "a recording's name has lower case letters, digits and _, at most 40",
                    ));
                }
            }
            VoicemailPart::Text { text } => {
                letters += text.chars().count();
                if let Some(word) = telling_word(text) {
                    return Err(wrong(format!(
                        "'{word}' tells of a debt: a message on a mailbox never does"
                    )));
                }
                for name in variables(text)? {
                    if !VARIABLES.contains(&name) {
                        let shown: String = name.chars().take(40).collect();
                        return Err(ValueError::unknown_name("variable", &shown, &VARIABLES));
                    }
                    says_number |= name == "number";
                }
            }
            VoicemailPart::Number => says_number = true,
        }
    }
    if letters > TEXT_MAX {
        return Err(wrong(format!("expected at most {TEXT_MAX} characters")));
    }
    if let Some(word) = telling_word(&template.person) {
        return Err(wrong(format!(
            "'{word}' in the person's name tells of a debt"
        )));
    }
    if !says_number {
        return Err(wrong(
            "the number to call back has to be said: add {number}",
        ));
    }
    Ok(())
}

/// The digits of a number in the order they are spoken.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// The template's parts for one call; `None` where the company's own name would tell of a debt.
#[must_use]
pub fn render(template: &VoicemailTemplate, facts: &Facts<'_>) -> Option<Vec<Spoken>> {
    let names_company = |part: &VoicemailPart| matches!(part, VoicemailPart::Text { text } if text.contains("{company}"));
    if template.parts.iter().any(names_company) && telling_word(facts.company).is_some() {
        return None;
    }
    let mut out = Vec::new();
    for part in &template.parts {
        match part {
            VoicemailPart::Recorded { name } => out.push(Spoken::Recorded(name.clone())),
            VoicemailPart::Number => out.push(Spoken::Digits(digits(facts.number))),
            VoicemailPart::Text { text } => {
                let text = text
                    .replace("{company}", facts.company)
                    .replace("{person}", &template.person);
                let mut pieces = text.split("{number}").peekable();
                while let Some(piece) = pieces.next() {
                    let words = piece.trim();
                    if words.chars().any(char::is_alphanumeric) {
                        out.push(Spoken::Words(words.to_owned()));
                    }
                    if pieces.peek().is_some() {
                        out.push(Spoken::Digits(digits(facts.number)));
                    }
                }
            }
        }
    }
    Some(out)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::entity::Language;
    use crate::ids::{ClientId, VoicemailId};
    use crate::time::UtcMs;
    use uuid::Uuid;

    /// A message of these parts that nobody approved yet.
    pub(crate) fn template(parts: Vec<VoicemailPart>) -> VoicemailTemplate {
        VoicemailTemplate {
            id: VoicemailId(Uuid::nil()),
            client_id: ClientId(Uuid::nil()),
            name: "m".into(),
            language: Language::Es,
            parts,
            person: "Ana Ruiz".into(),
            approved_by: None,
            version: 1,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        }
    }

    fn text(text: &str) -> VoicemailPart {
        VoicemailPart::Text { text: text.into() }
    }

    const FACTS: Facts<'_> = Facts {
        company: "Servicios Norte",
        number: "+525511223344",
    };

    #[test]
    fn what_tells_of_a_debt_is_refused_by_the_word() {
        for (said, word) in [
            ("Llame por su adeudo al {number}", "adeudo"),
            ("Tiene un PAGO pendiente, {number}", "pago"),
            ("Su crédito, {number}", "credito"),
            ("about your past-due account {number}", "past-due"),
        ] {
            let refused = check(&template(vec![text(said)]))
                .expect_err("is refused")
                .to_string();
            assert!(refused.contains(word), "{refused}");
        }
        let good = text("Habla {person} de {company}. Por favor llame al {number}. Gracias.");
        assert_eq!(check(&template(vec![good])), Ok(()));
    }

    #[test]
    fn unknown_names_open_braces_and_missing_numbers_are_refused() {
        for said in ["Hola {debtor}, {number}", "Hola {number", "Hola"] {
            assert!(check(&template(vec![text(said)])).is_err(), "{said}");
        }
        assert!(check(&template(Vec::new())).is_err());
        let long = "a".repeat(TEXT_MAX + 1);
        let parts = vec![text(&long), VoicemailPart::Number];
        assert!(check(&template(parts)).is_err());
        let name = VoicemailPart::Recorded {
            name: "../x".into(),
        };
        assert!(check(&template(vec![name, VoicemailPart::Number])).is_err());
    }

    #[test]
    fn a_template_is_rendered_for_the_call() {
        let parts = vec![
            VoicemailPart::Recorded {
                name: "hola".into(),
            },
            text("Habla {person} de {company}, llame al {number}."),
        ];
        let said = render(&template(parts), &FACTS).expect("is rendered");
        assert_eq!(
            said,
            [
                Spoken::Recorded("hola".into()),
                Spoken::Words("Habla Ana Ruiz de Servicios Norte, llame al".into()),
                Spoken::Digits("525511223344".into()),
            ]
        );
        let teller = Facts {
            company: "Cobranza Total",
            ..FACTS
        };
        assert_eq!(
            render(&template(vec![text("{company} {number}")]), &teller),
            None
        );
    }
}
