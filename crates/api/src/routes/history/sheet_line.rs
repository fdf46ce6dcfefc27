//! One line of CSV for people's spreadsheets: no cell that one of them would run (faults.md promise
//! 23), whichever of comma, semicolon and tab it takes for the separator.

/// Signs that begin a formula in some spreadsheet.
const RUNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// Signs that end a cell in some spreadsheet; the csv crate quotes only for its own separator.
const SPLITS: [char; 6] = [',', ';', '\t', '"', '\r', '\n'];

/// Digits of the shortest number that is taken for a phone.
const PHONE_MIN: usize = 7;

/// A phone without its `+`, so that it needs no mark of a text; any other cell as it is.
fn without_plus(cell: &str) -> &str {
    match cell.strip_prefix('+') {
        Some(rest) if rest.len() >= PHONE_MIN && rest.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => cell,
    }
}

/// The cells as a line of CSV (RFC 4180, separator comma) with its CR LF.
#[must_use]
pub fn sheet_line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> String {
    let mut line = String::new();
    for (n, cell) in cells.into_iter().enumerate() {
        if n > 0 {
            line.push(',');
        }
        let cell = without_plus(cell.as_ref());
        let quoted = cell.contains(SPLITS);
        if quoted {
            line.push('"');
        }
        if cell.starts_with(RUNS) {
            line.push('\'');
        }
        line.push_str(&cell.replace('"', "\"\""));
        if quoted {
            line.push('"');
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_in_a_spreadsheet() {
        for (cells, line) in [
            (["a", "b"], "a,b\r\n"),
            (["=1+1", "x\"y"], "'=1+1,\"x\"\"y\"\r\n"),
            (["-5", "5"], "'-5,5\r\n"),
            (["+525512345678", "+5"], "525512345678,'+5\r\n"),
            (
                ["+52551234567x", "+=1234567"],
                "'+52551234567x,'+=1234567\r\n",
            ),
            (["x;=1+1", "a,b"], "\"x;=1+1\",\"a,b\"\r\n"),
            (["\t=1", "a\nb"], "\"'\t=1\",\"a\nb\"\r\n"),
            (["", "ñ"], ",ñ\r\n"),
        ] {
            assert_eq!(sheet_line(cells), line);
        }
    }
}
