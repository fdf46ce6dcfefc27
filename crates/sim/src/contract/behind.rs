//! What is written behind a reservation: the taking transaction asks anew.

use super::attempts::ended;
use super::judges::*;
use super::scene::*;
use domain::entity::dnc::keyed_hash;
use domain::entity::{CallResult, DncList, HoldKind, Suppression, SuppressionKind};
use domain::ids::{DncListId, SuppressionId};
use domain::ports::store::{ContactFacts, OpenOutcome};

/// Runs the part of the group `attempts`.
pub(super) async fn all(store: &Subject) {
    what_is_written_behind_a_reservation_counts(store).await;
}

/// What is written of somebody who is reserved.
#[derive(Debug, Clone, Copy)]
enum Written {
    Nothing,
    Listed,
    OfAList,
    Held,
    /// Another who has his number is called, and that is over.
    Called,
}

/// Writes it; the list that is left in force.
async fn write(store: &Subject, what: Written, facts: &ContactFacts) -> Option<DncList> {
    let number = facts.points[0].value.clone();
    match what {
        Written::Nothing => {}
        Written::Listed => {
            let row = Suppression {
                id: fresh::<SuppressionId>(),
                client_id: None,
                debtor_id: None,
                kind: SuppressionKind::Phone,
                value: number,
                reason: "request".into(),
                created_at: NOW,
                lifted_at: None,
            };
            store.put_suppression(&row, &[]).await.expect("listed");
        }
        Written::OfAList => {
            let list = DncList {
                id: fresh::<DncListId>(),
                client_id: None,
                name: name("list"),
                kind: SuppressionKind::Phone,
                hash_key: "00ff".into(),
                entries: 1,
                file_sha256: String::new(),
                as_of: NOW,
                created_at: NOW,
                retired_at: None,
            };
            let hash = keyed_hash(&list.hash_key, list.kind, number.reveal());
            let loaded = store.load_list(&list, &[hash], &[]).await;
            assert_eq!(loaded.expect("loaded"), 1);
            return Some(list);
        }
        Written::Held => {
            let person = Person {
                debtor: facts.debtor.clone(),
                debt: facts.debts[0].clone(),
                point: facts.points[0].clone(),
            };
            let hold = person.hold(HoldKind::Dispute);
            store.put_hold(&hold, &[]).await.expect("hold");
        }
        Written::Called => {
            let scene = Scene::new(store).await;
            let mut other = scene.draft_person();
            other.point.value = number;
            other.store(store).await;
            let lease = node(store).await;
            let attempt = other.open(store, &lease, NOW).await;
            let closing = ended(CallResult::NoAnswer);
            store
                .close_attempt(attempt.id, &closing)
                .await
                .expect("over");
        }
    }
    None
}

async fn what_is_written_behind_a_reservation_counts(store: &Subject) {
    for what in [
        Written::Nothing,
        Written::Listed,
        Written::OfAList,
        Written::Held,
        Written::Called,
    ] {
        let scene = Scene::new(store).await;
        let person = scene.person(store).await;
        let campaign = scene.campaign(store).await;
        let lease = node(store).await;
        let held = reserve(store, &campaign, &lease, 1).await;
        assert_eq!(held[0].item.debtor_id, person.debtor.id);
        let list = write(store, what, &held[0].facts).await;
        // One call is allowed, to nobody who is held or listed.
        let draft = person.draft(&lease, Some(campaign.id), NOW);
        let opened = store.open_attempt(&draft, &Cap(1)).await.expect("open");
        match what {
            Written::Nothing => assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}"),
            _ => assert!(
                matches!(opened, OpenOutcome::Refused(_)),
                "{what:?}: {opened:?}"
            ),
        }
        if let Some(mut list) = list {
            list.retired_at = Some(NOW);
            store.put_dnc_list(&list, &[]).await.expect("ended");
        }
    }
}
