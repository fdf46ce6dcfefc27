//! What was done about debtors: messages and letters beside the calls.

use super::super::attempts::ended;
use super::super::judges::Allow;
use super::super::scene::*;
use super::super::{letters, messages};
use domain::entity::{CallResult, Channel, MessageState};
use domain::ids::DebtorId;
use domain::ports::store::{LetterOpened, MessageOpened, MessageStep, SentCounts};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// A message that a gateway took at an instant.
async fn sent(store: &Subject, person: &Person, at: UtcMs) {
    let row = messages::waiting(person, None);
    messages::plan(store, &row).await;
    let opened = messages::open(store, person, &row, &Allow).await;
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    let step = MessageStep {
        state: Some(MessageState::Sent),
        at,
        provider_ref: Some(row.id.to_string()),
        ..MessageStep::default()
    };
    let noted = store.note_message(row.id, &step, &[]).await;
    assert!(noted.expect("works"));
}

pub(super) async fn what_left_is_counted(store: &Subject) {
    let scene = Scene::new(store).await;
    let other = Scene::new(store).await;
    let lease = node(store).await;
    let called = scene.person(store).await;
    let written = scene.person(store).await;
    let alone = scene.person(store).await;
    let attempt = called.open(store, &lease, NOW).await;
    let busy = ended(CallResult::Busy);
    let closed = store.close_attempt(attempt.id, &busy).await;
    closed.expect("close");
    sent(store, &called, NOW.plus_ms(MINUTE_MS)).await;
    sent(store, &called, NOW.plus_ms(2 * MINUTE_MS)).await;
    let elsewhere = other.person(store).await;
    sent(store, &elsewhere, NOW.plus_ms(MINUTE_MS)).await;
    // One that waits has not left.
    messages::plan(store, &messages::waiting(&alone, None)).await;
    let batch = letters::batch(&written);
    store.put_batch(&batch, &[]).await.expect("begun");
    let draft = letters::draft(&written, batch.id);
    let made = letters::opened(store, &draft, &Allow).await;
    assert!(matches!(made, LetterOpened::Made), "{made:?}");
    let left = async |from: i64, to: i64| {
        let (from, to) = (NOW.plus_ms(from), NOW.plus_ms(to));
        let counts = store.sent_counts(scene.client.id, from, to).await;
        let SentCounts { messages, letters } = counts.expect("counts");
        (messages, letters)
    };
    assert_eq!(left(0, HOUR_MS).await, (2, 1));
    assert_eq!(left(0, MINUTE_MS).await, (0, 1));
    assert_eq!(left(MINUTE_MS, 2 * MINUTE_MS).await, (1, 0));
    assert_eq!(left(-HOUR_MS, 0).await, (0, 0));
    let ids = [&called, &written, &alone].map(|p| p.debtor.id);
    let done = async |since: UtcMs| {
        let done = store.actions_of(&ids, since).await.expect("actions");
        let told = |a: &domain::ports::store::DebtorActions| {
            let last = (a.last_channel, a.last_result);
            (a.debtor_id, [a.attempts, a.messages, a.letters], last)
        };
        let mut told: Vec<_> = done.iter().map(told).collect();
        told.sort_by_key(|(id, ..)| *id != called.debtor.id);
        told
    };
    let who = |n: usize| -> DebtorId { ids[n] };
    assert_eq!(
        done(NOW).await,
        [
            (who(0), [1, 2, 0], (Channel::Sms, None)),
            (who(1), [0, 0, 1], (Channel::Letter, None)),
        ]
    );
    // What came before the instant is not told of.
    let since = NOW.plus_ms(2 * MINUTE_MS);
    assert_eq!(
        done(since).await,
        [(who(0), [0, 1, 0], (Channel::Sms, None))]
    );
}
