//! Stages, excuses and texts of letters.

use super::scene::*;
use domain::entity::{
    DebtStage, Excuse, ExcuseKind, Hold, HoldKind, HoldScope, Language, LetterLevel,
    LetterTemplate, LinkState, PaymentLink, Stage,
};
use domain::ids::DebtId;
use domain::ports::StoreError;
use domain::ports::store::{PageRequest, StageFilter};
use domain::rules::stage::{HOLD_EVIDENCE, hold_of};
use domain::time::DAY_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    a_debt_moves_once(&store).await;
    a_stage_that_stops_contact_holds_its_debt(&store).await;
    a_stage_that_never_held_its_debt_holds_it_from_now_on(&store).await;
    a_debt_that_is_sold_loses_its_links(&store).await;
    late_cases_are_told_once(&store).await;
    excuses_are_counted(&store).await;
    texts_by_version(&store).await;
    super::letters::all(&store).await;
    super::court::all(&store).await;
}

/// A debt in a stage since `NOW`, which it has a day to leave.
#[must_use]
pub fn stage(person: &Person, stage: Stage) -> DebtStage {
    DebtStage {
        debt_id: person.debt.id,
        client_id: person.debt.client_id,
        debtor_id: person.debtor.id,
        stage,
        entered_at: NOW,
        deadline: Some(NOW.plus_ms(DAY_MS)),
        owner_id: None,
        late_at: None,
        statute_told: None,
        moved_by: "system".into(),
        reason: "age".into(),
    }
}

async fn a_debt_moves_once(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    assert_eq!(store.stage_of(person.debt.id).await.expect("none"), None);
    let before = DebtId(uuid::Uuid::from_u128(person.debt.id.0.as_u128() - 1));
    let bare = store.unstaged(Some(before), 1).await.expect("bare");
    assert_eq!(bare, std::slice::from_ref(&person.debt));
    let first = stage(&person, Stage::Extrajudicial);
    assert!(store.move_stage(&first, None, &[]).await.expect("put"));
    assert!(
        !store.move_stage(&first, None, &[]).await.expect("again"),
        "it stands there"
    );
    let again = stage(&person, Stage::Judicial);
    store.begin_stages(&[again]).await.expect("begun");
    let stands = store.stage_of(person.debt.id).await.expect("stage");
    assert_eq!(
        stands.map(|s| s.stage),
        Some(Stage::Extrajudicial),
        "it keeps its own"
    );
    let next = stage(&person, Stage::Prejudicial);
    let from = Some(Stage::Extrajudicial);
    assert!(store.move_stage(&next, from, &[]).await.expect("moved"));
    assert!(
        !store.move_stage(&next, from, &[]).await.expect("moved"),
        "no longer there"
    );
    let filter = StageFilter {
        client_id: Some(person.debt.client_id),
        stage: Some(Stage::Prejudicial),
        ..StageFilter::default()
    };
    let page = PageRequest {
        limit: 5,
        cursor: None,
    };
    let page = store.stages_page(&filter, &page).await.expect("page");
    assert_eq!(page.items, [next]);
    let counts = store.stage_counts(&person.debt, NOW).await.expect("counts");
    assert_eq!(
        (counts.attempts, counts.agreed, counts.held),
        (0, false, false)
    );
}

async fn a_stage_that_stops_contact_holds_its_debt(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let own = Some(person.debt.id);
    let by_hand = Hold {
        scope: HoldScope::Debt,
        debt_id: own,
        evidence: HOLD_EVIDENCE.into(),
        ..person.hold(HoldKind::Judicial)
    };
    store.put_hold(&by_hand, &[]).await.expect("hold");
    let way = [
        (Stage::Prejudicial, None),
        (Stage::Judicial, Some(HoldKind::Judicial)),
        (Stage::Sold, Some(HoldKind::Recalled)),
        (Stage::Prejudicial, None),
        (Stage::Judicial, Some(HoldKind::Judicial)),
        (Stage::WrittenOff, None),
    ];
    let (mut from, mut at) = (None, NOW);
    for (to, want) in way {
        at = at.plus_ms(1_000);
        let row = DebtStage {
            entered_at: at,
            ..stage(&person, to)
        };
        assert!(store.move_stage(&row, from, &[]).await.expect("moved"));
        from = Some(to);
        let facts = store.contact_facts(person.debtor.id, at).await;
        let mut holds = facts.expect("facts").holds;
        holds.retain(|h| h.id != by_hand.id);
        let found: Vec<_> = holds.iter().map(|h| (h.scope, h.debt_id, h.kind)).collect();
        let want: Vec<_> = want
            .map(|kind| (HoldScope::Debt, own, kind))
            .into_iter()
            .collect();
        assert_eq!(found, want, "{to}");
    }
    let stands = store.get_hold(by_hand.id).await.expect("hold");
    assert_eq!(stands.lifted_at, None, "who placed it lifts it");
    // What held it in between can still be read.
    let then = store.facts_at(person.debtor.id, NOW.plus_ms(2_500)).await;
    let then = then.expect("facts").holds.into_iter();
    let judicial = then.filter(|h| h.active_at(NOW.plus_ms(2_500)) && h.id != by_hand.id);
    assert_eq!(
        judicial.map(|h| h.kind).collect::<Vec<_>>(),
        [HoldKind::Judicial]
    );
}

/// Debts that entered their stage before stages placed holds.
async fn a_stage_that_never_held_its_debt_holds_it_from_now_on(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, calm, left) = (
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    );
    let rows = [
        stage(&person, Stage::Sold),
        stage(&calm, Stage::WrittenOff),
        stage(&left, Stage::Judicial),
    ];
    store.begin_stages(&rows).await.expect("begun");
    let bare = async || {
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let (rows, last) = store.unheld_stages(after, 2).await.expect("looked");
            all.extend(rows.into_iter().filter(|s| s.client_id == scene.client.id));
            match last {
                Some(last) => after = Some(last),
                None => break all,
            }
        }
    };
    assert_eq!(bare().await, [rows[0].clone(), rows[2].clone()]);
    let later = NOW.plus_ms(DAY_MS);
    let away = DebtStage {
        entered_at: later,
        ..stage(&left, Stage::Prejudicial)
    };
    let moved = store.move_stage(&away, Some(Stage::Judicial), &[]).await;
    assert!(moved.expect("moved"));
    let place = async |row: &DebtStage| store.place_stage_hold(row, later, &[]).await;
    assert!(!place(&rows[2]).await.expect("asked"), "it moved on");
    assert!(place(&rows[0]).await.expect("placed"));
    assert!(!place(&rows[0]).await.expect("asked"), "once");
    let hold = store.get_hold(hold_of(&rows[0]).expect("holds").id).await;
    let mut hold = hold.expect("hold");
    assert_eq!(
        (hold.kind, hold.from, hold.lifted_at),
        (HoldKind::Recalled, later, None),
        "not for what was done before"
    );
    assert_eq!(bare().await, []);
    // Somebody lifted it: it is not placed again.
    hold.lifted_at = Some(later);
    store.put_hold(&hold, &[]).await.expect("lifted");
    assert!(bare().await.is_empty() && !place(&rows[0]).await.expect("asked"));
}

async fn a_debt_that_is_sold_loses_its_links(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let other = scene.draft_debt(person.debtor.id, 50_000);
    store.put_debt(&other, &[]).await.expect("debt");
    let mut links = Vec::new();
    for (debt, state) in [
        (person.debt.id, LinkState::Created),
        (person.debt.id, LinkState::Opened),
        (person.debt.id, LinkState::Paid),
        (other.id, LinkState::Created),
    ] {
        let row = PaymentLink {
            debt_id: debt,
            state,
            ..super::pay_links::link(&person)
        };
        store.put_payment_link(&row, &[]).await.expect("made");
        links.push(row.id);
    }
    let states = async || {
        let mut states = Vec::new();
        for id in &links {
            states.push(store.get_payment_link(*id).await.expect("link").state);
        }
        states
    };
    use LinkState::{Cancelled, Created, Opened, Paid};
    let judicial = stage(&person, Stage::Judicial);
    store.move_stage(&judicial, None, &[]).await.expect("moved");
    assert_eq!(states().await, [Created, Opened, Paid, Created]);
    let sold = DebtStage {
        entered_at: NOW.plus_ms(1),
        ..stage(&person, Stage::Sold)
    };
    let from = Some(Stage::Judicial);
    assert!(store.move_stage(&sold, from, &[]).await.expect("moved"));
    assert_eq!(states().await, [Cancelled, Cancelled, Paid, Created]);
    for (id, told) in links.iter().zip([1, 1, 0, 0]) {
        let events = store.events_about(&[format!("payment_link:{id}")]).await;
        let events = events.expect("told");
        let ended = events
            .iter()
            .filter(|e| e.event.kind == "payment_link.cancelled");
        assert_eq!(ended.count(), told);
    }
}

async fn late_cases_are_told_once(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let row = stage(&person, Stage::Administrative);
    store.move_stage(&row, None, &[]).await.expect("put");
    let due = NOW.plus_ms(DAY_MS);
    let counts = store.late_counts(due.plus_ms(-1)).await.expect("counts");
    assert!(counts.iter().all(|(c, _)| *c != person.debt.client_id));
    let mine = |rows: Vec<DebtStage>| rows.into_iter().any(|s| s.debt_id == person.debt.id);
    assert!(mine(store.late_stages(due, 10_000).await.expect("late")));
    assert!(store.note_late(&row, due, &[]).await.expect("told"));
    assert!(
        !store.note_late(&row, due, &[]).await.expect("told"),
        "once"
    );
    assert!(!mine(store.late_stages(due, 10_000).await.expect("late")));
    let counts = store.late_counts(due).await.expect("counts");
    assert!(
        counts.contains(&(person.debt.client_id, 1)),
        "it is still late"
    );
}

async fn excuses_are_counted(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    for kind in [ExcuseKind::Forgot, ExcuseKind::Illness, ExcuseKind::Forgot] {
        let row = Excuse {
            id: fresh(),
            client_id: person.debt.client_id,
            debtor_id: person.debtor.id,
            promise_id: None,
            attempt_id: fresh(),
            agent_id: None,
            kind,
            at: NOW,
        };
        store.add_excuse(&row, &[]).await.expect("logged");
    }
    let client = person.debt.client_id;
    let counts = store
        .excuse_counts(client, NOW, NOW.plus_ms(1))
        .await
        .expect("counts");
    assert_eq!(counts, [(ExcuseKind::Forgot, 2), (ExcuseKind::Illness, 1)]);
    let none = store
        .excuse_counts(client, NOW.plus_ms(1), NOW.plus_ms(2))
        .await;
    assert_eq!(none.expect("counts"), []);
    assert_eq!(
        store
            .excuses_of(person.debtor.id, 2)
            .await
            .expect("of him")
            .len(),
        2
    );
}

async fn texts_by_version(store: &Subject) {
    let scene = Scene::new(store).await;
    let text = |version: i32, level: LetterLevel| LetterTemplate {
        id: fresh(),
        client_id: scene.client.id,
        level,
        language: Language::Es,
        version,
        letterhead: "Marcador".into(),
        subject: "Su cuenta".into(),
        body: format!("versión {version}"),
        made_by: None,
        made_at: NOW,
    };
    let (one, two) = (text(1, LetterLevel::L1), text(2, LetterLevel::L1));
    store.add_letter_template(&one, &[]).await.expect("first");
    let again = store
        .add_letter_template(&text(1, LetterLevel::L1), &[])
        .await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    store.add_letter_template(&two, &[]).await.expect("second");
    let other = text(1, LetterLevel::L4);
    store
        .add_letter_template(&other, &[])
        .await
        .expect("another level");
    let all = store
        .letter_templates(scene.client.id)
        .await
        .expect("newest");
    assert_eq!(all, [two.clone(), other]);
    let found = store
        .letter_template(scene.client.id, LetterLevel::L1, Language::Es)
        .await;
    assert_eq!(found.expect("newest"), Some(two));
}
