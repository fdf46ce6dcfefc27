//! The policy as a process: line-delimited JSON, one object a line, each answered by one line except
//! the last. The host sets the epoch; nothing is decided in between and no clock is read.

use super::obs::{Ev, EvWhat, Hello, Obs, Outcome, Reply};
use super::policies::{Estimates, Live, Pilot as _};
use dialer::predictive::{AgentState, CallPhase, Key};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufRead, Read as _, Write};

/// Version of the protocol.
const PROTO: u32 = 1;
/// Longest line, bytes.
const LINE_MAX: u64 = 64 << 20;
/// Most numbers on offer at once.
const NEXT_MAX: usize = 100_000;

/// Why a conversation ended badly.
#[derive(Debug, thiserror::Error)]
pub enum PaceError {
    /// A line is not what it should be.
    #[error("line {line}, field {field}: {why}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// Path of the field.
        field: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// Standard input or output failed.
    #[error("line {line}: {source}")]
    Io {
        /// Counted from 1.
        line: u64,
        /// The system's words.
        source: std::io::Error,
    },
}

fn bad(line: u64, field: &str, why: impl Into<String>) -> PaceError {
    PaceError::Line {
        line,
        field: field.into(),
        why: why.into(),
    }
}

/// An identity: a number or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Id(Key);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: a whole number or a string")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Id, E> {
                Ok(Id(Key::from(n)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Id, E> {
                // FNV-1a: apart from the numbers by the highest bit.
                let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
                for byte in text.bytes() {
                    hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
                }
                Ok(Id(hash | 1 << 127))
            }
        }
        de.deserialize_any(V)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateName {
    Off,
    Idle,
    Talk,
    Wrap,
    Break,
}

impl From<StateName> for AgentState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Off => Self::Off,
            StateName::Idle => Self::Idle,
            StateName::Talk => Self::Talk,
            StateName::Wrap => Self::Wrap,
            StateName::Break => Self::Break,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PhaseName {
    Setup,
    Ring,
    Detect,
    Wait,
}

fn full() -> String {
    "full".into()
}

#[derive(Debug, Deserialize)]
struct HelloLine {
    proto: u32,
    epoch_s: f64,
    deadline_s: f64,
    no_answer_timeout_s: f64,
    trunks: u32,
    cps: f64,
    #[serde(default)]
    agents_max: u32,
    target_abandon: f64,
    #[serde(default = "full")]
    detail: String,
    #[serde(default)]
    per_number: bool,
}

#[derive(Debug, Deserialize)]
struct EvLine {
    e: String,
    t: f64,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    agent: Option<Id>,
    #[serde(default)]
    new: Option<StateName>,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    est: Option<f64>,
}

/// `[id, state, seconds in state, length of last talk or null]`.
type AgentLine = (Id, StateName, f64, Option<f64>);

#[derive(Debug, Deserialize)]
struct ObsLine {
    t: f64,
    idle: u32,
    #[serde(default)]
    talk: u32,
    #[serde(default)]
    wrap: u32,
    #[serde(default, rename = "break")]
    away: u32,
    #[serde(default)]
    pending: u32,
    #[serde(default)]
    waiting: u32,
    free_trunks: u32,
    cps_tokens: f64,
    #[serde(default)]
    dials: u64,
    #[serde(default)]
    live: u64,
    #[serde(default)]
    connected: u64,
    #[serde(default)]
    abandoned: u64,
    #[serde(default)]
    ev: Vec<EvLine>,
    #[serde(default)]
    agents: Option<Vec<AgentLine>>,
    #[serde(default)]
    calls: Option<Vec<CallRow>>,
    #[serde(default)]
    next: Vec<f64>,
    #[serde(default)]
    due: usize,
}

/// `[id, phase, seconds since launch, seconds ringing or null, estimate]`, the last one optional.
#[derive(Debug)]
struct CallRow(Id, PhaseName, f64, Option<f64>);

impl<'de> Deserialize<'de> for CallRow {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = CallRow;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[id, phase, seconds since launch, seconds ringing or null, estimate?]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CallRow, A::Error> {
                let id = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let phase = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(1, &self))?;
                let since = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(2, &self))?;
                let ringing: Option<Option<f64>> = seq.next_element()?;
                let _estimate: Option<Option<f64>> = seq.next_element()?;
                Ok(CallRow(id, phase, since, ringing.flatten()))
            }
        }
        de.deserialize_seq(V)
    }
}

fn typed<T: DeserializeOwned>(line: u64, text: &str) -> Result<T, PaceError> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|e| bad(line, &e.path().to_string(), e.inner().to_string()))
}

fn event(line: u64, n: usize, ev: &EvLine) -> Result<Ev, PaceError> {
    let field = |name: &str| format!("ev[{n}].{name}");
    let id = || {
        ev.id
            .map(|i| i.0)
            .ok_or_else(|| bad(line, &field("id"), "missing"))
    };
    let what = match ev.e.as_str() {
        "launched" => EvWhat::Launched(id()?, ev.est),
        "ringing" => EvWhat::Ringing(id()?),
        "answered" => EvWhat::Answered(id()?),
        "live" => EvWhat::Live(id()?),
        "abandoned" => EvWhat::Abandoned(id()?),
        "connected" => EvWhat::Connected(id()?),
        "ended" => EvWhat::Ended(
            id()?,
            match ev.outcome.as_deref() {
                Some("busy") => Outcome::Busy,
                Some("sit") => Outcome::Sit,
                Some("no_answer") => Outcome::NoAnswer,
                Some("machine") => Outcome::Machine,
                Some("congestion") => Outcome::Congestion,
                _ => Outcome::Other,
            },
        ),
        "agent" => {
            let agent = ev
                .agent
                .ok_or_else(|| bad(line, &field("agent"), "missing"))?;
            let new = ev.new.ok_or_else(|| bad(line, &field("new"), "missing"))?;
            EvWhat::Agent(agent.0, new.into())
        }
        other => {
            let why = format!(
                "{other:?}: must be launched, ringing, answered, live, abandoned, ended, connected or agent"
            );
            return Err(bad(line, &field("e"), why));
        }
    };
    Ok(Ev { t: ev.t, what })
}

fn observation(line: u64, raw: ObsLine) -> Result<Obs, PaceError> {
    if raw.next.len() > NEXT_MAX {
        return Err(bad(line, "next", format!("more than {NEXT_MAX} numbers")));
    }
    if raw.due > raw.next.len() {
        let why = format!(
            "{}: at most the {} numbers of next",
            raw.due,
            raw.next.len()
        );
        return Err(bad(line, "due", why));
    }
    if let Some(at) = raw.next.iter().position(|e| !(0.0..=1.0).contains(e)) {
        let why = format!("{}: must be from 0 to 1", raw.next[at]);
        return Err(bad(line, &format!("next[{at}]"), why));
    }
    let mut ev = Vec::with_capacity(raw.ev.len());
    for (n, e) in raw.ev.iter().enumerate() {
        ev.push(event(line, n, e)?);
    }
    let agents = raw.agents.map(|all| {
        all.into_iter()
            .map(|(id, s, age, talk)| (id.0, s.into(), age, talk.unwrap_or(0.0)))
            .collect()
    });
    let phase = |p| match p {
        PhaseName::Setup => CallPhase::Setup,
        PhaseName::Ring => CallPhase::Ring,
        PhaseName::Detect => CallPhase::Detect,
        PhaseName::Wait => CallPhase::Wait,
    };
    let calls = raw.calls.map(|all| {
        all.into_iter()
            .map(|c| (c.0.0, phase(c.1), c.2, c.3))
            .collect()
    });
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1e6"
    )]
    let cps_tokens = raw.cps_tokens.clamp(0.0, 1e6) as u32;
    Ok(Obs {
        t: raw.t,
        idle: raw.idle,
        talk: raw.talk,
        wrap: raw.wrap,
        away: raw.away,
        pending: raw.pending,
        waiting: raw.waiting,
        free_trunks: raw.free_trunks,
        cps_tokens,
        dials: raw.dials,
        live: raw.live,
        connected: raw.connected,
        abandoned: raw.abandoned,
        ev,
        agents,
        calls,
        next: raw.next,
        due: raw.due,
        shrink: 1.0,
    })
}

fn greeting(line: u64, text: &str) -> Result<Live, PaceError> {
    let raw: HelloLine = typed(line, text)?;
    if raw.proto != PROTO {
        return Err(bad(
            line,
            "proto",
            format!("{}: must be {PROTO}", raw.proto),
        ));
    }
    if raw.trunks == 0 {
        return Err(bad(
            line,
            "trunks",
            "0: nothing can be dialed without a line",
        ));
    }
    if raw.cps.is_nan() || raw.cps <= 0.0 {
        return Err(bad(line, "cps", "must be above 0"));
    }
    if raw.epoch_s.is_nan() || raw.epoch_s <= 0.0 {
        return Err(bad(line, "epoch_s", "must be above 0"));
    }
    if !matches!(raw.detail.as_str(), "full" | "events") {
        let why = format!("{:?}: must be full or events", raw.detail);
        return Err(bad(line, "detail", why));
    }
    let hello = Hello {
        epoch_s: raw.epoch_s,
        deadline_s: raw.deadline_s,
        no_answer_timeout_s: raw.no_answer_timeout_s,
        target_abandon: raw.target_abandon,
        per_number: raw.per_number,
        agents_max: raw.agents_max,
    };
    Live::new(&hello, Estimates::Pick).map_err(|e| {
        use dialer::predictive::SettingsRefused as R;
        let field = match e {
            R::Target(_) => "target_abandon",
            R::Limit(_) => "deadline_s",
            R::RingTimeout(_) => "no_answer_timeout_s",
        };
        bad(line, field, e.to_string())
    })
}

fn said(reply: &Reply) -> String {
    if reply.pick.is_empty() {
        format!("{{\"launch\":{}}}", reply.launch)
    } else {
        format!("{{\"launch\":{},\"pick\":{:?}}}", reply.launch, reply.pick)
    }
}

/// Reads lines and answers them until the host says `end` or closes its side.
///
/// # Errors
/// Names line and field of a line that cannot be understood.
pub fn serve(mut input: impl BufRead, mut output: impl Write) -> Result<(), PaceError> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    let mut pilot: Option<Live> = None;
    let mut line = 0;
    let mut text = String::new();
    loop {
        line += 1;
        text.clear();
        let failed = |source| PaceError::Io { line, source };
        let read = (&mut input)
            .take(LINE_MAX)
            .read_line(&mut text)
            .map_err(failed)?;
        if read == 0 {
            return Ok(());
        }
        if text.trim().is_empty() {
            continue;
        }
        let kind: Kind = typed(line, &text)?;
        let answer = match (kind.kind.as_str(), &mut pilot) {
            ("end", _) => return Ok(()),
            ("hello", _) => {
                pilot = Some(greeting(line, &text)?);
                "{\"type\":\"ready\",\"name\":\"marcador\"}".to_owned()
            }
            ("obs", Some(pilot)) => said(&pilot.decide(&observation(line, typed(line, &text)?)?)),
            ("obs", None) => return Err(bad(line, "type", "obs before hello")),
            (other, _) => {
                let why = format!("{other:?}: must be hello, obs or end");
                return Err(bad(line, "type", why));
            }
        };
        writeln!(output, "{answer}").map_err(failed)?;
        output.flush().map_err(failed)?;
    }
}

#[cfg(test)]
mod tests;
