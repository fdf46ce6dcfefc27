//! Text form to expression: recursive descent with a depth limit. Keywords in English or Spanish.

use super::check::{check_leaf, check_value};
use super::lexer::{Token, lex};
use super::names::field_of;
use super::slips::{no_comparison, unknown_field};
use super::words::Told;
use super::{DEPTH_MAX, Expr, Field, FieldKind, IN_MAX, Literal, Op, SegmentError, TERMS_MAX};

/// Reads the text form. Keywords `and or not between in all` and their Spanish forms
/// (`y o no entre en todos`), field names and their Spanish forms, in any letter case.
///
/// # Errors
/// The first fault with its column.
pub fn parse(text: &str) -> Result<Expr, SegmentError> {
    let tokens = lex(text)?;
    let end = text.chars().count() + 1;
    let mut parser = Parser {
        tokens,
        at: 0,
        end,
        terms: 0,
    };
    let expr = parser.or(1)?;
    match parser.tokens.get(parser.at) {
        None => Ok(expr),
        Some((column, _)) => Err(SegmentError::new(
            *column,
            Told::of(
                "se esperaba «y», «o» o el final",
                "expected 'and', 'or' or the end",
            ),
        )),
    }
}

/// A keyword, whatever the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    And,
    Or,
    Not,
    Between,
    In,
    All,
}

fn keyword(word: &str) -> Option<Key> {
    Some(match word.to_lowercase().as_str() {
        "and" | "y" | "e" => Key::And,
        "or" | "o" | "u" => Key::Or,
        "not" | "no" => Key::Not,
        "between" | "entre" => Key::Between,
        "in" | "en" => Key::In,
        "all" | "todos" | "todo" => Key::All,
        _ => return None,
    })
}

fn is_word(word: &str, one_of: &[&str]) -> bool {
    one_of.contains(&word.to_lowercase().as_str())
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
    terms: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, t)| t)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(c, _)| *c)
    }

    fn fail<T>(&self, es: impl Into<String>, en: impl Into<String>) -> Result<T, SegmentError> {
        Err(SegmentError::new(self.column(), Told::of(es, en)))
    }

    fn take_key(&mut self, key: Key) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if keyword(w) == Some(key));
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, token: &Token, (es, en): (&str, &str)) -> Result<(), SegmentError> {
        if self.peek() == Some(token) {
            self.at += 1;
            Ok(())
        } else {
            self.fail(es, en)
        }
    }

    fn deeper(&self, depth: usize) -> Result<(), SegmentError> {
        if depth > DEPTH_MAX {
            return self.fail(
                format!("más de {DEPTH_MAX} niveles de paréntesis y negaciones"),
                format!("nested deeper than {DEPTH_MAX}"),
            );
        }
        Ok(())
    }

    /// Levels of nesting are counted as the printed tree has them: one for each group and `not`.
    fn or(&mut self, depth: usize) -> Result<Expr, SegmentError> {
        self.deeper(depth)?;
        let first = self.and(depth)?;
        let mut parts = vec![first];
        while self.take_key(Key::Or) {
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::Or(parts)
        })
    }

    fn and(&mut self, depth: usize) -> Result<Expr, SegmentError> {
        let first = self.not(depth)?;
        let mut parts = vec![first];
        while self.take_key(Key::And) {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::And(parts)
        })
    }

    fn not(&mut self, depth: usize) -> Result<Expr, SegmentError> {
        self.deeper(depth)?;
        if self.take_key(Key::Not) {
            return Ok(Expr::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.or(depth + 1)?;
            self.take(&Token::Close, ("se esperaba «)»", "expected ')'"))?;
            return Ok(inner);
        }
        if self.take_key(Key::All) {
            return Ok(Expr::All);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, SegmentError> {
        let start = self.column();
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return self.fail(
                format!("más de {TERMS_MAX} comparaciones"),
                format!("more than {TERMS_MAX} comparisons"),
            );
        }
        let Some(Token::Word(word)) = self.peek() else {
            return self.fail(
                "se esperaba un campo, «segmento», «no», «todos» o «(»",
                "expected a field, 'segment', 'not', 'all' or '('",
            );
        };
        if is_word(word, &["segment", "segmento"]) {
            return self.named(start);
        }
        let Some(field) = field_of(word) else {
            let told = unknown_field(word);
            return self.fail(told.es, told.en);
        };
        self.at += 1;
        let leaf = self.rest(field)?;
        check_leaf(&leaf).map_err(|told| SegmentError::new(start, told))?;
        Ok(leaf)
    }

    /// `segment 'NAME'`, `segment 'NAME' version 3`.
    fn named(&mut self, start: usize) -> Result<Expr, SegmentError> {
        self.at += 1;
        let Some(Token::Quoted(name)) = self.peek() else {
            return self.fail(
                "se esperaba el nombre del segmento entre comillas",
                "expected the segment's name in quotes",
            );
        };
        let name = name.clone();
        self.at += 1;
        let mut version = None;
        if matches!(self.peek(), Some(Token::Word(w)) if is_word(w, &["version", "versión"])) {
            self.at += 1;
            let Some(Token::Number(n)) = self.peek() else {
                return self.fail(
                    "se esperaba el número de la versión",
                    "expected the number of the version",
                );
            };
            let Ok(n) = n.parse() else {
                return self.fail("se esperaba un número entero", "expected a whole number");
            };
            version = Some(n);
            self.at += 1;
        }
        let leaf = Expr::Named { name, version };
        check_leaf(&leaf).map_err(|told| SegmentError::new(start, told))?;
        Ok(leaf)
    }

    fn rest(&mut self, field: Field) -> Result<Expr, SegmentError> {
        if let Some(Token::Op(op)) = self.peek() {
            let op = *op;
            self.at += 1;
            let value = self.value(field)?;
            return Ok(Expr::Cmp { field, op, value });
        }
        if self.take_key(Key::Between) {
            let from = self.int(field)?;
            if !self.take_key(Key::And) {
                return self.fail(
                    "se esperaba «y» y el valor mayor",
                    "expected 'and' and the upper end",
                );
            }
            return Ok(Expr::Between {
                field,
                from,
                to: self.int(field)?,
            });
        }
        if self.take_key(Key::In) {
            return self.list(field);
        }
        if field.kind() == FieldKind::Bool {
            return Ok(Expr::Cmp {
                field,
                op: Op::Eq,
                value: Literal::Bool(true),
            });
        }
        let word = match self.peek() {
            Some(Token::Word(word)) => word.as_str(),
            _ => "",
        };
        let told = no_comparison(field, word);
        self.fail(told.es, told.en)
    }

    fn list(&mut self, field: Field) -> Result<Expr, SegmentError> {
        self.take(
            &Token::Open,
            ("se esperaba «(» después de «en»", "expected '(' after 'in'"),
        )?;
        let mut values = vec![self.value(field)?];
        while self.peek() == Some(&Token::Comma) {
            self.at += 1;
            values.push(self.value(field)?);
            if values.len() > IN_MAX {
                return self.fail(
                    format!("«en» lleva de 1 a {IN_MAX} valores"),
                    format!("'in' needs 1 to {IN_MAX} values"),
                );
            }
        }
        self.take(
            &Token::Close,
            ("se esperaba «,» o «)»", "expected ',' or ')'"),
        )?;
        Ok(Expr::In { field, values })
    }

    fn int(&mut self, field: Field) -> Result<i64, SegmentError> {
        match self.value(field)? {
            Literal::Int(n) => Ok(n),
            _ => self.fail("se esperaba un número", "expected a number"),
        }
    }

    fn value(&mut self, field: Field) -> Result<Literal, SegmentError> {
        let literal = match (self.peek(), field.kind()) {
            (Some(Token::Quoted(text)), FieldKind::Text) => Literal::Text(text.clone()),
            (Some(Token::Word(word)), FieldKind::Text) if keyword(word).is_none() => {
                Literal::Text(word.clone())
            }
            (Some(Token::Word(word)), FieldKind::Bool) => match word.to_lowercase().as_str() {
                "yes" | "true" | "si" | "sí" | "verdadero" => Literal::Bool(true),
                "no" | "false" | "falso" => Literal::Bool(false),
                _ => return self.fail("se esperaba sí o no", "expected yes or no"),
            },
            (Some(Token::Number(n)), FieldKind::Number) => match n.parse() {
                Ok(n) => Literal::Int(n),
                Err(_) => {
                    return self.fail("se esperaba un número entero", "expected a whole number");
                }
            },
            (Some(Token::Number(n)), FieldKind::Money) => match money(n) {
                Some(n) => Literal::Int(n),
                None => {
                    return self.fail(
                        "se esperaba un monto con dos decimales a lo más",
                        "expected an amount with at most two decimals",
                    );
                }
            },
            (_, FieldKind::Text) => {
                return self.fail(
                    "se esperaba un texto entre comillas",
                    "expected a text in quotes",
                );
            }
            (_, FieldKind::Bool) => return self.fail("se esperaba sí o no", "expected yes or no"),
            (_, FieldKind::Number | FieldKind::Money) => {
                return self.fail("se esperaba un número", "expected a number");
            }
        };
        // A wrong word is pointed at where it stands, and not at its comparison.
        check_value(field, &literal).map_err(|told| SegmentError::new(self.column(), told))?;
        self.at += 1;
        Ok(literal)
    }
}

/// Units with up to two decimals to hundredths, whatever the currency of who is asked.
fn money(text: &str) -> Option<i64> {
    let (whole, cents) = match text.split_once('.') {
        None => (text, 0),
        Some((whole, d)) if d.len() == 1 => (whole, d.parse::<i128>().ok()? * 10),
        Some((whole, d)) if d.len() == 2 => (whole, d.parse::<i128>().ok()?),
        Some(_) => return None,
    };
    let size = whole
        .trim_start_matches('-')
        .parse::<i128>()
        .ok()?
        .checked_mul(100)?
        + cents;
    i64::try_from(if whole.starts_with('-') { -size } else { size }).ok()
}
