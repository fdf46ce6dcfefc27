//! What is left when all is over: the carrier's own log, held against the attempts, the lists and the law.

use marcador_tests::demo_facts::{carrier_log, env_pairs};
use marcador_tests::process::run;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Calls of a person in a local day (Peru's pack).
const A_DAY: usize = 2;
/// Lima is five hours behind UTC all year.
const LIMA_MS: u64 = 5 * 3_600_000;
const DAY_MS: u64 = 86_400_000;
/// The promise: a listed number is not called later than this after the answer, ms.
const PROMISE_MS: u64 = 1_000;
/// An INVITE that was written down as sent and came so much later was held back, ms: its own instant does not
/// excuse it.
const HELD_MS: u64 = 5_000;

/// An INVITE that the carrier saw.
pub(crate) struct Invite {
    attempt: String,
    number: String,
    received_at: u64,
    ended_at: u64,
}

pub(crate) struct Facts {
    dir: PathBuf,
    database: Option<String>,
    pub(crate) invites: Vec<Invite>,
    /// Attempts by id: node, opened, sent.
    attempts: BTreeMap<String, (String, u64, Option<u64>)>,
}

fn text(row: &Value, key: &str) -> String {
    let value = row[key].as_str();
    value
        .unwrap_or_else(|| panic!("no {key}: {row}"))
        .to_owned()
}

fn epoch(row: &Value, key: &str) -> Option<u64> {
    let at: domain::time::UtcMs = row[key].as_str()?.parse().expect("an instant");
    Some(u64::try_from(at.0).expect("after 1970"))
}

impl Facts {
    pub(crate) fn read(dir: &Path, database: Option<&str>) -> Self {
        let env = env_pairs(dir, database);
        let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let args = ["export", "attempts", "--format", "jsonl"];
        let (code, out, err) = run(&args, &env).expect("runs");
        assert_eq!(code, 0, "{err}");
        let rows = out
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).expect("json"));
        let attempts = rows.map(|row| {
            assert!(
                row["ended_at"].is_string(),
                "an attempt that never ended: {row}"
            );
            let opened = epoch(&row, "opened_at").expect("opened");
            let sent = epoch(&row, "invite_at");
            (text(&row, "attempt_id"), (text(&row, "node"), opened, sent))
        });
        let log = carrier_log(dir).expect("carrier's log");
        let invites = log.iter().map(|row| Invite {
            attempt: text(row, "attempt"),
            number: format!("+{}", text(row, "number").trim_start_matches('+')),
            received_at: row["received_at"].as_u64().expect("an instant"),
            ended_at: row["ended_at"].as_u64().expect("an instant"),
        });
        Self {
            dir: dir.to_path_buf(),
            database: database.map(str::to_owned),
            invites: invites.collect(),
            attempts: attempts.collect(),
        }
    }

    fn node(&self, invite: &Invite) -> &str {
        &self.attempts[&invite.attempt].0
    }

    pub(crate) fn nodes(&self) -> usize {
        let nodes: BTreeSet<&str> = self.invites.iter().map(|i| self.node(i)).collect();
        nodes.len()
    }

    pub(crate) fn by_node(&self) -> String {
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for invite in &self.invites {
            *sums.entry(self.node(invite)).or_default() += 1;
        }
        format!("{sums:?}")
    }

    /// Nothing was promised and not kept.
    pub(crate) fn hold(&self, listed: &BTreeMap<String, u64>) {
        let mut breaches = Vec::new();
        let mut seen = BTreeSet::new();
        for invite in &self.invites {
            let Some((_, _, sent)) = self.attempts.get(&invite.attempt) else {
                breaches.push(format!("INVITE without an attempt: {}", invite.attempt));
                continue;
            };
            if !seen.insert(&invite.attempt) {
                breaches.push(format!("attempt sent twice: {}", invite.attempt));
            }
            let Some(said_at) = listed.get(&invite.number) else {
                continue;
            };
            let late = |at: u64| at > said_at + PROMISE_MS;
            let held = sent.is_none_or(|s| invite.received_at > s + HELD_MS);
            if late(invite.received_at) && (held || sent.is_some_and(late)) {
                breaches.push(format!(
                    "{} called {} ms after it was listed (sent {sent:?}, said {said_at})",
                    invite.number,
                    invite.received_at - said_at
                ));
            }
        }
        for (id, (_, opened, sent)) in &self.attempts {
            assert!(
                sent.is_none_or(|s| s >= *opened),
                "{id}: sent before it was written down"
            );
        }
        breaches.extend(self.too_often());
        assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    }

    fn by_number(&self) -> BTreeMap<&str, Vec<&Invite>> {
        let mut by_number: BTreeMap<&str, Vec<&Invite>> = BTreeMap::new();
        for invite in &self.invites {
            by_number.entry(&invite.number).or_default().push(invite);
        }
        by_number
    }

    /// Numbers that were called as often as the law lets, and of them those that both servers called: the cap had
    /// something to hold.
    pub(crate) fn at_the_cap(&self) -> (usize, usize) {
        let by_number = self.by_number();
        let full = by_number.values().filter(|calls| calls.len() >= A_DAY);
        let both = |calls: &&Vec<&Invite>| {
            let nodes: BTreeSet<&str> = calls.iter().map(|i| self.node(i)).collect();
            nodes.len() > 1
        };
        (full.clone().count(), full.filter(both).count())
    }

    /// The ledger behind every cap holds each call that the carrier saw once, under its number, and no person more often
    /// a day than the law lets.
    pub(crate) fn ledger(&self, database: &str) {
        let sql = "SELECT attempt_id, person_id, address, at FROM ledger WHERE channel='call' AND kind='attempt'";
        let rows = std::process::Command::new("psql")
            .args([database, "-At", "-F", " ", "-c", sql])
            .output()
            .expect("psql");
        assert!(rows.status.success(), "the ledger is read");
        let text = String::from_utf8(rows.stdout).expect("text");
        let mut counted: BTreeMap<&str, Vec<(&str, &str, u64)>> = BTreeMap::new();
        for line in text.lines() {
            let row: Vec<&str> = line.split(' ').collect();
            let [attempt, person, number, at] = row[..] else {
                panic!("a row of the ledger: {line}");
            };
            let at = at.parse().expect("an instant");
            counted
                .entry(attempt)
                .or_default()
                .push((person, number, at));
        }
        let mut breaches = Vec::new();
        let mut days: BTreeMap<(&str, u64), usize> = BTreeMap::new();
        for invite in &self.invites {
            let rows = counted.get(invite.attempt.as_str());
            match rows.map(Vec::as_slice) {
                Some([(person, number, at)]) if *number == invite.number => {
                    *days.entry((*person, (at - LIMA_MS) / DAY_MS)).or_default() += 1;
                }
                Some([_]) => breaches.push(format!("{} counted for another", invite.attempt)),
                Some(rows) => {
                    breaches.push(format!("{} counted {} times", invite.attempt, rows.len()))
                }
                None => breaches.push(format!("{} sent and not counted", invite.attempt)),
            }
        }
        for ((person, _), times) in days.iter().filter(|(_, n)| **n > A_DAY) {
            breaches.push(format!("{person} counted {times} times in a day"));
        }
        assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    }

    /// People called more often than the law lets, over all campaigns and servers, or twice at once.
    fn too_often(&self) -> Vec<String> {
        let mut breaches = Vec::new();
        for (number, mut calls) in self.by_number() {
            calls.sort_by_key(|c| c.received_at);
            for pair in calls.windows(2) {
                if pair[1].received_at < pair[0].ended_at {
                    breaches.push(format!("{number} called twice at once"));
                }
            }
            let mut days: BTreeMap<u64, usize> = BTreeMap::new();
            for call in calls {
                *days
                    .entry((call.received_at - LIMA_MS) / DAY_MS)
                    .or_default() += 1;
            }
            if let Some(most) = days.values().max().filter(|n| **n > A_DAY) {
                breaches.push(format!("{number} called {most} times in a day"));
            }
        }
        breaches
    }

    /// A server that was frozen sent nothing meanwhile: the freeze was one.
    pub(crate) fn silent(&self, node: &str, from: u64, to: u64) {
        let mine = self.invites.iter().filter(|i| self.node(i) == node);
        // What had left its socket may still be on the way.
        let meanwhile = mine.filter(|i| i.received_at > from + PROMISE_MS && i.received_at < to);
        assert_eq!(meanwhile.count(), 0, "{node} was not frozen");
    }

    /// The program's own proofs: recordings, and the chains of audit and decisions.
    pub(crate) fn verified(&self) {
        let env = env_pairs(&self.dir, self.database.as_deref());
        let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let (code, out, err) = run(&["verify", "audit"], &env).expect("runs");
        println!("{}", out.trim_end());
        assert_eq!(code, 0, "{out} {err}");
    }
}
