//! What a campaign chooses where law and terms leave a choice: offers, codes, evidence of the zone, the number shown.

use crate::plans::{draw, house, identified};
use crate::world::{House, NOBODY, Plan, ask, campaign_id, client_id, debtor_id, id};
use center::{Actor, PlanTermsAsk};
use domain::entity::{CallerId, CallerPick, CampaignParams, CampaignZones, PlanState, Role};
use domain::ids::CallerIdId;
use domain::ports::store::{CatalogStore as _, ContactStore as _};
use domain::rules::offers::Conditions;
use serde_json::{Value, json};

/// Nothing forgiven, two parts: within any agent's authority.
const MILD: Conditions = Conditions {
    quita_pct: 0,
    down_pct: 0,
    instalments: 2,
    first_in_days: 3,
    every_days: 15,
    freeze_interest: false,
    early_off_pct: 0,
    early_days: 0,
};

#[tokio::test(start_paused = true)]
async fn agents_make_the_offers_of_their_campaign_and_ask_for_all_else() {
    let house = house(CampaignParams {
        offer_policy: Some(vec!["down_and_three".into(), "gone_since".into()]),
        ..CampaignParams::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, card) = identified(&house, &agent).await;
    let keys: Vec<&Value> = card["offers"]
        .as_array()
        .expect("offers")
        .iter()
        .map(|o| &o["key"])
        .collect();
    assert_eq!(keys, ["down_and_three"], "{card}");
    let me = Actor::Agent(agent.id);
    let other = draw(attempt, PlanTermsAsk::Offer("one_payment".into()), None);
    let refused = house.center.draw_plan(me, other).await;
    assert_eq!(
        refused.expect_err("not the campaign's").code(),
        "plan_terms"
    );
    let own = draw(attempt, PlanTermsAsk::Own(MILD), None);
    let refused = house.center.draw_plan(me, own).await;
    assert_eq!(refused.expect_err("without a reason").code(), "plan_terms");
    let own = draw(attempt, PlanTermsAsk::Own(MILD), Some("cobra quincenal"));
    let file = house.center.draw_plan(me, own).await.expect("asked");
    assert_eq!(file.plan.state, PlanState::Offered);
    assert_eq!(file.plan.needs_role, Some(Role::Supervisor));
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_makes_no_offers_is_after_what_is_overdue() {
    let house = house(CampaignParams {
        offer_policy: Some(vec![]),
        ..CampaignParams::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let (_, card) = identified(&house, &agent).await;
    assert_eq!(card["offers"], json!([]));
    assert_eq!(card["goal"]["amount_minor"], 500_000, "{card}");
}

#[tokio::test(start_paused = true)]
async fn agents_choose_from_the_codes_of_their_campaign_and_reviewers_from_all() {
    let house = house(CampaignParams {
        disposition_set: vec!["CD.PP".into(), "CD.NP.NOPUEDE".into()],
        ..CampaignParams::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, card) = identified(&house, &agent).await;
    let codes = card["campaign"]["codes"].as_array().expect("codes");
    assert!(codes.contains(&json!("CD.NP.NOPUEDE")) && codes.contains(&json!("CD.NC")));
    assert!(!codes.contains(&json!("CD.NP")));
    let me = Actor::Agent(agent.id);
    let refused = house.center.dispose(me, attempt, ask("CD.NP")).await;
    let code = refused.expect_err("not the campaign's").code();
    assert_eq!(code, "disposition_not_in_set");
    let done = house
        .center
        .dispose(me, attempt, ask("CD.NC.ESCRITO"))
        .await;
    done.expect("what stops contact is always there");
}

#[tokio::test(start_paused = true)]
async fn without_a_set_the_card_names_no_codes_and_a_reviewer_is_not_bound_by_one() {
    let plain = house(CampaignParams::default()).await;
    let agent = plain.agent(1).await;
    plain.start().await;
    let (_, card) = identified(&plain, &agent).await;
    assert_eq!(card["campaign"]["codes"], Value::Null);
    let set = house(CampaignParams {
        disposition_set: vec!["CD.PP".into()],
        ..CampaignParams::default()
    })
    .await;
    let agent = set.agent(1).await;
    set.start().await;
    let (attempt, _) = identified(&set, &agent).await;
    let boss = Actor::User(domain::ids::UserId(id(900)));
    let done = set
        .center
        .dispose(boss, attempt, ask("CD.NP.NOPUEDE"))
        .await;
    done.expect("who reviews has the whole tree");
}

#[tokio::test(start_paused = true)]
async fn who_is_known_by_a_prefix_alone_is_not_called_where_a_place_is_asked_for() {
    let house = House::build(Plan {
        debtors: 2,
        mix: NOBODY,
        params: CampaignParams {
            zone_policy: CampaignZones::KnownPlace,
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let mut nowhere = house.store.get_debtor(debtor_id(0)).await.expect("there");
    nowhere.address_zone = None;
    house.store.put_debtor(&nowhere, &[]).await.expect("put");
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(120).await;
    let called: Vec<_> = house.attempts().await.iter().map(|a| a.debtor_id).collect();
    assert!(!called.is_empty() && called.iter().all(|d| *d == debtor_id(1)));
    let refused = house
        .store
        .verdicts_of(debtor_id(0), 10)
        .await
        .expect("stored");
    let rule = |v: &domain::entity::Verdict| {
        let mut rules = v.rules.iter();
        rules.any(|r| r.rule == "campaign/zone_policy" && r.refused)
    };
    assert!(refused.iter().any(rule), "{refused:?}");
    assert_eq!(house.item(debtor_id(0)).await.note, "blocked_zone");
    let why = house
        .center
        .why_not(debtor_id(0), Some(campaign_id()))
        .await;
    let why = why.expect("told");
    assert!(why.reasons_es.iter().any(|r| r.contains("prefijo")));
}

#[tokio::test(start_paused = true)]
async fn the_number_most_like_the_called_one_is_shown_and_the_decision_says_how() {
    let house = House::build(Plan {
        debtors: 2,
        mix: NOBODY,
        params: CampaignParams {
            caller_id_pick: CallerPick::Local,
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let first = house.store.get_caller_id(CallerIdId(id(5))).await;
    let first = first.expect("the house's number");
    // His phones begin with +52 555 555 10: this one is nearer to them than the house's.
    let near = CallerId {
        id: CallerIdId(id(501)),
        client_id: client_id(),
        number: "+525555551099".into(),
        ..first.clone()
    };
    house.store.put_caller_id(&near, &[]).await.expect("put");
    assert!(!first.number.starts_with("+525555551"), "{}", first.number);
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(120).await;
    let made = house.attempts().await;
    assert!(!made.is_empty());
    assert!(
        made.iter().all(|a| a.caller_id == Some(near.id)),
        "{made:?}"
    );
    let verdict = house.store.verdicts_of(made[0].debtor_id, 10).await;
    let verdict = verdict.expect("stored");
    let shown = |v: &domain::entity::Verdict| {
        let record = v.record.as_ref()?;
        record.circumstances.caller.clone()
    };
    let seen = verdict.iter().find_map(shown).expect("a number is judged");
    assert_eq!((seen.pick, seen.id), (CallerPick::Local, Some(near.id)));
}
