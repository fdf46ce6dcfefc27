//! What is said of a word that the language does not know: the nearest right ones. All of them are in the list of
//! fields, which the API serves and the documents name.

use super::names::keywords;
use super::words::Told;
use super::{Field, FieldKind};
use crate::near::{LISTED_MAX, listed, near, shown};

/// Where every field stands with its words.
const LIST: &str = "GET /segments/fields";

fn did_you_mean(words: &[&str]) -> Told {
    Told::of(
        format!("¿quiso decir {}?", listed(words, ("«", "»"), "o")),
        format!("did you mean {}?", listed(words, ("'", "'"), "or")),
    )
}

/// No field has this keyword. The nearest are in the language in which they are nearest, each field once.
pub(super) fn unknown_field(word: &str) -> Told {
    let all: Vec<(&str, Field)> = keywords().collect();
    let field = |text: &str| all.iter().find(|(key, _)| *key == text).map(|(_, f)| *f);
    let mut meant: Vec<&str> = Vec::new();
    for text in near(word, all.iter().map(|(key, _)| *key)) {
        if !meant.iter().any(|other| field(other) == field(text)) {
            meant.push(text);
        }
    }
    let word = shown(word);
    let rest = match meant.is_empty() {
        true => Told::of(
            format!("ninguno se le parece; la lista: {LIST}"),
            format!("none is like it; the list: {LIST}"),
        ),
        false => did_you_mean(&meant),
    };
    Told::of(
        format!("campo desconocido «{word}»: {}", rest.es),
        format!("unknown field '{word}': {}", rest.en),
    )
}

/// Behind a field stands no comparison, but `word` or nothing.
pub(super) fn no_comparison(field: Field, word: &str) -> Told {
    let (keys, es, en) = match field.kind() {
        FieldKind::Number => (
            &["between", "entre", "in", "en"][..],
            "= != < <= > >= «entre» o «en»",
            "= != < <= > >= 'between' or 'in'",
        ),
        FieldKind::Money => (
            &["between", "entre"][..],
            "= != < <= > >= o «entre»",
            "= != < <= > >= or 'between'",
        ),
        FieldKind::Text => (&["in", "en"][..], "= != o «en»", "= != or 'in'"),
        FieldKind::Bool => (&[][..], "= o !=", "= or !="),
    };
    let meant = near(word, keys.iter().copied());
    let rest = match meant.is_empty() {
        true => Told::of(es, en),
        false => did_you_mean(&meant),
    };
    Told::of(
        format!(
            "se esperaba una comparación después de {field}: {}",
            rest.es
        ),
        format!("expected a comparison after {field}: {}", rest.en),
    )
}

/// A field with a closed vocabulary has no such word.
pub(super) fn unknown_word(field: Field, text: &str, words: &[&str]) -> Told {
    let known: Vec<&str> = words.iter().copied().filter(|w| !w.is_empty()).collect();
    if known.len() > LISTED_MAX {
        let meant = near(text, known.iter().copied());
        let rest = match meant.is_empty() {
            true => Told::of(
                format!(
                    "ninguna de {} palabras se le parece; la lista: {LIST}",
                    known.len()
                ),
                format!("none of {} words is like it; the list: {LIST}", known.len()),
            ),
            false => did_you_mean(&meant),
        };
        return Told::of(
            format!("{field} desconocido: {}", rest.es),
            format!("unknown {field}: {}", rest.en),
        );
    }
    let known = known.join(", ");
    if field == Field::Bucket {
        return Told::of(
            format!("{field} desconocido: se esperaba {known}, u otros días como b8_30 o b91_plus"),
            format!("unknown {field}: expected {known}, or other days as b8_30 or b91_plus"),
        );
    }
    Told::of(
        format!("{field} desconocido: se esperaba uno de {known}"),
        format!("unknown {field}: expected one of {known}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{check, parse};
    use super::*;

    /// Longest that an error may be and still be read, characters.
    const READ_MAX: usize = 240;

    #[test]
    fn a_slip_is_told_what_was_meant_where_it_stands() {
        for (text, column, en, es) in [
            (
                "dayz_past_due > 3",
                1,
                "did you mean 'days_past_due'?",
                "«days_past_due»",
            ),
            (
                "on_hold or salod > 1",
                12,
                "did you mean 'saldo'",
                "¿quiso decir «saldo»",
            ),
            (
                "dias_moro > 1",
                1,
                "did you mean 'dias_mora'",
                "«dias_mora»",
            ),
            (
                "balance betwen 1 and 2",
                9,
                "did you mean 'between'?",
                "«between»",
            ),
            (
                "days_past_due",
                14,
                "= != < <= > >= 'between' or 'in'",
                "«entre» o «en»",
            ),
            ("last_result = 'bsy'", 15, "did you mean 'busy'?", "«busy»"),
            (
                "hold_kind in (paid, disput)",
                21,
                "did you mean 'dispute'?",
                "«dispute»",
            ),
            (
                "plan_state = 'signd'",
                14,
                "expected one of draft, offered",
                "se esperaba uno de draft",
            ),
            (
                "bucket = 'b31_1'",
                10,
                "or other days as b8_30",
                "u otros días",
            ),
        ] {
            let fault = parse(text).expect_err(text);
            assert_eq!(fault.position, column, "{text}: {fault}");
            assert!(fault.reason.contains(en), "{text}: {}", fault.reason);
            assert!(fault.es.contains(es), "{text}: {}", fault.es);
        }
    }

    #[test]
    fn what_is_like_nothing_is_told_where_the_list_is() {
        for text in ["colour = 'red'", "last_result = 'xyzxyz'"] {
            let fault = parse(text).expect_err(text);
            for told in [&fault.reason, &fault.es] {
                assert!(
                    told.contains(LIST) && told.chars().count() < READ_MAX,
                    "{told}"
                );
            }
        }
        let long = format!("{} = 1", "x".repeat(4_000));
        assert!(parse(&long).expect_err("long").reason.chars().count() < READ_MAX);
    }

    #[test]
    fn a_field_is_offered_once_however_it_is_written() {
        let fault = parse("telefno = '1'").expect_err("a slip");
        let once = "did you mean 'telefono' or 'telefonos'?";
        assert!(fault.reason.ends_with(once), "{fault}");
    }

    #[test]
    fn the_json_form_names_the_nearest_too() {
        let json = r#"{"cmp":{"field":"dayz_past_due","op":">","value":3}}"#;
        let fault = serde_json::from_str::<super::super::Expr>(json).expect_err("a slip");
        assert!(
            fault.to_string().contains("did you mean 'days_past_due'?"),
            "{fault}"
        );
        assert!(fault.to_string().chars().count() < READ_MAX, "{fault}");
        let json = r#"{"cmp":{"field":"last_result","op":"=","value":"bsy"}}"#;
        let expr = serde_json::from_str(json).expect("a comparison");
        assert!(check(&expr).expect_err("a slip").reason.contains("'busy'"));
    }
}
