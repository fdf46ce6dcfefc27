//! Every plain entity comes back as it was put, with its event, and is listed once.

use super::catalog::{draft_agent, draft_user, of_client, of_debtor, page};
use super::scene::*;
use domain::entity::{
    Call, CallerId, Channel, Consent, ExcuseKind, Hold, HoldKind, HoldScope, Objection, Party,
    PartyRole, Recording, RecordingOutcome, Script, ScriptStep, Segment, Stage, Suppression,
    SuppressionKind, Team, Trunk,
};
use domain::ids::{
    AgentId, AttemptId, CallId, CallerIdId, ConsentId, HoldId, PartyId, RecordingId, ScriptId,
    SegmentId, SuppressionId, TeamId, TrunkId,
};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    let scene = Scene::new(store).await;
    clients(store, &scene).await;
    debtors(store, &scene).await;
    parties_and_consents(store, &scene).await;
    stops(store, &scene).await;
    money(store, &scene).await;
    plans(store, &scene).await;
    routes(store, &scene).await;
    calls(store, &scene).await;
    people(store).await;
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

async fn clients(store: &Subject, scene: &Scene) {
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
}

async fn debtors(store: &Subject, scene: &Scene) {
    let client = scene.client.id;
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
}

async fn parties_and_consents(store: &Subject, scene: &Scene) {
    let person = scene.person(store).await;
    let id = person.debtor.id;
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
        revoke_proof: None,
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
}

async fn stops(store: &Subject, scene: &Scene) {
    let client = scene.client.id;
    let person = scene.person(store).await;
    let id = person.debtor.id;
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
}

async fn money(store: &Subject, scene: &Scene) {
    let person = scene.person(store).await;
    let id = person.debtor.id;
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

fn objection() -> Objection {
    Objection {
        key: "paid".into(),
        title_es: "Ya pagué".into(),
        title_en: "I have paid".into(),
        answer_es: "Gracias, lo reviso.".into(),
        answer_en: "Thank you, I will check.".into(),
        before_identity: false,
        stages: vec![Stage::Administrative],
        buckets: vec!["b1_30".into()],
        excuse: Some(ExcuseKind::SaysPaid),
    }
}

async fn plans(store: &Subject, scene: &Scene) {
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
        objections: vec![objection()],
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
        |s| {
            s.steps.clear();
            s.objections[0].answer_es = "Muchas gracias.".into();
        }
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
}

async fn routes(store: &Subject, scene: &Scene) {
    let client = scene.client.id;
    let caller = CallerId {
        id: fresh::<CallerIdId>(),
        client_id: client,
        number: "+525555550199".into(),
        country: "MX".into(),
        registered: true,
        enabled: true,
        signed: false,
        callback_at: None,
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
}

async fn calls(store: &Subject, scene: &Scene) {
    let client = scene.client.id;
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

async fn people(store: &Subject) {
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
