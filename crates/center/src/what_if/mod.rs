//! What a forecast of a campaign needs: its history as a profile, its ration of contacts, and what the
//! law says of a sample of its debtors in other hours.

mod profile;
mod shift;
#[cfg(test)]
mod tests;

pub use profile::profile;
pub use shift::Shift;

use crate::campaigns::{cap_pct, segments_of, target_pct};
use crate::error::CenterError;
use crate::ports::{CallLaw, LawBook};
use dialer::AbandonRule;
use domain::entity::{Campaign, CampaignParams, Channel, CheckPoint, DialMode, Trunk};
use domain::ids::{CampaignId, VerdictId};
use domain::law::Action;
use domain::ports::store::{AttemptFilter, ContactFacts, ListFilter, PAGE_LIMIT_MAX, StoreError};
use domain::ports::{CampaignProfile, PageRequest, Store};
use domain::time::{DAY_MS, SECOND_MS, UtcMs};
use std::collections::BTreeMap;

/// Days of history.
const DAYS: i64 = 30;
/// Most attempts whose times are read; of more every n-th is, and all are counted.
const TIMED_MAX: u32 = 20_000;
/// Debtors of each segment whose law is asked.
const SAMPLE: u32 = 12;
/// Days ahead that it is asked for, a whole week from tomorrow.
const LAW_DAYS: i64 = 7;

/// A campaign's past and present.
#[derive(Debug, Clone)]
pub struct History {
    /// Its attempts.
    pub profile: CampaignProfile,
    /// Days of history.
    pub days: i64,
    /// Refusals by law in these days by reason, most first.
    pub blocked: Vec<(String, u64)>,
    /// Trunks that may be dialed.
    pub trunks: Vec<Trunk>,
    /// Lines of its trunks, at most its own limit.
    pub lines: u32,
    /// Starts a second of its trunks, at most its own limit.
    pub cps: u32,
    /// Agents who may work for it.
    pub agents_assigned: u32,
    /// Debtors who are still in it.
    pub debtors: u64,
    /// Strictest cap and longest least ring time of the sample.
    pub law: CallLaw,
    /// Abandonment as the packs of the sample want it.
    pub packs: Vec<AbandonRule>,
    /// Debtors whose law is asked.
    pub sample: Vec<ContactFacts>,
    /// Now.
    pub now: UtcMs,
}

/// What the law says of the sample in a shift.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    /// Contacts judged: debtors × hours × days.
    pub judged: u64,
    /// Of them refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

impl Refusals {
    /// Share refused, 0 to 1; `None` when nothing was judged.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let refused: u64 = self.refused.values().sum();
        (self.judged > 0).then(|| float(refused) / float(self.judged))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

/// Reads what a forecast of the campaign needs.
///
/// # Errors
/// `NotFound`, `bad_expression`, or a database that is away.
pub async fn history(
    store: &dyn Store,
    law: &dyn LawBook,
    campaign: &Campaign,
    now: UtcMs,
) -> Result<History, CenterError> {
    history_timing(store, law, campaign, now, TIMED_MAX).await
}

/// The same with the times of at most `timed_max` attempts.
///
/// # Errors
/// As [`history`].
pub async fn history_timing(
    store: &dyn Store,
    law: &dyn LawBook,
    campaign: &Campaign,
    now: UtcMs,
    timed_max: u32,
) -> Result<History, CenterError> {
    let sample = sample(store, campaign, now).await?;
    let (mut call_law, mut packs) = (CallLaw::default(), Vec::new());
    for (n, facts) in sample.iter().enumerate() {
        let one = law.call_law(facts, now);
        packs.push(one.abandon);
        if n == 0 {
            call_law = one;
        } else {
            call_law.ring_min_ms = call_law.ring_min_ms.max(one.ring_min_ms);
            call_law.agent_within_ms = call_law.agent_within_ms.min(one.agent_within_ms);
            call_law.abandon_cap_pct = call_law.abandon_cap_pct.min(one.abandon_cap_pct);
        }
    }
    let zone = zone_of(&sample);
    let since = now.plus_ms(-DAYS * DAY_MS);
    let profile = read(store, campaign, &zone, (since, now), timed_max).await?;
    let mut blocked = store.blocked_counts(Some(campaign.id), since).await?;
    blocked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let counts = store.item_counts(campaign.id, now).await?;
    let (all, page) = (ListFilter::default(), whole_page());
    let mut trunks = store.list_trunks(&all, &page).await?.items;
    trunks.retain(|t| t.enabled);
    let (lines, cps) = limits(&trunks, &campaign.params);
    Ok(History {
        profile,
        days: DAYS,
        blocked,
        trunks,
        lines,
        cps,
        agents_assigned: assigned(store, campaign.id).await?,
        debtors: counts.due + counts.later + counts.leased,
        law: call_law,
        packs,
        sample,
        now,
    })
}

/// The zone of most portfolios of the sample: a number from abroad does not move the hours.
fn zone_of(sample: &[ContactFacts]) -> String {
    let mut zones: BTreeMap<&str, u32> = BTreeMap::new();
    for facts in sample {
        *zones.entry(facts.portfolio.zone.as_str()).or_default() += 1;
    }
    let most = zones.into_iter().max_by_key(|zone| zone.1);
    most.map_or_else(|| "UTC".to_owned(), |(zone, _)| zone.to_owned())
}

/// Some debtors of each segment that fills the campaign, with what the law asks of each; who is in several counts
/// once.
pub(crate) async fn sample(
    store: &dyn Store,
    campaign: &Campaign,
    now: UtcMs,
) -> Result<Vec<ContactFacts>, CenterError> {
    let mut sample: Vec<ContactFacts> = Vec::new();
    for id in segments_of(campaign) {
        let segment = store.get_segment(id).await?;
        let expr = domain::segment::parse(&segment.expression)
            .map_err(|e| CenterError::invalid("bad_expression", "segment_id", e.to_string()))?;
        let rows = store.segment_sample(campaign.client_id, &expr, now, SAMPLE);
        for row in rows.await? {
            if sample.iter().any(|f| f.debtor.id == row.debtor_id) {
                continue;
            }
            match store.contact_facts(row.debtor_id, now).await {
                Ok(facts) => sample.push(facts),
                Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(sample)
}

/// The profile of the campaign's attempts of that time.
async fn read(
    store: &dyn Store,
    campaign: &Campaign,
    zone: &str,
    (from, to): (UtcMs, UtcMs),
    timed_max: u32,
) -> Result<CampaignProfile, StoreError> {
    let ring_s = f64::from(i32::try_from(campaign.params.ring_timeout_s).unwrap_or(25));
    let filter = AttemptFilter {
        client_id: Some(campaign.client_id),
        campaign_id: Some(campaign.id),
        debtor_id: None,
        since: Some(from),
    };
    let past = store.past_attempts(&filter, timed_max).await?;
    Ok(profile::profile(&past, zone, ring_s, (from, to)))
}

fn whole_page() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

/// Lines and starts a second that the parameters leave of the trunks.
fn limits(trunks: &[Trunk], params: &CampaignParams) -> (u32, u32) {
    let (mut lines, mut cps) = (0_u32, 0_u32);
    for trunk in trunks {
        if params.trunks.is_empty() || params.trunks.contains(&trunk.name) {
            lines = lines.saturating_add(u32::try_from(trunk.channels).unwrap_or(0));
            cps = cps.saturating_add(u32::try_from(trunk.cps).unwrap_or(0));
        }
    }
    let most = |own: Option<i32>, all: u32| {
        own.and_then(|n| u32::try_from(n).ok())
            .map_or(all, |n| n.min(all))
    };
    (most(params.lines_max, lines), most(params.cps_max, cps))
}

async fn assigned(store: &dyn Store, id: CampaignId) -> Result<u32, StoreError> {
    let mut page = whole_page();
    let mut n = 0_u32;
    loop {
        let rows = store.list_agents(&ListFilter::default(), &page).await?;
        for agent in rows.items {
            n += u32::from(agent.campaigns.is_empty() || agent.campaigns.contains(&id));
        }
        match rows.next_cursor {
            None => return Ok(n),
            cursor => page.cursor = cursor,
        }
    }
}

impl History {
    /// Lines and starts a second of a campaign of these parameters.
    #[must_use]
    pub fn limits(&self, params: &CampaignParams) -> (u32, u32) {
        limits(&self.trunks, params)
    }

    /// Cap on abandonment in force under these parameters, percent.
    #[must_use]
    pub fn cap_pct(&self, params: &CampaignParams) -> f64 {
        cap_pct(params).min(self.law.abandon_cap_pct)
    }

    /// Abandonment that a campaign of these parameters aims at under the packs of the sample, percent, by the
    /// dialer's own rule.
    #[must_use]
    pub fn target_pct(&self, params: &CampaignParams) -> f64 {
        target_pct(params, &self.packs)
    }

    /// What the law says of the sample in each hour of the shift, for the week from tomorrow; the
    /// facts are those of now.
    #[must_use]
    pub fn refusals(
        &self,
        law: &dyn LawBook,
        id: CampaignId,
        params: &CampaignParams,
        from_h: f64,
        hours: f64,
    ) -> Refusals {
        let mut out = Refusals::default();
        let reserved = !matches!(params.mode, DialMode::Predictive | DialMode::Power);
        for facts in &self.sample {
            let point = facts.points.iter().find(|p| p.channel == Channel::Call);
            let Some(point) = point else { continue };
            for now in self.instants(&law.zone_of(facts), params, (from_h, hours)) {
                let action = Action {
                    verdict_id: VerdictId(uuid::Uuid::nil()),
                    check_point: CheckPoint::Hopper,
                    channel: Channel::Call,
                    point_id: Some(point.id),
                    campaign_id: Some(id),
                    campaign_window: Some((params.window_from.clone(), params.window_to.clone())),
                    circumstances: domain::entity::Circumstances {
                        schedule: params.schedule.clone(),
                        zone_policy: params.zone_policy,
                        ..domain::entity::Circumstances::default()
                    },
                    attempts_per_day: params.attempts_per_day,
                    ring_timeout_ms: (params.ring_timeout_s * SECOND_MS).max(self.law.ring_min_ms),
                    agent_reserved: reserved,
                    now,
                };
                let verdict = law.judge(facts, &action);
                out.judged += 1;
                if !verdict.decision.permits(reserved) {
                    let reason = verdict
                        .blocked
                        .map_or_else(|| "rule".to_owned(), |b| b.as_str().to_owned());
                    *out.refused.entry(reason).or_default() += 1;
                }
            }
        }
        out
    }
}
