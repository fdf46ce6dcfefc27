//! A file that comes with a request, raw or as a part of a form, as a stream that ends when it is
//! too long or too slow.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use futures::Stream;
use std::io;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio_stream::StreamExt;
use tokio_util::io::StreamReader;

/// Largest file, bytes: five million rows of the usual width.
pub(super) const FILE_MAX_BYTES: u64 = 1 << 30;
/// Longest wait for the next piece (faults.md promise 20).
const PIECE_MAX: Duration = Duration::from_secs(30);

/// Whether the file is a part of a form.
pub(super) fn is_form(request: &Request) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.to_ascii_lowercase().starts_with("multipart/form-data"))
}

/// The form of a request.
pub(super) async fn form(request: Request) -> Result<Multipart, Problem> {
    Multipart::from_request(request, &())
        .await
        .map_err(|e| Problem::bad_request("bad_request", format!("form: {}", e.body_text())))
}

/// The part `file` of a form; parts before it are passed over.
pub(super) async fn file_of(form: &mut Multipart) -> Result<Field<'_>, Problem> {
    // The borrow of a part ends only with the part: so it is asked for by its name alone.
    match form.next_field().await.map_err(|e| form_problem(&e))? {
        Some(field) if field.name() == Some("file") => Ok(field),
        _ => Err(Problem::invalid(
            "file",
            "expected the form's first part to be named file",
        )),
    }
}

fn form_problem(error: &MultipartError) -> Problem {
    let status = if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        StatusCode::PAYLOAD_TOO_LARGE
    } else {
        StatusCode::BAD_REQUEST
    };
    let code = if status == StatusCode::PAYLOAD_TOO_LARGE {
        "body_too_large"
    } else {
        "bad_request"
    };
    Problem::new(status, code, "the form could not be read")
}

/// Reads a stream of pieces within the limits.
pub(super) fn reader<S, E>(pieces: S) -> impl AsyncRead + Unpin + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut seen = 0_u64;
    let pieces = pieces.timeout(PIECE_MAX).map(move |piece| {
        let piece = piece
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no data for 30 s"))?
            .map_err(|_| {
                io::Error::new(io::ErrorKind::ConnectionAborted, "the upload broke off")
            })?;
        seen += piece.len() as u64;
        if seen > FILE_MAX_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "longer than 1 GB",
            ));
        }
        Ok(piece)
    });
    StreamReader::new(Box::pin(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn read(pieces: Vec<Result<Bytes, io::Error>>) -> io::Result<String> {
        let mut text = String::new();
        reader(futures::stream::iter(pieces))
            .read_to_string(&mut text)
            .await?;
        Ok(text)
    }

    #[tokio::test]
    async fn pieces_are_one_text() {
        let pieces = vec![
            Ok(Bytes::from_static(b"a,b\n")),
            Ok(Bytes::from_static(b"1,2\n")),
        ];
        assert_eq!(read(pieces).await.ok().as_deref(), Some("a,b\n1,2\n"));
    }

    #[tokio::test]
    async fn a_broken_upload_is_no_end_of_file() {
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        let error = read(vec![Ok(Bytes::from_static(b"a,b\n")), Err(broken)])
            .await
            .expect_err("broken");
        assert_eq!(error.to_string(), "the upload broke off");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_upload_ends() {
        let stuck = futures::stream::pending::<Result<Bytes, io::Error>>();
        let mut text = String::new();
        let error = reader(stuck)
            .read_to_string(&mut text)
            .await
            .expect_err("stuck");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
