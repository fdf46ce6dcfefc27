//! Method names.

use bytes::Bytes;

/// A request method; names are case-sensitive (RFC 3261 §7.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Starts or changes a session.
    Invite,
    /// Confirms the final answer to an INVITE.
    Ack,
    /// Ends a session.
    Bye,
    /// Withdraws an unanswered INVITE.
    Cancel,
    /// Asks for capabilities.
    Options,
    /// Binds a contact to an account.
    Register,
    /// Acknowledges a provisional response (RFC 3262).
    Prack,
    /// Changes a session without a three-way handshake (RFC 3311).
    Update,
    /// Mid-call information (RFC 6086).
    Info,
    /// Asks to call somebody else (RFC 3515).
    Refer,
    /// Subscribes to an event (RFC 6665).
    Subscribe,
    /// Reports an event (RFC 6665).
    Notify,
    /// An instant message (RFC 3428).
    Message,
    /// Publishes a state (RFC 3903).
    Publish,
    /// A method this room has no name for.
    Other(Bytes),
}

const KNOWN: [(Method, &str); 14] = [
    (Method::Invite, "INVITE"),
    (Method::Ack, "ACK"),
    (Method::Bye, "BYE"),
    (Method::Cancel, "CANCEL"),
    (Method::Options, "OPTIONS"),
    (Method::Register, "REGISTER"),
    (Method::Prack, "PRACK"),
    (Method::Update, "UPDATE"),
    (Method::Info, "INFO"),
    (Method::Refer, "REFER"),
    (Method::Subscribe, "SUBSCRIBE"),
    (Method::Notify, "NOTIFY"),
    (Method::Message, "MESSAGE"),
    (Method::Publish, "PUBLISH"),
];

impl Method {
    /// The method of a token.
    #[must_use]
    pub fn from_token(token: Bytes) -> Self {
        KNOWN
            .iter()
            .find(|(_, name)| name.as_bytes() == token)
            .map_or_else(|| Method::Other(token), |(method, _)| method.clone())
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if let Method::Other(token) = self {
            return token;
        }
        KNOWN
            .iter()
            .find(|(method, _)| method == self)
            .map_or(b"", |(_, name)| name.as_bytes())
    }
}
