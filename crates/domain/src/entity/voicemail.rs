//! VoicemailTemplate: what is left on a mailbox after its beep.

use super::Language;
use crate::ids::{ClientId, UserId, VoicemailId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// A part of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum VoicemailPart {
    /// A recording by its name in the folder of prompts.
    Recorded {
        /// Name without language and ending.
        name: String,
    },
    /// Words for a speech engine; `{company}`, `{number}` and `{person}` stand for what holds at the call.
    Text {
        /// The words.
        text: String,
    },
    /// The number that is shown, digit by digit.
    Number,
}

/// A message for mailboxes. It never says that there is a debt, nor whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoicemailTemplate {
    /// Identity.
    pub id: VoicemailId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Language it is in; debtors of another one get none.
    pub language: Language,
    /// Its parts in order.
    pub parts: Vec<VoicemailPart>,
    /// Who to ask for; part of what a limited message may hold.
    pub person: String,
    /// Who approved this version; only approved messages are left.
    pub approved_by: Option<UserId>,
    /// Counts up by one at each change.
    pub version: i32,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
