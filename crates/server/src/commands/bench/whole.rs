//! `marcador bench goals`: the table of voice's goals in one go. Each row comes from the command that measures it, run
//! as a process of its own, one after the other.

use super::args::GoalsArgs;
use super::goals::{Goal, at_most};
use super::{profile, write_json};
use crate::commands::say;
use anyhow::{Context as _, bail, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Calls a second whose set-up has goals.
const RATES: [u32; 2] = [100, 300];

/// A row: figure, limits, what others came to.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    figure: String,
    unit: String,
    measured: f64,
    must: Option<f64>,
    goal: Option<f64>,
    higher_is_better: bool,
    reached: String,
    #[serde(skip_deserializing)]
    peers: &'static str,
}

impl From<Goal> for Row {
    fn from(goal: Goal) -> Self {
        Self {
            figure: goal.figure.to_owned(),
            unit: goal.unit.to_owned(),
            measured: goal.measured,
            must: goal.must,
            goal: goal.goal,
            higher_is_better: goal.higher_is_better,
            reached: goal.reached.to_owned(),
            peers: peers(goal.figure),
        }
    }
}

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    /// Load average of the last minute, before the first part and after the last.
    load_average: [f64; 2],
    rows: Vec<Row>,
    /// Rows that nobody measured, and why.
    missing: Vec<String>,
}

/// What others came to, measured apart on a machine of the same size: Asterisk 22.10 with MixMonitor, rtpengine 10.5 with
/// its recording, Kamailio as a stateful relay.
fn peers(figure: &str) -> &'static str {
    match figure {
        "CPU beside the bare forwarder" => "rtpengine 1.5, Asterisk 5.4",
        "CPU a bridged and recorded call" => "Asterisk 0.57-0.75, rtpengine 0.17-0.20",
        "calls a core at this cost (computed)" => "Asterisk 150-170, rtpengine 700",
        "memory a call" => "Asterisk 700, rtpengine 57",
        "CPU a call at 100 calls/s, journal on" | "CPU a call at 300 calls/s, journal on" => {
            "Asterisk 1900-3400, Kamailio 800-1200"
        }
        "clean calls a second on a core" => "Asterisk 300-350, Kamailio 1200",
        "memory a held call" => "Asterisk 110",
        "answer to the card on the agent's socket, p50" => "Asterisk's AMI 1.0-3 to a program",
        _ => "",
    }
}

/// What a part leaves as JSON.
#[derive(Deserialize)]
struct Part {
    goals: Vec<Row>,
}

impl Row {
    /// The same of so many calls.
    fn of(mut self, of: &str) -> Self {
        self.peers = peers(&self.figure);
        self.figure += of;
        self
    }
}

/// What of a demo's summary is a row.
#[derive(Deserialize)]
struct Demo {
    connected: u64,
    screen_pop_ms: Pop,
}

#[derive(Deserialize)]
struct Pop {
    p50: f64,
    p99: f64,
}

/// The line of voice's example `browser_load`.
#[derive(Deserialize)]
struct Browsers {
    legs: u32,
    cpu_percent_per_leg: f64,
}

/// Carries it out.
pub(super) async fn run(args: &GoalsArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let before = load_average()?;
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    let seconds = args.seconds.to_string();
    for calls in &args.calls {
        let count = calls.to_string();
        let told = ["bench", "media", "--calls", &count, "--seconds", &seconds];
        let part: Part = part(&told, folder.path()).await?;
        let of = format!(", {calls} calls");
        rows.extend(part.goals.into_iter().map(|row| row.of(&of)));
    }
    let rates = RATES.map(|rate| rate.to_string());
    let [slow, fast] = [&rates[0], &rates[1]];
    let told = [
        "bench",
        "signalling",
        "--rate",
        slow,
        "--rate",
        fast,
        "--seconds",
        &seconds,
    ];
    let signalling: Part = part(&told, folder.path()).await?;
    rows.extend(signalling.goals.into_iter().map(|row| row.of("")));
    rows.extend(cards(args, folder.path()).await?);
    match browsers(args).await? {
        Some(row) => rows.push(row),
        None => missing.push(
            "an agent's leg by browser: cargo build --release -p voice --example browser_load, beside this program"
                .to_owned(),
        ),
    }
    let outcome = Outcome {
        profile: profile(),
        load_average: [before, load_average()?],
        rows,
        missing,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

/// Runs this program with these arguments; what it wrote.
async fn part<T: DeserializeOwned>(args: &[&str], dir: &Path) -> anyhow::Result<T> {
    say(format!("marcador {} …", args.join(" ")));
    let file = dir.join("part.json");
    let program = std::env::current_exe().context("own path")?;
    let mut command = Command::new(program);
    command
        .args(args)
        .arg("--json")
        .arg(&file)
        .kill_on_drop(true);
    let output = command.output().await.context("start a part")?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("marcador {}: {}: {told}", args.join(" "), output.status);
    }
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Cards of a demo's agents: from the 200 OK to the last byte written to the socket.
async fn cards(args: &GoalsArgs, dir: &Path) -> anyhow::Result<[Row; 2]> {
    let data = dir.join("demo");
    let data = data.to_str().context("a folder's name")?;
    let [agents, seconds] = [u64::from(args.agents), args.demo_seconds].map(|n| n.to_string());
    let told = [
        "demo",
        "--headless",
        "--http",
        "127.0.0.1:0",
        "--data",
        data,
        "--agents",
        &agents,
        "--seconds",
        &seconds,
    ];
    let demo: Demo = part(&told, dir).await?;
    ensure!(
        demo.connected > 0,
        "nobody was connected in the demo: no card was written"
    );
    let pop = demo.screen_pop_ms;
    Ok([
        at_most(
            "answer to the card on the agent's socket, p50",
            "ms",
            pop.p50,
            2.0,
            1.0,
        )
        .into(),
        at_most(
            "answer to the card on the agent's socket, p99",
            "ms",
            pop.p99,
            20.0,
            None,
        )
        .into(),
    ])
}

/// Where the example of voice is, as cargo leaves it beside this program.
fn example() -> anyhow::Result<Option<PathBuf>> {
    let program = std::env::current_exe().context("own path")?;
    let file = program
        .parent()
        .map(|dir| dir.join("examples/browser_load"));
    Ok(file.filter(|file| file.is_file()))
}

/// An agent's leg by browser; none where the example was not built.
async fn browsers(args: &GoalsArgs) -> anyhow::Result<Option<Row>> {
    let Some(program) = example()? else {
        return Ok(None);
    };
    say(format!("browser_load {} {} …", args.legs, args.seconds));
    let [legs, seconds] = [u64::from(args.legs), args.seconds].map(|n| n.to_string());
    let mut command = Command::new(program);
    command.args([legs, seconds]).kill_on_drop(true);
    let output = command.output().await.context("start browser_load")?;
    ensure!(output.status.success(), "browser_load: {}", output.status);
    let told: Browsers = serde_json::from_slice(&output.stdout)?;
    ensure!(
        told.legs == args.legs,
        "only {} legs by browser came up",
        told.legs
    );
    let cost = told.cpu_percent_per_leg;
    let row = at_most("an agent's leg by browser", "% of a core", cost, 0.5, 0.25);
    Ok(Some(row.into()))
}

fn load_average() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
    let first = text.split_ascii_whitespace().next();
    let read = first.and_then(|load| load.parse().ok());
    read.context("/proc/loadavg is not as expected")
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<64} {:>10} {:>10} {:>10}  {:<7} peers\n",
        "figure", "measured", "must", "goal", "reached"
    );
    for row in rows {
        let sign = if row.higher_is_better { "≥" } else { "≤" };
        let limit = |l: Option<f64>| l.map_or("-".to_owned(), |l| format!("{sign} {}", short(l)));
        let name = format!("{} [{}]", row.figure, row.unit);
        // A String takes every write.
        let _ = writeln!(
            text,
            "{name:<64} {:>10.3} {:>10} {:>10}  {:<7} {}",
            row.measured,
            limit(row.must),
            limit(row.goal),
            row.reached,
            row.peers
        );
    }
    text
}

/// A limit with the decimals it has, two at most.
fn short(limit: f64) -> String {
    let text = format!("{limit:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn print(outcome: &Outcome) {
    let [before, after] = outcome.load_average;
    say(format!(
        "goals of voice; load average {before:.1} before, {after:.1} after; {}",
        outcome.profile
    ));
    say(table(&outcome.rows).trim_end());
    for row in &outcome.missing {
        say(format!("not measured: {row}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_the_decimals_it_needs() {
        let told = [140.0, 0.25, 0.0, 1_900.0 / 6.0].map(short);
        assert_eq!(told, ["140", "0.25", "0", "316.67"]);
    }

    #[test]
    fn a_row_names_its_calls_and_its_peers() {
        let text = r#"{"goals":[{"figure":"memory a call","unit":"KB","measured":91.5,"must":140.0,"goal":90.0,
            "higher_is_better":false,"reached":"must"}]}"#;
        let part: Part = serde_json::from_str(text).expect("a part");
        let rows: Vec<Row> = part
            .goals
            .into_iter()
            .map(|row| row.of(", 150 calls"))
            .collect();
        assert_eq!(rows[0].figure, "memory a call, 150 calls");
        assert_eq!(rows[0].peers, "Asterisk 700, rtpengine 57");
        let text = table(&rows);
        for part in ["91.500", "≤ 140", "≤ 90", "must", "rtpengine 57"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
