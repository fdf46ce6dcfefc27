//! Placements by the day on which they are the client's again.

use super::scene::*;
use domain::entity::Placement;
use domain::ids::PlacementId;

pub(super) async fn is_due_on_its_day(store: &Subject) {
    let scene = Scene::new(store).await;
    let placed = |recall_on: Option<&str>| Placement {
        id: fresh::<PlacementId>(),
        client_id: scene.client.id,
        portfolio_id: scene.portfolio.id,
        placed_on: "2025-01-01".into(),
        recall_on: recall_on.map(str::to_owned),
        fee_bp: 1_250,
        recalled_at: None,
        at: NOW,
        actor: "system".into(),
    };
    let (soon, late, open) = (
        placed(Some("2025-03-02")),
        placed(Some("2025-03-04")),
        placed(None),
    );
    for row in [&soon, &late, &open] {
        store.put_placement(row, &[]).await.expect("placement");
    }
    let due = async |day: &str| -> Vec<PlacementId> {
        let found = store.placements_due(day, 100).await.expect("due");
        let ours = found.iter().filter(|p| p.client_id == scene.client.id);
        ours.map(|p| p.id).collect()
    };
    assert_eq!(due("2025-03-01").await, []);
    assert_eq!(due("2025-03-02").await, [soon.id]);
    assert_eq!(due("2025-12-31").await, [soon.id, late.id]);
    let recalled = Placement {
        recalled_at: Some(NOW),
        ..soon.clone()
    };
    store.put_placement(&recalled, &[]).await.expect("recalled");
    assert_eq!(due("2025-12-31").await, [late.id]);
}
