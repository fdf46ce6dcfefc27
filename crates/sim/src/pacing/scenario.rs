//! Scenario files: a campaign's world as data.

mod check;

use super::dist::Dist;
use super::place::line_of;
use serde::Deserialize;
use std::path::Path;

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
    /// Abandonment aimed at, percent of the live answers; none = the policy's own part of the cap.
    #[serde(default)]
    pub abandon_target_pct: Option<f64>,
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
    /// Their length; only needed where there are any.
    #[serde(default = "pause")]
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
    #[serde(default = "yes")]
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

const fn pause() -> Dist {
    Dist::Exp { mean: 180.0 }
}
const fn yes() -> bool {
    true
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
