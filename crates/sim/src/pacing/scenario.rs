//! Scenario files: a campaign's world as data.

use super::dist::Dist;
use super::place::line_of;
use serde::Deserialize;
use std::path::Path;

/// Most agents of a scenario.
const AGENTS_MAX: u32 = 5_000;
/// Longest scenario, s: a week.
const DURATION_MAX_S: f64 = 7.0 * 86_400.0;
/// Most bytes of a file.
const FILE_MAX: u64 = 1 << 20;

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{file}: {why}")]
    Read {
        /// File.
        file: String,
        /// The system's words.
        why: String,
    },
    /// Not the format.
    #[error("{file}, line {line}, field {field}: {why}")]
    Shape {
        /// File.
        file: String,
        /// Line of the text.
        line: usize,
        /// Path of the field.
        field: String,
        /// What is wrong.
        why: String,
    },
    /// Values that cannot be.
    #[error("{file}, line {line}, field {field}: {why}")]
    Value {
        /// File.
        file: String,
        /// Line of the text, as far as it is found.
        line: usize,
        /// Path of the field.
        field: String,
        /// What is wrong and what would be right.
        why: String,
    },
}

/// A scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Length, s.
    pub duration_s: f64,
    /// Left out of the figures, s.
    #[serde(default)]
    pub warmup_s: f64,
    /// Time between decisions, s.
    pub epoch_s: f64,
    /// Agents.
    pub agents: AgentsPart,
    /// What dials do.
    pub dial: DialPart,
    /// Machine detection.
    pub amd: AmdPart,
    /// Classes of talk.
    pub talk: Vec<TalkPart>,
    /// The people called.
    pub customer: CustomerPart,
    /// Lines and rate.
    pub limits: LimitsPart,
    /// Sudden changes.
    #[serde(default)]
    pub shocks: Vec<Shock>,
    /// Estimates by number.
    #[serde(default)]
    pub per_number: Option<PerNumberPart>,
}

/// Agents.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentsPart {
    /// How many.
    pub n: u32,
    /// Coefficient of variation of each one's factor on talk and wrap-up.
    #[serde(default)]
    pub speed_cv: f64,
    /// They sign in evenly over this time, s.
    #[serde(default)]
    pub login_ramp_s: f64,
    /// Start s, share of agents, length s, stagger s.
    #[serde(default)]
    pub breaks: Vec<(f64, f64, f64, f64)>,
    /// Time s, share that leaves for good.
    #[serde(default)]
    pub leave: Vec<(f64, f64)>,
    /// Time s, agents who come.
    #[serde(default)]
    pub join: Vec<(f64, u32)>,
    /// Unplanned pauses an agent takes an hour.
    #[serde(default)]
    pub pauses_per_h: f64,
    /// Their length.
    pub pause: Dist,
}

/// What dials do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialPart {
    /// From the dial to ringing.
    pub setup: Dist,
    /// Time s, share of dials that a person answers; in between interpolated.
    pub p_live: Vec<(f64, f64)>,
    /// Share that a machine answers.
    pub p_machine: f64,
    /// Share busy.
    pub p_busy: f64,
    /// Share without such a number.
    pub p_sit: f64,
    /// Ringing until a person answers.
    pub ring_live: Dist,
    /// Ringing until a machine answers.
    pub ring_machine: Dist,
    /// From the end of setup to the busy tone.
    pub busy_delay: Dist,
    /// Longest ringing, s.
    pub no_answer_timeout_s: f64,
}

/// Machine detection.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmdPart {
    /// Whether it is used.
    pub enabled: bool,
    /// Share of machines found.
    pub tpr: f64,
    /// Share of people taken for machines.
    pub fpr: f64,
    /// Time to say "a person".
    pub human_delay: Dist,
    /// Time to say "a machine".
    pub machine_delay: Dist,
}

/// A class of talk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TalkPart {
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Weight.
    pub w: f64,
    /// Length.
    pub talk: Dist,
    /// Wrap-up.
    pub wrap: Dist,
}

/// The people called.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerPart {
    /// An agent must be there within, s.
    pub deadline_s: f64,
    /// How long they wait by themselves.
    #[serde(default)]
    pub patience: Option<Dist>,
    /// Message of abandoned calls, s.
    #[serde(default)]
    pub message_s: f64,
}

/// Lines and rate.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsPart {
    /// Lines in all.
    pub trunks: u32,
    /// Starts a second.
    pub cps: f64,
}

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShockWhat {
    /// Share of live answers is.
    PLiveSet,
    /// Share of live answers, factor.
    PLiveMult,
    /// Share of dials that fail.
    TrunkFail,
    /// Talk, factor.
    TalkMult,
    /// Ringing, factor.
    RingMult,
    /// Setup, more s.
    SetupAdd,
}

/// A sudden change.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shock {
    /// Begins, s.
    pub at_s: f64,
    /// Lasts, s.
    pub dur_s: f64,
    /// What.
    pub what: ShockWhat,
    /// How much.
    pub value: f64,
}

/// Estimates by number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerNumberPart {
    /// Weight, mean and concentration of Betas: the numbers' true live shares.
    pub parts: Vec<(f64, f64, f64)>,
    /// Noise of the estimate's logit.
    pub sigma: f64,
    /// Shift of the estimate's logit.
    #[serde(default)]
    pub bias: f64,
    /// Slope of the estimate's logit.
    #[serde(default = "one")]
    pub slope: f64,
    /// Whether the estimate is put right on the average.
    #[serde(default)]
    pub calibrated: bool,
    /// Numbers offered at once.
    #[serde(default = "window")]
    pub window: usize,
    /// A number is passed over this often at most.
    #[serde(default = "pass_max")]
    pub pass_max: u32,
    /// And this long at most, s.
    #[serde(default = "pass_s")]
    pub pass_s: f64,
}

const fn one() -> f64 {
    1.0
}
const fn window() -> usize {
    64
}
const fn pass_max() -> u32 {
    500
}
const fn pass_s() -> f64 {
    600.0
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// Names file, line and field.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        let read = |why: String| ScenarioError::Read {
            file: file.clone(),
            why,
        };
        let size = std::fs::metadata(path).map_err(|e| read(e.to_string()))?;
        if size.len() > FILE_MAX {
            return Err(read(format!("larger than {FILE_MAX} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| read(e.to_string()))?;
        let mut scenario = Self::parse(&file, &text)?;
        if scenario.name.is_empty() {
            scenario.name = path
                .file_stem()
                .map(|s| s.to_string_lossy().into_owned())
                .unwrap_or_default();
        }
        Ok(scenario)
    }

    /// Reads a text; `file` names it in errors.
    ///
    /// # Errors
    /// Names file, line and field.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let scenario: Self =
            serde_path_to_error::deserialize(&mut json).map_err(|e| ScenarioError::Shape {
                file: file.into(),
                line: e.inner().line(),
                field: e.path().to_string(),
                why: e.inner().to_string(),
            })?;
        json.end().map_err(|e| ScenarioError::Shape {
            file: file.into(),
            line: e.line(),
            field: ".".into(),
            why: e.to_string(),
        })?;
        scenario
            .check()
            .map_err(|(field, why)| ScenarioError::Value {
                file: file.into(),
                line: line_of(text, &field),
                field,
                why,
            })?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), (String, String)> {
        let bad = |field: &str, why: &str| Err((field.to_owned(), why.to_owned()));
        let (d, a) = (&self.dial, &self.agents);
        if !(self.duration_s > 0.0 && self.duration_s <= DURATION_MAX_S) {
            return bad("duration_s", "must be above 0 and at most a week");
        }
        if !(0.0..self.duration_s).contains(&self.warmup_s) {
            return bad("warmup_s", "must be from 0 to below duration_s");
        }
        if !(0.05..=60.0).contains(&self.epoch_s) {
            return bad("epoch_s", "must be from 0.05 to 60");
        }
        if a.n > AGENTS_MAX || a.n == 0 && a.join.is_empty() {
            return bad("agents.n", "must be from 1 to 5000");
        }
        if self.limits.trunks == 0 {
            return bad("limits.trunks", "0: nothing can be dialed without a line");
        }
        if self.limits.cps.is_nan() || self.limits.cps <= 0.0 {
            return bad("limits.cps", "must be above 0");
        }
        if !(5.0..=120.0).contains(&d.no_answer_timeout_s) {
            return bad("dial.no_answer_timeout_s", "must be from 5 to 120");
        }
        if d.p_live.is_empty() || !d.p_live.is_sorted_by(|x, y| x.0 <= y.0) {
            return bad("dial.p_live", "at least one point, in order of time");
        }
        let live = d.p_live.iter().map(|p| ("dial.p_live", p.1));
        let shares = live.chain([
            ("dial.p_machine", d.p_machine),
            ("dial.p_busy", d.p_busy),
            ("dial.p_sit", d.p_sit),
            ("amd.tpr", self.amd.tpr),
            ("amd.fpr", self.amd.fpr),
        ]);
        for (field, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                return Err((field.into(), format!("{share}: must be from 0 to 1")));
            }
        }
        let weights: f64 = self.talk.iter().map(|t| t.w).sum();
        if self.talk.iter().any(|t| t.w < 0.0) || weights.is_nan() || weights <= 0.0 {
            return bad("talk", "at least one class with a weight above 0");
        }
        if !(self.customer.deadline_s > 0.0 && self.customer.deadline_s <= 60.0) {
            return bad("customer.deadline_s", "must be above 0 and at most 60");
        }
        self.check_dists()
    }

    fn check_dists(&self) -> Result<(), (String, String)> {
        let (d, amd) = (&self.dial, &self.amd);
        let mut all = vec![
            ("agents.pause".to_owned(), &self.agents.pause),
            ("dial.setup".to_owned(), &d.setup),
            ("dial.ring_live".to_owned(), &d.ring_live),
            ("dial.ring_machine".to_owned(), &d.ring_machine),
            ("dial.busy_delay".to_owned(), &d.busy_delay),
            ("amd.human_delay".to_owned(), &amd.human_delay),
            ("amd.machine_delay".to_owned(), &amd.machine_delay),
        ];
        for (n, part) in self.talk.iter().enumerate() {
            all.push((format!("talk[{n}].talk"), &part.talk));
            all.push((format!("talk[{n}].wrap"), &part.wrap));
        }
        if let Some(patience) = &self.customer.patience {
            all.push(("customer.patience".to_owned(), patience));
        }
        for (field, dist) in all {
            dist.check().map_err(|why| (field, why))?;
        }
        if let Some(p) = &self.per_number {
            let fine = |x: &(f64, f64, f64)| x.0 > 0.0 && x.1 > 0.0 && x.1 < 1.0 && x.2 > 0.0;
            if p.parts.is_empty() || !p.parts.iter().all(fine) || p.window == 0 || p.window > 4_096
            {
                let why =
                    "weights and concentrations above 0, means between 0 and 1, window 1 to 4096";
                return Err(("per_number".into(), why.into()));
            }
        }
        Ok(())
    }

    /// Share of dials at a time that a person answers, shocks included.
    #[must_use]
    pub fn p_live(&self, t: f64) -> f64 {
        let points = &self.dial.p_live;
        let after = points.iter().position(|p| p.0 > t);
        let mut p = match after {
            None => points.last().map_or(0.0, |p| p.1),
            Some(0) => points[0].1,
            Some(n) => {
                let (a, b) = (points[n - 1], points[n]);
                a.1 + (b.1 - a.1) * (t - a.0) / (b.0 - a.0)
            }
        };
        for shock in self.active(t) {
            match shock.what {
                ShockWhat::PLiveSet => p = shock.value,
                ShockWhat::PLiveMult => p *= shock.value,
                _ => {}
            }
        }
        p.clamp(0.0, 1.0)
    }

    /// Value of a shock at a time, or what holds without one.
    #[must_use]
    pub fn shock(&self, t: f64, what: ShockWhat, without: f64) -> f64 {
        self.active(t)
            .find(|s| s.what == what)
            .map_or(without, |s| s.value)
    }

    fn active(&self, t: f64) -> impl Iterator<Item = &Shock> {
        self.shocks
            .iter()
            .filter(move |s| t >= s.at_s && t < s.at_s + s.dur_s)
    }
}
