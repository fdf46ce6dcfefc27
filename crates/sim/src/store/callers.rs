//! Callers whom nobody we know is behind.

use super::contacts::draft_facts;
use super::import_rows::is_half;
use super::inbound::{opened, summed};
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Attempt, ContactPoint, Debtor, InboundCall, InboundOutcome, InboxMessage, LedgerRow,
    RecordingPlace,
};
use domain::event::NewEvent;
use domain::ids::{AttemptId, CampaignId, ClientId, DebtorId, InboxId, PersonId};
use domain::pii::Pii;
use domain::ports::store::{
    CallerStore, ContactFacts, DraftDebtor, FoundCaller, InboundCount, ItemState, NAME_LEAST,
    PLACES_READ_MAX, PlaceKept, StoreError,
};
use domain::time::UtcMs;

/// Places that no node keeps any more: their call-backs are due, as long as nothing changed them since.
pub(super) fn free_places(t: &mut Tables) {
    let nodes = t.nodes.clone();
    let kept = |p: &PlaceKept| {
        nodes
            .get(&p.node)
            .is_some_and(|(fence, _)| *fence == p.fence)
    };
    let (kept, free): (Vec<_>, Vec<_>) = t.places.drain(..).partition(kept);
    t.places = kept;
    for place in free {
        if let Some(item) = t.items.get_mut(&(place.campaign, place.debtor))
            && !item.done
            && item.note == "callback"
            && item.next_at == place.until
        {
            item.next_at = place.since;
        }
    }
}

/// Takes the number out of calls and messages from a borrowed phone.
fn forget_calls(t: &mut Tables, calls: &[AttemptId]) {
    for row in &mut t.ledger {
        if calls.contains(&row.attempt_id.unwrap_or(AttemptId(row.id.0))) {
            row.address = Pii(String::new());
        }
    }
    for id in calls {
        if let Some(row) = t.inbox.get_mut(&InboxId(id.0)) {
            row.address = Pii(String::new());
        }
        if let Some(attempt) = t.attempts.get_mut(id) {
            attempt.phone = Pii(String::new());
        }
        if let Some(row) = t.inbound.get_mut(id) {
            row.caller = None;
        }
        t.borrowed.remove(id);
    }
}

/// Notes the calls of a file of nobody that is given to a debtor without its number, unless that is his anyway.
fn lend(t: &mut Tables, found: &FoundCaller) {
    let own = t.points.get(&found.point.id);
    if found.keep || own.is_some_and(|p| p.debtor_id == found.to) {
        return;
    }
    let calls = t.attempts.values().filter(|a| a.debtor_id == found.from);
    let mut lent: Vec<_> = calls.map(|a| (a.id, a.opened_at)).collect();
    let of_him = |r: &&InboundCall| r.debtor_id == Some(found.from) && r.caller.is_some();
    lent.extend(t.inbound.values().filter(of_him).map(|r| (r.id, r.at)));
    let of_him = |r: &&LedgerRow| r.debtor_id == found.from && r.attempt_id.is_none();
    let rows = t.ledger.iter().filter(of_him);
    lent.extend(rows.map(|r| (AttemptId(r.id.0), r.at)));
    let of_him = |r: &&InboxMessage| r.debtor_id == Some(found.from);
    let rows = t.inbox.values().filter(of_him);
    lent.extend(rows.map(|r| (AttemptId(r.id.0), r.received_at)));
    t.borrowed.extend(lent);
}

/// Whether the file of a caller who stayed unknown is to be forgotten.
fn is_over(t: &Tables, file: &Debtor, before: UtcMs) -> bool {
    let young = |p: &ContactPoint| p.debtor_id == file.id && p.added_at >= before;
    let has = t.points.values().any(|p| p.debtor_id == file.id);
    let holds = |a: &Attempt| {
        let keep = a.recording_id.and_then(|id| t.keeps.get(&id));
        a.opened_at >= before
            || !a.state.is_closed()
            || keep.is_some_and(|k| k.place != RecordingPlace::Deleted)
    };
    let mut calls = t.attempts.values().filter(|a| a.debtor_id == file.id);
    let wrote = |m: &InboxMessage| m.debtor_id == Some(file.id) && m.received_at >= before;
    let alive = calls.any(holds) || t.inbox.values().any(wrote);
    file.is_stranger() && has && !t.points.values().any(young) && !alive
}

#[async_trait]
impl CallerStore for MemoryStore {
    async fn find_callers(
        &self,
        client: ClientId,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError> {
        let t = self.tx().await?;
        let needle = needle.trim();
        let name = needle.to_lowercase();
        let long = name.chars().count() >= NAME_LEAST;
        let named = |d: &Debtor| {
            d.external_ref == needle
                || (!needle.is_empty() && d.document.reveal() == needle)
                || (long && d.name.reveal().to_lowercase().starts_with(&name))
                || t.points
                    .values()
                    .any(|p| p.debtor_id == d.id && p.value.reveal() == needle)
        };
        let mut found: Vec<Debtor> = t
            .debtors
            .values()
            .filter(|d| d.client_id == client && !d.is_stranger() && !is_half(&t, d.id) && named(d))
            .cloned()
            .collect();
        found.sort_by(|a, b| (a.name.reveal(), a.id).cmp(&(b.name.reveal(), b.id)));
        found.truncate(limit.max(1) as usize);
        Ok(found)
    }

    async fn stranger_facts(
        &self,
        debtor: &Debtor,
        point: &ContactPoint,
        now: UtcMs,
    ) -> Result<ContactFacts, StoreError> {
        let mut t = self.tx().await?;
        let draft = DraftDebtor::with_points(debtor.clone(), vec![point.clone()]);
        draft_facts(&mut t, draft, now)
    }

    async fn open_stranger(
        &self,
        (debtor, point): (&Debtor, &ContactPoint),
        attempt: &Attempt,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        if !opened(&mut t, attempt)? {
            return Ok(false);
        }
        t.debtors.insert(debtor.id, debtor.clone());
        t.points.insert(point.id, point.clone());
        t.append(events);
        Ok(true)
    }

    async fn forget_strangers(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let files = t.debtors.values().filter(|d| is_over(&t, d, before));
        let who: Vec<DebtorId> = files.map(|d| d.id).take(limit.max(1) as usize).collect();
        t.points.retain(|_, p| !who.contains(&p.debtor_id));
        let nobody = || Pii(String::new());
        for attempt in t.attempts.values_mut() {
            if who.contains(&attempt.debtor_id) {
                attempt.phone = nobody();
            }
        }
        for row in t.ledger.iter_mut().filter(|r| who.contains(&r.debtor_id)) {
            row.address = nobody();
        }
        for row in t.inbound.values_mut() {
            if row.debtor_id.is_some_and(|id| who.contains(&id)) {
                row.caller = None;
            }
        }
        for row in t.inbox.values_mut() {
            if row.debtor_id.is_some_and(|id| who.contains(&id)) {
                row.address = nobody();
            }
        }
        let mut gone = who.len();
        let most = limit.max(1) as usize;
        let away = |r: &&mut InboundCall| {
            r.debtor_id.is_none()
                && r.caller.is_some()
                && r.at < before
                && r.outcome != InboundOutcome::Open
        };
        for row in t.inbound.values_mut().filter(away).take(most - gone) {
            row.caller = None;
            gone += 1;
        }
        let unnamed = |m: &&mut InboxMessage| {
            m.debtor_id.is_none() && !m.address.reveal().is_empty() && m.received_at < before
        };
        for row in t.inbox.values_mut().filter(unnamed).take(most - gone) {
            row.address = nobody();
            gone += 1;
        }
        let live = |id: &AttemptId| t.attempts.get(id).is_some_and(|a| !a.state.is_closed());
        let lent = |&(id, at): &(&AttemptId, &UtcMs)| *at < before && !live(id);
        let calls = t.borrowed.iter().filter(lent).take(most - gone);
        let calls: Vec<AttemptId> = calls.map(|(id, _)| *id).collect();
        forget_calls(&mut t, &calls);
        Ok((gone + calls.len()) as u64)
    }

    async fn attach_caller(
        &self,
        found: &FoundCaller,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let (from, to) = (found.from, found.to);
        let call = t.attempts.get(&found.attempt);
        let owner = call.ok_or(StoreError::NotFound("attempt"))?.debtor_id;
        if owner == to {
            return Ok(true);
        }
        if owner != from {
            let text = "this caller was given to another debtor before";
            return Err(StoreError::Conflict(text.to_owned()));
        }
        if !t.debtors.contains_key(&to) || is_half(&t, to) {
            return Err(StoreError::NotFound("debtor"));
        }
        let busy = |a: &domain::entity::Attempt| {
            !a.state.is_closed() && a.person_id == found.person && a.id != found.attempt
        };
        if t.attempts.values().any(busy) {
            return Ok(false);
        }
        lend(&mut t, found);
        for attempt in t.attempts.values_mut().filter(|a| a.debtor_id == from) {
            attempt.debtor_id = to;
            attempt.person_id = found.person;
        }
        if let Some(attempt) = t.attempts.get_mut(&found.attempt) {
            attempt.debt_id = found.debt;
            attempt.debts.clone_from(&found.debts);
            attempt.point_id = found.point.id;
            attempt.class = found.point.class;
        }
        for row in t.ledger.iter_mut().filter(|r| r.debtor_id == from) {
            row.debtor_id = to;
            row.person_id = found.person;
        }
        for row in t.inbound.values_mut().filter(|r| r.debtor_id == Some(from)) {
            row.debtor_id = Some(to);
        }
        for row in t.inbox.values_mut().filter(|r| r.debtor_id == Some(from)) {
            row.debtor_id = Some(to);
        }
        for hold in t.holds.values_mut().filter(|h| h.debtor_id == from) {
            hold.debtor_id = to;
        }
        for row in t.suppressions.values_mut() {
            if row.debtor_id == Some(from) {
                row.debtor_id = Some(to);
            }
        }
        for row in t.consents.values_mut().filter(|c| c.debtor_id == from) {
            row.debtor_id = to;
        }
        if found.keep {
            t.points.insert(found.point.id, found.point.clone());
        }
        // What is left of the file of nobody is part of his: no list shows it, no number leads to it.
        t.points.retain(|_, p| p.debtor_id != from);
        t.debtors.remove(&from);
        t.append(events);
        Ok(true)
    }

    async fn inbound_elsewhere(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        (node, from): (&str, UtcMs),
        within_ms: i64,
    ) -> Result<InboundCount, StoreError> {
        let t = self.tx().await?;
        let rows = t.inbound.values().filter(|r| {
            r.campaign_id == Some(campaign) && r.at >= since && !(r.node == node && r.at >= from)
        });
        Ok(summed(rows, within_ms))
    }
    async fn keep_place(&self, place: &PlaceKept, item: &ItemState) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let same = |p: &PlaceKept| (p.campaign, p.debtor) == (place.campaign, place.debtor);
        if t.places.iter().any(|p| same(p) && p.since > place.since) {
            return Ok(());
        }
        let person_of = |id: DebtorId| t.debtors.get(&id).map(|d| d.person_id);
        let person = person_of(place.debtor);
        let twins: Vec<DebtorId> = t
            .places
            .iter()
            .filter(|p| p.campaign == place.campaign && p.since <= place.since)
            .filter(|p| person.is_some() && person_of(p.debtor) == person)
            .map(|p| p.debtor)
            .collect();
        let twin = |p: &PlaceKept| p.campaign == place.campaign && twins.contains(&p.debtor);
        t.places.retain(|p| !same(p) && !twin(p));
        t.places.push(place.clone());
        t.items
            .insert((item.campaign_id, item.debtor_id), item.clone());
        Ok(())
    }

    async fn end_places(&self, person: PersonId, client: ClientId) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let his: Vec<DebtorId> = t
            .debtors
            .values()
            .filter(|d| d.person_id == person && d.client_id == client)
            .map(|d| d.id)
            .collect();
        t.places.retain(|p| !his.contains(&p.debtor));
        Ok(())
    }

    async fn places_of(&self, node: &str, fence: i64) -> Result<Vec<PlaceKept>, StoreError> {
        let t = self.tx().await?;
        let its = |p: &&PlaceKept| p.node == node && p.fence == fence;
        let mut found: Vec<PlaceKept> = t.places.iter().filter(its).cloned().collect();
        found.sort_by_key(|p| (p.since, p.campaign, p.debtor));
        found.truncate(PLACES_READ_MAX);
        Ok(found)
    }

    async fn drop_place(&self, place: &PlaceKept) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let owner = |p: &PlaceKept| (p.campaign, p.debtor, p.node.clone(), p.fence, p.since);
        t.places.retain(|p| owner(p) != owner(place));
        Ok(())
    }
}
