//! Plain entities: get, list by page, put with events, unique names.

use super::scene::*;
use domain::entity::{
    Agent, Call, CallerId, Channel, Consent, Disposition, Hold, HoldKind, HoldScope, Party,
    PartyRole, Recording, RecordingOutcome, Role, Script, ScriptStep, Segment, Suppression,
    SuppressionKind, Team, Trunk, User,
};
use domain::ids::{
    AgentId, AttemptId, CallId, CallerIdId, ClientId, ConsentId, DebtorId, HoldId, PartyId,
    RecordingId, ScriptId, SegmentId, SuppressionId, TeamId, TrunkId, UserId,
};
use domain::ports::StoreError;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};

/// Runs the group.
pub async fn all(store: Subject) {
    every_entity_is_kept_whole(&store).await;
    rows_of_a_call_are_kept_whole(&store).await;
    people_are_kept_whole(&store).await;
    what_is_not_there(&store).await;
    pages_follow_each_other(&store).await;
    lists_are_narrowed(&store).await;
    names_are_unique(&store).await;
    dispositions(&store).await;
}

fn page(limit: u32) -> PageRequest {
    PageRequest {
        limit,
        cursor: None,
    }
}

/// Puts a row with an event, reads it back, changes it, and looks for it in its list.
macro_rules! kept {
    ($store:expr, $row:expr, $get:ident, $list:ident, $put:ident, $filter:expr, |$changed:ident| $change:expr) => {{
        let mut row = $row;
        let told = event("suite.put", &format!("row:{}", row.id));
        $store
            .$put(&row, std::slice::from_ref(&told))
            .await
            .expect("put");
        assert_eq!($store.$get(row.id).await.expect("get"), row);
        let tail = $store.last_cursor().await.expect("cursor");
        let events = $store.events_after(tail - 1, 10).await.expect("events");
        assert!(
            events.iter().any(|e| e.event == told),
            "the event comes with the row"
        );
        {
            let $changed = &mut row;
            $change;
        }
        $store.$put(&row, &[]).await.expect("put again");
        assert_eq!($store.$get(row.id).await.expect("get again"), row);
        let filter: ListFilter = $filter;
        let mut seen = Vec::new();
        let mut request = page(PAGE_LIMIT_MAX);
        loop {
            let found = $store.$list(&filter, &request).await.expect("list");
            seen.extend(found.items.into_iter().filter(|r| r.id == row.id));
            match found.next_cursor {
                Some(cursor) => request.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, vec![row.clone()], "listed once, as changed");
        row
    }};
}

fn of_client(id: ClientId) -> ListFilter {
    ListFilter {
        client_id: Some(id),
        ..ListFilter::default()
    }
}

fn of_debtor(id: DebtorId) -> ListFilter {
    ListFilter {
        debtor_id: Some(id),
        ..ListFilter::default()
    }
}

async fn every_entity_is_kept_whole(store: &Subject) {
    let scene = Scene::new(store).await;
    let client = scene.client.id;
    kept!(
        store,
        scene.client.clone(),
        get_client,
        list_clients,
        put_client,
        of_client(client),
        |c| {
            c.callback_number = "+525555550101".into();
        }
    );
    kept!(
        store,
        scene.portfolio.clone(),
        get_portfolio,
        list_portfolios,
        put_portfolio,
        of_client(client),
        |p| {
            p.zone = "America/Tijuana".into();
        }
    );
    let person = scene.person(store).await;
    let id = person.debtor.id;
    kept!(
        store,
        person.debtor.clone(),
        get_debtor,
        list_debtors,
        put_debtor,
        of_client(client),
        |d| {
            d.told_zone = Some("America/Cancun".into());
            d.told_zone_at = Some(NOW);
            d.subdivision = Some("ROO".into());
        }
    );
    kept!(
        store,
        person.debt.clone(),
        get_debt,
        list_debts,
        put_debt,
        of_debtor(id),
        |d| d.fees_minor += 5
    );
    kept!(
        store,
        person.point.clone(),
        get_point,
        list_points,
        put_point,
        of_debtor(id),
        |p| {
            p.bad = true;
            p.last_rpc_at = Some(NOW);
        }
    );
    let party = Party {
        id: fresh::<PartyId>(),
        debt_id: person.debt.id,
        debtor_id: id,
        role: PartyRole::Aval,
        name: "Luis Ruiz".into(),
    };
    kept!(
        store,
        party,
        get_party,
        list_parties,
        put_party,
        of_debtor(id),
        |p| p.role = PartyRole::Fiador
    );
    let consent = Consent {
        id: fresh::<ConsentId>(),
        debtor_id: id,
        channel: Channel::Call,
        purpose: "contact".into(),
        granted_at: NOW,
        until: None,
        revoked_at: None,
        proof: "contract".into(),
    };
    kept!(
        store,
        consent,
        get_consent,
        list_consents,
        put_consent,
        of_debtor(id),
        |c| c.revoked_at = Some(NOW)
    );
    let hold = Hold {
        id: fresh::<HoldId>(),
        client_id: client,
        debtor_id: id,
        scope: HoldScope::Point,
        debt_id: None,
        point_id: Some(person.point.id),
        channel: Some(Channel::Call),
        kind: HoldKind::ChannelOptout,
        from: NOW,
        until: Some(NOW.plus_ms(1)),
        lifted_at: None,
        evidence: "call".into(),
    };
    kept!(
        store,
        hold,
        get_hold,
        list_holds,
        put_hold,
        of_debtor(id),
        |h| h.lifted_at = Some(NOW)
    );
    let listed = Suppression {
        id: fresh::<SuppressionId>(),
        client_id: None,
        debtor_id: None,
        kind: SuppressionKind::Document,
        value: name("DOC").as_str().into(),
        reason: "list".into(),
        created_at: NOW,
        lifted_at: None,
    };
    // It binds every client, so it is in each client's list.
    kept!(
        store,
        listed,
        get_suppression,
        list_suppressions,
        put_suppression,
        of_client(client),
        |s| {
            s.reason = "request".into();
        }
    );
    let promise = person.promise(40_000);
    kept!(
        store,
        promise,
        get_promise,
        list_promises,
        put_promise,
        of_debtor(id),
        |p| p.closed_at = Some(NOW)
    );
    kept!(
        store,
        person.payment(1),
        get_payment,
        list_payments,
        put_payment,
        of_debtor(id),
        |p| p.paid_at = NOW
    );
}

async fn rows_of_a_call_are_kept_whole(store: &Subject) {
    let scene = Scene::new(store).await;
    let client = scene.client.id;
    let segment = Segment {
        id: fresh::<SegmentId>(),
        client_id: client,
        name: name("segment"),
        expression: "balance > 10.00".into(),
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    kept!(
        store,
        segment,
        get_segment,
        list_segments,
        put_segment,
        of_client(client),
        |s| s.version = 2
    );
    let script = Script {
        id: fresh::<ScriptId>(),
        client_id: client,
        name: name("script"),
        steps: vec![ScriptStep {
            key: "hello".into(),
            title_es: "Saludo".into(),
            title_en: "Greeting".into(),
            text_es: "¿Hablo con {debtor.name}?".into(),
            text_en: "Am I speaking with {debtor.name}?".into(),
            before_identity: true,
        }],
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    kept!(
        store,
        script,
        get_script,
        list_scripts,
        put_script,
        of_client(client),
        |s| s.steps.clear()
    );
    kept!(
        store,
        scene.draft_campaign(),
        get_campaign,
        list_campaigns,
        put_campaign,
        of_client(client),
        |c| {
            c.params.lines_per_agent = 1.5;
            c.params.order = vec!["random".into()];
            c.script_id = Some(fresh::<ScriptId>());
        }
    );
    let caller = CallerId {
        id: fresh::<CallerIdId>(),
        client_id: client,
        number: "+525555550199".into(),
        country: "MX".into(),
        registered: true,
        enabled: true,
        created_at: NOW,
    };
    kept!(
        store,
        caller,
        get_caller_id,
        list_caller_ids,
        put_caller_id,
        of_client(client),
        |c| c.enabled = false
    );
    let trunk = Trunk {
        id: fresh::<TrunkId>(),
        name: name("trunk"),
        channels: 30,
        cps: 5,
        enabled: true,
        created_at: NOW,
    };
    let trunk = kept!(
        store,
        trunk,
        get_trunk,
        list_trunks,
        put_trunk,
        ListFilter::default(),
        |t| t.cps = 6
    );
    let found = store.trunk_by_name(&trunk.name).await.expect("by name");
    assert_eq!(found, Some(trunk));
    assert_eq!(
        store.trunk_by_name(&name("none")).await.expect("by name"),
        None
    );
    let call = Call {
        id: fresh::<CallId>(),
        attempt_id: fresh::<AttemptId>(),
        agent_id: fresh::<AgentId>(),
        started_at: NOW,
        ended_at: None,
        ended_by: None,
    };
    let filter = ListFilter {
        attempt_id: Some(call.attempt_id),
        ..ListFilter::default()
    };
    kept!(store, call, get_call, list_calls, put_call, filter, |c| {
        c.ended_at = Some(NOW);
        c.ended_by = Some("debtor".into());
    });
    let recording = Recording {
        id: fresh::<RecordingId>(),
        attempt_id: fresh::<AttemptId>(),
        client_id: client,
        key: "2026/11/23/a.wav".into(),
        outcome: RecordingOutcome::Open,
        sha256: None,
        duration_ms: 0,
        bytes: 0,
        gaps: vec![],
        started_at: NOW,
        sealed_at: None,
    };
    kept!(
        store,
        recording,
        get_recording,
        list_recordings,
        put_recording,
        of_client(client),
        |r| {
            r.outcome = RecordingOutcome::Sealed;
            r.sha256 = Some("ab".repeat(32));
            r.duration_ms = 61_000;
            r.bytes = 1_952_044;
            r.gaps = vec![(1_000, 2_000, "payment".into())];
            r.sealed_at = Some(NOW);
        }
    );
}

/// A login of a fresh name.
fn draft_user(client_id: Option<ClientId>) -> User {
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

fn draft_agent() -> Agent {
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

async fn people_are_kept_whole(store: &Subject) {
    let any = ListFilter::default;
    kept!(
        store,
        draft_user(None),
        get_user,
        list_users,
        put_user,
        any(),
        |u| {
            u.totp_secret = Some("JBSWY3DP".into());
            u.active = false;
        }
    );
    let team = Team {
        id: fresh::<TeamId>(),
        name: name("team"),
        created_at: NOW,
    };
    kept!(store, team, get_team, list_teams, put_team, any(), |t| t
        .name =
        name("team"));
    kept!(
        store,
        draft_agent(),
        get_agent,
        list_agents,
        put_agent,
        any(),
        |a| {
            a.campaigns.push(fresh::<domain::ids::CampaignId>());
            a.team_id = None;
        }
    );
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
