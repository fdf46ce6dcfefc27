//! What the center is told at its start, and its limits.

use crate::keeping::{Archive, DiskLimits, Retention};
use async_trait::async_trait;
use domain::entity::{PaymentLink, Recording};
use domain::link::{LINK_CHARS, LinkKey, LinkKind};
use domain::ports::Messenger;
use domain::ports::store::StoreError;
use std::sync::Arc;

/// What repairing an open recording found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// SHA-256 of the repaired file, hex.
    pub sha256: String,
    /// Length of the audio.
    pub duration_ms: i64,
    /// Size of the file.
    pub bytes: i64,
    /// Gaps: from, to, reason.
    pub gaps: Vec<(i64, i64, String)>,
}

/// Repairs the file of a recording that a dead process left open.
#[async_trait]
pub trait RecordingRepair: Send + Sync {
    /// Repairs the file of `recording.key`.
    ///
    /// # Errors
    /// A reason without personal data, when nothing playable is there.
    async fn repair(&self, recording: &Recording) -> Result<Repaired, String>;
}

/// Looks after nothing: for nodes without a recorder (simulation, tests).
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRecordings;

#[async_trait]
impl RecordingRepair for NoRecordings {
    async fn repair(&self, _recording: &Recording) -> Result<Repaired, String> {
        Err("this node keeps no recordings".to_owned())
    }
}

/// Where the pages of signed links are, and the key that signs them.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Address of the server as debtors reach it, without a slash at its end.
    pub url: String,
    /// Signs.
    pub key: LinkKey,
}

impl Pages {
    /// The address of a payment link's page.
    #[must_use]
    pub fn payment(&self, link: &PaymentLink) -> String {
        let token = self.key.sign(LinkKind::Payment, link.id.0, link.expires_at);
        format!("{}/p/{token}", self.url)
    }

    /// An address that looks like one and opens nothing.
    #[must_use]
    pub fn sample(&self) -> String {
        format!("{}/p/{:x<LINK_CHARS$}", self.url, "MUESTRA")
    }
}

/// Configuration of a center.
#[derive(Clone)]
pub struct CenterConfig {
    /// Node name; leases and attempts carry it.
    pub node: String,
    /// Company name said in scripts (`{company.name}`).
    pub company: String,
    /// Repairs recordings left open by a dead process.
    pub repair: Arc<dyn RecordingRepair>,
    /// Where recordings are; without one they are only made (simulation, tests).
    pub archive: Option<Arc<dyn Archive>>,
    /// How long recordings stay.
    pub retention: Retention,
    /// When the disk of the recordings is too full.
    pub disk: DiskLimits,
    /// How the names of recordings end.
    pub recording_suffix: &'static str,
    /// Longest pause of a recording, ms: it goes on by itself then (faults.md §4).
    pub recording_pause_ms: i64,
    /// Queue of commands and reports to the engine; when full, commands are refused and reports wait.
    pub engine_queue: usize,
    /// Where the engine and the steps of calls run; without one, where the center is started.
    pub calls: Option<tokio::runtime::Handle>,
    /// Lease on the node in the database, ms.
    pub node_lease_ms: i64,
    /// Lease on a reserved debtor, ms: hopper items older than this less a minute are given back.
    pub contact_lease_ms: i64,
    /// Longest drain, ms (faults.md promise 25).
    pub drain_max_ms: i64,
    /// Least time between two board deltas, ms (screens.md §6: at most 10 a second).
    pub board_tick_ms: i64,
    /// How often campaigns are refilled from their segments, ms.
    pub refill_every_ms: i64,
    /// How often the law is asked whom it lets be called now, for segments, ms; 0: never.
    pub callable_every_ms: i64,
    /// From the start to the first walk along the audit's chains, ms: others begin first.
    pub audit_first_ms: u64,
    /// Whether every campaign marked running in the database is dialed at start.
    pub resume_running: bool,
    /// Whether agents need their phone leg up before calls are routed to them.
    pub require_leg: bool,
    /// Gateways that carry messages; a node without any neither sends nor plans.
    pub messengers: Vec<Arc<dyn Messenger>>,
    /// Pages that links in messages lead to; without them no message holds one.
    pub pages: Option<Pages>,
    /// How often strategies are planned, ms; at most 30 s.
    pub plan_every_ms: u64,
    /// Digit that opts a number out during the safe-harbour message (law.md §5).
    pub opt_out_digit: char,
}

impl CenterConfig {
    /// Defaults for a node of that name.
    #[must_use]
    pub fn new(node: impl Into<String>) -> Self {
        Self {
            node: node.into(),
            company: "Marcador".to_owned(),
            repair: Arc::new(NoRecordings),
            archive: None,
            retention: Retention::default(),
            disk: DiskLimits::default(),
            recording_suffix: "wav",
            recording_pause_ms: 120_000,
            engine_queue: 8_192,
            calls: None,
            node_lease_ms: 15_000,
            contact_lease_ms: 15 * 60_000,
            drain_max_ms: 10 * 60_000,
            board_tick_ms: 100,
            refill_every_ms: 60_000,
            callable_every_ms: 0,
            audit_first_ms: 15_000,
            resume_running: true,
            require_leg: true,
            messengers: Vec::new(),
            pages: None,
            plan_every_ms: 30_000,
            opt_out_digit: '9',
        }
    }
}

/// Why a center could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database refused or is away.
    #[error("start of the center: {0}")]
    Store(#[from] StoreError),
}
