//! Whether a leg is alive: reports, alarms of silence, counts, its end.

use super::Leg;
use crate::limits;
use crate::plane::kit;
use crate::plane::order::Counts;
use crate::plane::wire::Wire;
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

    /// Whether nothing is due on it until something comes or is ordered, but what may be a few turns of the wheel late:
    /// reports, alarms.
    pub(in crate::plane) fn rests(&self) -> bool {
        let alone = self.of.is_none() && self.talk.agent.is_none() && !self.talk.mixed();
        let heard = self.tap.is_some() || self.progress.is_some();
        alone && !heard && !self.sends() && matches!(self.wire, Wire::Ports(..))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Codec;
    use crate::plane::{Agreed, LegId};
    use std::net::SocketAddr;
    use std::time::Duration;

    /// The far end of the leg.
    fn far() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 9_000))
    }

    /// A leg whose call was answered then.
    fn answered(at: Instant) -> Leg {
        let mut leg = Leg::new(LegId(1), Wire::Browser(None), false, (1, 2, 3), at);
        let agreed = Agreed {
            remote: far(),
            codec: Codec::Pcma,
            dtmf: Some(101),
            send: true,
            receive: true,
            secured: None,
        };
        leg.agree(agreed, true, at);
        leg
    }

    #[test]
    fn silence_is_told_each_second_with_how_long_nothing_lived() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut leg = answered(start);
        assert_eq!(
            (leg.quiet(at(2_999)), leg.quiet(at(3_000))),
            (None, Some(3_000))
        );
        assert_eq!(
            (leg.quiet(at(3_999)), leg.quiet(at(4_000))),
            (None, Some(4_000))
        );
        let mut packet = vec![0x80, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9];
        packet.extend([0xd5; 160]);
        leg.hear(&packet, far(), at(5_000));
        // Each turn of the wheel from then on: the first one after which nothing lived for long enough.
        let mut told = Vec::new();
        for ms in (5_000..=95_000).step_by(20) {
            if leg.quiet(at(ms)).is_some() {
                told.push(leg.lifeless_ms(at(ms)));
            }
        }
        assert_eq!(told.len(), 88, "once a second from the third on");
        assert_eq!(told.last(), Some(&limits::LIFELESS_MS));
        let agents = told.iter().filter(|ms| **ms < limits::AGENT_RTP_LOSS_MS);
        assert_eq!(agents.count(), 27);
    }

    #[test]
    fn whoever_reports_lives_although_nothing_is_heard() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut leg = answered(start);
        leg.last_life = Some(at(80));
        assert_eq!(leg.quiet(at(95)), Some(95_000), "the alarm is raised");
        assert_eq!(leg.lifeless_ms(at(95)), 15_000, "nobody ends the call");
    }
}
