//! The disk that recordings need: little room is an alarm, too little stops new calls. Calls that are
//! up go on.

use super::Archive;
use crate::engine::Engine;
use crate::shared::Shared;
use crate::tasks::pause;
use dialer::Gate;
use domain::time::UtcMs;
use std::sync::Arc;

/// Between two looks at the disk, ms: at 200 calls 13 MB are written in that time.
const LOOK_MS: u64 = 2_000;
const ALARM: &str = "disk_low";

/// When the disk of the recordings is too full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskLimits {
    /// Free bytes below which an alarm is raised.
    pub warn_bytes: u64,
    /// Free bytes below which no new call is dialed.
    pub stop_bytes: u64,
}

impl Default for DiskLimits {
    /// Two GiB: 200 calls for five minutes; half a GiB: what calls that are up need to their end.
    fn default() -> Self {
        Self {
            warn_bytes: 2 << 30,
            stop_bytes: 512 << 20,
        }
    }
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Enough,
    Low,
    None,
}

impl DiskLimits {
    /// Room by what is free; better only with a tenth to spare, so that it does not flicker.
    fn room(&self, free: u64, before: Room) -> Room {
        let level = |free: u64| {
            if free < self.stop_bytes {
                Room::None
            } else if free < self.warn_bytes {
                Room::Low
            } else {
                Room::Enough
            }
        };
        let now = level(free);
        if now < before {
            level(free - free / 11)
        } else {
            now
        }
    }
}

/// Runs until the center stops.
pub(super) async fn disk(shared: Arc<Shared>, archive: Arc<dyn Archive>) {
    let mut stop = shared.stop.clone();
    let mut before = Room::Enough;
    while pause(&mut stop, LOOK_MS).await {
        let room = match archive.free_bytes() {
            Ok(free) => shared.config.disk.room(free, before),
            Err(reason) => {
                tracing::error!(reason, "the folder of the recordings cannot be looked at");
                Room::None
            }
        };
        if room != before {
            tracing::warn!(?room, "room on the disk of the recordings");
            let was = std::mem::replace(&mut before, room);
            shared
                .post
                .tell(move |engine, now| engine.disk_room(now, was, room))
                .await;
        }
    }
}

impl Engine {
    fn disk_room(&mut self, now: UtcMs, was: Room, room: Room) {
        if room == Room::Enough {
            self.clear_alarm(ALARM);
        } else {
            let words = (
                "queda poco disco para grabaciones".to_owned(),
                "the disk for recordings is almost full".to_owned(),
            );
            self.alarm(now, ALARM.to_owned(), ALARM, words);
        }
        self.disk_low = room != Room::Enough;
        if (was == Room::None) != (room == Room::None) {
            self.gate(now, Gate::Disk, room == Room::None);
        }
        self.tell_readiness();
        self.board.touch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_has_two_levels_and_does_not_flicker() {
        let limits = DiskLimits {
            warn_bytes: 1_000,
            stop_bytes: 100,
        };
        for (free, before, room) in [
            (1_000, Room::Enough, Room::Enough),
            (999, Room::Enough, Room::Low),
            (100, Room::Low, Room::Low),
            (99, Room::Low, Room::None),
            (0, Room::Enough, Room::None),
            (105, Room::None, Room::None),
            (111, Room::None, Room::Low),
            (1_050, Room::Low, Room::Low),
            (1_101, Room::Low, Room::Enough),
            (5_000, Room::None, Room::Enough),
        ] {
            assert_eq!(limits.room(free, before), room, "{free} after {before:?}");
        }
    }
}
