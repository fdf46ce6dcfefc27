//! Reading the peer's description.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Media, Session};

use super::{Codec, Direction, LocalMedia, RemoteMedia, crypto};
use crate::SipError;
use crate::limits::MAX_MESSAGE;

/// Most media lines of one description.
const MAX_MEDIA: usize = 16;

/// Reads an offer and chooses the first of its codecs that we take.
///
/// # Errors
/// [`SipError::Sdp`] when nothing in it can be used: answer 488.
pub fn read_offer(sdp: &[u8], local: &LocalMedia) -> Result<RemoteMedia, SipError> {
    let session = parse(sdp)?;
    let index = usable(&session, local).ok_or(SipError::Sdp("no usable audio"))?;
    read_media(&session, &session.medias[index], local)
}

/// Reads the answer to our offer, whose only media line is the audio.
///
/// # Errors
/// [`SipError::Sdp`] when the peer refused the audio or chose what we did not offer.
pub fn read_answer(sdp: &[u8], local: &LocalMedia) -> Result<RemoteMedia, SipError> {
    let session = parse(sdp)?;
    let media = session
        .medias
        .first()
        .ok_or(SipError::Sdp("no media line"))?;
    if !is_usable(&session, media, local) {
        return Err(SipError::Sdp("audio refused or without common codec"));
    }
    let remote = read_media(&session, media, local)?;
    // The answer's key line bears the tag of the line of ours that it takes (RFC 4568 §5.1.3).
    if let Some(secured) = remote.secured
        && !local
            .crypto
            .iter()
            .any(|ours| (ours.tag, ours.suite) == (secured.tag, secured.suite))
    {
        return Err(SipError::Sdp("a key line that was not offered"));
    }
    Ok(remote)
}

pub(super) fn parse(sdp: &[u8]) -> Result<Session, SipError> {
    if sdp.len() > MAX_MESSAGE {
        return Err(SipError::Sdp("too long"));
    }
    let session = match std::str::from_utf8(sdp) {
        Ok(_) => Session::parse(sdp),
        // Carriers put Latin-1 names in s= and o=; the fields we read are ASCII either way.
        Err(_) => {
            let text: String = sdp.iter().map(|b| char::from(*b)).collect();
            Session::parse(text.as_bytes())
        }
    };
    let session = session.map_err(|_| SipError::Sdp("malformed"))?;
    if session.medias.len() > MAX_MEDIA {
        return Err(SipError::Sdp("too many media lines"));
    }
    Ok(session)
}

/// The first media line we can take.
pub(super) fn usable(session: &Session, local: &LocalMedia) -> Option<usize> {
    session
        .medias
        .iter()
        .position(|media| is_usable(session, media, local))
}

fn is_usable(session: &Session, media: &Media, local: &LocalMedia) -> bool {
    media.media.eq_ignore_ascii_case("audio")
        && media.port != 0
        && crypto::fits(media, local)
        && choose(media, local).is_some()
        && address(session, media).is_some()
}

pub(super) fn read_media(
    session: &Session,
    media: &Media,
    local: &LocalMedia,
) -> Result<RemoteMedia, SipError> {
    let codec = choose(media, local).ok_or(SipError::Sdp("no common codec"))?;
    let ip = address(session, media).ok_or(SipError::Sdp("no IP address"))?;
    let rtcp_port = attribute(media, "rtcp")
        .and_then(|value| value.split(' ').next().and_then(|port| port.parse().ok()))
        .unwrap_or(media.port.saturating_add(1));
    let ptime_ms = attribute(media, "ptime").and_then(|text| text.trim().parse().ok());
    Ok(RemoteMedia {
        addr: SocketAddr::new(ip, media.port),
        rtcp: SocketAddr::new(ip, rtcp_port),
        codec,
        dtmf_pt: local.dtmf_pt.and_then(|_| dtmf(media)),
        ptime_ms: ptime_ms.filter(|ms| (10..=200).contains(ms)).unwrap_or(20),
        direction: direction(session, media),
        secured: crypto::settle(media, local),
    })
}

/// The peer's first payload type that is a codec we take.
fn choose(media: &Media, local: &LocalMedia) -> Option<Codec> {
    payload_types(media).find_map(|pt| codec_of(media, pt).filter(|c| local.codecs.contains(c)))
}

fn payload_types(media: &Media) -> impl Iterator<Item = u8> {
    media
        .fmt
        .split_ascii_whitespace()
        .filter_map(|text| text.parse().ok())
}

fn codec_of(media: &Media, pt: u8) -> Option<Codec> {
    // Payload types 0 and 8 are static; a peer may map G.711 to a dynamic one too, but then we
    // would have to send that number, which no carrier was seen to ask for.
    let codec = [Codec::Pcmu, Codec::Pcma]
        .into_iter()
        .find(|c| c.payload_type() == pt)?;
    match rtpmap(media, pt) {
        Some(encoding) if !encoding.eq_ignore_ascii_case(&format!("{}/8000", codec.name())) => {
            encoding
                .eq_ignore_ascii_case(&format!("{}/8000/1", codec.name()))
                .then_some(codec)
        }
        _ => Some(codec),
    }
}

fn dtmf(media: &Media) -> Option<u8> {
    payload_types(media).find(|pt| {
        rtpmap(media, *pt).is_some_and(|name| {
            name.eq_ignore_ascii_case("telephone-event/8000")
                || name.eq_ignore_ascii_case("telephone-event/8000/1")
        })
    })
}

fn rtpmap(media: &Media, pt: u8) -> Option<&str> {
    let maps = media
        .attributes
        .iter()
        .filter(|a| a.attribute.eq_ignore_ascii_case("rtpmap"));
    maps.filter_map(|a| a.value.as_deref()?.trim().split_once(' '))
        .find(|(number, _)| number.parse() == Ok(pt))
        .map(|(_, encoding)| encoding.trim())
}

fn attribute<'a>(media: &'a Media, name: &str) -> Option<&'a str> {
    let found = media
        .attributes
        .iter()
        .find(|a| a.attribute.eq_ignore_ascii_case(name));
    found?.value.as_deref()
}

fn address(session: &Session, media: &Media) -> Option<IpAddr> {
    let connection = media.connections.first().or(session.connection.as_ref())?;
    let text = connection
        .connection_address
        .split('/')
        .next()
        .unwrap_or_default();
    let ip: IpAddr = text.trim().parse().ok()?;
    (!ip.is_multicast()).then_some(ip)
}

fn direction(session: &Session, media: &Media) -> Direction {
    let known = |name: &str| {
        [
            Direction::SendRecv,
            Direction::SendOnly,
            Direction::RecvOnly,
            Direction::Inactive,
        ]
        .into_iter()
        .find(|direction| name.eq_ignore_ascii_case(direction.attribute()))
    };
    let own = media.attributes.iter().find_map(|a| known(&a.attribute));
    own.or_else(|| session.attributes.iter().find_map(|a| known(&a.attribute)))
        .unwrap_or_default()
}
