//! The figures of a month: from the tables, from the event log alone, and what a store of another kind needs
//! to give them.

use super::super::people::mxn;
use super::{MonthOutcome, at};
use crate::store::Tables;
use domain::entity::{
    AgentSpell, Attempt, Client, Debt, DebtMark, Debtor, LedgerRow, Message, Payment, Portfolio,
    Promise,
};
use domain::rules::kpi::{CostRates, Kpi, KpiAsk, KpiPeriod, KpiRows, KpiSums, KpiWorld, Side};

/// Rows that figures are made of, and what the event log says of them.
#[derive(Debug, Clone, Default)]
pub struct MonthRows {
    /// Clients.
    pub clients: Vec<Client>,
    /// Portfolios.
    pub portfolios: Vec<Portfolio>,
    /// Debtors.
    pub debtors: Vec<Debtor>,
    /// Debts.
    pub debts: Vec<Debt>,
    /// Attempts.
    pub attempts: Vec<Attempt>,
    /// The contact ledger.
    pub ledger: Vec<LedgerRow>,
    /// Promises.
    pub promises: Vec<Promise>,
    /// Payments.
    pub payments: Vec<Payment>,
    /// How debts stood.
    pub marks: Vec<DebtMark>,
    /// Messages.
    pub messages: Vec<Message>,
    /// Time of agents.
    pub spells: Vec<AgentSpell>,
    /// Questions asked.
    pub asks: Vec<KpiAsk>,
    /// The world of the figures folded from the event log.
    pub log: KpiWorld,
}

fn copied(t: &Tables, asks: &[KpiAsk], log: KpiWorld) -> MonthRows {
    MonthRows {
        clients: t.clients.values().cloned().collect(),
        portfolios: t.portfolios.values().cloned().collect(),
        debtors: t.debtors.values().cloned().collect(),
        debts: t.debts.values().cloned().collect(),
        attempts: t.attempts.values().cloned().collect(),
        ledger: t.ledger.clone(),
        promises: t.promises.values().cloned().collect(),
        payments: t.payments.values().cloned().collect(),
        marks: t.debt_marks.values().cloned().collect(),
        messages: t.messages.values().cloned().collect(),
        spells: t.spells.values().cloned().collect(),
        asks: asks.to_vec(),
        log,
    }
}

/// The whole month; one agent, one campaign, one portfolio, and a week within it.
fn asks(t: &Tables, first: i64, end: i64) -> Vec<KpiAsk> {
    let Some(client) = t.clients.keys().next().copied() else {
        return Vec::new();
    };
    let period = |from_day: i64, to_day: i64| KpiPeriod {
        from_day,
        to_day,
        from: at(from_day, 0),
        to: at(to_day, 0),
    };
    let whole = KpiAsk {
        client,
        portfolio: None,
        campaign: None,
        agents: None,
        currency: mxn(),
        period: period(first, end),
        rates: CostRates {
            attempt_minor: 12,
            minute_minor: 85,
        },
    };
    let of_agent = KpiAsk {
        agents: t.agents.keys().next().map(|a| vec![*a]),
        ..whole.clone()
    };
    let of_campaign = KpiAsk {
        campaign: t.campaigns.keys().next().copied(),
        portfolio: t.portfolios.keys().next().copied(),
        ..whole.clone()
    };
    let of_week = KpiAsk {
        period: period(first + 3, first + 10),
        ..whole.clone()
    };
    vec![whole, of_agent, of_campaign, of_week]
}

/// The figures of the tables are those of the event log.
pub(super) fn all(t: &Tables, first: i64, end: i64, outcome: &mut MonthOutcome) {
    let mut log = KpiWorld::default();
    t.events.iter().for_each(|e| log.take(&e.event));
    let told = crate::store::kpi_world(t);
    let asks = asks(t, first, end);
    for (n, ask) in asks.iter().enumerate() {
        for rows in KpiRows::ALL {
            let (one, other) = (told.facts(*rows, ask), log.facts(*rows, ask));
            if one != other {
                outcome.wrong.push(format!(
                    "question {n}, {rows}: {:?} by the tables, {:?} by the event log",
                    KpiSums::over(&one),
                    KpiSums::over(&other)
                ));
            }
        }
    }
    let Some(whole) = asks.first() else {
        return;
    };
    for kpi in Kpi::ALL {
        let def = kpi.def();
        let sum = |side: Side| KpiSums::over(&told.facts(side.rows, whole)).get(side.sum);
        let figure = (*kpi, sum(def.numerator), sum(def.denominator));
        outcome.figures.push(figure);
    }
    outcome.rows = copied(t, &asks, log);
}
