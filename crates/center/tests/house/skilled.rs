//! Debtors given only to agents who can serve them: by skill and by language.

use crate::world::{House, agent_id, client_id, debt_id, debtor_id, id};
use center::Unskilled;
use domain::entity::{AssignmentRule, AssignmentTarget, Language, Segment};
use domain::ids::{AssignmentRuleId, SegmentId};
use domain::ports::store::{CatalogStore as _, FloorStore as _};
use domain::time::UtcMs;

/// Ten debtors of the house: the first four owe much, the last two of these speak English.
async fn mortgages(house: &House) {
    for n in 0..4 {
        let mut debt = house.store.get_debt(debt_id(n)).await.expect("debt");
        debt.principal_minor += 10_000_000;
        house.store.put_debt(&debt, &[]).await.expect("debt");
        if n >= 2 {
            let mut row = house.store.get_debtor(debtor_id(n)).await.expect("debtor");
            row.language = Language::En;
            house.store.put_debtor(&row, &[]).await.expect("debtor");
        }
    }
    for (n, skills) in [(1, &["hipotecas", "es"][..]), (2, &["es", "en"]), (3, &[])] {
        let mut agent = house.store.get_agent(agent_id(n)).await.expect("agent");
        agent.skills = skills.iter().map(|s| (*s).to_owned()).collect();
        house.store.put_agent(&agent, &[]).await.expect("agent");
    }
}

fn rule(n: u128, segment: u128, agents: &[u128], skills: &[&str]) -> AssignmentRule {
    AssignmentRule {
        id: AssignmentRuleId(id(n)),
        client_id: client_id(),
        name: format!("Regla {n}"),
        position: i32::try_from(n).expect("a few"),
        segment_id: SegmentId(id(segment)),
        target: AssignmentTarget::Agent,
        campaign_id: None,
        team_id: None,
        agents: agents.iter().copied().map(agent_id).collect(),
        most: None,
        skills: skills.iter().map(|s| (*s).to_owned()).collect(),
        by_language: true,
        enabled: true,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

#[tokio::test(start_paused = true)]
async fn debtors_go_only_to_agents_with_the_skill_and_the_language() {
    let house = House::with(10).await;
    mortgages(&house).await;
    let large = Segment {
        id: SegmentId(id(30)),
        client_id: client_id(),
        name: "Hipotecas".into(),
        expression: "balance >= 50000.00".into(),
        version: 1,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    };
    house.store.put_segment(&large, &[]).await.expect("segment");
    let first = rule(1, 30, &[1, 2, 3], &["hipotecas"]);
    house
        .store
        .put_assignment_rule(&first, &[])
        .await
        .expect("rule");
    let me = center::Actor::System;
    let apply = async || house.center.assign(me, client_id()).await.expect("applied");
    let agent_of = async |n: u128| {
        let rows = house.store.assignments_of(&[debtor_id(n)]).await;
        rows.expect("rows").first().and_then(|r| r.agent_id)
    };
    let got = apply().await;
    assert_eq!((got.assigned, got.without_skill, got.no_place), (2, 2, 0));
    let told = Unskilled {
        rule: first.name.clone(),
        skills: vec!["hipotecas".into()],
        language: Some(Language::En),
        debtors: 2,
    };
    assert_eq!(got.unskilled, [told]);
    for (n, agent) in [(0, Some(1)), (1, Some(1)), (2, None), (3, None), (4, None)] {
        assert_eq!(agent_of(n).await, agent.map(agent_id), "debtor {n}");
    }
    // A later rule without the skill takes whom the first left: nobody is without, and nothing is told.
    let all = rule(2, 3, &[2], &[]);
    house
        .store
        .put_assignment_rule(&all, &[])
        .await
        .expect("rule");
    let got = apply().await;
    assert_eq!((got.assigned, got.without_skill), (10, 0));
    assert_eq!(got.unskilled, []);
    assert_eq!(agent_of(2).await, Some(agent_id(2)));
    // Who has the skill no more loses them at the next giving out; one who speaks no English keeps none of these.
    let mut late = house.store.get_agent(agent_id(2)).await.expect("agent");
    late.skills = vec!["es".into(), "hipotecas".into()];
    house.store.put_agent(&late, &[]).await.expect("agent");
    let mut early = house.store.get_agent(agent_id(1)).await.expect("agent");
    early.skills = vec!["es".into()];
    house.store.put_agent(&early, &[]).await.expect("agent");
    let got = apply().await;
    assert_eq!((got.without_skill, got.ended), (2, 2));
    let rules: Vec<&str> = got.unskilled.iter().map(|u| u.rule.as_str()).collect();
    assert_eq!(rules, ["Regla 1", "Regla 2"]);
    assert_eq!(
        (agent_of(0).await, agent_of(2).await),
        (Some(agent_id(2)), None)
    );
}
