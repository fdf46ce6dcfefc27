//! The way to a trunk by TCP or TLS after it was lost: it is looked for again at once, then less and less
//! often, and the trunk rests only as long as it is not found. A carrier that restarts its proxy costs the
//! calls that were under way, and no minute.

use crate::limits;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What is lost of a trunk's way, and since when.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// When connecting is due.
    due: Option<Instant>,
    /// Where it is tried, and since when.
    under_way: Option<(SocketAddr, Instant)>,
    /// Tries running that failed.
    failed: u32,
    /// Connections running that went away before anybody had answered a call.
    cuts: u32,
}

/// Pause before try `n` after the first one.
fn pause(n: u32) -> Duration {
    let doubled = limits::LINE_PAUSE.saturating_mul(1 << n.min(16));
    doubled.min(limits::LINE_PAUSE_MOST)
}

impl Line {
    /// Whether it is being looked for already.
    pub(super) fn wanted(&self) -> bool {
        self.due.is_some() || self.under_way.is_some()
    }

    /// A connection went away behind calls; whether the trunk has to rest. All calls that one connection
    /// takes with it are one loss.
    pub(super) fn cut(&mut self, now: Instant) -> bool {
        if self.wanted() {
            return false;
        }
        self.cuts += 1;
        // Somebody takes connections and does nothing with them.
        let beyond = self.cuts.checked_sub(limits::LINE_CUTS);
        self.due = Some(beyond.map_or(now, |n| now + pause(n)));
        beyond.is_some()
    }

    /// No connection could be opened to one of `places` addresses; whether the trunk has to rest.
    pub(super) fn missed(&mut self, now: Instant, places: usize) -> bool {
        let failed = usize::try_from(self.failed).unwrap_or(usize::MAX);
        self.under_way = None;
        self.failed = self.failed.saturating_add(1);
        // First every address once.
        let elsewhere = failed + 1 < places;
        let round = u32::try_from(failed / places.max(1)).unwrap_or(u32::MAX);
        self.due = Some(if elsewhere { now } else { now + pause(round) });
        !elsewhere
    }

    /// A call could not be sent; as [`Self::missed`], once for all calls that wait for one connection.
    pub(super) fn unsent(&mut self, now: Instant, places: usize) -> bool {
        !self.wanted() && self.missed(now, places)
    }

    /// A connection stands. That somebody answers on it is still to be seen.
    pub(super) fn opened(&mut self) {
        (self.due, self.under_way, self.failed) = (None, None, 0);
    }

    /// Somebody answered.
    pub(super) fn fine(&mut self) {
        *self = Self::default();
    }

    /// Whether connecting to that address is due; it is under way then.
    pub(super) fn start(&mut self, to: SocketAddr, now: Instant) -> bool {
        let due = self.due.is_some_and(|at| now >= at);
        if due {
            self.due = None;
            self.under_way = Some((to, now));
        }
        due
    }

    /// Where connecting is under way.
    pub(super) fn tried(&self) -> Option<SocketAddr> {
        self.under_way.map(|(to, _)| to)
    }

    /// Whether nothing was told of the try for longer than it can take.
    pub(super) fn forgotten(&self, now: Instant) -> bool {
        self.under_way
            .is_some_and(|(_, at)| now.saturating_duration_since(at) >= limits::LINE_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 5_061))
    }

    #[test]
    fn one_cut_rests_nobody() {
        let now = Instant::now();
        let mut line = Line::default();
        assert!(
            !line.cut(now) && !line.cut(now),
            "two calls, one connection"
        );
        assert!(line.start(place(), now), "at once");
        assert!(!line.start(place(), now) && line.tried() == Some(place()));
        assert!(!line.cut(now), "another call of the same connection");
        line.opened();
        assert!(!line.cut(now) && line.start(place(), now), "and once more");
    }

    #[test]
    fn who_cuts_every_time_is_left_alone_longer_and_longer() {
        let now = Instant::now();
        let mut line = Line::default();
        for _ in 1..limits::LINE_CUTS {
            assert!(!line.cut(now));
            assert!(line.start(place(), now));
            line.opened();
        }
        for n in 0..10 {
            assert!(line.cut(now), "{n}");
            let rest = pause(n);
            assert!(rest <= limits::LINE_PAUSE_MOST);
            assert!(!line.start(place(), now + rest - Duration::from_millis(1)));
            assert!(line.start(place(), now + rest));
            line.opened();
        }
        line.fine();
        assert!(!line.cut(now), "one that answers begins anew");
    }

    #[test]
    fn a_place_that_takes_nobody_is_tried_less_and_less_often() {
        let now = Instant::now();
        let mut line = Line::default();
        assert!(line.unsent(now, 1) && !line.unsent(now, 1), "told once");
        for n in 0..10 {
            assert!(!line.start(place(), now + pause(n) - Duration::from_millis(1)));
            assert!(line.start(place(), now + pause(n)), "{n}");
            assert!(!line.forgotten(now + pause(n)));
            assert!(line.forgotten(now + pause(n) + limits::LINE_WAIT));
            assert!(line.missed(now, 1));
        }
    }

    #[test]
    fn every_address_is_tried_before_anybody_rests() {
        let now = Instant::now();
        let mut line = Line::default();
        assert!(!line.unsent(now, 3));
        assert!(line.start(place(), now) && !line.missed(now, 3));
        assert!(line.start(place(), now) && line.missed(now, 3), "the third");
        assert!(!line.start(place(), now));
    }
}
