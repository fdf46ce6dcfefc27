//! The one writer: what is told as written stands, and what is dropped does not.

use super::*;

fn scene() -> (tempfile::TempDir, Arc<Direct>, Connection) {
    synced(LiteSync::Normal)
}

fn synced(sync: LiteSync) -> (tempfile::TempDir, Arc<Direct>, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.db");
    let direct = Direct::open(&file, sync).unwrap();
    // Another process, as it were.
    let other = Connection::open(&file).unwrap();
    other
        .execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        .unwrap();
    (dir, Arc::new(direct), other)
}

fn seen(other: &Connection) -> Vec<i64> {
    let mut all = other.prepare("SELECT n FROM t ORDER BY n").unwrap();
    let rows = all.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

async fn put(tx: &mut DirectTx, n: i64) -> Result<u64, StoreError> {
    let sql = "INSERT INTO t (n) VALUES ($1)";
    tx.run(sql, &[crate::sql::Field::val(&n)], true)
        .await
        .map(|(_, touched)| touched)
}

#[tokio::test]
async fn what_is_told_as_written_is_seen_and_what_is_dropped_is_not() {
    let (_dir, direct, other) = scene();
    let mut kept = direct.begin().await.unwrap();
    assert_eq!(put(&mut kept, 1).await.unwrap(), 1);
    assert!(seen(&other).is_empty(), "not yet");
    let commit = tokio::spawn(kept.commit());
    // Whether or not they share its commit.
    let mut dropped = direct.begin().await.unwrap();
    put(&mut dropped, 2).await.unwrap();
    drop(dropped);
    let mut again = direct.begin().await.unwrap();
    put(&mut again, 3).await.unwrap();
    assert!(matches!(
        put(&mut again, 3).await,
        Err(StoreError::Conflict(_))
    ));
    again.commit().await.unwrap();
    commit.await.unwrap().unwrap();
    assert_eq!(seen(&other), [1, 3]);
}

#[tokio::test]
async fn many_at_once_are_all_written() {
    let (_dir, direct, other) = scene();
    let one = |n: i64| {
        let direct = direct.clone();
        tokio::spawn(async move {
            let mut tx = direct.begin().await?;
            put(&mut tx, n).await?;
            if n % 5 == 0 {
                return Ok(());
            }
            tx.commit().await
        })
    };
    let all: Vec<_> = (0..200).map(one).collect();
    for task in all {
        task.await.unwrap().unwrap();
    }
    assert_eq!(seen(&other).len(), 160);
    direct.close().await;
    assert!(direct.begin().await.is_err(), "closed");
    assert_eq!(seen(&other).len(), 160);
}

#[tokio::test]
async fn what_runs_together_stands_when_it_is_told() {
    let (dir, direct, other) = scene();
    let file = Arc::new(dir.path().join("a.db"));
    let one = |n: i64| {
        let (direct, file) = (direct.clone(), file.clone());
        tokio::spawn(async move {
            // In two waves, beside others.
            if n % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let mut tx = match n % 3 {
                0 => direct.begin().await?,
                1 => direct.begin_together(Pace::Now).await?,
                _ => direct.begin_together(Pace::Soon).await?,
            };
            put(&mut tx, n).await?;
            if n % 30 == 9 {
                return Ok(());
            }
            tx.commit().await?;
            let other = Connection::open(&*file).map_err(fault)?;
            assert!(seen(&other).contains(&n));
            Ok::<(), StoreError>(())
        })
    };
    let all: Vec<_> = (0..90).map(one).collect();
    for task in all {
        task.await.unwrap().unwrap();
    }
    assert_eq!(seen(&other).len(), 87);
    // Who gives up before his turn keeps nobody waiting.
    let gone = tokio::time::timeout(Duration::ZERO, direct.begin_together(Pace::Now)).await;
    drop(gone);
    let mut last = direct.begin_together(Pace::Now).await.unwrap();
    put(&mut last, 90).await.unwrap();
    last.commit().await.unwrap();
    assert_eq!(seen(&other).len(), 88);
}

#[tokio::test]
async fn calls_of_one_decision_share_a_commit_and_who_comes_alone_waits_for_nobody() {
    let (_dir, direct, other) = scene();
    let paced = async |n: i64, pace: Pace| {
        let mut tx = direct.begin_together(pace).await.unwrap();
        put(&mut tx, n).await.unwrap();
        tx.commit().await.unwrap();
    };
    let step = async |n: i64| paced(n, Pace::Now).await;
    for n in 0..i64::from(ALONE) + 4 {
        step(n).await;
        assert_eq!(seen(&other).last(), Some(&n));
    }
    assert!(direct.core.lock().await.alone >= ALONE);
    // On one task, as the scheduler orders them: each is done before the next begins.
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = commits.clone();
    let hook = move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        false
    };
    let conn = direct.core.lock().await;
    conn.conn.as_ref().unwrap().commit_hook(Some(hook)).unwrap();
    drop(conn);
    futures::future::join_all((100..125).map(step)).await;
    assert_eq!(commits.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(seen(&other).last(), Some(&124));
    assert_eq!(direct.core.lock().await.alone, 0, "they are a crowd");
    // In a crowd, who waits for nothing lets others come.
    let later = async |n: i64| {
        let wait = Duration::from_micros(100 * u64::try_from(n - 200).unwrap());
        tokio::time::sleep(APART + wait).await;
        paced(n, Pace::Soon).await;
    };
    futures::future::join_all((200..210).map(later)).await;
    assert!(commits.load(std::sync::atomic::Ordering::Relaxed) <= 3);
    assert_eq!(seen(&other).last(), Some(&209));
}

#[tokio::test]
async fn the_lock_of_another_process_is_waited_for() {
    let (_dir, direct, other) = scene();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = tokio::spawn({
        let direct = direct.clone();
        async move {
            let mut tx = direct.begin().await?;
            put(&mut tx, 7).await?;
            tx.commit().await
        }
    });
    tokio::time::sleep(TRY_AGAIN * 4).await;
    assert!(!waiting.is_finished());
    other.execute_batch("COMMIT").unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(seen(&other), [7]);
}

#[tokio::test]
async fn places_go_by_their_numbers() {
    let (_dir, direct, _other) = scene();
    let mut tx = direct.begin().await.unwrap();
    let (rows, _) = tx
        .run(
            "SELECT $2 AS b, $1 AS a, $2 AS c",
            &[
                crate::sql::Field::val(&1_i64),
                crate::sql::Field::val(&2_i64),
            ],
            false,
        )
        .await
        .unwrap();
    let read = ["a", "b", "c"].map(|name| rows[0].get::<i64>(name).unwrap());
    assert_eq!(read, [1, 2, 2]);
    assert!(rows[0].get::<i64>("d").is_err());
    assert!(rows[0].get::<String>("a").is_err(), "of another kind");
}

#[tokio::test]
async fn one_statement_writes_many_rows_and_a_row_that_is_refused_takes_all_of_them_along() {
    let (_dir, direct, other) = scene();
    let values = |all: std::ops::Range<i64>| -> Vec<Val> {
        all.map(|n| crate::sql::Field::val(&n)).collect()
    };
    let sql = "INSERT INTO t (n) VALUES ($1)";
    let mut tx = direct.begin_again().await.unwrap();
    tx.run_each(sql, 1, &values(0..100)).await.unwrap();
    tx.commit_later().await.unwrap();
    let mut tx = direct.begin().await.unwrap();
    let refused = tx.run_each(sql, 1, &values(60..140)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    drop(tx);
    let mut tx = direct.begin().await.unwrap();
    tx.run_each(sql, 1, &values(100..170)).await.unwrap();
    let short = values(1..2);
    let short = tx
        .run_each("INSERT INTO t (n) VALUES ($2)", 1, &short)
        .await;
    assert!(short.is_err(), "a place without a value");
    tx.commit().await.unwrap();
    assert_eq!(seen(&other), (0..170).collect::<Vec<i64>>());
}

#[tokio::test]
async fn what_nobody_waits_for_stands_with_the_next_commit_and_by_itself() {
    let (_dir, direct, other) = scene();
    for n in 1..=3 {
        let mut tx = direct.begin_again().await.unwrap();
        put(&mut tx, n).await.unwrap();
        tx.commit_later().await.unwrap();
    }
    assert!(seen(&other).is_empty(), "nobody waits for it");
    // Who is behind them is rolled back alone.
    let mut dropped = direct.begin().await.unwrap();
    put(&mut dropped, 4).await.unwrap();
    drop(dropped);
    let mut kept = direct.begin().await.unwrap();
    put(&mut kept, 5).await.unwrap();
    kept.commit().await.unwrap();
    assert_eq!(seen(&other), [1, 2, 3, 5]);
    let mut tx = direct.begin_again().await.unwrap();
    put(&mut tx, 6).await.unwrap();
    tx.commit_later().await.unwrap();
    for _ in 0..200 {
        if seen(&other).len() == 5 {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    assert_eq!(seen(&other), [1, 2, 3, 5, 6]);
    // What is lost is lost with all that nobody waited for.
    let mut tx = direct.begin_again().await.unwrap();
    put(&mut tx, 7).await.unwrap();
    tx.commit_later().await.unwrap();
    let mut tx = direct.begin_again().await.unwrap();
    put(&mut tx, 8).await.unwrap();
    drop(tx);
    direct.close().await;
    assert_eq!(seen(&other), [1, 2, 3, 5, 6]);
}

#[tokio::test]
async fn while_another_process_writes_nothing_is_left_without_a_commit() {
    let (_dir, direct, other) = scene();
    let add = |n: i64| other.execute("INSERT INTO t (n) VALUES (?1)", [n]);
    for (mine, theirs) in [(1, 10), (2, 20)] {
        let mut tx = direct.begin_again().await.unwrap();
        put(&mut tx, mine).await.unwrap();
        tx.commit_later().await.unwrap();
        other.busy_timeout(WAIT).unwrap();
        add(theirs).unwrap();
    }
    // He was seen: from now on each of ours stands before the next.
    let mut tx = direct.begin_again().await.unwrap();
    put(&mut tx, 3).await.unwrap();
    tx.commit_later().await.unwrap();
    assert_eq!(seen(&other), [1, 2, 3, 10, 20]);
}

#[tokio::test]
async fn who_only_looked_undoes_nothing() {
    let (_dir, direct, other) = scene();
    let mut first = direct.begin().await.unwrap();
    put(&mut first, 1).await.unwrap();
    let commit = tokio::spawn(first.commit());
    for _ in 0..20 {
        let mut looks = direct.begin_together(Pace::Now).await.unwrap();
        looks.run("SELECT n FROM t", &[], true).await.unwrap();
        drop(looks);
        tokio::task::yield_now().await;
    }
    commit.await.unwrap().unwrap();
    assert_eq!(seen(&other), [1]);
    // Alone it leaves no lock behind.
    let mut looks = direct.begin().await.unwrap();
    looks.run("SELECT n FROM t", &[], true).await.unwrap();
    drop(looks);
    other.execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
}

#[tokio::test]
async fn a_sure_step_that_fails_takes_others_along_and_they_are_told() {
    let (_dir, direct, other) = scene();
    // In the hands of the test, the commit waits: all of these share one.
    let mut tasks = Vec::new();
    for n in 0..40 {
        let direct = direct.clone();
        tasks.push(tokio::spawn(async move {
            let mut tx = direct.begin_together(Pace::Now).await?;
            put(&mut tx, n).await?;
            if n % 7 == 3 {
                // The number is taken: what was written before it goes too.
                put(&mut tx, n).await?;
            }
            tx.commit().await
        }));
    }
    let mut told = Vec::new();
    for (n, task) in (0..40).zip(tasks) {
        if task.await.unwrap().is_ok() {
            told.push(n);
        }
    }
    assert!(told.iter().all(|n| n % 7 != 3));
    assert_eq!(seen(&other), told, "written is what was told as written");
}

#[tokio::test]
async fn who_writes_alone_commits_himself_and_shares_with_who_waits() {
    let (_dir, direct, other) = scene();
    for n in 0..i64::from(ALONE) + 4 {
        let mut tx = direct.begin().await.unwrap();
        put(&mut tx, n).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seen(&other).last(), Some(&n));
    }
    assert!(direct.core.lock().await.is_lone());
    let mut first = direct.begin().await.unwrap();
    put(&mut first, 100).await.unwrap();
    let second = {
        let direct = direct.clone();
        tokio::spawn(async move {
            let mut tx = direct.begin().await?;
            put(&mut tx, 101).await?;
            tx.commit().await
        })
    };
    while direct.queue.load(std::sync::atomic::Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    first.commit().await.unwrap();
    second.await.unwrap().unwrap();
    assert!(seen(&other).ends_with(&[100, 101]));
    assert!(!direct.core.lock().await.is_lone(), "they shared a commit");
}

#[tokio::test]
async fn the_disk_is_waited_for_where_that_is_asked_and_not_where_others_run() {
    for (sync, level) in [(LiteSync::Normal, 1), (LiteSync::Full, 2)] {
        let (_dir, direct, other) = synced(sync);
        for n in 0..i64::from(ALONE) + 4 {
            let mut tx = direct.begin().await.unwrap();
            put(&mut tx, n).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(seen(&other).last(), Some(&n), "{sync:?}");
        }
        let core = direct.core.lock().await;
        let asked = core.conn.as_ref().unwrap();
        let found: i64 = asked
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, level, "{sync:?}");
        // Who waits for the disk does it on the thread of the commits.
        assert_eq!(core.is_lone(), sync == LiteSync::Normal);
    }
}
