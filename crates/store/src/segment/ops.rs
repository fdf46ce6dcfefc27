//! Comparisons and lists of conditions in SQL.

use super::NEVER;
use domain::segment::Op;

/// Whether a comparison of two numbers holds.
pub(super) const fn compared(a: i64, op: Op, b: i64) -> bool {
    match op {
        Op::Eq => a == b,
        Op::Ne => a != b,
        Op::Lt => a < b,
        Op::Le => a <= b,
        Op::Gt => a > b,
        Op::Ge => a >= b,
    }
}

/// Where a count is only asked whether there is anything: whether there must be. None where how many matters.
pub(super) const fn from_one(op: Op, n: i64) -> Option<bool> {
    match (op, n) {
        (Op::Ge, 1) | (Op::Gt | Op::Ne, 0) => Some(true),
        (Op::Lt, 1) | (Op::Le | Op::Eq, 0) => Some(false),
        _ => None,
    }
}

/// How SQL writes it.
pub(super) const fn sign(op: Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::Ne => "<>",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
    }
}

/// A balanced tree, because SQLite bounds the depth of an expression and a list may have 500 values.
pub(super) fn one_of(parts: Vec<String>) -> String {
    match parts.len() {
        0 => NEVER.to_owned(),
        1 => parts.into_iter().next().unwrap_or_default(),
        n => {
            let mut left = parts;
            let right = left.split_off(n / 2);
            format!("({} OR {})", one_of(left), one_of(right))
        }
    }
}
