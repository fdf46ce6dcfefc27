//! Messages that nobody tells: none on a mailbox that the law spares, and who was promised a call talks with an
//! agent.

use crate::amd::{Lenient, answer, messages, over, send, template};
use crate::queue::{finishes, phone, told};
use crate::screen::Screen;
use crate::world::{ALL_ANSWER, House, Plan, ask, campaign_id, client_id, debtor_id, point_id};
use center::CenterConfig;
use domain::entity::{
    AgentlessParams, AmdAction, AmdMode, CallResult, CampaignParams, CampaignStatus, DialMode,
    InboundParams, Language,
};
use domain::ids::{AttemptId, DebtorId};
use domain::ports::store::{
    CatalogStore as _, ContactStore as _, DetectorStore as _, ItemState, TrailStore as _,
};
use domain::ports::{Clock as _, PlayWhat};
use domain::rules::detector::Acted;
use domain::time::UtcMs;
use sim::fate::{Fate, FateMix, draw};
use sim::trunk::FIRST_SOUND;
use std::sync::Arc;
use std::time::Duration;

/// The message as somebody heard it and approved it.
pub(crate) fn approved() -> AgentlessParams {
    let sound = |tongue: &str| (tongue.to_owned(), FIRST_SOUND.to_owned());
    AgentlessParams {
        approved_by: Some("user:x".to_owned()),
        approved_at: Some(UtcMs(1)),
        approved_sounds: [sound("es"), sound("en")].into(),
        ..AgentlessParams::default()
    }
}

pub(crate) fn params(amd: AmdMode) -> CampaignParams {
    CampaignParams {
        mode: DialMode::Agentless,
        amd,
        agentless: approved(),
        inbound: InboundParams {
            blended: true,
            announce_every_s: 1,
            keep_place_min: 2,
            ..InboundParams::default()
        },
        wrapup_max_s: 1_800,
        ..CampaignParams::default()
    }
}

/// A seed whose first call is answered by somebody who waits and then talks.
pub(crate) fn patient() -> u64 {
    let fits = |seed: &u64| match draw(*seed, 1, ALL_ANSWER) {
        Fate::Answers {
            patience_ms,
            talk_ms,
            ..
        } => patience_ms > 14_000 && talk_ms > 30_000,
        _ => false,
    };
    (0..10_000).find(fits).expect("one of ten thousand")
}

fn one(amd: AmdMode) -> Plan {
    Plan {
        seed: patient(),
        debtors: 1,
        params: params(amd),
        ..Plan::default()
    }
}

async fn raised(house: &House) -> bool {
    let board = house.center.board().await;
    let replaced = |a: &center::view::AlarmRow| a.kind == "message_replaced";
    board.data.alarms.iter().any(replaced)
}

/// The campaign as it is stored with other sounds, told to the center; whether it goes on.
async fn changed(house: &House, sounds: &[(&str, String)]) -> bool {
    let row = house.store.get_campaign(campaign_id()).await;
    let mut row = row.expect("is there");
    let sounds = sounds
        .iter()
        .map(|(tongue, sha256)| ((*tongue).to_owned(), sha256.clone()));
    row.params.agentless.approved_sounds = sounds.collect();
    row.version += 1;
    house.store.put_campaign(&row, &[]).await.expect("is kept");
    house.center.campaign_changed(campaign_id()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_recording_was_replaced_is_told_once_it_is_approved_again() {
    let mut plan = one(AmdMode::Off);
    plan.debtors = 3;
    plan.params.lines_max = Some(1);
    let house = House::build(plan).await;
    house.start().await;
    let attempt = answer(&house, &[]).await;
    house.secs(1).await;
    assert_eq!(told(&house, attempt), ["agentless"]);
    let all = house.store.events_after(0, 10_000).await.expect("answers");
    let kept = all.iter().find(|e| e.event.kind == "agentless.told");
    let kept = &kept.expect("is kept").event;
    assert_eq!(kept.subject, format!("attempt:{attempt}"));
    assert_eq!(kept.data["sha256"], FIRST_SOUND);
    assert_eq!(kept.data["approved_by"], "user:x");

    house.trunk.replace_sound("agentless");
    let first = FIRST_SOUND.to_owned();
    let stale = [("es", first.clone()), ("en", first)];
    assert!(!changed(&house, &stale).await, "nobody heard that one");
    over(&house, attempt).await;
    let calls = house.trunk.invites().len();
    house.secs(120).await;
    assert_eq!(house.trunk.invites().len(), calls, "nobody is called");
    assert!(raised(&house).await);
    let again = house
        .center
        .start_campaign(center::Actor::System, campaign_id());
    assert!(again.await.is_err());
    // Nor does a stopped one begin, for another node would take it up by its row.
    let stop = house
        .center
        .stop_campaign(center::Actor::System, campaign_id());
    stop.await.expect("stops");
    let again = house
        .center
        .start_campaign(center::Actor::System, campaign_id());
    let refused = again.await.expect_err("another sound");
    assert_eq!(refused.code(), "message_replaced");
    let row = house.store.get_campaign(campaign_id()).await;
    assert_eq!(row.expect("stored").status, CampaignStatus::Stopped);

    let now = house.center.message_sounds(client_id(), "agentless").await;
    let heard = [("es", now["es"].clone()), ("en", now["en"].clone())];
    assert!(changed(&house, &heard).await, "approved as it is now");
    house.start().await;
    assert!(!raised(&house).await);
    let goes_on = || house.trunk.invites().len() > calls;
    house.until("the next call", goes_on).await;
}

/// The message was approved when Portuguese was not asked for: who speaks it heard the Spanish one, as he does now
/// where nobody recorded another.
#[tokio::test(start_paused = true)]
async fn who_speaks_portuguese_is_told_in_it() {
    let house = House::build(one(AmdMode::Off)).await;
    let mut debtor = house
        .store
        .get_debtor(debtor_id(0))
        .await
        .expect("is there");
    debtor.language = Language::Pt;
    house.store.put_debtor(&debtor, &[]).await.expect("is kept");
    house.start().await;
    let attempt = answer(&house, &[]).await;
    house.secs(1).await;
    let tongue = |what: PlayWhat| match what {
        PlayWhat::Spoken { language, .. } => Some(language),
        _ => None,
    };
    let said = house.trunk.heard(attempt).into_iter().filter_map(tongue);
    assert_eq!(said.collect::<Vec<_>>(), ["pt"]);
}

async fn acted(house: &House, attempt: AttemptId) -> Option<Acted> {
    let heard = house.store.get_heard(attempt).await.expect("answers");
    heard.map(|h| h.acted)
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_the_law_spares_is_hung_up_on_whatever_the_campaign_does_with_sounds() {
    for amd in [AmdMode::On, AmdMode::Off, AmdMode::Shadow] {
        let house = House::build(one(amd)).await;
        house.start().await;
        let attempt = answer(&house, &[]).await;
        send(&house, attempt, "machine", None).await;
        let row = over(&house, attempt).await;
        assert_eq!(row.result, Some(CallResult::MachineNoBeep));
        let up = row.ended_at.zip(row.answered_at);
        let up_ms = up.map_or(i64::MAX, |(end, at)| end.since_ms(at));
        assert!(up_ms < 1_000, "at once: {up_ms}");
        assert_eq!(acted(&house, attempt).await, Some(Acted::Hangup));
        let item = house.item(row.debtor_id).await;
        assert!(!item.done, "he was told nothing: {item:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_may_be_spoken_to_gets_the_message_for_mailboxes_after_its_beep() {
    let mut plan = one(AmdMode::On);
    plan.params.amd_action = AmdAction::Message;
    plan.params.voicemail_template = Some(template(true).id);
    let house = House::under(plan, Lenient::law(false)).await;
    let kept = house.store.put_voicemail(&template(true), &[]).await;
    kept.expect("is kept");
    house.start().await;
    let attempt = answer(&house, &[]).await;
    send(&house, attempt, "machine", None).await;
    assert_eq!(acted(&house, attempt).await, Some(Acted::Message));
    let heard = house.trunk.heard(attempt);
    assert_eq!(heard.last(), Some(&PlayWhat::Silence), "{heard:?}");
    house.secs(3).await;
    assert_eq!(messages(&house, attempt).await, 0, "not before the beep");
    send(&house, attempt, "machine", Some(1_400)).await;
    assert_eq!(messages(&house, attempt).await, 1);
    let row = over(&house, attempt).await;
    assert_eq!(row.result, Some(CallResult::MachineBeep));
    let item = house.item(row.debtor_id).await;
    assert!(!item.done, "{item:?}");
}

#[tokio::test(start_paused = true)]
async fn who_listens_in_silence_hears_the_message_to_its_end() {
    for class in ["dead_air", "human"] {
        let house = House::build(one(AmdMode::On)).await;
        house.start().await;
        let attempt = answer(&house, &[]).await;
        send(&house, attempt, class, None).await;
        let row = over(&house, attempt).await;
        assert_eq!(row.result, Some(CallResult::Human));
        assert_eq!(acted(&house, attempt).await, Some(Acted::Shadow));
        let item = house.item(row.debtor_id).await;
        assert_eq!((item.done, item.note.as_str()), (true, "message_told"));
    }
}

/// Two who are called one after the other; the second waits for long.
fn two() -> Plan {
    two_and(ALL_ANSWER, |_| true)
}

/// The same among people of another sort, with a condition on the seed.
fn two_and(mix: FateMix, also: impl Fn(u64) -> bool) -> Plan {
    let fits = |seed: &u64| {
        let of = |n| match draw(*seed, n, mix) {
            Fate::Answers {
                ring_ms,
                patience_ms,
                talk_ms,
            } => (ring_ms, patience_ms, talk_ms),
            _ => (0, 0, 0),
        };
        let (first, second) = (of(1), of(2));
        let waits = first.0 + 500 < second.0 && first.2 > 60_000 && second.1 > 14_000;
        first.0 > 0 && waits && also(*seed)
    };
    Plan {
        seed: (0..100_000).find(fits).expect("one of them"),
        mix,
        debtors: 2,
        params: params(AmdMode::Off),
        ..Plan::default()
    }
}

/// Both ask for an agent from their message; the only one talks with the first, and the second chooses to be called.
async fn promised(plan: Plan) -> (House, Screen, DebtorId) {
    let house = House::build(plan).await;
    let agent = house.agent(1).await;
    house.start().await;
    let mut asked: Vec<AttemptId> = Vec::new();
    for _ in 0..600 {
        for attempt in house.trunk.invites().iter().map(|i| i.attempt) {
            if told(&house, attempt) == ["agentless"] && !asked.contains(&attempt) {
                asked.push(attempt);
                house.trunk.press(attempt, '1').await;
            }
        }
        if asked.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(house.talking(&agent).await, asked[0]);
    let offered = || told(&house, asked[1]).contains(&"queue_offer".to_owned());
    house.until("the offer", offered).await;
    house.trunk.press(asked[1], '1').await;
    let row = over(&house, asked[1]).await;
    let item = house.item(row.debtor_id).await;
    assert_eq!((item.done, item.note.as_str()), (false, "callback"));
    assert_eq!(item.attempts, 1, "{item:?}");
    (house, agent, row.debtor_id)
}

/// His call-back is an agent's, not the message again.
async fn is_called(house: &House, agent: &Screen, debtor: DebtorId) {
    let attempt = house.talking(agent).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.debtor_id, debtor);
    assert_eq!(
        (row.mode, row.agent_reserved),
        (DialMode::Progressive, true)
    );
    let heard = told(house, attempt);
    assert!(!heard.contains(&"agentless".to_owned()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_promised_a_call_out_of_a_message_gets_it_from_an_agent() {
    let (house, agent, debtor) = promised(two()).await;
    // Nobody is free until his place is kept no more, and for a while after it.
    house.secs(300).await;
    let item = house.item(debtor).await;
    assert_eq!((item.done, item.note.as_str()), (false, "callback"));
    assert_eq!(house.trunk.invites().len(), 2, "no message again");
    finishes(&house, &agent).await;
    is_called(&house, &agent, debtor).await;
    assert_eq!(house.center.figures().await.errors, 0);
}

#[tokio::test(start_paused = true)]
async fn the_promise_outlives_the_node() {
    let (house, _, debtor) = promised(two()).await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.trunk.crash();
    drop(house);
    let config = CenterConfig::new("node-2");
    let again = House::open_with(store, &two(), now, 8, config).await;
    let agent = again.agent(1).await;
    let n = u128::from(debtor == debtor_id(1));
    let called = || again.trunk.invites().iter().any(|i| i.number == phone(n));
    again.until("his call", called).await;
    is_called(&again, &agent, debtor).await;
    again.center.shutdown().await;
}

/// The hours until his next turn are over.
async fn is_due(house: &House, item: ItemState) {
    let next_at = house.clock.now();
    assert!(item.next_at > next_at, "he is let be for a while");
    let due = ItemState { next_at, ..item };
    house.store.put_item(&due, &[]).await.expect("works");
}

/// Two thirds answer.
const MOST: FateMix = FateMix {
    answer_pct: 66,
    refuse_pct: 0,
};

/// The third call, that of the agent, rings in vain.
fn away_once() -> Plan {
    two_and(MOST, |seed| {
        let answers = |n| matches!(draw(seed, n, MOST), Fate::Answers { .. });
        !answers(3) && answers(4)
    })
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_the_promised_call_is_called_by_an_agent_again() {
    let (house, agent, debtor) = promised(away_once()).await;
    finishes(&house, &agent).await;
    let calls = || house.trunk.invites().len();
    house.until("his call", || calls() == 3).await;
    house.secs(120).await;
    let item = house.item(debtor).await;
    assert_eq!(item.last_result, Some(CallResult::NoAnswer));
    assert_eq!((item.done, item.note.as_str()), (false, "callback"));
    is_due(&house, item).await;
    is_called(&house, &agent, debtor).await;
    assert_eq!(calls(), 4, "the message was told once");
    assert_eq!(house.center.figures().await.errors, 0);
}

#[tokio::test(start_paused = true)]
async fn a_promised_call_that_rings_while_its_node_dies_is_made_again() {
    let (house, agent, debtor) = promised(away_once()).await;
    finishes(&house, &agent).await;
    let calls = || house.trunk.invites().len();
    house.until("his call", || calls() == 3).await;
    house.secs(1).await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.trunk.crash();
    drop(house);
    let again = House::open(store, &away_once(), now, 8).await;
    let item = again.item(debtor).await;
    assert_eq!((item.done, item.note.as_str()), (false, "callback"));
    is_due(&again, item).await;
    let agent = again.agent(1).await;
    is_called(&again, &agent, debtor).await;
    again.center.shutdown().await;
}

/// Who was told a message is no answer of ours (law.md §4): that an agent finds a mailbox there takes none off.
#[tokio::test(start_paused = true)]
async fn a_mailbox_behind_a_message_takes_no_answer_off() {
    let mut plan = two();
    plan.debtors = 12;
    plan.params.lines_max = Some(1);
    let house = House::build(plan).await;
    let agent = house.agent(1).await;
    house.start().await;
    let called = house
        .center
        .dial_manual(agent.id, debtor_id(11), point_id(11));
    called.await.expect("is called");
    house.talking(&agent).await;
    finishes(&house, &agent).await;
    let one = crate::nodes::counted(&house).await;
    assert!((one.1 - 1.0).abs() < 0.5, "whom we called is one: {one:?}");
    let mut asked: Vec<AttemptId> = Vec::new();
    for _ in 0..6_000 {
        for attempt in house.trunk.invites().iter().map(|i| i.attempt) {
            if told(&house, attempt) == ["agentless"] && !asked.contains(&attempt) {
                asked.push(attempt);
                house.trunk.press(attempt, '1').await;
            }
        }
        if agent.state() == "talking" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let call = house.talking(&agent).await;
    assert_eq!(house.attempt(call).await.mode, DialMode::Agentless);
    house.hang_up(&agent, call).await;
    let me = center::Actor::Agent(agent.id);
    let done = house.center.dispose(me, call, ask("NC.BZ")).await;
    done.expect("disposed");
    house.secs(1).await;
    let still = crate::nodes::counted(&house).await;
    assert!((still.1 - one.1).abs() < 0.5, "{one:?} {still:?}");
}
