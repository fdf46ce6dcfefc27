//! Answers to orders, and reports on their way to the engine. None is lost: what the channel does not take waits here,
//! and while much waits no new call is taken.
//!
//! What comes of one turn of the loop goes together: each by itself would wake whoever waits for it, once for each of
//! the calls of one decision.

use crate::limits;
use domain::ports::{TrunkError, TrunkReport};
use std::collections::VecDeque;
use tokio::sync::{mpsc, oneshot};

/// What came of an order.
type Done = Result<(), TrunkError>;

pub(super) struct Outbox {
    line: mpsc::Sender<TrunkReport>,
    waiting: VecDeque<TrunkReport>,
    answers: Vec<(oneshot::Sender<Done>, Done)>,
}

impl Outbox {
    pub(super) fn new(line: mpsc::Sender<TrunkReport>) -> Self {
        Self {
            line,
            waiting: VecDeque::new(),
            answers: Vec::new(),
        }
    }

    /// To be told with the next [`Self::post`].
    pub(super) fn tell(&mut self, report: TrunkReport) {
        self.waiting.push_back(report);
    }

    /// The same of what came of an order.
    pub(super) fn answer(&mut self, to: oneshot::Sender<Done>, done: Done) {
        self.answers.push((to, done));
    }

    fn post_answers(&mut self) {
        for (to, done) in self.answers.drain(..) {
            // Whoever gave the order may have gone.
            let _ = to.send(done);
        }
    }

    /// Tells what waits, answers before reports.
    pub(super) fn post(&mut self) {
        self.post_answers();
        while let Some(report) = self.waiting.pop_front() {
            match self.line.try_send(report) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(report)) => {
                    self.waiting.push_front(report);
                    return;
                }
                // Nobody listens any more: the program is going down.
                Err(mpsc::error::TrySendError::Closed(_)) => return self.waiting.clear(),
            }
        }
    }

    /// Whether new calls must wait until the engine has read.
    pub(super) fn full(&self) -> bool {
        self.waiting.len() >= limits::REPORT_BACKLOG
    }

    /// Whether reports wait for the channel.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether nobody will ever read a report again.
    pub(super) fn deaf(&self) -> bool {
        self.line.is_closed()
    }

    /// Sends everything; used at the end, when waiting is right.
    pub(super) async fn drain(&mut self) {
        self.post_answers();
        for report in self.waiting.drain(..) {
            if self.line.send(report).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::TrunkId;
    use domain::time::UtcMs;

    #[test]
    fn order_is_kept_when_nobody_reads() {
        let (tx, mut rx) = mpsc::channel(2);
        let mut outbox = Outbox::new(tx);
        let trunk = TrunkId(uuid::Uuid::nil());
        for i in 0..10 {
            outbox.tell(TrunkReport::TrunkHealth {
                trunk,
                up: true,
                at: UtcMs(i),
            });
        }
        let mut seen = Vec::new();
        loop {
            while let Ok(TrunkReport::TrunkHealth { at, .. }) = rx.try_recv() {
                seen.push(at.0);
            }
            if seen.len() == 10 {
                break;
            }
            outbox.post();
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
}
