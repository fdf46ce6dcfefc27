//! The carrier's own account of a run, from its log and nothing else: who answered, whom an agent spoke to, who heard
//! our message, whom we hung up on.

use marcador_tests::demo_facts::carrier_log;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Share of what a debtor heard that is an agent's: agents' words have more than 0.9 of it at their frequencies, our
/// message less than 0.1.
const AGENT: f64 = 0.5;
/// From the answer to an agent at most, by every pack of the demo (`plain_day`), ms.
const LIMIT_MS: u64 = 2_000;
/// Up for less than this it was no verdict that ended a call: the answer crossed our CANCEL, ms.
const CROSSED_MS: u64 = 250;

/// What became of a call at the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Never answered.
    Unanswered,
    /// An agent spoke.
    Agent,
    /// No agent came in time: he heard our message, or waited for nothing.
    NobodyCame,
    /// We hung up on him, and he had heard nobody.
    HungUpOn,
    /// He hung up before the limit.
    Left,
}

fn fate(line: &Value) -> Fate {
    let Some(answered) = line["answered_at"].as_u64() else {
        return Fate::Unanswered;
    };
    let ended = line["ended_at"].as_u64().expect("an end");
    let up_ms = ended.saturating_sub(answered);
    if line["agent_share"].as_f64().expect("a share") > AGENT {
        return Fate::Agent;
    }
    let heard = !line["first_voice_at"].is_null();
    let late = up_ms > LIMIT_MS;
    match line["ended_by"].as_str() {
        _ if heard => Fate::NobodyCame,
        Some("caller") if up_ms < CROSSED_MS => Fate::NobodyCame,
        Some("caller") => Fate::HungUpOn,
        _ if late => Fate::NobodyCame,
        _ => Fate::Left,
    }
}

/// One call.
#[derive(Debug, Clone)]
struct Seen {
    person: bool,
    fate: Fate,
    file: Option<String>,
    open: bool,
}

/// All calls of a run by their attempts.
#[derive(Debug)]
pub(crate) struct Account {
    calls: BTreeMap<String, Seen>,
}

impl Account {
    pub(crate) fn of(dir: &Path) -> Self {
        let lines = carrier_log(dir).expect("carrier log");
        let seen = |line: &Value| {
            let attempt = line["attempt"].as_str().expect("an attempt of ours");
            let class = line["plan"]["class"].as_str().expect("a class");
            let seen = Seen {
                person: matches!(class, "human" | "hangup_early"),
                fate: fate(line),
                file: line["call"]["file"].as_str().map(str::to_owned),
                open: line["ended_by"] == "stopped",
            };
            (attempt.to_owned(), seen)
        };
        Self {
            calls: lines.iter().map(seen).collect(),
        }
    }

    fn those(&self, which: impl Fn(&Seen) -> bool) -> BTreeSet<String> {
        let calls = self.calls.iter().filter(|(_, seen)| which(seen));
        calls.map(|(attempt, _)| attempt.clone()).collect()
    }

    /// Whether the carrier had a person in mind.
    pub(crate) fn person(&self, attempt: &str) -> bool {
        self.calls[attempt].person
    }

    /// What became of a call.
    pub(crate) fn fate(&self, attempt: &str) -> Fate {
        self.calls[attempt].fate
    }

    /// Whoever answered and no agent came to in time.
    pub(crate) fn abandoned(&self) -> BTreeSet<String> {
        self.those(|seen| seen.fate == Fate::NobodyCame)
    }

    /// Whoever was hung up on, unheard.
    pub(crate) fn hung_up_on(&self) -> BTreeSet<String> {
        self.those(|seen| seen.fate == Fate::HungUpOn)
    }

    /// The persons of them.
    pub(crate) fn lost(&self) -> BTreeSet<String> {
        self.those(|seen| seen.fate == Fate::HungUpOn && seen.person)
    }

    /// Counts, to be printed.
    pub(crate) fn summary(&self) -> String {
        let count = |fate: Fate| self.those(|seen| seen.fate == fate).len();
        format!(
            "{} calls: unanswered {}, an agent's {}, nobody came {}, hung up on {} (persons {}), left {}",
            self.calls.len(),
            count(Fate::Unanswered),
            count(Fate::Agent),
            count(Fate::NobodyCame),
            count(Fate::HungUpOn),
            self.lost().len(),
            count(Fate::Left)
        )
    }

    /// Calls that were up when the carrier ended.
    pub(crate) fn open(&self) -> BTreeSet<String> {
        self.those(|seen| seen.open)
    }

    /// Recorded calls that were heard.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        let answered = self.calls.values().filter(|s| s.fate != Fate::Unanswered);
        let files = answered.map(|seen| seen.file.as_deref().expect("a recorded call"));
        files.collect()
    }
}
