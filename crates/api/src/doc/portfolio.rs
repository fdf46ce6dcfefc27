//! Portfolios, debtors, debts.

use super::{CreditorKind, Currency, Day, DebtStatus, DebtorKind, Instant, Language};
use uuid::Uuid;

shape! {
    /// A client's set of debts of one kind.
    Portfolio {
        id: Uuid, client_id: Uuid, name: String, currency: Currency, creditor_kind: CreditorKind,
        /// IANA zone of its working day.
        zone: String,
        created_at: Instant,
    }
    /// A contacted person or company within one client.
    Debtor {
        id: Uuid, client_id: Uuid, portfolio_id: Uuid, person_id: Uuid, external_ref: String,
        kind: DebtorKind, name: String, document: String,
        /// ISO 3166 alpha-2.
        country: String,
        /// ISO 3166-2 without the country.
        subdivision: Option<String>,
        language: Language, address_zone: Option<String>, told_zone: Option<String>,
        told_zone_at: Option<Instant>, created_at: Instant, updated_at: Instant,
    }
    /// A postal address of a debtor.
    Address {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, street: String, city: String,
        /// State or province; may be empty.
        region: String,
        /// May be empty.
        postcode: String,
        /// ISO 3166 alpha-2.
        country: String,
        /// IANA zone there.
        zone: Option<String>,
        /// `import`, `agent` or `debtor`.
        source: String,
        /// Proved wrong.
        bad: bool, added_at: Instant,
        /// When it was last said to be so.
        confirmed_at: Instant,
    }
    /// One debt; amounts in minor units of its currency.
    Debt {
        id: Uuid, debtor_id: Uuid, client_id: Uuid, portfolio_id: Uuid, external_ref: String,
        product: String, currency: Currency, principal_minor: i64, interest_minor: i64,
        fees_minor: i64, overdue_minor: i64, minimum_minor: i64,
        /// Date of the oldest unpaid item.
        due_date: Day,
        /// Last date on which a court may be asked for it; null = not known.
        statute_date: Option<Day>,
        status: DebtStatus, created_at: Instant, updated_at: Instant,
    }
}
