//! Who works whom: assignments, the morning list, and the rows of templates and rules.

use super::scene::*;
use domain::entity::{
    Assignment, AssignmentRule, AssignmentTarget, CampaignParams, CampaignTemplate,
};
use domain::ids::{
    AgentId, AssignmentRuleId, CampaignId, CampaignTemplateId, DebtorId, SegmentId, TeamId,
};
use domain::ports::store::{ListFilter, MorningAsk, MorningRow, PageRequest};
use domain::segment::day_of_date;

/// The second half of the group `floor`.
pub(super) async fn all(store: &Subject) {
    assignments_are_kept(store).await;
    the_morning_list_is_in_order(store).await;
    templates_and_rules_are_kept(store).await;
}

fn given(
    scene: &Scene,
    debtor: DebtorId,
    agent: Option<AgentId>,
    team: Option<TeamId>,
) -> Assignment {
    Assignment {
        debtor_id: debtor,
        client_id: scene.client.id,
        rule_id: None,
        campaign_id: None,
        team_id: team,
        agent_id: agent,
        assigned_at: NOW,
    }
}

async fn assignments_are_kept(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let eva = fresh::<AgentId>();
    let ids = [a.debtor.id, b.debtor.id];
    let rows = ids.map(|id| given(&scene, id, Some(eva), None));
    store.assign(&rows, &[]).await.expect("assign");
    assert_eq!(store.assignments_of(&ids).await.expect("assignments"), rows);
    let loads = store.agent_loads(scene.client.id).await.expect("loads");
    assert_eq!(loads, vec![(eva, 2)]);
    let ruled = async |after, limit| -> Vec<DebtorId> {
        let found = store.ruled_debtors(scene.client.id, after, limit).await;
        found.expect("ruled")
    };
    assert_eq!(ruled(None, 10).await, [], "a person assigned both");
    // One goes to a campaign, the other to nobody.
    let queue = Assignment {
        campaign_id: Some(fresh::<CampaignId>()),
        rule_id: Some(fresh::<AssignmentRuleId>()),
        ..given(&scene, a.debtor.id, None, None)
    };
    let nobody = given(&scene, b.debtor.id, None, None);
    store
        .assign(&[queue.clone(), nobody], &[])
        .await
        .expect("assign");
    assert_eq!(
        store.assignments_of(&ids).await.expect("assignments"),
        vec![queue]
    );
    assert_eq!(ruled(None, 10).await, [a.debtor.id]);
    assert_eq!(ruled(Some(a.debtor.id), 10).await, []);
    let loads = store.agent_loads(scene.client.id).await.expect("loads");
    assert!(loads.is_empty());
}

/// Debtors by overdue amount and due date: the third owes little, the fourth nothing that is due.
async fn overdue(store: &Subject, scene: &Scene) -> Vec<DebtorId> {
    let mut ids = Vec::new();
    for (overdue, due) in [
        (200_000, "2026-11-01"),
        (150_000, "2026-08-01"),
        (100_000, "2026-01-01"),
        (0, "2026-01-01"),
        (300_000, "2026-10-01"),
    ] {
        let mut person = scene.draft_person();
        person.debt.overdue_minor = overdue;
        person.debt.due_date = due.into();
        person.store(store).await;
        ids.push(person.debtor.id);
    }
    ids
}

async fn the_morning_list_is_in_order(store: &Subject) {
    let scene = Scene::new(store).await;
    let (eva, team) = (fresh::<AgentId>(), fresh::<TeamId>());
    let ids = overdue(store, &scene).await;
    let hers = given(&scene, ids[0], Some(eva), None);
    let theirs = given(&scene, ids[4], None, Some(team));
    store.assign(&[hers, theirs], &[]).await.expect("assign");
    let today = day_of_date("2026-11-23").expect("a day");
    let ask = MorningAsk {
        client: scene.client.id,
        agent: None,
        team: None,
        threshold_minor: 100_000,
        today,
        after: None,
        limit: 10,
    };
    let list = async |ask: &MorningAsk| -> Vec<MorningRow> {
        store.morning_list(ask).await.expect("morning list")
    };
    let order =
        |rows: &[MorningRow]| -> Vec<DebtorId> { rows.iter().map(|r| r.debtor_id).collect() };
    let all = list(&ask).await;
    let want = [ids[1], ids[4], ids[0], ids[2]];
    assert_eq!(order(&all), want);
    let attention: Vec<bool> = all.iter().map(|r| r.attention).collect();
    assert_eq!(attention, [true, true, true, false]);
    assert_eq!(all[0].due_day, day_of_date("2026-08-01").expect("a day"));
    assert_eq!(
        (all[0].overdue_minor, all[0].currency.as_str()),
        (150_000, "MXN")
    );
    assert_eq!((all[2].agent_id, all[1].team_id), (Some(eva), Some(team)));
    // Page by page, over the threshold and on.
    let (mut after, mut paged) = (None, Vec::new());
    loop {
        let page = list(&MorningAsk {
            after,
            limit: 1,
            ..ask.clone()
        })
        .await;
        let Some(last) = page.last() else { break };
        after = Some((last.attention, last.due_day, last.debtor_id));
        paged.extend(order(&page));
    }
    assert_eq!(paged, want);
    let of_eva = MorningAsk {
        agent: Some(eva),
        ..ask.clone()
    };
    assert_eq!(order(&list(&of_eva).await), [ids[0]]);
    let of_team = MorningAsk {
        team: Some((team, vec![eva])),
        ..ask
    };
    assert_eq!(order(&list(&of_team).await), [ids[4], ids[0]]);
}

async fn templates_and_rules_are_kept(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut template = CampaignTemplate {
        id: fresh::<CampaignTemplateId>(),
        client_id: None,
        name: name("template"),
        note: "temprana".into(),
        params: CampaignParams::default(),
        made_by: None,
        created_at: NOW,
        updated_at: NOW,
    };
    store
        .put_campaign_template(&template, &[])
        .await
        .expect("put");
    template.params.ring_timeout_s = 40;
    store
        .put_campaign_template(&template, &[])
        .await
        .expect("put");
    let got = store.get_campaign_template(template.id).await;
    assert_eq!(got.expect("get"), template);
    let mut rule = AssignmentRule {
        id: fresh::<AssignmentRuleId>(),
        client_id: scene.client.id,
        name: name("rule"),
        position: 3,
        segment_id: fresh::<SegmentId>(),
        target: AssignmentTarget::Agent,
        campaign_id: None,
        team_id: Some(fresh::<TeamId>()),
        agents: vec![fresh::<AgentId>()],
        most: Some(40),
        skills: vec!["hipotecas".into(), "en".into()],
        by_language: true,
        enabled: true,
        created_at: NOW,
        updated_at: NOW,
    };
    store.put_assignment_rule(&rule, &[]).await.expect("put");
    rule.enabled = false;
    store.put_assignment_rule(&rule, &[]).await.expect("put");
    assert_eq!(store.get_assignment_rule(rule.id).await.expect("get"), rule);
    let filter = ListFilter {
        client_id: Some(scene.client.id),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let listed = store
        .list_assignment_rules(&filter, &page)
        .await
        .expect("list");
    assert_eq!(listed.items, vec![rule]);
    let listed = store
        .list_campaign_templates(&filter, &page)
        .await
        .expect("list");
    assert!(listed.items.contains(&template), "of any client");
}
