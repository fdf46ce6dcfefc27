//! What a segment can ask about: the fields with their words, for who builds one by hand.

use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use axum::Json;
use domain::segment::examples::EXAMPLES;
use domain::segment::{Field, FieldKind, Group, Word, name_of, parse, vocabulary};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(fields))
}

#[derive(Serialize, ToSchema)]
struct SegmentField {
    /// As the canonical text form and the JSON form write it.
    #[schema(value_type = String)]
    field: Field,
    /// As the text form may write it too.
    key_es: &'static str,
    /// `text`, `number`, `money` (hundredths of a unit in the JSON form), `bool`.
    #[schema(value_type = String)]
    kind: FieldKind,
    /// `file`, `debts`, `ageing`, `points`, `promises`, `history`, `law`, `assignment`.
    #[schema(value_type = String)]
    group: Group,
    /// What it is called; of a yes/no field a whole statement.
    es: &'static str,
    en: &'static str,
    /// The words of a closed vocabulary; null where any value may stand.
    words: Option<Vec<SegmentWord>>,
}

#[derive(Serialize, ToSchema)]
struct SegmentWord {
    /// As an expression writes it.
    value: &'static str,
    es: &'static str,
    en: &'static str,
}

impl From<&Word> for SegmentWord {
    fn from(word: &Word) -> Self {
        Self {
            value: word.value,
            es: word.es,
            en: word.en,
        }
    }
}

/// All of them, by group.
fn all() -> Vec<SegmentField> {
    let one = |field: &Field| {
        let name = name_of(*field);
        SegmentField {
            field: *field,
            key_es: name.key_es,
            kind: field.kind(),
            group: name.group,
            es: name.es,
            en: name.en,
            words: vocabulary(*field).map(|all| all.iter().map(SegmentWord::from).collect()),
        }
    };
    let mut all: Vec<SegmentField> = Field::ALL.iter().map(one).collect();
    all.sort_by_key(|f| f.group);
    all
}

/// What a segment can ask about, by group.
#[utoipa::path(get, path = "/segments/fields", tag = "segments",
    responses((status = 200, description = "All of them", body = [SegmentField])))]
async fn fields(_: Caller) -> Result<Json<Vec<SegmentField>>, Problem> {
    Ok(Json(all()))
}

/// The fields as they are served, and expressions in both forms that ask every one of them: with them the screens'
/// own tests hold their rows against the language.
#[must_use]
pub fn segment_language() -> Value {
    let examples = EXAMPLES.iter().filter_map(|text| {
        let expr = parse(text).ok()?;
        Some(json!({"text": text, "expr": expr}))
    });
    json!({"fields": all(), "examples": examples.collect::<Vec<_>>()})
}
