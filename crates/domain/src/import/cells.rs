//! One line of a file under its header: its cells by what they mean, and what is wrong with one.

use super::amount::FORMULA;
use super::{ColumnMap, Target, cut};
use crate::ports::store::RowFault;

/// Columns that are read: place, header, meaning.
pub(super) type Columns = Vec<(usize, String, Target)>;

/// A cell with its column's name.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) column: &'a str,
    pub(super) text: &'a str,
}

/// A line of a file.
pub(super) struct Line<'a> {
    pub(super) columns: &'a Columns,
    pub(super) map: &'a ColumnMap,
    pub(super) fields: &'a [String],
    /// Its number, 1 = header.
    pub(super) line: u64,
}

impl<'a> Line<'a> {
    pub(super) fn cells(&self, target: Target) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let fields = self.fields;
        self.columns
            .iter()
            .filter(move |c| c.2 == target)
            .filter_map(move |(at, name, _)| {
                fields.get(*at).map(|text| Cell { column: name, text })
            })
    }

    /// The cell of a meaning, or the map's default; empty text without either.
    pub(super) fn cell(&self, target: Target) -> Cell<'a> {
        let default = self.map.defaults.get(&target);
        let told = || Cell {
            column: target.as_str(),
            text: default.map_or("", String::as_str),
        };
        match self.cells(target).next() {
            Some(cell) if !cell.text.trim().is_empty() || default.is_none() => cell,
            Some(_) | None => told(),
        }
    }

    /// Refuses the first cell with a formula in a column that is read, whatever it means: what a formula gives may be
    /// old, and part of it read as a value would be a guess.
    pub(super) fn no_formula(&self) -> Result<(), RowFault> {
        for (at, column, _) in self.columns {
            let text = self.fields.get(*at).map_or("", String::as_str);
            if text.trim_start().starts_with('=') {
                return Err(self.fault(Cell { column, text }, FORMULA));
            }
        }
        Ok(())
    }

    pub(super) fn given(&self, target: Target) -> bool {
        !self.cell(target).text.trim().is_empty()
    }

    pub(super) fn fault(&self, cell: Cell<'_>, reason: impl Into<String>) -> RowFault {
        RowFault {
            row: self.line,
            column: cell.column.to_owned(),
            value: cut(cell.text),
            reason: reason.into(),
        }
    }

    pub(super) fn parse<T>(
        &self,
        target: Target,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, RowFault> {
        let cell = self.cell(target);
        read(cell.text).map_err(|reason| self.fault(cell, reason))
    }
}
