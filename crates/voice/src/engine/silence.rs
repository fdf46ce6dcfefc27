//! When silence ends a leg that nobody ends.

use super::calls::our_end;
use super::legs::OurEnd;
use crate::limits;
use domain::entity::LegKind;
use domain::ports::HangUpCause;

/// How a leg ends that has given no sign of life (RTP or RTCP) for so long; `None`: it goes on.
pub(super) fn end_of(kind: LegKind, lifeless_ms: i64) -> Option<OurEnd> {
    let (most, end) = match kind {
        LegKind::Debtor | LegKind::Party => {
            (limits::LIFELESS_MS, our_end(HangUpCause::OneWayAudio))
        }
        LegKind::Agent => {
            let why = "no audio from the phone";
            (limits::AGENT_RTP_LOSS_MS, OurEnd { q850: 41, why })
        }
    };
    (lifeless_ms >= most).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_and_a_half_end_a_call_and_half_a_minute_an_agents_leg() {
        let says = |kind, ms| end_of(kind, ms).map(|end| (end.q850, end.why));
        for kind in [LegKind::Debtor, LegKind::Party] {
            assert_eq!(says(kind, 89_999), None);
            assert_eq!(says(kind, 90_000), Some((41, "no audio")));
        }
        assert_eq!(says(LegKind::Agent, 29_999), None);
        let gone = Some((41, "no audio from the phone"));
        assert_eq!(says(LegKind::Agent, 30_000), gone);
    }
}
