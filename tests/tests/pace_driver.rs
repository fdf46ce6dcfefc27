//! `marcador pace` driven by a small independent host, written from the protocol alone: its figures
//! agree with `marcador simulate` on the same scenario, the same input gives the same output, and a
//! bad line is refused with its name.

use marcador_tests::house::top;
use marcador_tests::process::{program, run};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Agents of the small world.
const AGENTS: usize = 12;
/// Share of dials that a person answers.
const LIVE: f64 = 0.25;
/// Length and warm-up, s.
const TIMES: (f64, f64) = (14_400.0, 1_800.0);
/// Epoch, limit, ring timeout, s.
const CLOCK: (f64, f64, f64) = (0.5, 2.0, 25.0);
/// Mean talk and wrap-up, s, memoryless.
const WORK: (f64, f64) = (90.0, 15.0);

struct Pace {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Pace {
    fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(program()?)
            .arg("pace")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped"));
        Ok(Self { child, to, from })
    }

    fn ask(&mut self, line: &Value) -> anyhow::Result<Value> {
        writeln!(self.to, "{line}")?;
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    }

    fn end(mut self) -> anyhow::Result<bool> {
        writeln!(self.to, "{}", json!({"type": "end", "metrics": {}}))?;
        Ok(self.child.wait()?.success())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Agent {
    Idle(f64),
    Talk(f64),
    Wrap(f64),
}

struct Call {
    launched: f64,
    ringing: Option<f64>,
    /// Next change of the call.
    next: f64,
    live: bool,
    ring_s: f64,
    waits_since: Option<f64>,
}

/// The world moves in steps of a tenth of a second: coarse, but nothing of it is the product's.
struct Host {
    rng: StdRng,
    t: f64,
    agents: Vec<Agent>,
    calls: BTreeMap<u64, Call>,
    waiting: VecDeque<u64>,
    ev: Vec<Value>,
    next_id: u64,
    counts: [u64; 4],
    busy: f64,
    present: f64,
    kept: (u64, u64),
}

impl Host {
    fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            t: 0.0,
            agents: vec![Agent::Idle(0.0); AGENTS],
            calls: BTreeMap::new(),
            waiting: VecDeque::new(),
            ev: (0..AGENTS)
                .map(|n| json!({"e": "agent", "t": 0.0, "agent": n, "old": "off", "new": "idle"}))
                .collect(),
            next_id: 0,
            counts: [0; 4],
            busy: 0.0,
            present: 0.0,
            kept: (0, 0),
        }
    }

    fn exp(&mut self, mean: f64) -> f64 {
        -(1.0 - self.rng.random::<f64>()).ln() * mean
    }

    fn agent(&mut self, n: usize, old: &str, new: &str) {
        let t = self.t;
        self.ev
            .push(json!({"e": "agent", "t": t, "agent": n, "old": old, "new": new}));
    }

    fn launch(&mut self, count: u64) {
        for _ in 0..count {
            self.next_id += 1;
            self.counts[0] += 1;
            let live = self.rng.random::<f64>() < LIVE;
            let ring_s = if live {
                2.0 + self.rng.random::<f64>() * 16.0
            } else {
                CLOCK.2
            };
            let setup = 1.0 + self.rng.random::<f64>() * 2.0;
            let call = Call {
                launched: self.t,
                ringing: None,
                next: self.t + setup,
                live,
                ring_s,
                waits_since: None,
            };
            self.calls.insert(self.next_id, call);
            self.ev
                .push(json!({"e": "launched", "t": self.t, "id": self.next_id}));
        }
    }

    fn step(&mut self, dt: f64) {
        self.t += dt;
        let t = self.t;
        for n in 0..AGENTS {
            match self.agents[n] {
                Agent::Talk(until) if until <= t => {
                    self.agents[n] = Agent::Wrap(t + self.exp(WORK.1));
                    self.agent(n, "talk", "wrap");
                }
                Agent::Wrap(until) if until <= t => {
                    self.agents[n] = Agent::Idle(t);
                    self.agent(n, "wrap", "idle");
                }
                _ => {}
            }
        }
        let due: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, c)| c.next <= t)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.change(id);
        }
        while let Some(id) = self.waiting.front().copied() {
            let idle = |a: &Agent| matches!(a, Agent::Idle(_));
            let Some(n) = self.agents.iter().position(idle) else {
                break;
            };
            self.waiting.pop_front();
            let since = self
                .calls
                .remove(&id)
                .and_then(|c| c.waits_since)
                .unwrap_or(t);
            self.agents[n] = Agent::Talk(t + self.exp(WORK.0));
            self.counts[2] += 1;
            self.kept.1 += u64::from(t >= TIMES.1);
            self.ev
                .push(json!({"e": "connected", "t": t, "id": id, "agent": n, "wait": t - since}));
            self.agent(n, "idle", "talk");
        }
        if t >= TIMES.1 {
            let busy = self
                .agents
                .iter()
                .filter(|a| !matches!(a, Agent::Idle(_)))
                .count();
            self.busy += f64::from(u32::try_from(busy).unwrap_or(0)) * dt;
            self.present += f64::from(u32::try_from(AGENTS).unwrap_or(0)) * dt;
        }
    }

    fn change(&mut self, id: u64) {
        let t = self.t;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if call.waits_since.is_some() {
            self.calls.remove(&id);
            self.waiting.retain(|w| *w != id);
            self.counts[3] += 1;
            self.kept.0 += u64::from(t >= TIMES.1);
            self.ev.push(json!({"e": "abandoned", "t": t, "id": id}));
        } else if call.ringing.is_none() {
            call.ringing = Some(t);
            call.next = t + call.ring_s;
            self.ev.push(json!({"e": "ringing", "t": t, "id": id}));
        } else if call.live {
            call.waits_since = Some(t);
            call.next = t + CLOCK.1;
            self.counts[1] += 1;
            self.waiting.push_back(id);
            self.ev.push(json!({"e": "answered", "t": t, "id": id}));
            self.ev.push(json!({"e": "live", "t": t, "id": id}));
        } else {
            self.calls.remove(&id);
            self.ev
                .push(json!({"e": "ended", "t": t, "id": id, "outcome": "no_answer"}));
        }
    }

    fn observation(&mut self, full: bool) -> Value {
        let of = |f: fn(&Agent) -> bool| self.agents.iter().filter(|a| f(a)).count();
        let mut obs = json!({
            "type": "obs", "t": self.t,
            "idle": of(|a| matches!(a, Agent::Idle(_))),
            "talk": of(|a| matches!(a, Agent::Talk(_))),
            "wrap": of(|a| matches!(a, Agent::Wrap(_))),
            "break": 0, "pending": self.calls.len(), "waiting": self.waiting.len(),
            "free_trunks": 60_usize.saturating_sub(self.calls.len()), "cps_tokens": 6,
            "dials": self.counts[0], "live": self.counts[1],
            "connected": self.counts[2], "abandoned": self.counts[3],
            "ev": std::mem::take(&mut self.ev),
        });
        if full {
            let row = |(id, c): (&u64, &Call)| {
                let phase = match (c.waits_since, c.ringing) {
                    (Some(_), _) => "wait",
                    (None, Some(_)) => "ring",
                    (None, None) => "setup",
                };
                json!([
                    id,
                    phase,
                    self.t - c.launched,
                    c.ringing.map(|r| self.t - r)
                ])
            };
            obs["calls"] = self.calls.iter().map(row).collect();
        }
        obs
    }
}

fn hello(detail: &str) -> Value {
    json!({
        "type": "hello", "proto": 1, "epoch_s": CLOCK.0, "deadline_s": CLOCK.1,
        "no_answer_timeout_s": CLOCK.2, "trunks": 60, "cps": 12.0, "agents_max": AGENTS,
        "duration_s": TIMES.0, "target_abandon": 0.03, "detail": detail,
    })
}

/// Occupancy, people abandoned and handled after the warm-up, and every launch.
fn drive(seed: u64, full: bool, until: f64) -> anyhow::Result<(f64, (u64, u64), Vec<u64>)> {
    let mut pace = Pace::start()?;
    let ready = pace.ask(&hello(if full { "full" } else { "events" }))?;
    assert_eq!(ready["type"], "ready");
    let mut host = Host::new(seed);
    let mut launches = Vec::new();
    while host.t < until {
        let answer = pace.ask(&host.observation(full))?;
        let count = answer["launch"].as_u64().expect("a number of launches");
        assert!(count <= 6, "more than the rate allows: {count}");
        launches.push(count);
        host.launch(count);
        for _ in 0..5 {
            host.step(0.1);
        }
    }
    assert!(pace.end()?, "pace ends well");
    Ok((host.busy / host.present.max(1.0), host.kept, launches))
}

/// The same world as a scenario file.
fn scenario() -> Value {
    let exp = |mean: f64| json!({"kind": "exp", "mean": mean});
    let uniform = |lo: f64, hi: f64| json!({"kind": "uniform", "lo": lo, "hi": hi});
    json!({
        "name": "driver", "duration_s": TIMES.0, "warmup_s": TIMES.1, "epoch_s": CLOCK.0,
        "agents": {"n": AGENTS, "pause": exp(60.0)},
        "dial": {
            "setup": uniform(1.0, 3.0), "p_live": [[0.0, LIVE]], "p_machine": 0.0, "p_busy": 0.0,
            "p_sit": 0.0, "ring_live": uniform(2.0, 18.0), "ring_machine": exp(5.0),
            "busy_delay": exp(1.0), "no_answer_timeout_s": CLOCK.2,
        },
        "amd": {"enabled": false, "tpr": 1.0, "fpr": 0.0, "human_delay": exp(0.5),
            "machine_delay": exp(2.0)},
        "talk": [{"w": 1.0, "talk": exp(WORK.0), "wrap": exp(WORK.1)}],
        "customer": {"deadline_s": CLOCK.1, "patience": null, "message_s": 0.0},
        "limits": {"trunks": 72, "cps": 12.0},
    })
}

#[test]
fn an_independent_host_measures_what_simulate_says() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (file, told) = (dir.path().join("driver.json"), dir.path().join("told.json"));
    std::fs::write(&file, scenario().to_string())?;
    let args = [
        "simulate",
        file.to_str().expect("utf-8"),
        "--policy",
        "predictive",
        "--seeds",
        "4",
        "--json",
        told.to_str().expect("utf-8"),
    ];
    let (code, _, errors) = run(&args, &[])?;
    assert_eq!(code, 0, "{errors}");
    let rows: Value = serde_json::from_str(&std::fs::read_to_string(&told)?)?;
    let row = rows
        .as_array()
        .expect("rows")
        .iter()
        .find(|r| r["hard_stop"] == false);
    let row = row.expect("a row without the hard stop");
    let forecast = row["occupancy"][0].as_f64().expect("occupancy");
    let (mut occupancy, mut lost, mut handled) = (0.0, 0, 0);
    for seed in 1..=3 {
        let (busy, kept, _) = drive(seed, seed == 3, TIMES.0)?;
        occupancy += busy / 3.0;
        lost += kept.0;
        handled += kept.1;
    }
    let count = |n: u64| f64::from(u32::try_from(n).unwrap_or(0));
    let share = count(lost) / count(lost + handled);
    let error = (0.03 * 0.97 / count(lost + handled)).sqrt();
    let simulated = row["abandonment"].as_f64().expect("abandonment");
    println!("host {occupancy:.4} {share:.4}, simulate {forecast:.4} {simulated:.4}");
    assert!(
        (occupancy - forecast).abs() < 0.02,
        "{occupancy} against {forecast}"
    );
    assert!(
        (share - simulated).abs() < 3.0 * error + 0.002,
        "{share} against {simulated}"
    );
    assert!(share <= 0.0315 + 2.0 * error, "{share}");
    Ok(())
}

#[test]
fn the_same_input_gives_the_same_output() -> anyhow::Result<()> {
    assert_eq!(drive(7, false, 900.0)?.2, drive(7, false, 900.0)?.2);
    // What is told twice, as events and as rows, changes nothing.
    assert_eq!(drive(7, false, 900.0)?.2, drive(7, true, 900.0)?.2);
    Ok(())
}

#[test]
fn a_line_that_cannot_be_read_ends_it_with_its_place() -> anyhow::Result<()> {
    let mut pace = Pace::start()?;
    pace.ask(&hello("events"))?;
    let bad = json!({"type": "obs", "t": 0.5, "idle": "many", "free_trunks": 1, "cps_tokens": 1});
    writeln!(pace.to, "{bad}")?;
    let mut told = String::new();
    let mut errors = pace.child.stderr.take().expect("piped");
    errors.read_to_string(&mut told)?;
    assert_eq!(pace.child.wait()?.code(), Some(1), "{told}");
    for part in ["standard input", "line 2", "field idle"] {
        assert!(told.contains(part), "{told}");
    }
    Ok(())
}

#[test]
fn a_scenario_that_is_wrong_is_named_with_file_and_field() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("wrong.json");
    let mut wrong = scenario();
    wrong["agents"]["n"] = json!("many");
    std::fs::write(&file, serde_json::to_string_pretty(&wrong)?)?;
    let (code, _, errors) = run(&["simulate", file.to_str().expect("utf-8")], &[])?;
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("wrong.json") && errors.contains("agents.n"),
        "{errors}"
    );
    let shipped = top().join("crates/sim/scenarios/stat-n5-p20.json");
    assert!(shipped.is_file(), "the shipped scenarios are there");
    Ok(())
}
