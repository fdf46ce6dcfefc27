//! What a row of a file of consents makes of the consents that a debtor has. The order in which grants and
//! revocations come does not matter: each counts from its own date.

use crate::entity::{Channel, Consent};
use crate::ids::{ConsentId, DebtorId};
use crate::ports::store::{FieldChange, ImportReport, RowFault};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a consent may be for ([`Consent::purpose`]). Two are no wish of his, but what was done: his number was checked,
/// the notice that the law asks for went out.
pub const PURPOSES: &[&str] = &[
    "contact",
    "call_within_7_days",
    "prerecorded",
    "wider_hours",
    "information_request",
    "number_check",
    "validation_notice",
    "recording",
];

crate::text_enum! {
    /// What a row says.
    pub enum ConsentAct {
        /// He allowed it.
        Granted = "granted",
        /// He took it back.
        Revoked = "revoked",
    }
}

/// By what a row names its debtor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentDebtor {
    /// The client's key of him.
    Ref(String),
    /// His document, in the form in which documents are compared; of one debtor of the portfolio alone.
    Document(String),
}

/// A validated row of a file of consents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRow {
    /// Identity of the consent that it may make.
    pub id: ConsentId,
    /// Line in the file, 1 = header.
    pub line: u64,
    /// The column that names the debtor, for refusals.
    pub column: String,
    /// Whose.
    pub debtor: ConsentDebtor,
    /// Channel.
    pub channel: Channel,
    /// One of [`PURPOSES`].
    pub purpose: String,
    /// What is said.
    pub act: ConsentAct,
    /// From when.
    pub at: UtcMs,
    /// Ends at, of a grant that has an end.
    pub until: Option<UtcMs>,
    /// Reference to the document or recording that proves it.
    pub proof: String,
}

/// What a row did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The consent that it made.
    pub made: Option<ConsentId>,
    /// Consents that it changed, as they stood before.
    pub changed: Vec<Consent>,
}

impl Applied {
    /// Whether everything stood there already.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.made.is_none() && self.changed.is_empty()
    }
}

/// The consents of a batch of rows: whose they are, and what is known of them.
#[derive(Debug, Clone, Default)]
pub struct ConsentBook {
    /// Debtors of the portfolio by how rows name them.
    pub debtors: BTreeMap<ConsentDebtor, Vec<DebtorId>>,
    /// All consents of these debtors.
    pub consents: BTreeMap<DebtorId, Vec<Consent>>,
}

impl ConsentBook {
    /// Takes a row, and adds what it does to the file's report.
    ///
    /// # Errors
    /// Its debtor is not in the portfolio, or is not one alone.
    pub fn take(
        &mut self,
        row: &ConsentRow,
        report: &mut ImportReport,
    ) -> Result<(DebtorId, Applied), RowFault> {
        let value = match &row.debtor {
            ConsentDebtor::Ref(text) | ConsentDebtor::Document(text) => text,
        };
        let fault = |reason: &str| RowFault {
            row: row.line,
            column: row.column.clone(),
            value: value.clone(),
            reason: reason.to_owned(),
        };
        let debtor = match self.debtors.get(&row.debtor).map(Vec::as_slice) {
            Some([one]) => *one,
            None | Some([]) => return Err(fault("no such debtor in the portfolio")),
            Some(_) => {
                return Err(fault(
                    "several debtors of the portfolio have this document: merge them, or name the client's key",
                ));
            }
        };
        let known = self.consents.entry(debtor).or_default();
        let applied = apply(known, row, debtor);
        match (row.act, applied.is_nothing()) {
            (_, true) => report.unchanged += 1,
            (ConsentAct::Granted, false) => report.consents_granted += 1,
            (ConsentAct::Revoked, false) => report.consents_revoked += 1,
        }
        for before in &applied.changed {
            report.change(FieldChange {
                row: row.line,
                debt_ref: value.clone(),
                field: format!("consent.{}", before.channel),
                before: format!("{} {}", ConsentAct::Granted, before.granted_at),
                after: format!("{} {}", ConsentAct::Revoked, row.at),
            });
        }
        Ok((debtor, applied))
    }
}

/// Applies a row to all the consents that are known of the debtor. A revocation of what nobody recorded is kept as
/// a consent that ended as it began: it takes back what the portfolio's own file said of the channel.
pub fn apply(known: &mut Vec<Consent>, row: &ConsentRow, debtor: DebtorId) -> Applied {
    let same = |c: &Consent| c.channel == row.channel && c.purpose == row.purpose;
    let mut fresh = Consent {
        id: row.id,
        debtor_id: debtor,
        channel: row.channel,
        purpose: row.purpose.clone(),
        granted_at: row.at,
        until: row.until,
        revoked_at: None,
        proof: row.proof.clone(),
        revoke_proof: None,
    };
    let mut applied = Applied::default();
    match row.act {
        ConsentAct::Granted => {
            let stands = |c: &Consent| {
                same(c) && (c.granted_at, c.until) == (row.at, row.until) && c.proof == row.proof
            };
            if known.iter().any(stands) {
                return applied;
            }
            // What was taken back behind this date is so.
            let ended = known.iter().filter(|c| same(c));
            let ended = ended.filter_map(|c| Some((c.revoked_at?, c.revoke_proof.clone())));
            if let Some((at, proof)) = ended.filter(|(at, _)| *at >= row.at).min() {
                (fresh.revoked_at, fresh.revoke_proof) = (Some(at), proof);
            }
        }
        ConsentAct::Revoked => {
            let stands = |c: &Consent| {
                same(c)
                    && c.granted_at <= row.at
                    && c.revoked_at.is_none()
                    && c.until.is_none_or(|end| row.at < end)
            };
            for consent in known.iter_mut().filter(|c| stands(c)) {
                applied.changed.push(consent.clone());
                consent.revoked_at = Some(row.at);
                consent.revoke_proof = Some(row.proof.clone());
            }
            let told = |c: &Consent| same(c) && c.revoked_at == Some(row.at);
            if known.iter().any(told) {
                return applied;
            }
            fresh.until = None;
            fresh.revoked_at = Some(row.at);
            fresh.revoke_proof = Some(row.proof.clone());
        }
    }
    applied.made = Some(row.id);
    known.push(fresh);
    applied
}

/// Whether a debtor took back something between two looks at his consents: one that stood does no more, be it that
/// its grant was undone, or a revocation came that nobody knew of.
#[must_use]
pub fn took_back(before: &[Consent], after: &[Consent]) -> bool {
    let of = |list: &[Consent], id: ConsentId| list.iter().find(|c| c.id == id).cloned();
    let stood = |c: &Consent| c.revoked_at.is_none();
    let lost = |c: &Consent| stood(c) && of(after, c.id).as_ref().is_none_or(|now| !stood(now));
    let told = |c: &Consent| !stood(c) && of(before, c.id).is_none();
    before.iter().any(lost) || after.iter().any(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row(act: ConsentAct, at: i64, proof: &str) -> ConsentRow {
        ConsentRow {
            id: ConsentId(Uuid::from_u64_pair(at.unsigned_abs(), proof.len() as u64)),
            line: 2,
            column: "external_ref".into(),
            debtor: ConsentDebtor::Ref("D1".into()),
            channel: Channel::Sms,
            purpose: "contact".into(),
            act,
            at: UtcMs(at),
            until: None,
            proof: proof.into(),
        }
    }

    fn run(rows: &[ConsentRow]) -> Vec<Consent> {
        let mut known = Vec::new();
        for row in rows {
            apply(&mut known, row, DebtorId(Uuid::nil()));
        }
        known
    }

    /// Whether the channel is allowed at an instant.
    fn allowed(known: &[Consent], now: i64) -> bool {
        known
            .iter()
            .any(|c| c.granted_at.0 <= now && c.revoked_at.is_none_or(|t| now < t.0))
    }

    #[test]
    fn grants_and_revocations_count_from_their_dates_in_any_order() {
        use ConsentAct::{Granted, Revoked};
        let rows = [
            row(Granted, 10, "a"),
            row(Revoked, 20, "b"),
            row(Granted, 30, "c"),
        ];
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let known = run(&order.map(|n| rows[n].clone()));
            let when: Vec<bool> = [5, 15, 25, 35]
                .iter()
                .map(|t| allowed(&known, *t))
                .collect();
            assert_eq!(when, [false, true, false, true], "{order:?}");
            let ended: Vec<_> = known
                .iter()
                .filter_map(|c| c.revoke_proof.as_deref())
                .collect();
            assert!(
                ended.iter().all(|p| *p == "b") && !ended.is_empty(),
                "{order:?}"
            );
        }
    }

    #[test]
    fn the_same_row_again_changes_nothing() {
        use ConsentAct::{Granted, Revoked};
        for rows in [vec![row(Granted, 10, "a")], vec![row(Revoked, 10, "a")]] {
            let mut known = run(&rows);
            let before = known.clone();
            assert!(apply(&mut known, &rows[0], DebtorId(Uuid::nil())).is_nothing());
            assert_eq!(known, before);
        }
    }

    #[test]
    fn who_took_something_back_is_told_from_who_gave_or_kept_it() {
        use ConsentAct::{Granted, Revoked};
        let none: Vec<Consent> = run(&[]);
        let given = run(&[row(Granted, 10, "a")]);
        let ended = run(&[row(Granted, 10, "a"), row(Revoked, 20, "b")]);
        let refused = run(&[row(Revoked, 20, "b")]);
        assert!(took_back(&given, &ended), "revoked");
        assert!(took_back(&given, &none), "its grant was undone");
        assert!(took_back(&none, &refused), "what nobody had recorded");
        assert!(!took_back(&none, &given) && !took_back(&given, &given));
        assert!(!took_back(&ended, &ended) && !took_back(&refused, &refused));
        assert!(!took_back(&ended, &given), "a revocation that was undone");
    }

    #[test]
    fn another_channel_or_purpose_stays() {
        let mut other = row(ConsentAct::Granted, 10, "a");
        other.channel = Channel::Email;
        let mut voice = row(ConsentAct::Granted, 10, "a");
        voice.purpose = "prerecorded".into();
        let known = run(&[other, voice, row(ConsentAct::Revoked, 20, "b")]);
        assert_eq!(known.iter().filter(|c| c.revoked_at.is_none()).count(), 2);
        assert_eq!(known.len(), 3, "what nobody granted is kept as taken back");
    }
}
