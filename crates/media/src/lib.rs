//! Room: what a telephone call is made of once the sockets are taken away. RTP and RTCP, G.711,
//! DTMF, jitter, tones, mixing, prompts and WAV: bytes in, bytes out.
//!
//! The one contract: nothing here reads a clock, opens a socket, starts a thread or draws a random
//! number. Time comes in as samples or milliseconds, chance as an argument, so each test is exact
//! to the sample. Audio is 8 kHz, 16-bit, one channel; a frame is 20 ms.
//!
//! ```
//! use media::{g711::Law, rtp, tones};
//! let mut tone = tones::Tone::sine(1_000.0, 0.5);
//! let mut frame = media::SILENCE;
//! tone.fill(&mut frame);
//! let mut sender = rtp::Sender::new(rtp::Start { ssrc: 7, sequence: 65_535, timestamp: 0 });
//! let mut packet = [0u8; rtp::MAX_PACKET_BYTES];
//! let mut coded = Vec::new();
//! Law::A.encode(&frame, &mut coded);
//! let len = sender.packet(Law::A.payload_type(), &coded, 160, &mut packet)?;
//! let back = rtp::parse(&packet[..len])?;
//! let mut heard = Vec::new();
//! Law::A.decode(back.payload, &mut heard);
//! assert!(media::freq::share(&heard, 1_000.0) > 0.9);
//! # Ok::<(), media::MediaError>(())
//! ```

pub mod activity;
pub mod comfort;
pub mod conceal;
pub mod cpa;
pub mod dtmf;
pub mod dtmf_inband;
mod error;
pub mod freq;
pub mod g711;
pub mod goertzel;
pub mod jitter;
pub mod mixer;
pub mod prompt;
mod resample;
pub mod rtcp;
pub mod rtp;
pub mod speech;
pub mod srtp;
pub mod stats;
pub mod timeline;
pub mod tones;
pub mod wav;

pub use error::MediaError;

/// Samples per second of everything in this room (G.711 is an 8 kHz codec).
pub const RATE_HZ: u32 = 8_000;

/// Samples in a millisecond.
pub const SAMPLES_PER_MS: usize = 8;

/// Samples in a frame of [`FRAME_MS`].
pub const FRAME_SAMPLES: usize = 160;

/// Milliseconds in a frame: the packet time every trunk accepts (RFC 3551 §4.2 default).
pub const FRAME_MS: u32 = 20;

/// One packet time of audio.
pub type Frame = [i16; FRAME_SAMPLES];

/// A frame in which nobody speaks.
pub const SILENCE: Frame = [0; FRAME_SAMPLES];

/// A wide value brought into the range of a sample.
#[inline]
#[must_use]
pub fn saturate(value: i32) -> i16 {
    i16::try_from(value).unwrap_or(if value < 0 { i16::MIN } else { i16::MAX })
}

/// A value in [-1, 1] (clipped outside) as a sample; NaN is silence.
#[inline]
#[must_use]
pub fn from_unit(value: f64) -> i16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "float casts saturate, NaN gives 0"
    )]
    let sample = (value * f64::from(i16::MAX)).round() as i16;
    sample
}
