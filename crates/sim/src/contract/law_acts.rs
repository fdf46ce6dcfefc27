//! What was done, page by page, presumptions that were relaxed, and numbers whose way back was tested.

use super::judges::Allow;
use super::scene::{NOW, Scene, Subject, event, fresh, node};
use domain::entity::{CallerId, LedgerKind, LedgerRow, Override, RELAX_RIGHT};
use domain::ids::{CallerIdId, OverrideId};
use domain::ports::store::{ActAsk, AttemptChange, ListFilter, PageRequest};
use domain::time::{HOUR_MS, MINUTE_MS};

pub(super) async fn all(store: &Subject) {
    acts_are_told_page_by_page(store).await;
    what_was_relaxed_comes_with_the_facts(store).await;
    a_number_that_was_called_is_tested(store).await;
}

/// Acts of a client: what came of them, other times and other clients are left out.
async fn acts_are_told_page_by_page(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut made: Vec<LedgerRow> = Vec::new();
    for n in 0..5 {
        let person = scene.person(store).await;
        let draft = person.draft(&lease, None, NOW.plus_ms(n * MINUTE_MS));
        store.open_attempt(&draft, &Allow).await.expect("open");
        let talked = LedgerRow {
            id: fresh(),
            kind: LedgerKind::Conversation,
            ..draft.ledger.clone()
        };
        let change = AttemptChange {
            ledger: vec![talked],
            ..AttemptChange::default()
        };
        let told = store.note_attempt(draft.attempt.id, &change, &[]).await;
        told.expect("noted");
        made.push(draft.ledger);
    }
    let ask = ActAsk {
        client: Some(scene.client.id),
        since: NOW.plus_ms(MINUTE_MS),
        until: NOW.plus_ms(4 * MINUTE_MS),
    };
    assert_eq!(store.acts_count(&ask).await.expect("counted"), 3);
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = store.acts(&ask, after, 2).await.expect("a page");
        assert!(page.len() <= 2);
        after = page.last().map(|r| (r.at, r.id));
        let whole = page.len() == 2;
        found.extend(page);
        if !whole {
            break;
        }
    }
    assert_eq!(found, made[1..4]);
    let everybody = ActAsk {
        client: None,
        ..ask
    };
    assert!(store.acts_count(&everybody).await.expect("counted") >= 3);
    let elsewhere = ActAsk {
        client: Some(fresh()),
        ..ask
    };
    assert_eq!(store.acts_count(&elsewhere).await.expect("counted"), 0);
}

async fn what_was_relaxed_comes_with_the_facts(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, other) = (scene.person(store).await, scene.person(store).await);
    let mut row = Override {
        id: fresh::<OverrideId>(),
        client_id: scene.client.id,
        debtor_id: person.debtor.id,
        rule: "us-federal/reg_f_7in7".into(),
        reason: "he asked for it".into(),
        granted_by: "user:1".into(),
        granted_right: RELAX_RIGHT.into(),
        granted_at: NOW,
        until: NOW.plus_ms(HOUR_MS),
        withdrawn_at: None,
    };
    let told = [event("audit.written", &format!("law_override:{}", row.id))];
    store.put_override(&row, &told).await.expect("put");
    let facts = store.contact_facts(person.debtor.id, NOW).await;
    assert_eq!(facts.expect("facts").overrides, vec![row.clone()]);
    let facts = store.contact_facts(other.debtor.id, NOW).await;
    assert!(facts.expect("facts").overrides.is_empty());
    row.withdrawn_at = Some(NOW.plus_ms(MINUTE_MS));
    store.put_override(&row, &[]).await.expect("put");
    let then = store.facts_at(person.debtor.id, NOW.plus_ms(1)).await;
    assert_eq!(then.expect("facts").overrides, vec![row.clone()]);
    assert_eq!(store.get_override(row.id).await.expect("there"), row);
    let his = ListFilter {
        debtor_id: Some(person.debtor.id),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: 10,
        cursor: None,
    };
    let listed = store.list_overrides(&his, &page).await.expect("listed");
    assert_eq!(listed.items, vec![row]);
}

async fn a_number_that_was_called_is_tested(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = CallerId {
        id: fresh::<CallerIdId>(),
        client_id: scene.client.id,
        number: "+442071830000".into(),
        country: "GB".into(),
        registered: false,
        enabled: true,
        signed: true,
        callback_at: None,
        created_at: NOW,
    };
    store.put_caller_id(&row, &[]).await.expect("put");
    assert_eq!(store.get_caller_id(row.id).await.expect("there"), row);
    let reached = async |at| {
        store.caller_id_reached(row.id, at).await.expect("noted");
        let stored = store.get_caller_id(row.id).await;
        stored.expect("there").callback_at
    };
    assert_eq!(reached(NOW).await, Some(NOW));
    let late = NOW.plus_ms(HOUR_MS);
    assert_eq!(reached(late).await, Some(late));
    assert_eq!(reached(NOW).await, Some(late), "the last one counts");
    let health = store.caller_health(scene.client.id, NOW).await;
    assert_eq!(health.expect("health")[0].callback_at, Some(late));
}
