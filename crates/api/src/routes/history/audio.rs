//! The sound of a recording, whole or by range. Every access is written to the audit.

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::state::AUDIT_KIND;
use crate::{ApiState, tenant};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use domain::entity::{Recording, RecordingOutcome, RecordingPlace};
use domain::ids::RecordingId;
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Bytes read from the store at once.
const PART_BYTES: u64 = 65_536;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(audio))
}

/// The sound: WAV, 8 kHz, 16 bit, left = agent, right = debtor.
#[utoipa::path(get, path = "/recordings/{id}/audio", tag = "history",
    params(("id" = uuid::Uuid, Path), How, ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses((status = 200, description = "All of it", body = Vec<u8>, content_type = "audio/wav"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "audio/wav"),
        (status = 410, description = "Deleted when its time was over", body = crate::doc::Problem),
        (status = 416, description = "No such range", body = crate::doc::Problem)))]
async fn audio(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<RecordingId>,
    Params(how): Params<How>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = state.store.get_recording(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    match row.outcome {
        RecordingOutcome::Sealed | RecordingOutcome::Repaired => {}
        RecordingOutcome::Open => {
            return Err(Problem::conflict(
                "wrong_state",
                "the recording is still being written",
            ));
        }
        RecordingOutcome::Failed => return Err(Problem::not_found("recording file")),
    }
    if let Some(keep) = super::recordings::care(&state, id).await?
        && let RecordingPlace::Deleting | RecordingPlace::Deleted = keep.place
    {
        return Err(Problem::new(
            StatusCode::GONE,
            "recording_deleted",
            "its time was over: it is deleted",
        ));
    }
    let size = state.blob.size(&row.key).await?;
    let wanted = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    let range = wanted.map_or(Ok(None), |text| range_of(text, size))?;
    let event = state.event(
        caller.actor(),
        Some(row.client_id),
        AUDIT_KIND,
        format!("recording:{}", row.id),
        json!({"action": how.action(), "attempt": row.attempt_id, "from": range.map(|r| r.0)}),
    );
    state.store.append_events(&[event]).await?;
    reply(&state, row, size, range, &how)
}

/// What the sound is wanted for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct How {
    /// To be kept as a file: the audit says `recording.downloaded` instead of `recording.heard`.
    #[serde(default)]
    download: bool,
}

impl How {
    const fn action(&self) -> &'static str {
        if self.download {
            "recording.downloaded"
        } else {
            "recording.heard"
        }
    }
}

/// The first and last byte that `Range` asks for; `None` = all (more than one range, another unit:
/// RFC 9110 §14.2 lets a server ignore those).
fn range_of(text: &str, size: u64) -> Result<Option<(u64, u64)>, Problem> {
    let Some(spec) = text.strip_prefix("bytes=").map(str::trim) else {
        return Ok(None);
    };
    let Some((from, to)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Ok(None);
    };
    let last = size.saturating_sub(1);
    let range = match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => Some((from, to.min(last))),
        (Ok(from), Err(_)) if to.trim().is_empty() => Some((from, last)),
        (Err(_), Ok(count)) if from.trim().is_empty() && count > 0 => {
            Some((size.saturating_sub(count), last))
        }
        _ => None,
    };
    match range {
        Some((from, to)) if from <= to && from < size => Ok(Some((from, to))),
        _ => Err(Problem::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range_not_satisfiable",
            format!("the recording has {size} bytes"),
        )),
    }
}

fn reply(
    state: &ApiState,
    row: Recording,
    size: u64,
    range: Option<(u64, u64)>,
    how: &How,
) -> Result<Response, Problem> {
    let (from, to) = range.unwrap_or((0, size.saturating_sub(1)));
    let length = if size == 0 { 0 } else { to - from + 1 };
    let mut response = Response::new(Body::from_stream(parts(state, row.key, from, length)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let kind = if how.download { "attachment" } else { "inline" };
    let name = format!("{kind}; filename=\"{}.wav\"", row.id);
    let name = HeaderValue::from_str(&name).map_err(|_| Problem::internal())?;
    headers.insert(header::CONTENT_DISPOSITION, name);
    if range.is_some() {
        let place = format!("bytes {from}-{to}/{size}");
        let place = HeaderValue::from_str(&place).map_err(|_| Problem::internal())?;
        headers.insert(header::CONTENT_RANGE, place);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn parts(
    state: &ApiState,
    key: String,
    from: u64,
    length: u64,
) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    let blob = std::sync::Arc::clone(&state.blob);
    stream::try_unfold((from, length), move |(at, left)| {
        let (blob, key) = (std::sync::Arc::clone(&blob), key.clone());
        async move {
            if left == 0 {
                return Ok(None);
            }
            let part = blob
                .read(&key, at, left.min(PART_BYTES))
                .await
                .map_err(std::io::Error::other)?;
            let got = part.len() as u64;
            if got == 0 {
                return Err(std::io::Error::other("the recording ends early"));
            }
            Ok(Some((
                Bytes::from(part),
                (at + got, left.saturating_sub(got)),
            )))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-", Some((0, 99))),
            ("bytes=10-19", Some((10, 19))),
            ("bytes=90-500", Some((90, 99))),
            ("bytes=-5", Some((95, 99))),
            ("bytes=-500", Some((0, 99))),
            ("bytes=1-2,5-6", None),
            ("seconds=1-2", None),
        ] {
            assert_eq!(range_of(text, 100).ok(), Some(expected), "{text}");
        }
        for text in [
            "bytes=100-",
            "bytes=20-10",
            "bytes=-0",
            "bytes=-",
            "bytes=x-9",
        ] {
            let code = range_of(text, 100).map_err(|p| p.code());
            assert_eq!(code, Err("range_not_satisfiable"), "{text}");
        }
        assert!(range_of("bytes=0-", 0).is_err());
    }
}
