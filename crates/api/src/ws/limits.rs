//! Limits of a socket and the codes it is closed with.

use std::time::Duration;
use tokio::time::Instant;

/// Longest message of a client, bytes (screens.md §6).
pub(super) const MESSAGE_MAX_BYTES: usize = 64 * 1024;
/// Longest message that is read to its end, bytes: a little over the limit, so that the close code
/// still reaches a client that is only a little too loud.
pub(super) const FRAME_READ_MAX_BYTES: usize = 4 * MESSAGE_MAX_BYTES;
/// Most frames of a client in any one second; a screen sends one every two.
pub(super) const MESSAGES_PER_S: u32 = 20;
/// Most bytes that may wait for a slow reader (faults.md promise 19).
pub(super) const SEND_QUEUE_MAX_BYTES: usize = 1_048_576;
/// Most messages that may wait; small ones count too.
pub(super) const SEND_QUEUE_MAX: usize = 4_096;
/// Longest write of one message until the reader counts as gone.
pub(super) const WRITE_MAX: Duration = Duration::from_secs(10);
/// Time for the close frame to be written, and then for the client's own.
pub(super) const CLOSE_MAX: Duration = Duration::from_secs(2);
/// Silence of a client after which no calls go to him (screens.md §6).
pub(super) const SILENT: Duration = Duration::from_secs(5);
/// No frame at all, not even an answer to our own pings, after which the socket ends.
pub(super) const DEAD: Duration = Duration::from_secs(30);
/// How often silence is looked at; adds to `SILENT` at most.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often the round trip is measured by a ping of the protocol.
pub(super) const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// How often the session behind a socket is asked of the database.
pub(super) const SESSION_CHECK_EVERY: Duration = Duration::from_secs(30);
/// Longest reason in a close frame, bytes (RFC 6455 §5.5: 125 with the code).
const REASON_MAX_BYTES: usize = 123;

/// Close code of a socket whose session ended.
const SIGNED_OUT: u16 = 4003;

/// How a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    /// RFC 6455 §7.4, or ours from 4000.
    pub(super) code: u16,
    /// Says what was wrong.
    pub(super) reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason: String = reason.into();
        let mut end = REASON_MAX_BYTES.min(reason.len());
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Self { code, reason }
    }

    /// The client closed, or the link broke: nothing to say.
    pub(super) fn gone() -> Self {
        Self::new(1000, "")
    }
    pub(super) fn stopping() -> Self {
        Self::new(1001, "the server stops")
    }
    pub(super) fn bad_message(reason: impl Into<String>) -> Self {
        Self::new(1008, reason)
    }
    pub(super) fn flood() -> Self {
        Self::new(
            1008,
            format!("more than {MESSAGES_PER_S} messages in a second"),
        )
    }
    pub(super) fn silent() -> Self {
        Self::new(1008, "no sign of life")
    }
    pub(super) fn too_long() -> Self {
        Self::new(
            1009,
            format!("a message may have {MESSAGE_MAX_BYTES} bytes"),
        )
    }
    pub(super) fn slow() -> Self {
        Self::new(
            1013,
            "too slow: more than 1 MB waits; connect again and resume",
        )
    }
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::new(1013, reason)
    }
    pub(super) fn taken_over() -> Self {
        Self::new(4001, "another connection took over")
    }
    pub(super) fn signed_out() -> Self {
        Self::new(SIGNED_OUT, "signed out")
    }
    /// Whether the session behind the socket is over.
    pub(super) fn is_signed_out(&self) -> bool {
        self.code == SIGNED_OUT
    }
}

/// Counts the frames of a client over a sliding second.
#[derive(Debug)]
pub(super) struct Rate {
    /// Start of the present second, frames in it, frames in the second before.
    from: Instant,
    here: u32,
    before: u32,
}

impl Rate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            from: now,
            here: 0,
            before: 0,
        }
    }

    /// Takes one frame; false when it is one too many.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let second = Duration::from_secs(1);
        let since = now.saturating_duration_since(self.from);
        if since >= second {
            self.before = if since < 2 * second { self.here } else { 0 };
            self.here = 0;
            self.from = if since < 2 * second {
                self.from + second
            } else {
                now
            };
        }
        self.here += 1;
        // The part of the second before that still lies within the sliding second.
        let left = second.saturating_sub(now.saturating_duration_since(self.from));
        let weighed = f64::from(self.before) * left.as_secs_f64() + f64::from(self.here);
        weighed <= f64::from(MESSAGES_PER_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_a_second_and_no_more() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for n in 0..MESSAGES_PER_S {
            assert!(rate.take(start), "{n}");
        }
        assert!(!rate.take(start));
    }

    #[test]
    fn a_steady_client_is_never_cut() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for n in 0..600 {
            assert!(rate.take(start + Duration::from_millis(n * 60)), "{n}");
        }
    }

    #[test]
    fn two_bursts_across_a_border_are_one() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let late = start + Duration::from_millis(950);
        let early = start + Duration::from_millis(1_010);
        let passed = (0..15).filter(|_| rate.take(late)).count()
            + (0..15).filter(|_| rate.take(early)).count();
        assert!(passed < 25, "{passed}");
    }

    #[test]
    fn reasons_fit_the_frame() {
        let close = Close::bad_message("ñ".repeat(100));
        assert!(close.reason.len() <= REASON_MAX_BYTES);
        assert!(close.reason.chars().all(|c| c == 'ñ'));
    }
}
