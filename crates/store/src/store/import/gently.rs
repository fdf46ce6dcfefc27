//! All that is kept aside of a long file, in one transaction of PostgreSQL, beside calls: nobody sees any of it
//! before the file is in. Whoever is being called, or is held by somebody, is passed over and written at the end,
//! so that the steps of a call do not wait for the whole.

use super::super::items::LIVE;
use super::super::sums::ensure_persons;
use super::aside::{LATE_LINES, forget};
use super::piece::Piece;
use crate::sql::Link;
use domain::entity::Import;
use domain::ids::{ImportId, PersonId, PortfolioId};
use domain::ports::StoreError;
use domain::time::UtcMs;
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

/// Lines of rows that were passed over, behind those of all others and before those of recalls: they are taken
/// back first, for they were written last.
const LAST_LINES: u64 = LATE_LINES + (1 << 37);
/// From so many rows on: fewer hold all their persons for no more than a fifth of a second.
pub(super) const FROM: u64 = 1_000;
/// Most rows that are passed over: they are written while everybody they are about waits, for a second.
const BUSY_MAX: u64 = 5_000;
/// Longest wait, at the end, for persons whom others hold, and how often they are tried.
const PATIENCE: Duration = Duration::from_secs(3);
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Who of the persons nobody holds; he is held from now on. `idle`: nor is he leased or being called.
async fn hold_free(
    tx: &mut Link,
    persons: &[PersonId],
    idle: bool,
) -> Result<HashSet<PersonId>, StoreError> {
    let idle = match idle {
        true => format!(
            " AND lease_node IS NULL AND NOT EXISTS (SELECT 1 FROM attempts a \
                WHERE a.person_id=persons.id AND a.{LIVE})"
        ),
        false => String::new(),
    };
    let rest = format!("{idle} ORDER BY id FOR UPDATE SKIP LOCKED");
    let sql = "SELECT id FROM persons WHERE id";
    let rows = tx.rows_in(sql, persons, &rest, &[]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Holds whoever of a piece is idle: what can be written of it, and what cannot yet.
async fn divide(
    tx: &mut Link,
    portfolio: PortfolioId,
    piece: Piece,
) -> Result<(Piece, Piece), StoreError> {
    let owners = piece.owners(tx, portfolio).await?;
    let persons: BTreeSet<PersonId> = owners.iter().flatten().copied().collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    ensure_persons(tx, &persons).await?;
    let held = hold_free(tx, &persons, true).await?;
    Ok(piece.apart(&owners, &held))
}

/// Holds all persons of the pieces; false when others hold some for too long, who may be waiting for this very
/// transaction.
async fn hold_all(
    tx: &mut Link,
    portfolio: PortfolioId,
    pieces: &[Piece],
) -> Result<bool, StoreError> {
    let mut missing: BTreeSet<PersonId> = BTreeSet::new();
    for piece in pieces {
        missing.extend(piece.owners(tx, portfolio).await?.into_iter().flatten());
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let persons: Vec<PersonId> = missing.iter().copied().collect();
        let held = hold_free(tx, &persons, false).await?;
        missing.retain(|person| !held.contains(person));
        if missing.is_empty() {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

/// Writes all that is kept aside of a file. False when too many are busy or somebody is for too long: the
/// transaction is to be undone, and the next one waits for everybody before it writes.
pub(super) async fn write_all(
    tx: &mut Link,
    import: ImportId,
    now: UtcMs,
) -> Result<bool, StoreError> {
    let portfolio = tx.get::<Import>(import).await?.portfolio_id;
    let (mut at, mut later, mut busy) = (i64::MIN, Vec::new(), 0);
    while let Some((place, piece)) = Piece::after(tx, import, at).await? {
        at = place;
        let (free, rest) = divide(tx, portfolio, piece).await?;
        if rest.len() > 0 {
            busy += rest.len() as u64;
            later.push(rest);
        }
        if busy > BUSY_MAX {
            return Ok(false);
        }
        if free.len() > 0 {
            free.write(tx, import, (LATE_LINES, now)).await?;
        }
    }
    if !hold_all(tx, portfolio, &later).await? {
        return Ok(false);
    }
    for piece in later {
        piece.write(tx, import, (LAST_LINES, now)).await?;
    }
    forget(tx, import).await?;
    Ok(true)
}
