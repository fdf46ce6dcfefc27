//! What-if: settings that cannot be are refused with the reason; the reply names both sides, the
//! history and what is assumed. The simulator's own figures are tested where it is wired.

use crate::app::App;
use async_trait::async_trait;
use domain::entity::DialMode;
use domain::ports::store::CatalogStore as _;
use domain::ports::{CampaignProfile, Forecast, Range, WhatIf, WhatIfError, WhatIfSettings};
use serde_json::{Value, json};
use std::sync::Arc;

/// Forecasts that tell which settings they were made of: ten contacts an hour and agent. With 13
/// agents another forecast is under way, with 14 it takes too long, with 15 it falls over.
pub(crate) struct Double;

#[async_trait]
impl WhatIf for Double {
    async fn forecast(
        &self,
        _profile: Arc<CampaignProfile>,
        sides: Vec<WhatIfSettings>,
    ) -> Result<Vec<Forecast>, WhatIfError> {
        match sides[0].agents {
            13 => return Err(WhatIfError::Busy),
            14 => return Err(WhatIfError::TooSlow(10)),
            15 => panic!("a forecast that falls over"),
            _ => {}
        }
        let forecast = |side: &WhatIfSettings| {
            let value = 10.0 * f64::from(side.agents);
            let pace = Range {
                value,
                low: value - 1.0,
                high: value + 1.0,
            };
            let drops = f64::from(u8::from(side.mode == DialMode::Predictive));
            Forecast {
                contacts_per_hour: pace,
                abandonment: Range {
                    value: drops / 100.0,
                    low: 0.0,
                    high: 0.03,
                },
                runs: 5,
                simulated_h: side.hours,
                ..Forecast::default()
            }
        };
        Ok(sides.iter().map(forecast).collect())
    }
}

async fn ask(app: &App, login: &str, body: &Value) -> crate::app::Reply {
    let path = format!("/api/v1/campaigns/{}/simulate", app.world.norte.campaign);
    let token = app.token(login).await;
    app.post(&path).token(&token).json(body).send().await
}

fn codes(reply: &Value) -> Vec<&str> {
    let notes = reply["notes"].as_array().expect("notes");
    for note in notes {
        let told = |key: &str| note[key].as_str().is_some_and(|t| !t.is_empty());
        assert!(told("es") && told("en"), "{note}");
    }
    notes.iter().filter_map(|n| n["code"].as_str()).collect()
}

#[tokio::test]
async fn both_sides_stand_next_to_each_other() {
    let app = App::start().await;
    let body = json!({"agents": 4, "hours": 5.0,
        "params": {"mode": "predictive", "attempts_per_day": 3}});
    let reply = ask(&app, "manager", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = reply.json();
    let (present, asked) = (&reply["present"], &reply["asked"]);
    assert_eq!(present["settings"]["mode"], "progressive");
    assert_eq!(asked["settings"]["mode"], "predictive");
    assert_eq!(asked["settings"]["agents"], 4);
    assert_eq!(asked["settings"]["hours"], 5.0);
    // The whole window of 9 to 20 without a word.
    assert_eq!(present["settings"]["hours"], 11.0);
    assert_eq!(asked["expected"]["contacts_per_hour"]["value"], 40.0);
    assert_eq!(present["expected"]["abandonment"]["value"], 0.0);
    assert_eq!(asked["expected"]["abandonment"]["value"], 0.01);
    // Nobody is in the campaign yet: the ration is 0 and spent at once, and no more is promised.
    assert_eq!(asked["expected"]["ration_per_day"], 0.0);
    assert_eq!(asked["expected"]["ration_spent_after_h"], 0.0);
    assert_eq!(asked["expected"]["contacts_per_day"]["value"], 0.0);
    // Without a limit a day the attempts of each debtor bound it alike.
    assert_eq!(present["expected"]["ration_per_day"], 0.0);
    assert_eq!(present["expected"]["contacts_per_day"]["value"], 0.0);
    assert_eq!(reply["history"]["enough"], false);
    let told = codes(&reply);
    for code in ["little_history", "ration_assumed", "law_assumed"] {
        assert!(told.contains(&code), "{code} in {told:?}");
    }
}

#[tokio::test]
async fn no_target_is_the_one_that_the_dialer_takes() {
    let app = App::start().await;
    let settings = async |params: Value| {
        let reply = ask(&app, "manager", &json!({"params": params})).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["asked"]["settings"].clone()
    };
    let none = settings(json!({"mode": "predictive"})).await;
    assert_eq!(none["abandon_target_pct"], 2.79);
    assert_eq!(none["abandon_cap_pct"], 3.0);
    let said = settings(json!({"mode": "predictive", "abandon_target_pct": 2.79})).await;
    assert_eq!(none, said);
    let low = settings(json!({"mode": "predictive", "abandon_target_pct": 1.0})).await;
    assert_eq!(low["abandon_target_pct"], 1.0);
    assert_eq!(low["abandon_cap_pct"], 3.0);
}

#[tokio::test]
async fn limits_on_lines_are_those_of_the_dialer() {
    let app = App::start().await;
    let used = async |side: &str, params: Value| {
        let body = json!({"agents": 5, "params": params});
        let reply = ask(&app, "manager", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()[side]["settings"]["lines"].as_u64()
    };
    let all = used("asked", json!({"mode": "power"})).await;
    let all = all.expect("lines");
    assert!(all > 8, "{all}");
    for (mode, lines) in [("power", 8), ("predictive", 8), ("progressive", all)] {
        let params = json!({"mode": mode, "lines_per_agent_max": 1.5});
        assert_eq!(used("asked", params).await, Some(lines), "{mode}");
    }
    let both = json!({"mode": "power", "lines_per_agent_max": 1.5, "lines_max": 3});
    assert_eq!(used("asked", both).await, Some(3));
    // Of a campaign that has a limit now, one that is asked for goes beyond it.
    let campaign = app.world.norte.campaign;
    let mut row = app.store.get_campaign(campaign).await.expect("there");
    row.params.lines_max = Some(2);
    app.store.put_campaign(&row, &[]).await.expect("stored");
    assert_eq!(used("present", json!({})).await, Some(2));
    assert_eq!(used("asked", json!({"lines_max": 7})).await, Some(7));
    assert_eq!(used("asked", json!({"lines_max": null})).await, Some(all));
}

#[tokio::test]
async fn what_leans_away_from_the_rule_is_followed_and_told() {
    let app = App::start().await;
    let params = json!({"mode": "predictive", "agent_balance": 2, "intensity_pct": -25.0,
        "agent_count_basis": "logged"});
    let reply = ask(&app, "manager", &json!({"agents": 5, "params": params})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = reply.json();
    let (was, is) = (&reply["present"]["settings"], &reply["asked"]["settings"]);
    assert_eq!(
        (&was["agent_balance"], &is["agent_balance"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(is["intensity_pct"], -25.0);
    assert_eq!(was["agent_count_basis"], "not_paused");
    assert_eq!(is["agent_count_basis"], "logged");
    // The aim is the rule's, and five agents are a small team.
    assert_eq!(is["abandon_target_pct"], 2.79);
    let told = codes(&reply);
    for code in ["beyond_the_rule", "small_team"] {
        assert!(told.contains(&code), "{code} in {told:?}");
    }
    let many = json!({"agents": 9, "params": {"mode": "predictive"}});
    let reply = ask(&app, "manager", &many).await.json();
    let told = codes(&reply);
    assert!(!told.contains(&"small_team") && !told.contains(&"beyond_the_rule"));
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_the_reason() {
    let app = App::start().await;
    for (body, path, part) in [
        (json!({"agents": 0}), "agents", "0 agents"),
        (json!({"agents": 1_001}), "agents", "1 to 1000"),
        (
            json!({"params": {"mode": "predictive", "abandon_cap_pct": 0.0}}),
            "params.mode",
            "choose progressive",
        ),
        (
            json!({"params": {"mode": "manual"}}),
            "params.mode",
            "nothing paces manual",
        ),
        (
            json!({"params": {"ring_timeout_s": 8}}),
            "params.ring_timeout_s",
            "at least 20 s",
        ),
        (
            json!({"params": {"window_from": "21:00"}}),
            "params.window_to",
            "after window_from",
        ),
        (
            json!({"params": {"wrapup_s": 5}}),
            "params.wrapup_s",
            "does not follow",
        ),
        (json!({"hours": 12.0}), "hours", "0.25 to 11"),
        (
            json!({"params": {"agent_balance": 41}}),
            "params.agent_balance",
            "-40 to 40",
        ),
        (
            json!({"params": {"intensity_pct": -100}}),
            "params.intensity_pct",
            "-90 to 100",
        ),
    ] {
        let reply = ask(&app, "manager", &body).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.text());
        let problem = reply.json();
        assert_eq!(problem["errors"][0]["path"], path, "{body}");
        let reason = problem["errors"][0]["reason"].as_str().expect("a reason");
        assert!(reason.contains(part), "{body}: {reason}");
    }
    let unknown = ask(&app, "manager", &json!({"agent": 3})).await;
    assert!(unknown.status.is_client_error(), "{}", unknown.text());
}

#[tokio::test]
async fn one_at_a_time_and_not_for_ever() {
    let app = App::start().await;
    let busy = ask(&app, "manager", &json!({"agents": 13})).await;
    assert_eq!((busy.status.as_u16(), busy.code().as_str()), (429, "busy"));
    assert_eq!(busy.headers["retry-after"], "3");
    let slow = ask(&app, "manager", &json!({"agents": 14})).await;
    assert_eq!(slow.status, 503, "{}", slow.text());
}
