//! A client's end of a websocket: sends, and waits for what has to come.

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longest wait for something that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a screen says that it is there (screens.md §6).
const BEAT: Duration = Duration::from_secs(2);
/// `n` of these pings; their answers are passed over.
const BEAT_N: u32 = 4_000_000_000;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Sink = Arc<Mutex<SplitSink<Stream, Message>>>;

/// A client's end of a websocket.
pub(crate) struct Socket {
    sink: Sink,
    stream: SplitStream<Stream>,
    beats: JoinSet<()>,
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// With a close frame.
    Closed(u16, String),
    /// Without.
    Broken,
}

impl Socket {
    /// A client that says nothing by itself.
    pub(crate) fn new(stream: Stream) -> Self {
        let (sink, stream) = stream.split();
        Self {
            sink: Arc::new(Mutex::new(sink)),
            stream,
            beats: JoinSet::new(),
        }
    }

    /// From now on it says that it is there, as a screen does, however long the test is busy elsewhere.
    pub(crate) fn beating(mut self) -> Self {
        let sink = Arc::clone(&self.sink);
        self.beats.spawn(async move {
            let mut beat = tokio::time::interval(BEAT);
            loop {
                beat.tick().await;
                let ping = json!({"t": "ping", "n": BEAT_N}).to_string();
                if sink.lock().await.send(Message::text(ping)).await.is_err() {
                    return;
                }
            }
        });
        self
    }

    /// The page hangs: nothing is said by itself any more.
    pub(crate) fn hush(&mut self) {
        self.beats.abort_all();
    }

    /// One frame as it is.
    pub(crate) async fn frame(&mut self, frame: Message) {
        self.sink.lock().await.send(frame).await.expect("sent");
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        self.frame(Message::text(text)).await;
    }

    /// The next text message, or how the socket ended.
    pub(crate) async fn next(&mut self) -> Result<Value, End> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.stream.next())
                .await
                .expect("a message in time");
            match frame {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).expect("JSON");
                    if message["n"] != json!(BEAT_N) {
                        return Ok(message);
                    }
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(End::Closed(frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Close(None))) | None | Some(Err(_)) => return Err(End::Broken),
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message of a kind; others are passed over.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        self.until_that(kind, |m| m["t"] == kind).await
    }

    /// The next message that fits; others are passed over.
    pub(crate) async fn until_that(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.next().await {
                    Ok(message) if fits(&message) => return message,
                    Ok(message) => seen.push(message.to_string()),
                    Err(end) => panic!("waiting for {what}: {end:?}"),
                }
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("{what} did not come; what came: {seen:#?}"))
    }

    /// The next message of `me` that tells of a state.
    pub(crate) async fn until_state(&mut self, state: &str) -> Value {
        self.until_that(state, |m| m["data"]["state"] == state)
            .await
    }

    /// Reads to the end.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }

    /// Subscribes to `me` and waits for the phone's leg; the snap and the last `seq` seen.
    pub(crate) async fn seat(&mut self) -> (Value, u64) {
        let snap = self.subscribe("me").await;
        let up = |m: &Value| m["data"]["phone"]["leg_up"] == true;
        let last = if up(&snap) {
            snap.clone()
        } else {
            self.until_that("the phone's leg", up).await
        };
        (snap, last["seq"].as_u64().expect("seq"))
    }

    pub(crate) async fn subscribe(&mut self, topic: &str) -> Value {
        self.send(json!({"t": "sub", "topics": [topic]})).await;
        self.until("snap").await
    }
}
