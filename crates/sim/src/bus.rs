//! An event bus with loss and repeats: consumers must live with both.

use async_trait::async_trait;
use domain::event::Event;
use domain::ports::{Bus, BusError};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::sync::Mutex;
use tokio::sync::broadcast;

/// Events kept for a slow subscriber before it is told that it lags.
const QUEUE: usize = 1_024;

/// What goes wrong on the bus, in percent of events.
#[derive(Debug, Clone, Copy, Default)]
pub struct BusFaults {
    /// Lost.
    pub lost_pct: u32,
    /// Delivered twice.
    pub repeated_pct: u32,
}

/// A bus inside one process.
#[derive(Debug)]
pub struct SimBus {
    sender: broadcast::Sender<Event>,
    faults: BusFaults,
    rng: Mutex<ChaCha8Rng>,
}

impl SimBus {
    /// A bus with its faults drawn from a seed.
    #[must_use]
    pub fn new(seed: u64, faults: BusFaults) -> Self {
        let (sender, _) = broadcast::channel(QUEUE);
        Self {
            sender,
            faults,
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(seed ^ 0xB05)),
        }
    }

    fn copies(&self) -> u32 {
        let Ok(mut rng) = self.rng.lock() else {
            return 1;
        };
        let roll = rng.random_range(0..100);
        if roll < self.faults.lost_pct {
            0
        } else if roll < self.faults.lost_pct + self.faults.repeated_pct {
            2
        } else {
            1
        }
    }
}

#[async_trait]
impl Bus for SimBus {
    async fn publish(&self, batch: &[Event]) -> Result<(), BusError> {
        for event in batch {
            for _ in 0..self.copies() {
                // No subscriber is no fault: the store holds the event.
                let _ = self.sender.send(event.clone());
            }
        }
        Ok(())
    }

    fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    async fn healthy(&self) -> Result<(), BusError> {
        Ok(())
    }
}
