//! What a leg says.

use std::collections::VecDeque;

use media::prompt::{Player, Prompt};
use media::speech::Speech;
use media::tones::{BEEP, Tone};
use media::{FRAME_MS, Frame, SILENCE};

/// A source of frames.
#[derive(Debug, Clone)]
pub enum Voice {
    /// No packets at all.
    Mute,
    /// Packets of silence.
    Silence,
    /// Syllables at two frequencies.
    Speech(Box<Speech>),
    /// A tone or cadence.
    Tone(Box<Tone>),
    /// A decoded prompt; silence after it.
    Prompt(Player),
    /// One after the other, each for so many frames; silence after the last.
    Sequence(VecDeque<(Voice, u64)>),
}

impl Voice {
    /// A person speaking at two frequencies, Hz.
    #[must_use]
    pub fn person(hz: [f64; 2], amplitude: f64, seed: u64) -> Self {
        Self::Speech(Box::new(Speech::new(hz, amplitude, seed)))
    }

    /// An answering machine: its greeting, then a beep where it has one, then silence.
    #[must_use]
    pub fn machine(hz: [f64; 2], amplitude: f64, seed: u64, greeting_ms: u64, beeps: bool) -> Self {
        let frames = |ms: u64| ms.div_ceil(u64::from(FRAME_MS));
        let mut parts = VecDeque::from([(Self::person(hz, amplitude, seed), frames(greeting_ms))]);
        if beeps {
            parts.push_back((Self::Silence, frames(300)));
            parts.push_back((Self::Tone(Box::new(Tone::once(BEEP, 0.35))), frames(400)));
        }
        Self::Sequence(parts)
    }

    /// A sound that is played once, and what is said after it.
    #[must_use]
    pub fn first(sound: Vec<i16>, after: Self) -> Self {
        let prompt = Prompt::from_samples(sound);
        let frames = prompt.ms().div_ceil(u64::from(FRAME_MS));
        Self::Sequence(VecDeque::from([
            (Self::Prompt(prompt.player(false)), frames),
            (after, u64::MAX),
        ]))
    }

    /// The next frame; `None` = nothing is sent.
    pub fn frame(&mut self) -> Option<Frame> {
        match self {
            Self::Mute => None,
            Self::Silence => Some(SILENCE),
            Self::Speech(speech) => Some(speech.frame()),
            Self::Tone(tone) => {
                let mut frame = SILENCE;
                tone.fill(&mut frame);
                Some(frame)
            }
            Self::Prompt(player) => Some(player.frame().unwrap_or(SILENCE)),
            Self::Sequence(parts) => {
                while parts.front().is_some_and(|(_, left)| *left == 0) {
                    parts.pop_front();
                }
                match parts.front_mut() {
                    Some((voice, left)) => {
                        *left -= 1;
                        voice.frame()
                    }
                    None => Some(SILENCE),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::freq::{dbfs, share, shares};

    fn listen(voice: &mut Voice, ms: u64) -> Vec<i16> {
        (0..ms / 20)
            .flat_map(|_| voice.frame().unwrap_or(SILENCE))
            .collect()
    }

    #[test]
    fn a_machine_greets_beeps_and_waits() {
        let mut machine = Voice::machine(media::speech::DEBTOR_HZ, 0.25, 1, 4_000, true);
        let [low, high] = shares(&listen(&mut machine, 4_000), media::speech::DEBTOR_HZ);
        assert!(low + high > 0.7);
        assert!(dbfs(&listen(&mut machine, 300)) < -90.0);
        assert!(share(&listen(&mut machine, 400), 1_000.0) > 0.9);
        assert!(dbfs(&listen(&mut machine, 1_000)) < -90.0);
    }
}
