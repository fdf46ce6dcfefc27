//! What becomes of a recording once it is sealed: where it is, how long it stays, who forbids its end.

use crate::ids::{AttemptId, ClientId, RecordingId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Where the stored file is.
    pub enum RecordingPlace {
        /// In the folder of the node that wrote it.
        Local = "local",
        /// In the object store, read back and compared; the node's folder needs it no more.
        Store = "store",
        /// Its end was decided; it may be half gone.
        Deleting = "deleting",
        /// Gone; this row is what is left.
        Deleted = "deleted",
    }
}

crate::text_enum! {
    /// Class that decides how long a recording stays (law.md §6).
    pub enum RetentionClass {
        /// Any other call.
        Call = "call",
        /// Proof of something agreed: a promise, a plan, a payment.
        Agreement = "agreement",
        /// A dispute, a complaint, a wish to be left alone.
        Dispute = "dispute",
    }
}

impl RetentionClass {
    /// The class of a call by its disposition (terms.md §4).
    #[must_use]
    pub fn of(disposition: Option<&str>) -> Self {
        let code = disposition.unwrap_or_default();
        let is = |list: &[&str]| {
            list.iter().any(|c| {
                code.strip_prefix(c)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if is(&["CD.PP", "CD.CP", "CD.PR", "CD.YP"]) {
            Self::Agreement
        } else if is(&["CD.DI", "CD.NC", "CD.AB"]) {
            Self::Dispute
        } else {
            Self::Call
        }
    }
}

/// Care for one recording; made when it is sealed, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingKeep {
    /// The recording.
    pub id: RecordingId,
    /// Owner.
    pub client_id: ClientId,
    /// Attempt.
    pub attempt_id: AttemptId,
    /// Node whose folder it was written to.
    pub node: String,
    /// Where it is.
    pub place: RecordingPlace,
    /// SHA-256 of the stored bytes, hex: what the object store is compared with, needs no key.
    pub stored_sha256: String,
    /// Stored bytes.
    pub stored_bytes: i64,
    /// Class; known once its end is planned.
    pub class: Option<RetentionClass>,
    /// From when it may be deleted; known once planned.
    pub delete_after: Option<UtcMs>,
    /// Legal hold since.
    pub held_at: Option<UtcMs>,
    /// Who holds it (`user:…`).
    pub held_by: Option<String>,
    /// Why.
    pub hold_reason: Option<String>,
    /// Tries to bring it to the object store that failed.
    pub tries: i32,
    /// Not brought there before.
    pub next_try_at: UtcMs,
    /// Sealed and taken into care.
    pub kept_at: UtcMs,
    /// Gone since.
    pub deleted_at: Option<UtcMs>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_follows_from_the_disposition() {
        for (code, class) in [
            (None, RetentionClass::Call),
            (Some("NC.BZ"), RetentionClass::Call),
            (Some("CD.PP"), RetentionClass::Agreement),
            (Some("CD.PP.TOTAL"), RetentionClass::Agreement),
            (Some("CD.PPX"), RetentionClass::Call),
            (Some("CD.DI.FRAUDE"), RetentionClass::Dispute),
            (Some("CD.NC"), RetentionClass::Dispute),
        ] {
            assert_eq!(RetentionClass::of(code), class, "{code:?}");
        }
    }
}
