//! The lines as they come: what each field may be.

use dialer::predictive::{AgentState, CallPhase, Key};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Unexpected, Visitor};
use std::fmt;

/// An identity: a number or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(pub(super) Key);

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

/// A count. Hosts whose language has one kind of number write `76.0` for 76.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Whole(pub(super) u64);

/// Largest whole number that every reader of JSON keeps: 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Whole, E> {
                Ok(Whole(n))
            }
            fn visit_f64<E: serde::de::Error>(self, x: f64) -> Result<Whole, E> {
                if x.fract().abs() > 0.0 || !(0.0..=WHOLE_MAX).contains(&x) {
                    return Err(E::invalid_value(Unexpected::Float(x), &self));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole and within 0..=2^53"
                )]
                let n = x as u64;
                Ok(Whole(n))
            }
        }
        de.deserialize_any(V)
    }
}

impl Whole {
    /// As a count of calls, lines or agents.
    pub(super) fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StateName {
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
pub(super) enum PhaseName {
    Setup,
    Ring,
    Detect,
    Wait,
}

impl From<PhaseName> for CallPhase {
    fn from(name: PhaseName) -> Self {
        match name {
            PhaseName::Setup => Self::Setup,
            PhaseName::Ring => Self::Ring,
            PhaseName::Detect => Self::Detect,
            PhaseName::Wait => Self::Wait,
        }
    }
}

fn full() -> String {
    "full".into()
}

/// `hello`; what the policy has no use for (`duration_s`, the rule of fairness) may be left out.
#[derive(Debug, Deserialize)]
pub(super) struct HelloLine {
    pub(super) proto: Whole,
    pub(super) epoch_s: f64,
    pub(super) deadline_s: f64,
    pub(super) no_answer_timeout_s: f64,
    pub(super) trunks: Whole,
    pub(super) cps: f64,
    #[serde(default)]
    pub(super) agents_max: Whole,
    pub(super) target_abandon: f64,
    #[serde(default = "full")]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) per_number: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct EvLine {
    pub(super) e: String,
    pub(super) t: f64,
    #[serde(default)]
    pub(super) id: Option<Id>,
    #[serde(default)]
    pub(super) agent: Option<Id>,
    #[serde(default)]
    pub(super) new: Option<StateName>,
    #[serde(default)]
    pub(super) outcome: Option<String>,
    #[serde(default)]
    pub(super) est: Option<f64>,
}

/// `[id, state, seconds in state, length of last talk or null]`.
pub(super) type AgentLine = (Id, StateName, f64, Option<f64>);

#[derive(Debug, Deserialize)]
pub(super) struct ObsLine {
    pub(super) t: f64,
    pub(super) idle: Whole,
    #[serde(default)]
    pub(super) talk: Whole,
    #[serde(default)]
    pub(super) wrap: Whole,
    #[serde(default, rename = "break")]
    pub(super) away: Whole,
    #[serde(default)]
    pub(super) pending: Whole,
    #[serde(default)]
    pub(super) waiting: Whole,
    pub(super) free_trunks: Whole,
    pub(super) cps_tokens: f64,
    #[serde(default)]
    pub(super) dials: Whole,
    #[serde(default)]
    pub(super) live: Whole,
    #[serde(default)]
    pub(super) connected: Whole,
    #[serde(default)]
    pub(super) abandoned: Whole,
    #[serde(default)]
    pub(super) ev: Vec<EvLine>,
    #[serde(default)]
    pub(super) agents: Option<Vec<AgentLine>>,
    #[serde(default)]
    pub(super) calls: Option<Vec<CallLine>>,
    #[serde(default)]
    pub(super) next: Vec<f64>,
    #[serde(default)]
    pub(super) due: Whole,
}

/// `[id, phase, seconds since launch, seconds ringing or null, estimate]`, the last one optional.
#[derive(Debug)]
pub(super) struct CallLine {
    pub(super) id: Id,
    pub(super) phase: PhaseName,
    pub(super) since: f64,
    pub(super) ringing: Option<f64>,
    pub(super) estimate: Option<f64>,
}

impl<'de> Deserialize<'de> for CallLine {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = CallLine;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[id, phase, seconds since launch, seconds ringing or null, estimate?]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CallLine, A::Error> {
                let short = |n| A::Error::invalid_length(n, &self);
                let id = seq.next_element()?.ok_or_else(|| short(0))?;
                let phase = seq.next_element()?.ok_or_else(|| short(1))?;
                let since = seq.next_element()?.ok_or_else(|| short(2))?;
                let ringing: Option<Option<f64>> = seq.next_element()?;
                let estimate: Option<Option<f64>> = seq.next_element()?;
                Ok(CallLine {
                    id,
                    phase,
                    since,
                    ringing: ringing.flatten(),
                    estimate: estimate.flatten(),
                })
            }
        }
        de.deserialize_seq(V)
    }
}
