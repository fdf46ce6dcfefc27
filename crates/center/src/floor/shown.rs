//! The number that a call shows: of the campaign's pool, one that the debtor's law lets be shown (law.md §6), of his
//! country first, one that does not rest; among those as the campaign chooses (`caller_id_pick`), always the same one
//! for one debtor as long as those are the same.

use crate::live::Setting;
use crate::shared::Shared;
use domain::entity::{CallerId, CallerPick, CallerSeen, Campaign, Channel};
use domain::ids::{CallerIdId, DebtorId, PointId};
use domain::phone::Phone;
use domain::ports::store::{ContactFacts, ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError};
use domain::time::UtcMs;

/// Why a number is shown, those that are taken first leading. Of a country whose numbers all rest, one of them is
/// shown all the same.
const ORDER: [&str; 4] = ["home", "home_resting", "abroad", "abroad_resting"];

/// Most caller ids of one client that are read.
const CALLER_IDS_MAX: usize = 50_000;

/// The caller ids that a campaign's calls may show, page by page.
pub(crate) async fn callers_of(
    shared: &Shared,
    campaign: &Campaign,
) -> Result<Vec<CallerId>, StoreError> {
    let ours = ListFilter {
        client_id: Some(campaign.client_id),
        ..ListFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let mut all = Vec::new();
    loop {
        let found = shared.out.store.list_caller_ids(&ours, &page).await?;
        all.extend(found.items);
        match found.next_cursor {
            Some(next) if all.len() < CALLER_IDS_MAX => page.cursor = Some(next),
            _ => break,
        }
    }
    let pool = &campaign.params.caller_id_pool;
    all.retain(|c: &CallerId| c.enabled && (pool.is_empty() || pool.contains(&c.id)));
    Ok(all)
}

/// A number of ours as the law looks at it.
fn seen(
    shared: &Shared,
    row: &CallerId,
    (country, pick): (&str, CallerPick),
    now: UtcMs,
) -> CallerSeen {
    let why = match (row.country == country, shared.floor.rests(row.id, now)) {
        (true, false) => "home",
        (true, true) => "home_resting",
        (false, false) => "abroad",
        (false, true) => "abroad_resting",
    };
    CallerSeen {
        id: Some(row.id),
        number: row.number.clone(),
        country: row.country.clone(),
        registered: row.registered,
        signed: row.signed,
        callback_at: row.callback_at.max(shared.floor.reached(row.id)),
        month_calls: shared.floor.month_calls(),
        why: why.to_owned(),
        pick,
    }
}

/// The client's call-back number, where no number of ours may be shown.
fn of_client(shared: &Shared, setting: &Setting) -> CallerSeen {
    let number = setting.client.callback_number.clone();
    let country = Phone::from_e164(&number).ok().and_then(|p| p.country());
    CallerSeen {
        country: country.unwrap_or_default(),
        number,
        month_calls: shared.floor.month_calls(),
        why: "client".to_owned(),
        ..CallerSeen::default()
    }
}

/// Numbers of his that a call of the campaign may be to: the point's, where it is known.
fn called(facts: &ContactFacts, point: Option<PointId>) -> Vec<&str> {
    let phone = facts
        .points
        .iter()
        .filter(|p| p.channel == Channel::Call && point.is_none_or(|id| p.id == id));
    phone.map(|p| p.value.reveal().as_str()).collect()
}

/// The number for a call to the debtor, to that point where it is known. Where none is as the law wants it, the best of the others: the law refuses the
/// call by it, and says what it lacks.
pub(crate) fn choose(
    shared: &Shared,
    setting: &Setting,
    facts: &ContactFacts,
    point: Option<PointId>,
    now: UtcMs,
) -> CallerSeen {
    let params = &setting.campaign.params;
    let by = (facts.debtor.country.as_str(), params.caller_id_pick);
    let mut rows: Vec<&CallerId> = setting.callers.iter().collect();
    if params.caller_id_pick == CallerPick::PoolOrder {
        let place = |row: &&CallerId| params.caller_id_pool.iter().position(|id| *id == row.id);
        rows.sort_by_key(place);
    }
    let of = |row: &CallerId| seen(shared, row, by, now);
    let all: Vec<CallerSeen> = rows.into_iter().map(of).collect();
    let fit = match all.len() {
        0 | 1 => vec![true; all.len()],
        _ => shared.out.law.callers_fit(facts, &all, now),
    };
    let how = (params.caller_id_pick, called(facts, point));
    pick(&all, &fit, (how.0, &how.1), facts.debtor.id)
        .cloned()
        .unwrap_or_else(|| of_client(shared, setting))
}

/// The number that was chosen for a call, as it stands now.
pub(crate) fn again(
    shared: &Shared,
    setting: &Setting,
    facts: &ContactFacts,
    id: Option<CallerIdId>,
    now: UtcMs,
) -> CallerSeen {
    let row = setting.callers.iter().find(|c| Some(c.id) == id);
    row.map_or_else(
        || of_client(shared, setting),
        |row| {
            let pick = setting.campaign.params.caller_id_pick;
            seen(shared, row, (&facts.debtor.country, pick), now)
        },
    )
}

/// Digits at which the number begins like one of those that are called, at most.
fn alike(number: &str, called: &[&str]) -> usize {
    let same = |other: &&str| {
        let pairs = number.bytes().zip(other.bytes());
        pairs.take_while(|(a, b)| a == b).count()
    };
    called.iter().map(same).max().unwrap_or(0)
}

/// Of equals those that the campaign chooses among; they come as its pool is ordered.
fn chosen<'a>(
    list: Vec<&'a CallerSeen>,
    (pick, called): (CallerPick, &[&str]),
) -> Vec<&'a CallerSeen> {
    match pick {
        CallerPick::Health => list,
        CallerPick::PoolOrder => list.into_iter().take(1).collect(),
        CallerPick::Local => {
            let near = |c: &&CallerSeen| alike(&c.number, called);
            let best = list.iter().map(near).max().unwrap_or(0);
            list.into_iter().filter(|c| near(c) == best).collect()
        }
    }
}

fn pick<'a>(
    all: &'a [CallerSeen],
    fit: &[bool],
    how: (CallerPick, &[&str]),
    debtor: DebtorId,
) -> Option<&'a CallerSeen> {
    let lot = usize::try_from(debtor.0.as_u128() % 1_000_003).unwrap_or(0);
    for wanted in [true, false] {
        for why in ORDER {
            let list: Vec<&CallerSeen> = all
                .iter()
                .zip(fit)
                .filter(|(caller, fits)| **fits == wanted && caller.why == why)
                .map(|(caller, _)| caller)
                .collect();
            let list = chosen(list, how);
            if let Some(found) = lot.checked_rem(list.len()).and_then(|n| list.get(n)) {
                return Some(found);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn caller(n: u128, why: &str) -> CallerSeen {
        CallerSeen {
            id: Some(CallerIdId(Uuid::from_u128(n))),
            number: format!("+5255000000{n:02}"),
            why: why.to_owned(),
            ..CallerSeen::default()
        }
    }

    fn by(
        how: (CallerPick, &[&str]),
        all: &[CallerSeen],
        fit: &[bool],
        debtor: u128,
    ) -> Option<u128> {
        let found = pick(all, fit, how, DebtorId(Uuid::from_u128(debtor)))?;
        found.id.map(|id| id.0.as_u128())
    }

    fn picked(all: &[CallerSeen], fit: &[bool], debtor: u128) -> Option<u128> {
        by((CallerPick::Health, &[]), all, fit, debtor)
    }

    #[test]
    fn what_the_law_lets_be_shown_goes_before_what_is_near() {
        let all = [
            caller(1, "home"),
            caller(2, "home_resting"),
            caller(3, "abroad"),
        ];
        assert_eq!(picked(&all, &[true, true, true], 7), Some(1));
        assert_eq!(picked(&all, &[false, true, true], 7), Some(2));
        assert_eq!(picked(&all, &[false, false, true], 7), Some(3));
        // None fits: the one nearest to it is shown to the law, which refuses.
        assert_eq!(picked(&all, &[false, false, false], 7), Some(1));
        assert_eq!(picked(&[], &[], 7), None);
    }

    #[test]
    fn the_number_most_like_the_called_one_is_shown_where_it_is_asked_for() {
        let named = |n, number: &str, why| CallerSeen {
            number: number.to_owned(),
            ..caller(n, why)
        };
        let all = [
            named(1, "+525511112222", "home"),
            named(2, "+528111112222", "home"),
            named(3, "+528111113333", "home"),
            named(4, "+528155556666", "home_resting"),
        ];
        let local = |called: &[&str], fit: &[bool], debtor| {
            by((CallerPick::Local, called), &all, fit, debtor)
        };
        let fit = [true; 4];
        // Monterrey, then the capital; two alike are spread over debtors.
        let north = ["+528155557777"];
        assert_eq!(
            (local(&north, &fit, 2), local(&north, &fit, 3)),
            (Some(2), Some(3))
        );
        assert_eq!(local(&["+525599998888"], &fit, 3), Some(1));
        // Neither the law nor rest gives way to it.
        assert_eq!(local(&north, &[true, false, false, true], 3), Some(1));
        assert_eq!(local(&north, &[false, false, false, true], 3), Some(4));
        // With two numbers of his any of them counts; without one nothing changes.
        assert_eq!(local(&["+13125550000", north[0]], &fit, 2), Some(2));
        assert_eq!(local(&[], &fit, 2), picked(&all, &fit, 2));
    }

    #[test]
    fn the_first_of_the_pool_that_may_be_shown_is_where_its_order_counts() {
        let all = [
            caller(9, "abroad"),
            caller(7, "home_resting"),
            caller(5, "home"),
            caller(3, "home"),
        ];
        let first = |fit: &[bool], debtor| by((CallerPick::PoolOrder, &["+52"]), &all, fit, debtor);
        for debtor in 0..4 {
            assert_eq!(first(&[true; 4], debtor), Some(5), "{debtor}");
            assert_eq!(first(&[true, true, false, true], debtor), Some(3));
            assert_eq!(first(&[true, true, false, false], debtor), Some(7));
        }
    }

    #[test]
    fn equals_are_spread_over_debtors_and_stay() {
        let all = [caller(1, "home"), caller(2, "home")];
        let of = |debtor| picked(&all, &[true, true], debtor);
        assert_eq!((of(2), of(3), of(2)), (Some(1), Some(2), Some(1)));
    }
}
