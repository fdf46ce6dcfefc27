//! Answers to orders, and reports on their way to the engine. None is lost: what the channel does not take waits here,
//! and while much waits no new call is taken.
//!
//! What comes of one turn of the loop crosses to the engine's thread as one: whoever reads there is as quick as we are,
//! and was woken, and went to sleep again, for each of the 25 answers of one decision (`perf`, 92 times a second at 100
//! calls a second).

use crate::limits;
use domain::ports::{TrunkError, TrunkReport};
use tokio::sync::{mpsc, oneshot};

/// What came of an order.
type Done = Result<(), TrunkError>;

/// What came of a turn of the loop.
#[derive(Default)]
pub(super) struct Batch {
    answers: Vec<(oneshot::Sender<Done>, Done)>,
    reports: Vec<TrunkReport>,
}

impl Batch {
    /// Tells the answers, before the reports that are left.
    pub(super) fn open(self) -> Vec<TrunkReport> {
        tell(self.answers);
        self.reports
    }
}

fn tell(answers: Vec<(oneshot::Sender<Done>, Done)>) {
    for (to, done) in answers {
        // Whoever gave the order may have gone.
        let _ = to.send(done);
    }
}

/// Carries what is told to who reads it, where he reads: until nobody does, or nothing more is told.
pub(super) async fn carry(mut line: mpsc::Receiver<Batch>, to: mpsc::Sender<TrunkReport>) {
    loop {
        let batch = tokio::select! {
            batch = line.recv() => batch,
            () = to.closed() => None,
        };
        let Some(batch) = batch else { break };
        for report in batch.open() {
            if to.send(report).await.is_err() {
                break;
            }
        }
    }
    line.close();
    while let Ok(batch) = line.try_recv() {
        // Whoever gave an order still hears of it.
        batch.open();
    }
}

pub(super) struct Outbox {
    line: mpsc::Sender<Batch>,
    waiting: Batch,
}

impl Outbox {
    pub(super) fn new(line: mpsc::Sender<Batch>) -> Self {
        Self {
            line,
            waiting: Batch::default(),
        }
    }

    /// To be told with the next [`Self::post`].
    pub(super) fn tell(&mut self, report: TrunkReport) {
        self.waiting.reports.push(report);
    }

    /// The same of what came of an order.
    pub(super) fn answer(&mut self, to: oneshot::Sender<Done>, done: Done) {
        self.waiting.answers.push((to, done));
    }

    /// Tells what waits, answers before reports.
    pub(super) fn post(&mut self) {
        if self.waiting.answers.is_empty() && self.waiting.reports.is_empty() {
            return;
        }
        match self.line.try_reserve() {
            Ok(place) => place.send(std::mem::take(&mut self.waiting)),
            // Answers wait for nobody who does not read reports.
            Err(mpsc::error::TrySendError::Full(())) => {
                tell(std::mem::take(&mut self.waiting.answers));
            }
            // Nobody listens any more: the program is going down.
            Err(mpsc::error::TrySendError::Closed(())) => {
                std::mem::take(&mut self.waiting).open();
            }
        }
    }

    /// Whether new calls must wait until the engine has read.
    pub(super) fn full(&self) -> bool {
        self.waiting.reports.len() >= limits::REPORT_BACKLOG
    }

    /// Whether reports wait for the channel.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.reports.is_empty()
    }

    /// Whether nobody will ever read a report again.
    pub(super) fn deaf(&self) -> bool {
        self.line.is_closed()
    }

    /// Sends everything; used at the end, when waiting is right.
    pub(super) async fn drain(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if let Err(mpsc::error::SendError(batch)) = self.line.send(waiting).await {
            batch.open();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::TrunkId;
    use domain::time::UtcMs;

    fn report(n: i64) -> TrunkReport {
        TrunkReport::TrunkHealth {
            trunk: TrunkId(uuid::Uuid::nil()),
            up: true,
            at: UtcMs(n),
        }
    }

    fn number(report: &TrunkReport) -> i64 {
        match report {
            TrunkReport::TrunkHealth { at, .. } => at.0,
            _ => -1,
        }
    }

    #[tokio::test]
    async fn order_is_kept_when_nobody_reads() {
        let (line, told) = mpsc::channel(2);
        let (to, mut reports) = mpsc::channel(2);
        let mut outbox = Outbox::new(line);
        for n in 0..10 {
            outbox.tell(report(n));
            outbox.post();
        }
        assert!(outbox.waits(), "two turns fit");
        tokio::spawn(carry(told, to));
        let mut seen = Vec::new();
        while seen.len() < 10 {
            seen.push(number(&reports.recv().await.expect("is told")));
            outbox.post();
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        drop(outbox);
        assert!(reports.recv().await.is_none(), "nothing more is told");
    }

    #[tokio::test]
    async fn answers_are_told_whether_or_not_reports_are_read() {
        let (line, told) = mpsc::channel(1);
        let (to, reports) = mpsc::channel(1);
        let mut outbox = Outbox::new(line);
        let mut answers = Vec::new();
        for n in 0..3 {
            let (answer, heard) = oneshot::channel();
            outbox.answer(answer, Ok(()));
            outbox.tell(report(n));
            outbox.post();
            answers.push(heard);
        }
        assert_eq!(answers.remove(2).await, Ok(Ok(())), "past the full line");
        assert_eq!(answers.remove(1).await, Ok(Ok(())));
        drop(reports);
        carry(told, to).await;
        assert_eq!(answers.remove(0).await, Ok(Ok(())), "although nobody reads");
        assert!(outbox.deaf());
        outbox.post();
        assert!(!outbox.waits());
    }
}
