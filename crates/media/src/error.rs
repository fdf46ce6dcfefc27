//! What can be wrong with bytes that come from outside.

/// Why bytes were refused. Bad input is counted and dropped by the caller; nothing here panics.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// Not an RTP packet (RFC 3550 §5.1).
    #[error("not an rtp packet: {0}")]
    Rtp(String),
    /// An RTP packet could not be written.
    #[error("rtp packet not written: {0}")]
    RtpWrite(String),
    /// Not a compound RTCP packet (RFC 3550 §6).
    #[error("not an rtcp packet: {0}")]
    Rtcp(String),
    /// An RTCP packet could not be written.
    #[error("rtcp packet not written: {0}")]
    RtcpWrite(String),
    /// Not a telephone-event payload (RFC 4733 §2.3).
    #[error("not a telephone event: {0} bytes, event {1:?}")]
    Dtmf(usize, Option<u8>),
    /// Not a description of comfort noise (RFC 3389 §3).
    #[error("not comfort noise: level {0:?}")]
    Comfort(Option<u8>),
    /// Not a WAV file we can read.
    #[error("not a readable wav: {0}")]
    Wav(String),
    /// Reading or writing of a WAV file failed.
    #[error("wav input or output: {0}")]
    WavIo(#[from] std::io::Error),
    /// Above a named limit.
    #[error("{what} is {value}, limit {limit}")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// What it measured.
        value: u64,
        /// The most that is taken.
        limit: u64,
    },
}
