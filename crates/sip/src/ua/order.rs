//! What a user asks the endpoint for.

use bytes::Bytes;

use super::Secret;
use crate::header::NameAddr;
use crate::limits::MAX_RING_MS;
use crate::msg::{Headers, Uri};
use crate::transport::Target;

/// Who we are to a server that asks for a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user name of the digest.
    pub username: String,
    /// The password, or its hash for one realm and algorithm.
    pub secret: Secret,
}

impl Login {
    /// A user name and a clear password.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Login {
            username: username.to_owned(),
            secret: Secret::Password(password.to_owned()),
        }
    }
}

/// An outgoing call.
#[derive(Clone, Debug)]
pub struct InviteOrder {
    /// Whom to call: the Request-URI.
    pub target: Uri,
    /// Where the INVITE is sent.
    pub next_hop: Target,
    /// Who calls, display name included; its tag is ours to set.
    pub from: NameAddr,
    /// The To header; the target when None.
    pub to: Option<NameAddr>,
    /// The offer, `application/sdp`.
    pub sdp: Bytes,
    /// More headers: P-Asserted-Identity, Privacy, Diversion, own ones.
    pub headers: Headers,
    /// Preloaded Route set, outermost proxy first.
    pub route: Vec<NameAddr>,
    /// The answer to 401 and 407.
    pub login: Option<Login>,
    /// Longest wait for a final answer before the INVITE is cancelled, ms.
    pub ring_limit_ms: u64,
    /// Send what follows in the dialog to the IP address in the peer's Record-Route or Contact, as RFC 3261
    /// §12.2.1.1 has it. Off, it goes where the INVITE went, whatever the peer wrote: so for phones behind NAT,
    /// whose Contact nobody can reach. Only datagrams follow; what goes over a connection stays on it. An address
    /// that a peer out there cannot mean (of a private net, loopback, multicast) is not followed, nor one that
    /// [`crate::Endpoint::hear`] rules out. Where nobody answers there, the call goes back to where its INVITE went.
    pub follow_contact: bool,
}

impl InviteOrder {
    /// A call without extras.
    #[must_use]
    pub fn new(target: Uri, next_hop: Target, from: NameAddr, sdp: Bytes) -> Self {
        InviteOrder {
            target,
            next_hop,
            from,
            to: None,
            sdp,
            headers: Headers::default(),
            route: Vec::new(),
            login: None,
            ring_limit_ms: MAX_RING_MS,
            follow_contact: false,
        }
    }
}

/// A registration of ours at somebody's registrar, kept until [`crate::Endpoint::unregister`].
#[derive(Clone, Debug)]
pub struct RegisterOrder {
    /// The registrar's domain: the Request-URI.
    pub registrar: Uri,
    /// Where the REGISTER is sent.
    pub next_hop: Target,
    /// The address of record, in From and To.
    pub account: NameAddr,
    /// User part of the bound Contact.
    pub contact_user: String,
    /// Wished life of the binding, seconds.
    pub expires_s: u32,
    /// The answer to 401 and 407.
    pub login: Option<Login>,
}

/// One OPTIONS request outside any call.
#[derive(Clone, Debug)]
pub struct PingOrder {
    /// The Request-URI.
    pub target: Uri,
    /// Where it is sent.
    pub next_hop: Target,
    /// From.
    pub from: NameAddr,
}
