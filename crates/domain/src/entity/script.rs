//! Script and Disposition.

use super::{ExcuseKind, Stage};
use crate::ids::{ClientId, ScriptId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// One step of a script. Text may hold variables: `{debtor.name}`, `{agent.name}`, `{client.name}`,
/// `{debt.balance}`, `{debt.overdue}`, `{debt.minimum}`, `{debt.due_date}`, `{debt.product}`, `{company.name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptStep {
    /// Key of the step, unique within the script.
    pub key: String,
    /// Title in Spanish and English.
    pub title_es: String,
    /// English title.
    pub title_en: String,
    /// Text in Spanish.
    pub text_es: String,
    /// Text in English.
    pub text_en: String,
    /// Whether it may be shown before identity is ticked.
    pub before_identity: bool,
}

/// What a debtor may object, and what is answered. The answer may hold the variables of steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// Key of the objection, unique within the script.
    pub key: String,
    /// What he says, in Spanish.
    pub title_es: String,
    /// In English.
    pub title_en: String,
    /// What is answered, in Spanish.
    pub answer_es: String,
    /// In English.
    pub answer_en: String,
    /// Whether it may be shown before identity is ticked: then it tells of no debt.
    #[serde(default)]
    pub before_identity: bool,
    /// Stages of the debt in which it is shown; empty = in all.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Ageing buckets of the debt in which it is shown; empty = in all.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// Excuse that is logged when he says so; `None` = none is.
    #[serde(default)]
    pub excuse: Option<ExcuseKind>,
}

/// What the agent is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Identity.
    pub id: ScriptId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Steps in order.
    pub steps: Vec<ScriptStep>,
    /// Objections with their answers, in order.
    #[serde(default)]
    pub objections: Vec<Objection>,
    /// Counts up by one at each change.
    pub version: i32,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

/// A leaf or level-2 code of the disposition tree (terms.md §4). Key: `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// `CD.PP`, `CI.MT`, or a client's leaf `CD.NP.NOPUEDE`.
    pub code: String,
    /// Label in Spanish.
    pub label_es: String,
    /// Label in English.
    pub label_en: String,
    /// Right-party contact.
    pub rpc: bool,
    /// Leaves the campaign.
    pub is_final: bool,
    /// Next step (`promise_watch`, `retry`, `next_point`, …).
    pub next: String,
    /// House cool-off in hours; 0 = the retry rule or a date decides.
    pub cooloff_h: i32,
    /// Hold it places.
    pub hold: Option<super::HoldKind>,
    /// Fields the agent must give (`promise`, `callback_at`, `note`, `scope`).
    pub required: Vec<String>,
    /// Key on the agent's screen, 1–9, 0 = none.
    pub hotkey: i32,
    /// Whether agents may choose it (system codes: no).
    pub agent_may_set: bool,
}
