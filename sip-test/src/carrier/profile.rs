//! How the people of a carrier behave, as data.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::SipTestError;

/// A time with a long tail: the logarithm is normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Median, ms.
    pub median: f64,
    /// Spread of the logarithm.
    pub sigma: f64,
    /// Never less, ms.
    pub least: u64,
    /// Never more, ms.
    pub most: u64,
}

/// How often a call comes to what. The parts need not add up to one: they are weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// A person answers.
    pub human: f64,
    /// A machine answers.
    pub machine: f64,
    /// 486.
    pub busy: f64,
    /// Rings until the caller gives up.
    pub no_answer: f64,
    /// 603.
    pub rejected: f64,
    /// 480 with Q.850 20: switched off.
    pub unreachable: f64,
    /// 503 with Q.850 34.
    pub congestion: f64,
    /// 404 with Q.850 1; a property of the number, the same at each call.
    pub invalid: f64,
}

/// Answering machines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Length of the greeting, ms.
    pub greeting_ms: LogNormal,
    /// Share that beeps after it.
    pub beep_share: f64,
    /// Share that is the network's own mailbox: one of a few recordings, the same sound in every call.
    #[serde(default)]
    pub network_share: f64,
    /// Time it records before it hangs up, ms.
    pub wait_ms: u64,
}

/// People who press a key (the opt-out of a safe-harbour message).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pressing {
    /// Share of the people who answer.
    pub share: f64,
    /// Which key.
    pub digit: char,
    /// When after the answer, ms.
    pub after_ms: u64,
}

/// The voice of those who answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceSound {
    /// Frequencies, Hz.
    pub hz: [f64; 2],
    /// Amplitude of each, 0 to 1.
    pub amplitude: f64,
}

/// All of it; `profiles/default.json` is built in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Where the figures come from.
    pub credit: Vec<String>,
    /// What calls come to.
    pub shares: Weights,
    /// Factors of `human` by hour of the day (UTC), 24 of them; fates then depend on the hour too.
    pub answer_by_hour: Option<Vec<f64>>,
    /// From INVITE to the first ring, ms.
    pub pdd_ms: LogNormal,
    /// From ring to answer or refusal, ms.
    pub ring_ms: LogNormal,
    /// The network gives up an unanswered call after this, ms.
    pub no_answer_ms: u64,
    /// Share of calls that ring with 183 and audible ring-back instead of 180.
    pub early_media_share: f64,
    /// Share of busy, switched-off and wrong numbers of which the network tells by a sound in a 183 (busy tone,
    /// special information tone, announcement) before its code.
    #[serde(default)]
    pub network_sound_share: f64,
    /// Share of people who answer at a company whose exchange beeps first, as recorded lines do.
    #[serde(default)]
    pub company_share: f64,
    /// Share of people who hang up at once.
    pub early_hangup_share: f64,
    /// When they do, ms: from, to.
    pub early_hangup_ms: [u64; 2],
    /// Talk time: pairs of probability and seconds, rising.
    pub talk_s: Vec<[f64; 2]>,
    /// Patience with silence: pairs of seconds and share still there, falling.
    pub patience_s: Vec<[f64; 2]>,
    /// Factor on talk and patience: 0.08 turns minutes into demo seconds.
    pub time_scale: f64,
    /// Machines.
    pub machine: Machine,
    /// Keys pressed.
    pub press: Pressing,
    /// The debtors' voice.
    pub voice: VoiceSound,
    /// Whose ring-back is played, ISO 3166.
    pub country: String,
    /// Who answers greets first with sound that has the shape of speech: people a word or two and then
    /// silence, machines on and on. A detector of machines has something to tell apart then.
    #[serde(default)]
    pub greets: bool,
}

/// The built-in profile.
const DEFAULT: &str = include_str!("../../profiles/default.json");

/// Factor on talk and patience in demos: a median talk of 14 s.
pub const DEMO_TIME_SCALE: f64 = 0.08;

impl Profile {
    /// The built-in profile, at the pace of real life.
    ///
    /// # Errors
    /// [`SipTestError::Profile`], which a test excludes.
    pub fn builtin() -> Result<Self, SipTestError> {
        Self::parse(DEFAULT)
    }

    /// The built-in profile at the pace of a demo: talks of about 8 to 25 s.
    ///
    /// # Errors
    /// As [`Profile::builtin`].
    pub fn demo() -> Result<Self, SipTestError> {
        Ok(Self {
            time_scale: DEMO_TIME_SCALE,
            ..Self::builtin()?
        })
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`SipTestError::Profile`] naming what does not fit.
    pub fn parse(text: &str) -> Result<Self, SipTestError> {
        let profile: Self =
            serde_json::from_str(text).map_err(|e| SipTestError::Profile(e.to_string()))?;
        profile.check()?;
        Ok(profile)
    }

    /// Reads a profile from a file.
    ///
    /// # Errors
    /// [`SipTestError::File`], [`SipTestError::Profile`].
    pub fn load(path: &Path) -> Result<Self, SipTestError> {
        let text = std::fs::read_to_string(path).map_err(|source| SipTestError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Says whether it is one; for profiles that were changed after they were read.
    ///
    /// # Errors
    /// As [`Profile::parse`].
    pub fn check(&self) -> Result<(), SipTestError> {
        self.faults()
            .map_err(|what| SipTestError::Profile(what.to_owned()))
    }

    fn faults(&self) -> Result<(), &'static str> {
        let s = &self.shares;
        let shares = [
            s.human,
            s.machine,
            s.busy,
            s.no_answer,
            s.rejected,
            s.unreachable,
            s.congestion,
            s.invalid,
        ];
        let unit = |v: f64| (0.0..=1.0).contains(&v);
        let rising = |rows: &[[f64; 2]], by: fn(&[f64; 2]) -> f64| {
            rows.windows(2).all(|w| by(&w[0]) <= by(&w[1]))
        };
        let positive = |d: &LogNormal| d.median > 0.0 && d.sigma >= 0.0 && d.least <= d.most;
        if shares.iter().any(|v| !v.is_finite() || *v < 0.0) || shares.iter().sum::<f64>() <= 0.0 {
            return Err("shares must be 0 or more and not all 0");
        }
        if self
            .answer_by_hour
            .as_ref()
            .is_some_and(|h| h.len() != 24 || h.iter().any(|v| v.is_nan() || *v < 0.0))
        {
            return Err("answer_by_hour needs 24 factors of 0 or more");
        }
        if ![&self.pdd_ms, &self.ring_ms, &self.machine.greeting_ms]
            .into_iter()
            .all(positive)
        {
            return Err("a time needs median > 0, sigma >= 0 and least <= most");
        }
        let parts = [
            self.early_media_share,
            self.network_sound_share,
            self.company_share,
            self.early_hangup_share,
            self.machine.beep_share,
            self.machine.network_share,
            self.press.share,
        ];
        if !parts.into_iter().all(unit) {
            return Err("a share must be from 0 to 1");
        }
        if self.early_hangup_ms[0] > self.early_hangup_ms[1] {
            return Err("early_hangup_ms must rise");
        }
        if self.talk_s.is_empty()
            || !rising(&self.talk_s, |r| r[0])
            || !rising(&self.talk_s, |r| r[1])
        {
            return Err("talk_s must be pairs of rising probability and seconds");
        }
        if self.patience_s.is_empty()
            || !rising(&self.patience_s, |r| r[0])
            || !rising(&self.patience_s, |r| -r[1])
        {
            return Err("patience_s must be pairs of rising seconds and falling share");
        }
        if !(self.time_scale > 0.0 && self.time_scale.is_finite()) {
            return Err("time_scale must be above 0");
        }
        if media::dtmf::Digit::from_char(self.press.digit).is_none() {
            return Err("press.digit is no key");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_one_and_names_its_sources() {
        let profile = Profile::builtin().expect("built in");
        assert_eq!(profile.credit.len(), 3);
        assert_eq!(
            Profile::parse(&serde_json::to_string(&profile).expect("json")).expect("again"),
            profile
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut profile = Profile::builtin().expect("built in");
        profile.shares.human = -1.0;
        let text = serde_json::to_string(&profile).expect("json");
        assert!(
            Profile::parse(&text)
                .expect_err("negative")
                .to_string()
                .contains("shares")
        );
        assert!(Profile::parse("{}").is_err());
        assert!(Profile::parse(&DEFAULT.replace("\"country\"", "\"land\"")).is_err());
    }
}
