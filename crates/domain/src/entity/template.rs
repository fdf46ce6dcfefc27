//! CampaignTemplate: settings that new campaigns begin with.

use super::CampaignParams;
use crate::ids::{CampaignTemplateId, ClientId, UserId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// Settings by a name. What belongs to one campaign alone (segments of the mix, caller ids) is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignTemplate {
    /// Identity.
    pub id: CampaignTemplateId,
    /// Whose campaigns may begin with it; `None` = any client's.
    pub client_id: Option<ClientId>,
    /// Name.
    pub name: String,
    /// What it is for.
    pub note: String,
    /// Parameters.
    pub params: CampaignParams,
    /// Who wrote it.
    pub made_by: Option<UserId>,
    /// Written at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
