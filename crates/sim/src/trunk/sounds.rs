//! What answered calls sound like, where a run wants it: persons, machines that beep, what cannot be told.

use super::SimTrunk;
use domain::ids::{AttemptId, TrunkId};
use domain::ports::{PlayWhat, SoundVerdict, Spoken, TrunkReport};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// Classes with their weights, percent: some of the machines are persons in truth, which is the point.
const CLASSES: [(&str, u32); 4] = [("human", 60), ("unknown", 12), ("machine", 25), ("fax", 3)];

/// What every recording hashes to before it is replaced.
pub const FIRST_SOUND: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A part that nobody recorded.
pub const UNRECORDED: &str = "unrecorded";

impl SimTrunk {
    /// Another recording is played from now on where this one was.
    pub fn replace_sound(&self, part: &str) {
        let mut state = self.lock();
        *state.replaced.entry(part.to_owned()).or_insert(0) += 1;
    }

    /// Hash of a recording, as if each replacement had another one.
    pub(super) fn hash_of(&self, part: &str) -> String {
        let state = self.lock();
        let times: u32 = state.replaced.get(part).copied().unwrap_or(0);
        format!("{times:064x}")
    }

    /// A file of the kind that is named as WAV, its words in the place of a sound.
    pub(super) fn said(what: &PlayWhat) -> Option<Vec<u8>> {
        let text = match what {
            PlayWhat::Spoken {
                parts, language, ..
            } => format!("{language} {}", parts.join(" ")),
            PlayWhat::Voicemail { language, parts } => {
                let gone = |part: &Spoken| *part == Spoken::Recorded(UNRECORDED.to_owned());
                if parts.iter().any(gone) {
                    return None;
                }
                format!("{language} {parts:?}")
            }
            _ => return None,
        };
        Some([b"RIFF\0\0\0\0WAVE".as_slice(), text.as_bytes()].concat())
    }

    /// Orders that wish it are told what the call sounds like, some time after the answer.
    #[must_use]
    pub const fn with_sounds(mut self) -> Self {
        self.sounds = true;
        self
    }

    /// Recordings of a trunk that are a machine for sure, as it was told.
    #[must_use]
    pub fn prints(&self, trunk: TrunkId) -> Vec<Vec<u8>> {
        self.lock().prints.get(&trunk).cloned().unwrap_or_default()
    }

    fn is_up(&self, attempt: AttemptId) -> bool {
        self.lock().calls.get(&attempt).is_some_and(|c| c.answered)
    }

    /// Tells the verdict, and a machine's beep after it, as long as the call is up.
    pub(super) async fn sound(self, attempt: AttemptId) {
        let (_, low) = attempt.0.as_u64_pair();
        let drawn = low ^ self.seed.rotate_left(11);
        let mut rng = ChaCha8Rng::seed_from_u64(drawn);
        let mut roll = rng.random_range(0..100);
        let class = CLASSES.iter().find(|(_, weight)| {
            let hit = roll < *weight;
            roll = roll.saturating_sub(*weight);
            hit
        });
        let class = class.map_or("unknown", |(name, _)| name);
        let decided_ms = rng.random_range(500..2_600);
        let beep_ms = rng.random_bool(0.8).then(|| rng.random_range(500..6_000));
        tokio::time::sleep(Duration::from_millis(u64::from(decided_ms))).await;
        let mut verdict = SoundVerdict {
            class,
            confidence: 0.9,
            reason: "greeting_shape",
            decided_ms,
            onset_ms: Some(200),
            speech_ms: Some(decided_ms / 2),
            pauses: Some(0),
            beep_ms: None,
        };
        if !self.is_up(attempt) {
            return;
        }
        let told = |verdict: &SoundVerdict| TrunkReport::Classified {
            attempt,
            at: self.clock.now(),
            verdict: verdict.clone(),
        };
        self.tell(told(&verdict)).await;
        if let Some(after_ms) = beep_ms.filter(|_| class == "machine") {
            tokio::time::sleep(Duration::from_millis(u64::from(after_ms))).await;
            verdict.beep_ms = Some(decided_ms + after_ms);
            if self.is_up(attempt) {
                self.tell(told(&verdict)).await;
            }
        }
    }
}
