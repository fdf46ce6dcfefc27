//! What stops every new call while it is closed.

/// Why no new call may start; several may hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// The database is slow or dead.
    Database,
    /// Another process took this node's name.
    Fenced,
    /// The node drains.
    Draining,
    /// Recordings cannot be written.
    Recorder,
    /// No disk is left for recordings.
    Disk,
    /// The telephone side ended by a fault.
    Voice,
}

impl Gate {
    /// Stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Fenced => "fenced",
            Self::Draining => "draining",
            Self::Recorder => "recorder",
            Self::Disk => "disk",
            Self::Voice => "voice",
        }
    }
}
