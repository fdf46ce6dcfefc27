//! What the books must say after any history.

use super::books::Done;
use super::receipts::page;
use super::scene::*;
use domain::entity::{
    Debt, DebtItem, DebtStatus, Forgiven, Instalment, InstalmentState, Payment, PaymentParts, Plan,
    PlanFile, PlanState, PromiseState, Receipt,
};
use domain::ids::{DebtId, PaymentId};
use domain::ports::store::{ListFilter, PaymentFilter};
use domain::rules::due_items::{due_date, open_of};
use domain::rules::promise::outcome;
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// What the books of a scene say, and what they must.
pub(super) struct Audit<'a> {
    pub(super) store: &'a Subject,
    /// The history's number.
    pub(super) seed: u64,
    /// It is over at.
    pub(super) now: UtcMs,
    /// Due items of the debts that have any.
    pub(super) lists: &'a BTreeMap<DebtId, Vec<DebtItem>>,
    /// What was seen in it.
    pub(super) done: &'a mut Done,
}

/// A debt with everything that moved it.
struct Account {
    debt: Debt,
    payments: Vec<Payment>,
    parts: Vec<PaymentParts>,
    forgiven: Vec<Forgiven>,
}

impl Account {
    async fn of(store: &Subject, was: &Debt) -> Self {
        let filter = PaymentFilter {
            debt_id: Some(was.id),
            ..PaymentFilter::default()
        };
        let found = store.payments_page(&filter, &page(500, None)).await;
        let found = found.expect("payments");
        assert_eq!(found.next_cursor, None, "all of them");
        let payments = found.items;
        let ids: Vec<PaymentId> = payments.iter().map(|p| p.id).collect();
        Self {
            debt: store.get_debt(was.id).await.expect("debt"),
            parts: store.parts_of(&ids).await.expect("parts"),
            forgiven: store.forgiven_of(was.id).await.expect("forgiven"),
            payments,
        }
    }

    /// Money taken back counts for the day of what it takes back.
    fn dated(&self, payment: &Payment) -> UtcMs {
        let first = payment.reverses;
        let first = first.and_then(|id| self.payments.iter().find(|p| p.id == id));
        first.map_or(payment.paid_at, |first| first.paid_at)
    }

    /// Money of `[from, to)`.
    fn paid(&self, from: UtcMs, to: UtcMs) -> i64 {
        let within = |p: &&Payment| (from..to).contains(&self.dated(p));
        let within = self.payments.iter().filter(within);
        within.map(|p| p.amount.amount_minor).sum()
    }

    fn own(&self, payment: &Payment) -> &PaymentParts {
        let own = self.parts.iter().find(|p| p.payment_id == payment.id);
        own.expect("its parts")
    }

    /// What stands forgiven by a plan.
    fn off(&self, plan: &Plan) -> i64 {
        let rows = self.forgiven.iter().filter(|f| f.plan_id == plan.id);
        rows.map(|f| f.parts.sum()).sum()
    }
}

const EVER: UtcMs = UtcMs(i64::MAX);

/// Whether money earned the incentive of a plan before `end`.
fn early(of: &Account, plan: &Plan, end: UtcMs) -> bool {
    let from = plan.signed_at.expect("signed");
    plan.early_until.is_some_and(|until| {
        let paid = of.paid(from, until.min(end));
        plan.early_off_minor > 0 && paid >= plan.agreed_minor - plan.early_off_minor
    })
}

/// Interest that arose since a plan was drawn that freezes it, up to now: what is owed of it, was paid and is
/// forgiven; what is owed again because older money went back did not arise.
fn frozen(of: &Account, plan: &Plan) -> i64 {
    if !plan.freeze_interest {
        return 0;
    }
    let since = of.payments.iter().filter(|p| p.posted_at > plan.made_at);
    let paid: i64 = since.map(|p| of.own(p).parts.interest_minor).sum();
    let rows = of.forgiven.iter().filter(|f| f.plan_id == plan.id);
    let off: i64 = rows.map(|f| f.parts.interest_minor).sum();
    (of.debt.interest_minor + paid + off - plan.interest_minor).max(0)
}

impl Audit<'_> {
    fn saw(&mut self, kind: &'static str, seen: bool) {
        *self.done.entry(kind).or_default() += usize::from(seen);
    }

    /// What is owed is what was owed, with what a rule of interest put there, less what money and plans took:
    /// the parts of each payment are its amount. Gives what receipts have on the debt.
    async fn debt(&mut self, was: &Debt) -> i64 {
        let (of, seed) = (Account::of(self.store, was).await, self.seed);
        for payment in &of.payments {
            assert_eq!(
                payment.debtor_id, of.debt.debtor_id,
                "seed {seed}: one file"
            );
            let parts = of.own(payment).parts.sum();
            assert_eq!(parts, payment.amount.amount_minor, "seed {seed}");
        }
        assert_eq!(of.parts.len(), of.payments.len(), "seed {seed}");
        let on = of.parts.iter();
        let sum: i64 = on.map(|p| p.parts.sum() - p.parts.excess_minor).sum();
        let off: i64 = of.forgiven.iter().map(|f| f.parts.sum()).sum();
        let accruals = self.store.accruals_of(&[was.id]).await.expect("accruals");
        let booked: i64 = accruals.iter().map(|a| a.booked_minor).sum();
        let (now, owed) = (&of.debt, of.debt.balance_minor());
        assert_eq!(
            owed + sum + off,
            was.balance_minor() + booked,
            "seed {seed}: what is owed, {now:?}"
        );
        assert!(owed >= 0, "seed {seed}: {now:?}");
        assert!(
            (0..=owed).contains(&now.overdue_minor),
            "seed {seed}: {now:?}"
        );
        assert!(
            now.status == DebtStatus::Recalled || (now.status == DebtStatus::Paid) == (owed == 0),
            "seed {seed}: {now:?}"
        );
        self.items(was, now).await;
        self.plans(&of).await;
        self.promises(&of).await;
        let of_receipts = of.parts.iter().filter(|p| p.receipt_id.is_some());
        of_receipts.map(|p| p.parts.sum()).sum()
    }

    /// A debt is past due since its oldest unpaid item; one without items since the day it had.
    async fn items(&mut self, was: &Debt, now: &Debt) {
        let seed = self.seed;
        let items = self.store.due_items_of(&[was.id]).await.expect("items");
        let list = self.lists.get(&was.id).cloned().unwrap_or_default();
        assert_eq!(items, list, "seed {seed}: {now:?}");
        let due = due_date(&items, now.principal_minor);
        let due = due.unwrap_or(&was.due_date);
        assert_eq!(now.due_date, due, "seed {seed}: {now:?}");
        let open = open_of(&items, now.principal_minor);
        let turned = open.first() == Some(&0) && open.last() != Some(&0);
        self.saw("next item", turned);
    }

    /// One plan of a debt lives at most; the newest that ran is where its money has it; each forgave what its
    /// state says.
    async fn plans(&mut self, of: &Account) {
        let (seed, debt) = (self.seed, &of.debt);
        let plans = self.store.plans_of(debt.debtor_id).await.expect("plans");
        let plans: Vec<PlanFile> = plans
            .into_iter()
            .filter(|f| f.plan.debt_id == debt.id)
            .collect();
        let live = plans.iter().filter(|f| f.plan.state.is_live()).count();
        assert!(live <= 1, "seed {seed}: {plans:?}");
        let moved = |f: &&PlanFile| f.plan.signed_at.is_some();
        let newest = plans.iter().find(moved).map(|f| f.plan.id);
        for file in &plans {
            let (plan, off) = (&file.plan, of.off(&file.plan));
            match plan.state {
                PlanState::Completed if Some(plan.id) == newest => self.completed(of, plan, off),
                PlanState::Completed => assert!(off >= 0, "seed {seed}: {plan:?}"),
                PlanState::Broken => {
                    let kept = if plan.lapses { 0 } else { plan.quita_minor };
                    let older = Some(plan.id) != newest;
                    let part = off < kept && (older || debt.balance_minor() == 0);
                    let whole = off == kept || (off >= 0 && part);
                    assert!(whole, "seed {seed}: {off} forgiven, {plan:?}, {debt:?}");
                }
                _ => assert_eq!(off, 0, "seed {seed}: {plan:?}"),
            }
            let late =
                |p: &Instalment| p.state == InstalmentState::Due && p.grace_until <= self.now;
            let waits = plan.state.runs() && file.instalments.iter().any(late);
            assert!(!waits, "seed {seed}: {file:?}");
            if Some(plan.id) == newest {
                self.moved(of, file);
            }
        }
    }

    /// The quita, the incentive where it was earned, and what it froze are forgiven, as far as anything was owed.
    fn completed(&mut self, of: &Account, plan: &Plan, off: i64) {
        let earned = early(of, plan, EVER);
        let incentive = if earned { plan.early_off_minor } else { 0 };
        let stopped = frozen(of, plan);
        let most = plan.quita_minor + incentive + stopped;
        // What arose behind its end was not frozen by it, and is owed.
        let right = (most - stopped..=most).contains(&off);
        let whole = right || (off < most && of.debt.balance_minor() == 0);
        assert!(
            whole,
            "seed {}: {off} forgiven of {} quita, {incentive} incentive, {stopped} frozen: {plan:?}, {:?}",
            self.seed, plan.quita_minor, of.debt
        );
        self.saw("completed", true);
        self.saw("incentive", earned);
        self.saw("frozen", stopped > 0);
    }

    /// A plan is where the money since it was accepted has it; it is broken by a part that no money of its time
    /// paid, and by nothing else.
    fn moved(&self, of: &Account, file: &PlanFile) {
        let (plan, seed) = (&file.plan, self.seed);
        let from = plan.signed_at.expect("signed");
        let told = || format!("seed {seed}: {file:?}");
        let over = |p: &Instalment| p.grace_until <= self.now;
        if plan.state == PlanState::Broken {
            let missed = |p: &Instalment| p.state == InstalmentState::Missed;
            assert!(file.instalments.iter().any(missed), "{}", told());
            let mut owed = 0;
            let in_time = |part: &Instalment| {
                owed += part.amount_minor;
                of.paid(from, part.grace_until) >= owed || early(of, plan, part.grace_until)
            };
            let mut due = file.instalments.iter().filter(|p| over(p) || missed(p));
            assert!(!due.all(in_time), "{}", told());
            return;
        }
        let paid = of.paid(from, EVER);
        let want = if paid >= plan.agreed_minor || early(of, plan, EVER) {
            PlanState::Completed
        } else if paid > 0 {
            PlanState::Active
        } else {
            PlanState::Signed
        };
        assert_eq!(plan.state, want, "{paid} paid, {}", told());
        let on_parts: i64 = file.instalments.iter().map(|p| p.paid_minor).sum();
        assert_eq!(on_parts, paid.clamp(0, plan.agreed_minor), "{}", told());
    }

    /// A promise stands as the money dated in it says.
    async fn promises(&mut self, of: &Account) {
        let filter = ListFilter {
            debt_id: Some(of.debt.id),
            ..ListFilter::default()
        };
        let promises = self.store.list_promises(&filter, &page(500, None)).await;
        for promise in promises.expect("promises").items {
            let paid = of.paid(promise.made_at, promise.grace_until);
            let over = promise.grace_until <= self.now;
            let says = outcome(promise.amount.amount_minor, paid, over);
            assert!(
                promise.state == says || promise.state == PromiseState::Replaced,
                "seed {}: {promise:?} with {paid} paid",
                self.seed
            );
        }
    }

    /// Everything that must hold of these debts, as they were before, and of these receipts.
    pub(super) async fn all(&mut self, before: &[Debt], receipts: &[Receipt]) {
        let seed = self.seed;
        let mut on_debts = 0;
        for was in before {
            on_debts += self.debt(was).await;
        }
        let mut came = 0;
        for receipt in receipts {
            let row = self.store.get_receipt(receipt.id).await.expect("receipt");
            let rows = self.store.payments_of_receipt(row.id).await;
            let rows = rows.expect("payments");
            let spent: i64 = rows.iter().map(|p| p.amount.amount_minor).sum();
            let whole = spent + row.left_minor + row.returned_minor;
            assert_eq!(whole, row.amount.amount_minor, "seed {seed}: receipt");
            if row.amount.currency == mxn() {
                came += spent;
            }
        }
        assert_eq!(
            came, on_debts,
            "seed {seed}: what receipts gave is what debts got"
        );
    }
}
