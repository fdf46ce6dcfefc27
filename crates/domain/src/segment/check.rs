//! Type check: what the grammar alone cannot refuse.

use super::slips::unknown_word;
use super::words::Told;
use super::{
    DEPTH_MAX, Expr, Field, FieldKind, IN_MAX, Literal, NAME_MAX, Op, SegmentError, TERMS_MAX,
};
use crate::entity::Bucket;

/// Checks kinds, vocabularies and limits of an expression, wherever it came from.
///
/// # Errors
/// The first fault, with position 0.
pub fn check(expr: &Expr) -> Result<(), SegmentError> {
    let mut terms = 0;
    walk(expr, 1, &mut terms)
}

fn walk(expr: &Expr, depth: usize, terms: &mut usize) -> Result<(), SegmentError> {
    if depth > DEPTH_MAX {
        return Err(SegmentError::new(
            0,
            Told::of(
                format!("más de {DEPTH_MAX} niveles"),
                format!("nested deeper than {DEPTH_MAX}"),
            ),
        ));
    }
    match expr {
        Expr::All => Ok(()),
        Expr::And(parts) | Expr::Or(parts) => {
            if parts.len() < 2 {
                return Err(SegmentError::new(
                    0,
                    Told::of(
                        "«y» y «o» llevan dos partes o más",
                        "'and' and 'or' need two parts or more",
                    ),
                ));
            }
            parts.iter().try_for_each(|p| walk(p, depth + 1, terms))
        }
        Expr::Not(part) => walk(part, depth + 1, terms),
        leaf => {
            *terms += 1;
            if *terms > TERMS_MAX {
                return Err(SegmentError::new(
                    0,
                    Told::of(
                        format!("más de {TERMS_MAX} comparaciones"),
                        format!("more than {TERMS_MAX} comparisons"),
                    ),
                ));
            }
            check_leaf(leaf).map_err(|told| SegmentError::new(0, told))
        }
    }
}

/// Checks one comparison; the parser adds the position.
pub(super) fn check_leaf(leaf: &Expr) -> Result<(), Told> {
    match leaf {
        Expr::Cmp { field, op, value } => {
            let ordered = matches!(field.kind(), FieldKind::Number | FieldKind::Money);
            if !ordered && !matches!(op, Op::Eq | Op::Ne) {
                return Err(of_kind(*field, "use = o !=", "use = or !="));
            }
            check_value(*field, value)
        }
        Expr::Between { field, from, to } => {
            if !matches!(field.kind(), FieldKind::Number | FieldKind::Money) {
                return Err(of_kind(
                    *field,
                    "«entre» lleva números",
                    "'between' needs numbers",
                ));
            }
            if from > to {
                return Err(Told::of(
                    "«entre» lleva primero el valor menor",
                    "'between' needs the smaller value first",
                ));
            }
            Ok(())
        }
        Expr::In { field, values } => {
            if !matches!(field.kind(), FieldKind::Number | FieldKind::Text) {
                return Err(of_kind(
                    *field,
                    "«en» lleva textos o números",
                    "'in' needs text or numbers",
                ));
            }
            if values.is_empty() || values.len() > IN_MAX {
                return Err(Told::of(
                    format!("«en» lleva de 1 a {IN_MAX} valores"),
                    format!("'in' needs 1 to {IN_MAX} values"),
                ));
            }
            values.iter().try_for_each(|v| check_value(*field, v))
        }
        Expr::Named { name, version } => {
            let length = name.chars().count();
            if length == 0 || length > NAME_MAX || name.chars().any(char::is_control) {
                return Err(Told::of(
                    format!(
                        "el nombre de un segmento tiene de 1 a {NAME_MAX} caracteres, ninguno de control"
                    ),
                    format!(
                        "a segment's name has 1 to {NAME_MAX} characters, none of them control characters"
                    ),
                ));
            }
            if version.is_some_and(|v| v < 1) {
                return Err(Told::of(
                    "las versiones de un segmento se cuentan desde 1",
                    "versions of a segment count from 1",
                ));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn of_kind(field: Field, es: &str, en: &str) -> Told {
    let kind = field.kind();
    Told::of(
        format!("{field} es un campo de tipo {}: {es}", kind_es(kind)),
        format!("{field} is a {kind} field: {en}"),
    )
}

const fn kind_es(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "texto",
        FieldKind::Number => "número",
        FieldKind::Money => "monto",
        FieldKind::Bool => "sí o no",
    }
}

pub(super) fn check_value(field: Field, value: &Literal) -> Result<(), Told> {
    match (field.kind(), value) {
        (FieldKind::Text, Literal::Text(text)) => check_word(field, text),
        (FieldKind::Number | FieldKind::Money, Literal::Int(_))
        | (FieldKind::Bool, Literal::Bool(_)) => Ok(()),
        (kind, _) => Err(Told::of(
            format!("{field} lleva un valor de tipo {}", kind_es(kind)),
            format!("{field} needs a {kind} value"),
        )),
    }
}

/// Fields with a closed vocabulary refuse other words, so that a typing error is seen.
fn check_word(field: Field, text: &str) -> Result<(), Told> {
    let fits = |words: &Vec<&str>| match field {
        // Any days: the sets of clients differ, and a set may change.
        Field::Bucket => Bucket::of_open(text).is_some(),
        _ => words.contains(&text),
    };
    if let Some(words) = field.words().filter(|words| !fits(words)) {
        return Err(unknown_word(field, text, &words));
    }
    if text.chars().any(char::is_control) {
        return Err(Told::of(
            format!("{field}: no se admiten caracteres de control"),
            format!("{field}: control characters are not allowed"),
        ));
    }
    Ok(())
}
