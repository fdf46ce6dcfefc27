//! TextTemplate: the versioned source of messages.

use super::{Channel, Language};
use crate::ids::{ClientId, TextTemplateId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Tone of a text.
    pub enum Tone {
        /// Courteous.
        Courteous = "courteous",
        /// Firm.
        Firm = "firm",
        /// Direct and polite.
        Direct = "direct",
    }
}

/// A template of messages: one text for one channel, language and tone under a name. The same name may exist for
/// others; a step of a strategy names it, and the debtor and the stage of his debt decide which is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextTemplate {
    /// Identity, the same over all versions.
    pub id: TextTemplateId,
    /// Owner.
    pub client_id: ClientId,
    /// Name; one a client, channel, language and tone.
    pub name: String,
    /// Channel: `sms`, `whatsapp` or `email`.
    pub channel: Channel,
    /// Language.
    pub language: Language,
    /// Tone.
    pub tone: Tone,
    /// Subject of an e-mail; may hold variables.
    pub subject: String,
    /// Text with variables of `rules::template::VARIABLES`, as `{debtor.name}`.
    pub body: String,
    /// Name of the template that the provider approved (WhatsApp); empty = none.
    pub provider_name: String,
    /// The provider's code of its language, as it was approved (`es_MX`); empty = the plain one of `language`.
    #[serde(default)]
    pub provider_language: String,
    /// Whether it may be used.
    pub active: bool,
    /// Counts up by one at each change; every version is kept.
    pub version: i32,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
