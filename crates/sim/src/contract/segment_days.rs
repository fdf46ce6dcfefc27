//! Segments count days by the zone of the debtor's portfolio, also where a client's portfolios are on two dates.

use super::scene::*;
use domain::entity::{Complaint, ComplaintState, DebtItem, Portfolio};
use domain::ids::{ComplaintId, DebtorId, PortfolioId};
use domain::segment::{Expr, day_of_date, parse};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

/// Two in the night of 23 November in UTC: the evening before in Mexico and California, already morning in Madrid.
fn night() -> UtcMs {
    UtcMs(day_of_date("2026-11-23").expect("a date") * DAY_MS).plus_ms(2 * HOUR_MS)
}

/// What of the debt falls due later.
const LATER_MINOR: i64 = 100;

/// A portfolio of the same client in another zone.
async fn beside(store: &Subject, scene: &Scene, zone: &str) -> Scene {
    let portfolio = Portfolio {
        id: fresh::<PortfolioId>(),
        name: name("portfolio"),
        zone: zone.into(),
        ..scene.portfolio.clone()
    };
    let kept = store.put_portfolio(&portfolio, &[]).await;
    kept.expect("portfolio");
    Scene {
        client: scene.client.clone(),
        portfolio,
    }
}

/// A debtor with an item that fell due on the 22nd and one that does on the 26th, who promised for the 25th and has to
/// be answered until 1 December.
async fn debtor(store: &Subject, scene: &Scene) -> DebtorId {
    let mut person = scene.draft_person();
    person.debt.due_date = "2026-11-22".into();
    person.store(store).await;
    let item = |reference: &str, due_date: &str, amount_minor: i64| DebtItem {
        debt_id: person.debt.id,
        reference: reference.into(),
        due_date: due_date.into(),
        amount_minor,
    };
    let rest = person.debt.principal_minor - LATER_MINOR;
    let items = [
        item("F1", "2026-11-22", rest),
        item("F2", "2026-11-26", LATER_MINOR),
    ];
    let set = store.set_due_items(person.debt.id, &items, NOW, &[]).await;
    set.expect("items").expect("they add up");
    let promised = store.put_promise(&person.promise(1_000), &[]).await;
    promised.expect("promise");
    let complaint = Complaint {
        id: fresh::<ComplaintId>(),
        client_id: person.debtor.client_id,
        debtor_id: person.debtor.id,
        authority: "CONDUSEF".into(),
        number: name("case"),
        received_at: NOW,
        deadline: "2026-12-01".into(),
        state: ComplaintState::Open,
        summary: "llamadas".into(),
        answer: None,
        answered_at: None,
        created_at: NOW,
    };
    let kept = store.put_complaint(&complaint, &[]).await;
    kept.expect("complaint");
    person.debtor.id
}

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    let scene = Scene::new(store).await;
    let mexico = debtor(store, &scene).await;
    let only = parse("days_past_due = 0").expect("expression");
    let alone = store.segment_ids(scene.client.id, &only, night()).await;
    assert_eq!(alone.expect("ids"), [mexico], "it is still the 22nd there");
    let madrid = debtor(store, &beside(store, &scene, "Europe/Madrid").await).await;
    let california = debtor(store, &beside(store, &scene, "America/Los_Angeles").await).await;
    let behind = [mexico, california];
    for (text, want) in [
        ("days_past_due = 1", &[madrid][..]),
        ("days_past_due = 0", &behind),
        ("days_past_due in (0, 1)", &[mexico, madrid, california]),
        ("bucket = b1_30", &[madrid]),
        ("not bucket = preventive", &[madrid]),
        ("days_to_promise = 2", &[madrid]),
        ("days_to_promise between 3 and 4", &behind),
        ("days_to_complaint <= 8", &[madrid]),
        ("days_to_complaint = 9 and days_to_promise = 3", &behind),
        ("days_past_due = 1 and days_to_complaint = 9", &[]),
        ("days_to_due_item = 0 and next_due_item > 1.00", &behind),
        ("days_to_due_item = 3 and next_due_item = 1.00", &[madrid]),
        ("not days_past_due = 1 or days_to_promise > 9", &behind),
    ] {
        found(store, &scene, text, want).await;
    }
    let client = scene.client.id;
    let shown = store.segment_sample(client, &Expr::All, night(), 9).await;
    let seen = store.segment_estimate(client, &Expr::All, night(), 9).await;
    for rows in [shown.expect("sample"), seen.expect("estimate").sample] {
        assert_eq!(rows.len(), 3);
        for row in rows {
            let days = i64::from(row.debtor_id == madrid);
            assert_eq!(row.days_past_due, days);
        }
    }
}

/// Asked as a whole, of each, and counted.
async fn found(store: &Subject, scene: &Scene, text: &str, want: &[DebtorId]) {
    let expr = parse(text).expect("expression");
    let client = scene.client.id;
    let mut want = want.to_vec();
    want.sort_unstable();
    let ids = store.segment_ids(client, &expr, night()).await;
    assert_eq!(ids.expect("ids"), want, "{text}");
    let everybody = store.segment_ids(client, &Expr::All, night()).await;
    for id in everybody.expect("ids") {
        let asked = store.in_segment(client, id, &expr, night()).await;
        assert_eq!(asked.expect("asked of one"), want.contains(&id), "{text}");
    }
    let count = store.segment_count(client, &expr, night()).await;
    assert_eq!(count.expect("count").debtors, want.len() as u64, "{text}");
}
