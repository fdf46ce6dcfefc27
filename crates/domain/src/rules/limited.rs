//! What a message on a mailbox tells, held against what the debtor's packs want told there (law.md §5).

use super::voicemail::{plain, telling_word};
use crate::entity::{VoicemailPart, VoicemailTemplate};
use crate::law::Duties;
use crate::law::pack::VoicemailFact;

/// Words that ask for a call back wherever they stand, without accents.
const ASKS: [&str; 16] = [
    "llame",
    "llamenos",
    "llameme",
    "comuniquese",
    "comunique",
    "contacte",
    "contactenos",
    "contacteme",
    "responda",
    "devuelva",
    "devuelvanos",
    "marque",
    "marquenos",
    "ligue",
    "retorne",
    "regrese",
];
/// Infinitives that ask for it after `favor` or `favor de`: «favor de llamar al …».
const ASKS_AFTER_FAVOR: [&str; 6] = [
    "llamar",
    "comunicarse",
    "contactar",
    "devolver",
    "marcar",
    "ligar",
];
/// English words that ask for it where they begin a sentence or follow one of [`POLITE`]: "we will call"
/// asks for nothing.
const ASKS_FIRST: [&str; 5] = ["call", "return", "reply", "contact", "phone"];
const POLITE: [&str; 4] = ["please", "kindly", "and", "or"];

/// Whether the word at `n` asks for a call back.
fn asks_at(words: &[&str], n: usize) -> bool {
    let before = |back: usize| n.checked_sub(back).and_then(|at| words.get(at)).copied();
    let Some(word) = words.get(n) else {
        return false;
    };
    let favor =
        before(1) == Some("favor") || (before(1) == Some("de") && before(2) == Some("favor"));
    ASKS.contains(word)
        || (favor && ASKS_AFTER_FAVOR.contains(word))
        || (ASKS_FIRST.contains(word) && before(1).is_none_or(|w| POLITE.contains(&w)))
}

fn asks_reply(text: &str) -> bool {
    plain(text)
        .split(['.', ',', ';', ':', '!', '?', '¡', '¿'])
        .any(|sentence| {
            let apart = |c: char| !c.is_alphanumeric() && c != '{' && c != '}';
            let words: Vec<&str> = sentence.split(apart).filter(|w| !w.is_empty()).collect();
            (0..words.len()).any(|n| asks_at(&words, n))
        })
}

/// Whether a message of a company tells a fact, as far as its words say: a recording tells nothing that could
/// be read.
fn tells(template: &VoicemailTemplate, company: &str, fact: VoicemailFact) -> bool {
    let in_text = |fits: &dyn Fn(&str) -> bool| {
        let mut texts = template.parts.iter().filter_map(|part| match part {
            VoicemailPart::Text { text } => Some(text.as_str()),
            VoicemailPart::Recorded { .. } | VoicemailPart::Number => None,
        });
        texts.any(fits)
    };
    match fact {
        VoicemailFact::BusinessName => {
            let shows_none = !company.trim().is_empty() && telling_word(company).is_none();
            shows_none && in_text(&|text| text.contains("{company}"))
        }
        VoicemailFact::RequestReply => in_text(&asks_reply),
        VoicemailFact::PersonName => {
            !template.person.trim().is_empty() && in_text(&|text| text.contains("{person}"))
        }
        VoicemailFact::CallbackNumber => {
            template.parts.contains(&VoicemailPart::Number)
                || in_text(&|text| text.contains("{number}"))
        }
    }
}

/// What of the facts that some pack may want told a message does not tell, whoever's name it gives.
#[must_use]
pub fn untold(template: &VoicemailTemplate, company: &str) -> Vec<VoicemailFact> {
    let all = VoicemailFact::ALL.iter().copied();
    all.filter(|fact| !tells(template, company, *fact))
        .collect()
}

/// Whether a message of a company may be left on the mailbox of a debtor with such duties.
///
/// # Errors
/// Why not, in English.
pub fn may_be_left(
    template: &VoicemailTemplate,
    company: &str,
    duties: &Duties,
) -> Result<(), &'static str> {
    if duties.no_voicemail {
        return Err("the debtor's packs forbid it");
    }
    let recorded = |part: &VoicemailPart| matches!(part, VoicemailPart::Recorded { .. });
    if duties.voicemail_limited && template.parts.iter().any(recorded) {
        return Err("the debtor's packs limit its words, and a recording's cannot be read");
    }
    let lacks = |fact: &&VoicemailFact| !tells(template, company, **fact);
    match duties.voicemail_must.iter().find(lacks) {
        None => Ok(()),
        Some(VoicemailFact::BusinessName) => {
            Err("the debtor's packs want the company's name, one that does not tell of collection")
        }
        Some(VoicemailFact::RequestReply) => Err("the debtor's packs want a request to call back"),
        Some(VoicemailFact::PersonName) => Err("the debtor's packs want a person's name"),
        Some(VoicemailFact::CallbackNumber) => Err("the debtor's packs want a number to call"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::voicemail::tests::template as of;

    const COMPANY: &str = "Servicios Norte";

    fn text(text: &str) -> VoicemailTemplate {
        of(vec![VoicemailPart::Text { text: text.into() }])
    }

    fn limited() -> Duties {
        Duties {
            voicemail_limited: true,
            voicemail_must: VoicemailFact::ALL.to_vec(),
            ..Duties::default()
        }
    }

    #[test]
    fn a_limited_message_tells_all_four_and_holds_no_recording() {
        let whole = "Habla {person} de {company}. Por favor llame al {number}.";
        assert_eq!(may_be_left(&text(whole), COMPANY, &limited()), Ok(()));
        assert!(may_be_left(&text(whole), "Cobranza Total", &limited()).is_err());
        assert!(may_be_left(&text(whole), " ", &limited()).is_err());
        for (said, lacks) in [
            (
                "Habla {person}. Llame al {number}",
                VoicemailFact::BusinessName,
            ),
            (
                "{person} de {company}, {number}",
                VoicemailFact::RequestReply,
            ),
            ("{company}: llame al {number}", VoicemailFact::PersonName),
            (
                "{person} de {company}. Llámenos",
                VoicemailFact::CallbackNumber,
            ),
        ] {
            assert!(
                may_be_left(&text(said), COMPANY, &limited()).is_err(),
                "{said}"
            );
            assert_eq!(untold(&text(said), COMPANY), [lacks], "{said}");
        }
        let nobody = VoicemailTemplate {
            person: " ".into(),
            ..text(whole)
        };
        assert!(may_be_left(&nobody, COMPANY, &limited()).is_err());
        let mut with_sound = text(whole);
        with_sound.parts.push(VoicemailPart::Recorded {
            name: "hola".into(),
        });
        assert!(may_be_left(&with_sound, COMPANY, &limited()).is_err());
        let free = Duties::default();
        assert_eq!(may_be_left(&with_sound, COMPANY, &free), Ok(()));
        let none = Duties {
            no_voicemail: true,
            ..limited()
        };
        assert!(may_be_left(&text(whole), COMPANY, &none).is_err());
    }

    #[test]
    fn who_is_asked_to_call_is_asked_in_each_tongue() {
        for said in [
            "Por favor, LLÁMENOS al 1",
            "favor de llamar al {number}",
            "Comuníquese con {person}",
            "Please call {number}",
            "This is Ann. Call us back",
            "ask for me and return our call",
            "Por favor ligue para {number}",
        ] {
            assert!(asks_reply(said), "{said}");
        }
        for said in [
            "We will call again",
            "This is a courtesy call from {company}",
            "Volveremos a llamar",
            "llamado {number}",
            "",
        ] {
            assert!(!asks_reply(said), "{said}");
        }
    }
}
