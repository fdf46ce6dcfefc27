//! What leads to a court: statute dates that are near, and the evidence of a debt.

use super::judges::Allow;
use super::letters::{batch, draft, opened};
use super::plans::{agreed, drawn};
use super::scene::*;
use super::stages::stage;
use domain::entity::{Address, Debt, DebtItem, EvidenceHeld, LetterLevel, Portfolio, Stage};
use domain::ids::{AddressId, DebtId};
use domain::ports::store::{LetterOpened, PageRequest, StageFilter};
use domain::segment::day_of_date;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    a_statute_date_that_is_near_is_told_once(store).await;
    a_statute_date_is_a_day_of_its_portfolio(store).await;
    evidence_is_what_is_stored(store).await;
}

/// A debtor whose debt has a statute date and stands in a stage.
async fn dated(store: &Subject, date: &str) -> Person {
    let mut person = Scene::new(store).await.draft_person();
    person.debt.statute_date = Some(date.into());
    person.store(store).await;
    let row = stage(&person, Stage::Extrajudicial);
    assert!(store.move_stage(&row, None, &[]).await.expect("put"));
    person
}

async fn near(
    store: &Subject,
    of: &Person,
    at: UtcMs,
    ahead: &[(Stage, i64)],
) -> Vec<(DebtId, String)> {
    let client = of.debt.client_id;
    let found = store.near_statute(client, at, ahead, 10).await;
    let found = found.expect("near").into_iter();
    found.map(|(row, date)| (row.debt_id, date)).collect()
}

/// Late cases of his client: as a page and as a number.
async fn late(store: &Subject, of: &Person) -> (usize, u64) {
    let client = of.debt.client_id;
    let filter = StageFilter {
        client_id: Some(client),
        late: true,
        ..StageFilter::default()
    };
    let page = PageRequest {
        limit: 5,
        cursor: None,
    };
    let page = store.stages_page(&filter, &page).await.expect("page");
    let counts = store.late_counts(NOW).await.expect("counts");
    let own = counts.iter().find(|(of, _)| *of == client);
    (page.items.len(), own.map_or(0, |(_, n)| *n))
}

async fn a_statute_date_that_is_near_is_told_once(store: &Subject) {
    let person = dated(store, "2026-12-03").await;
    let ahead = [(Stage::Preventive, 0), (Stage::Extrajudicial, 10)];
    let nobody: [(UtcMs, &[(Stage, i64)]); 4] = [
        (NOW, &[]),
        (NOW, &[(Stage::Extrajudicial, 9)]),
        (NOW, &[(Stage::Prejudicial, 10)]),
        (NOW.plus_ms(11 * DAY_MS), &[(Stage::Extrajudicial, 9)]),
    ];
    for (at, ahead) in nobody {
        assert_eq!(near(store, &person, at, ahead).await, []);
    }
    let own = [(person.debt.id, "2026-12-03".to_owned())];
    for at in [NOW, NOW.plus_ms(10 * DAY_MS)] {
        assert_eq!(near(store, &person, at, &ahead).await, own);
    }
    assert_eq!(late(store, &person).await, (0, 0));
    let row = stage(&person, Stage::Extrajudicial);
    let told = async |date: &str| {
        let event = event("escalation.raised", "debt:suite");
        let noted = store.note_statute(&row, date, &[event]).await;
        noted.expect("told")
    };
    assert!(told("2026-12-03").await);
    assert!(!told("2026-12-03").await, "once");
    assert_eq!(near(store, &person, NOW, &ahead).await, []);
    assert_eq!(late(store, &person).await, (1, 1));
    let moved = Debt {
        statute_date: Some("2026-12-02".into()),
        ..person.debt.clone()
    };
    store.put_debt(&moved, &[]).await.expect("moved");
    assert_eq!(late(store, &person).await, (0, 0), "that date is over");
    let own = [(person.debt.id, "2026-12-02".to_owned())];
    assert_eq!(near(store, &person, NOW, &ahead).await, own);
    assert!(told("2026-12-02").await, "another date, another word");
    let next = stage(&person, Stage::Prejudicial);
    let from = Some(Stage::Extrajudicial);
    assert!(store.move_stage(&next, from, &[]).await.expect("moved"));
    assert!(!told("2026-12-01").await, "it went on");
    let ahead = [(Stage::Prejudicial, 10)];
    assert_eq!(near(store, &person, NOW, &ahead).await, own, "told anew");
}

async fn a_statute_date_is_a_day_of_its_portfolio(store: &Subject) {
    let mexico = dated(store, "2026-12-03").await;
    let midnight = UtcMs(day_of_date("2026-12-03").expect("a day") * DAY_MS);
    let ahead = [(Stage::Extrajudicial, 1)];
    // Six hours behind UTC: its day lasts until six of the next morning there.
    let days = async |of: &Person, hours: i64| {
        let found = near(store, of, midnight.plus_ms(hours * HOUR_MS), &ahead).await;
        found.len()
    };
    for (hours, want) in [(-19, 0), (-18, 1), (0, 1), (29, 1), (30, 0)] {
        assert_eq!(days(&mexico, hours).await, want, "{hours} h");
    }
    // Another portfolio of the client is an hour ahead of UTC.
    let own = store.get_portfolio(mexico.debt.portfolio_id).await;
    let portfolio = Portfolio {
        id: fresh(),
        name: name("portfolio"),
        zone: "Europe/Madrid".into(),
        ..own.expect("portfolio")
    };
    let kept = store.put_portfolio(&portfolio, &[]).await;
    kept.expect("portfolio");
    for (hours, want) in [(-19, 0), (-18, 1), (29, 1), (30, 0)] {
        assert_eq!(days(&mexico, hours).await, want, "{hours} h");
    }
    let moved = Debt {
        portfolio_id: portfolio.id,
        ..mexico.debt.clone()
    };
    store.put_debt(&moved, &[]).await.expect("moved");
    for (hours, want) in [(-26, 0), (-25, 1), (22, 1), (23, 0)] {
        assert_eq!(days(&mexico, hours).await, want, "{hours} h in Madrid");
    }
}

async fn evidence_is_what_is_stored(store: &Subject) {
    let mut person = Scene::new(store).await.draft_person();
    person.debtor.document = "".into();
    person.store(store).await;
    let held = async || {
        let counts = store.stage_counts(&person.debt, NOW).await;
        counts.expect("counts").evidence
    };
    let mut want = EvidenceHeld::default();
    assert_eq!(held().await, want);
    let mut debtor = person.debtor.clone();
    debtor.document = "RUIA800101".into();
    store.put_debtor(&debtor, &[]).await.expect("debtor");
    want.identity = true;
    assert_eq!(held().await, want);
    for bad in [true, false] {
        let address = Address {
            id: fresh::<AddressId>(),
            client_id: person.debtor.client_id,
            debtor_id: person.debtor.id,
            street: format!("Calle {bad}").into(),
            city: "Tijuana".into(),
            region: "BC".into(),
            postcode: "22000".into(),
            country: "MX".into(),
            zone: None,
            source: "agent".into(),
            bad,
            added_at: NOW,
            confirmed_at: NOW,
        };
        store.put_address(&address, &[]).await.expect("address");
        want.address = !bad;
        assert_eq!(held().await, want);
    }
    let mut point = person.point.clone();
    point.last_rpc_at = Some(NOW);
    store.put_point(&point, &[]).await.expect("point");
    want.contact = true;
    assert_eq!(held().await, want);
    let item = DebtItem {
        debt_id: person.debt.id,
        reference: "F-1".into(),
        due_date: person.debt.due_date.clone(),
        amount_minor: person.debt.principal_minor,
    };
    let set = store.set_due_items(person.debt.id, &[item], NOW, &[]).await;
    set.expect("works").expect("a list that adds up");
    want.items = true;
    assert_eq!(held().await, want);
    for level in [LetterLevel::L2, LetterLevel::L3] {
        let batch = batch(&person);
        store.put_batch(&batch, &[]).await.expect("begun");
        let mut letter = draft(&person, batch.id);
        letter.letter.level = level;
        let made = opened(store, &letter, &Allow).await;
        assert!(matches!(made, LetterOpened::Made), "{made:?}");
        want.demand = level == LetterLevel::L3;
        assert_eq!(held().await, want);
    }
    let mut file = agreed(&person, 0);
    file.plan.accepted_channel = Some("link".into());
    drawn(store, &file).await.expect("drawn");
    want.agreement = true;
    assert_eq!(held().await, want);
}
