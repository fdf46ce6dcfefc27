//! Values of every field of a segment, for each debtor of a client.

use super::Tables;
use super::portfolio::mark_of;
use domain::entity::{
    Address, Attempt, Claim, Complaint, Consent, ContactPoint, Debt, DebtItem, DebtStage,
    DebtStatus, Debtor, Excuse, Hold, InboxMessage, Instalment, LedgerRow, Letter, Message, Party,
    Payment, PaymentLink, Placement, Plan, Preference, Promise, Suppression, Visit,
};
use domain::ids::{ClientId, DebtorId, PlanId, PortfolioId};
use domain::ports::store::ItemState;
use domain::segment::{Assigned, SegmentFacts, SegmentRow, day_in, utc_day};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Rows of one table by debtor, so that a segment is one pass over each table.
fn by_debtor<'a, T>(
    rows: impl Iterator<Item = &'a T>,
    debtor: impl Fn(&T) -> DebtorId,
) -> BTreeMap<DebtorId, Vec<&'a T>> {
    let mut groups: BTreeMap<DebtorId, Vec<&'a T>> = BTreeMap::new();
    for row in rows {
        groups.entry(debtor(row)).or_default().push(row);
    }
    groups
}

fn of<'a, 'b, T>(groups: &'b BTreeMap<DebtorId, Vec<&'a T>>, id: DebtorId) -> &'b [&'a T] {
    groups.get(&id).map_or(&[], Vec::as_slice)
}

/// Everything that lists a debtor of the client, external lists too.
fn listings(t: &Tables, client: ClientId) -> BTreeMap<DebtorId, Vec<Suppression>> {
    if t.suppressions.is_empty() && t.dnc_lists.is_empty() {
        return BTreeMap::new();
    }
    let points = by_debtor(t.points.values(), |r: &ContactPoint| r.debtor_id);
    let ours = t.debtors.values().filter(|d| d.client_id == client);
    ours.map(|debtor| {
        let own: Vec<ContactPoint> = of(&points, debtor.id).iter().copied().cloned().collect();
        (debtor.id, super::law::listed(t, debtor, &own))
    })
    .collect()
}

/// Names of who works a debtor.
fn assigned(t: &Tables, debtor: DebtorId) -> Assigned<'_> {
    let Some(row) = t.assignments.get(&debtor) else {
        return Assigned::default();
    };
    let campaign = row.campaign_id.and_then(|id| t.campaigns.get(&id));
    let team = row.team_id.and_then(|id| t.teams.get(&id));
    let agent = row.agent_id.and_then(|id| t.agents.get(&id));
    Assigned {
        campaign: campaign.map(|c| c.name.as_str()),
        team: team.map(|t| t.name.as_str()),
        agent: agent.map(|a| a.name.as_str()),
        since: Some(row.assigned_at),
    }
}

/// Messages of each debtor who is known.
fn inbox_of(t: &Tables) -> BTreeMap<DebtorId, Vec<&InboxMessage>> {
    let mut inbox: BTreeMap<DebtorId, Vec<&InboxMessage>> = BTreeMap::new();
    for row in t.inbox.values() {
        if let Some(debtor) = row.debtor_id {
            inbox.entry(debtor).or_default().push(row);
        }
    }
    inbox
}

fn parts_of(t: &Tables) -> BTreeMap<PlanId, Vec<&Instalment>> {
    let mut parts: BTreeMap<PlanId, Vec<&Instalment>> = BTreeMap::new();
    for part in t.instalments.values() {
        parts.entry(part.plan_id).or_default().push(part);
    }
    parts
}

/// Placements of the open ones of these debts.
fn placed<'a>(t: &'a Tables, debts: &[&Debt]) -> Vec<&'a Placement> {
    let open = debts.iter().filter(|d| d.status == DebtStatus::Open);
    let placed = open.filter_map(|d| t.placements.get(t.placed.get(&d.id)?));
    placed.collect()
}

/// Instalments of these plans.
fn instalments_of<'a>(
    parts: &BTreeMap<PlanId, Vec<&'a Instalment>>,
    plans: &[&Plan],
) -> Vec<&'a Instalment> {
    let own = plans.iter().filter_map(|plan| parts.get(&plan.id));
    own.flatten().copied().collect()
}

/// Due items of these debts.
fn items_of<'a>(t: &'a Tables, debts: &[&Debt]) -> Vec<&'a DebtItem> {
    let own = debts.iter().filter_map(|debt| t.debt_items.get(&debt.id));
    own.flatten().collect()
}

/// The day that it is in the zone of each portfolio of a client.
pub(super) fn days_of(t: &Tables, client: ClientId, now: UtcMs) -> BTreeMap<PortfolioId, i64> {
    let ours = t.portfolios.values().filter(|p| p.client_id == client);
    ours.map(|p| (p.id, day_in(&p.zone, now))).collect()
}

fn portfolio_of<'a>(t: &'a Tables, debtor: &Debtor) -> &'a str {
    let known = t.portfolios.get(&debtor.portfolio_id);
    known.map_or("", |p| p.name.as_str())
}

/// Days on which debts were placed, and on which they are to be given back.
fn placed_days<'a>(placed: &[&'a Placement]) -> (Vec<&'a str>, Vec<&'a str>) {
    let on = placed.iter().map(|p| p.placed_on.as_str());
    let back = placed.iter().filter_map(|p| p.recall_on.as_deref());
    (on.collect(), back.collect())
}

/// Debtors of a client whose file is in as a whole.
fn ours(t: &Tables, client: ClientId) -> impl Iterator<Item = &Debtor> {
    t.debtors
        .values()
        .filter(move |d| d.client_id == client && !super::import_rows::is_half(t, d.id))
}

/// Every debtor of a client with the values of every field at `now`, by id.
pub(super) fn rows_of(t: &Tables, client: ClientId, now: UtcMs) -> Vec<(&Debtor, SegmentRow)> {
    let debts = by_debtor(t.debts.values(), |r: &Debt| r.debtor_id);
    let points = by_debtor(t.points.values(), |r: &ContactPoint| r.debtor_id);
    let attempts = by_debtor(t.attempts.values(), |r: &Attempt| r.debtor_id);
    let promises = by_debtor(t.promises.values(), |r: &Promise| r.debtor_id);
    let payments = by_debtor(t.payments.values(), |r: &Payment| r.debtor_id);
    let holds = by_debtor(t.holds.values(), |r: &Hold| r.debtor_id);
    let parties = by_debtor(t.parties.values(), |r: &Party| r.debtor_id);
    let consents = by_debtor(t.consents.values(), |r: &Consent| r.debtor_id);
    let addresses = by_debtor(t.addresses.values(), |r: &Address| r.debtor_id);
    let stages = by_debtor(t.stages.values(), |r: &DebtStage| r.debtor_id);
    let plans = by_debtor(t.plans.values(), |r: &Plan| r.debtor_id);
    let excuses = by_debtor(t.excuses.values(), |r: &Excuse| r.debtor_id);
    let preferences = by_debtor(t.preferences.values(), |r: &Preference| r.debtor_id);
    let complaints = by_debtor(t.complaints.values(), |r: &Complaint| r.debtor_id);
    let messages = by_debtor(t.messages.values(), |r: &Message| r.debtor_id);
    let inbox = inbox_of(t);
    let parts = parts_of(t);
    let letters = by_debtor(t.letters.values(), |r: &Letter| r.debtor_id);
    let ledger = by_debtor(t.ledger.iter(), |r: &LedgerRow| r.debtor_id);
    let claims = by_debtor(t.claims.values(), |r: &Claim| r.debtor_id);
    let links = by_debtor(t.money.links.values(), |r: &PaymentLink| r.debtor_id);
    let places = by_debtor(t.items.values(), |r: &ItemState| r.debtor_id);
    let visits = by_debtor(t.visits.values(), |r: &Visit| r.debtor_id);
    let (listings, days) = (listings(t, client), days_of(t, client, now));
    let ours = ours(t, client).map(|debtor| {
        let today = days.get(&debtor.portfolio_id);
        let listed = listings.get(&debtor.id).map_or(&[][..], Vec::as_slice);
        let suppressions: Vec<&Suppression> = listed.iter().collect();
        let (placed_on, recall_on) = placed_days(&placed(t, of(&debts, debtor.id)));
        let facts = SegmentFacts {
            debtor,
            portfolio: portfolio_of(t, debtor),
            today: today.copied().unwrap_or(utc_day(now)),
            debts: of(&debts, debtor.id),
            points: of(&points, debtor.id),
            attempts: of(&attempts, debtor.id),
            promises: of(&promises, debtor.id),
            payments: of(&payments, debtor.id),
            holds: of(&holds, debtor.id),
            parties: of(&parties, debtor.id),
            consents: of(&consents, debtor.id),
            score: t.scores.get(&debtor.id).copied(),
            callable: mark_of(t, debtor.id, now),
            suppressions: &suppressions,
            addresses: of(&addresses, debtor.id),
            items: &items_of(t, of(&debts, debtor.id)),
            stages: of(&stages, debtor.id),
            plans: of(&plans, debtor.id),
            excuses: of(&excuses, debtor.id),
            preferences: of(&preferences, debtor.id),
            complaints: of(&complaints, debtor.id),
            instalments: &instalments_of(&parts, of(&plans, debtor.id)),
            placed_on: &placed_on,
            recall_on: &recall_on,
            claims: of(&claims, debtor.id),
            links: of(&links, debtor.id),
            places: of(&places, debtor.id),
            visits: of(&visits, debtor.id),
            messages: of(&messages, debtor.id),
            inbox: of(&inbox, debtor.id),
            letters: of(&letters, debtor.id),
            ledger: of(&ledger, debtor.id),
            assigned: assigned(t, debtor.id),
        };
        (debtor, facts.row(now))
    });
    ours.collect()
}
