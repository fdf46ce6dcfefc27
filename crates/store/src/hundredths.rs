//! Money in hundredths of its currency's unit, as segments compare it: the SQL of `domain::money::hundredths`.

use crate::segment::Owing;
use domain::money::{NO_DIGITS, THREE_DIGITS};
use std::sync::LazyLock;

fn quoted(codes: &[&str]) -> String {
    let codes: Vec<String> = codes.iter().map(|c| format!("'{c}'")).collect();
    codes.join(",")
}

static NONE: LazyLock<String> = LazyLock::new(|| quoted(NO_DIGITS));
static THREE: LazyLock<String> = LazyLock::new(|| quoted(THREE_DIGITS));
/// What `debtors.open_currency` says where a figure beside the debtor is not in hundredths: several currencies too.
static UNUSUAL: LazyLock<String> = LazyLock::new(|| format!("'*',{},{}", *NONE, *THREE));

/// The sum of an amount in minor units over rows `x` with a currency; 0 of none.
pub(crate) fn sum(amount: &str) -> String {
    let (none, three) = (&*NONE, &*THREE);
    format!(
        "CAST(COALESCE(SUM(CASE WHEN x.currency IN ({none}) THEN ({amount})*100 \
            WHEN x.currency IN ({three}) THEN 0 ELSE {amount} END),0)\
        +CAST(COALESCE(SUM(CASE WHEN x.currency IN ({three}) THEN {amount} END),0) AS BIGINT)/10 \
        AS BIGINT)"
    )
}

/// A sum over the open debts that is kept beside a debtor `d` in minor units; debts of several currencies are
/// added up one by one, `amount` of each.
pub(crate) fn of_debts(column: &str, amount: &str, owing: Owing) -> String {
    let each = || {
        let sum = sum(amount);
        format!("(SELECT {sum} FROM debts x WHERE x.debtor_id=d.id AND x.status='open')")
    };
    let (unusual, several) = match owing {
        Owing::Several => return each(),
        Owing::Any => {
            let several = format!(" WHEN d.open_currency='*' THEN {}", each());
            (UNUSUAL.clone(), several)
        }
        Owing::One => (format!("{},{}", *NONE, *THREE), String::new()),
    };
    let three = &*THREE;
    format!(
        "(CASE WHEN d.open_currency NOT IN ({unusual}) THEN d.{column}{several} \
            WHEN d.open_currency IN ({three}) THEN d.{column}/10 ELSE d.{column}*100 END)"
    )
}
