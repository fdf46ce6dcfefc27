//! What a trunk's calls come to in a day: minutes of talk and money, each with a limit where the trunk has one
//! (`faults.md` promise 14). Counted by this process since its start, calls that are up included; what was talked before
//! that and by other nodes it is told.

use crate::limits;
use crate::plane::LegId;
use crate::policy::TollRules;
use crate::voice::Spent;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Milliseconds of a minute.
const MINUTE_MS: u128 = 60_000;

/// Talk that began to be counted in one quarter of an hour.
#[derive(Debug)]
struct Quarter {
    from: Instant,
    talk: Duration,
    /// Millionths of the trunk's currency.
    micro: u128,
}

/// A call that is up.
#[derive(Debug)]
struct Running {
    since: Instant,
    /// Millionths a minute.
    price: u64,
}

/// Talk of the last day.
#[derive(Debug, Default)]
pub(super) struct Meter {
    quarters: VecDeque<Quarter>,
    running: HashMap<LegId, Running>,
    /// What others counted, as it was told last.
    others: Vec<Quarter>,
}

/// What so much talk costs, millionths; what is begun counts.
fn cost(talk: Duration, price: u64) -> u128 {
    talk.as_millis()
        .saturating_mul(u128::from(price))
        .div_ceil(MINUTE_MS)
}

impl Meter {
    /// A call that we placed is answered.
    pub(super) fn answered(&mut self, leg: LegId, rules: &TollRules, number: &str, now: Instant) {
        if rules.is_metered() {
            let price = rules.price(number);
            self.running.insert(leg, Running { since: now, price });
        }
    }

    /// A call is over; of one that was never answered nothing is counted.
    pub(super) fn over(&mut self, leg: LegId, now: Instant) {
        let Some(Running { since, price }) = self.running.remove(&leg) else {
            return;
        };
        let talk = now.saturating_duration_since(since);
        let micro = cost(talk, price);
        let young = |q: &&mut Quarter| now.saturating_duration_since(q.from) < limits::TOLL_QUARTER;
        match self.quarters.back_mut().filter(young) {
            Some(last) => {
                last.talk = last.talk.saturating_add(talk);
                last.micro = last.micro.saturating_add(micro);
            }
            None => self.quarters.push_back(Quarter {
                from: now,
                talk,
                micro,
            }),
        }
    }

    /// What was talked by others, instead of what was told before.
    pub(super) fn others(&mut self, rules: &TollRules, spent: &[Spent], now: Instant) {
        let quarter = |row: &Spent| Quarter {
            from: now.checked_sub(row.ago).unwrap_or(now),
            talk: row.talk,
            micro: cost(row.talk, rules.price(&row.begins)),
        };
        self.others = spent.iter().map(quarter).collect();
    }

    /// Whether nothing is left that could count.
    pub(super) fn is_empty(&self, now: Instant) -> bool {
        let old = |q: &Quarter| now.saturating_duration_since(q.from) >= limits::TOLL_DAY;
        self.running.is_empty() && self.quarters.iter().chain(&self.others).all(old)
    }

    /// The limit that is reached now, if one is.
    pub(super) fn limit(&mut self, rules: &TollRules, now: Instant) -> Option<&'static str> {
        if !rules.is_metered() {
            return None;
        }
        let old = |q: &Quarter| now.saturating_duration_since(q.from) >= limits::TOLL_DAY;
        while self.quarters.front().is_some_and(old) {
            self.quarters.pop_front();
        }
        let (mut talk, mut micro) = (Duration::ZERO, 0_u128);
        let others = self.others.iter().filter(|q| !old(q));
        for quarter in self.quarters.iter().chain(others) {
            talk = talk.saturating_add(quarter.talk);
            micro = micro.saturating_add(quarter.micro);
        }
        for call in self.running.values() {
            let up = now.saturating_duration_since(call.since);
            talk = talk.saturating_add(up);
            micro = micro.saturating_add(cost(up, call.price));
        }
        let spent = |most: Option<u64>, so_far: u128| most.is_some_and(|m| so_far >= u128::from(m));
        let most_ms = rules.daily_minutes.map(|m| u64::from(m) * 60_000);
        if spent(most_ms, talk.as_millis()) {
            return Some("minutes_a_day");
        }
        spent(rules.daily_micro, micro).then_some("money_a_day")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const HERE: &str = "+525512345678";

    fn rules(minutes: Option<u32>, micro: Option<u64>) -> TollRules {
        TollRules {
            daily_minutes: minutes,
            daily_micro: micro,
            prices: BTreeMap::from([("+52".to_owned(), 60_000), ("+521".to_owned(), 600_000)]),
            ..TollRules::default()
        }
    }

    fn call(meter: &mut Meter, rules: &TollRules, number: &str, from: Instant, seconds: u64) {
        meter.answered(LegId(1), rules, number, from);
        meter.over(LegId(1), from + Duration::from_secs(seconds));
    }

    #[test]
    fn minutes_of_a_day_are_counted_with_calls_that_are_up() {
        let (rules, t0, mut meter) = (rules(Some(10), None), Instant::now(), Meter::default());
        let at = |seconds| t0 + Duration::from_secs(seconds);
        for n in 0..3 {
            call(&mut meter, &rules, HERE, at(n * 200), 180);
        }
        meter.over(LegId(9), at(600));
        assert_eq!(meter.limit(&rules, at(600)), None, "9 of 10 minutes");
        meter.answered(LegId(2), &rules, HERE, at(600));
        assert_eq!(meter.limit(&rules, at(659)), None);
        assert_eq!(meter.limit(&rules, at(660)), Some("minutes_a_day"));
        meter.over(LegId(2), at(660));
        assert_eq!(meter.limit(&rules, at(5_000)), Some("minutes_a_day"));
        let day = limits::TOLL_DAY.as_secs();
        assert_eq!(
            meter.limit(&rules, at(day + 400)),
            None,
            "the first ones are old"
        );
        assert_eq!(meter.limit(&TollRules::default(), at(660)), None);
    }

    #[test]
    fn money_goes_by_the_longest_prefix_and_an_unknown_price_is_the_highest() {
        // 60 seconds at 0.60 and 30 at the highest known: 0.90.
        let (t0, mut meter) = (Instant::now(), Meter::default());
        let dear = rules(None, Some(900_000));
        call(&mut meter, &dear, "+5215512345678", t0, 60);
        call(&mut meter, &dear, "+34600000000", t0, 30);
        let now = t0 + Duration::from_secs(60);
        assert_eq!(meter.limit(&dear, now), Some("money_a_day"));
        assert_eq!(meter.limit(&rules(None, Some(900_001)), now), None);
        call(&mut meter, &dear, HERE, now, 1);
        assert_eq!(
            meter.limit(&rules(None, Some(901_000)), now),
            Some("money_a_day")
        );
        assert_eq!(meter.limit(&rules(None, Some(901_001)), now), None);
    }

    #[test]
    fn what_others_talked_counts_until_it_is_a_day_old() {
        let (rules, t0, mut meter) = (rules(Some(10), None), Instant::now(), Meter::default());
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let row = |ago, talk| Spent {
            ago: minutes(ago),
            begins: "+521".into(),
            talk: minutes(talk),
        };
        call(&mut meter, &rules, HERE, t0, 60);
        let t1 = t0 + minutes(1);
        meter.others(&rules, &[row(23 * 60, 4), row(30, 5)], t1);
        assert_eq!(meter.limit(&rules, t1), Some("minutes_a_day"));
        assert_eq!(meter.limit(&rules, t1 + minutes(60)), None, "four are old");
        meter.others(&rules, &[row(0, 8)], t1);
        assert_eq!(meter.limit(&rules, t1), None, "told anew, not on top");
        let money = |most| TollRules {
            daily_minutes: None,
            daily_micro: Some(most),
            ..rules.clone()
        };
        // Nine minutes, each at 0.60.
        meter = Meter::default();
        meter.others(&rules, &[row(0, 9)], t1);
        assert_eq!(meter.limit(&money(5_400_000), t1), Some("money_a_day"));
        assert_eq!(meter.limit(&money(5_400_001), t1), None);
        assert!(!meter.is_empty(t1) && meter.is_empty(t1 + limits::TOLL_DAY));
    }

    #[test]
    fn quarters_are_few_however_many_calls_there_are() {
        let (rules, t0, mut meter) = (
            rules(Some(u32::MAX), None),
            Instant::now(),
            Meter::default(),
        );
        for n in 0..20_000 {
            call(
                &mut meter,
                &rules,
                HERE,
                t0 + Duration::from_secs(n * 10),
                5,
            );
        }
        let end = t0 + Duration::from_secs(200_000);
        assert_eq!(meter.limit(&rules, end), None);
        let most = limits::TOLL_DAY.as_secs() / limits::TOLL_QUARTER.as_secs();
        assert!(meter.quarters.len() as u64 <= most && meter.running.is_empty());
    }
}
