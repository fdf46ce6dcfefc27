//! Phones at our registrar, and us at somebody's.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use common::{Link, World, addr, first_line, node_config, uri};
use sip::header::{Algorithm, NameAddr};
use sip::limits::{MAX_BINDINGS, MAX_WRONG_GUESSES};
use sip::msg::{HeaderName, Message, parse_datagram};
use sip::ua::{
    Auth, Config, Event, Login, RegisterOrder, RegistrarRules, RegistrationState, Secret,
};
use sip::{Source, Target};

fn registrar_config(number: u16) -> Config {
    let mut config = node_config(number);
    let mut accounts = HashMap::new();
    accounts.insert("anna".to_owned(), Secret::Password("secret".to_owned()));
    config.auth = Some(Auth {
        realm: "us".to_owned(),
        nonce_key: [5; 32],
        algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
        passwords: Arc::new(accounts),
    });
    config.registrar = Some(RegistrarRules::default());
    config
}

/// Node 0 is a phone, node 1 the registrar.
fn world() -> World {
    let mut world = World::new(1, Link::CLEAN);
    world.add(node_config(1));
    world.add(registrar_config(2));
    world
}

fn order(password: &str, expires_s: u32) -> RegisterOrder {
    RegisterOrder {
        registrar: uri("sip:us.example"),
        next_hop: Target::udp(addr(2)),
        account: NameAddr::new(uri("sip:anna@us.example")),
        contact_user: "anna".to_owned(),
        expires_s,
        login: Some(Login::new("anna", password)),
    }
}

fn states(events: Vec<Event>) -> Vec<RegistrationState> {
    let state = |event| match event {
        Event::Registration { state, .. } => Some(state),
        _ => None,
    };
    events.into_iter().filter_map(state).collect()
}

#[test]
fn a_phone_registers_refreshes_and_leaves() {
    let mut world = world();
    world.record = true;
    let now = world.now;
    let key = world.nodes[0]
        .endpoint
        .register(now, order("secret", 300))
        .unwrap();
    world.run_for(100);
    assert_eq!(
        states(world.fresh(0)),
        [RegistrationState::Registered { expires_s: 300 }]
    );
    let bound = world.fresh(1);
    assert!(matches!(
        &bound[..],
        [Event::Registered { user, source, expires_s: 300, .. }]
            if user == "anna" && *source == Source::udp(addr(1))
    ));
    world.run_for(1_000_000);
    let refreshed = states(world.fresh(0)).len();
    assert!(refreshed >= 3, "{refreshed}");
    let registers = world
        .wire
        .iter()
        .filter(|(_, p)| p.bytes.starts_with(b"REGISTER"))
        .count();
    assert!(
        registers <= refreshed * 2 + 2,
        "{registers} for {refreshed}"
    );
    assert_eq!(world.nodes[1].endpoint.bindings("anna").len(), 1);
    let now = world.now;
    world.nodes[0].endpoint.unregister(now, key).unwrap();
    world.run_for(100);
    assert_eq!(states(world.fresh(0)), [RegistrationState::Unregistered]);
    assert!(
        world
            .fresh(1)
            .iter()
            .any(|event| matches!(event, Event::Unregistered { expired: false, .. }))
    );
    assert!(world.nodes[1].endpoint.bindings("anna").is_empty());
    assert!(world.settle(100_000));
}

#[test]
fn a_short_wish_meets_423_and_is_lengthened() {
    let mut world = world();
    world.record = true;
    let now = world.now;
    world.nodes[0]
        .endpoint
        .register(now, order("secret", 10))
        .unwrap();
    world.run_for(100);
    assert_eq!(
        states(world.fresh(0)),
        [RegistrationState::Registered { expires_s: 60 }]
    );
    assert!(
        world
            .ladder()
            .iter()
            .any(|line| line.starts_with("SIP/2.0 423"))
    );
}

#[test]
fn a_binding_runs_out_when_the_phone_is_gone() {
    let mut world = world();
    let now = world.now;
    world.nodes[0]
        .endpoint
        .register(now, order("secret", 60))
        .unwrap();
    world.run_for(100);
    world.fresh(1);
    world.link.loss = 1.0;
    world.run_for(60_000);
    assert!(matches!(
        &world.fresh(1)[..],
        [Event::Unregistered { expired: true, .. }]
    ));
}

#[test]
fn wrong_guesses_end_in_silence_for_that_source_only() {
    let mut world = world();
    world.add(node_config(3));
    world.record = true;
    let now = world.now;
    world.nodes[0]
        .endpoint
        .register(now, order("wrong", 300))
        .unwrap();
    world.run_for(100);
    assert!(matches!(
        states(world.fresh(0))[..],
        [RegistrationState::Failed {
            code: 401,
            retry_in_ms: 30_000
        }]
    ));
    // Guess on by hand until nobody answers.
    let guess = world
        .wire
        .iter()
        .rfind(|(_, p)| p.bytes.starts_with(b"REGISTER"))
        .map(|(_, p)| p.bytes.clone())
        .unwrap();
    let mut answered = 0;
    for number in 0..30 {
        let Message::Request(mut request) = parse_datagram(&guess).unwrap() else {
            panic!()
        };
        let via = format!("SIP/2.0/UDP 10.0.0.1:5001;branch=z9hG4bKguess{number}");
        request.headers.set(HeaderName::Via, via);
        world.wire.clear();
        world.inject(addr(1), 1, &request.to_bytes());
        answered += usize::from(
            world
                .wire
                .iter()
                .any(|(_, p)| p.bytes.starts_with(b"SIP/2.0 401")),
        );
    }
    let limit = usize::try_from(MAX_WRONG_GUESSES).unwrap();
    assert!(
        (limit - 3..limit).contains(&answered),
        "{answered} answers to 30 guesses"
    );
    assert!(world.nodes[1].endpoint.counters().silenced > 0);
    // All test nodes share one IP address, so the owner elsewhere is a raw source.
    let elsewhere = std::net::SocketAddr::from(([10, 0, 0, 9], 5_060));
    world.wire.clear();
    let Message::Request(mut request) = parse_datagram(&guess).unwrap() else {
        panic!()
    };
    request
        .headers
        .set(HeaderName::Via, "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKowner");
    world.inject(elsewhere, 1, &request.to_bytes());
    assert!(first_line(&world.wire.last().unwrap().1.bytes).starts_with("SIP/2.0 401"));
}

fn raw_register(cseq: u32, extra: &str) -> String {
    format!(
        "REGISTER sip:us.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5999;branch=z9hG4bK{cseq}r\r\n\
         From: <sip:anna@us.example>;tag=1\r\nTo: <sip:anna@us.example>\r\nCall-ID: raw\r\n\
         CSeq: {cseq} REGISTER\r\n{extra}Content-Length: 0\r\n\r\n"
    )
}

/// A REGISTER with the right digest, straight into a registrar.
fn outcome(registrar: &mut sip::registrar::Registrar, cseq: u32, extra: &str) -> u16 {
    let octets = bytes::Bytes::from(raw_register(cseq, extra));
    let Message::Request(request) = parse_datagram(&octets).unwrap() else {
        panic!()
    };
    let source = Source::udp(addr(99));
    registrar
        .register(sip::Millis(0), "anna", &request, source)
        .code
}

#[test]
fn the_rules_of_bindings() {
    let mut registrar = sip::registrar::Registrar::new(RegistrarRules::default());
    let contact = |port: usize| format!("Contact: <sip:anna@10.0.0.1:{port}>\r\n");
    assert_eq!(outcome(&mut registrar, 1, &contact(1)), 200);
    assert_eq!(
        outcome(&mut registrar, 1, &contact(1)),
        500,
        "the same CSeq again"
    );
    assert_eq!(
        outcome(&mut registrar, 2, "Contact: *\r\n"),
        400,
        "a star needs Expires: 0"
    );
    assert_eq!(
        outcome(&mut registrar, 2, ""),
        200,
        "a question changes nothing"
    );
    assert_eq!(registrar.bindings("anna").len(), 1);
    let mixed = format!("{}Contact: <sip:b@10.0.0.1>;expires=5\r\n", contact(2));
    assert_eq!(outcome(&mut registrar, 3, &mixed), 423);
    assert_eq!(registrar.bindings("anna").len(), 1, "all or nothing");
    for port in 1..=MAX_BINDINGS {
        let cseq = u32::try_from(port).unwrap() + 10;
        assert_eq!(outcome(&mut registrar, cseq, &contact(port)), 200);
    }
    assert_eq!(
        outcome(&mut registrar, 90, &contact(1_000)),
        403,
        "one too many"
    );
    assert_eq!(registrar.bindings("anna").len(), MAX_BINDINGS);
    let one = "Contact: <sip:anna@10.0.0.1:1>;expires=0\r\n";
    assert_eq!(outcome(&mut registrar, 91, one), 200);
    assert_eq!(registrar.bindings("anna").len(), MAX_BINDINGS - 1);
    assert_eq!(
        outcome(&mut registrar, 92, "Contact: *\r\nExpires: 0\r\n"),
        200
    );
    assert!(registrar.bindings("anna").is_empty());
    assert!(registrar.next_deadline().is_none());
}

#[test]
fn an_account_may_not_register_another() {
    let mut world = world();
    world.record = true;
    let now = world.now;
    let mut wish = order("secret", 300);
    wish.account = NameAddr::new(uri("sip:boss@us.example"));
    world.nodes[0].endpoint.register(now, wish).unwrap();
    world.run_for(100);
    assert!(matches!(
        states(world.fresh(0))[..],
        [RegistrationState::Failed { code: 403, .. }]
    ));
    assert!(world.fresh(1).is_empty());
}

#[test]
fn a_call_of_a_phone_is_challenged_and_named() {
    let mut world = world();
    let mut wish = world.order(0, 1);
    wish.login = Some(Login::new("anna", "secret"));
    let now = world.now;
    world.nodes[0].endpoint.invite(now, wish).unwrap();
    world.run_for(20);
    let first = world.incoming(1);
    let now = world.now;
    world.nodes[1].endpoint.challenge(now, first).unwrap();
    world.run_for(50);
    let named = world.fresh(1).into_iter().find_map(|event| match event {
        Event::Incoming(incoming) => incoming.user,
        _ => None,
    });
    assert_eq!(named.as_deref(), Some("anna"));
}

#[test]
fn a_registration_is_renewed_before_its_time_on_wish() {
    let mut world = world();
    let now = world.now;
    let key = world.nodes[0]
        .endpoint
        .register(now, order("secret", 300))
        .unwrap();
    let again = world.nodes[0].endpoint.register_again(now, key);
    assert!(again.is_ok(), "under way: left alone");
    world.run_for(100);
    assert_eq!(states(world.fresh(0)).len(), 1);
    let now = world.now;
    world.nodes[0].endpoint.register_again(now, key).unwrap();
    world.run_for(100);
    assert_eq!(
        states(world.fresh(0)),
        [RegistrationState::Registered { expires_s: 300 }]
    );
    let now = world.now;
    world.nodes[0].endpoint.unregister(now, key).unwrap();
    world.run_for(100);
    let now = world.now;
    assert!(world.nodes[0].endpoint.register_again(now, key).is_err());
}
