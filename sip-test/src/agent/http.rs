//! The agent's requests.

use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::{Answer, Ask};
use crate::SipTestError;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Requests of one user.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    username: String,
    password: String,
    token: Option<String>,
}

#[derive(Deserialize)]
struct SignedIn {
    token: String,
}

#[derive(Deserialize)]
struct Ticket {
    ticket: String,
}

impl Api {
    pub(super) fn new(base: &str, username: &str, password: &str) -> Result<Self, SipTestError> {
        let plain = base
            .strip_prefix("http://")
            .is_some_and(|host| !host.is_empty());
        if !plain {
            let what = format!("{base} is no base URL: http://host:port, TLS is not spoken");
            return Err(SipTestError::Http(what));
        }
        Ok(Self {
            client: Client::builder().timeout(TIMEOUT).build()?,
            base: base.trim_end_matches('/').to_owned(),
            username: username.to_owned(),
            password: password.to_owned(),
            token: None,
        })
    }

    /// Signs in; the token is kept.
    pub(super) async fn sign_in(&mut self) -> Result<(), SipTestError> {
        let body = json!({ "username": self.username, "password": self.password });
        let url = format!("{}/api/v1/sessions", self.base);
        let response = self.client.post(url).json(&body).send().await?;
        let signed: SignedIn = accepted("sign-in", response).await?.json().await?;
        self.token = Some(signed.token);
        Ok(())
    }

    /// A single-use ticket, as the address of the agent's socket. It is a secret.
    pub(super) async fn socket_url(&mut self) -> Result<String, SipTestError> {
        let response = self.send(Method::POST, "/ws-tickets", None).await?;
        let Ticket { ticket } = accepted("ticket", response).await?.json().await?;
        Ok(format!(
            "{}/ws/agent?ticket={ticket}",
            self.base.replacen("http", "ws", 1)
        ))
    }

    /// Sends what the agent asks for.
    pub(super) async fn carry_out(&mut self, ask: &Ask) -> Answer {
        let (path, body) = request(ask);
        match self.send(Method::POST, &path, body).await {
            Err(_) => Answer::Fault,
            Ok(response) if response.status().is_success() => {
                Answer::Done(response.json().await.unwrap_or(Value::Null))
            }
            Ok(response) if response.status().is_server_error() => Answer::Fault,
            Ok(response) => Answer::Refused(problem(response).await.1),
        }
    }

    /// Ends the shift and the session.
    pub(super) async fn sign_out(&mut self) -> Result<(), SipTestError> {
        let body = json!({ "state": "offline" });
        self.send(Method::POST, "/agents/me/state", Some(body))
            .await?;
        self.send(Method::DELETE, "/sessions", None).await?;
        self.token = None;
        Ok(())
    }

    /// Sends a request; signs in again where the token ran out.
    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Response, SipTestError> {
        let first = self.send_once(method.clone(), path, body.as_ref()).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        self.sign_in().await?;
        self.send_once(method, path, body.as_ref()).await
    }

    async fn send_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, SipTestError> {
        let mut request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(request.send().await?)
    }
}

fn request(ask: &Ask) -> (String, Option<Value>) {
    match ask {
        Ask::Ready => (
            "/agents/me/state".to_owned(),
            Some(json!({ "state": "ready" })),
        ),
        Ask::Identity { attempt } => (
            format!("/attempts/{attempt}/identity"),
            Some(json!({ "role": "titular" })),
        ),
        Ask::HangUp { attempt } => (format!("/attempts/{attempt}/hangup"), None),
        Ask::Dispose { attempt, body, .. } => (
            format!("/attempts/{attempt}/disposition"),
            Some(body.clone()),
        ),
        Ask::Preview { item, dial } => (
            format!("/preview/{item}/{}", if *dial { "dial" } else { "skip" }),
            None,
        ),
    }
}

/// Status and stable code of a refusal.
async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or(Value::Null);
    (
        status,
        body["code"]
            .as_str()
            .map_or_else(|| status.to_string(), str::to_owned),
    )
}

async fn accepted(what: &'static str, response: Response) -> Result<Response, SipTestError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, code) = problem(response).await;
    Err(SipTestError::Refused { what, status, code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_spoken() {
        assert!(Api::new("http://127.0.0.1:8080/", "a", "b").is_ok());
        for base in ["https://host", "127.0.0.1:8080", "http://", ""] {
            let refused = Api::new(base, "a", "b").err().map(|e| e.to_string());
            assert!(
                refused.is_some_and(|text| text.contains("base URL")),
                "{base}"
            );
        }
    }

    #[test]
    fn requests_go_where_the_contract_says() {
        let attempt = "a1".to_owned();
        let item = "i1".to_owned();
        assert_eq!(request(&Ask::Ready).0, "/agents/me/state");
        let identity = request(&Ask::Identity {
            attempt: attempt.clone(),
        });
        assert_eq!(
            identity,
            (
                "/attempts/a1/identity".to_owned(),
                Some(json!({"role": "titular"}))
            )
        );
        assert_eq!(
            request(&Ask::HangUp {
                attempt: attempt.clone()
            })
            .0,
            "/attempts/a1/hangup"
        );
        let body = json!({ "code": "NC.CA", "then": "ready" });
        let dispose = Ask::Dispose {
            attempt,
            code: "NC.CA",
            body: body.clone(),
        };
        assert_eq!(
            request(&dispose),
            ("/attempts/a1/disposition".to_owned(), Some(body))
        );
        assert_eq!(
            request(&Ask::Preview { item, dial: false }).0,
            "/preview/i1/skip"
        );
    }
}
