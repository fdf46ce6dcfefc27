//! What one version of a filter says that another did not, in words: part by part, as far as both are parts of the
//! same kind.

use super::words::{Told, tell};
use super::{Expr, Field};
use serde::Serialize;

crate::text_enum! {
    /// What became of a part.
    pub enum What {
        /// It was not there before.
        Added = "added",
        /// It is there no more.
        Removed = "removed",
        /// It is about the same field and says something else.
        Changed = "changed",
    }
}

/// One part of a filter that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What became of it.
    pub what: What,
    /// What it said, unless it was added.
    pub before: Option<Told>,
    /// What it says, unless it was removed.
    pub after: Option<Told>,
}

/// Parts that have to hold together (`and`), or of which one has to (`or`), or the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    All,
    Any,
}

fn parts(expr: &Expr, joined: Joined) -> Vec<&Expr> {
    match (expr, joined) {
        // Everybody is no condition at all.
        (Expr::All, Joined::All) => vec![],
        (Expr::And(parts), Joined::All) | (Expr::Or(parts), Joined::Any) => parts.iter().collect(),
        (whole, _) => vec![whole],
    }
}

/// The field that a part is about, when it is about one.
fn about(part: &Expr) -> Option<Field> {
    match part {
        Expr::Cmp { field, .. } | Expr::Between { field, .. } | Expr::In { field, .. } => {
            Some(*field)
        }
        Expr::Not(inner) => about(inner),
        Expr::All | Expr::And(_) | Expr::Or(_) | Expr::Named { .. } => None,
    }
}

/// What differs from `before` to `after`; nothing when both say the same. Parts in another order are no difference.
#[must_use]
pub fn difference(before: &Expr, after: &Expr) -> Vec<Changed> {
    let joined = match (before, after) {
        (Expr::Or(_), Expr::Or(_)) => Joined::Any,
        _ => Joined::All,
    };
    let mut gone = parts(before, joined);
    let mut new = parts(after, joined);
    gone.retain(|part| {
        let same = new.iter().position(|other| other == part);
        same.map(|at| new.remove(at)).is_none()
    });
    let mut told = Vec::new();
    for part in gone {
        let field = about(part);
        let same = field.and_then(|_| new.iter().position(|other| about(other) == field));
        let after = same.map(|at| tell(new.remove(at)));
        told.push(Changed {
            what: if after.is_some() {
                What::Changed
            } else {
                What::Removed
            },
            before: Some(tell(part)),
            after,
        });
    }
    told.extend(new.into_iter().map(|part| Changed {
        what: What::Added,
        before: None,
        after: Some(tell(part)),
    }));
    told
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn told(before: &str, after: &str) -> Vec<(What, Option<String>, Option<String>)> {
        let of = |text: &str| parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let es = |told: Option<Told>| told.map(|t| t.es);
        difference(&of(before), &of(after))
            .into_iter()
            .map(|c| (c.what, es(c.before), es(c.after)))
            .collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_same_in_another_order_is_no_difference() {
        assert_eq!(
            told("on_hold and attempts = 0", "attempts = 0 and on_hold"),
            []
        );
        assert_eq!(
            told("on_hold or attempts = 0", "attempts = 0 or on_hold"),
            []
        );
        assert_eq!(told("all", "all"), []);
    }

    #[test]
    fn a_part_comes_goes_or_says_something_else() {
        assert_eq!(
            told(
                "days_past_due between 31 and 60 and on_hold",
                "days_past_due between 31 and 90 and balance >= 1000.00"
            ),
            [
                (
                    What::Changed,
                    some("los días de mora entre 31 y 60"),
                    some("los días de mora entre 31 y 90")
                ),
                (What::Removed, some("tiene un bloqueo vigente"), None),
                (What::Added, None, some("el saldo al menos 1000.00")),
            ]
        );
        assert_eq!(
            told("all", "not on_hold"),
            [(What::Added, None, some("no tiene bloqueo vigente"))]
        );
        assert_eq!(
            told("on_hold", "not on_hold"),
            [(
                What::Changed,
                some("tiene un bloqueo vigente"),
                some("no tiene bloqueo vigente")
            )]
        );
    }

    #[test]
    fn a_part_that_stands_twice_is_gone_once() {
        assert_eq!(
            told(
                "on_hold and attempts = 0 and attempts = 0",
                "on_hold and attempts = 0"
            ),
            [(What::Removed, some("los intentos es 0"), None)]
        );
    }

    #[test]
    fn another_way_of_joining_is_another_whole() {
        let found = told("on_hold and suppressed", "on_hold or suppressed");
        let what: Vec<What> = found.iter().map(|(what, ..)| *what).collect();
        assert_eq!(what, [What::Removed, What::Removed, What::Added]);
    }
}
