//! Rows of a file that is not in yet: who is on file comes as he stands, who is new as the rows say.

use super::scene::{NOW, Scene, Subject, fresh};
use domain::entity::{HoldKind, Suppression, SuppressionKind};
use domain::ids::{DebtorId, PointId, SuppressionId};
use domain::law::{ClientLaw, ContractTerms};
use domain::ports::StoreError;

pub(super) async fn all(store: &Subject) {
    each_debtor_comes_once(store).await;
    what_is_known_of_person_and_number_comes_with_who_is_new(store).await;
}

async fn each_debtor_comes_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let (known, new) = (scene.person(store).await, scene.draft_person());
    let mut dearer = known.row(2);
    dearer.debtor.id = fresh::<DebtorId>();
    dearer.debt.principal_minor += 50_000;
    let first = new.row(3);
    // A row reads its debtor anew.
    let mut second = new.row(4);
    second.debtor.id = fresh::<DebtorId>();
    second.debt = scene.draft_debt(second.debtor.id, 40_000);
    for point in &mut second.points {
        point.id = fresh::<PointId>();
        point.debtor_id = second.debtor.id;
    }
    let rows = [dearer, first, second];
    let found = store.row_facts(&rows, NOW).await.expect("facts");
    let [stored] = &found.on_file[..] else {
        panic!("{} on file", found.on_file.len());
    };
    assert_eq!(stored.debtor.id, known.debtor.id);
    let owed: Vec<i64> = stored.debts.iter().map(|d| d.principal_minor).collect();
    assert_eq!(owed, [known.debt.principal_minor], "as it stands");
    let [draft] = &found.new[..] else {
        panic!("{} new", found.new.len());
    };
    assert_eq!(draft.debtor, new.debtor);
    assert_eq!(draft.portfolio.id, scene.portfolio.id);
    assert_eq!(draft.debts.len(), 2);
    assert!(draft.debts.iter().all(|d| d.debtor_id == new.debtor.id));
    assert_eq!(
        draft.points,
        std::slice::from_ref(&new.point),
        "a number once"
    );
    assert_eq!((draft.parties.len(), draft.consents.len()), (2, 2));
    assert!(draft.ledger.is_empty() && draft.client_law.is_none());
    let gone = store.get_debtor(new.debtor.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
    let none = store.row_facts(&[], NOW).await.expect("no rows");
    assert!(none.on_file.is_empty() && none.new.is_empty());
}

async fn what_is_known_of_person_and_number_comes_with_who_is_new(store: &Subject) {
    let (scene, elsewhere) = (Scene::new(store).await, Scene::new(store).await);
    let other = elsewhere.person(store).await;
    let mut new = scene.draft_person();
    new.debtor.person_id = other.debtor.person_id;
    let dead = other.hold(HoldKind::Deceased);
    store.put_hold(&dead, &[]).await.expect("hold");
    let listed = Suppression {
        id: fresh::<SuppressionId>(),
        client_id: None,
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: new.point.value.clone(),
        reason: "request".into(),
        created_at: NOW,
        lifted_at: None,
    };
    store.put_suppression(&listed, &[]).await.expect("listed");
    let law = ClientLaw {
        version: 1,
        terms: ContractTerms {
            strict_mode: true,
            ..ContractTerms::default()
        },
        updated_at: NOW,
        updated_by: "user:1".into(),
        ..ClientLaw::none(scene.client.id)
    };
    store.put_client_law(&law, &[]).await.expect("law");
    let found = store.row_facts(&[new.row(2)], NOW).await.expect("facts");
    let [draft] = &found.new[..] else {
        panic!("{} new", found.new.len());
    };
    assert_eq!(draft.holds, [dead]);
    let listings: Vec<SuppressionId> = draft.suppressions.iter().map(|s| s.id).collect();
    assert_eq!(listings, [listed.id]);
    assert_eq!(draft.client_law.as_deref(), Some(&law));
}
