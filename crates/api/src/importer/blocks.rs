//! Formulas that fill several cells: only the first of these holds the formula, the others look like values.

use std::collections::BTreeMap;

/// Most of them in a workbook whose stored results are not to be taken; a cell is held against those that reach it.
pub(super) const BLOCKS_MAX: usize = 1_000;
/// Most rows and columns of a sheet (Excel's own limits).
const ROWS: u32 = 1 << 20;
const COLUMNS: u32 = 1 << 14;

/// Row and column of a cell, both from 0.
type Place = (u32, u32);

/// The formulas of a workbook that fill several cells, by their first cell. Which sheet they are in is not known
/// before it is read.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    known: BTreeMap<Place, Place>,
    /// Those that are being read: first and last cell.
    open: Vec<(Place, Place)>,
    /// There are more of them.
    more: bool,
}

impl Blocks {
    /// Notes the cells that a formula fills, as its tag says it (`A2:B9`); false when it is no such text.
    pub(super) fn note(&mut self, cells: &str) -> bool {
        let (first, last) = cells.split_once(':').unwrap_or((cells, cells));
        let (Some(first), Some(last)) = (place(first), place(last)) else {
            return false;
        };
        if first != last {
            self.keep(first, last);
        }
        true
    }

    fn keep(&mut self, first: Place, last: Place) {
        if self.known.len() >= BLOCKS_MAX && !self.known.contains_key(&first) {
            self.more = true;
            return;
        }
        // Of two sheets with one each at the same place, both count.
        let widest = self.known.entry(first).or_insert(last);
        *widest = (widest.0.max(last.0), widest.1.max(last.1));
    }

    /// Takes those of another sheet.
    pub(super) fn extend(&mut self, other: Self) {
        self.more |= other.more;
        for (first, last) in other.known {
            self.keep(first, last);
        }
    }

    /// Whether there are more than are kept.
    pub(super) const fn too_many(&self) -> bool {
        self.more
    }

    /// A cell with a formula was read: what it fills begins here.
    pub(super) fn begin(&mut self, at: Place) {
        if let Some(last) = self.known.get(&at) {
            self.open.push((at, *last));
        }
    }

    /// Whether a cell is filled by a formula that began before. Cells come row by row.
    pub(super) fn fill(&mut self, at: Place) -> bool {
        if self.open.is_empty() {
            return false;
        }
        self.open.retain(|(_, last)| at.0 <= last.0);
        let within = |(first, last): &(Place, Place)| {
            (first.0..=last.0).contains(&at.0) && (first.1..=last.1).contains(&at.1)
        };
        self.open.iter().any(within)
    }
}

/// `C7` as row and column from 0.
fn place(text: &str) -> Option<Place> {
    let text = text.trim().replace('$', "");
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = text.split_at(digits);
    let mut column: u32 = 0;
    for c in letters.chars() {
        if !c.is_ascii_alphabetic() || column > COLUMNS {
            return None;
        }
        column = column * 26 + (u32::from(c.to_ascii_uppercase()) - u32::from('A')) + 1;
    }
    let row: u32 = row.parse().ok()?;
    let fits = (1..=ROWS).contains(&row) && (1..=COLUMNS).contains(&column);
    fits.then(|| (row - 1, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_a_spreadsheet_writes_them() {
        for (text, at) in [
            ("A1", Some((0, 0))),
            ("$C$7", Some((6, 2))),
            ("AA10", Some((9, 26))),
            ("XFD1048576", Some((1_048_575, 16_383))),
            ("XFE1", None),
            ("A1048577", None),
            ("A0", None),
            ("7", None),
            ("A", None),
            ("ZZZZZZZZZZ1", None),
            ("A1B", None),
        ] {
            assert_eq!(place(text), at, "{text}");
        }
    }

    #[test]
    fn what_a_formula_fills_ends_with_its_last_row() {
        let mut blocks = Blocks::default();
        assert!(blocks.note("B2:C3") && blocks.note("E5") && !blocks.note("all"));
        assert!(!blocks.fill((1, 1)), "no formula is there");
        blocks.begin((1, 1));
        for (at, filled) in [
            ((1, 2), true),
            ((1, 3), false),
            ((2, 0), false),
            ((2, 1), true),
            ((2, 2), true),
            ((3, 1), false),
        ] {
            assert_eq!(blocks.fill(at), filled, "{at:?}");
        }
        assert!(blocks.open.is_empty());
        blocks.begin((4, 4));
        assert!(!blocks.fill((5, 4)), "one cell alone");
    }

    #[test]
    fn more_than_are_kept_are_told() {
        let mut blocks = Blocks::default();
        for row in 1..=BLOCKS_MAX {
            assert!(blocks.note(&format!("A{row}:B{row}")));
        }
        assert!(!blocks.too_many());
        assert!(blocks.note("A1:C1") && !blocks.too_many(), "it is known");
        assert!(blocks.note("D1:E1") && blocks.too_many());
    }
}
