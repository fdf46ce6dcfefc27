//! Is anybody speaking? Energy against a noise floor that follows the line.

use crate::freq::dbfs;

/// How the detector decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Level above the noise floor that counts as voice, dB.
    pub above_floor_db: f64,
    /// Quieter than this is never voice, dBFS: comfort noise of carriers lies below.
    pub least_dbfs: f64,
    /// Voice is held this many frames after the last loud one, so that gaps inside words pass.
    pub hangover_frames: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            above_floor_db: 9.0,
            least_dbfs: -45.0,
            hangover_frames: 10,
        }
    }
}

/// Rise of the noise floor a frame of 20 ms, dB: 2.5 dB a second, slower than any phrase.
const FLOOR_RISE_DB: f64 = 0.05;

/// A voice detector for one direction of a call.
#[derive(Debug, Clone)]
pub struct Activity {
    config: Config,
    floor_dbfs: f64,
    hold: u32,
    active_frames: u64,
    frames: u64,
    first_active: Option<u64>,
}

impl Default for Activity {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Activity {
    /// A detector that has heard nothing yet.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            floor_dbfs: -60.0,
            hold: 0,
            active_frames: 0,
            frames: 0,
            first_active: None,
        }
    }

    /// Takes the next frame (any length, usually 20 ms) and says whether somebody speaks.
    pub fn push(&mut self, frame: &[i16]) -> bool {
        let level = dbfs(frame);
        let loud = level >= self.config.least_dbfs
            && level >= self.floor_dbfs + self.config.above_floor_db;
        if level < self.floor_dbfs {
            self.floor_dbfs = level.max(-80.0);
        } else {
            self.floor_dbfs = (self.floor_dbfs + FLOOR_RISE_DB).min(level);
        }
        self.hold = if loud {
            self.config.hangover_frames + 1
        } else {
            self.hold
        };
        let active = self.hold > 0;
        self.hold = self.hold.saturating_sub(1);
        if active {
            self.first_active.get_or_insert(self.frames);
            self.active_frames += 1;
        }
        self.frames += 1;
        active
    }

    /// Frames with voice and frames heard.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.active_frames, self.frames)
    }

    /// Index of the first frame with voice.
    #[must_use]
    pub const fn first_active(&self) -> Option<u64> {
        self.first_active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{AGENT_HZ, Speech};
    use crate::tones::Tone;

    #[test]
    fn a_voice_is_active_and_silence_is_not() {
        let mut activity = Activity::default();
        for _ in 0..50 {
            assert!(!activity.push(&crate::SILENCE));
        }
        let mut voice = Speech::new(AGENT_HZ, 0.2, 1);
        let active = (0..500).filter(|_| activity.push(&voice.frame())).count();
        assert!(active > 350, "{active}");
        assert!(
            activity
                .first_active()
                .is_some_and(|f| (50..53).contains(&f))
        );
    }

    #[test]
    fn a_steady_hum_becomes_the_floor() {
        let mut activity = Activity::default();
        let mut hum = Tone::sine(60.0, 0.008);
        let mut frame = crate::SILENCE;
        let mut last = true;
        for _ in 0..1_500 {
            hum.fill(&mut frame);
            last = activity.push(&frame);
        }
        assert!(!last);
    }
}
