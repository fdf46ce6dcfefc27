//! Rows out of text: commas, semicolons, tabs or bars, quoted fields (RFC 4180), any line ending. A
//! broken row is refused alone: reading goes on at the line after the one where it began, so that one
//! stray quote does not swallow the file.

use super::{COLUMNS_MAX, ROW_BYTES_MAX};

/// Consumed text that is kept at most before the buffer is shifted.
const SHIFT_BYTES: usize = 64 * 1024;
/// Characters of a broken row that are shown.
const SHOWN_CHARS: usize = 60;

/// One row of the file, or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A row.
    Row {
        /// Line on which it begins, 1 = first.
        line: u64,
        /// Its fields.
        fields: Vec<String>,
    },
    /// A row that cannot be read.
    Broken {
        /// Line on which it begins.
        line: u64,
        /// Its beginning.
        text: String,
        /// What is wrong and what would be right.
        reason: &'static str,
    },
}

/// Splits text that comes in pieces. Holds one row and one piece at most.
#[derive(Debug)]
pub struct Lines {
    delimiter: char,
    width: Option<usize>,
    buffer: String,
    at: usize,
    line: u64,
    ended: bool,
    skipping: bool,
}

enum Step {
    /// A row of these fields, up to this byte, over so many line ends.
    Row {
        fields: Vec<String>,
        end: usize,
        lines: u64,
    },
    /// An empty line up to this byte.
    Blank {
        end: usize,
    },
    Broken(&'static str),
    More,
}

impl Lines {
    /// Rows separated into fields by `delimiter`.
    #[must_use]
    pub fn new(delimiter: char) -> Self {
        Self {
            delimiter,
            width: None,
            buffer: String::new(),
            at: 0,
            line: 1,
            ended: false,
            skipping: false,
        }
    }

    /// From here on a row must have so many fields.
    pub fn expect_width(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// Takes the next piece of text.
    pub fn push(&mut self, piece: &str) {
        if self.at > SHIFT_BYTES {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.push_str(piece);
    }

    /// No more text comes.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The next row; `None` when more text is needed, or after [`Self::end`] when all is read.
    pub fn next_line(&mut self) -> Option<Line> {
        loop {
            if self.skipping && !self.skip_line() {
                return None;
            }
            let began = self.line;
            match self.step() {
                Step::More => return None,
                Step::Blank { end } => {
                    self.at = end;
                    self.line += 1;
                }
                Step::Row { fields, end, lines } => {
                    self.at = end;
                    self.line += lines;
                    return Some(Line::Row {
                        line: began,
                        fields,
                    });
                }
                Step::Broken(reason) => {
                    let rest = self.rest();
                    let whole = self.ended || rest.len() > ROW_BYTES_MAX;
                    if !whole && line_end(rest, 0, false).is_none() {
                        return None;
                    }
                    let text = rest.split(['\n', '\r']).next().unwrap_or("");
                    let text = text.chars().take(SHOWN_CHARS).collect();
                    self.skipping = true;
                    return Some(Line::Broken {
                        line: began,
                        text,
                        reason,
                    });
                }
            }
        }
    }

    fn rest(&self) -> &str {
        self.buffer.get(self.at..).unwrap_or("")
    }

    /// Passes over the rest of the present line; `false` when its end has not come yet.
    fn skip_line(&mut self) -> bool {
        let rest = self.rest();
        match line_end(rest, 0, self.ended) {
            Some((from, len)) => {
                self.at += from + len;
                self.line += 1;
                self.skipping = false;
                true
            }
            None if self.ended => {
                self.at = self.buffer.len();
                self.skipping = false;
                true
            }
            None => {
                // Keep only what may be half of a line end.
                let keep = usize::from(rest.ends_with('\r'));
                self.at = self.buffer.len() - keep;
                false
            }
        }
    }

    fn step(&self) -> Step {
        let text = self.rest();
        if text.is_empty() {
            return Step::More;
        }
        match self.read_row(text) {
            Step::More if text.len() > ROW_BYTES_MAX => {
                Step::Broken("longer than 64 kB: is a quote left open?")
            }
            Step::More if self.ended => Step::Broken("a quote is opened and never closed"),
            Step::Row { fields, end, lines } => {
                if end > ROW_BYTES_MAX {
                    return Step::Broken("longer than 64 kB: is a quote left open?");
                }
                let end = self.at + end;
                if fields.len() == 1 && fields[0].trim().is_empty() && lines <= 1 {
                    return Step::Blank { end };
                }
                if self.width.is_some_and(|width| width != fields.len()) {
                    return Step::Broken(
                        "another number of fields than the header: quote values that hold the delimiter",
                    );
                }
                Step::Row { fields, end, lines }
            }
            other => other,
        }
    }

    /// Reads fields up to the end of a row; `end` of the row is relative to `text`.
    fn read_row(&self, text: &str) -> Step {
        let mut fields = Vec::new();
        let (mut at, mut lines) = (0, 0);
        loop {
            if fields.len() >= COLUMNS_MAX {
                return Step::Broken("more than 200 fields");
            }
            let (field, next) = match text[at..].strip_prefix('"') {
                None => self.plain(text, at),
                Some(_) => match quoted(text, at + 1, &mut lines, self.ended) {
                    Ok(Some(found)) => found,
                    Ok(None) => return Step::More,
                    Err(reason) => return Step::Broken(reason),
                },
            };
            fields.push(field);
            let rest = &text[next..];
            if let Some(after) = rest.strip_prefix(self.delimiter) {
                at = text.len() - after.len();
                continue;
            }
            if let Some((0, len)) = line_end(rest, 0, self.ended) {
                return Step::Row {
                    fields,
                    end: next + len,
                    lines: lines + 1,
                };
            }
            if !rest.is_empty() && !rest.starts_with('\r') {
                return Step::Broken("text after a closing quote: expected the delimiter");
            }
            return if self.ended {
                Step::Row {
                    fields,
                    end: next,
                    lines,
                }
            } else {
                Step::More
            };
        }
    }

    /// A field without quotes: up to the delimiter or the line's end.
    fn plain(&self, text: &str, at: usize) -> (String, usize) {
        let rest = &text[at..];
        let len = rest
            .find([self.delimiter, '\n', '\r'])
            .unwrap_or(rest.len());
        (rest[..len].to_owned(), at + len)
    }
}

/// A quoted field from after its quote: its text and where it ends. `None`: more text is needed.
fn quoted(
    text: &str,
    mut at: usize,
    lines: &mut u64,
    ended: bool,
) -> Result<Option<(String, usize)>, &'static str> {
    let mut field = String::new();
    loop {
        let Some(len) = text[at..].find('"') else {
            return Ok(None);
        };
        let part = &text[at..at + len];
        *lines += part.matches('\n').count() as u64;
        field.push_str(part);
        at += len + 1;
        let rest = &text[at..];
        if rest.starts_with('"') {
            field.push('"');
            at += 1;
        } else if rest.is_empty() && !ended {
            return Ok(None);
        } else if field.contains('\0') {
            return Err("holds a NUL: is this a text file?");
        } else {
            return Ok(Some((field, at)));
        }
    }
}

/// Where the first line end after `from` is and how long; a `\r` at the very end may be half of one.
fn line_end(text: &str, from: usize, ended: bool) -> Option<(usize, usize)> {
    let at = from + text[from..].find(['\n', '\r'])?;
    if text[at..].starts_with("\r\n") {
        return Some((at, 2));
    }
    if at + 1 == text.len() && text.ends_with('\r') && !ended {
        return None;
    }
    Some((at, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str, delimiter: char, pieces: usize) -> Vec<Line> {
        let mut lines = Lines::new(delimiter);
        let mut found = Vec::new();
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(pieces.max(1)) {
            lines.push(&piece.iter().collect::<String>());
            found.extend(std::iter::from_fn(|| lines.next_line()));
        }
        lines.end();
        found.extend(std::iter::from_fn(|| lines.next_line()));
        found
    }

    fn row(line: u64, fields: &[&str]) -> Line {
        Line::Row {
            line,
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        }
    }

    #[test]
    fn rows_of_every_shape() {
        for pieces in [1, 2, 3, 1_000] {
            assert_eq!(
                all(
                    "a,b\r\n1,\"x, \"\"y\"\"\"\r\n\r\n\"two\nlines\",3",
                    ',',
                    pieces
                ),
                [
                    row(1, &["a", "b"]),
                    row(2, &["1", "x, \"y\""]),
                    row(4, &["two\nlines", "3"])
                ]
            );
            assert_eq!(
                all("a;b\n1;\n", ';', pieces),
                [row(1, &["a", "b"]), row(2, &["1", ""])]
            );
            assert_eq!(
                all("a\tb\r1\t2\r", '\t', pieces),
                [row(1, &["a", "b"]), row(2, &["1", "2"])]
            );
            assert_eq!(
                all("12\" pipe,b", ',', pieces),
                [row(1, &["12\" pipe", "b"])]
            );
            assert_eq!(all("", ',', pieces), []);
            assert_eq!(all("\"\"\n", ',', pieces), []);
        }
    }

    #[test]
    fn one_stray_quote_costs_one_row() {
        let text = "a,b\n1,2\n\"3,4\n5,6\n7,8\n";
        let found = all(text, ',', 4);
        assert_eq!(found[0], row(1, &["a", "b"]));
        assert!(
            matches!(&found[2], Line::Broken { line: 3, reason, .. } if reason.contains("never closed")),
            "{found:?}"
        );
        assert_eq!(found[3..], [row(4, &["5", "6"]), row(5, &["7", "8"])]);
        let text = "a,b\n\"x\"y,2\n3,4\n";
        let found = all(text, ',', 1_000);
        assert!(
            matches!(&found[1], Line::Broken { line: 2, reason, .. } if reason.contains("closing quote"))
        );
        assert_eq!(found[2], row(3, &["3", "4"]));
    }

    #[test]
    fn width_and_size_are_bounded() {
        let mut lines = Lines::new(',');
        lines.expect_width(2);
        lines.push("1,2,3\n4,5\n");
        assert!(matches!(
            lines.next_line(),
            Some(Line::Broken { line: 1, .. })
        ));
        assert_eq!(lines.next_line(), Some(row(2, &["4", "5"])));
        let long = format!("a,\"{}\nb,c\n", "x".repeat(ROW_BYTES_MAX + 10));
        let found = all(&long, ',', 5_000);
        assert!(
            matches!(&found[0], Line::Broken { line: 1, reason, .. } if reason.contains("64 kB")),
            "{found:?}"
        );
        assert_eq!(found[1], row(2, &["b", "c"]));
        assert!(matches!(
            all(&",".repeat(300), ',', 1_000)[0],
            Line::Broken { .. }
        ));
    }

    proptest! {
        #[test]
        fn printed_rows_are_read_back(rows in proptest::collection::vec(proptest::collection::vec("[a-z\",;\n\r \u{f1}]{0,6}", 2..4), 1..6), pieces in 1usize..9) {
            let mut text = String::new();
            for fields in &rows {
                let cells: Vec<String> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
                text.push_str(&cells.join(";"));
                text.push_str("\r\n");
            }
            let found: Vec<Vec<String>> = all(&text, ';', pieces).into_iter().map(|l| match l {
                Line::Row { fields, .. } => fields,
                Line::Broken { reason, .. } => panic!("{reason}"),
            }).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn any_text_ends_and_pieces_do_not_matter(text in "[a\",;\n\r\u{0}\u{f1}]{0,80}", pieces in 1usize..7) {
            let whole = all(&text, ',', 10_000);
            prop_assert_eq!(all(&text, ',', pieces), whole);
        }
    }
}
