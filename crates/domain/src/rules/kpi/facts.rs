//! The rows behind the figures by plain code: the readable twin of the SQL.

use super::{ATTRIBUTION_MS, KpiAsk, KpiFact, KpiMessage, KpiRows, PAR_DAYS};
use crate::entity::{AgentSpell, Bucket, DebtMark, PromiseState};
use crate::ids::{
    AgentId, AttemptId, CampaignId, ClientId, DebtId, DebtorId, MessageId, PaymentId, PortfolioId,
    PromiseId,
};
use crate::money::Currency;
use crate::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};

/// An attempt as the figures see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiAttempt {
    /// Identity.
    pub id: AttemptId,
    /// Owner.
    pub client_id: ClientId,
    /// Campaign.
    pub campaign_id: Option<CampaignId>,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Who talked last.
    pub agent_id: Option<AgentId>,
    /// Opened.
    pub opened_at: UtcMs,
    /// Answered.
    pub answered_at: Option<UtcMs>,
    /// Ended.
    pub ended_at: Option<UtcMs>,
    /// It left for the network, or may have.
    pub made: bool,
    /// An obligated, verified party was spoken to.
    pub rpc: bool,
    /// Its code is one of contact with somebody else (`CI`).
    pub third_party: bool,
}

/// A promise as the figures see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiPromise {
    /// Identity.
    pub id: PromiseId,
    /// Owner.
    pub client_id: ClientId,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Debt.
    pub debt_id: DebtId,
    /// Call it was made in.
    pub attempt_id: Option<AttemptId>,
    /// Who took it.
    pub agent_id: Option<AgentId>,
    /// Minor units.
    pub amount_minor: i64,
    /// Their currency.
    pub currency: Currency,
    /// Due day, days since 1970.
    pub due_day: Option<i64>,
    /// State.
    pub state: PromiseState,
    /// Made.
    pub made_at: UtcMs,
}

/// Money as the figures see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiPayment {
    /// Identity.
    pub id: PaymentId,
    /// Owner.
    pub client_id: ClientId,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Debt.
    pub debt_id: DebtId,
    /// Minor units; below zero for a reversal.
    pub amount_minor: i64,
    /// Their currency.
    pub currency: Currency,
    /// When it moved.
    pub paid_at: UtcMs,
    /// When it was posted.
    pub posted_at: UtcMs,
}

/// Everything the figures are made of.
#[derive(Debug, Clone, Default)]
pub struct KpiWorld {
    /// Attempts.
    pub attempts: BTreeMap<AttemptId, KpiAttempt>,
    /// Promises.
    pub promises: BTreeMap<PromiseId, KpiPromise>,
    /// Money.
    pub payments: BTreeMap<PaymentId, KpiPayment>,
    /// Messages that cost something.
    pub messages: BTreeMap<MessageId, KpiMessage>,
    /// Marks of each debt by their day.
    pub marks: BTreeMap<DebtId, BTreeMap<i64, DebtMark>>,
    /// Agents' time.
    pub spells: BTreeMap<uuid::Uuid, AgentSpell>,
    /// Portfolio of each debtor.
    pub portfolios: BTreeMap<DebtorId, PortfolioId>,
    /// Debtors with each currency that they have a debt in.
    pub holders: BTreeSet<(DebtorId, Currency)>,
}

/// A world as one question sees it.
pub(super) struct View<'a> {
    pub(super) world: &'a KpiWorld,
    pub(super) ask: &'a KpiAsk,
    /// Conversations of each debtor by instant and identity.
    talks: BTreeMap<DebtorId, BTreeMap<(UtcMs, AttemptId), &'a KpiAttempt>>,
    /// Money of each debt.
    money: BTreeMap<DebtId, Vec<&'a KpiPayment>>,
}

impl KpiWorld {
    /// The rows of a kind, by instant and identity.
    #[must_use]
    pub fn facts(&self, rows: KpiRows, ask: &KpiAsk) -> Vec<KpiFact> {
        let mut talks: BTreeMap<DebtorId, BTreeMap<_, _>> = BTreeMap::new();
        if ask.campaign.is_some() || ask.agents.is_some() {
            for a in self.attempts.values().filter(|a| a.made && a.rpc) {
                let of = talks.entry(a.debtor_id).or_default();
                of.insert((a.opened_at, a.id), a);
            }
        }
        let mut money: BTreeMap<DebtId, Vec<_>> = BTreeMap::new();
        if matches!(rows, KpiRows::OverdueStart | KpiRows::Placed) {
            for p in self.payments.values() {
                money.entry(p.debt_id).or_default().push(p);
            }
        }
        let view = View {
            world: self,
            ask,
            talks,
            money,
        };
        let mut facts = match rows.noun() {
            "attempt" => view.attempts(rows),
            "contact" => view.spent(),
            "promise" => view.promises(rows),
            "payment" => view.payments(rows),
            "spell" => view.time(rows),
            _ => view.debts(rows),
        };
        facts.sort_unstable();
        facts
    }

    /// The mark of a debt that holds on a morning.
    fn mark(&self, debt: DebtId, day: i64) -> Option<&DebtMark> {
        let (_, mark) = self.marks.get(&debt)?.range(..=day).next_back()?;
        (mark.until_day > day).then_some(mark)
    }
}

impl View<'_> {
    /// Money of a debt that some rule takes.
    fn paid(&self, debt: DebtId, takes: impl Fn(&KpiPayment) -> bool) -> i64 {
        let of_debt = self.money.get(&debt).into_iter().flatten();
        of_debt.filter(|p| takes(p)).map(|p| p.amount_minor).sum()
    }

    pub(super) fn of_portfolio(&self, debtor: DebtorId) -> bool {
        let asked = self.ask.portfolio;
        asked.is_none() || self.world.portfolios.get(&debtor).copied() == asked
    }

    fn by(&self, campaign: Option<CampaignId>, agent: Option<AgentId>) -> bool {
        let ask = self.ask;
        let of_agent = |agents: &Vec<AgentId>| agent.is_some_and(|a| agents.contains(&a));
        ask.campaign.is_none_or(|c| campaign == Some(c)) && ask.agents.as_ref().is_none_or(of_agent)
    }

    pub(super) fn within(&self, at: UtcMs) -> bool {
        at >= self.ask.period.from && at < self.ask.period.to
    }

    fn of_currency(&self, rows: KpiRows, debtor: DebtorId) -> bool {
        !rows.of_holders() || self.world.holders.contains(&(debtor, self.ask.currency))
    }

    pub(super) fn attempts(&self, rows: KpiRows) -> Vec<KpiFact> {
        let wanted = |a: &&KpiAttempt| match rows {
            KpiRows::Contacts => a.rpc || a.third_party,
            KpiRows::RightParty | KpiRows::Talks => a.rpc,
            KpiRows::Handled => a.answered_at.is_some() && a.agent_id.is_some(),
            _ => true,
        };
        let all = self.world.attempts.values();
        all.filter(|a| a.client_id == self.ask.client && a.made && a.ended_at.is_some())
            .filter(|a| self.within(a.opened_at) && self.of_portfolio(a.debtor_id))
            .filter(|a| self.by(a.campaign_id, a.agent_id))
            .filter(|a| self.of_currency(rows, a.debtor_id))
            .filter(wanted)
            .map(|a| {
                let talked = match (a.answered_at, a.ended_at) {
                    (Some(from), Some(to)) => to.since_ms(from),
                    _ => 0,
                };
                fact(
                    a.opened_at,
                    a.id.0,
                    a.debtor_id,
                    0,
                    self.ask.rates.of(talked),
                )
            })
            .collect()
    }

    fn promises(&self, rows: KpiRows) -> Vec<KpiFact> {
        let period = &self.ask.period;
        let due = |p: &KpiPromise| {
            let in_period = |day: i64| day >= period.from_day && day < period.to_day;
            p.due_day.is_some_and(in_period)
                && !matches!(p.state, PromiseState::Cancelled | PromiseState::Replaced)
        };
        let wanted = |p: &&KpiPromise| match rows {
            KpiRows::PromisesMade => self.within(p.made_at),
            KpiRows::PromisesKept => due(p) && p.state == PromiseState::Kept,
            _ => due(p),
        };
        let campaign = |p: &KpiPromise| {
            let attempt = self.world.attempts.get(&p.attempt_id?)?;
            attempt.campaign_id
        };
        let all = self.world.promises.values();
        all.filter(|p| p.client_id == self.ask.client && p.currency == self.ask.currency)
            .filter(|p| self.of_portfolio(p.debtor_id) && self.by(campaign(p), p.agent_id))
            .filter(wanted)
            .map(|p| fact(p.made_at, p.id.0, p.debtor_id, p.amount_minor, 0))
            .collect()
    }

    /// Whether the last conversation before the money was that campaign's and agent's.
    fn brought(&self, p: &KpiPayment) -> bool {
        if self.ask.campaign.is_none() && self.ask.agents.is_none() {
            return true;
        }
        let last = self.talks.get(&p.debtor_id).and_then(|of| {
            let first = (
                p.paid_at.plus_ms(1 - ATTRIBUTION_MS),
                AttemptId(uuid::Uuid::nil()),
            );
            let end = (p.paid_at, AttemptId(uuid::Uuid::max()));
            of.range(first..=end).next_back()
        });
        last.is_some_and(|(_, a)| self.by(a.campaign_id, a.agent_id))
    }

    fn payments(&self, rows: KpiRows) -> Vec<KpiFact> {
        let all = self.world.payments.values();
        all.filter(|p| p.client_id == self.ask.client && p.currency == self.ask.currency)
            .filter(|p| self.within(p.paid_at) && self.of_portfolio(p.debtor_id))
            .filter(|p| self.brought(p))
            .filter_map(|p| {
                let day = self.ask.period.day_at(p.paid_at);
                let weight = if rows == KpiRows::DatedPayments {
                    let due = self.world.mark(p.debt_id, day)?.due_day?;
                    p.amount_minor * (day - due)
                } else {
                    0
                };
                Some(fact(p.paid_at, p.id.0, p.debtor_id, p.amount_minor, weight))
            })
            .collect()
    }

    fn debts(&self, rows: KpiRows) -> Vec<KpiFact> {
        let ask = self.ask;
        let mut facts = Vec::new();
        for (debt, marks) in &self.world.marks {
            for mark in marks.values() {
                let ours = mark.client_id == ask.client
                    && mark.currency == ask.currency
                    && ask.portfolio.is_none_or(|p| p == mark.portfolio_id);
                if !ours {
                    continue;
                }
                if let Some((amount, weight)) = self.counted(rows, mark) {
                    facts.push(fact(mark.at, debt.0, mark.debtor_id, amount, weight));
                }
            }
        }
        facts
    }

    /// Amount and weight of a mark that counts.
    fn counted(&self, rows: KpiRows, m: &DebtMark) -> Option<(i64, i64)> {
        let period = &self.ask.period;
        let holds = |day: i64| m.day <= day && m.until_day > day;
        let (code, start, end) = (
            m.bucket.code(),
            holds(period.from_day),
            holds(period.to_day),
        );
        let entered = m.first && m.day >= period.from_day && m.day < period.to_day;
        let then = || self.world.mark(m.debt_id, period.to_day).map(|e| e.bucket);
        match rows {
            KpiRows::Accounts => (code >= 0 && (start || entered)).then_some((m.balance_minor, 0)),
            KpiRows::OverdueStart => (code >= 0 && start && m.overdue_minor > 0).then(|| {
                let paid = self.paid(m.debt_id, |p| self.within(p.paid_at));
                (m.overdue_minor, paid.clamp(0, m.overdue_minor))
            }),
            KpiRows::Placed => (code >= 0 && entered).then(|| {
                let since = |p: &KpiPayment| p.posted_at >= m.at && p.paid_at < period.to;
                (m.balance_minor, self.paid(m.debt_id, since))
            }),
            KpiRows::ArrearsRolled => (start && code >= 1 && has_next(m.bucket)).then(|| {
                let later = then().is_some_and(|b| b.is_later_than(m.bucket));
                (m.balance_minor, if later { m.balance_minor } else { 0 })
            }),
            KpiRows::ArrearsCured => (start && code >= 1).then(|| {
                let well = then().is_some_and(well);
                (m.balance_minor, if well { m.balance_minor } else { 0 })
            }),
            KpiRows::OpenEnd => (end && code >= 0).then_some((m.balance_minor, m.overdue_minor)),
            KpiRows::Par30End => {
                let past = |due: i64| period.to_day - due > PAR_DAYS;
                let old = if m.due_day.is_some_and(past) {
                    m.balance_minor
                } else {
                    0
                };
                (end && code >= 0).then_some((m.balance_minor, old))
            }
            KpiRows::Receivables => (code >= 0 && (start || entered || end)).then(|| {
                let owed = |then: bool| if then { m.balance_minor } else { 0 };
                let first = owed(start || entered);
                (first - owed(end), first - owed(end && code == 0))
            }),
            KpiRows::OpenDays => {
                let days = period.to_day - period.from_day;
                (end && code >= 0).then_some((m.balance_minor, m.balance_minor * days))
            }
            KpiRows::Regularised => self.cured(m),
            _ => None,
        }
    }

    /// A mark with which a debt left its arrears: balance before, days past due it came to.
    fn cured(&self, m: &DebtMark) -> Option<(i64, i64)> {
        let period = &self.ask.period;
        if m.day <= period.from_day || m.day > period.to_day || !well(m.bucket) {
            return None;
        }
        let (_, before) = self
            .world
            .marks
            .get(&m.debt_id)?
            .range(..m.day)
            .next_back()?;
        if before.until_day != m.day || before.bucket.code() < 1 {
            return None;
        }
        let days = before.due_day.map_or(0, |due| m.day - due);
        Some((before.balance_minor, days))
    }
}

/// Whether a bucket past due is not the last of its set.
fn has_next(bucket: Bucket) -> bool {
    bucket.days().is_some_and(|(_, to)| to != i64::MAX)
}

/// Current, or paid.
const fn well(bucket: Bucket) -> bool {
    matches!(bucket, Bucket::Preventive | Bucket::Paid)
}

pub(super) fn fact(
    at: UtcMs,
    id: uuid::Uuid,
    debtor_id: DebtorId,
    amount: i64,
    weight: i64,
) -> KpiFact {
    KpiFact {
        at,
        id,
        debtor_id,
        amount,
        weight,
    }
}
