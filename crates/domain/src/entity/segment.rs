//! Segment: a named typed filter.

use crate::ids::{ClientId, SegmentId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// A saved filter; `expression` is the text form of `crate::segment::Expr`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Identity.
    pub id: SegmentId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Text form of the expression.
    pub expression: String,
    /// Counts up by one at each change.
    pub version: i32,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
