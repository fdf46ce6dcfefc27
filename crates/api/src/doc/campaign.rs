//! Campaigns and what they are made of.

use super::{
    CampaignStatus, DialMode, DropAction, HoldKind, Instant, RecordMode, VersionState, WrapupMode,
};
use uuid::Uuid;

shape! {
    /// A named filter.
    Segment {
        id: Uuid, client_id: Uuid, name: String, expression: String, version: i32,
        created_at: Instant, updated_at: Instant,
    }
    /// One step of a script; texts may hold variables, as `{debtor.name}`.
    ScriptStep {
        key: String, title_es: String, title_en: String, text_es: String, text_en: String,
        /// May be shown before identity is ticked.
        before_identity: bool,
    }
    /// What the agent is to say.
    Script {
        id: Uuid, client_id: Uuid, name: String, steps: Vec<ScriptStep>, version: i32,
        created_at: Instant, updated_at: Instant,
    }
    /// A code of the disposition tree.
    Disposition {
        code: String, label_es: String, label_en: String, rpc: bool, is_final: bool, next: String,
        cooloff_h: i32, hold: Option<HoldKind>, required: Vec<String>,
        /// 1–9, 0 = none.
        hotkey: i32,
        agent_may_set: bool,
    }
    /// Parameters of a campaign.
    CampaignParams {
        mode: DialMode, lines_per_agent: f64, lines_per_agent_max: f64,
        /// Percent; null = the pack's.
        abandon_cap_pct: Option<f64>,
        abandon_target_pct: Option<f64>, pacing_tick_ms: i64, ring_timeout_s: i64,
        agent_within_ms: i64, drop_action: DropAction,
        /// null = automatic.
        hopper_min: Option<u32>,
        hopper_factor: f64, order: Vec<String>,
        /// `HH:MM` in the debtor's zone.
        window_from: String,
        window_to: String, preview_max_s: i64, preview_skip: bool, wrapup_mode: WrapupMode,
        wrapup_s: i64, wrapup_max_s: i64, disposition_required: bool, priority: i32, weight: i32,
        record: RecordMode, mask_dtmf: bool,
        allowed_prefixes: Vec<String>, caller_id_pool: Vec<Uuid>, attempts_per_debtor: i32,
        attempts_per_point: i32, attempts_per_day: Option<i32>, cps_max: Option<i32>,
        lines_max: Option<i32>, trunks: Vec<String>, skills: Vec<String>, card_first: bool, identity_gate: bool, promise_max_days: i32,
        promise_min_pct: i32,
    }
    /// A version of a campaign's settings.
    CampaignVersion {
        id: Uuid, campaign_id: Uuid, client_id: Uuid, name: String, segment_id: Uuid,
        script_id: Option<Uuid>, params: CampaignParams, state: VersionState,
        /// The campaign's version it became; null for a draft.
        version: Option<i32>,
        /// The version it brings back.
        restores: Option<i32>,
        note: String, made_by: Option<Uuid>, created_at: Instant, published_at: Option<Instant>,
    }
    /// A campaign.
    Campaign {
        id: Uuid, client_id: Uuid, name: String, segment_id: Uuid, script_id: Option<Uuid>,
        status: CampaignStatus, params: CampaignParams, version: i32, created_at: Instant,
        updated_at: Instant,
    }
}
