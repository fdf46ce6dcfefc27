//! What the law asks beyond one debtor now.

use super::contacts::{draft_facts, facts_of};
use super::receipts::conflict;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::dnc::{keyed_hash, listed_form, may_hold};
use domain::entity::{
    Complaint, ComplaintState, ContactPoint, DebtStatus, Debtor, DncList, LedgerKind, LedgerRow,
    ListState, Preference, Suppression, SuppressionKind, Visit,
};
use domain::event::{AUDIT_KIND, AuditHead, AuditLink, Event, NewEvent, chain_hash};
use domain::ids::{CampaignId, ClientId, DebtorId, DncListId, LedgerId, SuppressionId};
use domain::law::{ClientLaw, open_then};
use domain::ports::store::{
    ActAsk, ChainLink, ComplaintAsk, ContactFacts, DebtorRow, DraftDebtor, ItemState, LawStore,
    PAGE_LIMIT_MAX, ReasonCount, ReasonKey, RowFacts, StoreError,
};
use domain::rules::visit::ledger_then;
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn in_force(t: &Tables) -> impl Iterator<Item = &DncList> {
    t.dnc_lists.values().filter(|l| l.retired_at.is_none())
}

/// Lists that are asked.
pub(crate) fn states(t: &Tables) -> Vec<ListState> {
    in_force(t)
        .map(|l| ListState {
            name: l.name.clone(),
            client_id: l.client_id,
            as_of: l.as_of,
        })
        .collect()
}

fn values(kind: SuppressionKind, debtor: &Debtor, points: &[ContactPoint]) -> Vec<String> {
    match kind {
        SuppressionKind::Phone | SuppressionKind::Email => points
            .iter()
            .filter(|p| may_hold(kind, p))
            .map(|p| p.value.reveal().clone())
            .collect(),
        SuppressionKind::Document => vec![debtor.document.reveal().clone()],
        SuppressionKind::Person => Vec::new(),
    }
}

/// What a client's contract asked at `at`.
pub(crate) fn client_law(t: &Tables, client: ClientId, at: UtcMs) -> Option<Arc<ClientLaw>> {
    let his = t.client_laws.iter().filter(|l| l.client_id == client);
    his.filter(|l| l.updated_at <= at)
        .max_by_key(|l| l.version)
        .cloned()
}

/// His preferences, taken-back ones too.
pub(crate) fn preferences(t: &Tables, id: DebtorId) -> Vec<Preference> {
    let mine = t.preferences.values().filter(|p| p.debtor_id == id);
    mine.cloned().collect()
}

/// Everything that lists him now.
pub(crate) fn listed(t: &Tables, debtor: &Debtor, points: &[ContactPoint]) -> Vec<Suppression> {
    t.suppressions
        .values()
        .filter(|s| s.lifted_at.is_none())
        .filter(|s| s.names(debtor, points))
        .cloned()
        .chain(on_lists(t, debtor, points))
        .collect()
}

/// A suppression for each of his values that is on a list in force.
fn on_lists(t: &Tables, debtor: &Debtor, points: &[ContactPoint]) -> Vec<Suppression> {
    on_any(t, in_force(t), (debtor, points))
}

/// A suppression for each of his values that is on one of the lists.
fn on_any<'a>(
    t: &Tables,
    lists: impl Iterator<Item = &'a DncList>,
    (debtor, points): (&Debtor, &[ContactPoint]),
) -> Vec<Suppression> {
    let mut found = Vec::new();
    for list in lists {
        for value in values(list.kind, debtor, points) {
            let hash = keyed_hash(&list.hash_key, list.kind, &value);
            let known = !listed_form(list.kind, &value).is_empty();
            if known && t.dnc_entries.contains(&(list.id, hash)) {
                found.push(Suppression {
                    id: SuppressionId(list.id.0),
                    client_id: list.client_id,
                    debtor_id: None,
                    kind: list.kind,
                    value: value.into(),
                    reason: format!("list:{}", list.name),
                    created_at: list.created_at,
                    lifted_at: list.retired_at,
                });
            }
        }
    }
    found
}

fn key_of(t: &Tables, item: &ItemState, now: UtcMs) -> ReasonKey {
    let lease = t.leases.get(&item.debtor_id);
    ReasonKey {
        done: item.done,
        due: item.next_at <= now,
        leased: lease.is_some_and(|l| l.campaign == item.campaign_id && l.until > now),
        note: item.note.split(':').next().unwrap_or_default().to_owned(),
    }
}

fn audited(t: &Tables) -> impl Iterator<Item = &Event> {
    t.events.iter().filter(|e| e.event.kind == AUDIT_KIND)
}

/// The chain of a tenant, made from the rows: in memory nobody changes them.
fn chain(t: &Tables, tenant: &str) -> Vec<AuditLink> {
    let mut links: Vec<AuditLink> = Vec::new();
    for row in audited(t).filter(|e| e.event.tenant() == tenant) {
        let prev_hash = links.last().map_or_else(String::new, |l| l.hash.clone());
        let text = row.event.audit_text(&row.event.data.to_string());
        links.push(AuditLink {
            seq: links.last().map_or(1, |l| l.seq + 1),
            cursor: row.cursor,
            hash: chain_hash(&prev_hash, &text),
            prev_hash,
            whole: true,
        });
    }
    links
}

/// Our acts of a time.
fn acts<'a>(t: &'a Tables, ask: &'a ActAsk) -> impl Iterator<Item = &'a LedgerRow> {
    t.ledger
        .iter()
        .filter(|r| {
            matches!(
                r.kind,
                LedgerKind::Attempt | LedgerKind::Message | LedgerKind::Visit
            )
        })
        .filter(|r| ask.since <= r.at && r.at < ask.until)
        .filter(|r| ask.client.is_none_or(|c| c == r.client_id))
}

#[async_trait]
impl LawStore for MemoryStore {
    async fn acts_count(&self, ask: &ActAsk) -> Result<u64, StoreError> {
        let t = self.tx().await?;
        Ok(acts(&t, ask).count() as u64)
    }

    async fn acts(
        &self,
        ask: &ActAsk,
        after: Option<(UtcMs, LedgerId)>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<LedgerRow> = acts(&t, ask)
            .filter(|r| after.is_none_or(|last| (r.at, r.id) > last))
            .cloned()
            .collect();
        rows.sort_unstable_by_key(|r| (r.at, r.id));
        rows.truncate(limit.clamp(1, PAGE_LIMIT_MAX) as usize);
        Ok(rows)
    }

    async fn facts_at(&self, debtor: DebtorId, at: UtcMs) -> Result<ContactFacts, StoreError> {
        let t = self.tx().await?;
        let mut facts = facts_of(&t, debtor, at)?;
        facts.client_law = client_law(&t, facts.debtor.client_id, at);
        let visits: Vec<Visit> = t.visits.values().cloned().collect();
        ledger_then(&mut facts.ledger, &visits, at);
        facts.holds = t.holds.of(debtor).cloned().collect();
        let there = t.debts.of(debtor).cloned();
        facts.debts = there.filter(|d| open_then(d, &facts.holds, at)).collect();
        for debt in &mut facts.debts {
            debt.status = DebtStatus::Open;
        }
        let lifted = t.suppressions.values().filter(|s| {
            s.lifted_at.is_some_and(|l| l > at) && s.names(&facts.debtor, &facts.points)
        });
        facts.suppressions.extend(lifted.cloned());
        facts.suppressions.retain(|s| s.created_at <= at);
        Ok(facts)
    }

    async fn row_facts(&self, rows: &[DebtorRow], now: UtcMs) -> Result<RowFacts, StoreError> {
        let mut t = self.tx().await?;
        let (mut ids, mut new) = (BTreeSet::new(), Vec::new());
        for row in rows {
            let named = |d: &&Debtor| {
                d.portfolio_id == row.debtor.portfolio_id
                    && d.external_ref == row.debtor.external_ref
            };
            match t.debtors.values().find(named) {
                Some(d) => {
                    ids.insert(t.merged_into.get(&d.id).copied().unwrap_or(d.id));
                }
                None => new.push(row),
            }
        }
        let on_file = ids.into_iter().map(|id| facts_of(&t, id, now));
        let on_file = on_file.collect::<Result<Vec<_>, _>>()?;
        let drafts = DraftDebtor::of_rows(new).into_iter();
        let new = drafts.map(|draft| draft_facts(&mut t, draft, now));
        let new = new.collect::<Result<Vec<_>, _>>()?;
        Ok(RowFacts { on_file, new })
    }

    async fn client_law(&self, client: ClientId) -> Result<ClientLaw, StoreError> {
        let t = self.tx().await?;
        let row = client_law(&t, client, UtcMs(i64::MAX));
        Ok(row.map_or_else(|| ClientLaw::none(client), |row| (*row).clone()))
    }

    async fn client_laws_of(
        &self,
        client: ClientId,
        limit: u32,
    ) -> Result<Vec<ClientLaw>, StoreError> {
        let t = self.tx().await?;
        let his = t.client_laws.iter().filter(|l| l.client_id == client);
        let mut rows: Vec<ClientLaw> = his.map(|law| (**law).clone()).collect();
        rows.sort_by_key(|law| std::cmp::Reverse(law.version));
        rows.truncate(limit.clamp(1, PAGE_LIMIT_MAX) as usize);
        Ok(rows)
    }

    async fn put_client_law(&self, row: &ClientLaw, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if !t.clients.contains_key(&row.client_id) {
            return Err(StoreError::NotFound("client"));
        }
        let stored = client_law(&t, row.client_id, UtcMs(i64::MAX));
        if stored.map_or(0, |law| law.version) + 1 != row.version {
            return Err(conflict("the client's law was changed meanwhile"));
        }
        t.client_laws.push(Arc::new(row.clone()));
        t.append(events);
        Ok(())
    }

    async fn client_law_changes(&self) -> Result<u64, StoreError> {
        Ok(self.tx().await?.client_laws.len() as u64)
    }

    async fn load_list(
        &self,
        list: &DncList,
        hashes: &[String],
        events: &[NewEvent],
    ) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        for old in t.dnc_lists.values_mut() {
            let same = old.name == list.name
                && old.kind == list.kind
                && old.client_id == list.client_id
                && old.id != list.id;
            if same && old.retired_at.is_none() {
                old.retired_at = Some(list.created_at);
            }
        }
        t.dnc_lists.insert(list.id, list.clone());
        let entries = hashes.iter().map(|h| (list.id, h.clone()));
        t.dnc_entries.extend(entries);
        t.append(events);
        let bound = t.debtors.values().filter(|d| {
            let points: Vec<ContactPoint> = t.points.of(d.id).cloned().collect();
            list.client_id.is_none_or(|c| c == d.client_id)
                && (on_lists(&t, d, &points).iter()).any(|s| s.id.0 == list.id.0)
        });
        Ok(bound.count() as u64)
    }

    async fn list_has(
        &self,
        list: DncListId,
        hashes: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let t = self.tx().await?;
        let has = |h: &&String| t.dnc_entries.contains(&(list, (*h).clone()));
        Ok(hashes.iter().filter(has).cloned().collect())
    }

    async fn verdict_chain(&self, debtor: DebtorId) -> Result<Vec<ChainLink>, StoreError> {
        let t = self.tx().await?;
        let mine = t.verdicts.values().filter(|v| v.debtor_id == debtor);
        let mut seq = 0;
        // In memory nothing can be changed behind the store's back: a chain without hashes.
        Ok(mine
            .map(|v| {
                seq += 1;
                ChainLink {
                    seq,
                    id: v.id,
                    prev_hash: String::new(),
                    hash: String::new(),
                    whole: true,
                }
            })
            .collect())
    }

    async fn listings_of(&self, debtor: DebtorId) -> Result<Vec<Suppression>, StoreError> {
        let t = self.tx().await?;
        let his = t.debtors.get(&debtor);
        let his = his.ok_or(StoreError::NotFound("debtor"))?;
        let points: Vec<ContactPoint> = t.points.of(debtor).cloned().collect();
        let own = t.suppressions.values().filter(|s| s.names(his, &points));
        let mut all: Vec<Suppression> = own.cloned().collect();
        all.extend(on_any(&t, t.dnc_lists.values(), (his, &points)));
        Ok(all)
    }

    async fn ledger_of(&self, debtor: DebtorId) -> Result<Vec<LedgerRow>, StoreError> {
        let t = self.tx().await?;
        let mine = t.ledger.iter().filter(|r| r.debtor_id == debtor);
        let mut rows: Vec<LedgerRow> = mine.cloned().collect();
        rows.sort_by_key(|r| (r.at, r.id));
        Ok(rows)
    }

    async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        let t = self.tx().await?;
        let tenants: BTreeSet<String> = audited(&t).map(|e| e.event.tenant()).collect();
        let head = |tenant: String| {
            chain(&t, &tenant).pop().map(|last| AuditHead {
                tenant,
                seq: last.seq,
                hash: last.hash,
            })
        };
        Ok(tenants.into_iter().filter_map(head).collect())
    }

    async fn audit_links(
        &self,
        tenant: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditLink>, StoreError> {
        let t = self.tx().await?;
        let links = chain(&t, tenant).into_iter().filter(|l| l.seq > after);
        Ok(links.take(limit as usize).collect())
    }

    async fn audit_loose(&self) -> Result<(u64, u64), StoreError> {
        Ok((0, 0))
    }

    async fn complaints_by_urgency(
        &self,
        ask: &ComplaintAsk,
    ) -> Result<Vec<Complaint>, StoreError> {
        let t = self.tx().await?;
        let same = |c: &Complaint| {
            let named = |of: &String| of.eq_ignore_ascii_case(&c.authority);
            ask.authority.as_ref().is_none_or(named)
        };
        let ours = t.complaints.values();
        let ours = ours.filter(|c| ask.client.is_none_or(|of| of == c.client_id) && same(c));
        let mut rows: Vec<Complaint> = ours.cloned().collect();
        rows.sort_by(|a, b| {
            let open = |c: &Complaint| c.state == ComplaintState::Open;
            open(b).cmp(&open(a)).then_with(|| {
                let ahead = (&a.deadline, a.id).cmp(&(&b.deadline, b.id));
                if open(a) { ahead } else { ahead.reverse() }
            })
        });
        if let Some((open, deadline, id)) = &ask.after {
            rows.retain(|c| match (*open, c.state == ComplaintState::Open) {
                (true, true) => (&c.deadline, c.id) > (deadline, *id),
                (false, false) => (&c.deadline, c.id) < (deadline, *id),
                (true, false) => true,
                (false, true) => false,
            });
        }
        rows.truncate(ask.limit as usize);
        Ok(rows)
    }

    async fn complaints_late(
        &self,
        client: Option<ClientId>,
        day: &str,
    ) -> Result<(u64, u64), StoreError> {
        let t = self.tx().await?;
        let ours = |c: &&Complaint| client.is_none_or(|of| of == c.client_id);
        let late = |c: &&Complaint| c.state == ComplaintState::Open && c.deadline.as_str() < day;
        let all = t.complaints.values().filter(ours);
        Ok((all.clone().filter(late).count() as u64, all.count() as u64))
    }

    async fn events_about(&self, subjects: &[String]) -> Result<Vec<Event>, StoreError> {
        let t = self.tx().await?;
        let about = t.events.iter();
        let about = about.filter(|e| subjects.contains(&e.event.subject));
        Ok(about.cloned().collect())
    }

    async fn campaign_reasons(
        &self,
        campaign: CampaignId,
        now: UtcMs,
    ) -> Result<Vec<ReasonCount>, StoreError> {
        let t = self.tx().await?;
        let mut sums: BTreeMap<ReasonKey, ReasonCount> = BTreeMap::new();
        for item in t.items.values().filter(|i| i.campaign_id == campaign) {
            let key = key_of(&t, item, now);
            let next = (!item.done).then_some(item.next_at);
            let sum = sums.entry(key.clone()).or_insert(ReasonCount {
                key,
                debtors: 0,
                next_at: next,
            });
            sum.debtors += 1;
            sum.next_at = [sum.next_at, next].into_iter().flatten().min();
        }
        let mut rows: Vec<ReasonCount> = sums.into_values().collect();
        rows.sort_by_key(|r| std::cmp::Reverse(r.debtors));
        Ok(rows)
    }

    async fn reason_rows(
        &self,
        campaign: CampaignId,
        key: &ReasonKey,
        now: UtcMs,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<ItemState>, StoreError> {
        let t = self.tx().await?;
        Ok(t.items
            .values()
            .filter(|i| i.campaign_id == campaign && after.is_none_or(|a| i.debtor_id > a))
            .filter(|i| &key_of(&t, i, now) == key)
            .take(limit as usize)
            .cloned()
            .collect())
    }
}
