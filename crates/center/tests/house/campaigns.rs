//! Campaigns that cannot dial say so; refusals go back with their reason.

use crate::world::{ALL_ANSWER, House, NIGHT, NOBODY, Plan, campaign_id, debtor_id, point_id};
use center::Actor;
use domain::entity::{CampaignParams, CampaignStatus, DialMode};
use domain::ports::TrunkReport;
use domain::ports::store::{CatalogStore as _, ContactStore as _, FloorStore as _};
use domain::time::UtcMs;
use std::time::Duration;

fn codes(problems: &[center::view::Problem]) -> Vec<&'static str> {
    problems.iter().map(|p| p.code).collect()
}

#[tokio::test(start_paused = true)]
async fn without_agents_it_dials_nothing_and_says_so() {
    let house = House::build(Plan::default()).await;
    let report = house.start().await;
    assert_eq!(codes(&report.problems), ["no_agents"]);
    house.secs(600).await;
    assert_eq!(house.trunk.invites().len(), 0);
    let row = house.row().await;
    let problem = row.problem.expect("says so");
    assert_eq!(problem.code, "no_agents");
    let why = house
        .center
        .why_not(debtor_id(0), None)
        .await
        .expect("explained");
    assert!(
        why.reasons_es.iter().any(|r| r.contains("no hay gestores")),
        "{:?}",
        why.reasons_es
    );
    assert!(
        why.reasons_en.iter().any(|r| r.contains("no agents")),
        "{:?}",
        why.reasons_en
    );
    assert_eq!(why.verdicts.len(), 1);
    assert!(why.verdicts[0].decision.permits(true));
    let board = house.center.board().await;
    assert_eq!(
        board.data.campaigns[0].problem.as_ref().map(|p| p.code),
        Some("no_agents")
    );
}

#[tokio::test(start_paused = true)]
async fn at_night_it_dials_nothing_and_names_the_morning() {
    let house = House::build(Plan {
        at: NIGHT,
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    let report = house.start().await;
    assert_eq!(codes(&report.problems), ["window_closed"]);
    house.secs(600).await;
    assert_eq!(house.trunk.invites().len(), 0);
    // 09:00 of the campaign's own hours in Mexico City.
    let opens: UtcMs = "2026-11-26T15:00:00Z".parse().expect("an instant");
    let item = house.item(debtor_id(3)).await;
    assert_eq!(
        (item.note.as_str(), item.next_at),
        ("blocked_window", opens)
    );
    let why = house
        .center
        .why_not(debtor_id(3), Some(campaign_id()))
        .await
        .expect("explained");
    assert_eq!(why.next_legal_at, Some(opens));
    assert!(
        why.reasons_es.iter().any(|r| r.contains("horario")),
        "{:?}",
        why.reasons_es
    );
    assert!(
        why.reasons_en
            .iter()
            .any(|r| r.contains("hours") || r.contains("window"))
    );
    let figures = house.center.figures().await;
    assert_eq!(figures.blocked.get("blocked_window"), Some(&12));
    house.secs(10 * 3_600).await;
    assert!(
        !house.trunk.invites().is_empty(),
        "in the morning it dials by itself"
    );
    let first = house.trunk.invites()[0].at;
    assert!(first >= opens && first.since_ms(opens) < 70_000, "{first}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_debtor_goes_back_with_verdict_and_reason() {
    let house = House::unanswered(2).await;
    let mut point = house.store.get_point(point_id(0)).await.expect("point");
    point.given_by_debtor = false;
    house.store.put_point(&point, &[]).await.expect("stored");
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(5).await;
    let dialed: Vec<_> = house
        .trunk
        .invites()
        .iter()
        .map(|i| i.number.clone())
        .collect();
    assert_eq!(dialed, ["+525555551001"]);
    let item = house.item(debtor_id(0)).await;
    assert_eq!(item.note, "blocked_rule");
    let verdict = house
        .store
        .verdicts_of(debtor_id(0), 1)
        .await
        .expect("stored")
        .remove(0);
    assert!(
        verdict
            .reason()
            .is_some_and(|(es, en)| !es.is_empty() && !en.is_empty())
    );
    // The point is confirmed by the debtor: he is judged anew at once.
    point.given_by_debtor = true;
    house.store.put_point(&point, &[]).await.expect("stored");
    house.center.debtor_changed(debtor_id(0)).await;
    house.secs(60).await;
    assert!(
        house
            .trunk
            .invites()
            .iter()
            .any(|i| i.number == "+525555551000")
    );
}

#[tokio::test(start_paused = true)]
async fn start_pause_resume_and_stop() {
    let house = House::build(Plan {
        mix: NOBODY,
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    let center = &house.center;
    let resumed = center.resume_campaign(Actor::System, campaign_id()).await;
    assert_eq!(resumed.expect_err("a draft").code(), "wrong_state");
    center
        .start_campaign(Actor::System, campaign_id())
        .await
        .expect("starts");
    house
        .until("it rings", || house.trunk.live_calls() == 1)
        .await;
    let report = center
        .pause_campaign(Actor::System, campaign_id())
        .await
        .expect("pauses");
    assert_eq!(report.campaign.status, CampaignStatus::Paused);
    assert_eq!(house.trunk.live_calls(), 1, "what rings goes on");
    house.secs(120).await;
    assert_eq!(house.trunk.invites().len(), 1, "nothing new");
    let counts = center.hopper(campaign_id()).await.expect("known");
    assert!(
        counts.items.is_empty() && counts.counts.leased == 0,
        "{counts:?}"
    );
    center
        .resume_campaign(Actor::System, campaign_id())
        .await
        .expect("resumes");
    house
        .until("it rings again", || house.trunk.live_calls() == 1)
        .await;
    let report = center
        .stop_campaign(Actor::System, campaign_id())
        .await
        .expect("stops");
    assert_eq!(report.campaign.status, CampaignStatus::Stopped);
    house.secs(1).await;
    assert_eq!(house.trunk.live_calls(), 0, "what rings is withdrawn");
    let kinds = house.kinds().await;
    for kind in [
        "campaign.started",
        "campaign.paused",
        "campaign.resumed",
        "campaign.stopped",
    ] {
        assert!(kinds.iter().any(|k| k == kind), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mode_that_is_not_there_is_refused_by_name() {
    let params = CampaignParams {
        mode: DialMode::Agentless,
        ..CampaignParams::default()
    };
    let house = House::build(Plan {
        params,
        ..Plan::default()
    })
    .await;
    let refused = house
        .center
        .start_campaign(Actor::System, campaign_id())
        .await;
    let error = refused.expect_err("refused");
    assert_eq!(error.code(), "mode_unavailable");
    assert!(error.to_string().contains("power"), "{error}");
    let row = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("stored");
    assert_eq!(row.status, CampaignStatus::Draft, "nothing half-started");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_cannot_be_taken_up_is_an_alarm() {
    let plan = Plan::default();
    let house = House::build(Plan::default()).await;
    house.center.drain().await;
    house.center.shutdown().await;
    let mut row = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("stored");
    row.status = CampaignStatus::Running;
    row.params.mode = DialMode::Agentless;
    house.store.put_campaign(&row, &[]).await.expect("stored");
    let again = House::open(
        house.store.clone(),
        &plan,
        plan.at.parse().expect("an instant"),
        8,
    )
    .await;
    let board = again.center.board().await;
    let alarm = board
        .data
        .alarms
        .iter()
        .find(|a| a.kind == "not_taken_up")
        .expect("said on the board");
    assert!(alarm.en.contains("agentless"), "{}", alarm.en);
    row.params.mode = DialMode::Progressive;
    again.store.put_campaign(&row, &[]).await.expect("stored");
    again
        .center
        .campaign_changed(campaign_id())
        .await
        .expect("taken up");
    let board = again.center.board().await;
    assert!(board.data.alarms.iter().all(|a| a.kind != "not_taken_up"));
}

#[tokio::test(start_paused = true)]
async fn a_dead_trunk_is_an_alarm_and_the_campaign_waits() {
    let house = House::build(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let trunk = domain::ids::TrunkId(crate::world::id(4));
    let told = |up| TrunkReport::TrunkHealth {
        trunk,
        up,
        at: UtcMs(0),
    };
    house.reports.send(told(false)).await.expect("heard");
    let _agent = house.agent(1).await;
    let report = house.start().await;
    assert!(
        codes(&report.problems).contains(&"trunk_down"),
        "{:?}",
        report.problems
    );
    assert!(!house.center.readiness().dialing);
    house.secs(60).await;
    assert_eq!(house.trunk.invites().len(), 0);
    let board = house.center.board().await;
    assert_eq!(board.data.alarms.len(), 1);
    assert_eq!(board.data.alarms[0].id, format!("trunk_down:{trunk}"));
    house.reports.send(told(true)).await.expect("heard");
    house
        .until("it dials", || !house.trunk.invites().is_empty())
        .await;
    assert!(house.center.readiness().dialing);
    assert!(house.center.board().await.data.alarms.is_empty());
}

/// Minutes or money of its day are spent: an alarm of its own, and nothing is dialed until it is below again, whatever
/// its health is meanwhile.
#[tokio::test(start_paused = true)]
async fn a_trunk_whose_day_is_spent_is_not_dialed_on() {
    let house = House::build(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let trunk = domain::ids::TrunkId(crate::world::id(4));
    let at = UtcMs(0);
    let limit = |limit| TrunkReport::TollLimit { trunk, limit, at };
    let health = |up| TrunkReport::TrunkHealth { trunk, up, at };
    let spent = limit(Some("money_a_day"));
    for report in [spent, health(false), health(true)] {
        house.reports.send(report).await.expect("heard");
    }
    let _agent = house.agent(1).await;
    let report = house.start().await;
    let told = |p: &center::view::Problem| p.code == "trunk_down" && p.en.contains("limit");
    assert!(report.problems.iter().any(told), "{:?}", report.problems);
    assert!(!house.center.readiness().dialing);
    house.secs(60).await;
    assert_eq!(house.trunk.invites().len(), 0);
    let board = house.center.board().await;
    let [alarm] = board.data.alarms.as_slice() else {
        panic!("one alarm: {:?}", board.data.alarms);
    };
    let id = format!("toll_limit:{trunk}");
    assert_eq!((alarm.kind.as_str(), &alarm.id), ("toll_limit", &id));
    assert!(alarm.en.contains("money"), "{}", alarm.en);
    // Calls an hour to a prefix are told as well, but other numbers are dialed.
    let hour = limit(Some("calls_an_hour"));
    house.reports.send(hour).await.expect("heard");
    house
        .until("it dials", || !house.trunk.invites().is_empty())
        .await;
    let board = house.center.board().await;
    let [alarm] = board.data.alarms.as_slice() else {
        panic!("one alarm: {:?}", board.data.alarms);
    };
    assert!(alarm.id == id && alarm.en.contains("an hour"), "{alarm:?}");
    house.reports.send(limit(None)).await.expect("heard");
    house.secs(1).await;
    assert!(house.center.board().await.data.alarms.is_empty());
}

/// A manager's change of the settings, made again wherever somebody else was faster.
async fn weighs(house: &House, weight: i32) {
    loop {
        let was = house.store.get_campaign(campaign_id()).await;
        let was = was.expect("stored");
        let mut row = was.clone();
        row.params.weight = weight;
        row.version += 1;
        let settled = house.store.settle_campaign(&row, None, was.version, &[]);
        if settled.await.expect("works") {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_settings_beside_a_start_and_a_pause_is_never_lost() {
    // Each question of the store takes up to 20 ms, so the change falls between any two of an act's.
    for ms in (0..400).step_by(7) {
        let house = House::build(Plan::default()).await;
        house.store.set_latency(ms, 20);
        let me = Actor::System;
        let starts = house.center.start_campaign(me, campaign_id());
        let changes = async {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            weighs(&house, 77).await;
        };
        let (started, ()) = tokio::join!(starts, changes);
        started.expect("starts");
        let pauses = house.center.pause_campaign(me, campaign_id());
        let changes = async {
            tokio::time::sleep(Duration::from_millis(ms / 4)).await;
            weighs(&house, 78).await;
        };
        let before = house.store.get_campaign(campaign_id()).await;
        assert_eq!(before.expect("stored").params.weight, 77, "{ms} ms");
        let (paused, ()) = tokio::join!(pauses, changes);
        paused.expect("pauses");
        let row = house.store.get_campaign(campaign_id()).await;
        let row = row.expect("stored");
        let is = (row.status, row.params.weight, row.version);
        assert_eq!(is, (CampaignStatus::Paused, 78, 5), "{ms} ms");
        house.center.shutdown().await;
    }
}
