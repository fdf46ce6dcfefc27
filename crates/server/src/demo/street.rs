//! Everybody outside the house who lives while a demo runs: debtors who pay, read, answer and click, and the
//! provider and the bank where they pay.

use super::{cashier, clickers, messages, money, teller};
use crate::config::Config;
use center::CenterHandle;
use domain::ports::{Clock, Store};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// They at work.
pub(super) struct Street {
    payers: money::Payers,
    writers: messages::Writers,
    clickers: clickers::Clickers,
    cashier: cashier::Cashier,
    teller: teller::Teller,
}

impl Street {
    /// They begin; `node` is where the node's pages are.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn start(
        cashier: cashier::Cashier,
        config: &Config,
        (center, store, clock): (CenterHandle, Arc<dyn Store>, Arc<dyn Clock>),
        node: SocketAddr,
    ) -> anyhow::Result<Self> {
        cashier.tells(node);
        let folder = PathBuf::from(&config.messages.folder);
        let clickers = clickers::Clickers::start(folder.clone(), Arc::clone(&store), node)?;
        let bank = teller::Counter::default();
        let facts = (Arc::clone(&store), Arc::clone(&clock));
        let teller = teller::Teller::start(bank.clone(), facts, node)?;
        Ok(Self {
            payers: money::Payers::start(center, store, clock, bank),
            writers: messages::Writers::start(folder),
            clickers,
            cashier,
            teller,
        })
    }

    /// Everybody goes home.
    pub(super) fn stop(self) {
        self.payers.stop();
        self.writers.stop();
        self.clickers.stop();
        self.cashier.stop();
        self.teller.stop();
    }
}
