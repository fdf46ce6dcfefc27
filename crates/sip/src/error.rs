//! What can go wrong, in one enum.

/// An error of the SIP room. Bad input from the network is always one of these, never a panic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SipError {
    /// The message is longer than [`crate::limits::MAX_MESSAGE`].
    #[error("message of {0} octets is too long")]
    TooLong(usize),
    /// The message has more header fields than [`crate::limits::MAX_HEADERS`].
    #[error("message has too many header fields")]
    TooManyHeaders,
    /// The datagram or frame holds no whole header part.
    #[error("message ends before its headers do")]
    Truncated,
    /// The first line is neither a request line nor a status line.
    #[error("start line is malformed: {0}")]
    StartLine(&'static str),
    /// A header line has no name or no colon.
    #[error("header line {0} is malformed")]
    HeaderLine(usize),
    /// A header field does not follow its grammar.
    #[error("header {name} is malformed: {what}")]
    Header {
        /// Canonical name of the header.
        name: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A header the message must have is missing.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// Content-Length is absent on a stream, negative, not a number or longer than the body.
    #[error("content length is wrong: {0}")]
    ContentLength(&'static str),
    /// A URI does not follow its grammar.
    #[error("uri is malformed: {0}")]
    Uri(&'static str),
    /// A session description cannot be used.
    #[error("session description cannot be used: {0}")]
    Sdp(&'static str),
    /// A digest challenge or answer cannot be used.
    #[error("digest cannot be used: {0}")]
    Digest(&'static str),
    /// A bound of [`crate::limits`] is reached.
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// The endpoint knows no call, registration or transaction with this key.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// The command does not fit the state the call is in.
    #[error("not possible now: {0}")]
    State(&'static str),
    /// The endpoint has no local address for this transport protocol.
    #[error("no local address for {0}")]
    NoLocalAddress(&'static str),
}

impl SipError {
    pub(crate) fn header(name: &'static str, what: &'static str) -> Self {
        SipError::Header { name, what }
    }
}
