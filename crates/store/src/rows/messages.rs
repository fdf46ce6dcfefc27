//! Messages, what debtors write, templates, strategies.

use super::entity;
use domain::entity::{InboxMessage, Message, PlannedStep, Strategy, TextTemplate};

entity!(Message, "messages", "message" {
    id, client_id, debtor_id, debt_id, point_id, address, channel, purpose, template_id,
    template_version, strategy_id, strategy_version, step, plan_key, subject, body, due_at, expires_at,
    state, reason, tries, gateway, provider_ref, cost_micro, currency, verdict_id, reply_to, made_by,
    created_at, sent_at, delivered_at, read_at, answered_at, ended_at
});

entity!(InboxMessage, "inbox", "message of a debtor" {
    id, client_id, debtor_id, message_id, channel, address, text = "body", gateway, provider_ref, state,
    optout, received_at, handled_at, handled_by
});

entity!(TextTemplate, "text_templates", "template" {
        id, client_id, name, channel, language, tone, subject, body, provider_name,
        provider_language, active, version, created_at, updated_at
    }
    const UNIQUE: &'static str = "the name for this channel, language and tone";
);

entity!(Strategy, "strategies", "strategy" {
    id, client_id, name, trigger = "trigger_on", segment, steps, champion_id, share_pct, status, version,
    created_at, updated_at
});

entity!(PlannedStep, "planned_steps", "planned step" {
    id, client_id, debtor_id, debt_id, strategy_id, strategy_version, step, action, campaign_id, plan_key,
    due_at, state, reason, note, created_at, ended_at, ended_by
});
