//! The peer relation of a call (RFC 3261 §12).

use std::net::IpAddr;

use bytes::Bytes;

use crate::header::lex::split_outside;
use crate::header::{CSeq, NameAddr};
use crate::limits::MAX_VALUES;
use crate::msg::{HeaderName, Headers, Method, Request, Response, Uri};
use crate::transport::{Proto, Target};

/// Ids, addresses, sequence numbers and the route of a dialog. Header values stay as octets.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) call_id: Bytes,
    /// Our From value in requests of ours, tag included.
    pub(super) local: Bytes,
    pub(super) local_tag: Bytes,
    /// The peer's value, To in requests of ours.
    pub(super) remote: Bytes,
    /// Empty until a response brought it.
    pub(super) remote_tag: Bytes,
    pub(super) route: Vec<Bytes>,
    /// The peer's Contact as Request-URI.
    pub(super) target: Bytes,
    pub(super) local_cseq: u32,
    pub(super) remote_cseq: Option<u32>,
}

impl Dialog {
    /// The dialog an INVITE of the peer opens.
    pub(super) fn of_request(
        request: &Request,
        local_tag: &Bytes,
        local_cseq: u32,
    ) -> Option<Self> {
        let headers = &request.headers;
        let mut local = headers.get(&HeaderName::To)?.to_vec();
        local.extend_from_slice(b";tag=");
        local.extend_from_slice(local_tag);
        Some(Dialog {
            call_id: headers.call_id().ok()?,
            local: Bytes::from(local),
            local_tag: local_tag.clone(),
            remote: headers.get(&HeaderName::From)?.clone(),
            remote_tag: headers.from().ok()?.tag().unwrap_or_default(),
            route: record_route(headers),
            target: contact_uri(headers).or_else(|| old_target(request))?,
            local_cseq,
            remote_cseq: Some(headers.cseq().ok()?.number),
        })
    }

    /// Takes tag, route (reversed, RFC 3261 §12.1.2) and target from a response to our INVITE.
    pub(super) fn confirm(&mut self, response: &Response) {
        let headers = &response.headers;
        if let (Some(to), Ok(parsed)) = (headers.get(&HeaderName::To), headers.to()) {
            self.remote = to.clone();
            self.remote_tag = parsed.tag().unwrap_or_default();
        }
        self.route = record_route(headers);
        self.route.reverse();
        self.refresh_target(headers);
    }

    /// Takes the peer's new Contact (target refresh, RFC 3261 §12.2).
    pub(super) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(uri) = contact_uri(headers) {
            self.target = uri;
        }
    }

    /// The next request of ours, without Via.
    pub(super) fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.build(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with this number.
    pub(super) fn ack(&self, cseq: u32) -> Request {
        self.build(Method::Ack, cseq)
    }

    fn build(&self, method: Method, cseq: u32) -> Request {
        let strict = self.route.first().is_some_and(|first| !is_loose(first));
        let uri = match self.route.first().filter(|_| strict) {
            Some(first) => route_uri(first).unwrap_or_else(|| self.target.clone()),
            None => self.target.clone(),
        };
        let mut request = Request::new(method.clone(), uri);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, "70");
        for value in self.route.iter().skip(usize::from(strict)) {
            headers.push(HeaderName::Route, value.clone());
        }
        if strict {
            let mut last = b"<".to_vec();
            last.extend_from_slice(&self.target);
            last.push(b'>');
            headers.push(HeaderName::Route, last);
        }
        headers.push(HeaderName::From, self.local.clone());
        headers.push(HeaderName::To, self.remote.clone());
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(
            HeaderName::CSeq,
            CSeq {
                number: cseq,
                method,
            }
            .to_bytes(),
        );
        request
    }

    /// Where requests go that follow the dialog's own addresses (RFC 3261 §12.2.1.1), when that is elsewhere than
    /// the peer and can be followed.
    pub(super) fn followed_hop(&self, peer: Target) -> Option<Target> {
        let written = self.written_hop(peer.proto)?;
        let datagrams = (written.proto, peer.proto) == (Proto::Udp, Proto::Udp);
        let elsewhere = written.dest != peer.dest;
        (datagrams && elsewhere && means(peer.dest.ip(), written.dest.ip())).then_some(written)
    }

    /// Where the dialog's addresses say requests go, when that is an IP address.
    fn written_hop(&self, proto: Proto) -> Option<Target> {
        let first = self
            .route
            .first()
            .and_then(|value| NameAddr::parse(value, "Route").ok());
        let uri = first.map_or_else(|| Uri::parse(&self.target).ok(), |route| Some(route.uri))?;
        let named = uri
            .params
            .text("transport")
            .map(|name| name.to_ascii_lowercase());
        let proto = match named.as_deref() {
            Some("udp") => Proto::Udp,
            Some("tcp") => Proto::Tcp,
            Some("tls") => Proto::Tls,
            _ => proto,
        };
        let port = uri.port.unwrap_or(proto.default_port());
        let mut dest = uri.socket_addr()?;
        dest.set_port(port);
        Some(Target {
            proto,
            dest,
            conn: None,
        })
    }
}

/// Whether somebody at `peer` can mean `told` as an address for us.
fn means(peer: IpAddr, told: IpAddr) -> bool {
    if peer.is_ipv4() != told.is_ipv4() || told.is_unspecified() || told.is_multicast() {
        return false;
    }
    let near = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // Carriers' own nets too (RFC 6598).
            ip.is_private() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    let everybody = matches!(told, IpAddr::V4(ip) if ip.is_broadcast());
    !everybody
        && (!told.is_loopback() || peer.is_loopback())
        && (!near(told) || near(peer) || peer.is_loopback())
}

fn record_route(headers: &Headers) -> Vec<Bytes> {
    let mut route = Vec::new();
    for field in headers.all(&HeaderName::RecordRoute) {
        route.extend(split_outside(field, b',').unwrap_or_default());
    }
    route.truncate(MAX_VALUES);
    route.retain(|value| route_uri(value).is_some());
    route
}

fn route_uri(value: &Bytes) -> Option<Bytes> {
    Some(NameAddr::parse(value, "Route").ok()?.uri.to_bytes())
}

fn is_loose(value: &Bytes) -> bool {
    NameAddr::parse(value, "Route").is_ok_and(|route| route.uri.params.has("lr"))
}

/// RFC 2543 did not demand a Contact; its requests have no unique branch.
fn old_target(request: &Request) -> Option<Bytes> {
    let old = request.headers.top_via().ok()?.unique_branch().is_none();
    let from = request.headers.from().ok().filter(|_| old)?;
    from.uri.is_sip().then(|| from.uri.to_bytes())
}

fn contact_uri(headers: &Headers) -> Option<Bytes> {
    let first = headers.contacts().ok()?.into_iter().next()?;
    first.uri.is_sip().then(|| first.uri.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_out_there_means_nobody_in_here() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        for (peer, told, want) in [
            ("203.0.113.5", "203.0.113.9", true),
            ("203.0.113.5", "198.51.100.7", true),
            ("203.0.113.5", "192.168.1.7", false),
            ("203.0.113.5", "100.64.0.1", false),
            ("203.0.113.5", "169.254.1.1", false),
            ("203.0.113.5", "127.0.0.1", false),
            ("203.0.113.5", "2001:db8::1", false),
            ("10.0.0.1", "192.168.1.7", true),
            ("10.0.0.1", "203.0.113.9", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1", "fd00::2", false),
            ("2001:db8::1", "ff02::1", false),
        ] {
            assert_eq!(means(ip(peer), ip(told)), want, "{peer} {told}");
        }
    }
}
