//! Campaign items, reservations and the facts of a debtor.

use super::{Lease, MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{Campaign, CampaignStatus, Channel, Consent, DebtStatus, Verdict};
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId, DebtorId, PersonId, PointId, VerdictId};
use domain::ports::store::{
    CALLBACK_PRIORITY, Candidate, ContactFacts, ContactStore, DraftDebtor, ItemCounts, ItemState,
    PortfolioStore as _, RefillReport, ReserveRequest, StoreError,
};
use domain::rules::worth::worth;
use domain::segment::{Expr, day_of_date};
use domain::time::{DAY_MS, UtcMs};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How far back the ledger is loaded; the longest window of any pack is 30 days.
const LEDGER_DAYS: i64 = 45;

/// The facts of one debtor: what the law engine is handed.
pub(crate) fn facts_of(t: &Tables, id: DebtorId, now: UtcMs) -> Result<ContactFacts, StoreError> {
    let debtor = t
        .debtors
        .get(&id)
        .cloned()
        .ok_or(StoreError::NotFound("debtor"))?;
    let portfolio = t
        .portfolios
        .get(&debtor.portfolio_id)
        .cloned()
        .ok_or(StoreError::NotFound("portfolio"))?;
    let points: Vec<_> = t.points.of(id).cloned().collect();
    let oldest = now.plus_ms(-LEDGER_DAYS * DAY_MS);
    let ours = |address: &str| points.iter().any(|p| p.value.reveal() == address);
    let ledger = t
        .ledger
        .iter()
        .filter(|r| r.at >= oldest)
        .filter(|r| r.person_id == debtor.person_id || ours(r.address.reveal()))
        .cloned()
        .collect();
    let suppressions = super::law::listed(t, &debtor, &points);
    Ok(ContactFacts {
        portfolio,
        debts: t
            .debts
            .of(id)
            .filter(|d| d.status == DebtStatus::Open)
            .cloned()
            .collect(),
        parties: t.parties.of(id).cloned().collect(),
        points,
        ledger,
        holds: t
            .holds
            .values()
            .filter(|h| h.lifted_at.is_none())
            .filter(|h| {
                let his = || {
                    let other = t.debtors.get(&h.debtor_id);
                    other.is_some_and(|o| o.person_id == debtor.person_id)
                };
                h.debtor_id == id || (h.reaches(&debtor) && his())
            })
            .cloned()
            .collect(),
        suppressions,
        consents: t.consents.of(id).cloned().collect(),
        preferences: super::law::preferences(t, id),
        lists: super::law::states(t),
        address_zones: super::interest::zones_of(t, id),
        overrides: t.overrides.of(id).cloned().collect(),
        client_law: super::law::client_law(t, debtor.client_id, UtcMs(i64::MAX)),
        debtor,
    })
}

/// The facts of a debtor who is not there yet: he is put there for as long as they are read.
pub(crate) fn draft_facts(
    t: &mut Tables,
    draft: DraftDebtor,
    now: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let id = draft.debtor.id;
    t.debtors.insert(id, draft.debtor);
    for point in &draft.points {
        t.points.insert(point.id, point.clone());
    }
    let facts = facts_of(t, id, now);
    for point in &draft.points {
        t.points.remove(&point.id);
    }
    t.debtors.remove(&id);
    Ok(ContactFacts {
        debts: draft.debts,
        parties: draft.parties,
        consents: draft.consents,
        address_zones: draft.address_zones,
        ..facts?
    })
}

/// Persons of whom somebody is leased or has a live attempt.
fn busy_persons(t: &Tables, now: UtcMs) -> BTreeSet<PersonId> {
    let leased = t.leases.iter().filter(|(_, lease)| lease.until > now);
    let leased = leased.filter_map(|(id, _)| Some(t.debtors.get(id)?.person_id));
    let live = t.attempts.values().filter(|a| !a.state.is_closed());
    leased.chain(live.map(|a| a.person_id)).collect()
}

fn point_attempts(t: &Tables, campaign: CampaignId, debtor: DebtorId) -> Vec<(PointId, i32)> {
    let mut counts = std::collections::BTreeMap::new();
    for attempt in t.attempts.of(debtor) {
        let ours = attempt.direction == domain::entity::Direction::Outbound;
        if ours && attempt.campaign_id == Some(campaign) {
            *counts.entry(attempt.point_id).or_insert(0) += 1;
        }
    }
    counts.into_iter().collect()
}

/// Due items in the order in which they are taken: as many of each part of the mix as asked for, then
/// whoever is left.
fn by_parts(t: &Tables, request: &ReserveRequest, due: Vec<ItemState>) -> Vec<(ItemState, u32)> {
    let part_of = |i: &ItemState| {
        let noted = t.parts.get(&(i.campaign_id, i.debtor_id));
        noted.copied().unwrap_or(0)
    };
    let due = due.into_iter().map(|i| (part_of(&i), i));
    if request.parts.len() < 2 {
        return due
            .filter(|(part, _)| *part == 0)
            .map(|(part, i)| (i, part))
            .collect();
    }
    let mut left = request.parts.clone();
    let mut busy = busy_persons(t, request.now);
    let (mut first, mut spare) = (Vec::new(), Vec::new());
    let mut due: Vec<(u32, ItemState)> = due.collect();
    // Stable: the campaign's order within each part.
    due.sort_by_key(|(part, _)| *part);
    for (part, item) in due {
        let count = left.get_mut(part as usize);
        let person = t.debtors.get(&item.debtor_id).map(|d| d.person_id);
        match count {
            Some(count) if *count > 0 && person.is_some_and(|p| busy.insert(p)) => {
                *count -= 1;
                first.push((item, part));
            }
            _ => spare.push((item, part)),
        }
    }
    first.sort_by_key(|(item, _)| Reverse(item.priority));
    first.extend(spare);
    first
}

/// What debtors are sorted by.
struct Ranks<'a>(&'a Tables);

impl Ranks<'_> {
    /// The values of a debtor under a campaign's order keys, greatest first; at most four.
    fn rank(&self, order: &[String], id: DebtorId) -> Vec<i64> {
        let t = self.0;
        let debts = || t.debts.of(id).filter(|d| d.status == DebtStatus::Open);
        // Debts of several currencies in one order.
        let balance = || {
            debts()
                .map(|d| worth(d.balance_minor(), d.currency))
                .sum::<i64>()
        };
        let value = |key: &String| match key.as_str() {
            // What a contact may bring: the open balance, weighed by how sure we are to reach him.
            "expected_value" | "best_time" => {
                let points = t.points.of(id);
                let good = points.filter(|p| p.channel == Channel::Call && !p.bad);
                let sure = good.map(|p| p.confidence).max().unwrap_or(0);
                Some(balance() * i64::from(sure))
            }
            "dpd" => {
                let oldest = debts().filter_map(|d| day_of_date(&d.due_date)).min();
                Some(oldest.map_or(i64::MIN, |day| -day))
            }
            "balance" => Some(balance()),
            "last_attempt" => {
                let mine = t.attempts.of(id);
                Some(-mine.map(|a| a.opened_at.0).max().unwrap_or(0))
            }
            // A debtor's lot: the random end of his id, so that it never changes.
            "random" => {
                let mut end = [0; 8];
                end.copy_from_slice(&id.0.as_bytes()[8..]);
                Some(i64::from_be_bytes(end))
            }
            _ => None,
        };
        order.iter().filter_map(value).take(4).collect()
    }
}

#[async_trait]
impl ContactStore for MemoryStore {
    async fn refill_parts(
        &self,
        campaign: &Campaign,
        parts: &[Expr],
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<RefillReport, StoreError> {
        let mut whole = Vec::with_capacity(parts.len());
        for expr in parts {
            whole.push(self.whole_segment(campaign.client_id, expr, None).await?);
        }
        let mut t = self.tx().await?;
        let mut report = RefillReport {
            left: super::members::end_left(&mut t, campaign, &whole, now),
            ..RefillReport::default()
        };
        let mut seen = BTreeSet::new();
        for (part, expr) in (0_u32..).zip(&whole) {
            for debtor_id in super::portfolio::matching(&t, campaign.client_id, expr, now) {
                if !seen.insert(debtor_id) {
                    continue;
                }
                report.matched += 1;
                let key = (campaign.id, debtor_id);
                let owes = t.debts.of(debtor_id).any(|d| d.status == DebtStatus::Open);
                let gone = t.items.get_mut(&key).filter(|i| owes && i.may_return());
                if let Some(item) = gone {
                    item.come_back(now);
                    report.returned += 1;
                }
                t.items.entry(key).or_insert_with(|| {
                    report.added += 1;
                    ItemState {
                        campaign_id: campaign.id,
                        debtor_id,
                        next_at: now,
                        priority: 0,
                        attempts: 0,
                        last_result: None,
                        next_point: None,
                        done: false,
                        note: String::new(),
                    }
                });
                t.parts.insert(key, part);
            }
        }
        let last = u32::try_from(parts.len().saturating_sub(1)).unwrap_or(0);
        for ((id, _), part) in &mut t.parts {
            if *id == campaign.id {
                *part = (*part).min(last);
            }
        }
        t.append(events);
        Ok(report)
    }

    async fn reserve_contacts(
        &self,
        request: &ReserveRequest,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut t = self.tx().await?;
        let (now, campaign) = (request.now, request.campaign.id);
        if t.nodes
            .get(&request.node)
            .is_none_or(|(fence, _)| *fence != request.fence)
        {
            return Err(StoreError::Fenced);
        }
        let stored = t.campaigns.get(&campaign);
        if stored.is_some_and(|c| c.status != CampaignStatus::Running) {
            return Ok(Vec::new());
        }
        let mut due: Vec<ItemState> = t
            .items
            .range((campaign, DebtorId(uuid::Uuid::nil()))..)
            .take_while(|((c, _), _)| *c == campaign)
            .map(|(_, item)| item)
            .filter(|i| !i.done && i.next_at <= now)
            .cloned()
            .collect();
        let ranks = Ranks(&t);
        due.sort_by_cached_key(|i| {
            let rank = ranks.rank(&request.campaign.params.order, i.debtor_id);
            (Reverse(i.priority), Reverse(rank), i.debtor_id)
        });
        let mut busy = busy_persons(&t, now);
        let mut taken = Vec::new();
        let mut agreed_left = request.agreed_max.unwrap_or(u32::MAX);
        for (item, part) in by_parts(&t, request, due) {
            if taken.len() >= request.limit as usize {
                break;
            }
            let agreed = item.priority >= CALLBACK_PRIORITY;
            if agreed && agreed_left == 0 {
                continue;
            }
            let person = t.debtors.get(&item.debtor_id).map(|d| d.person_id);
            if person.is_none_or(|p| !busy.insert(p)) {
                continue;
            }
            agreed_left -= u32::from(agreed);
            let facts = facts_of(&t, item.debtor_id, now)?;
            let lease = Lease {
                campaign,
                node: request.node.clone(),
                fence: request.fence,
                until: request.until,
            };
            t.leases.insert(item.debtor_id, lease);
            let point_attempts = point_attempts(&t, campaign, item.debtor_id);
            taken.push(Candidate {
                item,
                facts,
                point_attempts,
                part,
            });
        }
        Ok(taken)
    }

    async fn release_contact(
        &self,
        item: &ItemState,
        verdict: Option<&Verdict>,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if t.leases
            .get(&item.debtor_id)
            .is_some_and(|l| l.campaign == item.campaign_id)
        {
            t.leases.remove(&item.debtor_id);
        }
        t.items
            .insert((item.campaign_id, item.debtor_id), item.clone());
        if let Some(verdict) = verdict {
            t.verdicts.insert(verdict.id, verdict.clone());
        }
        t.append(events);
        Ok(())
    }

    async fn release_all(
        &self,
        node: &str,
        campaign: Option<CampaignId>,
    ) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let before = t.leases.len();
        t.leases
            .retain(|_, l| l.node != node || campaign.is_some_and(|c| c != l.campaign));
        Ok((before - t.leases.len()) as u64)
    }

    async fn contact_facts(
        &self,
        debtor: DebtorId,
        now: UtcMs,
    ) -> Result<ContactFacts, StoreError> {
        facts_of(&*self.tx().await?, debtor, now)
    }

    async fn owing(&self, debtors: &[DebtorId]) -> Result<Vec<DebtorId>, StoreError> {
        let t = self.tx().await?;
        let owes = |id: &DebtorId| t.debts.of(*id).any(|d| d.status == DebtStatus::Open);
        let asked: BTreeSet<DebtorId> = debtors.iter().copied().collect();
        Ok(asked.into_iter().filter(owes).collect())
    }

    async fn consents_of(&self, debtors: &[DebtorId]) -> Result<Vec<Consent>, StoreError> {
        let t = self.tx().await?;
        let asked: BTreeSet<DebtorId> = debtors.iter().copied().collect();
        let of = |id: DebtorId| t.consents.of(id).cloned();
        Ok(asked.into_iter().flat_map(of).collect())
    }

    async fn items_of(&self, debtor: DebtorId) -> Result<Vec<ItemState>, StoreError> {
        Ok(self
            .tx()
            .await?
            .items
            .values()
            .filter(|i| i.debtor_id == debtor)
            .cloned()
            .collect())
    }

    async fn put_item(&self, item: &ItemState, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.items
            .insert((item.campaign_id, item.debtor_id), item.clone());
        t.append(events);
        Ok(())
    }

    async fn item_counts(
        &self,
        campaign: CampaignId,
        now: UtcMs,
    ) -> Result<ItemCounts, StoreError> {
        let t = self.tx().await?;
        let mut counts = ItemCounts::default();
        for item in t.items.values().filter(|i| i.campaign_id == campaign) {
            let leased = t
                .leases
                .get(&item.debtor_id)
                .is_some_and(|l| l.campaign == campaign && l.until > now);
            match (item.done, leased) {
                (true, _) => counts.done += 1,
                (_, true) => counts.leased += 1,
                _ if item.next_at <= now => counts.due += 1,
                _ => counts.later += 1,
            }
        }
        Ok(counts)
    }

    async fn record_verdict(&self, verdict: &Verdict, _client: ClientId) -> Result<(), StoreError> {
        self.tx()
            .await?
            .verdicts
            .insert(verdict.id, verdict.clone());
        Ok(())
    }

    async fn get_verdict(&self, id: VerdictId) -> Result<Verdict, StoreError> {
        self.tx()
            .await?
            .verdicts
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("verdict"))
    }

    async fn verdicts_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Verdict>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<Verdict> = t
            .verdicts
            .values()
            .filter(|v| v.debtor_id == debtor)
            .cloned()
            .collect();
        rows.sort_by_key(|v| std::cmp::Reverse((v.at, v.id)));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn blocked_counts(
        &self,
        campaign: Option<CampaignId>,
        since: UtcMs,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let t = self.tx().await?;
        let mut counts = std::collections::BTreeMap::new();
        for verdict in t.verdicts.values().filter(|v| v.at >= since) {
            if campaign.is_some() && verdict.campaign_id != campaign {
                continue;
            }
            if let Some(reason) = verdict.blocked {
                *counts.entry(reason.as_str().to_owned()).or_insert(0) += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }
}
