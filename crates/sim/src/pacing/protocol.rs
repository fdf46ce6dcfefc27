//! The policy as a process: line-delimited JSON, one object a line, each answered by one line except
//! the last. The host sets the epoch; nothing is decided in between and no clock is read.

mod lines;

use super::obs::{Ev, EvWhat, Hello, Obs, Outcome, Reply};
use super::policies::{Estimates, Live, Pilot as _};
use dialer::Lean;
use dialer::predictive::AgentState;
use lines::{EvLine, HelloLine, ObsLine};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead, Read as _, Write};

/// Version of the protocol.
const PROTO: u64 = 1;
/// Longest line, bytes.
const LINE_MAX: u64 = 64 << 20;
/// Most numbers on offer at once.
const NEXT_MAX: usize = 100_000;

/// Why a conversation ended badly.
#[derive(Debug, thiserror::Error)]
pub enum PaceError {
    /// A line is not what it should be.
    #[error("standard input, line {line}, field {field}: {why}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// Path of the field.
        field: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// Standard input or output failed.
    #[error("standard input, line {line}: {source}")]
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

fn typed<T: DeserializeOwned>(line: u64, text: &str) -> Result<T, PaceError> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|e| bad(line, &e.path().to_string(), e.inner().to_string()))
}

/// A share from nought to one, or the name of the field that holds another.
fn share(line: u64, field: &str, value: Option<f64>) -> Result<Option<f64>, PaceError> {
    match value {
        Some(x) if !(0.0..=1.0).contains(&x) => {
            Err(bad(line, field, format!("{x}: must be from 0 to 1")))
        }
        fine => Ok(fine),
    }
}

/// How a call ended. What is not in the protocol tells no more than that it is over: a person who hung
/// up in time has no word of its own.
fn outcome(text: Option<&str>) -> Outcome {
    match text {
        Some("busy") => Outcome::Busy,
        Some("sit") => Outcome::Sit,
        Some("no_answer") => Outcome::NoAnswer,
        Some("machine") => Outcome::Machine,
        Some("congestion") => Outcome::Congestion,
        _ => Outcome::Other,
    }
}

/// Takes in an event. Whoever is joined with a call talks, told of it or not.
fn event(line: u64, n: usize, ev: &EvLine, all: &mut Vec<Ev>) -> Result<(), PaceError> {
    let field = |name: &str| format!("ev[{n}].{name}");
    let id = || {
        ev.id
            .map(|i| i.0)
            .ok_or_else(|| bad(line, &field("id"), "missing"))
    };
    let what = match ev.e.as_str() {
        "launched" => EvWhat::Launched(id()?, share(line, &field("est"), ev.est)?),
        "ringing" => EvWhat::Ringing(id()?),
        "answered" => EvWhat::Answered(id()?),
        "live" => EvWhat::Live(id()?),
        "abandoned" => EvWhat::Abandoned(id()?),
        "connected" => EvWhat::Connected(id()?),
        "ended" => EvWhat::Ended(id()?, outcome(ev.outcome.as_deref())),
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
    all.push(Ev { t: ev.t, what });
    if let (EvWhat::Connected(_), Some(agent)) = (what, ev.agent) {
        all.push(Ev {
            t: ev.t,
            what: EvWhat::Agent(agent.0, AgentState::Talk),
        });
    }
    Ok(())
}

/// Numbers on offer: so many at most, each a share, and no more due ones than there are.
fn offer(line: u64, raw: &ObsLine) -> Result<usize, PaceError> {
    if raw.next.len() > NEXT_MAX {
        return Err(bad(line, "next", format!("more than {NEXT_MAX} numbers")));
    }
    let due = usize::try_from(raw.due.0).unwrap_or(usize::MAX);
    if due > raw.next.len() {
        let why = format!("{due}: at most the {} numbers of next", raw.next.len());
        return Err(bad(line, "due", why));
    }
    for (n, e) in raw.next.iter().enumerate() {
        share(line, &format!("next[{n}]"), Some(*e))?;
    }
    Ok(due)
}

fn observation(line: u64, raw: ObsLine) -> Result<Obs, PaceError> {
    let due = offer(line, &raw)?;
    let mut ev = Vec::with_capacity(raw.ev.len());
    for (n, e) in raw.ev.iter().enumerate() {
        event(line, n, e, &mut ev)?;
    }
    let agents = raw.agents.map(|all| {
        all.into_iter()
            .map(|(id, s, age, talk)| (id.0, s.into(), age, talk.unwrap_or(0.0)))
            .collect()
    });
    let mut calls = raw.calls.as_ref().map(|all| Vec::with_capacity(all.len()));
    for (n, c) in raw.calls.iter().flatten().enumerate() {
        let estimate = share(line, &format!("calls[{n}][4]"), c.estimate)?;
        if let Some(calls) = &mut calls {
            calls.push((c.id.0, c.phase.into(), c.since, c.ringing, estimate));
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1e6"
    )]
    let cps_tokens = raw.cps_tokens.clamp(0.0, 1e6) as u32;
    Ok(Obs {
        t: raw.t,
        idle: raw.idle.small(),
        talk: raw.talk.small(),
        wrap: raw.wrap.small(),
        away: raw.away.small(),
        pending: raw.pending.small(),
        waiting: raw.waiting.small(),
        free_trunks: raw.free_trunks.small(),
        cps_tokens,
        dials: raw.dials.0,
        live: raw.live.0,
        connected: raw.connected.0,
        abandoned: raw.abandoned.0,
        ev,
        agents,
        calls,
        next: raw.next,
        due,
        shrink: 1.0,
    })
}

fn greeting(line: u64, text: &str) -> Result<Live, PaceError> {
    let raw: HelloLine = typed(line, text)?;
    if raw.proto.0 != PROTO {
        let why = format!("{}: must be {PROTO}", raw.proto.0);
        return Err(bad(line, "proto", why));
    }
    if raw.trunks.0 == 0 {
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
        aim: None,
        per_number: raw.per_number,
        agents_max: raw.agents_max.small(),
        lean: Lean::default(),
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
