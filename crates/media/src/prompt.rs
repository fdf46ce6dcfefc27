//! Prompts: decoded once, shared by every call that plays them.

use std::io::Cursor;
use std::sync::Arc;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::{
    FRAME_SAMPLES, Frame, MediaError, RATE_HZ, SAMPLES_PER_MS, SILENCE, from_unit, resample,
};

/// Largest prompt file taken, bytes: ten minutes at 8 kHz, one at 48 kHz stereo.
pub const MAX_FILE_BYTES: usize = 12 * 1024 * 1024;

/// Audio at 8 kHz behind an `Arc`: cloning copies a pointer.
#[derive(Debug, Clone)]
pub struct Prompt {
    samples: Arc<[i16]>,
}

impl Prompt {
    /// Reads a WAV file: integer of 8 to 32 bits or 32-bit float, 8 to 48 kHz, one or two channels
    /// (mixed down).
    ///
    /// # Errors
    /// [`MediaError::Wav`] where it is not such a file, [`MediaError::TooLarge`] above
    /// [`MAX_FILE_BYTES`].
    pub fn from_wav(bytes: &[u8]) -> Result<Self, MediaError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(MediaError::TooLarge {
                what: "prompt bytes",
                value: bytes.len() as u64,
                limit: MAX_FILE_BYTES as u64,
            });
        }
        let reader = WavReader::new(Cursor::new(bytes)).map_err(wav_error)?;
        let spec = reader.spec();
        if !(1..=2).contains(&spec.channels) || !(RATE_HZ..=48_000).contains(&spec.sample_rate) {
            return Err(MediaError::Wav(format!(
                "{} channels at {} Hz",
                spec.channels, spec.sample_rate
            )));
        }
        let unit = read_unit(reader, bytes.len())?;
        let mono: Vec<f64> = match spec.channels {
            2 => unit
                .chunks_exact(2)
                .map(|c| f64::midpoint(c[0], c[1]))
                .collect(),
            _ => unit,
        };
        let samples = resample::to_8k(&mono, spec.sample_rate)
            .into_iter()
            .map(from_unit)
            .collect();
        Ok(Self { samples })
    }

    /// From samples at 8 kHz.
    #[must_use]
    pub fn from_samples(samples: impl Into<Arc<[i16]>>) -> Self {
        Self {
            samples: samples.into(),
        }
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &Arc<[i16]> {
        &self.samples
    }

    /// As a WAV file: 8 kHz, 16 bits, one channel.
    ///
    /// # Errors
    /// [`MediaError::Wav`] where there is more than such a file holds.
    pub fn to_wav(&self) -> Result<Vec<u8>, MediaError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: RATE_HZ,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut file = Cursor::new(Vec::new());
        let mut out = WavWriter::new(&mut file, spec).map_err(wav_error)?;
        for sample in self.samples.iter() {
            out.write_sample(*sample).map_err(wav_error)?;
        }
        out.finalize().map_err(wav_error)?;
        Ok(file.into_inner())
    }

    /// Length in milliseconds, rounded up.
    #[must_use]
    pub fn ms(&self) -> u64 {
        self.samples.len().div_ceil(SAMPLES_PER_MS) as u64
    }

    /// A cursor at the beginning.
    #[must_use]
    pub fn player(&self, looped: bool) -> Player {
        Player {
            prompt: self.clone(),
            at: 0,
            looped,
        }
    }
}

fn wav_error(error: hound::Error) -> MediaError {
    MediaError::Wav(error.to_string().to_lowercase())
}

fn read_unit(
    mut reader: WavReader<Cursor<&[u8]>>,
    file_bytes: usize,
) -> Result<Vec<f64>, MediaError> {
    let spec = reader.spec();
    // A sample takes a byte at least: a header that claims more is cut there.
    let most = file_bytes;
    match spec.sample_format {
        SampleFormat::Float => reader
            .samples::<f32>()
            .take(most)
            .map(|s| s.map(f64::from).map_err(wav_error))
            .collect(),
        SampleFormat::Int => {
            let bits = i32::from(spec.bits_per_sample.clamp(1, 32));
            let full = 2f64.powi(bits - 1);
            let scaled = |s: i32| f64::from(s) / full;
            reader
                .samples::<i32>()
                .take(most)
                .map(|s| s.map(scaled).map_err(wav_error))
                .collect()
        }
    }
}

/// Where one call is in a prompt.
#[derive(Debug, Clone)]
pub struct Player {
    prompt: Prompt,
    at: usize,
    looped: bool,
}

impl Player {
    /// The next frame; filled up with silence at the end, `None` after it.
    pub fn frame(&mut self) -> Option<Frame> {
        let samples = &self.prompt.samples;
        if samples.is_empty() || (self.at >= samples.len() && !self.looped) {
            return None;
        }
        let mut frame = SILENCE;
        let mut done = 0;
        while done < FRAME_SAMPLES {
            if self.at >= samples.len() {
                if !self.looped {
                    break;
                }
                self.at = 0;
            }
            let take = (FRAME_SAMPLES - done).min(samples.len() - self.at);
            frame[done..done + take].copy_from_slice(&samples[self.at..self.at + take]);
            done += take;
            self.at += take;
        }
        Some(frame)
    }

    /// Milliseconds played of this round.
    #[must_use]
    pub fn played_ms(&self) -> u64 {
        (self.at / SAMPLES_PER_MS) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freq::share;
    use hound::{WavSpec, WavWriter};
    use proptest::prelude::*;

    fn wav(rate: u32, channels: u16, hz: f64, seconds: f64) -> Vec<u8> {
        let spec = WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and positive"
        )]
        let count = (f64::from(rate) * seconds) as u32;
        for n in 0..count {
            let value = (std::f64::consts::TAU * hz * f64::from(n) / f64::from(rate)).sin();
            for _ in 0..channels {
                writer.write_sample(from_unit(value * 0.5)).unwrap();
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn any_usual_rate_comes_to_8_khz() {
        for (rate, channels) in [
            (8_000, 1),
            (16_000, 1),
            (22_050, 2),
            (44_100, 1),
            (48_000, 2),
        ] {
            let prompt = Prompt::from_wav(&wav(rate, channels, 1_000.0, 1.0)).unwrap();
            assert!(prompt.samples().len().abs_diff(8_000) <= 1, "{rate}");
            assert!(share(prompt.samples(), 1_000.0) > 0.95, "{rate}");
        }
    }

    #[test]
    fn what_telephones_cannot_carry_does_not_fold_back() {
        let prompt = Prompt::from_wav(&wav(16_000, 1, 6_000.0, 0.5)).unwrap();
        assert!(crate::freq::rms(prompt.samples()) < 100.0);
    }

    #[test]
    fn a_player_ends_or_goes_round() {
        let prompt = Prompt::from_samples(vec![5i16; 200]);
        let mut once = prompt.player(false);
        assert_eq!(once.frame().unwrap(), [5; 160]);
        let second = once.frame().unwrap();
        assert_eq!((second[39], second[40]), (5, 0));
        assert!(once.frame().is_none());
        let mut round = prompt.player(true);
        assert!((0..10).all(|_| round.frame() == Some([5; 160])));
        assert!(
            Prompt::from_samples(Vec::new())
                .player(true)
                .frame()
                .is_none()
        );
    }

    proptest! {
        #[test]
        fn broken_files_are_refused(cut in 0usize..400, at in 0usize..60, byte: u8) {
            let mut bytes = wav(8_000, 1, 440.0, 0.02);
            bytes.truncate(cut);
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
            let _ = Prompt::from_wav(&bytes);
        }

        #[test]
        fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Prompt::from_wav(&bytes).is_err());
        }
    }
}
