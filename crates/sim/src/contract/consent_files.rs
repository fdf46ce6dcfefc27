//! Files of consents: what they say counts for nobody before the file is in, and each row of nobody is refused.

use super::imports::file;
use super::scene::*;
use domain::entity::dnc::listed_form;
use domain::entity::{Channel, Consent, Import, ImportKind, ImportState, SuppressionKind};
use domain::ids::{ConsentId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{ItemState, ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::rules::consents::{ConsentAct, ConsentDebtor, ConsentRow};
use domain::time::{DAY_MS, UtcMs};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    what_it_says_counts_when_it_is_in(store).await;
    rows_of_nobody_are_refused(store).await;
    what_broke_off_goes_on(store).await;
    who_was_refused_is_due_again(store).await;
}

/// A row of a file of consents to messages by SMS.
#[must_use]
pub fn row(line: u64, of: ConsentDebtor, act: ConsentAct, at: UtcMs) -> ConsentRow {
    ConsentRow {
        id: fresh::<ConsentId>(),
        line,
        column: "external_ref".into(),
        debtor: of,
        channel: Channel::Sms,
        purpose: "contact".into(),
        act,
        at,
        until: None,
        proof: format!("form {line}"),
    }
}

/// A file of consents that is being accepted.
#[must_use]
pub fn consents_file(scene: &Scene) -> Import {
    Import {
        kind: ImportKind::Consents,
        ..file(scene, ImportState::Accepting)
    }
}

fn by_ref(of: &Person) -> ConsentDebtor {
    ConsentDebtor::Ref(of.debtor.external_ref.clone())
}

fn by_document(of: &Person) -> ConsentDebtor {
    let document = of.debtor.document.reveal();
    ConsentDebtor::Document(listed_form(SuppressionKind::Document, document))
}

/// Consents to SMS of a debtor, oldest first: granted, revoked, proof of the revocation.
pub async fn known(
    store: &Subject,
    debtor: DebtorId,
) -> Vec<(UtcMs, Option<UtcMs>, Option<String>)> {
    let filter = ListFilter {
        debtor_id: Some(debtor),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let rows = store.list_consents(&filter, &page).await.expect("consents");
    let sms = rows.items.into_iter().filter(|c| c.channel == Channel::Sms);
    let of = |c: Consent| (c.granted_at, c.revoked_at, c.revoke_proof);
    let mut all: Vec<_> = sms.map(of).collect();
    all.sort();
    all
}

/// Says that a file is in.
pub async fn accept(store: &Subject, import: &Import) {
    let mut row = store.get_import(import.id).await.expect("file");
    row.state = ImportState::Accepted;
    row.accepted_at = Some(NOW.plus_ms(DAY_MS));
    store.put_import(&row, &[]).await.expect("accepted");
}

async fn what_it_says_counts_when_it_is_in(store: &Subject) {
    use ConsentAct::{Granted, Revoked};
    let scene = Scene::new(store).await;
    let (a, b, c) = (
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    );
    let import = consents_file(&scene);
    store.put_import(&import, &[]).await.expect("file");
    let (first, second) = (NOW.plus_ms(-10 * DAY_MS), NOW.plus_ms(-DAY_MS));
    let rows = [
        row(2, by_ref(&a), Granted, first),
        row(3, by_document(&b), Granted, first),
        row(4, by_ref(&b), Revoked, second),
        row(5, by_ref(&c), Revoked, second),
    ];
    let of = (import.id, scene.portfolio.id);
    let shown = store.take_consents(of.0, of.1, &rows, false).await;
    let shown = shown.expect("shown");
    assert_eq!(shown.faults, []);
    let sums = (shown.report.consents_granted, shown.report.consents_revoked);
    assert_eq!((shown.report.rows, sums), (4, (2, 2)));
    assert_eq!(shown.report.fields.get("consent.sms"), Some(&1));
    let stored = store.get_import(import.id).await.expect("file");
    assert_eq!(stored.rows_done, 0, "a look keeps nothing");
    let taken = store.take_consents(of.0, of.1, &rows, true).await;
    assert_eq!(taken.expect("taken"), shown);
    let stored = store.get_import(import.id).await.expect("file");
    assert_eq!((stored.rows_done, stored.report.consents_granted), (5, 2));
    for of in [&a, &b, &c] {
        assert_eq!(known(store, of.debtor.id).await, [], "nobody sees it yet");
    }
    accept(store, &import).await;
    assert_eq!(known(store, a.debtor.id).await, [(first, None, None)]);
    let proof = Some("form 4".to_owned());
    let ended = (first, Some(second), proof);
    assert_eq!(known(store, b.debtor.id).await, [ended]);
    let proof = Some("form 5".to_owned());
    let told = (second, Some(second), proof);
    assert_eq!(known(store, c.debtor.id).await, [told]);
    // The same file again says nothing new.
    let again = consents_file(&scene);
    store.put_import(&again, &[]).await.expect("file");
    let same = store.take_consents(again.id, of.1, &rows, false).await;
    assert_eq!(same.expect("shown").report.unchanged, 4);
}

async fn rows_of_nobody_are_refused(store: &Subject) {
    use ConsentAct::Granted;
    let scene = Scene::new(store).await;
    let elsewhere = Scene::new(store).await;
    let (a, other) = (scene.person(store).await, elsewhere.person(store).await);
    let mut twin = scene.draft_person();
    twin.debtor.document = a.debtor.document.clone();
    twin.debtor.person_id = a.debtor.person_id;
    twin.store(store).await;
    let import = consents_file(&scene);
    store.put_import(&import, &[]).await.expect("file");
    let rows = [
        row(2, ConsentDebtor::Ref("nobody".into()), Granted, NOW),
        row(3, by_ref(&other), Granted, NOW),
        row(4, by_document(&a), Granted, NOW),
        row(5, by_ref(&a), Granted, NOW),
    ];
    let portfolio = scene.portfolio.id;
    let taken = store.take_consents(import.id, portfolio, &rows, true).await;
    let taken = taken.expect("taken");
    let why: Vec<_> = taken
        .faults
        .iter()
        .map(|f| (f.row, f.column.as_str(), f.reason.contains("several")))
        .collect();
    let column = "external_ref";
    assert_eq!(
        why,
        [(2, column, false), (3, column, false), (4, column, true)]
    );
    accept(store, &import).await;
    assert_eq!(known(store, a.debtor.id).await, [(NOW, None, None)]);
    assert_eq!(known(store, twin.debtor.id).await, []);
    assert_eq!(known(store, other.debtor.id).await, []);
}

async fn what_broke_off_goes_on(store: &Subject) {
    use ConsentAct::Granted;
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let import = consents_file(&scene);
    store.put_import(&import, &[]).await.expect("file");
    let rows = [
        row(2, by_ref(&a), Granted, NOW),
        row(3, by_ref(&b), Granted, NOW),
    ];
    let portfolio = scene.portfolio.id;
    let take =
        async |rows: &[ConsentRow]| store.take_consents(import.id, portfolio, rows, true).await;
    take(&rows[..1]).await.expect("the first");
    // Whoever lost his turn and wakes up finds them written.
    let late = take(&rows).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    take(&rows[1..]).await.expect("behind it");
    accept(store, &import).await;
    for of in [&a, &b] {
        assert_eq!(known(store, of.debtor.id).await, [(NOW, None, None)]);
    }
}

/// Who waited because he was refused is looked at again as soon as the file is in; whom it does not name, and who
/// waits for something else, waits on.
async fn who_was_refused_is_due_again(store: &Subject) {
    let scene = Scene::new(store).await;
    let campaign = scene.campaign(store).await;
    let (refused, busy, ended, other) = (
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    );
    let (later, accepted) = (NOW.plus_ms(9 * DAY_MS), NOW.plus_ms(DAY_MS));
    let put = async |of: &Person, note: &str, done: bool| {
        let item = ItemState {
            campaign_id: campaign.id,
            debtor_id: of.debtor.id,
            next_at: later,
            priority: 0,
            attempts: 1,
            last_result: None,
            next_point: None,
            done,
            note: note.into(),
        };
        store.put_item(&item, &[]).await.expect("put");
    };
    put(&refused, "blocked_rule", false).await;
    put(&busy, "retry", false).await;
    put(&ended, "blocked_rule", true).await;
    put(&other, "blocked_rule", false).await;
    let import = consents_file(&scene);
    store.put_import(&import, &[]).await.expect("file");
    let named = [&refused, &busy, &ended].into_iter().zip(2..);
    let rows: Vec<ConsentRow> = named
        .map(|(of, line)| row(line, by_ref(of), ConsentAct::Granted, NOW))
        .collect();
    let taken = store
        .take_consents(import.id, scene.portfolio.id, &rows, true)
        .await;
    assert_eq!(taken.expect("taken").faults, []);
    let next_at = async |of: &Person| {
        let items = store.items_of(of.debtor.id).await.expect("items");
        items[0].next_at
    };
    assert_eq!(next_at(&refused).await, later, "the file is not in yet");
    accept(store, &import).await;
    for (of, at) in [
        (&refused, accepted),
        (&busy, later),
        (&ended, later),
        (&other, later),
    ] {
        assert_eq!(next_at(of).await, at);
    }
}
