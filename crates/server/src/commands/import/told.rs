//! What an import tells: its sums, and what the file's columns mean for calling later.

use super::say;
use api::importer::FileShape;
use domain::import::{ColumnMap, Target};
use domain::ports::store::ImportReport;

/// The sums in one line.
pub(super) fn sums(report: &ImportReport, nothing_kept: &str) {
    say(format!(
        "{nothing_kept}{} rows: {} debtors new, {} changed; {} debts new, {} changed; {} phones and e-mails new; {} rows as before; {} refused",
        report.rows,
        report.debtors_new,
        report.debtors_changed,
        report.debts_new,
        report.debts_changed,
        report.points_new,
        report.unchanged,
        report.refused,
    ));
    if report.parties_new > 0 {
        say(format!(
            "  co-debtors and guarantors new: {}",
            report.parties_new
        ));
    }
    if report.consents_granted + report.consents_revoked > 0 {
        say(format!(
            "  consents granted: {}; revoked: {}",
            report.consents_granted, report.consents_revoked
        ));
    }
}

/// What a file would change.
pub(super) fn difference(report: &ImportReport) {
    sums(report, "difference: ");
    for (field, count) in &report.fields {
        say(format!("  {field}: {count} changed"));
    }
    if report.paid + report.gone > 0 {
        say(format!(
            "  paid by the file: {}; open debts that it does not name: {}",
            report.paid, report.gone
        ));
    }
    for (rule, count) in &report.repaired {
        say(format!("  phones mended by {rule}: {count}"));
    }
}

/// What the header leaves out: columns without a meaning, and marks of phones without which some rule
/// packs refuse them.
pub(super) fn notes(shape: &FileShape, map: Option<&ColumnMap>) -> Vec<String> {
    let mut notes = Vec::new();
    if !shape.unknown.is_empty() {
        notes.push(format!("columns not used: {}", shape.unknown.join(", ")));
    }
    let said = |target: Target| {
        shape.map.values().any(|t| *t == target)
            || map.is_some_and(|m| m.defaults.contains_key(&target))
    };
    for (target, meaning, who) in [
        (
            Target::PhoneGivenByDebtor,
            "given by the debtor",
            "the packs of Mexico will not let them be called",
        ),
        (
            Target::PhoneAuthorised,
            "authorised",
            "packs that ask for the debtor's authorisation will not let them be called",
        ),
    ] {
        if !said(target) {
            notes.push(format!(
                "no column '{}': no phone of this file is marked as {meaning}; {who}",
                target.as_str()
            ));
        }
    }
    notes
}

/// The columns a file may have, for the help.
pub(crate) fn columns() -> String {
    let mut text = String::from("Columns (names as here, or known names in Spanish and English):");
    for column in domain::import::columns() {
        let needed = if column.required { " (needed)" } else { "" };
        text += &format!("\n  {:<24}{}{needed}", column.name, column.help_en);
    }
    text
}
