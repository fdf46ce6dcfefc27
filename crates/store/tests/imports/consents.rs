//! A file of consents is taken back: what it granted goes, what it took back stands again; what a person has taken
//! back since stays so.

use super::undo;
use domain::entity::{Channel, Consent};
use domain::ids::ConsentId;
use domain::ports::store::{ListFilter, PageRequest};
use domain::rules::consents::{ConsentAct, ConsentDebtor};
use domain::time::DAY_MS;
use sim::contract::consent_files::{accept, consents_file, known, row};
use sim::contract::scene::*;

pub(super) async fn a_file_of_consents_is_taken_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let allowed = Consent {
        id: fresh::<ConsentId>(),
        debtor_id: a.debtor.id,
        channel: Channel::Sms,
        purpose: "contact".into(),
        granted_at: NOW.plus_ms(-30 * DAY_MS),
        until: None,
        revoked_at: None,
        proof: "contract".into(),
        revoke_proof: None,
    };
    store.put_consent(&allowed, &[]).await.expect("consent");
    let stood = [(allowed.granted_at, None, None)];
    let import = consents_file(&scene);
    store.put_import(&import, &[]).await.expect("file");
    let of = |p: &Person| ConsentDebtor::Ref(p.debtor.external_ref.clone());
    let mut email = row(4, of(&b), ConsentAct::Granted, NOW);
    email.channel = Channel::Email;
    let rows = [
        row(2, of(&a), ConsentAct::Revoked, NOW),
        row(3, of(&b), ConsentAct::Granted, NOW),
        email,
    ];
    let portfolio = scene.portfolio.id;
    let taken = store.take_consents(import.id, portfolio, &rows, true).await;
    assert_eq!(taken.expect("taken").faults, []);
    accept(store, &import).await;
    let ended = (allowed.granted_at, Some(NOW), Some("form 2".to_owned()));
    assert_eq!(known(store, a.debtor.id).await, [ended]);
    // A person takes the new one by e-mail back behind the file.
    let filter = ListFilter {
        debtor_id: Some(b.debtor.id),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: 50,
        cursor: None,
    };
    let listed = async || {
        store
            .list_consents(&filter, &page)
            .await
            .expect("list")
            .items
    };
    let mut by_hand = listed().await;
    assert_eq!(by_hand.len(), 2);
    by_hand.retain(|c| c.channel == Channel::Email);
    by_hand[0].revoked_at = Some(NOW.plus_ms(2 * DAY_MS));
    store.put_consent(&by_hand[0], &[]).await.expect("revoked");
    assert_eq!(undo(store, import.id).await, (2, 1));
    assert_eq!(known(store, a.debtor.id).await, stood, "as before");
    assert_eq!(listed().await, by_hand, "what he took back since stays");
}
