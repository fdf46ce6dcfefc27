//! What the tests of message providers share: a server for a double, a message, a call on us.

use axum::Router;
use domain::entity::{Channel, Language};
use domain::pii::Pii;
use domain::ports::{Hook, Outgoing};
use domain::time::UtcMs;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// Our own name of the message that is sent.
pub(crate) const OWN: &str = "01937f3e-0000-7000-8000-000000000005";

/// What a double was sent, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Value>>>);

impl Seen {
    /// Keeps one more.
    pub(crate) fn push(&self, body: Value) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(body);
    }

    /// All of it.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Serves a double on a free port; gives its address.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A message to a mobile in Mexico.
pub(crate) fn message(channel: Channel, body: &str) -> Outgoing {
    Outgoing {
        id: OWN.parse().expect("an id"),
        channel,
        to: Pii("+5215512345678".into()),
        language: Language::Es,
        subject: String::new(),
        body: Pii(body.into()),
        template: None,
        at: UtcMs(0),
    }
}

/// A call of a provider on us.
pub(crate) fn call<'a>(
    method: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
    body: &'a str,
) -> Hook<'a> {
    Hook {
        method,
        path,
        headers,
        body: body.as_bytes(),
        at: UtcMs(0),
    }
}
