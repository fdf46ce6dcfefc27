//! What the gateways over HTTP share.

use domain::ports::SendFault;
use std::time::Duration;

/// Longest wait for a provider's answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Longest answer that is read, bytes.
const ANSWER_MAX: usize = 65_536;

/// A client for providers.
pub(super) fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .timeout(ANSWER)
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| e.without_url().to_string())
}

/// Sends a request; the status and the answer.
pub(super) async fn ask(request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), SendFault> {
    let mut answer = request.send().await.map_err(|e| fault(&e))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| fault(&e))? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(SendFault::Unknown("answer too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

/// Nothing was sent where no connection came about; else nobody knows.
fn fault(error: &reqwest::Error) -> SendFault {
    if error.is_connect() || error.is_builder() {
        SendFault::Later("provider out of reach".to_owned())
    } else if error.is_timeout() {
        SendFault::Unknown("no answer in time".to_owned())
    } else {
        SendFault::Unknown("connection lost".to_owned())
    }
}

/// `a=b&c=d%20e` as pairs; `None` when it is no form.
pub(super) fn form(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(name)?, unescape(value)?))
        })
        .collect()
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let pair = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&pair).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            form(b"To=%2B525512&Body=Ma%C3%B1ana+pago&x"),
            Some(vec![
                pair("To", "+525512"),
                pair("Body", "Mañana pago"),
                pair("x", "")
            ])
        );
        assert_eq!(form(b""), Some(vec![]));
        for bad in [&b"a=%4"[..], b"a=%zz", b"a=%ff", b"\xff"] {
            assert_eq!(form(bad), None);
        }
    }
}
