//! The end: every leg is hung up, every recording sealed, every report told.

use super::calls::our_end;
use super::core::{Ears, Engine, Farewell};
use super::fault::Whose;
use super::legs::Over;
use crate::limits;
use crate::plane::{Counts, LegId};
use domain::ports::HangUpCause;
use std::time::Instant;
use tokio::sync::oneshot;

impl Engine {
    /// Starts to end: no new calls, a BYE or CANCEL for every leg.
    pub(super) fn say_farewell(&mut self, done: Option<oneshot::Sender<()>>) {
        self.at(Instant::now());
        let farewell = self.farewell.get_or_insert_with(|| Farewell {
            until: Instant::now() + limits::SHUTDOWN_BYES,
            waiting: Vec::new(),
        });
        farewell.waiting.extend(done);
        let legs: Vec<LegId> = self.legs.iter().map(|(leg, _)| leg).collect();
        for leg in legs {
            self.safely(Whose::Leg(leg), |engine| {
                engine.end_leg(leg, our_end(HangUpCause::Shutdown));
            });
        }
        let now = self.millis();
        for (_, key) in std::mem::take(&mut self.registrations) {
            let _ = self.endpoint.unregister(now, key);
        }
    }

    /// Whether all far ends know, or have had their time.
    pub(super) fn may_end(&self) -> bool {
        self.farewell.as_ref().is_some_and(|farewell| {
            Instant::now() >= farewell.until || (self.legs.is_empty() && self.endpoint.calls() == 0)
        })
    }

    /// Stops the other threads and tells what they still have to say.
    pub(super) async fn finish(mut self, mut ears: Ears) {
        let silent: Vec<LegId> = self.legs.iter().map(|(leg, _)| leg).collect();
        for leg in silent {
            // A far end that did not answer our CANCEL or BYE in time.
            let code = Some(487);
            let at = self.now;
            let over = Over {
                at,
                code,
                q850: None,
                by_us: true,
                ring_timeout: false,
            };
            self.safely(Whose::Leg(leg), |engine| engine.over(leg, over));
        }
        let plane = self.plane.take();
        let writer = self.writer.take();
        // They wait for each other and for us to listen, so not on this thread.
        let stopping = tokio::task::spawn_blocking(move || {
            plane.stop();
            if let Some((writer, line)) = writer {
                drop(line);
                writer.join();
            }
        });
        while let Some(event) = ears.media.recv().await {
            self.safely(Whose::media(&event), |engine| engine.media_event(event));
        }
        let _ = stopping.await;
        // Nobody is left who could tell more of these.
        let untold: Vec<LegId> = self.legs.iter().map(|(leg, _)| leg).collect();
        for leg in untold {
            self.safely(Whose::Leg(leg), |engine| {
                engine.removed(leg, Counts::default());
            });
        }
        self.safely(Whose::Nobody, |engine| engine.tell_trails(true));
        self.outbox.drain().await;
        let waiting = self.farewell.take().map(|f| f.waiting).unwrap_or_default();
        drop(self);
        for done in waiting {
            let _ = done.send(());
        }
    }
}
