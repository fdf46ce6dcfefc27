//! Lists by page: what a caller asks for and what he gets.

use crate::problem::Problem;
use domain::ids::{AttemptId, CampaignId, ClientId, DebtId, DebtorId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Rows of a page when the caller does not say.
pub(crate) const PAGE_LIMIT: u32 = 50;
/// Longest cursor that is looked at, bytes.
const CURSOR_MAX: usize = 128;

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    /// Goes as `?cursor=`; null at the end. A page may be shorter than its limit.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Items<T> {
    /// A list that is whole.
    pub(crate) const fn all(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

impl<T> From<Page<T>> for Items<T> {
    fn from(page: Page<T>) -> Self {
        Self {
            items: page.items,
            next_cursor: page.next_cursor,
        }
    }
}

/// Query of a list. A filter that the resource does not have is ignored.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Rows wanted, 1–500; 50 when absent.
    pub(crate) limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Only this client's rows.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(crate) client: Option<ClientId>,
    /// Only this portfolio's rows.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(crate) portfolio: Option<PortfolioId>,
    /// Only this debtor's rows.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(crate) debtor: Option<DebtorId>,
    /// Only this debt's rows.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(crate) debt: Option<DebtId>,
    /// Only this campaign's rows.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(crate) campaign: Option<CampaignId>,
    /// Only this attempt's rows.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(crate) attempt: Option<AttemptId>,
}

impl ListQuery {
    /// What the store is asked, for the client that the caller may list.
    pub(crate) fn split(
        self,
        client_id: Option<ClientId>,
    ) -> Result<(ListFilter, PageRequest), Problem> {
        let page = page_request(self.limit, self.cursor)?;
        let filter = ListFilter {
            client_id,
            portfolio_id: self.portfolio,
            debtor_id: self.debtor,
            debt_id: self.debt,
            campaign_id: self.campaign,
            attempt_id: self.attempt,
        };
        Ok((filter, page))
    }
}

/// Checks a limit.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(PAGE_LIMIT) {
        n @ 1..=PAGE_LIMIT_MAX => Ok(n),
        _ => Err(Problem::bad_request(
            "bad_query",
            format!("limit: expected 1 to {PAGE_LIMIT_MAX}"),
        )),
    }
}

/// Checks limit and cursor.
pub(crate) fn page_request(
    asked: Option<u32>,
    cursor: Option<String>,
) -> Result<PageRequest, Problem> {
    if cursor.as_ref().is_some_and(|c| c.len() > CURSOR_MAX) {
        return Err(bad_cursor());
    }
    Ok(PageRequest {
        limit: limit(asked)?,
        cursor,
    })
}

pub(crate) fn bad_cursor() -> Problem {
    Problem::bad_request("bad_cursor", "cursor: expected the next_cursor of a page")
}

/// A failed list: a cursor that the store cannot read is the caller's fault.
pub(crate) fn list_problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound("cursor") => bad_cursor(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_a_page() {
        assert_eq!(
            page_request(None, None).map(|p| p.limit).ok(),
            Some(PAGE_LIMIT)
        );
        assert_eq!(limit(Some(500)).ok(), Some(500));
        assert_eq!(limit(Some(0)).map_err(|p| p.code()), Err("bad_query"));
        assert_eq!(limit(Some(501)).map_err(|p| p.code()), Err("bad_query"));
        let long = Some("x".repeat(CURSOR_MAX + 1));
        assert_eq!(
            page_request(None, long).map(|_| ()).map_err(|p| p.code()),
            Err("bad_cursor")
        );
    }
}
