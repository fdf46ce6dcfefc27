//! Reservations: leases, and what is told of those reserved.

use super::SqlStore;
use super::ahead::Mark;
use super::contacts::is_stopped;
use super::facts::facts_of_many;
use super::items::{LIVE, check_fence};
use super::wake;
use crate::rows::Entity as _;
use crate::sql::{Batch, Changes, Dialect, Field as _, Link, holes, vals};
use domain::ids::{CampaignId, DebtorId, PersonId, PointId};
use domain::ports::StoreError;
use domain::ports::store::{CALLBACK_PRIORITY, Candidate, ContactFacts, ItemState, ReserveRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Most debtors of one reservation.
const RESERVE_MAX: u32 = 1_000;
/// Most leases of one list of values.
const LEASES_PIECE: usize = 512;
/// Least debtors of PostgreSQL's statements of a reservation, fewer come several times: they are the same statements then,
/// whose plans a connection has.
pub(super) const RESERVED_TOGETHER: usize = 128;

/// Attempts of each debtor by point.
pub(super) type Tries = BTreeMap<DebtorId, Vec<(PointId, i32)>>;

/// A debtor about to be reserved.
pub(super) struct Due {
    person: PersonId,
    pub(super) item: ItemState,
    part: u32,
}

/// Whether PostgreSQL holds the rows of the persons that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Until the end of the transaction, and passes over those that another node is just taking.
    Persons,
    /// They are read alone.
    None,
}

/// Due items of one part in campaign order whose person is free; of agreed call-backs no more than the request wants.
async fn due_items(
    tx: &mut Link,
    request: &ReserveRequest,
    (part, limit): (u32, u32),
    hold: Hold,
) -> Result<Vec<Due>, StoreError> {
    let mut persons = BTreeSet::new();
    let Some(most) = request.agreed_max else {
        let all = due_where(tx, request, (part, ""), (limit, hold)).await?;
        return Ok(once(all, &mut persons).collect());
    };
    let agreed = format!(" AND i.priority>={CALLBACK_PRIORITY}");
    let first = due_where(tx, request, (part, &agreed), (limit.min(most), hold)).await?;
    let mut found: Vec<Due> = once(first, &mut persons).collect();
    let left = u32::try_from(found.len()).map_or(0, |n| limit.saturating_sub(n));
    let others = format!(" AND i.priority<{CALLBACK_PRIORITY}");
    let rest = due_where(tx, request, (part, &others), (left, hold)).await?;
    found.extend(once(rest, &mut persons));
    Ok(found)
}

/// Two debtors of one person: the first of them.
fn once(all: Vec<Due>, persons: &mut BTreeSet<PersonId>) -> impl Iterator<Item = Due> {
    all.into_iter()
        .filter(move |due| persons.insert(due.person))
}

/// Those of one part whom `which` names.
async fn due_where(
    tx: &mut Link,
    request: &ReserveRequest,
    (part, which): (u32, &str),
    (limit, hold): (u32, Hold),
) -> Result<Vec<Due>, StoreError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let cols: Vec<String> = ItemState::COLUMNS
        .iter()
        .map(|c| format!("i.{c}"))
        .collect();
    let sql = format!(
        "SELECT {}, i.person_id FROM campaign_items i JOIN persons p ON p.id=i.person_id \
        WHERE i.campaign_id=$1 AND i.part=$4 AND NOT i.done AND i.awake AND i.next_at<=$2 AND p.lease_until<=$2{which} \
            AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.person_id=i.person_id AND a.{LIVE}) \
        ORDER BY i.priority DESC, i.rank1 DESC, i.rank2 DESC, i.rank3 DESC, i.rank4 DESC, i.debtor_id \
        LIMIT $3{}",
        cols.join(","),
        match hold {
            Hold::Persons => tx.pg_only(" FOR UPDATE OF p SKIP LOCKED"),
            Hold::None => "",
        }
    );
    let values = vals![request.campaign.id, request.now, limit, part];
    let rows = tx.rows(sql, values).await?;
    rows.iter()
        .map(|row| {
            let person = row.get("person_id")?;
            let item = ItemState::read(row)?;
            Ok(Due { person, item, part })
        })
        .collect()
}

/// No more agreed call-backs than the request wants, whichever parts they came by.
fn few_agreed(taken: &mut Vec<Due>, request: &ReserveRequest) {
    let mut left = request.agreed_max.unwrap_or(u32::MAX);
    taken.retain(|due| {
        let agreed = due.item.priority >= CALLBACK_PRIORITY;
        let stays = !agreed || left > 0;
        left -= u32::from(agreed && stays);
        stays
    });
}

/// Due items of all parts by the counts asked for. Each part is looked through for as many as the whole
/// may need, so that what one cannot give comes from the others.
pub(super) async fn due_of_parts(
    tx: &mut Link,
    request: &ReserveRequest,
    hold: Hold,
) -> Result<Vec<Due>, StoreError> {
    let limit = request.limit.min(RESERVE_MAX);
    if request.parts.len() < 2 {
        return due_items(tx, request, (0, limit), hold).await;
    }
    let (mut taken, mut spare) = (Vec::new(), Vec::new());
    let mut persons = BTreeSet::new();
    for (part, count) in (0_u32..).zip(&request.parts) {
        let found = due_items(tx, request, (part, limit), hold).await?;
        let mut left = *count;
        for due in found {
            if left > 0 && persons.insert(due.person) {
                left -= 1;
                taken.push(due);
            } else {
                spare.push(due);
            }
        }
    }
    let most = limit as usize;
    taken.truncate(most);
    few_agreed(&mut taken, request);
    for due in spare {
        if taken.len() < most && persons.insert(due.person) {
            taken.push(due);
            few_agreed(&mut taken, request);
        }
    }
    // Agreed call-backs and broken promises go first, whichever segment they came by.
    taken.sort_by_key(|due| std::cmp::Reverse(due.item.priority));
    Ok(taken)
}

/// Wakes who is due, for a node that is not fenced off; `false` where its campaign is stopped.
pub(super) async fn woken(tx: &mut Link, request: &ReserveRequest) -> Result<bool, StoreError> {
    let most = request.limit.clamp(wake::FEW, RESERVE_MAX);
    if tx.dialect() == Dialect::Pg {
        return wake::reserving(tx, request, most).await;
    }
    check_fence(tx, &request.node, request.fence).await?;
    if is_stopped(tx, Some(request.campaign.id)).await? {
        return Ok(false);
    }
    wake::due(tx, request.campaign.id, request.now, most).await?;
    Ok(true)
}

/// The leases as writes that are still to be made; on PostgreSQL their persons are held already.
pub(super) fn leases(request: &ReserveRequest, items: &[Due]) -> Batch {
    let mut batch = Batch::default();
    for (n, piece) in items.chunks(LEASES_PIECE).enumerate() {
        let mut values = vals![
            request.campaign.id,
            request.node,
            request.fence,
            request.until,
        ];
        let last = piece.last().into_iter().cycle();
        // Pieces of few lengths make few statements: the last one comes again, and is written once.
        let length = piece.len().next_power_of_two().max(RESERVED_TOGETHER);
        let mut rows = String::new();
        for due in piece.iter().chain(last).take(length) {
            let comma = if rows.is_empty() { "" } else { "," };
            // A String takes every write.
            let _ = write!(rows, "{comma}({})", holes(values.len() + 1, 2));
            values.extend(vals![due.person, due.item.debtor_id]);
        }
        let sql = format!(
            "UPDATE persons SET lease_campaign=$1, lease_node=$2, lease_fence=$3, lease_until=$4, \
                lease_debtor=v.debtor FROM (VALUES {rows}) AS v (person, debtor) WHERE persons.id=v.person"
        );
        batch.add(&format!("leased{n}"), &sql, values);
    }
    batch
}

async fn lease(tx: &mut Link, request: &ReserveRequest, items: &[Due]) -> Result<(), StoreError> {
    let debtors: Vec<DebtorId> = items.iter().map(|due| due.item.debtor_id).collect();
    let fixed = vals![
        request.campaign.id,
        request.node,
        request.fence,
        request.until,
    ];
    tx.run_in(
        "UPDATE persons SET lease_campaign=$1, lease_node=$2, lease_fence=$3, lease_until=$4, \
            lease_debtor=i.debtor_id FROM campaign_items i \
        WHERE i.person_id=persons.id AND i.campaign_id=$1 AND i.debtor_id",
        &debtors,
        "",
        &fixed,
    )
    .await
    .map(drop)
}

/// That an attempt is of the campaign `$1`. PostgreSQL would find the few debtors who are asked about among all
/// attempts of a campaign that it has not counted yet, and takes it for a small one; of a range that it does not know
/// it thinks as of a large one, and goes by the debtors (128 of them beside 2,900 attempts: 0.12 ms and not 5.9).
const fn of_campaign(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Lite => "campaign_id=$1",
        Dialect::Pg => "campaign_id BETWEEN (SELECT $1) AND (SELECT $1)",
    }
}

/// Attempts of each debtor and point in the campaign.
pub(super) async fn tries(
    tx: &mut Link,
    campaign: CampaignId,
    debtors: &[DebtorId],
) -> Result<Tries, StoreError> {
    let before = format!(
        "SELECT debtor_id, point_id, COUNT(*) AS n FROM attempts WHERE {} AND direction='outbound' \
            AND debtor_id",
        of_campaign(tx.dialect())
    );
    let rows = tx
        .rows_in(
            &before,
            debtors,
            "GROUP BY debtor_id, point_id ORDER BY debtor_id, point_id",
            &[campaign.val()],
        )
        .await?;
    let mut counts = Tries::new();
    for row in &rows {
        let count = (row.get("point_id")?, row.get("n")?);
        counts.entry(row.get("debtor_id")?).or_default().push(count);
    }
    Ok(counts)
}

/// Facts and attempts of debtors, in the transaction of their reservation.
async fn read_here(
    tx: &mut Link,
    request: &ReserveRequest,
    debtors: &[DebtorId],
) -> Result<(Vec<ContactFacts>, Tries), StoreError> {
    let counts = tries(tx, request.campaign.id, debtors).await?;
    let facts = facts_of_many(tx, debtors, request.now).await?;
    Ok((facts, counts))
}

/// What is told of those reserved, beside where they stand.
struct Known {
    facts: Vec<ContactFacts>,
    /// Of `facts`, in their order, as far as they may be kept.
    marks: Vec<Mark>,
    tries: Tries,
    /// Of how many it had to be read here.
    missed: usize,
}

fn candidates(items: Vec<Due>, known: Known) -> Vec<Candidate> {
    let Known {
        facts, mut tries, ..
    } = known;
    let mut facts: BTreeMap<DebtorId, ContactFacts> =
        facts.into_iter().map(|f| (f.debtor.id, f)).collect();
    let candidate = |due: Due| {
        let Due { item, part, .. } = due;
        let facts = facts.remove(&item.debtor_id)?;
        let point_attempts = tries.remove(&item.debtor_id).unwrap_or_default();
        Some(Candidate {
            item,
            facts,
            point_attempts,
            part,
        })
    };
    items.into_iter().filter_map(candidate).collect()
}

impl SqlStore {
    /// See `ContactStore::reserve_contacts`.
    pub(super) async fn reserve(
        &self,
        request: &ReserveRequest,
    ) -> Result<Vec<Candidate>, StoreError> {
        let _step = self.ahead.way.step();
        let mut tx = self.write_leases().await?;
        if !woken(&mut tx, request).await? {
            return Ok(vec![]);
        }
        let items = due_of_parts(&mut tx, request, Hold::Persons).await?;
        if items.is_empty() {
            // Who was woken stays awake: the next go looks further.
            tx.commit().await?;
            return Ok(vec![]);
        }
        let leases = match tx.dialect() {
            Dialect::Lite => {
                lease(&mut tx, request, &items).await?;
                Batch::default()
            }
            Dialect::Pg => leases(request, &items),
        };
        let mut known = self.known(&mut tx, request, &items, leases).await?;
        tx.commit().await?;
        self.ahead.counts(items.len(), known.missed);
        let marks = std::mem::take(&mut known.marks);
        self.ahead.keep(&known.facts, marks, request.now);
        self.read_ahead(request, known.missed);
        Ok(candidates(items, known))
    }

    /// What was read ahead as far as it stands, with `leases` that are still to be written; and the rest here, where the upper levels of the indices are known:
    /// other connections forget what they read whenever something is written.
    async fn known(
        &self,
        tx: &mut Link,
        request: &ReserveRequest,
        items: &[Due],
        leases: Batch,
    ) -> Result<Known, StoreError> {
        let debtors: Vec<DebtorId> = items.iter().map(|due| due.item.debtor_id).collect();
        let early = self.early(tx, request, &debtors, leases).await?;
        let (mut facts, mut marks, mut counts) = early;
        let early: BTreeSet<DebtorId> = facts.iter().map(|f| f.debtor.id).collect();
        let rest: Vec<DebtorId> = debtors
            .into_iter()
            .filter(|id| !early.contains(id))
            .collect();
        if !rest.is_empty() {
            let (read, of_them) = match tx.dialect() {
                Dialect::Lite => {
                    let since = self.changes().and_then(Changes::now);
                    let read = read_here(tx, request, &rest).await?;
                    marks.extend(Self::marks_of(tx, since, &read.0).await?);
                    read
                }
                // In the transaction where no other connection is free.
                Dialect::Pg => match self.missed(request, &rest).await {
                    Ok(read) => read,
                    Err(_) => read_here(tx, request, &rest).await?,
                },
            };
            facts.extend(read);
            counts.extend(of_them);
        }
        Ok(Known {
            facts,
            marks,
            tries: counts,
            missed: rest.len(),
        })
    }
}
