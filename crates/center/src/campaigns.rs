//! Campaign commands: rows read together, the segment's debtors taken in, the brain told.

use crate::engine::Adopted;
use crate::error::CenterError;
use crate::feeder::{self, Fed, zone_or_utc};
use crate::floor::shown;
use crate::handle::CenterHandle;
use crate::live::Setting;
use crate::refill::refill;
use crate::shared::{Shared, persist};
use dialer::{AbandonRule, CallRules, CampaignSpec, Judging, Lean, TARGET_OF_CAP, aim_pct};
use domain::entity::{AmdMode, Campaign, CampaignParams, CampaignStatus, DialMode};
use domain::ids::{CampaignId, SegmentId};
use domain::ports::store::{AnswerSlot, ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::time::{DAY_MS, HOUR_MS, SECOND_MS, UtcMs};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Items of the first feeding at a start: enough to say what stands in the way.
const FIRST_FEED: u32 = 20;
/// House cap in percent until a debtor's pack says less (law.md §2.1).
const HOUSE_CAP_PCT: f64 = 3.0;

fn whole_page() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

/// The segments that fill a campaign, in the order of its mix.
pub(crate) fn segments_of(campaign: &Campaign) -> Vec<SegmentId> {
    let mix = &campaign.params.list_mix;
    if mix.is_empty() {
        return vec![campaign.segment_id];
    }
    mix.iter().map(|part| part.segment_id).collect()
}

/// Reads a campaign with everything that dialing it needs.
pub(crate) async fn setting(shared: &Shared, campaign: Campaign) -> Result<Setting, CenterError> {
    let store = &shared.out.store;
    let client = store.get_client(campaign.client_id).await?;
    let mut parts = Vec::new();
    for id in segments_of(&campaign) {
        let segment = store.get_segment(id).await?;
        let expr = domain::segment::parse(&segment.expression)
            .map_err(|e| CenterError::invalid("bad_expression", "segment_id", e.to_string()))?;
        parts.push(expr);
    }
    let script = match campaign.script_id {
        Some(id) => Some(store.get_script(id).await?),
        None => None,
    };
    let broken_script = match campaign.params.broken_script {
        Some(id) => {
            let found = store.get_script(id).await?;
            Some(found).filter(|s| s.client_id == client.id)
        }
        None => None,
    };
    let (terms, _) = crate::plans::terms_of(shared, client.id).await?;
    let terms = terms.made_by(campaign.params.offer_policy.as_deref());
    let ours = ListFilter {
        client_id: Some(client.id),
        ..ListFilter::default()
    };
    let callers = shown::callers_of(shared, &campaign).await?;
    let mut trunks = Vec::new();
    for name in &campaign.params.trunks {
        match store.trunk_by_name(name).await? {
            Some(trunk) => trunks.push(trunk.id),
            None => {
                return Err(CenterError::invalid(
                    "unknown_trunk",
                    "params.trunks",
                    format!("there is no trunk '{name}'"),
                ));
            }
        }
    }
    let voicemail = match campaign.params.voicemail_template {
        Some(id) => {
            let found = store.get_voicemail(id).await?;
            Some(found).filter(|v| v.client_id == client.id && v.approved_by.is_some())
        }
        None => None,
    };
    let portfolios = store.list_portfolios(&ours, &whole_page()).await?.items;
    let zone = portfolios
        .first()
        .map_or(TimeZone::UTC, |p| zone_or_utc(&p.zone));
    Ok(Setting {
        campaign,
        client,
        script,
        broken_script,
        terms,
        callers,
        trunks,
        parts,
        voicemail,
        zone,
    })
}

/// Local midnight before and after `now`.
pub(crate) fn day_bounds(now: UtcMs, zone: &TimeZone) -> (UtcMs, UtcMs) {
    let today = now.in_zone(zone);
    let start = today.start_of_day().map_or(now, |z| z.timestamp().into());
    let end = today
        .tomorrow()
        .and_then(|z| z.start_of_day())
        .map_or(now.plus_ms(DAY_MS), |z| z.timestamp().into());
    (start, end)
}

/// Rules of the campaign's calls.
pub(crate) fn rules(campaign: &Campaign) -> CallRules {
    let params = &campaign.params;
    CallRules {
        ring_timeout_ms: params.ring_timeout_s * SECOND_MS,
        agent_within_ms: params.agent_within_ms,
        drop_action: params.drop_action,
        wrapup_mode: params.wrapup_mode,
        wrapup_ms: params.wrapup_s * SECOND_MS,
        wrapup_max_ms: params.wrapup_max_s * SECOND_MS,
        disposition_required: params.disposition_required,
        record: params.record,
        judging: match (params.amd, params.amd_connect_first) {
            (AmdMode::Off | AmdMode::Shadow, _) => Judging::No,
            (AmdMode::On, false) => Judging::First,
            (AmdMode::On, true) => Judging::Under,
        },
    }
}

fn spec(setting: &Setting, now: UtcMs) -> CampaignSpec {
    let params = &setting.campaign.params;
    let cap_pct = cap_pct(params);
    let limit = |n: Option<i32>| n.and_then(|n| u32::try_from(n).ok());
    let (day_began, day_ends) = day_bounds(now, &setting.zone);
    CampaignSpec {
        id: setting.id(),
        client: setting.client.id,
        mode: params.mode,
        lines_per_agent: params.lines_per_agent,
        priority: params.priority,
        weight: params.weight,
        tick_ms: params.pacing_tick_ms,
        rules: rules(&setting.campaign),
        cps_max: limit(params.cps_max),
        lines_max: limit(params.lines_max),
        lines_per_agent_max: params.lines_per_agent_max,
        trunks: setting.trunks.clone(),
        hopper_min: params.hopper_min,
        hopper_factor: params.hopper_factor,
        preview_max_ms: params.preview_max_s * SECOND_MS,
        preview_skip: params.preview_skip,
        cap_pct,
        target_pct: own_target_pct(params),
        amd_fp_pct: amd_fp_pct(params),
        lean: lean(params),
        day_began,
        day_ends,
        skills: params.skills.clone(),
        next_agent: params.next_agent,
        card_first: params.card_first,
    }
}

/// How far back the guard reads answers at a start, and from where on by the minute: the longest legal
/// window and the longest local day.
const ANSWERS_MS: i64 = 31 * DAY_MS;
const FINE_MS: i64 = 26 * HOUR_MS;

/// What the stored attempts say of abandonment, once at a start.
pub(crate) async fn answers(shared: &Shared) -> Result<Vec<AnswerSlot>, StoreError> {
    let now = shared.now();
    let (since, fine) = (now.plus_ms(-ANSWERS_MS), now.plus_ms(-FINE_MS));
    persist!(shared, shared.out.store.answers(since, fine))
}

/// The campaign's local day has new bounds: told while it runs, for days of 23 and 25 hours.
pub(crate) async fn tell_day(shared: &Shared, setting: &Setting) {
    let (id, (began, ends)) = (setting.id(), day_bounds(shared.now(), &setting.zone));
    shared
        .post
        .tell(move |engine, now| {
            let campaign = id;
            engine.take(
                now,
                dialer::Input::Day {
                    campaign,
                    began,
                    ends,
                },
            );
        })
        .await;
}

/// Makes the engine dial a campaign; answers what stands in its way.
pub(crate) async fn adopt(
    shared: &Arc<Shared>,
    setting: Arc<Setting>,
) -> Result<Vec<crate::view::Problem>, CenterError> {
    check_mode(&setting.campaign)?;
    crate::agentless::check(shared, &setting).await?;
    let now = shared.now();
    let id = setting.id();
    let known = shared
        .post
        .call(move |engine, _| engine.is_dialing(id))
        .await?;
    let fed = if known {
        Fed::default()
    } else {
        feeder::feed(shared, &setting, (FIRST_FEED, None)).await?
    };
    let counts = shared.out.store.item_counts(id, now).await?;
    let spec = spec(&setting, now);
    let adopted = Adopted {
        setting,
        spec,
        counts,
        fed,
    };
    let acts = adopted.setting.campaign.params.amd == AmdMode::On;
    let learns = adopted.setting.campaign.params.mode == DialMode::Predictive;
    let problems = shared
        .post
        .call(move |engine, now| {
            let done = engine.adopt(now, adopted);
            if done.is_ok() {
                engine.clear_alarm(&format!("not_taken_up:{id}"));
                if acts {
                    engine.clear_alarm(&crate::amd::alarm_of(id));
                }
            }
            done
        })
        .await??;
    if learns && !known {
        crate::memory::recall(shared, id).await;
    }
    if learns && acts {
        crate::amd::plan_with(shared, id).await;
    }
    Ok(problems)
}

pub(crate) fn check_mode(campaign: &Campaign) -> Result<(), CenterError> {
    CenterHandle::dialable(&campaign.params)
        .map_err(|reason| CenterError::conflict("mode_unavailable", reason))
}

/// A forecast without a line would wait for ever and say nothing.
pub(crate) async fn check_trunks(shared: &Shared, rows: &Setting) -> Result<(), CenterError> {
    if rows.campaign.params.mode != DialMode::Predictive {
        return Ok(());
    }
    let all = ListFilter::default();
    let trunks = shared.out.store.list_trunks(&all, &whole_page()).await?;
    let usable = trunks.items.iter().any(|t| {
        let named = rows.trunks.is_empty() || rows.trunks.contains(&t.id);
        named && t.enabled && t.channels > 0 && t.cps > 0
    });
    if usable {
        return Ok(());
    }
    Err(CenterError::conflict(
        "no_trunks",
        "predictive dialing needs an enabled trunk with at least one channel and one start a second: \
         enable one, or name it in params.trunks",
    ))
}

/// Cap on abandonment in percent: the campaign's own, else the house's.
pub(crate) fn cap_pct(params: &CampaignParams) -> f64 {
    params.abandon_cap_pct.unwrap_or(HOUSE_CAP_PCT)
}

/// Target of abandonment in percent: the campaign's own, else a share of its cap.
fn own_target_pct(params: &CampaignParams) -> f64 {
    let of_cap = TARGET_OF_CAP * cap_pct(params);
    params.abandon_target_pct.unwrap_or(of_cap)
}

/// Persons that detection may take for machines before an agent hears them, percent of the answers.
fn amd_fp_pct(params: &CampaignParams) -> f64 {
    if params.amd == AmdMode::On && !params.amd_connect_first {
        params.amd_fp_limit_pct
    } else {
        0.0
    }
}

/// Abandonment that a campaign of these parameters aims at under such packs, percent.
pub(crate) fn target_pct(params: &CampaignParams, packs: &[AbandonRule]) -> f64 {
    let (target, cap) = (own_target_pct(params), cap_pct(params));
    aim_pct(target, cap, packs, amd_fp_pct(params))
}

/// How it leans away from the rule of its mode.
pub(crate) const fn lean(params: &CampaignParams) -> Lean {
    Lean {
        agent_balance: params.agent_balance,
        intensity_pct: params.intensity_pct,
        basis: params.agent_count_basis,
    }
}

/// A campaign that is marked running and cannot be taken up: said on the board, the others go on.
async fn not_taken_up(shared: &Arc<Shared>, id: CampaignId, name: String, error: &CenterError) {
    tracing::error!(campaign = %id, reason = %error, "campaign not taken up");
    let words = (
        format!("la campaña {name} no se pudo retomar: {error}"),
        format!("campaign {name} could not be taken up: {error}"),
    );
    shared
        .post
        .tell(move |engine, now| {
            engine.alarm(now, format!("not_taken_up:{id}"), "not_taken_up", words);
        })
        .await;
}

/// After a change was stored: running campaigns dial by it from now on.
pub(crate) async fn changed(shared: Arc<Shared>, id: CampaignId) -> Result<(), CenterError> {
    let campaign = shared.out.store.get_campaign(id).await?;
    let running = campaign.status == CampaignStatus::Running;
    if running {
        check_mode(&campaign)?;
    }
    let rows = Arc::new(setting(&shared, campaign).await?);
    if running {
        refill(&shared, &rows).await?;
        adopt(&shared, rows).await?;
    } else {
        let counts = shared.out.store.item_counts(id, shared.now()).await?;
        shared
            .post
            .call(move |engine, _| engine.know(rows, Some(counts)))
            .await?;
    }
    Ok(())
}

/// Campaigns marked running, at the start of a node.
pub(crate) async fn resume_all(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let mut page = whole_page();
    loop {
        let found = persist!(
            shared,
            shared
                .out
                .store
                .list_campaigns(&ListFilter::default(), &page)
        )?;
        for campaign in found.items {
            let (id, running) = (campaign.id, campaign.status == CampaignStatus::Running);
            let name = campaign.name.clone();
            let done = match setting(shared, campaign).await {
                Ok(rows) if running && shared.config.resume_running => {
                    adopt(shared, Arc::new(rows)).await.map(|_| ())
                }
                Ok(rows) => {
                    let rows = Arc::new(rows);
                    shared
                        .post
                        .call(move |engine, _| engine.know(rows, None))
                        .await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                not_taken_up(shared, id, name, &error).await;
            }
        }
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}
