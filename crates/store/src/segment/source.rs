//! Where a field's value stands: beside the debtor, in rows of other tables, or in what is counted over a while that
//! ends now.

use super::counted::{OTHERS, WRITTEN};
use super::{ALWAYS, Compiler, Owing, Reach};
use crate::hundredths;
use crate::listing::suppressed;
use crate::sql::Dialect;
use domain::segment::{Field, NEVER_DAYS, NO_SCORE, date_of_day};
use domain::time::DAY_MS;

/// How a field is found in SQL.
pub(super) enum Source {
    /// An expression that gives the value.
    Value(String),
    /// Any row `x` of a table that belongs to the debtor, fulfils a condition, and has the value.
    Any(&'static str, String, Has),
    /// A sum over rows of another table.
    Sum(Summed),
    /// Whole days since the last of rows of another table; [`NEVER_DAYS`] of none.
    Since(Summed),
    /// Days between today and the first or last date (ISO text) in rows of another table.
    Day(Summed, Toward),
    /// A condition.
    Condition(String),
    /// Days past due, which follow from `oldest_due_day`.
    DaysPastDue,
    /// Its ageing bucket.
    Bucket,
    /// Currencies of the open debts, as his own row tells them.
    Currency,
    /// The name of his portfolio.
    Portfolio,
}

/// What his own row says of the rows that are summed.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// There is none where this does not hold.
    Needs(String),
    /// There is one exactly where this holds.
    Is(String),
}

/// From where to where days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// From the date to today.
    Since,
    /// From today to the date.
    Until,
}

/// A sum over rows `x` of a table that belong to the debtor and fulfil a condition.
pub(super) struct Summed {
    pub(super) table: &'static str,
    pub(super) condition: String,
    pub(super) sum: String,
    /// What no row gives.
    pub(super) none: String,
    /// Most debtors have such a row: SQLite asks each for his.
    pub(super) wide: bool,
    /// The index of these rows alone, which holds all that is asked.
    pub(super) index: Option<&'static str>,
    /// What is known of them without looking.
    pub(super) told: Told,
    /// An index finds those of one debtor.
    pub(super) of_debtor: bool,
}

/// Where a row `x` has the value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Has {
    /// In a column.
    Column(&'static str),
    /// In a column whose index finds it, so that never every row is gone through.
    Key(&'static str),
    /// As the name of what a column points to.
    Named {
        /// The column.
        by: &'static str,
        /// The table that it points into.
        table: &'static str,
    },
}

impl Has {
    /// That the value is one of those in `places`.
    pub(super) fn one_of(self, places: &str) -> String {
        match self {
            Self::Column(column) | Self::Key(column) => format!("x.{column} IN ({places})"),
            Self::Named { by, table } => {
                format!("x.{by} IN (SELECT n.id FROM {table} n WHERE n.name IN ({places}))")
            }
        }
    }

    pub(super) const fn by_key(self) -> bool {
        matches!(self, Self::Key(_))
    }
}

impl Compiler {
    pub(super) fn source(&mut self, field: Field) -> Source {
        let value = |sql: &str| Source::Value(sql.to_owned());
        match field {
            Field::Country => value("d.country"),
            Field::Subdivision => value("COALESCE(d.subdivision,'')"),
            Field::Language => value("d.language"),
            Field::DebtorKind => value("d.kind"),
            Field::ExternalRef => value("d.external_ref"),
            Field::Name => value("d.name"),
            Field::Document => value("d.document"),
            Field::Zone => value("COALESCE(d.address_zone,'')"),
            Field::Portfolio => match self.dialect {
                Dialect::Lite => {
                    value("(SELECT x.name FROM portfolios x WHERE x.id=d.portfolio_id)")
                }
                // It takes the name of one portfolio for a rare thing, and would ask everybody for the rest.
                Dialect::Pg => Source::Portfolio,
            },
            Field::Product => Source::Any("debts", OPEN.into(), Has::Column("product")),
            Field::Currency => match (self.dialect, self.reach, self.owing) {
                // It joins such a set as quickly, and divides the work, without an `OR`.
                (Dialect::Pg, Reach::All, Owing::Any) => {
                    Source::Any("debts", OPEN.into(), Has::Column("currency"))
                }
                _ => Source::Currency,
            },
            Field::DebtRef => Source::Any("debts", DEBT_BY_KEY.into(), Has::Key("external_ref")),
            Field::PartyRole => Source::Any("parties", ALWAYS.into(), Has::Column("role")),
            Field::PartyName => Source::Any("parties", OTHERS.into(), Has::Column("name")),
            Field::HoldKind => {
                Source::Any("holds", self.in_force("x.from_at"), Has::Column("kind"))
            }
            Field::Consent => Source::Any("consents", self.consented(), Has::Column("purpose")),
            Field::DaysPastDue => Source::DaysPastDue,
            Field::Bucket => Source::Bucket,
            Field::PromiseActive => Source::Condition("d.promises_active>0".into()),
            Field::OnHold => Source::Condition(self.on_hold()),
            Field::Suppressed => Source::Condition(suppressed(self.reach, self.dialect)),
            Field::CallableNow => Source::Condition(self.callable_now()),
            Field::Callback => Source::Condition(self.with("campaign_items", AGREED, false)),
            Field::LastResult => value("d.last_result"),
            Field::LastDisposition => value("d.last_disposition"),
            _ => self.tie(field),
        }
    }

    /// What is kept in rows of other tables, of which any may have the value.
    fn tie(&mut self, field: Field) -> Source {
        let any = |table, has| Source::Any(table, ALWAYS.to_owned(), has);
        let so = |table, condition: &str, has| Source::Any(table, condition.to_owned(), has);
        let named = |by, table| any("assignments", Has::Named { by, table });
        match field {
            Field::ToldZone => Source::Value("COALESCE(d.told_zone,'')".to_owned()),
            Field::City => so("addresses", "NOT x.bad", Has::Column("city")),
            Field::Postcode => so("addresses", "NOT x.bad", Has::Column("postcode")),
            Field::Street => so("addresses", "NOT x.bad", Has::Column("street")),
            Field::AddressRegion => so("addresses", "NOT x.bad", Has::Column("region")),
            Field::AddressCountry => so("addresses", "NOT x.bad", Has::Column("country")),
            Field::DebtStatus => any("debts", Has::Column("status")),
            Field::InvoiceRef => any(OPEN_ITEMS, Has::Column("reference")),
            Field::Stage => any("debt_stages", Has::Column("stage")),
            Field::Phone => so("contact_points", "x.channel<>'email'", Has::Key("value")),
            Field::Email => so("contact_points", "x.channel='email'", Has::Key("value")),
            Field::PointSource => so("contact_points", USABLE, Has::Column("source")),
            Field::PointClass => so("contact_points", USABLE, Has::Column("class")),
            Field::PointRole => so("contact_points", USABLE, Has::Column("role")),
            Field::ConsentChannel => {
                Source::Any("consents", self.consented(), Has::Column("channel"))
            }
            Field::Preference => Source::Any("preferences", self.wished(), Has::Column("kind")),
            Field::PreferenceChannel => {
                let about = format!("x.channel IS NOT NULL AND {}", self.wished());
                Source::Any("preferences", about, Has::Column("channel"))
            }
            Field::OptoutChannel => {
                let condition = format!(
                    "x.kind='channel_optout' AND x.channel IS NOT NULL AND {}",
                    self.in_force("x.from_at")
                );
                Source::Any("holds", condition, Has::Column("channel"))
            }
            Field::ComplaintState => any("complaints", Has::Column("state")),
            Field::ComplaintAuthority => any("complaints", Has::Column("authority")),
            Field::PlanState => any("plans", Has::Column("state")),
            Field::Excuse => any("excuses", Has::Column("kind")),
            Field::PaymentChannel => any("payments", Has::Column("channel")),
            Field::PromiseState => any("promises", Has::Column("state")),
            Field::PromiseChannel => so("promises", "x.state='active'", Has::Column("channel")),
            Field::ClaimState => any("claims", Has::Column("state")),
            Field::LinkState => any("payment_links", Has::Column("state")),
            Field::VisitState => any("visits", Has::Column("state")),
            Field::VisitOutcome => so("visits", "x.outcome IS NOT NULL", Has::Column("outcome")),
            Field::LetterLevel90d => {
                Source::Any("letters", self.lettered(90), Has::Column("level"))
            }
            Field::MessageChannel30d => {
                Source::Any("messages", self.sent(30), Has::Column("channel"))
            }
            Field::MessageState30d => Source::Any("messages", self.sent(30), Has::Column("state")),
            Field::ReplyState => so("inbox", WRITTEN, Has::Column("state")),
            Field::AssignedCampaign => named("campaign_id", "campaigns"),
            Field::AssignedTeam => named("team_id", "teams"),
            Field::AssignedAgent => named("agent_id", "agents"),
            _ => self.figure(field),
        }
    }

    /// Numbers: kept beside the debtor, or counted over a while that ends now.
    fn figure(&mut self, field: Field) -> Source {
        let column = match field {
            Field::Balance => {
                let parts = "x.principal_minor+x.interest_minor+x.fees_minor";
                return Source::Value(hundredths::of_debts("balance_minor", parts, self.owing));
            }
            Field::Overdue => return self.owed("overdue_minor"),
            Field::Principal => return self.owed("principal_minor"),
            Field::Interest => return self.owed("interest_minor"),
            Field::Fees => return self.owed("fees_minor"),
            Field::Minimum => return self.owed("minimum_minor"),
            Field::DebtCount => "d.open_debts",
            Field::PhoneCount => "d.phones",
            Field::MobilePhones => "d.mobiles",
            Field::GivenPhones => "d.given_phones",
            Field::AuthorisedPhones => "d.authorised_phones",
            Field::PointConfidence => "d.confidence",
            Field::Attempts => "d.attempts",
            Field::PromisesBroken => "d.promises_broken",
            Field::PromisesKept => "d.promises_kept",
            Field::Promised => "d.promised_minor",
            Field::Payments => "d.payments",
            Field::Paid => "d.paid_minor",
            Field::Score => return Source::Value(format!("COALESCE(d.score,{NO_SCORE})")),
            Field::DaysInFile => return self.days_since("d.created_at"),
            Field::DaysSinceAttempt => return self.days_since("d.last_attempt_at"),
            Field::DaysSinceRpc => return self.days_since("d.last_rpc_at"),
            Field::DaysSincePayment => return self.days_since("d.last_paid_at"),
            Field::DaysToPromise => {
                let today = self.bind(self.today);
                return Source::Value(format!("COALESCE(d.promise_due_day-{today},{NEVER_DAYS})"));
            }
            Field::DaysToStatute => {
                let today = self.bind(self.today);
                return Source::Value(format!("COALESCE(d.statute_day-{today},{NEVER_DAYS})"));
            }
            Field::DaysSinceConfirmed => {
                let at = "(CASE WHEN d.point_confirmed_at>=0 THEN d.point_confirmed_at END)";
                return self.days_since(at);
            }
            _ => return self.counted(field),
        };
        Source::Value(column.to_owned())
    }

    /// The date so many days away, as it is compared with stored ones: ISO text stands in the order of its days.
    pub(super) fn date_at(&mut self, days: i64, toward: Toward) -> String {
        let date = self.date(days, toward);
        self.bind(date)
    }

    pub(super) fn date(&self, days: i64, toward: Toward) -> String {
        let days = days.clamp(-FAR_DAYS, FAR_DAYS);
        date_of_day(match toward {
            Toward::Since => self.today - days,
            Toward::Until => self.today + days,
        })
    }

    /// A figure of the open debts that is kept beside the debtor.
    fn owed(&self, column: &str) -> Source {
        let amount = format!("x.{column}");
        Source::Value(hundredths::of_debts(column, &amount, self.owing))
    }

    /// The instant so many days before now.
    pub(super) fn since(&mut self, days: i64) -> String {
        self.bind(self.now.plus_ms(-days * DAY_MS))
    }

    /// A message that was sent within so many days.
    pub(super) fn sent(&mut self, days: i64) -> String {
        format!("x.sent_at>{}", self.since(days))
    }

    /// A letter that was made within so many days.
    pub(super) fn lettered(&mut self, days: i64) -> String {
        let since = self.since(days);
        match self.reach {
            Reach::All => format!("x.client_id=$1 AND x.made_at>{since}"),
            // His own index finds his letters; with the client in it SQLite may take that of all of the client.
            Reach::Few => format!("x.made_at>{since}"),
        }
    }

    fn days_since(&mut self, instant: &str) -> Source {
        let now = self.bind(self.now);
        Source::Value(format!("COALESCE(({now}-{instant})/{DAY_MS},{NEVER_DAYS})"))
    }

    /// A hold that began at `from` and is not over.
    fn in_force(&mut self, from: &str) -> String {
        let now = self.bind(self.now);
        format!(
            "{from}<={now} AND (x.until IS NULL OR {now}<x.until) \
                AND (x.lifted_at IS NULL OR {now}<x.lifted_at)"
        )
    }

    fn consented(&mut self) -> String {
        let now = self.bind(self.now);
        format!(
            "x.granted_at<={now} AND (x.until IS NULL OR {now}<x.until) \
                AND (x.revoked_at IS NULL OR {now}<x.revoked_at)"
        )
    }

    fn wished(&mut self) -> String {
        let now = self.bind(self.now);
        format!(
            "x.recorded_at<={now} AND (x.until IS NULL OR {now}<x.until) \
                AND (x.revoked_at IS NULL OR {now}<x.revoked_at)"
        )
    }

    fn on_hold(&mut self) -> String {
        let condition = format!("x.scope='debtor' AND {}", self.in_force("x.from_at"));
        self.with("holds", &condition, false)
    }

    fn callable_now(&mut self) -> String {
        let now = self.bind(self.now);
        format!(
            "COALESCE(d.callable_from<={now} AND {now}<d.callable_until,FALSE) \
                AND NOT ({}) AND NOT ({})",
            self.on_hold(),
            suppressed(self.reach, self.dialect)
        )
    }
}

/// Days away beyond which no date of ours is: dates stay within four-digit years.
const FAR_DAYS: i64 = 600_000;

pub(super) const OPEN: &str = "x.status='open'";

/// Open debts of the client's portfolios, so that the index by portfolio and key finds one.
const DEBT_BY_KEY: &str = "x.status='open' \
    AND x.portfolio_id IN (SELECT p.id FROM portfolios p WHERE p.client_id=$1)";

/// Items whose call-back is agreed, in the words of their index.
const AGREED: &str = "NOT x.done AND x.priority>=20 AND x.note LIKE 'callback%'";

const USABLE: &str = "x.channel='call' AND NOT x.bad";

/// Due items of open debts, as rows that belong to a debtor.
const OPEN_ITEMS: &str = "(SELECT o.debtor_id, i.reference FROM debts o \
    JOIN debt_items i ON i.debt_id=o.id WHERE o.status='open')";
