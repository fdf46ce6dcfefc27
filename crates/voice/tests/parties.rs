//! Consultations, conferences and transfers, told by frequency on every leg; what is kept of a call.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::audio::Line;
use common::peer::{Peer, Plan, Seen};
use common::refuser::Refuser;
use common::scene::{AGENT_HZ, DEBTOR_HZ, Joined, MUSIC_HZ};
use common::{Node, agent, order, tone_ms, trunk};
use domain::entity::{LegKind, RecordMode};
use domain::ids::{AttemptId, TransferId, TrunkId};
use domain::ports::{HangUpCause, PartyOrder, PartyWho, TrunkError, TrunkReport};
use sip::msg::HeaderName;
use std::time::Duration;
use uuid::Uuid;
use voice::{IdentityHeader, Spent, TrunkPolicy};

const SECOND_HZ: f64 = 2_100.0;
const NUMBER_HZ: f64 = 2_900.0;
const OUTSIDE: TrunkId = TrunkId(Uuid::from_u128(2));
/// Ten hours, ms.
const WIDE: u64 = 36_000_000;

struct Scene {
    node: Node,
    carrier: Peer,
    phone: Peer,
    second: Peer,
    outside: Peer,
    attempt: AttemptId,
}

/// A debtor joined with agent 1; agent 2 has a leg; numbers outside go to a peer with `plan`.
async fn scene(plan: Plan) -> Scene {
    let outside = Peer::start(plan).await;
    let mut way_out = trunk(outside.addr);
    way_out.id = OUTSIDE;
    way_out.name = "outside".into();
    let Joined {
        mut node,
        carrier,
        phone,
        attempt,
    } = Joined::configured(|c| {
        c.trunks.push(way_out);
        c.media_threads = 2;
    })
    .await;
    let second = node.agent(2, SECOND_HZ).await;
    Scene {
        node,
        carrier,
        phone,
        second,
        outside,
        attempt,
    }
}

fn party(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(9_000 + n))
}

impl Scene {
    fn number(&self, n: u128, ring_timeout_ms: i64) -> PartyOrder {
        PartyOrder {
            id: party(n),
            attempt: self.attempt,
            who: PartyWho::Number {
                trunk_id: OUTSIDE,
                number: "+525555550000".into(),
                caller_number: "+525550001000".into(),
                ring_timeout_ms,
            },
        }
    }

    async fn asks(&self, order: PartyOrder) {
        self.node
            .trunk
            .hold(self.attempt, true)
            .await
            .expect("holds");
        self.node.trunk.invite_party(order).await.expect("asks");
    }

    async fn up(&mut self, n: u128) {
        self.node
            .told("party up", |r| match r {
                TrunkReport::PartyUp { party: of, .. } if *of == party(n) => Some(()),
                _ => None,
            })
            .await;
    }

    async fn down(&mut self, n: u128) -> (Option<u16>, bool) {
        self.node
            .told("party down", |r| match r {
                TrunkReport::PartyDown {
                    party: of,
                    sip_code,
                    by_us,
                    ..
                } if *of == party(n) => Some((*sip_code, *by_us)),
                _ => None,
            })
            .await
    }
}

async fn two(line: &Line, what: &str, (a, b): (f64, f64), not: f64) {
    line.becomes(what, |l| {
        l.share(a) > 0.3 && l.share(b) > 0.3 && l.share(not) < 0.05
    })
    .await;
}

#[tokio::test]
async fn a_second_agent_is_consulted_conferenced_and_gets_the_call() {
    let mut s = scene(Plan::rings()).await;
    let who = PartyWho::Agent(agent(2));
    let (id, attempt) = (party(1), s.attempt);
    s.asks(PartyOrder { id, attempt, who }).await;
    s.up(1).await;
    s.phone.line.hears(SECOND_HZ).await;
    s.second.line.hears(AGENT_HZ).await;
    s.carrier
        .line
        .becomes("hears music and nobody", |l| {
            l.share(MUSIC_HZ) > 0.15 && l.share(AGENT_HZ) < 0.05 && l.share(SECOND_HZ) < 0.05
        })
        .await;

    // Off hold it is a conference.
    s.node.trunk.hold(attempt, false).await.expect("resumes");
    two(
        &s.carrier.line,
        "hears both agents",
        (AGENT_HZ, SECOND_HZ),
        NUMBER_HZ,
    )
    .await;
    two(
        &s.phone.line,
        "hears debtor and second",
        (DEBTOR_HZ, SECOND_HZ),
        NUMBER_HZ,
    )
    .await;
    two(
        &s.second.line,
        "hears debtor and first",
        (DEBTOR_HZ, AGENT_HZ),
        NUMBER_HZ,
    )
    .await;

    // The second agent takes the place of the first, who hears nobody any more.
    s.node.trunk.seat_party(attempt, id).await.expect("seats");
    s.second.line.hears(DEBTOR_HZ).await;
    s.carrier.line.hears(SECOND_HZ).await;
    s.phone.line.hears_nothing().await;

    s.carrier.hang_up().await;
    s.node.ended(attempt).await;
    let (left, right) = s.node.sealed(attempt).await.channels();
    assert_eq!(
        left.len(),
        right.len(),
        "one file, from the first agent to the second"
    );
    assert!(tone_ms(&left, AGENT_HZ) >= 100 && tone_ms(&left, SECOND_HZ) >= 100);
    assert!(tone_ms(&right, DEBTOR_HZ) >= 500);
    let legs = s.node.trail(attempt).await.legs;
    let of = |n| legs.iter().filter(|l| l.agent == Some(agent(n))).count();
    assert_eq!((of(1), of(2)), (1, 2), "{legs:?}");
}

#[tokio::test]
async fn a_number_is_consulted_and_then_has_the_debtor() {
    let mut s = scene(Plan::answers(NUMBER_HZ)).await;
    let attempt = s.attempt;
    s.asks(s.number(1, 20_000)).await;
    s.up(1).await;
    s.phone.line.hears(NUMBER_HZ).await;
    s.outside.line.hears(AGENT_HZ).await;
    assert!(
        s.carrier.line.share(NUMBER_HZ) < 0.05,
        "the debtor hears music"
    );
    s.node
        .trunk
        .seat_party(attempt, party(1))
        .await
        .expect("hands over");
    s.carrier.line.hears(NUMBER_HZ).await;
    s.outside.line.hears(DEBTOR_HZ).await;
    s.phone.line.hears_nothing().await;
    let stats = s.node.handle.stats().await;
    assert_eq!(
        (stats.calls, stats.agent_legs),
        (1, 2),
        "the agents' legs stay up"
    );

    // The number hangs up: nobody is left, the debtor's call ends.
    s.outside.hang_up().await;
    assert_eq!(s.down(1).await, (Some(200), false));
    assert!(s.node.ended(attempt).await.by_us);
    s.node.sealed(attempt).await;
    let trail = s.node.trail(attempt).await;
    let of = |leg| trail.legs.iter().filter(|l| l.leg == leg).count();
    assert_eq!((of(LegKind::Debtor), of(LegKind::Agent)), (1, 1));
    assert!(of(LegKind::Party) >= 1, "{:?}", trail.legs);
    let invites = trail
        .ladder
        .iter()
        .filter(|m| m.name == "INVITE" && !m.repeat);
    assert_eq!(invites.count(), 2, "both legs' messages are kept");
}

#[tokio::test]
async fn the_agent_hears_it_ring_and_gets_the_call_back_when_nobody_comes() {
    let mut s = scene(Plan::rings()).await;
    // As long as a busy machine may need to let it ring.
    s.asks(s.number(1, 6_000)).await;
    s.phone.line.hears(425.0).await;
    assert_eq!(s.down(1).await, (Some(408), true));
    s.node
        .trunk
        .hold(s.attempt, false)
        .await
        .expect("takes him back");
    s.carrier.line.hears(AGENT_HZ).await;
    s.phone.line.hears(DEBTOR_HZ).await;
    let cancelled = s.outside.sees(|seen| match seen {
        Seen::Failed(code) => Some(*code),
        Seen::Ended { .. } => Some(0),
        _ => None,
    });
    cancelled.await;
}

#[tokio::test]
async fn a_busy_number_and_one_that_leaves_are_told_as_such() {
    let mut s = scene(Plan::refuses(486)).await;
    s.asks(s.number(1, 20_000)).await;
    assert_eq!(s.down(1).await, (Some(486), false));

    let mut s = scene(Plan {
        leave_ms: Some(600),
        ..Plan::answers(NUMBER_HZ)
    })
    .await;
    s.asks(s.number(1, 20_000)).await;
    s.up(1).await;
    assert_eq!(s.down(1).await, (Some(200), false));
    s.node
        .trunk
        .hold(s.attempt, false)
        .await
        .expect("takes him back");
    s.phone.line.hears(DEBTOR_HZ).await;
    s.carrier.line.hears(AGENT_HZ).await;
}

#[tokio::test]
async fn parties_are_bounded_dropped_and_end_with_the_call() {
    let mut s = scene(Plan::answers(NUMBER_HZ)).await;
    s.asks(s.number(1, 20_000)).await;
    s.up(1).await;
    s.node
        .trunk
        .invite_party(s.number(2, 20_000))
        .await
        .expect("a fourth voice");
    s.up(2).await;
    let third = s.node.trunk.invite_party(s.number(3, 20_000)).await;
    assert_eq!(third, Err(TrunkError::Limit("parties of one call")));
    s.node
        .trunk
        .drop_party(s.attempt, party(2))
        .await
        .expect("drops");
    assert_eq!(s.down(2).await, (Some(200), true));
    let gone = s.node.trunk.drop_party(s.attempt, party(2)).await;
    assert_eq!(gone, Err(TrunkError::Gone));
    s.node
        .trunk
        .hang_up(s.attempt, HangUpCause::Normal)
        .await
        .expect("hangs up");
    assert_eq!(s.down(1).await.0, Some(200));
    let attempt = s.attempt;
    s.node.ended(attempt).await;
    assert_eq!(
        s.node
            .handle
            .trunks()
            .await
            .iter()
            .map(|t| t.in_use)
            .sum::<u32>(),
        0
    );
}

#[tokio::test]
async fn the_ladder_and_the_sound_of_a_call_are_kept() {
    let mut s = scene(Plan::rings()).await;
    let heard = |line: &Line, packets| line.packets() >= packets;
    let more = [&s.carrier.line, &s.phone.line].map(|line| line.packets() + 60);
    s.carrier
        .line
        .becomes("hears the agent for a while", |l| heard(l, more[0]))
        .await;
    s.phone
        .line
        .becomes("hears the debtor for a while", |l| heard(l, more[1]))
        .await;
    s.carrier.hang_up().await;
    let trail = s.node.trail(s.attempt).await;
    let told: Vec<(bool, &str)> = trail
        .ladder
        .iter()
        .filter(|m| !m.repeat)
        .map(|m| (m.out, m.name.as_str()))
        .filter(|(_, name)| !name.starts_with("100"))
        .collect();
    assert_eq!(
        told,
        [
            (true, "INVITE"),
            (false, "180 Ringing"),
            (false, "200 OK"),
            (true, "ACK"),
            (false, "BYE"),
            (true, "200 OK"),
        ]
    );
    assert!(trail.ladder[0].sdp && trail.ladder.is_sorted_by_key(|m| m.at));
    assert!(
        !format!("{:?}", trail.ladder).contains("5215500"),
        "no number is kept"
    );
    let debtor = trail.legs.iter().find(|l| l.leg == LegKind::Debtor);
    let debtor = debtor.expect("the debtor's leg");
    assert!(debtor.received > 50 && debtor.sent > 20, "{debtor:?}");
    // Good unless the machine, which is no network, loses or holds up packets.
    let held_up = debtor.lost > 0 || debtor.jitter_us > 20_000;
    let mos = debtor.mos_x100.expect("an estimate");
    assert!((100..=450).contains(&mos), "{debtor:?}");
    assert!(mos > 400 || held_up, "{debtor:?}");
    let agents = trail.legs.iter().find(|l| l.agent == Some(agent(1)));
    assert!(
        agents.is_some_and(|l| l.received > 50 && l.until > l.from),
        "{agents:?}"
    );
}

/// To a carrier a number called into a call is a call as any other.
#[tokio::test]
async fn a_number_is_called_as_its_trunk_wants_and_its_503_rests_the_trunk() {
    let mut s = scene(Plan::rings()).await;
    let pause = |_| Some((HeaderName::RetryAfter, "120".to_owned()));
    let mut full = Refuser::start(503, pause).await;
    let mut way_out = trunk(full.addr);
    (way_out.id, way_out.name) = (OUTSIDE, "outside".into());
    way_out.policy = TrunkPolicy {
        identity: IdentityHeader::Preferred,
        private: true,
        diversion: Some("+525550002000".into()),
        from_domain: Some("collect.example".into()),
        ..TrunkPolicy::default()
    };
    let ways = vec![trunk(s.carrier.addr), way_out];
    s.node.handle.set_trunks(ways).await.expect("takes it");
    s.asks(s.number(1, 20_000)).await;
    let invite = full.invites.recv().await.expect("an INVITE");
    let told =
        |name| String::from_utf8_lossy(invite.headers.get(&name).expect("told")).into_owned();
    assert!(
        told(HeaderName::From).contains("anonymous@anonymous.invalid"),
        "a private trunk shows our number to nobody"
    );
    let preferred = told(HeaderName::PPreferredIdentity);
    assert_eq!(preferred, "<sip:+525550001000@collect.example>");
    assert_eq!(told(HeaderName::Privacy), "id");
    let diversion = told(HeaderName::Diversion);
    assert!(diversion.starts_with("<sip:+525550002000@collect.example>"));
    assert_eq!(s.down(1).await, (Some(503), false));
    let again = s.node.trunk.invite_party(s.number(2, 20_000)).await;
    assert_eq!(again, Err(TrunkError::TrunkDown), "it asked for a pause");
    let mut dialed = order(9, 20_000, RecordMode::None);
    dialed.trunk_id = OUTSIDE;
    assert_eq!(s.node.trunk.dial(dialed).await, again, "of debtors too");
}

/// What the calls of a trunk come to in a day has its limit, whoever ordered them (`faults.md` promise 14).
#[tokio::test]
async fn a_trunk_whose_day_is_spent_takes_no_more_calls() {
    let mut s = scene(Plan::answers(NUMBER_HZ)).await;
    let (inside, outside) = (s.carrier.addr, s.outside.addr);
    // A millionth for each millisecond.
    let ways = |most| {
        let mut way_out = trunk(outside);
        (way_out.id, way_out.name) = (OUTSIDE, "outside".into());
        way_out.policy.toll.prices = [("+52".to_owned(), 60_000)].into();
        way_out.policy.toll.daily_micro = Some(most);
        vec![trunk(inside), way_out]
    };
    s.node.handle.set_trunks(ways(1)).await.expect("takes it");
    let limit = |r: &TrunkReport| match r {
        TrunkReport::TollLimit { trunk, limit, .. } => Some((*trunk, *limit)),
        _ => None,
    };
    s.asks(s.number(1, 20_000)).await;
    s.up(1).await;
    let told = s.node.told("the limit", limit).await;
    assert_eq!(told, (OUTSIDE, Some("money_a_day")));
    let spent = Err(TrunkError::Limit("money a day of the trunk"));
    let trunk = s.node.trunk.clone();
    assert_eq!(trunk.invite_party(s.number(2, 20_000)).await, spent);
    let mut dialed = order(9, 20_000, RecordMode::None);
    dialed.trunk_id = OUTSIDE;
    assert_eq!(trunk.dial(dialed.clone()).await, spent);
    // It counts after its end too, and a wider limit opens the way again.
    s.outside.hang_up().await;
    s.down(1).await;
    assert_eq!(trunk.dial(dialed.clone()).await, spent);
    // Left out it is told to be below, put back it has not got its day again.
    let without = ways(1)[..1].to_vec();
    s.node.handle.set_trunks(without).await.expect("takes it");
    assert_eq!(s.node.told("no limit", limit).await, (OUTSIDE, None));
    s.node.handle.set_trunks(ways(1)).await.expect("takes it");
    let told = s.node.told("the limit", limit).await;
    assert_eq!(told, (OUTSIDE, Some("money_a_day")));
    assert_eq!(trunk.dial(dialed.clone()).await, spent);
    let wide = ways(WIDE);
    s.node.handle.set_trunks(wide).await.expect("takes it");
    assert_eq!(s.node.told("no limit", limit).await, (OUTSIDE, None));
    // What was talked elsewhere counts, until it is told anew.
    let elsewhere = |talk| Spent {
        ago: Duration::ZERO,
        begins: "+52".to_owned(),
        talk,
    };
    let talked = vec![elsewhere(Duration::from_millis(WIDE))];
    s.node.handle.count_spent(OUTSIDE, talked).await;
    let told = s.node.told("the limit", limit).await;
    assert_eq!(told, (OUTSIDE, Some("money_a_day")));
    assert_eq!(trunk.dial(dialed.clone()).await, spent);
    s.node.handle.count_spent(OUTSIDE, Vec::new()).await;
    assert_eq!(s.node.told("no limit", limit).await, (OUTSIDE, None));
    trunk.dial(dialed).await.expect("dials");
}
