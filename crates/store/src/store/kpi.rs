//! The rows behind figures as SQL: `at, id, debtor_id, amount, weight` of each kind, every value bound.

use crate::sql::{Field, Val, holes};
use domain::entity::Bucket;
use domain::rules::agent_state::AgentState;
use domain::rules::kpi::{ATTRIBUTION_MS, KpiAsk, KpiRows, PAR_DAYS};
use domain::time::DAY_MS;
use std::collections::BTreeMap;

/// A statement in the making: a value that comes twice has one place.
struct Text<'a> {
    ask: &'a KpiAsk,
    values: Vec<Val>,
    places: BTreeMap<&'static str, String>,
}

/// An attempt `a` in which an obligated, verified party was spoken to.
const TALKED: &str =
    "EXISTS (SELECT 1 FROM ledger l WHERE l.attempt_id=a.id AND l.kind='conversation')";
/// An attempt `a` that left for the network, or may have.
const MADE: &str =
    "a.state IN ('ended','unknown') AND (a.invite_at IS NOT NULL OR a.result='unknown')";

impl Text<'_> {
    /// The place of a value of the question.
    fn p(&mut self, name: &'static str) -> String {
        if let Some(place) = self.places.get(name) {
            return place.clone();
        }
        let ask = self.ask;
        let period = &ask.period;
        self.values.push(match name {
            "client" => ask.client.val(),
            "portfolio" => ask.portfolio.val(),
            "campaign" => ask.campaign.val(),
            "currency" => ask.currency.val(),
            "from" => period.from.val(),
            "to" => period.to.val(),
            "from_day" => period.from_day.val(),
            "to_day" => period.to_day.val(),
            "attempt_minor" => ask.rates.attempt_minor.val(),
            _ => ask.rates.minute_minor.val(),
        });
        let place = format!("${}", self.values.len());
        self.places.insert(name, place.clone());
        place
    }

    /// `column` from the period's begin to before its end.
    fn within(&mut self, column: &str) -> String {
        let (from, to) = (self.p("from"), self.p("to"));
        format!("{column}>={from} AND {column}<{to}")
    }

    fn of_portfolio(&mut self, debtor: &str) -> String {
        if self.ask.portfolio.is_none() {
            return String::new();
        }
        let portfolio = self.p("portfolio");
        format!(
            " AND EXISTS (SELECT 1 FROM debtors y WHERE y.id={debtor} AND y.portfolio_id={portfolio})"
        )
    }

    /// That who an attempt `a` was for has a debt in the currency; those of a file that is part of another are
    /// with that one.
    fn of_currency(&mut self, rows: KpiRows) -> String {
        if !rows.of_holders() {
            return String::new();
        }
        let currency = self.p("currency");
        format!(
            " AND EXISTS (SELECT 1 FROM debtors z JOIN debts d ON d.debtor_id=COALESCE(z.merged_into,z.id) \
                WHERE z.id=a.debtor_id AND d.currency={currency})"
        )
    }

    /// The campaign and the agents asked for; empty where neither is.
    fn by(&mut self, campaign: &str, agent: &str) -> String {
        let mut sql = String::new();
        if self.ask.campaign.is_some() {
            sql = format!(" AND {campaign}={}", self.p("campaign"));
        }
        match &self.ask.agents {
            Some(agents) if agents.is_empty() => sql.push_str(" AND 1=0"),
            Some(agents) => {
                let first = self.values.len() + 1;
                self.values.extend(agents.iter().map(Field::val));
                let list = holes(first, agents.len());
                sql = format!("{sql} AND {agent} IN ({list})");
            }
            None => {}
        }
        sql
    }

    fn attempts(&mut self, rows: KpiRows) -> String {
        let (each, minute) = (self.p("attempt_minor"), self.p("minute_minor"));
        let cost = format!(
            "{each}+{minute}*(CASE WHEN a.answered_at IS NULL OR a.ended_at IS NULL \
                OR a.ended_at<=a.answered_at THEN 0 ELSE (a.ended_at-a.answered_at+59999)/60000 END)"
        );
        let (client, within) = (self.p("client"), self.within("a.opened_at"));
        let portfolio = self.of_portfolio("a.debtor_id");
        let by = self.by("a.campaign_id", "a.agent_id");
        let currency = self.of_currency(rows);
        let more = match rows {
            KpiRows::RightParty | KpiRows::Talks => format!(" AND {TALKED}"),
            KpiRows::Handled => {
                " AND a.answered_at IS NOT NULL AND a.agent_id IS NOT NULL".to_owned()
            }
            KpiRows::Contacts => format!(" AND (a.disposition LIKE 'CI.%' OR {TALKED})"),
            _ => String::new(),
        };
        format!(
            "SELECT a.opened_at AS at, a.id AS id, a.debtor_id AS debtor_id, CAST(0 AS BIGINT) AS amount, \
                {cost} AS weight \
            FROM attempts a WHERE a.client_id={client} AND {within} AND {MADE} \
                AND a.ended_at IS NOT NULL{portfolio}{by}{currency}{more}"
        )
    }

    /// Attempts, and messages where no campaign and no agent is asked for: a message has neither.
    fn spent(&mut self) -> String {
        let attempts = self.attempts(KpiRows::Attempts);
        if self.ask.campaign.is_some() || self.ask.agents.is_some() {
            return attempts;
        }
        let (client, currency) = (self.p("client"), self.p("currency"));
        let within = self.within("s.sent_at");
        let portfolio = self.of_portfolio("s.debtor_id");
        // As `rules::kpi::minor_of` has it.
        let unit = 10_i64.pow(self.ask.currency.minor_digits());
        format!(
            "{attempts} UNION ALL SELECT s.sent_at AS at, s.id AS id, s.debtor_id AS debtor_id, \
                CAST(0 AS BIGINT) AS amount, (s.cost_micro*{unit}+500000)/1000000 AS weight \
            FROM messages s WHERE s.client_id={client} AND s.currency={currency} AND {within} \
                AND s.cost_micro>0{portfolio}"
        )
    }

    fn promises(&mut self, rows: KpiRows) -> String {
        let (client, currency) = (self.p("client"), self.p("currency"));
        let portfolio = self.of_portfolio("p.debtor_id");
        let by = self.by("a.campaign_id", "p.agent_id");
        let when = if rows == KpiRows::PromisesMade {
            self.within("p.made_at")
        } else {
            let (from, to) = (self.p("from_day"), self.p("to_day"));
            let states = if rows == KpiRows::PromisesKept {
                "p.state='kept'"
            } else {
                "p.state NOT IN ('cancelled','replaced')"
            };
            format!("p.due_day>={from} AND p.due_day<{to} AND {states}")
        };
        format!(
            "SELECT p.made_at AS at, p.id AS id, p.debtor_id AS debtor_id, p.amount_minor AS amount, \
                CAST(0 AS BIGINT) AS weight \
            FROM promises p LEFT JOIN attempts a ON a.id=p.attempt_id \
            WHERE p.client_id={client} AND p.currency={currency} AND {when}{portfolio}{by}"
        )
    }

    /// That the last conversation before the money `p` was the campaign's and agent's asked for.
    fn brought(&mut self) -> String {
        let by = self.by("b.campaign_id", "b.agent_id");
        if by.is_empty() {
            return by;
        }
        format!(
            " AND EXISTS (SELECT 1 FROM attempts b WHERE b.id=(SELECT a.id FROM attempts a \
                WHERE a.debtor_id=p.debtor_id AND a.opened_at<=p.paid_at \
                    AND a.opened_at>p.paid_at-{ATTRIBUTION_MS} AND {MADE} AND {TALKED} \
                ORDER BY a.opened_at DESC, a.id DESC LIMIT 1){by})"
        )
    }

    fn payments(&mut self, rows: KpiRows) -> String {
        let (client, currency) = (self.p("client"), self.p("currency"));
        let within = self.within("p.paid_at");
        let portfolio = self.of_portfolio("p.debtor_id");
        let brought = self.brought();
        let (weight, join) = if rows == KpiRows::DatedPayments {
            let (from, from_day) = (self.p("from"), self.p("from_day"));
            let day = format!("({from_day}+(p.paid_at-{from})/{DAY_MS})");
            (
                format!("p.amount_minor*({day}-m.due_day)"),
                format!(
                    "JOIN debt_marks m ON m.debt_id=p.debt_id AND m.day<={day} AND m.until_day>{day} \
                        AND m.due_day IS NOT NULL"
                ),
            )
        } else {
            ("CAST(0 AS BIGINT)".to_owned(), String::new())
        };
        format!(
            "SELECT p.paid_at AS at, p.id AS id, p.debtor_id AS debtor_id, p.amount_minor AS amount, \
                {weight} AS weight FROM payments p {join} \
            WHERE p.client_id={client} AND p.currency={currency} AND {within}{portfolio}{brought}"
        )
    }

    /// Spells of agents that reach into the period, in the states that count.
    fn time(&mut self, rows: KpiRows) -> String {
        let (client, from, to) = (self.p("client"), self.p("from"), self.p("to"));
        let states: Vec<String> = AgentState::ALL
            .iter()
            .filter(|state| rows.counts(**state))
            .map(|state| format!("'{state}'"))
            .collect();
        let agents = match &self.ask.agents {
            Some(agents) if agents.is_empty() => " AND 1=0".to_owned(),
            Some(agents) => {
                let first = self.values.len() + 1;
                self.values.extend(agents.iter().map(Field::val));
                format!(" AND s.agent_id IN ({})", holes(first, agents.len()))
            }
            None => String::new(),
        };
        format!(
            "SELECT s.from_at AS at, s.id AS id, s.agent_id AS debtor_id, CAST(0 AS BIGINT) AS amount, \
                (CASE WHEN s.to_at<{to} THEN s.to_at ELSE {to} END)\
                -(CASE WHEN s.from_at>{from} THEN s.from_at ELSE {from} END) AS weight \
            FROM agent_spells s WHERE s.client_id={client} AND s.from_at<{to} AND s.to_at>{from} \
                AND s.state IN ({}){agents}",
            states.join(",")
        )
    }

    fn debts(&mut self, rows: KpiRows) -> String {
        let Marks {
            amount,
            weight,
            join,
            which,
        } = match self.moved(rows) {
            Some(marks) => marks,
            None => self.standing(rows),
        };
        let (client, currency) = (self.p("client"), self.p("currency"));
        let portfolio = if self.ask.portfolio.is_some() {
            format!(" AND m.portfolio_id={}", self.p("portfolio"))
        } else {
            // The indices begin with the portfolio.
            format!(
                " AND m.portfolio_id IN (SELECT y.id FROM portfolios y WHERE y.client_id={client})"
            )
        };
        format!(
            "SELECT m.at AS at, m.debt_id AS id, m.debtor_id AS debtor_id, {amount} AS amount, \
                CAST({weight} AS BIGINT) AS weight FROM debt_marks m {join} \
            WHERE m.client_id={client} AND m.currency={currency}{portfolio} AND {which}"
        )
    }

    /// Money on the debt of the mark `m` under a condition.
    fn paid(terms: &str) -> String {
        format!(
            "COALESCE((SELECT SUM(p.amount_minor) FROM payments p WHERE p.debt_id=m.debt_id AND {terms}),0)"
        )
    }

    /// Debts with what was paid on them, and those that left their arrears.
    fn moved(&mut self, rows: KpiRows) -> Option<Marks> {
        let (from_day, to_day) = (self.p("from_day"), self.p("to_day"));
        Some(match rows {
            KpiRows::OverdueStart => {
                let paid = Self::paid(&self.within("p.paid_at"));
                Marks {
                    amount: "m.overdue_minor".to_owned(),
                    weight: format!(
                        "CASE WHEN {paid}<0 THEN 0 WHEN {paid}>m.overdue_minor \
                            THEN m.overdue_minor ELSE {paid} END"
                    ),
                    join: String::new(),
                    which: format!(
                        "m.bucket>=0 AND m.overdue_minor>0 AND {}",
                        holds("m", &from_day)
                    ),
                }
            }
            KpiRows::Placed => {
                let to = self.p("to");
                Marks {
                    amount: "m.balance_minor".to_owned(),
                    weight: Self::paid(&format!("p.posted_at>=m.at AND p.paid_at<{to}")),
                    join: String::new(),
                    which: format!("m.bucket>=0 AND {}", entered(&from_day, &to_day)),
                }
            }
            KpiRows::Regularised => Marks {
                amount: "e.balance_minor".to_owned(),
                weight: "CASE WHEN e.due_day IS NULL THEN 0 ELSE m.day-e.due_day END".to_owned(),
                join: "JOIN debt_marks e ON e.debt_id=m.debt_id AND e.until_day=m.day \
                    AND e.day<m.day AND e.bucket>=1"
                    .to_owned(),
                which: format!("m.bucket IN (0,-1) AND m.day>{from_day} AND m.day<={to_day}"),
            },
            _ => return None,
        })
    }

    /// Debts as they stand on a morning.
    fn standing(&mut self, rows: KpiRows) -> Marks {
        let (from_day, to_day) = (self.p("from_day"), self.p("to_day"));
        let (start, end) = (holds("m", &from_day), holds("m", &to_day));
        let then = format!(
            "LEFT JOIN debt_marks e ON e.debt_id=m.debt_id AND {}",
            holds("e", &to_day)
        );
        if rows == KpiRows::Receivables {
            return receivables(
                &format!("(({start}) OR ({}))", entered(&from_day, &to_day)),
                &end,
            );
        }
        let days = format!("m.balance_minor*({to_day}-{from_day})");
        let rolled = rolled();
        let at_risk =
            format!("CASE WHEN {to_day}-m.due_day>{PAR_DAYS} THEN m.balance_minor ELSE 0 END");
        let (weight, join, which) = match rows {
            KpiRows::ArrearsRolled => (
                rolled.as_str(),
                then,
                format!("m.bucket>=1 AND {} AND {start}", has_next()),
            ),
            KpiRows::ArrearsCured => (
                "CASE WHEN e.bucket IN (0,-1) THEN m.balance_minor ELSE 0 END",
                then,
                format!("m.bucket>=1 AND {start}"),
            ),
            KpiRows::OpenEnd => (
                "m.overdue_minor",
                String::new(),
                format!("m.bucket>=0 AND {end}"),
            ),
            KpiRows::OpenDays => (
                days.as_str(),
                String::new(),
                format!("m.bucket>=0 AND {end}"),
            ),
            KpiRows::Par30End => (
                at_risk.as_str(),
                String::new(),
                format!("m.bucket>=0 AND {end}"),
            ),
            _ => (
                "0",
                String::new(),
                format!(
                    "m.bucket>=0 AND (({start}) OR ({}))",
                    entered(&from_day, &to_day)
                ),
            ),
        };
        Marks {
            amount: "m.balance_minor".to_owned(),
            weight: weight.to_owned(),
            join,
            which,
        }
    }
}

/// The balance where the bucket of `e` is later than that of `m`, as `Bucket::is_later_than` has it.
fn rolled() -> String {
    let step = Bucket::CODE_STEP;
    format!("CASE WHEN e.bucket/{step}>m.bucket%{step} THEN m.balance_minor ELSE 0 END")
}

/// That the bucket of `m` is not the last of its set.
fn has_next() -> String {
    format!("m.bucket%{}<>{}", Bucket::CODE_STEP, Bucket::CODE_OPEN)
}

/// A statement over marks `m`, in pieces.
struct Marks {
    amount: String,
    weight: String,
    join: String,
    which: String,
}

/// That a mark holds on a morning.
fn holds(mark: &str, day: &str) -> String {
    format!("{mark}.day<={day} AND {mark}.until_day>{day}")
}

/// What debts were at first less what they are at the end.
fn receivables(first: &str, end: &str) -> Marks {
    let owed = |then: &str| format!("(CASE WHEN {then} THEN m.balance_minor ELSE 0 END)");
    let at_first = owed(first);
    Marks {
        amount: format!("{at_first}-{}", owed(end)),
        weight: format!("{at_first}-{}", owed(&format!("{end} AND m.bucket=0"))),
        join: String::new(),
        which: format!("m.bucket>=0 AND ({first} OR ({end}))"),
    }
}

/// That a debt was handed over in the period.
fn entered(from_day: &str, to_day: &str) -> String {
    format!("m.first_mark AND m.day>={from_day} AND m.day<{to_day}")
}

/// The rows of a kind, and the values bound in them.
pub(super) fn facts_sql(rows: KpiRows, ask: &KpiAsk) -> (String, Vec<Val>) {
    let mut text = Text {
        ask,
        values: Vec::new(),
        places: BTreeMap::new(),
    };
    let sql = match rows.noun() {
        "attempt" => text.attempts(rows),
        "contact" => text.spent(),
        "promise" => text.promises(rows),
        "payment" => text.payments(rows),
        "spell" => text.time(rows),
        _ => text.debts(rows),
    };
    (sql, text.values)
}
