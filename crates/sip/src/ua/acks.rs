//! The ACKs of 2xx answers, kept as long as the peer may repeat the answer.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::core::Core;
use super::dialog::Dialog;
use crate::Millis;
use crate::limits::MAX_ACK_MEMORY;
use crate::msg::{HeaderName, Method, Response};
use crate::transaction::{TIMEOUT, TxId, together};
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
        self.order.push_back((together(now + TIMEOUT), key.clone()));
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

/// Sends the ACK of a 2xx and keeps it for the repeats of that 2xx. It carries the credentials of
/// its INVITE (RFC 3261 §22.1).
pub(super) fn send_ack(
    core: &mut Core,
    now: Millis,
    dialog: &Dialog,
    cseq: u32,
    target: Target,
    invite: Option<TxId>,
) {
    let mut ack = dialog.ack(cseq);
    if let Some((invite, _)) = invite.and_then(|tx| core.layer.invite(tx)) {
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            for value in invite.headers.all(&name) {
                ack.headers.push(name.clone(), value.clone());
            }
        }
    }
    if core.push_via(&mut ack, target).is_err() {
        return;
    }
    let octets = ack.to_bytes();
    let key = AckKey {
        call_id: dialog.call_id.clone(),
        local_tag: dialog.local_tag.clone(),
        remote_tag: dialog.remote_tag.clone(),
        cseq,
    };
    core.acks.keep(now, key, target, octets.clone());
    core.layer.transmit(target, octets);
}

/// Ends a fork whose 2xx came after another's: ACK, then BYE (RFC 3261 §13.2.2.4). `used` is the
/// highest sequence number the call has used, `follow` whether the call goes where dialogs say.
pub(super) fn end_stray(
    core: &mut Core,
    now: Millis,
    tx: TxId,
    response: &Response,
    (used, follow): (u32, bool),
) {
    let Some((invite, target)) = core.layer.invite(tx) else {
        return;
    };
    let (Some(local), Ok(from), Ok(call_id), Ok(cseq)) = (
        invite.headers.get(&HeaderName::From).cloned(),
        invite.headers.from(),
        invite.headers.call_id(),
        invite.headers.cseq(),
    ) else {
        return;
    };
    let mut dialog = Dialog {
        call_id,
        local,
        local_tag: from.tag().unwrap_or_default(),
        remote: Bytes::new(),
        remote_tag: Bytes::new(),
        route: Vec::new(),
        target: invite.uri.clone(),
        local_cseq: cseq.number,
        remote_cseq: None,
    };
    dialog.confirm(response);
    let hop = follow.then(|| core.followed_hop(&dialog, target));
    let target = hop.flatten().unwrap_or(target);
    send_ack(core, now, &dialog, cseq.number, target, Some(tx));
    dialog.local_cseq = dialog.local_cseq.max(used);
    let mut bye = dialog.request(Method::Bye);
    // No answer to this BYE changes anything, so its transaction has no purpose to look up.
    if core.push_via(&mut bye, target).is_ok() {
        core.sign(&mut bye.headers, HeaderName::UserAgent);
        let octets = bye.to_bytes();
        if core.layer.send(now, bye, target).is_err() {
            core.layer.transmit(target, octets);
        }
    }
}
