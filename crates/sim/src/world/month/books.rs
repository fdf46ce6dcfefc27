//! The books of a month: every unit of money is on a debt, waits, or went back; what is owed fell by just that
//! and by what was forgiven; promises and plans are what the money says.

use crate::store::Tables;
use domain::entity::{
    DebtStatus, Instalment, InstalmentState, Payment, Plan, PlanState, Promise, PromiseState,
};
use domain::ids::{DebtId, PaymentId, PlanId, ReceiptId};
use domain::rules::plan::adds_up;
use domain::rules::promise::outcome;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::collections::BTreeMap;

/// Noon UTC of a local day is so long before its evening, ms.
const NOON_MS: i64 = 18 * HOUR_MS;

/// Everything that must hold; `wrong` gets what does not.
pub(super) fn all(
    t: &Tables,
    opening: &BTreeMap<DebtId, i64>,
    now: UtcMs,
    wrong: &mut Vec<String>,
) {
    let mut money: BTreeMap<DebtId, Vec<&Payment>> = BTreeMap::new();
    for payment in t.payments.values() {
        money.entry(payment.debt_id).or_default().push(payment);
    }
    debts(t, opening, &money, wrong);
    receipts(t, wrong);
    let dated = Dated { t, money };
    for promise in t.promises.values() {
        if let Some(what) = dated.promise(promise, now) {
            wrong.push(format!("promise {}: {what}", promise.id));
        }
    }
    let mut parts: BTreeMap<PlanId, Vec<Instalment>> = BTreeMap::new();
    for part in t.instalments.values() {
        parts.entry(part.plan_id).or_default().push(part.clone());
    }
    for plan in t.plans.values() {
        let mut of = parts.remove(&plan.id).unwrap_or_default();
        of.sort_by_key(|p| p.position);
        if let Some(what) = dated.plan(plan, &of, now) {
            wrong.push(format!("plan {} ({}): {what}", plan.id, plan.state));
        }
    }
}

/// What a debt began with, less what was paid, plus what was paid too much, less what was forgiven, is what is
/// owed; nothing owed is paid, and something owed is not.
fn debts(
    t: &Tables,
    opening: &BTreeMap<DebtId, i64>,
    money: &BTreeMap<DebtId, Vec<&Payment>>,
    wrong: &mut Vec<String>,
) {
    let mut forgiven: BTreeMap<DebtId, i64> = BTreeMap::new();
    for row in &t.money.forgiven {
        *forgiven.entry(row.debt_id).or_default() += row.parts.sum();
    }
    for (debt, before) in opening {
        let of = money.get(debt).map_or(&[][..], Vec::as_slice);
        let paid: i64 = of.iter().map(|p| p.amount.amount_minor).sum();
        let parts = of.iter().filter_map(|p| t.money.parts.get(&p.id));
        let over: i64 = parts.map(|p| p.parts.excess_minor).sum();
        let given = forgiven.get(debt).copied().unwrap_or(0);
        let Some(row) = t.debts.get(debt) else {
            wrong.push(format!("debt {debt} is gone"));
            continue;
        };
        let owed = row.balance_minor();
        if before - paid + over - given != owed {
            wrong.push(format!(
                "debt {debt}: {before} less {paid} paid (of it {over} too much) less {given} \
                 forgiven is not {owed}"
            ));
        }
        if (owed == 0) != (row.status == DebtStatus::Paid) || owed < 0 {
            wrong.push(format!("debt {debt}: {owed} owed and {}", row.status));
        }
    }
}

/// A receipt is its payments, what is left of it and what went back.
fn receipts(t: &Tables, wrong: &mut Vec<String>) {
    let mut spent: BTreeMap<ReceiptId, i64> = BTreeMap::new();
    for parts in t.money.parts.values() {
        let payment = t.payments.get(&parts.payment_id);
        if let (Some(receipt), Some(payment)) = (parts.receipt_id, payment) {
            *spent.entry(receipt).or_default() += payment.amount.amount_minor;
        }
    }
    for row in t.money.receipts.values() {
        let on_debts = spent.get(&row.id).copied().unwrap_or(0);
        let whole = on_debts + row.left_minor + row.returned_minor;
        if whole != row.amount.amount_minor || row.left_minor < 0 {
            wrong.push(format!(
                "receipt {}: {on_debts} on debts, {} left, {} returned of {}",
                row.id, row.left_minor, row.returned_minor, row.amount.amount_minor
            ));
        }
    }
}

/// Money by the day it counts for.
struct Dated<'a> {
    t: &'a Tables,
    money: BTreeMap<DebtId, Vec<&'a Payment>>,
}

impl Dated<'_> {
    /// A reversal counts for the day of what it takes back.
    fn at(&self, payment: &Payment) -> UtcMs {
        let first = payment
            .reverses
            .and_then(|id: PaymentId| self.t.payments.get(&id));
        first.map_or(payment.paid_at, |first| first.paid_at)
    }

    /// Whether money counts since an instant: a day without its hour is kept as noon UTC, and counts when it was
    /// told later and is not the day before.
    fn since(&self, payment: &Payment, from: UtcMs) -> bool {
        let first = payment.reverses.and_then(|id| self.t.payments.get(&id));
        let posted = first.map_or(payment.posted_at, |first| first.posted_at);
        let at = self.at(payment);
        let day = at.0 % DAY_MS == DAY_MS / 2 && at >= from.plus_ms(-NOON_MS);
        at >= from || (day && posted >= from)
    }

    fn sum(&self, debt: DebtId, from: UtcMs, to: Option<UtcMs>) -> i64 {
        let of = self.money.get(&debt).map_or(&[][..], Vec::as_slice);
        let counts = |p: &&&Payment| self.since(p, from) && to.is_none_or(|end| self.at(p) < end);
        of.iter()
            .filter(counts)
            .map(|p| p.amount.amount_minor)
            .sum()
    }

    /// A promise is what the money dated in it says; none outlives its grace by a day.
    fn promise(&self, p: &Promise, now: UtcMs) -> Option<String> {
        let paid = self.sum(p.debt_id, p.made_at, Some(p.grace_until));
        let over = match p.state {
            PromiseState::Active if p.grace_until.plus_ms(DAY_MS) < now => {
                return Some("still active a day after its grace".to_owned());
            }
            PromiseState::Active => false,
            PromiseState::Kept | PromiseState::KeptPartial | PromiseState::Broken => true,
            PromiseState::Cancelled | PromiseState::Replaced => return None,
        };
        let want = outcome(p.amount.amount_minor, paid, over);
        (want != p.state).then(|| format!("{want} by {paid}, kept as {}", p.state))
    }

    /// Whether money earned the incentive of a plan.
    fn early(&self, plan: &Plan) -> bool {
        let sum = |end| {
            let from = plan.signed_at?;
            Some(self.sum(plan.debt_id, from, Some(end)))
        };
        let in_time = plan.early_until.and_then(sum);
        plan.early_off_minor > 0
            && in_time.is_some_and(|paid| paid >= plan.agreed_minor - plan.early_off_minor)
    }

    /// A plan's parts are its agreement (invariant 10), its money is on them first due first, its state and
    /// what is forgiven are what the money says; none outlives a missed part by a day.
    fn plan(&self, plan: &Plan, parts: &[Instalment], now: UtcMs) -> Option<String> {
        if !adds_up(plan, parts) {
            return Some("its instalments do not add up".to_owned());
        }
        let of_plan = self
            .t
            .money
            .forgiven
            .iter()
            .filter(|f| f.plan_id == plan.id);
        let forgiven: i64 = of_plan.map(|f| f.parts.sum()).sum();
        let most = match plan.state {
            PlanState::Completed if self.early(plan) => plan.quita_minor + plan.early_off_minor,
            PlanState::Completed => plan.quita_minor,
            PlanState::Broken if !plan.lapses => plan.quita_minor,
            _ => 0,
        };
        if !(0..=most).contains(&forgiven) {
            return Some(format!("{forgiven} forgiven, at most {most}"));
        }
        let missed = |p: &Instalment| p.state == InstalmentState::Missed;
        if (plan.state == PlanState::Broken) != parts.iter().any(missed) {
            return Some("broken without a missed instalment, or not by one".to_owned());
        }
        let (Some(from), true) = (
            plan.signed_at,
            plan.state.runs() || plan.state == PlanState::Completed,
        ) else {
            return None;
        };
        let late =
            |p: &Instalment| p.state == InstalmentState::Due && p.grace_until.plus_ms(DAY_MS) < now;
        if plan.state.runs() && parts.iter().any(late) {
            return Some("still runs a day after a missed instalment".to_owned());
        }
        let paid = self.sum(plan.debt_id, from, None);
        let on_parts: i64 = parts.iter().map(|p| p.paid_minor).sum();
        if on_parts != paid.clamp(0, plan.agreed_minor) {
            return Some(format!("{paid} paid and {on_parts} on its instalments"));
        }
        let want = if self.early(plan) || paid >= plan.agreed_minor {
            PlanState::Completed
        } else if paid > 0 {
            PlanState::Active
        } else {
            PlanState::Signed
        };
        (want != plan.state).then(|| format!("{want} by {paid} of {}", plan.agreed_minor))
    }
}
