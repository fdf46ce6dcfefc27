//! How a transaction ends.

use super::{ALONE, Core, DirectTx, Fold, GATHER, LEAVE, LOOK, closed, fault};
use domain::ports::StoreError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// Whether somebody waits for a step of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Its INVITE does.
    Now,
    /// Nobody: in a crowd, what comes of the calls of one decision is waited for.
    Soon,
}

/// What who waits for a commit is told.
type Told = Result<(), StoreError>;

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
    ///
    /// A step of a call lets whoever is ready go first: the calls of one decision come one behind the other, each
    /// done before the next, and the first of them cannot know of the rest. Whoever comes back first commits for all.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let (told, durable) = oneshot::channel();
        self.joined()?;
        let ready = Instant::now();
        let mut core = self.core.take().ok_or_else(closed)?;
        let times = core.times.clone();
        let lone = core.is_lone() && self.queue.load(Ordering::Relaxed) == 0;
        core.ready.push(told);
        core.hurry |= self.together != Some(Pace::Soon);
        let mut ends = true;
        if let Some(pace) = self.together {
            let shared = OwnedMutexGuard::mutex(&core).clone();
            drop(core);
            tokio::task::yield_now().await;
            ends = gathered(&shared, &durable, pace).await;
        } else if lone {
            ends = core.commit_here();
            drop(core);
        } else {
            drop(core);
        }
        if ends {
            // Full: it is told already and looks after this.
            let _ = self.line.try_send(());
        }
        let done = durable.await.unwrap_or_else(|_| Err(closed()));
        let (waited, began) = self.entered;
        times.ended(waited, ready - began, ready.elapsed());
        done
    }
}

/// Commits for all who are ready, unless somebody has done it meanwhile or it is not the moment. Whether the thread of
/// the commits has something to do.
async fn gathered(core: &Mutex<Core>, durable: &oneshot::Receiver<Told>, pace: Pace) -> bool {
    let mut core = core.lock().await;
    if !durable.is_empty() {
        return false;
    }
    let now = match pace {
        Pace::Now => core.early().is_none(),
        Pace::Soon => core.alone >= ALONE,
    };
    match now && core.is_quick() {
        true => core.commit_here(),
        false => true,
    }
}

/// Commits what is ready, until nobody can write any more.
pub(super) fn keep(core: &Mutex<Core>, told: &Receiver<()>) {
    loop {
        match told.recv_timeout(LOOK) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => {
                core.blocking_lock().commit_later();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let gather = {
            let core = core.blocking_lock();
            let crowd = core.alone < ALONE && !core.ready.is_empty();
            let least = if core.hurry { Duration::ZERO } else { GATHER };
            crowd.then(|| core.early().unwrap_or_default().max(least))
        };
        if let Some(gather) = gather {
            std::thread::sleep(gather);
        }
        core.blocking_lock().commit();
    }
}

impl Core {
    /// Commits on the thread of who asks; whether a long log is left to be ended.
    fn commit_here(&mut self) -> bool {
        self.commit_open();
        self.fold.as_ref().is_some_and(Fold::is_ending)
    }
}
