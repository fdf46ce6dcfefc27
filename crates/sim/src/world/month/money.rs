//! Money of a month: promises and instalments on their day, plans paid early, somebody who pays by himself, by
//! transfer, by link and by the bank's file of the day before; money whose owner is found later or never, too much
//! of it, payments that go back, debtors who dispute one.

mod bank;
mod links;

use super::super::World;
use super::super::life::Life;
use super::super::people::{hold, mxn};
use super::clerk::lot;
use super::local_day;
use crate::store::Tables;
use bank::Line;
use center::{Actor, CenterError, Payer};
use domain::entity::{
    Debt, Hold, HoldKind, HoldScope, InstalmentState, Payment, PaymentChannel, Plan, PlanState,
    Promise, PromiseState, Receipt, ReceiptSource, ReceiptState,
};
use domain::ids::{ClientId, DebtId, DebtorId, PaymentId, ReceiptId};
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::{Clock as _, IdSource as _};
use domain::segment::day_of_date;
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Of a hundred promises so many are paid, so many by half.
const KEPT: (u128, u128) = (55, 15);
/// Of a hundred plans so many are paid to their end, so many begin and stop.
const PAID: (u128, u128) = (65, 20);
/// Of a hundred plans with an incentive so many are paid in time for it.
const EARLY: u128 = 60;
/// Of a hundred bills that are no plain transfer so many are paid by link, so many through the bank's file.
const BY_LINK: u32 = 30;
const BY_BANK: u32 = 40;
/// Chances of a minute, percent.
const BY_HIMSELF: u32 = 20;
const GOES_BACK: u32 = 5;
const DISPUTES: u32 = 3;
const OWNER_FOUND: u32 = 40;
/// A dispute is settled after so long.
const DISPUTED_MS: i64 = 2 * DAY_MS;
/// Money waits at least so long for its owner.
const WAITS_MS: i64 = 5 * MINUTE_MS;

/// Money that somebody is about to pay.
#[derive(Debug, Clone, Copy)]
struct Bill {
    client: ClientId,
    debtor: DebtorId,
    debt: DebtId,
    minor: i64,
}

impl Bill {
    const fn of(debt: &Debt, minor: i64) -> Self {
        Self {
            client: debt.client_id,
            debtor: debt.debtor_id,
            debt: debt.id,
            minor,
        }
    }
}

/// Where money comes in.
pub(super) struct Till {
    rng: ChaCha8Rng,
    /// Receipts without an owner: since when, and whose they are.
    waiting: BTreeMap<ReceiptId, (UtcMs, Bill)>,
    /// What the bank will tell of tomorrow.
    bank: Vec<Line>,
}

impl Till {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0071_1100),
            waiting: BTreeMap::new(),
            bank: Vec::new(),
        }
    }

    fn chance(&mut self, pct: u32) -> bool {
        self.rng.random_range(0..100) < pct
    }

    /// Money of one minute.
    pub(super) async fn minute(&mut self, world: &World, life: &Life, minutes: u64) {
        let now = life.clock.now();
        self.read_file(world, life).await;
        for bill in self.due(world, now, minutes) {
            self.pay(world, life, bill).await;
        }
        if self.chance(GOES_BACK) {
            self.back(world, life).await;
        }
        if self.chance(DISPUTES) {
            self.dispute(world, life).await;
        }
        if self.chance(OWNER_FOUND) {
            self.owner(world, life).await;
        }
        settle_disputes(world, life).await;
    }

    fn due(&mut self, world: &World, now: UtcMs, minutes: u64) -> Vec<Bill> {
        let mut bills = world.store.with(|t| {
            let mut bills = promised(t, now, minutes);
            bills.extend(instalments(t, now, minutes));
            bills.extend(early(t, now, minutes));
            bills
        });
        if self.chance(BY_HIMSELF) {
            let open: Vec<Debt> = world.store.with(|t| {
                let open = t.debts.values().filter(|d| d.balance_minor() > 0);
                open.cloned().collect()
            });
            if !open.is_empty() {
                let debt = &open[self.rng.random_range(0..open.len())];
                let left = debt.balance_minor();
                let part = match self.rng.random_range(0..10) {
                    0..3 => left,
                    // More than is owed: the rest goes back to him.
                    3 => left + self.rng.random_range(1..=50_000),
                    _ => self.rng.random_range(1..=left),
                };
                bills.push(Bill::of(debt, part));
            }
        }
        bills
    }

    async fn pay(&mut self, world: &World, life: &Life, bill: Bill) {
        let owed = world
            .store
            .with(|t| t.debts.get(&bill.debt).map_or(0, Debt::balance_minor));
        let roll = self.rng.random_range(0..100);
        let now = life.clock.now();
        if roll < 50 && bill.minor <= owed {
            let row = payment(world, bill, now);
            let done = life.handle.post_payment(Actor::System, row.clone()).await;
            note(world, done);
            if roll < 5 {
                // The same words again: it is the same money.
                let again = life.handle.post_payment(Actor::System, row).await;
                note(world, again);
            }
            return;
        }
        match self.rng.random_range(0..100) {
            way if way < BY_LINK => return self.by_link(world, life, bill).await,
            way if way < BY_LINK + BY_BANK => return self.by_bank(bill, now, roll >= 90),
            _ => {}
        }
        let row = receipt(world, bill, now);
        let (id, unknown) = (row.id, roll >= 90);
        let payer = Payer {
            debtor_id: (!unknown).then_some(bill.debtor),
            debt_id: (roll % 2 == 0).then_some(bill.debt),
            shares: None,
        };
        match life.handle.take_money(Actor::System, row, payer).await {
            Ok(_) if unknown => {
                self.waiting.insert(id, (now, bill));
            }
            Ok(taken) if taken.receipt.left_minor > 0 => {
                let back = life
                    .handle
                    .return_receipt(Actor::System, id, "sobra".into());
                note(world, back.await);
            }
            other => note(world, other),
        }
    }

    /// Money that waits finds its owner; of a few he is never found, and it goes back.
    async fn owner(&mut self, world: &World, life: &Life) {
        let now = life.clock.now();
        let old = |(since, _): &(UtcMs, Bill)| now.since_ms(*since) >= WAITS_MS;
        let Some((id, (_, bill))) = self.waiting.iter().find(|(_, w)| old(w)) else {
            return;
        };
        let (id, bill) = (*id, *bill);
        self.waiting.remove(&id);
        let handle = &life.handle;
        if lot(id.0, 0) < 20 {
            let back = handle.return_receipt(Actor::System, id, "sin dueño".into());
            return note(world, back.await);
        }
        let payer = Payer {
            debtor_id: Some(bill.debtor),
            ..Payer::default()
        };
        match handle.match_receipt(Actor::System, id, payer).await {
            Ok(_) if lot(id.0, 1) < 20 => {
                let off = handle.unmatch_receipt(Actor::System, id, "era de otro".into());
                note(world, off.await);
            }
            other => note(world, other),
        }
    }

    /// A payment that did not go back yet.
    fn some_payment(&mut self, world: &World) -> Option<Payment> {
        let all: Vec<Payment> = world.store.with(|t| {
            let back = t.payments.values().filter_map(|p| p.reverses);
            let back: std::collections::BTreeSet<PaymentId> = back.collect();
            let fresh = |p: &&Payment| p.reverses.is_none() && !back.contains(&p.id);
            t.payments.values().filter(fresh).cloned().collect()
        });
        if all.is_empty() {
            return None;
        }
        // Money mostly goes back while it is new.
        let newest = all.len().saturating_sub(40);
        Some(all[self.rng.random_range(newest..all.len())].clone())
    }

    async fn back(&mut self, world: &World, life: &Life) {
        let Some(first) = self.some_payment(world) else {
            return;
        };
        let whole = first.amount.amount_minor;
        let part = (whole > 1 && self.chance(40)).then(|| self.rng.random_range(1..whole));
        let words = format!("back-{}", first.id);
        let done = life
            .handle
            .reverse_payment(Actor::System, first.id, part, words);
        note(world, done.await);
    }

    async fn dispute(&mut self, world: &World, life: &Life) {
        let Some(of) = self.some_payment(world) else {
            return;
        };
        let now = life.clock.now();
        let id = world.ids.next(now);
        let row = Hold {
            scope: HoldScope::Debt,
            debt_id: Some(of.debt_id),
            ..hold(id, of.client_id, of.debtor_id, HoldKind::Dispute, now)
        };
        note(world, life.handle.place_hold(Actor::System, row).await);
    }
}

/// What was refused is counted; a debt that was paid meanwhile takes no more.
fn note<T>(world: &World, done: Result<T, CenterError>) {
    if let Err(error) = done {
        world.tally.refused(&error);
    }
}

async fn settle_disputes(world: &World, life: &Life) {
    let now = life.clock.now();
    let settled: Vec<DebtorId> = world.store.with(|t| {
        let old = |h: &&mut Hold| {
            h.kind == HoldKind::Dispute
                && h.scope == HoldScope::Debt
                && h.lifted_at.is_none()
                && now.since_ms(h.from) >= DISPUTED_MS
        };
        let lifted = t.holds.values_mut().filter(old).map(|h| {
            h.lifted_at = Some(now);
            h.debtor_id
        });
        lifted.collect()
    });
    for debtor in settled {
        life.handle.debtor_changed(debtor).await;
    }
}

/// Whether a row has its turn in this minute: each has one of its own.
fn turn(id: Uuid, now: UtcMs, minutes: u64) -> bool {
    let minute = u64::try_from(now.0 / MINUTE_MS).unwrap_or(0) % minutes;
    id.as_u128() % u128::from(minutes) == u128::from(minute)
}

/// Part of a promise that is paid, percent, by its own number.
fn share(promise: &Promise) -> i64 {
    match lot(promise.id.0, 0) {
        n if n < KEPT.0 => 100,
        n if n < KEPT.0 + KEPT.1 => 50,
        _ => 0,
    }
}

/// What was promised for today or before.
fn promised(t: &Tables, now: UtcMs, minutes: u64) -> Vec<Bill> {
    let today = local_day(now);
    let wanted = |p: &&Promise| {
        let due = day_of_date(&p.due_date).unwrap_or(today);
        p.state == PromiseState::Active
            && due <= today
            && share(p) > 0
            && turn(p.id.0, now, minutes)
    };
    let mut bills = Vec::new();
    for p in t.promises.values().filter(wanted) {
        let since = |x: &Payment| x.debt_id == p.debt_id && x.paid_at >= p.made_at;
        let Some(debt) = t.debts.get(&p.debt_id) else {
            continue;
        };
        let minor = (p.amount.amount_minor * share(p) / 100).min(debt.balance_minor());
        if minor > 0 && !t.payments.values().any(since) {
            bills.push(Bill::of(debt, minor));
        }
    }
    bills
}

/// Whether the debtor pays that part of his plan.
fn pays(plan: &Plan, position: i32) -> bool {
    match lot(plan.id.0, 2) {
        n if n < PAID.0 => true,
        n if n < PAID.0 + PAID.1 => position == 1,
        _ => false,
    }
}

/// Instalments due today or before.
fn instalments(t: &Tables, now: UtcMs, minutes: u64) -> Vec<Bill> {
    let today = local_day(now);
    let mut bills = Vec::new();
    for part in t.instalments.values() {
        let due = day_of_date(&part.due_date).is_some_and(|d| d <= today);
        let wanted = part.state == InstalmentState::Due && due && turn(part.id.0, now, minutes);
        let plan = t
            .plans
            .get(&part.plan_id)
            .filter(|p| wanted && p.state.runs());
        let Some(plan) = plan.filter(|p| pays(p, part.position)) else {
            continue;
        };
        if let Some(debt) = t.debts.get(&plan.debt_id) {
            let left = part.amount_minor - part.paid_minor;
            let minor = left.min(debt.balance_minor());
            if minor > 0 {
                bills.push(Bill::of(debt, minor));
            }
        }
    }
    bills
}

/// Plans whose debtor pays the whole of them in time for the incentive.
fn early(t: &Tables, now: UtcMs, minutes: u64) -> Vec<Bill> {
    let mut bills = Vec::new();
    let wanted = |p: &&Plan| {
        p.state == PlanState::Signed
            && p.early_off_minor > 0
            && p.early_until.is_some_and(|end| now < end)
            && lot(p.id.0, 3) < EARLY
            && turn(p.id.0, now, minutes)
    };
    for plan in t.plans.values().filter(wanted) {
        let minor = plan.agreed_minor - plan.early_off_minor;
        let debt = t.debts.get(&plan.debt_id);
        bills.extend(debt.map(|d| Bill::of(d, minor.min(d.balance_minor()))));
    }
    bills.retain(|b| b.minor > 0);
    bills
}

fn payment(world: &World, bill: Bill, now: UtcMs) -> Payment {
    let id = PaymentId(world.ids.next(now));
    Payment {
        id,
        client_id: bill.client,
        debtor_id: bill.debtor,
        debt_id: bill.debt,
        amount: Money::new(bill.minor, mxn()),
        paid_at: now,
        channel: PaymentChannel::Transfer,
        reference: format!("month-{id}"),
        reverses: None,
        posted_at: now,
    }
}

fn receipt(world: &World, bill: Bill, now: UtcMs) -> Receipt {
    let id = ReceiptId(world.ids.next(now));
    Receipt {
        id,
        client_id: bill.client,
        source: ReceiptSource::Api,
        reference: format!("receipt-{id}"),
        amount: Money::new(bill.minor, mxn()),
        left_minor: bill.minor,
        returned_minor: 0,
        paid_at: now,
        channel: PaymentChannel::Transfer,
        concept: Pii(String::new()),
        document: Pii(String::new()),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: String::new(),
        created_at: now,
        updated_at: now,
    }
}
