//! Everything the center needs from outside, as one bundle, and what it asks of the law beyond a
//! verdict.

use dialer::{AbandonRule, TARGET_OF_CAP, Window};
use domain::ValueError;
use domain::entity::{CallerSeen, Hold, PartyRole};
use domain::law::pack::FormulaId;
use domain::law::{
    AbandonmentRule, Action, Duties, InboundDuty, Judge, Place, RecordingDays, RuleBook,
    ShortCallRule,
};
use domain::ports::store::ContactFacts;
use domain::ports::{Bus, Clock, Desk, IdSource, Store, Trunk, TrunkReport};
use domain::time::{MINUTE_MS, UtcMs};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a pack says about a call beyond may and may not.
#[derive(Debug, Clone, PartialEq)]
pub struct CallLaw {
    /// Least ring time, ms (law.md §6).
    pub ring_min_ms: i64,
    /// Longest from the clock's start to an agent or a message, ms (law.md §4).
    pub agent_within_ms: i64,
    /// Cap on abandonment in percent.
    pub abandon_cap_pct: f64,
    /// Formula of law.md §4.
    pub formula: String,
    /// The same as the guard counts it: formula, window, cap and aim.
    pub abandon: AbandonRule,
    /// The rule on short calls, where the packs have one.
    pub short_calls: Option<ShortCallRule>,
}

impl Default for CallLaw {
    /// The house floor: 20 s of ringing, an agent within 2 s, `plain_day` at 3 % (law.md §2.1, §6).
    fn default() -> Self {
        Self {
            ring_min_ms: 20_000,
            agent_within_ms: 2_000,
            abandon_cap_pct: 3.0,
            formula: "plain_day".to_owned(),
            abandon: AbandonRule {
                formula: FormulaId::PlainDay,
                window: Window::Day,
                cap_pct: 3.0,
                target_pct: 3.0 * TARGET_OF_CAP,
            },
            short_calls: None,
        }
    }
}

/// A pack's rule as the guard counts it.
fn guarded(rule: &AbandonmentRule) -> AbandonRule {
    let aim = TARGET_OF_CAP * rule.cap_percent;
    AbandonRule {
        formula: rule.formula_id,
        window: match (rule.calendar_day, rule.window_days) {
            (true, _) => Window::Day,
            (false, 0 | 1) => Window::Hours24,
            (false, days) => Window::Days(days.min(WINDOW_DAYS_MAX)),
        },
        cap_pct: rule.cap_percent,
        target_pct: rule.target_percent.map_or(aim, |own| own.min(aim)),
    }
}

/// Longest window the guard counts, days.
const WINDOW_DAYS_MAX: u16 = 31;

/// The rule book as the center uses it.
pub trait LawBook: Judge {
    /// What the debtor's packs say about ringing and abandonment.
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw;
    /// Whether a local date (`YYYY-MM-DD`) is a holiday for the debtor; decides business days of grace.
    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool;
    /// Name of the public holiday of a country (ISO 3166) on a local date (`YYYY-MM-DD`), if it is one.
    fn holiday_of(&self, country: &str, date: &str) -> Option<String> {
        let _ = (country, date);
        None
    }
    /// The zone (IANA) in which the debtor's days are counted.
    fn zone_of(&self, facts: &ContactFacts) -> String;
    /// When somebody may next be called: from, until (not in it), to be asked again at its end. A law of
    /// its own knows no hours: what it says now holds for a quarter of an hour.
    fn callable(&self, facts: &ContactFacts, action: &Action) -> (UtcMs, UtcMs) {
        let verdict = self.judge(facts, action);
        let soon = action.now.plus_ms(15 * MINUTE_MS);
        if verdict.decision.permits(action.agent_reserved) {
            (action.now, soon)
        } else {
            (soon, soon)
        }
    }
    /// Tells this law from another: marks that another one has made are worth nothing.
    fn fingerprint(&self) -> String {
        String::new()
    }
    /// How long the law wants a recording of a call at `at` kept, and lets it be.
    fn recording_days(&self, _facts: &ContactFacts, _at: UtcMs) -> RecordingDays {
        RecordingDays::default()
    }
    /// When a hold of the debtor ends by itself, by what was asked for and what the law fixes; `None` = when it is
    /// lifted.
    fn hold_end(&self, _facts: &ContactFacts, hold: &Hold) -> Option<UtcMs> {
        hold.until
    }
    /// Whether someone of that role may hear of the debt.
    fn may_hear(&self, _facts: &ContactFacts, role: PartyRole, _now: UtcMs) -> bool {
        role != PartyRole::Reference
    }
    /// What the packs ask of whoever talks to the debtor.
    fn duties(&self, _facts: &ContactFacts, _now: UtcMs) -> Duties {
        Duties::default()
    }
    /// What the packs ask of the line on which the debtor calls us.
    fn inbound_duty(&self, _facts: &ContactFacts, _now: UtcMs) -> Option<InboundDuty> {
        None
    }
    /// Whether some pack lets texts of a channel tell of the debt before they are opened.
    fn may_show(&self, _channel: domain::entity::Channel) -> bool {
        false
    }
    /// Which of several numbers a call to the debtor may show. A law of its own asks nothing of them.
    fn callers_fit(&self, _facts: &ContactFacts, callers: &[CallerSeen], _now: UtcMs) -> Vec<bool> {
        vec![true; callers.len()]
    }
    /// Whether a rule is a presumption that a person with the right may relax; `None` when it is not known.
    fn is_presumption(&self, _rule: &str) -> Option<bool> {
        None
    }
    /// The rules that are presumptions.
    fn presumptions(&self) -> Vec<String> {
        Vec::new()
    }
    /// Whether a place rations contacts by phone so hard that their hour matters: one a day or fewer.
    fn rations(&self, _place: &Place, _now: UtcMs) -> bool {
        false
    }
    /// The same book with a pack on trial.
    ///
    /// # Errors
    /// Names the field and what would be right; a book without packs takes none.
    fn trial(&self, _file: &str, _text: &str) -> Result<Trial, ValueError> {
        Err(ValueError::malformed(
            "rule pack",
            "this law has no packs to try one in".to_owned(),
        ))
    }
}

/// A law with a pack on trial.
pub struct Trial {
    /// The law with it.
    pub book: Box<dyn Judge>,
    /// The pack.
    pub id: String,
    /// Its version.
    pub version: String,
}

impl LawBook for RuleBook {
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw {
        let rule = self.abandonment_rule(facts, now);
        CallLaw {
            ring_min_ms: rule.ring_min_ms,
            agent_within_ms: rule.agent_within_ms,
            abandon_cap_pct: rule.cap_percent,
            formula: rule.formula_id.as_str().to_owned(),
            abandon: guarded(&rule),
            short_calls: self.short_calls(facts, now),
        }
    }

    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool {
        date.parse()
            .is_ok_and(|day| Self::is_holiday(self, facts, day))
    }

    fn holiday_of(&self, country: &str, date: &str) -> Option<String> {
        Self::holiday_of(self, country, date.parse().ok()?)
    }

    fn zone_of(&self, facts: &ContactFacts) -> String {
        Self::zone_of(self, facts)
    }

    fn callable(&self, facts: &ContactFacts, action: &Action) -> (UtcMs, UtcMs) {
        Self::callable(self, facts, action)
    }

    fn may_show(&self, channel: domain::entity::Channel) -> bool {
        Self::may_show(self, channel)
    }

    fn fingerprint(&self) -> String {
        Self::fingerprint(self)
    }

    fn recording_days(&self, facts: &ContactFacts, at: UtcMs) -> RecordingDays {
        Self::recording_days(self, facts, at)
    }

    fn hold_end(&self, facts: &ContactFacts, hold: &Hold) -> Option<UtcMs> {
        Self::hold_end(self, facts, hold)
    }

    fn may_hear(&self, facts: &ContactFacts, role: PartyRole, now: UtcMs) -> bool {
        Self::may_hear(self, facts, role, now)
    }

    fn duties(&self, facts: &ContactFacts, now: UtcMs) -> Duties {
        Self::duties(self, facts, now)
    }

    fn inbound_duty(&self, facts: &ContactFacts, now: UtcMs) -> Option<InboundDuty> {
        Self::inbound_duty(self, facts, now)
    }

    fn callers_fit(&self, facts: &ContactFacts, callers: &[CallerSeen], now: UtcMs) -> Vec<bool> {
        Self::callers_fit(self, facts, callers, now)
    }

    fn is_presumption(&self, rule: &str) -> Option<bool> {
        Self::is_presumption(self, rule)
    }

    fn presumptions(&self) -> Vec<String> {
        Self::presumptions(self)
    }

    fn rations(&self, place: &Place, now: UtcMs) -> bool {
        Self::rations(self, place, now)
    }

    fn trial(&self, file: &str, text: &str) -> Result<Trial, ValueError> {
        let pack = domain::law::pack::parse(file, text)?;
        Ok(Trial {
            book: Box::new(Self::trial(self, file, text)?),
            id: pack.id,
            version: pack.version,
        })
    }
}

/// The outside.
pub struct Ports {
    /// Facts at rest.
    pub store: Arc<dyn Store>,
    /// Events between nodes.
    pub bus: Arc<dyn Bus>,
    /// The telephone side.
    pub trunk: Arc<dyn Trunk>,
    /// What the telephone side tells.
    pub reports: mpsc::Receiver<TrunkReport>,
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
    /// Identities.
    pub ids: Arc<dyn IdSource>,
    /// Agents' screens.
    pub desk: Arc<dyn Desk>,
    /// The law.
    pub law: Arc<dyn LawBook>,
}

/// The outside without the report channel: what tasks share.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) trunk: Arc<dyn Trunk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) law: Arc<dyn LawBook>,
}

impl Outside {
    pub(crate) fn now(&self) -> UtcMs {
        self.clock.now()
    }

    pub(crate) fn id(&self) -> uuid::Uuid {
        self.ids.next(self.clock.now())
    }
}
