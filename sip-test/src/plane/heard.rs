//! What a leg hears, measured as it comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::activity::Activity;
use media::dtmf::Digit;
use media::goertzel::{Bin, energy, powers};
use media::speech::{AGENT_HZ, DEBTOR_HZ};

/// Mean square above which a packet is no noise: -40 dBFS.
const LOUD: f32 = 100_000.0;
/// Share of a packet's energy at a voice's two frequencies that names the voice.
const OWN_SHARE: f32 = 0.5;
/// Share of a packet's energy that makes it part of a beep.
const BEEP_SHARE: f32 = 0.8;
/// Packets in a row that make a beep of a mailbox: 180 ms. What an agent hears when a call is joined takes 120.
const BEEP_PACKETS: u32 = 9;
/// Most audio kept where it is kept at all, samples: two minutes.
const MAX_KEPT: usize = 960_000;
/// Most keys kept.
const MAX_DIGITS: usize = 64;

/// Frequencies looked for: agent's voice, debtor's voice, the beep of a machine. All have whole
/// periods in 10 ms, so that packets of any usual length are measured as they are.
const LOOKED_FOR: [f64; 5] = [
    AGENT_HZ[0],
    AGENT_HZ[1],
    DEBTOR_HZ[0],
    DEBTOR_HZ[1],
    1_000.0,
];

/// Shares (0 to 1) of the energy heard.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// At the agent's frequencies.
    pub agent: f64,
    /// At the debtor's frequencies.
    pub debtor: f64,
    /// At the beep's.
    pub beep: f64,
}

/// What was heard since the start or the last [`Hearing::reset`]. Instants are milliseconds of the
/// media thread's clock.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// RTP packets taken.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Packets from another address or source, dropped.
    pub strangers: u64,
    /// Datagrams that are no RTP, dropped.
    pub malformed: u64,
    /// When the first packet came.
    pub first_packet_ms: Option<u64>,
    /// When somebody was first heard.
    pub first_voice_ms: Option<u64>,
    /// When somebody was last heard.
    pub last_voice_ms: Option<u64>,
    /// When a voice at the debtor's frequencies was first heard.
    pub first_debtor_ms: Option<u64>,
    /// When a voice at the debtor's frequencies was last heard.
    pub last_debtor_ms: Option<u64>,
    /// When a machine's beep was first heard.
    pub beep_ms: Option<u64>,
    /// Keys that were pressed.
    pub digits: Vec<Digit>,
    /// Audio, where it is kept: as it came, without gaps.
    pub audio: Vec<i16>,
    found: [f64; 5],
    whole: f64,
}

impl Heard {
    /// Shares of the energy so far; all 0 when nothing but silence came.
    #[must_use]
    pub fn shares(&self) -> Shares {
        if self.whole <= 0.0 {
            return Shares::default();
        }
        let [a, b, c, d, beep] = self.found.map(|f| f / self.whole);
        Shares {
            agent: a + b,
            debtor: c + d,
            beep,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    heard: Heard,
    activity: Activity,
    beeping: u32,
    keep: bool,
}

impl State {
    fn measure(&mut self, samples: &[i16], bins: &[Bin; 5], now_ms: u64) {
        let found = powers(samples, bins);
        let whole = energy(samples);
        for (sum, part) in self.heard.found.iter_mut().zip(found) {
            *sum += f64::from(part);
        }
        self.heard.whole += f64::from(whole);
        let loud = whole > LOUD;
        if loud && found[2] + found[3] > OWN_SHARE * whole {
            self.heard.first_debtor_ms.get_or_insert(now_ms);
            self.heard.last_debtor_ms = Some(now_ms);
        }
        let beeps = loud && found[4] > BEEP_SHARE * whole;
        self.beeping = if beeps { self.beeping + 1 } else { 0 };
        if self.beeping >= BEEP_PACKETS {
            self.heard.beep_ms.get_or_insert(now_ms);
        }
    }
}

/// Shared measure of one leg, or of the legs a phone has one after the other.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    state: Arc<Mutex<State>>,
}

impl Hearing {
    /// A measure that also keeps the audio (at most two minutes), for tests.
    #[must_use]
    pub fn keeping() -> Self {
        let hearing = Self::default();
        hearing.lock().keep = true;
        hearing
    }

    /// What was heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.lock().heard.clone()
    }

    /// Begins anew: for the next call on a leg that stays.
    pub fn reset(&self) {
        let _ = self.take();
    }

    /// What was heard so far, and begins anew: no packet is lost between.
    #[must_use]
    pub fn take(&self) -> Heard {
        let mut state = self.lock();
        let anew = State {
            keep: state.keep,
            ..State::default()
        };
        std::mem::replace(&mut *state, anew).heard
    }

    pub(super) fn audio(&self, samples: &[i16], now_ms: u64) {
        let bins = LOOKED_FOR.map(Bin::new);
        let mut state = self.lock();
        state.heard.packets_in += 1;
        state.heard.first_packet_ms.get_or_insert(now_ms);
        if state.activity.push(samples) {
            state.heard.first_voice_ms.get_or_insert(now_ms);
            state.heard.last_voice_ms = Some(now_ms);
        }
        if state.keep && state.heard.audio.len() + samples.len() <= MAX_KEPT {
            state.heard.audio.extend_from_slice(samples);
        }
        state.measure(samples, &bins, now_ms);
    }

    pub(super) fn digit(&self, digit: Digit) {
        let mut state = self.lock();
        if state.heard.digits.len() < MAX_DIGITS {
            state.heard.digits.push(digit);
        }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.lock().heard);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::speech::Speech;
    use media::tones::{BEEP, Tone};

    fn play(hearing: &Hearing, from_ms: u64, frames: u64, mut frame: impl FnMut() -> media::Frame) {
        for n in 0..frames {
            hearing.audio(&frame(), from_ms + n * 20);
        }
    }

    #[test]
    fn voices_are_told_apart_and_timed() {
        let hearing = Hearing::default();
        play(&hearing, 0, 10, || media::SILENCE);
        assert_eq!(hearing.heard().first_debtor_ms, None);
        let mut agent = Speech::new(AGENT_HZ, 0.25, 1);
        play(&hearing, 200, 20, || agent.frame());
        let heard = hearing.heard();
        assert_eq!((heard.first_debtor_ms, heard.beep_ms), (None, None));
        assert!(heard.first_voice_ms.is_some() && heard.shares().agent > 0.8);
        let mut debtor = Speech::new(DEBTOR_HZ, 0.25, 1);
        play(&hearing, 1_000, 20, || debtor.frame());
        assert_eq!(hearing.heard().first_debtor_ms, Some(1_000));
        hearing.reset();
        assert_eq!(hearing.heard().packets_in, 0);
    }

    #[test]
    fn a_beep_is_heard_when_it_lasts() {
        let hearing = Hearing::default();
        let mut beep = Tone::once(BEEP, 0.35);
        let mut frame = || {
            let mut frame = media::SILENCE;
            beep.fill(&mut frame);
            frame
        };
        play(&hearing, 0, 8, &mut frame);
        assert_eq!(hearing.heard().beep_ms, None);
        play(&hearing, 160, 5, &mut frame);
        assert_eq!(hearing.heard().beep_ms, Some(160));
    }
}
