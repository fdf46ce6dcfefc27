//! The head of the WAV that a recording is to whoever hears it.

/// Bytes before the first sample.
pub const WAV_HEAD: usize = 44;

const RATE: u32 = 8_000;
const BLOCK: u32 = 4;

/// The head of a WAV (WAVE_FORMAT_PCM, 8 kHz, 16-bit, 2 channels: left = agent, right = debtor) with so
/// many bytes of sound, and of RIFF chunks after it.
#[must_use]
pub fn wav_head(sound: u64, marks: u64) -> [u8; WAV_HEAD] {
    let size = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut h = [0_u8; WAV_HEAD];
    h[0..4].copy_from_slice(b"RIFF");
    h[4..8].copy_from_slice(&size(WAV_HEAD as u64 - 8 + sound + marks));
    h[8..16].copy_from_slice(b"WAVEfmt ");
    h[16..20].copy_from_slice(&16_u32.to_le_bytes());
    h[20..22].copy_from_slice(&1_u16.to_le_bytes());
    h[22..24].copy_from_slice(&2_u16.to_le_bytes());
    h[24..28].copy_from_slice(&RATE.to_le_bytes());
    h[28..32].copy_from_slice(&(RATE * BLOCK).to_le_bytes());
    h[32..34].copy_from_slice(&4_u16.to_le_bytes());
    h[34..36].copy_from_slice(&16_u16.to_le_bytes());
    h[36..40].copy_from_slice(b"data");
    h[40..44].copy_from_slice(&size(sound));
    h
}
