//! The bus of an installation with several nodes: one Redis stream.
//!
//! A batch is handed to this node's subscribers at once and written to the stream; a reader hands
//! over what other nodes wrote. While Redis is away `publish` fails, the outbox keeps the events and
//! the relay tries again, so that nothing is lost; repeats are allowed by the port.

use crate::bus_local::QUEUE_EVENTS;
use async_trait::async_trait;
use domain::event::Event;
use domain::ports::{Bus, BusError};
use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{AsyncConnectionConfig, Client};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::AbortHandle;

/// Key of the stream.
const STREAM: &str = "marcador:events";
/// Entries kept in the stream, about: some minutes of a large installation. The store has them all.
const STREAM_ENTRIES: usize = 100_000;
/// Entries read at once.
const READ_ENTRIES: usize = 512;
/// Longest wait for a new entry.
const BLOCK: Duration = Duration::from_secs(2);
/// Longest wait for an answer of Redis.
const ANSWER: Duration = Duration::from_secs(2);
/// Rest after a failed read.
const RETRY: Duration = Duration::from_millis(500);

/// A bus over Redis streams.
pub struct RedisBus {
    sender: broadcast::Sender<Event>,
    writer: ConnectionManager,
    node: String,
    reader: AbortHandle,
}

impl std::fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBus")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

fn unavailable(error: &redis::RedisError) -> BusError {
    // The kind only: the text of an error may hold the URL with its password.
    BusError::Unavailable(format!("redis: {:?}", error.kind()))
}

impl RedisBus {
    /// Opens the bus. A Redis that does not answer is no fault: the bus connects when it can.
    ///
    /// # Errors
    /// When the URL is no `redis://host:port[/db]`.
    pub async fn connect(url: &str) -> Result<Self, BusError> {
        let client = Client::open(url).map_err(|e| unavailable(&e))?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER));
        let writer = ConnectionManager::new_lazy_with_config(client.clone(), config)
            .map_err(|e| unavailable(&e))?;
        let node = uuid::Uuid::now_v7().to_string();
        let (sender, _) = broadcast::channel(QUEUE_EVENTS);
        // The place in the stream is taken before `connect` returns, so that nothing written after
        // it is missed.
        let from = match reader_connection(&client).await {
            Ok(mut connection) => last_id(&mut connection).await.ok(),
            Err(_) => None,
        };
        let task = tokio::spawn(read_forever(client, node.clone(), from, sender.clone()));
        Ok(Self {
            sender,
            writer,
            node,
            reader: task.abort_handle(),
        })
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn reader_connection(client: &Client) -> redis::RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER))
        .set_response_timeout(Some(BLOCK + ANSWER));
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Id of the newest entry; the beginning when there is none.
async fn last_id(connection: &mut MultiplexedConnection) -> redis::RedisResult<String> {
    let reply: StreamRangeReply = redis::cmd("XREVRANGE")
        .arg(STREAM)
        .arg("+")
        .arg("-")
        .arg("COUNT")
        .arg(1)
        .query_async(connection)
        .await?;
    Ok(reply.ids.first().map_or("0-0".to_owned(), |e| e.id.clone()))
}

/// Milliseconds and sequence of an entry's id.
fn place(id: &str) -> (u64, u64) {
    let (ms, seq) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or(0), seq.parse().unwrap_or(0))
}

/// A stream that was emptied, or whose server's clock went back, is read from its beginning: repeats
/// are allowed, gaps are not.
fn not_beyond(id: String, newest: &str) -> String {
    if place(&id) > place(newest) {
        "0-0".to_owned()
    } else {
        id
    }
}

async fn read_forever(
    client: Client,
    node: String,
    mut from: Option<String>,
    sender: broadcast::Sender<Event>,
) {
    loop {
        if let Err(error) = read_until_fault(&client, &node, &mut from, &sender).await {
            tracing::warn!(kind = ?error.kind(), "event bus: redis does not answer");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn read_until_fault(
    client: &Client,
    node: &str,
    from: &mut Option<String>,
    sender: &broadcast::Sender<Event>,
) -> redis::RedisResult<()> {
    let mut connection = reader_connection(client).await?;
    let newest = last_id(&mut connection).await?;
    let mut last = match from.take() {
        Some(id) => not_beyond(id, &newest),
        None => newest,
    };
    *from = Some(last.clone());
    loop {
        let reply: Option<StreamReadReply> = redis::cmd("XREAD")
            .arg("COUNT")
            .arg(READ_ENTRIES)
            .arg("BLOCK")
            .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX))
            .arg("STREAMS")
            .arg(STREAM)
            .arg(&last)
            .query_async(&mut connection)
            .await?;
        if reply.is_none() {
            last = not_beyond(last, &last_id(&mut connection).await?);
        }
        for entry in reply.into_iter().flat_map(|r| r.keys).flat_map(|k| k.ids) {
            if let Some(event) = others(&entry, node) {
                let _ = sender.send(event);
            }
            last = entry.id;
        }
        *from = Some(last.clone());
    }
}

/// The event of an entry that another node wrote.
fn others(entry: &StreamId, node: &str) -> Option<Event> {
    if entry.get::<String>("node")? == node {
        return None;
    }
    let event = serde_json::from_str(&entry.get::<String>("event")?);
    event
        .inspect_err(|_| tracing::warn!(entry = entry.id, "event bus: unreadable entry skipped"))
        .ok()
}

#[async_trait]
impl Bus for RedisBus {
    async fn publish(&self, batch: &[Event]) -> Result<(), BusError> {
        let mut pipe = redis::pipe();
        for event in batch {
            let text = serde_json::to_string(event)
                .map_err(|e| BusError::Unavailable(format!("event cannot be written: {e}")))?;
            pipe.cmd("XADD")
                .arg(STREAM)
                .arg("MAXLEN")
                .arg("~")
                .arg(STREAM_ENTRIES)
                .arg("*")
                .arg("node")
                .arg(&self.node)
                .arg("event")
                .arg(text)
                .ignore();
            let _ = self.sender.send(event.clone());
        }
        if batch.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer.clone();
        pipe.query_async::<()>(&mut writer)
            .await
            .map_err(|e| unavailable(&e))
    }

    fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    async fn healthy(&self) -> Result<(), BusError> {
        let mut writer = self.writer.clone();
        redis::cmd("PING")
            .query_async::<()>(&mut writer)
            .await
            .map_err(|e| unavailable(&e))
    }
}
