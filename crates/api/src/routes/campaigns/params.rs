//! Parameters of a campaign: what a body changes, and what fits (terms.md §10).

use crate::check::range;
use crate::problem::Problem;
use domain::entity::{AgentlessParams, AmdAction, CallResult, CampaignParams, whole_lines};
use domain::rules::retry::standard_rule;
use serde_json::{Map, Value};

/// Order keys (terms.md §10).
const ORDER_KEYS: [&str; 6] = [
    "expected_value",
    "dpd",
    "balance",
    "last_attempt",
    "random",
    "best_time",
];
/// Most order keys.
const ORDER_MAX: usize = 4;
/// Most segments of a mix.
const MIX_MAX: usize = 20;
/// Longest delay of a retry rule, minutes: two weeks.
const DELAY_MAX_MIN: i64 = 14 * 24 * 60;
/// Longest name of a skill, letters.
const SKILL_MAX: usize = 40;
/// Most agents that the rule may see beyond those who are free, or not see.
const BALANCE_MAX: i32 = 40;
/// Least and most calls ahead beyond the rule's, percent: a tenth of them, twice as many.
const INTENSITY: (f64, f64) = (-90.0, 100.0);
/// Most agents of a team that is called small.
const SMALL_TEAM_MAX: u32 = 1_000;
/// Longest code of the disposition tree, characters.
const CODE_MAX: usize = 30;
/// Longest key of an offer, characters.
const OFFER_KEY_MAX: usize = 80;
/// Most caller ids or trunks of one campaign.
const POOL_MAX: usize = 200;

/// The parameters with those of the body laid over them.
pub(crate) fn merged(
    now: &CampaignParams,
    change: Option<Map<String, Value>>,
) -> Result<CampaignParams, Problem> {
    let Some(change) = change else {
        return Ok(now.clone());
    };
    let Ok(Value::Object(mut all)) = serde_json::to_value(now) else {
        return Err(Problem::internal());
    };
    all.extend(change);
    if let Some(Value::Number(max)) = all.get_mut("lines_per_agent_max") {
        *max = whole_lines(max.clone());
    }
    let mut params: CampaignParams = serde_path_to_error::deserialize(Value::Object(all))
        .map_err(|e| Problem::invalid(&at(&e.path().to_string()), e.inner().to_string()))?;
    // Who approved a message is not for a body to say; another message is not approved.
    let (told, was) = (&mut params.agentless, &now.agentless);
    let same = told.message == was.message;
    told.approved_by = was.approved_by.clone().filter(|_| same);
    told.approved_at = was.approved_at.filter(|_| same);
    told.approved_sounds = if same {
        was.approved_sounds.clone()
    } else {
        std::collections::BTreeMap::new()
    };
    fits(&params)?;
    Ok(params)
}

pub(super) fn at(path: &str) -> String {
    match path {
        "." | "" => "params".to_owned(),
        path => format!("params.{path}"),
    }
}

/// The row may only be changed by one who saw its present version.
pub(super) fn same_version(seen: Option<i32>, stored: i32) -> Result<(), Problem> {
    match seen {
        Some(seen) if seen != stored => Err(Problem::conflict(
            "version_conflict",
            format!("version {seen} was changed to {stored} meanwhile: read again"),
        )),
        _ => Ok(()),
    }
}

fn percent(name: &str, value: Option<f64>) -> Result<(), Problem> {
    if let Some(value) = value {
        range(&at(name), value, 0.0, 100.0)?;
    }
    Ok(())
}

/// Minutes of a local time; 24:00 is the end of the day.
pub(super) fn minutes(name: &str, text: &str) -> Result<u32, Problem> {
    let wrong = || Problem::invalid(&at(name), "expected a local time as 09:00");
    let (h, m) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(h) || !digits(m) {
        return Err(wrong());
    }
    let (h, m): (u32, u32) = (
        h.parse().map_err(|_| wrong())?,
        m.parse().map_err(|_| wrong())?,
    );
    let total = h * 60 + m;
    if m > 59 || total > 24 * 60 {
        return Err(wrong());
    }
    Ok(total)
}

fn pace_fits(p: &CampaignParams) -> Result<(), Problem> {
    range(&at("lines_per_agent"), p.lines_per_agent, 1.0, 10.0)?;
    if let Some(max) = p.lines_per_agent_max {
        range(&at("lines_per_agent_max"), max, 1.0, 10.0)?;
    }
    percent("abandon_cap_pct", p.abandon_cap_pct)?;
    percent("abandon_target_pct", p.abandon_target_pct)?;
    range(&at("amd_fp_limit_pct"), p.amd_fp_limit_pct, 0.0, 10.0)?;
    if p.amd_action == AmdAction::Message && p.voicemail_template.is_none() {
        let reason = "expected a template where a message is to be left";
        return Err(Problem::invalid(&at("voicemail_template"), reason));
    }
    if let (Some(target), Some(cap)) = (p.abandon_target_pct, p.abandon_cap_pct)
        && target > cap
    {
        let reason = "expected no more than the cap";
        return Err(Problem::invalid(&at("abandon_target_pct"), reason));
    }
    range(
        &at("agent_balance"),
        p.agent_balance,
        -BALANCE_MAX,
        BALANCE_MAX,
    )?;
    range(
        &at("intensity_pct"),
        p.intensity_pct,
        INTENSITY.0,
        INTENSITY.1,
    )?;
    range(
        &at("small_team_agents"),
        p.small_team_agents,
        0,
        SMALL_TEAM_MAX,
    )?;
    range(&at("pacing_tick_ms"), p.pacing_tick_ms, 50, 10_000)?;
    range(&at("ring_timeout_s"), p.ring_timeout_s, 5, 120)?;
    range(&at("agent_within_ms"), p.agent_within_ms, 0, 10_000)?;
    if let Some(least) = p.hopper_min {
        range(&at("hopper_min"), least, 1, 5_000)?;
    }
    range(&at("hopper_factor"), p.hopper_factor, 1.0, 20.0)?;
    range(&at("priority"), p.priority, 1, 5)?;
    range(&at("weight"), p.weight, 0, 100)?;
    if let Some(cps) = p.cps_max {
        range(&at("cps_max"), cps, 1, 10_000)?;
    }
    if let Some(lines) = p.lines_max {
        range(&at("lines_max"), lines, 1, 100_000)?;
    }
    Ok(())
}

fn people_fit(p: &CampaignParams) -> Result<(), Problem> {
    range(&at("preview_max_s"), p.preview_max_s, 5, 3_600)?;
    range(&at("wrapup_max_s"), p.wrapup_max_s, 5, 3_600)?;
    range(&at("wrapup_s"), p.wrapup_s, 0, p.wrapup_max_s)?;
    range(&at("attempts_per_debtor"), p.attempts_per_debtor, 1, 1_000)?;
    range(&at("attempts_per_point"), p.attempts_per_point, 1, 1_000)?;
    if let Some(n) = p.attempts_per_day {
        range(&at("attempts_per_day"), n, 1, 100)?;
    }
    range(&at("promise_max_days"), p.promise_max_days, 0, 365)?;
    range(&at("promise_min_pct"), p.promise_min_pct, 0, 100)?;
    Ok(())
}

fn lists_fit(p: &CampaignParams) -> Result<(), Problem> {
    if p.order.len() > ORDER_MAX {
        return Err(Problem::invalid(
            &at("order"),
            format!("expected at most {ORDER_MAX} keys"),
        ));
    }
    if let Some(key) = p.order.iter().find(|k| !ORDER_KEYS.contains(&k.as_str())) {
        let shown: String = key.chars().take(40).collect();
        let reason = format!(
            "unknown key '{shown}': expected of {}",
            ORDER_KEYS.join(", ")
        );
        return Err(Problem::invalid(&at("order"), reason));
    }
    for (name, len) in [
        ("caller_id_pool", p.caller_id_pool.len()),
        ("trunks", p.trunks.len()),
        ("skills", p.skills.len()),
        ("allowed_prefixes", p.allowed_prefixes.len()),
    ] {
        range(&at(name), len, 0, POOL_MAX)?;
    }
    let prefix = |text: &String| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if !p.allowed_prefixes.iter().all(prefix) {
        let reason = "expected prefixes as +52: a plus and 1 to 15 digits";
        return Err(Problem::invalid(&at("allowed_prefixes"), reason));
    }
    let named = |skill: &String| !skill.is_empty() && skill.chars().count() <= SKILL_MAX;
    if !p.skills.iter().all(named) {
        let reason = format!("expected names of 1 to {SKILL_MAX} letters");
        return Err(Problem::invalid(&at("skills"), reason));
    }
    super::days::fits(&p.schedule)?;
    let from = minutes("window_from", &p.window_from)?;
    let to = minutes("window_to", &p.window_to)?;
    if from >= to {
        return Err(Problem::invalid(
            &at("window_to"),
            "expected a time after window_from",
        ));
    }
    Ok(())
}

/// Segments by weight, and the order of a debtor's numbers.
fn mix_fits(p: &CampaignParams) -> Result<(), Problem> {
    range(&at("list_mix"), p.list_mix.len(), 0, MIX_MAX)?;
    let mut seen = std::collections::BTreeSet::new();
    for part in &p.list_mix {
        range(&at("list_mix"), part.weight, 1, 1_000)?;
        if !seen.insert(part.segment_id) {
            return Err(Problem::invalid(
                &at("list_mix"),
                "expected each segment once",
            ));
        }
    }
    range(&at("point_ladder"), p.point_ladder.len(), 1, ORDER_MAX)?;
    Ok(())
}

/// Rules after results, rests of caller ids, call-backs, refills.
fn floor_fits(p: &CampaignParams) -> Result<(), Problem> {
    let name = at("retry_rules");
    range(&name, p.retry_rules.len(), 0, CallResult::ALL.len())?;
    let mut seen = std::collections::BTreeSet::new();
    for rule in &p.retry_rules {
        if standard_rule(rule.result).is_none() || !seen.insert(rule.result) {
            let reason = format!(
                "{}: expected a result that is tried again, once",
                rule.result
            );
            return Err(Problem::invalid(&name, reason));
        }
        range(&name, rule.delay_min, 0, DELAY_MAX_MIN)?;
        range(&name, rule.factor, 1.0, 10.0)?;
        range(&name, rule.max_per_day, 1, 100)?;
        range(&name, rule.max_total, 1, 1_000)?;
    }
    if let Some(calls) = p.caller_rest_calls {
        range(&at("caller_rest_calls"), calls, 1, 1_000_000)?;
    }
    percent("caller_rest_below_pct", p.caller_rest_below_pct)?;
    range(
        &at("caller_window_min"),
        p.caller_window_min,
        1,
        7 * 24 * 60,
    )?;
    range(&at("drop_block_h"), p.drop_block_h.unwrap_or(1), 1, 720)?;
    // A number that comes back while its old calls still count would go to rest again at once.
    let least = p.caller_window_min;
    range(
        &at("caller_rest_min"),
        p.caller_rest_min,
        least,
        7 * 24 * 60,
    )?;
    range(
        &at("callback_window_min"),
        p.callback_window_min,
        0,
        24 * 60,
    )?;
    minutes("refill_at", &p.refill_at).map(drop)
}

/// Texts of a list: each once, none empty or too long.
fn once(name: &str, list: &[String], longest: usize) -> Result<(), Problem> {
    range(&at(name), list.len(), 0, POOL_MAX)?;
    let mut seen = std::collections::BTreeSet::new();
    let fits = |text: &String| !text.is_empty() && text.chars().count() <= longest;
    match list.iter().find(|text| !fits(text) || !seen.insert(*text)) {
        None => Ok(()),
        Some(text) => {
            let shown: String = text.chars().take(40).collect();
            let reason = format!("'{shown}': expected 1 to {longest} characters, each once");
            Err(Problem::invalid(&at(name), reason))
        }
    }
}

/// Which offers are made and which codes are given.
fn choices_fit(p: &CampaignParams) -> Result<(), Problem> {
    let offers = p.offer_policy.as_deref().unwrap_or_default();
    once("offer_policy", offers, OFFER_KEY_MAX)?;
    once("disposition_set", &p.disposition_set, CODE_MAX)
}

/// Callers and their queue, and the message that is told without agents.
fn callers_fit(p: &CampaignParams) -> Result<(), Problem> {
    let queue = &p.inbound;
    let name = |field: &str| at(&format!("inbound.{field}"));
    range(&name("queue_max"), queue.queue_max, 1, 500)?;
    range(&name("wait_max_s"), queue.wait_max_s, 10, 3_600)?;
    range(&name("announce_every_s"), queue.announce_every_s, 10, 600)?;
    range(&name("keep_place_min"), queue.keep_place_min, 1, 24 * 60)?;
    range(&name("service_level_s"), queue.service_level_s, 1, 600)?;
    let told = &p.agentless;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let fits = (1..=AgentlessParams::NAME_MAX).contains(&told.message.len());
    if !fits || !told.message.chars().all(plain) {
        let reason = format!(
            "expected the name of a recording: 1 to {} letters, digits, _ or -",
            AgentlessParams::NAME_MAX
        );
        return Err(Problem::invalid(&at("agentless.message"), reason));
    }
    // 9 is the key that opts out.
    if !matches!(told.agent_key, '0'..='8') {
        let reason = "expected a key of 0 to 8: 9 opts out";
        return Err(Problem::invalid(&at("agentless.agent_key"), reason));
    }
    Ok(())
}

fn fits(params: &CampaignParams) -> Result<(), Problem> {
    pace_fits(params)?;
    people_fit(params)?;
    lists_fit(params)?;
    mix_fits(params)?;
    floor_fits(params)?;
    callers_fit(params)?;
    choices_fit(params)?;
    center::CenterHandle::dialable(params).map_err(|reason| Problem::invalid(&at("mode"), reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::DialMode;
    use serde_json::json;

    fn change(value: Value) -> Result<CampaignParams, Problem> {
        let map = value.as_object().cloned().expect("an object");
        merged(&CampaignParams::default(), Some(map))
    }

    #[test]
    fn the_defaults_fit() {
        fits(&CampaignParams::default()).expect("fit");
        assert_eq!(change(json!({})).ok(), Some(CampaignParams::default()));
    }

    #[test]
    fn only_what_is_named_changes() {
        let params = change(json!({"mode": "power", "abandon_cap_pct": null})).expect("fits");
        let expected = CampaignParams {
            mode: DialMode::Power,
            ..CampaignParams::default()
        };
        assert_eq!(params, expected);
    }

    #[test]
    fn a_cap_on_lines_holds_however_it_is_written() {
        for cap in [json!(3), json!(3.0)] {
            let params = change(json!({"lines_per_agent_max": cap})).expect("fits");
            assert_eq!(params.lines_per_agent_max, Some(3.0));
            let kept = merged(&params, json!({"weight": 7}).as_object().cloned());
            assert_eq!(kept.expect("fits").lines_per_agent_max, Some(3.0));
        }
        let none = change(json!({"lines_per_agent_max": null})).expect("fits");
        assert_eq!(none.lines_per_agent_max, None);
        assert!(change(json!({"lines_per_agent_max": 0.5})).is_err());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (value, path) in [
            (json!({"mode": "turbo"}), "params.mode"),
            (json!({"mode": "agentless"}), "params.mode"),
            (json!({"speed": 1}), "params"),
            (
                json!({"inbound": {"queue_max": 0}}),
                "params.inbound.queue_max",
            ),
            (
                json!({"agentless": {"message": "../x"}}),
                "params.agentless.message",
            ),
            (
                json!({"agentless": {"agent_key": "9"}}),
                "params.agentless.agent_key",
            ),
            (json!({"lines_per_agent": 0.5}), "params.lines_per_agent"),
            (json!({"agent_balance": -41}), "params.agent_balance"),
            (json!({"agent_balance": 0.5}), "params.agent_balance"),
            (json!({"intensity_pct": -95}), "params.intensity_pct"),
            (json!({"intensity_pct": 101.0}), "params.intensity_pct"),
            (
                json!({"agent_count_basis": "idle"}),
                "params.agent_count_basis",
            ),
            (json!({"small_team_agents": -1}), "params.small_team_agents"),
            (
                json!({"small_team_agents": 1_001}),
                "params.small_team_agents",
            ),
            (json!({"ring_timeout_s": "x"}), "params.ring_timeout_s"),
            (
                json!({"allowed_prefixes": ["+52", "52"]}),
                "params.allowed_prefixes",
            ),
            (json!({"window_from": "9:00"}), "params.window_from"),
            (json!({"window_from": "21:00"}), "params.window_to"),
            (json!({"window_to": "24:01"}), "params.window_to"),
            (json!({"wrapup_s": 121}), "params.wrapup_s"),
            (json!({"zone_policy": "nearest"}), "params.zone_policy"),
            (json!({"caller_id_pick": "luck"}), "params.caller_id_pick"),
            (json!({"offer_policy": ["a", "a"]}), "params.offer_policy"),
            (json!({"offer_policy": "client"}), "params.offer_policy"),
            (json!({"disposition_set": [""]}), "params.disposition_set"),
            (json!({"disposition_set": null}), "params.disposition_set"),
            (json!({"order": ["luck"]}), "params.order"),
            (
                json!({"abandon_cap_pct": 2.0, "abandon_target_pct": 3.0}),
                "params.abandon_target_pct",
            ),
        ] {
            let problem = change(value.clone()).expect_err("refused");
            assert_eq!(problem.code(), "invalid", "{value}");
            let told = format!("{problem:?}");
            assert!(
                told.contains(&format!("String(\"{path}")),
                "{value}: {told}"
            );
        }
    }

    #[test]
    fn no_body_approves_a_message_and_another_one_is_not_approved() {
        let forged = json!({"agentless": {"approved_by": "x", "approved_at": "2026-11-26T10:00:00Z",
            "approved_sounds": {"es": "00"}}});
        let params = change(forged).expect("fits");
        assert!(!params.agentless.approved());
        let mut now = CampaignParams::default();
        now.agentless.approved_by = Some("user:1".to_owned());
        now.agentless.approved_at = Some(domain::time::UtcMs(1));
        now.agentless.approved_sounds = [("es".to_owned(), "00".to_owned())].into();
        let with = |value: Value| merged(&now, value.as_object().cloned());
        let same = with(json!({"mode": "agentless"})).expect("fits");
        assert!(same.agentless.approved());
        let other = with(json!({"agentless": {"message": "other"}})).expect("fits");
        assert!(!other.agentless.approved());
        with(json!({"mode": "agentless", "agentless": {"message": "other"}}))
            .expect_err("another message is not approved");
    }

    #[test]
    fn versions() {
        assert!(same_version(None, 3).is_ok() && same_version(Some(3), 3).is_ok());
        let refused = same_version(Some(2), 3).map_err(|p| p.code());
        assert_eq!(refused, Err("version_conflict"));
    }
}
