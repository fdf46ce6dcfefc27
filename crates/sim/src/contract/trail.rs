//! What is kept of calls: transfers, trails that are forgotten in time, counts by trunk.

use super::scene::*;
use domain::entity::{
    CallResult, CallTrail, LegKind, LegQuality, SipStep, Transfer, TransferKind, TransferMode,
    TransferOutcome,
};
use domain::ids::{AttemptId, TrunkId};
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{AttemptChange, Closing, HeardCall, TollAsk};
use domain::rules::detector::{Acted, EARLY_MS, Truth};
use domain::time::{DAY_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    transfers_are_steps_of_one_row(&store).await;
    trails_are_kept_and_forgotten(&store).await;
    trunks_are_counted(&store).await;
    talk_of_a_trunk_is_summed_for_its_limits(&store).await;
    verdicts_on_sound_are_held_against_codes(&store).await;
}

async fn transfers_are_steps_of_one_row(store: &Subject) {
    let scene = Scene::new(store).await;
    let attempt: AttemptId = fresh();
    let first = Transfer {
        id: fresh(),
        attempt_id: attempt,
        client_id: scene.client.id,
        kind: TransferKind::Number,
        mode: TransferMode::Attended,
        from_agent: fresh(),
        to_agent: None,
        to_campaign: None,
        to_number: Some(Pii("+525511112222".to_owned())),
        verdict_id: Some(fresh()),
        conference: false,
        asked_at: NOW,
        answered_at: None,
        ended_at: None,
        outcome: None,
    };
    store.put_transfer(&first, &[]).await.expect("works");
    let done = Transfer {
        answered_at: Some(NOW.plus_ms(4_000)),
        ended_at: Some(NOW.plus_ms(9_000)),
        outcome: Some(TransferOutcome::Done),
        conference: true,
        ..first.clone()
    };
    let subject = format!("attempt:{attempt}");
    let events = [event("call.transferred", &subject)];
    store.put_transfer(&done, &events).await.expect("works");
    let later = Transfer {
        id: fresh(),
        kind: TransferKind::Agent,
        to_number: None,
        asked_at: NOW.plus_ms(20_000),
        ..first
    };
    store.put_transfer(&later, &[]).await.expect("works");
    assert_eq!(
        store.transfers_of(attempt).await.expect("works"),
        [done, later]
    );
    assert!(store.transfers_of(fresh()).await.expect("works").is_empty());
}

fn trail(name: &str) -> CallTrail {
    CallTrail {
        ladder: vec![SipStep {
            at: NOW,
            leg: LegKind::Debtor,
            out: true,
            name: name.to_owned(),
            code: None,
            cseq: "1 INVITE".to_owned(),
            reason: None,
            sdp: true,
            repeat: false,
            bytes: 800,
            left_before: 2,
        }],
        left_out: 2,
        legs: vec![LegQuality {
            leg: LegKind::Agent,
            agent: Some(fresh()),
            from: NOW,
            until: NOW.plus_ms(5_000),
            received: 250,
            sent: 249,
            lost: 1,
            jitter_us: 900,
            jitter_max_us: 4_000,
            rtt_us: None,
            far_lost_256: Some(0),
            mos_x100: Some(432),
        }],
    }
}

async fn trails_are_kept_and_forgotten(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let attempt = scene.person(store).await.open(store, &lease, NOW).await;
    let none = store.put_trail(fresh(), NOW, &trail("INVITE")).await;
    assert!(matches!(none, Err(StoreError::NotFound(_))), "{none:?}");
    assert_eq!(store.get_trail(attempt.id).await.expect("works"), None);
    // Older than anything else that may lie in the database.
    let old = UtcMs(1_000);
    let first = trail("INVITE");
    store
        .put_trail(attempt.id, old, &first)
        .await
        .expect("works");
    let again = trail("BYE");
    store
        .put_trail(attempt.id, old, &again)
        .await
        .expect("works");
    assert_eq!(
        store.get_trail(attempt.id).await.expect("works"),
        Some(again)
    );
    assert_eq!(store.forget_trails(old, 10).await.expect("works"), 0);
    assert_eq!(
        store
            .forget_trails(old.plus_ms(1), 10)
            .await
            .expect("works"),
        1
    );
    assert_eq!(store.get_trail(attempt.id).await.expect("works"), None);
}

/// A call of a trunk `minute` minutes in, ended by a code; the node that placed it.
async fn a_call(store: &Subject, trunk: TrunkId, minute: i64, code: i32) -> String {
    let answered = code == 200;
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut draft = scene.person(store).await.draft(&lease, None, NOW);
    draft.attempt.trunk_id = trunk;
    // Calls by hand need no lease on the debtor.
    draft.attempt.agent_reserved = true;
    let law = super::judges::Allow;
    store.open_attempt(&draft, &law).await.expect("opens");
    let at = NOW.plus_ms(minute * 60_000);
    let change = AttemptChange {
        invite_at: Some(at),
        ringing_at: Some(at.plus_ms(800)),
        answered_at: answered.then_some(at.plus_ms(5_000)),
        bridged_at: answered.then_some(at.plus_ms(5_100)),
        ..AttemptChange::default()
    };
    let id = draft.attempt.id;
    store.note_attempt(id, &change, &[]).await.expect("notes");
    let closing = Closing {
        ended_at: Some(at.plus_ms(35_100)),
        result: Some(if answered {
            CallResult::Human
        } else {
            CallResult::Busy
        }),
        sip_code: Some(code),
        q850: Some(if answered { 16 } else { 17 }),
        ..Closing::default()
    };
    store.close_attempt(id, &closing).await.expect("closes");
    draft.attempt.node
}

async fn talk_of_a_trunk_is_summed_for_its_limits(store: &Subject) {
    let trunk: TrunkId = fresh();
    a_call(store, trunk, 1, 486).await;
    a_call(store, trunk, 2, 200).await;
    a_call(store, trunk, 3, 200).await;
    let node = a_call(store, trunk, 20, 200).await;
    let ask = |node: &str, own_since| TollAsk {
        trunk_id: trunk,
        since: NOW,
        slice_ms: 15 * 60_000,
        begins: 1,
        node: node.to_owned(),
        own_since,
    };
    let told = async |ask: TollAsk| -> Vec<(i64, String, i64)> {
        let rows = store.toll_talk(&ask).await.expect("sums");
        rows.into_iter()
            .map(|r| (r.slice, r.begins, r.talk_ms))
            .collect()
    };
    let row = |slice, talk_ms| (slice, "+".to_owned(), talk_ms);
    let all = [row(0, 60_200), row(1, 30_100)];
    assert_eq!(told(ask("another", NOW)).await, all);
    assert_eq!(told(ask(&node, NOW.plus_ms(21 * 60_000))).await, all);
    assert_eq!(
        told(ask(&node, NOW.plus_ms(10 * 60_000))).await,
        [row(0, 60_200)],
        "its own are counted by itself"
    );
    let longer = TollAsk {
        begins: 3,
        since: NOW.plus_ms(10 * 60_000),
        ..ask("another", NOW)
    };
    let young = told(longer).await;
    assert_eq!((young.len(), young[0].0, young[0].2), (1, 0, 30_100));
    assert_eq!(young[0].1.len(), 3, "{}", young[0].1);
    assert!(
        told(TollAsk {
            trunk_id: fresh(),
            ..ask("another", NOW)
        })
        .await
        .is_empty()
    );
}

async fn trunks_are_counted(store: &Subject) {
    let trunk: TrunkId = fresh();
    for (minute, code) in [(1, 486), (2, 200), (2, 200), (70, 486)] {
        a_call(store, trunk, minute, code).await;
    }
    let hour = 3_600_000;
    let counts = store
        .trunk_counts(trunk, NOW, NOW.plus_ms(hour), 300_000)
        .await
        .expect("counts");
    assert_eq!(counts.len(), 2, "{counts:?}");
    let of = |result| {
        counts
            .iter()
            .find(|c| c.result == Some(result))
            .expect("is counted")
    };
    let (busy, human) = (of(CallResult::Busy), of(CallResult::Human));
    assert_eq!(
        (busy.slice, busy.invites, busy.answered, busy.q850),
        (0, 1, 0, Some(17))
    );
    assert_eq!((human.invites, human.answered, human.rung), (2, 2, 2));
    assert_eq!((human.pdd_ms, human.talk_ms), (1_600, 60_000));
    let late = store
        .trunk_counts(trunk, NOW.plus_ms(hour), NOW.plus_ms(2 * hour), hour)
        .await
        .expect("counts");
    assert_eq!((late.len(), late[0].invites), (1, 1));
    assert!(
        store
            .trunk_counts(fresh(), NOW, NOW.plus_ms(hour), hour)
            .await
            .expect("counts")
            .is_empty()
    );
}

async fn verdicts_on_sound_are_held_against_codes(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let attempt = scene.person(store).await.open(store, &lease, NOW).await;
    // A time of its own: other rows may lie in the database.
    let at = UtcMs(7_000);
    let first = HeardCall {
        attempt_id: attempt.id,
        at,
        class: "unknown".to_owned(),
        confidence_pm: 500,
        reason: "between".to_owned(),
        decided_ms: 2_940,
        onset_ms: Some(420),
        speech_ms: Some(1_800),
        pauses: Some(1),
        beep_ms: None,
        acted: Acted::Shadow,
        truth: None,
    };
    let stranger = HeardCall {
        attempt_id: fresh(),
        ..first.clone()
    };
    let none = store.put_heard(&stranger, &[]).await;
    assert!(matches!(none, Err(StoreError::NotFound(_))), "{none:?}");
    assert_eq!(store.get_heard(attempt.id).await.expect("works"), None);
    store.put_heard(&first, &[]).await.expect("works");
    let again = HeardCall {
        class: "machine".to_owned(),
        beep_ms: Some(4_100),
        ..first
    };
    let subject = format!("attempt:{}", attempt.id);
    let events = [event("amd.classified", &subject)];
    store.put_heard(&again, &events).await.expect("works");
    let kept = store.get_heard(attempt.id).await.expect("works");
    assert_eq!(kept, Some(again.clone()));
    let counts = store
        .heard_counts(at, at.plus_ms(1), DAY_MS)
        .await
        .expect("works");
    let of_it: Vec<_> = counts
        .iter()
        .filter(|c| c.trunk_id == attempt.trunk_id)
        .collect();
    assert!(
        of_it
            .iter()
            .any(|c| c.class == "machine" && c.disposition.is_none() && c.calls >= 1 && !c.early),
        "{counts:?}"
    );
    the_last_early_millisecond_counts(store, again.clone()).await;
    a_code_that_no_agent_gave_tells_nothing(store, &scene, again).await;
    let before = store
        .heard_counts(UtcMs(0), at, DAY_MS)
        .await
        .expect("works");
    assert!(before.iter().all(|c| c.trunk_id != attempt.trunk_id));
}

async fn a_code_that_no_agent_gave_tells_nothing(store: &Subject, scene: &Scene, heard: HeardCall) {
    let lease = node(store).await;
    // Two instants of their own: other rows may lie in the database.
    for (at, acted, with_agent) in [
        (UtcMs(7_101), Acted::Shadow, false),
        (UtcMs(7_102), Acted::Checked, false),
        (UtcMs(7_103), Acted::Checked, true),
    ] {
        let attempt = scene.person(store).await.open(store, &lease, NOW).await;
        let row = HeardCall {
            attempt_id: attempt.id,
            at,
            acted,
            ..heard.clone()
        };
        store.put_heard(&row, &[]).await.expect("works");
        if with_agent {
            let change = AttemptChange {
                bridged_at: Some(NOW.plus_ms(500)),
                agent_id: Some(fresh()),
                ..AttemptChange::default()
            };
            let noted = store.note_attempt(attempt.id, &change, &[]).await;
            noted.expect("works");
        }
        let closing = Closing {
            ended_at: Some(NOW.plus_ms(2_000)),
            result: Some(CallResult::HangupEarly),
            disposition: Some("NC.CA".to_owned()),
            disposed_at: Some(NOW.plus_ms(2_000)),
            ..Closing::default()
        };
        let closed = store.close_attempt(attempt.id, &closing).await;
        assert!(closed.expect("works"));
        let counts = store.heard_counts(at, at.plus_ms(1), DAY_MS).await;
        let counts = counts.expect("works");
        let known = counts.iter().find(|c| c.trunk_id == attempt.trunk_id);
        let known = known.expect("is counted").known();
        let want = with_agent.then_some(Truth::Person);
        assert_eq!(known, want, "{acted} {with_agent}");
    }
}

async fn the_last_early_millisecond_counts(store: &Subject, heard: HeardCall) {
    let soon = HeardCall {
        decided_ms: EARLY_MS,
        ..heard
    };
    store.put_heard(&soon, &[]).await.expect("works");
    let until = soon.at.plus_ms(1);
    let counts = store.heard_counts(soon.at, until, DAY_MS).await;
    let counts = counts.expect("works");
    let trunk = store.get_attempt(soon.attempt_id).await.expect("works");
    let early = |c: &&domain::ports::store::HeardCount| c.trunk_id == trunk.trunk_id && c.early;
    let calls: i64 = counts.iter().filter(early).map(|c| c.calls).sum();
    assert_eq!(calls, 1, "{counts:?}");
}
