//! The choice of RFC 3263 over records made up here.

use super::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
struct Zone {
    naptr: HashMap<&'static str, Vec<Naptr>>,
    srv: HashMap<&'static str, Vec<Srv>>,
    addrs: HashMap<&'static str, Vec<IpAddr>>,
}

impl Records for Zone {
    async fn naptr(&self, name: &str) -> Vec<Naptr> {
        self.naptr.get(name).cloned().unwrap_or_default()
    }
    async fn srv(&self, name: &str) -> Vec<Srv> {
        self.srv.get(name).cloned().unwrap_or_default()
    }
    async fn addrs(&self, name: &str) -> Vec<IpAddr> {
        self.addrs.get(name).cloned().unwrap_or_default()
    }
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
    Srv {
        priority,
        weight,
        port,
        target: target.to_owned(),
    }
}

fn wish(port: Option<u16>, transports: &[SipTransport]) -> Wish {
    Wish {
        host: "carrier.example".to_owned(),
        port,
        transports: transports.to_vec(),
    }
}

fn zone() -> Zone {
    let mut zone = Zone::default();
    zone.addrs.insert("carrier.example", vec![ip(1)]);
    zone.addrs.insert("a.carrier.example", vec![ip(2)]);
    zone.addrs.insert("b.carrier.example", vec![ip(3), ip(4)]);
    zone.srv.insert(
        "_sip._udp.carrier.example",
        vec![
            srv(20, 0, 5060, "b.carrier.example"),
            srv(10, 0, 5070, "a.carrier.example"),
        ],
    );
    zone
}

fn texts(places: Option<Places>) -> Vec<String> {
    let addrs = places.map(|p| p.addrs).unwrap_or_default();
    addrs.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_written_port_asks_for_addresses_only() {
    let found = find(&wish(Some(5080), &[SipTransport::Udp]), &zone(), |_| 0).await;
    assert_eq!(texts(found), ["192.0.2.1:5080"]);
}

#[tokio::test]
async fn srv_gives_ports_and_an_order_of_targets() {
    let found = find(&wish(None, &[SipTransport::Udp]), &zone(), |_| 0).await;
    assert_eq!(
        texts(found),
        ["192.0.2.2:5070", "192.0.2.3:5060", "192.0.2.4:5060"]
    );
}

#[tokio::test]
async fn without_srv_the_name_itself_on_the_port_of_the_transport() {
    let found = find(&wish(None, &[SipTransport::Tls]), &zone(), |_| 0).await;
    assert_eq!(texts(found), ["192.0.2.1:5061"]);
    let mut refused = zone();
    refused
        .srv
        .insert("_sip._udp.carrier.example", vec![srv(0, 0, 0, ".")]);
    let found = find(&wish(None, &[SipTransport::Udp]), &refused, |_| 0).await;
    assert_eq!(texts(found), ["192.0.2.1:5060"]);
    let nowhere = Zone::default();
    assert_eq!(
        find(&wish(None, &[SipTransport::Udp]), &nowhere, |_| 0).await,
        None
    );
}

#[tokio::test]
async fn naptr_chooses_among_the_transports_we_have() {
    let mut zone = zone();
    let record = |order, service: &str, replacement: &str| Naptr {
        order,
        preference: 1,
        service: service.to_owned(),
        replacement: replacement.to_owned(),
    };
    zone.naptr.insert(
        "carrier.example",
        vec![
            record(30, "SIP+D2U", "_sip._udp.carrier.example"),
            record(10, "SIPS+D2T", "_secure.carrier.example"),
            record(20, "SIP+D2T", "_stream.carrier.example"),
        ],
    );
    zone.srv.insert(
        "_secure.carrier.example",
        vec![srv(1, 1, 5061, "a.carrier.example")],
    );
    zone.srv.insert(
        "_stream.carrier.example",
        vec![srv(1, 1, 5062, "a.carrier.example")],
    );
    let all = [SipTransport::Udp, SipTransport::Tcp, SipTransport::Tls];
    let found = find(&wish(None, &all), &zone, |_| 0).await.expect("found");
    assert_eq!(found.transport, SipTransport::Tls);
    let two = [SipTransport::Udp, SipTransport::Tcp];
    let found = find(&wish(None, &two), &zone, |_| 0).await.expect("found");
    assert_eq!(
        (found.transport, found.addrs[0].port()),
        (SipTransport::Tcp, 5062)
    );
}

#[test]
fn equals_share_by_weight() {
    let mut first = HashMap::<String, u32>::new();
    for turn in 0..1_000_u32 {
        let found = vec![
            srv(1, 10, 1, "ten"),
            srv(1, 30, 2, "thirty"),
            srv(2, 99, 3, "last"),
        ];
        let ordered = by_weight(found, |n| turn % n);
        assert_eq!(ordered.len(), 3);
        assert_eq!(ordered[2].target, "last");
        *first.entry(ordered[0].target.clone()).or_default() += 1;
    }
    assert!((240..=290).contains(&first["ten"]), "{first:?}");
    // However many records are sent, few are kept.
    let flood: Vec<Srv> = (0..5_000).map(|n| srv(1, 1, n, "x")).collect();
    assert_eq!(by_weight(flood, |_| 0).len(), 2 * limits::DNS_ADDRESSES);
}

/// Answers every question with thousands of records, and each name with so many addresses.
struct Endless {
    asked: AtomicUsize,
    addresses: usize,
}

impl Endless {
    fn asked(&self) -> usize {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }
}

impl Records for Endless {
    async fn naptr(&self, name: &str) -> Vec<Naptr> {
        self.asked();
        let record = |order| Naptr {
            order,
            preference: 1,
            service: "SIP+D2U".to_owned(),
            replacement: format!("{order}.{name}"),
        };
        (0..5_000).map(record).collect()
    }
    async fn srv(&self, name: &str) -> Vec<Srv> {
        self.asked();
        (0..5_000).map(|port| srv(1, 1, port, name)).collect()
    }
    async fn addrs(&self, _name: &str) -> Vec<IpAddr> {
        self.asked();
        vec![ip(1); self.addresses]
    }
}

/// Whoever answers for a carrier's name has us neither ask without end nor keep without end.
#[tokio::test]
async fn questions_and_what_is_kept_of_answers_are_bounded() {
    let two = [SipTransport::Udp, SipTransport::Tcp];
    let most = limits::DNS_ADDRESSES;
    // No address anywhere: each service that is looked at is asked for, and each of its targets.
    for (addresses, questions) in [(0, 2 + most * (1 + 2 * most)), (5_000, 3)] {
        let zone = Endless {
            asked: AtomicUsize::new(0),
            addresses,
        };
        let found = find(&wish(None, &two), &zone, |_| 0).await;
        assert_eq!(texts(found).len(), addresses.min(most));
        assert_eq!(zone.asked(), questions, "{addresses} addresses");
    }
}
