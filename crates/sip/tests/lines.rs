//! Requests in a call: where they go. Those to a peer who came by a connection of its own, which is gone again, take
//! the way that the call's first request took, not whichever connection leads to that address; datagrams follow what the
//! dialog says, where that is wanted.

mod common;

use std::net::SocketAddr;

use bytes::Bytes;
use common::{Link, World, addr, first_line, uri};
use sip::header::NameAddr;
use sip::ua::{CallKey, Event, InviteOrder, Login};
use sip::{ConnId, Proto, Target};

/// The way of one trunk to its carrier, as a caller numbers it.
const LINE: ConnId = ConnId(1 << 63 | 7);
/// The connection between the two nodes, as the rig numbers it.
const CARRIERS: ConnId = ConnId(5_001 * 100_000 + 5_002);

fn line() -> Target {
    Target {
        proto: Proto::Tcp,
        dest: addr(2),
        conn: Some(LINE),
    }
}

/// Node 0 calls node 1 over its line; node 1 has the INVITE.
fn placed() -> (World, CallKey, CallKey) {
    let mut world = World::pair(7, Link::CLEAN);
    world.record = true;
    let mut order = world.order(0, 1);
    order.next_hop = line();
    let now = world.now;
    let out = world.nodes[0].endpoint.invite(now, order);
    let out = out.expect("an INVITE");
    world.run_for(50);
    let inc = world.incoming(1);
    (world, out, inc)
}

/// Where the last message that begins so was sent.
fn target(world: &World, begins: &[u8]) -> Target {
    let mut sent = world.wire.iter().rev();
    let found = sent.find(|(_, packet)| packet.bytes.starts_with(begins));
    found.expect("was sent").1.target
}

#[test]
fn the_bye_goes_over_the_line_of_the_call() {
    let (mut world, out, inc) = placed();
    let now = world.now;
    let answer = Bytes::from_static(b"v=0");
    let answered = world.nodes[1].endpoint.answer(now, inc, answer);
    answered.expect("answers");
    world.run_for(50);
    assert_eq!(
        target(&world, b"ACK").conn,
        Some(CARRIERS),
        "while it is there"
    );
    let now = world.now;
    world.nodes[0].endpoint.connection_closed(now, CARRIERS);
    let ended = world.nodes[0].endpoint.hang_up(now, out, None);
    ended.expect("hangs up");
    world.run_for(50);
    assert_eq!(target(&world, b"BYE"), line());
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn the_cancel_goes_over_the_line_of_its_invite() {
    let (mut world, out, _) = placed();
    let now = world.now;
    world.nodes[0].endpoint.connection_closed(now, CARRIERS);
    let withdrawn = world.nodes[0].endpoint.cancel(now, out, None);
    withdrawn.expect("withdraws");
    world.run_for(50);
    assert_eq!(target(&world, b"CANCEL"), line());
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn a_call_that_came_in_has_the_home_that_it_is_told() {
    let mut world = World::pair(7, Link::CLEAN);
    world.record = true;
    let mut order = world.order(1, 0);
    order.next_hop = Target {
        proto: Proto::Tcp,
        dest: addr(1),
        conn: None,
    };
    let now = world.now;
    let placed = world.nodes[1].endpoint.invite(now, order);
    placed.expect("an INVITE");
    world.run_for(50);
    let inc = world.incoming(0);
    let now = world.now;
    let own = &mut world.nodes[0].endpoint;
    own.home(inc, line()).expect("the call is there");
    let answered = own.answer(now, inc, Bytes::from_static(b"v=0"));
    answered.expect("answers");
    world.run_for(50);
    let now = world.now;
    let own = &mut world.nodes[0].endpoint;
    own.connection_closed(now, CARRIERS);
    own.hang_up(now, inc, None).expect("hangs up");
    world.run_for(50);
    assert_eq!(target(&world, b"BYE"), line());
    assert!(world.settle(40_000));
    world.assert_empty();
}

/// Where ACK and BYE of a call go whose 200 names `contact` (and `route` as Record-Route).
fn follows(follow: bool, contact: &str, route: Option<&str>) -> Vec<SocketAddr> {
    let mut world = World::new(7, Link::CLEAN);
    world.add(common::node_config(1));
    follows_in(world, follow, contact, route)
}

fn follows_in(
    mut world: World,
    follow: bool,
    contact: &str,
    route: Option<&str>,
) -> Vec<SocketAddr> {
    let out = answered_at(
        &mut world,
        follow,
        contact,
        route.map(|r| ("Record-Route", r)),
    );
    let now = world.now;
    world.nodes[0]
        .endpoint
        .hang_up(now, out, None)
        .expect("is up");
    world.run_for(20);
    let sent = world.wire.iter().filter(|(_, p)| {
        let line = first_line(&p.bytes);
        line.starts_with("ACK") || line.starts_with("BYE")
    });
    sent.map(|(_, p)| p.target.dest).collect()
}

/// A call of node 0 through a proxy where no node is, answered with `contact` and one more field.
fn answered_at(
    world: &mut World,
    follow: bool,
    contact: &str,
    more: Option<(&str, &str)>,
) -> CallKey {
    world.record = true;
    let proxy = addr(60);
    let order = InviteOrder {
        follow_contact: follow,
        ..InviteOrder::new(
            uri("sip:callee@10.0.0.1:5060"),
            Target::udp(proxy),
            NameAddr::new(uri("sip:caller@10.0.0.1")),
            Bytes::from_static(b"v=0"),
        )
    };
    let now = world.now;
    let out = world.nodes[0].endpoint.invite(now, order).expect("sent");
    world.run_for(20);
    let invite = world.mailbox.remove(0).1.bytes;
    let ok = ok_of(&invite, contact, more);
    world.inject(proxy, 0, ok.as_bytes());
    world.run_for(20);
    out
}

/// The 200 to an INVITE.
fn ok_of(invite: &Bytes, contact: &str, more: Option<(&str, &str)>) -> String {
    let text = String::from_utf8(invite.to_vec()).expect("text");
    let field = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .expect("is there");
        line.to_owned()
    };
    let to = field("To:");
    let tag = if to.contains(";tag=") { "" } else { ";tag=3" };
    let more = more.map_or(String::new(), |(name, value)| {
        format!("{name}: {value}\r\n")
    });
    format!(
        "SIP/2.0 200 OK\r\n{}\r\n{}\r\n{}{tag}\r\n{}\r\n{}\r\n{more}Contact: {contact}\r\n\
        Content-Length: 0\r\n\r\n",
        field("Via:"),
        field("From:"),
        to,
        field("Call-ID:"),
        field("CSeq:"),
    )
}

#[test]
fn requests_of_a_call_go_where_its_dialog_says() {
    let at = |text: &str| vec![text.parse().unwrap(); 2];
    let proxy = vec![addr(60); 2];
    let other = "<sip:gw@10.9.9.9:5070>";
    assert_eq!(follows(true, other, None), at("10.9.9.9:5070"));
    assert_eq!(
        follows(true, "<sip:gw@10.9.9.9>", None),
        at("10.9.9.9:5060")
    );
    let route = Some("<sip:10.8.8.8:5080;lr>");
    assert_eq!(follows(true, other, route), at("10.8.8.8:5080"));
    assert_eq!(follows(false, other, route), proxy, "as for a phone");
    for elsewhere in [
        // A name, another transport, and what nobody out there can mean.
        "<sip:gw@carrier.example>",
        "<sip:gw@10.9.9.9;transport=tcp>",
        "<sip:gw@127.0.0.1:5070>",
        "<sip:gw@0.0.0.0>",
        "<sip:gw@224.0.0.1>",
        "<sip:gw@255.255.255.255>",
        "<sip:gw@[2001:db8::1]>",
    ] {
        assert_eq!(follows(true, elsewhere, None), proxy, "{elsewhere}");
    }
}

#[test]
fn nobody_is_followed_to_where_no_answer_is_heard() {
    let proxy = vec![addr(60); 2];
    for (heard, want) in [
        ("10.9.9.9", vec!["10.9.9.9:5070".parse().unwrap(); 2]),
        ("10.8.8.8", proxy),
    ] {
        let mut world = World::new(7, Link::CLEAN);
        world.add(common::node_config(1));
        let heard: std::net::IpAddr = heard.parse().expect("an address");
        world.nodes[0].endpoint.hear(move |ip| ip == heard);
        let sent = follows_in(world, true, "<sip:gw@10.9.9.9:5070>", None);
        assert_eq!(sent, want, "{heard}");
    }
}

/// Where the requests that begin so went, one place after the other.
fn sent(world: &World, begins: &str) -> Vec<SocketAddr> {
    let sent = world.wire.iter();
    let sent = sent.filter(|(_, p)| first_line(&p.bytes).starts_with(begins));
    let mut places: Vec<SocketAddr> = sent.map(|(_, p)| p.target.dest).collect();
    places.dedup();
    places
}

#[test]
fn where_the_followed_host_is_silent_the_peer_is_asked_before_the_call_is_lost() {
    let mut world = World::new(7, Link::CLEAN);
    let mut config = common::node_config(1);
    config.session_expires_s = 90;
    world.add(config);
    let timer = Some(("Session-Expires", "90;refresher=uac\r\nRequire: timer"));
    let out = answered_at(&mut world, true, "<sip:gw@10.9.9.9:5070>", timer);
    let (proxy, silent) = (addr(60), "10.9.9.9:5070".parse().unwrap());
    world.run_for(59_000);
    let now = world.now;
    let own = &mut world.nodes[0].endpoint;
    let info = own.send_info(now, out, "text/plain", Bytes::from_static(b"1"));
    info.expect("is up");
    world.run_for(3_000);
    let invites = sent(&world, "INVITE");
    let want = [proxy, silent, proxy];
    assert_eq!(invites[..3], want, "the first one, and a refresh");
    let mut again = world.wire.iter().rev().map(|(_, p)| p);
    let again = again.find(|p| p.target.dest == proxy && p.bytes.starts_with(b"INVITE"));
    let ok = ok_of(
        &again.expect("was sent").bytes,
        "<sip:gw@10.9.9.9:5070>",
        timer,
    );
    world.inject(proxy, 0, ok.as_bytes());
    world.run_for(40_000);
    let ended = |event: &Event| matches!(event, Event::Ended { .. });
    assert!(!world.fresh(0).iter().any(ended), "it is alive");
    let now = world.now;
    let ended = world.nodes[0].endpoint.hang_up(now, out, None);
    ended.expect("is up");
    world.run_for(20);
    assert_eq!(sent(&world, "BYE"), [proxy], "nobody asks there twice");
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn a_bye_that_nobody_takes_at_the_followed_host_goes_to_the_peer() {
    let mut world = World::new(7, Link::CLEAN);
    world.add(common::node_config(1));
    let out = answered_at(&mut world, true, "<sip:gw@10.9.9.9:5070>", None);
    let now = world.now;
    let ended = world.nodes[0].endpoint.hang_up(now, out, None);
    ended.expect("is up");
    world.run_for(40_000);
    let silent = "10.9.9.9:5070".parse().unwrap();
    assert_eq!(sent(&world, "BYE"), [silent, addr(60)]);
    assert!(world.settle(40_000), "and that is all");
    world.assert_empty();
}

/// The BYE of a leg of a dead process, sent by node 0 of a fresh world, and the answers to it as they are asked for.
struct Left {
    world: World,
    key: CallKey,
}

impl Left {
    fn over(login: Option<Login>) -> Self {
        let mut world = World::new(7, Link::CLEAN);
        world.add(common::node_config(1));
        let bye = Bytes::from_static(
            b"BYE sip:gw@10.0.0.60 SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@10.0.0.1>;tag=1\r\n\
            To: <sip:b@10.0.0.60>;tag=2\r\nCall-ID: left\r\nCSeq: 100001 BYE\r\nContent-Length: 0\r\n\r\n",
        );
        let now = world.now;
        let own = &mut world.nodes[0].endpoint;
        let key = own.end_orphan(now, Target::udp(addr(60)), &bye, (None, login));
        world.flush();
        world.run_for(20);
        let key = key.expect("sent");
        Self { world, key }
    }

    /// The next BYE, which is answered with `status` and more fields.
    fn answer(&mut self, status: &str) -> String {
        let bye = self.world.mailbox.remove(0).1.bytes;
        let text = String::from_utf8(bye.to_vec()).expect("text");
        assert!(text.starts_with("BYE"), "{text}");
        let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let kept = text
            .lines()
            .filter(|l| kept.iter().any(|name| l.starts_with(name)));
        let fields: Vec<&str> = kept.collect();
        let answer = format!(
            "SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n",
            fields.join("\r\n")
        );
        self.world.inject(addr(60), 0, answer.as_bytes());
        self.world.run_for(20);
        text
    }

    /// What became of it.
    fn fate(&mut self) -> Vec<Option<u16>> {
        let key = self.key;
        let events = self.world.fresh(0);
        let codes = events.into_iter().filter_map(|event| match event {
            Event::OrphanEnded { call, code } if call == key => Some(code),
            _ => None,
        });
        codes.collect()
    }
}

const BY_THEM: &str =
    "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\"";
const BY_A_PROXY: &str = "407 Proxy Authentication Required\r\n\
    Proxy-Authenticate: Digest realm=\"b\", nonce=\"2\", qop=\"auth\", algorithm=SHA-256";

#[test]
fn the_bye_of_a_dead_process_answers_challenges() {
    let mut left = Left::over(Some(Login::new("us", "pass")));
    let plain = left.answer(BY_THEM);
    assert!(plain.contains("CSeq: 100001 BYE") && !plain.contains("uthorization"));
    let signed = left.answer(BY_A_PROXY);
    assert!(signed.contains("CSeq: 100002 BYE") && signed.contains("\nAuthorization: Digest"));
    assert_eq!(left.fate(), [], "it is under way");
    let twice = left.answer("200 OK");
    assert!(twice.contains("CSeq: 100003 BYE") && twice.contains("\nAuthorization: Digest"));
    assert!(twice.contains("\nProxy-Authorization: Digest"));
    assert_eq!(left.fate(), [Some(200)]);
    assert!(left.world.settle(40_000));
    left.world.assert_empty();
}

#[test]
fn a_challenge_that_cannot_be_answered_is_told() {
    let mut nobody = Left::over(None);
    nobody.answer(BY_THEM);
    assert_eq!(nobody.fate(), [Some(401)]);
    let mut wrong = Left::over(Some(Login::new("us", "wrong")));
    wrong.answer(BY_THEM);
    wrong.answer(BY_THEM);
    assert_eq!(
        wrong.fate(),
        [Some(401)],
        "the same nonce refuses the password"
    );
    assert!(wrong.world.mailbox.is_empty());
}

#[test]
fn a_session_interval_of_nothing_floods_nobody_and_ends_no_call() {
    for seconds in ["0", "1"] {
        let mut world = World::new(7, Link::CLEAN);
        world.add(common::node_config(1));
        let value = format!("{seconds};refresher=uac\r\nRequire: timer");
        let timer = Some(("Session-Expires", value.as_str()));
        answered_at(&mut world, false, "<sip:gw@10.9.9.9:5070>", timer);
        let ended = |event: &Event| matches!(event, Event::Ended { .. });
        world.run_for(4_000);
        assert!(!world.fresh(0).iter().any(ended), "{seconds}");
        let invites = world.wire.iter();
        let invites = invites.filter(|(_, p)| first_line(&p.bytes).starts_with("INVITE"));
        assert_eq!(invites.count(), 1, "{seconds}: no refresh yet");
    }
}
