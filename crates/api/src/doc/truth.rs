//! The shapes against the entities: the same names, made by serde itself.

use super as doc;
use domain::entity as is;
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

/// A value that fits a property of that name.
fn sample(name: &str) -> Vec<Value> {
    let id = json!("00000000-0000-7000-8000-000000000001");
    vec![
        json!(null),
        id,
        json!("2026-11-23T15:00:00.000Z"),
        json!("MXN"),
        json!("+525512345678"),
        json!(1),
        json!(true),
        json!([]),
        json!({}),
        json!(name),
        json!("call"),
        json!("admin"),
        json!("open"),
        json!("active"),
        json!("draft"),
        json!("es"),
        json!("person"),
        json!("phone"),
        json!("financial"),
        json!("titular"),
        json!("mobile"),
        json!("dispute"),
        json!("debtor"),
        json!("committed"),
        json!("manual"),
        json!("dial"),
        json!("allow"),
        json!("transfer"),
    ]
}

/// Builds an entity out of the told names, trying samples until serde takes each.
fn build<T: DeserializeOwned>(names: &BTreeSet<String>) -> Map<String, Value> {
    let mut object: Map<String, Value> = names
        .iter()
        .map(|n| (n.clone(), sample(n)[1].clone()))
        .collect();
    for _ in 0..names.len() * 2 {
        let text = Value::Object(object.clone()).to_string();
        let mut de = serde_json::Deserializer::from_str(&text);
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut de) else {
            return object;
        };
        let path = error.path().to_string();
        let name = path.split(['.', '[']).next().unwrap_or("").to_owned();
        if !object.contains_key(&name) {
            // A flattened part gives no path: every value is tried where it may be meant.
            let open: Vec<String> = object.keys().cloned().collect();
            let fixed = open.iter().any(|name| fix::<T>(&mut object, name, ""));
            assert!(fixed, "{error}: {text}");
            continue;
        }
        assert!(fix::<T>(&mut object, &name, &path), "{path}: {error}");
    }
    panic!("no sample fits: {object:?}");
}

/// Finds a value for one property that moves the complaint elsewhere.
fn fix<T: DeserializeOwned>(object: &mut Map<String, Value>, name: &str, path: &str) -> bool {
    let before = complaint::<T>(object);
    let old = object[name].clone();
    for value in sample(name) {
        object.insert(name.to_owned(), value);
        let now = complaint::<T>(object);
        if now.is_none() || (now != before && (path.is_empty() || now.as_deref() != Some(path))) {
            return true;
        }
    }
    object.insert(name.to_owned(), old);
    false
}

fn complaint<T: DeserializeOwned>(object: &Map<String, Value>) -> Option<String> {
    let text = Value::Object(object.clone()).to_string();
    let mut de = serde_json::Deserializer::from_str(&text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut de).err()?;
    let path = error.path().to_string();
    Some(if path == "." { error.to_string() } else { path })
}

fn same<E: DeserializeOwned + serde::Serialize, S: PartialSchema>(what: &str) {
    let names = told::<S>();
    let object = build::<E>(&names);
    let entity: E = serde_json::from_value(Value::Object(object)).expect("it was built");
    let written = serde_json::to_value(&entity).expect("plain data");
    let written: BTreeSet<String> = written
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let optional: BTreeSet<String> = ["until".to_owned()].into();
    let missing: Vec<_> = names
        .difference(&written)
        .filter(|n| !optional.contains(*n))
        .collect();
    let untold: Vec<_> = written.difference(&names).collect();
    assert!(
        missing.is_empty() && untold.is_empty(),
        "{what}: only told {missing:?}, not told {untold:?}"
    );
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
    same::<is::Hold, doc::Hold>("hold");
    same::<is::Suppression, doc::Suppression>("suppression");
    same::<is::Segment, doc::Segment>("segment");
    same::<is::Script, doc::Script>("script");
    same::<is::ScriptStep, doc::ScriptStep>("script step");
    same::<is::Disposition, doc::Disposition>("disposition");
    same::<is::Attempt, doc::Attempt>("attempt");
    same::<is::Call, doc::Call>("call");
    same::<is::Recording, doc::Recording>("recording");
    same::<is::Promise, doc::Promise>("promise");
    same::<is::Payment, doc::Payment>("payment");
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
