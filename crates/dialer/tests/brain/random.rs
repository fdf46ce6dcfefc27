//! Any order of inputs: the invariants hold after each (the rig asserts them), every order keeps its
//! mode's promise, every call ends once, every item is accounted for.

use crate::rig::{Rig, agent, campaign, in_mode, power, trunk};
use dialer::{CallRules, CampaignSpec, Command, EndReport, Gate, Input, OpenResult, Phase, Wish};
use domain::entity::{DialMode, WrapupMode};
use domain::ids::AttemptId;
use domain::rules::agent_state::{AgentState, PauseCode};
use domain::time::{HOUR_MS, MINUTE_MS};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const AGENTS: u128 = 4;
const CHANNELS: u32 = 6;
const CPS: u32 = 4;

/// One thing that happens; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    SignIn(u128),
    Wish(u128, Wish),
    LinkLost(u128),
    Leg(u128, bool),
    Open(usize, bool),
    Answer(usize),
    Join(usize),
    PopFails(usize),
    BridgeFails(usize),
    End(usize, u16),
    Played(usize),
    HangUp(usize),
    Hold(usize, bool),
    Dispose(u128),
    PreviewDial(u128),
    PreviewSkip(u128),
    Manual(u128, bool),
    Withdraw(usize),
    Campaign(u128, DialMode, u8),
    CampaignOff(u128, bool),
    Gate(bool),
    TrunkUp(bool),
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        4 => Just(Wish::Ready),
        1 => Just(Wish::Pause(PauseCode::Break)),
        1 => Just(Wish::Logout),
    ]
}

fn mode() -> impl Strategy<Value = DialMode> {
    prop_oneof![
        4 => Just(DialMode::Power),
        2 => Just(DialMode::Progressive),
        1 => Just(DialMode::Preview),
        1 => Just(DialMode::Manual),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 1..=AGENTS;
    let which = || 0_usize..8;
    prop_oneof![
        12 => (0_i64..4_000).prop_map(Step::Pass),
        2 => (10_000_i64..200_000).prop_map(Step::Pass),
        8 => who().prop_map(Step::SignIn),
        10 => (who(), wish()).prop_map(|(a, w)| Step::Wish(a, w)),
        2 => who().prop_map(Step::LinkLost),
        2 => (who(), any::<bool>()).prop_map(|(a, up)| Step::Leg(a, up)),
        14 => (which(), prop::bool::weighted(0.9)).prop_map(|(c, ok)| Step::Open(c, ok)),
        14 => which().prop_map(Step::Answer),
        12 => which().prop_map(Step::Join),
        1 => which().prop_map(Step::PopFails),
        1 => which().prop_map(Step::BridgeFails),
        10 => (which(), prop::sample::select(vec![200, 486, 404, 503])).prop_map(|(c, s)| Step::End(c, s)),
        2 => which().prop_map(Step::Played),
        2 => which().prop_map(Step::HangUp),
        2 => (which(), any::<bool>()).prop_map(|(c, on)| Step::Hold(c, on)),
        8 => who().prop_map(Step::Dispose),
        4 => who().prop_map(Step::PreviewDial),
        1 => who().prop_map(Step::PreviewSkip),
        2 => (who(), any::<bool>()).prop_map(|(a, known)| Step::Manual(a, known)),
        2 => which().prop_map(Step::Withdraw),
        2 => (1_u128..=2, mode(), 1_u8..=5).prop_map(|(c, m, l)| Step::Campaign(c, m, l)),
        1 => (1_u128..=2, any::<bool>()).prop_map(|(c, cancel)| Step::CampaignOff(c, cancel)),
        1 => any::<bool>().prop_map(Step::Gate),
        1 => any::<bool>().prop_map(Step::TrunkUp),
    ]
}

/// The `n`-th live call in a phase, if there is one.
fn nth(rig: &Rig, n: usize, fits: impl Fn(Phase) -> bool) -> Option<AttemptId> {
    let calls: Vec<AttemptId> = rig
        .brain
        .calls()
        .filter(|c| fits(c.phase))
        .map(|c| c.attempt)
        .collect();
    (!calls.is_empty()).then(|| calls[n % calls.len()])
}

fn spec(n: u128, mode: DialMode, lines: u8) -> CampaignSpec {
    CampaignSpec {
        mode,
        lines_per_agent: f64::from(lines),
        priority: if n == 1 { 3 } else { i32::from(lines) },
        rules: CallRules {
            wrapup_mode: if lines == 2 {
                WrapupMode::TimedLocked
            } else {
                WrapupMode::Timed
            },
            ..CallRules::default()
        },
        card_first: lines == 3,
        ..power(n)
    }
}

/// Inputs that a person may be refused: a refusal is an answer like another.
fn ask(rig: &mut Rig, input: Input) {
    if let Err(refusal) = rig.ask(input) {
        assert!(!refusal.code.is_empty() && !refusal.what.is_empty());
    }
}

fn take(rig: &mut Rig, step: &Step, by_hand: &mut u128) {
    let unanswered = |p| matches!(p, Phase::Opening | Phase::Dialing);
    let any = |_| true;
    match *step {
        Step::Pass(ms) => rig.pass(ms),
        Step::SignIn(n) => rig.sign_in(n),
        Step::Wish(n, wish) => ask(
            rig,
            Input::Wish {
                agent: agent(n),
                wish,
            },
        ),
        Step::LinkLost(n) => rig.tell(Input::LinkLost(agent(n))),
        Step::Leg(n, up) => rig.tell(Input::Leg {
            agent: agent(n),
            up,
        }),
        Step::Open(n, ok) => {
            if let Some(attempt) = nth(rig, n, |p| p == Phase::Opening) {
                let result = if ok {
                    OpenResult::Opened
                } else {
                    OpenResult::Gone
                };
                rig.tell(Input::OpenDone { attempt, result });
            }
        }
        Step::Answer(n) => {
            if let Some(attempt) = nth(rig, n, unanswered) {
                rig.answer(attempt);
            }
        }
        Step::Join(n) => {
            if let Some(attempt) = nth(rig, n, |p| p == Phase::Connecting) {
                rig.join(attempt);
            }
        }
        Step::PopFails(n) | Step::BridgeFails(n) => {
            if let Some(attempt) = nth(rig, n, |p| p == Phase::Connecting)
                && let Some(agent) = rig.brain.call(attempt).and_then(|c| c.agent)
            {
                rig.tell(if matches!(step, Step::PopFails(_)) {
                    Input::PopFailed { attempt, agent }
                } else {
                    Input::BridgeFailed { attempt, agent }
                });
            }
        }
        Step::End(n, code) => {
            if let Some(attempt) = nth(rig, n, any) {
                rig.end(attempt, code);
            }
        }
        Step::Played(n) => {
            if let Some(attempt) = nth(rig, n, any) {
                rig.tell(Input::Played(attempt));
            }
        }
        Step::HangUp(n) => {
            if let Some(attempt) = nth(rig, n, any) {
                rig.tell(Input::HangUp(attempt));
            }
        }
        _ => take_more(rig, step, by_hand),
    }
}

fn take_more(rig: &mut Rig, step: &Step, by_hand: &mut u128) {
    match *step {
        Step::Hold(n, on) => {
            if let Some(attempt) = nth(rig, n, |p| p == Phase::Connected) {
                ask(rig, Input::Hold { attempt, on });
            }
        }
        Step::Dispose(n) => {
            let open = rig.brain.agent(agent(n)).and_then(|s| s.wrap.or(s.call));
            if let Some(attempt) = open {
                rig.dispose(attempt);
            }
        }
        Step::PreviewDial(n) => ask(rig, Input::PreviewDial(agent(n))),
        Step::PreviewSkip(n) => ask(rig, Input::PreviewSkip(agent(n))),
        Step::Manual(n, known) => {
            let queued = rig.brain.hopper(campaign(1)).next().cloned();
            let item = queued
                .filter(|_| known)
                .unwrap_or_else(|| rig.item(campaign(1)));
            *by_hand += 1;
            ask(
                rig,
                Input::Manual {
                    agent: agent(n),
                    attempt: AttemptId(Uuid::from_u128(0xF00D_0000 + *by_hand)),
                    item: Box::new(item),
                    rules: CallRules::default(),
                },
            );
        }
        Step::Withdraw(n) => {
            let debtor = nth(rig, n, |_| true)
                .and_then(|a| rig.brain.call(a))
                .map(|c| c.item.debtor);
            if let Some(debtor) = debtor {
                rig.tell(Input::Withdraw(debtor));
            }
        }
        Step::Campaign(n, mode, lines) => rig.run(spec(n, mode, lines)),
        Step::CampaignOff(n, cancel) => rig.tell(Input::CampaignOff {
            campaign: campaign(n),
            cancel,
        }),
        Step::Gate(closed) => rig.tell(Input::Gate {
            gate: Gate::Database,
            closed,
        }),
        Step::TrunkUp(up) => rig.tell(Input::TrunkHealth {
            trunk: trunk(1),
            up,
        }),
        _ => {}
    }
}

/// What each order promises, seen over the whole log.
fn orders_are_sound(rig: &Rig) {
    let mut starts = Vec::new();
    let mut dialed = BTreeSet::new();
    let mut overs = BTreeMap::new();
    for (at, command) in &rig.log {
        match command {
            Command::Dial(task) => {
                assert!(dialed.insert(task.attempt), "dialed twice");
                starts.push(*at);
                let reserved = !matches!(task.mode, DialMode::Power) || task.item.agent_only;
                assert!(!reserved || task.agent.is_some(), "{task:?}");
                assert!(task.rules.ring_timeout_ms >= task.item.ring_min_ms);
                assert!(task.rules.agent_within_ms <= task.item.agent_within_ms);
            }
            Command::Over(over) => *overs.entry(over.attempt).or_insert(0) += 1,
            _ => {}
        }
    }
    for (attempt, times) in &overs {
        assert!(dialed.contains(attempt), "an end without a dial");
        assert_eq!(*times, 1, "ended {times} times");
    }
    let most = CPS as usize;
    for window in starts.windows(most + 1) {
        assert!(window[most].since_ms(window[0]) >= 1_000, "{window:?}");
    }
}

/// Every item handed over is in a hopper, a preview, given back, or was dialed.
fn items_are_accounted_for(rig: &Rig, by_hand: usize) {
    let mut seen = by_hand;
    for (_, command) in &rig.log {
        seen += usize::from(matches!(command, Command::Release { .. }));
    }
    let dials = rig.dials();
    seen += dials.iter().filter(|t| t.mode != DialMode::Manual).count();
    seen += (1..=2)
        .map(|n| rig.brain.hopper(campaign(n)).count())
        .sum::<usize>();
    seen += rig
        .brain
        .agents()
        .filter(|(_, s)| s.preview.is_some())
        .count();
    assert_eq!(seen as u64, rig.stocked);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_order_of_inputs_keeps_every_promise(steps in prop::collection::vec(step(), 50..400)) {
        let mut rig = Rig::with_trunk(CHANNELS, CPS);
        rig.run(in_mode(DialMode::Power));
        rig.ready([1, 2]);
        let mut by_hand = 0;
        for step in &steps {
            take(&mut rig, step, &mut by_hand);
            prop_assert!(rig.brain.calls().count() <= CHANNELS as usize);
        }
        orders_are_sound(&rig);
        items_are_accounted_for(&rig, 0);

        // Nobody does anything any more: within the limits of the states all is quiet.
        for n in 1..=2 {
            rig.tell(Input::CampaignOff { campaign: campaign(n), cancel: true });
        }
        for n in 1..=AGENTS {
            rig.tell(Input::LinkLost(agent(n)));
        }
        rig.pass(4 * HOUR_MS + 20 * MINUTE_MS);
        prop_assert_eq!(rig.brain.calls().count(), 0);
        for n in 1..=AGENTS {
            let state = rig.brain.agent(agent(n)).map(dialer::Session::state);
            prop_assert!(state.is_none_or(|s| s == AgentState::Offline), "{:?}", state);
        }
        orders_are_sound(&rig);
        items_are_accounted_for(&rig, 0);
        let late = EndReport::default();
        rig.tell(Input::Ended { attempt: AttemptId(Uuid::from_u128(1)), end: late });
    }
}
