//! People who call the simulated carrier's customer: their calls, their keys, what they hear.

use super::{Live, SimTrunk, Stop, joined, stopped};
use domain::entity::RecordMode;
use domain::ids::{AttemptId, RecordingId, TrunkId};
use domain::ports::{DialOrder, LegRef, PlayWhat, TakeOrder, TrunkError, TrunkReport};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Somebody who calls.
#[derive(Debug, Clone)]
pub struct CallIn {
    /// His number, E.164 with `+`; `None` where he hides it.
    pub from: Option<String>,
    /// The number he calls.
    pub to: String,
    /// By which trunk.
    pub trunk: TrunkId,
    /// How long he waits for a person.
    pub patience_ms: u64,
    /// How long he talks then.
    pub talk_ms: u64,
}

impl SimTrunk {
    /// Somebody calls and is answered; the call's identity.
    pub async fn call_in(&self, call: CallIn) -> AttemptId {
        let attempt = AttemptId(Uuid::now_v7());
        let (stop, stop_rx) = watch::channel(Stop::Running);
        let (bridged, bridged_rx) = watch::channel(false);
        let live = Live {
            stop,
            bridged,
            answered: true,
        };
        self.lock().calls.insert(attempt, live);
        let report = TrunkReport::Incoming {
            attempt,
            trunk: call.trunk,
            caller: call.from.clone(),
            called: call.to.clone(),
            at: self.clock.now(),
        };
        // His call is no report that gets lost: without it there is no call.
        let _ = self.reports.send(report).await;
        tokio::spawn(self.clone().caller(attempt, call, stop_rx, bridged_rx));
        attempt
    }

    async fn caller(
        self,
        attempt: AttemptId,
        call: CallIn,
        mut stop: watch::Receiver<Stop>,
        mut bridged: watch::Receiver<bool>,
    ) {
        let at = self.clock.now();
        let met = tokio::select! {
            biased;
            () = stopped(&mut stop) => None,
            () = joined(&mut bridged) => Some(true),
            () = tokio::time::sleep(Duration::from_millis(call.patience_ms)) => Some(false),
        };
        let by_us = match met {
            None => true,
            Some(false) => false,
            Some(true) => tokio::select! {
                biased;
                () = stopped(&mut stop) => true,
                () = tokio::time::sleep(Duration::from_millis(call.talk_ms)) => false,
            },
        };
        let taken = self.lock().taken.remove(&attempt);
        let order = DialOrder {
            attempt_id: attempt,
            trunk_id: call.trunk,
            number: call.from.unwrap_or_default(),
            caller_number: call.to,
            ring_timeout_ms: 0,
            record: taken.as_ref().map_or(RecordMode::None, |t| t.record),
            recording_id: taken.map_or(RecordingId(Uuid::nil()), |t| t.recording_id),
            recording_key: String::new(),
            mask_dtmf: false,
            classify: false,
            not_after: None,
        };
        self.ended(&order, 200, by_us, false, Some(at)).await;
    }

    pub(super) fn taken(&self, order: TakeOrder) -> Result<(), TrunkError> {
        let mut state = self.lock();
        if !state.calls.contains_key(&order.attempt_id) {
            return Err(TrunkError::Gone);
        }
        state.taken.insert(order.attempt_id, order);
        Ok(())
    }

    /// The far end of a call presses a key.
    pub async fn press(&self, attempt: AttemptId, digit: char) {
        let report = TrunkReport::Dtmf {
            leg: LegRef::Debtor(attempt),
            digit,
            at: self.clock.now(),
        };
        let _ = self.reports.send(report).await;
    }

    /// What was played to a call so far, oldest first.
    #[must_use]
    pub fn heard(&self, attempt: AttemptId) -> Vec<PlayWhat> {
        let state = self.lock();
        state.heard.get(&attempt).cloned().unwrap_or_default()
    }

    /// Notes what a leg hears from now on; the number of it.
    pub(super) fn plays(&self, leg: LegRef, what: Option<&PlayWhat>) -> u64 {
        let mut state = self.lock();
        if let (LegRef::Debtor(attempt), Some(what)) = (leg, what) {
            let heard = state.heard.entry(attempt).or_default();
            heard.push(what.clone());
        }
        let number = state.playing.entry(leg).or_insert(0);
        *number += 1;
        *number
    }

    /// Whether a leg still hears that.
    pub(super) fn still_plays(&self, leg: LegRef, number: u64) -> bool {
        self.lock().playing.get(&leg) == Some(&number)
    }
}
