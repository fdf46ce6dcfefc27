//! External do-not-call lists as files: one value a line, kept as keyed hashes.

use crate::auth::Caller;
use crate::extract::{Id, Params, Why, WhyBody};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use domain::entity::dnc::{keyed_hash, listed_form};
use domain::entity::{DncList, SuppressionKind};
use domain::ids::{ClientId, DncListId};
use domain::import::listed_phone;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/dnc-lists",
    "/dnc-lists/{id}",
    DncList,
    DncList,
    DncListId,
    list_dnc_lists,
    get_dnc_list
);

/// Largest file, bytes: some four million numbers.
const FILE_MAX: usize = 64 << 20;
/// Refused lines that are told.
const FAULTS_TOLD: usize = 50;
/// Shortest document that is taken, characters.
const DOCUMENT_MIN: usize = 4;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(retire))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(load))
                .layer(DefaultBodyLimit::max(FILE_MAX)),
        )
}

/// Query of a load.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LoadQuery {
    /// Name, as rule packs write it (`REPEP`).
    name: String,
    /// `phone`, `document` or `email`.
    #[param(value_type = doc::SuppressionKind)]
    kind: SuppressionKind,
    /// The list's own date; now when absent.
    #[param(value_type = Option<doc::Instant>)]
    as_of: Option<UtcMs>,
    /// Client it binds; absent = the whole installation.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Country of phones in national form, ISO 3166 as `MX`; without it only international ones are taken.
    country: Option<String>,
}

/// A line that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineFault {
    /// Line, 1 first.
    line: u64,
    reason: String,
}

/// What a load did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoadReply {
    #[schema(value_type = doc::DncList)]
    list: DncList,
    /// Lines refused.
    refused: u64,
    /// The first of them.
    faults: Vec<LineFault>,
    /// Debtors who are on it, of those whom it binds. 0 of a long list: most likely it is not in the form that
    /// was told.
    debtors: u64,
    /// Queued or ringing contacts withdrawn on this node.
    withdrawn: u64,
}

/// One value of a line, as it is hashed; an error says what would be right.
fn value_of(kind: SuppressionKind, country: Option<&str>, line: &str) -> Result<String, String> {
    let text = line
        .split([',', ';', '\t'])
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches('"');
    match kind {
        SuppressionKind::Phone => listed_phone(text, country).map(|p| p.e164().to_owned()),
        SuppressionKind::Email if text.contains('@') => Ok(text.to_lowercase()),
        SuppressionKind::Email => Err("expected an e-mail address".into()),
        SuppressionKind::Document if listed_form(kind, text).chars().count() >= DOCUMENT_MIN => {
            Ok(text.to_owned())
        }
        SuppressionKind::Document => Err("expected a document of 4 characters or more".into()),
        SuppressionKind::Person => Err("a list of persons cannot be loaded".into()),
    }
}

struct Read {
    hashes: BTreeSet<String>,
    /// Of the other form of mobiles that carriers write in two.
    also: BTreeSet<String>,
    refused: u64,
    faults: Vec<LineFault>,
}

fn read_lines(kind: SuppressionKind, country: Option<&str>, key: &str, text: &str) -> Read {
    let mut read = Read {
        hashes: BTreeSet::new(),
        also: BTreeSet::new(),
        refused: 0,
        faults: Vec::new(),
    };
    for (n, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match value_of(kind, country, line) {
            Ok(value) => {
                read.hashes.insert(keyed_hash(key, kind, &value));
                if kind == SuppressionKind::Phone {
                    let forms = domain::phone::forms(&value).into_iter().skip(1);
                    read.also
                        .extend(forms.map(|form| keyed_hash(key, kind, &form)));
                }
            }
            // A heading is no fault.
            Err(_) if n == 0 && !line.chars().any(|c| c.is_ascii_digit()) => {}
            Err(reason) => {
                read.refused += 1;
                if read.faults.len() < FAULTS_TOLD {
                    let line = n as u64 + 1;
                    read.faults.push(LineFault { line, reason });
                }
            }
        }
    }
    read
}

/// The country that national numbers are of.
fn country_of(query: &LoadQuery) -> Result<Option<String>, Problem> {
    let Some(country) = query.country.as_deref() else {
        return Ok(None);
    };
    if query.kind != SuppressionKind::Phone {
        return Err(Problem::invalid(
            "country",
            "goes with a list of phones alone",
        ));
    }
    check::country("country", country).map(Some)
}

/// Loads a list; it binds once it is whole, in the place of an older one of the same name. The first
/// column counts; lines that are no value are told and left out.
#[utoipa::path(post, path = "/imports/dnc-list", tag = "catalog", params(LoadQuery),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 201, description = "In force", body = LoadReply), (status = 422, body = doc::Problem)))]
async fn load(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<LoadQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<LoadReply>), Problem> {
    let client_id = caller.narrow(query.client)?;
    if let Some(client) = client_id {
        state.client_exists(client).await?;
    }
    let name = check::name("name", &query.name)?;
    let now = state.now();
    if query.as_of.is_some_and(|at| at > now) {
        return Err(Problem::invalid("as_of", "expected an instant past"));
    }
    let country = country_of(&query)?;
    // Nobody who has the database alone can make it again.
    let secret = [&state.id().as_bytes()[..], &state.config.secrets.pepper[..]].concat();
    let key = hex::encode(Sha256::digest(secret));
    let (kind, hash_key) = (query.kind, key.clone());
    let file_sha256 = hex::encode(Sha256::digest(&body));
    let read = tokio::task::spawn_blocking(move || {
        std::str::from_utf8(&body)
            .map(|text| read_lines(kind, country.as_deref(), &key, text))
            .map_err(|e| e.valid_up_to())
    });
    let read = read.await.map_err(|_| Problem::internal())?.map_err(|at| {
        Problem::invalid("file", format!("expected text in UTF-8; byte {at} is not"))
    })?;
    if read.hashes.is_empty() {
        return Err(Problem::invalid(
            "file",
            format!("no line is a value ({} refused)", read.refused),
        ));
    }
    let list = DncList {
        id: DncListId(state.id()),
        client_id,
        name,
        kind,
        hash_key,
        entries: i64::try_from(read.hashes.len()).unwrap_or(i64::MAX),
        file_sha256,
        as_of: query.as_of.unwrap_or(now),
        created_at: now,
        retired_at: None,
    };
    let subject = format!("dnc-list:{}", list.id);
    let event = state.audit(&caller, client_id, subject, "dnc_list.loaded");
    let hashes: BTreeSet<String> = read.hashes.into_iter().chain(read.also).collect();
    let hashes: Vec<String> = hashes.into_iter().collect();
    let loaded = state
        .center
        .load_list(list.clone(), hashes, vec![event])
        .await?;
    let reply = LoadReply {
        list,
        refused: read.refused,
        faults: read.faults,
        debtors: loaded.debtors,
        withdrawn: loaded.withdrawn,
    };
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Ends a list: nobody is refused by it any more. A repeat changes nothing.
#[utoipa::path(post, path = "/dnc-lists/{id}/retire", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = Option<WhyBody>,
    responses((status = 200, description = "Ended", body = doc::DncList)))]
async fn retire(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DncListId>,
    Why(why): Why,
) -> Result<Json<DncList>, Problem> {
    let row = state.store.get_dnc_list(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if row.client_id.is_none() && caller.client.is_some() {
        return Err(Problem::forbidden("the list is the installation's"));
    }
    if row.retired_at.is_none() {
        row.retired_at = Some(state.now());
        let subject = format!("dnc-list:{}", row.id);
        let event = state.audit_why(&caller, row.client_id, subject, "dnc_list.retired", why);
        state.store.put_dnc_list(&row, &[event]).await?;
    }
    Ok(Json(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_values_or_told() {
        let text = "\u{feff}telefono\n+525512345678\n0052 5512345679;Ana\n\nno number\n";
        let read = read_lines(SuppressionKind::Phone, None, "k", text);
        assert_eq!((read.hashes.len(), read.refused), (2, 1));
        assert_eq!(read.faults[0].line, 5);
        let hash = keyed_hash("k", SuppressionKind::Phone, "+525512345679");
        assert!(read.hashes.contains(&hash));
        let other = keyed_hash("other", SuppressionKind::Phone, "+525512345679");
        assert!(!read.hashes.contains(&other), "another key, another hash");
        let documents = read_lines(SuppressionKind::Document, None, "k", "aaa-010101\nx\n");
        let hash = keyed_hash("k", SuppressionKind::Document, "AAA010101");
        assert!(documents.hashes.contains(&hash));
        // Debtors' mobiles are kept as 549…
        let mobile = read_lines(SuppressionKind::Phone, Some("AR"), "k", "1123456789\n");
        let hash = keyed_hash("k", SuppressionKind::Phone, "+5491123456789");
        assert!(mobile.hashes.contains(&hash) || mobile.also.contains(&hash));
        assert_eq!(mobile.hashes.len(), 1, "one entry");
        assert_eq!(documents.refused, 1, "one letter is no document");
    }

    #[test]
    fn national_numbers_are_of_the_country_that_is_told() {
        // As registers come: ten digits, which would list people in Brazil and Morocco behind a bare `+`.
        for (country, line, e164) in [
            ("MX", "5512345678", "+525512345678"),
            ("US", "2122345678", "+12122345678"),
        ] {
            let bare = read_lines(SuppressionKind::Phone, None, "k", line);
            assert_eq!((bare.hashes.len(), bare.refused), (0, 1), "{line}");
            assert!(bare.faults[0].reason.contains("country"));
            let told = read_lines(SuppressionKind::Phone, Some(country), "k", line);
            let hash = keyed_hash("k", SuppressionKind::Phone, e164);
            assert!(told.hashes.contains(&hash) && told.refused == 0, "{line}");
        }
    }
}
