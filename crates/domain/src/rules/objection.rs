//! Objections of a script: what may be written in them, and which of them fit a call.

use super::disclosure::spoken;
use super::letter::rude;
use crate::entity::{Bucket, Language, Objection, Stage};
use crate::segment::BUCKETS;

/// Variables that an answer may hold.
pub const VARIABLES: &[&str] = &[
    "debtor.name",
    "agent.name",
    "client.name",
    "company.name",
    "debt.balance",
    "debt.overdue",
    "debt.minimum",
    "debt.due_date",
    "debt.product",
];
/// Variables that may be spoken before identity is ticked.
const OPEN_VARIABLES: &[&str] = &["debtor.name", "agent.name", "company.name"];
/// Most objections of a script.
pub const OBJECTIONS_MAX: usize = 40;
/// Longest key, characters.
pub const KEY_MAX: usize = 60;
/// Longest objection, characters: one line of the card.
pub const TITLE_MAX: usize = 80;
/// Longest answer, characters: half a minute of talk.
pub const ANSWER_MAX: usize = 1_000;

/// What is wrong with a list of objections, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {wanted}")]
pub struct ObjectionWrong {
    /// Place, as `objections[2].answer_es`.
    pub path: String,
    /// What would be right.
    pub wanted: String,
}

fn wrong(path: &str, wanted: impl Into<String>) -> ObjectionWrong {
    ObjectionWrong {
        path: path.to_owned(),
        wanted: wanted.into(),
    }
}

/// Checks a list that is to be kept.
///
/// # Errors
/// The first place that is wrong.
pub fn check(all: &[Objection]) -> Result<(), ObjectionWrong> {
    if all.len() > OBJECTIONS_MAX {
        let wanted = format!("expected at most {OBJECTIONS_MAX} objections");
        return Err(wrong("objections", wanted));
    }
    for (n, one) in all.iter().enumerate() {
        let path = |field: &str| format!("objections[{n}].{field}");
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if one.key.is_empty() || one.key.len() > KEY_MAX || !one.key.chars().all(good) {
            let wanted = format!("expected 1 to {KEY_MAX} of a-z, 0-9, dot, dash, underscore");
            return Err(wrong(&path("key"), wanted));
        }
        if all[..n].iter().any(|o| o.key == one.key) {
            return Err(wrong(&path("key"), "expected a key of its own"));
        }
        for (field, said, language, most) in [
            ("title_es", &one.title_es, Language::Es, TITLE_MAX),
            ("title_en", &one.title_en, Language::En, TITLE_MAX),
            ("answer_es", &one.answer_es, Language::Es, ANSWER_MAX),
            ("answer_en", &one.answer_en, Language::En, ANSWER_MAX),
        ] {
            text(&path(field), said, most)?;
            // What he says is his own; only what is said to him stays polite.
            if field.starts_with("answer") {
                answer(&path(field), said, language)?;
            }
            if one.before_identity {
                closed(&path(field), said)?;
            }
        }
        if one.buckets.iter().any(|b| Bucket::of_open(b).is_none()) {
            let wanted = format!(
                "expected some of {}, or other days as b8_30 or b91_plus",
                BUCKETS.join(", ")
            );
            return Err(wrong(&path("buckets"), wanted));
        }
        // Both say where the debt stands, which is nothing to choose by before identity.
        if one.before_identity && !(one.stages.is_empty() && one.buckets.is_empty()) {
            let wanted = "expected no stage or bucket for what is shown before identity";
            return Err(wrong(&path("before_identity"), wanted));
        }
    }
    Ok(())
}

fn text(path: &str, said: &str, most: usize) -> Result<(), ObjectionWrong> {
    let long = said.chars().count() > most;
    if said.trim().is_empty() || long {
        return Err(wrong(path, format!("expected 1 to {most} characters")));
    }
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if said.chars().any(odd) {
        return Err(wrong(path, "expected no control characters"));
    }
    Ok(())
}

/// Names in braces, and the text behind the last one that is closed.
fn names(said: &str) -> (Vec<&str>, &str) {
    let (mut found, mut rest) = (Vec::new(), said);
    while let Some((_, tail)) = rest.split_once('{') {
        let Some((name, behind)) = tail.split_once('}') else {
            break;
        };
        found.push(name);
        rest = behind;
    }
    (found, rest)
}

fn answer(path: &str, said: &str, language: Language) -> Result<(), ObjectionWrong> {
    if let Some(w) = rude(said, language).first() {
        let place = format!("line {}, column {}", w.line, w.column);
        let wanted = format!(
            "an answer stays polite: {place}: \u{201c}{}\u{201d}",
            w.word
        );
        return Err(wrong(path, wanted));
    }
    let (named, rest) = names(said);
    if rest.contains('{') {
        return Err(wrong(path, "expected a closing brace"));
    }
    match named.iter().find(|name| !VARIABLES.contains(name)) {
        Some(name) => {
            let known = VARIABLES.join(", ");
            Err(wrong(
                path,
                format!("no variable {{{name}}}: expected one of {known}"),
            ))
        }
        None => Ok(()),
    }
}

/// Refuses what would tell of the debt to somebody who is not identified.
fn closed(path: &str, said: &str) -> Result<(), ObjectionWrong> {
    let (named, _) = names(said);
    let told = named
        .iter()
        .find(|name| !OPEN_VARIABLES.contains(name))
        .map(|name| format!("{{{name}}}"));
    match told.or_else(|| spoken(said)) {
        Some(what) => {
            let wanted = format!("before identity nothing tells of the debt; found {what}");
            Err(wrong(path, wanted))
        }
        None => Ok(()),
    }
}

/// Whether an objection is shown: before identity only what is meant for it, afterwards what fits the debt. Of a
/// debt whose stage nobody knows only what is for all stages fits. A bucket means its days, whatever the client's set.
#[must_use]
pub fn fits(one: &Objection, gate: bool, stage: Option<Stage>, days_past_due: i64) -> bool {
    if gate {
        return one.before_identity;
    }
    let staged = one.stages.is_empty() || stage.is_some_and(|s| one.stages.contains(&s));
    let holds = |name: &String| Bucket::of_open(name).is_some_and(|b| b.holds(days_past_due));
    staged && (one.buckets.is_empty() || one.buckets.iter().any(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid() -> Objection {
        Objection {
            key: "ya-pague".into(),
            title_es: "Ya pagué".into(),
            title_en: "I have paid".into(),
            answer_es: "Gracias. ¿Me dice la fecha? Lo reviso con {client.name}.".into(),
            answer_en: "Thank you. What was the date? I will check it with {client.name}.".into(),
            before_identity: false,
            stages: vec![],
            buckets: vec![],
            excuse: None,
        }
    }

    fn fault(change: impl FnOnce(&mut Objection)) -> ObjectionWrong {
        let mut second = paid();
        second.key = "otra".into();
        change(&mut second);
        check(&[paid(), second]).unwrap_err()
    }

    #[test]
    fn each_fault_names_its_place_row_22() {
        assert_eq!(check(&[paid()]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
        let path = |change: fn(&mut Objection)| fault(change).path;
        assert_eq!(path(|o| o.key = "ya-pague".into()), "objections[1].key");
        assert_eq!(path(|o| o.key = "Ya pagué".into()), "objections[1].key");
        assert_eq!(path(|o| o.title_en = " ".into()), "objections[1].title_en");
        let long = fault(|o| o.answer_es = "a".repeat(ANSWER_MAX + 1));
        assert_eq!(long.path, "objections[1].answer_es");
        assert_eq!(
            path(|o| o.buckets = vec!["b9".into()]),
            "objections[1].buckets"
        );
        assert_eq!(
            path(|o| o.answer_en = "{debt.secret}".into()),
            "objections[1].answer_en"
        );
        assert_eq!(
            path(|o| o.answer_es = "Hola {debtor.name".into()),
            "objections[1].answer_es"
        );
        let many = vec![paid(); OBJECTIONS_MAX + 1];
        assert_eq!(check(&many).unwrap_err().path, "objections");
    }

    #[test]
    fn an_answer_stays_polite_whatever_he_says_row_22() {
        let rude = fault(|o| o.answer_es = "No sea irresponsable: lo verá la policía.".into());
        assert_eq!(rude.path, "objections[1].answer_es");
        assert!(rude.wanted.contains("irresponsable"), "{rude}");
        let mut his = paid();
        his.title_es = "Ustedes son unos ladrones".into();
        assert_eq!(check(&[his]), Ok(()));
    }

    #[test]
    fn before_identity_nothing_tells_of_the_debt_row_22() {
        let open = |title: &str, answer: &str| {
            let mut one = paid();
            one.before_identity = true;
            one.title_es = title.into();
            one.answer_es = answer.into();
            one.answer_en = "I can only say it to the person I am calling.".into();
            one.title_en = "What is it about?".into();
            check(&[one]).err().map(|w| w.path)
        };
        let plain = "Es un asunto personal de {debtor.name}; llamo de {company.name}.";
        assert_eq!(open("¿De qué se trata?", plain), None);
        let at = |field: &str| Some(format!("objections[0].{field}"));
        assert_eq!(open("¿Es por mi deuda?", plain), at("title_es"));
        assert_eq!(
            open("¿Qué quiere?", "Por su saldo vencido."),
            at("answer_es")
        );
        assert_eq!(open("¿Qué quiere?", "Son {debt.balance}."), at("answer_es"));
        assert_eq!(
            open("¿Qué quiere?", "Llamo por {client.name}."),
            at("answer_es")
        );
        assert!(!fits(&paid(), true, None, 20));
        let mut one = paid();
        one.before_identity = true;
        assert!(fits(&one, true, None, 20));
    }

    #[test]
    fn stage_and_bucket_choose_row_22() {
        let mut one = paid();
        assert!(fits(&one, false, None, 45));
        one.stages = vec![Stage::Prejudicial];
        assert!(!fits(&one, false, None, 45));
        assert!(!fits(&one, false, Some(Stage::Administrative), 45));
        assert!(fits(&one, false, Some(Stage::Prejudicial), 45));
        one.buckets = vec!["b91_120".into(), "b8_30".into()];
        assert!(fits(&one, false, Some(Stage::Prejudicial), 8));
        assert!(!fits(&one, false, Some(Stage::Prejudicial), 45));
        assert!(fits(&one, false, Some(Stage::Prejudicial), 91));
    }
}
