use serde_json::{Value, json};

use super::*;

/// Server's epoch ms at the desk's 0: 2026-11-24T15:00:00Z.
const EPOCH: i64 = 1_795_532_400_000;

fn manner(who: f64, outcome: &str) -> Behaviour {
    let demo = serde_json::to_value(Behaviour::demo()).expect("json");
    let mut value: Value = demo;
    value["titular_share"] = json!(who);
    value["break_share"] = json!(0.0);
    value["preview_skip_share"] = json!(0.0);
    value["talk_ms"] = json!({ "median": 1.0, "sigma": 0.0, "least": 20_000, "most": 20_000 });
    value["wrap_ms"] = json!({ "median": 1.0, "sigma": 0.0, "least": 2_000, "most": 2_000 });
    value["identity_ms"] = json!([3_000, 3_000]);
    for (name, weight) in value["outcomes"].as_object_mut().expect("weights") {
        *weight = json!(f64::from(u8::from(name == outcome)));
    }
    Behaviour::parse(&value.to_string()).expect("a behaviour")
}

/// A desk, the time, what it hears and what it did.
struct World {
    desk: Desk,
    now: u64,
    seq: u64,
    ears: Ears,
    done: Vec<Action>,
}

impl World {
    fn new(behaviour: Behaviour) -> Self {
        let desk = Desk::new(behaviour, 1, "ana");
        let mut world = Self {
            desk,
            now: 1_000,
            seq: 0,
            ears: Ears::default(),
            done: Vec::new(),
        };
        world.desk.connected();
        world.says(r#"{"t":"hello","boot":"b1","now":1,"role":"agent","proto":1}"#);
        world.snap(
            json!({ "state": "paused", "pause_code": "login", "attempt": null,
            "phone": { "registered": true, "leg_up": true } }),
        );
        world
    }

    fn says(&mut self, text: &str) {
        let message = Message::parse(text).expect("a message");
        let actions = self.desk.message(message, self.now, &self.ears);
        self.done.extend(actions);
    }

    fn numbered(&mut self, kind: &str, data: Value) {
        self.seq += 1;
        let now = EPOCH.saturating_add_unsigned(self.now);
        let message =
            json!({ "t": kind, "topic": "me", "seq": self.seq, "now": now, "data": data });
        self.says(&message.to_string());
    }

    fn snap(&mut self, data: Value) {
        self.numbered("snap", data);
    }

    fn delta(&mut self, data: Value) {
        self.numbered("d", data);
    }

    fn pop(&mut self, attempt: &str) {
        self.says(
            &json!({ "t": "pop", "attempt": attempt, "gate": true, "debts": [{ "id": "d1" }] })
                .to_string(),
        );
    }

    /// Ticks for so long; requests stay unanswered.
    fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.now < end {
            self.now += 100;
            let actions = self.desk.tick(self.now, &self.ears);
            if actions.contains(&Action::Forget) {
                self.ears = Ears::default();
            }
            self.done.extend(actions);
        }
    }

    /// The same with a debtor who speaks on.
    fn run_spoken_to(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.ears.last_debtor_ms = Some(self.now);
            self.ears.first_debtor_ms.get_or_insert(self.now);
            self.run(100);
        }
    }

    fn answers(&mut self, body: Value) {
        self.desk.answered(Answer::Done(body), self.now);
    }

    fn refuses(&mut self, code: &str) {
        self.desk
            .answered(Answer::Refused(code.to_owned()), self.now);
    }

    /// The requests since the last look.
    fn asks(&mut self) -> Vec<Ask> {
        let done = std::mem::take(&mut self.done);
        let asks = done.into_iter().filter_map(|action| match action {
            Action::Ask(ask) => Some(ask),
            _ => None,
        });
        asks.collect()
    }

    /// Into a call with its card, as far as talking.
    fn talking(behaviour: Behaviour) -> Self {
        let mut world = Self::new(behaviour);
        world.run(2_000);
        assert_eq!(world.asks(), [Ask::Ready]);
        world.answers(json!({ "state": "ready", "queued": null }));
        world.delta(json!({ "state": "ready", "pause_code": null }));
        world.run(500);
        world.pop("a1");
        world.delta(json!({ "state": "talking", "attempt": { "id": "a1", "identity": false } }));
        world
    }

    fn wraps_up(&mut self, by: &str) -> Value {
        self.delta(json!({ "state": "wrapup", "ended": { "by": by } }));
        self.run(2_500);
        match &self.asks()[..] {
            [.., Ask::Dispose { attempt, body, .. }] if attempt == "a1" => body.clone(),
            other => panic!("no disposition: {other:?}"),
        }
    }
}

fn full_card() -> Value {
    json!({ "attempt": "a1", "gate": false, "debts": [{ "id": "d1",
        "balance": { "amount_minor": 500_000, "currency": "MXN" },
        "overdue": { "amount_minor": 100_000, "currency": "MXN" } }] })
}

#[test]
fn a_promise_from_sign_in_to_the_next_ready() {
    let mut world = World::talking(manner(1.0, "promise"));
    assert!(world.done.contains(&Action::Ack("a1".to_owned())));
    world.run_spoken_to(3_500);
    assert!(world.done.contains(&Action::Speak(true)));
    assert_eq!(
        world.asks(),
        [Ask::Identity {
            attempt: "a1".to_owned()
        }]
    );
    world.answers(full_card());
    world.run_spoken_to(17_000);
    assert_eq!(
        world.asks(),
        [Ask::HangUp {
            attempt: "a1".to_owned()
        }]
    );
    world.answers(Value::Null);
    let body = world.wraps_up("agent");
    assert_eq!(
        (&body["code"], &body["then"]),
        (&json!("CD.PP"), &json!("ready"))
    );
    let promised = body["promise"]["amount"]["amount_minor"]
        .as_i64()
        .expect("an amount");
    assert!((1..=100_000).contains(&promised), "{body}");
    assert_eq!(
        world.ears,
        Ears::default(),
        "what was heard is forgotten before the next call"
    );
    world.answers(json!({ "attempt": {}, "promise": {} }));
    world.delta(json!({ "state": "ready", "attempt": null }));
    let figures = &world.desk.figures;
    assert_eq!(
        (
            figures.calls,
            figures.cards,
            figures.identities,
            figures.promises
        ),
        (1, 1, 1, 1)
    );
    assert_eq!(
        (figures.cards_before_voice, figures.cards_after_voice),
        (1, 0)
    );
    assert_eq!(figures.dispositions.get("CD.PP"), Some(&1));
    assert_eq!(figures.hang_ups, 1);
}

#[test]
fn a_voice_before_its_card_is_counted() {
    let mut world = World::new(manner(1.0, "cannot"));
    world.ears.first_debtor_ms = Some(900);
    world.pop("a1");
    world.delta(json!({ "state": "talking", "attempt": { "id": "a1", "identity": false } }));
    world.run(100);
    world.wraps_up("debtor");
    world.answers(Value::Null);
    world.delta(json!({ "state": "ready", "attempt": null }));
    let figures = &world.desk.figures;
    assert_eq!(
        (figures.cards_before_voice, figures.cards_after_voice),
        (0, 1)
    );
    assert_eq!(figures.least_lead_ms, Some(-100));
}

#[test]
fn a_beep_is_a_machine_and_is_left() {
    let mut world = World::talking(manner(1.0, "promise"));
    world.run_spoken_to(1_000);
    world.ears.beep_ms = Some(world.now);
    world.run(1_000);
    assert_eq!(
        world.asks(),
        [Ask::HangUp {
            attempt: "a1".to_owned()
        }]
    );
    world.answers(Value::Null);
    assert_eq!(world.wraps_up("agent")["code"], "NC.BZ.NODEJADO");
    world.answers(Value::Null);
    world.delta(json!({ "state": "ready", "attempt": null }));
    assert_eq!(world.desk.figures.machines, 1);
}

#[test]
fn silence_is_hung_up_and_a_third_party_gets_no_identity() {
    let mut world = World::talking(manner(0.0, "promise"));
    world.run_spoken_to(5_000);
    assert_eq!(world.asks(), [], "nobody to identify");
    world.run(9_500);
    assert_eq!(
        world.asks(),
        [Ask::HangUp {
            attempt: "a1".to_owned()
        }]
    );
    world.answers(Value::Null);
    let code = world.wraps_up("agent")["code"].clone();
    assert!(code == "CI.MT" || code == "CI.EQ", "{code}");
}

#[test]
fn a_refused_promise_is_written_plainly_and_tries_end() {
    let mut world = World::talking(manner(1.0, "promise"));
    world.run_spoken_to(3_500);
    world.answers(full_card());
    world.run_spoken_to(3_000);
    assert_eq!(world.wraps_up("debtor")["code"], "CD.PP");
    world.refuses("promise_active");
    world.run(1_000);
    let asks = world.asks();
    assert!(
        matches!(
            &asks[..],
            [Ask::Dispose {
                code: "CD.NP.NOPUEDE",
                ..
            }]
        ),
        "{asks:?}"
    );
    for _ in 0..MAX_TRIES {
        world.refuses("wrong_state");
        world.run(1_000);
    }
    world.asks();
    world.run(10_000);
    assert_eq!(world.asks(), [], "tries end");
    assert_eq!(world.desk.figures.refused.get("promise_active"), Some(&1));
}

#[test]
fn pauses_that_somebody_wished_are_kept() {
    let mut world = World::new(manner(1.0, "cannot"));
    world.delta(json!({ "pause_code": "forced" }));
    world.delta(json!({ "state": "ready" }));
    world.delta(json!({ "state": "paused", "pause_code": "forced" }));
    world.run(60_000);
    assert_eq!(world.asks(), []);
    world.delta(json!({ "state": "lagged", "pause_code": null }));
    world.delta(json!({ "state": "paused", "pause_code": "lagged" }));
    world.run(2_000);
    assert_eq!(world.asks(), [Ask::Ready]);
    world.refuses("no_phone");
    world.run(2_000);
    assert_eq!(world.asks(), [], "not at once");
    world.run(2_000);
    assert_eq!(world.asks(), [Ask::Ready]);
}

#[test]
fn holes_and_restarts_are_noticed() {
    let mut world = World::new(manner(1.0, "cannot"));
    assert_eq!(world.done, [Action::Subscribe(None)]);
    world.done.clear();
    world.seq += 1;
    world.delta(json!({ "state": "ready" }));
    assert_eq!(world.done, [Action::Subscribe(None)]);
    world.done.clear();
    let seq = world.seq;
    world.says(r#"{"t":"hello","boot":"b1","now":1,"role":"agent","proto":1}"#);
    assert_eq!(
        world.done,
        [Action::Subscribe(Some(("b1".to_owned(), seq)))]
    );
    world.done.clear();
    world.says(r#"{"t":"hello","boot":"b2","now":1,"role":"agent","proto":1}"#);
    assert_eq!(world.done, [Action::Renew, Action::Subscribe(None)]);
    world.done.clear();
    world.snap(json!({ "state": "ready", "phone": { "registered": false, "leg_up": false } }));
    world.run(6_000);
    assert_eq!(world.done, [Action::Renew, Action::Renew]);
}

#[test]
fn a_repeated_card_is_acknowledged_and_not_counted() {
    let mut world = World::talking(manner(1.0, "cannot"));
    world.done.clear();
    world.pop("a1");
    assert_eq!(world.done, [Action::Ack("a1".to_owned())]);
    world.snap(json!({ "state": "talking", "attempt": { "id": "a1", "identity": false } }));
    assert_eq!((world.desk.figures.cards, world.desk.figures.calls), (1, 1));
}

#[test]
fn he_leaves_when_his_call_is_written() {
    let mut world = World::talking(manner(1.0, "cannot"));
    world.run_spoken_to(1_000);
    world.asks();
    world.desk.leave();
    assert!(!world.desk.may_go());
    world.run(100);
    assert_eq!(
        world.asks(),
        [Ask::HangUp {
            attempt: "a1".to_owned()
        }]
    );
    world.answers(Value::Null);
    let body = world.wraps_up("agent");
    assert_eq!(
        (&body["then"], &body["pause_code"]),
        (&json!("paused"), &json!("break"))
    );
    assert!(!world.desk.may_go());
    world.answers(Value::Null);
    assert!(world.desk.may_go());
    world.delta(json!({ "state": "paused", "pause_code": "break", "attempt": null }));
    world.run(60_000);
    assert_eq!(world.asks(), []);
}

#[test]
fn previews_are_dialed_or_skipped() {
    let mut world = World::new(manner(1.0, "cannot"));
    world.delta(json!({ "state": "preview", "pause_code": null }));
    world.says(r#"{"t":"preview","item":"i1","attempt":null,"gate":true,"debts":[]}"#);
    world.run(3_000);
    assert_eq!(
        world.asks(),
        [Ask::Preview {
            item: "i1".to_owned(),
            dial: true
        }]
    );
}
