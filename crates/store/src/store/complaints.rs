//! Complaints in the order in which they have to be seen to.

use super::SqlStore;
use crate::sql::{Link, Val, vals};
use domain::entity::Complaint;
use domain::ids::ClientId;
use domain::ports::StoreError;
use domain::ports::store::{ComplaintAsk, PAGE_LIMIT_MAX};

/// Those that are open by their deadline, or the others, latest deadline first.
async fn part(
    read: &mut Link,
    ask: &ComplaintAsk,
    open: bool,
    limit: u32,
) -> Result<Vec<Complaint>, StoreError> {
    let (state, past, order) = match open {
        true => ("state='open'", ">", "deadline, id"),
        false => ("state<>'open'", "<", "deadline DESC, id DESC"),
    };
    let (mut terms, mut values): (Vec<String>, Vec<Val>) = (vec![state.to_owned()], Vec::new());
    if let Some(client) = ask.client {
        values.extend(vals![client]);
        terms.push(format!("client_id=${}", values.len()));
    }
    if let Some(authority) = &ask.authority {
        values.extend(vals![authority.to_lowercase()]);
        terms.push(format!("lower(authority)=${}", values.len()));
    }
    if let Some((of, deadline, id)) = &ask.after
        && *of == open
    {
        values.extend(vals![deadline.clone(), *id]);
        let n = values.len();
        terms.push(format!("(deadline, id){past}(${}, ${n})", n - 1));
    }
    values.extend(vals![limit]);
    let rest = format!(
        "WHERE {} ORDER BY {order} LIMIT ${}",
        terms.join(" AND "),
        values.len()
    );
    read.all(&rest, values).await
}

impl SqlStore {
    pub(super) async fn urgent_complaints(
        &self,
        ask: &ComplaintAsk,
    ) -> Result<Vec<Complaint>, StoreError> {
        let mut read = self.snapshot().await?;
        let limit = ask.limit.clamp(1, PAGE_LIMIT_MAX + 1);
        let mut rows = Vec::new();
        if ask.after.as_ref().is_none_or(|(open, ..)| *open) {
            rows = part(&mut read, ask, true, limit).await?;
        }
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
        if left > 0 {
            rows.extend(part(&mut read, ask, false, left).await?);
        }
        Ok(rows)
    }

    pub(super) async fn late_complaints(
        &self,
        client: Option<ClientId>,
        day: &str,
    ) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COUNT(*) AS n, COUNT(CASE WHEN state='open' AND deadline<$1 THEN 1 END) AS late \
            FROM complaints WHERE $2 IS NULL OR client_id=$2";
        let row = self
            .read()
            .await?
            .row(sql, vals![day.to_owned(), client])
            .await?;
        let Some(row) = row else { return Ok((0, 0)) };
        let count = |name| Ok::<u64, StoreError>(row.get::<i64>(name)?.unsigned_abs());
        Ok((count("late")?, count("n")?))
    }
}
