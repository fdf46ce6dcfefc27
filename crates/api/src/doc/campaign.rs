//! Campaigns and what they are made of.

use super::{
    AgentCountBasis, AmdAction, AmdMode, AssignmentTarget, CallResult, CallbackScope, CallerPick,
    CampaignStatus, CampaignZones, Day, DialMode, DropAction, ExcuseKind, HoldKind, Instant,
    LadderKey, Language, NextAgent, RecordMode, RefillMode, Stage, VersionState, WrapupMode,
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
    /// What a debtor may object, and what is answered; the answer may hold the variables of steps.
    Objection {
        /// Unique within the script.
        key: String,
        /// What he says, at most 80 characters.
        title_es: String, title_en: String,
        /// At most 1,000 characters, polite.
        answer_es: String, answer_en: String,
        /// Shown before identity is ticked too: then it tells of no debt.
        before_identity: bool,
        /// Stages of the debt in which it is shown; empty = all.
        stages: Vec<Stage>,
        /// Ageing buckets in which it is shown; empty = all.
        buckets: Vec<String>,
        /// Excuse that is logged when he says so.
        excuse: Option<ExcuseKind>,
    }
    /// What the agent is to say.
    Script {
        id: Uuid, client_id: Uuid, name: String, steps: Vec<ScriptStep>,
        /// In order, at most 40.
        objections: Vec<Objection>,
        version: i32,
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
    /// Hours of some days of the week.
    DayHours {
        /// `mon` … `sun`.
        days: Vec<String>,
        /// `HH:MM`.
        from: String,
        /// `HH:MM`, or `24:00`.
        to: String,
    }
    /// On which days a campaign works, by the date where the debtor is, within the hours of the law.
    CampaignSchedule {
        /// Hours by day of the week; a day that no line names has none. Empty = `window_from` to `window_to`, every day.
        hours: Vec<DayHours>,
        /// First date.
        from: Option<Day>,
        /// Last date.
        until: Option<Day>,
        /// Dates on which it rests.
        days_off: Vec<Day>,
    }
    /// One of several segments.
    MixPart {
        segment_id: Uuid,
        /// Its share beside the other weights, 1–1000.
        weight: i32,
    }
    /// A campaign's own rule after a result.
    RetryRule {
        result: CallResult, delay_min: i64,
        /// The delay grows by it with each try; 1 = always the same.
        factor: f64,
        max_per_day: u32, max_total: u32,
        /// `same`, `other`, `morning`, `afternoon`, `evening`.
        day_part: String,
        /// `same_point`, `next_point`, `stop`.
        then: String,
    }
    /// The queue of calls that come in.
    InboundParams {
        /// Whether the campaign's agents take calls that come in too.
        blended: bool,
        /// Most callers who wait, 1–500.
        queue_max: i32,
        /// Longest wait, s.
        wait_max_s: i64,
        /// Between two announcements of place and wait, s.
        announce_every_s: i64,
        /// Whether a call-back that keeps the place is offered (key 1).
        callback: bool,
        /// How long a place is kept, min.
        keep_place_min: i64,
        /// Wait within which an answer counts for the service level, s.
        service_level_s: i64,
        /// Whether who calls from a number of nobody waits too; the agent finds his file.
        unknown: bool,
    }
    /// The message of mode `agentless`.
    AgentlessParams {
        /// Name of the recording: `NAME.LANGUAGE.wav` in the folder of prompts.
        message: String,
        /// Who approved it; set by `POST /campaigns/{id}/message/approve` alone, gone with another message.
        approved_by: Option<String>,
        approved_at: Option<Instant>,
        /// SHA-256 (hex) of the recording that was approved, by language; another one under the same name has to be
        /// approved again.
        approved_sounds: std::collections::BTreeMap<String, String>,
        /// Key that asks for an agent, `0` to `8`; `9` opts out.
        agent_key: String,
    }
    /// Parameters of a campaign.
    CampaignParams {
        mode: DialMode, lines_per_agent: f64,
        /// Most lines for each agent (power, predictive), answered calls among them; null = no cap.
        lines_per_agent_max: Option<f64>,
        /// Percent; null = the pack's.
        abandon_cap_pct: Option<f64>,
        abandon_target_pct: Option<f64>,
        /// Agents that the rule sees beyond those who are free (power, predictive), −40 to 40: −1 keeps one free, +1 lets
        /// one call wait. A forecast stays at its target for all that.
        agent_balance: i32,
        /// Calls ahead beyond the rule's, percent (power, predictive), −90 to 100. A forecast stays at its target for all
        /// that.
        intensity_pct: f64,
        /// Which agents the lines of mode power are counted by.
        agent_count_basis: AgentCountBasis,
        /// With so many agents signed in or fewer managers see a small team, 0 to 1000; 0 = never.
        small_team_agents: u32,
        pacing_tick_ms: i64, ring_timeout_s: i64,
        agent_within_ms: i64, drop_action: DropAction,
        /// Hours; null = the pack's.
        drop_block_h: Option<i64>,
        /// null = automatic.
        hopper_min: Option<u32>,
        hopper_factor: f64, order: Vec<String>,
        /// `HH:MM` in the debtor's zone.
        window_from: String,
        window_to: String,
        /// Days on which it works; nothing said = every day.
        schedule: CampaignSchedule,
        /// Which evidence of the debtor's zone counts: `pack` as the packs say; `all_evidence` every phone of his too, and
        /// a told zone beside the others; `known_place` so, and not without an address with a zone or a told one.
        zone_policy: CampaignZones,
        preview_max_s: i64, preview_skip: bool, wrapup_mode: WrapupMode,
        wrapup_s: i64, wrapup_max_s: i64, disposition_required: bool, priority: i32, weight: i32,
        record: RecordMode, mask_dtmf: bool, amd: AmdMode,
        /// Most persons lost, percent: above it `on` goes back to `shadow`.
        amd_fp_limit_pct: f64,
        amd_action: AmdAction,
        /// Calls are connected at once and judged under the conversation.
        amd_connect_first: bool,
        /// What is left after the beep.
        voicemail_template: Option<Uuid>,
        /// Script for who broke his last promise.
        broken_script: Option<Uuid>,
        allowed_prefixes: Vec<String>, caller_id_pool: Vec<Uuid>,
        /// How the number shown is chosen among those the law lets be shown and that do not rest: `health` spread over
        /// debtors, `local` most like the number called, `pool_order` the first of the pool.
        caller_id_pick: CallerPick,
        attempts_per_debtor: i32,
        attempts_per_point: i32, attempts_per_day: Option<i32>, cps_max: Option<i32>,
        lines_max: Option<i32>, trunks: Vec<String>, skills: Vec<String>, next_agent: NextAgent, card_first: bool, identity_gate: bool,
        /// Several segments by weight; empty = the campaign's segment alone.
        list_mix: Vec<MixPart>,
        /// By what the numbers of one debtor are ordered, at most four.
        point_ladder: Vec<LadderKey>,
        /// Rules after a result that differ from the house table.
        retry_rules: Vec<RetryRule>,
        /// A caller id rests after that many calls in the window; null = never for that.
        caller_rest_calls: Option<i32>,
        /// A caller id rests when a smaller share of its calls was answered, percent; null = never.
        caller_rest_below_pct: Option<f64>,
        caller_window_min: i64, caller_rest_min: i64, callback_scope: CallbackScope,
        /// Minutes that a call-back waits for its agent.
        callback_window_min: i64,
        refill: RefillMode,
        /// `HH:MM` in the campaign's zone, for `daily`.
        refill_at: String,
        /// Goes on when nobody is left to call.
        always_on: bool,
        /// Calls that come in; a part that is not named is set back to its default.
        inbound: InboundParams,
        agentless: AgentlessParams,
        /// Keys of the client's offers that its agents may make; empty = none, null = all that his terms allow. With a
        /// list or none an agent's own conditions need a supervisor's answer.
        offer_policy: Option<Vec<String>>,
        /// Codes that its agents choose from: of level 2 with its leaves, or single leaves; empty = the whole tree.
        /// Codes that stop contact, and `CI.EQ`, are always there.
        disposition_set: Vec<String>,
        promise_max_days: i32,
        promise_min_pct: i32,
    }
    /// A version of a campaign's settings.
    CampaignVersion {
        id: Uuid, campaign_id: Uuid, client_id: Uuid, name: String, segment_id: Uuid,
        script_id: Option<Uuid>, params: CampaignParams, state: VersionState,
        /// The campaign's version it became; null for a draft.
        version: Option<i32>,
        /// The version that was in force when it was drafted.
        based_on: Option<i32>,
        /// The version it brings back.
        restores: Option<i32>,
        note: String, made_by: Option<Uuid>, created_at: Instant, published_at: Option<Instant>,
    }
    /// A template of campaigns.
    CampaignTemplate {
        id: Uuid,
        /// Whose campaigns may begin with it; null = any client's.
        client_id: Option<Uuid>,
        name: String, note: String, params: CampaignParams, made_by: Option<Uuid>,
        created_at: Instant, updated_at: Instant,
    }
    /// A rule of assignment.
    AssignmentRule {
        id: Uuid, client_id: Uuid, name: String,
        /// Lowest first; the first rule that has a debtor wins.
        position: i32,
        segment_id: Uuid, target: AssignmentTarget, campaign_id: Option<Uuid>,
        team_id: Option<Uuid>, agents: Vec<Uuid>,
        /// Most debtors of one agent.
        most: Option<i32>,
        /// Skills an agent must have.
        skills: Vec<String>,
        /// Whether an agent gets only debtors whose language he speaks.
        by_language: bool,
        enabled: bool, created_at: Instant, updated_at: Instant,
    }
    /// Debtors whom no agent of a rule may take.
    Unskilled {
        rule: String, skills: Vec<String>,
        /// The language nobody speaks; null where the rule asks for none.
        language: Option<Language>,
        debtors: u64,
    }
    /// What an assignment did.
    Assigned {
        assigned: u64, changed: u64,
        /// Debtors that found no place.
        no_place: u64,
        /// Debtors whom no agent of any rule that has them may take, for lack of a skill or the language.
        without_skill: u64,
        /// Of them by rule and language.
        unskilled: Vec<Unskilled>,
        /// Debtors whom a rule had and none takes any more.
        ended: u64,
        /// By rule: its name, its debtors.
        rules: Vec<(String, u64)>,
    }
    /// A campaign.
    Campaign {
        id: Uuid, client_id: Uuid, name: String, segment_id: Uuid, script_id: Option<Uuid>,
        status: CampaignStatus, params: CampaignParams, version: i32, created_at: Instant,
        updated_at: Instant,
    }
}
