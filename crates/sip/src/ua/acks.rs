//! The ACKs of 2xx answers, kept as long as the peer may repeat the answer.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::Millis;
use crate::limits::MAX_ACK_MEMORY;
use crate::transaction::TIMEOUT;
use crate::transport::Target;

/// Which 2xx an ACK belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AckKey {
    pub(super) call_id: Bytes,
    pub(super) local_tag: Bytes,
    pub(super) remote_tag: Bytes,
    pub(super) cseq: u32,
}

#[derive(Debug, Default)]
pub(super) struct AckMemory {
    rows: HashMap<AckKey, (Target, Bytes)>,
    order: VecDeque<(Millis, AckKey)>,
}

impl AckMemory {
    pub(super) fn get(&self, key: &AckKey) -> Option<&(Target, Bytes)> {
        self.rows.get(key)
    }

    pub(super) fn keep(&mut self, now: Millis, key: AckKey, target: Target, ack: Bytes) {
        if self.rows.len() >= MAX_ACK_MEMORY
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.rows.remove(&oldest);
        }
        self.order.push_back((now + TIMEOUT, key.clone()));
        self.rows.insert(key, (target, ack));
    }

    pub(super) fn next_deadline(&self) -> Option<Millis> {
        self.order.front().map(|(at, _)| *at)
    }

    pub(super) fn on_timer(&mut self, now: Millis) {
        while self.order.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, key)) = self.order.pop_front() {
                self.rows.remove(&key);
            }
        }
    }
}
