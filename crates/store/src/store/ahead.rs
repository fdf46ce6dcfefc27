//! What is read ahead, beside the writer, of the debtors who are next in a campaign's order: a reservation then holds
//! the writer for their leases alone. It is used as long as nothing was written that it was made of (`sql::changes`,
//! `ahead/versions.rs` on PostgreSQL). What a reservation told serves SQLite's attempt in the same way (`ahead/kept.rs`).

mod beside;
mod kept;
mod versions;
mod way;
pub(super) use kept::Mark;
pub(super) use versions::versions_with;

use super::SqlStore;
use super::facts::facts_of_many;
use super::reserve::{Hold, Tries, due_of_parts, tries};
use crate::sql::{Batch, Dialect, Key, Link, key, row_key};
use domain::entity::dnc::{listed_form, point_form};
use domain::entity::{Campaign, SuppressionKind};
use domain::ids::{CampaignId, DebtorId, PointId};
use domain::law::LEDGER_DAYS;
use domain::ports::StoreError;
use domain::ports::store::{ContactFacts, ReserveRequest};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Debtors read ahead, of those that one reservation asked for.
const TIMES: u32 = 6;
/// Nobody reads while this is left of them.
const ENOUGH: u32 = 3;
/// Most of them.
const AHEAD_MAX: u32 = 600;
/// Debtors read ahead of a campaign that is filled: a hopper's worth; more on PostgreSQL, whose rows may be on another
/// machine's disk.
const HEAD: u32 = 200;
const PG_HEAD: u32 = 400;
/// Debtors of the same statements: whoever reserves sees one piece while the next is read.
const PIECE: usize = 64;
/// Longest that one look lasts while pieces are read.
const LOOK_LASTS: Duration = Duration::from_millis(200);
/// Debtors kept, over all campaigns (4 kB each), and how long.
const KEPT_MAX: usize = 2_048;
const KEPT_MS: i64 = 2 * MINUTE_MS;
/// The same on PostgreSQL: what a call with another who has his number came to is not seen by the debtor's row.
const PG_KEPT_MS: i64 = 30_000;

/// How many debtors reservations told since the start, and of how many of them the facts had to be read by the
/// reservation itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AheadCounts {
    /// All of them.
    pub told: u64,
    /// Those not read ahead, or changed since.
    pub missed: u64,
}

/// What is known of debtors who may be reserved soon.
#[derive(Default)]
pub(super) struct Ahead {
    told: AtomicU64,
    missed: AtomicU64,
    known: Mutex<HashMap<(CampaignId, DebtorId), Early>>,
    /// The last reservation behind which nobody has read yet.
    wanted: Mutex<Option<Wanted>>,
    /// Somebody reads.
    reading: AtomicBool,
    /// No reservation came to where nothing was read, the last time (PostgreSQL).
    keeps_up: AtomicBool,
    reserved: kept::Reserved,
    /// Steps of calls, for which reading gives way (PostgreSQL).
    pub(super) way: way::Way,
}

/// What is to be read behind a reservation.
struct Wanted {
    request: ReserveRequest,
    /// It did not find everybody: whoever reads is behind it.
    overtaken: bool,
}

/// One debtor as he was read.
struct Early {
    facts: ContactFacts,
    tries: Vec<(PointId, i32)>,
    at: UtcMs,
    /// The change behind which he was read; on PostgreSQL the version of his row.
    since: u64,
    /// What may make it wrong; on PostgreSQL what he has in common with others, as it was.
    keys: Vec<Key>,
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}

/// Ends the reading, however it ends.
struct Reading(Arc<Ahead>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.reading.store(false, Ordering::Release);
    }
}

impl Ahead {
    fn held(&self) -> MutexGuard<'_, HashMap<(CampaignId, DebtorId), Early>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> MutexGuard<'_, Option<Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a reservation has come to where nothing was read yet.
    fn is_overtaken(&self) -> bool {
        self.wanted().as_ref().is_some_and(|w| w.overtaken)
    }

    /// One reservation more.
    pub(super) fn counts(&self, told: usize, missed: usize) {
        let add = |to: &AtomicU64, n: usize| to.fetch_add(n as u64, Ordering::Relaxed);
        add(&self.told, told);
        add(&self.missed, missed);
    }

    /// Whether who has just ended has to begin again: who asked after he had looked for the last time, and before
    /// he said that he ends, counts on him.
    fn goes_on(&self) -> bool {
        let wanted = self.wanted().is_some();
        wanted && !self.reading.swap(true, Ordering::AcqRel)
    }
}

/// By which changes facts are made wrong: of the debtor's rows, of his person, of his numbers and of what lists say.
fn keys_of(facts: &ContactFacts, rowid: i64) -> Vec<Key> {
    let debtor = &facts.debtor;
    let mut keys = vec![
        row_key(rowid),
        key(debtor.id.0.as_bytes()),
        key(debtor.person_id.0.as_bytes()),
    ];
    let person = debtor.person_id.to_string();
    let document = debtor.document.reveal();
    for (kind, value) in [
        (SuppressionKind::Person, &person),
        (SuppressionKind::Document, document),
    ] {
        keys.push(key(listed_form(kind, value).as_bytes()));
    }
    for point in &facts.points {
        keys.push(key(point.value.reveal().as_bytes()));
        keys.push(key(point_form(point).as_bytes()));
    }
    keys
}

/// Leaves at most so many, those read last.
fn thin(known: &mut HashMap<(CampaignId, DebtorId), Early>, most: usize) {
    let Some(over) = known.len().checked_sub(most + 1) else {
        return;
    };
    let mut at: Vec<UtcMs> = known.values().map(|early| early.at).collect();
    let (_, last, _) = at.select_nth_unstable(over);
    let last = *last;
    known.retain(|_, early| early.at > last);
}

async fn rowids(
    tx: &mut Link,
    debtors: &[DebtorId],
) -> Result<BTreeMap<DebtorId, i64>, StoreError> {
    let before = "SELECT id, rowid AS n FROM debtors WHERE id";
    let rows = tx.rows_in(before, debtors, "", &[]).await?;
    rows.iter()
        .map(|row| Ok((row.get("id")?, row.get("n")?)))
        .collect()
}

impl SqlStore {
    /// What became of reading ahead.
    #[must_use]
    pub fn ahead_counts(&self) -> AheadCounts {
        AheadCounts {
            told: self.ahead.told.load(Ordering::Relaxed),
            missed: self.ahead.missed.load(Ordering::Relaxed),
        }
    }

    /// Of debtors about to be reserved, what was read ahead and still stands, in the transaction of the reservation;
    /// PostgreSQL's leases are written with it.
    pub(super) async fn early(
        &self,
        tx: &mut Link,
        request: &ReserveRequest,
        debtors: &[DebtorId],
        leases: Batch,
    ) -> Result<(Vec<ContactFacts>, Vec<Mark>, Tries), StoreError> {
        let (mut facts, mut marks, mut tries) = (Vec::new(), Vec::new(), Tries::new());
        let standing = match self.dialect() {
            Dialect::Lite => self.early_changes(request, debtors),
            Dialect::Pg => self.early_versions(tx, request, debtors, leases).await?,
        };
        let oldest = request.now.plus_ms(-i64::from(LEDGER_DAYS) * DAY_MS);
        for mut early in standing {
            let debtor = early.facts.debtor.id;
            early.facts.ledger.retain(|row| row.at >= oldest);
            facts.push(early.facts);
            tries.insert(debtor, early.tries);
            // PostgreSQL's attempt reads all anew.
            if self.dialect() == Dialect::Lite {
                marks.push(Mark {
                    debtor,
                    since: early.since,
                    keys: early.keys,
                });
            }
        }
        Ok((facts, marks, tries))
    }

    /// The same by what SQLite's writer has changed; for who holds it.
    fn early_changes(&self, request: &ReserveRequest, debtors: &[DebtorId]) -> Vec<Early> {
        let Some(changes) = self.changes() else {
            return Vec::new();
        };
        changes.watch();
        let mut known = self.ahead.held();
        let taken = debtors
            .iter()
            .filter_map(|debtor| known.remove(&(request.campaign.id, *debtor)));
        taken
            .filter(|early| {
                self.is_fresh(early.at, request.now) && changes.stands(early.since, &early.keys)
            })
            .collect()
    }

    /// Whether what was read `at` may be told `now`, if it stands.
    fn is_fresh(&self, at: UtcMs, now: UtcMs) -> bool {
        let kept = match self.dialect() {
            Dialect::Lite => KEPT_MS,
            Dialect::Pg => PG_KEPT_MS,
        };
        (0..kept).contains(&(now.0 - at.0))
    }

    /// The change behind which somebody who begins to read now reads; none where they are not told, or too many.
    fn seen(&self) -> Option<u64> {
        match self.changes() {
            Some(changes) => changes.now(),
            // Versions are read with the rows.
            None => Some(0),
        }
    }

    /// Whether the next reservations will find whom they ask for, as the last one did that `missed` nobody.
    fn is_ahead(&self, request: &ReserveRequest, missed: usize) -> bool {
        let enough = request.limit.min(AHEAD_MAX / TIMES).saturating_mul(ENOUGH);
        missed == 0 && self.known_ahead(request.campaign.id) >= enough as usize
    }

    /// Of how many of a campaign something is known.
    fn known_ahead(&self, campaign: CampaignId) -> usize {
        let known = self.ahead.held();
        known.keys().filter(|(of, _)| *of == campaign).count()
    }

    /// Reads who comes first in a campaign that is filled, so that its first reservation finds them; `parts` segments
    /// make it. For who does not hold the writer.
    pub(super) async fn read_head(&self, campaign: &Campaign, parts: usize, now: UtcMs) {
        if self.seen().is_none() {
            return;
        }
        let head = match self.dialect() {
            Dialect::Lite => HEAD,
            Dialect::Pg => PG_HEAD,
        };
        let each = head.div_ceil(u32::try_from(parts).unwrap_or(1).max(1));
        let request = ReserveRequest {
            campaign: campaign.clone(),
            node: String::new(),
            fence: 0,
            limit: head,
            parts: vec![each; parts],
            agreed_max: None,
            now,
            until: now,
        };
        if let Err(error) = self.read_next(&request).await {
            tracing::debug!(%error, "nothing read ahead");
        }
    }

    /// Begins to read who is next, behind a reservation that `missed` some; who reads already goes on with it.
    pub(super) fn read_ahead(&self, request: &ReserveRequest, missed: usize) {
        if self.is_ahead(request, missed) {
            return;
        }
        let mut request = request.clone();
        request.limit = request.limit.saturating_mul(TIMES).min(AHEAD_MAX);
        for part in &mut request.parts {
            *part = part.saturating_mul(TIMES);
        }
        *self.ahead.wanted() = Some(Wanted {
            request,
            overtaken: missed > 0,
        });
        if self.ahead.reading.swap(true, Ordering::Acquire) {
            return;
        }
        let (store, mut reading) = (self.clone(), Reading(self.ahead.clone()));
        self.readers.spawn(async move {
            loop {
                store.read_wanted().await;
                drop(reading);
                if !store.ahead.goes_on() {
                    return;
                }
                reading = Reading(store.ahead.clone());
            }
        });
    }

    /// Reads until nothing is asked for.
    async fn read_wanted(&self) {
        loop {
            let Some(wanted) = self.ahead.wanted().take() else {
                return;
            };
            if let Err(error) = self.read_next(&wanted.request).await {
                // The reservation reads them itself.
                tracing::debug!(%error, "nothing read ahead");
            }
        }
    }

    /// Piece by piece, for as long in one look as the log may wait to be folded past what it sees: the upper levels of
    /// the indices are then read once. Where a reservation overtakes it the rest is for nobody.
    async fn read_next(&self, request: &ReserveRequest) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Pg {
            return self.read_beside(request).await;
        }
        let Some(mut since) = self.seen() else {
            return Ok(());
        };
        let (mut look, mut begun) = (self.look().await?, Instant::now());
        let next = due_of_parts(&mut look, request, Hold::None).await?;
        let next: Vec<DebtorId> = next.into_iter().map(|due| due.item.debtor_id).collect();
        let missing = self.missing(request, &next);
        for piece in missing.chunks(PIECE) {
            if begun.elapsed() > LOOK_LASTS {
                drop(look);
                // Before the look: what is committed behind this number is seen, or counts as changed.
                let Some(now) = self.seen() else {
                    return Ok(());
                };
                since = now;
                (look, begun) = (self.look().await?, Instant::now());
            }
            self.read_piece((request, since), &mut look, piece).await?;
            if self.ahead.is_overtaken() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Those of whom nothing is known that stands. What is old goes.
    fn missing(&self, request: &ReserveRequest, next: &[DebtorId]) -> Vec<DebtorId> {
        let mut known = self.ahead.held();
        known.retain(|_, early| self.is_fresh(early.at, request.now));
        thin(&mut known, KEPT_MAX.saturating_sub(next.len()));
        let stands = |debtor: &DebtorId| {
            let early = known.get(&(request.campaign.id, *debtor));
            // On PostgreSQL the reservation alone asks.
            early.is_some_and(|early| {
                self.changes()
                    .is_none_or(|c| c.stands(early.since, &early.keys))
            })
        };
        next.iter().filter(|id| !stands(id)).copied().collect()
    }

    async fn read_piece(
        &self,
        (request, since): (&ReserveRequest, u64),
        look: &mut Link,
        debtors: &[DebtorId],
    ) -> Result<(), StoreError> {
        let campaign = request.campaign.id;
        let facts = facts_of_many(look, debtors, request.now).await?;
        let mut tries = tries(look, campaign, debtors).await?;
        let marks = match self.dialect() {
            Dialect::Lite => Self::marks_of(look, Some(since), &facts).await?,
            Dialect::Pg => versions::marks(look, &facts).await?,
        };
        let mut marks: BTreeMap<DebtorId, Mark> =
            marks.into_iter().map(|mark| (mark.debtor, mark)).collect();
        let mut known = self.ahead.held();
        for facts in facts {
            let debtor = facts.debtor.id;
            let Some(mark) = marks.remove(&debtor) else {
                continue;
            };
            // Who was reserved meanwhile is not asked for again soon.
            if self.ahead.reserved.has(debtor) {
                continue;
            }
            let early = Early {
                facts,
                tries: tries.remove(&debtor).unwrap_or_default(),
                at: request.now,
                since: mark.since,
                keys: mark.keys,
            };
            known.insert((campaign, debtor), early);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "ahead_tests.rs"]
mod tests;
