//! Every debt is looked at once a local day: where its bucket or its amounts changed, a mark is written
//! and `debt.aged` told. Figures over a period are counted from those marks. Debts of a file that is half in are
//! passed over: the day begins again once it is in.

use crate::shared::Shared;
use domain::entity::{DebtMark, ImportState, Portfolio};
use domain::event::NewEvent;
use domain::ports::store::{
    ListFilter, MARK_STEP, MarkAsk, PAGE_LIMIT_MAX, PageRequest, StoreError,
};
use domain::rules::ageing::day_of;
use domain::rules::kpi::mark_data;
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

async fn one(shared: &Arc<Shared>, portfolio: &Portfolio) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let now = shared.now();
    let today = now
        .in_zone(&crate::feeder::zone_or_utc(&portfolio.zone))
        .date();
    let (key, date) = (format!("aged:{}", portfolio.id), today.to_string());
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
    loop {
        let found = shared
            .out
            .store
            .list_portfolios(&ListFilter::default(), &page)
            .await?;
        for portfolio in &found.items {
            one(shared, portfolio).await?;
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            return Ok(());
        }
    }
}
