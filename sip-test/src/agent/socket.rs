//! The agent's websocket.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::wire::{MAX_MESSAGE_BYTES, Message};
use crate::SipTestError;

/// Subprotocol of the contract.
const PROTOCOL: &str = "marcador.v1";
/// Longest wait for the connection.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pings: u64,
}

fn failed(error: &tungstenite::Error) -> SipTestError {
    // An error of the address would show the ticket.
    match error {
        tungstenite::Error::Url(_) => SipTestError::Socket("the address is none".to_owned()),
        tungstenite::Error::Http(response) => {
            SipTestError::Socket(format!("refused with {}", response.status()))
        }
        other => SipTestError::Socket(other.to_string()),
    }
}

impl Socket {
    /// Opens it.
    pub(super) async fn open(url: &str) -> Result<Self, SipTestError> {
        let mut request = url.into_client_request().map_err(|e| failed(&e))?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", HeaderValue::from_static(PROTOCOL));
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_BYTES));
        let opened = tokio::time::timeout(
            TIMEOUT,
            connect_async_with_config(request, Some(config), true),
        )
        .await;
        let (stream, _) = opened
            .map_err(|_| SipTestError::Late("the websocket"))?
            .map_err(|e| failed(&e))?;
        Ok(Self { stream, pings: 0 })
    }

    /// The next message. Safe to drop while waiting.
    pub(super) async fn next(&mut self) -> Result<Message, SipTestError> {
        loop {
            let frame = self.stream.next().await;
            let frame = frame.ok_or_else(|| SipTestError::Socket("closed".to_owned()))?;
            match frame.map_err(|e| failed(&e))? {
                Frame::Text(text) => return Message::parse(&text),
                Frame::Close(close) => {
                    let code = close.map_or(1005, |close| u16::from(close.code));
                    return Err(SipTestError::Socket(format!("closed with {code}")));
                }
                _ => {}
            }
        }
    }

    pub(super) async fn subscribe(
        &mut self,
        known: Option<&(String, u64)>,
    ) -> Result<(), SipTestError> {
        let mut message = json!({ "t": "sub", "topics": ["me"] });
        if let Some((boot, seq)) = known {
            message["resume"] = json!({ "boot": boot, "me": seq });
        }
        self.send(&message).await
    }

    pub(super) async fn ack(&mut self, attempt: &str) -> Result<(), SipTestError> {
        self.send(&json!({ "t": "ack", "attempt": attempt })).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), SipTestError> {
        self.pings += 1;
        self.send(&json!({ "t": "ping", "n": self.pings })).await
    }

    pub(super) async fn close(&mut self) {
        // The peer may be gone already.
        let _ = tokio::time::timeout(Duration::from_millis(200), self.stream.close(None)).await;
    }

    async fn send(&mut self, message: &Value) -> Result<(), SipTestError> {
        let frame = Frame::text(message.to_string());
        let sent = tokio::time::timeout(TIMEOUT, self.stream.send(frame)).await;
        sent.map_err(|_| SipTestError::Late("a websocket message"))?
            .map_err(|e| failed(&e))
    }
}
