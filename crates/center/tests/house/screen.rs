//! An agent's screen as the client keeps it: `me` folded from snapshots and deltas, and the cards.

use domain::ids::{AgentId, AttemptId};
use domain::time::UtcMs;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// One agent's screen: what it was told, when.
#[derive(Clone)]
pub(crate) struct Screen {
    pub(crate) id: AgentId,
    seen: Arc<Mutex<Vec<(UtcMs, Value)>>>,
}

impl Screen {
    pub(crate) fn new(id: AgentId, seen: Arc<Mutex<Vec<(UtcMs, Value)>>>) -> Self {
        Self { id, seen }
    }

    pub(crate) fn messages(&self) -> Vec<(UtcMs, Value)> {
        self.seen
            .lock()
            .expect("no test panics while it holds this")
            .clone()
    }

    pub(crate) fn of_kind(&self, t: &str) -> Vec<(UtcMs, Value)> {
        self.messages()
            .into_iter()
            .filter(|(_, m)| m["t"] == t)
            .collect()
    }

    /// `me` folded from snapshots and deltas; every `seq` follows the one before.
    pub(crate) fn me(&self) -> Value {
        let mut me = serde_json::Map::new();
        let mut last = None;
        for (_, message) in self
            .messages()
            .into_iter()
            .filter(|(_, m)| m["topic"] == "me")
        {
            if message["t"] == "gap" {
                continue;
            }
            let seq = message["seq"].as_u64().expect("seq is a number");
            if message["t"] == "d" {
                if let Some(last) = last {
                    assert_eq!(seq, last + 1, "a hole in the deltas: {message}");
                }
            } else {
                me.clear();
            }
            last = Some(seq);
            for (key, value) in message["data"].as_object().expect("data is an object") {
                me.insert(key.clone(), value.clone());
            }
        }
        Value::Object(me)
    }

    pub(crate) fn state(&self) -> String {
        self.me()["state"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn attempt(&self) -> Option<AttemptId> {
        self.me()["attempt"]["id"]
            .as_str()
            .and_then(|s| s.parse().ok())
    }
}
