//! Values of stored rows that a file changes, field by field.

use crate::entity::{ContactPoint, Debt, Debtor};

/// Values of a stored row that a file changes: field, before, after.
#[must_use]
pub fn debt_changes(stored: &Debt, fresh: &Debt) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    let mut differ = |field, before: String, after: String| {
        if before != after {
            found.push((field, before, after));
        }
    };
    macro_rules! fields {
        ($($name:literal $field:ident),+ $(,)?) => {
            $( differ($name, stored.$field.to_string(), fresh.$field.to_string()); )+
        };
    }
    fields!(
        "debt.principal" principal_minor, "debt.interest" interest_minor, "debt.fees" fees_minor,
        "debt.overdue" overdue_minor, "debt.minimum" minimum_minor, "debt.due_date" due_date,
        "debt.product" product, "debt.currency" currency, "debt.status" status,
        "debt.debtor" debtor_id,
    );
    let statute = |d: &Debt| d.statute_date.clone().unwrap_or_default();
    differ("debt.statute_date", statute(stored), statute(fresh));
    found
}

/// As [`debt_changes`], of a debtor.
#[must_use]
pub fn debtor_changes(stored: &Debtor, fresh: &Debtor) -> Vec<(&'static str, String, String)> {
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let pairs = [
        (
            "debtor.name",
            stored.name.reveal().clone(),
            fresh.name.reveal().clone(),
        ),
        (
            "debtor.document",
            stored.document.reveal().clone(),
            fresh.document.reveal().clone(),
        ),
        (
            "debtor.kind",
            stored.kind.to_string(),
            fresh.kind.to_string(),
        ),
        (
            "debtor.country",
            stored.country.clone(),
            fresh.country.clone(),
        ),
        (
            "debtor.subdivision",
            text(&stored.subdivision),
            text(&fresh.subdivision),
        ),
        (
            "debtor.language",
            stored.language.to_string(),
            fresh.language.to_string(),
        ),
        (
            "debtor.address_zone",
            text(&stored.address_zone),
            text(&fresh.address_zone),
        ),
        (
            "debtor.person",
            stored.person_id.to_string(),
            fresh.person_id.to_string(),
        ),
    ];
    pairs.into_iter().filter(|(_, a, b)| a != b).collect()
}

/// As [`debt_changes`], of a point.
#[must_use]
pub fn point_changes(
    stored: &ContactPoint,
    fresh: &ContactPoint,
) -> Vec<(&'static str, String, String)> {
    let pairs = [
        (
            "point.class",
            stored.class.to_string(),
            fresh.class.to_string(),
        ),
        ("point.source", stored.source.clone(), fresh.source.clone()),
        (
            "point.given",
            stored.given_by_debtor.to_string(),
            fresh.given_by_debtor.to_string(),
        ),
        (
            "point.authorised",
            stored.authorised.to_string(),
            fresh.authorised.to_string(),
        ),
        (
            "point.confidence",
            stored.confidence.to_string(),
            fresh.confidence.to_string(),
        ),
        (
            "point.position",
            stored.position.to_string(),
            fresh.position.to_string(),
        ),
        (
            "point.role",
            stored.role.to_string(),
            fresh.role.to_string(),
        ),
    ];
    pairs.into_iter().filter(|(_, a, b)| a != b).collect()
}
