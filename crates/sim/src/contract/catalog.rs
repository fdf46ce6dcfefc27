//! Plain entities: get, list by page, put with events, unique names.

use super::scene::*;
use domain::entity::{Agent, Disposition, HoldKind, Role, User};
use domain::ids::{AgentId, ClientId, DebtorId, TeamId, UserId};
use domain::ports::StoreError;
use domain::ports::store::{ListFilter, PageRequest};

/// Runs the group.
pub async fn all(store: Subject) {
    super::kept::all(&store).await;
    what_is_not_there(&store).await;
    pages_follow_each_other(&store).await;
    lists_are_narrowed(&store).await;
    names_are_unique(&store).await;
    dispositions(&store).await;
}

pub(super) fn page(limit: u32) -> PageRequest {
    PageRequest {
        limit,
        cursor: None,
    }
}

pub(super) fn of_client(id: ClientId) -> ListFilter {
    ListFilter {
        client_id: Some(id),
        ..ListFilter::default()
    }
}

pub(super) fn of_debtor(id: DebtorId) -> ListFilter {
    ListFilter {
        debtor_id: Some(id),
        ..ListFilter::default()
    }
}

/// A login of a fresh name.
pub(super) fn draft_user(client_id: Option<ClientId>) -> User {
    User {
        id: fresh::<UserId>(),
        username: name("user"),
        display_name: "Eva".into(),
        role: Role::Supervisor,
        client_id,
        password_hash: "$argon2id$".into(),
        totp_secret: None,
        active: true,
        created_at: NOW,
    }
}

/// An agent of a fresh name on his phone.
#[must_use]
pub fn draft_agent() -> Agent {
    Agent {
        id: fresh::<AgentId>(),
        user_id: fresh::<UserId>(),
        team_id: Some(fresh::<TeamId>()),
        name: "Eva".into(),
        sip_user: name("sip"),
        sip_password: "secret".into(),
        campaigns: vec![],
        skills: vec!["es".into()],
        created_at: NOW,
    }
}

async fn what_is_not_there(store: &Subject) {
    let missing = store.get_client(fresh::<ClientId>()).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("client"))),
        "{missing:?}"
    );
    let missing = store.get_debtor(fresh::<DebtorId>()).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("debtor"))),
        "{missing:?}"
    );
    let missing = store.get_disposition("XX.YY").await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("disposition"))),
        "{missing:?}"
    );
    let request = PageRequest {
        limit: 10,
        cursor: Some("not a cursor".into()),
    };
    let bad = store.list_clients(&ListFilter::default(), &request).await;
    assert!(
        matches!(bad, Err(StoreError::NotFound("cursor"))),
        "{bad:?}"
    );
}

async fn pages_follow_each_other(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(scene.person(store).await.debtor.id);
    }
    for limit in [1, 3, 7, 8, u32::MAX] {
        let mut request = page(limit);
        let mut seen = Vec::new();
        loop {
            let filter = of_client(scene.client.id);
            let found = store.list_debtors(&filter, &request).await.expect("page");
            assert!(found.items.len() <= limit as usize);
            seen.extend(found.items.iter().map(|d| d.id));
            request.cursor = found.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, made, "by age, each once, in pages of {limit}");
    }
    let none = store
        .list_debtors(&of_client(scene.client.id), &page(0))
        .await
        .expect("page");
    assert_eq!(none.items.len(), 1, "a limit of 0 is read as 1");
}

async fn lists_are_narrowed(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let (a, b) = (ours.person(store).await, ours.person(store).await);
    theirs.person(store).await;
    let points = store
        .list_points(&of_debtor(a.debtor.id), &page(10))
        .await
        .expect("points");
    assert_eq!(points.items, vec![a.point.clone()]);
    let filter = ListFilter {
        portfolio_id: Some(ours.portfolio.id),
        ..ListFilter::default()
    };
    let debts = store.list_debts(&filter, &page(10)).await.expect("debts");
    assert_eq!(debts.items, vec![a.debt.clone(), b.debt.clone()]);
    let filter = ListFilter {
        client_id: Some(theirs.client.id),
        portfolio_id: Some(ours.portfolio.id),
        ..ListFilter::default()
    };
    let none = store.list_debts(&filter, &page(10)).await.expect("debts");
    assert!(none.items.is_empty() && none.next_cursor.is_none());
    let clients = store
        .list_clients(&of_client(ours.client.id), &page(10))
        .await
        .expect("clients");
    assert_eq!(clients.items, vec![ours.client.clone()]);
    // A filter on something an entity does not have is ignored.
    let teams = store
        .list_teams(&of_client(ours.client.id), &page(500))
        .await
        .expect("teams");
    let every = store
        .list_teams(&ListFilter::default(), &page(500))
        .await
        .expect("teams");
    assert_eq!(teams.items, every.items);
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
}

async fn names_are_unique(store: &Subject) {
    let scene = Scene::new(store).await;
    let tail = store.last_cursor().await.expect("cursor");
    let told = [event("suite.put", "row:twin")];
    let mut client = scene.client.clone();
    client.id = fresh::<ClientId>();
    refused(store.put_client(&client, &told).await);
    let mut portfolio = scene.portfolio.clone();
    portfolio.id = fresh::<domain::ids::PortfolioId>();
    refused(store.put_portfolio(&portfolio, &told).await);
    let gone = store.get_portfolio(portfolio.id).await;
    assert!(
        matches!(gone, Err(StoreError::NotFound(_))),
        "nothing of it is kept"
    );
    let person = scene.person(store).await;
    let mut twin = scene.draft_person();
    twin.debtor
        .external_ref
        .clone_from(&person.debtor.external_ref);
    refused(store.put_debtor(&twin.debtor, &told).await);
    let mut debt = scene.draft_debt(person.debtor.id, 50_000);
    debt.external_ref.clone_from(&person.debt.external_ref);
    refused(store.put_debt(&debt, &told).await);
    let user = draft_user(None);
    store.put_user(&user, &[]).await.expect("user");
    let mut twin = draft_user(Some(scene.client.id));
    twin.username.clone_from(&user.username);
    refused(store.put_user(&twin, &told).await);
    let agent = draft_agent();
    store.put_agent(&agent, &[]).await.expect("agent");
    let mut twin = draft_agent();
    twin.sip_user.clone_from(&agent.sip_user);
    refused(store.put_agent(&twin, &told).await);
    let payment = person.payment(500);
    store.put_payment(&payment, &[]).await.expect("payment");
    let mut twin = person.payment(500);
    twin.reference.clone_from(&payment.reference);
    refused(store.put_payment(&twin, &told).await);
    let events = store.events_after(tail, 1_000).await.expect("events");
    let kept = events
        .iter()
        .filter(|e| e.event.subject == "row:twin")
        .count();
    assert_eq!(kept, 0, "a refused write tells nothing");
    let mut other = scene.portfolio.clone();
    other.id = fresh::<domain::ids::PortfolioId>();
    other.client_id = Scene::new(store).await.client.id;
    store
        .put_portfolio(&other, &[])
        .await
        .expect("another client may use the name");
}

async fn dispositions(store: &Subject) {
    let mut row = Disposition {
        code: "ZZ.SUITE".into(),
        label_es: "Prueba".into(),
        label_en: "Suite".into(),
        rpc: true,
        is_final: false,
        next: "retry".into(),
        cooloff_h: 24,
        hold: Some(HoldKind::Dispute),
        required: vec!["note".into()],
        hotkey: 3,
        agent_may_set: true,
    };
    store.put_disposition(&row).await.expect("put");
    row.hold = None;
    row.required.clear();
    store.put_disposition(&row).await.expect("put again");
    assert_eq!(store.get_disposition(&row.code).await.expect("get"), row);
    let all = store.list_dispositions().await.expect("list");
    assert!(all.is_sorted_by_key(|d| d.code.clone()), "by code");
    assert_eq!(all.iter().filter(|d| d.code == row.code).count(), 1);
}
