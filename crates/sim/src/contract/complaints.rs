//! Complaints in the order in which they have to be seen to.

use super::scene::*;
use domain::entity::{Complaint, ComplaintState};
use domain::ids::ComplaintId;
use domain::ports::store::ComplaintAsk;

fn complaint(person: &Person, (authority, number): (&str, &str), deadline: &str) -> Complaint {
    Complaint {
        id: fresh::<ComplaintId>(),
        client_id: person.debtor.client_id,
        debtor_id: person.debtor.id,
        authority: authority.into(),
        number: number.into(),
        received_at: NOW,
        deadline: deadline.into(),
        state: ComplaintState::Open,
        summary: "llamadas".into(),
        answer: None,
        answered_at: None,
        created_at: NOW,
    }
}

/// Open ones by deadline, the others behind them, whatever the page.
pub(super) async fn come_by_urgency(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let rows = [
        ("SIC", "1", "2026-12-24", ComplaintState::Open),
        ("SIC", "2", "2026-11-20", ComplaintState::Answered),
        ("sic", "3", "2026-11-20", ComplaintState::Open),
        ("REDECO", "4", "2026-11-22", ComplaintState::Open),
        ("SIC", "5", "2026-12-01", ComplaintState::Closed),
    ];
    for (authority, number, deadline, state) in rows {
        let row = Complaint {
            state,
            ..complaint(&person, (authority, number), deadline)
        };
        store.put_complaint(&row, &[]).await.expect("complaint");
    }
    let paged = async |authority: Option<&str>, limit: u32| -> Vec<String> {
        let (mut numbers, mut after) = (Vec::new(), None);
        loop {
            let ask = ComplaintAsk {
                client: Some(scene.client.id),
                authority: authority.map(str::to_owned),
                after: after.take(),
                limit,
            };
            let page = store.complaints_by_urgency(&ask).await.expect("page");
            let Some(last) = page.last() else {
                return numbers;
            };
            let open = last.state == ComplaintState::Open;
            after = Some((open, last.deadline.clone(), last.id));
            numbers.extend(page.iter().map(|c| c.number.clone()));
        }
    };
    for limit in [1, 2, 500] {
        assert_eq!(
            paged(None, limit).await,
            ["3", "4", "1", "5", "2"],
            "{limit}"
        );
        assert_eq!(paged(Some("Sic"), limit).await, ["3", "1", "5", "2"]);
    }
    let late = async |day| {
        let client = Some(scene.client.id);
        store.complaints_late(client, day).await.expect("late")
    };
    assert_eq!(
        late("2026-11-20").await,
        (0, 5),
        "the day itself is in time"
    );
    assert_eq!(late("2026-11-21").await, (1, 5));
    assert_eq!(late("2027-01-01").await, (3, 5));
}
