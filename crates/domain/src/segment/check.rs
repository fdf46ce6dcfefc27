//! Type check: what the grammar alone cannot refuse.

use super::{
    DEPTH_MAX, Expr, Field, FieldKind, IN_MAX, Literal, NAME_MAX, Op, SegmentError, TERMS_MAX, row,
};
use crate::entity::{CallResult, DebtorKind, HoldKind, Language, PartyRole};

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
            format!("nested deeper than {DEPTH_MAX}"),
        ));
    }
    match expr {
        Expr::All => Ok(()),
        Expr::And(parts) | Expr::Or(parts) => {
            if parts.len() < 2 {
                return Err(SegmentError::new(
                    0,
                    "'and' and 'or' need two parts or more",
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
                    format!("more than {TERMS_MAX} comparisons"),
                ));
            }
            check_leaf(leaf).map_err(|reason| SegmentError::new(0, reason))
        }
    }
}

/// Checks one comparison; the parser adds the position.
pub(super) fn check_leaf(leaf: &Expr) -> Result<(), String> {
    match leaf {
        Expr::Cmp { field, op, value } => {
            let ordered = matches!(field.kind(), FieldKind::Number | FieldKind::Money);
            if !ordered && !matches!(op, Op::Eq | Op::Ne) {
                return Err(format!("{field} is a {} field: use = or !=", field.kind()));
            }
            check_value(*field, value)
        }
        Expr::Between { field, from, to } => {
            if !matches!(field.kind(), FieldKind::Number | FieldKind::Money) {
                return Err(format!(
                    "{field} is a {} field: 'between' needs numbers",
                    field.kind()
                ));
            }
            if from > to {
                return Err("'between' needs the smaller value first".into());
            }
            Ok(())
        }
        Expr::In { field, values } => {
            if !matches!(field.kind(), FieldKind::Number | FieldKind::Text) {
                return Err(format!(
                    "{field} is a {} field: 'in' needs text or numbers",
                    field.kind()
                ));
            }
            if values.is_empty() || values.len() > IN_MAX {
                return Err(format!("'in' needs 1 to {IN_MAX} values"));
            }
            values.iter().try_for_each(|v| check_value(*field, v))
        }
        Expr::Named { name, version } => {
            let length = name.chars().count();
            if length == 0 || length > NAME_MAX || name.chars().any(char::is_control) {
                return Err(format!(
                    "a segment's name has 1 to {NAME_MAX} characters, none of them control characters"
                ));
            }
            if version.is_some_and(|v| v < 1) {
                return Err("versions of a segment count from 1".into());
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn check_value(field: Field, value: &Literal) -> Result<(), String> {
    match (field.kind(), value) {
        (FieldKind::Text, Literal::Text(text)) => check_word(field, text),
        (FieldKind::Number | FieldKind::Money, Literal::Int(_))
        | (FieldKind::Bool, Literal::Bool(_)) => Ok(()),
        (kind, _) => Err(format!("{field} needs a {kind} value")),
    }
}

/// Fields with a closed vocabulary refuse other words, so that a typing error is seen.
fn check_word(field: Field, text: &str) -> Result<(), String> {
    let told = match field {
        Field::Bucket => row::BUCKETS.contains(&text).then_some(()).ok_or_else(|| {
            format!(
                "unknown bucket: expected one of {}",
                row::BUCKETS.join(", ")
            )
        }),
        Field::LastResult if !text.is_empty() => text
            .parse::<CallResult>()
            .map(drop)
            .map_err(|e| e.to_string()),
        Field::Language => text
            .parse::<Language>()
            .map(drop)
            .map_err(|e| e.to_string()),
        Field::DebtorKind => text
            .parse::<DebtorKind>()
            .map(drop)
            .map_err(|e| e.to_string()),
        Field::PartyRole => text
            .parse::<PartyRole>()
            .map(drop)
            .map_err(|e| e.to_string()),
        Field::HoldKind => text
            .parse::<HoldKind>()
            .map(drop)
            .map_err(|e| e.to_string()),
        _ => Ok(()),
    };
    told.and_then(|()| {
        if text.chars().any(char::is_control) {
            Err(format!("{field}: control characters are not allowed"))
        } else {
            Ok(())
        }
    })
}
