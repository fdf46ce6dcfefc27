//! The demo's stages: who is told of late cases, some cases that have stood too long or soon will have, and some
//! debts whose statute date is known.

use super::seed::Seeder;
use domain::entity::{Debt, DebtStage, PolicyVersion};
use domain::ids::{ClientId, PolicyId};
use domain::ports::store::{ListFilter, PageRequest};
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::offers::ClientTerms;
use domain::rules::stage::{StageFacts, first};
use domain::segment::day_of_date;
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};

/// Who is told.
const OWNER: &str = "supervisor";
/// Debts that are looked at: one page.
const DEBTS: u32 = 400;
/// Of them every so many stands too long.
const LATE_EVERY: usize = 25;
/// The first of their limits is over so long before the demo begins, each further one so long after it.
const BEFORE_MS: i64 = 30 * MINUTE_MS;
const APART_MS: i64 = 10 * MINUTE_MS;
/// Of the debts every so many has a statute date.
const DATED_EVERY: usize = 40;
/// Days until it, by turns: past, near and far.
const DATED_DAYS: [i64; 5] = [-12, 20, 75, 400, 1_000];

/// Terms that name the supervisor for each stage, and the cases.
pub(super) async fn seed(seeder: &Seeder<'_>, client: ClientId) -> anyhow::Result<()> {
    let (store, now) = (seeder.store, seeder.clock.now());
    let Some(owner) = store.user_by_name(OWNER).await? else {
        return Ok(());
    };
    let mut terms = ClientTerms::default();
    for stage in &mut terms.stages {
        stage.owner_id = Some(owner.id);
    }
    let row = PolicyVersion {
        id: PolicyId(seeder.fresh()),
        client_id: client,
        version: 1,
        terms: terms.clone(),
        note: "A quién se avisa de los casos atrasados".to_owned(),
        made_by: None,
        made_at: now,
    };
    store.add_policy(&row, &[]).await?;
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: DEBTS,
        cursor: None,
    };
    let debts = store.list_debts(&filter, &page).await?.items;
    let some = debts.iter().skip(3).step_by(LATE_EVERY).enumerate();
    let rows: Vec<DebtStage> = some
        .filter_map(|(n, debt)| {
            let turns = i64::try_from(n).unwrap_or(0);
            let limit = now.plus_ms(turns * APART_MS - BEFORE_MS);
            standing(debt, &terms, limit, now)
        })
        .collect();
    store.begin_stages(&rows).await?;
    let today = day_of(now.in_zone(&jiff::tz::TimeZone::UTC).date());
    let some = debts.iter().skip(5).step_by(DATED_EVERY);
    for (debt, days) in some.zip(DATED_DAYS.iter().cycle()) {
        let dated = Debt {
            statute_date: date_of_day(today + days).map(|date| date.to_string()),
            ..debt.clone()
        };
        store.put_debt(&dated, &[]).await?;
    }
    Ok(())
}

/// Where a debt stands whose time there is over at `limit`; `None` where its stage has no limit.
fn standing(debt: &Debt, terms: &ClientTerms, limit: UtcMs, now: UtcMs) -> Option<DebtStage> {
    let due: i64 = day_of_date(&debt.due_date)?;
    let today = day_of(now.in_zone(&jiff::tz::TimeZone::UTC).date());
    let facts = StageFacts {
        days_past_due: today - due,
        balance_minor: debt.balance_minor(),
        ..StageFacts::default()
    };
    let stage = first(terms, &facts);
    let rule = terms.stage(stage).filter(|r| r.max_days > 0)?;
    Some(DebtStage {
        debt_id: debt.id,
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        stage,
        entered_at: limit.plus_ms(-rule.max_days * DAY_MS),
        deadline: Some(limit),
        owner_id: rule.owner_id,
        late_at: None,
        statute_told: None,
        moved_by: "system".to_owned(),
        reason: "age".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_s_terms_have_limits_for_the_sample_s_ages() {
        let terms = ClientTerms::default();
        for days_past_due in [1, 20, 45, 75] {
            let facts = StageFacts {
                days_past_due,
                balance_minor: 100_000,
                ..StageFacts::default()
            };
            let rule = terms.stage(first(&terms, &facts));
            assert!(rule.is_some_and(|r| r.max_days > 0), "{days_past_due}");
        }
    }
}
