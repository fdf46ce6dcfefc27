//! Agents by browser: WebRTC without a line of our own cryptography (str0m), on one UDP port.
//!
//! `front` owns the port and the certificate and answers offers; `peer` is one connection that turns
//! protected datagrams into plain RTP and back; `hub` tells whose a datagram is. The legs live on the
//! media threads as phones' do: same bridge, recorder and mix.

#[cfg(feature = "webrtc")]
mod front;
#[cfg(feature = "webrtc")]
mod hub;
#[cfg(feature = "webrtc")]
mod peer;
#[cfg(not(feature = "webrtc"))]
mod without;

#[cfg(not(feature = "webrtc"))]
pub(crate) use without::{Front, Hub, News, Peer, Plain};
#[cfg(feature = "webrtc")]
pub(crate) use {
    front::Front,
    hub::Hub,
    peer::{News, Peer, Plain},
};
