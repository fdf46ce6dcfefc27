//! Every field of every pack does something, or is told to do nothing: a field that nobody thought of fails here.

use Acts::{Beside, Call, Conduct, Guard, Kept, Line, Names, Verdict};
use domain::law::{EMBEDDED_PACKS, RuleBook};
use domain::time::UtcMs;
use serde_json::Value;
use std::collections::BTreeSet;

/// By what a field acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acts {
    /// It says which pack it is, since when, whom it binds, or tells it in words.
    Names,
    /// A verdict goes by it: a refusal, a condition, a counter.
    Verdict,
    /// The conversation does: what is told, asked, agreed, left on a mailbox.
    Conduct,
    /// The placing of a call does: its ring, its clock, its recording.
    Call,
    /// The guards of the dialing do: abandonment, short calls.
    Guard,
    /// The end of recordings does.
    Kept,
    /// Alarms of the line that debtors call do.
    Line,
    /// It changes nothing, and `law check` says why.
    Beside,
}

/// Fields of the packs, lists without their numbers; what every rule may carry beside (origin, remark, article) is left
/// out.
const FIELDS: [(&str, Acts); 105] = [
    ("abandonment.agent_within_s", Call),
    ("abandonment.cap_percent", Guard),
    ("abandonment.clock", Call),
    ("abandonment.formula", Names),
    ("abandonment.formula_id", Guard),
    ("abandonment.message_must", Beside),
    ("abandonment.message_must_not", Beside),
    ("abandonment.retry_block_h", Verdict),
    ("abandonment.retry_block_mode", Verdict),
    ("abandonment.ring_min_rings", Beside),
    ("abandonment.ring_min_s", Call),
    ("abandonment.scope", Guard),
    ("abandonment.target_percent", Guard),
    ("abandonment.window.calendar_day", Guard),
    ("abandonment.window.rolling_days", Guard),
    ("applies_to", Names),
    ("caller_id.mobile_origin", Verdict),
    ("caller_id.must_accept_callback", Verdict),
    ("caller_id.number_class", Verdict),
    ("caller_id.prefix", Verdict),
    ("caller_id.registered_list", Verdict),
    ("caller_id.since", Verdict),
    ("caller_id.withheld", Verdict),
    ("caps.channels", Verdict),
    ("caps.counts", Verdict),
    ("caps.exclusions", Verdict),
    ("caps.id", Names),
    ("caps.kind", Verdict),
    ("caps.limit", Verdict),
    ("caps.min_gap_days", Verdict),
    ("caps.point", Verdict),
    ("caps.scope", Verdict),
    ("caps.window.calendar_day", Verdict),
    ("caps.window.calendar_week", Verdict),
    ("caps.window.rolling_days", Verdict),
    ("channel_authorisation.rule", Verdict),
    ("consent.prerecorded_or_atds_mobile", Verdict),
    ("consent.revocation_honour_business_days", Beside),
    ("cooloff.after", Verdict),
    ("cooloff.block_channels", Verdict),
    ("cooloff.block_h", Verdict),
    ("cooloff.counts_day_of_event_as_day_1", Verdict),
    ("cooloff.exception", Verdict),
    ("cooloff.id", Names),
    ("cooloff.kind", Verdict),
    ("cooloff.mode", Verdict),
    ("cooloff.scope", Verdict),
    ("cooloff.until", Verdict),
    ("forbidden_questions.list", Conduct),
    ("holds.list.days", Verdict),
    ("holds.list.hold", Verdict),
    ("holidays.calendar", Verdict),
    ("holidays.policy", Verdict),
    ("id", Names),
    ("inbound.answered_percent_target", Line),
    ("inbound.from", Line),
    ("inbound.human_on_request_s", Line),
    ("inbound.within_s", Line),
    ("jurisdiction", Names),
    ("legal_signoff", Names),
    ("messages.optout_in_each", Verdict),
    ("messages.sms_reassigned_check_days", Verdict),
    ("name", Names),
    ("opening.must_say", Conduct),
    ("opening.validation_notice_within_days", Verdict),
    ("parties.allowed", Verdict),
    ("parties.forbidden", Verdict),
    ("parties.points", Verdict),
    ("parties.third_party", Conduct),
    ("payment.collector_may_receive", Conduct),
    ("plan.written_required", Conduct),
    ("recording.announce", Conduct),
    ("recording.retention_min_days", Kept),
    ("records.retention", Beside),
    ("records.retention_min_days", Beside),
    ("review_by", Names),
    ("schema", Names),
    ("stacks_on", Names),
    ("status", Names),
    ("strict_mode.effect", Names),
    ("strict_mode.enabled", Verdict),
    ("strict_mode.id", Verdict),
    ("telco.authentication_from", Verdict),
    ("telco.authentication_over_calls_month", Verdict),
    ("telco.authentication_to", Verdict),
    ("telco.block_days", Beside),
    ("telco.formula_id", Guard),
    ("telco.short_call_max_s", Guard),
    ("telco.short_calls_day_min", Guard),
    ("telco.short_ratio_block_percent", Guard),
    ("telco.valid_to_known", Beside),
    ("timezone_policy.rule", Verdict),
    ("valid_from", Names),
    ("valid_to", Names),
    ("version", Names),
    ("visits.rule", Verdict),
    ("voicemail.counts_as_attempt", Beside),
    ("voicemail.policy", Conduct),
    ("voicemail.required", Conduct),
    ("wider_hours.rule", Verdict),
    ("windows.channels", Verdict),
    ("windows.days", Verdict),
    ("windows.enabled", Verdict),
    ("windows.from", Verdict),
    ("windows.to", Verdict),
];

/// What a rule may carry beside itself.
const REMARKS: [&str; 4] = ["confidence", "confidence_note", "note", "source"];

fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields
                .iter()
                .filter(|(n, _)| !REMARKS.contains(&n.as_str()))
            {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                walk(inner, &path, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| walk(item, path, found));
        }
        // A pack without any cool-off says nothing by that.
        Value::Array(items) if items.is_empty() => {}
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_field_of_the_packs_acts_or_is_told_not_to() {
    let mut found = BTreeSet::new();
    for (name, text) in EMBEDDED_PACKS {
        let file: Value = serde_json::from_str(text).expect(name);
        walk(&file, "", &mut found);
    }
    let listed: BTreeSet<String> = FIELDS
        .iter()
        .map(|(field, _)| (*field).to_owned())
        .collect();
    assert_eq!(found, listed);
}

#[test]
fn what_changes_nothing_is_what_a_check_of_the_pack_says() {
    let book = RuleBook::embedded().expect("is read");
    let packs = book.packs(UtcMs(0));
    let told: BTreeSet<&str> = packs
        .iter()
        .flat_map(|pack| &pack.beside)
        .map(|(field, why)| {
            assert!(!why.is_empty(), "{field}");
            *field
        })
        .collect();
    let listed = FIELDS.iter().filter(|(_, acts)| *acts == Beside);
    let listed: BTreeSet<&str> = listed.map(|(field, _)| *field).collect();
    assert_eq!(told, listed);
}
