//! Files that are half in their portfolio (being accepted or taken back, or broken off while they were): the
//! debtors they made count for nobody until the file is in as a whole, which one row decides.

use super::SqlStore;
use crate::segment::Filter;
use domain::ids::ImportId;
use domain::ports::StoreError;

/// Most files that are half in at once; more are not looked at, and what they made is seen early.
const HALF_MAX: u32 = 256;

/// That a debtor `d` was not made by a file that is half in.
pub(super) const WHOLE: &str = "(d.made_by IS NULL OR d.made_by NOT IN \
    (SELECT h.id FROM imports h WHERE h.state IN ('accepting', 'undoing')))";

/// The same of a debtor who is the only table of his statement.
pub(super) const WHOLE_ROW: &str = "(made_by IS NULL OR made_by NOT IN \
    (SELECT h.id FROM imports h WHERE h.state IN ('accepting', 'undoing')))";

impl SqlStore {
    /// The filter without debtors of files that are half in. There are seldom any: then the statement stays
    /// as it is.
    pub(super) async fn whole(&self, filter: Filter) -> Result<Filter, StoreError> {
        let sql = "SELECT id FROM imports WHERE state IN ('accepting', 'undoing') LIMIT $1";
        let rows = self
            .read()
            .await?
            .rows(sql, crate::sql::vals![HALF_MAX])
            .await?;
        let half: Result<Vec<ImportId>, _> = rows.iter().map(|row| row.get("id")).collect();
        Ok(filter.without(&half?))
    }
}
