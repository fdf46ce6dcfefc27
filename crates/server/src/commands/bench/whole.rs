//! `marcador bench goals`: the table of voice's goals in one go. Each row comes from the command that measures it, run
//! as a process of its own, one after the other.

use super::args::GoalsArgs;
use super::goals::{Goal, at_least, at_most};
use super::media::ASTERISK_CALLS;
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
/// Where the secret of an Asterisk's manager is told.
const SECRET: &str = "MARCADOR_BENCH_AMI_SECRET";
/// Recorded calls that are to run while cards are timed.
const RECORDED: f64 = 80.0;
/// Share of the packets that a browser's leg must have been brought: one that loses them is cheap.
const HEARD: f64 = 0.98;

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
    /// What another program came to in the same run.
    #[serde(default)]
    beside: String,
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
            beside: goal.beside,
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
        "clean calls a second on a core (driven)" => "Asterisk 300-350, Kamailio 1200",
        "calls on a core that held (driven)" => "Asterisk 150-170, rtpengine 700",
        "memory a held call" => "Asterisk 110",
        "answer to the card on the agent's socket, p50" => "Asterisk's AMI 1.0-3 to a program",
        _ => "",
    }
}

/// What is said where nobody else was measured.
const NOBODY: &str = "no other measured";

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

/// Whether so many calls held.
#[derive(Deserialize)]
struct Held {
    held: bool,
    held_on_a_core: f64,
}

/// What of a demo's summary is a row.
#[derive(Deserialize)]
struct Demo {
    seconds: u64,
    connected: u64,
    recording_ms: u64,
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
    packets_to_server: u64,
    packets_from_server: u64,
    expected_each_way: u64,
}

/// The rows so far, and what could not be measured.
#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    missing: Vec<String>,
}

impl Table {
    /// Takes the rows of a part; one that fails costs its rows and no other.
    fn take<R: IntoIterator<Item = Row>>(&mut self, what: &str, rows: anyhow::Result<R>) {
        match rows {
            Ok(rows) => self.rows.extend(rows),
            Err(error) => self.missing.push(format!("{what}: {error:#}")),
        }
    }
}

/// Carries it out.
pub(super) async fn run(args: &GoalsArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path();
    let before = load_average()?;
    let mut table = Table::default();
    for calls in &args.calls {
        table.take(
            &format!("media, {calls} calls"),
            media(args, *calls, dir).await,
        );
    }
    table.take("calls that held", held(args, dir).await.map(|row| [row]));
    table.take("signalling", signalling(args, dir).await);
    match cards(args, dir).await {
        Ok((rows, few)) => {
            table.rows.extend(rows);
            table.missing.extend(few);
        }
        Err(error) => table.missing.push(format!("cards: {error:#}")),
    }
    table.take(
        "an agent's leg by browser",
        browsers(args).await.map(|row| [row]),
    );
    let outcome = Outcome {
        profile: profile(),
        load_average: [before, load_average()?],
        rows: table.rows,
        missing: table.missing,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())?;
    ensure!(!outcome.rows.is_empty(), "nothing could be measured");
    Ok(())
}

/// So many calls, in turn with the bare forwarder.
async fn media(args: &GoalsArgs, calls: u32, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let [count, seconds] = [u64::from(calls), args.seconds].map(|n| n.to_string());
    let told = ["bench", "media", "--calls", &count, "--seconds", &seconds];
    let part: Part = part(&told, dir).await?;
    let of = format!(", {calls} calls");
    Ok(part.goals.into_iter().map(|row| row.of(&of)).collect())
}

/// The most calls that held on a core.
async fn held(args: &GoalsArgs, dir: &Path) -> anyhow::Result<Row> {
    let seconds = args.seconds.to_string();
    let mut most = 0.0_f64;
    for calls in &args.held {
        let count = calls.to_string();
        let told = [
            "bench",
            "media",
            "--alone",
            "--rate",
            "100",
            "--calls",
            &count,
            "--seconds",
            &seconds,
        ];
        let told: Held = part(&told, dir).await?;
        if !told.held {
            break;
        }
        most = most.max(told.held_on_a_core);
    }
    let (must, goal) = (4.0 * ASTERISK_CALLS, 5.0 * ASTERISK_CALLS);
    let name = "calls on a core that held (driven)";
    Ok(at_least(name, "calls", most, must, goal).into())
}

/// Set-ups at the rates that have goals and at those that a core is to carry, beside an Asterisk where one is named.
async fn signalling(args: &GoalsArgs, dir: &Path) -> anyhow::Result<Vec<Row>> {
    let mut told = vec!["bench".to_owned(), "signalling".to_owned()];
    for rate in RATES.iter().chain(&args.rate) {
        told.extend(["--rate".to_owned(), rate.to_string()]);
    }
    told.extend(["--seconds".to_owned(), args.seconds.to_string()]);
    let asterisk = &args.asterisk;
    if let (Some(ami), Some(pid)) = (asterisk.ami, asterisk.asterisk_pid) {
        told.extend(["--ami".to_owned(), ami.to_string()]);
        told.extend(["--asterisk-pid".to_owned(), pid.to_string()]);
        told.extend(["--ami-user".to_owned(), asterisk.ami_user.clone()]);
        told.extend([
            "--asterisk-endpoint".to_owned(),
            asterisk.asterisk_endpoint.clone(),
        ]);
    }
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let secret = Some(asterisk.ami_secret.as_str());
    let part: Part = part_with(&told, secret, dir).await?;
    Ok(part.goals.into_iter().map(|row| row.of("")).collect())
}

/// Runs this program with these arguments; what it wrote.
async fn part<T: DeserializeOwned>(args: &[&str], dir: &Path) -> anyhow::Result<T> {
    part_with(args, None, dir).await
}

/// The same with the secret of an Asterisk's manager, which no list of processes shows.
async fn part_with<T: DeserializeOwned>(
    args: &[&str],
    secret: Option<&str>,
    dir: &Path,
) -> anyhow::Result<T> {
    say(format!("marcador {} …", args.join(" ")));
    let file = dir.join("part.json");
    let program = std::env::current_exe().context("own path")?;
    let mut command = Command::new(program);
    command
        .args(args)
        .arg("--json")
        .arg(&file)
        .kill_on_drop(true);
    if let Some(secret) = secret {
        command.env(SECRET, secret);
    }
    let output = command.output().await.context("start a part")?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("marcador {}: {}: {told}", args.join(" "), output.status);
    }
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Cards of a demo's agents: from the 200 OK to the last byte written to the socket; and what is to be said where fewer
/// recorded calls than wished ran meanwhile.
async fn cards(args: &GoalsArgs, dir: &Path) -> anyhow::Result<([Row; 2], Option<String>)> {
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
    let ran = at_once(demo.recording_ms, demo.seconds);
    let of = format!(", {ran:.0} recorded calls in the mean");
    let pop = demo.screen_pop_ms;
    let (half, most) = (
        "answer to the card on the agent's socket, p50",
        "answer to the card on the agent's socket, p99",
    );
    let rows = [
        at_most(half, "ms", pop.p50, 2.0, 1.0),
        at_most(most, "ms", pop.p99, 20.0, None),
    ];
    let few = (ran < RECORDED).then(|| {
        format!("cards beside {RECORDED} recorded calls: {ran:.0} ran in the mean; more --agents")
    });
    Ok((rows.map(|goal| Row::from(goal).of(&of)), few))
}

/// Recorded calls at once in the mean, by the sound there is of them.
fn at_once(recording_ms: u64, seconds: u64) -> f64 {
    let whole = u32::try_from(recording_ms / 1_000).unwrap_or(u32::MAX);
    f64::from(whole) / f64::from(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX))
}

/// Where the example of voice is, as cargo leaves it beside this program.
fn example() -> anyhow::Result<Option<PathBuf>> {
    let program = std::env::current_exe().context("own path")?;
    let file = program
        .parent()
        .map(|dir| dir.join("examples/browser_load"));
    Ok(file.filter(|file| file.is_file()))
}

/// An agent's leg by browser.
async fn browsers(args: &GoalsArgs) -> anyhow::Result<Row> {
    let program = example()?.context(
        "cargo build --release -p voice --example browser_load, beside this program, makes what measures it",
    )?;
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
    let least = told.packets_to_server.min(told.packets_from_server);
    ensure!(
        share(least, told.expected_each_way) >= HEARD,
        "{least} of {} packets passed: what does not pass costs nothing",
        told.expected_each_way
    );
    let cost = told.cpu_percent_per_leg;
    let row = at_most("an agent's leg by browser", "% of a core", cost, 0.5, 0.25);
    Ok(Row::from(row).of(&format!(", {} legs", told.legs)))
}

fn share(part: u64, whole: u64) -> f64 {
    let of = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    of(part) / of(whole.max(1))
}

fn load_average() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
    let first = text.split_ascii_whitespace().next();
    let read = first.and_then(|load| load.parse().ok());
    read.context("/proc/loadavg is not as expected")
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<72} {:>10} {:>10} {:>10}  {:<7} others\n",
        "figure", "measured", "must", "goal", "reached"
    );
    for row in rows {
        let sign = if row.higher_is_better { "≥" } else { "≤" };
        let limit = |l: Option<f64>| l.map_or("-".to_owned(), |l| format!("{sign} {}", short(l)));
        let name = format!("{} [{}]", row.figure, row.unit);
        let others = [row.peers, &row.beside].map(str::to_owned);
        let others: Vec<String> = others.into_iter().filter(|o| !o.is_empty()).collect();
        let others = if others.is_empty() {
            NOBODY.to_owned()
        } else {
            others.join("; ")
        };
        // A String takes every write.
        let _ = writeln!(
            text,
            "{name:<72} {:>10.3} {:>10} {:>10}  {:<7} {}",
            row.measured,
            limit(row.must),
            limit(row.goal),
            row.reached,
            others
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
    fn a_part_that_fails_costs_its_rows_alone() {
        let mut table = Table::default();
        let row = |figure| Row::from(at_most(figure, "ms", 1.0, 2.0, None));
        table.take("one", Ok([row("first")]));
        table.take::<[Row; 1]>("two", Err(anyhow::anyhow!("no port")));
        table.take("three", Ok([row("last")]));
        let names: Vec<&str> = table.rows.iter().map(|r| r.figure.as_str()).collect();
        assert_eq!(names, ["first", "last"]);
        assert_eq!(table.missing, ["two: no port"]);
        assert!(
            super::table(&table.rows).contains(NOBODY),
            "a row without others says so"
        );
    }

    #[test]
    fn calls_at_once_are_told_by_their_sound() {
        assert!((at_once(4_800_000, 60) - 80.0).abs() < 1e-9);
        assert_eq!(at_once(5, 0), 0.0);
        assert!((share(98, 100) - HEARD).abs() < 1e-9);
    }

    #[test]
    fn a_row_names_its_calls_and_its_peers() {
        let text = r#"{"goals":[{"figure":"memory a call","unit":"KB","measured":91.5,"must":140.0,"goal":90.0,
            "higher_is_better":false,"reached":"must","beside":"bare forwarder here 60.000"}]}"#;
        let part: Part = serde_json::from_str(text).expect("a part");
        let rows: Vec<Row> = part
            .goals
            .into_iter()
            .map(|row| row.of(", 150 calls"))
            .collect();
        assert_eq!(rows[0].figure, "memory a call, 150 calls");
        assert_eq!(rows[0].peers, "Asterisk 700, rtpengine 57");
        let text = table(&rows);
        for part in [
            "91.500",
            "≤ 140",
            "≤ 90",
            "must",
            "rtpengine 57; bare forwarder here 60.000",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
