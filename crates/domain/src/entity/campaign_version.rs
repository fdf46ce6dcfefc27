//! CampaignVersion: a campaign's settings as they were published, or wait to be.

use super::CampaignParams;
use crate::ids::{CampaignId, CampaignVersionId, ClientId, ScriptId, SegmentId, UserId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Where a version stands.
    pub enum VersionState {
        /// Written, not in force.
        Draft = "draft",
        /// Was put in force; the newest of them is in force.
        Published = "published",
        /// A draft that was thrown away.
        Dropped = "dropped",
    }
}

/// One version of a campaign's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignVersion {
    /// Identity.
    pub id: CampaignVersionId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Segment that fills it.
    pub segment_id: SegmentId,
    /// Script shown.
    pub script_id: Option<ScriptId>,
    /// Parameters.
    pub params: CampaignParams,
    /// Where it stands.
    pub state: VersionState,
    /// The campaign's version that it became; `None` for a draft.
    pub version: Option<i32>,
    /// The version that was in force when it was drafted; `None` where it never was a draft, and for drafts of older
    /// programs.
    pub based_on: Option<i32>,
    /// The version whose settings it brings back, for a rollback.
    pub restores: Option<i32>,
    /// Why.
    pub note: String,
    /// Who wrote it.
    pub made_by: Option<UserId>,
    /// Written at.
    pub created_at: UtcMs,
    /// Put in force at.
    pub published_at: Option<UtcMs>,
}
