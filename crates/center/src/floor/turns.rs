//! Whose turn a reserved debtor is: his campaign's, his agent's, or not yet.

use super::Around;
use super::callbacks::{self, Turn};
use crate::feeder::own_agent;
use crate::live::Setting;
use crate::shared::Shared;
use domain::ids::AgentId;
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, Candidate, ItemState};
use domain::time::{HOUR_MS, UtcMs};

/// Before a debtor who is assigned to another campaign is looked at again, ms.
const ASSIGNED_AGAIN_MS: i64 = HOUR_MS;

/// The item of a debtor whom another campaign alone may dial. What was agreed with him stays agreed: it is
/// made here once he is nobody else's.
fn elsewhere(mut item: ItemState, now: UtcMs) -> ItemState {
    let agreed_at = CallbackRow::agreed_at(&item);
    let agreed = item.priority >= CALLBACK_PRIORITY && item.note.starts_with("callback");
    item.next_at = now.plus_ms(ASSIGNED_AGAIN_MS);
    item.note = match (agreed, own_agent(&item.note)) {
        (true, Some(agent)) => CallbackRow::waiting_note(agent, agreed_at),
        (true, None) => CallbackRow::note_of(None),
        (false, _) => "assigned_elsewhere".to_owned(),
    };
    item
}

/// Whose a debtor is first.
pub(crate) struct First {
    pub(crate) agent: Option<AgentId>,
    /// And nobody else's.
    pub(crate) only: bool,
}

impl First {
    const fn of(agent: Option<AgentId>) -> Self {
        Self { agent, only: false }
    }
}

/// Whose the debtor is first, if anyone's; `Err` with his item when it is not his turn here.
pub(crate) async fn turn(
    shared: &Shared,
    setting: &Setting,
    candidate: &mut Candidate,
    around: &Around,
    now: UtcMs,
) -> Result<First, Box<ItemState>> {
    let item = &mut candidate.item;
    if around.elsewhere(item.debtor_id, setting.id()).is_some() {
        return Err(Box::new(elsewhere(item.clone(), now)));
    }
    match callbacks::turn(setting, item, around, now) {
        Turn::Of(agent) => Ok(First {
            agent: Some(agent),
            only: true,
        }),
        Turn::Anyone => Ok(First::of(around.first(item.debtor_id))),
        Turn::There(agent) => Err(Box::new(callbacks::there(item.clone(), agent, now))),
        Turn::Waits(agent) => Err(Box::new(callbacks::waiting(item.clone(), agent, now))),
        Turn::Moved(from) => {
            item.next_at = CallbackRow::agreed_at(item);
            item.note = CallbackRow::note_of(None);
            callbacks::moved(shared, setting, item, from).await;
            Ok(First::of(around.first(item.debtor_id)))
        }
    }
}
