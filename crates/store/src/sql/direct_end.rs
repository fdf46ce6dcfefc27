//! How a transaction ends.

use super::{DirectTx, Fold, LEAVE, closed, fault};
use domain::ports::StoreError;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::sync::oneshot;

impl DirectTx {
    /// Ends it without waiting until it is durable; a commit that fails later takes it along, and nobody is
    /// told. While another process writes it is waited for after all.
    pub(crate) async fn commit_later(mut self) -> Result<(), StoreError> {
        if self.core.as_ref().is_some_and(|core| core.has_others()) {
            self.commit().await?;
            tokio::time::sleep(LEAVE).await;
            return Ok(());
        }
        self.joined()?;
        if let Some(mut core) = self.core.take() {
            core.later.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    /// It is part of the open commit from now on; a text that comes with each transaction is not read anew.
    fn joined(&self) -> Result<(), StoreError> {
        let core = self.core.as_ref().ok_or_else(closed)?;
        let release = || core.script("RELEASE work").map_err(fault);
        if self.behind && self.wrote {
            release()
        } else {
            Ok(())
        }
    }

    /// Waits until it is durable. Who writes alone commits on his own thread: without the disk, a commit is as short as
    /// a statement, and on a machine that is at work the way to another thread and back is longer.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let (told, durable) = oneshot::channel();
        self.joined()?;
        let (ready, mut times) = (Instant::now(), None);
        let mut ends = true;
        let (grouped, last) = match self.seat.take() {
            Some(seat) => (seat.at.is_some(), seat.rise()),
            None => (false, true),
        };
        if let Some(mut core) = self.core.take() {
            let now = match grouped {
                true => last && core.is_quick(),
                false => core.is_lone() && self.queue.load(Ordering::Relaxed) == 0,
            };
            core.ready.push(told);
            times = Some(core.times.clone());
            if now {
                core.commit_open();
                ends = core.fold.as_ref().is_some_and(Fold::is_ending);
            } else if !last {
                // The last of those who run together sees to it.
                ends = false;
            }
        }
        if ends {
            // Full: it is told already and looks after this.
            let _ = self.line.try_send(());
        }
        let done = durable.await.unwrap_or_else(|_| Err(closed()));
        if let Some(times) = times {
            let (waited, began) = self.entered;
            times.ended(waited, ready - began, ready.elapsed());
        }
        done
    }
}
