//! The transfer key of an agent's phone: what it may ask for, what it is told, and that its leg stays up behind it.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::agent;
use common::peer::{Peer, Seen};
use common::scene::{AGENT_HZ, DEBTOR_HZ, Joined, MUSIC_HZ};
use domain::ports::{TrunkError, TrunkReport};

/// The answer to a REFER.
async fn answer(peer: &mut Peer) -> u16 {
    peer.sees(|s| match s {
        Seen::Referred(code) => Some(*code),
        _ => None,
    })
    .await
}

/// The last report on it.
async fn outcome(peer: &mut Peer) -> Option<u16> {
    peer.sees(|s| match s {
        Seen::Reported(code, true) => Some(*code),
        _ => None,
    })
    .await
}

impl Joined {
    /// An address of this node.
    fn here(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.node.sip)
    }

    /// What the center is told.
    async fn asked(&mut self) -> String {
        let of = self.attempt;
        self.node
            .told("a transfer is asked for", |r| match r {
                TrunkReport::TransferAsked {
                    attempt,
                    agent: by,
                    to,
                    ..
                } if *attempt == of && *by == agent(1) => Some(to.reveal().clone()),
                _ => None,
            })
            .await
    }

    async fn is_up_again(&mut self) {
        self.node
            .told("the leg is up again", |r| match r {
                TrunkReport::AgentLegUp { agent: of, .. } if *of == agent(1) => Some(()),
                _ => None,
            })
            .await;
        let down = |r: &TrunkReport| matches!(r, TrunkReport::AgentLegDown { .. });
        assert!(
            !self.node.was_told(down),
            "it was gone for a moment and on purpose"
        );
    }
}

#[tokio::test]
async fn a_transfer_key_is_told_on_and_its_phone_is_called_again() {
    let mut s = Joined::open().await;
    s.phone.refer(&s.here("+525555550001")).await;
    assert_eq!(answer(&mut s.phone).await, 202);
    let first = s.phone.sees(|s| match s {
        Seen::Reported(code, false) => Some(*code),
        _ => None,
    });
    assert_eq!(first.await, Some(100));
    assert_eq!(s.asked().await, "+525555550001");
    // A call that was refused to somebody goes on as it was, and may be handed to another one.
    let told = s
        .node
        .trunk
        .answer_transfer(agent(1), 403, "blocked_window");
    told.await.expect("is told");
    assert_eq!(outcome(&mut s.phone).await, Some(403));
    let twice = s.node.trunk.answer_transfer(agent(1), 200, "done").await;
    assert_eq!(twice, Err(TrunkError::Gone));
    s.phone.line.hears(DEBTOR_HZ).await;

    let queue = s.here("Mora%20temprana;phone-context=x");
    s.phone.refer(&queue).await;
    assert_eq!(answer(&mut s.phone).await, 202);
    assert_eq!(s.asked().await, "Mora temprana");
    s.node.trunk.unbridge(s.attempt).await.expect("is let go");
    let told = s.node.trunk.answer_transfer(agent(1), 200, "done");
    told.await.expect("is told");
    assert_eq!(outcome(&mut s.phone).await, Some(200));
    // As phones do behind a transfer; the next debtor does not wait for that.
    s.phone.hang_up().await;
    let trunk = s.node.trunk.clone();
    trunk.bridge(s.attempt, agent(1)).await.expect("joins");
    s.is_up_again().await;
    assert_eq!(s.node.handle.stats().await.agent_legs, 1);
    s.carrier.line.hears(AGENT_HZ).await;
    s.phone.line.hears(DEBTOR_HZ).await;
}

/// Some phones hang up as soon as they have asked.
#[tokio::test]
async fn a_debtor_waits_for_a_phone_that_does_not_wait() {
    let mut s = Joined::open().await;
    s.phone.refer(&s.here("1001")).await;
    assert_eq!(answer(&mut s.phone).await, 202);
    assert_eq!(s.asked().await, "1001");
    let trunk = s.node.trunk.clone();
    trunk.hold(s.attempt, true).await.expect("holds");
    s.phone.hang_up().await;
    s.is_up_again().await;
    s.carrier
        .line
        .becomes("hears music, and not the agent", |l| {
            l.share(MUSIC_HZ) > 0.15 && l.share(AGENT_HZ) < 0.05
        })
        .await;
    // Nobody came: he has his debtor back, on the leg that followed.
    trunk.hold(s.attempt, false).await.expect("takes him back");
    s.carrier.line.hears(AGENT_HZ).await;
    s.phone.line.hears(DEBTOR_HZ).await;
    // Hanging up without having asked is the end of the leg, as ever.
    s.phone.hang_up().await;
    let why = s.node.told("down", |r| match r {
        TrunkReport::AgentLegDown { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(why.await, "the phone hung up");
}

#[tokio::test]
async fn what_is_no_transfer_of_ours_is_not_carried_out() {
    let mut s = Joined::open().await;
    let somewhere = "sip:+525555550001@evil.example".to_owned();
    for (to, code) in [
        (somewhere, 404),
        ("http://evil.example/".to_owned(), 416),
        (format!("sip:{}", s.node.sip), 404),
        (s.here("%20"), 404),
        (s.here(&"x".repeat(300)), 400),
        (s.here("1001") + ";method=BYE", 603),
    ] {
        s.phone.refer(&to).await;
        assert_eq!(answer(&mut s.phone).await, code, "{to}");
    }
    // Attended: he has one call with us, and it cannot take its own place.
    let other = "?Replaces=other%40here%3Bto-tag%3D1%3Bfrom-tag%3D2";
    for replaces in [other, "?replaces=%00", "?Subject=x&Replaces="] {
        s.phone.refer(&(s.here("1001") + replaces)).await;
        assert_eq!(answer(&mut s.phone).await, 202, "{replaces}");
        assert_eq!(outcome(&mut s.phone).await, Some(481), "{replaces}");
    }
    // Nobody outside says where a call goes.
    s.carrier.refer(&s.here("+525555550001")).await;
    assert_eq!(answer(&mut s.carrier).await, 603);
    let asked = |r: &TrunkReport| matches!(r, TrunkReport::TransferAsked { .. });
    assert!(!s.node.was_told(asked), "the center hears of none of them");
    s.phone.line.hears(DEBTOR_HZ).await;
    s.carrier.line.hears(AGENT_HZ).await;
    // A phone that is on no call has none to hand over.
    s.node.trunk.unbridge(s.attempt).await.expect("is let go");
    s.phone.refer(&s.here("1001")).await;
    assert_eq!(answer(&mut s.phone).await, 603);
}

#[tokio::test]
async fn a_phone_may_ask_so_many_times_a_minute() {
    let mut s = Joined::open().await;
    let mut taken = 0;
    loop {
        s.phone.refer("tel:+52-55-5555-0001").await;
        match answer(&mut s.phone).await {
            202 => taken += 1,
            code => break assert_eq!(code, 480),
        }
        assert_eq!(s.asked().await, "+52-55-5555-0001");
        let told = s.node.trunk.answer_transfer(agent(1), 486, "busy");
        told.await.expect("is told");
        assert_eq!(outcome(&mut s.phone).await, Some(486));
        assert!(taken < 100, "it has no end");
    }
    assert_eq!(taken, voice::limits::REFERS);
}
