//! Passwords of agents' phones, held in memory because the signalling thread may not wait.

use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::ports::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use voice::PhoneSecrets;

/// How often the book is read again: an agent added on a screen can register after that.
const REFRESH: Duration = Duration::from_secs(3);

/// SIP user → password of every agent.
#[derive(Clone)]
pub(super) struct PhoneBook {
    store: Arc<dyn Store>,
    known: Arc<RwLock<HashMap<String, String>>>,
}

impl PhoneBook {
    /// Reads all agents.
    pub(super) async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let book = Self {
            store,
            known: Arc::default(),
        };
        book.refresh().await?;
        Ok(book)
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let mut fresh = HashMap::new();
        let mut page = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor: None,
        };
        loop {
            let rows = self
                .store
                .list_agents(&ListFilter::default(), &page)
                .await?;
            fresh.extend(rows.items.into_iter().map(|a| (a.sip_user, a.sip_password)));
            match rows.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Reads it again every few seconds until the task is ended.
    pub(super) fn keep_fresh(self) -> JoinHandle<()> {
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REFRESH).await;
                if let Err(error) = self.refresh().await {
                    tracing::warn!(%error, "agents' phones could not be read again");
                }
            }
        })
    }
}

impl PhoneSecrets for PhoneBook {
    fn password(&self, sip_user: &str) -> Option<String> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sip_user)
            .cloned()
    }
}
