//! What a demo tells: addresses and logins at its start, then a line of figures.

use super::carrier::CarrierProcess;
use super::clock::Standing;
use super::people::{Login, People};
use crate::clock::NodeClock;
use crate::commands::say;
use crate::node::Node;
use center::view::{BoardData, Figures};
use domain::entity::DialMode;
use domain::ports::Clock;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Zone in which the demo's clock is told: the majority's.
const ZONE: &str = "America/Mexico_City";
/// Without a terminal, every so many ticks a line.
const PLAIN_EVERY: u64 = 10;

/// A demo that is up.
pub(super) struct Demo<'a> {
    pub(super) node: &'a Node,
    pub(super) carrier: &'a CarrierProcess,
    pub(super) people: &'a People,
    pub(super) standing: &'a Standing,
    pub(super) folder: &'a Path,
    pub(super) continued: bool,
    pub(super) mode: DialMode,
}

/// `demo.json` in the data folder, for programs.
#[derive(Serialize)]
struct Info<'a> {
    url: String,
    sip: String,
    carrier: &'a str,
    carrier_pid: u32,
    agent: &'a Login,
    supervisor: &'a Login,
    manager: &'a Login,
    admin: &'a Login,
}

impl Demo<'_> {
    /// Writes `demo.json` and prints addresses and logins.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn tell(&self, clock: &dyn Clock) -> anyhow::Result<()> {
        let people = self.people;
        let url = format!("http://{}", self.node.http);
        let info = Info {
            url: url.clone(),
            sip: self.node.sip.to_string(),
            carrier: &self.carrier.address,
            carrier_pid: self.carrier.pid(),
            agent: &people.agent.login,
            supervisor: &people.supervisor,
            manager: &people.manager,
            admin: &people.admin,
        };
        let path = self.folder.join("demo.json");
        crate::private::write(&path, &serde_json::to_string_pretty(&info)?)?;
        say(format!("Marcador demo: {url}   (API: {url}/docs)"));
        say(format!(
            "clock: {}, {}{}",
            local(clock.now()),
            self.standing.why,
            ahead(self.standing.offset_ms)
        ));
        say(mode_words(self.mode, self.continued));
        for (role, login) in [
            ("agent", &people.agent.login),
            ("supervisor", &people.supervisor),
            ("manager", &people.manager),
            ("admin", &people.admin),
        ] {
            say(format!(
                "  {role:<10} {:<12} {}",
                login.username, login.password
            ));
        }
        let kind = if self.continued { "continued" } else { "new" };
        say(format!(
            "{} simulated agents; carrier at {} (process {}); SIP at {}; {kind} data in {}",
            people.simulated.len(),
            self.carrier.address,
            self.carrier.pid(),
            self.node.sip,
            self.folder.display()
        ));
        Ok(())
    }
}

/// How it dials, and why that may change under the visitor's eyes.
fn mode_words(mode: DialMode, continued: bool) -> String {
    let lowers = matches!(mode, DialMode::Power | DialMode::Predictive);
    match (continued, lowers) {
        (true, _) => {
            "dial mode: as each campaign was left; the board shows the one in force".into()
        }
        (false, true) => format!(
            "dial mode: {}; too many abandoned calls lower it by law, to progressive and then preview, within the first minutes and until it may rise again: the board shows the mode in force",
            mode.as_str()
        ),
        (false, false) => format!("dial mode: {}", mode.as_str()),
    }
}

fn local(at: UtcMs) -> String {
    let text = domain::time::zone(ZONE).map(|zone| {
        at.in_zone(&zone)
            .strftime("%A %Y-%m-%d %H:%M:%S")
            .to_string()
    });
    text.map_or_else(|_| at.to_string(), |text| format!("{text} in Mexico City"))
}

fn ahead(offset_ms: i64) -> String {
    let (hours, minutes) = (
        offset_ms.abs() / HOUR_MS,
        offset_ms.abs() % HOUR_MS / MINUTE_MS,
    );
    match offset_ms {
        0 => String::new(),
        1.. => format!(" ({hours} h {minutes} min ahead of the machine's)"),
        _ => format!(" ({hours} h {minutes} min behind the machine's)"),
    }
}

/// The line of figures: rewritten on a terminal, now and then elsewhere.
pub(super) struct Line {
    bar: Option<ProgressBar>,
    quiet: bool,
    ticks: AtomicU64,
}

impl Line {
    pub(super) fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !quiet).then(|| {
            let bar = ProgressBar::new_spinner();
            ProgressStyle::with_template("{spinner} {msg}")
                .map_or(bar.clone(), |style| bar.with_style(style))
        });
        Self {
            bar,
            quiet,
            ticks: AtomicU64::new(0),
        }
    }

    pub(super) async fn show(&self, node: &Node, clock: &NodeClock) {
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
        if self.quiet || (self.bar.is_none() && !tick.is_multiple_of(PLAIN_EVERY)) {
            return;
        }
        let text = words(
            &node.center.figures().await,
            &node.center.board().await.data,
            clock.now(),
        );
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
            }
            None => say(text),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn words(f: &Figures, board: &BoardData, now: UtcMs) -> String {
    let pct = |n: u64, d: u64| (n * 100).checked_div(d).unwrap_or(0);
    let mut states: BTreeMap<&str, u32> = BTreeMap::new();
    for agent in &board.agents {
        *states.entry(agent.state.as_str()).or_default() += 1;
    }
    let agents: Vec<String> = states
        .iter()
        .map(|(state, n)| format!("{n} {state}"))
        .collect();
    let modes: BTreeSet<&str> = board
        .campaigns
        .iter()
        .filter(|c| c.status == "running")
        .map(|c| c.mode.as_str())
        .collect();
    let modes: Vec<&str> = modes.into_iter().collect();
    let lines: u64 = f.lines.iter().map(|l| l.1).sum();
    let mut text = format!(
        "{} | mode {} | {} dialed, {lines} lines up, {} answered, {} with an agent, {} abandoned of {} | {} promises | occupancy {} % | agents: {}",
        local(now)
            .rsplit_once(" in ")
            .map_or("", |(t, _)| t.rsplit(' ').next().unwrap_or("")),
        modes.join(" and "),
        f.attempts,
        f.answered_human + f.answered_machine,
        f.connected,
        f.abandonment.numerator,
        f.abandonment.denominator,
        f.promises,
        pct(f.occupancy.numerator_ms, f.occupancy.denominator_ms),
        if agents.is_empty() {
            "none".to_owned()
        } else {
            agents.join(", ")
        },
    );
    for problem in board
        .campaigns
        .iter()
        .filter_map(|c| c.problem.as_ref())
        .take(1)
    {
        text += &format!(" | {}: {}", problem.code, problem.en);
    }
    text
}
