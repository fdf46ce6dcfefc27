//! Settings of a campaign are put in force over the version that was read, and over no other.

use super::scene::*;
use domain::entity::{Campaign, CampaignStatus, CampaignVersion, VersionState};
use domain::ids::CampaignVersionId;
use domain::ports::store::ListFilter;

fn version_of(row: &Campaign) -> CampaignVersion {
    CampaignVersion {
        id: fresh::<CampaignVersionId>(),
        campaign_id: row.id,
        client_id: row.client_id,
        name: row.name.clone(),
        segment_id: row.segment_id,
        script_id: row.script_id,
        params: row.params.clone(),
        state: VersionState::Published,
        version: Some(row.version),
        based_on: Some(1),
        restores: None,
        note: "x".into(),
        made_by: None,
        created_at: NOW,
        published_at: Some(NOW),
    }
}

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    let scene = Scene::new(store).await;
    let first = scene.draft_campaign();
    store.put_campaign(&first, &[]).await.expect("campaign");
    let next = |weight: i32| {
        let mut row = first.clone();
        row.params.weight = weight;
        row.version = first.version + 1;
        row
    };
    let (one, other) = (next(70), next(80));
    let (told, untold) = (version_of(&one), version_of(&other));
    let was = first.version;
    let told_of = [event("campaign.changed", &format!("campaign:{}", first.id))];
    let before = store.last_cursor().await.expect("cursor");
    assert!(
        store
            .settle_campaign(&one, Some(&told), was, &told_of)
            .await
            .expect("works")
    );
    let late = store
        .settle_campaign(&other, Some(&untold), was, &told_of)
        .await;
    assert!(!late.expect("works"), "another was faster");
    assert_eq!(store.get_campaign(first.id).await.expect("campaign"), one);
    let kept = store.get_campaign_version(told.id).await;
    assert_eq!(kept.expect("its version"), told);
    let none = store.get_campaign_version(untold.id).await;
    assert!(none.is_err(), "nothing of the late one is there");
    let events = store.events_after(before, 500).await.expect("events");
    let ours = events
        .iter()
        .filter(|e| e.event.subject == told_of[0].subject);
    assert_eq!(ours.count(), 1);
    let filter = ListFilter {
        client_id: Some(first.client_id),
        campaign_id: Some(first.id),
        ..ListFilter::default()
    };
    let page = domain::ports::PageRequest {
        limit: 10,
        cursor: None,
    };
    let all = store.list_campaign_versions(&filter, &page).await;
    assert_eq!(all.expect("versions").items, [told]);
    state_alone(store, &one, &first).await;
}

/// A state that leaves the settings as they are makes no version of them, and is as late as settings are.
async fn state_alone(store: &Subject, now: &Campaign, before: &Campaign) {
    let running = |from: &Campaign| {
        let mut row = from.clone();
        row.status = CampaignStatus::Running;
        row.version += 1;
        row
    };
    let late = running(before);
    let late = store
        .settle_campaign(&late, None, before.version, &[])
        .await;
    assert!(!late.expect("works"), "the settings were changed meanwhile");
    let row = running(now);
    let done = store.settle_campaign(&row, None, now.version, &[]).await;
    assert!(done.expect("works"));
    assert_eq!(store.get_campaign(row.id).await.expect("campaign"), row);
    let filter = ListFilter {
        client_id: Some(row.client_id),
        campaign_id: Some(row.id),
        ..ListFilter::default()
    };
    let page = domain::ports::PageRequest {
        limit: 10,
        cursor: None,
    };
    let all = store.list_campaign_versions(&filter, &page).await;
    assert_eq!(all.expect("versions").items.len(), 1);
}
