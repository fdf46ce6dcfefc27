//! Lists of debtors beside a file that is half in, whose debtors lie between those of others; batches of a file that
//! are written while the next one is read. On SQLite and PostgreSQL.

mod common;

use domain::entity::{Import, ImportState};
use domain::ids::{DebtorId, ImportId};
use domain::ports::IdSource as _;
use domain::ports::store::{DebtorRow, ListFilter, PageRequest};
use domain::time::MINUTE_MS;
use sim::clock::SeededIds;
use sim::contract::scene::*;
use std::sync::Arc;

fn file(scene: &Scene) -> Import {
    sim::contract::imports::file(scene, ImportState::Accepting)
}

/// A debtor's row whose identity is of an instant, seconds behind [`NOW`].
fn row_at(scene: &Scene, ids: &SeededIds, second: i64, line: u64) -> DebtorRow {
    let mut person = scene.draft_person();
    let id = DebtorId(ids.next(NOW.plus_ms(second * 1_000)));
    person.debtor.id = id;
    person.debt.debtor_id = id;
    person.point.debtor_id = id;
    let mut row = person.row(line);
    for party in &mut row.parties {
        party.debtor_id = id;
    }
    for consent in &mut row.consents {
        consent.debtor_id = id;
    }
    row
}

async fn listed(store: &Subject, filter: &ListFilter, limit: u32) -> Vec<DebtorId> {
    let mut page = PageRequest {
        limit,
        cursor: None,
    };
    let mut ids = Vec::new();
    loop {
        let got = store.debtor_page(filter, &page).await.expect("a page");
        assert!(got.items.len() <= limit as usize);
        ids.extend(got.items.iter().map(|d| d.id));
        let Some(cursor) = got.next_cursor else {
            return ids;
        };
        page.cursor = Some(cursor);
    }
}

/// Whoever is not of the file is listed once, wherever he lies: made by hand, by a file that came whole, before,
/// among and behind the debtors of the file.
async fn lists_go_past_a_file(store: &Subject) {
    let scene = Scene::new(store).await;
    let ids = SeededIds::new(39);
    let mut half = file(&scene);
    store.put_import(&half, &[]).await.expect("file");
    let own: Vec<DebtorRow> = [10, 20, 30, 40, 50]
        .iter()
        .zip(2..)
        .map(|(second, line)| row_at(&scene, &ids, *second, line))
        .collect();
    let done = store.take_rows(half.id, &own).await.expect("taken");
    assert_eq!(done.debtors_new, 5);
    let mut seen = Vec::new();
    for second in [0, 5, 15, 25, 26, 60] {
        let row = row_at(&scene, &ids, second, 1);
        store.put_debtor(&row.debtor, &[]).await.expect("by hand");
        seen.push(row.debtor.id);
    }
    let filters = [
        ListFilter {
            client_id: Some(scene.client.id),
            ..ListFilter::default()
        },
        ListFilter {
            portfolio_id: Some(scene.portfolio.id),
            ..ListFilter::default()
        },
    ];
    let check = async |want: &[DebtorId]| {
        for filter in &filters {
            for limit in [1, 2, 3, 50] {
                assert_eq!(listed(store, filter, limit).await, want, "pages of {limit}");
            }
        }
    };
    check(&seen).await;
    // A file that came meanwhile, and is in.
    let other = [row_at(&scene, &ids, 27, 2), row_at(&scene, &ids, 35, 3)];
    let done = store.import_batch(fresh::<ImportId>(), &other, false, &[]);
    assert_eq!(done.await.expect("whole").debtors_new, 2);
    seen.extend(other.iter().map(|row| row.debtor.id));
    seen.sort_unstable();
    check(&seen).await;
    half = store.get_import(half.id).await.expect("file");
    half.state = ImportState::Accepted;
    half.accepted_at = Some(NOW.plus_ms(MINUTE_MS));
    store.put_import(&half, &[]).await.expect("accepted");
    seen.extend(own.iter().map(|row| row.debtor.id));
    seen.sort_unstable();
    check(&seen).await;
}

/// What fails while it is written is told to the next batch, and to who asks whether all is there; nothing of it is.
async fn a_batch_that_fails_behind_is_told(store: &Subject) {
    let scene = Scene::new(store).await;
    let ids = SeededIds::new(40);
    let row = file(&scene);
    store.put_import(&row, &[]).await.expect("file");
    let take = async |rows: &[DebtorRow]| store.take_rows(row.id, rows).await;
    let first = row_at(&scene, &ids, 1, 2);
    take(std::slice::from_ref(&first)).await.expect("taken");
    store.settle_rows(row.id).await.expect("durable");
    // Another reference, and an identity that is another's.
    let mut twice = row_at(&scene, &ids, 2, 3);
    twice.debt.id = first.debt.id;
    let mut told = take(&[twice]).await.map(drop);
    if told.is_ok() {
        told = take(&[row_at(&scene, &ids, 3, 4)]).await.map(drop);
    }
    assert!(told.is_err(), "nobody was told");
    let stored = store.get_import(row.id).await.expect("file");
    assert_eq!((stored.rows_done, stored.report.debtors_new), (2, 1));
    // It goes on behind what is there.
    let rows: Vec<DebtorRow> = (0..40)
        .map(|n| row_at(&scene, &ids, n, 3 + n.unsigned_abs()))
        .collect();
    for batch in rows.chunks(7) {
        let done = take(batch).await.expect("taken");
        assert_eq!(done.debtors_new, batch.len() as u64);
    }
    store.settle_rows(row.id).await.expect("durable");
    let stored = store.get_import(row.id).await.expect("file");
    assert_eq!((stored.rows_done, stored.report.debtors_new), (42, 41));
    let debts = store.open_debts(scene.portfolio.id, "", 100).await;
    assert_eq!(debts.expect("debts").len(), 41);
}

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            use super::{Arc, common};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (store, _, _folder) = common::sqlite().await;
                let store: super::Subject = Arc::new(store);
                super::$name(&store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some((store, ..)) = common::postgres().await {
                    let store: super::Subject = Arc::new(store);
                    super::$name(&store).await;
                }
            }
        }
    )+ };
}
on_both!(lists_go_past_a_file, a_batch_that_fails_behind_is_told);
