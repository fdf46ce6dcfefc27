//! Steps of calls that come by the hundred: those of one moment run one behind the other and share a commit, so that
//! each finds at hand what the one before it needed, and nobody wakes a thread for himself alone.
//!
//! Who comes alone waits for nobody; that there are others is seen when a step comes while another one runs, or when
//! several come within the time that they may wait. What only
//! tells how a call goes on waits longer than what an INVITE waits for, so that it runs with the next orders.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a step of a call may wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// An INVITE or somebody's click waits for it. Whom to call is decided each quarter of a second.
    Short,
    /// Nobody waits for it: how a call went on, or that it has ended. A little less than from one decision to the
    /// next, so that what the orders of one came to is written with the orders of the next.
    Long,
}

impl Patience {
    const fn most(self) -> Duration {
        match self {
            Self::Short => Duration::from_millis(50),
            Self::Long => Duration::from_millis(240),
        }
    }
}

/// Groups of one behind which a crowd is gone.
const ALONE: u32 = 8;
/// Steps within [`Patience::Short`] that are a crowd, though each ran before the next came: more than one caller makes
/// who waits for each.
const MANY: u32 = 24;

/// Where steps of calls find each other.
#[derive(Debug)]
pub(super) struct Together {
    state: Mutex<State>,
    /// To the thread that commits.
    line: SyncSender<()>,
}

/// A place among those who run together; given back by [`Seat::rise`], or when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    together: Arc<Together>,
    group: u64,
    /// When they run; none for who runs at once.
    pub(super) at: Option<Instant>,
    risen: bool,
}

#[derive(Debug, Default)]
struct State {
    crowd: bool,
    /// Since when steps are counted, and how many came.
    since: Option<Instant>,
    came: u32,
    /// How many groups of one ran on to now.
    alone: u32,
    /// The number of the group that was made last.
    last: u64,
    /// Groups whose seats are not all given back.
    groups: Vec<Group>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    number: u64,
    /// When it runs; none for who runs at once (number 0).
    at: Option<Instant>,
    taken: u32,
    left: u32,
}

impl State {
    /// The group that runs first of those that are still to run and not too late for him; a new one at the end of his
    /// patience where there is none.
    fn next(&mut self, now: Instant, patience: Patience) -> (u64, Instant) {
        let latest = now + patience.most();
        let suits = |g: &Group| g.at.filter(|at| *at > now && *at <= latest);
        let all = self.groups.iter();
        let first = all.filter_map(|g| Some((suits(g)?, g.number))).min();
        let (at, number) = first.unwrap_or_else(|| {
            self.last += 1;
            (latest, self.last)
        });
        (number, at)
    }

    /// Whether there are others, as one more comes.
    fn has_others(&mut self, now: Instant) -> bool {
        let fresh = |since: Instant| now.saturating_duration_since(since) <= Patience::Short.most();
        if !self.since.is_some_and(fresh) {
            (self.since, self.came) = (Some(now), 0);
        }
        self.came = self.came.saturating_add(1);
        !self.groups.is_empty() || self.came >= MANY
    }

    fn sit(&mut self, now: Instant, patience: Patience) -> (u64, Option<Instant>) {
        self.crowd |= self.has_others(now);
        let (number, at) = match self.crowd {
            true => {
                let (number, at) = self.next(now, patience);
                (number, Some(at))
            }
            false => (0, None),
        };
        match self.groups.iter_mut().find(|g| g.number == number) {
            Some(group) => {
                group.taken += 1;
                group.left += 1;
            }
            None => self.groups.push(Group {
                number,
                at,
                taken: 1,
                left: 1,
            }),
        }
        (number, at)
    }

    /// A seat is given back; whether it was the last of its group.
    fn rise(&mut self, number: u64) -> bool {
        let Some(group) = self.groups.iter_mut().find(|g| g.number == number) else {
            return true;
        };
        group.left = group.left.saturating_sub(1);
        if group.left > 0 {
            return false;
        }
        let group = *group;
        self.groups.retain(|g| g.left > 0);
        if number > 0 {
            self.alone = match group.taken {
                0 | 1 => self.alone.saturating_add(1),
                _ => 0,
            };
            self.crowd = self.alone < ALONE;
            if !self.crowd {
                self.alone = 0;
            }
        }
        true
    }
}

impl Together {
    pub(super) fn new(line: SyncSender<()>) -> Self {
        Self {
            state: Mutex::default(),
            line,
        }
    }

    fn held(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among those who run together.
    pub(super) fn sit(self: &Arc<Self>, patience: Patience) -> Seat {
        let (group, at) = self.held().sit(Instant::now(), patience);
        Seat {
            together: self.clone(),
            group,
            at,
            risen: false,
        }
    }
}

impl Seat {
    /// Its step is done; whether it was the last of its group, who sees to the commit of all.
    pub(super) fn rise(mut self) -> bool {
        self.risen = true;
        self.together.held().rise(self.group)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // He may have been the one whom the others waited for.
        if !self.risen && self.together.held().rise(self.group) {
            let _ = self.together.line.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Patience::{Long, Short};
    use super::*;

    #[test]
    fn who_comes_alone_waits_for_nobody_and_a_crowd_is_found() {
        let mut state = State::default();
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        for n in 0..20 {
            assert_eq!(state.sit(ms(20 * n), Short), (0, None));
            assert!(state.rise(0));
        }
        // A second one while the first still runs.
        assert_eq!(state.sit(ms(520), Long), (0, None));
        let (group, at) = state.sit(ms(521), Short);
        let at = at.expect("there are others");
        assert!(group > 0 && at > ms(521) && at <= ms(521) + Short.most());
        assert!(state.rise(0), "who ran at once");
        assert_eq!(state.sit(ms(522), Long), (group, Some(at)));
        assert!(!state.rise(group), "one is left");
        assert!(state.rise(group));
        // As long as somebody comes beside another one.
        for n in 1..=u64::from(ALONE) {
            assert!(state.crowd);
            let (group, _) = state.sit(ms(600 + 100 * n), Short);
            assert!(state.rise(group));
        }
        assert_eq!(state.sit(ms(3_000), Short), (0, None));
    }

    #[test]
    fn several_in_a_row_are_a_crowd_though_none_met_another() {
        let mut state = State::default();
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        for n in 1..u64::from(MANY) {
            assert_eq!(state.sit(ms(n), Short), (0, None));
            assert!(state.rise(0));
        }
        let (_, at) = state.sit(ms(40), Short);
        assert_eq!(at, Some(ms(40) + Short.most()));
    }

    #[test]
    fn what_nobody_waits_for_runs_with_the_next_orders() {
        let mut state = State::default();
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        assert_eq!(state.sit(ms(0), Short), (0, None));
        let orders = state.sit(ms(1), Short);
        assert_eq!(orders.1, Some(ms(51)));
        // Answers, before the orders have run and behind them.
        assert_eq!(state.sit(ms(50), Long), orders);
        let late = state.sit(ms(51), Long);
        assert_eq!(late.1, Some(ms(51) + Long.most()), "they run already");
        assert!(!state.rise(orders.0) && state.rise(orders.0));
        // An order does not wait for them, and they run with it if they come behind it.
        let alone = state.sit(ms(100), Short);
        assert_eq!(alone.1, Some(ms(150)));
        assert_eq!(state.sit(ms(101), Long), alone);
        assert_eq!(state.sit(ms(150), Long), late);
        // The next orders are in time for them.
        assert_eq!(state.sit(ms(250), Short), late);
    }

    #[test]
    fn a_seat_that_is_dropped_keeps_nobody_waiting() {
        let (line, told) = std::sync::mpsc::sync_channel(1);
        let together = Arc::new(Together::new(line));
        let (first, second, third) = (
            together.sit(Short),
            together.sit(Short),
            together.sit(Short),
        );
        assert!(first.at.is_none());
        assert_eq!(second.at, third.at);
        assert!(first.rise());
        let fourth = together.sit(Short);
        drop(second);
        assert!(told.try_recv().is_err(), "others run");
        assert!(!third.rise());
        drop(fourth);
        assert!(told.try_recv().is_ok(), "the third waits for its commit");
        assert!(together.held().groups.is_empty());
    }
}
