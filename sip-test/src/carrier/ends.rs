//! What ends a carrier from outside.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, Interval, interval};

use super::Config;

/// How often the parent is looked for.
const PARENT_EVERY: Duration = Duration::from_millis(500);

/// All reasons to end that a [`Config`] names.
pub(super) struct Ends {
    life: Option<Instant>,
    stdin: Option<oneshot::Receiver<()>>,
    parent: Option<(u32, Interval)>,
    term: Option<Signal>,
    interrupt: Option<Signal>,
    child: bool,
}

impl Ends {
    pub(super) fn of(config: &Config) -> Self {
        let child = config.until_stdin_closes || config.until_parent_ends;
        // Where the system gives no handler its own way of ending stays.
        let caught = |kind| config.until_signal.then(|| signal(kind).ok()).flatten();
        Self {
            life: config.life.map(|life| Instant::now() + life),
            stdin: if config.until_stdin_closes {
                watch_stdin()
            } else {
                None
            },
            parent: config
                .until_parent_ends
                .then(|| (std::os::unix::process::parent_id(), interval(PARENT_EVERY))),
            term: caught(SignalKind::terminate()),
            interrupt: caught(SignalKind::interrupt()),
            child,
        }
    }

    /// Waits for the first of them. Safe to drop and to call again.
    pub(super) async fn come(&mut self) {
        loop {
            tokio::select! {
                () = until(self.life) => return,
                () = closed(&mut self.stdin) => return,
                () = orphaned(&mut self.parent) => return,
                () = signalled(&mut self.term) => return,
                () = signalled(&mut self.interrupt) => {
                    // Ctrl-C in a terminal reaches the whole group: a child's end is its parent's to say.
                    if !self.child {
                        return;
                    }
                }
            }
        }
    }
}

/// Sleeps until an instant; for ever without one.
pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn closed(stdin: &mut Option<oneshot::Receiver<()>>) {
    match stdin {
        // An error means that the reading thread is gone: closed too.
        Some(stdin) => drop(stdin.await),
        None => std::future::pending().await,
    }
}

async fn orphaned(parent: &mut Option<(u32, Interval)>) {
    let Some((id, second)) = parent else {
        return std::future::pending().await;
    };
    while std::os::unix::process::parent_id() == *id {
        second.tick().await;
    }
}

async fn signalled(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Reads standard input on a thread of its own, which never holds up the end of the process.
fn watch_stdin() -> Option<oneshot::Receiver<()>> {
    let (closed, wait) = oneshot::channel();
    let read = move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    };
    match std::thread::Builder::new().name("stdin".into()).spawn(read) {
        Ok(_) => Some(wait),
        Err(_) => None,
    }
}
