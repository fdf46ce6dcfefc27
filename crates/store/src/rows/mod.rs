//! How each entity is kept: table, columns, and what a list may be narrowed by.

mod dialing;
mod house;
mod interest;
mod messages;
mod money;
mod plans;
mod portfolio;
mod receipts;
mod reports;

use crate::sql::{Row, Val};
use domain::ids::{DebtorId, DncListId, PersonId, PortfolioId};
use domain::ports::StoreError;

/// Whose answer of the law may be another once a row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stirs {
    /// All debtors of the debtor's person.
    Debtor(DebtorId),
    /// All debtors of a portfolio, when its zone or kind of creditor is another one than is stored.
    Portfolio(PortfolioId, String, String),
    /// All debtors of a person, and who has the address.
    Ledger(PersonId, String),
    /// Who has a value that is listed, in the form in which lists are compared and as it was written.
    Listed(String, String),
}

/// An entity that is one row of one table. Column names are those of the fields.
pub(crate) trait Entity: Sized + Send + Sync {
    /// Table.
    const TABLE: &'static str;
    /// What it is called in errors.
    const WHAT: &'static str;
    /// What is said to be taken when a unique value repeats.
    const UNIQUE: &'static str = "identity";
    /// Columns that are read and written; the first is the key.
    const COLUMNS: &'static [&'static str];
    /// Columns that are only written: values that follow from the entity and are searched by.
    const DERIVED: &'static [&'static str] = &[];
    /// Filter columns that may be null: a row without a value passes any filter.
    const OPEN_ENDED: &'static [&'static str] = &[];

    /// `COLUMNS` as they stand in a statement.
    fn list() -> &'static str;
    /// Values of `COLUMNS`.
    fn vals(&self) -> Vec<Val>;
    /// Values of `DERIVED`.
    fn derived(&self) -> Vec<Val> {
        vec![]
    }
    /// Reads a row that has `COLUMNS`.
    fn read(row: &Row) -> Result<Self, StoreError>;
    /// A person whose row must be there first.
    fn person(&self) -> Option<PersonId> {
        None
    }
    /// Whose mark of the law (`store::marks`) does not outlive this row, besides those it touches.
    fn stirs(&self) -> Option<Stirs> {
        None
    }
    /// A list that this row takes out of force.
    fn retires(&self) -> Option<DncListId> {
        None
    }
    /// As a debt, whose interest a rule may accrue.
    fn as_debt(&self) -> Option<&domain::entity::Debt> {
        None
    }
    /// A debtor whose sums and order follow from this row.
    fn touches(&self) -> Option<DebtorId> {
        None
    }
}

/// `id,client_id,…`
pub(crate) fn columns<T: Entity>() -> &'static str {
    T::list()
}

/// Columns that are written.
pub(crate) fn written<T: Entity>() -> Vec<&'static str> {
    [T::COLUMNS, T::DERIVED].concat()
}

/// Values of a row in the order of [`written`].
pub(crate) fn all_vals<T: Entity>(row: &T) -> Vec<Val> {
    let mut vals = row.vals();
    vals.extend(row.derived());
    vals
}

/// Conflict clause that replaces the stored row by the new one.
pub(crate) fn replace_sql<T: Entity>() -> String {
    let names = written::<T>();
    let set: Vec<String> = names[1..]
        .iter()
        .map(|c| format!("{c}=excluded.{c}"))
        .collect();
    format!(
        " ON CONFLICT ({}) DO UPDATE SET {}",
        names[0],
        set.join(",")
    )
}

/// Name of the column of a field.
macro_rules! column {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $column:literal) => {
        $column
    };
}

/// The list of an entity's columns, put together once.
macro_rules! list {
    ($entity:ty) => {
        fn list() -> &'static str {
            static LIST: std::sync::LazyLock<String> =
                std::sync::LazyLock::new(|| <$entity as $crate::rows::Entity>::COLUMNS.join(","));
            &LIST
        }
    };
}
pub(crate) use list;

/// Declares how an entity is kept; a field is kept in the column of its name unless one is given.
macro_rules! entity {
    ($entity:ty, $table:literal, $what:literal { $($field:ident $(= $column:literal)?),+ $(,)? } $($more:tt)*) => {
        impl $crate::rows::Entity for $entity {
            const TABLE: &'static str = $table;
            const WHAT: &'static str = $what;
            const COLUMNS: &'static [&'static str] = &[$($crate::rows::column!($field $($column)?)),+];
            $crate::rows::list!($entity);
            fn vals(&self) -> Vec<$crate::sql::Val> {
                vec![$($crate::sql::Field::val(&self.$field)),+]
            }
            fn read(row: &$crate::sql::Row) -> Result<Self, domain::ports::StoreError> {
                Ok(Self { $($field: row.get($crate::rows::column!($field $($column)?))?),+ })
            }
            $($more)*
        }
    };
}
pub(crate) use {column, entity};
