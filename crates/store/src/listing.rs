//! Who is on a list, as SQL over a debtor `d`; `$1` is the client.

use crate::segment::Reach;
use crate::sql::Dialect;

/// His phones and addresses, his document, his person, or one of them on an external list. What is
/// listed is compared in the form in which the law compares it.
pub(crate) fn suppressed(reach: Reach, dialect: Dialect) -> String {
    let person = match (reach, dialect) {
        (Reach::All, Dialect::Lite) => {
            format!("{LISTED_PERSONS} AND y.person_id=unhex(x.listed_form)")
        }
        (Reach::All, Dialect::Pg) => format!(
            "{LISTED_PERSONS} AND y.person_id=(CASE WHEN x.listed_form ~ '^[0-9A-F]{{32}}$' \
                THEN CAST(x.listed_form AS UUID) END)"
        ),
        (Reach::Few, Dialect::Lite) => {
            format!("{LISTED_PERSON} AND x.listed_form=hex(d.person_id))")
        }
        (Reach::Few, Dialect::Pg) => format!(
            "{LISTED_PERSON} AND x.listed_form=upper(replace(CAST(d.person_id AS TEXT),'-','')))"
        ),
    };
    match reach {
        Reach::All => {
            let sets = [
                LISTED_PHONES,
                LISTED_EMAILS,
                LISTED_DOCUMENTS,
                ON_LISTS,
                &person,
            ];
            match dialect {
                // One set, in which each debtor is looked for once.
                Dialect::Lite => format!("d.id IN ({})", sets.join(" UNION ALL ")),
                // Joined, it may be of any size.
                Dialect::Pg => format!(
                    "EXISTS (SELECT 1 FROM ({}) s WHERE s.debtor_id=d.id)",
                    sets.join(" UNION ALL ")
                ),
            }
        }
        Reach::Few => {
            let others = [LISTED_PHONE, LISTED_EMAIL, LISTED_DOCUMENT, ON_LIST];
            format!("{} OR {person}", others.join(" OR "))
        }
    }
}

/// A suppression `x` in force for the client `$1` and the debtor of a row.
macro_rules! binds {
    ($debtor:literal) => {
        concat!(
            " AND x.listed_form<>'' AND x.lifted_at IS NULL AND (x.client_id IS NULL OR x.client_id=$1) \
                AND (x.debtor_id IS NULL OR x.debtor_id=",
            $debtor,
            ")"
        )
    };
}

/// Sets that do not depend on the debtor, so that each is made once.
const LISTED_PHONES: &str = concat!(
    "SELECT y.debtor_id FROM suppressions x JOIN contact_points y ON y.value='+'||x.listed_form \
        WHERE x.kind='phone' AND y.channel<>'email'",
    binds!("y.debtor_id")
);
const LISTED_EMAILS: &str = concat!(
    "SELECT y.debtor_id FROM suppressions x \
        JOIN contact_points y ON y.value IN (x.listed_form,x.value) \
        WHERE x.kind='email' AND y.channel='email'",
    binds!("y.debtor_id")
);
const LISTED_DOCUMENTS: &str = concat!(
    "SELECT y.id FROM suppressions x JOIN debtors y ON y.listed_form=x.listed_form \
        WHERE x.kind='document'",
    binds!("y.id")
);
const LISTED_PERSONS: &str = concat!(
    "SELECT y.id FROM suppressions x JOIN debtors y ON x.kind='person'",
    binds!("y.id")
);
const ON_LISTS: &str = "SELECT h.debtor_id FROM dnc_lists l JOIN dnc_hits h ON h.list_id=l.id \
    WHERE l.retired_at IS NULL AND (l.client_id IS NULL OR l.client_id=$1)";

/// The same for one debtor after the other.
const LISTED_PHONE: &str = concat!(
    "EXISTS (SELECT 1 FROM contact_points y JOIN suppressions x ON x.listed_form=ltrim(y.value,'+') \
        WHERE y.debtor_id=d.id AND y.channel<>'email' AND x.kind='phone'",
    binds!("d.id"),
    ")"
);
const LISTED_EMAIL: &str = concat!(
    "EXISTS (SELECT 1 FROM contact_points y JOIN suppressions x ON x.listed_form=lower(trim(y.value)) \
        WHERE y.debtor_id=d.id AND y.channel='email' AND x.kind='email'",
    binds!("d.id"),
    ")"
);
const LISTED_DOCUMENT: &str = concat!(
    "EXISTS (SELECT 1 FROM suppressions x WHERE x.listed_form=d.listed_form AND x.kind='document'",
    binds!("d.id"),
    ")"
);
const LISTED_PERSON: &str = concat!(
    "EXISTS (SELECT 1 FROM suppressions x WHERE x.kind='person'",
    binds!("d.id")
);
const ON_LIST: &str = "EXISTS (SELECT 1 FROM dnc_hits h JOIN dnc_lists l ON l.id=h.list_id \
    WHERE h.debtor_id=d.id AND l.retired_at IS NULL AND (l.client_id IS NULL OR l.client_id=$1))";
