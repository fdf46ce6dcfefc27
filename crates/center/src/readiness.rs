//! Whether dialing can go on.

use serde::Serialize;

/// Whether dialing can go on (for `/readyz`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Readiness {
    /// Whether new calls may start.
    pub dialing: bool,
    /// Why not, stable codes: `database`, `fenced`, `draining`, `recorder`, `disk`, `trunks`.
    pub reasons: Vec<String>,
    /// What will stop it if nobody sees to it: `disk_low`.
    pub warnings: Vec<String>,
}
