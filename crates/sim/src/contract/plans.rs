//! Plans: invariant 10, one live plan a debt, money walks it, time breaks it; terms by version.

use super::scene::*;
use domain::entity::{
    DebtStatus, Hold, HoldKind, Instalment, InstalmentState, Language, Payment, Plan, PlanFile,
    PlanState, PolicyVersion,
};
use domain::ids::{InstalmentId, PlanId};
use domain::ports::StoreError;
use domain::ports::store::{PageRequest, PlanDocument, PlanFilter, PlanRefusal};
use domain::rules::offers::ClientTerms;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    terms_by_version(&store).await;
    only_what_adds_up_is_kept(&store).await;
    money_walks_a_plan(&store).await;
    a_day_without_its_hour_counts_from_its_morning(&store).await;
    time_breaks_a_plan(&store).await;
    an_ask_runs_out(&store).await;
}

/// A plan on the whole of a debt, less a quita in minor units, in two instalments.
pub fn agreed(person: &Person, quita_minor: i64) -> PlanFile {
    let id = fresh::<PlanId>();
    let balance_minor = person.debt.balance_minor();
    let agreed_minor = balance_minor - quita_minor;
    let plan = Plan {
        id,
        client_id: person.debt.client_id,
        debtor_id: person.debtor.id,
        debt_id: person.debt.id,
        attempt_id: None,
        agent_id: None,
        currency: mxn(),
        balance_minor,
        interest_minor: person.debt.interest_minor,
        quita_minor,
        agreed_minor,
        freeze_interest: true,
        early_off_minor: 0,
        early_until: None,
        lapses: false,
        policy_version: 0,
        state: PlanState::Approved,
        asked_until: None,
        needs_role: None,
        ask_reason: None,
        answered_by: None,
        answer_reason: None,
        document_sha256: None,
        accepted_channel: None,
        accepted_identity: None,
        made_at: NOW,
        signed_at: None,
        closed_at: None,
    };
    let part = |position: i32, amount_minor: i64| Instalment {
        id: fresh::<InstalmentId>(),
        plan_id: id,
        position,
        due_date: format!("2026-12-{:02}", position * 10),
        grace_until: NOW.plus_ms(i64::from(position) * 10 * DAY_MS),
        amount_minor,
        paid_minor: 0,
        state: InstalmentState::Due,
    };
    let first = agreed_minor / 4;
    PlanFile {
        plan,
        instalments: vec![part(1, first), part(2, agreed_minor - first)],
    }
}

async fn person(store: &Subject) -> Person {
    Scene::new(store).await.person(store).await
}

pub(super) async fn drawn(store: &Subject, file: &PlanFile) -> Result<(), PlanRefusal> {
    store.draw_plan(file, &[]).await.expect("drawn")
}

pub(super) async fn signed(store: &Subject, file: &PlanFile) {
    let mut plan = file.plan.clone();
    plan.state = PlanState::Signed;
    plan.signed_at = Some(NOW);
    let done = store.move_plan(&plan, PlanState::Approved, &[]).await;
    assert!(done.expect("signed"));
}

async fn pay(store: &Subject, person: &Person, amount_minor: i64, at: UtcMs) {
    post(store, person, amount_minor, (at, at)).await;
}

async fn post(
    store: &Subject,
    person: &Person,
    amount_minor: i64,
    (at, posted_at): (UtcMs, UtcMs),
) {
    let payment = Payment {
        paid_at: at,
        posted_at,
        ..person.payment(amount_minor)
    };
    store
        .post_payment(&payment, &[], &of_promise)
        .await
        .expect("paid");
}

pub(super) async fn now(store: &Subject, file: &PlanFile) -> PlanFile {
    store.get_plan(file.plan.id).await.expect("the plan")
}

/// Whether a hold silences the debt at `at`.
async fn silent(store: &Subject, person: &Person, at: UtcMs) -> bool {
    let facts = store
        .contact_facts(person.debtor.id, at)
        .await
        .expect("facts");
    facts.holds.iter().any(|h| {
        h.kind == HoldKind::Promise
            && h.lifted_at.is_none()
            && h.from <= at
            && h.until.is_none_or(|u| at < u)
    })
}

async fn terms_by_version(store: &Subject) {
    let scene = Scene::new(store).await;
    let version = |version: i32, timeout: i32| PolicyVersion {
        id: fresh(),
        client_id: scene.client.id,
        version,
        terms: ClientTerms {
            ask_timeout_s: timeout,
            ..ClientTerms::default()
        },
        note: "first".into(),
        made_by: None,
        made_at: NOW,
    };
    assert_eq!(store.policy_of(scene.client.id).await.expect("none"), None);
    let (one, two) = (version(1, 30), version(2, 90));
    store.add_policy(&one, &[]).await.expect("first");
    let taken = store.add_policy(&version(1, 40), &[]).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let hole = store.add_policy(&version(3, 40), &[]).await;
    assert!(matches!(hole, Err(StoreError::Conflict(_))), "{hole:?}");
    store.add_policy(&two, &[]).await.expect("second");
    let newest = store.policy_of(scene.client.id).await.expect("newest");
    assert_eq!(newest, Some(two.clone()));
    let all = store.policies_of(scene.client.id, 10).await.expect("all");
    assert_eq!(all, [two, one]);
}

async fn only_what_adds_up_is_kept(store: &Subject) {
    let person = person(store).await;
    let mut off = agreed(&person, 10_000);
    off.instalments[1].amount_minor += 1;
    assert_eq!(drawn(store, &off).await, Err(PlanRefusal::Sum));
    let mut other = agreed(&person, 10_000);
    other.plan.balance_minor += 5;
    other.plan.agreed_minor += 5;
    other.instalments[1].amount_minor += 5;
    assert_eq!(drawn(store, &other).await, Err(PlanRefusal::Balance));
    let first = agreed(&person, 0);
    assert_eq!(drawn(store, &first).await, Ok(()));
    let second = agreed(&person, 10_000);
    assert_eq!(drawn(store, &second).await, Ok(()), "in place of the first");
    assert_eq!(now(store, &first).await.plan.state, PlanState::Cancelled);
    assert_eq!(now(store, &second).await, second);
    signed(store, &second).await;
    let third = drawn(store, &agreed(&person, 0)).await;
    assert_eq!(third, Err(PlanRefusal::Runs(second.plan.id)));
    let of_him = store.plans_of(person.debtor.id).await.expect("of him");
    let ids: Vec<PlanId> = of_him.iter().map(|f| f.plan.id).collect();
    assert_eq!(ids, [second.plan.id, first.plan.id]);
    let filter = PlanFilter {
        client_id: Some(person.debt.client_id),
        state: Some(PlanState::Signed),
        ..PlanFilter::default()
    };
    let page = PageRequest {
        limit: 5,
        cursor: None,
    };
    let page = store.plans_page(&filter, &page).await.expect("page");
    assert_eq!(page.items.len(), 1);
}

async fn money_walks_a_plan(store: &Subject) {
    let person = person(store).await;
    let file = agreed(&person, 20_000);
    drawn(store, &file).await.expect("kept");
    assert!(!silent(store, &person, NOW).await, "not accepted yet");
    signed(store, &file).await;
    assert!(silent(store, &person, NOW).await);
    let (first, rest) = (
        file.instalments[0].amount_minor,
        file.instalments[1].amount_minor,
    );
    pay(store, &person, first, NOW.plus_ms(DAY_MS)).await;
    let after = now(store, &file).await;
    assert_eq!(after.plan.state, PlanState::Active);
    assert_eq!(after.instalments[0].state, InstalmentState::Paid);
    assert!(
        silent(store, &person, NOW.plus_ms(15 * DAY_MS)).await,
        "until the second one"
    );
    pay(store, &person, rest, NOW.plus_ms(2 * DAY_MS)).await;
    let after = now(store, &file).await;
    assert_eq!(after.plan.state, PlanState::Completed);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (debt.balance_minor(), debt.status),
        (0, DebtStatus::Paid),
        "the quita is forgiven"
    );
    for (language, byte) in [(Language::Es, 1), (Language::En, 2), (Language::Es, 3)] {
        let document = PlanDocument {
            pdf: vec![byte; 40],
            sha256: "ab".repeat(32),
        };
        store
            .keep_document(file.plan.id, language, &document)
            .await
            .expect("kept");
    }
    let shown = store
        .document_of(file.plan.id, Language::Es)
        .await
        .expect("read");
    assert_eq!(
        shown.map(|d| d.pdf),
        Some(vec![1; 40]),
        "the first one stays"
    );
    let none = store
        .document_of(fresh(), Language::Es)
        .await
        .expect("read");
    assert_eq!(none, None);
    let told = store
        .events_about(&[format!("plan:{}", file.plan.id)])
        .await
        .expect("told");
    assert!(told.iter().any(|e| e.event.kind == "plan.completed"));
}

async fn a_day_without_its_hour_counts_from_its_morning(store: &Subject) {
    let person = person(store).await;
    let file = agreed(&person, 20_000);
    drawn(store, &file).await.expect("kept");
    signed(store, &file).await;
    let first = file.instalments[0].amount_minor;
    // He accepted at 15:00 UTC; a bank that says no hour has its money of that day at noon.
    let own = NOW.plus_ms(-3 * HOUR_MS);
    assert_eq!(own.0 % DAY_MS, DAY_MS / 2);
    for (paid_at, posted_at) in [
        (own.plus_ms(-DAY_MS), NOW.plus_ms(DAY_MS)),
        (own, NOW.plus_ms(-1)),
        (own.plus_ms(-1), NOW.plus_ms(DAY_MS)),
    ] {
        post(store, &person, first, (paid_at, posted_at)).await;
        let state = now(store, &file).await.plan.state;
        assert_eq!(state, PlanState::Signed, "{paid_at} posted {posted_at}");
    }
    let day = (own, NOW.plus_ms(DAY_MS));
    post(store, &person, first, day).await;
    let after = now(store, &file).await;
    assert_eq!(after.instalments[0].state, InstalmentState::Paid);
}

async fn time_breaks_a_plan(store: &Subject) {
    let person = person(store).await;
    let file = agreed(&person, 20_000);
    drawn(store, &file).await.expect("kept");
    signed(store, &file).await;
    let over = file.instalments[0].grace_until;
    let moved = store
        .sweep_plans(over.plus_ms(-1), 500)
        .await
        .expect("sweep");
    assert!(
        moved.iter().all(|p| p.id != file.plan.id),
        "within its grace"
    );
    let moved = store.sweep_plans(over, 500).await.expect("sweep");
    assert!(
        moved
            .iter()
            .any(|p| p.id == file.plan.id && p.state == PlanState::Broken)
    );
    let after = now(store, &file).await;
    assert_eq!(after.instalments[0].state, InstalmentState::Missed);
    assert!(!silent(store, &person, over).await);
    let id = Hold::id_of(file.plan.id.0, HoldKind::Promise);
    let hold = store.get_hold(id).await.expect("its hold");
    assert_eq!(
        (hold.until, hold.lifted_at),
        (Some(over), Some(over)),
        "it says what was silent, not what would have been"
    );
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    let kept = person.debt.balance_minor() - 20_000;
    assert_eq!(debt.balance_minor(), kept, "the contract keeps the quita");
    let again = store.sweep_plans(over, 500).await.expect("again");
    assert!(again.iter().all(|p| p.id != file.plan.id), "once");
}

async fn an_ask_runs_out(store: &Subject) {
    let person = person(store).await;
    let mut file = agreed(&person, 20_000);
    file.plan.state = PlanState::Offered;
    file.plan.asked_until = Some(NOW.plus_ms(60_000));
    drawn(store, &file).await.expect("kept");
    let asked = store.plans_asked().await.expect("asked");
    assert!(asked.iter().any(|p| p.id == file.plan.id));
    store
        .sweep_plans(NOW.plus_ms(60_000), 500)
        .await
        .expect("sweep");
    let after = now(store, &file).await.plan;
    assert_eq!(after.state, PlanState::Cancelled);
    assert_eq!(after.answer_reason.as_deref(), Some("timeout"));
    let mut late = file.plan.clone();
    late.state = PlanState::Approved;
    let moved = store
        .move_plan(&late, PlanState::Offered, &[])
        .await
        .expect("late");
    assert!(!moved, "an answer after the end changes nothing");
}
