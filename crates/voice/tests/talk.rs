//! What is heard on a joined call: hold, mute, keys, pauses, supervisors, strangers.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::audio::Line;
use common::peer::{Peer, Plan, Seen};
use common::scene::{AGENT_HZ, DEBTOR_HZ, Joined, MUSIC_HZ};
use common::{Node, SystemClock, agent, order, tone_ms, trunk};
use domain::entity::RecordMode;
use domain::ports::{
    Clock as _, HangUpCause, LegRef, MonitorMode, PlayWhat, TrunkError, TrunkReport,
};
use media::g711::Law;
use std::time::Duration;

const SUPERVISOR_HZ: f64 = 2_100.0;

/// A second of sound at each of them, however long a busy machine takes for it.
async fn a_second_more(lines: [&Line; 2]) {
    for line in lines {
        let enough = line.packets() + 50;
        line.becomes("hears on", |l| l.packets() >= enough).await;
    }
}

#[tokio::test]
async fn legs_meet_from_whatever_thread() {
    let carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let config = trunk(carrier.addr);
    let mut node = Node::configured(|c| {
        c.trunks = vec![config];
        c.media_threads = 4;
    })
    .await;
    let phones = [
        node.agent(1, AGENT_HZ).await,
        node.agent(2, SUPERVISOR_HZ).await,
    ];
    let attempt = node.dial(1, 20_000).await;
    let answered = node.answered(attempt).await;
    let sample = || usize::try_from((SystemClock.now().0 - answered.0) * 8).expect("after it");
    let mut talks = Vec::new();
    for round in 0..2 {
        for (n, hz) in [(1, AGENT_HZ), (2, SUPERVISOR_HZ)] {
            node.trunk.bridge(attempt, agent(n)).await.expect("joins");
            carrier.line.hears(hz).await;
            let phone = &phones[usize::from(n == 2)];
            phone.line.hears(DEBTOR_HZ).await;
            let from = sample();
            a_second_more([&carrier.line, &phone.line]).await;
            talks.push((from..sample(), hz));
        }
        assert_eq!(node.handle.stats().await.agent_legs, 2, "round {round}");
    }
    let sent = carrier.line.sent();
    carrier.hang_up().await;
    let end = node.ended(attempt).await;
    // The debtor's audio knows nothing of the moves: what he sent has been read, but for what the hang-up overtook. How
    // evenly it came is the machine's matter.
    assert!(end.rtp_in * 10 >= sent * 9, "{} of {sent}", end.rtp_in);
    let (left, right) = node.sealed(attempt).await.channels();
    for (talk, hz) in talks {
        let talk = talk.start..talk.end.min(left.len());
        let (agents, debtors) = (&left[talk.clone()], &right[talk.clone()]);
        let told = (tone_ms(agents, hz), tone_ms(debtors, DEBTOR_HZ));
        assert!(told.0 >= 200 && told.1 >= 200, "{talk:?}: {told:?}");
    }
}

#[tokio::test]
async fn hold_parts_both_and_brings_them_back() {
    let mut j = Joined::open().await;
    j.node.trunk.hold(j.attempt, true).await.expect("holds");
    // The debtor hears the music, which has a note of 330 Hz throughout, and nobody.
    j.carrier
        .line
        .becomes("hears music", |l| {
            l.share(MUSIC_HZ) > 0.15 && l.share(AGENT_HZ) < 0.05
        })
        .await;
    j.phone.line.hears_nothing().await;
    // Two whole windows of the recording at least.
    tokio::time::sleep(Duration::from_millis(600)).await;
    j.node.trunk.hold(j.attempt, false).await.expect("resumes");
    j.carrier.line.hears(AGENT_HZ).await;
    j.phone.line.hears(DEBTOR_HZ).await;
    // What the debtor was told is on the left, the music too.
    j.carrier.hang_up().await;
    j.node.ended(j.attempt).await;
    let (left, _) = j.node.sealed(j.attempt).await.channels();
    let music = |part: &&[i16]| media::freq::share(part, MUSIC_HZ) > 0.15;
    let parts = left.chunks_exact(1_600).filter(music).count();
    assert!(parts >= 2, "{parts} of {}", left.len() / 1_600);
}

#[tokio::test]
async fn mute_is_one_way() {
    let j = Joined::open().await;
    j.node.trunk.mute(j.attempt, true).await.expect("mutes");
    j.carrier.line.hears_nothing().await;
    assert!(j.phone.line.share(DEBTOR_HZ) > 0.8, "the agent still hears");
    j.node.trunk.mute(j.attempt, false).await.expect("unmutes");
    j.carrier.line.hears(AGENT_HZ).await;
}

#[tokio::test]
async fn unbridge_leaves_both_legs_up() {
    let j = Joined::open().await;
    j.node.trunk.unbridge(j.attempt).await.expect("parts");
    j.carrier.line.hears_nothing().await;
    j.phone.line.hears_nothing().await;
    let stats = j.node.handle.stats().await;
    assert_eq!((stats.calls, stats.agent_legs), (1, 1));
    j.node
        .trunk
        .bridge(j.attempt, agent(1))
        .await
        .expect("joins again");
    j.carrier.line.hears(AGENT_HZ).await;
}

#[tokio::test]
async fn ring_back_is_heard_until_it_is_stopped() {
    let j = Joined::open().await;
    let leg = LegRef::Debtor(j.attempt);
    j.node
        .trunk
        .play(leg, PlayWhat::RingBack)
        .await
        .expect("plays");
    j.carrier.line.hears(425.0).await;
    j.node
        .trunk
        .play(leg, PlayWhat::Silence)
        .await
        .expect("stops");
    j.carrier.line.hears(AGENT_HZ).await;
    let gone = j
        .node
        .trunk
        .play(LegRef::Agent(agent(9)), PlayWhat::Beep)
        .await;
    assert_eq!(gone, Err(TrunkError::Gone));
}

#[tokio::test]
async fn keys_pass_both_ways() {
    let mut j = Joined::open().await;
    for digit in ['4', '2', '#'] {
        j.node
            .trunk
            .send_dtmf(j.attempt, digit)
            .await
            .expect("sends");
    }
    j.carrier
        .line
        .becomes("hears the keys", |line| line.keys() == "42#")
        .await;
    j.carrier.press('9').await;
    let (leg, digit) = j
        .node
        .told("key", |r| match r {
            TrunkReport::Dtmf { leg, digit, .. } => Some((*leg, *digit)),
            _ => None,
        })
        .await;
    assert_eq!((leg, digit), (LegRef::Debtor(j.attempt), '9'));
    let bad = j.node.trunk.send_dtmf(j.attempt, 'x').await;
    assert!(matches!(bad, Err(TrunkError::Limit(_))));
    // Audio goes on after keys.
    j.carrier.line.hears(AGENT_HZ).await;
}

#[tokio::test]
async fn a_pause_of_the_recording_is_silence_of_equal_length() {
    let mut j = Joined::open().await;
    j.node.trunk.record(j.attempt, false).await.expect("pauses");
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    j.node.trunk.record(j.attempt, true).await.expect("resumes");
    tokio::time::sleep(Duration::from_millis(400)).await;
    j.node
        .trunk
        .hang_up(j.attempt, HangUpCause::Normal)
        .await
        .expect("hangs up");
    let sealed = j.node.sealed(j.attempt).await;
    let (from, to, reason) = sealed.gaps.first().expect("a gap").clone();
    assert_eq!((sealed.gaps.len(), reason.as_str()), (1, "pause"));
    assert!(to - from >= 1_000, "{from} to {to}");
    let (left, right) = sealed.channels();
    assert_eq!(left.len(), right.len());
    let at = |ms: i64| usize::try_from(ms * 8).expect("positive");
    for side in [&left, &right] {
        assert!(
            side[at(from) + 800..at(to) - 800].iter().all(|s| *s == 0),
            "nothing in the pause"
        );
        assert!(
            side[at(to) + 800..].iter().any(|s| *s != 0),
            "something after it"
        );
    }
}

#[tokio::test]
async fn on_demand_recordings_begin_when_switched_on() {
    let carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let order = order(1, 20_000, RecordMode::OnDemand);
    let attempt = order.attempt_id;
    node.trunk.dial(order).await.expect("dials");
    node.answered(attempt).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    node.trunk.record(attempt, true).await.expect("records");
    tokio::time::sleep(Duration::from_millis(800)).await;
    node.trunk
        .hang_up(attempt, HangUpCause::Normal)
        .await
        .expect("hangs up");
    let sealed = node.sealed(attempt).await;
    let (_, right) = sealed.channels();
    assert!(right[..5_600].iter().all(|s| *s == 0));
    assert!(tone_ms(&right, DEBTOR_HZ) >= 300);
    assert_eq!(sealed.gaps.len(), 1);
}

#[tokio::test]
async fn supervisors_listen_whisper_barge_and_take_over() {
    let mut j = Joined::open().await;
    let supervisor = j.node.agent(2, SUPERVISOR_HZ).await;
    let trunk = j.node.trunk.clone();
    let set = async |mode| {
        trunk
            .monitor(j.attempt, agent(2), mode)
            .await
            .expect("joins")
    };
    let (debtor, agents, sup) = (&j.carrier.line, &j.phone.line, &supervisor.line);

    set(Some(MonitorMode::Listen)).await;
    sup.becomes("hears both", |l| {
        l.share(AGENT_HZ) > 0.3 && l.share(DEBTOR_HZ) > 0.3
    })
    .await;
    debtor.hears(AGENT_HZ).await;
    agents.hears(DEBTOR_HZ).await;

    set(Some(MonitorMode::Whisper)).await;
    agents
        .becomes("hears the whisper", |l| l.share(SUPERVISOR_HZ) > 0.3)
        .await;
    assert!(debtor.share(SUPERVISOR_HZ) < 0.05, "the debtor does not");

    set(Some(MonitorMode::Barge)).await;
    debtor
        .becomes("hears two", |l| {
            l.share(SUPERVISOR_HZ) > 0.3 && l.share(AGENT_HZ) > 0.3
        })
        .await;

    set(Some(MonitorMode::TakeOver)).await;
    debtor.hears(SUPERVISOR_HZ).await;
    sup.hears(DEBTOR_HZ).await;
    agents.hears_nothing().await;

    set(None).await;
    debtor.hears(AGENT_HZ).await;
    agents.hears(DEBTOR_HZ).await;
    sup.hears_nothing().await;
}

#[tokio::test]
async fn four_supervisors_and_no_fifth() {
    let mut j = Joined::open().await;
    let mut phones = Vec::new();
    for n in 2..=6 {
        phones.push(j.node.agent(n, SUPERVISOR_HZ).await);
        let joins = j
            .node
            .trunk
            .monitor(j.attempt, agent(n), Some(MonitorMode::Listen))
            .await;
        let expected = if n < 6 {
            Ok(())
        } else {
            Err(TrunkError::Limit("supervisors on one call"))
        };
        assert_eq!(joins, expected, "supervisor {n}");
    }
    j.node
        .trunk
        .monitor(j.attempt, agent(2), None)
        .await
        .expect("leaves");
    let last = j
        .node
        .trunk
        .monitor(j.attempt, agent(6), Some(MonitorMode::Listen))
        .await;
    assert_eq!(last, Ok(()), "one left, one more may come");
    let share = |l: &Line| l.share(AGENT_HZ) > 0.3 && l.share(DEBTOR_HZ) > 0.3;
    phones[4].line.becomes("hears both", share).await;
}

#[tokio::test]
async fn a_stranger_is_not_heard() {
    let mut carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let phone = node.agent(1, AGENT_HZ).await;
    let attempt = node.dial(1, 20_000).await;
    let rtp = carrier.sees(|s| match s {
        Seen::Invite { rtp, .. } => *rtp,
        _ => None,
    });
    let rtp = rtp.await;
    node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    phone.line.hears(DEBTOR_HZ).await;
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0")
        .await
        .expect("port");
    let start = media::rtp::Start {
        ssrc: 1,
        sequence: 1,
        timestamp: 1,
    };
    let mut sender = media::rtp::Sender::new(start);
    let mut tone = media::tones::Tone::sine(SUPERVISOR_HZ, 0.9);
    for _ in 0..50 {
        let (mut pcm, mut payload, mut out) = ([0; 160], [0; 160], [0; 200]);
        tone.fill(&mut pcm);
        Law::A.encode_into(&pcm, &mut payload);
        let n = sender.packet(8, &payload, 160, &mut out).expect("fits");
        stranger.send_to(&out[..n], rtp).await.expect("sends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(tone_ms(&phone.line.samples(), SUPERVISOR_HZ) == 0);
    assert!(phone.line.share(DEBTOR_HZ) > 0.8);
    let mut answer = [0; 200];
    assert!(
        stranger.try_recv(&mut answer).is_err(),
        "nothing is sent to a stranger"
    );
}

#[tokio::test]
async fn media_that_moves_by_re_invite_is_followed() {
    let j = Joined::open().await;
    j.carrier.move_media(1_700.0).await;
    j.phone.line.hears(1_700.0).await;
    j.carrier.line.hears(AGENT_HZ).await;
}

#[tokio::test]
async fn a_running_recording_is_playable_and_mended() {
    let j = Joined::open().await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let path = j
        .node
        .folder
        .path()
        .join(format!("2026/{}.wav", j.attempt.0));
    let copy = j.node.folder.path().join("copy.wav");
    std::fs::copy(&path, &copy).expect("copies");
    let before = hound::WavReader::open(&copy)
        .expect("plays as it is")
        .duration();
    let mended = voice::repair_recording(&copy, None).expect("mends");
    let after = hound::WavReader::open(&copy).expect("plays").duration();
    assert!(before > 8_000 && after >= before, "{before} {after}");
    assert_eq!(mended.duration_ms, i64::from(after) / 8);
}

#[tokio::test]
async fn the_next_process_ends_what_a_killed_one_left() {
    let mut carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let folder = tempfile::tempdir().expect("folder");
    let legs = folder.path().join("legs");
    let (config, path) = (trunk(carrier.addr), legs.clone());
    let mut node = Node::configured(move |c| {
        c.trunks = vec![config];
        c.legs_file = Some(path);
    })
    .await;
    let mut phone = node.agent(1, AGENT_HZ).await;
    let over = node.dial(1, 20_000).await;
    node.answered(over).await;
    node.trunk
        .hang_up(over, HangUpCause::Normal)
        .await
        .expect("hangs up");
    node.ended(over).await;
    let attempt = node.dial(2, 20_000).await;
    node.answered(attempt).await;
    // What a kill would leave: the book as it is now, while both legs are up.
    let mut left = String::new();
    while left.matches("\n+ ").count() + usize::from(left.starts_with('+')) < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = std::fs::read_to_string(&legs).expect("reads");
    }
    let copy = folder.path().join("copy");
    std::fs::write(&copy, left).expect("writes");
    let _next = Node::configured(|c| c.legs_file = Some(copy)).await;
    let bye = |s: &Seen| match s {
        Seen::Ended {
            by_remote: true,
            q850: Some(38),
            ..
        } => Some(()),
        _ => None,
    };
    carrier.sees(bye).await;
    phone.sees(bye).await;
}

#[tokio::test]
async fn shutdown_says_bye_and_seals() {
    let mut j = Joined::open().await;
    let rest = j.node.rest().await;
    let sealed = rest
        .iter()
        .any(|r| matches!(r, TrunkReport::RecordingSealed { .. }));
    let ended = rest
        .iter()
        .any(|r| matches!(r, TrunkReport::Ended { by_us: true, .. }));
    let down = rest
        .iter()
        .any(|r| matches!(r, TrunkReport::AgentLegDown { .. }));
    assert!(sealed && ended && down, "{rest:?}");
    let cause = j.carrier.sees(|s| match s {
        Seen::Ended {
            by_remote: true,
            q850,
            ..
        } => Some(*q850),
        _ => None,
    });
    assert_eq!(cause.await, Some(38));
}
