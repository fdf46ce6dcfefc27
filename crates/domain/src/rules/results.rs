//! From SIP status and Q.850 cause to a call result (terms.md §3; SIP ↔ Q.850 as in RFC 3398 §7.2.4
//! and §8.2.6.1). The raw pair is stored beside the result.

use crate::entity::CallResult;

/// Longest time from answer to the debtor's BYE that still counts as hung up on answering.
pub const HANGUP_EARLY_MS: i64 = 3_000;

/// How a call ended, as the telephone side saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndFacts {
    /// Final SIP status; 200 for an answered call.
    pub sip_code: Option<u16>,
    /// Q.850 cause of a Reason header or BYE.
    pub q850: Option<u16>,
    /// The end came from our side.
    pub by_us: bool,
    /// Our ring timeout made us cancel.
    pub ring_timeout: bool,
    /// A 200 OK was seen.
    pub answered: bool,
    /// Milliseconds from answer to end; 0 when never answered.
    pub up_ms: i64,
    /// An agent was joined.
    pub bridged: bool,
    /// No agent came inside the limit.
    pub abandoned: bool,
    /// Ended by us for lack of audio one way.
    pub one_way: bool,
    /// What the telephone side says a call without answer was, whatever its pair: its trunk's own
    /// table, or a number it never calls.
    pub told: Option<CallResult>,
    /// What its sound was taken for, where that decided its fate instead of an agent.
    pub machine: Option<CallResult>,
}

/// Result of a call that was never answered, from its raw pair. The cause refines the status where
/// terms.md §3 says so; a cause alone decides when there is no status.
#[must_use]
pub fn unanswered(sip_code: Option<u16>, q850: Option<u16>) -> CallResult {
    use CallResult::{
        Busy, Congestion, InvalidNumber, NoAnswer, Rejected, TrunkFault, Unknown, Unreachable,
    };
    match sip_code {
        Some(486 | 600) => Busy,
        Some(408) => NoAnswer,
        Some(480) if q850 == Some(20) => Unreachable,
        Some(480) => NoAnswer,
        Some(603 | 607 | 403) => Rejected,
        Some(502) => Unreachable,
        Some(404 | 410 | 484 | 604) => InvalidNumber,
        Some(503) => Congestion,
        Some(401 | 407 | 488 | 500 | 501 | 504) => TrunkFault,
        Some(_) | None => match q850 {
            Some(17) => Busy,
            Some(18 | 19) => NoAnswer,
            Some(21) => Rejected,
            Some(20 | 27) => Unreachable,
            Some(1 | 2 | 3 | 22 | 26 | 28) => InvalidNumber,
            Some(34 | 42 | 47) => Congestion,
            Some(38 | 41 | 58 | 65 | 79 | 88 | 102 | 111 | 127) => TrunkFault,
            _ if sip_code.is_none() => TrunkFault,
            _ => Unknown,
        },
    }
}

/// What a tone before the answer says (terms.md §3): nobody will answer then. Ring-back says nothing, and an
/// announcement may be a song instead of it.
#[must_use]
pub fn of_tone(class: &str) -> Option<CallResult> {
    match class {
        "busy" => Some(CallResult::Busy),
        "congestion" => Some(CallResult::Congestion),
        "sit" => Some(CallResult::InvalidNumber),
        _ => None,
    }
}

/// The result of a call from how it ended. No status and no cause = transport loss = trunk fault.
#[must_use]
pub fn result_of(end: &EndFacts) -> CallResult {
    if end.answered {
        return if end.one_way {
            CallResult::OneWayAudio
        } else if end.abandoned {
            CallResult::Abandoned
        } else if let Some(machine) = end.machine {
            machine
        } else if !end.by_us && end.up_ms <= HANGUP_EARLY_MS {
            CallResult::HangupEarly
        } else {
            CallResult::Human
        };
    }
    if end.ring_timeout {
        return CallResult::NoAnswer;
    }
    if let Some(told) = end.told {
        return told;
    }
    if end.by_us && matches!(end.sip_code, None | Some(487)) {
        return CallResult::Cancelled;
    }
    unanswered(end.sip_code, end.q850)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_terms_3() {
        use CallResult as R;
        let table: &[(u16, Option<u16>, R)] = &[
            (486, None, R::Busy),
            (600, None, R::Busy),
            (408, None, R::NoAnswer),
            (480, None, R::NoAnswer),
            (480, Some(18), R::NoAnswer),
            (480, Some(20), R::Unreachable),
            (603, None, R::Rejected),
            (607, None, R::Rejected),
            (403, Some(21), R::Rejected),
            (502, Some(27), R::Unreachable),
            (404, Some(1), R::InvalidNumber),
            (410, None, R::InvalidNumber),
            (484, None, R::InvalidNumber),
            (604, None, R::InvalidNumber),
            (503, Some(34), R::Congestion),
            (407, None, R::TrunkFault),
            (488, None, R::TrunkFault),
            (500, None, R::TrunkFault),
            (504, None, R::TrunkFault),
            (487, Some(17), R::Busy),
            (487, None, R::Unknown),
            (499, None, R::Unknown),
        ];
        for (sip, cause, want) in table {
            assert_eq!(unanswered(Some(*sip), *cause), *want, "{sip} {cause:?}");
        }
        for (cause, want) in [
            (16, R::TrunkFault),
            (17, R::Busy),
            (19, R::NoAnswer),
            (20, R::Unreachable),
            (21, R::Rejected),
            (28, R::InvalidNumber),
            (42, R::Congestion),
            (127, R::TrunkFault),
        ] {
            assert_eq!(unanswered(None, Some(cause)), want, "{cause}");
        }
    }

    #[test]
    fn tones_that_end_a_call() {
        let ends = ["busy", "congestion", "sit"].map(of_tone);
        use CallResult as R;
        assert_eq!(ends, [R::Busy, R::Congestion, R::InvalidNumber].map(Some));
        for goes_on in ["ring_back", "announcement", "unknown"] {
            assert_eq!(of_tone(goes_on), None, "{goes_on}");
        }
    }

    const TOLD: Option<CallResult> = Some(CallResult::BlockedRule);

    #[test]
    fn who_ended_it_decides() {
        let ended = |f: fn(&mut EndFacts)| {
            let mut e = EndFacts::default();
            f(&mut e);
            result_of(&e)
        };
        assert_eq!(ended(|e| e.ring_timeout = true), CallResult::NoAnswer);
        assert_eq!(
            ended(|e| (e.by_us, e.sip_code) = (true, Some(487))),
            CallResult::Cancelled
        );
        assert_eq!(
            ended(|e| (e.by_us, e.sip_code) = (true, Some(486))),
            CallResult::Busy,
            "a busy that crossed our CANCEL stays busy"
        );
        assert_eq!(ended(|_| ()), CallResult::TrunkFault);
        assert_eq!(
            ended(|e| (e.sip_code, e.told) = (Some(403), TOLD)),
            CallResult::BlockedRule
        );
        assert_eq!(
            ended(|e| (e.answered, e.up_ms, e.told) = (true, 9_000, TOLD)),
            CallResult::Human,
            "of calls without answer only"
        );
        assert_eq!(
            ended(|e| (e.answered, e.up_ms) = (true, 3_000)),
            CallResult::HangupEarly
        );
        assert_eq!(
            ended(|e| (e.answered, e.up_ms) = (true, 3_001)),
            CallResult::Human
        );
        assert_eq!(
            ended(|e| (e.answered, e.abandoned, e.up_ms) = (true, true, 2_500)),
            CallResult::Abandoned
        );
        let machine = |e: &mut EndFacts| {
            (e.answered, e.up_ms, e.machine) = (true, 1_500, Some(CallResult::MachineBeep));
        };
        assert_eq!(ended(machine), CallResult::MachineBeep);
        assert_eq!(
            ended(|e| (e.answered, e.one_way) = (true, true)),
            CallResult::OneWayAudio
        );
        assert_eq!(
            ended(|e| (e.answered, e.by_us, e.up_ms) = (true, true, 500)),
            CallResult::Human
        );
    }
}
