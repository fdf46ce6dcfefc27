//! Who hears whom on a call.

use super::order::LegId;
use super::sound::Sound;
use domain::ports::MonitorMode;

/// The call of a debtor's leg.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) agent: Option<LegId>,
    pub(super) supervisors: Vec<(LegId, MonitorMode)>,
    /// Legs of a consultation or conference: they talk with the agent, and with the debtor unless he
    /// is on hold.
    pub(super) parties: Vec<LegId>,
    pub(super) hold: bool,
    /// What the debtor hears on hold.
    pub(super) music: Option<Sound>,
    pub(super) mute: bool,
    /// The first agent audio has left and was told.
    pub(super) told: bool,
}

/// A voice on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Debtor,
    Agent,
    Party,
    Supervisor(MonitorMode),
}

impl Talk {
    /// With a third voice on the line frames are mixed on the wheel; without one packets are passed
    /// on as they come, which costs no delay.
    pub(super) fn mixed(&self) -> bool {
        !self.supervisors.is_empty() || !self.parties.is_empty()
    }

    /// Takes a leg off the call, whatever it was on it.
    pub(super) fn forget(&mut self, leg: LegId) {
        if self.agent == Some(leg) {
            self.agent = None;
        }
        self.parties.retain(|p| *p != leg);
        self.supervisors.retain(|(s, _)| *s != leg);
    }

    /// Every leg but the debtor's.
    pub(super) fn others(&self) -> impl Iterator<Item = LegId> {
        let supervisors = self.supervisors.iter().map(|(s, _)| *s);
        let parties = self.parties.iter().copied();
        self.agent.into_iter().chain(parties).chain(supervisors)
    }

    fn taken_over(&self) -> bool {
        self.supervisors
            .iter()
            .any(|(_, m)| *m == MonitorMode::TakeOver)
    }

    /// Whether what the agent says goes to the debtor.
    pub(super) fn agent_heard(&self) -> bool {
        !self.hold && !self.mute && !self.taken_over()
    }

    /// The mix matrix.
    pub(super) fn hears(&self, listener: Voice, speaker: Voice) -> bool {
        use MonitorMode::{Barge, TakeOver, Whisper};
        match (listener, speaker) {
            (Voice::Debtor, Voice::Agent) => self.agent_heard(),
            (Voice::Debtor, Voice::Party) | (Voice::Party, Voice::Debtor) => !self.hold,
            (Voice::Agent, Voice::Party) => !self.taken_over(),
            (Voice::Party, Voice::Agent) => !self.mute && !self.taken_over(),
            (Voice::Party, Voice::Party) => true,
            (Voice::Party, Voice::Supervisor(mode)) => matches!(mode, Barge | TakeOver),
            (Voice::Debtor, Voice::Supervisor(mode)) => {
                !self.hold && matches!(mode, Barge | TakeOver)
            }
            (Voice::Agent, Voice::Debtor) => !self.hold && !self.taken_over(),
            (Voice::Agent, Voice::Supervisor(mode)) => matches!(mode, Whisper | Barge),
            (Voice::Supervisor(_), Voice::Debtor | Voice::Party) => true,
            (Voice::Supervisor(mode), Voice::Agent) => mode != TakeOver,
            (Voice::Supervisor(_), Voice::Supervisor(mode)) => matches!(mode, Barge | TakeOver),
            (Voice::Debtor, Voice::Debtor) | (Voice::Agent, Voice::Agent) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MonitorMode::{Barge, Listen, TakeOver, Whisper};

    #[test]
    fn the_matrix() {
        let s = Voice::Supervisor;
        // mode: debtor hears agent, debtor hears sup, agent hears debtor, agent hears sup,
        // sup hears debtor, sup hears agent
        for (mode, expected) in [
            (Listen, [true, false, true, false, true, true]),
            (Whisper, [true, false, true, true, true, true]),
            (Barge, [true, true, true, true, true, true]),
            (TakeOver, [false, true, false, false, true, false]),
        ] {
            let talk = Talk {
                supervisors: vec![(LegId(1), mode)],
                ..Talk::default()
            };
            let seen = [
                talk.hears(Voice::Debtor, Voice::Agent),
                talk.hears(Voice::Debtor, s(mode)),
                talk.hears(Voice::Agent, Voice::Debtor),
                talk.hears(Voice::Agent, s(mode)),
                talk.hears(s(mode), Voice::Debtor),
                talk.hears(s(mode), Voice::Agent),
            ];
            assert_eq!(seen, expected, "{mode:?}");
        }
    }

    #[test]
    fn hold_and_mute() {
        let hold = Talk {
            hold: true,
            ..Talk::default()
        };
        assert!(
            !hold.hears(Voice::Debtor, Voice::Agent) && !hold.hears(Voice::Agent, Voice::Debtor)
        );
        let mute = Talk {
            mute: true,
            ..Talk::default()
        };
        assert!(
            !mute.hears(Voice::Debtor, Voice::Agent) && mute.hears(Voice::Agent, Voice::Debtor)
        );
    }

    #[test]
    fn a_consultation_is_apart_and_a_conference_is_not() {
        let pairs = |talk: &Talk| {
            [
                talk.hears(Voice::Agent, Voice::Party),
                talk.hears(Voice::Party, Voice::Agent),
                talk.hears(Voice::Debtor, Voice::Party),
                talk.hears(Voice::Party, Voice::Debtor),
                talk.hears(Voice::Debtor, Voice::Agent),
            ]
        };
        let mut talk = Talk {
            agent: Some(LegId(2)),
            parties: vec![LegId(3)],
            hold: true,
            ..Talk::default()
        };
        assert!(talk.mixed());
        assert_eq!(pairs(&talk), [true, true, false, false, false]);
        talk.hold = false;
        assert_eq!(pairs(&talk), [true; 5]);
        talk.mute = true;
        assert_eq!(pairs(&talk), [true, false, true, true, false]);
        assert_eq!(talk.others().collect::<Vec<_>>(), [LegId(2), LegId(3)]);
        talk.forget(LegId(3));
        assert!(!talk.mixed());
    }
}
