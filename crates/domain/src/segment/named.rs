//! Segments inside segments: `segment 'A' and not segment 'B'`. A name stands for what the segment says,
//! newest or as one of its versions said, and is replaced by it before anything is asked.

use super::words::Told;
use super::{Expr, SegmentError};
use std::collections::BTreeMap;

/// Most segments that one expression may reach, itself not counted.
pub const NAMED_MAX: usize = 32;
/// Deepest chain of segments that name one another.
pub const NAMED_DEPTH: usize = 8;

/// A segment named inside another: its name, and the version if one is said.
pub type NamedKey = (String, Option<i32>);

/// The segments that an expression names, each once.
#[must_use]
pub fn named(expr: &Expr) -> Vec<NamedKey> {
    let mut found = Vec::new();
    gather(expr, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn gather(expr: &Expr, found: &mut Vec<NamedKey>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| gather(p, found)),
        Expr::Not(part) => gather(part, found),
        Expr::Named { name, version } => found.push((name.clone(), *version)),
        Expr::All | Expr::Cmp { .. } | Expr::Between { .. } | Expr::In { .. } => {}
    }
}

/// The expression with each name replaced by what `known` has for it. `own` is the name under which it is
/// saved: naming itself, or being named by what it names, is a circle.
///
/// # Errors
/// Position 0: a name that is not known, a circle, a chain of more than [`NAMED_DEPTH`].
pub fn expand(
    expr: &Expr,
    known: &BTreeMap<NamedKey, Expr>,
    own: Option<&str>,
) -> Result<Expr, SegmentError> {
    let mut path: Vec<&str> = own.into_iter().collect();
    replaced(expr, known, &mut path)
}

fn replaced<'a>(
    expr: &'a Expr,
    known: &'a BTreeMap<NamedKey, Expr>,
    path: &mut Vec<&'a str>,
) -> Result<Expr, SegmentError> {
    let mut all = |parts: &'a [Expr]| -> Result<Vec<Expr>, SegmentError> {
        parts.iter().map(|p| replaced(p, known, path)).collect()
    };
    Ok(match expr {
        Expr::And(parts) => Expr::And(all(parts)?),
        Expr::Or(parts) => Expr::Or(all(parts)?),
        Expr::Not(part) => Expr::Not(Box::new(replaced(part, known, path)?)),
        Expr::Named { name, version } => {
            let fault = |es: String, en: String| Err(SegmentError::new(0, Told::of(es, en)));
            let Some(inner) = known.get(&(name.clone(), *version)) else {
                let which = |word: &str| version.map_or(String::new(), |v| format!(" {word} {v}"));
                return fault(
                    format!(
                        "el acreedor no tiene un segmento «{name}»{}",
                        which("con una versión")
                    ),
                    format!(
                        "the client has no segment '{name}'{}",
                        which("with a version")
                    ),
                );
            };
            // An old version is fixed: it cannot come to name what names it now.
            if version.is_none() && path.contains(&name.as_str()) {
                return fault(
                    format!("el segmento «{name}» se nombraría a sí mismo"),
                    format!("segment '{name}' would name itself"),
                );
            }
            if path.len() > NAMED_DEPTH {
                return fault(
                    format!("los segmentos se nombran en más de {NAMED_DEPTH} niveles"),
                    format!("segments name one another more than {NAMED_DEPTH} deep"),
                );
            }
            path.push(name);
            let whole = replaced(inner, known, path)?;
            path.pop();
            whole
        }
        leaf => leaf.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    fn known(of: &[(&str, Option<i32>, &str)]) -> BTreeMap<NamedKey, Expr> {
        of.iter()
            .map(|(name, version, text)| (((*name).to_owned(), *version), parse(text).unwrap()))
            .collect()
    }

    #[test]
    fn names_are_replaced_by_what_they_say() {
        let known = known(&[
            ("A", None, "balance > 1.00 or segment 'B'"),
            ("B", None, "on_hold"),
            ("B", Some(2), "suppressed"),
        ]);
        let expr = parse("segmento 'A' y no segmento 'B' versión 2").unwrap();
        assert_eq!(print(&expr), "segment 'A' and not segment 'B' version 2");
        assert_eq!(
            named(&expr),
            [("A".to_owned(), None), ("B".to_owned(), Some(2))]
        );
        let whole = expand(&expr, &known, None).unwrap();
        assert_eq!(
            print(&whole),
            "(balance > 1.00 or on_hold) and not suppressed"
        );
        assert!(named(&whole).is_empty());
    }

    #[test]
    fn circles_and_strangers_are_refused() {
        let known = known(&[
            ("A", None, "segment 'B'"),
            ("B", None, "segment 'A'"),
            ("C", None, "on_hold"),
        ]);
        let refused = |text: &str, own: Option<&str>| {
            let fault = expand(&parse(text).unwrap(), &known, own).unwrap_err();
            fault.reason
        };
        assert!(refused("segment 'A'", None).contains("name itself"));
        assert!(refused("segment 'C'", Some("C")).contains("name itself"));
        assert!(refused("not segment 'D'", None).contains("no segment 'D'"));
        assert!(refused("segment 'C' version 4", None).contains("version 4"));
    }

    #[test]
    fn chains_have_an_end() {
        let chain: BTreeMap<NamedKey, Expr> = (0..20)
            .map(|n| {
                let text = format!("segment 'S{}'", n + 1);
                ((format!("S{n}"), None), parse(&text).unwrap())
            })
            .chain([(("S20".to_owned(), None), Expr::All)])
            .collect();
        let from = |n: usize| expand(&parse(&format!("segment 'S{n}'")).unwrap(), &chain, None);
        assert!(from(0).unwrap_err().reason.contains("deep"));
        assert_eq!(from(14).unwrap(), Expr::All);
    }

    #[test]
    fn faults_have_columns() {
        for (text, column) in [
            ("segment", 8),
            ("segment x", 9),
            ("segment ''", 1),
            ("segment 'x' version", 20),
            ("on_hold and segment 'x' version 0", 13),
        ] {
            assert_eq!(parse(text).unwrap_err().position, column, "{text}");
        }
    }
}
