//! For each checker a planted breach: it must see exactly that invariant.

use super::{Breach, Limits, check_all};
use crate::store::{Lease, Tables};
use crate::trunk::Invite;
use domain::entity::{
    Attempt, AttemptState, CallResult, Channel, CheckPoint, Decision, DialMode, Hold, HoldKind,
    HoldScope, PointClass, Recording, RecordingOutcome, Verdict,
};
use domain::event::{Event, NewEvent};
use domain::ids::{
    AgentId, AttemptId, CampaignId, ClientId, DebtId, DebtorId, EventId, HoldId, PersonId, PointId,
    RecordingId, TrunkId, VerdictId,
};
use domain::pii::Pii;
use domain::time::UtcMs;
use uuid::Uuid;

pub(super) const T0: i64 = 1_795_446_000_000;
const LIMITS: Limits = Limits {
    channels: 2,
    starts_per_s: 2,
    late_ms: Some(20),
    attempts_per_day: 3,
    attempts_per_week: 7,
    zone_offset_h: -6,
    quiet_at: UtcMs(i64::MAX),
    crashed: false,
};

pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(super) fn verdict(n: u128, at: UtcMs) -> Verdict {
    Verdict {
        id: VerdictId(id(n)),
        at,
        check_point: CheckPoint::Dial,
        debtor_id: DebtorId(id(1)),
        point_id: Some(PointId(id(2))),
        campaign_id: None,
        channel: Channel::Call,
        decision: Decision::Allow,
        blocked: None,
        rules: Vec::new(),
        packs: Vec::new(),
        zones: Vec::new(),
        counters: Vec::new(),
        next_legal_at: None,
        record: None,
    }
}

/// The `n`-th attempt of person `person`, `hour` hours in, 60 s long, answered and talked.
pub(super) fn attempt(n: u128, person: u128, hour: i64) -> Attempt {
    let at = UtcMs(T0 + hour * 3_600_000);
    Attempt {
        id: AttemptId(id(100 + n)),
        client_id: ClientId(id(3)),
        campaign_id: None,
        debtor_id: DebtorId(id(person)),
        person_id: PersonId(id(person)),
        debt_id: Some(DebtId(id(4))),
        debts: vec![DebtId(id(4))],
        point_id: PointId(id(2)),
        phone: Pii("+525500000001".into()),
        class: PointClass::Mobile,
        trunk_id: TrunkId(id(5)),
        caller_id: None,
        caller_number: "+525500000100".into(),
        node: "n".into(),
        fence: 1,
        direction: domain::entity::Direction::Outbound,
        mode: DialMode::Power,
        agent_reserved: false,
        state: AttemptState::Ended,
        opened_at: at,
        invite_at: Some(at.plus_ms(1)),
        ringing_at: None,
        answered_at: Some(at.plus_ms(5_000)),
        popped_at: Some(at.plus_ms(5_002)),
        acked_at: None,
        bridged_at: Some(at.plus_ms(5_010)),
        identity_at: None,
        ended_at: Some(at.plus_ms(60_000)),
        result: Some(CallResult::Human),
        sip_code: Some(200),
        q850: None,
        disposition: Some("CD.NP".into()),
        note: None,
        disposed_at: Some(at.plus_ms(70_000)),
        agent_id: Some(AgentId(id(200 + person))),
        recording_id: Some(RecordingId(id(300 + n))),
        verdict_id: VerdictId(id(400 + n)),
        pack: String::new(),
        pack_version: String::new(),
    }
}

fn tell(tables: &mut Tables, n: u128, kind: &str, subject: String) {
    let event = NewEvent {
        id: EventId(id(n)),
        at: UtcMs(T0),
        client_id: None,
        actor: "system".into(),
        kind: kind.into(),
        subject,
        data: serde_json::Value::Null,
    };
    tables.events.push(Event {
        cursor: tables.events.len() as i64 + 1,
        schema: 1,
        event,
    });
}

pub(super) fn add(tables: &mut Tables, invites: &mut Vec<Invite>, n: u128, row: Attempt) {
    let mut allowed = verdict(400 + n, row.opened_at);
    allowed.debtor_id = row.debtor_id;
    tables.verdicts.insert(row.verdict_id, allowed);
    let recording = Recording {
        id: RecordingId(id(300 + n)),
        attempt_id: row.id,
        client_id: row.client_id,
        key: "k".into(),
        outcome: RecordingOutcome::Sealed,
        sha256: None,
        duration_ms: 55_000,
        bytes: 1,
        gaps: Vec::new(),
        started_at: row.opened_at,
        sealed_at: None,
    };
    tables.recordings.insert(recording.id, recording);
    invites.push(Invite {
        attempt: row.id,
        number: row.phone.reveal().clone(),
        at: row.opened_at.plus_ms(1),
    });
    tell(
        tables,
        1_000 + 2 * n,
        "attempt.dialed",
        format!("attempt:{}", row.id),
    );
    tell(
        tables,
        1_001 + 2 * n,
        "attempt.ended",
        format!("attempt:{}", row.id),
    );
    tables.attempts.insert(row.id, row);
}

/// Three attempts on two people, nothing wrong.
fn sound() -> (Tables, Vec<Invite>) {
    let (mut tables, mut invites) = (Tables::default(), Vec::new());
    for (n, person, hour) in [(1, 1, 0), (2, 1, 2), (3, 6, 4)] {
        let row = attempt(n, person, hour);
        add(&mut tables, &mut invites, n, row);
    }
    (tables, invites)
}

fn seen(plant: impl FnOnce(&mut Tables, &mut Vec<Invite>)) -> Vec<u8> {
    let (mut tables, mut invites) = sound();
    plant(&mut tables, &mut invites);
    let mut ids: Vec<u8> = check_all(&tables, &invites, &LIMITS)
        .into_iter()
        .map(|b: Breach| b.invariant)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn of(tables: &mut Tables, n: u128) -> &mut Attempt {
    tables
        .attempts
        .get_mut(&AttemptId(id(100 + n)))
        .expect("planted attempt")
}

#[test]
fn a_sound_run_has_no_breach() {
    assert_eq!(seen(|_, _| {}), Vec::<u8>::new());
}

#[test]
fn overlapping_attempts_of_a_person_are_seen() {
    let ids = seen(|t, i| {
        let mut row = attempt(4, 1, 0);
        row.opened_at = row.opened_at.plus_ms(30_000);
        row.agent_id = None;
        add(t, i, 4, row);
    });
    assert_eq!(ids, [1]);
}

#[test]
fn an_invite_without_attempt_repeated_refused_or_stale_is_seen() {
    assert_eq!(
        seen(|_, i| i.push(Invite {
            attempt: AttemptId(id(999)),
            number: "+1".into(),
            at: UtcMs(T0 - 9_000_000)
        })),
        [2]
    );
    assert_eq!(
        seen(|_, i| {
            let again = Invite {
                at: i[0].at.plus_ms(90_000),
                ..i[0].clone()
            };
            i.push(again);
        }),
        [2]
    );
    let refuse = |t: &mut Tables| {
        t.verdicts
            .get_mut(&VerdictId(id(401)))
            .expect("verdict")
            .decision = Decision::Deny;
    };
    assert_eq!(seen(|t, _| refuse(t)), [2]);
    let age = |t: &mut Tables| {
        t.verdicts.get_mut(&VerdictId(id(401))).expect("verdict").at = UtcMs(T0 - 60_000);
    };
    assert_eq!(seen(|t, _| age(t)), [2]);
    let alone = |t: &mut Tables| {
        t.verdicts
            .get_mut(&VerdictId(id(401)))
            .expect("verdict")
            .decision = Decision::AllowAgentOnly;
    };
    assert_eq!(seen(|t, _| alone(t)), [2]);
}

#[test]
fn a_fourth_attempt_in_a_day_and_an_eighth_in_a_week_are_seen() {
    let ids = seen(|t, i| {
        for n in 4..6 {
            add(t, i, n, attempt(n, 1, i64::try_from(n).expect("small")));
        }
    });
    assert_eq!(ids, [3]);
    let ids = seen(|t, i| {
        for n in 4..10 {
            add(
                t,
                i,
                n,
                attempt(n, 1, 24 * (i64::try_from(n).expect("small") - 3)),
            );
        }
    });
    assert_eq!(ids, [3]);
}

#[test]
fn too_many_lines_or_starts_are_seen() {
    let ids = seen(|t, i| {
        for n in 10..13 {
            let mut row = attempt(n, n, 8);
            row.opened_at = row
                .opened_at
                .plus_ms(i64::try_from(n).expect("small") * 2_000);
            add(t, i, n, row);
        }
    });
    assert_eq!(ids, [5]);
}

/// Short calls with so many ms between them.
fn short_calls(calls: u128, apart_ms: i64) -> (Tables, Vec<Invite>) {
    let (mut tables, mut invites) = sound();
    for n in 0..calls {
        let mut row = attempt(10 + n, 10 + n, 8);
        let late = i64::try_from(n).expect("small") * apart_ms;
        row.opened_at = row.opened_at.plus_ms(late);
        row.ended_at = Some(row.opened_at.plus_ms(1));
        (row.answered_at, row.bridged_at, row.agent_id) = (None, None, None);
        add(&mut tables, &mut invites, 10 + n, row);
    }
    (tables, invites)
}

#[test]
fn a_start_more_than_the_rate_in_any_second_is_seen() {
    let of = |calls, apart_ms, late_ms| {
        let (tables, invites) = short_calls(calls, apart_ms);
        let limits = Limits { late_ms, ..LIMITS };
        let found = check_all(&tables, &invites, &limits);
        found.into_iter().map(|b| b.invariant).collect::<Vec<_>>()
    };
    assert_eq!(of(3, 480, Some(20)), [5], "the third within 960 ms");
    assert!(of(3, 490, Some(20)).is_empty(), "moved together by 20 ms");
    assert!(of(9, 500, Some(0)).is_empty(), "two a second");
    assert!(of(4, 300, None).is_empty(), "twice the rate");
    assert_eq!(of(5, 200, None), [5]);
}

/// A day of so many answers one behind the other, the first ones abandoned, the next ones found to be machines
/// by their agents; the last five are dialed without an agent unless `reserved`.
fn day_of(answers: u128, abandoned: u128, machines: u128, reserved: bool) -> Vec<u8> {
    let mut tables = Tables::default();
    for n in 0..answers + 5 {
        let mut row = attempt(n, n + 1, 0);
        let at = UtcMs(T0 + i64::try_from(n).expect("small") * 70_000);
        row.campaign_id = Some(CampaignId(id(7)));
        row.opened_at = at;
        row.answered_at = Some(at.plus_ms(5_000));
        row.bridged_at = Some(at.plus_ms(5_010));
        row.ended_at = Some(at.plus_ms(60_000));
        row.disposed_at = Some(at.plus_ms(62_000));
        if n < abandoned {
            row.result = Some(CallResult::Abandoned);
            row.bridged_at = None;
        } else if n < abandoned + machines {
            row.disposition = Some("NC.BZ".into());
        }
        row.agent_reserved = n < answers || reserved;
        tables.attempts.insert(row.id, row);
    }
    let mut out = Vec::new();
    super::abandonment::over_the_cap_agents_come_first(&tables, &LIMITS, &mut out);
    out.iter().map(|b| b.invariant).collect()
}

#[test]
fn dialing_ahead_over_the_abandonment_cap_is_seen() {
    assert_eq!(day_of(100, 4, 0, false), [4]);
    assert!(
        day_of(100, 4, 0, true).is_empty(),
        "an agent waits for each call"
    );
    assert!(day_of(100, 3, 0, false).is_empty(), "3 of 104 is under it");
}

/// law.md §4: machines that agents found are no live answers.
#[test]
fn machines_that_agents_found_are_no_live_answers() {
    assert!(
        day_of(102, 5, 10, false).is_empty(),
        "5 of 92 so far: before a hundred the quotient does not bind"
    );
    assert_eq!(day_of(110, 5, 8, false), [4], "5 of 102");
    assert!(day_of(140, 4, 0, false).is_empty(), "4 of 140 is under it");
    assert_eq!(day_of(140, 4, 20, false), [4], "4 of 120 is over it");
}

#[test]
fn an_agent_in_two_calls_is_seen() {
    let ids = seen(|t, _| {
        let agent = of(t, 1).agent_id;
        let row = of(t, 3);
        row.agent_id = agent;
        row.bridged_at = Some(UtcMs(T0 + 6_000));
    });
    assert_eq!(ids, [6]);
}

#[test]
fn an_open_attempt_and_a_left_lease_are_seen() {
    let ids = seen(|t, _| {
        of(t, 3).state = AttemptState::Ringing;
        t.events.pop();
    });
    assert_eq!(ids, [7]);
    let lease = Lease {
        campaign: CampaignId(id(1)),
        node: "n".into(),
        fence: 1,
        until: UtcMs(0),
    };
    assert_eq!(
        seen(|t, _| drop(t.leases.insert(DebtorId(id(1)), lease))),
        [7]
    );
}

#[test]
fn a_missing_result_or_disposition_is_seen() {
    assert_eq!(seen(|t, _| of(t, 1).result = None), [8]);
    assert_eq!(seen(|t, _| of(t, 1).disposition = None), [8]);
}

#[test]
fn a_missing_second_or_open_recording_is_seen() {
    let key = RecordingId(id(301));
    assert_eq!(seen(|t, _| drop(t.recordings.remove(&key))), [9]);
    assert_eq!(
        seen(|t, _| t.recordings.get_mut(&key).expect("row").outcome = RecordingOutcome::Open),
        [9]
    );
}

#[test]
fn an_untold_or_twice_told_end_is_seen() {
    assert_eq!(seen(|t, _| drop(t.events.pop())), [11]);
    assert_eq!(
        seen(|t, _| {
            let again = t.events[1].clone();
            t.events.push(again);
        }),
        [11, 12]
    );
}

/// A hold on the debtor an hour after the first call.
fn held(kind: HoldKind, channel: Option<Channel>) -> Vec<u8> {
    seen(|t, _| {
        let hold = Hold {
            id: HoldId(id(9)),
            client_id: ClientId(id(3)),
            debtor_id: DebtorId(id(1)),
            scope: HoldScope::Debtor,
            debt_id: None,
            point_id: None,
            channel,
            kind,
            from: UtcMs(T0 + 3_600_000),
            until: None,
            lifted_at: None,
            evidence: String::new(),
        };
        t.holds.insert(hold.id, hold);
    })
}

#[test]
fn a_call_under_a_hold_is_seen() {
    assert_eq!(held(HoldKind::Paid, None), [13]);
    let opted_out = |channel| held(HoldKind::ChannelOptout, Some(channel));
    assert_eq!(opted_out(Channel::Call), [13]);
    assert!(
        opted_out(Channel::Sms).is_empty(),
        "who wants no messages may be called"
    );
}
