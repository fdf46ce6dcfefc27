//! The earlier calls to points, as the model of answers reads them.

use super::Slot;
use crate::shared::Shared;
use domain::answer::{PointSource, Traits, Tried, TryResult};
use domain::entity::ContactPoint;
use domain::ids::{AttemptId, DebtorId, PointId};
use domain::ports::store::PastCall;
use domain::time::{DAY_MS, UtcMs};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// How far back a point's own calls are read, ms: two of their half-lives.
const BACK_MS: i64 = 90 * DAY_MS;
/// Most calls of one point that are read, the newest: a month of one a day.
pub(super) const CALLS_MAX: u32 = 32;

/// Earlier calls by point, oldest first.
#[derive(Default)]
pub(crate) struct Histories(BTreeMap<PointId, Vec<PastCall>>);

fn tried(call: &PastCall, zone: &TimeZone) -> Option<Tried> {
    let result = TryResult::of(call.result, call.identified, call.disposition.as_deref())?;
    Some(Tried {
        at: call.at,
        slot: Slot::at(call.at, zone),
        result,
    })
}

impl Histories {
    pub(super) fn of(calls: Vec<PastCall>) -> Self {
        let mut points: BTreeMap<PointId, Vec<PastCall>> = BTreeMap::new();
        for call in calls {
            points.entry(call.point_id).or_default().push(call);
        }
        Self(points)
    }

    /// Of debtors' points, in one read. Where the store does not answer nothing is known of any of them: the
    /// levels choose alone.
    pub(crate) async fn read(shared: &Shared, debtors: &[DebtorId], now: UtcMs) -> Self {
        if debtors.is_empty() {
            return Self::default();
        }
        let store = &shared.out.store;
        let since = now.plus_ms(-BACK_MS);
        match store.past_calls(debtors, since, CALLS_MAX).await {
            Ok(calls) => Self::of(calls),
            Err(error) => {
                tracing::debug!(reason = %error, "earlier calls not read: the levels choose alone");
                Self::default()
            }
        }
    }

    /// The tries of a point in the zone of who is called.
    pub(super) fn tries(&self, point: PointId, zone: &TimeZone) -> Vec<Tried> {
        let calls = self.0.get(&point).into_iter().flatten();
        calls.filter_map(|call| tried(call, zone)).collect()
    }

    /// The call itself, and the newest try of its point before it.
    pub(super) fn around(
        &self,
        (point, id): (PointId, AttemptId),
        zone: &TimeZone,
    ) -> Option<(&PastCall, Option<Tried>)> {
        let calls = self.0.get(&point)?;
        let place = calls.iter().position(|call| call.id == id)?;
        let (before, rest) = calls.split_at(place);
        let last = before.iter().rev().find_map(|call| tried(call, zone));
        Some((rest.first()?, last))
    }
}

/// What is known of a point beside its calls.
pub(super) fn traits(point: &ContactPoint) -> Traits {
    Traits {
        confidence: point.confidence,
        given_by_debtor: point.given_by_debtor,
        added_at: point.added_at,
        source: PointSource::of(&point.source),
    }
}

/// The same, as a call tells it.
pub(super) fn traits_of(call: &PastCall) -> Traits {
    Traits {
        confidence: call.confidence,
        given_by_debtor: call.given_by_debtor,
        added_at: call.added_at,
        source: PointSource::of(&call.source),
    }
}
