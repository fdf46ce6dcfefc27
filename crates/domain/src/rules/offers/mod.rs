//! What a client's terms allow: the offers of a debt, how a plan is cut into instalments, who may agree
//! to it, and the limits of promises.

mod draw;
mod house;
#[cfg(test)]
mod tests;

pub use draw::{Drawn, draw};

use super::ageing::AgeingSet;
use crate::entity::{Evidence, Role, Stage, Tone};
use crate::ids::{SegmentId, UserId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Attention threshold where a client has set none, whole units of its first portfolio's currency (terms.md §7).
pub const ATTENTION: i64 = 1_000;
/// Greatest attention threshold, minor units.
const ATTENTION_MAX_MINOR: i64 = 1_000_000_000_000;
/// Offers shown on a card.
pub const OFFERS_SHOWN: usize = 3;
/// Most rules of each kind in one version.
pub const RULES_MAX: usize = 40;
/// Most instalments of any plan.
pub const INSTALMENTS_MAX: i32 = 60;
/// Days before a statute date from which the named person is told, where a rule says nothing [H].
pub const STATUTE_DAYS: i64 = 90;
/// Longest wait for an answer, seconds.
pub const ASK_TIMEOUT_MAX_S: i32 = 600;

/// The conditions of a plan, in percent and days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Forgiven of the balance, percent.
    pub quita_pct: i32,
    /// Down payment, percent of what is agreed; 0 = none.
    pub down_pct: i32,
    /// Instalments behind the down payment, from 1; with a down payment they may be 0.
    pub instalments: i32,
    /// Days from today to the first part.
    pub first_in_days: i32,
    /// Days between instalments; 0 = the same day each month.
    pub every_days: i32,
    /// Whether interest stops while it runs.
    pub freeze_interest: bool,
    /// Further reduction when all is paid early, percent of what is agreed.
    pub early_off_pct: i32,
    /// Until how many days from today.
    pub early_days: i32,
}

/// An offer that may be made to debts of some age and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferRule {
    /// Short name, unique in the version.
    pub key: String,
    /// Shown in Spanish.
    pub name_es: String,
    /// Shown in English.
    pub name_en: String,
    /// Ageing buckets of the client's set (terms.md §7); empty = any.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// Least balance, minor units.
    #[serde(default)]
    pub min_minor: i64,
    /// Greatest balance, minor units.
    #[serde(default)]
    pub max_minor: Option<i64>,
    /// What is offered.
    pub conditions: Conditions,
}

/// How far a role may go alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// The role.
    pub role: Role,
    /// Greatest reduction, percent of the balance: quita and incentive together.
    pub quita_pct: i32,
    /// Most instalments.
    pub instalments: i32,
}

/// Limits of promises by segment, age of the debt and role; the campaign's hold too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromiseRule {
    /// Stored segment whose debtors it is for; `None` = any.
    #[serde(default)]
    pub segment_id: Option<SegmentId>,
    /// Ageing buckets; empty = any.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// Roles; empty = any.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Least amount, percent of the overdue.
    pub min_pct: i32,
    /// Longest horizon, days.
    pub max_days: i32,
}

impl PromiseRule {
    /// Its limits beside others that hold as well, as percent and days: the stricter of each.
    #[must_use]
    pub fn beside(&self, (min_pct, max_days): (i32, i32)) -> (i32, i32) {
        (self.min_pct.max(min_pct), self.max_days.min(max_days))
    }
}

/// How long a debt may stay in a stage, and what has to be true before it enters it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRule {
    /// The stage.
    pub stage: Stage,
    /// Days past due from which it may be entered.
    #[serde(default)]
    pub from_days: i64,
    /// Least balance that is worth it, minor units.
    #[serde(default)]
    pub min_minor: i64,
    /// What the step costs, minor units; a balance below twice of it is not worth it.
    #[serde(default)]
    pub cost_minor: i64,
    /// Attempts that must have been made.
    #[serde(default)]
    pub attempts_min: i64,
    /// Channels that must have been tried.
    #[serde(default)]
    pub channels_min: i64,
    /// Days until it has to have left; 0 = no limit.
    #[serde(default)]
    pub max_days: i64,
    /// Who is told when it has not.
    #[serde(default)]
    pub owner_id: Option<UserId>,
    /// Tone of what is written in it; `None` = the house's (`rules::tone`).
    #[serde(default)]
    pub tone: Option<Tone>,
    /// Days before the statute date of a debt in it from which that person is told; 0 = he is not. Nothing once a
    /// court was asked.
    #[serde(default = "statute_days")]
    pub statute_days: i64,
    /// Whether it may be entered although the statute date is past; only stages that lead to a court ask.
    #[serde(default)]
    pub past_statute: bool,
    /// Evidence without which it may not be entered.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

const fn statute_days() -> i64 {
    STATUTE_DAYS
}

/// A client's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTerms {
    /// Offers, best first.
    #[serde(default)]
    pub offers: Vec<OfferRule>,
    /// Authority by role.
    #[serde(default)]
    pub authority: Vec<Authority>,
    /// Whether a quita lapses when its plan breaks.
    #[serde(default)]
    pub quita_lapses: bool,
    /// How long a supervisor's answer is waited for, seconds.
    pub ask_timeout_s: i32,
    /// Promises; the first rule that fits holds, and the campaign's limits with it.
    #[serde(default)]
    pub promises: Vec<PromiseRule>,
    /// Stages.
    #[serde(default)]
    pub stages: Vec<StageRule>,
    /// Who has more than this overdue stands first in the morning list, minor units; `None` = [`ATTENTION`].
    #[serde(default)]
    pub attention_minor: Option<i64>,
    /// In which bucket how many days past due are; what no buckets are written for has the standard set.
    #[serde(default)]
    pub ageing: AgeingSet,
}

/// Where a document of terms is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {wanted}")]
pub struct TermsWrong {
    /// Place in the document.
    pub path: String,
    /// What would be right.
    pub wanted: String,
}

fn wrong(path: impl Into<String>, wanted: impl Into<String>) -> TermsWrong {
    TermsWrong {
        path: path.into(),
        wanted: wanted.into(),
    }
}

fn between(path: &str, value: i64, least: i64, most: i64) -> Result<(), TermsWrong> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(wrong(path, format!("expected {least} to {most}")))
}

fn known_buckets(path: &str, buckets: &[String], set: &AgeingSet) -> Result<(), TermsWrong> {
    let names = set.names();
    if buckets.iter().all(|bucket| names.contains(bucket)) {
        return Ok(());
    }
    let wanted = format!("expected some of {}", names.join(", "));
    Err(wrong(path, wanted))
}

impl Conditions {
    /// What they take off the balance at most, in hundredths of a percent: the incentive is a part of what the
    /// quita leaves.
    #[must_use]
    pub fn off_bp(&self) -> i64 {
        let (quita, early) = (i64::from(self.quita_pct), i64::from(self.early_off_pct));
        100 * quita + (100 - quita) * early
    }

    /// Whether they can be drawn at all.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn check(&self, path: &str) -> Result<(), TermsWrong> {
        let at = |field: &str| format!("{path}.{field}");
        between(&at("quita_pct"), self.quita_pct.into(), 0, 95)?;
        between(&at("down_pct"), self.down_pct.into(), 0, 100)?;
        let most = i64::from(INSTALMENTS_MAX);
        let least = i64::from(self.down_pct < 100);
        between(&at("instalments"), self.instalments.into(), least, most)?;
        if self.down_pct == 100 && self.instalments > 0 {
            return Err(wrong(
                at("instalments"),
                "expected 0 behind a down payment of all",
            ));
        }
        between(&at("first_in_days"), self.first_in_days.into(), 0, 90)?;
        between(&at("every_days"), self.every_days.into(), 0, 180)?;
        between(&at("early_off_pct"), self.early_off_pct.into(), 0, 50)?;
        between(&at("early_days"), self.early_days.into(), 0, 730)?;
        if (self.early_off_pct > 0) != (self.early_days > 0) {
            return Err(wrong(
                at("early_days"),
                "expected with early_off_pct, and only with it",
            ));
        }
        Ok(())
    }
}

impl ClientTerms {
    /// Checks a document before it is kept.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check(&self) -> Result<(), TermsWrong> {
        for (path, n) in [
            ("offers", self.offers.len()),
            ("authority", self.authority.len()),
            ("promises", self.promises.len()),
            ("stages", self.stages.len()),
        ] {
            if n > RULES_MAX {
                return Err(wrong(path, format!("expected at most {RULES_MAX}")));
            }
        }
        between(
            "ask_timeout_s",
            self.ask_timeout_s.into(),
            10,
            ASK_TIMEOUT_MAX_S.into(),
        )?;
        if let Some(minor) = self.attention_minor {
            between("attention_minor", minor, 0, ATTENTION_MAX_MINOR)?;
        }
        self.ageing.check()?;
        self.check_offers()?;
        for (n, rule) in self.authority.iter().enumerate() {
            let path = format!("authority[{n}]");
            between(&format!("{path}.quita_pct"), rule.quita_pct.into(), 0, 95)?;
            let most = i64::from(INSTALMENTS_MAX);
            between(
                &format!("{path}.instalments"),
                rule.instalments.into(),
                0,
                most,
            )?;
        }
        for (n, rule) in self.promises.iter().enumerate() {
            let path = format!("promises[{n}]");
            known_buckets(&format!("{path}.buckets"), &rule.buckets, &self.ageing)?;
            between(&format!("{path}.min_pct"), rule.min_pct.into(), 0, 100)?;
            between(&format!("{path}.max_days"), rule.max_days.into(), 0, 30)?;
        }
        for (n, rule) in self.stages.iter().enumerate() {
            if self.stages[..n].iter().any(|r| r.stage == rule.stage) {
                return Err(wrong(
                    format!("stages[{n}].stage"),
                    "expected each stage once",
                ));
            }
            for (field, days) in [
                ("max_days", rule.max_days),
                ("statute_days", rule.statute_days),
            ] {
                between(&format!("stages[{n}].{field}"), days, 0, 3_650)?;
            }
        }
        Ok(())
    }

    fn check_offers(&self) -> Result<(), TermsWrong> {
        for (n, rule) in self.offers.iter().enumerate() {
            let path = format!("offers[{n}]");
            if rule.key.trim().is_empty() || self.offers[..n].iter().any(|r| r.key == rule.key) {
                return Err(wrong(
                    format!("{path}.key"),
                    "expected a name that is not taken",
                ));
            }
            for (field, text) in [("name_es", &rule.name_es), ("name_en", &rule.name_en)] {
                let long = text.trim().is_empty() || text.chars().count() > 80;
                if long {
                    return Err(wrong(
                        format!("{path}.{field}"),
                        "expected 1 to 80 characters",
                    ));
                }
            }
            known_buckets(&format!("{path}.buckets"), &rule.buckets, &self.ageing)?;
            rule.conditions.check(&format!("{path}.conditions"))?;
        }
        Ok(())
    }

    /// The same terms with those offers alone that a campaign makes ([`crate::entity::CampaignParams::offer_policy`]);
    /// a key that they have no more is nobody's.
    #[must_use]
    pub fn made_by(mut self, policy: Option<&[String]>) -> Self {
        if let Some(keys) = policy {
            self.offers.retain(|rule| keys.contains(&rule.key));
        }
        self
    }

    /// How far a role may go; nothing when the terms do not name it.
    #[must_use]
    pub fn authority_of(&self, role: Role) -> Option<Authority> {
        self.authority.iter().copied().find(|a| a.role == role)
    }

    /// Whether a role may agree to conditions alone.
    #[must_use]
    pub fn may(&self, role: Role, conditions: &Conditions) -> bool {
        self.authority_of(role).is_some_and(|a| {
            conditions.off_bp() <= i64::from(a.quita_pct) * 100
                && conditions.instalments <= a.instalments
        })
    }

    /// The least of supervisor and manager who may agree; nobody when it is beyond all of them.
    #[must_use]
    pub fn who_may(&self, conditions: &Conditions) -> Option<Role> {
        [Role::Supervisor, Role::Manager, Role::Admin]
            .into_iter()
            .find(|role| self.may(*role, conditions))
    }

    /// The offers of a debt that the role may make alone, at most [`OFFERS_SHOWN`].
    #[must_use]
    pub fn offers_for(
        &self,
        days_past_due: i64,
        balance_minor: i64,
        role: Role,
    ) -> Vec<&OfferRule> {
        let bucket = self.ageing.of(days_past_due).to_string();
        self.offers
            .iter()
            .filter(|r| r.buckets.is_empty() || r.buckets.contains(&bucket))
            .filter(|r| balance_minor >= r.min_minor)
            .filter(|r| r.max_minor.is_none_or(|max| balance_minor <= max))
            .filter(|r| self.may(role, &r.conditions))
            .filter(|r| draw(&r.conditions, balance_minor, Date::MIN).is_some())
            .take(OFFERS_SHOWN)
            .collect()
    }

    /// Rules for a promise of a debt of this age by this role; the first whose segment the debtor is in holds.
    pub fn promise_rules(
        &self,
        days_past_due: i64,
        role: Role,
    ) -> impl Iterator<Item = &PromiseRule> {
        let bucket = self.ageing.of(days_past_due).to_string();
        self.promises
            .iter()
            .filter(move |r| r.buckets.is_empty() || r.buckets.contains(&bucket))
            .filter(move |r| r.roles.is_empty() || r.roles.contains(&role))
    }

    /// The attention threshold in minor units of a currency that has so many digits of them.
    #[must_use]
    pub fn attention(&self, digits: u32) -> i64 {
        let house = || ATTENTION.saturating_mul(10_i64.saturating_pow(digits));
        self.attention_minor.unwrap_or_else(house)
    }

    /// The rule of a stage.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Option<&StageRule> {
        self.stages.iter().find(|r| r.stage == stage)
    }
}
