//! Visits: judged by the real law and counted in the transaction that plans them, settled in the one that ends them.

use super::scene::*;
use domain::entity::{
    Address, Channel, CheckPoint, Circumstances, HoldKind, LedgerKind, LedgerRow, Verdict, Visit,
    VisitOutcome, VisitState,
};
use domain::event::NewEvent;
use domain::ids::{PersonId, VisitId};
use domain::law::{Action, Judge, Replayed, RuleBook, at_his_contract, postal_point};
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{ContactFacts, VisitDraft, VisitEnd, VisitPlanned};
use domain::rules::visit::given_back;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::sync::LazyLock;
use tokio::task::JoinSet;

/// Wednesday of the week, noon in Chile.
const WEDNESDAY: UtcMs = NOW.plus_ms(2 * DAY_MS);
/// The rule under which a call and a visit share one contact a week.
const WEEK: &str = "cl/voice_or_visit_week";

/// Runs the group.
pub async fn all(store: Subject) {
    one_is_planned_judged_and_counted(&store).await;
    two_at_once_take_one_place(&store).await;
    what_came_of_it_settles_its_row(&store).await;
    given_back_it_frees_its_place(&store).await;
    an_end_is_told_once(&store).await;
    holds_promises_and_money_come_first(&store).await;
    decisions_about_it_are_made_again(&store).await;
    segments_and_stages_see_what_was_made(&store).await;
}

/// The law, as it judges who has no postal address among his points.
struct Law(RuleBook);

/// Reading the packs takes longer than all that is judged here: once for all.
static LAW: LazyLock<Law> = LazyLock::new(|| Law(RuleBook::embedded().expect("the packs")));

impl Judge for Law {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        self.0.judge(&at_his_contract(facts.clone()), action)
    }
}

/// A debtor in Chile.
async fn chilean(store: &Subject) -> Person {
    let scene = Scene::new(store).await;
    chilean_of(store, &scene, fresh()).await
}

/// A file of that person in Chile.
async fn chilean_of(store: &Subject, scene: &Scene, who: PersonId) -> Person {
    let mut person = scene.draft_person();
    person.debtor.person_id = who;
    person.debtor.country = "CL".into();
    person.debtor.address_zone = Some("America/Santiago".into());
    person.point.value = "+56912345678".into();
    person.store(store).await;
    let home = Address {
        zone: None,
        country: "CL".into(),
        ..super::addresses::address(&person, "Calle 1")
    };
    store.put_address(&home, &[]).await.expect("address");
    person
}

/// A visit to him, on its way into the store.
async fn draft(store: &Subject, person: &Person, at: UtcMs, now: UtcMs) -> VisitDraft {
    let home = store.addresses_of(person.debtor.id).await.expect("works");
    let facts = store.contact_facts(person.debtor.id, now).await;
    let facts = at_his_contract(facts.expect("facts"));
    let id: VisitId = fresh();
    let action = Action {
        verdict_id: fresh(),
        check_point: CheckPoint::Visit,
        channel: Channel::Visit,
        point_id: postal_point(&facts).map(|p| p.id),
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: Circumstances {
            asked_at: Some(now),
            ..Circumstances::default()
        },
        ring_timeout_ms: 0,
        agent_reserved: true,
        now: at,
    };
    let visit = Visit {
        id,
        client_id: person.debtor.client_id,
        debtor_id: person.debtor.id,
        address_id: home[0].id,
        debts: vec![person.debt.id],
        planned_at: at,
        state: VisitState::Planned,
        verdict_id: action.verdict_id,
        made_by: "user:1".into(),
        made_at: now,
        visited_at: None,
        outcome: None,
        result: None,
        note: Pii(String::new()),
        reason: String::new(),
        ended_by: String::new(),
        ended_at: None,
    };
    VisitDraft {
        ledger: LedgerRow::of_visit(&visit, person.debtor.person_id),
        action,
        events: vec![event("visit.planned", &format!("visit:{id}"))],
        visit,
    }
}

async fn plan(store: &Subject, draft: &VisitDraft) -> VisitPlanned {
    let planned = store.plan_visit(draft, &*LAW).await;
    planned.expect("works")
}

/// A planned visit to him.
async fn planned(store: &Subject, person: &Person, at: UtcMs) -> Visit {
    let draft = draft(store, person, at, NOW).await;
    let done = plan(store, &draft).await;
    assert!(matches!(done, VisitPlanned::Planned), "{done:?}");
    draft.visit
}

/// What came of it, told an hour later.
fn end(visit: &Visit, outcome: VisitOutcome) -> VisitEnd {
    VisitEnd {
        outcome: Some(outcome),
        visited_at: Some(visit.planned_at.plus_ms(HOUR_MS)),
        result: None,
        note: "Casa azul".into(),
        reason: String::new(),
        by: "user:2".into(),
        at: visit.planned_at.plus_ms(2 * HOUR_MS),
    }
}

/// Rules by which he may not be called, as the law reads the store.
async fn refusing(store: &Subject, person: &Person, at: UtcMs) -> Vec<String> {
    let facts = store.contact_facts(person.debtor.id, at).await;
    let asked = person.draft(&node(store).await, None, at).action;
    let verdict = LAW.judge(&facts.expect("facts"), &asked);
    let refused = verdict.rules.into_iter().filter(|r| r.refused);
    refused.map(|r| r.rule).collect()
}

async fn may_call(store: &Subject, person: &Person, at: UtcMs) {
    let rules = refusing(store, person, at).await;
    assert!(rules.is_empty(), "{rules:?}");
}

async fn one_is_planned_judged_and_counted(store: &Subject) {
    let person = chilean(store).await;
    may_call(store, &person, WEDNESDAY).await;
    let visit = planned(store, &person, WEDNESDAY).await;
    assert_eq!(store.get_visit(visit.id).await.expect("kept"), visit);
    let verdict = store.get_verdict(visit.verdict_id).await.expect("stored");
    let told = (verdict.check_point, verdict.channel, verdict.at);
    assert_eq!(told, (CheckPoint::Visit, Channel::Visit, WEDNESDAY));
    assert_eq!(verdict.facts_at(), NOW);
    let ledger = store.ledger_of(person.debtor.id).await.expect("ledger");
    let counted = LedgerRow::of_visit(&visit, person.debtor.person_id);
    assert_eq!(ledger, [counted]);
    // Today already: it is counted from the moment it is planned, and in its own week alone.
    assert_eq!(refusing(store, &person, NOW).await, [WEEK]);
    may_call(store, &person, NOW.plus_ms(7 * DAY_MS)).await;
    let told = store.events_about(&[format!("visit:{}", visit.id)]).await;
    assert_eq!(told.expect("events").len(), 1);
    // A Saturday: refused, and nothing but the decision is kept.
    let other = chilean(store).await;
    let saturday = draft(store, &other, NOW.plus_ms(5 * DAY_MS), NOW).await;
    let VisitPlanned::Refused(why) = plan(store, &saturday).await else {
        panic!("Saturdays are closed");
    };
    assert!(
        why.rules
            .iter()
            .any(|r| r.refused && r.rule == "cl/windows"),
        "{why:?}"
    );
    assert_eq!(store.get_verdict(why.id).await.expect("stored"), *why);
    let none = store.visits_of(other.debtor.id, None, 9).await;
    assert!(none.expect("works").is_empty());
    let none = store.ledger_of(other.debtor.id).await;
    assert!(none.expect("ledger").is_empty());
}

async fn two_at_once_take_one_place(store: &Subject) {
    let scene = Scene::new(store).await;
    let who: PersonId = fresh();
    let person = chilean_of(store, &scene, who).await;
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let draft = draft(store, &person, WEDNESDAY, NOW).await;
        let store = store.clone();
        tasks.spawn(async move { plan(&store, &draft).await });
    }
    let done = tasks.join_all().await;
    let made = done.iter().filter(|d| matches!(d, VisitPlanned::Planned));
    let other = done
        .iter()
        .filter(|d| matches!(d, VisitPlanned::Another(_)));
    assert_eq!((made.count(), other.count()), (1, 5), "{done:?}");
    // Two files of one person have one week.
    let who: PersonId = fresh();
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        let file = chilean_of(store, &scene, who).await;
        let draft = draft(store, &file, WEDNESDAY, NOW).await;
        let store = store.clone();
        tasks.spawn(async move { plan(&store, &draft).await });
    }
    let done = tasks.join_all().await;
    let made = done.iter().filter(|d| matches!(d, VisitPlanned::Planned));
    assert_eq!(made.count(), 1, "{done:?}");
    let by_the_week = |d: &VisitPlanned| match d {
        VisitPlanned::Refused(v) => v.rules.iter().any(|r| r.refused && r.rule == WEEK),
        _ => false,
    };
    assert!(done.iter().any(by_the_week), "{done:?}");
}

async fn what_came_of_it_settles_its_row(store: &Subject) {
    for (outcome, met) in [
        (VisitOutcome::Met, true),
        (VisitOutcome::OtherPerson, false),
        (VisitOutcome::Nobody, false),
    ] {
        let person = chilean(store).await;
        let visit = planned(store, &person, WEDNESDAY).await;
        let how = end(&visit, outcome);
        let told = event("visit.recorded", &format!("visit:{}", visit.id));
        let done = store.end_visit(visit.id, &how, &[told]).await;
        assert!(done.expect("works"), "{outcome}");
        let kept = store.get_visit(visit.id).await.expect("kept");
        assert_eq!(
            (kept.state, kept.outcome, kept.visited_at, kept.ended_at),
            (
                VisitState::Made,
                Some(outcome),
                how.visited_at,
                Some(how.at)
            )
        );
        assert_eq!(kept.note.reveal(), "Casa azul");
        let ledger = store.ledger_of(person.debtor.id).await.expect("ledger");
        let rows: Vec<_> = ledger
            .iter()
            .map(|r| (r.kind, r.at, r.reached_network))
            .collect();
        let at = WEDNESDAY.plus_ms(HOUR_MS);
        assert_eq!(rows, [(LedgerKind::Visit, at, Some(met))]);
        let thursday = WEDNESDAY.plus_ms(DAY_MS);
        if met {
            let mut rules = refusing(store, &person, thursday).await;
            rules.sort();
            assert_eq!(rules, ["cl/after_conversation", WEEK], "{outcome}");
        } else {
            may_call(store, &person, thursday).await;
        }
    }
}

async fn given_back_it_frees_its_place(store: &Subject) {
    let person = chilean(store).await;
    let visit = planned(store, &person, WEDNESDAY).await;
    let later = NOW.plus_ms(HOUR_MS);
    let back = given_back("lluvia", "user:2", later);
    assert!(store.end_visit(visit.id, &back, &[]).await.expect("works"));
    let kept = store.get_visit(visit.id).await.expect("kept");
    assert_eq!(
        (kept.state, kept.reason.as_str()),
        (VisitState::Cancelled, "lluvia")
    );
    let ledger = store.ledger_of(person.debtor.id).await.expect("ledger");
    assert_eq!(
        ledger.iter().map(|r| r.kind).collect::<Vec<_>>(),
        [LedgerKind::Withdrawn]
    );
    may_call(store, &person, later).await;
    let again = planned(store, &person, WEDNESDAY).await;
    let all = store
        .visits_of(person.debtor.id, None, 9)
        .await
        .expect("works");
    assert_eq!(all, [again.clone(), kept.clone()], "newest first");
    let older = store.visits_of(person.debtor.id, Some(again.id), 9).await;
    assert_eq!(older.expect("works"), [kept]);
    let first = store.visits_of(person.debtor.id, None, 1).await;
    assert_eq!(first.expect("works"), [again]);
}

async fn an_end_is_told_once(store: &Subject) {
    let person = chilean(store).await;
    let visit = planned(store, &person, WEDNESDAY).await;
    let mut tasks = JoinSet::new();
    for n in 0..4 {
        let how = match n {
            0 => given_back("lluvia", "user:2", NOW.plus_ms(HOUR_MS)),
            _ => end(&visit, VisitOutcome::Met),
        };
        let (store, id) = (store.clone(), visit.id);
        let told = event("visit.ended", &format!("visit:{id}"));
        tasks.spawn(async move { store.end_visit(id, &how, &[told]).await.expect("works") });
    }
    let done = tasks.join_all().await;
    assert_eq!(done.iter().filter(|d| **d).count(), 1, "{done:?}");
    let told = store.events_about(&[format!("visit:{}", visit.id)]).await;
    assert_eq!(told.expect("events").len(), 2, "its plan and its end");
    let nobody = store
        .end_visit(fresh(), &end(&visit, VisitOutcome::Met), &[])
        .await;
    assert!(
        matches!(nobody, Err(StoreError::NotFound("visit"))),
        "{nobody:?}"
    );
}

async fn withdrawn(store: &Subject, person: &Person) -> Vec<Visit> {
    let told = |v: &Visit| event("visit.cancelled", &format!("visit:{}", v.id));
    let told: &(dyn for<'a> Fn(&'a Visit) -> NewEvent + Send + Sync) = &told;
    let gone = store.withdraw_visits(person.debtor.id, NOW.plus_ms(HOUR_MS), told);
    gone.await.expect("works")
}

async fn holds_promises_and_money_come_first(store: &Subject) {
    let free = chilean(store).await;
    planned(store, &free, WEDNESDAY).await;
    let gone = withdrawn(store, &free).await;
    assert!(gone.is_empty(), "nothing stands against it: {gone:?}");
    for kind in [HoldKind::Dispute, HoldKind::Promise, HoldKind::WritingOnly] {
        let person = chilean(store).await;
        let visit = planned(store, &person, WEDNESDAY).await;
        store.put_hold(&person.hold(kind), &[]).await.expect("held");
        let gone = withdrawn(store, &person).await;
        let told: Vec<_> = gone
            .iter()
            .map(|v| (v.id, v.state, v.reason.as_str()))
            .collect();
        assert_eq!(told, [(visit.id, VisitState::Cancelled, "held")], "{kind}");
        let ledger = store.ledger_of(person.debtor.id).await.expect("ledger");
        assert_eq!(ledger[0].kind, LedgerKind::Withdrawn, "{kind}");
        assert!(withdrawn(store, &person).await.is_empty());
    }
    let payer = chilean(store).await;
    planned(store, &payer, WEDNESDAY).await;
    let payment = payer.payment(10_000);
    let paid = store.post_payment(&payment, &[], &of_promise).await;
    paid.expect("paid");
    let gone = withdrawn(store, &payer).await;
    assert_eq!(
        gone.iter().map(|v| v.reason.as_str()).collect::<Vec<_>>(),
        ["paid_part"]
    );
}

/// A decision of an instant is made again with what was known then, whatever came of the visit.
async fn decisions_about_it_are_made_again(store: &Subject) {
    let person = chilean(store).await;
    let again = async |verdict: &Verdict| {
        let at = verdict.facts_at();
        let then = store.facts_at(person.debtor.id, at).await.expect("facts");
        let again = Replayed::of(&*LAW, &then, verdict);
        assert!(again.same, "{:?}", again.differences);
    };
    let lease = node(store).await;
    let asked = async |at: UtcMs| {
        let facts = store.contact_facts(person.debtor.id, at).await;
        let action = person.draft(&lease, None, at).action;
        LAW.judge(&facts.expect("facts"), &action)
    };
    let before = asked(NOW).await;
    let now = NOW.plus_ms(HOUR_MS);
    let draft = draft(store, &person, WEDNESDAY, now).await;
    assert!(matches!(plan(store, &draft).await, VisitPlanned::Planned));
    let plan = store
        .get_verdict(draft.visit.verdict_id)
        .await
        .expect("stored");
    let meanwhile = asked(now.plus_ms(HOUR_MS)).await;
    assert!(!meanwhile.decision.permits(true), "it is counted");
    for verdict in [&before, &plan, &meanwhile] {
        again(verdict).await;
    }
    let back = given_back("lluvia", "user:2", now.plus_ms(2 * HOUR_MS));
    assert!(
        store
            .end_visit(draft.visit.id, &back, &[])
            .await
            .expect("works")
    );
    let after = asked(now.plus_ms(3 * HOUR_MS)).await;
    assert!(after.decision.permits(true), "{after:?}");
    for verdict in [&before, &plan, &meanwhile, &after] {
        again(verdict).await;
    }
}

async fn segments_and_stages_see_what_was_made(store: &Subject) {
    let person = chilean(store).await;
    let visit = planned(store, &person, WEDNESDAY).await;
    let visited = domain::segment::parse("visits_30d >= 1").expect("an expression");
    let found = async |now: UtcMs| {
        let ids = store
            .segment_ids(person.debtor.client_id, &visited, now)
            .await;
        ids.expect("works").contains(&person.debtor.id)
    };
    let channels = async |now: UtcMs| {
        let counts = store.stage_counts(&person.debt, now).await;
        counts.expect("counts").channels
    };
    assert!(!found(NOW).await, "it is to come");
    assert_eq!(channels(NOW).await, 0);
    let how = end(&visit, VisitOutcome::Nobody);
    assert!(store.end_visit(visit.id, &how, &[]).await.expect("works"));
    let later = WEDNESDAY.plus_ms(DAY_MS);
    assert!(found(later).await);
    assert_eq!(channels(later).await, 1);
    let other = chilean(store).await;
    let visit = planned(store, &other, WEDNESDAY).await;
    let back = given_back("lluvia", "user:2", NOW);
    assert!(store.end_visit(visit.id, &back, &[]).await.expect("works"));
    let ids = store
        .segment_ids(other.debtor.client_id, &visited, later)
        .await;
    assert!(!ids.expect("works").contains(&other.debtor.id));
    let counts = store.stage_counts(&other.debt, later).await;
    assert_eq!(counts.expect("counts").channels, 0);
}
