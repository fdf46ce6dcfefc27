//! Plans in the call: offers on the card, more than an agent may give answered live or not at all, the debt
//! silent while the plan runs, and the script for who broke his word.

use crate::screen::Screen;
use crate::stops::payment;
use crate::world::{
    ALL_ANSWER, House, Plan as Setup, campaign_id, client_id, debt_id, debtor_id, id, mxn,
};
use center::{Actor, IdentityAsk, PlanDraw, PlanTermsAsk};
use domain::entity::{
    BatchState, CampaignParams, Channel, HoldKind, LetterBatch, LetterLevel, PartyRole,
    PaymentChannel, PlanFile, PlanState, PolicyVersion, Promise, PromiseState, Role, Script,
    ScriptStep, Segment,
};
use domain::ids::{AttemptId, LetterBatchId, PolicyId, PromiseId, ScriptId, SegmentId, UserId};
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, LawStore as _, LetterStore as _, PlanStore as _};
use domain::rules::offers::{ClientTerms, Conditions};
use domain::time::DAY_MS;
use serde_json::{Value, json};

/// One debtor, who answers.
pub(crate) async fn house(params: CampaignParams) -> House {
    House::build(Setup {
        debtors: 1,
        mix: ALL_ANSWER,
        params,
        ..Setup::default()
    })
    .await
}

/// A call whose debtor is identified; the card that follows.
pub(crate) async fn identified(house: &House, agent: &Screen) -> (AttemptId, Value) {
    let attempt = house.talking(agent).await;
    let role = PartyRole::Titular;
    let card = house
        .center
        .identity(agent.id, attempt, IdentityAsk { role });
    let card = card.await.expect("identified");
    // The tick is written by the attempt's own writer.
    for _ in 0..200 {
        if house.attempt(attempt).await.identity_at.is_some() {
            return (attempt, card);
        }
        house.secs(1).await;
    }
    panic!("identity was never written");
}

pub(crate) fn draw(attempt: AttemptId, terms: PlanTermsAsk, reason: Option<&str>) -> PlanDraw {
    PlanDraw {
        debtor: debtor_id(0),
        attempt: Some(attempt),
        debt: None,
        terms,
        reason: reason.map(str::to_owned),
        role: Role::Agent,
    }
}

fn quita(quita_pct: i32) -> PlanTermsAsk {
    PlanTermsAsk::Own(Conditions {
        quita_pct,
        down_pct: 0,
        instalments: 2,
        first_in_days: 3,
        every_days: 15,
        freeze_interest: true,
        early_off_pct: 0,
        early_days: 0,
    })
}

/// A tenth forgiven, and more of the rest to who pays it early.
fn with_early(early_off_pct: i32) -> PlanTermsAsk {
    let PlanTermsAsk::Own(own) = quita(10) else {
        panic!("conditions of his own");
    };
    PlanTermsAsk::Own(Conditions {
        early_off_pct,
        early_days: 730,
        ..own
    })
}

fn told(agent: &Screen) -> Vec<String> {
    let plans = agent.of_kind("plan").into_iter();
    plans
        .map(|(_, m)| m["plan"]["state"].as_str().unwrap_or("").to_owned())
        .collect()
}

async fn asks(house: &House) -> usize {
    house.center.board().await.data.asks.len()
}

async fn asked(house: &House, agent: &Screen, attempt: AttemptId) -> PlanFile {
    let me = Actor::Agent(agent.id);
    let ask = draw(attempt, quita(25), Some("quiere liquidar hoy"));
    let file = house.center.draw_plan(me, ask).await.expect("asked");
    assert_eq!(file.plan.state, PlanState::Offered);
    assert_eq!(file.plan.needs_role, Some(Role::Supervisor));
    house.secs(2).await;
    assert_eq!(asks(house).await, 1, "it is on the board");
    file
}

#[tokio::test(start_paused = true)]
async fn three_offers_are_on_the_card_and_one_is_agreed_row_22() {
    let house = house(CampaignParams::default()).await;
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, card) = identified(&house, &agent).await;
    let offers = card["offers"].as_array().expect("offers");
    assert_eq!(offers.len(), 3, "{card}");
    let pop = agent.of_kind("pop").pop().expect("a card before").1;
    assert_eq!(pop["offers"], json!([]), "nothing before identity");
    assert_eq!(offers[0]["key"], "one_payment");
    assert_eq!(offers[0]["agreed_minor"], 900_000);
    let me = Actor::Agent(agent.id);
    let ask = draw(attempt, PlanTermsAsk::Offer("down_and_three".into()), None);
    let file = house.center.draw_plan(me, ask).await.expect("agreed");
    assert_eq!(
        (file.plan.state, file.instalments.len()),
        (PlanState::Approved, 4)
    );
    let shown: i64 = file.instalments.iter().map(|i| i.amount_minor).sum();
    assert_eq!(shown, file.plan.agreed_minor);
    let wrong = draw(attempt, PlanTermsAsk::Offer("gift".into()), None);
    let refused = house
        .center
        .draw_plan(me, wrong)
        .await
        .expect_err("no such");
    assert_eq!(refused.code(), "plan_terms");
}

#[tokio::test(start_paused = true)]
async fn terms_are_agreed_with_who_is_identified_within_what_anybody_may() {
    let house = house(CampaignParams::default()).await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    let me = Actor::Agent(agent.id);
    let early = house
        .center
        .draw_plan(me, draw(attempt, quita(5), None))
        .await;
    assert_eq!(early.expect_err("gate").code(), "identity_first");
    let (attempt, _) = identified(&house, &agent).await;
    let silent = house
        .center
        .draw_plan(me, draw(attempt, quita(25), None))
        .await;
    assert_eq!(silent.expect_err("why").code(), "plan_terms");
    let beyond = house
        .center
        .draw_plan(me, draw(attempt, quita(80), Some("x")))
        .await;
    assert_eq!(beyond.expect_err("nobody").code(), "beyond_authority");
    let tries = [
        (with_early(50), Some("x"), "beyond_authority"),
        (with_early(1), None, "plan_terms"),
    ];
    for (terms, why, code) in tries {
        let gift = house.center.draw_plan(me, draw(attempt, terms, why)).await;
        assert_eq!(gift.expect_err("the incentive counts").code(), code);
    }
    let asked = house
        .center
        .draw_plan(me, draw(attempt, with_early(1), Some("x")))
        .await;
    let plan = asked.expect("asked").plan;
    assert_eq!(
        (plan.state, plan.needs_role),
        (PlanState::Offered, Some(Role::Supervisor))
    );
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_answers_during_the_call_row_22() {
    let house = house(CampaignParams::default()).await;
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, _) = identified(&house, &agent).await;
    let file = asked(&house, &agent, attempt).await;
    let who = (UserId(id(900)), Role::Supervisor);
    let done = house
        .center
        .answer_plan(who, file.plan.id, true, "de acuerdo".into());
    assert_eq!(done.await.expect("answered").state, PlanState::Approved);
    house
        .until("the agent is told", || {
            told(&agent).contains(&"approved".to_owned())
        })
        .await;
    house.secs(1).await;
    assert_eq!(asks(&house).await, 0);
    let again = house
        .center
        .answer_plan(who, file.plan.id, false, "no".into())
        .await;
    assert_eq!(again.expect_err("over").code(), "ask_over");
    let kinds = house.kinds().await;
    assert!(
        kinds.contains(&"plan.answered".to_owned()) && kinds.contains(&"plan.approved".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_in_time() {
    let house = house(CampaignParams::default()).await;
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, _) = identified(&house, &agent).await;
    let file = asked(&house, &agent, attempt).await;
    house
        .until("the agent is told", || {
            told(&agent).contains(&"cancelled".to_owned())
        })
        .await;
    let stands = house.store.get_plan(file.plan.id).await.expect("plan").plan;
    assert_eq!(stands.answer_reason.as_deref(), Some("timeout"));
    let waited = stands.closed_at.expect("ended").since_ms(file.plan.made_at);
    assert!(waited >= 60_000, "{waited} ms: not before its time");
    house.secs(1).await;
    assert_eq!(asks(&house).await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_plan_silences_its_debt_and_money_completes_it_row_21() {
    let house = house(CampaignParams::default()).await;
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, _) = identified(&house, &agent).await;
    let me = Actor::Agent(agent.id);
    let ask = draw(attempt, PlanTermsAsk::Offer("one_payment".into()), None);
    let file = house.center.draw_plan(me, ask).await.expect("agreed");
    let (center, hash) = (&house.center, "ab".repeat(32));
    let plan = center
        .sign_plan(file.plan.id, hash.clone(), "document_end")
        .await
        .expect("signed");
    assert_eq!(plan.state, PlanState::Signed);
    assert_eq!(
        (
            plan.document_sha256.as_deref(),
            plan.accepted_channel.as_deref()
        ),
        (Some(hash.as_str()), Some("link"))
    );
    let twice = center
        .sign_plan(file.plan.id, hash, "document_end")
        .await
        .expect("again");
    assert_eq!(twice, plan, "a repeat changes nothing");
    let holds = house.holds(debtor_id(0)).await;
    let evidence = format!("plan:{}", plan.id);
    assert!(
        holds
            .iter()
            .any(|h| h.evidence == evidence && h.lifted_at.is_none())
    );
    let payment = payment(&house, 0, 900_000, "spei-1");
    let done = center
        .post_payment(Actor::System, payment)
        .await
        .expect("posted");
    assert!(
        done.debt_paid && done.balance_minor == 0,
        "the quita is forgiven: {done:?}"
    );
    let stands = house.store.get_plan(plan.id).await.expect("plan").plan;
    assert_eq!(stands.state, PlanState::Completed);
    house
        .until("the agent is told", || {
            told(&agent).contains(&"completed".to_owned())
        })
        .await;
}

fn script(n: u128, name: &str) -> Script {
    Script {
        id: ScriptId(id(n)),
        client_id: client_id(),
        name: name.into(),
        steps: vec![ScriptStep {
            key: "a".into(),
            title_es: name.into(),
            title_en: name.into(),
            text_es: name.into(),
            text_en: name.into(),
            before_identity: true,
        }],
        objections: vec![],
        version: 1,
        created_at: domain::time::UtcMs(0),
        updated_at: domain::time::UtcMs(0),
    }
}

#[tokio::test(start_paused = true)]
async fn who_broke_his_promise_hears_his_own_script_row_20() {
    let house = house(CampaignParams {
        broken_script: Some(ScriptId(id(61))),
        ..CampaignParams::default()
    })
    .await;
    house
        .store
        .put_script(&script(61, "Incumplida"), &[])
        .await
        .expect("script");
    let now = house.clock.now();
    let broken = Promise {
        id: PromiseId(id(62)),
        client_id: client_id(),
        debtor_id: debtor_id(0),
        debt_id: debt_id(0),
        attempt_id: None,
        agent_id: None,
        amount: mxn(100_000),
        due_date: "2026-11-10".into(),
        grace_until: now.plus_ms(-DAY_MS),
        channel: PaymentChannel::Cash,
        state: PromiseState::Broken,
        made_at: now.plus_ms(-9 * DAY_MS),
        closed_at: Some(now.plus_ms(-DAY_MS)),
    };
    house
        .store
        .put_promise(&broken, &[])
        .await
        .expect("promise");
    let agent = house.agent(1).await;
    house.start().await;
    let (_, card) = identified(&house, &agent).await;
    assert_eq!(card["script"]["name"], "Incumplida", "{card}");
}

/// Whether the debtor is in them: no, yes. The second names the first.
async fn segments(house: &House) -> [SegmentId; 2] {
    let all = [(71, "country = CO"), (72, "not segment 'S71'")];
    for (n, expression) in all {
        let segment = Segment {
            id: SegmentId(id(n)),
            client_id: client_id(),
            name: format!("S{n}"),
            expression: expression.into(),
            version: 1,
            created_at: house.clock.now(),
            updated_at: house.clock.now(),
        };
        let kept = house.store.put_segment(&segment, &[]).await;
        kept.expect("a segment");
    }
    all.map(|(n, _)| SegmentId(id(n)))
}

#[tokio::test(start_paused = true)]
async fn promises_keep_the_client_s_limits_by_segment_age_and_role_row_20() {
    // The client lets them come later than the campaign does, and wants more of the debt.
    let house = house(CampaignParams {
        promise_min_pct: 20,
        promise_max_days: 2,
        ..CampaignParams::default()
    })
    .await;
    let [others, his] = segments(&house).await;
    let rule = |segment: SegmentId, min_pct: i32, max_days: i32| {
        json!({"segment_id": segment, "buckets": ["b31_60"], "roles": ["agent"],
            "min_pct": min_pct, "max_days": max_days})
    };
    let terms: ClientTerms = serde_json::from_value(json!({"ask_timeout_s": 30,
        "promises": [rule(others, 100, 0), rule(his, 60, 9)]}))
    .expect("terms");
    let version = PolicyVersion {
        id: PolicyId(id(63)),
        client_id: client_id(),
        version: 1,
        terms,
        note: "x".into(),
        made_by: None,
        made_at: house.clock.now(),
    };
    house.store.add_policy(&version, &[]).await.expect("kept");
    let agent = house.agent(1).await;
    house.start().await;
    let (attempt, _) = identified(&house, &agent).await;
    let me = Actor::Agent(agent.id);
    let promise = |amount: i64, due: &str| center::DisposeAsk {
        promise: Some(center::PromiseAsk {
            debt_id: None,
            amount: mxn(amount),
            due_date: due.into(),
            channel: PaymentChannel::Transfer,
        }),
        ..crate::world::ask("CD.PP")
    };
    let zone = domain::time::zone("America/Mexico_City").expect("zone");
    let today = house.clock.now().in_zone(&zone).date();
    let day = |n: i64| {
        let date = today.checked_add(jiff::ToSpan::days(n)).expect("a day");
        date.to_string()
    };
    let small = house
        .center
        .dispose(me, attempt, promise(299_999, &day(1)))
        .await;
    let code = small.expect_err("60 % by the client").code();
    assert_eq!(code, "promise_amount");
    let far = house
        .center
        .dispose(me, attempt, promise(300_000, &day(3)))
        .await;
    let code = far.expect_err("two days by the campaign").code();
    assert_eq!(code, "promise_date");
    let made = house
        .center
        .dispose(me, attempt, promise(300_000, &day(2)))
        .await;
    assert!(made.expect("fits").promise.is_some());
    assert_eq!(house.row().await.id, campaign_id());
}

#[tokio::test(start_paused = true)]
async fn letters_go_where_the_law_lets_them_and_are_counted_row_07() {
    let house = House::build(Setup {
        debtors: 2,
        ..Setup::default()
    })
    .await;
    let now = house.clock.now();
    let hold = house.hold(debtor_id(1), HoldKind::Deceased);
    house.store.put_hold(&hold, &[]).await.expect("hold");
    let segment = house.store.get_campaign(campaign_id()).await;
    let batch = LetterBatch {
        id: LetterBatchId(id(81)),
        client_id: client_id(),
        segment_id: Some(segment.expect("campaign").segment_id),
        strategy_id: None,
        level: LetterLevel::L3,
        state: BatchState::Running,
        total: 0,
        done: 0,
        made: 0,
        left_out: 0,
        fault: None,
        made_by: None,
        made_at: now,
    };
    for round in ["first", "again"] {
        house.store.put_batch(&batch, &[]).await.expect("begun");
        house.center.run_letters(batch.id);
        house.secs(5).await;
        let done = house.store.get_batch(batch.id).await.expect("batch");
        assert_eq!(
            (done.state, done.total),
            (BatchState::Done, 2),
            "{round}: {done:?}"
        );
        assert_eq!((done.made, done.left_out), (1, 1), "{round}");
    }
    let letters = house
        .store
        .letters_of(debtor_id(0), 10)
        .await
        .expect("letters");
    assert_eq!(letters.len(), 1, "run again it makes nothing twice");
    assert!(letters[0].body.reveal().contains("10,000.00 MXN"));
    let counted = house.store.ledger_of(debtor_id(0)).await.expect("ledger");
    assert_eq!(
        counted
            .iter()
            .filter(|l| l.channel == Channel::Letter)
            .count(),
        1
    );
}
