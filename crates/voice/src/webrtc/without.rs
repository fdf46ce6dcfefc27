//! The same names in a build without WebRTC: none of them can exist.

use crate::VoiceError;
use crate::plane::LegId;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

/// Never made.
pub(crate) enum Front {}

impl Front {
    pub(crate) fn open(_bind: SocketAddr, _reached_at: &[IpAddr]) -> Result<Self, VoiceError> {
        Err(VoiceError::config(
            "media.webrtc",
            "this build has no WebRTC (feature `webrtc`); set it to \"\"",
        ))
    }
    pub(crate) fn accept(&self, _offer: &str, _seat: Seat) -> Result<(Peer, String), VoiceError> {
        match *self {}
    }
    pub(crate) fn enter(&self) -> Option<Seat> {
        match *self {}
    }
    pub(crate) fn socket(&self) -> Arc<UdpSocket> {
        match *self {}
    }
    pub(crate) fn candidates(&self) -> &[SocketAddr] {
        match *self {}
    }
}

/// Never made.
pub(crate) enum Hub {}

impl Hub {
    pub(crate) fn new(front: Arc<Front>, _now: Instant) -> Self {
        match *front {}
    }
    pub(crate) fn front(&self) -> &Front {
        match *self {}
    }
    pub(crate) fn put(&mut self, _leg: LegId, _ufrag: &str, _pass: &str) {
        match *self {}
    }
    pub(crate) fn forget(&mut self, _leg: LegId) {
        match *self {}
    }
    pub(crate) fn route(
        &mut self,
        _data: &[u8],
        _from: SocketAddr,
        _now: Instant,
    ) -> Option<LegId> {
        match *self {}
    }
}

/// Never told.
#[expect(dead_code, reason = "what a media thread would match on")]
pub(crate) enum News {
    Up,
    Down,
}

/// Never made.
pub(crate) enum Plain {}

impl Plain {
    pub(crate) fn bytes(&self) -> &[u8] {
        match *self {}
    }
}

/// Never made.
pub(crate) enum Peer {}

impl Peer {
    pub(crate) fn credentials(&self) -> (&str, &str) {
        match *self {}
    }
    pub(crate) fn sends_pcma(&self) -> bool {
        match *self {}
    }
    pub(crate) fn dtmf(&self) -> Option<u8> {
        match *self {}
    }
    pub(crate) fn news(&mut self) -> Option<News> {
        match *self {}
    }
    pub(crate) fn receive(
        &mut self,
        _data: &[u8],
        _from: SocketAddr,
        _now: Instant,
        _heard: &mut Vec<Plain>,
    ) {
        match *self {}
    }
    pub(crate) fn tick(&mut self, _now: Instant, _heard: &mut Vec<Plain>) {
        match *self {}
    }
    pub(crate) fn send(&mut self, _packet: &[u8], _now: Instant) -> bool {
        match *self {}
    }
    pub(crate) fn say_bye(&mut self, _now: Instant) {
        match *self {}
    }
}

/// Never taken.
pub(crate) enum Seat {}
