//! Whether a leg is alive: reports, alarms of silence, counts, its end.

use super::Leg;
use crate::limits;
use crate::plane::kit;
use crate::plane::order::Counts;
use crate::wall::ms;
use std::time::Instant;

impl Leg {
    /// Sends the RTCP report when it is due.
    pub(in crate::plane) fn rtcp_tick(&mut self, now: Instant, wall_ntp: u64) {
        let (Some(due), Some(link)) = (self.next_rtcp, &self.link) else {
            return;
        };
        if now < due {
            return;
        }
        self.next_rtcp = Some(now + limits::RTCP_PERIOD);
        let mut buffer = [0_u8; 128];
        let n = self.rx.write_report(&self.tx, wall_ntp, now, &mut buffer);
        self.wire.send_rtcp(&buffer[..n], link.remote_rtcp());
    }

    /// Whether audio has passed both ways, said once.
    pub(in crate::plane) fn newly_proved(&mut self) -> bool {
        let proved = self.live.is_some() && self.last_audio.is_some() && self.tx.packets > 0;
        proved && !std::mem::replace(&mut self.proved, proved)
    }

    /// An alarm when nothing came for long, once a second.
    pub(in crate::plane) fn quiet(&mut self, now: Instant) -> Option<i64> {
        let live = self.live?;
        if !self.agreed.is_some_and(|a| a.receive) {
            return None;
        }
        let last = self.last_audio.map_or(live, |at| at.max(live));
        let silent_ms = ms(now.saturating_duration_since(last));
        let due = (self.told_quiet + limits::ONE_WAY_REPEAT_MS).max(limits::ONE_WAY_MS);
        if silent_ms < due {
            return None;
        }
        // Who said how his pause sounds may be silent for longer.
        if self.pause.is_some() && silent_ms < limits::PAUSE_MS {
            return None;
        }
        self.told_quiet = silent_ms;
        Some(silent_ms)
    }

    /// Milliseconds without any sign of life, RTCP counted.
    pub(in crate::plane) fn lifeless_ms(&self, now: Instant) -> i64 {
        let since = self.last_life.max(self.live);
        since.map_or(0, |at| ms(now.saturating_duration_since(at)))
    }

    pub(in crate::plane) fn counts(&self) -> Counts {
        let (jitter_us, jitter_max_us) = self.rx.jitter_us();
        Counts {
            received: self.rx.received(),
            sent: self.tx.packets,
            lost: self.rx.lost(),
            jitter_us,
            jitter_max_us,
            rtt_us: self.rx.rtt_us(),
            far_lost: self.rx.far_lost(),
        }
    }

    /// Tells the far end that the stream is over (RTCP BYE).
    pub(in crate::plane) fn say_bye(&mut self) {
        if let Some(browser) = self.wire.browser() {
            browser.say_bye(Instant::now());
        }
        let Some(link) = &self.link else { return };
        if self.tx.packets > 0 {
            let mut buffer = [0_u8; 32];
            let n = kit::write_bye(self.tx.ssrc(), &mut buffer);
            self.wire.send_rtcp(&buffer[..n], link.remote_rtcp());
        }
    }
}
