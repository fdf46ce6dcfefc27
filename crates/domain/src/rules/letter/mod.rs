//! Letters: their variables, and the words that none may hold.

mod house;

pub use house::{HouseText, house_text};

use crate::entity::{Decision, Language, PlannedState, PlannedStep, Verdict};
use crate::ports::store::LetterOpened;
use crate::time::{DAY_MS, UtcMs};

/// How long after it was planned a letter of a strategy is still worth printing, ms.
pub const WORTH_MS: i64 = 8 * DAY_MS;

/// Variables a letter may use.
pub const VARIABLES: &[&str] = &[
    "debtor.name",
    "client.name",
    "company.name",
    "debt.ref",
    "debt.product",
    "debt.balance",
    "debt.overdue",
    "debt.due_date",
    "debt.days",
    "date",
];

/// Words of threat, shame or false authority, folded to plain lower case: packs forbid them
/// (look-alike court papers, threats, public lists), and the house adds what only hurts.
const RUDE_ES: &[&str] = &[
    "amenaza",
    "moroso",
    "morosa",
    "tramposo",
    "tramposa",
    "ladron",
    "ladrona",
    "estafador",
    "estafadora",
    "sinverguenza",
    "deshonesto",
    "deshonesta",
    "carcel",
    "prision",
    "arresto",
    "detencion",
    "policia",
    "embargaremos",
    "embargo inmediato",
    "orden judicial",
    "citatorio judicial",
    "lista negra",
    "exhibir",
    "avergonzar",
    "verguenza",
    "ultima oportunidad",
    "consecuencias graves",
    "sus familiares",
    "su patron",
    "su jefe",
    "idiota",
    "irresponsable",
];
const RUDE_EN: &[&str] = &[
    "threat",
    "deadbeat",
    "crook",
    "thief",
    "fraudster",
    "liar",
    "dishonest",
    "shame",
    "ashamed",
    "jail",
    "prison",
    "arrest",
    "police",
    "seize immediately",
    "court order",
    "summons",
    "blacklist",
    "expose you",
    "last chance",
    "grave consequences",
    "your relatives",
    "your boss",
    "your employer",
    "idiot",
    "irresponsible",
];

/// A word that may not stand in a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RudeWord {
    /// As in the list.
    pub word: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
}

fn plain(c: char) -> char {
    match c.to_lowercase().next().unwrap_or(c) {
        'á' | 'à' | 'ä' => 'a',
        'é' | 'è' | 'ë' => 'e',
        'í' | 'ì' | 'ï' => 'i',
        'ó' | 'ò' | 'ö' => 'o',
        'ú' | 'ù' | 'ü' => 'u',
        'ñ' => 'n',
        other if other.is_whitespace() => ' ',
        other => other,
    }
}

/// Words of the list in a text, in order of their place. Capitals and accents do not hide them.
#[must_use]
pub fn rude(text: &str, language: Language) -> Vec<RudeWord> {
    let words = match language {
        Language::En => RUDE_EN,
        _ => RUDE_ES,
    };
    let mut found = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let chars: Vec<char> = content.chars().map(plain).collect();
        for word in words {
            let wanted: Vec<char> = word.chars().collect();
            for at in 0..chars.len().saturating_sub(wanted.len() - 1) {
                let whole = chars[at..].starts_with(&wanted)
                    && (at == 0 || !chars[at - 1].is_alphanumeric())
                    && ends(&chars[at + wanted.len()..]);
                if whole {
                    found.push(RudeWord {
                        word,
                        line: line + 1,
                        column: at + 1,
                    });
                }
            }
        }
    }
    found.sort_by_key(|f| (f.line, f.column));
    found
}

/// Whether a word ends here; a plural is the same word.
fn ends(rest: &[char]) -> bool {
    match rest {
        [] => true,
        ['s', next, ..] => !next.is_alphanumeric(),
        ['s'] => true,
        ['e', 's', next, ..] => !next.is_alphanumeric(),
        [next, ..] => !next.is_alphanumeric(),
    }
}

/// Fills `{…}` by `value`.
///
/// # Errors
/// Names the first variable that there is none of, or a brace that is not closed.
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let tail = &rest[open + 1..];
        let Some(close) = tail.find('}') else {
            return Err("a variable without its closing brace".to_owned());
        };
        let name = &tail[..close];
        match value(name) {
            Some(found) => out.push_str(&found),
            None => {
                let known = VARIABLES.join(", ");
                return Err(format!("no variable {{{name}}}: expected one of {known}"));
            }
        }
        rest = &tail[close + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn rule_of(verdict: &Verdict) -> String {
    let refused = verdict.rules.iter().find(|r| r.refused);
    refused.map_or_else(|| "refused".to_owned(), |r| r.rule.clone())
}

/// The step behind a letter once the letter is decided: done, put off to where the law names a time at which
/// it is still worth something, or ended with the reason.
#[must_use]
pub fn step_after(step: &PlannedStep, opened: &LetterOpened, now: UtcMs) -> PlannedStep {
    let last = step.created_at.plus_ms(WORTH_MS);
    let (state, reason) = match opened {
        LetterOpened::Made | LetterOpened::Had => (PlannedState::Done, String::new()),
        LetterOpened::Stopped(why) => (PlannedState::Cancelled, (*why).to_owned()),
        LetterOpened::Refused(verdict) => match verdict.decision {
            Decision::Defer { until } if until > now && until < last => {
                return PlannedStep {
                    due_at: until,
                    reason: rule_of(verdict),
                    ..step.clone()
                };
            }
            _ => (PlannedState::Refused, rule_of(verdict)),
        },
    };
    PlannedStep {
        state,
        reason,
        ended_at: Some(now),
        ended_by: "system".to_owned(),
        ..step.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rude_words_are_found_with_their_place_row_07() {
        let text = "Estimado cliente:\nUsted es un MOROSO y lo llevaremos a prisión.";
        let found = rude(text, Language::Es);
        let told: Vec<(&str, usize, usize)> =
            found.iter().map(|f| (f.word, f.line, f.column)).collect();
        assert_eq!(told, [("moroso", 2, 13), ("prision", 2, 38)]);
        assert!(
            rude("Los morosos", Language::Es).len() == 1,
            "a plural is the same word"
        );
        assert!(
            rude("La morosidad de su cuenta", Language::Es).is_empty(),
            "another word"
        );
        assert!(rude("Le invitamos a ponerse al corriente.", Language::Es).is_empty());
        assert_eq!(
            rude("We will call the police", Language::En)[0].word,
            "police"
        );
    }

    #[test]
    fn variables_are_strict() {
        let value = |name: &str| (name == "debtor.name").then(|| "Ana".to_owned());
        assert_eq!(
            fill("Hola {debtor.name}:", &value).as_deref(),
            Ok("Hola Ana:")
        );
        assert!(
            fill("{debt.secret}", &value)
                .unwrap_err()
                .contains("{debt.secret}")
        );
        assert!(fill("{debtor.name", &value).is_err());
    }
}
