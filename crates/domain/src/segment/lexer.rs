//! Words, literals and marks of the text form, each with its column.

use super::words::Told;
use super::{Op, SegmentError, TEXT_MAX};

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword as written.
    Word(String),
    /// A quoted text, quotes taken off.
    Quoted(String),
    /// Digits with an optional sign and fraction, as written.
    Number(String),
    /// A comparison.
    Op(Op),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
}

/// Splits a text; columns count characters from 1.
pub(super) fn lex(text: &str) -> Result<Vec<(usize, Token)>, SegmentError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > TEXT_MAX {
        return Err(SegmentError::new(
            TEXT_MAX,
            Told::of(
                format!("más de {TEXT_MAX} caracteres"),
                format!("longer than {TEXT_MAX} characters"),
            ),
        ));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, next) = one(&chars, at, c)?;
        tokens.push((at + 1, token));
        at = next;
    }
    Ok(tokens)
}

fn one(chars: &[char], at: usize, c: char) -> Result<(Token, usize), SegmentError> {
    let second = chars.get(at + 1).copied();
    Ok(match (c, second) {
        ('(', _) => (Token::Open, at + 1),
        (')', _) => (Token::Close, at + 1),
        (',', _) => (Token::Comma, at + 1),
        ('!', Some('=')) | ('<', Some('>')) => (Token::Op(Op::Ne), at + 2),
        ('<', Some('=')) => (Token::Op(Op::Le), at + 2),
        ('>', Some('=')) => (Token::Op(Op::Ge), at + 2),
        ('<', _) => (Token::Op(Op::Lt), at + 1),
        ('>', _) => (Token::Op(Op::Gt), at + 1),
        ('=', Some('=')) => (Token::Op(Op::Eq), at + 2),
        ('=', _) => (Token::Op(Op::Eq), at + 1),
        ('\'' | '"', _) => quoted(chars, at, c)?,
        ('-', Some(d)) if d.is_ascii_digit() => number(chars, at),
        (d, _) if d.is_ascii_digit() => number(chars, at),
        (w, _) if w.is_alphabetic() || w == '_' => {
            let end = run(chars, at, |c| {
                c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
            });
            (Token::Word(chars[at..end].iter().collect()), end)
        }
        _ => {
            return Err(SegmentError::new(
                at + 1,
                Told::of(
                    format!("no se esperaba «{}»", c.escape_default()),
                    format!("unexpected '{}'", c.escape_default()),
                ),
            ));
        }
    })
}

fn run(chars: &[char], from: usize, keep: impl Fn(char) -> bool) -> usize {
    chars[from..]
        .iter()
        .position(|c| !keep(*c))
        .map_or(chars.len(), |n| from + n)
}

fn number(chars: &[char], at: usize) -> (Token, usize) {
    let end = run(chars, at + 1, |c| c.is_ascii_digit() || c == '.');
    (Token::Number(chars[at..end].iter().collect()), end)
}

/// A quote inside is written twice.
fn quoted(chars: &[char], at: usize, quote: char) -> Result<(Token, usize), SegmentError> {
    let mut text = String::new();
    let mut i = at + 1;
    loop {
        match (chars.get(i), chars.get(i + 1)) {
            (Some(c), Some(d)) if *c == quote && *d == quote => {
                text.push(quote);
                i += 2;
            }
            (Some(c), _) if *c == quote => return Ok((Token::Quoted(text), i + 1)),
            (Some(c), _) => {
                text.push(*c);
                i += 1;
            }
            (None, _) => {
                let told = Told::of("la comilla no se cierra", "the quote is never closed");
                return Err(SegmentError::new(at + 1, told));
            }
        }
    }
}
