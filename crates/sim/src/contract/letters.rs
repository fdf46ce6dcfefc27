//! Letters: each is judged and counted in the transaction that writes it, once a batch and once a step.

use super::judges::{Allow, Refuse, verdict};
use super::scene::*;
use super::strategies::planned;
use domain::entity::{
    BatchState, Channel, CheckPoint, Decision, Language, LedgerKind, LedgerRow, Letter,
    LetterBatch, LetterLevel, PlannedState, PlannedStep, PointClass, StepAction, Verdict,
};
use domain::ids::{LetterBatchId, SegmentId};
use domain::law::{Action, Judge};
use domain::ports::store::{ContactFacts, LetterDraft, LetterOpened};
use domain::time::DAY_MS;
use tokio::task::JoinSet;

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    a_batch_keeps_each_letter_once(store).await;
    a_cap_holds_between_letters(store).await;
    a_step_ends_with_its_letter(store).await;
    what_is_paid_gets_no_letter(store).await;
}

/// A batch that is being made.
#[must_use]
pub fn batch(person: &Person) -> LetterBatch {
    LetterBatch {
        id: fresh::<LetterBatchId>(),
        client_id: person.debt.client_id,
        segment_id: Some(fresh::<SegmentId>()),
        strategy_id: None,
        level: LetterLevel::L2,
        state: BatchState::Running,
        total: 1,
        done: 0,
        made: 0,
        left_out: 0,
        fault: None,
        made_by: None,
        made_at: NOW,
    }
}

fn letter(person: &Person, batch: LetterBatchId) -> Letter {
    Letter {
        id: fresh(),
        client_id: person.debt.client_id,
        debtor_id: person.debtor.id,
        debt_id: person.debt.id,
        batch_id: batch,
        level: LetterLevel::L2,
        language: Language::Es,
        template_id: fresh(),
        letterhead: "Marcador".into(),
        addressee: "Ana".into(),
        subject: "Su cuenta".into(),
        body: "Estimada Ana".into(),
        dated: "2026-11-23".into(),
        made_at: NOW,
    }
}

fn counted(person: &Person) -> LedgerRow {
    LedgerRow {
        id: fresh(),
        person_id: person.debtor.person_id,
        debtor_id: person.debtor.id,
        client_id: person.debt.client_id,
        debts: vec![person.debt.id],
        point_id: None,
        address: String::new().into(),
        class: PointClass::Other,
        channel: Channel::Letter,
        kind: LedgerKind::Message,
        at: NOW,
        attempt_id: None,
        campaign_id: None,
        reached_network: None,
    }
}

/// A letter of it, on its way into the store.
#[must_use]
pub fn draft(person: &Person, batch: LetterBatchId) -> LetterDraft {
    LetterDraft {
        letter: letter(person, batch),
        action: Action {
            verdict_id: fresh(),
            check_point: CheckPoint::Message,
            channel: Channel::Letter,
            point_id: None,
            campaign_id: None,
            campaign_window: None,
            attempts_per_day: None,
            circumstances: domain::entity::Circumstances::default(),
            ring_timeout_ms: 0,
            agent_reserved: false,
            now: NOW,
        },
        ledger: counted(person),
        of: None,
        events: vec![event("letter.rendered", "letter:suite")],
    }
}

pub(super) async fn opened(store: &Subject, draft: &LetterDraft, law: &dyn Judge) -> LetterOpened {
    store.open_letter(draft, law).await.expect("works")
}

async fn a_batch_keeps_each_letter_once(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let mut batch = batch(&person);
    store.put_batch(&batch, &[]).await.expect("begun");
    let (first, second) = (draft(&person, batch.id), draft(&person, batch.id));
    let made = opened(store, &first, &Allow).await;
    assert!(matches!(made, LetterOpened::Made), "{made:?}");
    let had = opened(store, &second, &Allow).await;
    assert!(matches!(had, LetterOpened::Had), "{had:?}");
    batch.done = 1;
    batch.made = 1;
    batch.state = BatchState::Done;
    store.put_batch(&batch, &[]).await.expect("kept");
    assert_eq!(store.get_batch(batch.id).await.expect("batch"), batch);
    let kept = store.letters_of_batch(batch.id, None, 10).await;
    let kept = kept.expect("letters");
    let only = std::slice::from_ref(&first.letter);
    assert_eq!(kept, only, "a debt has one letter");
    let found = store.get_letter(first.letter.id).await.expect("letter");
    assert_eq!(found, first.letter);
    let of_him = store.letters_of(person.debtor.id, 5).await.expect("of him");
    assert_eq!(of_him.len(), 1);
    let ledger = store.ledger_of(person.debtor.id).await.expect("ledger");
    let letters = ledger.iter().filter(|l| l.channel == Channel::Letter);
    assert_eq!(letters.count(), 1);
    let counts = store.stage_counts(&person.debt, NOW).await.expect("counts");
    assert_eq!(counts.channels, 1);
    let judged = store.get_verdict(first.action.verdict_id).await;
    assert_eq!(judged.expect("stored").channel, Channel::Letter);
}

/// A judge whose cap is one letter.
struct OneLetter;

impl Judge for OneLetter {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        let had = facts.ledger.iter().any(|r| r.channel == Channel::Letter);
        let decision = if had { Decision::Deny } else { Decision::Allow };
        verdict(facts, action, decision)
    }
}

/// Batches that run at once ask the law in the transaction that writes: together they keep the cap.
async fn a_cap_holds_between_letters(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let batch = batch(&person);
        store.put_batch(&batch, &[]).await.expect("begun");
        let (store, draft) = (store.clone(), draft(&person, batch.id));
        tasks.spawn(async move { opened(&store, &draft, &OneLetter).await });
    }
    let done = tasks.join_all().await;
    let made = done.iter().filter(|d| matches!(d, LetterOpened::Made));
    let refused = done
        .iter()
        .filter(|d| matches!(d, LetterOpened::Refused(_)));
    assert_eq!((made.count(), refused.count()), (1, 5), "{done:?}");
    let ledger = store.ledger_of(person.debtor.id).await.expect("ledger");
    assert_eq!(ledger.len(), 1, "{ledger:?}");
}

/// A judge who puts everything off to the next day.
struct Tomorrow;

impl Judge for Tomorrow {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        let until = NOW.plus_ms(DAY_MS);
        verdict(facts, action, Decision::Defer { until })
    }
}

async fn planned_letter(store: &Subject, who: &Person) -> PlannedStep {
    let step = PlannedStep {
        action: StepAction::Letter,
        ..planned(who, &name("letter"), 0)
    };
    store
        .plan_steps(std::slice::from_ref(&step), &[])
        .await
        .expect("works");
    step
}

fn of(step: &PlannedStep, who: &Person, batch: &LetterBatch) -> LetterDraft {
    let one = LetterBatch {
        segment_id: None,
        strategy_id: Some(step.strategy_id),
        state: BatchState::Done,
        done: 1,
        made: 1,
        ..batch.clone()
    };
    LetterDraft {
        of: Some((step.id, one)),
        ..draft(who, batch.id)
    }
}

async fn a_step_ends_with_its_letter(store: &Subject) {
    let scene = Scene::new(store).await;
    let (one, two) = (scene.person(store).await, scene.person(store).await);
    let batch = batch(&one);
    for who in [&one, &two] {
        let step = planned_letter(store, who).await;
        let put_off = opened(store, &of(&step, who, &batch), &Tomorrow).await;
        assert!(matches!(put_off, LetterOpened::Refused(_)), "{put_off:?}");
        let waits = store.get_step(step.id).await.expect("works");
        assert_eq!(
            (waits.state, waits.due_at),
            (PlannedState::Planned, NOW.plus_ms(DAY_MS))
        );
        // Two nodes at once: one letter.
        let mut nodes = JoinSet::new();
        for _ in 0..3 {
            let (store, draft) = (store.clone(), of(&step, who, &batch));
            nodes.spawn(async move { opened(&store, &draft, &Allow).await });
        }
        let done = nodes.join_all().await;
        let made = done.iter().filter(|d| matches!(d, LetterOpened::Made));
        assert_eq!(made.count(), 1, "{done:?}");
        let ended = store.get_step(step.id).await.expect("works");
        assert_eq!(ended.state, PlannedState::Done);
    }
    let printed = store.get_batch(batch.id).await.expect("begun by a letter");
    assert_eq!(
        (printed.total, printed.made, printed.state),
        (2, 2, BatchState::Done)
    );
    let refused = planned_letter(store, &one).await;
    let no = opened(store, &of(&refused, &one, &self::batch(&one)), &Refuse).await;
    assert!(matches!(no, LetterOpened::Refused(_)), "{no:?}");
    let ended = store.get_step(refused.id).await.expect("works");
    assert_eq!(
        (ended.state, ended.reason.as_str()),
        (PlannedState::Refused, "suite/rule")
    );
}

async fn what_is_paid_gets_no_letter(store: &Subject) {
    let scene = Scene::new(store).await;
    for (part, reason) in [(1, "debt_closed"), (2, "paid_part")] {
        let who = scene.person(store).await;
        let step = planned_letter(store, &who).await;
        let batch = batch(&who);
        let draft = of(&step, &who, &batch);
        let paid = who.payment(who.debt.balance_minor() / part);
        store
            .post_payment(&paid, &[], &of_promise)
            .await
            .expect("works");
        let stopped = opened(store, &draft, &Allow).await;
        assert!(
            matches!(stopped, LetterOpened::Stopped(why) if why == reason),
            "{stopped:?}"
        );
        let ended = store.get_step(step.id).await.expect("works");
        let known = (ended.state, ended.reason.as_str());
        assert_eq!(known, (PlannedState::Cancelled, reason));
        let keys = std::slice::from_ref(&step.plan_key);
        let taken = store.plan_keys(step.client_id, keys).await;
        assert!(taken.expect("works").is_empty(), "it may be planned again");
        assert!(store.get_batch(batch.id).await.is_err(), "nothing to print");
    }
}
