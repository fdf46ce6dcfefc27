//! A draft that was begun from older settings than those in force: what publishing it would take back.

use crate::ApiState;
use crate::problem::Problem;
use domain::entity::{Campaign, CampaignVersion, VersionState};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Most characters of a value that is told.
const VALUE_CHARS: usize = 200;

/// One field that was changed since the draft was begun, and is something else in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Differs {
    /// `name`, `segment_id`, `script_id` or `params.…`.
    field: String,
    /// Its value when the draft was begun; null where that is not known any more.
    began: Value,
    /// Its value in force.
    published: Value,
    /// Its value in the draft.
    draft: Value,
}

/// What publishing settles: every setting by its name.
type Settings = Map<String, Value>;

fn settings(
    (name, segment, script): (&str, Value, Value),
    params: Value,
) -> Result<Settings, Problem> {
    let Value::Object(params) = params else {
        return Err(Problem::internal());
    };
    let mut all: Settings = params
        .into_iter()
        .map(|(key, value)| (format!("params.{key}"), value))
        .collect();
    all.insert("name".to_owned(), json!(name));
    all.insert("segment_id".to_owned(), segment);
    all.insert("script_id".to_owned(), script);
    Ok(all)
}

fn of_version(row: &CampaignVersion) -> Result<Settings, Problem> {
    let ids = (json!(row.segment_id), json!(row.script_id));
    settings((&row.name, ids.0, ids.1), json!(row.params))
}

fn of_campaign(row: &Campaign) -> Result<Settings, Problem> {
    let ids = (json!(row.segment_id), json!(row.script_id));
    settings((&row.name, ids.0, ids.1), json!(row.params))
}

/// Fields that changed from `began` to `published` and that the draft would change again. Without what it began from,
/// every field in which it is not what is in force.
fn differs(began: Option<&Settings>, published: &Settings, draft: &Settings) -> Vec<Differs> {
    let of = |all: &Settings, field: &str| all.get(field).cloned().unwrap_or(Value::Null);
    published
        .iter()
        .filter(|(field, now)| began.is_none_or(|was| was.get(*field) != Some(*now)))
        .filter(|(field, now)| draft.get(*field) != Some(*now))
        .map(|(field, now)| Differs {
            field: field.clone(),
            began: began.map_or(Value::Null, |was| of(was, field)),
            published: now.clone(),
            draft: of(draft, field),
        })
        .collect()
}

/// The settings in force when the draft was begun: start, pause and stop count a campaign's version up and leave no
/// settings, so the newest at or before its number.
async fn began(
    state: &ApiState,
    draft: &CampaignVersion,
) -> Result<Option<CampaignVersion>, Problem> {
    let filter = ListFilter {
        client_id: Some(draft.client_id),
        campaign_id: Some(draft.campaign_id),
        ..ListFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let before = |v: &CampaignVersion| match draft.based_on {
        Some(number) => v.version.is_some_and(|n| n <= number),
        None => v.published_at.is_some_and(|at| at <= draft.created_at),
    };
    let mut best: Option<CampaignVersion> = None;
    loop {
        let rows = state.store.list_campaign_versions(&filter, &page).await?;
        for row in rows.items {
            let newer = best.as_ref().is_none_or(|b| b.version < row.version);
            if row.state == VersionState::Published && before(&row) && newer {
                best = Some(row);
            }
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(best),
        }
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= VALUE_CHARS {
        return text;
    }
    text.chars().take(VALUE_CHARS).chain(['…']).collect()
}

fn problem(row: &Campaign, began: Option<i32>, found: &[Differs]) -> Problem {
    let since = began.map_or_else(
        || "an unknown version".to_owned(),
        |n| format!("version {n}"),
    );
    let fields: Vec<&str> = found.iter().map(|d| d.field.as_str()).collect();
    let detail = format!(
        "the draft was begun from {since}; version {now} is in force now and says otherwise in {}: draft anew, or publish \
         with over={now}",
        fields.join(", "),
        now = row.version
    );
    let mut told = Problem::conflict("draft_outdated", detail);
    for one in found {
        let reason = format!(
            "in force {}, in the draft {}",
            short(&one.published),
            short(&one.draft)
        );
        told = told.at(&one.field, &reason);
    }
    told.with("began_from", json!(began))
        .with("published", json!(row.version))
        .with("differs", json!(found))
}

/// Whether the draft may be put in force: nothing newer is lost by it, or who publishes names the version he overrules.
pub(super) async fn in_time(
    state: &ApiState,
    row: &Campaign,
    draft: &CampaignVersion,
    over: Option<i32>,
) -> Result<(), Problem> {
    if draft.based_on == Some(row.version) || over == Some(row.version) {
        return Ok(());
    }
    let base = began(state, draft).await?;
    let was = base.as_ref().map(of_version).transpose()?;
    let found = differs(was.as_ref(), &of_campaign(row)?, &of_version(draft)?);
    if found.is_empty() {
        return Ok(());
    }
    let number = draft.based_on.or(base.and_then(|b| b.version));
    Err(problem(row, number, &found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pairs: &[(&str, i64)]) -> Settings {
        let pairs = pairs.iter();
        pairs.map(|(k, v)| ((*k).to_owned(), json!(v))).collect()
    }

    #[test]
    fn only_what_would_be_taken_back_is_asked_about() {
        let began = all(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        let now = all(&[("a", 2), ("b", 2), ("c", 1), ("d", 2)]);
        // It changes `c`, takes `a` and `b` back, and says of `d` what is in force.
        let draft = all(&[("a", 1), ("b", 3), ("c", 9), ("d", 2)]);
        let found = differs(Some(&began), &now, &draft);
        let fields: Vec<&str> = found.iter().map(|d| d.field.as_str()).collect();
        assert_eq!(fields, ["a", "b"]);
        let told = (&found[1].began, &found[1].published, &found[1].draft);
        assert_eq!(told, (&json!(1), &json!(2), &json!(3)));
        assert!(differs(Some(&now), &now, &draft).is_empty());
        let unknown = differs(None, &now, &draft);
        let fields: Vec<&str> = unknown.iter().map(|d| d.field.as_str()).collect();
        assert_eq!(fields, ["a", "b", "c"]);
        assert_eq!(unknown[0].began, Value::Null);
    }

    #[test]
    fn long_values_are_cut_in_words() {
        let long = json!("ñ".repeat(500));
        assert_eq!(short(&long).chars().count(), VALUE_CHARS + 1);
        assert_eq!(short(&json!(40)), "40");
    }
}
