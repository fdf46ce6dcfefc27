//! Plans and settlements: drawn in the call within the client's terms, answered live by who has the
//! authority, followed by money and time; and the stages of debts beside them.

mod answer;
mod ask_row;
mod draw;
pub(crate) mod letters;
mod live;
pub(crate) mod offers;
pub(crate) mod stages;

pub use ask_row::AskRow;
pub use draw::{PlanDraw, PlanTermsAsk};
pub use stages::{StageAsk, StageView};

pub(crate) use answer::{answer, cancel, sign};
pub(crate) use draw::{days_past_due, draw};
pub(crate) use live::{follow, load, sweep, terms_changed, wire};

use crate::error::CenterError;
use crate::shared::Shared;
use domain::ids::ClientId;
use domain::ports::store::StoreError;
use domain::rules::offers::ClientTerms;

/// A client's terms with their version; the house's own are version 0.
pub(crate) async fn terms_of(
    shared: &Shared,
    client: ClientId,
) -> Result<(ClientTerms, i32), StoreError> {
    let found = shared.out.store.policy_of(client).await?;
    Ok(found.map_or_else(|| (ClientTerms::default(), 0), |p| (p.terms, p.version)))
}

/// The plan was moved by somebody else meanwhile.
fn moved() -> CenterError {
    CenterError::conflict("plan_moved", "the plan does not stand there any more")
}
