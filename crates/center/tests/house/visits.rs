//! Visits: planned with the law's leave, counted with the calls, recorded, given back, and seen where the debtor is
//! seen.

use crate::messages::{house, somebody};
use crate::world::{House, debt_id, debtor_id, id};
use center::{CenterError, VisitAsk, VisitTold};
use domain::entity::{
    Address, Channel, Consent, HoldKind, LedgerKind, Visit, VisitOutcome, VisitState,
};
use domain::ids::{AddressId, ConsentId, VisitId};
use domain::ports::Clock as _;
use domain::ports::store::{
    AddressStore as _, CatalogStore as _, ContactStore as _, LawStore as _, VisitStore as _,
};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};

/// Where debtor `n` lives.
async fn home(house: &House, n: u128) -> AddressId {
    let now = house.clock.now();
    let row = Address {
        id: AddressId(id(40_000 + n)),
        client_id: crate::world::client_id(),
        debtor_id: debtor_id(n),
        street: "Calle 1".into(),
        city: "Puebla".into(),
        region: String::new(),
        postcode: "72000".into(),
        country: "MX".into(),
        zone: None,
        source: "import".into(),
        bad: false,
        added_at: now,
        confirmed_at: now,
    };
    house.store.put_address(&row, &[]).await.expect("works");
    row.id
}

async fn plan(house: &House, n: u128, at: UtcMs) -> Result<Visit, CenterError> {
    let ask = VisitAsk {
        debtor_id: debtor_id(n),
        address_id: home(house, n).await,
        at,
    };
    house.center.plan_visit(somebody(), ask).await
}

fn told(outcome: VisitOutcome, visited_at: UtcMs) -> VisitTold {
    VisitTold {
        outcome,
        visited_at,
        result: None,
        note: "Casa azul".into(),
    }
}

async fn record(house: &House, id: VisitId, told: VisitTold) -> Result<Visit, CenterError> {
    house.center.record_visit(somebody(), id, told).await
}

/// The debtor lives elsewhere.
async fn moves(house: &House, n: u128, (country, zone, phone): (&str, &str, &str)) {
    let mut row = house.store.get_debtor(debtor_id(n)).await.expect("debtor");
    row.country = country.into();
    row.address_zone = Some(zone.into());
    house.store.put_debtor(&row, &[]).await.expect("works");
    let point = house.store.get_point(crate::world::point_id(n)).await;
    let mut point = point.expect("point");
    point.value = phone.into();
    house.store.put_point(&point, &[]).await.expect("works");
}

/// The rules of a refusal, after a look at its words.
fn rules_of(refused: Result<Visit, CenterError>) -> (&'static str, Vec<String>) {
    match refused {
        Err(CenterError::Unlawful {
            code,
            es,
            en,
            rules,
        }) => {
            assert!(!es.is_empty() && !en.is_empty() && es != en);
            (code, rules)
        }
        other => panic!("the law refuses it: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_visit_is_planned_recorded_and_told_row_35() {
    let (house, _) = house(1).await;
    let at = house.clock.now().plus_ms(HOUR_MS);
    let visit = plan(&house, 0, at).await.expect("planned");
    assert_eq!(
        (visit.state, visit.debts.as_slice()),
        (VisitState::Planned, [debt_id(0)].as_slice())
    );
    let waits = plan(&house, 0, at.plus_ms(HOUR_MS))
        .await
        .expect_err("one at a time");
    assert_eq!(waits.code(), "visit_waits");
    let early = record(&house, visit.id, told(VisitOutcome::Met, at)).await;
    assert_eq!(early.expect_err("to come").code(), "visit_told");
    house.secs(2 * 3_600).await;
    let with_code = |code: &str, outcome| VisitTold {
        result: Some(code.to_owned()),
        ..told(outcome, at)
    };
    for wrong in [
        with_code("NADA.DE.ESO", VisitOutcome::Met),
        with_code("CD.NP.NOQUIERE", VisitOutcome::Nobody),
        told(VisitOutcome::Met, at.plus_ms(-DAY_MS)),
    ] {
        let wrong = record(&house, visit.id, wrong).await;
        assert_eq!(wrong.expect_err("cannot be so").code(), "visit_told");
    }
    let right = with_code("CD.NP.NOQUIERE", VisitOutcome::Met);
    let made = record(&house, visit.id, right).await.expect("recorded");
    assert_eq!(made, house.store.get_visit(visit.id).await.expect("kept"));
    assert_eq!((made.state, made.visited_at), (VisitState::Made, Some(at)));
    let again = record(&house, visit.id, told(VisitOutcome::Nobody, at)).await;
    assert_eq!(again.expect_err("once").code(), "visit_over");
    let back = house
        .center
        .cancel_visit(somebody(), visit.id, "x".into())
        .await;
    assert_eq!(back.expect_err("once").code(), "visit_over");
    let kinds = house.kinds().await;
    for kind in ["visit.planned", "visit.recorded"] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kind}");
    }
    let all = house.store.events_after(0, 10_000).await.expect("works");
    assert!(
        !format!("{all:?}").contains("Casa azul"),
        "a note is told to nobody"
    );
    // A decision about an instant to come is made again with what was known when it was made.
    let stored = house
        .store
        .get_verdict(visit.verdict_id)
        .await
        .expect("stored");
    let replayed = house.center.replay(&stored).await.expect("works");
    assert!(replayed.same, "{:?}", replayed.differences);
}

#[tokio::test(start_paused = true)]
async fn where_and_when_a_visit_may_be_is_said_by_name_row_35() {
    let (house, _) = house(2).await;
    let now = house.clock.now();
    let other = home(&house, 1).await;
    let mine = home(&house, 0).await;
    let mut bad = house.store.get_address(mine).await.expect("works");
    bad.id = AddressId(id(40_100));
    bad.bad = true;
    house.store.put_address(&bad, &[]).await.expect("works");
    for address_id in [other, bad.id, AddressId(id(1))] {
        let ask = VisitAsk {
            debtor_id: debtor_id(0),
            address_id,
            at: now.plus_ms(HOUR_MS),
        };
        match house.center.plan_visit(somebody(), ask).await {
            Err(CenterError::Invalid { code, field, .. }) => {
                assert_eq!((code, field), ("visit_address", "address_id"));
            }
            wrong => panic!("not an address of his: {wrong:?}"),
        }
    }
    for at in [now.plus_ms(-2 * MINUTE_MS), now.plus_ms(31 * DAY_MS)] {
        let refused = plan(&house, 0, at).await.expect_err("out of reach");
        assert_eq!(refused.code(), "visit_time");
    }
    let none = house.store.visits_of(debtor_id(0), None, 9).await;
    assert!(none.expect("works").is_empty());
    let ledger = house.store.ledger_of(debtor_id(0)).await;
    assert!(ledger.expect("works").is_empty());
}

#[tokio::test(start_paused = true)]
async fn colombia_wants_the_product_and_the_consent_and_peru_its_hours_row_35() {
    let (house, _) = house(2).await;
    let now = house.clock.now();
    let at = now.plus_ms(HOUR_MS);
    moves(&house, 0, ("CO", "America/Bogota", "+573001234567")).await;
    let (code, rules) = rules_of(plan(&house, 0, at).await);
    assert_eq!(code, "blocked_rule");
    assert!(rules.iter().any(|r| r == "co/visits"), "{rules:?}");
    let mut debt = house.store.get_debt(debt_id(0)).await.expect("works");
    debt.product = "Microcrédito rural".into();
    house.store.put_debt(&debt, &[]).await.expect("works");
    let (_, rules) = rules_of(plan(&house, 0, at).await);
    assert!(rules.iter().any(|r| r == "co/visits"), "{rules:?}");
    let consent = Consent {
        id: ConsentId(id(50_000)),
        debtor_id: debtor_id(0),
        channel: Channel::Visit,
        purpose: "contact".into(),
        granted_at: now.plus_ms(-DAY_MS),
        until: None,
        revoked_at: None,
        proof: "carta".into(),
        revoke_proof: None,
    };
    house.store.put_consent(&consent, &[]).await.expect("works");
    let visit = plan(&house, 0, at).await.expect("with both it is allowed");
    let stored = house
        .store
        .get_verdict(visit.verdict_id)
        .await
        .expect("kept");
    assert!(stored.decision.permits(true));
    moves(&house, 1, ("PE", "America/Lima", "+51912345678")).await;
    // Wednesday, the Saturday behind it.
    let saturday = at.plus_ms(3 * DAY_MS);
    let (code, rules) = rules_of(plan(&house, 1, saturday).await);
    assert_eq!(
        (code, rules.as_slice()),
        ("blocked_window", ["pe/windows".to_owned()].as_slice())
    );
    plan(&house, 1, at).await.expect("on a working day");
}

/// Rules by which a call to debtor 0 is refused now.
async fn refusing(house: &House) -> Vec<String> {
    let why = house.center.why_not(debtor_id(0), None).await;
    let why = why.expect("told");
    let refused = why.verdicts.iter().flat_map(|v| &v.rules);
    refused
        .filter(|r| r.refused)
        .map(|r| r.rule.clone())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn in_chile_a_planned_or_met_visit_takes_the_call_of_the_week_row_35() {
    let (house, _) = house(1).await;
    moves(&house, 0, ("CL", "America/Santiago", "+56912345678")).await;
    let week = |rules: &[String]| rules.iter().any(|r| r == "cl/voice_or_visit_week");
    assert!(!week(&refusing(&house).await));
    let at = house.clock.now().plus_ms(HOUR_MS);
    let visit = plan(&house, 0, at).await.expect("planned");
    assert!(week(&refusing(&house).await), "it is counted from now on");
    let back = house
        .center
        .cancel_visit(somebody(), visit.id, "lluvia".into());
    let back = back.await.expect("given back");
    assert_eq!(
        (back.state, back.reason.as_str()),
        (VisitState::Cancelled, "lluvia")
    );
    assert!(!week(&refusing(&house).await), "its place is free");
    let visit = plan(&house, 0, at).await.expect("planned again");
    house.secs(3_700).await;
    let nobody = record(&house, visit.id, told(VisitOutcome::Nobody, at)).await;
    nobody.expect("recorded");
    assert!(!week(&refusing(&house).await), "nobody was met");
    let soon = house.clock.now().plus_ms(HOUR_MS);
    let visit = plan(&house, 0, soon).await.expect("another");
    house.secs(3_700).await;
    let met = record(&house, visit.id, told(VisitOutcome::Met, soon)).await;
    met.expect("recorded");
    let rules = refusing(&house).await;
    assert!(week(&rules), "{rules:?}");
    let (code, rules) = rules_of(plan(&house, 0, soon.plus_ms(DAY_MS)).await);
    assert_eq!(code, "blocked_cap");
    assert!(week(&rules), "{rules:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hold_gives_a_planned_visit_back_row_35() {
    for kind in [HoldKind::Dispute, HoldKind::Promise] {
        let (house, _) = house(1).await;
        let at = house.clock.now().plus_ms(HOUR_MS);
        let visit = plan(&house, 0, at).await.expect("planned");
        let hold = house.hold(debtor_id(0), kind);
        let placed = house.center.place_hold(somebody(), hold).await;
        placed.expect("placed");
        house.secs(2).await;
        let gone = house.store.get_visit(visit.id).await.expect("kept");
        let why = (gone.state, gone.reason.as_str(), gone.ended_by.as_str());
        assert_eq!(why, (VisitState::Cancelled, "held", "system"), "{kind}");
        let ledger = house.store.ledger_of(debtor_id(0)).await.expect("works");
        assert_eq!(ledger[0].kind, LedgerKind::Withdrawn);
        let kinds = house.kinds().await;
        assert!(kinds.iter().any(|k| k == "visit.cancelled"), "{kind}");
        let (code, _) = rules_of(plan(&house, 0, at).await);
        assert_eq!(code, "blocked_hold", "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_card_shows_visits_in_its_one_timeline_row_06() {
    let house = House::with(1).await;
    let tomorrow = house.clock.now().plus_ms(DAY_MS);
    plan(&house, 0, tomorrow).await.expect("planned");
    let agent = house.agent(1).await;
    house.start().await;
    house.talking(&agent).await;
    let pop = agent.of_kind("pop").pop().expect("a card").1;
    let lines = pop["timeline"].as_array().expect("a timeline").clone();
    let visit = lines.iter().find(|l| l["kind"] == "visit").expect("told");
    assert_eq!(visit["text_es"], "visita planeada");
    assert_eq!(visit["text_en"], "visit planned");
}
