//! Postal addresses of a debtor.

use crate::ids::{AddressId, ClientId, DebtorId};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// Most addresses of a debtor.
pub const ADDRESSES_MAX: usize = 20;

/// Where letters reach a debtor. Its zone counts as one of his while it is current (law.md §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Identity.
    pub id: AddressId,
    /// Owner.
    pub client_id: ClientId,
    /// Whose.
    pub debtor_id: DebtorId,
    /// Street, number and what else stands on the first lines.
    pub street: Pii<String>,
    /// City.
    pub city: String,
    /// State, province or department; empty where there is none.
    pub region: String,
    /// Postal code; empty where there is none.
    pub postcode: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// Zone there (IANA), when known.
    pub zone: Option<String>,
    /// Where it came from (`import`, `agent`, `debtor`).
    pub source: String,
    /// Proved wrong: no letter goes there, and its zone counts no more.
    pub bad: bool,
    /// When we first had it.
    pub added_at: UtcMs,
    /// When a file or a person last said that it is so; its age tells how far to trust it.
    pub confirmed_at: UtcMs,
}

impl Address {
    /// Whether two say the same place.
    #[must_use]
    pub fn is_place(&self, other: &Self) -> bool {
        let key = |a: &Self| {
            [&a.street.0, &a.city, &a.region, &a.postcode, &a.country]
                .map(|part| part.trim().to_lowercase())
        };
        key(self) == key(other)
    }

    /// As it stands on a letter, line by line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let join = |parts: [&str; 2], by: &str| {
            let full = parts.iter().copied().filter(|p| !p.is_empty());
            full.collect::<Vec<_>>().join(by)
        };
        let town = join([&self.postcode, &self.city], " ");
        let town = join([&town, &self.region], ", ");
        [self.street.0.clone(), town, self.country.clone()]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect()
    }
}
