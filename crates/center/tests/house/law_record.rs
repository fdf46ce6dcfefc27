//! What the law asks of the number shown and of the campaign's days; what the record of a decision holds; a pack on
//! trial over everything that was done.

use crate::world::{House, NOBODY, Plan, campaign_id, client_id, debtor_id, id};
use center::dry_run::{DryAsk, DryRun};
use domain::entity::{
    CallerId, CampaignParams, CampaignSchedule, Channel, DayHours, DialMode, LedgerKind, LedgerRow,
    Override, PointClass, RELAX_RIGHT,
};
use domain::ids::{CallerIdId, LedgerId, OverrideId};
use domain::law::EMBEDDED_PACKS;
use domain::law::pack::Day;
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, ContactStore as _};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

const LIST: &str = "mx-condusef/caller_id.registered_list";

/// The house's number, not registered any more.
async fn unregistered(house: &House) -> CallerId {
    let mut row = house
        .store
        .get_caller_id(CallerIdId(id(5)))
        .await
        .expect("there");
    row.registered = false;
    house.store.put_caller_id(&row, &[]).await.expect("put");
    row
}

#[tokio::test(start_paused = true)]
async fn without_a_number_that_the_law_lets_be_shown_nobody_is_called_and_it_is_told() {
    let house = House::unanswered(3).await;
    unregistered(&house).await;
    let agent = house.agent(1).await;
    house.start().await;
    house.secs(60).await;
    assert!(house.attempts().await.is_empty());
    let why = house
        .center
        .why_not(debtor_id(0), None)
        .await
        .expect("told");
    assert!(
        why.reasons_es.iter().any(|r| r.contains("REDECO")),
        "{:?}",
        why.reasons_es
    );
    let refused = house
        .store
        .verdicts_of(debtor_id(0), 10)
        .await
        .expect("stored");
    assert!(
        refused
            .iter()
            .any(|v| v.rules.iter().any(|r| r.refused && r.rule == LIST)),
        "{refused:?}"
    );
    // Counted by that reason, and each is behind it.
    let all = house
        .center
        .campaign_why(campaign_id())
        .await
        .expect("told");
    let counted = all
        .reasons
        .iter()
        .find(|r| r.key == "later.blocked_caller_id");
    let counted = counted.expect("a reason of its own");
    assert_eq!((counted.debtors, counted.unexplained), (3, false));
    assert!(counted.es.contains("números") && counted.en.contains("numbers"));
    let key = counted.key.clone();
    let rows = house.center.campaign_why_rows(campaign_id(), key, None, 10);
    let rows = rows.await.expect("rows");
    assert_eq!(rows.len(), 3);
    let said =
        |r: &center::campaign_why::WhyRow| r.es.as_deref().is_some_and(|t| t.contains("REDECO"));
    assert!(rows.iter().all(said), "{rows:?}");
    // Nor by hand.
    let point = crate::world::point_id(0);
    let by_hand = house
        .center
        .dial_manual(agent.id, debtor_id(0), point)
        .await;
    assert!(by_hand.expect_err("refused").to_string().contains("REDECO"));
}

#[tokio::test(start_paused = true)]
async fn of_several_numbers_one_that_fits_is_shown_and_stands_in_the_record() {
    let house = House::unanswered(4).await;
    let first = unregistered(&house).await;
    let good = CallerId {
        id: CallerIdId(id(51)),
        number: "+525555550200".into(),
        registered: true,
        ..first
    };
    house.store.put_caller_id(&good, &[]).await.expect("put");
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(120).await;
    let made = house.attempts().await;
    assert!(!made.is_empty());
    for attempt in made {
        assert_eq!(attempt.caller_id, Some(good.id));
        let verdict = house
            .store
            .get_verdict(attempt.verdict_id)
            .await
            .expect("stored");
        let record = verdict.record.expect("a record");
        let around = record.circumstances;
        let shown = around.caller.expect("a number");
        assert_eq!((shown.id, shown.why.as_str()), (Some(good.id), "home"));
        assert_eq!(around.action, Some(format!("attempt:{}", attempt.id)));
        assert_eq!(around.asked_by.as_deref(), Some("node:node-1"));
        assert!(around.clock.is_some() && around.reserved_until.is_some());
        let rate = around.abandonment.expect("a rule binds");
        assert_eq!((rate.cap_bp, rate.mode.as_str()), (300, "progressive"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_campaign_rests_on_days_that_its_schedule_does_not_name() {
    // The house opens on a day of the week; the schedule names the next one alone.
    let start: UtcMs = Plan::default().at.parse().expect("an instant");
    let zone = domain::time::zone("America/Mexico_City").expect("a zone");
    let today = start.in_zone(&zone).date();
    let tomorrow = today.tomorrow().expect("a date").weekday();
    let day = Day::ALL
        .iter()
        .find(|d| d.weekday() == tomorrow)
        .expect("a day");
    let house = House::build(Plan {
        debtors: 3,
        mix: NOBODY,
        params: hours(&[*day], ("11:00", "12:00")),
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(10 * 60).await;
    assert!(house.attempts().await.is_empty());
    let item = house.item(debtor_id(0)).await;
    let opens = item.next_at.in_zone(&zone);
    assert_eq!(opens.date().weekday(), tomorrow);
    assert_eq!(opens.time().to_string(), "11:00:00");
}

/// A campaign with hours of its own on some days.
fn hours(days: &[Day], (from, to): (&str, &str)) -> CampaignParams {
    CampaignParams {
        schedule: CampaignSchedule {
            hours: vec![DayHours::of(days, from, to)],
            ..CampaignSchedule::default()
        },
        ..CampaignParams::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_campaign_begins_when_its_stretch_of_the_day_does() {
    let house = House::build(Plan {
        debtors: 3,
        mix: NOBODY,
        params: hours(Day::ALL, ("10:20", "12:00")),
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(19 * 60).await;
    assert!(house.attempts().await.is_empty());
    house.secs(5 * 60).await;
    let made = house.attempts().await;
    let zone = domain::time::zone("America/Mexico_City").expect("a zone");
    let first = made
        .iter()
        .map(|a| a.opened_at)
        .min()
        .expect("one was made");
    let first = first.in_zone(&zone).time();
    assert!(first >= jiff::civil::time(10, 20, 0, 0), "{first}");
}

/// A row of the ledger about a debtor, as a message or a visit leaves it.
fn done(n: u128, debtor: u128, (channel, kind): (Channel, LedgerKind), at: UtcMs) -> LedgerRow {
    LedgerRow {
        id: LedgerId(id(60_000 + n)),
        person_id: domain::ids::PersonId(id(0)),
        debtor_id: debtor_id(debtor),
        client_id: client_id(),
        debts: Vec::new(),
        point_id: Some(crate::world::point_id(debtor)),
        address: String::new().into(),
        class: PointClass::Mobile,
        channel,
        kind,
        at,
        attempt_id: None,
        campaign_id: Some(campaign_id()),
        reached_network: None,
    }
}

/// The shipped pack with one text in the place of another.
fn changed(from: &str, to: &str) -> String {
    let (_, text) = EMBEDDED_PACKS
        .iter()
        .find(|(name, _)| *name == "mx-condusef.json")
        .expect("is shipped");
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
        .replacen("\"version\": \"", "\"version\": \"trial-", 1)
}

async fn tried(house: &House, pack: &str, limit: u64) -> DryRun {
    let until = house.clock.now().plus_ms(1);
    let ask = DryAsk {
        client: Some(client_id()),
        since: until.plus_ms(-30 * DAY_MS),
        until,
        limit,
    };
    let id = house.center.dry_run("pack", pack, ask).expect("begins");
    house.secs(2).await;
    house
        .center
        .dry_run_of(id)
        .expect("kept")
        .result()
        .expect("done")
}

/// A pack with a fault is refused by its field.
fn a_fault_is_named(house: &House) {
    let until = house.clock.now();
    let ask = DryAsk {
        client: None,
        since: until,
        until,
        limit: 1,
    };
    let fault = house
        .center
        .dry_run("pack", &changed("\"caps\"", "\"kaps\""), ask);
    assert!(fault.expect_err("a fault").to_string().contains("kaps"));
}

#[tokio::test(start_paused = true)]
async fn a_pack_on_trial_is_held_against_calls_messages_and_visits() {
    let house = House::unanswered(6).await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(300).await;
    let calls = house.attempts().await.len() as u64;
    assert!(calls >= 3, "{calls}");
    let now = house.clock.now();
    // Since the debts are there: minutes ago, past ten there.
    let earlier = |n: i64| now.plus_ms(-60_000 - n * 1_000);
    house.store.with(|t| {
        for n in 0..5 {
            let sms = (Channel::Sms, LedgerKind::Message);
            t.put_ledger(done(n, n, sms, earlier(i64::try_from(n).expect("few"))));
        }
        t.put_ledger(done(9, 0, (Channel::Visit, LedgerKind::Visit), earlier(9)));
        // Longer ago than thirty days: not asked about.
        t.put_ledger(done(
            10,
            1,
            (Channel::Sms, LedgerKind::Message),
            now.plus_ms(-31 * DAY_MS),
        ));
        // What came of an act is none.
        t.put_ledger(done(
            11,
            1,
            (Channel::Call, LedgerKind::Conversation),
            earlier(20),
        ));
    });
    // The day begins at noon.
    let pack = changed("\"07:00\"", "\"12:00\"");
    let run = tried(&house, &pack, 1_000).await;
    assert_eq!((run.all, run.acts, run.every), (calls + 6, calls + 6, 1));
    assert_eq!((run.concerned, run.newly_blocked), (calls + 6, calls + 6));
    let told = |run: &DryRun| -> Vec<(Channel, u64, u64)> {
        let of = run.channels.iter();
        of.map(|c| (c.channel, c.concerned, c.newly_blocked))
            .collect()
    };
    let (call, sms, visit) = (Channel::Call, Channel::Sms, Channel::Visit);
    assert_eq!(
        told(&run),
        [(call, calls, calls), (sms, 5, 5), (visit, 1, 1)]
    );
    assert_eq!(run.rules[0].rule, "mx-condusef/windows");
    // At half past seven it is as it was.
    let run = tried(&house, &changed("\"07:00\"", "\"07:30\""), 1_000).await;
    assert_eq!(told(&run), [(call, calls, 0), (sms, 5, 0), (visit, 1, 0)]);
    // A sample is spread evenly, and said to be one.
    let sample = tried(&house, &pack, 4).await;
    assert_eq!(sample.all, calls + 6);
    assert_eq!(sample.every, (calls + 6).div_ceil(4));
    assert_eq!(sample.acts, (calls + 6).div_ceil(sample.every));
    a_fault_is_named(&house);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_presumption_is_relaxed_by_nobody() {
    let house = House::build(Plan {
        debtors: 1,
        mix: NOBODY,
        params: CampaignParams {
            mode: DialMode::Manual,
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    let now = house.clock.now();
    let debtor = house.store.get_debtor(debtor_id(0)).await.expect("there");
    let person = debtor.person_id;
    house.store.with(|t| {
        for n in 0..3 {
            let mut row = done(
                n,
                0,
                (Channel::Call, LedgerKind::Attempt),
                now.plus_ms(-60_000),
            );
            row.person_id = person;
            t.put_ledger(row);
        }
    });
    let relaxed = Override {
        id: OverrideId(id(90)),
        client_id: client_id(),
        debtor_id: debtor_id(0),
        rule: "mx-condusef/attempts_day".into(),
        reason: "x".into(),
        granted_by: "user:1".into(),
        granted_right: RELAX_RIGHT.into(),
        granted_at: now,
        until: now.plus_ms(HOUR_MS),
        withdrawn_at: None,
    };
    house.store.put_override(&relaxed, &[]).await.expect("put");
    let point = crate::world::point_id(0);
    let asked = house
        .center
        .dial_manual(agent.id, debtor_id(0), point)
        .await;
    assert_eq!(asked.expect_err("a hard cap").code(), "blocked_cap");
    assert_eq!(
        house.center.is_presumption("mx-condusef/attempts_day"),
        Some(false)
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_registered_meanwhile_is_shown_without_a_new_start() {
    let house = House::unanswered(3).await;
    let mut row = unregistered(&house).await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(60).await;
    assert!(house.attempts().await.is_empty());
    row.registered = true;
    house.store.put_caller_id(&row, &[]).await.expect("put");
    house.secs(15 * 60).await;
    assert!(!house.attempts().await.is_empty());
}
