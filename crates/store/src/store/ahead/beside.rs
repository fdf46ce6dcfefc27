//! Reading on several of PostgreSQL's connections side by side, so that what has to come from the disk is waited for at
//! once: of a hundred debtors who were not called for long it is some thousand pages.

use super::super::SqlStore;
use super::super::facts::facts_of_many;
use super::super::items::LIVE;
use super::super::reserve::{Tries, tries};
use crate::sql::{Field as _, Link, vals};
use domain::ids::DebtorId;
use domain::ports::StoreError;
use domain::ports::store::{ContactFacts, ReserveRequest};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Debtors of one look, of several side by side and of one alone, whose statements cost most by their number; powers of
/// two, as lists are.
const PIECE: usize = 16;
const ALONE: usize = 32;
/// Looks side by side where rows come from the disk, or a reservation came to where nobody was read; and for a
/// reservation that waits for them.
const READERS: usize = 6;
const MISSED: usize = 4;
/// Longest that a look takes whose rows are at hand, beside calls.
const QUICK: Duration = Duration::from_millis(40);
/// Of how many times those that are read something has to be known for reading to give way to calls: six reservations
/// are read, and one and a half are there.
const SPARE: usize = 4;
/// Places of the order that are looked at for each debtor to be read: who stands before him may be leased.
const PLACES: u32 = 2;
/// Into how many steps the order of a part is cut where several are read together.
const STEPS: u64 = 1_000;

/// Who is next in a part, by the order's index alone.
const NEXT: &str = "SELECT i.debtor_id FROM campaign_items i \
    WHERE i.campaign_id=$1 AND i.part=$2 AND NOT i.done AND i.awake AND i.next_at<=$3 \
    ORDER BY i.priority DESC, i.rank1 DESC, i.rank2 DESC, i.rank3 DESC, i.rank4 DESC, i.debtor_id LIMIT $4";

/// Who is next in the campaign, those of several parts in turn by their counts; some of them may be leased.
async fn next(look: &mut Link, request: &ReserveRequest) -> Result<Vec<DebtorId>, StoreError> {
    let whole = [request.limit];
    let parts: &[u32] = match request.parts.as_slice() {
        [] | [_] => &whole,
        several => several,
    };
    let mut all: Vec<(u64, DebtorId)> = Vec::new();
    for (part, count) in (0_u32..).zip(parts).filter(|(_, count)| **count > 0) {
        let count = (*count).min(request.limit).max(1);
        let places = count.saturating_mul(PLACES);
        let values = vals![request.campaign.id, part, request.now, places];
        for (n, row) in (0_u64..).zip(&look.rows(NEXT, values).await?) {
            all.push((n * STEPS / u64::from(count), row.get("debtor_id")?));
        }
    }
    all.sort_by_key(|(step, _)| *step);
    Ok(all.into_iter().map(|(_, debtor)| debtor).collect())
}

/// Those whom a reservation would take: it then finds their rows at hand too.
async fn free(
    look: &mut Link,
    request: &ReserveRequest,
    debtors: &[DebtorId],
) -> Result<Vec<DebtorId>, StoreError> {
    let before = format!(
        "SELECT i.debtor_id FROM campaign_items i JOIN persons p ON p.id=i.person_id \
        WHERE i.campaign_id=$1 AND NOT i.done AND i.awake AND p.lease_until<=$2 \
            AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.person_id=i.person_id AND a.{LIVE}) AND i.debtor_id"
    );
    let fixed = [request.campaign.id.val(), request.now.val()];
    let rows = look.rows_in(&before, debtors, "", &fixed).await?;
    rows.iter().map(|row| row.get("debtor_id")).collect()
}

impl SqlStore {
    /// Calls first, while something is known of who comes next.
    async fn give_way(&self, request: &ReserveRequest) {
        if self.known_ahead(request.campaign.id) >= request.limit as usize / SPARE {
            self.ahead.way.clear().await;
        }
    }

    /// Reads who is next, as many as the request's limit.
    pub(super) async fn read_beside(&self, request: &ReserveRequest) -> Result<(), StoreError> {
        self.give_way(request).await;
        let next = next(&mut self.look_ahead().await?, request).await?;
        let missing = self.missing(request, &next);
        let wanted = (request.limit as usize).saturating_sub(next.len() - missing.len());
        let found = &AtomicUsize::new(0);
        let read = |piece: Vec<DebtorId>| async move {
            if found.load(Ordering::Relaxed) >= wanted || self.ahead.is_overtaken() {
                return Ok::<_, StoreError>(Duration::ZERO);
            }
            self.give_way(request).await;
            let begun = Instant::now();
            let mut look = self.look_ahead().await?;
            let free = free(&mut look, request, &piece).await?;
            found.fetch_add(free.len(), Ordering::Relaxed);
            self.read_piece((request, 0), &mut look, &free).await?;
            Ok(begun.elapsed())
        };
        let mut left = missing.as_slice();
        // One behind the other until one of them has waited: several side by side that wait for a core look like
        // several that wait for the disk, and keep calls from it.
        if self.ahead.keeps_up.load(Ordering::Relaxed) {
            while let Some((piece, rest)) = left.split_at_checked(left.len().min(ALONE))
                && !piece.is_empty()
            {
                left = rest;
                if read(piece.to_vec()).await? >= QUICK {
                    break;
                }
            }
        }
        let pieces = left.chunks(PIECE).map(|piece| Ok(piece.to_vec()));
        stream::iter(pieces)
            .try_for_each_concurrent(READERS, |piece| async { read(piece).await.map(drop) })
            .await?;
        let keeps_up = !self.ahead.is_overtaken();
        self.ahead.keeps_up.store(keeps_up, Ordering::Relaxed);
        Ok(())
    }

    /// Facts and attempts of debtors of a reservation of whom nothing is known, by the same connections: they have the
    /// plans. Their leases are taken: whoever changed something of them before is seen.
    pub(in super::super) async fn missed(
        &self,
        request: &ReserveRequest,
        debtors: &[DebtorId],
    ) -> Result<(Vec<ContactFacts>, Tries), StoreError> {
        let read = |piece: Vec<DebtorId>| async move {
            let mut look = self.look_ahead().await?;
            let facts = facts_of_many(&mut look, &piece, request.now).await?;
            let tries = tries(&mut look, request.campaign.id, &piece).await?;
            Ok::<_, StoreError>((facts, tries))
        };
        let each = debtors.len().div_ceil(MISSED).clamp(1, 2 * PIECE);
        let pieces: Vec<Vec<DebtorId>> = debtors.chunks(each).map(<[_]>::to_vec).collect();
        let mut read = stream::iter(pieces).map(read).buffer_unordered(MISSED);
        let (mut facts, mut tries) = (Vec::with_capacity(debtors.len()), Tries::new());
        while let Some((of_piece, tries_of_piece)) = read.try_next().await? {
            facts.extend(of_piece);
            tries.extend(tries_of_piece);
        }
        Ok((facts, tries))
    }
}
