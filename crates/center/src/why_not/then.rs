//! A debtor and a campaign as they were at another instant.

use crate::shared::Shared;
use domain::entity::{Campaign, VersionState};
use domain::ids::DebtorId;
use domain::law::points_then;
use domain::ports::Store;
use domain::ports::store::{ContactFacts, ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::time::UtcMs;
use std::sync::Arc;

/// Most decisions of a debtor that are asked how his points stood then.
const DECISIONS_MAX: u32 = 1_000;

/// What was known of him.
pub(super) async fn facts(
    store: &Arc<dyn Store>,
    debtor: DebtorId,
    at: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let mut facts = store.facts_at(debtor, at).await?;
    let decisions = store.verdicts_of(debtor, DECISIONS_MAX).await?;
    points_then(&mut facts, &decisions, at);
    Ok(facts)
}

/// The campaign with the settings that were in force: those of today for an instant to come; none where it was not
/// there yet, or where what it had before its first stored version is not known.
pub(super) async fn settings(
    shared: &Shared,
    row: Campaign,
    at: UtcMs,
) -> Result<Option<Campaign>, StoreError> {
    if at >= shared.now() {
        return Ok(Some(row));
    }
    let filter = ListFilter {
        client_id: Some(row.client_id),
        campaign_id: Some(row.id),
        ..ListFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let (mut any, mut best) = (false, None);
    loop {
        let found = shared
            .out
            .store
            .list_campaign_versions(&filter, &page)
            .await?;
        for version in found.items {
            let Some(since) = version.published_at else {
                continue;
            };
            if version.state != VersionState::Published {
                continue;
            }
            any = true;
            let place = (since, version.version);
            let newer = best.as_ref().is_none_or(|(held, _)| *held < place);
            if since <= at && newer {
                best = Some((place, version.params));
            }
        }
        match found.next_cursor {
            Some(next) => page.cursor = Some(next),
            None => break,
        }
    }
    Ok(match best {
        Some((_, params)) => Some(Campaign { params, ..row }),
        // Nothing of it was ever changed.
        None => Some(row).filter(|row| !any && row.created_at <= at),
    })
}
