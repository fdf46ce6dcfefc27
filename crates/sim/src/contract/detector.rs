//! The detector's rows: truth told, samples, recordings of carriers, messages for mailboxes.

use super::scene::*;
use domain::entity::{
    CallResult, Language, LedgerKind, LedgerRow, VoicemailPart, VoicemailTemplate,
};
use domain::ids::{TrunkId, VoicemailId};
use domain::ports::StoreError;
use domain::ports::store::{
    Closing, Corrected, EarlySound, HeardCall, HeardPrint, PRINT_NUMBERS, PRINTS_MAX, SampleAsk,
    Told, Turn,
};
use domain::rules::detector::{Acted, Truth};
use domain::time::UtcMs;

/// Runs the group.
pub async fn all(store: Subject) {
    a_person_who_was_hung_up_on_was_abandoned(&store).await;
    samples_come_newest_first_in_pages(&store).await;
    recordings_are_kept_by_trunk_and_bounded(&store).await;
    messages_have_names_of_their_own(&store).await;
    what_is_heard_before_the_answer_is_counted_by_trunk(&store).await;
}

fn heard(attempt: domain::ids::AttemptId, at: UtcMs, acted: Acted) -> HeardCall {
    HeardCall {
        attempt_id: attempt,
        at,
        class: "machine".to_owned(),
        confidence_pm: 930,
        reason: "greeting_shape".to_owned(),
        decided_ms: 1_400,
        onset_ms: Some(300),
        speech_ms: Some(900),
        pauses: Some(0),
        beep_ms: None,
        acted,
        truth: None,
    }
}

async fn what_is_heard_before_the_answer_is_counted_by_trunk(store: &Subject) {
    let (trunk, other): (TrunkId, TrunkId) = (fresh(), fresh());
    let first = fresh();
    for (attempt_id, trunk_id, at, class) in [
        (first, trunk, 0, "ring_back"),
        (fresh(), trunk, 5, "ring_back"),
        (fresh(), trunk, 6, "busy"),
        (fresh(), trunk, 7, "announcement"),
        (fresh(), other, 7, "sit"),
        // It rang, and then somebody spoke: the last word stands.
        (first, trunk, 8, "announcement"),
        (fresh(), trunk, 100, "sit"),
    ] {
        let sound = EarlySound {
            attempt_id,
            trunk_id,
            at: NOW.plus_ms(at),
            class: class.to_owned(),
        };
        store.put_early(&sound).await.expect("works");
    }
    let counts = store.early_counts(trunk, NOW, NOW.plus_ms(100)).await;
    let want = [("announcement", 2), ("busy", 1), ("ring_back", 1)];
    let want: Vec<(String, i64)> = want.map(|(c, n)| (c.to_owned(), n)).to_vec();
    assert_eq!(counts.expect("works"), want);
    // What is old goes, and of a trunk that had many all but the newest.
    let all = async || {
        let counts = store.early_counts(trunk, NOW, NOW.plus_ms(101)).await;
        counts.expect("works").iter().map(|(_, n)| n).sum::<i64>()
    };
    let had = all().await;
    let gone = store.forget_early(NOW, 100).await.expect("works");
    assert_eq!((gone, all().await), (0, had));
    store
        .forget_early(NOW.plus_ms(100), 100)
        .await
        .expect("works");
    assert_eq!(all().await, 1, "the last hour's is young");
    store.forget_early(NOW, 0).await.expect("works");
    assert_eq!(all().await, 0);
}

async fn a_person_who_was_hung_up_on_was_abandoned(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let attempt = scene.person(store).await.open(store, &lease, NOW).await;
    let told = |truth| Told {
        attempt_id: attempt.id,
        truth,
        by: "user:x".to_owned(),
        at: NOW.plus_ms(60_000),
        abandoned: LedgerRow::of_attempt(&attempt, LedgerKind::Abandoned, NOW.plus_ms(60_000)),
    };
    let none = store.tell_truth(&told(Truth::Person), &[]).await;
    assert!(matches!(none, Err(StoreError::NotFound(_))), "{none:?}");
    let row = heard(attempt.id, NOW, Acted::Hangup);
    store.put_heard(&row, &[]).await.expect("works");
    let closing = Closing {
        ended_at: Some(NOW.plus_ms(2_000)),
        result: Some(CallResult::MachineNoBeep),
        disposition: Some("NC.BZ".to_owned()),
        disposed_at: Some(NOW.plus_ms(2_000)),
        ..Closing::default()
    };
    assert!(
        store
            .close_attempt(attempt.id, &closing)
            .await
            .expect("works")
    );

    let subject = format!("attempt:{}", attempt.id);
    let mut before = None;
    for (truth, turn) in [
        (Truth::Machine, None),
        (Truth::Person, Some(Turn::Lost)),
        (Truth::Person, None),
        (Truth::Machine, Some(Turn::Found)),
        (Truth::Machine, None),
        (Truth::Person, Some(Turn::Lost)),
    ] {
        let events = [event("amd.corrected", &subject)];
        let done = store.tell_truth(&told(truth), &events).await;
        let lost = truth == Truth::Person;
        assert_eq!(done.expect("works"), Corrected { lost, before, turn });
        before = Some(truth);
        let (result, code) = if lost {
            (CallResult::Abandoned, "NC.AD")
        } else {
            (CallResult::MachineNoBeep, "NC.BZ")
        };
        let after = store.get_attempt(attempt.id).await.expect("is there");
        assert_eq!(after.result, Some(result));
        assert_eq!(after.disposition.as_deref(), Some(code));
    }
    let kept = store.get_heard(attempt.id).await.expect("works");
    assert_eq!(kept.and_then(|h| h.truth), Some(Truth::Person));
    let ledger = store.ledger_of(attempt.debtor_id).await.expect("works");
    let abandoned = |r: &&LedgerRow| r.kind == LedgerKind::Abandoned;
    assert_eq!(ledger.iter().filter(abandoned).count(), 1, "counted once");

    // A late beep writes the verdict again: the truth stays.
    store.put_heard(&row, &[]).await.expect("works");
    let kept = store.get_heard(attempt.id).await.expect("works");
    assert_eq!(kept.and_then(|h| h.truth), Some(Truth::Person));
}

async fn samples_come_newest_first_in_pages(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut made = Vec::new();
    for n in 0..3 {
        let attempt = scene.person(store).await.open(store, &lease, NOW).await;
        let at = UtcMs(9_000).plus_ms(n);
        let row = heard(attempt.id, at, Acted::Agent);
        store.put_heard(&row, &[]).await.expect("works");
        made.push(attempt.id);
    }
    let ask = |before| SampleAsk {
        client_id: Some(scene.client.id),
        since: UtcMs(9_000),
        before,
        limit: 2,
        class: Some("machine".to_owned()),
        ..SampleAsk::default()
    };
    let first = store.heard_samples(&ask(None)).await.expect("works");
    let ids: Vec<_> = first.iter().map(|s| s.attempt.id).collect();
    assert_eq!(ids, [made[2], made[1]]);
    let before = first.last().map(|s| (s.heard.at, s.heard.attempt_id));
    let rest = store.heard_samples(&ask(before)).await.expect("works");
    assert_eq!(rest.len(), 1);
    assert_eq!(
        (rest[0].attempt.id, rest[0].heard.acted),
        (made[0], Acted::Agent)
    );
    let other = SampleAsk {
        class: Some("human".to_owned()),
        ..ask(None)
    };
    assert!(store.heard_samples(&other).await.expect("works").is_empty());
}

async fn recordings_are_kept_by_trunk_and_bounded(store: &Subject) {
    let trunk: TrunkId = fresh();
    let most = i64::from(PRINTS_MAX);
    let print = |n: i64, numbers| HeardPrint {
        trunk_id: trunk,
        print: n.to_le_bytes().to_vec(),
        numbers,
        persons: 0,
        last_at: UtcMs(n),
    };
    for n in 0..most + 2 {
        store.put_print(&print(n, 1)).await.expect("works");
    }
    let kept = store.prints_of(trunk).await.expect("works");
    assert_eq!(kept.len(), PRINTS_MAX as usize);
    assert_eq!(kept[0], print(most + 1, 1), "last heard first");
    assert!(
        kept.iter().all(|p| p.last_at >= UtcMs(2)),
        "the longest unheard made room"
    );
    assert!(!kept[0].decides());
    store
        .put_print(&print(most + 1, PRINT_NUMBERS))
        .await
        .expect("works");
    let kept = store.prints_of(trunk).await.expect("works");
    assert_eq!(kept.len(), PRINTS_MAX as usize);
    assert!(kept[0].decides());
    // What decides stays, however many mailboxes of single persons are heard after it.
    for n in most + 2..most + 2 + most {
        store.put_print(&print(n, 1)).await.expect("works");
    }
    let kept = store.prints_of(trunk).await.expect("works");
    assert_eq!(kept.len(), PRINTS_MAX as usize);
    assert_eq!(kept[0], print(most + 1, PRINT_NUMBERS), "it comes first");
    assert_eq!(kept[1], print(most + 1 + most, 1), "then the last heard");
    // A person was there: it is one of the many now, and the longest unheard.
    let doubted = HeardPrint {
        persons: 1,
        ..print(most + 1, PRINT_NUMBERS)
    };
    store.put_print(&doubted).await.expect("works");
    store.put_print(&print(4 * most, 1)).await.expect("works");
    let kept = store.prints_of(trunk).await.expect("works");
    assert!(!kept.contains(&doubted), "it made room");
    assert!(store.prints_of(fresh()).await.expect("works").is_empty());
}

async fn messages_have_names_of_their_own(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = VoicemailTemplate {
        id: fresh(),
        client_id: scene.client.id,
        name: "corto".to_owned(),
        language: Language::Es,
        parts: vec![
            VoicemailPart::Text {
                text: "Llame a {company}".to_owned(),
            },
            VoicemailPart::Number,
        ],
        person: "Ana".to_owned(),
        approved_by: None,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    store.put_voicemail(&row, &[]).await.expect("works");
    assert_eq!(store.get_voicemail(row.id).await.expect("is there"), row);
    let same = VoicemailTemplate {
        id: fresh(),
        ..row.clone()
    };
    let taken = store.put_voicemail(&same, &[]).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let changed = VoicemailTemplate {
        approved_by: Some(fresh()),
        version: 2,
        ..row.clone()
    };
    store.put_voicemail(&changed, &[]).await.expect("works");
    let listed = store.list_voicemails(Some(scene.client.id)).await;
    assert_eq!(listed.expect("works"), [changed]);
    let none = store.get_voicemail(fresh::<VoicemailId>()).await;
    assert!(matches!(none, Err(StoreError::NotFound(_))));
}
