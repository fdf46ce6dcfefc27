//! Money as it comes in: counted once, spread, taken off again; links, files, providers' words.

use super::scene::*;
use super::{books, pay_links};
use domain::entity::{
    Debt, MoneyPolicy, OTHER_AMOUNT, PartOrder, Payment, PaymentChannel, Receipt, ReceiptSource,
    ReceiptState,
};
use domain::ids::{DebtorId, PaymentId, ReceiptId};
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{
    Clues, PageRequest, PaymentFilter, ReceiptFilter, ReceiptOutcome, ReceiptStep,
};

/// Runs the group.
pub async fn all(store: Subject) {
    a_receipt_is_taken_once(&store).await;
    a_step_that_does_not_fit_changes_nothing(&store).await;
    money_put_wrong_comes_off_again(&store).await;
    a_reversal_gives_back_what_was_taken(&store).await;
    the_payer_is_found_without_his_name(&store).await;
    pay_links::all(&store).await;
    pages_and_filters(&store).await;
    let mut done = books::Done::new();
    for seed in 0..books::histories() {
        for (kind, times) in books::balance(&store, seed).await {
            *done.entry(kind).or_default() += times;
        }
    }
    let files = ["recall", "file", "undo"];
    let undoes = done.contains_key("undo");
    for kind in books::KINDS.iter().filter(|k| undoes || !files.contains(k)) {
        assert!(done.get(kind).is_some_and(|n| *n > 0), "{kind}: {done:?}");
    }
}

pub(super) fn receipt(scene: &Scene, minor: i64) -> Receipt {
    Receipt {
        id: fresh::<ReceiptId>(),
        client_id: scene.client.id,
        source: ReceiptSource::BankFile,
        reference: name("bank"),
        amount: Money::new(minor, mxn()),
        left_minor: minor,
        returned_minor: 0,
        paid_at: NOW,
        channel: PaymentChannel::Transfer,
        concept: Pii(String::new()),
        document: Pii(String::new()),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: "unknown".into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(super) fn share(receipt: &Receipt, debt: &Debt, minor: i64) -> Payment {
    Payment {
        id: fresh::<PaymentId>(),
        client_id: receipt.client_id,
        debtor_id: debt.debtor_id,
        debt_id: debt.id,
        amount: Money::new(minor, receipt.amount.currency),
        paid_at: receipt.paid_at,
        channel: receipt.channel,
        reference: name("share"),
        reverses: None,
        posted_at: NOW,
    }
}

pub(super) fn back(first: &Payment, minor: i64) -> Payment {
    Payment {
        id: fresh::<PaymentId>(),
        amount: Money::new(-minor, first.amount.currency),
        reference: name("back"),
        reverses: Some(first.id),
        ..first.clone()
    }
}

pub(super) async fn step(
    store: &Subject,
    receipt: ReceiptId,
    debtor_id: Option<DebtorId>,
    payments: &[Payment],
    returned_minor: i64,
) -> Result<ReceiptOutcome, StoreError> {
    let step = ReceiptStep {
        receipt,
        debtor_id,
        payments,
        returned_minor,
        gone_minor: None,
        note: "",
        word: None,
        now: NOW,
        events: &[],
    };
    store.step_receipt(&step, &of_promise).await
}

pub(super) async fn taken(store: &Subject, row: &Receipt) {
    let (kept, repeated) = store.take_receipt(row, &[]).await.expect("taken");
    assert_eq!((&kept, repeated), (row, false));
}

pub(super) fn page(limit: u32, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

async fn a_receipt_is_taken_once(store: &Subject) {
    let (scene, other) = (Scene::new(store).await, Scene::new(store).await);
    let row = receipt(&scene, 50_000);
    taken(store, &row).await;
    let again = Receipt {
        reference: row.reference.clone(),
        ..receipt(&scene, 50_000)
    };
    let told = [event("receipt.taken", "twice")];
    let (first, repeated) = store.take_receipt(&again, &told).await.expect("taken");
    assert_eq!(
        (first, repeated),
        (row.clone(), true),
        "the first one stands"
    );
    // Another amount under the same words is no repeat: it waits under words of its own, once.
    for turn in 0..2 {
        let other = Receipt {
            reference: row.reference.clone(),
            ..receipt(&scene, 77)
        };
        let (kept, repeated) = store.take_receipt(&other, &[]).await.expect("taken");
        assert_eq!((kept.left_minor, repeated), (77, turn > 0));
        assert_eq!(
            (kept.state, &*kept.note),
            (ReceiptState::Unmatched, OTHER_AMOUNT)
        );
        assert_eq!(kept.reference, format!("{}~77MXN", row.reference));
    }
    let elsewhere = Receipt {
        reference: row.reference.clone(),
        ..receipt(&other, 77)
    };
    taken(store, &elsewhere).await;
    let both = store
        .receipts_by_reference(&row.reference)
        .await
        .expect("read");
    assert_eq!(
        both.len(),
        2,
        "the same words of two clients are two receipts"
    );
    assert_eq!(store.get_receipt(row.id).await.expect("read"), row);
    let known = store
        .known_references(scene.client.id, &[row.reference.clone(), "none".into()])
        .await;
    assert_eq!(known.expect("read"), vec![row.reference]);
}

async fn a_step_that_does_not_fit_changes_nothing(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, stranger) = (scene.person(store).await, scene.person(store).await);
    let (debt, id) = (&person.debt, person.debtor.id);
    let row = receipt(&scene, 120_000);
    taken(store, &row).await;
    let foreign = Receipt {
        amount: Money::new(10, "COP".parse().expect("a currency")),
        left_minor: 10,
        ..receipt(&scene, 10)
    };
    taken(store, &foreign).await;
    let alien = share(&row, debt, 5);
    for (payments, returned) in [
        (vec![share(&row, debt, 120_001)], 0),
        (vec![share(&row, debt, 100_001)], 0),
        (
            vec![share(&row, debt, 60_000), share(&row, debt, 60_000)],
            0,
        ),
        (vec![share(&row, &stranger.debt, 10)], 0),
        (vec![share(&row, debt, 70_000)], 50_001),
        (vec![back(&alien, 5)], 0),
        (vec![], 120_001),
    ] {
        let refused = step(store, row.id, Some(id), &payments, returned).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict(_))),
            "{refused:?}"
        );
    }
    let shares = [share(&foreign, debt, 10)];
    let refused = step(store, foreign.id, Some(id), &shares, 0).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(store.get_receipt(row.id).await.expect("read"), row);
    assert_eq!(store.get_debt(debt.id).await.expect("read"), *debt);
    let none = store.payments_of_receipt(row.id).await.expect("read");
    assert!(none.is_empty());
    let over = step(store, row.id, Some(id), &[share(&row, debt, 100_000)], 0).await;
    let over = over.expect("posted").receipt;
    assert_eq!((over.state, over.left_minor), (ReceiptState::Over, 20_000));
    let gone = step(store, row.id, Some(id), &[], 20_000)
        .await
        .expect("returned");
    let gone = gone.receipt;
    assert_eq!((gone.state, gone.left_minor), (ReceiptState::Posted, 0));
    assert_eq!(gone.returned_minor, 20_000);
}

async fn money_put_wrong_comes_off_again(store: &Subject) {
    let scene = Scene::new(store).await;
    let (wrong, right) = (scene.person(store).await, scene.person(store).await);
    let row = receipt(&scene, 30_000);
    taken(store, &row).await;
    let first = share(&row, &wrong.debt, 30_000);
    let done = step(
        store,
        row.id,
        Some(wrong.debtor.id),
        std::slice::from_ref(&first),
        0,
    )
    .await;
    let done = done.expect("posted");
    assert_eq!(done.receipt.state, ReceiptState::Posted);
    assert_eq!(done.payments[0].balance_minor, 70_000);
    let off = step(store, row.id, None, &[back(&first, 30_000)], 0).await;
    let off = off.expect("off").receipt;
    assert_eq!(
        (off.state, off.left_minor, off.debtor_id),
        (ReceiptState::Unmatched, 30_000, None)
    );
    let debt = store.get_debt(wrong.debt.id).await.expect("read");
    let parts = |d: &Debt| {
        (
            d.fees_minor,
            d.interest_minor,
            d.principal_minor,
            d.overdue_minor,
        )
    };
    assert_eq!(parts(&debt), parts(&wrong.debt), "as if it had never come");
    let twice = step(store, row.id, None, &[back(&first, 1)], 0).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    let shares = [share(&row, &right.debt, 30_000)];
    step(store, row.id, Some(right.debtor.id), &shares, 0)
        .await
        .expect("posted");
    let rows = store.payments_of_receipt(row.id).await.expect("read");
    assert_eq!(rows.len(), 3, "what was wrong stays told");
    assert!(rows.is_sorted_by_key(|p| p.id));
}

async fn a_reversal_gives_back_what_was_taken(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let policy = MoneyPolicy {
        parts: PartOrder::InterestFirst,
        creditor_data: "CLABE".into(),
        version: 1,
        ..MoneyPolicy::of(scene.client.id)
    };
    let kept = store.money_policy(scene.client.id).await.expect("read");
    assert_eq!(kept, MoneyPolicy::of(scene.client.id));
    store.put_money_policy(&policy, &[]).await.expect("put");
    let late = store.put_money_policy(&policy, &[]).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    assert_eq!(
        store.money_policy(scene.client.id).await.expect("read"),
        policy
    );
    // 100,000 owed: fees 10,000, interest 20,000, principal 70,000; 50,000 overdue.
    let payment = person.payment(25_000);
    store
        .post_payment(&payment, &[], &of_promise)
        .await
        .expect("posted");
    let parts = store.parts_of(&[payment.id]).await.expect("read");
    let of = parts[0].parts;
    assert_eq!(
        (
            of.fees_minor,
            of.interest_minor,
            of.principal_minor,
            of.overdue_minor
        ),
        (5_000, 20_000, 0, 25_000)
    );
    let some = back(&payment, 7_000);
    store
        .post_payment(&some, &[], &of_promise)
        .await
        .expect("some");
    let debt = store.get_debt(person.debt.id).await.expect("read");
    assert_eq!(
        (debt.fees_minor, debt.interest_minor, debt.overdue_minor),
        (5_000, 7_000, 32_000),
        "last taken, first given back"
    );
    let too_much = store
        .post_payment(&back(&payment, 18_001), &[], &of_promise)
        .await;
    assert!(
        matches!(too_much, Err(StoreError::Conflict(_))),
        "{too_much:?}"
    );
    let rest = back(&payment, 18_000);
    store
        .post_payment(&rest, &[], &of_promise)
        .await
        .expect("rest");
    let debt = store.get_debt(person.debt.id).await.expect("read");
    let parts = |d: &Debt| {
        (
            d.fees_minor,
            d.interest_minor,
            d.principal_minor,
            d.overdue_minor,
        )
    };
    assert_eq!(parts(&debt), parts(&person.debt));
}

async fn the_payer_is_found_without_his_name(store: &Subject) {
    let scene = Scene::new(store).await;
    let (one, two) = (scene.person(store).await, scene.person(store).await);
    let clues = |words: &[&str], document: &str, minor| Clues {
        client_id: scene.client.id,
        words: words.iter().map(|w| (*w).to_owned()).collect(),
        document: document.to_owned(),
        amount: Money::new(minor, mxn()),
    };
    let ask = async |clues: Clues| -> Vec<(DebtorId, String)> {
        let found = store.suggest_payers(&clues).await.expect("asked");
        let plain = |s: &domain::ports::store::Suggestion| (s.debtor_id, s.reasons.join("+"));
        found.iter().map(plain).collect()
    };
    let by_debt = ask(clues(&["x", &one.debt.external_ref], "", 1)).await;
    assert_eq!(by_debt, vec![(one.debtor.id, "reference".into())]);
    let by_debtor = ask(clues(&[&two.debtor.external_ref], "", 1)).await;
    assert_eq!(by_debtor, vec![(two.debtor.id, "reference".into())]);
    let written = one
        .debtor
        .document
        .reveal()
        .to_lowercase()
        .replace('-', ".");
    let by_document = ask(clues(&[], &written, 1)).await;
    assert_eq!(by_document, vec![(one.debtor.id, "document".into())]);
    let promise = two.promise(12_345);
    let terms = domain::ports::store::PromiseTerms {
        min_minor: 1,
        max_minor: 100_000,
    };
    let made = store
        .record_promise(&promise, terms, &[])
        .await
        .expect("made");
    made.expect("promised");
    let by_promise = ask(clues(&[], "", 12_345)).await;
    assert_eq!(by_promise, vec![(two.debtor.id, "promise".into())]);
    let by_amount = ask(clues(&[], "", 100_000)).await;
    assert_eq!(by_amount.len(), 2);
    assert!(by_amount.iter().all(|(_, why)| why == "amount"));
    assert!(ask(clues(&["Ana", "Ruiz"], "", 3)).await.is_empty());
    let other = Scene::new(store).await;
    let mut foreign = clues(&[&one.debt.external_ref], &written, 100_000);
    foreign.client_id = other.client.id;
    assert!(
        ask(foreign).await.is_empty(),
        "another client's debtors are no clue"
    );
}

async fn pages_and_filters(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let rows: Vec<Receipt> = (1..=3).map(|n| receipt(&scene, n * 100)).collect();
    for row in &rows {
        taken(store, row).await;
    }
    let first = share(&rows[0], &person.debt, 100);
    step(
        store,
        rows[0].id,
        Some(person.debtor.id),
        std::slice::from_ref(&first),
        0,
    )
    .await
    .expect("posted");
    let filter = ReceiptFilter {
        client_id: Some(scene.client.id),
        states: vec![ReceiptState::Unmatched, ReceiptState::Over],
        ..ReceiptFilter::default()
    };
    let one = store
        .receipts_page(&filter, &page(1, None))
        .await
        .expect("page");
    let two = store
        .receipts_page(&filter, &page(9, one.next_cursor))
        .await
        .expect("page");
    let ids: Vec<_> = one.items.iter().chain(&two.items).map(|r| r.id).collect();
    assert_eq!(ids, vec![rows[1].id, rows[2].id], "oldest first");
    let turned = back(&first, 40);
    store
        .post_payment(&turned, &[], &of_promise)
        .await
        .expect("back");
    let of = |reversals| PaymentFilter {
        client_id: Some(scene.client.id),
        portfolio_id: Some(scene.portfolio.id),
        debtor_id: Some(person.debtor.id),
        debt_id: Some(person.debt.id),
        from: Some(NOW.plus_ms(-1)),
        until: Some(NOW.plus_ms(1)),
        channel: Some("transfer".into()),
        reversals,
    };
    let all = store
        .payments_page(&of(None), &page(9, None))
        .await
        .expect("page");
    let ids: Vec<_> = all.items.iter().map(|p| p.id).collect();
    assert_eq!(ids, vec![turned.id, first.id], "newest first");
    let backs = store
        .payments_page(&of(Some(true)), &page(9, None))
        .await
        .expect("page");
    assert_eq!(backs.items.len(), 1);
    let by = store
        .payment_by_reference(scene.client.id, &first.reference)
        .await;
    assert_eq!(by.expect("read").map(|p| p.id), Some(first.id));
}
