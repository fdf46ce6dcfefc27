//! The detector acts: machines are let go, some are checked, messages follow the beep, persons who were
//! lost are abandoned and turn the detector back, recordings of carriers are learned.

use crate::agentless::patient;
use crate::screen::Screen;
use crate::world::{House, Plan, campaign_id, client_id};
use center::{Actor, CallLaw, LawBook};
use domain::entity::{
    AmdAction, AmdMode, CallResult, CampaignParams, DialMode, HoldKind, Language, LedgerKind,
    VoicemailPart, VoicemailTemplate,
};
use domain::ids::{AttemptId, TrunkId, UserId, VoicemailId};
use domain::law::pack::FormulaId;
use domain::law::{Action, Duties, Judge, RuleBook};
use domain::ports::store::{
    CatalogStore as _, ContactFacts, DetectorStore as _, LawStore as _, TrailStore as _,
};
use domain::ports::{Clock as _, SoundVerdict, TrunkReport};
use domain::rules::detector::{Acted, Truth, is_checked};
use domain::time::UtcMs;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub(crate) fn params(amd: AmdMode) -> CampaignParams {
    CampaignParams {
        mode: DialMode::Power,
        amd,
        ..CampaignParams::default()
    }
}

pub(crate) async fn send(
    house: &House,
    attempt: AttemptId,
    class: &'static str,
    beep_ms: Option<u32>,
) {
    send_why(house, attempt, (class, "greeting_shape"), beep_ms).await;
}

pub(crate) async fn send_why(
    house: &House,
    attempt: AttemptId,
    (class, reason): (&'static str, &'static str),
    beep_ms: Option<u32>,
) {
    let report = TrunkReport::Classified {
        attempt,
        at: house.clock.now(),
        verdict: SoundVerdict {
            class,
            confidence: 0.93,
            reason,
            decided_ms: 900,
            onset_ms: Some(200),
            speech_ms: Some(600),
            pauses: Some(0),
            beep_ms,
        },
    };
    house.reports.send(report).await.expect("is read");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// The next answer that is not one of `seen`, within 50 ms of it.
pub(crate) async fn answer(house: &House, seen: &[AttemptId]) -> AttemptId {
    for _ in 0..200_000 {
        let rows = house.attempts().await;
        let fresh = |a: &&domain::entity::Attempt| {
            a.answered_at.is_some() && a.ended_at.is_none() && !seen.contains(&a.id)
        };
        if let Some(row) = rows.iter().find(fresh) {
            return row.id;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody answers");
}

/// The next answer that nobody checks.
pub(crate) async fn unchecked(house: &House) -> AttemptId {
    let mut seen = Vec::new();
    loop {
        let attempt = answer(house, &seen).await;
        if !is_checked(attempt) {
            return attempt;
        }
        send(house, attempt, "human", None).await;
        seen.push(attempt);
    }
}

pub(crate) async fn over(house: &House, attempt: AttemptId) -> domain::entity::Attempt {
    for _ in 0..10_000 {
        let row = house.attempt(attempt).await;
        if row.ended_at.is_some() {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never over");
}

/// A supervisor who listened says what a call was.
pub(crate) async fn tell(house: &House, attempt: AttemptId, truth: Truth) {
    let supervisor = Actor::User(UserId(Uuid::from_u128(1)));
    let lost = house.center.tell_truth(supervisor, attempt, truth).await;
    assert_eq!(lost.expect("is kept"), truth == Truth::Person);
}

/// A house in which the detector acts, with one agent.
async fn acting() -> (House, Screen) {
    let house = House::build(Plan {
        params: params(AmdMode::On),
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    (house, agent)
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_let_go_and_a_person_who_was_one_is_abandoned_once_it_is_told() {
    let (house, _agent) = acting().await;
    let attempt = unchecked(&house).await;
    send(&house, attempt, "machine", None).await;
    let row = over(&house, attempt).await;
    assert_eq!(row.result, Some(CallResult::MachineNoBeep));
    assert_eq!(row.disposition.as_deref(), Some("NC.BZ"));
    assert_eq!(row.agent_id, None);
    let point = house.store.get_point(row.point_id).await.expect("is there");
    assert_eq!(point.confidence, 80, "a mailbox may be his");
    let heard = house.store.get_heard(attempt).await.expect("answers");
    assert_eq!(heard.map(|h| h.acted), Some(Acted::Hangup));
    let before = house.row().await.abandonment.numerator;

    for _ in 0..2 {
        tell(&house, attempt, Truth::Person).await;
    }
    let row = house.attempt(attempt).await;
    assert_eq!(row.result, Some(CallResult::Abandoned));
    let rows = house.store.ledger_of(row.debtor_id).await.expect("answers");
    let abandoned = rows.iter().filter(|r| r.kind == LedgerKind::Abandoned);
    assert_eq!(abandoned.count(), 1);
    house.secs(2).await;
    let after = house.row().await.abandonment.numerator;
    assert_eq!(after, before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_the_trunk_is_known_by_counts_against_the_number() {
    let (house, _agent) = acting().await;
    let attempt = unchecked(&house).await;
    send_why(&house, attempt, ("machine", "known"), None).await;
    let row = over(&house, attempt).await;
    assert_eq!(row.result, Some(CallResult::MachineNoBeep));
    let point = house.store.get_point(row.point_id).await.expect("is there");
    assert_eq!(point.confidence, 60);
}

#[tokio::test(start_paused = true)]
async fn a_person_goes_to_the_agent_and_the_key_for_a_machine_frees_him() {
    let (house, agent) = acting().await;
    let first = answer(&house, &[]).await;
    assert_ne!(agent.state(), "talking", "it is listened to first");
    send(&house, first, "human", None).await;
    let attempt = house.talking(&agent).await;
    assert_eq!(attempt, first);
    assert_eq!(agent.me()["attempt"]["heard"]["class"], "human");
    let told = house
        .center
        .tell_truth(Actor::Agent(agent.id), attempt, Truth::Machine)
        .await;
    assert!(!told.expect("is kept"));
    let row = over(&house, attempt).await;
    assert_eq!(row.disposition.as_deref(), Some("NC.BZ"));
    house
        .until("he is free", || agent.attempt() != Some(attempt))
        .await;
    let stranger = crate::world::agent_id(2);
    let refused = house
        .center
        .tell_truth(Actor::Agent(stranger), attempt, Truth::Person)
        .await;
    assert!(refused.is_err());
}

#[tokio::test(start_paused = true)]
async fn connected_first_the_agent_is_told_and_keeps_the_call() {
    let house = House::build(Plan {
        seed: crate::transfers::long_talk(),
        params: CampaignParams {
            amd_connect_first: true,
            ..params(AmdMode::On)
        },
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    send(&house, attempt, "machine", None).await;
    house.secs(1).await;
    assert_eq!(agent.state(), "talking");
    assert_eq!(agent.me()["attempt"]["heard"]["class"], "machine");
    let me = Actor::Agent(agent.id);
    let lost = house.center.tell_truth(me, attempt, Truth::Person).await;
    assert!(!lost.expect("is kept"), "an agent had him");
    assert_eq!(agent.state(), "talking");
    let heard = house.store.get_heard(attempt).await.expect("answers");
    let heard = heard.expect("is kept");
    assert!(matches!(heard.acted, Acted::Agent | Acted::Checked));
    assert_eq!(heard.truth, Some(Truth::Person));
}

/// The shipped packs, but a message may be left, or the law's clock starts with the end of the greeting.
pub(crate) struct Lenient {
    book: RuleBook,
    by_greeting: bool,
}

impl Lenient {
    pub(crate) fn law(by_greeting: bool) -> Arc<dyn LawBook> {
        let book = RuleBook::embedded().expect("is read");
        Arc::new(Self { book, by_greeting })
    }
}

impl Judge for Lenient {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> domain::entity::Verdict {
        self.book.judge(facts, action)
    }
}

impl LawBook for Lenient {
    fn call_law(&self, facts: &ContactFacts, now: UtcMs) -> CallLaw {
        let mut law = LawBook::call_law(&self.book, facts, now);
        if self.by_greeting {
            law.abandon.formula = FormulaId::Tsr;
        }
        law
    }
    fn is_holiday(&self, facts: &ContactFacts, date: &str) -> bool {
        LawBook::is_holiday(&self.book, facts, date)
    }
    fn zone_of(&self, facts: &ContactFacts) -> String {
        LawBook::zone_of(&self.book, facts)
    }
    fn duties(&self, facts: &ContactFacts, now: UtcMs) -> Duties {
        Duties {
            no_voicemail: false,
            ..LawBook::duties(&self.book, facts, now)
        }
    }
}

pub(crate) fn template(approved: bool) -> VoicemailTemplate {
    VoicemailTemplate {
        id: VoicemailId(Uuid::from_u128(77)),
        client_id: client_id(),
        name: "corto".into(),
        language: Language::Es,
        parts: vec![VoicemailPart::Text {
            text: "Por favor llame al {number}".into(),
        }],
        person: "Ana".into(),
        approved_by: approved.then(|| UserId(Uuid::from_u128(1))),
        version: 1,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

/// A machine that answers in a house whose law lets messages be, or not; its beep comes after.
async fn beeps(lenient: bool, approved: bool) -> (House, AttemptId) {
    let law: Arc<dyn LawBook> = if lenient {
        Lenient::law(false)
    } else {
        Arc::new(RuleBook::embedded().expect("is read"))
    };
    let plan = Plan {
        params: CampaignParams {
            amd_action: AmdAction::Message,
            voicemail_template: Some(template(approved).id),
            ..params(AmdMode::On)
        },
        ..Plan::default()
    };
    let house = House::under(plan, law).await;
    let kept = house.store.put_voicemail(&template(approved), &[]).await;
    kept.expect("is kept");
    house.agent(1).await;
    house.start().await;
    let attempt = unchecked(&house).await;
    send(&house, attempt, "machine", None).await;
    (house, attempt)
}

pub(crate) async fn messages(house: &House, attempt: AttemptId) -> usize {
    let row = house.attempt(attempt).await;
    let rows = house.store.ledger_of(row.debtor_id).await.expect("answers");
    let of_it = |r: &&domain::entity::LedgerRow| {
        r.kind == LedgerKind::Message && r.attempt_id == Some(attempt)
    };
    rows.iter().filter(of_it).count()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_counted_and_said_after_the_beep() {
    let (house, attempt) = beeps(true, true).await;
    let heard = house.store.get_heard(attempt).await.expect("answers");
    assert_eq!(heard.map(|h| h.acted), Some(Acted::Message));
    assert_eq!(messages(&house, attempt).await, 0, "not before the beep");
    send(&house, attempt, "machine", Some(1_400)).await;
    assert_eq!(messages(&house, attempt).await, 1);
    let row = over(&house, attempt).await;
    assert_eq!(row.result, Some(CallResult::MachineBeep));
    assert!(house.kinds().await.iter().any(|k| k == "voicemail.left"));
}

#[tokio::test(start_paused = true)]
async fn who_is_heard_late_has_the_laws_time_from_the_end_of_his_greeting() {
    let plan = Plan {
        seed: patient(),
        params: params(AmdMode::On),
        ..Plan::default()
    };
    let house = House::under(plan, Lenient::law(true)).await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = answer(&house, &[]).await;
    // Media began late: what was heard is of the last 900 ms.
    house.secs(4).await;
    send(&house, attempt, "human", None).await;
    assert_eq!(house.talking(&agent).await, attempt);
    house.secs(1).await;
    let row = house.row().await;
    assert_eq!((row.abandoned, row.abandonment.numerator), (0, 0));
    house.hang_up(&agent, attempt).await;
    let row = over(&house, attempt).await;
    assert_eq!(row.result, Some(CallResult::Human));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_where_the_packs_or_nobody_allowed_it() {
    for (lenient, approved) in [(false, true), (true, false)] {
        let (house, attempt) = beeps(lenient, approved).await;
        send(&house, attempt, "machine", Some(1_400)).await;
        let row = over(&house, attempt).await;
        assert!(
            row.result
                .is_some_and(|r| r.as_str().starts_with("machine"))
        );
        assert_eq!(messages(&house, attempt).await, 0);
        let heard = house.store.get_heard(attempt).await.expect("answers");
        assert_eq!(heard.map(|h| h.acted), Some(Acted::Hangup));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_for_who_is_held_meanwhile() {
    for told in [true, false] {
        let (house, attempt) = beeps(true, true).await;
        let debtor = house.attempt(attempt).await.debtor_id;
        let hold = house.hold(debtor, HoldKind::Represented);
        if told {
            // The call ends before any beep.
            let me = Actor::User(UserId(Uuid::from_u128(1)));
            house.center.place_hold(me, hold).await.expect("is placed");
        } else {
            house.store.put_hold(&hold, &[]).await.expect("is placed");
            send(&house, attempt, "machine", Some(1_400)).await;
        }
        let row = over(&house, attempt).await;
        let result = row.result.map_or("", |r| r.as_str());
        assert!(result.starts_with("machine"), "{result}");
        assert_eq!(messages(&house, attempt).await, 0);
    }
}

async fn acts(house: &House) -> bool {
    let row = house.store.get_campaign(campaign_id()).await;
    row.expect("is there").params.amd == AmdMode::On
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_loses_persons_is_turned_back_and_says_so() {
    let house = House::build(Plan {
        params: params(AmdMode::On),
        debtors: 120,
        ..Plan::default()
    })
    .await;
    for n in 1..6 {
        house.agent(n).await;
    }
    house.start().await;
    let supervisor = Actor::User(UserId(Uuid::from_u128(1)));
    let mut seen = Vec::new();
    // Persons whom somebody who listened found: more than any campaign may lose.
    while seen.len() < 55 && acts(&house).await {
        let attempt = answer(&house, &seen).await;
        seen.push(attempt);
        let class = if is_checked(attempt) {
            "human"
        } else {
            "machine"
        };
        send(&house, attempt, class, None).await;
        if class == "machine" {
            over(&house, attempt).await;
            let lost = house
                .center
                .tell_truth(supervisor, attempt, Truth::Person)
                .await;
            lost.expect("is kept");
        }
    }
    house.secs(40).await;
    let row = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("is there");
    assert_eq!(row.params.amd, AmdMode::Shadow);
    let board = house.center.board().await;
    let alarm = board.data.alarms.iter().find(|a| a.kind == "amd_shadowed");
    let alarm = alarm.expect("it is said");
    assert!(
        alarm.es.contains("0.5 %") && alarm.en.contains("0.5 %"),
        "{}",
        alarm.es
    );
    // Turned on again it is judged by what comes from now on.
    let known = house
        .center
        .detector_known(campaign_id())
        .await
        .expect("answers");
    // Only calls that were on their way when it was turned back.
    assert!(known.lost() < 10, "{known:?}");
}

#[tokio::test(start_paused = true)]
async fn what_several_numbers_have_in_common_is_the_carriers_recording() {
    let house = House::build(Plan {
        params: params(AmdMode::Shadow),
        debtors: 40,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let trunk = TrunkId(crate::world::id(4));
    for n in 1..4 {
        let attempt = house.talking(&agent).await;
        let report = TrunkReport::Printed {
            attempt,
            at: house.clock.now(),
            print: vec![5; 200],
        };
        house.reports.send(report).await.expect("is read");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let told = house
            .center
            .tell_truth(Actor::Agent(agent.id), attempt, Truth::Machine)
            .await;
        told.expect("is kept");
        house.secs(1).await;
        let prints = house.store.prints_of(trunk).await.expect("answers");
        assert_eq!(prints.len(), 1);
        assert_eq!((prints[0].numbers, prints[0].decides()), (n, n == 3));
        house
            .until("he is free", || agent.attempt() != Some(attempt))
            .await;
    }
}
