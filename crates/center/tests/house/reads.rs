//! What a test reads of its house.

use crate::world::{House, page};
use domain::entity::Attempt;
use domain::ids::DebtorId;
use domain::ports::store::{AttemptFilter, AttemptStore as _, CatalogStore as _, ListFilter};

impl House {
    pub(crate) async fn attempts(&self) -> Vec<Attempt> {
        let all = self
            .store
            .list_attempts(&AttemptFilter::default(), &page())
            .await;
        all.expect("the store answers").items
    }

    pub(crate) async fn kinds(&self) -> Vec<String> {
        let all = self
            .store
            .events_after(0, 10_000)
            .await
            .expect("the store answers");
        all.into_iter().map(|e| e.event.kind).collect()
    }

    pub(crate) async fn holds(&self, debtor: DebtorId) -> Vec<domain::entity::Hold> {
        let ours = ListFilter {
            debtor_id: Some(debtor),
            ..ListFilter::default()
        };
        self.store
            .list_holds(&ours, &page())
            .await
            .expect("the store answers")
            .items
    }
}
