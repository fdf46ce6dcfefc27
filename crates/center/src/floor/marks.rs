//! Every debt is looked at once a local day: where its bucket or its amounts changed, a mark is written
//! and `debt.aged` told. Figures over a period are counted from those marks. Debts of a file that is half in are
//! passed over: the day begins again once it is in. So it does when the client's ageing set becomes another one. Once
//! all are marked it is measured what came in over the last days, by the age of the debts: what segments may be expected
//! to bring follows from it.

use crate::shared::Shared;
use domain::entity::{DebtMark, ImportState, Portfolio};
use domain::event::NewEvent;
use domain::ids::ClientId;
use domain::ports::store::{
    ListFilter, MARK_STEP, MarkAsk, PAGE_LIMIT_MAX, PageRequest, RecoveryAsk, StoreError,
};
use domain::rules::ageing::{AgeingSet, date_of_day, day_of};
use domain::rules::kpi::mark_data;
use domain::rules::recovery::RECOVERY_DAYS;
use domain::time::UtcMs;
use jiff::Zoned;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

fn told(shared: &Arc<Shared>) -> impl Fn(&DebtMark) -> NewEvent + Send + Sync {
    let shared = Arc::clone(shared);
    move |mark| {
        let subject = format!("debt:{}", mark.debt_id);
        let client = Some(mark.client_id);
        shared.event(
            client,
            shared.actor(),
            "debt.aged",
            subject,
            mark_data(mark),
        )
    }
}

/// Behind the day in a portfolio's setting: all are marked whom no half file made.
const HALF: &str = " half";

/// Whether one of the newest 500 files of a portfolio is half in, as whoever accepts one looks.
async fn half_in(shared: &Shared, portfolio: &Portfolio) -> Result<bool, StoreError> {
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let (store, client) = (&shared.out.store, Some(portfolio.client_id));
    let files = store
        .imports_page(client, Some(portfolio.id), &page)
        .await?;
    let half = |state| matches!(state, ImportState::Accepting | ImportState::Undoing);
    Ok(files.items.iter().any(|file| half(file.state)))
}

/// What is measured on the local day `today`.
fn recovery(portfolio: &Portfolio, today: &Zoned, ageing: &AgeingSet) -> RecoveryAsk {
    let day = day_of(today.date()) - RECOVERY_DAYS;
    let midnight = |date: Option<Date>| -> UtcMs {
        let start = date.and_then(|d| d.to_zoned(today.time_zone().clone()).ok());
        start.map_or_else(|| today.timestamp().into(), |z| z.timestamp().into())
    };
    RecoveryAsk {
        portfolio: portfolio.id,
        day,
        from: midnight(date_of_day(day)),
        to: midnight(Some(today.date())),
        ageing: ageing.clone(),
    }
}

async fn one(
    shared: &Arc<Shared>,
    portfolio: &Portfolio,
    ageing: &AgeingSet,
) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let now = shared.now();
    let local = now.in_zone(&crate::feeder::zone_or_utc(&portfolio.zone));
    let today = local.date();
    let key = format!("aged:{}", portfolio.id);
    // Another set of buckets begins the day again; marks that were written today stay until tomorrow.
    let date = format!("{today} {}", ageing.ends());
    let date = date.trim_end().to_owned();
    let waits = format!("{date}{HALF}");
    let setting = store.get_setting(&key).await?;
    if setting.as_deref() == Some(date.as_str()) {
        return Ok(());
    }
    // Before the debts: what is in by the end of them may have been passed over at their beginning.
    let half = half_in(shared, portfolio).await?;
    if half && setting.as_deref() == Some(waits.as_str()) {
        return Ok(());
    }
    let mut ask = MarkAsk {
        portfolio: portfolio.id,
        day: day_of(today),
        at: now,
        limit: MARK_STEP,
        after: None,
        ageing: ageing.clone(),
    };
    let told = told(shared);
    let mut marked = 0;
    loop {
        let done = store.mark_debts(&ask, &told).await?;
        marked += u64::from(done.debts);
        ask.after = done.next;
        if ask.after.is_none() {
            break;
        }
    }
    store
        .measure_recovery(&recovery(portfolio, &local, ageing))
        .await?;
    let half = half || half_in(shared, portfolio).await?;
    let done = if half { &waits } else { &date };
    store.put_setting(&key, done).await?;
    tracing::debug!(portfolio = %portfolio.id, marked, half, "debts marked for the day");
    Ok(())
}

/// Marks the debts of every portfolio whose local day has come.
pub(crate) async fn round(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let mut sets: BTreeMap<ClientId, AgeingSet> = BTreeMap::new();
    loop {
        let found = shared
            .out
            .store
            .list_portfolios(&ListFilter::default(), &page)
            .await?;
        for portfolio in &found.items {
            let client = portfolio.client_id;
            let ageing = match sets.entry(client) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let (terms, _) = crate::plans::terms_of(shared, client).await?;
                    place.insert(terms.ageing)
                }
            };
            one(shared, portfolio, ageing).await?;
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::CreditorKind;
    use domain::ids::PortfolioId;
    use uuid::Uuid;

    #[test]
    fn recovery_is_measured_between_two_local_midnights() {
        let portfolio = Portfolio {
            id: PortfolioId(Uuid::nil()),
            client_id: ClientId(Uuid::nil()),
            name: "Tarjetas".into(),
            currency: "CLP".parse().expect("a currency"),
            creditor_kind: CreditorKind::Financial,
            zone: "America/Santiago".into(),
            created_at: UtcMs(0),
        };
        let zone = crate::feeder::zone_or_utc(&portfolio.zone);
        let at = |text: &str| -> UtcMs { text.parse().expect("an instant") };
        // Clocks went forward on 6 September: the same hour of the day is another of UTC's.
        let local = at("2026-09-21T12:00:00Z").in_zone(&zone);
        let ask = recovery(&portfolio, &local, &AgeingSet::default());
        assert_eq!(ask.day, day_of("2026-08-22".parse().expect("a date")));
        assert_eq!(ask.from, at("2026-08-22T04:00:00Z"));
        assert_eq!(ask.to, at("2026-09-21T03:00:00Z"));
    }
}
