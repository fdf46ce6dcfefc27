//! What the router needs from outside, and the limits of this room.

use crate::auth::{
    ApiSecrets, Caller, Guessers, Hasher, Replaced, SessionCache, Throttle, Tickets, UsedOtps,
};
use crate::error::ApiError;
use crate::http::InFlight;
use crate::ops::HttpFigures;
use center::{CenterHandle, DeskHub};
use domain::event::NewEvent;
use domain::ids::{ClientId, EventId, SessionId};
use domain::ports::{Blob, Bus, Clock, IdSource, Payments, Store, WhatIf};
use domain::time::UtcMs;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, broadcast, watch};
use uuid::Uuid;

/// Longest request body except of imports: 1 MB (faults.md §4, web).
pub const BODY_MAX_BYTES: usize = 1_048_576;
/// Longest time until the head of a reply, ms; a slow body is cut too (faults.md promise 20).
pub const REPLY_MAX_MS: u64 = 30_000;
/// Life of an access token, ms (contract.md §3: ≤ 15 min).
pub const TOKEN_LIFE_MS: i64 = 15 * 60_000;
/// Life of a session family, ms: a shift.
pub const SESSION_LIFE_MS: i64 = 12 * 60 * 60_000;
/// Life of a websocket ticket, ms (contract.md §4).
pub const TICKET_LIFE_MS: i64 = 30_000;
/// Tickets that may be open at once; the oldest goes.
pub const TICKETS_MAX: usize = 4_096;
pub(crate) use domain::event::AUDIT_KIND;
/// Exports and event streams open at once on a node; each holds a connection and reads in pages.
const STREAMS_MAX: usize = 256;
/// Signed-out sessions that may wait to be noticed by their sockets.
const KICKS_QUEUE: usize = 256;
/// Imports at once: each keeps a processor busy, and calls come first.
const IMPORTS_MAX: usize = 2;
/// Files whose beginning is looked at at once: a workbook is held whole meanwhile.
const LOOKS_MAX: usize = 2;

/// A rule pack as `/rulepacks` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct RulePackInfo {
    /// Pack id.
    pub id: String,
    /// Version.
    pub version: String,
    /// ISO 3166 country.
    pub country: String,
    /// SHA-256 of the pack file, hex.
    pub hash: String,
    /// First day in force, `YYYY-MM-DD`.
    pub valid_from: Option<String>,
    /// Last day in force, `YYYY-MM-DD`.
    pub valid_to: Option<String>,
    /// Sections that nothing in the product holds anybody to yet.
    pub unjudged: Vec<String>,
    /// Name with its law.
    pub name: String,
    /// Standing of the text.
    pub status: String,
    /// Countries and subdivisions.
    pub jurisdiction: Vec<String>,
    /// Pack it adds to.
    pub stacks_on: Option<String>,
    /// To be looked at again by, `YYYY-MM-DD`.
    pub review_by: String,
    /// Who signed it.
    pub legal_signoff: Option<String>,
    /// Somebody signed it; shown on every screen that uses the pack when not.
    pub signed: bool,
    /// `review_by` is past.
    pub overdue: bool,
    /// In force today (UTC).
    pub in_force: bool,
    /// Authority's register that numbers, collectors and complaints belong in (`REDECO`).
    pub registered_list: Option<String>,
}

/// Who takes money for us, and where our pages are reached.
#[derive(Clone, Default)]
pub struct MoneyConfig {
    /// The payment provider; none: pages show how the creditor himself is paid.
    pub provider: Option<Arc<dyn Payments>>,
    /// Address of this server as debtors reach it (`https://pagos.example.com`); none: as the request that
    /// made the link came.
    pub public_url: Option<String>,
}

impl std::fmt::Debug for MoneyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let provider = self.provider.as_ref().map_or("none", |p| p.name());
        write!(f, "MoneyConfig({provider}, {:?})", self.public_url)
    }
}

/// Settings of this room.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// TLS is on: cookies get `Secure` and the `__Host-` prefix.
    pub secure_cookies: bool,
    /// Origins (`https://host[:port]`) that may write and open websockets beside the server's own.
    pub origins: Vec<String>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Supervisors, managers and admins need a second factor.
    pub second_factor_required: bool,
    /// This is a demo: shown on every screen.
    pub demo: bool,
    /// Distance of the product's clock from the machine's, ms (demo only); TOTP uses the machine's.
    pub clock_offset_ms: i64,
    /// Times as fast as the wall's clock; 1 but in a compressed demo, whose calls have no audio.
    pub speed: u32,
    /// Secrets.
    pub secrets: ApiSecrets,
    /// Payment pages.
    pub money: MoneyConfig,
    /// Whether the front says what it is in metrics (`/metrics` is open to all who reach the port).
    pub metrics: bool,
}

impl ApiConfig {
    /// Defaults of `serve` behind plain HTTP with those secrets.
    #[must_use]
    pub fn new(secrets: ApiSecrets) -> Self {
        Self {
            secure_cookies: false,
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            second_factor_required: true,
            demo: false,
            clock_offset_ms: 0,
            speed: 1,
            secrets,
            money: MoneyConfig::default(),
            metrics: true,
        }
    }
}

/// Everything from outside.
pub struct ApiParts {
    /// Facts at rest.
    pub store: Arc<dyn Store>,
    /// The engine.
    pub center: CenterHandle,
    /// Agents' screens: the same hub the center writes to.
    pub desk: Arc<DeskHub>,
    /// Recordings.
    pub blob: Arc<dyn Blob>,
    /// Event bus, for `/readyz`.
    pub bus: Arc<dyn Bus>,
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
    /// Identities.
    pub ids: Arc<dyn IdSource>,
    /// Forecasts of campaigns.
    pub what_if: Arc<dyn WhatIf>,
    /// Rule packs in force.
    pub rulepacks: Vec<RulePackInfo>,
    /// Settings.
    pub config: ApiConfig,
}

/// Shared state of every handler; cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Inner>);

/// What `ApiState` shares; its fields are for this room only.
pub struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) center: CenterHandle,
    pub(crate) desk: Arc<DeskHub>,
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) what_if: Arc<dyn WhatIf>,
    pub(crate) rulepacks: Vec<RulePackInfo>,
    pub(crate) config: ApiConfig,
    /// Signs and reads the addresses of pages.
    pub(crate) links: crate::hosted::Links,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
    pub(crate) guessers: Guessers,
    pub(crate) used_otps: UsedOtps,
    pub(crate) sessions: SessionCache,
    /// Refresh tokens that were replaced a moment ago.
    pub(crate) replaced: Replaced,
    pub(crate) tickets: Tickets,
    pub(crate) in_flight: InFlight,
    pub(crate) residents: crate::residents::Residents,
    pub(crate) figures: HttpFigures,
    pub(crate) seats: crate::seat::Seats,
    /// Turns of exports and event streams.
    pub(crate) streams: Arc<Semaphore>,
    /// Turns of imports.
    pub(crate) imports: Arc<Semaphore>,
    /// Files that are worked on.
    pub(crate) import_work: crate::importer::ImportWork,
    /// Turns of looking at the beginning of a file.
    pub(crate) looks: Semaphore,
    /// Ended sessions, for their sockets.
    pub(crate) kicks: broadcast::Sender<SessionId>,
    /// True once the server stops: sockets end with 1001.
    pub(crate) stop: watch::Sender<bool>,
    /// Changes with every start; cursors of another boot are void.
    pub(crate) boot: Uuid,
}

impl std::ops::Deref for ApiState {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl ApiState {
    /// Peers whose `X-Forwarded-For` is believed.
    #[must_use]
    pub fn trusted_proxies(&self) -> &[IpAddr] {
        &self.0.config.trusted_proxies
    }

    /// Puts the parts together; makes the dummy password hash (about 30 ms of CPU).
    ///
    /// # Errors
    /// When the secrets are too short or Argon2 refuses its parameters.
    pub fn new(parts: ApiParts) -> Result<Self, ApiError> {
        parts.config.secrets.check()?;
        let links = crate::hosted::Links::of(&parts.config.secrets);
        let links = links.map_err(|_| ApiError::Secret {
            name: "key of signed links",
            least: domain::link::LINK_KEY_MIN,
        })?;
        let hasher = Hasher::new(parts.config.secrets.pepper.clone())?;
        let boot = parts.ids.next(parts.clock.now());
        let (kicks, _) = broadcast::channel(KICKS_QUEUE);
        Ok(Self(Arc::new(Inner {
            store: parts.center.timed(parts.store),
            center: parts.center,
            desk: parts.desk,
            blob: parts.blob,
            bus: parts.bus,
            clock: parts.clock,
            ids: parts.ids,
            what_if: parts.what_if,
            rulepacks: parts.rulepacks,
            config: parts.config,
            links,
            hasher,
            guessers: Guessers::default(),
            throttle: Throttle::default(),
            used_otps: UsedOtps::default(),
            sessions: SessionCache::default(),
            replaced: Replaced::default(),
            tickets: Tickets::default(),
            in_flight: InFlight::default(),
            residents: crate::residents::Residents::default(),
            figures: HttpFigures::new()?,
            seats: crate::seat::Seats::default(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
            import_work: crate::importer::ImportWork::default(),
            looks: Semaphore::new(LOOKS_MAX),
            kicks,
            stop: watch::Sender::new(false),
            boot,
        })))
    }

    /// Ends every open websocket with close code 1001, and any that still opens: call it when the
    /// server stops.
    pub fn stop_sockets(&self) {
        self.stop.send_replace(true);
    }

    /// The present instant of the product.
    pub(crate) fn now(&self) -> UtcMs {
        self.clock.now()
    }

    /// The machine's own instant in seconds: what authenticator apps count from.
    pub(crate) fn machine_seconds(&self) -> u64 {
        let ms = self.now().0.saturating_sub(self.config.clock_offset_ms);
        u64::try_from(ms / 1_000).unwrap_or(0)
    }

    /// A new identity.
    pub(crate) fn id(&self) -> Uuid {
        self.ids.next(self.now())
    }

    /// The event that tells who wrote what.
    pub(crate) fn audit(
        &self,
        caller: &Caller,
        client_id: Option<ClientId>,
        subject: String,
        action: &str,
    ) -> NewEvent {
        let data = serde_json::json!({ "action": action });
        self.event(caller.actor(), client_id, AUDIT_KIND, subject, data)
    }

    /// The same with the reason that was given, if one was.
    pub(crate) fn audit_why(
        &self,
        caller: &Caller,
        client_id: Option<ClientId>,
        subject: String,
        action: &str,
        why: Option<String>,
    ) -> NewEvent {
        let mut event = self.audit(caller, client_id, subject, action);
        if let Some(why) = why {
            event.data["reason"] = why.into();
        }
        event
    }

    /// An event by `actor`, now.
    pub(crate) fn event(
        &self,
        actor: String,
        client_id: Option<ClientId>,
        kind: &str,
        subject: String,
        data: serde_json::Value,
    ) -> NewEvent {
        NewEvent {
            id: EventId(self.id()),
            at: self.now(),
            client_id,
            actor,
            kind: kind.to_owned(),
            subject,
            data,
        }
    }
}
