//! An expression told in words, Spanish and English, so that who reads a segment need not know its language.

use super::{Expr, Field, FieldKind, Literal, NEVER_DAYS, Op};
use serde::Serialize;

/// The same sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

impl Told {
    fn of(es: impl Into<String>, en: impl Into<String>) -> Self {
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

fn tell(expr: &Expr) -> Told {
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
            let list: Vec<String> = values.iter().map(|v| value(*field, v)).collect();
            let list = list.join(", ");
            Told::of(
                format!("{es} es uno de: {list}"),
                format!("{en} is one of: {list}"),
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
        format!("{es} {op_es} {with}"),
        format!("{en} {op_en} {with}"),
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
        Field::Suppressed => ("no está en lista de exclusión", "is on no do-not-call list"),
        Field::CallableNow => (
            "la ley no permite llamarle ahora",
            "may not lawfully be called now",
        ),
        other => name(other),
    };
    Told::of(es, en)
}

fn value(field: Field, value: &Literal) -> String {
    match value {
        Literal::Int(n) => number(field, *n),
        Literal::Bool(yes) => yes.to_string(),
        Literal::Text(text) if text.is_empty() => "\u{201c}\u{201d}".to_owned(),
        Literal::Text(text) => text.clone(),
    }
}

fn number(field: Field, n: i64) -> String {
    if field.kind() == FieldKind::Money {
        let (sign, size) = (if n < 0 { "-" } else { "" }, n.unsigned_abs());
        format!("{sign}{}.{:02}", size / 100, size % 100)
    } else {
        n.to_string()
    }
}

/// What each field is called; a yes/no field is a whole statement.
const NAMES: &[(Field, &str, &str)] = &[
    (Field::Country, "el país", "the country"),
    (
        Field::Subdivision,
        "el estado o región",
        "the state or region",
    ),
    (Field::Language, "el idioma", "the language"),
    (Field::DebtorKind, "el tipo de deudor", "the kind of debtor"),
    (
        Field::ExternalRef,
        "la clave del deudor",
        "the debtor's key",
    ),
    (Field::Portfolio, "la cartera", "the portfolio"),
    (Field::Name, "el nombre", "the name"),
    (Field::Document, "el documento", "the document"),
    (Field::Zone, "la zona horaria", "the time zone"),
    (Field::DebtRef, "el crédito", "the credit"),
    (
        Field::PartyRole,
        "el papel de alguien en sus deudas",
        "the role of somebody on his debts",
    ),
    (Field::HoldKind, "un bloqueo vigente", "a hold in force"),
    (
        Field::Consent,
        "un consentimiento vigente",
        "a consent in force",
    ),
    (
        Field::Product,
        "el producto de una deuda abierta",
        "the product of an open debt",
    ),
    (
        Field::Currency,
        "la moneda de una deuda abierta",
        "the currency of an open debt",
    ),
    (Field::DaysPastDue, "los días de mora", "the days past due"),
    (Field::Bucket, "el tramo de mora", "the ageing bucket"),
    (Field::Balance, "el saldo", "the balance"),
    (Field::Overdue, "el monto vencido", "the overdue amount"),
    (Field::Principal, "el capital", "the principal"),
    (Field::Interest, "los intereses", "the interest"),
    (Field::Fees, "los cargos", "the fees"),
    (Field::Minimum, "el pago mínimo", "the least payment"),
    (
        Field::DebtCount,
        "el número de deudas abiertas",
        "the number of open debts",
    ),
    (
        Field::PhoneCount,
        "los teléfonos útiles",
        "the usable phones",
    ),
    (
        Field::MobilePhones,
        "los celulares útiles",
        "the usable mobiles",
    ),
    (
        Field::GivenPhones,
        "los teléfonos que dio el deudor",
        "the phones the debtor gave",
    ),
    (
        Field::AuthorisedPhones,
        "los teléfonos autorizados",
        "the authorised phones",
    ),
    (Field::Score, "el puntaje", "the score"),
    (
        Field::DaysInFile,
        "los días en la cartera",
        "the days in the portfolio",
    ),
    (
        Field::PointConfidence,
        "la mejor confianza de un teléfono",
        "the best confidence of a phone",
    ),
    (Field::Attempts, "los intentos", "the attempts"),
    (
        Field::Attempts7d,
        "los intentos de 7 días",
        "the attempts of 7 days",
    ),
    (
        Field::DaysSinceAttempt,
        "los días desde el último intento",
        "the days since the last attempt",
    ),
    (
        Field::DaysSinceRpc,
        "los días desde el último contacto directo",
        "the days since the last right-party contact",
    ),
    (Field::LastResult, "el último resultado", "the last result"),
    (
        Field::LastDisposition,
        "la última tipificación",
        "the last disposition",
    ),
    (
        Field::PromiseActive,
        "tiene una promesa vigente",
        "has an active promise",
    ),
    (
        Field::PromisesBroken,
        "las promesas rotas",
        "the broken promises",
    ),
    (
        Field::PromisesKept,
        "las promesas cumplidas",
        "the kept promises",
    ),
    (
        Field::DaysToPromise,
        "los días para la promesa",
        "the days until the promise is due",
    ),
    (
        Field::DaysToStatute,
        "los días para la prescripción",
        "the days until the statute date",
    ),
    (Field::Promised, "lo prometido", "the promised amount"),
    (Field::Payments, "los pagos", "the payments"),
    (
        Field::DaysSincePayment,
        "los días desde el último pago",
        "the days since the last payment",
    ),
    (Field::Paid, "lo pagado", "the amount paid"),
    (
        Field::Paid30d,
        "lo pagado en 30 días",
        "the amount paid in 30 days",
    ),
    (Field::OnHold, "tiene un bloqueo vigente", "is on hold"),
    (
        Field::Suppressed,
        "está en una lista de exclusión",
        "is on a do-not-call list",
    ),
    (
        Field::CallableNow,
        "la ley permite llamarle ahora",
        "may lawfully be called now",
    ),
];

fn name(field: Field) -> (&'static str, &'static str) {
    let known = NAMES.iter().find(|(f, _, _)| *f == field);
    known.map_or((field.as_str(), field.as_str()), |(_, es, en)| (es, en))
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
    fn every_field_has_a_name() {
        for field in Field::ALL {
            assert_ne!(name(*field).0, field.as_str(), "{field}");
        }
    }

    #[test]
    fn every_example_has_its_words() {
        for text in EXAMPLES {
            let told = explain(&parse(text).unwrap_or_else(|e| panic!("{text}: {e}")));
            assert!(told.es.len() > 15 && told.en.len() > 12, "{text}");
        }
    }
}
