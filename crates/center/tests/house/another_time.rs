//! Why a debtor would not be dialed at another time: the law's answer then, with the hours that the campaign had.

use crate::world::{House, campaign_id, client_id, debtor_id, id};
use center::view::WhyNot;
use domain::entity::{
    CallerId, Campaign, CampaignParams, CampaignSchedule, CampaignVersion, DayHours, VersionState,
};
use domain::ids::{CallerIdId, CampaignVersionId};
use domain::law::pack::Day;
use domain::ports::Clock as _;
use domain::ports::store::CatalogStore as _;
use domain::time::UtcMs;

const OPEN: &str = "nothing forbids it at that moment";

async fn at(house: &House, campaign: bool, when: &str) -> WhyNot {
    let when: UtcMs = when.parse().expect("an instant");
    let campaign = campaign.then(campaign_id);
    let why = house.center.why_not_at(debtor_id(3), campaign, when).await;
    why.expect("told")
}

/// The campaign with those settings from now on, told as version `n`.
async fn settle(house: &House, n: i32, params: CampaignParams) {
    let now = house.clock.now();
    let row = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("there");
    let row = Campaign {
        params,
        version: n,
        updated_at: now,
        ..row
    };
    house.store.put_campaign(&row, &[]).await.expect("stored");
    let version = CampaignVersion {
        id: CampaignVersionId(id(9_100 + u128::from(n.unsigned_abs()))),
        campaign_id: row.id,
        client_id: row.client_id,
        name: row.name,
        segment_id: row.segment_id,
        script_id: row.script_id,
        params: row.params,
        state: VersionState::Published,
        version: Some(n),
        based_on: None,
        restores: None,
        note: String::new(),
        made_by: None,
        created_at: now,
        published_at: Some(now),
    };
    let kept = house.store.put_campaign_version(&version, &[]).await;
    kept.expect("stored");
}

fn between(from: &str, to: &str) -> CampaignParams {
    CampaignParams {
        schedule: CampaignSchedule {
            hours: vec![DayHours::of(Day::ALL, from, to)],
            ..CampaignSchedule::default()
        },
        ..CampaignParams::default()
    }
}

#[tokio::test(start_paused = true)]
async fn of_another_time_only_the_law_speaks() {
    let house = House::unanswered(4).await;
    // Nobody has signed in.
    house.start().await;
    house.secs(1).await;
    let now = house
        .center
        .why_not(debtor_id(3), None)
        .await
        .expect("told");
    assert!(
        now.reasons_en.iter().any(|r| r.starts_with("Noviembre: ")),
        "{:?}",
        now.reasons_en
    );
    // Tomorrow at eleven in Mexico City, and at eleven in the evening.
    let open = at(&house, true, "2026-11-26T17:00:00Z").await;
    assert_eq!(open.reasons_en, [OPEN]);
    assert_eq!(open.reasons_es, ["nada lo impide en ese momento"]);
    assert_eq!(open.next_legal_at, Some(open.verdicts[0].at));
    assert!(open.verdicts.iter().all(|v| v.decision.permits(true)));
    let night = at(&house, true, "2026-11-27T05:00:00Z").await;
    let said: Vec<&str> = night
        .verdicts
        .iter()
        .filter_map(|v| v.reason())
        .map(|r| r.1)
        .collect();
    assert_eq!(night.reasons_en, said);
    assert!(!said.is_empty());
    assert!(night.verdicts.iter().all(|v| !v.decision.permits(true)));
}

#[tokio::test(start_paused = true)]
async fn the_hours_that_the_campaign_had_then_count_and_its_numbers_of_today_do_not() {
    let house = House::unanswered(4).await;
    settle(&house, 2, between("11:00", "12:00")).await;
    house.start().await;
    house.secs(3 * 3_600).await;
    settle(&house, 3, between("13:00", "14:00")).await;
    let row = house
        .store
        .get_caller_id(CallerIdId(id(5)))
        .await
        .expect("there");
    assert_eq!(row.client_id, client_id());
    let row = CallerId {
        registered: false,
        ..row
    };
    house.store.put_caller_id(&row, &[]).await.expect("put");
    // Today's number may not be shown.
    let now = house
        .center
        .why_not(debtor_id(3), Some(campaign_id()))
        .await;
    let now = now.expect("told").reasons_en;
    assert!(now.iter().any(|r| r.contains("REDECO")), "{now:?}");
    // Half past ten and half past eleven of this morning.
    let early = at(&house, true, "2026-11-25T16:30:00Z").await;
    assert!(early.verdicts.iter().all(|v| !v.decision.permits(true)));
    let opens: UtcMs = "2026-11-25T17:00:00Z".parse().expect("an instant");
    assert_eq!(early.next_legal_at, Some(opens));
    let open = at(&house, true, "2026-11-25T17:30:00Z").await;
    assert_eq!(open.reasons_en, [OPEN]);
    let free = at(&house, false, "2026-11-25T16:30:00Z").await;
    assert_eq!(free.reasons_en, [OPEN]);
    // To come: the hours of today.
    let later = at(&house, true, "2026-11-26T17:30:00Z").await;
    assert!(later.verdicts.iter().all(|v| !v.decision.permits(true)));
    let later = at(&house, true, "2026-11-26T19:30:00Z").await;
    assert_eq!(later.reasons_en, [OPEN]);
}
