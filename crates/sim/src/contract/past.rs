//! What past attempts tell of pacing, and of the next call to the same number.

use super::attempts::ended;
use super::judges::*;
use super::scene::*;
use domain::entity::{CallResult, DialMode, Direction};
use domain::ids::{AgentId, AttemptId};
use domain::ports::store::{
    AttemptChange, AttemptFilter, OpenDraft, OpenOutcome, PAST_SLOT_MS, PastCount,
};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    the_past_is_counted_and_evenly_timed(store).await;
    the_newest_calls_of_each_point_are_told(store).await;
}

/// Opens and ends an attempt; people are joined with `agent` for a minute.
async fn made(store: &Subject, draft: OpenDraft, result: CallResult, agent: Option<AgentId>) {
    let at = draft.attempt.opened_at;
    let opened = store.open_attempt(&draft, &Allow).await.expect("open");
    assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
    let change = AttemptChange {
        invite_at: Some(at),
        bridged_at: agent.map(|_| at.plus_ms(10_000)),
        agent_id: agent,
        ..AttemptChange::default()
    };
    let id = draft.attempt.id;
    store.note_attempt(id, &change, &[]).await.expect("note");
    let mut end = ended(result);
    end.ended_at = Some(at.plus_ms(MINUTE_MS));
    store.close_attempt(id, &end).await.expect("close");
}

async fn the_past_is_counted_and_evenly_timed(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let lease = node(store).await;
    let agents = [fresh::<AgentId>(), fresh::<AgentId>()];
    let at = |n: i64| NOW.plus_ms(n * 10 * MINUTE_MS);
    // Two hours: every ten minutes one, people and nobody by turns.
    for n in 0..12_i64 {
        let draft = person.draft(&lease, None, at(n));
        let (result, agent) = match n % 4 {
            0 => (CallResult::Human, Some(agents[0])),
            2 => (CallResult::Human, Some(agents[1])),
            _ => (CallResult::NoAnswer, None),
        };
        made(store, draft, result, agent).await;
    }
    // These tell nothing of pacing: dialed by hand, come in, before the time, still open.
    let mut by_hand = person.draft(&lease, None, at(1));
    by_hand.attempt.mode = DialMode::Manual;
    made(store, by_hand, CallResult::Human, Some(agents[0])).await;
    let mut came_in = person.draft(&lease, None, at(2));
    came_in.attempt.direction = Direction::Inbound;
    made(store, came_in, CallResult::Human, Some(agents[0])).await;
    let before = person.draft(&lease, None, at(-1));
    made(store, before, CallResult::Human, Some(agents[0])).await;
    person.open(store, &lease, at(3)).await;

    let filter = AttemptFilter {
        client_id: Some(person.debtor.client_id),
        debtor_id: Some(person.debtor.id),
        since: Some(NOW),
        ..AttemptFilter::default()
    };
    let past = store.past_attempts(&filter, 100).await.expect("past");
    let of = |result| {
        let these = past.counts.iter().filter(move |c| c.result == result);
        these.fold((0, 0), |sum, c| (sum.0 + c.attempts, sum.1 + c.joined))
    };
    assert_eq!(of(CallResult::Human), (6, 6));
    assert_eq!(of(CallResult::NoAnswer), (6, 0));
    let whole = |c: &PastCount| c.from.0 % PAST_SLOT_MS == 0 && c.from >= NOW;
    assert!(past.counts.iter().all(whole), "{:?}", past.counts);
    assert!(past.counts.is_sorted_by_key(|c| c.from));
    let hour = |n: i64| UtcMs(NOW.0.div_euclid(HOUR_MS) * HOUR_MS).plus_ms(n * HOUR_MS);
    assert_eq!(past.agents, [(hour(0), 2), (hour(1), 2)]);
    assert_eq!(past.timed.len(), 12);
    let first = past.timed[0];
    assert_eq!(first.result, CallResult::Human);
    assert_eq!(first.bridged_at, Some(NOW.plus_ms(10_000)));
    assert_eq!(first.ended_at, Some(NOW.plus_ms(MINUTE_MS)));

    // Of more than are asked for every third: the counts stay whole.
    let some = store.past_attempts(&filter, 5).await.expect("past");
    assert_eq!((&some.counts, &some.agents), (&past.counts, &past.agents));
    let timed: Vec<_> = some.timed.iter().map(|t| t.invite_at).collect();
    assert_eq!(timed, [2, 5, 8, 11].map(|n| Some(at(n))));
}

/// One of another person, four that came to nothing and one that came to a talk with him who said who he is, ten minutes
/// apart; one that came in and one still open. The attempt of the talk.
async fn called_and_reached(store: &Subject, person: &Person, other: &Person) -> AttemptId {
    let lease = node(store).await;
    let at = |n: i64| NOW.plus_ms(n * 10 * MINUTE_MS);
    for (n, result) in [
        (-1, CallResult::Human),
        (0, CallResult::Busy),
        (1, CallResult::MachineBeep),
        (2, CallResult::NoAnswer),
    ] {
        made(store, person.draft(&lease, None, at(n)), result, None).await;
    }
    // He was reached and said who he is.
    let spoke = person.draft(&lease, None, at(3));
    let id = spoke.attempt.id;
    store.open_attempt(&spoke, &Allow).await.expect("open");
    let change = AttemptChange {
        invite_at: Some(at(3)),
        identity_at: Some(at(3).plus_ms(20_000)),
        ..AttemptChange::default()
    };
    store.note_attempt(id, &change, &[]).await.expect("note");
    let mut end = ended(CallResult::Human);
    end.ended_at = Some(at(3).plus_ms(MINUTE_MS));
    end.disposition = Some("CD.PP".to_owned());
    end.disposed_at = end.ended_at;
    store.close_attempt(id, &end).await.expect("close");
    made(
        store,
        other.draft(&lease, None, at(1)),
        CallResult::Busy,
        None,
    )
    .await;
    // He called us, and one that is still open: no calls of ours that are over.
    let mut came_in = person.draft(&lease, None, at(4));
    came_in.attempt.direction = Direction::Inbound;
    made(store, came_in, CallResult::Human, None).await;
    person.open(store, &lease, at(5)).await;
    id
}

async fn the_newest_calls_of_each_point_are_told(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, other) = (scene.person(store).await, scene.person(store).await);
    let at = |n: i64| NOW.plus_ms(n * 10 * MINUTE_MS);
    let id = called_and_reached(store, &person, &other).await;

    let (his, hers) = (person.debtor.id, other.debtor.id);
    let all = store.past_calls(&[his], NOW, 100).await.expect("calls");
    let told: Vec<_> = all.iter().map(|c| (c.at, c.result, c.identified)).collect();
    let want = [
        (at(0), CallResult::Busy, false),
        (at(1), CallResult::MachineBeep, false),
        (at(2), CallResult::NoAnswer, false),
        (at(3), CallResult::Human, true),
    ];
    assert_eq!(told, want);
    let last = &all[3];
    assert_eq!(
        (last.id, last.debtor_id, last.point_id),
        (id, his, person.point.id)
    );
    assert_eq!(last.disposition.as_deref(), Some("CD.PP"));
    let point = store.get_point(person.point.id).await.expect("point");
    assert_eq!(
        (&last.source, last.added_at),
        (&point.source, point.added_at)
    );
    assert_eq!(
        (last.confidence, last.given_by_debtor),
        (point.confidence, point.given_by_debtor)
    );
    // Of each point the newest two, oldest first.
    let some = store.past_calls(&[hers, his], NOW, 2).await.expect("calls");
    let of = |who| -> Vec<UtcMs> {
        let own = some.iter().filter(move |c| c.debtor_id == who);
        own.map(|c| c.at).collect()
    };
    assert_eq!((of(his), of(hers)), (vec![at(2), at(3)], vec![at(1)]));
    let none = store.past_calls(&[], NOW, 2).await.expect("calls");
    assert!(none.is_empty());
}
