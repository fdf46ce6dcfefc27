//! Debtor files: import, segments, search.

use super::scene::*;
use domain::entity::{CallResult, DebtStatus, Portfolio};
use domain::ids::{DebtorId, ImportId};
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, FieldChange, ImportReport, SegmentCount};
use domain::rules::recovery::Expected;
use domain::segment::{Expr, parse};

/// Runs the group.
pub async fn all(store: Subject) {
    an_import_says_what_was_new(&store).await;
    a_changed_row_is_told(&store).await;
    a_dry_run_keeps_nothing(&store).await;
    a_file_does_not_undo_what_is_known(&store).await;
    segments_count(&store).await;
    segments_ask_for_units_of_any_currency(&store).await;
    segments_show_the_greatest_first(&store).await;
    super::segment_days::all(&store).await;
    debtors_are_found(&store).await;
    tables_are_counted(&store).await;
}

/// A row as the next file has it: the same references, fresh identities.
fn next_file(row: &DebtorRow) -> DebtorRow {
    let mut next = row.clone();
    next.debtor.id = fresh::<DebtorId>();
    next.debtor.created_at = NOW.plus_ms(1_000);
    next.debtor.updated_at = NOW.plus_ms(1_000);
    next.debt.id = fresh::<domain::ids::DebtId>();
    next.debt.debtor_id = next.debtor.id;
    next.debt.created_at = NOW.plus_ms(1_000);
    next.debt.updated_at = NOW.plus_ms(1_000);
    for party in &mut next.parties {
        party.id = fresh::<domain::ids::PartyId>();
        party.debt_id = next.debt.id;
        party.debtor_id = next.debtor.id;
    }
    for point in &mut next.points {
        point.id = fresh::<domain::ids::PointId>();
        point.debtor_id = next.debtor.id;
    }
    for consent in &mut next.consents {
        consent.id = fresh::<domain::ids::ConsentId>();
        consent.debtor_id = next.debtor.id;
    }
    next
}

async fn import(store: &Subject, rows: &[DebtorRow], dry_run: bool) -> ImportReport {
    let id = fresh::<ImportId>();
    store
        .import_batch(id, rows, dry_run, &[])
        .await
        .expect("import")
}

async fn an_import_says_what_was_new(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.draft_person(), scene.draft_person());
    // A second debt of the first debtor, on a row of its own.
    let mut more = a.row(4);
    more.debt = scene.draft_debt(a.debtor.id, 200_000);
    more.parties[0].debt_id = more.debt.id;
    let rows = vec![a.row(2), b.row(3), more];
    let id = fresh::<ImportId>();
    let told = [event("portfolio.imported", &format!("import:{id}"))];
    let report = store
        .import_batch(id, &rows, false, &told)
        .await
        .expect("import");
    let want = ImportReport {
        rows: 3,
        debtors_new: 2,
        debts_new: 3,
        points_new: 2,
        debtors_changed: 1,
        ..ImportReport::default()
    };
    assert_eq!(
        report, want,
        "the third row adds a party to a debtor of the first"
    );
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(events.iter().any(|e| e.event == told[0]));
    let file = store.debtor_file(a.debtor.id).await.expect("file");
    assert_eq!(file.debtor, a.debtor);
    assert_eq!(file.debts.len(), 2);
    assert_eq!(file.parties.len(), 2);
    assert_eq!(file.points, vec![a.point.clone()]);
    assert_eq!(
        file.consents.len(),
        1,
        "the same consent came with both rows"
    );
    let again: Vec<DebtorRow> = rows.iter().map(next_file).collect();
    let report = import(store, &again, false).await;
    let want = ImportReport {
        rows: 3,
        unchanged: 3,
        ..ImportReport::default()
    };
    assert_eq!(report, want);
}

async fn a_changed_row_is_told(store: &Subject) {
    let scene = Scene::new(store).await;
    let b = scene.draft_person();
    let rows = [b.row(2)];
    import(store, &rows, false).await;
    let mut changed = next_file(&rows[0]);
    changed.debt.principal_minor += 1;
    changed.points.push(draft_point(changed.debtor.id));
    let report = import(store, &[changed.clone()], false).await;
    let want = ImportReport {
        rows: 1,
        debtors_changed: 1,
        debts_changed: 1,
        points_new: 1,
        fields: [("debt.principal".to_owned(), 1)].into(),
        changes: vec![FieldChange {
            row: 2,
            debt_ref: b.debt.external_ref.clone(),
            field: "debt.principal".into(),
            before: b.debt.principal_minor.to_string(),
            after: changed.debt.principal_minor.to_string(),
        }],
        ..ImportReport::default()
    };
    assert_eq!(report, want);
    let debt = store.get_debt(b.debt.id).await.expect("the stored id wins");
    assert_eq!(debt.principal_minor, changed.debt.principal_minor);
    assert_eq!(
        (debt.created_at, debt.updated_at),
        (NOW, NOW.plus_ms(1_000))
    );
    assert!(matches!(
        store.get_debt(changed.debt.id).await,
        Err(StoreError::NotFound(_))
    ));
    let file = store.debtor_file(b.debtor.id).await.expect("file");
    assert_eq!(file.points.len(), 2);
    assert!(file.points.iter().all(|p| p.debtor_id == b.debtor.id));
    assert_eq!(import(store, &[], false).await, ImportReport::default());
}

async fn a_dry_run_keeps_nothing(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.draft_person();
    let report = import(store, &[person.row(2)], true).await;
    assert_eq!(
        (report.debtors_new, report.debts_new, report.points_new),
        (1, 1, 1)
    );
    let missing = store.get_debtor(person.debtor.id).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound(_))),
        "{missing:?}"
    );
    let report = import(store, &[person.row(2)], false).await;
    assert_eq!(report.debtors_new, 1, "as if the dry run had not been");
}

async fn a_file_does_not_undo_what_is_known(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.draft_person();
    import(store, &[person.row(2)], false).await;
    let mut told = person.debtor.clone();
    told.told_zone = Some("America/Cancun".into());
    told.told_zone_at = Some(NOW);
    store.put_debtor(&told, &[]).await.expect("debtor");
    let mut dated = person.debt.clone();
    dated.statute_date = Some("2029-10-14".into());
    store.put_debt(&dated, &[]).await.expect("debt");
    let mut bad = person.point.clone();
    bad.bad = true;
    bad.last_rpc_at = Some(NOW);
    store.put_point(&bad, &[]).await.expect("point");
    store
        .post_payment(&person.payment(100_000), &[], &of_promise)
        .await
        .expect("payment");
    let mut next = next_file(&person.row(2));
    next.debtor.name = "Ana Ruiz de Soto".into();
    next.points[0].confidence = 99;
    import(store, &[next], false).await;
    let debtor = store.get_debtor(person.debtor.id).await.expect("debtor");
    assert_eq!(debtor.name, "Ana Ruiz de Soto".into());
    assert_eq!(debtor.told_zone.as_deref(), Some("America/Cancun"));
    let point = store.get_point(person.point.id).await.expect("point");
    assert_eq!(
        (point.bad, point.last_rpc_at, point.confidence),
        (true, Some(NOW), 99)
    );
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        debt.status,
        DebtStatus::Paid,
        "a file does not open a paid debt"
    );
    assert_eq!(debt.statute_date.as_deref(), Some("2029-10-14"));
    let mut moved = next_file(&person.row(2));
    moved.debt.statute_date = Some("2031-01-02".into());
    let report = import(store, &[moved], false).await;
    assert_eq!(report.fields.get("debt.statute_date"), Some(&1));
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(debt.statute_date.as_deref(), Some("2031-01-02"));
}

/// Three debtors 40 days, 3 days and not yet past due; the first also owes dollars and has a bad phone.
async fn three_debtors(store: &Subject) -> (Scene, Vec<Person>) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for (balance, due) in [
        (100_000, "2026-10-14"),
        (300_000, "2026-11-20"),
        (200_000, "2026-12-24"),
    ] {
        let mut person = scene.draft_person();
        person.debt = scene.draft_debt(person.debtor.id, balance);
        person.debt.due_date = due.into();
        person.store(store).await;
        people.push(person);
    }
    let mut dollars = scene.draft_debt(people[0].debtor.id, 50_000);
    dollars.currency = "USD".parse().expect("a currency");
    store.put_debt(&dollars, &[]).await.expect("debt");
    let mut bad = draft_point(people[0].debtor.id);
    bad.bad = true;
    store.put_point(&bad, &[]).await.expect("point");
    (scene, people)
}

async fn segments_count(store: &Subject) {
    let (scene, people) = three_debtors(store).await;
    let client = scene.client.id;
    let count = store
        .segment_count(client, &Expr::All, NOW)
        .await
        .expect("count");
    let want = SegmentCount {
        debtors: 3,
        phones: 3,
        balance: vec![("MXN".into(), 600_000), ("USD".into(), 50_000)],
        // Nothing was measured: nothing is expected of anything.
        expected: [("MXN", 600_000), ("USD", 50_000)]
            .map(|(currency, balance)| {
                let mut expected = Expected::of(currency);
                expected.add(balance, None);
                expected
            })
            .to_vec(),
    };
    assert_eq!(count, want);
    assert!(count.expected.iter().all(|e| e.figure().is_none()));
    let totals = store
        .portfolio_totals(scene.portfolio.id)
        .await
        .expect("totals");
    let totals_want = SegmentCount {
        expected: Vec::new(),
        ..want
    };
    assert_eq!(totals, totals_want);
    let of = |n: &[usize]| n.iter().map(|n| people[*n].debtor.id).collect::<Vec<_>>();
    for (text, want) in [
        ("days_past_due between 31 and 60", of(&[0])),
        ("bucket = b1_30", of(&[1])),
        ("bucket in (preventive, b31_60)", of(&[0, 2])),
        ("days_past_due < 0", of(&[2])),
        ("currency = USD", of(&[0])),
        ("not currency = USD and balance >= 2000.00", of(&[1, 2])),
        ("country = CO", of(&[])),
        ("attempts = 0 and days_since_attempt > 1000", of(&[0, 1, 2])),
    ] {
        let expr = parse(text).expect("expression");
        let ids = store.segment_ids(client, &expr, NOW).await.expect("ids");
        assert_eq!(ids, want, "{text}");
        for person in &people {
            let id = person.debtor.id;
            let asked = store.in_segment(client, id, &expr, NOW).await;
            assert_eq!(asked.expect("asked of one"), want.contains(&id), "{text}");
        }
        let count = store
            .segment_count(client, &expr, NOW)
            .await
            .expect("count");
        assert_eq!(count.debtors, want.len() as u64, "{text}");
    }
}

/// A threshold is in units of the currency, however many digits its minor unit has.
async fn segments_ask_for_units_of_any_currency(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for (minor, currency) in [
        (1_000, "CLP"),
        (100_000, "MXN"),
        (1_000_000, "KWD"),
        (99_999, "USD"),
    ] {
        let mut person = scene.draft_person();
        person.debt = scene.draft_debt(person.debtor.id, minor);
        person.debt.currency = currency.parse().expect("a currency");
        person.store(store).await;
        let mut payment = person.payment(minor);
        payment.amount.currency = person.debt.currency;
        store.put_payment(&payment, &[]).await.expect("payment");
        people.push(person.debtor.id);
    }
    // Half of it in pesos of Chile, half in dollars.
    let mut mixed = scene.draft_person();
    mixed.debt = scene.draft_debt(mixed.debtor.id, 500);
    mixed.debt.currency = "CLP".parse().expect("a currency");
    mixed.store(store).await;
    let mut dollars = scene.draft_debt(mixed.debtor.id, 50_000);
    dollars.currency = "USD".parse().expect("a currency");
    store.put_debt(&dollars, &[]).await.expect("debt");
    let alike = people[..3].to_vec();
    let with = |more: &[DebtorId]| [&alike[..], more].concat();
    for (text, mut want) in [
        ("balance >= 1000", with(&[mixed.debtor.id])),
        ("balance > 1000", vec![]),
        (
            "balance between 999.99 and 1000",
            with(&[people[3], mixed.debtor.id]),
        ),
        ("paid >= 1000", alike.clone()),
        ("paid_30d >= 1000", alike.clone()),
    ] {
        let expr = parse(text).expect("expression");
        let found = store.segment_ids(scene.client.id, &expr, NOW).await;
        want.sort_unstable();
        assert_eq!(found.expect("ids"), want, "{text}");
    }
}

async fn segments_show_the_greatest_first(store: &Subject) {
    let (scene, people) = three_debtors(store).await;
    let client = scene.client.id;
    let of = |n: &[usize]| n.iter().map(|n| people[*n].debtor.id).collect::<Vec<_>>();
    let rows = store
        .segment_sample(client, &Expr::All, NOW, 2)
        .await
        .expect("sample");
    assert_eq!(
        rows.iter().map(|r| r.debtor_id).collect::<Vec<_>>(),
        of(&[1, 2])
    );
    assert_eq!(
        (rows[0].balance_minor, rows[0].currency.as_str()),
        (300_000, "MXN")
    );
    assert_eq!((rows[0].days_past_due, rows[0].country.as_str()), (3, "MX"));
    assert_eq!(rows[1].days_past_due, -31);
    let rows = store
        .segment_sample(client, &Expr::All, NOW, 9)
        .await
        .expect("sample");
    assert_eq!(
        (rows[2].balance_minor, rows[2].currency.as_str()),
        (100_000, "MXN"),
        "main debt"
    );
}

async fn debtors_are_found(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let (a, b) = (ours.person(store).await, theirs.person(store).await);
    let found = |client, needle: &str| {
        let needle = needle.to_owned();
        async move {
            let rows = store.find_debtors(client, &needle, 10).await.expect("find");
            rows.into_iter().map(|d| d.id).collect::<Vec<_>>()
        }
    };
    let client = Some(ours.client.id);
    for needle in [
        &a.debtor.external_ref,
        a.debtor.document.reveal(),
        a.point.value.reveal(),
    ] {
        assert_eq!(found(client, needle).await, vec![a.debtor.id]);
        assert_eq!(found(None, needle).await, vec![a.debtor.id]);
        assert!(
            found(Some(theirs.client.id), needle).await.is_empty(),
            "another client's debtor"
        );
    }
    assert!(found(client, &b.debtor.external_ref).await.is_empty());
    assert!(found(client, "%").await.is_empty(), "exact, no patterns");
    let by_name = store
        .portfolio_by_name(ours.client.id, &ours.portfolio.name)
        .await;
    assert_eq!(by_name.expect("by name"), Some(ours.portfolio.clone()));
    let other: Option<Portfolio> = store
        .portfolio_by_name(theirs.client.id, &ours.portfolio.name)
        .await
        .expect("by name");
    assert_eq!(other, None);
    let missing = store.debtor_file(fresh::<DebtorId>()).await;
    assert!(matches!(missing, Err(StoreError::NotFound("debtor"))));
}

async fn tables_are_counted(store: &Subject) {
    let before = store.table_counts().await.expect("counts");
    let person = Scene::new(store).await.person(store).await;
    let lease = node(store).await;
    let attempt = person.open(store, &lease, NOW).await;
    let closing = super::attempts::ended(CallResult::Busy);
    store
        .close_attempt(attempt.id, &closing)
        .await
        .expect("close");
    let after = store.table_counts().await.expect("counts");
    for (name, more) in [
        ("debtors", 1),
        ("debts", 1),
        ("points", 1),
        ("attempts", 1),
        ("ledger", 1),
        ("verdicts", 1),
        ("recordings", 0),
        ("promises", 0),
        ("payments", 0),
        ("events", 1),
    ] {
        let of =
            |list: &[(String, i64)]| list.iter().find(|(n, _)| n == name).map(|(_, rows)| *rows);
        let (before, after) = (of(&before).expect(name), of(&after).expect(name));
        assert_eq!(after - before, more, "{name}");
    }
}
