//! What the law asks of a conversation, as a card shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Duties of the conversation; the strictest of the debtor's packs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardDuties {
    /// Facts to be said at the first contact, in order.
    pub must_say: Vec<String>,
    /// No conversation has carried the facts yet: the result of one names them in `told_facts`.
    pub first_contact: bool,
    /// Codes, with their leaves, that are saved without the facts.
    pub without_facts: Vec<String>,
    /// Questions never asked.
    pub forbidden_questions: Vec<String>,
    /// Codes whose leaves tell what may not be asked.
    pub hidden_leaves: Vec<String>,
    /// Days within which a notice follows the first contact.
    pub notice_within_days: Option<u16>,
    /// Whether the collector may receive money.
    pub may_receive_money: bool,
    /// Whether an agreement must be in writing.
    pub written_agreement: bool,
    /// Whether the debtor is told of the recording.
    pub announce_recording: bool,
    /// Whether all parties must agree to the recording.
    pub all_party_consent: bool,
    /// What a third party may hear, by pack.
    pub third_party: Vec<String>,
    /// Whether voicemail is forbidden.
    pub no_voicemail: bool,
    /// Whether a message on a mailbox may hold nothing but `voicemail_must`.
    pub voicemail_limited: bool,
    /// What a message on a mailbox has to tell.
    pub voicemail_must: Vec<String>,
}
