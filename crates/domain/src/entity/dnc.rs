//! External do-not-call lists: kept as keyed hashes, so that nobody can read a list from the database.

use super::{Channel, ContactPoint, Debtor, Suppression, SuppressionKind};
use crate::ids::{ClientId, DncListId, SuppressionId};
use crate::time::UtcMs;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// A list as it was loaded from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DncList {
    /// Identity.
    pub id: DncListId,
    /// Client it binds; `None` binds the installation.
    pub client_id: Option<ClientId>,
    /// Its name, as packs write it (`REPEP`).
    pub name: String,
    /// What is listed: phones or documents.
    pub kind: SuppressionKind,
    /// Key of its hashes, hex; made anew with each load.
    #[serde(skip_serializing, default)]
    pub hash_key: String,
    /// Entries.
    pub entries: i64,
    /// SHA-256 of the file, hex.
    pub file_sha256: String,
    /// The list's own date.
    pub as_of: UtcMs,
    /// Loaded at.
    pub created_at: UtcMs,
    /// No longer asked since: a newer load took its place, or a person ended it.
    pub retired_at: Option<UtcMs>,
}

/// What the engine has to know of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListState {
    /// Name.
    pub name: String,
    /// Client it binds; `None` binds the installation.
    pub client_id: Option<ClientId>,
    /// Its own date.
    pub as_of: UtcMs,
}

/// A value as lists are compared: digits of a phone, letters and digits of a document in capitals.
#[must_use]
pub fn listed_form(kind: SuppressionKind, value: &str) -> String {
    match kind {
        SuppressionKind::Phone => value.chars().filter(char::is_ascii_digit).collect(),
        SuppressionKind::Email => value.trim().to_lowercase(),
        SuppressionKind::Document | SuppressionKind::Person => value
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect(),
    }
}

/// Whether a list of that kind may hold a point's value: addresses are e-mail, anything else is a number.
#[must_use]
pub fn may_hold(kind: SuppressionKind, point: &ContactPoint) -> bool {
    match kind {
        SuppressionKind::Email => point.channel == Channel::Email,
        SuppressionKind::Phone => point.channel != Channel::Email,
        SuppressionKind::Document | SuppressionKind::Person => false,
    }
}

/// A point's value as a list would hold it.
#[must_use]
pub fn point_form(point: &ContactPoint) -> String {
    let kind = match point.channel {
        Channel::Email => SuppressionKind::Email,
        _ => SuppressionKind::Phone,
    };
    listed_form(kind, point.value.reveal())
}

impl Suppression {
    /// The listing, and one like it for each other form in which carriers write its number
    /// ([`forms`](crate::phone::forms)). What the others are called follows from this one.
    #[must_use]
    pub fn in_all_forms(&self) -> Vec<Self> {
        let others = match self.kind {
            SuppressionKind::Phone => crate::phone::forms(self.value.reveal()),
            _ => Vec::new(),
        };
        let other = |form: String| Self {
            id: SuppressionId(Uuid::new_v5(&self.id.0, format!("form:{form}").as_bytes())),
            value: form.into(),
            ..self.clone()
        };
        std::iter::once(self.clone())
            .chain(others.into_iter().skip(1).map(other))
            .collect()
    }

    /// Whether what is listed is the debtor's: his person, his document or one of his points, however they
    /// are written.
    #[must_use]
    pub fn names<'a>(
        &self,
        debtor: &Debtor,
        points: impl IntoIterator<Item = &'a ContactPoint>,
    ) -> bool {
        let listed = listed_form(self.kind, self.value.reveal());
        let is = |value: &str| !listed.is_empty() && listed == listed_form(self.kind, value);
        match self.kind {
            SuppressionKind::Phone | SuppressionKind::Email => points
                .into_iter()
                .any(|p| may_hold(self.kind, p) && is(p.value.reveal())),
            SuppressionKind::Document => is(debtor.document.reveal()),
            SuppressionKind::Person => is(&debtor.person_id.to_string()),
        }
    }
}

/// HMAC-SHA-256 of a value under a list's key, hex. The same value has another hash in every list.
#[must_use]
pub fn keyed_hash(key: &str, kind: SuppressionKind, value: &str) -> String {
    let text = listed_form(kind, value);
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        },
    )
}
