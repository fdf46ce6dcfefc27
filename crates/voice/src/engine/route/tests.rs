use super::*;
use crate::config::{Codec, SipTransport};
use domain::ids::TrunkId;

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
    r.congested(Some(Duration::from_secs(86_400)), now);
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
    assert_eq!(r.doubt(t0), None, "one silent call is nothing");
    assert_eq!(r.heard(t0), Some(true));
    assert_eq!((r.doubt(t0), r.doubt(t0)), (None, Some(false)));
    assert_eq!(r.doubt(t0), None, "told once");
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
        (r.doubt(now), r.doubt(now), r.doubt(now)),
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
    assert_eq!((r.doubt(now), r.doubt(now)), (None, Some(false)));
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
        r.congested(None, now);
    }
    assert_eq!(r.heard(now), Some(true));
    for _ in 1..limits::TRUNK_REFUSALS {
        r.congested(None, now);
        assert!(r.start(now).is_ok());
    }
    r.congested(None, now);
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
    assert_eq!(r.addrs, [b, a], "the next address after a failure");
    r.found(vec![a, b]);
    assert_eq!(r.addrs, [b, a]);
    r.found(vec![]);
    assert_eq!(r.addrs, [b, a]);
}
