//! Marks of debts: a day of a portfolio, with a file that is half in at its beginning.

use crate::world::{House, NIGHT, Plan, client_id, debt_id, debtor, debtor_id, id};
use domain::entity::{Import, ImportState, PolicyVersion};
use domain::event::Event;
use domain::ids::{ImportId, PolicyId, PortfolioId};
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, DebtorRow, ImportStore as _, NodeStore as _, PlanStore as _,
    PortfolioStore as _,
};
use domain::rules::ageing::AgeingSet;
use domain::rules::offers::ClientTerms;
use sim::contract::imports::file_of;
use sim::store::MemoryStore;

/// A file of one debtor and one debt that is being accepted.
async fn half_file(house: &House, portfolio: PortfolioId, n: u128) -> Import {
    let now = house.clock.now();
    let file = Import {
        id: ImportId(id(95)),
        ..file_of((client_id(), portfolio), now, ImportState::Accepting)
    };
    house.store.put_import(&file, &[]).await.expect("file");
    let drawn = MemoryStore::new();
    debtor(&drawn, n, now).await;
    let row = DebtorRow {
        line: 2,
        debtor: drawn.get_debtor(debtor_id(n)).await.expect("debtor"),
        debt: drawn.get_debt(debt_id(n)).await.expect("debt"),
        items: Vec::new(),
        parties: Vec::new(),
        points: Vec::new(),
        consents: Vec::new(),
        score: None,
        address: None,
    };
    let report = house.store.import_batch(file.id, &[row], false, &[]).await;
    assert_eq!(report.expect("written").debtors_new, 1);
    house.store.get_import(file.id).await.expect("file")
}

#[tokio::test(start_paused = true)]
async fn the_day_of_a_portfolio_is_marked_once_its_file_is_in() {
    // Half an hour before midnight in Mexico.
    let house = House::build(Plan {
        at: NIGHT,
        debtors: 1,
        ..Plan::default()
    })
    .await;
    let debt = house.store.get_debt(debt_id(0)).await.expect("debt");
    let key = format!("aged:{}", debt.portfolio_id);
    let until = async |day: &str| {
        for _ in 0..120 {
            let setting = house.store.get_setting(&key).await.expect("works");
            if setting.as_deref() == Some(day) {
                return;
            }
            house.secs(30).await;
        }
        panic!("never: {day}");
    };
    let marked = async |n: u128| {
        let told = house.store.events_after(0, 10_000).await.expect("events");
        let subject = format!("debt:{}", debt_id(n));
        let of_it = |e: &Event| e.event.kind == "debt.aged" && e.event.subject == subject;
        told.iter().filter(|e| of_it(e)).count()
    };
    until("2026-11-25").await;
    assert_eq!(marked(0).await, 1);
    let file = half_file(&house, debt.portfolio_id, 9).await;
    until("2026-11-26 half").await;
    house.secs(120).await;
    until("2026-11-26 half").await;
    assert_eq!(marked(9).await, 0, "nobody sees him yet");
    let before = marked(0).await;
    let file = Import {
        state: ImportState::Accepted,
        ..file
    };
    house.store.put_import(&file, &[]).await.expect("accepted");
    until("2026-11-26").await;
    assert_eq!((marked(9).await, marked(0).await), (1, before));
}

#[tokio::test(start_paused = true)]
async fn another_set_of_buckets_begins_the_day_again() {
    let house = House::build(Plan {
        at: NIGHT,
        debtors: 1,
        ..Plan::default()
    })
    .await;
    let debt = house.store.get_debt(debt_id(0)).await.expect("debt");
    let key = format!("aged:{}", debt.portfolio_id);
    let until = async |day: &str| {
        for _ in 0..120 {
            let setting = house.store.get_setting(&key).await.expect("works");
            if setting.as_deref() == Some(day) {
                return;
            }
            house.secs(30).await;
        }
        panic!("never: {day}");
    };
    let marks = async || -> Vec<String> {
        let told = house.store.events_after(0, 10_000).await.expect("events");
        let marks = told.iter().filter(|e| e.event.kind == "debt.aged");
        let named = marks.filter_map(|e| e.event.data["bucket"].as_str());
        named.map(str::to_owned).collect()
    };
    until("2026-11-25").await;
    // Due on 1 October.
    assert_eq!(marks().await, ["b31_60"]);
    let version = PolicyVersion {
        id: PolicyId(id(64)),
        client_id: client_id(),
        version: 1,
        terms: ClientTerms {
            ageing: AgeingSet::of_ends(&[0, 50]),
            ..ClientTerms::default()
        },
        note: "x".into(),
        made_by: None,
        made_at: house.clock.now(),
    };
    house.store.add_policy(&version, &[]).await.expect("kept");
    until("2026-11-25 0,50").await;
    assert_eq!(marks().await, ["b31_60"], "what was marked today stays");
    until("2026-11-26 0,50").await;
    assert_eq!(marks().await, ["b31_60", "b51_plus"]);
}
