//! Payment links, providers' words, files of banks.

use super::receipts::{page, receipt, taken};
use super::scene::*;
use domain::entity::{BankFile, BankFileState, LINK_TRIES_MAX, LinkState, PaymentLink};
use domain::ids::{BankFileId, PaymentLinkId};
use domain::money::Money;
use domain::ports::store::{LinkFilter, ReceiptStep, StoreError, WebhookNote};
use domain::time::DAY_MS;

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    a_link_is_opened_paid_and_closed(store).await;
    links_are_found_by_what_became_of_them(store).await;
    a_word_is_done_once(store).await;
    a_word_is_done_with_its_money(store).await;
    the_rest_of_a_sum_is_taken_once(store).await;
    a_file_is_taken_once(store).await;
    a_file_whose_reader_is_gone_goes_on_with_one_reader(store).await;
    a_row_of_a_bank_is_found_by_its_own_reference(store).await;
}

pub(super) fn link(person: &Person) -> PaymentLink {
    PaymentLink {
        id: fresh::<PaymentLinkId>(),
        client_id: person.debtor.client_id,
        debtor_id: person.debtor.id,
        debt_id: person.debt.id,
        amount: Money::new(5_000, mxn()),
        point_id: None,
        state: LinkState::Created,
        tries: 0,
        session: None,
        session_url: None,
        made_by: "agent:1".into(),
        created_at: NOW,
        expires_at: NOW.plus_ms(DAY_MS),
        opened_at: None,
        paid_at: None,
    }
}

async fn a_link_is_opened_paid_and_closed(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let row = link(&person);
    store.put_payment_link(&row, &[]).await.expect("made");
    let wrong = store
        .answer_link(row.id, false, NOW, &[])
        .await
        .expect("wrong");
    assert_eq!((wrong.state, wrong.tries), (LinkState::Created, 1));
    let right = store
        .answer_link(row.id, true, NOW, &[])
        .await
        .expect("right");
    assert_eq!(
        (right.state, right.opened_at),
        (LinkState::Opened, Some(NOW))
    );
    let later = NOW.plus_ms(9);
    let again = store
        .answer_link(row.id, true, later, &[])
        .await
        .expect("again");
    assert_eq!(again.opened_at, Some(NOW), "first opened");
    let led = store
        .link_session(row.id, "cs_1", "https://x")
        .await
        .expect("led");
    assert_eq!(led.session.as_deref(), Some("cs_1"));
    let paid = store.close_link(row.id, LinkState::Paid, later, &[]).await;
    assert!(paid.expect("paid"));
    for to in [LinkState::Paid, LinkState::Cancelled, LinkState::Expired] {
        let moved = store.close_link(row.id, to, later, &[]).await;
        assert!(!moved.expect("closed"), "{to}");
    }
    let kept = store.get_payment_link(row.id).await.expect("read");
    assert_eq!((kept.state, kept.paid_at), (LinkState::Paid, Some(later)));
    guessing_closes_a_link(store, &person, row.id).await;
}

/// Who guesses is shut out; what was paid all the same is paid.
async fn guessing_closes_a_link(store: &Subject, person: &Person, first: PaymentLinkId) {
    let guessed = link(person);
    store.put_payment_link(&guessed, &[]).await.expect("made");
    for _ in 0..LINK_TRIES_MAX + 2 {
        store
            .answer_link(guessed.id, false, NOW, &[])
            .await
            .expect("wrong");
    }
    let shut = store
        .answer_link(guessed.id, true, NOW, &[])
        .await
        .expect("right");
    assert_eq!(
        (shut.state, shut.tries),
        (LinkState::Created, LINK_TRIES_MAX)
    );
    let over = store
        .expire_links(guessed.expires_at, 1_000)
        .await
        .expect("expired");
    assert!(over.iter().any(|l| l.id == guessed.id) && over.iter().all(|l| l.id != first));
    let late = store
        .close_link(guessed.id, LinkState::Paid, NOW, &[])
        .await;
    assert!(late.expect("paid"), "money is money");
    let of = LinkFilter {
        debtor_id: Some(person.debtor.id),
        ..LinkFilter::default()
    };
    let rows = store.payment_links_page(&of, &page(1, None)).await;
    let rows = rows.expect("page");
    assert_eq!(rows.items[0].id, guessed.id, "newest first");
    let rest = store
        .payment_links_page(&of, &page(1, rows.next_cursor))
        .await;
    let rest = rest.expect("page");
    assert_eq!((rest.items[0].id, rest.next_cursor), (first, None));
}

async fn links_are_found_by_what_became_of_them(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let [locked, fresh, gone] = [(); 3].map(|()| link(&person));
    let other = PaymentLink {
        made_by: "agent:2".into(),
        ..link(&person)
    };
    for row in [&locked, &fresh, &gone, &other] {
        store.put_payment_link(row, &[]).await.expect("put");
    }
    for _ in 0..LINK_TRIES_MAX {
        let asked = store.answer_link(locked.id, false, NOW, &[]).await;
        asked.expect("asked");
    }
    let closed = store
        .close_link(gone.id, LinkState::Cancelled, NOW, &[])
        .await;
    assert!(closed.expect("closed"));
    let found = async |state, locked, made_by: Option<&str>| {
        let filter = LinkFilter {
            debtor_id: Some(person.debtor.id),
            made_by: made_by.map(str::to_owned),
            state,
            locked,
            ..LinkFilter::default()
        };
        let rows = store.payment_links_page(&filter, &page(10, None)).await;
        let ids = rows.expect("page").items.into_iter().map(|l| l.id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found(None, Some(true), None).await, [locked.id]);
    let open = found(Some(LinkState::Created), Some(false), None).await;
    assert_eq!(open, [other.id, fresh.id], "no one that is locked");
    let shut = found(Some(LinkState::Cancelled), Some(false), None).await;
    assert_eq!(shut, [gone.id]);
    assert_eq!(found(None, None, Some("agent:2")).await, [other.id]);
    assert_eq!(found(None, None, None).await.len(), 4);
}

async fn a_word_is_done_once(store: &Subject) {
    let money = name("pi");
    let note = WebhookNote {
        provider: "stripe".into(),
        event_id: name("evt"),
        what: "refunded".into(),
        money: Some(money.clone()),
        amount: Some(Money::new(100, mxn())),
        done: false,
        at: NOW,
    };
    assert!(store.note_webhook(&note).await.expect("noted"));
    assert!(
        store.note_webhook(&note).await.expect("noted"),
        "not done yet"
    );
    let waits = store
        .waiting_webhooks("stripe", &money)
        .await
        .expect("waits");
    assert_eq!(waits, vec![note.clone()]);
    store
        .webhook_done("stripe", &note.event_id)
        .await
        .expect("done");
    assert!(!store.note_webhook(&note).await.expect("noted"));
    let waits = store
        .waiting_webhooks("stripe", &money)
        .await
        .expect("waits");
    assert!(waits.is_empty());
    let about = store.webhooks_about("stripe", &money).await.expect("read");
    let about: Vec<_> = about.iter().map(|n| (&n.event_id, n.done)).collect();
    assert_eq!(
        about,
        vec![(&note.event_id, true)],
        "what is done stays told"
    );
}

async fn a_word_is_done_with_its_money(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = receipt(&scene, 10_000);
    taken(store, &row).await;
    let note = WebhookNote {
        provider: "stripe".into(),
        event_id: name("evt"),
        what: "withdrawn:dp".into(),
        money: Some(name("pi")),
        amount: Some(Money::new(4_000, mxn())),
        done: false,
        at: NOW,
    };
    let step = ReceiptStep {
        receipt: row.id,
        debtor_id: None,
        payments: &[],
        returned_minor: 4_000,
        gone_minor: None,
        note: "disputed",
        word: Some(("stripe", &note.event_id)),
        now: NOW,
        events: &[],
    };
    let unknown = store.step_receipt(&step, &of_promise).await;
    assert!(matches!(unknown, Err(StoreError::Conflict(_))), "not noted");
    assert!(store.note_webhook(&note).await.expect("noted"));
    let done = store.step_receipt(&step, &of_promise).await.expect("taken");
    assert_eq!(done.receipt.returned_minor, 4_000);
    assert!(!store.note_webhook(&note).await.expect("noted"), "done");
    let again = store.step_receipt(&step, &of_promise).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let kept = store.get_receipt(row.id).await.expect("read");
    assert_eq!((kept.left_minor, kept.returned_minor), (6_000, 4_000));
}

/// Two who read the same and take the rest of the same sum.
async fn the_rest_of_a_sum_is_taken_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = receipt(&scene, 10_000);
    taken(store, &row).await;
    let take = async |minor: i64, gone: Option<i64>| {
        let step = ReceiptStep {
            receipt: row.id,
            debtor_id: None,
            payments: &[],
            returned_minor: minor,
            gone_minor: gone,
            note: "refunded",
            word: None,
            now: NOW,
            events: &[],
        };
        store.step_receipt(&step, &of_promise).await
    };
    let both = tokio::join!(take(1_000, Some(0)), take(2_000, Some(0)));
    let refused = |done: &Result<_, StoreError>| matches!(done, Err(StoreError::Conflict(_)));
    let (first, second) = (refused(&both.0), refused(&both.1));
    assert!(first != second, "one of them: {both:?}");
    let kept = store.get_receipt(row.id).await.expect("read");
    let gone = if first { 2_000 } else { 1_000 };
    assert_eq!(
        (kept.returned_minor, kept.left_minor),
        (gone, 10_000 - gone)
    );
    let third = take(1_000, Some(gone)).await.expect("read anew");
    assert_eq!(third.receipt.returned_minor, gone + 1_000);
    let own = take(500, None).await.expect("a sum of its own");
    assert_eq!(own.receipt.returned_minor, gone + 1_500);
}

fn bank_file(scene: &Scene) -> BankFile {
    BankFile {
        id: fresh::<BankFileId>(),
        client_id: scene.client.id,
        name: "noviembre.csv".into(),
        sha256: name("hash"),
        format: "csv".into(),
        state: BankFileState::Reading,
        rows: 3,
        posted: 0,
        unmatched: 0,
        repeated: 0,
        refused: 0,
        not_money: 0,
        taken_back: 0,
        made_by: "user:1".into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

async fn a_file_is_taken_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = bank_file(&scene);
    let (kept, before) = store.take_bank_file(&row, &[]).await.expect("taken");
    assert_eq!((&kept, before), (&row, false));
    let done = BankFile {
        state: BankFileState::Done,
        posted: 2,
        refused: 1,
        ..row.clone()
    };
    store.put_bank_file(&done).await.expect("put");
    let again = BankFile {
        id: fresh::<BankFileId>(),
        ..row
    };
    let (kept, before) = store.take_bank_file(&again, &[]).await.expect("taken");
    assert_eq!((&kept, before), (&done, true));
    let files = store
        .bank_files_page(Some(scene.client.id), &page(5, None))
        .await;
    assert_eq!(files.expect("page").items, vec![done]);
}

async fn a_file_whose_reader_is_gone_goes_on_with_one_reader(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = bank_file(&scene);
    let taken = store.take_bank_file(&row, &[]).await;
    taken.expect("taken");
    let of_scene = |rows: Vec<BankFile>| -> Vec<BankFile> {
        let own = rows.into_iter().filter(|f| f.id == row.id);
        own.collect()
    };
    let later = NOW.plus_ms(5);
    let resume = async |before| {
        let done = store.resume_bank_file(row.id, before, later).await;
        done.expect("asked")
    };
    assert!(!resume(NOW).await, "somebody reads it");
    let none = store.half_bank_files(NOW, later).await.expect("swept");
    assert!(of_scene(none).is_empty());
    let gone = store.half_bank_files(NOW.plus_ms(1), later).await;
    let gone = of_scene(gone.expect("swept"));
    assert_eq!(gone.len(), 1);
    assert_eq!(
        (gone[0].state, gone[0].updated_at),
        (BankFileState::Half, later)
    );
    assert_eq!(store.get_bank_file(row.id).await.expect("read"), gone[0]);
    assert!(resume(NOW).await, "nobody reads it");
    assert!(!resume(NOW).await, "now somebody does");
    assert!(resume(NOW.plus_ms(6)).await, "who is gone as well");
    let done = BankFile {
        state: BankFileState::Done,
        ..row.clone()
    };
    store.put_bank_file(&done).await.expect("put");
    assert!(!resume(NOW.plus_ms(9)).await, "done is done");
}

async fn a_row_of_a_bank_is_found_by_its_own_reference(store: &Subject) {
    let scene = Scene::new(store).await;
    let own = name("rastreo");
    let mut row = receipt(&scene, 50_000);
    row.reference = format!("{own} 00112233aabbccdd");
    taken(store, &row).await;
    let mut longer = receipt(&scene, 50_000);
    longer.reference = format!("{own}9 00112233aabbccdd");
    taken(store, &longer).await;
    let find = async |own: &str, minor: i64| {
        let amount = domain::money::Money::new(minor, mxn());
        let found = store.bank_receipts(scene.client.id, own, amount).await;
        let ids = found.expect("found").into_iter().map(|r| r.id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(find(&own, 50_000).await, vec![row.id]);
    assert!(find(&own, 50_001).await.is_empty());
    assert!(find("%", 50_000).await.is_empty(), "words, no pattern");
}
