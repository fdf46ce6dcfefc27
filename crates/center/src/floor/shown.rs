//! The number that a call shows: of the campaign's pool, one that the debtor's law lets be shown (law.md §6), of his
//! country first, one that does not rest; always the same one for one debtor as long as those are the same.

use crate::live::Setting;
use crate::shared::Shared;
use domain::entity::{CallerId, CallerSeen, Campaign};
use domain::ids::{CallerIdId, DebtorId};
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
fn seen(shared: &Shared, row: &CallerId, country: &str, now: UtcMs) -> CallerSeen {
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

/// The number for a call to the debtor. Where none is as the law wants it, the best of the others: the law refuses the
/// call by it, and says what it lacks.
pub(crate) fn choose(
    shared: &Shared,
    setting: &Setting,
    facts: &ContactFacts,
    now: UtcMs,
) -> CallerSeen {
    let country = &facts.debtor.country;
    let of = |row: &CallerId| seen(shared, row, country, now);
    let all: Vec<CallerSeen> = setting.callers.iter().map(of).collect();
    let fit = match all.len() {
        0 | 1 => vec![true; all.len()],
        _ => shared.out.law.callers_fit(facts, &all, now),
    };
    pick(&all, &fit, facts.debtor.id)
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
        |row| seen(shared, row, &facts.debtor.country, now),
    )
}

fn pick<'a>(all: &'a [CallerSeen], fit: &[bool], debtor: DebtorId) -> Option<&'a CallerSeen> {
    let lot = usize::try_from(debtor.0.as_u128() % 1_000_003).unwrap_or(0);
    for wanted in [true, false] {
        for why in ORDER {
            let list: Vec<&CallerSeen> = all
                .iter()
                .zip(fit)
                .filter(|(caller, fits)| **fits == wanted && caller.why == why)
                .map(|(caller, _)| caller)
                .collect();
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

    fn picked(all: &[CallerSeen], fit: &[bool], debtor: u128) -> Option<u128> {
        let found = pick(all, fit, DebtorId(Uuid::from_u128(debtor)))?;
        found.id.map(|id| id.0.as_u128())
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
    fn equals_are_spread_over_debtors_and_stay() {
        let all = [caller(1, "home"), caller(2, "home")];
        let of = |debtor| picked(&all, &[true, true], debtor);
        assert_eq!((of(2), of(3), of(2)), (Some(1), Some(2), Some(1)));
    }
}
