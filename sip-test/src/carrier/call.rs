//! One call at the carrier: what is due when, and its line in the log.

use media::SAMPLES_PER_MS;
use media::speech::AGENT_HZ;
use media::tones::{SIT, Tone, busy, ring_back};
use sip::Millis;
use sip::header::{NameAddr, Reason};
use sip::msg::{HeaderName, Headers};
use sip::sdp::{Answer, LocalMedia};
use sip::ua::Incoming;

use super::ATTEMPT_HEADERS;
use super::calls::{Calls, Recorded};
use super::fate::{Class, Network, Plan};
use super::greeting;
use super::log::{EndedBy, Line};
use super::profile::Profile;
use crate::plane::{Hearing, LegHandle, Voice};
use crate::{Clock, SipTestError};

/// Voice of the two: below the frequencies of agents, else logs could not tell them apart.
const _: () = assert!(AGENT_HZ[0] > 500.0);

/// First words of who calls, to which a person listens before he answers, ms.
const REPLY_MS: u64 = 1_600;

/// Length of one special information tone with the pause behind it, ms.
const SIT_MS: usize = 1_990;

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Ring, or refuse at once.
    Ring,
    /// Answer or refuse.
    Decide,
    /// Is anybody speaking to us?
    Listen,
    /// Press the key.
    Press,
    /// Hang up.
    Leave,
}

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Ringing,
    Answered,
    /// We said the last word; only its confirmation is missing.
    Leaving,
}

pub(super) struct Call {
    pub(super) stage: Stage,
    pub(super) plan: Plan,
    pub(super) local: LocalMedia,
    /// `None` where the INVITE had no offer: ours goes with the answer.
    pub(super) answer: Option<Answer>,
    pub(super) leg: LegHandle,
    pub(super) hearing: Hearing,
    pub(super) ringing_at: Option<Millis>,
    pub(super) answered_at: Option<Millis>,
    pub(super) code: u16,
    pub(super) ended_by: Option<EndedBy>,
    /// He is played from a file, until he answers who speaks to him.
    played: bool,
    line: Line,
}

/// Text of a header, lossless for what is UTF-8.
fn text(headers: &Headers, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

fn user_of(address: &NameAddr) -> String {
    address.uri.user_text().unwrap_or_default()
}

/// The dialed number of a call.
pub(super) fn number_of(incoming: &Incoming) -> String {
    incoming.request_uri.user_text().unwrap_or_default()
}

/// The line of an INVITE that just came: refused with `code`, as long as nothing else is known.
pub(super) fn opened(
    incoming: &Incoming,
    (plan, call): (Plan, Option<Recorded>),
    at: u64,
    code: u16,
) -> Line {
    let name = |n: &&str| HeaderName::from_token(bytes::Bytes::copy_from_slice(n.as_bytes()));
    let attempt = ATTEMPT_HEADERS
        .iter()
        .find_map(|n| text(&incoming.headers, &name(n)));
    Line {
        received_at: at,
        call_id: text(&incoming.headers, &HeaderName::CallId).unwrap_or_default(),
        number: number_of(incoming),
        from: user_of(&incoming.from),
        attempt,
        plan,
        call,
        ringing_at: None,
        answered_at: None,
        ended_at: at,
        ended_by: EndedBy::Called,
        code,
        rtp_in: 0,
        rtp_out: 0,
        first_rtp_at: None,
        first_voice_at: None,
        agent_share: 0.0,
        strangers: 0,
        digits: String::new(),
    }
}

impl Call {
    pub(super) fn new(
        line: Line,
        local: LocalMedia,
        answer: Option<Answer>,
        (leg, hearing): (LegHandle, Hearing),
    ) -> Self {
        Self {
            stage: Stage::Waiting,
            plan: line.plan,
            local,
            answer,
            leg,
            hearing,
            ringing_at: None,
            answered_at: None,
            code: 0,
            ended_by: None,
            played: false,
            line,
        }
    }

    /// The body of 183 and 200.
    pub(super) fn sdp(&self) -> bytes::Bytes {
        match &self.answer {
            Some(answer) => answer.sdp.clone(),
            None => sip::sdp::offer(&self.local),
        }
    }

    /// What is heard before the answer: ring-back, or what the network has to say.
    pub(super) fn early(&self, country: &str) -> Voice {
        let (plan, tone) = (&self.plan, |steps| {
            Voice::Tone(Box::new(Tone::cadence(steps)))
        });
        let speaks = || greeting::announcement(plan.voice_seed, plan.ring_ms);
        match plan.network {
            None => tone(ring_back(country)),
            Some(Network::Busy) => tone(busy(country)),
            Some(Network::Announcement) => Voice::first(speaks(), Voice::Silence),
            Some(Network::Sit) => {
                let mut sound = vec![0; SIT_MS * SAMPLES_PER_MS];
                Tone::cadence(SIT).fill(&mut sound);
                sound.extend(speaks());
                Voice::first(sound, Voice::Silence)
            }
        }
    }

    /// What is said from the answer on.
    ///
    /// # Errors
    /// Where a recorded call cannot be read any more.
    pub(super) fn voice(
        &mut self,
        profile: &Profile,
        calls: Option<&Calls>,
    ) -> Result<Voice, SipTestError> {
        let Some((calls, recorded)) = calls.zip(self.line.call.as_ref()) else {
            return Ok(self.own_voice(profile));
        };
        let after = if self.plan.class.is_machine() {
            Voice::Silence
        } else {
            self.person(profile)
        };
        let sound = calls.sound(recorded)?;
        self.played = !self.plan.class.is_machine();
        Ok(Voice::first(sound, after))
    }

    fn person(&self, profile: &Profile) -> Voice {
        let sound = &profile.voice;
        Voice::person(sound.hz, sound.amplitude, self.plan.voice_seed)
    }

    fn own_voice(&self, profile: &Profile) -> Voice {
        let (sound, plan) = (&profile.voice, &self.plan);
        let machine = plan.class.is_machine();
        if profile.greets {
            let beeps = plan.class == Class::MachineBeep;
            let greeting = if machine {
                // A recording of the network is the same sound in every call.
                let seed = plan.mailbox.map_or(plan.voice_seed, u64::from);
                greeting::machine(seed, plan.greeting_ms, beeps)
            } else if plan.company {
                greeting::company(plan.voice_seed)
            } else {
                greeting::person(plan.voice_seed)
            };
            let after = if machine {
                Voice::Silence
            } else {
                self.person(profile)
            };
            return Voice::first(greeting, after);
        }
        match plan.class {
            Class::MachineBeep | Class::MachineNoBeep => Voice::machine(
                sound.hz,
                sound.amplitude,
                plan.voice_seed,
                plan.greeting_ms,
                plan.class == Class::MachineBeep,
            ),
            _ => self.person(profile),
        }
    }

    /// A person listens: who was played from a file answers himself, once he said his greeting and heard the first words
    /// of who speaks to him. True where he has had enough.
    pub(super) fn listens(&mut self, now: Millis, profile: &Profile) -> bool {
        if self.played && self.replies_at().is_some_and(|at| at <= now) {
            self.played = false;
            let _ = self.leg.say(self.person(profile));
        }
        self.out_of_patience(now)
    }

    /// When he answers who speaks to him; `None` while nobody does.
    fn replies_at(&self) -> Option<Millis> {
        let spoken = Millis(self.hearing.heard().first_voice_ms?);
        let greeted = self.line.call.as_ref().map_or(0, |call| call.greeted_ms);
        let greeted = self.answered_at? + greeted;
        Some(spoken.max(greeted) + REPLY_MS)
    }

    /// True where nobody has spoken to the debtor for as long as he bears it.
    fn out_of_patience(&self, now: Millis) -> bool {
        let Some(answered) = self.answered_at else {
            return false;
        };
        let last = self
            .hearing
            .heard()
            .last_voice_ms
            .map_or(answered, |ms| Millis(ms).max(answered));
        now.since(last) >= self.plan.patience_ms
    }

    /// The reason of a refusal or hang-up.
    pub(super) fn reason(&self) -> Reason {
        let cause = if self.plan.class.answers() {
            16
        } else {
            self.plan.class.refusal().1
        };
        Reason::q850(cause, "")
    }

    /// What was known when the INVITE came.
    pub(super) const fn opened(&self) -> &Line {
        &self.line
    }

    /// The line of the log.
    pub(super) fn line(&self, clock: Clock, ended: Millis, ended_by: EndedBy) -> Line {
        let heard = self.hearing.heard();
        let unix = |at: Option<Millis>| at.map(|at| clock.unix_ms(at));
        let digits = heard.digits.iter().map(|d| d.as_char()).collect();
        Line {
            ringing_at: unix(self.ringing_at),
            answered_at: unix(self.answered_at),
            ended_at: clock.unix_ms(ended),
            ended_by,
            code: self.code,
            rtp_in: heard.packets_in,
            rtp_out: heard.packets_out,
            first_rtp_at: unix(heard.first_packet_ms.map(Millis)),
            first_voice_at: unix(heard.first_voice_ms.map(Millis)),
            agent_share: (heard.shares().agent * 1_000.0).round() / 1_000.0,
            strangers: heard.strangers,
            digits,
            ..self.line.clone()
        }
    }
}
