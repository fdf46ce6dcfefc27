//! What is old or missing in a debtor's file: each is a task for somebody.

use crate::entity::{Channel, ContactPoint};
use crate::ids::PointId;
use crate::time::{DAY_MS, UtcMs};

/// A point that nobody confirmed for so long is stale, days [H].
pub const POINT_STALE_DAYS: i64 = 180;

/// A task about a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileTask {
    /// `stale_point`: confirm it; `no_phone`: find one.
    pub kind: &'static str,
    /// Which point.
    pub point_id: Option<PointId>,
    /// Days since anybody confirmed it, or since we have it.
    pub days: Option<i64>,
}

/// When a point was last known to be his.
#[must_use]
pub fn confirmed_at(point: &ContactPoint) -> UtcMs {
    point
        .last_rpc_at
        .map_or(point.added_at, |at| at.max(point.added_at))
}

/// Instead of an instant: the file has no usable phone. It is before every instant at which a point could
/// have been confirmed.
pub const NO_PHONE: UtcMs = UtcMs(-1);

/// A point that was confirmed at this instant or before is stale.
#[must_use]
pub fn stale_until(now: UtcMs) -> UtcMs {
    now.plus_ms(-POINT_STALE_DAYS * DAY_MS)
}

/// When the usable point of a file that nobody confirmed for longest was confirmed; [`NO_PHONE`] without a
/// usable phone. The file has a task exactly if this is not behind [`stale_until`].
pub fn oldest_confirmed<'a>(points: impl Iterator<Item = &'a ContactPoint>) -> UtcMs {
    let (mut oldest, mut phone) = (UtcMs(i64::MAX), false);
    for point in points.filter(|p| !p.bad) {
        oldest = oldest.min(confirmed_at(point));
        phone |= point.channel == Channel::Call;
    }
    if phone { oldest } else { NO_PHONE }
}

/// The tasks of a file.
#[must_use]
pub fn tasks(points: &[ContactPoint], now: UtcMs) -> Vec<FileTask> {
    let usable = || points.iter().filter(|p| !p.bad);
    let mut found: Vec<FileTask> = usable()
        .filter_map(|p| {
            let days = now.since_ms(confirmed_at(p)) / DAY_MS;
            (days >= POINT_STALE_DAYS).then_some(FileTask {
                kind: "stale_point",
                point_id: Some(p.id),
                days: Some(days),
            })
        })
        .collect();
    if !usable().any(|p| p.channel == Channel::Call) {
        found.push(FileTask {
            kind: "no_phone",
            point_id: None,
            days: None,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{PartyRole, PointClass};
    use crate::ids::DebtorId;

    const NOW: UtcMs = UtcMs(1_000 * DAY_MS);

    fn point(n: u128, added: i64, rpc: Option<i64>, bad: bool) -> ContactPoint {
        ContactPoint {
            id: PointId(uuid::Uuid::from_u128(n)),
            debtor_id: DebtorId(uuid::Uuid::nil()),
            role: PartyRole::Titular,
            channel: Channel::Call,
            value: "+525512345678".into(),
            class: PointClass::Mobile,
            source: "import".into(),
            given_by_debtor: true,
            authorised: true,
            confidence: 80,
            position: 0,
            bad,
            last_rpc_at: rpc.map(|d| NOW.plus_ms(-d * DAY_MS)),
            added_at: NOW.plus_ms(-added * DAY_MS),
        }
    }

    #[test]
    fn one_instant_tells_whether_a_file_has_a_task_row_01() {
        let mail = ContactPoint {
            channel: Channel::Email,
            ..point(9, 500, None, false)
        };
        for points in [
            vec![],
            vec![mail.clone()],
            vec![point(1, 179, None, false)],
            vec![point(1, 180, None, false)],
            vec![point(1, 400, Some(179), false)],
            vec![point(1, 400, Some(200), false), point(2, 0, None, false)],
            vec![point(1, 400, None, true), point(2, 0, None, false)],
            vec![point(1, 0, None, true)],
            vec![mail, point(1, 0, None, false)],
        ] {
            let found = tasks(&points, NOW);
            let oldest = oldest_confirmed(points.iter());
            assert_eq!(!found.is_empty(), oldest <= stale_until(NOW), "{points:?}");
            let phone = found.iter().all(|t| t.kind != "no_phone");
            assert_eq!(phone, oldest != NO_PHONE, "{points:?}");
            let days = found.iter().filter_map(|t| t.days).max();
            if let (true, Some(days)) = (phone, days) {
                assert_eq!(days, NOW.since_ms(oldest) / DAY_MS);
            }
        }
    }

    #[test]
    fn old_points_and_missing_phones_are_tasks_row_01() {
        let now = NOW;
        let found = tasks(
            &[
                point(1, 400, None, false),
                point(2, 400, Some(10), false),
                point(3, 400, None, true),
                point(4, 179, None, false),
            ],
            now,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].point_id, Some(PointId(uuid::Uuid::from_u128(1))));
        assert_eq!(found[0].days, Some(400));
        assert_eq!(tasks(&[point(3, 1, None, true)], now)[0].kind, "no_phone");
    }
}
