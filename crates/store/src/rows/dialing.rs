//! Campaigns, attempts and what a call leaves behind.

use super::{Stirs, entity};
use domain::entity::{
    Attempt, Call, CallerId, Campaign, Disposition, InboundCall, LedgerRow, Recording,
    RecordingKeep, Script, Transfer, Trunk, VoicemailTemplate,
};
use domain::ports::store::ItemState;

entity!(Campaign, "campaigns", "campaign" {
    id, client_id, name, segment_id, script_id, status, params, version, created_at, updated_at
});

entity!(Script, "scripts", "script" {
    id, client_id, name, steps, objections, version, created_at, updated_at
});

entity!(Disposition, "dispositions", "disposition" {
    code, label_es, label_en, rpc, is_final, next, cooloff_h, hold, required, hotkey, agent_may_set
});

entity!(Trunk, "trunks", "trunk" { id, name, channels, cps, enabled, created_at }
    const UNIQUE: &'static str = "trunk name";
);

entity!(CallerId, "caller_ids", "caller id" {
    id, client_id, number, country, registered, enabled, signed, callback_at, created_at
});

entity!(Call, "calls", "call" { id, attempt_id, agent_id, started_at, ended_at, ended_by });

entity!(Recording, "recordings", "recording" {
    id, attempt_id, client_id, key, outcome, sha256, duration_ms, bytes, gaps, started_at, sealed_at
});

entity!(RecordingKeep, "recording_keeps", "recording care" {
    id, client_id, attempt_id, node, place, stored_sha256, stored_bytes, class, delete_after, held_at,
    held_by, hold_reason, tries, next_try_at, kept_at, deleted_at
});

entity!(Attempt, "attempts", "attempt" {
    id, client_id, campaign_id, debtor_id, person_id, debt_id, debts, point_id, phone, class, trunk_id,
    caller_id, caller_number, node, fence, direction, mode, agent_reserved, state, opened_at, invite_at,
    ringing_at, answered_at, popped_at, acked_at, bridged_at, identity_at, ended_at, result, sip_code,
    q850, disposition, note, disposed_at, agent_id, recording_id, verdict_id, pack, pack_version
});

entity!(Transfer, "transfers", "transfer" {
    id, attempt_id, client_id, kind, mode, from_agent, to_agent, to_campaign, to_number, verdict_id,
    conference, asked_at, answered_at, ended_at, outcome
});

entity!(LedgerRow, "ledger", "ledger row" {
        id, person_id, debtor_id, client_id, debts, point_id, address, class, channel, kind, at,
        attempt_id, campaign_id, reached_network
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Ledger(self.person_id, self.address.reveal().clone()))
    }
);

entity!(ItemState, "campaign_items", "campaign item" {
    campaign_id, debtor_id, next_at, priority, attempts, last_result, next_point, done, note
});

entity!(InboundCall, "inbound_calls", "inbound call" {
    id, client_id, campaign_id, debtor_id, trunk_id, node, called, caller, at, answered_at, ended_at,
    agent_id, outcome, wait_ms, place
});

entity!(VoicemailTemplate, "voicemail_templates", "message for mailboxes" {
        id, client_id, name, language, parts, person, approved_by, version, created_at, updated_at
    }
    const UNIQUE: &'static str = "message name";
);
