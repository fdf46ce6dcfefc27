//! Calls over links that lose, repeat and reorder, by seed. Whatever happens on the way:
//! every INVITE has one outcome, every call one end, and nothing is left afterwards.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use common::{Link, World, ends};
use rand::Rng;
use sip::msg::{HeaderName, Message, Method, parse_datagram};
use sip::transaction::TIMEOUT;
use sip::ua::{CallKey, Event};

/// Longest wait for a world to come to rest, ms: a call has several stages of 64·T1.
const QUIET: u64 = 20 * TIMEOUT;
const SEEDS: u64 = 150;

fn rough(seed: u64) -> Link {
    let loss = [0.0, 0.05, 0.2, 0.35][usize::try_from(seed % 4).unwrap()];
    Link {
        loss,
        duplicate: 0.2,
        delay_ms: (1, 700),
    }
}

/// Does something at random with a call.
fn act(world: &mut World, node: usize, call: CallKey) {
    let now = world.now;
    let version = world.rng.random::<u32>();
    let sdp = Bytes::from(format!("v=0\r\no=- 1 {version} IN IP4 10.0.0.1\r\n"));
    let pick = world.rng.random_range(0..11);
    let to = sip::header::NameAddr::new(sip::msg::Uri::sip(Some("third"), common::addr(3)));
    let endpoint = &mut world.nodes[node].endpoint;
    // A command that does not fit the state is refused; that is part of the promise.
    let _ = match pick {
        0 => endpoint.hang_up(now, call, None),
        1 => endpoint.cancel(now, call, None),
        2 => endpoint.answer(now, call, sdp),
        3 => endpoint.reject(now, call, 486, None),
        4 => endpoint.ring(now, call),
        5 => endpoint.reinvite(now, call, sdp),
        6 => endpoint.progress(now, call, 183, Some(sdp)),
        7 => endpoint.refer(now, call, to, None),
        8 => endpoint.answer_refer(now, call, 202),
        9 => endpoint.notify_refer(now, call, 200, true),
        _ => endpoint.answer_reinvite(now, call, Some(sdp)),
    };
}

/// Random deeds for a while, then everybody hangs up and the world must come to rest.
fn play(seed: u64) -> World {
    let mut world = World::pair(seed, rough(seed));
    world.record = true;
    let mut calls: Vec<(usize, CallKey)> = Vec::new();
    for _ in 0..6 {
        let from = world.rng.random_range(0..2);
        let key = world.call(from, 1 - from);
        calls.push((from, key));
        for _ in 0..6 {
            let wait = world.rng.random_range(1..1_500);
            world.run_for(wait);
            for node in 0..2 {
                for event in world.fresh(node) {
                    if let Event::Incoming(incoming) = event {
                        calls.push((node, incoming.call));
                        if world.rng.random_bool(0.5) {
                            let now = world.now;
                            let sdp = Bytes::from_static(b"v=0 first");
                            // The call may be cancelled meanwhile.
                            let endpoint = &mut world.nodes[node].endpoint;
                            let _ = endpoint.answer(now, incoming.call, sdp);
                        }
                    }
                }
            }
            let (node, call) = calls[world.rng.random_range(0..calls.len())];
            act(&mut world, node, call);
        }
    }
    world.run_for(TIMEOUT);
    for node in 0..2 {
        for event in world.fresh(node) {
            if let Event::Incoming(incoming) = event {
                calls.push((node, incoming.call));
            }
        }
    }
    let now = world.now;
    for (node, call) in &calls {
        let _ = world.nodes[*node].endpoint.hang_up(now, *call, None);
    }
    assert!(world.settle(QUIET), "seed {seed}: something never ends");
    world
}

#[test]
fn every_call_ends_once_and_nothing_is_left() {
    for seed in 0..SEEDS {
        let world = play(seed);
        world.assert_empty();
        for node in &world.nodes {
            let ended = ends(&node.events);
            let mut known: HashSet<CallKey> = HashSet::new();
            let mut answered: HashMap<CallKey, usize> = HashMap::new();
            let mut over: HashSet<CallKey> = HashSet::new();
            for (_, event) in &node.events {
                match event {
                    Event::Incoming(incoming) => {
                        known.insert(incoming.call);
                    }
                    Event::Answered { call, .. } => {
                        known.insert(*call);
                        assert!(!over.contains(call), "seed {seed}: answered after its end");
                        *answered.entry(*call).or_insert(0) += 1;
                    }
                    Event::Progress { call, .. } => {
                        known.insert(*call);
                        assert!(!over.contains(call), "seed {seed}: progress after the end");
                    }
                    Event::Failed { call, .. } => {
                        known.insert(*call);
                        assert!(
                            !answered.contains_key(call),
                            "seed {seed}: answered and failed"
                        );
                        over.insert(*call);
                    }
                    Event::Ended { call, .. } => {
                        known.insert(*call);
                        over.insert(*call);
                    }
                    _ => {}
                }
            }
            assert!(
                answered.values().all(|count| *count == 1),
                "seed {seed}: answered twice"
            );
            for call in &known {
                assert_eq!(
                    ended.get(call),
                    Some(&1),
                    "seed {seed}: {call:?} ends not once"
                );
            }
        }
    }
}

#[test]
fn every_2xx_that_arrives_is_acknowledged() {
    let mut total = 0;
    for seed in 0..SEEDS {
        let world = play(seed);
        let mut acked = HashSet::new();
        for (_, packet) in &world.wire {
            let message = parse_datagram(&packet.bytes).unwrap();
            if matches!(&message, Message::Request(request) if request.method == Method::Ack) {
                acked.insert(dialog_and_number(&message));
            }
        }
        for (_, packet) in &world.delivered {
            let message = parse_datagram(&packet.bytes).unwrap();
            let Message::Response(response) = &message else {
                continue;
            };
            let cseq = response.headers.cseq().unwrap();
            if cseq.method == Method::Invite && (200..300).contains(&response.code) {
                total += 1;
                let id = dialog_and_number(&message);
                assert!(acked.contains(&id), "seed {seed}: no ACK for {id:?}");
            }
        }
    }
    assert!(total > 1_000, "only {total} answers in all seeds");
}

fn dialog_and_number(message: &Message) -> (Bytes, Bytes, u32) {
    let headers = message.headers();
    let tag = headers.to().unwrap().tag().unwrap_or_default();
    (
        headers.call_id().unwrap(),
        tag,
        headers.cseq().unwrap().number,
    )
}

#[test]
fn a_call_survives_heavy_loss() {
    let mut answered = 0;
    for seed in 0..60 {
        let link = Link {
            loss: 0.3,
            duplicate: 0.1,
            delay_ms: (1, 300),
        };
        let mut world = World::pair(seed, link);
        let out = world.call(0, 1);
        world.run_for(20_000);
        let found = world.fresh(1).into_iter().find_map(|event| match event {
            Event::Incoming(incoming) => Some(incoming.call),
            _ => None,
        });
        let Some(inc) = found else { continue };
        let now = world.now;
        world.nodes[1]
            .endpoint
            .answer(now, inc, Bytes::from_static(b"v=0"))
            .unwrap();
        world.run_for(30_000);
        let up = world
            .fresh(0)
            .iter()
            .any(|event| matches!(event, Event::Answered { .. }));
        answered += usize::from(up);
        let now = world.now;
        let _ = world.nodes[0].endpoint.hang_up(now, out, None);
        assert!(world.settle(QUIET));
        world.assert_empty();
    }
    assert!(answered >= 58, "only {answered} of 60 calls got through");
}

#[test]
fn cancel_leaves_only_after_a_provisional_response() {
    for seed in 0..SEEDS {
        let mut world = World::pair(seed, rough(seed));
        world.record = true;
        let out = world.call(0, 1);
        let wait = world.rng.random_range(0..900);
        world.run_for(wait);
        let now = world.now;
        let _ = world.nodes[0].endpoint.cancel(now, out, None);
        world.run_for(10);
        let answer = world.rng.random_bool(0.5);
        for _ in 0..40 {
            world.run_for(500);
            for event in world.fresh(1) {
                if let Event::Incoming(incoming) = event
                    && answer
                {
                    let now = world.now;
                    let sdp = Bytes::from_static(b"v=0");
                    let _ = world.nodes[1].endpoint.answer(now, incoming.call, sdp);
                }
            }
        }
        let branch = |start: &[u8]| {
            let packet = world
                .wire
                .iter()
                .find(|(_, p)| p.bytes.starts_with(start))?;
            parse_datagram(&packet.1.bytes)
                .ok()?
                .headers()
                .get(&HeaderName::Via)
                .cloned()
        };
        let first_cancel = world
            .wire
            .iter()
            .find(|(_, p)| p.bytes.starts_with(b"CANCEL"));
        if let Some((at, _)) = first_cancel {
            let heard = world.nodes[0].endpoint.counters().received;
            assert!(
                heard > 0 && at.0 > 1_000,
                "seed {seed}: CANCEL before any response"
            );
            assert_eq!(branch(b"INVITE"), branch(b"CANCEL"), "seed {seed}");
        }
        assert!(world.settle(QUIET), "seed {seed}");
        assert_eq!(
            ends(&world.nodes[0].events).get(&out).copied().unwrap_or(0),
            1,
            "seed {seed}"
        );
        let answered = world.nodes[0]
            .events
            .iter()
            .any(|(_, e)| matches!(e, Event::Answered { .. }));
        assert!(!answered, "seed {seed}: a cancelled call was answered");
        world.assert_empty();
    }
}
