//! The shapes against the entities: serde has to read what they tell, and to write the same names.

use super as doc;
use domain::entity as is;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

fn told<T: PartialSchema>() -> BTreeSet<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        _ => panic!("an object was expected"),
    }
}

/// A value of a client's contract.
fn of_contract(name: &str) -> Value {
    match name {
        "terms" => json!({"strict_mode": true, "windows": [], "caps": []}),
        "windows" | "caps" | "channels" | "days" => json!([]),
        "strict_mode" => json!(true),
        "counts" => json!("attempt"),
        "scope" => json!("person"),
        "limit" | "min_gap_days" | "version" => json!(1),
        "window" => json!({"calendar_day": 1}),
        "updated_at" => json!("2026-11-23T15:00:00.000Z"),
        "client_id" => json!("00000000-0000-7000-8000-000000000001"),
        _ => json!("x"),
    }
}

/// A value that fits a property of that name.
fn value(what: &str, name: &str) -> Value {
    match (what, name) {
        ("debtor", "kind") => json!("person"),
        ("hold", "kind") => json!("dispute"),
        ("suppression", "kind") => json!("phone"),
        ("user", "role") => json!("admin"),
        ("promise" | "payment" | "claim", "channel") => json!("cash"),
        ("promise", "state") => json!("active"),
        ("visit", "state" | "outcome") => json!(if name == "state" { "planned" } else { "met" }),
        ("attempt", "state") => json!("committed"),
        ("complaint" | "version" | "claim", "state") => {
            json!(if what == "version" { "draft" } else { "open" })
        }
        ("preference", "kind") => json!("elderly"),
        ("preference", "from" | "to") => json!("09:00"),
        ("list", "kind") => json!("phone"),
        ("list", "entries") => json!(1),
        ("list", "as_of") | ("relaxed presumption", "until") => json!("2026-11-23T15:00:00.000Z"),
        ("version" | "template", "params") => json!({}),
        ("rule", "target") => json!("agent"),
        ("rule", "by_language") | ("claim", "proof") => json!(true),
        ("rule", "most") | ("version", "restores") => json!(1),
        ("client law" | "terms" | "term window" | "term cap", name) => of_contract(name),
        ("version" | "template", "made_by") => Value::Null,
        ("verdict", "record") => json!({}),
        (_, "days") => json!([]),
        (_, "role") => json!("titular"),
        (_, "channel") => json!("call"),
        (_, "status" | "outcome") => json!("open"),
        (_, "class") => json!("mobile"),
        (_, "language") => json!("es"),
        (_, "scope") => json!("debtor"),
        (_, "creditor_kind") => json!("financial"),
        (_, "mode") => json!("manual"),
        (_, "check_point") => json!("dial"),
        (_, "decision") => json!("allow"),
        (_, "currency") => json!("MXN"),
        (_, "result" | "blocked" | "hold" | "reverses" | "until") => Value::Null,
        (_, "data") => json!({}),
        ("trunk", "channels") => json!(1),
        ("rule", "agents") | ("objection", "stages" | "buckets") => json!([]),
        ("objection", "excuse") => Value::Null,
        (
            _,
            "enabled" | "registered" | "signed" | "active" | "given_by_debtor" | "authorised"
            | "bad",
        ) => {
            json!(true)
        }
        (_, "before_identity" | "rpc" | "is_final" | "agent_may_set" | "agent_reserved") => {
            json!(true)
        }
        (_, "based_on" | "cps" | "confidence" | "position" | "cooloff_h" | "hotkey") => json!(1),
        (_, "version" | "fence" | "cursor" | "schema") => json!(1),
        (_, "duration_ms" | "bytes" | "sip_code" | "q850") => json!(1),
        (_, "campaigns" | "skills" | "steps" | "objections" | "required" | "debts" | "gaps") => {
            json!([])
        }
        (_, "rules" | "packs" | "zones" | "counters") => json!([]),
        (_, "id" | "caller_id") => json!("00000000-0000-7000-8000-000000000001"),
        (_, "direction") => json!("outbound"),
        (_, "at" | "from") => json!("2026-11-23T15:00:00.000Z"),
        (_, name) if name.ends_with("_id") => json!("00000000-0000-7000-8000-000000000001"),
        (_, name) if name.ends_with("_at") || name == "grace_until" => {
            json!("2026-11-23T15:00:00.000Z")
        }
        (_, name) if name.ends_with("_minor") => json!(1),
        _ => json!("x"),
    }
}

fn same<E: DeserializeOwned + Serialize, S: PartialSchema>(what: &str) {
    let told = told::<S>();
    let object: Map<String, Value> = told
        .iter()
        .map(|name| (name.clone(), value(what, name)))
        .collect();
    let entity: E = match serde_json::from_value(Value::Object(object)) {
        Ok(entity) => entity,
        Err(error) => panic!("{what}: {error}"),
    };
    let written = serde_json::to_value(&entity).expect("plain data");
    let mut written: BTreeSet<String> = written
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    // `until` comes with `decision: defer` only.
    if what == "verdict" {
        written.insert("until".to_owned());
    }
    assert_eq!(written, told, "{what}");
}

#[test]
fn shapes_tell_the_truth() {
    same::<is::Client, doc::Client>("client");
    same::<is::User, doc::User>("user");
    same::<is::Team, doc::Team>("team");
    same::<is::Agent, doc::Agent>("agent");
    same::<is::Trunk, doc::Trunk>("trunk");
    same::<is::CallerId, doc::CallerId>("caller id");
    same::<is::Portfolio, doc::Portfolio>("portfolio");
    same::<is::Debtor, doc::Debtor>("debtor");
    same::<is::Debt, doc::Debt>("debt");
    same::<is::Party, doc::Party>("party");
    same::<is::ContactPoint, doc::ContactPoint>("point");
    same::<is::Consent, doc::Consent>("consent");
    same::<is::Override, doc::LawOverride>("relaxed presumption");
    same::<domain::law::ClientLaw, doc::ClientLaw>("client law");
    same::<domain::law::ContractTerms, doc::ContractTerms>("terms");
    same::<domain::law::TermWindow, doc::TermWindow>("term window");
    same::<domain::law::TermCap, doc::TermCap>("term cap");
    same::<is::Preference, doc::Preference>("preference");
    same::<is::DncList, doc::DncList>("list");
    same::<is::Complaint, doc::Complaint>("complaint");
    same::<is::CampaignVersion, doc::CampaignVersion>("version");
    same::<is::CampaignTemplate, doc::CampaignTemplate>("template");
    same::<is::AssignmentRule, doc::AssignmentRule>("rule");
    same::<is::Hold, doc::Hold>("hold");
    same::<is::Suppression, doc::Suppression>("suppression");
    same::<is::Segment, doc::Segment>("segment");
    same::<is::Script, doc::Script>("script");
    same::<is::ScriptStep, doc::ScriptStep>("script step");
    same::<is::Objection, doc::Objection>("objection");
    same::<is::Disposition, doc::Disposition>("disposition");
    same::<is::Attempt, doc::Attempt>("attempt");
    same::<is::Call, doc::Call>("call");
    same::<is::Recording, doc::Recording>("recording");
    same::<is::Promise, doc::Promise>("promise");
    same::<is::Visit, doc::Visit>("visit");
    same::<is::Payment, doc::Payment>("payment");
    same::<is::Claim, doc::Claim>("claim");
    same::<is::Verdict, doc::Verdict>("verdict");
    same::<domain::event::Event, doc::Event>("event");
}

#[test]
fn parameters_of_campaigns_are_told_whole() {
    let params = serde_json::to_value(is::CampaignParams::default()).expect("plain data");
    let written: BTreeSet<String> = params
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(told::<doc::CampaignParams>(), written);
}
