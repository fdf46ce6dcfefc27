//! The canonical text form: English keywords, single quotes, money with two decimals.

use super::{Expr, Field, FieldKind, Literal, Op};
use std::fmt::Write as _;

/// Prints an expression in its canonical text form; `parse` gives the same expression back.
#[must_use]
pub fn print(expr: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr, 0);
    out
}

/// How tightly a form binds: `or` 1, `and` 2, `not` 3, a comparison 4.
const fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::Or(_) => 1,
        Expr::And(_) => 2,
        Expr::Not(_) => 3,
        _ => 4,
    }
}

/// Writes `expr`, in parentheses when its strength is not above `least`.
fn write_expr(out: &mut String, expr: &Expr, least: u8) {
    let wrap = strength(expr) <= least;
    if wrap {
        out.push('(');
    }
    match expr {
        Expr::All => out.push_str("all"),
        Expr::And(parts) => join(out, parts, " and ", 2),
        Expr::Or(parts) => join(out, parts, " or ", 1),
        Expr::Not(part) => {
            out.push_str("not ");
            write_expr(out, part, 2);
        }
        Expr::Cmp {
            field,
            op: Op::Eq,
            value: Literal::Bool(true),
        } => {
            out.push_str(field.as_str());
        }
        Expr::Cmp { field, op, value } => {
            let _ = write!(out, "{field} {op} ");
            write_value(out, *field, value);
        }
        Expr::Between { field, from, to } => {
            let _ = write!(out, "{field} between ");
            write_int(out, *field, *from);
            out.push_str(" and ");
            write_int(out, *field, *to);
        }
        Expr::In { field, values } => {
            let _ = write!(out, "{field} in (");
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_value(out, *field, value);
            }
            out.push(')');
        }
        Expr::Named { name, version } => {
            let _ = write!(out, "segment '{}'", name.replace('\'', "''"));
            if let Some(version) = version {
                let _ = write!(out, " version {version}");
            }
        }
    }
    if wrap {
        out.push(')');
    }
}

fn join(out: &mut String, parts: &[Expr], word: &str, least: u8) {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push_str(word);
        }
        write_expr(out, part, least);
    }
}

fn write_value(out: &mut String, field: Field, value: &Literal) {
    match value {
        Literal::Bool(true) => out.push_str("yes"),
        Literal::Bool(false) => out.push_str("no"),
        Literal::Int(n) => write_int(out, field, *n),
        Literal::Text(text) => {
            let _ = write!(out, "'{}'", text.replace('\'', "''"));
        }
    }
}

fn write_int(out: &mut String, field: Field, n: i64) {
    let _ = if field.kind() == FieldKind::Money {
        let (sign, size) = (if n < 0 { "-" } else { "" }, n.unsigned_abs());
        write!(out, "{sign}{}.{:02}", size / 100, size % 100)
    } else {
        write!(out, "{n}")
    };
}
