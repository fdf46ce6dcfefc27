//! What waits for a client: a queue bounded in bytes, and the task that writes it.

use super::limits::{CLOSE_MAX, Close, SEND_QUEUE_MAX, SEND_QUEUE_MAX_BYTES, WRITE_MAX};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use center::DeskMessage;
use domain::ports::Clock;
use futures::SinkExt;
use futures::stream::SplitSink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Shared text as the owner of a frame's bytes: the same bytes for each client, never copied.
struct SharedText(Arc<str>);

impl AsRef<[u8]> for SharedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn text_frame(text: Arc<str>) -> Message {
    let bytes = Bytes::from_owner(SharedText(text));
    // It was a str: the check cannot fail, and an empty frame would do no harm.
    Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default())
}

#[derive(Debug)]
enum Item {
    Text(Arc<str>),
    /// A message of the engine, which may want to know when it is written.
    Desk(DeskMessage),
    Ping(u64),
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Desk(message) => message.body.len(),
            Self::Ping(_) => size_of::<u64>(),
        }
    }
}

/// The end of the queue that a session holds.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::Sender<Item>,
    waiting: Arc<AtomicUsize>,
    close: oneshot::Sender<Close>,
    writer: JoinHandle<()>,
}

impl Outbox {
    /// Starts the writer of a socket.
    pub(super) fn new(sink: SplitSink<WebSocket, Message>, clock: Arc<dyn Clock>) -> Self {
        let (queue, items) = mpsc::channel(SEND_QUEUE_MAX);
        let (close, closing) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            sink,
            items,
            waiting: Arc::clone(&waiting),
            clock,
        };
        Self {
            queue,
            waiting,
            close,
            writer: tokio::spawn(writer.run(closing)),
        }
    }

    fn push(&self, item: Item) -> Result<(), Close> {
        let len = item.len();
        let before = self.waiting.fetch_add(len, Ordering::Relaxed);
        if before + len > SEND_QUEUE_MAX_BYTES {
            return Err(Close::slow());
        }
        self.queue.try_send(item).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => Close::slow(),
            mpsc::error::TrySendError::Closed(_) => Close::gone(),
        })
    }

    /// Queues a text frame.
    pub(super) fn text(&self, text: impl Into<Arc<str>>) -> Result<(), Close> {
        self.push(Item::Text(text.into()))
    }

    /// Queues a message of the engine.
    pub(super) fn desk(&self, message: DeskMessage) -> Result<(), Close> {
        self.push(Item::Desk(message))
    }

    /// Queues a ping of the protocol.
    pub(super) fn ping(&self, mark: u64) -> Result<(), Close> {
        self.push(Item::Ping(mark))
    }

    /// Ends: what waits is dropped, the close frame goes out. The writer ends by itself; the handle
    /// tells when.
    pub(super) fn close(self, close: Close) -> JoinHandle<()> {
        // A writer that is gone has lost the link: nothing to tell it.
        let _ = self.close.send(close);
        self.writer
    }
}

struct Writer {
    sink: SplitSink<WebSocket, Message>,
    items: mpsc::Receiver<Item>,
    waiting: Arc<AtomicUsize>,
    clock: Arc<dyn Clock>,
}

impl Writer {
    async fn run(mut self, mut closing: oneshot::Receiver<Close>) {
        let close = loop {
            tokio::select! {
                biased;
                close = &mut closing => break close.ok(),
                item = self.items.recv() => match item {
                    None => break closing.await.ok(),
                    Some(item) => if !self.write(item).await {
                        break None;
                    },
                },
            }
        };
        let frame = close.filter(|c| c.code != 1000).map(|c| CloseFrame {
            code: c.code,
            reason: c.reason.into(),
        });
        if frame.is_some() {
            // The link may be gone or stuck: then the client learns it from the end of the stream.
            let _ = timeout(CLOSE_MAX, self.sink.send(Message::Close(frame))).await;
        }
        let _ = timeout(CLOSE_MAX, self.sink.close()).await;
    }

    /// Writes and flushes one frame; false when the link is gone or the reader too slow.
    async fn write(&mut self, item: Item) -> bool {
        let len = item.len();
        let (frame, message) = match item {
            Item::Text(text) => (text_frame(text), None),
            Item::Desk(message) => (text_frame(Arc::clone(&message.body)), Some(message)),
            Item::Ping(mark) => (
                Message::Ping(Bytes::copy_from_slice(&mark.to_be_bytes())),
                None,
            ),
        };
        let sent = timeout(WRITE_MAX, self.sink.send(frame)).await;
        self.waiting.fetch_sub(len, Ordering::Relaxed);
        let done = matches!(sent, Ok(Ok(())));
        if done && let Some(message) = message {
            message.mark_written(&*self.clock);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::SEND_QUEUE_MAX_BYTES;
    use super::*;
    use crate::ws::PROTOCOL;
    use axum::Router;
    use axum::extract::ws::WebSocketUpgrade;
    use axum::routing::any;
    use domain::time::UtcMs;
    use futures::StreamExt;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc::Receiver;
    use tokio_tungstenite::tungstenite::Message as Seen;
    use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> UtcMs {
            UtcMs(12)
        }
    }

    type Client = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

    /// A client and the outbox that writes to it; the task serves until the test ends.
    async fn pair() -> (Client, Outbox, JoinHandle<()>) {
        let (made, mut outbox): (_, Receiver<Outbox>) = mpsc::channel(1);
        let upgrade = move |upgrade: WebSocketUpgrade| async move {
            upgrade
                .protocols([PROTOCOL])
                .on_upgrade(|socket| async move {
                    let (sink, mut stream) = socket.split();
                    let fresh = Outbox::new(sink, Arc::new(Noon));
                    made.send(fresh).await.expect("the test waits");
                    while let Some(Ok(_)) = stream.next().await {}
                })
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let router = Router::new().route("/", any(upgrade));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serves");
        });
        let (client, _) = connect_async(format!("ws://{address}/"))
            .await
            .expect("connects");
        let outbox = outbox.recv().await.expect("upgraded");
        (client, outbox, serving)
    }

    #[tokio::test]
    async fn a_card_is_marked_once_its_bytes_are_out() {
        let (mut client, outbox, serving) = pair().await;
        let (written, at) = oneshot::channel();
        let card = DeskMessage {
            body: r#"{"t":"pop"}"#.into(),
            written: Some(written),
        };
        outbox.desk(card).expect("room");
        assert_eq!(at.await.expect("marked"), UtcMs(12));
        let frame = client.next().await.expect("a frame").expect("whole");
        assert_eq!(frame, Seen::text(r#"{"t":"pop"}"#));
        serving.abort();
    }

    #[tokio::test]
    async fn what_a_slow_reader_leaves_is_bounded_and_ends_in_1013() {
        let (mut client, outbox, serving) = pair().await;
        let piece: Arc<str> = "x".repeat(10_000).into();
        let refusal = (0..10_000).find_map(|_| outbox.text(Arc::clone(&piece)).err());
        assert_eq!(refusal, Some(Close::slow()));
        let waiting = outbox.waiting.load(Ordering::Relaxed);
        assert!(waiting <= SEND_QUEUE_MAX_BYTES + piece.len(), "{waiting}");
        let writer = outbox.close(Close::slow());
        let mut last = None;
        while let Some(Ok(frame)) = client.next().await {
            last = Some(frame);
        }
        let Some(Seen::Close(Some(frame))) = last else {
            panic!("expected a close frame, got {last:?}");
        };
        assert_eq!(u16::from(frame.code), 1013);
        writer.await.expect("the writer ends");
        serving.abort();
    }
}
