//! Offers and codes that a campaign names: they have to be there when it names them. What was named before and is gone
//! since stops no other change; such an offer is made no more.

use crate::ApiState;
use crate::problem::Problem;
use domain::entity::{Campaign, CampaignParams};
use std::collections::BTreeMap;

/// Names told in a refusal, at most.
const TOLD_MAX: usize = 20;

fn told<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.take(TOLD_MAX).collect();
    names.join(", ")
}

/// Every code of the set is in the tree, and an agent may set it.
pub(crate) async fn codes_known(state: &ApiState, params: &CampaignParams) -> Result<(), Problem> {
    if params.disposition_set.is_empty() {
        return Ok(());
    }
    let tree = state.store.list_dispositions().await?;
    let tree: BTreeMap<&str, bool> = tree
        .iter()
        .map(|d| (d.code.as_str(), d.agent_may_set))
        .collect();
    for code in &params.disposition_set {
        let reason = match tree.get(code.as_str()) {
            Some(true) => continue,
            Some(false) => format!("{code} is set by the system only"),
            None => format!("there is no code '{code}': expected codes of GET /dispositions"),
        };
        return Err(Problem::invalid("params.disposition_set", reason));
    }
    Ok(())
}

/// Every offer is one of the client's.
async fn offers_known(state: &ApiState, row: &Campaign) -> Result<(), Problem> {
    let keys = row.params.offer_policy.as_deref().unwrap_or_default();
    if keys.is_empty() {
        return Ok(());
    }
    let (terms, _) = state.center.terms_of(row.client_id).await?;
    let there = |key: &String| terms.offers.iter().any(|offer| offer.key == *key);
    match keys.iter().find(|key| !there(key)) {
        None => Ok(()),
        Some(key) => {
            let known = told(terms.offers.iter().map(|o| o.key.as_str()));
            let reason = format!("the client has no offer '{key}': expected of {known}");
            Err(Problem::invalid("params.offer_policy", reason))
        }
    }
}

/// What the campaign names and did not name before.
pub(super) async fn choices_known(
    state: &ApiState,
    before: Option<&CampaignParams>,
    row: &Campaign,
) -> Result<(), Problem> {
    let now = &row.params;
    if before.is_none_or(|was| was.offer_policy != now.offer_policy) {
        offers_known(state, row).await?;
    }
    if before.is_none_or(|was| was.disposition_set != now.disposition_set) {
        codes_known(state, now).await?;
    }
    Ok(())
}
