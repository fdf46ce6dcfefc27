use super::*;
use crate::config::{Codec, SipTransport};
use domain::ids::TrunkId;

/// The one address of most trunks here.
const HERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5_070);

fn route(uri: &str, channels: u32, cps: f64) -> Route {
    let config = TrunkConfig {
        id: TrunkId(uuid::Uuid::nil()),
        name: "t".into(),
        uri: uri.into(),
        transport: SipTransport::Udp,
        username: None,
        password: None,
        register: false,
        channels,
        cps,
        codecs: vec![Codec::Pcma],
        headers: vec![],
        behind_nat: false,
        ping: true,
        policy: crate::config::TrunkPolicy::default(),
    };
    Route::new(config, Instant::now())
}

#[test]
fn never_more_starts_than_cps_in_any_second() {
    let t0 = Instant::now();
    let mut guard = StartGuard::new(10.0);
    let mut starts = Vec::new();
    for ms in 0..5_000_u64 {
        if guard.start(t0 + Duration::from_millis(ms)) {
            starts.push(ms);
        }
    }
    assert_eq!(starts.len(), 50);
    assert!(starts.windows(11).all(|w| w[10] - w[0] >= 1_000));
    let mut slow = StartGuard::new(0.5);
    assert!(slow.start(t0) && !slow.start(t0 + Duration::from_millis(1_999)));
    assert!(slow.start(t0 + Duration::from_secs(2)));
}

#[test]
fn limits_at_the_edge() {
    let now = Instant::now();
    let mut r = route("127.0.0.1:5070", 2, 100.0);
    assert!(r.start(now).is_ok() && r.start(now).is_ok());
    assert_eq!(r.start(now), Err(TrunkError::Limit("channels")));
    r.release();
    assert!(r.start(now).is_ok());
    let mut r = route("127.0.0.1:5070", 9, 1.0);
    assert!(r.start(now).is_ok());
    assert_eq!(r.start(now), Err(TrunkError::Limit("calls per second")));
    assert_eq!(
        route("name.example", 9, 1.0).start(now),
        Err(TrunkError::TrunkDown)
    );
}

#[test]
fn health_is_told_when_it_changes() {
    let now = Instant::now();
    let mut r = route("127.0.0.1:5070", 2, 100.0);
    assert_eq!(r.pinged(false, now), None, "not known yet");
    assert_eq!(r.pinged(true, now), Some(true));
    assert_eq!(r.pinged(true, now), None);
    assert_eq!(r.pinged(false, now), None, "one lost ping is nothing");
    assert_eq!(r.pinged(false, now), Some(false));
    assert_eq!(r.start(now), Err(TrunkError::TrunkDown));
    assert_eq!(r.pinged(true, now), Some(true));
    r.congested(HERE, Some(Duration::from_secs(86_400)), now);
    assert_eq!(
        r.start(now + Duration::from_secs(299)),
        Err(TrunkError::TrunkDown)
    );
    assert!(r.start(now + Duration::from_secs(300)).is_ok());
}

#[test]
fn a_trunk_that_drops_pings_is_up_until_calls_get_no_answer() {
    let t0 = Instant::now();
    let mut r = route("127.0.0.1:5070", 9, 100.0);
    for _ in 0..10 {
        assert_eq!(r.pinged(false, t0), None, "it never answered one");
    }
    assert!(r.start(t0).is_ok());
    assert_eq!(r.doubt(HERE, t0), None, "one silent call is nothing");
    assert_eq!(r.heard(HERE, t0), Some(true));
    assert_eq!((r.doubt(HERE, t0), r.doubt(HERE, t0)), (None, Some(false)));
    assert_eq!(r.doubt(HERE, t0), None, "told once");
    assert_eq!(r.start(t0), Err(TrunkError::TrunkDown));
    assert_eq!(r.pinged(false, t0), None);
    let before = t0 + limits::TRUNK_RETRY - Duration::from_millis(1);
    assert_eq!(r.second_chance(before), None);
    assert_eq!(r.second_chance(t0 + limits::TRUNK_RETRY), Some(true));
    assert_eq!(r.second_chance(t0 + limits::TRUNK_RETRY), None);
    assert!(r.start(t0 + limits::TRUNK_RETRY).is_ok());
}

#[test]
fn silent_calls_are_the_pings_matter_where_pings_are_answered() {
    let now = Instant::now();
    let mut r = route("127.0.0.1:5070", 9, 100.0);
    assert_eq!(r.pinged(true, now), Some(true));
    assert_eq!(
        (r.doubt(HERE, now), r.doubt(HERE, now), r.doubt(HERE, now)),
        (None, None, None)
    );
    assert_eq!(
        (r.pinged(false, now), r.pinged(false, now)),
        (None, Some(false))
    );
    assert_eq!(
        r.second_chance(now + limits::TRUNK_RETRY),
        None,
        "a ping brings it back"
    );
}

#[test]
fn a_trunk_that_may_not_be_pinged_is_not() {
    let mut r = route("127.0.0.1:5070", 9, 100.0);
    let now = Instant::now();
    assert!(r.ping_due(now).is_some());
    Arc::make_mut(&mut r.config).ping = false;
    assert_eq!(r.ping_due(now), None);
}

#[test]
fn a_trunk_that_pings_took_down_comes_back_when_they_are_switched_off() {
    let now = Instant::now();
    let mut r = route("127.0.0.1:5070", 9, 100.0);
    assert_eq!(r.pinged(true, now), Some(true));
    assert_eq!(
        (r.pinged(false, now), r.pinged(false, now)),
        (None, Some(false))
    );
    let mut config = TrunkConfig::clone(&r.config);
    config.ping = false;
    r.configure(config.clone(), now);
    assert_eq!(r.second_chance(now), Some(true));
    assert!(r.start(now).is_ok());
    // The answer to the last ping makes pings no matter again: silent calls are.
    assert_eq!(r.pinged(true, now), None);
    assert_eq!(
        (r.doubt(HERE, now), r.doubt(HERE, now)),
        (None, Some(false))
    );
    // That it rests for its time is not cut short by another change.
    r.configure(config, now);
    assert_eq!(r.second_chance(now), None);
    assert_eq!(r.second_chance(now + limits::TRUNK_RETRY), Some(true));
}

#[test]
fn one_refusal_is_about_its_call_and_several_about_the_trunk() {
    let now = Instant::now();
    let mut r = route("127.0.0.1:5070", 99, 100.0);
    for _ in 1..limits::TRUNK_REFUSALS {
        r.congested(HERE, None, now);
    }
    assert_eq!(r.heard(HERE, now), Some(true));
    for _ in 1..limits::TRUNK_REFUSALS {
        r.congested(HERE, None, now);
        assert!(r.start(now).is_ok());
    }
    r.congested(HERE, None, now);
    assert_eq!(r.start(now), Err(TrunkError::TrunkDown));
    assert!(r.start(now + limits::TRUNK_BACK_OFF).is_ok());
}

#[test]
fn addresses_are_kept_when_a_look_up_fails() {
    let mut r = route("name.example:5080", 2, 1.0);
    let now = Instant::now();
    let ours = [SipTransport::Udp, SipTransport::Tcp];
    let wish = r.look_up(now, &ours).expect("due");
    assert_eq!(
        (wish.host.as_str(), wish.port),
        ("name.example", Some(5080))
    );
    assert_eq!(wish.transports, [SipTransport::Udp]);
    assert_eq!(r.look_up(now, &ours), None);
    let (a, b) = (
        SocketAddr::from(([1, 1, 1, 1], 5080)),
        SocketAddr::from(([2, 2, 2, 2], 5080)),
    );
    r.found(vec![a, b]);
    assert_eq!(r.pinged(true, now), Some(true));
    let _ = (r.pinged(false, now), r.pinged(false, now));
    assert_eq!(*r.addrs, [b, a], "the next address after a failure");
    r.found(vec![a, b]);
    assert_eq!(*r.addrs, [b, a]);
    r.found(vec![]);
    assert_eq!(*r.addrs, [b, a]);
}

/// A trunk of two addresses, and these.
fn pair(now: Instant) -> (Route, SocketAddr, SocketAddr) {
    let mut r = route("name.example:5080", 9, 100.0);
    let (a, b) = (
        SocketAddr::from(([1, 1, 1, 1], 5080)),
        SocketAddr::from(([2, 2, 2, 2], 5080)),
    );
    r.found(vec![a, b]);
    assert_eq!(r.start(now), Ok(a));
    (r, a, b)
}

#[test]
fn one_address_that_is_full_pauses_itself_and_not_the_trunk() {
    let now = Instant::now();
    let (mut r, a, b) = pair(now);
    let ten = Duration::from_secs(10);
    r.congested(a, Some(ten), now);
    assert_eq!(r.start(now), Ok(b));
    r.congested(b, Some(2 * ten), now);
    assert_eq!(r.start(now), Err(TrunkError::TrunkDown), "both are");
    r.turn(now + ten);
    assert_eq!(r.start(now + ten), Ok(a), "the better one is back");
}

#[test]
fn silent_calls_go_to_the_next_address_before_the_trunk_rests() {
    let now = Instant::now();
    let (mut r, a, b) = pair(now);
    assert_eq!((r.doubt(a, now), r.doubt(a, now)), (None, None));
    assert_eq!(r.start(now), Ok(b));
    assert_eq!(r.doubt(a, now), None, "of a call from before");
    assert_eq!(r.doubt(b, now), None);
    assert_eq!(r.doubt(b, now), Some(false), "nobody answers anywhere");
    let later = now + limits::ADDRESS_REST;
    r.turn(later);
    assert_eq!(r.second_chance(later), Some(true));
    assert_eq!(r.start(later), Ok(a));
}

/// Where pings are answered, calls go back to the better address once it answers one again, however many
/// calls the other one takes meanwhile.
#[test]
fn calls_go_back_to_the_better_address_when_it_answers_pings() {
    let (mut r, a, b) = pair(Instant::now());
    // Its first ping is due from when it was made.
    let now = Instant::now();
    let ping = |r: &mut Route, now: Instant, answered: bool| {
        let to = r.ping_due(now).expect("due");
        let key = PingKey(1);
        r.pinging = Some(Ping { key, sent: now, to });
        (to, r.pinged(answered, now))
    };
    assert_eq!(ping(&mut r, now, true), (a, Some(true)));
    let mut at = now + limits::TRUNK_PING;
    assert_eq!(ping(&mut r, at, false), (a, None));
    at += limits::TRUNK_PING;
    assert_eq!(ping(&mut r, at, false), (a, Some(false)));
    assert_eq!(ping(&mut r, at, true), (b, Some(true)), "asked at once");
    assert_eq!(r.start(at), Ok(b));
    at += limits::ADDRESS_REST;
    r.turn(at);
    r.heard(b, at);
    assert_eq!(r.start(at), Ok(b), "nobody knows of the better one yet");
    assert_eq!(ping(&mut r, at, false), (a, None), "it is asked");
    assert_eq!(r.start(at), Ok(b));
    assert_eq!(r.ping_due(at), None, "not again at once");
    at += 2 * limits::ADDRESS_REST;
    r.heard(b, at);
    assert_eq!(ping(&mut r, at, true), (a, None));
    assert_eq!(r.start(at), Ok(a));
}

#[test]
fn a_registration_moves_on_and_comes_back_with_the_calls() {
    let now = Instant::now();
    let (mut r, a, b) = pair(now);
    r.registers_at = Some(a);
    assert_eq!(r.registers_back(), None);
    assert_eq!(r.registers_elsewhere(now), Some((b, true)));
    assert_eq!(r.registers_back(), None, "calls go there too");
    assert_eq!(r.registers_elsewhere(now), Some((a, false)), "later");
    assert_eq!(r.registers_elsewhere(now), Some((b, false)));
    r.turn(now + limits::ADDRESS_REST);
    assert_eq!(r.registers_back(), Some(a));
    assert_eq!(r.registers_at, Some(a));
}
