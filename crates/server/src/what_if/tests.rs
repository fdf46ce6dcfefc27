//! The real simulator on a history that lies in a database.
#![expect(clippy::expect_used, reason = "a test: it fails loudly")]

mod leaning;
mod mix;

use super::{Forecaster, world};
use center::what_if::{History, history, history_timing};
use domain::entity::{
    AgentCountBasis, AmdMode, Attempt, CallResult, Campaign, CampaignParams, Channel, CheckPoint,
    Client, ContactPoint, Debt, Debtor, DialMode, LedgerRow, Portfolio, Segment, Trunk, Verdict,
};
use domain::ids::{AgentId, AttemptId, VerdictId};
use domain::law::{Action, Judge, RuleBook};
use domain::ports::store::{
    AttemptChange, Closing, ContactFacts, NodeLease, OpenDraft, OpenOutcome,
};
use domain::ports::{ANSWERS_ENOUGH, Range, Store, WhatIf as _, WhatIfError, WhatIfSettings};
use domain::time::{DAY_MS, UtcMs};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// 2026-11-24 16:00 UTC, a Tuesday: 10:00 in Mexico City.
const NOW: UtcMs = UtcMs(1_795_536_000_000);
/// The day before, when the attempts were made.
const THEN: UtcMs = UtcMs(NOW.0 - DAY_MS);

fn row<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a row")
}

/// Permits what history already did.
struct Past;

impl Judge for Past {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        row(
            json!({"id": action.verdict_id, "at": action.now, "check_point": action.check_point,
            "debtor_id": facts.debtor.id, "point_id": action.point_id, "campaign_id": null,
            "channel": "call", "decision": "allow", "blocked": null, "rules": [], "packs": [],
            "zones": [], "counters": [], "next_legal_at": null}),
        )
    }
}

/// A campaign with one debtor in a database of its own.
struct House {
    store: Arc<dyn Store>,
    campaign: Campaign,
    debtor: Debtor,
    point: ContactPoint,
    lease: NodeLease,
    _dir: tempfile::TempDir,
}

impl House {
    async fn build() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", dir.path().join("m.db").display());
        let database = crate::config::Database {
            url,
            sync: store::LiteSync::Normal,
        };
        let store = crate::node::open_store(&database).await;
        let store = store.expect("a store");
        let id = Uuid::now_v7;
        let stamps = |mut value: Value| {
            value["created_at"] = json!(THEN);
            value["updated_at"] = json!(THEN);
            value
        };
        let client: Client = row(json!({"id": id(), "name": "Norte",
            "callback_number": "+525500000100", "created_at": THEN}));
        let portfolio: Portfolio = row(json!({"id": id(), "client_id": client.id, "name": "P",
            "currency": "MXN", "creditor_kind": "financial", "zone": "America/Mexico_City",
            "created_at": THEN}));
        let debtor: Debtor = row(stamps(json!({"id": id(), "client_id": client.id,
            "portfolio_id": portfolio.id, "person_id": id(), "external_ref": "D-1",
            "kind": "person", "name": "Persona Inventada", "document": "PEIN800101",
            "country": "MX", "subdivision": "CMX", "language": "es",
            "address_zone": "America/Mexico_City"})));
        let debt: Debt = row(stamps(json!({"id": id(), "debtor_id": debtor.id,
            "client_id": client.id, "portfolio_id": portfolio.id, "external_ref": "C-1",
            "product": "tarjeta", "currency": "MXN", "principal_minor": 90_000,
            "interest_minor": 0, "fees_minor": 0, "overdue_minor": 40_000,
            "minimum_minor": 10_000, "due_date": "2026-10-01", "status": "open"})));
        let point: ContactPoint = row(json!({"id": id(), "debtor_id": debtor.id,
            "role": "titular", "channel": "call", "value": "+525512345678", "class": "mobile",
            "source": "import", "given_by_debtor": true, "authorised": true, "confidence": 90,
            "position": 0, "bad": false}));
        let segment: Segment = row(stamps(json!({"id": id(), "client_id": client.id,
            "name": "Mora", "expression": "country = 'MX'", "version": 1})));
        let campaign: Campaign = row(stamps(json!({"id": id(), "client_id": client.id,
            "name": "Mora temprana", "segment_id": segment.id, "script_id": null,
            "status": "running", "params": {}, "version": 1})));
        let trunk: Trunk = row(
            json!({"id": id(), "name": "carrier", "channels": 60, "cps": 10,
            "enabled": true, "created_at": THEN}),
        );
        store.put_client(&client, &[]).await.expect("client");
        store
            .put_portfolio(&portfolio, &[])
            .await
            .expect("portfolio");
        store.put_debtor(&debtor, &[]).await.expect("debtor");
        store.put_debt(&debt, &[]).await.expect("debt");
        store.put_point(&point, &[]).await.expect("point");
        store.put_segment(&segment, &[]).await.expect("segment");
        store.put_campaign(&campaign, &[]).await.expect("campaign");
        store.put_trunk(&trunk, &[]).await.expect("trunk");
        let lease = store.register_node("n", THEN, DAY_MS).await.expect("node");
        Self {
            store,
            campaign,
            debtor,
            point,
            lease,
            _dir: dir,
        }
    }

    /// An attempt that ended so, `s` seconds after `THEN`; people talk for `talk_s`.
    async fn attempt(&self, s: i64, result: CallResult, talk_s: i64, agent: AgentId) {
        let (id, at) = (AttemptId(Uuid::now_v7()), THEN.plus_ms(s * 1_000));
        let d = &self.debtor;
        let attempt: Attempt = row(json!({"id": id, "client_id": d.client_id,
            "campaign_id": self.campaign.id, "debtor_id": d.id, "person_id": d.person_id,
            "debt_id": null, "debts": [], "point_id": self.point.id, "phone": self.point.value,
            "class": "mobile", "trunk_id": Uuid::now_v7(), "caller_id": null,
            "caller_number": "+525500000100", "node": self.lease.node,
            "fence": self.lease.fence, "mode": "progressive", "agent_reserved": true,
            "state": "committed", "opened_at": at, "verdict_id": Uuid::now_v7(), "pack": "",
            "pack_version": ""}));
        let ledger: LedgerRow = row(json!({"id": Uuid::now_v7(), "person_id": d.person_id,
            "debtor_id": d.id, "client_id": d.client_id, "debts": [], "point_id": self.point.id,
            "address": self.point.value, "class": "mobile", "channel": "call",
            "kind": "attempt", "at": at, "attempt_id": id, "campaign_id": self.campaign.id}));
        let action = Action {
            verdict_id: VerdictId(Uuid::now_v7()),
            check_point: CheckPoint::Dial,
            channel: Channel::Call,
            point_id: Some(self.point.id),
            campaign_id: None,
            campaign_window: None,
            attempts_per_day: None,
            circumstances: domain::entity::Circumstances::default(),
            ring_timeout_ms: 25_000,
            agent_reserved: true,
            now: at,
        };
        let draft = OpenDraft {
            attempt,
            action,
            ledger,
            events: Vec::new(),
        };
        let opened = self.store.open_attempt(&draft, &Past).await.expect("open");
        assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
        let person = result.is_live_answer();
        let change = AttemptChange {
            invite_at: Some(at),
            ringing_at: Some(at.plus_ms(2_000)),
            answered_at: person.then(|| at.plus_ms(10_000)),
            bridged_at: person.then(|| at.plus_ms(10_200)),
            agent_id: person.then_some(agent),
            ..AttemptChange::default()
        };
        let noted = self.store.note_attempt(id, &change, &[]).await;
        noted.expect("note");
        let end = at.plus_ms(10_200 + talk_s * 1_000);
        let closing = Closing {
            ended_at: Some(end),
            result: Some(result),
            disposed_at: person.then(|| end.plus_ms(12_000)),
            ..Closing::default()
        };
        self.store.close_attempt(id, &closing).await.expect("close");
    }

    /// The history of a later or earlier moment with so many attempts timed.
    async fn history_at(&self, now: UtcMs, timed_max: u32) -> History {
        let law = RuleBook::embedded().expect("packs");
        let found = history_timing(&*self.store, &law, &self.campaign, now, timed_max).await;
        found.expect("a history")
    }

    async fn history(&self) -> History {
        let law = RuleBook::embedded().expect("packs");
        let found = history(&*self.store, &law, &self.campaign, NOW).await;
        found.expect("a history")
    }
}

fn side(mode: DialMode, agents: u32, h: &History) -> WhatIfSettings {
    WhatIfSettings {
        mode,
        lines_per_agent: 2.0,
        agent_balance: 0,
        intensity_pct: 0.0,
        agent_count_basis: AgentCountBasis::NotPaused,
        agents,
        ring_timeout_s: 25.0,
        cap_pct: h.law.abandon_cap_pct,
        target_pct: h.target_pct(&CampaignParams::default()),
        agent_within_s: 2.0,
        from_h: 9.0,
        hours: 3.0,
        lines: h.lines,
        cps: f64::from(h.cps),
    }
}

/// What these runs are worth is asked here, not how fast a busy machine is.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

fn holds(r: Range) -> bool {
    r.low <= r.value && r.value <= r.high && r.low >= 0.0
}

#[tokio::test]
async fn a_stored_history_gives_both_sides_their_figures() {
    let house = House::build().await;
    let agents = [AgentId(Uuid::now_v7()), AgentId(Uuid::now_v7())];
    for n in 0..60_i64 {
        let person = n % 4 == 0;
        let result = if person {
            CallResult::Human
        } else {
            CallResult::NoAnswer
        };
        let agent = agents[usize::from(n % 8 == 0)];
        house.attempt(n * 120, result, 60 + n, agent).await;
    }
    let found = house.history().await;
    let p = &found.profile;
    assert_eq!((p.attempts, p.live, p.talks, found.days), (60, 15, 15, 30));
    assert_eq!((found.lines, found.cps, found.sample.len()), (60, 10, 1));
    assert_eq!(p.zone, "America/Mexico_City");
    let sides = vec![
        side(DialMode::Progressive, 6, &found),
        side(DialMode::Predictive, 6, &found),
    ];
    let profile = Arc::new(found.profile.clone());
    let forecaster = Forecaster::who_waits(PATIENCE, PATIENCE);
    let out = forecaster
        .forecast(Arc::clone(&profile), sides.clone())
        .await;
    let out = out.expect("a forecast");
    let (one, many) = (out[0], out[1]);
    for f in [one, many] {
        assert!(f.runs >= 2 && f.handled_per_hour.value > 0.0, "{f:?}");
        for r in [
            f.talk_minutes_per_hour,
            f.occupancy,
            f.abandonment,
            f.agent_wait_s,
        ] {
            assert!(holds(r), "{r:?}");
        }
        assert!(f.talk_minutes_per_hour.value < 360.0 && f.occupancy.value < 1.0);
    }
    // One line an agent abandons nobody; over-dialing talks more, waits less and spends more contacts.
    assert!(one.abandonment.value < 1e-9, "{:?}", one.abandonment);
    assert!(many.talk_minutes_per_hour.value > one.talk_minutes_per_hour.value);
    assert!(many.contacts_per_hour.value > one.contacts_per_hour.value);
    assert!(many.agent_wait_s.value < one.agent_wait_s.value);
    // 15 answers of 400: what they leave open widens the intervals.
    let mut known = (*profile).clone();
    known.live = ANSWERS_ENOUGH;
    known.attempts = ANSWERS_ENOUGH * 4;
    let sure = forecaster
        .forecast(Arc::new(known), sides)
        .await
        .expect("sure");
    let width = |r: Range| (r.high - r.low) / r.value;
    let (thin, thick) = (one.talk_minutes_per_hour, sure[0].talk_minutes_per_hour);
    assert!(width(thin) > 2.0 * width(thick), "{thin:?} {thick:?}");
}

#[tokio::test]
async fn a_busy_friday_is_replayed_on_monday_morning() {
    let house = House::build().await;
    let agent = AgentId(Uuid::now_v7());
    let hour_s = 3_600;
    // Friday 20 November, 9:03 to 17:48 in Mexico City, and three calls a fortnight before.
    let friday_s = -3 * 24 * hour_s - hour_s;
    for n in 0..60_i64 {
        let result = match n % 4 {
            0 => CallResult::Human,
            _ => CallResult::NoAnswer,
        };
        house
            .attempt(friday_s + 180 + n * 534, result, 40, agent)
            .await;
    }
    for n in 0..3_i64 {
        let s = friday_s - 14 * 24 * hour_s + n * 60;
        house.attempt(s, CallResult::Busy, 0, agent).await;
    }
    // Nobody was called on Saturday and Sunday; it is Monday, 9:00. A third of the calls is timed.
    let now = THEN.plus_ms(-hour_s * 1_000);
    let found = house.history_at(now, 21).await;
    let p = &found.profile;
    assert_eq!((found.days, now.since_ms(p.from)), (30, 30 * DAY_MS));
    assert_eq!((p.attempts, p.live, p.misses.busy), (63, 15, 3));
    let hours: Vec<u8> = p.by_hour.iter().map(|h| h.hour).collect();
    assert_eq!(hours, (9..18).collect::<Vec<u8>>());
    let each: Vec<u64> = p.by_hour.iter().map(|h| h.attempts).collect();
    assert!(each.iter().all(|n| (6..=10).contains(n)), "{each:?}");
    assert_eq!(p.timed, 21);
    assert!(p.talks >= 4, "{} talks", p.talks);
    assert!((p.agents - 1.0).abs() < 1e-9, "{}", p.agents);
}

#[tokio::test]
async fn a_forecast_aims_where_the_dialer_does_and_keeps_the_laws_cap() {
    let house = House::build().await;
    let found = house.history().await;
    let of = |cap, target| CampaignParams {
        abandon_cap_pct: cap,
        abandon_target_pct: target,
        ..CampaignParams::default()
    };
    let aim = |cap, target| found.target_pct(&of(cap, target));
    for (cap, target, aims) in [
        (None, None, 2.79),
        (None, Some(1.0), 1.0),
        (None, Some(2.9), 2.9),
        (Some(2.0), None, 1.86),
        (Some(2.0), Some(2.5), 2.0),
    ] {
        assert!((aim(cap, target) - aims).abs() < 1e-9, "{cap:?} {target:?}");
    }
    let judged = CampaignParams {
        amd: AmdMode::On,
        amd_connect_first: false,
        amd_fp_limit_pct: 1.0,
        ..of(None, None)
    };
    assert!((found.target_pct(&judged) - 1.79).abs() < 1e-9);
    let with = |target| WhatIfSettings {
        target_pct: aim(None, target),
        ..side(DialMode::Predictive, 6, &found)
    };
    let built = world::build(&found.profile, &with(Some(1.0))).expect("a world");
    assert!((built.cap - 0.03).abs() < 1e-9 && (built.target - 0.01).abs() < 1e-9);
    // None of its own and the same said aloud is the same forecast; another is another.
    let sides = vec![with(None), with(Some(2.79)), with(Some(1.0))];
    let out = Forecaster::who_waits(PATIENCE, PATIENCE)
        .forecast(Arc::new(found.profile.clone()), sides)
        .await
        .expect("a forecast");
    assert_eq!(out[0], out[1]);
    assert!(out[2].abandonment.value < out[0].abandonment.value);
}

#[tokio::test]
async fn a_pack_that_aims_lower_is_heard() {
    let house = House::build().await;
    let mut found = house.history().await;
    let params = CampaignParams::default();
    let pack = found.packs[0];
    let mut low = pack;
    low.target_pct = 1.5;
    found.packs = vec![pack, low];
    assert!((found.target_pct(&params) - 1.5).abs() < 1e-9);
    // Persons who may be taken for machines are off a pack's aim as they are off the campaign's.
    let judged = CampaignParams {
        amd: AmdMode::On,
        ..CampaignParams::default()
    };
    assert!((found.target_pct(&judged) - 1.0).abs() < 1e-9);
    (low.cap_pct, low.target_pct) = (2.0, 1.86);
    found.packs = vec![low];
    assert!((found.target_pct(&params) - 1.86).abs() < 1e-9);
}

#[tokio::test]
async fn no_history_at_all_still_answers_and_says_so_by_its_intervals() {
    let house = House::build().await;
    let found = house.history().await;
    assert_eq!((found.profile.live, found.profile.attempts), (0, 0));
    let sides = vec![side(DialMode::Preview, 3, &found)];
    let out = Forecaster::who_waits(PATIENCE, PATIENCE)
        .forecast(Arc::new(found.profile), sides)
        .await;
    let talk = out.expect("a forecast")[0].talk_minutes_per_hour;
    assert!(talk.value > 0.0 && talk.low < 0.1 * talk.value, "{talk:?}");
}

#[tokio::test]
async fn the_law_is_asked_about_the_hours_of_the_shift() {
    let house = House::build().await;
    let found = house.history().await;
    let law = RuleBook::embedded().expect("packs");
    let (id, params) = (house.campaign.id, &house.campaign.params);
    let day = found.refusals(&law, id, params, 9.0, 9.0);
    let mut late = params.clone();
    late.window_from = "01:00".into();
    late.window_to = "05:00".into();
    let night = found.refusals(&law, id, &late, 1.0, 4.0);
    assert_eq!((day.judged, night.judged), (7 * 9, 7 * 4));
    assert_eq!(
        night.share(),
        Some(1.0),
        "nobody is called at night: {night:?}"
    );
    assert!(day.share() < night.share(), "{day:?}");
}

#[tokio::test]
async fn a_shift_follows_the_schedule() {
    use domain::entity::{CampaignSchedule, DayHours};
    use domain::law::pack::Day;
    let house = House::build().await;
    let found = house.history().await;
    let law = RuleBook::embedded().expect("packs");
    let (id, plain) = (house.campaign.id, &house.campaign.params);
    let whole = found.shift(plain).expect("every day");
    assert_eq!((whole.days, whole.from_h, whole.hours), (7, 9.0, 11.0));
    let mut params = plain.clone();
    params.schedule = CampaignSchedule {
        hours: vec![
            DayHours::of(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu], "10:00", "18:00"),
            DayHours::of(&[Day::Fri], "09:00", "13:00"),
        ],
        ..CampaignSchedule::default()
    };
    let shift = found.shift(&params).expect("five days");
    assert_eq!((shift.days, shift.from_h), (5, 9.0));
    assert!((shift.hours - 36.0 / 5.0).abs() < 1e-9, "{shift:?}");
    // The law is asked about its hours alone, and they are the campaign's: none of them is refused for its days.
    let asked = found.refusals(&law, id, &params, shift.from_h, 24.0);
    assert_eq!(asked.judged % 36, 0, "{asked:?}");
    assert!(asked.judged > 0);
    let over = "2020-01-01".parse().ok();
    params.schedule.until = over;
    assert_eq!(found.shift(&params), None);
    assert_eq!(found.refusals(&law, id, &params, 9.0, 9.0).judged, 0);
}

#[tokio::test]
async fn impossible_settings_are_refused_and_one_forecast_runs_at_a_time() {
    let house = House::build().await;
    let found = house.history().await;
    let mut no_cap = side(DialMode::Predictive, 5, &found);
    no_cap.cap_pct = 0.0;
    let mut no_lines = side(DialMode::Progressive, 5, &found);
    no_lines.lines = 0;
    for (settings, at) in [
        (side(DialMode::Progressive, 0, &found), "agents"),
        (no_cap, "params.mode"),
        (no_lines, "params.trunks"),
        (side(DialMode::Manual, 5, &found), "params.mode"),
    ] {
        let refused = world::build(&found.profile, &settings).map(|w| w.hours);
        let Err(WhatIfError::Refused { field, reason }) = refused else {
            panic!("{settings:?}: {refused:?}");
        };
        assert_eq!(field, at);
        assert!(
            reason.contains("expected") || reason.contains("choose"),
            "{reason}"
        );
    }
    let forecaster = Forecaster::who_waits(PATIENCE, PATIENCE);
    let turn = Arc::clone(&forecaster.turn).acquire_owned().await;
    let profile = Arc::new(found.profile.clone());
    let sides = vec![side(DialMode::Progressive, 2, &found)];
    let busy = forecaster
        .forecast(Arc::clone(&profile), sides.clone())
        .await;
    assert_eq!(busy.expect_err("busy"), WhatIfError::Busy);
    drop(turn);
    forecaster.forecast(profile, sides).await.expect("its turn");
}
