//! Objections and the goal on the card, the result of a call against it, and the tone of a stage.

use crate::messages::{all, house as written, step, strategy, template};
use crate::world::{ALL_ANSWER, House, Plan as Setup, client_id, debt_id, debtor_id, id, mxn};
use center::{Actor, DisposeAsk, IdentityAsk, PromiseAsk};
use domain::entity::{
    DebtStage, ExcuseKind, Objection, PartyRole, PaymentChannel, Script, Stage, StrategyStep,
    StrategyTrigger, TextTemplate, Tone,
};
use domain::ids::{ScriptId, TextTemplateId};
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, ContactStore as _, MessageStore as _, StageStore as _, StrategyStore as _,
};
use domain::rules::tone::ToneWhy;
use domain::time::DAY_MS;
use serde_json::{Value, json};

fn objection(key: &str, answer: &str) -> Objection {
    Objection {
        key: key.into(),
        title_es: key.into(),
        title_en: key.into(),
        answer_es: answer.into(),
        answer_en: answer.into(),
        before_identity: false,
        stages: vec![],
        buckets: vec![],
        excuse: None,
    }
}

fn script(mut row: Script) -> Script {
    row.objections = vec![
        Objection {
            before_identity: true,
            ..objection("que", "Es personal, {debtor.name}.")
        },
        Objection {
            excuse: Some(ExcuseKind::SaysPaid),
            ..objection("pague", "Lo reviso con {client.name}: son {debt.balance}.")
        },
        Objection {
            stages: vec![Stage::Prejudicial],
            ..objection("abogado", "Aún podemos acordar.")
        },
        Objection {
            buckets: vec!["b361_plus".into()],
            ..objection("vieja", "Tiene razón en preguntar.")
        },
    ];
    row
}

async fn staged(house: &House, n: u128, stage: Stage) {
    let row = DebtStage {
        debt_id: debt_id(n),
        client_id: client_id(),
        debtor_id: debtor_id(n),
        stage,
        entered_at: house.clock.now(),
        deadline: None,
        owner_id: None,
        late_at: None,
        statute_told: None,
        moved_by: "system".into(),
        reason: "age".into(),
    };
    let store = &house.store;
    let from = store.stage_of(row.debt_id).await.expect("works");
    let from = from.map(|s| s.stage);
    if from != Some(stage) {
        let moved = store.move_stage(&row, from, &[]).await;
        assert!(moved.expect("works"), "it stands there");
    }
}

fn keys(card: &Value) -> Vec<String> {
    let all = card["script"]["objections"].as_array().expect("a list");
    let key = |o: &Value| o["key"].as_str().expect("a key").to_owned();
    all.iter().map(key).collect()
}

async fn talked_of(stage: Stage) -> (House, domain::ids::AttemptId, Value, Value) {
    let house = House::build(Setup {
        debtors: 1,
        mix: ALL_ANSWER,
        ..Setup::default()
    })
    .await;
    let row = house.store.get_script(ScriptId(id(6))).await.expect("one");
    house
        .store
        .put_script(&script(row), &[])
        .await
        .expect("works");
    staged(&house, 0, stage).await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    let before = agent.of_kind("pop").pop().expect("a card").1;
    let role = PartyRole::Titular;
    let ask = IdentityAsk { role };
    let card = house.center.identity(agent.id, attempt, ask).await;
    house.secs(2).await;
    (house, attempt, before, card.expect("identified"))
}

#[tokio::test(start_paused = true)]
async fn the_card_has_the_objections_of_the_debt_and_none_that_tells_early_row_22() {
    let (_house, _, before, after) = talked_of(Stage::Prejudicial).await;
    assert_eq!(keys(&before), ["que"], "{before}");
    assert_eq!(before["goal"], Value::Null);
    assert_eq!(keys(&after), ["que", "pague", "abogado"], "{after}");
    let paid = &after["script"]["objections"][1];
    let answer = paid["answer"].as_str().expect("a text");
    assert!(answer.contains("10,000.00 MXN"), "{answer}");
    assert_eq!(paid["excuse"], json!("says_paid"));
    let (_house, _, _, other) = talked_of(Stage::Administrative).await;
    assert_eq!(keys(&other), ["que", "pague"], "another stage");
}

#[tokio::test(start_paused = true)]
async fn a_negotiation_ends_with_its_result_against_its_goal_row_22() {
    let (house, attempt, _, card) = talked_of(Stage::Administrative).await;
    let goal = card["goal"]["amount_minor"].as_i64().expect("a goal");
    assert_eq!(Some(goal), card["offers"][0]["agreed_minor"].as_i64());
    let due = house.clock.now().plus_ms(2 * DAY_MS).to_string();
    let promise = PromiseAsk {
        debt_id: None,
        amount: mxn(goal / 4),
        due_date: due[..10].to_owned(),
        channel: PaymentChannel::Cash,
    };
    let ask = DisposeAsk {
        promise: Some(promise),
        ..crate::world::ask("CD.PP")
    };
    let agent = house.attempt(attempt).await.agent_id.expect("an agent");
    let done = house.center.dispose(Actor::Agent(agent), attempt, ask);
    let done = done.await.expect("disposed");
    let told = done.negotiation.expect("measured");
    assert_eq!(told.goal, mxn(goal));
    assert_eq!(told.reached, mxn(goal / 4));
    assert_eq!(told.pct_bp, (goal / 4) * 10_000 / goal);
    let tail = house.store.events_after(0, 10_000).await.expect("works");
    let set = tail.iter().find(|e| e.event.kind == "disposition.set");
    let data = &set.expect("told").event.data;
    assert_eq!(data["negotiation"]["reached"]["amount_minor"], goal / 4);
}

fn toned(tone: Tone) -> TextTemplate {
    let name = format!("aviso-{tone}");
    TextTemplate {
        id: TextTemplateId(uuid::Uuid::new_v5(&id(9), name.as_bytes())),
        tone,
        ..template("aviso", &format!("Hola {{debtor.first_name}} ({tone})"))
    }
}

#[tokio::test(start_paused = true)]
async fn the_stage_of_a_debt_decides_the_tone_that_no_step_names_row_17() {
    let (house, _phones) = written(3).await;
    for tone in [Tone::Courteous, Tone::Firm, Tone::Direct] {
        let row = toned(tone);
        house
            .store
            .put_text_template(&row, &[])
            .await
            .expect("works");
    }
    let stages = [Stage::Preventive, Stage::Administrative, Stage::Prejudicial];
    for (n, stage) in stages.into_iter().enumerate() {
        staged(&house, n as u128, stage).await;
    }
    let now = house.clock.now();
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let due = domain::segment::day_of_date(&debt.due_date).expect("a date");
    let offset = i32::try_from(domain::segment::utc_day(now) - due).expect("a few days");
    let named = StrategyStep {
        tone: Some(Tone::Direct),
        ..step("named", offset, "13:00")
    };
    let steps = vec![step("open", offset, "12:00"), named];
    let row = strategy(1, StrategyTrigger::DueDate, steps);
    house.store.put_strategy(&row, &[]).await.expect("works");
    house.secs(31).await;
    let planned = all(&house).await;
    let of = |n: u128, key: &str| {
        let mut ours = planned.iter().filter(|m| m.debtor_id == debtor_id(n));
        ours.find(|m| m.step == key).and_then(|m| m.template_id)
    };
    let wanted = [Tone::Courteous, Tone::Firm, Tone::Direct];
    for (n, tone) in wanted.into_iter().enumerate() {
        assert_eq!(of(n as u128, "open"), Some(toned(tone).id), "{tone}");
        let own = Some(toned(Tone::Direct).id);
        assert_eq!(of(n as u128, "named"), own, "the step's own goes first");
    }
    let facts = house.store.contact_facts(debtor_id(1), now).await;
    let facts = facts.expect("works");
    let soft = toned(Tone::Courteous);
    let told = house.center.text_choice(&soft, &facts, None).await;
    let told = told.expect("works").expect("a debt");
    assert_eq!(
        (told.stage, told.wanted),
        (Stage::Administrative, Tone::Firm)
    );
    assert_eq!(told.why, ToneWhy::House);
    assert_eq!(told.template, Some((toned(Tone::Firm).id, Tone::Firm)));
}
