//! An expression told in words, Spanish and English, so that who reads a segment need not know its language.

use super::vocabulary::said;
use super::{Expr, Field, FieldKind, Literal, NEVER_DAYS, Op, name_of};
use crate::entity::Bucket;
use crate::rules::disposition::standard_label;
use serde::Serialize;

/// The same sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Told {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

impl Told {
    pub(super) fn of(es: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            es: es.into(),
            en: en.into(),
        }
    }
}

/// Tells an expression in words.
#[must_use]
pub fn explain(expr: &Expr) -> Told {
    let inner = tell(expr);
    Told::of(
        format!("Deudores: {}.", inner.es),
        format!("Debtors: {}.", inner.en),
    )
}

pub(super) fn tell(expr: &Expr) -> Told {
    match expr {
        Expr::All => Told::of("todos", "all of them"),
        Expr::And(parts) => joined(parts, " y ", " and "),
        Expr::Or(parts) => joined(parts, " o ", " or "),
        Expr::Not(part) => match &**part {
            Expr::Cmp {
                field,
                op: Op::Eq,
                value: Literal::Bool(yes),
            } => boolean(*field, !yes),
            named @ Expr::Named { .. } => {
                let inner = tell(named);
                Told::of(format!("no {}", inner.es), format!("not so: {}", inner.en))
            }
            other => {
                let inner = tell(other);
                Told::of(
                    format!("no se cumple que ({})", inner.es),
                    format!("it is not so that ({})", inner.en),
                )
            }
        },
        Expr::Cmp {
            field,
            op,
            value: Literal::Bool(yes),
        } => boolean(*field, (*op == Op::Eq) == *yes),
        Expr::Cmp { field, op, value } => compared(*field, *op, value),
        Expr::Between { field, from, to } => {
            let (es, en) = name(*field);
            let (from, to) = (number(*field, *from), number(*field, *to));
            Told::of(
                format!("{es} entre {from} y {to}"),
                format!("{en} between {from} and {to}"),
            )
        }
        Expr::In { field, values } => {
            let (es, en) = name(*field);
            let list: Vec<Told> = values.iter().map(|v| value(*field, v)).collect();
            let all = |of: fn(&Told) -> &str| {
                let list: Vec<&str> = list.iter().map(of).collect();
                list.join(", ")
            };
            Told::of(
                format!("{es} es uno de: {}", all(|t| &t.es)),
                format!("{en} is one of: {}", all(|t| &t.en)),
            )
        }
        Expr::Named {
            name,
            version: None,
        } => Told::of(
            format!("está en el segmento «{name}»"),
            format!("is in the segment '{name}'"),
        ),
        Expr::Named {
            name,
            version: Some(version),
        } => Told::of(
            format!("está en el segmento «{name}» como era en su versión {version}"),
            format!("is in the segment '{name}' as its version {version} was"),
        ),
    }
}

fn joined(parts: &[Expr], es: &str, en: &str) -> Told {
    let told: Vec<Told> = parts
        .iter()
        .map(|part| match part {
            Expr::And(_) | Expr::Or(_) => {
                let inner = tell(part);
                Told::of(format!("({})", inner.es), format!("({})", inner.en))
            }
            other => tell(other),
        })
        .collect();
    let all = |of: fn(&Told) -> &str, word: &str| {
        let list: Vec<&str> = told.iter().map(of).collect();
        list.join(word)
    };
    Told::of(all(|t| &t.es, es), all(|t| &t.en, en))
}

fn compared(field: Field, op: Op, with: &Literal) -> Told {
    let (es, en) = name(field);
    if *with == Literal::Int(NEVER_DAYS) && op == Op::Eq {
        return Told::of(format!("{es}: nunca"), format!("{en}: never"));
    }
    let (op_es, op_en) = match op {
        Op::Eq => ("es", "is"),
        Op::Ne => ("no es", "is not"),
        Op::Lt => ("menos de", "below"),
        Op::Le => ("a lo más", "at most"),
        Op::Gt => ("más de", "above"),
        Op::Ge => ("al menos", "at least"),
    };
    let with = value(field, with);
    Told::of(
        format!("{es} {op_es} {}", with.es),
        format!("{en} {op_en} {}", with.en),
    )
}

fn boolean(field: Field, yes: bool) -> Told {
    if yes {
        let (es, en) = name(field);
        return Told::of(es, en);
    }
    let (es, en) = match field {
        Field::PromiseActive => ("no tiene promesa vigente", "has no active promise"),
        Field::OnHold => ("no tiene bloqueo vigente", "is not on hold"),
        Field::Callback => ("no tiene llamada acordada", "has no agreed call-back"),
        Field::Suppressed => ("no está en lista de exclusión", "is on no do-not-call list"),
        Field::CallableNow => (
            "la ley no permite llamarle ahora",
            "may not lawfully be called now",
        ),
        other => name(other),
    };
    Told::of(es, en)
}

fn value(field: Field, value: &Literal) -> Told {
    let both = |text: String| Told::of(text.clone(), text);
    match value {
        Literal::Int(n) => both(number(field, *n)),
        Literal::Bool(true) => Told::of("sí", "yes"),
        Literal::Bool(false) => Told::of("no", "no"),
        Literal::Text(text) if field == Field::LastDisposition && !text.is_empty() => {
            let known = standard_label(text);
            known.map_or_else(|| both(text.clone()), |(es, en)| Told::of(es, en))
        }
        Literal::Text(text) if field == Field::Bucket => {
            aged(text).unwrap_or_else(|| both(text.clone()))
        }
        Literal::Text(text) => match said(field, text) {
            Some(word) => Told::of(word.es, word.en),
            None if text.is_empty() => both("\u{201c}\u{201d}".to_owned()),
            None => both(text.clone()),
        },
    }
}

/// A bucket by its days, which are the same in the set of every client.
fn aged(name: &str) -> Option<Told> {
    let days = Bucket::of_open(name)?.days()?;
    Some(match days {
        (_, 0) => Told::of("sin vencer", "not due yet"),
        (from, i64::MAX) => Told::of(
            format!("más de {} días", from - 1),
            format!("more than {} days", from - 1),
        ),
        (from, to) => Told::of(
            format!("{from} a {to} días"),
            format!("{from} to {to} days"),
        ),
    })
}

fn number(field: Field, n: i64) -> String {
    if field.kind() == FieldKind::Money {
        let (sign, size) = (if n < 0 { "-" } else { "" }, n.unsigned_abs());
        format!("{sign}{}.{:02}", size / 100, size % 100)
    } else {
        n.to_string()
    }
}

fn name(field: Field) -> (&'static str, &'static str) {
    let name = name_of(field);
    (name.es, name.en)
}

#[cfg(test)]
mod tests {
    use super::super::{examples::EXAMPLES, parse};
    use super::*;

    #[test]
    fn sentences() {
        for (text, es, en) in [
            (
                "days_past_due between 31 and 60 and not promise_active",
                "Deudores: los días de mora entre 31 y 60 y no tiene promesa vigente.",
                "Debtors: the days past due between 31 and 60 and has no active promise.",
            ),
            (
                "balance >= 1000.00 or (country = 'MX' and on_hold)",
                "Deudores: el saldo al menos 1000.00 o (el país es MX y tiene un bloqueo vigente).",
                "Debtors: the balance at least 1000.00 or (the country is MX and is on hold).",
            ),
            (
                "not (attempts = 0 or callable_now)",
                "Deudores: no se cumple que (los intentos es 0 o la ley permite llamarle ahora).",
                "Debtors: it is not so that (the attempts is 0 or may lawfully be called now).",
            ),
            (
                "bucket in ('b31_60', 'b61_90') and not plan_state = 'broken'",
                "Deudores: el tramo de mora es uno de: 31 a 60 días, 61 a 90 días y no se cumple que \
                    (el estado de un convenio es roto).",
                "Debtors: the ageing bucket is one of: 31 to 60 days, 61 to 90 days and it is not so that \
                    (the state of a plan is broken).",
            ),
            (
                "bucket = 'b8_30' or bucket = 'b91_plus'",
                "Deudores: el tramo de mora es 8 a 30 días o el tramo de mora es más de 90 días.",
                "Debtors: the ageing bucket is 8 to 30 days or the ageing bucket is more than 90 days.",
            ),
            (
                "last_disposition = 'CD.NP.NOQUIERE'",
                "Deudores: la última tipificación es No quiere pagar.",
                "Debtors: the last disposition is Will not pay.",
            ),
            (
                "days_since_rpc = 100000",
                "Deudores: los días desde el último contacto directo: nunca.",
                "Debtors: the days since the last right-party contact: never.",
            ),
        ] {
            let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(explain(&expr), Told::of(es, en));
        }
    }

    #[test]
    fn every_example_has_its_words() {
        for text in EXAMPLES {
            let told = explain(&parse(text).unwrap_or_else(|e| panic!("{text}: {e}")));
            assert!(told.es.len() > 15 && told.en.len() > 12, "{text}");
        }
    }

    #[test]
    fn buckets_are_told_as_the_vocabulary_has_them() {
        for word in super::super::vocabulary(Field::Bucket).unwrap() {
            assert_eq!(aged(word.value), Some(Told::of(word.es, word.en)));
        }
    }
}
