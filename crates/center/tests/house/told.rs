//! What is told to people fits what happens: who works for what, what a campaign waits for, what an
//! agent's screen says between calls.

use crate::world::{House, NIGHT, Plan, agent_id, ask, campaign_id, debtor_id, id};
use center::Actor;
use domain::entity::{CampaignParams, DialMode};
use domain::ids::CampaignId;
use domain::ports::store::CatalogStore as _;

fn second() -> CampaignId {
    CampaignId(id(701))
}

/// Another campaign on the same segment, of lower priority, started.
async fn start_second(house: &House) -> center::view::CampaignReport {
    let mut row = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("stored");
    row.id = second();
    row.name = "Mora avanzada".into();
    row.status = domain::entity::CampaignStatus::Draft;
    row.params.priority = CampaignParams::default().priority - 1;
    house.store.put_campaign(&row, &[]).await.expect("stored");
    let started = house.center.start_campaign(Actor::System, second()).await;
    started.expect("it starts")
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_waits_for_another_says_so() {
    let house = House::with(60).await;
    let agent = house.agent(1).await;
    house.start().await;
    house.talking(&agent).await;
    let report = start_second(&house).await;
    let codes: Vec<&str> = report.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["waits_for_priority"]);
    let row = house.center.campaign_row(second()).await.expect("known");
    let problem = row.problem.expect("says so");
    assert_eq!(problem.code, "waits_for_priority");
    assert!(problem.es.contains("Noviembre"), "{}", problem.es);
    let why = house
        .center
        .why_not(debtor_id(3), Some(second()))
        .await
        .expect("explained");
    assert!(
        why.reasons_es
            .iter()
            .any(|r| r.contains("espera a la campaña Noviembre")),
        "{:?}",
        why.reasons_es
    );
    assert!(
        why.reasons_en.iter().any(|r| r.contains("higher priority")),
        "{:?}",
        why.reasons_en
    );
    assert!(house.row().await.problem.is_none(), "the other one dials");
    // Whoever talks for one campaign is counted there and nowhere else.
    let figures = house.center.figures().await;
    let talking: Vec<_> = figures
        .agents
        .iter()
        .filter(|(_, state, _)| state == "talking")
        .collect();
    assert_eq!(
        talking,
        [&(Some(campaign_id()), "talking".to_owned(), 1_u64)]
    );
    assert_eq!(house.row().await.agents.talking, 1);
    let other = house.center.campaign_row(second()).await.expect("known");
    assert_eq!((other.agents.talking, other.agents.logged_in), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_screen_names_a_campaign_and_a_recording_only_while_there_is_a_call() {
    let house = House::with(1).await;
    let agent = house.agent(1).await;
    assert!(agent.me()["campaign"].is_null(), "{}", agent.me());
    house.start().await;
    house
        .until("a call is reserved", || agent.attempt().is_some())
        .await;
    let id = agent.attempt().expect("shown");
    assert_ne!(agent.state(), "talking");
    let early = house
        .center
        .dispose(Actor::Agent(agent.id), id, ask("CD.NP.NOPUEDE"))
        .await;
    assert_eq!(early.expect_err("too early").code(), "not_talking_yet");
    let stranger = house
        .center
        .dispose(Actor::Agent(agent_id(2)), id, ask("CD.NP.NOPUEDE"))
        .await;
    assert_eq!(stranger.expect_err("not his").code(), "not_your_call");
    let id = house.talking(&agent).await;
    assert_eq!(agent.me()["campaign"]["name"], "Noviembre");
    assert_eq!(agent.me()["attempt"]["recording"], "on");
    house.hang_up(&agent, id).await;
    house
        .until("the end is shown", || {
            !agent.me()["attempt"]["ended_at"].is_null()
        })
        .await;
    assert_eq!(agent.me()["attempt"]["recording"], "off");
}

#[tokio::test(start_paused = true)]
async fn the_guard_is_not_named_where_nobody_was_abandoned() {
    let house = House::build(Plan {
        at: NIGHT,
        params: CampaignParams {
            mode: DialMode::Power,
            lines_per_agent: 3.0,
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(60).await;
    let row = house.row().await;
    assert_eq!(row.problem.map(|p| p.code), Some("window_closed"));
    let why = house
        .center
        .why_not(debtor_id(3), Some(campaign_id()))
        .await
        .expect("explained");
    assert!(
        why.reasons_en.iter().all(|r| !r.contains("abandonment")),
        "{:?}",
        why.reasons_en
    );
}
