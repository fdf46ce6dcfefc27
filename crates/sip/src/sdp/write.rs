//! Writing our description.

use std::fmt::Write as _;
use std::net::SocketAddr;

use bytes::Bytes;
use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

use super::read::{parse, read_media, usable};
use super::{Answer, Codec, Crypto, Direction, LocalMedia, crypto};
use crate::SipError;

/// Octets of an offer without keys, and of one line with a key.
const OFFER: usize = 320;
const KEY_LINE: usize = 96;

/// Our offer. It is written straight: each call has one, and nothing in it is anybody else's text.
#[must_use]
pub fn offer(local: &LocalMedia) -> Bytes {
    let mut out = String::with_capacity(OFFER + KEY_LINE * local.crypto.len());
    // Memory takes every write.
    let _ = write_offer(&mut out, local);
    Bytes::from(out)
}

fn write_offer(out: &mut String, local: &LocalMedia) -> std::fmt::Result {
    let (ip, port) = (local.addr.ip(), local.addr.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let (id, version) = (local.session_id, local.version);
    write!(out, "v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\n")?;
    write!(out, "c=IN {family} {ip}\r\nt=0 0\r\n")?;
    write!(out, "m=audio {port} {}", crypto::proto(local))?;
    let codecs = local.codecs.iter().map(|codec| codec.payload_type());
    for kind in codecs.chain(local.dtmf_pt) {
        write!(out, " {kind}")?;
    }
    for codec in &local.codecs {
        let (kind, name) = (codec.payload_type(), codec.name());
        write!(out, "\r\na=rtpmap:{kind} {name}/8000")?;
    }
    if let Some(kind) = local.dtmf_pt {
        write!(
            out,
            "\r\na=rtpmap:{kind} telephone-event/8000\r\na=fmtp:{kind} 0-16"
        )?;
    }
    let direction = local.direction.attribute();
    write!(out, "\r\na=ptime:20\r\na={direction}\r\n")?;
    for line in &local.crypto {
        write!(out, "a=crypto:{}\r\n", line.value())?;
    }
    Ok(())
}

/// The answer to an offer: its first usable audio line is taken with the first codec we share,
/// every other line is answered with port 0.
///
/// # Errors
/// [`SipError::Sdp`] when no line can be taken: answer 488.
pub fn answer(offered: &[u8], local: &LocalMedia) -> Result<Answer, SipError> {
    let theirs = parse(offered)?;
    let taken = usable(&theirs, local).ok_or(SipError::Sdp("no usable audio"))?;
    let remote = read_media(&theirs, &theirs.medias[taken], local)?;
    let direction = Direction::from_flags(
        local.direction.sends() && remote.direction.receives(),
        local.direction.receives() && remote.direction.sends(),
    );
    let mut ours = session(local);
    for (index, line) in theirs.medias.iter().enumerate() {
        ours.medias.push(if index == taken {
            let mut media = audio(local.addr, &[remote.codec], remote.dtmf_pt, direction);
            media.proto.clone_from(&line.proto);
            media.attributes.extend(remote.secured.map(|secured| {
                key_line(&Crypto {
                    tag: secured.tag,
                    suite: secured.suite,
                    key: secured.ours,
                })
            }));
            media
        } else {
            refused(line)
        });
    }
    Ok(Answer {
        sdp: write(&ours),
        remote,
        direction,
    })
}

fn session(local: &LocalMedia) -> Session {
    let mut origin = Origin::with_ip_addr(local.session_id, local.version, local.addr.ip());
    origin.username = Some("-".to_owned());
    let mut session = Session::new(origin, "-");
    session.connection = Some(Connection::from_ip_addr(local.addr.ip()));
    session.times.push(Time::new(0, 0));
    session
}

fn audio(addr: SocketAddr, codecs: &[Codec], dtmf_pt: Option<u8>, direction: Direction) -> Media {
    let mut types: Vec<String> = codecs
        .iter()
        .map(|c| c.payload_type().to_string())
        .collect();
    types.extend(dtmf_pt.map(|pt| pt.to_string()));
    let mut media = blank("audio", addr.port(), "RTP/AVP", types.join(" "));
    let attributes = &mut media.attributes;
    for codec in codecs {
        let map = format!("{} {}/8000", codec.payload_type(), codec.name());
        attributes.push(Attribute::with_value("rtpmap", map));
    }
    if let Some(pt) = dtmf_pt {
        attributes.push(Attribute::with_value(
            "rtpmap",
            format!("{pt} telephone-event/8000"),
        ));
        attributes.push(Attribute::with_value("fmtp", format!("{pt} 0-16")));
    }
    attributes.push(Attribute::with_value("ptime", "20"));
    attributes.push(Attribute::new(direction.attribute()));
    media
}

fn key_line(key: &Crypto) -> Attribute {
    Attribute::with_value("crypto", key.value())
}

/// The line as it came, with port 0 (RFC 3264 §6).
fn refused(line: &Media) -> Media {
    blank(&line.media, 0, &line.proto, line.fmt.clone())
}

fn blank(kind: &str, port: u16, proto: &str, fmt: String) -> Media {
    Media {
        media: kind.to_owned(),
        port,
        num_ports: None,
        proto: proto.to_owned(),
        fmt,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn write(session: &Session) -> Bytes {
    let mut out = Vec::with_capacity(320);
    // Writing to memory cannot fail; an empty body would be refused by the peer.
    let written = session.write(&mut out);
    debug_assert!(written.is_ok());
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::super::{CryptoSuite, MasterKey};
    use super::*;

    /// The same description as sdp-types prints it.
    fn by_the_library(local: &LocalMedia) -> Bytes {
        let mut session = session(local);
        let mut media = audio(local.addr, &local.codecs, local.dtmf_pt, local.direction);
        crypto::proto(local).clone_into(&mut media.proto);
        media.attributes.extend(local.crypto.iter().map(key_line));
        session.medias.push(media);
        write(&session)
    }

    #[test]
    fn an_offer_is_what_the_library_would_write() {
        let key = |tag, suite| Crypto {
            tag,
            suite,
            key: MasterKey([7; 30]),
        };
        let keys = vec![
            key(1, CryptoSuite::AesCm128HmacSha1_80),
            key(2, CryptoSuite::AesCm128HmacSha1_32),
        ];
        for addr in ["192.0.2.1:4000", "[2001:db8::1]:65534"] {
            for codecs in [vec![Codec::Pcma, Codec::Pcmu], vec![Codec::Pcmu]] {
                for (dtmf_pt, direction) in [
                    (Some(101), Direction::SendRecv),
                    (None, Direction::Inactive),
                    (Some(96), Direction::SendOnly),
                ] {
                    let addr = addr.parse().expect("an address");
                    let mut local = LocalMedia::new(addr, u64::from(u32::MAX));
                    (local.codecs, local.dtmf_pt) = (codecs.clone(), dtmf_pt);
                    (local.direction, local.version) = (direction, 3);
                    assert_eq!(offer(&local), by_the_library(&local));
                    local.crypto.clone_from(&keys);
                    assert_eq!(offer(&local), by_the_library(&local));
                }
            }
        }
    }
}
