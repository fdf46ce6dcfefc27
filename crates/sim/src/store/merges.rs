//! Two debtor files of one person made one, and taken apart again: rows move and are listed, attempts,
//! verdicts and complaints stay with the file they were made for.

use super::Tables;
use domain::entity::{AttemptState, ContactPoint, Merge, PreferenceKind};
use domain::ids::{DebtId, DebtorId, HoldId, PointId, PreferenceId, SuppressionId};
use domain::ports::store::{CALLBACK_PRIORITY, ItemState, StoreError};
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

fn conflict(text: &str) -> StoreError {
    StoreError::Conflict(text.to_owned())
}

/// Whose row it is: of one debtor, or of one at most.
trait Owner {
    fn owner(&self) -> Option<DebtorId>;
    fn give(&mut self, to: DebtorId);
}

impl Owner for DebtorId {
    fn owner(&self) -> Option<DebtorId> {
        Some(*self)
    }
    fn give(&mut self, to: DebtorId) {
        *self = to;
    }
}

impl Owner for Option<DebtorId> {
    fn owner(&self) -> Option<DebtorId> {
        *self
    }
    fn give(&mut self, to: DebtorId) {
        *self = Some(to);
    }
}

/// Which debt it is about.
trait About {
    fn is_about(&self, debts: &BTreeSet<DebtId>) -> bool;
}

impl About for DebtId {
    fn is_about(&self, debts: &BTreeSet<DebtId>) -> bool {
        debts.contains(self)
    }
}

impl About for Option<DebtId> {
    fn is_about(&self, debts: &BTreeSet<DebtId>) -> bool {
        self.is_some_and(|debt| debts.contains(&debt))
    }
}

/// For each table whose rows move with their debtor: its name, and its rows.
macro_rules! each_table {
    ($t:ident, |$name:ident, $rows:ident| $body:block) => {
        each_table!(@ $t, $name, $rows, $body,
            "debts": $t.debts, "parties": $t.parties, "consents": $t.consents, "holds": $t.holds,
            "preferences": $t.preferences, "suppressions": $t.suppressions, "promises": $t.promises,
            "payments": $t.payments, "receipts": $t.money.receipts, "payment_links": $t.money.links,
            "plans": $t.plans, "excuses": $t.excuses, "letters": $t.letters, "messages": $t.messages,
            "inbox": $t.inbox, "inbound_calls": $t.inbound, "planned_steps": $t.planned_steps,
            "addresses": $t.addresses, "visits": $t.visits, "claims": $t.claims, "contact_points": $t.points)
    };
    (@ $t:ident, $name:ident, $rows:ident, $body:block, $($text:literal: $table:expr),+) => {
        $({
            let $name = $text;
            let $rows = $table.values_mut();
            $body
        })+
    };
}

/// The same for tables whose rows belong to a debt and go with it when it goes back.
macro_rules! each_of_debt {
    ($t:ident, |$rows:ident| $body:block) => {
        each_table!(@ $t, _name, $rows, $body,
            "parties": $t.parties, "holds": $t.holds, "promises": $t.promises, "payments": $t.payments,
            "payment_links": $t.money.links, "plans": $t.plans, "letters": $t.letters,
            "messages": $t.messages, "planned_steps": $t.planned_steps, "debt_stages": $t.stages)
    };
}

/// Refuses what may not be merged.
fn check(t: &Tables, row: &Merge) -> Result<(), StoreError> {
    let of = |id| t.debtors.get(id).ok_or(StoreError::NotFound("debtor"));
    let (kept, gone) = (of(&row.kept_id)?, of(&row.gone_id)?);
    if kept.id == gone.id || kept.portfolio_id != gone.portfolio_id {
        return Err(conflict("expected two debtors of one portfolio"));
    }
    if gone.document.reveal().is_empty() || kept.person_id != gone.person_id {
        return Err(conflict("their documents are not the same"));
    }
    if [kept.id, gone.id]
        .iter()
        .any(|id| t.merged_into.contains_key(id))
    {
        return Err(conflict("one of them is part of another debtor already"));
    }
    let person = |id: &DebtorId| t.debtors.get(id).map(|d| d.person_id);
    let leased = t
        .leases
        .iter()
        .any(|(id, lease)| person(id) == Some(kept.person_id) && lease.until > row.at);
    let live = t.attempts.values().any(|a| {
        [kept.id, gone.id].contains(&a.debtor_id)
            && !matches!(a.state, AttemptState::Ended | AttemptState::Unknown)
    });
    if leased || live {
        return Err(conflict(
            "the debtor is being called: try again after the call",
        ));
    }
    Ok(())
}

/// His own point with the number of a point of another file.
fn same_point(t: &Tables, owner: DebtorId, other: DebtorId, point: PointId) -> Option<PointId> {
    let theirs = t.points.get(&point).filter(|p| p.debtor_id == other)?;
    let same = |p: &&ContactPoint| {
        p.debtor_id == owner && p.channel == theirs.channel && p.value == theirs.value
    };
    t.points.values().find(same).map(|p| p.id)
}

/// Rows of a debtor that are about a point of the other file name his own point with the same number.
fn repoint(t: &mut Tables, owner: DebtorId, other: DebtorId) {
    let find = |t: &Tables, point: Option<PointId>| same_point(t, owner, other, point?);
    let holds: Vec<HoldId> = t.holds.keys().copied().collect();
    for id in holds {
        let point = t.holds.get(&id).filter(|h| h.debtor_id == owner);
        let found = find(t, point.and_then(|h| h.point_id));
        if let Some((hold, found)) = t.holds.get_mut(&id).zip(found) {
            hold.point_id = Some(found);
        }
    }
    let preferences: Vec<PreferenceId> = t.preferences.keys().copied().collect();
    for id in preferences {
        let point = t.preferences.get(&id).filter(|p| p.debtor_id == owner);
        let found = find(t, point.and_then(|p| p.point_id));
        if let Some((preference, found)) = t.preferences.get_mut(&id).zip(found) {
            preference.point_id = Some(found);
        }
    }
}

/// A number that is wrong in one file is wrong in the other.
fn share_bad(t: &mut Tables, owner: DebtorId, other: DebtorId) {
    let bad = t.points.values().filter(|p| p.debtor_id == other && p.bad);
    let bad: Vec<_> = bad.map(|p| (p.channel, p.value.clone())).collect();
    let own = t.points.values_mut().filter(|p| p.debtor_id == owner);
    for point in own {
        point.bad |= bad.contains(&(point.channel, point.value.clone()));
    }
}

fn is_agreed(item: &ItemState) -> bool {
    !item.done && item.priority >= CALLBACK_PRIORITY && item.note.starts_with("callback")
}

/// Call-backs that were agreed with the file that goes are made with the one that stays.
fn hand_callbacks(t: &mut Tables, merge: &Merge) {
    let theirs = t.items.values().filter(|i| i.debtor_id == merge.gone_id);
    let agreed: Vec<ItemState> = theirs.filter(|i| is_agreed(i)).cloned().collect();
    for item in agreed {
        let key = (item.campaign_id, merge.kept_id);
        let own = t.items.get(&key);
        // Two were agreed: the first of them is kept.
        if own.is_some_and(|own| is_agreed(own) && own.next_at <= item.next_at) {
            continue;
        }
        let to = ItemState {
            debtor_id: merge.kept_id,
            attempts: own.map_or(item.attempts, |own| own.attempts),
            last_result: own.map_or(item.last_result, |own| own.last_result),
            next_point: None,
            ..item
        };
        t.items.insert(key, to);
    }
}

/// Points that both files have; they stay behind.
fn shared(t: &Tables, merge: &Merge) -> BTreeSet<Uuid> {
    let own = t.points.values().filter(|p| p.debtor_id == merge.gone_id);
    own.filter(|p| same_point(t, merge.kept_id, merge.gone_id, p.id).is_some())
        .map(|p| p.id.0)
        .collect()
}

/// Makes one of two; the row that comes back lists what moved.
pub(super) fn merge(t: &mut Tables, row: &Merge) -> Result<Merge, StoreError> {
    check(t, row)?;
    let (kept, gone) = (row.kept_id, row.gone_id);
    // Before the points go, so that each finds its twin.
    let shared = shared(t, row);
    let mut moved: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
    each_table!(t, |name, rows| {
        for row in rows {
            let own = row.debtor_id.owner() == Some(gone);
            if own && !(name == "contact_points" && shared.contains(&row.id.0)) {
                row.debtor_id.give(kept);
                moved.entry(name.to_owned()).or_default().push(row.id.0);
            }
        }
    });
    for stage in t.stages.values_mut().filter(|s| s.debtor_id == gone) {
        stage.debtor_id = kept;
    }
    repoint(t, kept, gone);
    share_bad(t, kept, gone);
    hand_callbacks(t, row);
    for (debtor, into) in t.merged_into.iter_mut().filter(|(_, into)| **into == gone) {
        *into = kept;
        moved.entry("debtors".into()).or_default().push(debtor.0);
    }
    for item in t.items.values_mut() {
        if item.debtor_id == gone && !item.done {
            item.done = true;
            "merged".clone_into(&mut item.note);
            let items = moved.entry("campaign_items".into()).or_default();
            items.push(item.campaign_id.0);
        }
    }
    t.merged_into.insert(gone, kept);
    if let Some(debtor) = t.debtors.get_mut(&gone) {
        debtor.updated_at = row.at;
    }
    let done = Merge {
        moved,
        ..row.clone()
    };
    t.merges.insert(done.id, done.clone());
    Ok(done)
}

/// Takes it apart again.
pub(super) fn undo(t: &mut Tables, row: Merge, by: &str, now: UtcMs) -> Result<Merge, StoreError> {
    if row.undone_at.is_some() {
        return Err(conflict("it was taken apart before"));
    }
    let (kept, gone) = (row.kept_id, row.gone_id);
    if t.merged_into.get(&gone) != Some(&kept) {
        return Err(conflict("a later merge holds it: take that apart first"));
    }
    let none = Vec::new();
    let list = |name: &str| row.moved.get(name).unwrap_or(&none);
    each_table!(t, |name, rows| {
        let ids = list(name);
        for row in rows {
            let own = row.debtor_id.owner() == Some(kept);
            if own && ids.contains(&row.id.0) {
                row.debtor_id.give(gone);
            }
        }
    });
    // What was promised and paid meanwhile on a debt that goes back goes with it.
    let debts: BTreeSet<DebtId> = list("debts").iter().map(|id| DebtId(*id)).collect();
    each_of_debt!(t, |rows| {
        for row in rows {
            if row.debtor_id == kept && row.debt_id.is_about(&debts) {
                row.debtor_id = gone;
            }
        }
    });
    for debtor in list("debtors") {
        t.merged_into.insert(DebtorId(*debtor), gone);
    }
    for item in t.items.values_mut() {
        let moved = list("campaign_items").contains(&item.campaign_id.0);
        if moved && item.debtor_id == gone && item.note == "merged" {
            item.done = false;
            item.note.clear();
            // A call-back is not agreed a second time.
            if item.priority >= CALLBACK_PRIORITY {
                item.priority = 0;
            }
        }
    }
    copy_wishes(t, &row, now);
    t.merged_into.remove(&gone);
    if let Some(debtor) = t.debtors.get_mut(&gone) {
        debtor.updated_at = now;
    }
    let done = Merge {
        undone_at: Some(now),
        undone_by: Some(by.to_owned()),
        ..row
    };
    t.merges.insert(done.id, done.clone());
    Ok(done)
}

/// What was asked for while the files were one binds the one that comes back too.
fn copy_wishes(t: &mut Tables, merge: &Merge, now: UtcMs) {
    let copy = |row: Uuid| Uuid::new_v5(&merge.id.0, row.as_bytes());
    let (kept, gone) = (merge.kept_id, merge.gone_id);
    let stands = |until: Option<UtcMs>| until.is_none_or(|until| until > now);
    let holds = t.holds.values().filter(|h| {
        h.debtor_id == kept
            && h.debt_id.is_none()
            && h.from >= merge.at
            && h.lifted_at.is_none()
            && stands(h.until)
    });
    for mut hold in holds.cloned().collect::<Vec<_>>() {
        (hold.id, hold.debtor_id) = (HoldId(copy(hold.id.0)), gone);
        t.holds.insert(hold.id, hold);
    }
    let wishes = t.preferences.values().filter(|p| {
        p.debtor_id == kept
            && p.kind != PreferenceKind::WiderHours
            && p.recorded_at >= merge.at
            && p.revoked_at.is_none()
            && stands(p.until)
    });
    for mut wish in wishes.cloned().collect::<Vec<_>>() {
        (wish.id, wish.debtor_id) = (PreferenceId(copy(wish.id.0)), gone);
        t.preferences.insert(wish.id, wish);
    }
    let listed = t
        .suppressions
        .values()
        .filter(|s| s.debtor_id == Some(kept) && s.created_at >= merge.at && s.lifted_at.is_none());
    for mut listing in listed.cloned().collect::<Vec<_>>() {
        listing.id = SuppressionId(copy(listing.id.0));
        listing.debtor_id = Some(gone);
        t.suppressions.insert(listing.id, listing);
    }
    repoint(t, gone, kept);
    share_bad(t, gone, kept);
}
