//! Toll fraud: which numbers a trunk may call, and how many of a kind an hour (`faults.md` promise
//! 14). The last wall before an INVITE, whoever ordered the call.

use super::meter::Meter;
use crate::limits;
use crate::never::never;
use crate::policy::{SHORTEST_NUMBER, TollRules};
use domain::ports::TrunkError;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);

/// Calls of the last hour to prefixes that are counted.
#[derive(Debug, Default)]
pub(super) struct TollGuard {
    /// Starts of each prefix, no more than its limit.
    starts: BTreeMap<String, VecDeque<Instant>>,
    /// What they come to.
    pub(super) meter: Meter,
    /// When a call was last refused because of its hour.
    refused: Option<Instant>,
    /// What was told last.
    pub(super) told: Option<&'static str>,
}

impl TollGuard {
    /// Whether a number may be called now; counts it when it may.
    pub(super) fn pass(
        &mut self,
        rules: &TollRules,
        number: &str,
        now: Instant,
    ) -> Result<(), TrunkError> {
        judge(rules, number)?;
        // As a carrier that is full: the day passes, and the number is as good as it was.
        match self.meter.limit(rules, now) {
            Some("minutes_a_day") => return Err(TrunkError::Limit("minutes a day of the trunk")),
            Some(_) => return Err(TrunkError::Limit("money a day of the trunk")),
            None => {}
        }
        let digits = digits(number);
        let counted: Vec<_> = rules
            .hourly
            .iter()
            .filter(|(prefix, _)| begins(digits, prefix))
            .collect();
        for (prefix, most) in &counted {
            let starts = self.starts.entry((*prefix).clone()).or_default();
            while starts
                .front()
                .is_some_and(|at| now.saturating_duration_since(*at) >= HOUR)
            {
                starts.pop_front();
            }
            if starts.len() >= usize::try_from(**most).unwrap_or(usize::MAX) {
                self.refused = Some(now);
                return Err(TrunkError::Refused("calls an hour to this prefix"));
            }
        }
        for (prefix, _) in counted {
            self.starts
                .entry(prefix.clone())
                .or_default()
                .push_back(now);
        }
        Ok(())
    }

    /// The limit that is reached now, if one is. One of an hour counts a while beyond the call it refused, else it would
    /// come and go with each.
    pub(super) fn limit(&mut self, rules: &TollRules, now: Instant) -> Option<&'static str> {
        let fresh = |at: Instant| now.saturating_duration_since(at) < limits::TOLL_QUARTER;
        let hour = self.refused.is_some_and(fresh) && !rules.hourly.is_empty();
        let day = self.meter.limit(rules, now);
        day.or(hour.then_some("calls_an_hour"))
    }

    /// Whether nothing is left that could count.
    pub(super) fn is_empty(&self, now: Instant) -> bool {
        let old = |at: &Instant| now.saturating_duration_since(*at) >= HOUR;
        self.meter.is_empty(now) && self.starts.values().flatten().all(old)
    }

    /// Forgets the prefixes that are counted no more.
    pub(super) fn configure(&mut self, rules: &TollRules) {
        self.starts
            .retain(|prefix, _| rules.hourly.contains_key(prefix));
    }
}

/// What the rules say of a number, whatever the hour.
fn judge(rules: &TollRules, number: &str) -> Result<(), TrunkError> {
    let digits = digits(number);
    let any = |list: &[String]| list.iter().any(|prefix| begins(digits, prefix));
    if digits.len() < SHORTEST_NUMBER {
        return Err(TrunkError::Refused("emergency and service numbers"));
    }
    if never(digits) || any(&rules.denied) {
        return Err(TrunkError::Refused("premium, satellite or denied prefix"));
    }
    if !rules.allowed.is_empty() && !any(&rules.allowed) {
        return Err(TrunkError::Refused("prefix not allowed on this trunk"));
    }
    let Some(most) = rules.max_class else {
        return Ok(());
    };
    let class = rules
        .classes
        .iter()
        .filter(|(prefix, _)| begins(digits, prefix))
        .max_by_key(|(prefix, _)| prefix.len())
        .map_or(u8::MAX, |(_, class)| *class);
    if class > most {
        return Err(TrunkError::Refused("cost class"));
    }
    Ok(())
}

/// The digits of a number however it is written: `00` stands for `+`.
fn digits(number: &str) -> &str {
    match number.strip_prefix('+') {
        Some(digits) => digits,
        None => number.strip_prefix("00").unwrap_or(number),
    }
}

fn begins(digits: &str, prefix: &str) -> bool {
    digits.starts_with(prefix.trim_start_matches('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = "+525512345678";

    fn refused(rules: &TollRules, number: &str) -> bool {
        matches!(judge(rules, number), Err(TrunkError::Refused(_)))
    }

    #[test]
    fn premium_satellite_and_short_numbers_are_never_called() {
        let open = TollRules {
            allowed: vec!["+".to_owned() + "1", "+5".into(), "+8".into(), "+4".into()],
            ..TollRules::default()
        };
        for number in [
            "+8816123456789",
            "008816123456789",
            "+882341234567",
            "+19005551234",
            "+529001234567",
            "+449012345678",
            "911",
            "066",
            "+52911",
            "112",
        ] {
            assert!(refused(&open, number), "{number}");
            assert!(refused(&TollRules::default(), number), "{number}");
        }
        assert_eq!(judge(&open, FINE), Ok(()));
        assert_eq!(judge(&TollRules::default(), FINE), Ok(()));
    }

    #[test]
    fn only_what_is_allowed_and_not_denied() {
        let rules = TollRules {
            allowed: vec!["+52".into()],
            denied: vec!["+5255".into()],
            ..TollRules::default()
        };
        assert!(refused(&rules, FINE) && refused(&rules, "+573001234567"));
        assert_eq!(judge(&rules, "+528112345678"), Ok(()));
    }

    #[test]
    fn the_longest_prefix_tells_the_cost() {
        let rules = TollRules {
            classes: BTreeMap::from([("+52".to_owned(), 1), ("+5299".to_owned(), 7)]),
            max_class: Some(3),
            ..TollRules::default()
        };
        assert_eq!(judge(&rules, FINE), Ok(()));
        assert!(refused(&rules, "+529991234567"), "dear");
        assert!(refused(&rules, "+573001234567"), "of unknown cost");
    }

    #[test]
    fn the_hour_is_counted_to_the_call() {
        let rules = TollRules {
            hourly: BTreeMap::from([("+52".to_owned(), 5), ("+5255".to_owned(), 3)]),
            ..TollRules::default()
        };
        let mut guard = TollGuard::default();
        let t0 = Instant::now();
        let minute = Duration::from_secs(60);
        for n in 0..3 {
            assert_eq!(guard.pass(&rules, FINE, t0 + n * minute), Ok(()));
        }
        let limit = Err(TrunkError::Refused("calls an hour to this prefix"));
        assert_eq!(guard.pass(&rules, FINE, t0 + 3 * minute), limit);
        for _ in 0..2 {
            assert_eq!(guard.pass(&rules, "+528112345678", t0 + 3 * minute), Ok(()));
        }
        assert_eq!(guard.pass(&rules, "+528112345678", t0 + 3 * minute), limit);
        assert_eq!(
            guard.pass(&rules, "+573001234567", t0),
            Ok(()),
            "nobody counts these"
        );
        // The refused one took nothing of the other count; the first start is an hour old now.
        assert_eq!(guard.pass(&rules, FINE, t0 + 60 * minute), Ok(()));
        assert_eq!(guard.pass(&rules, FINE, t0 + 60 * minute), limit);
        let at = |minutes: u32| t0 + minutes * minute;
        assert_eq!(guard.limit(&rules, at(60)), Some("calls_an_hour"));
        assert_eq!(guard.limit(&rules, at(74)), Some("calls_an_hour"));
        assert_eq!(guard.limit(&rules, at(75)), None, "nothing was refused");
        assert!(!guard.is_empty(at(75)) && guard.is_empty(at(120)));
        let held: usize = guard.starts.values().map(VecDeque::len).sum();
        assert!(held <= 8, "no more than the limits are kept");
    }
}
