//! Steps of calls that come by the hundred: those of one moment run one behind the other and share a commit, so that
//! each finds at hand what the one before it needed, and nobody wakes a thread for himself alone.
//!
//! Who comes alone waits for nobody; that there are others is seen when a step comes while another one runs, or when
//! more than a few come in one moment, one behind the other: the calls of one decision, each done before the next.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long steps of calls gather before they run. Only an INVITE waits for them; whom to call is decided each quarter
/// of a second.
const TOGETHER: Duration = Duration::from_millis(50);
/// Steps of one moment up to which nobody waits: what one or two calls do in it.
const FEW: u32 = 4;
/// Groups of one behind which a crowd is gone.
const ALONE: u32 = 8;

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
    start: Option<Instant>,
    crowd: bool,
    /// The moment that is now, and how many steps have come in it.
    moment: (u64, u32),
    /// How many groups of one ran on to now.
    alone: u32,
    /// Groups whose seats are not all given back: their number, how many were taken, how many are left. The number of
    /// who runs at once is 0.
    groups: Vec<Group>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    number: u64,
    taken: u32,
    left: u32,
}

impl State {
    /// The group that runs next, and when.
    fn next(&mut self, now: Instant) -> (u64, Instant) {
        let start = *self.start.get_or_insert(now);
        let since = now.saturating_duration_since(start).as_nanos();
        let group = u64::try_from(since / TOGETHER.as_nanos()).unwrap_or(u64::MAX - 1) + 1;
        let left = TOGETHER.as_nanos() - since % TOGETHER.as_nanos();
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(0));
        (group, now + left)
    }

    fn sit(&mut self, now: Instant) -> (u64, Option<Instant>) {
        let (moment, at) = self.next(now);
        let before = if self.moment.0 == moment {
            self.moment.1
        } else {
            0
        };
        self.moment = (moment, before.saturating_add(1));
        self.crowd |= !self.groups.is_empty() || before >= FEW;
        let (number, at) = match self.crowd {
            true => (moment, Some(at)),
            false => (0, None),
        };
        match self.groups.iter_mut().find(|g| g.number == number) {
            Some(group) => {
                group.taken += 1;
                group.left += 1;
            }
            None => self.groups.push(Group {
                number,
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
    pub(super) fn sit(self: &Arc<Self>) -> Seat {
        let (group, at) = self.held().sit(Instant::now());
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
    use super::*;

    #[test]
    fn who_comes_alone_waits_for_nobody_and_a_crowd_is_found() {
        let mut state = State::default();
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        for n in 0..20 {
            assert_eq!(state.sit(ms(15 * n)), (0, None));
            assert!(state.rise(0));
        }
        // A second one while the first still runs.
        assert_eq!(state.sit(ms(300)), (0, None));
        let (group, at) = state.sit(ms(301));
        let at = at.expect("there are others");
        assert!(group > 0 && at > ms(301) && at <= ms(301) + TOGETHER);
        assert!(state.rise(0), "who ran at once");
        assert_eq!(state.sit(ms(302)), (group, Some(at)));
        assert!(!state.rise(group), "one is left");
        assert!(state.rise(group));
        // As long as somebody comes beside another one.
        for n in 1..=u64::from(ALONE) {
            assert!(state.crowd);
            let (group, _) = state.sit(ms(400 + 100 * n));
            assert!(state.rise(group));
        }
        assert_eq!(state.sit(ms(2_000)), (0, None));
    }

    #[test]
    fn a_crowd_whose_steps_are_each_done_before_the_next_is_found_too() {
        let mut state = State::default();
        let start = Instant::now();
        for n in 0..FEW {
            let at = start + Duration::from_micros(100 * u64::from(n));
            assert_eq!(state.sit(at), (0, None), "step {n}");
            assert!(state.rise(0));
        }
        let (group, at) = state.sit(start + Duration::from_millis(1));
        assert!(group > 0 && at.is_some(), "the fifth of one moment");
        assert!(state.rise(group));
    }

    #[test]
    fn a_seat_that_is_dropped_keeps_nobody_waiting() {
        let (line, told) = std::sync::mpsc::sync_channel(1);
        let together = Arc::new(Together::new(line));
        let (first, second, third) = (together.sit(), together.sit(), together.sit());
        assert!(first.at.is_none());
        assert_eq!(second.at, third.at);
        assert!(first.rise());
        let fourth = together.sit();
        drop(second);
        assert!(told.try_recv().is_err(), "others run");
        assert!(!third.rise());
        drop(fourth);
        assert!(told.try_recv().is_ok(), "the third waits for its commit");
        assert!(together.held().groups.is_empty());
    }
}
