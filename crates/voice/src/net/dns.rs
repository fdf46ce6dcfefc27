//! Where a name's SIP servers are (RFC 3263): NAPTR, then SRV, then addresses. Looked up beside the
//! signalling thread; answers are bounded in number, depth and time.

use crate::config::SipTransport;
use crate::limits;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::net::{IpAddr, SocketAddr};

/// Whom to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) host: String,
    /// Written in the URI: then there is nothing to ask but addresses.
    pub(crate) port: Option<u16>,
    /// The transport, or those we have in the order we like them.
    pub(crate) transports: Vec<SipTransport>,
}

/// What was found: a transport and its addresses, the first to be tried first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) transport: SipTransport,
    pub(crate) addrs: Vec<SocketAddr>,
}

/// A NAPTR record for SIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Naptr {
    pub(crate) order: u16,
    pub(crate) preference: u16,
    pub(crate) service: String,
    pub(crate) replacement: String,
}

/// An SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Srv {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    pub(crate) target: String,
}

/// Answers of the name service; empty when there is none.
pub(crate) trait Records {
    fn naptr(&self, name: &str) -> impl Future<Output = Vec<Naptr>> + Send;
    fn srv(&self, name: &str) -> impl Future<Output = Vec<Srv>> + Send;
    fn addrs(&self, name: &str) -> impl Future<Output = Vec<IpAddr>> + Send;
}

/// Finds the places of a name. `draw(n)` gives a number below `n`: equal records share by weight.
pub(crate) async fn find(
    wish: &Wish,
    records: &impl Records,
    mut draw: impl FnMut(u32) -> u32,
) -> Option<Places> {
    let first = *wish.transports.first()?;
    if let Some(port) = wish.port {
        let addrs = records.addrs(&wish.host).await;
        return places(first, addrs.into_iter().map(|ip| SocketAddr::new(ip, port)));
    }
    for (transport, name) in services(wish, records).await {
        let found = records.srv(&name).await;
        let mut addrs = Vec::new();
        for srv in by_weight(found, &mut draw) {
            for ip in records.addrs(&srv.target).await {
                addrs.push(SocketAddr::new(ip, srv.port));
            }
            if addrs.len() >= limits::DNS_ADDRESSES {
                break;
            }
        }
        if !addrs.is_empty() {
            return places(transport, addrs);
        }
    }
    let port = if first == SipTransport::Tls {
        limits::SIPS_PORT
    } else {
        limits::SIP_PORT
    };
    let addrs = records.addrs(&wish.host).await;
    places(first, addrs.into_iter().map(|ip| SocketAddr::new(ip, port)))
}

fn places(transport: SipTransport, addrs: impl IntoIterator<Item = SocketAddr>) -> Option<Places> {
    let addrs: Vec<_> = addrs.into_iter().take(limits::DNS_ADDRESSES).collect();
    (!addrs.is_empty()).then_some(Places { transport, addrs })
}

/// The SRV names to ask: those NAPTR gives for transports of ours, or the plain ones.
async fn services(wish: &Wish, records: &impl Records) -> Vec<(SipTransport, String)> {
    let mut naptr = Vec::new();
    if wish.transports.len() > 1 {
        naptr = records.naptr(&wish.host).await;
        naptr.truncate(limits::DNS_ADDRESSES);
        naptr.sort_by_key(|n| (n.order, n.preference));
    }
    let named: Vec<_> = naptr
        .into_iter()
        .filter_map(|n| Some((of_service(&n.service)?, n.replacement)))
        .filter(|(transport, _)| wish.transports.contains(transport))
        .collect();
    if !named.is_empty() {
        return named;
    }
    let plain = |transport: &SipTransport| {
        let label = match transport {
            SipTransport::Udp => "_sip._udp",
            SipTransport::Tcp => "_sip._tcp",
            SipTransport::Tls => "_sips._tcp",
        };
        (*transport, format!("{label}.{}", wish.host))
    };
    wish.transports.iter().map(plain).collect()
}

fn of_service(service: &str) -> Option<SipTransport> {
    match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(SipTransport::Udp),
        "SIP+D2T" => Some(SipTransport::Tcp),
        "SIPS+D2T" => Some(SipTransport::Tls),
        _ => None,
    }
}

/// Lower priority first; among equals by lot, each as often as its weight says (RFC 2782).
fn by_weight(mut found: Vec<Srv>, mut draw: impl FnMut(u32) -> u32) -> Vec<Srv> {
    // A target of "." says that there is no such service.
    found.retain(|srv| !srv.target.trim_end_matches('.').is_empty());
    found.truncate(2 * limits::DNS_ADDRESSES);
    found.sort_by_key(|srv| (srv.priority, srv.weight));
    let mut ordered = Vec::with_capacity(found.len());
    while let Some(first) = found.first() {
        let equal = found
            .iter()
            .filter(|s| s.priority == first.priority)
            .count();
        let total: u32 = found[..equal].iter().map(|s| u32::from(s.weight)).sum();
        let mut left = draw(total + 1);
        let mut at = 0;
        while at + 1 < equal && left > u32::from(found[at].weight) {
            left -= u32::from(found[at].weight);
            at += 1;
        }
        ordered.push(found.remove(at));
    }
    ordered
}

/// A name server that is asked by UDP, and by TCP where an answer is too long.
fn server(at: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    for connection in &mut server.connections {
        connection.port = at.port();
    }
    server
}

/// The name service of the system.
#[derive(Clone)]
pub(crate) struct System(Option<TokioResolver>);

impl System {
    /// As `/etc/resolv.conf` and `/etc/hosts` say, or by servers of our own; its cache keeps answers as long as
    /// they say.
    pub(crate) fn open(servers: &[SocketAddr]) -> Self {
        let builder = match servers {
            [] => TokioResolver::builder_tokio(),
            _ => Ok(TokioResolver::builder_with_config(
                ResolverConfig::from_name_servers(servers.iter().map(server).collect()),
                TokioRuntimeProvider::default(),
            )),
        };
        let built = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = limits::DNS_WAIT;
            options.attempts = limits::DNS_TRIES;
            options.cache_size = limits::DNS_CACHE;
            options.positive_max_ttl = Some(limits::DNS_LONGEST);
            builder.build()
        });
        if let Err(error) = &built {
            tracing::warn!(%error, "no name service is configured: addresses only, by the system");
        }
        Self(built.ok())
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let Some(resolver) = &self.0 else {
            return Vec::new();
        };
        // A dot at the end: no search domain is tried.
        let name = format!("{}.", name.trim_end_matches('.'));
        let Ok(found) = resolver.lookup(name, kind).await else {
            return Vec::new();
        };
        let most = 2 * limits::DNS_ADDRESSES;
        let data = found.answers().iter().map(|record| record.data.clone());
        data.take(most).collect()
    }
}

impl Records for System {
    async fn naptr(&self, name: &str) -> Vec<Naptr> {
        let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
        let read = |data| match data {
            RData::NAPTR(n) if n.flags.eq_ignore_ascii_case(b"s") => Some(Naptr {
                order: n.order,
                preference: n.preference,
                service: text(&n.services),
                replacement: n.replacement.to_utf8(),
            }),
            _ => None,
        };
        let found = self.ask(name, RecordType::NAPTR).await;
        found.into_iter().filter_map(read).collect()
    }

    async fn srv(&self, name: &str) -> Vec<Srv> {
        let read = |data| match data {
            RData::SRV(s) => Some(Srv {
                priority: s.priority,
                weight: s.weight,
                port: s.port,
                target: s.target.to_utf8(),
            }),
            _ => None,
        };
        let found = self.ask(name, RecordType::SRV).await;
        found.into_iter().filter_map(read).collect()
    }

    async fn addrs(&self, name: &str) -> Vec<IpAddr> {
        let bare = name.trim_end_matches('.');
        if let Some(resolver) = &self.0
            && let Ok(found) = resolver.lookup_ip(bare).await
        {
            return found.iter().take(limits::DNS_ADDRESSES).collect();
        }
        // Names that only the system knows (a container's neighbours).
        match tokio::net::lookup_host((bare, 0)).await {
            Ok(found) => found.map(|a| a.ip()).take(limits::DNS_ADDRESSES).collect(),
            Err(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
