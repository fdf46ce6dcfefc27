//! Call-progress analysis against the truth: what tells it, which calls are checked, and the loss.

use crate::entity::CallResult;
use crate::ids::AttemptId;

/// One in so many calls that are taken for a machine goes to an agent all the same: without them nobody
/// would ever hear of the persons that are lost.
pub const CHECK_EVERY: u128 = 20;

/// Persons whose truth is known below which a loss is an anecdote, not a figure.
pub const PERSONS_LEAST: i64 = 50;

/// Sound from the answer within which a verdict is in time where the law's clock starts with the answer: two
/// seconds, less what joining an agent takes (law.md §4), ms.
pub const EARLY_MS: i64 = 1_500;

/// Normal quantile of a two-sided interval of 95 %.
const Z95: f64 = 1.959_964;

crate::text_enum! {
    /// What really answered.
    pub enum Truth {
        /// A person.
        Person = "person",
        /// A mailbox or another machine.
        Machine = "machine",
    }
}

crate::text_enum! {
    /// What was done on a verdict.
    pub enum Acted {
        /// Nothing: the campaign only looks on.
        Shadow = "shadow",
        /// It went to an agent.
        Agent = "agent",
        /// It went to an agent to be checked, though it was taken for a machine.
        Checked = "checked",
        /// It was hung up on.
        Hangup = "hangup",
        /// A message is left after the beep.
        Message = "message",
    }
}

impl Acted {
    /// Whether no agent got the call.
    #[must_use]
    pub const fn ended_it(self) -> bool {
        matches!(self, Self::Hangup | Self::Message)
    }
}

/// Whether a call that is taken for a machine goes to an agent to be checked. Decided by its identity
/// alone, so that every part of the product says the same.
#[must_use]
pub fn is_checked(attempt: AttemptId) -> bool {
    // The low bits of a UUIDv7 are random; counted ones are as good.
    attempt.0.as_u128().is_multiple_of(CHECK_EVERY)
}

/// A code that a conversation leaves (terms.md §4: direct and indirect contact, hung up on).
#[must_use]
pub fn is_person(code: &str) -> bool {
    code.starts_with("CD.") || code.starts_with("CI.") || code == "NC.CA"
}

/// A code that a mailbox leaves.
#[must_use]
pub fn is_mailbox(code: &str) -> bool {
    code == "NC.BZ" || code.starts_with("NC.BZ.")
}

/// What is known to have answered: what somebody who listened said, else the code of the agent who had the
/// call. The code that the system gave a call no agent heard tells nothing: who hung up early may be a fax.
#[must_use]
pub fn truth(
    told: Option<Truth>,
    acted: Acted,
    had_agent: bool,
    code: Option<&str>,
) -> Option<Truth> {
    if told.is_some() {
        return told;
    }
    let code = code.filter(|_| had_agent && !acted.ended_it())?;
    if is_person(code) {
        Some(Truth::Person)
    } else {
        is_mailbox(code).then_some(Truth::Machine)
    }
}

/// Whether a class sends the call to an agent.
#[must_use]
pub fn is_for_agent(class: &str) -> bool {
    matches!(class, "human" | "unknown")
}

/// The result of a call by the class that decided it (terms.md §3); `None` for what goes to an agent.
#[must_use]
pub fn result_of_class(class: &str, beep: bool) -> Option<CallResult> {
    match class {
        "machine" if beep => Some(CallResult::MachineBeep),
        "machine" => Some(CallResult::MachineNoBeep),
        "fax" => Some(CallResult::Fax),
        "sit" => Some(CallResult::InvalidNumber),
        "busy" => Some(CallResult::Busy),
        "dead_air" => Some(CallResult::DeadAir),
        _ => None,
    }
}

/// Calls with a known truth of one campaign that acts on verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Persons that an agent talked to, whatever they were taken for.
    pub persons: i64,
    /// Of them taken for a machine, and talked to only because they were checked.
    pub checked: i64,
    /// Persons that were hung up on, as somebody told who listened.
    pub told: i64,
    /// Persons who were judged while the campaign only looked on.
    pub shadow_persons: i64,
    /// Of them taken for something that goes to no agent.
    pub shadow_lost: i64,
}

impl Known {
    /// Adds `calls` of one kind.
    pub fn add(&mut self, class: &str, acted: Acted, truth: Option<Truth>, calls: i64) {
        if truth != Some(Truth::Person) {
            return;
        }
        if acted == Acted::Shadow {
            self.shadow_persons += calls;
            self.shadow_lost += i64::from(!is_for_agent(class)) * calls;
        }
        if acted.ended_it() {
            self.told += calls;
        } else {
            self.persons += calls;
            if acted == Acted::Checked && !is_for_agent(class) {
                self.checked += calls;
            }
        }
    }

    /// Persons that were lost, as far as is known: those who were told, or as many as the checked ones
    /// stand for, whichever is more.
    #[must_use]
    pub fn lost(&self) -> i64 {
        let every = i64::try_from(CHECK_EVERY).unwrap_or(1);
        self.told.max(self.checked * (every - 1))
    }

    /// Whether a campaign loses more than `limit_pct` of its persons: by the estimate once enough are known,
    /// and before that where so many were lost that chance cannot be blamed.
    #[must_use]
    pub fn passes(&self, limit_pct: f64) -> bool {
        let seen = self.told.max(self.checked);
        let surely = seen >= 2 && wilson_pct(seen, self.persons + self.told).0 > limit_pct;
        surely || self.loss_pct().is_some_and(|loss| loss > limit_pct)
    }

    /// Percent of the persons that were lost; `None` while too few are known.
    #[must_use]
    pub fn loss_pct(&self) -> Option<f64> {
        let all = self.persons + self.lost();
        (all >= PERSONS_LEAST).then(|| self.lost_pct())
    }

    /// Percent of the persons that the detector takes from the agents, to be planned with: by the calls it decided or
    /// by those it only judged, whichever is more; `None` while too few are known.
    #[must_use]
    pub fn measured_pct(&self) -> Option<f64> {
        let shadow = (self.shadow_persons >= PERSONS_LEAST)
            .then(|| 100.0 * real(self.shadow_lost) / real(self.shadow_persons));
        match (self.loss_pct(), shadow) {
            (Some(acted), Some(judged)) => Some(acted.max(judged)),
            (acted, judged) => acted.or(judged),
        }
    }

    /// The same as the loss, however few are known; 0 without any.
    #[must_use]
    pub fn lost_pct(&self) -> f64 {
        let all = self.persons + self.lost();
        100.0 * real(self.lost()) / real(all.max(1))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn real(n: i64) -> f64 {
    n as f64
}

/// Wilson's interval of 95 % for a share, percent with two decimals: sound for few calls and for shares
/// near 0; 0 to 100 where nothing was counted.
#[must_use]
pub fn wilson_pct(numerator: i64, denominator: i64) -> (f64, f64) {
    if denominator <= 0 {
        return (0.0, 100.0);
    }
    let n = real(denominator);
    let p = real(numerator) / n;
    let middle = p + Z95 * Z95 / (2.0 * n);
    let reach = Z95 * (p * (1.0 - p) / n + Z95 * Z95 / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z95 * Z95 / n;
    let pct = |x: f64| (10_000.0 * x / whole).round() / 100.0;
    (pct((middle - reach).max(0.0)), pct(middle + reach))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_what_was_told_then_what_the_agent_coded() {
        assert_eq!(
            truth(None, Acted::Agent, true, Some("CD.PP")),
            Some(Truth::Person)
        );
        assert_eq!(
            truth(None, Acted::Shadow, true, Some("NC.BZ.X")),
            Some(Truth::Machine)
        );
        assert_eq!(
            truth(None, Acted::Hangup, true, Some("NC.BZ")),
            None,
            "the system's own code"
        );
        let told = Some(Truth::Person);
        assert_eq!(truth(told, Acted::Hangup, false, Some("NC.BZ")), told);
        assert_eq!(truth(None, Acted::Agent, true, Some("NC.ST")), None);
    }

    #[test]
    fn a_code_without_an_agent_tells_nothing() {
        for acted in [Acted::Shadow, Acted::Agent, Acted::Checked] {
            for code in ["NC.CA", "NC.BZ", "CD.PP"] {
                assert_eq!(
                    truth(None, acted, false, Some(code)),
                    None,
                    "{acted} {code}"
                );
            }
        }
        assert_eq!(
            truth(None, Acted::Checked, true, Some("NC.CA")),
            Some(Truth::Person),
            "he hung up on an agent"
        );
    }

    #[test]
    fn the_loss_is_what_the_checked_calls_stand_for() {
        let mut known = Known::default();
        let person = Some(Truth::Person);
        known.add("human", Acted::Agent, person, 48);
        assert_eq!(known.loss_pct(), None, "too few");
        known.add("unknown", Acted::Agent, person, 52);
        assert_eq!(known.loss_pct(), Some(0.0));
        known.add("machine", Acted::Hangup, person, 1);
        known.add("machine", Acted::Hangup, None, 400);
        assert_eq!(known.lost(), 1);
        known.add("machine", Acted::Checked, person, 1);
        assert_eq!(known.lost(), 19);
        assert!(
            known
                .loss_pct()
                .is_some_and(|pct| (pct - 100.0 * 19.0 / 120.0).abs() < 1e-9)
        );
    }

    #[test]
    fn what_it_took_while_it_looked_on_is_planned_with() {
        let mut known = Known::default();
        let person = Some(Truth::Person);
        known.add("human", Acted::Shadow, person, 46);
        known.add("machine", Acted::Shadow, person, 1);
        assert_eq!(known.measured_pct(), None, "too few");
        known.add("unknown", Acted::Shadow, person, 3);
        assert_eq!(known.measured_pct(), Some(2.0));
        assert_eq!(known.loss_pct(), Some(0.0), "nobody was hung up on");
        known.add("machine", Acted::Hangup, person, 5);
        assert_eq!(known.measured_pct(), known.loss_pct());
    }

    #[test]
    fn a_few_lost_persons_are_enough_where_most_are_lost() {
        let mut known = Known::default();
        let person = Some(Truth::Person);
        known.add("human", Acted::Agent, person, 3);
        known.add("machine", Acted::Hangup, person, 1);
        assert!(!known.passes(0.5), "one may be chance");
        known.add("machine", Acted::Hangup, person, 2);
        assert!(known.passes(0.5));
        known.add("human", Acted::Agent, person, 4_000);
        assert!(!known.passes(0.5), "three of four thousand");
    }

    #[test]
    fn wilson_has_sane_ends() {
        assert_eq!(wilson_pct(0, 0), (0.0, 100.0));
        assert_eq!(wilson_pct(2, 100), (0.55, 7.0));
        assert!(wilson_pct(0, 10).0.abs() < 1e-9);
    }

    #[test]
    fn one_in_twenty_is_checked() {
        let checked = (0..2_000u128)
            .filter(|n| is_checked(AttemptId(uuid::Uuid::from_u128(*n))))
            .count();
        assert_eq!(checked, 100);
    }
}
