//! One call of the simulated carrier, from its INVITE to its end.

use super::{SimTrunk, Stop, joined, stopped};
use crate::fate::Fate;
use domain::ports::{DialOrder, TrunkReport};
use std::time::Duration;
use tokio::sync::watch;

impl SimTrunk {
    pub(super) async fn run(
        self,
        order: DialOrder,
        (setup_ms, fate): (u64, Fate),
        mut stop: watch::Receiver<Stop>,
        bridged: watch::Receiver<bool>,
    ) {
        let attempt = order.attempt_id;
        self.tell(TrunkReport::Sent {
            attempt,
            at: self.clock.now(),
        })
        .await;
        tokio::time::sleep(Duration::from_millis(setup_ms)).await;
        let timeout = Duration::from_millis(u64::try_from(order.ring_timeout_ms).unwrap_or(0));
        let (wait, outcome) = match fate {
            Fate::Answers { ring_ms, .. } if Duration::from_millis(ring_ms) < timeout => {
                (Duration::from_millis(ring_ms), 200)
            }
            Fate::Refuses { after_ms, code } if Duration::from_millis(after_ms) < timeout => {
                (Duration::from_millis(after_ms), code)
            }
            Fate::RingsOut { ring_ms } if Duration::from_millis(ring_ms) < timeout => {
                (Duration::from_millis(ring_ms), 480)
            }
            _ => (timeout, 487),
        };
        if !matches!(fate, Fate::Refuses { .. }) || outcome == 487 {
            self.tell(TrunkReport::Ringing {
                attempt,
                at: self.clock.now(),
                early_media: false,
            })
            .await;
        }
        let stopped = tokio::select! {
            biased;
            () = stopped(&mut stop) => true,
            () = tokio::time::sleep(wait) => false,
        };
        if stopped {
            return self.ended(&order, 487, true, false, None).await;
        }
        if outcome != 200 {
            return self
                .ended(&order, outcome, outcome == 487, outcome == 487, None)
                .await;
        }
        let Fate::Answers {
            patience_ms,
            talk_ms,
            ..
        } = fate
        else {
            return;
        };
        self.answered(order, (patience_ms, talk_ms), stop, bridged)
            .await;
    }

    async fn answered(
        self,
        order: DialOrder,
        (patience_ms, talk_ms): (u64, u64),
        mut stop: watch::Receiver<Stop>,
        mut bridged: watch::Receiver<bool>,
    ) {
        let at = self.clock.now();
        if let Some(call) = self.lock().calls.get_mut(&order.attempt_id) {
            call.answered = true;
        }
        self.tell(TrunkReport::Answered {
            attempt: order.attempt_id,
            at,
        })
        .await;
        if self.sounds && order.classify {
            tokio::spawn(self.clone().sound(order.attempt_id));
        }
        let talk = tokio::select! {
            biased;
            () = stopped(&mut stop) => None,
            () = joined(&mut bridged) => Some(true),
            () = tokio::time::sleep(Duration::from_millis(patience_ms)) => Some(false),
        };
        let by_us = match talk {
            None => true,
            Some(false) => false,
            Some(true) => tokio::select! {
                biased;
                () = stopped(&mut stop) => true,
                () = tokio::time::sleep(Duration::from_millis(talk_ms)) => false,
            },
        };
        self.ended(&order, 200, by_us, false, Some(at)).await;
    }
}
