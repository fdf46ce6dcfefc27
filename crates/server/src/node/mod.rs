//! A running node: store, bus, voice, center, API and screens wired together. `serve` and `demo` run
//! the same one.

mod calls;
mod dispositions;
mod door;
mod law;
mod phones;
pub(crate) mod recordings;
mod routes;
mod spent;
mod tls;
mod web;

pub(crate) use calls::Calls;
pub(crate) use dispositions::complete as complete_dispositions;
pub(crate) use law::{infos as rule_infos, rule_book};
pub(crate) use web::{listen, serve};

use crate::clock::{NodeClock, RandomIds};
use crate::config::{Config, Database};
use crate::private;
use crate::secrets;
use crate::what_if::Forecaster;
use anyhow::Context as _;
use api::{ApiConfig, ApiParts, ApiState};
use center::view::Figures;
use center::{Center, CenterConfig, CenterHandle, DeskHub, Ports};
use domain::ports::{Bus, Clock, IdSource, Store};
use recordings::Shelves;
use spent::Spending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use voice::{SipTransport, Voice, VoiceConfig, VoiceHandle};

/// From the end of the calls to the last figures.
const SETTLE: Duration = Duration::from_millis(500);
/// Longest wait for open requests at the end.
const HTTP_END: Duration = Duration::from_secs(5);

/// Opens the database and brings it to this version's shape.
///
/// # Errors
/// When it cannot be reached or is of a later version.
pub(crate) async fn open_store(database: &Database) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(open(database).await?))
}

/// The same for a node, with the thread of its calls, which their connections wake.
///
/// # Errors
/// As [`open_store`], and when the system gives no thread.
pub(crate) async fn open_for_calls(database: &Database) -> anyhow::Result<(Calls, Arc<dyn Store>)> {
    let (calls, store) = (Calls::start()?, open(database).await?);
    let rehearsed = store.clone();
    let rehearsal = calls
        .handle()
        .spawn(async move { rehearsed.rehearse().await });
    if let Err(error) = rehearsal.await? {
        tracing::debug!(%error, "the first calls will be slower");
    }
    Ok((calls, Arc::new(store)))
}

async fn open(database: &Database) -> anyhow::Result<store::SqlStore> {
    let url = &database.url;
    // A plain path only: `?mode=` and the like, and `:memory:`, are the database's own business.
    if let Some(file) = url
        .strip_prefix("sqlite://")
        .filter(|f| !f.is_empty() && !f.contains(['?', ':']))
    {
        let file = Path::new(file);
        if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
            private::folder(folder).context("[database] url")?;
        }
        private::reserve(file).context("[database] url")?;
    }
    let store = store::SqlStore::connect_synced(url, database.sync).await?;
    store.migrate().await?;
    Ok(store)
}

/// What differs between the product and the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `serve`.
    Product,
    /// `demo`.
    Demo,
}

/// A node at work.
pub(crate) struct Node {
    /// The engine.
    pub(crate) center: CenterHandle,
    /// Where the screens and the API are.
    pub(crate) http: SocketAddr,
    /// Where SIP over UDP is heard.
    pub(crate) sip: SocketAddr,
    _calls: Calls,
    voice: VoiceHandle,
    phones: JoinHandle<()>,
    spending: JoinHandle<()>,
    web: web::Served,
}

/// What a node starts from.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) kind: Kind,
    pub(crate) store: Arc<dyn Store>,
    /// Where calls are carried.
    pub(crate) calls: Calls,
    pub(crate) clock: Arc<NodeClock>,
    /// The bound address of the screens: taken first, so that a second server on the same port ends
    /// before it touches the database.
    pub(crate) listener: TcpListener,
    /// Longest graceful stop, ms.
    pub(crate) drain_ms: i64,
}

impl Node {
    /// Starts everything. The database must have this version's shape.
    ///
    /// # Errors
    /// When a part cannot be started; the error says which and why.
    pub(crate) async fn start(parts: Parts<'_>) -> anyhow::Result<Self> {
        let Parts {
            config,
            kind,
            store,
            calls,
            clock,
            listener,
            drain_ms,
        } = parts;
        prepare(&*store, config).await?;
        let shelves = Shelves::open(config)?;
        let clock_port: Arc<dyn Clock> = clock.clone();
        let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
        let bus = open_bus(&config.bus.url).await?;
        let book = Arc::new(law::rule_book(&config.law)?);
        let rulepacks = law::infos(&book, clock.now());
        let trunks = routes::trunks(&*store, &*clock, &*ids, &config.trunks).await?;
        let phones = phones::PhoneBook::load(Arc::clone(&store)).await?;
        let spending = Spending::of(&store, &clock_port, &config.node.name, &trunks);
        let voice_config =
            voice_config(config, &shelves, trunks, phones.clone(), clock_port.clone())?;
        let voice = start_voice(&calls, voice_config).await.context("voice")?;
        spending.tell(&voice.handle).await?;
        let sip = voice
            .handle
            .sip_addr(SipTransport::Udp)
            .context("[sip] bind: no udp:// address")?;
        let desk = Arc::new(DeskHub::new());
        let ports = Ports {
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            trunk: voice.trunk,
            reports: voice.reports,
            clock: clock_port.clone(),
            ids: Arc::clone(&ids),
            desk: desk.clone(),
            law: book,
        };
        let mut settings = center_config(config, &shelves, &calls, drain_ms);
        settings.messengers = config.messages.open()?;
        let secrets = secrets::load_or_make(Path::new(&config.auth.secret_file))?;
        settings.pages = pages(config, kind, &secrets, &listener)?;
        let center = Center::start(settings, ports).await?;
        let api = ApiState::new(ApiParts {
            store,
            center: center.clone(),
            desk,
            blob: shelves.played,
            bus,
            clock: clock_port,
            ids,
            what_if: Arc::new(Forecaster::new()),
            rulepacks,
            config: front(config, kind, clock.offset_ms(), secrets)?,
        })?;
        let http = listener.local_addr()?;
        let screens = config.node.roles.iter().any(|r| r == "web");
        let web = web::serve(listener, tls::configure(&config.http)?, api, screens)?;
        Ok(Self {
            center,
            http,
            sip,
            _calls: calls,
            spending: spending.keep_fresh(voice.handle.clone()),
            voice: voice.handle,
            phones: phones.keep_fresh(),
            web,
        })
    }

    /// Waits until calls are over, without new ones, at most the time the node was given.
    pub(crate) async fn drain(&self) {
        self.center.drain().await;
    }

    /// Waits until the telephone side has ended.
    pub(crate) async fn voice_ended(&self) {
        self.voice.ended().await;
    }

    /// Ends everything: calls still up get a BYE, recordings are sealed, sockets closed. Gives the
    /// engine's last figures.
    pub(crate) async fn stop(self) -> Figures {
        // Else the end of the telephone side would be a fault.
        self.center.take_no_calls().await;
        self.voice.shutdown().await;
        // What voice told last is still on its way to the engine.
        tokio::time::sleep(SETTLE).await;
        let figures = self.center.figures().await;
        self.center.shutdown().await;
        self.phones.abort();
        self.spending.abort();
        self.web.end(HTTP_END).await;
        figures
    }
}

/// What must be there before anything else looks for it.
async fn prepare(store: &dyn Store, config: &Config) -> anyhow::Result<()> {
    complete_dispositions(store).await?;
    private::folder(&config.recordings_dir()).context("[recordings] url")
}

/// Where links in messages lead to: the address that the installation is reached at from outside; the demo's own.
pub(crate) fn pages(
    config: &Config,
    kind: Kind,
    secrets: &api::auth::ApiSecrets,
    listener: &TcpListener,
) -> anyhow::Result<Option<center::Pages>> {
    let url = match config.payments.public_url.trim_end_matches('/') {
        "" if kind == Kind::Demo => format!("http://{}", listener.local_addr()?),
        "" => return Ok(None),
        url => url.to_owned(),
    };
    let key = secrets.link_key().context("[auth] secret_file")?;
    Ok(Some(center::Pages { url, key }))
}

/// What it tells is carried to the engine by a task of where it is started: on the thread of the calls.
async fn start_voice(calls: &Calls, config: VoiceConfig) -> anyhow::Result<Voice> {
    Ok(calls.handle().spawn(Voice::start(config)).await??)
}

fn center_config(config: &Config, shelves: &Shelves, calls: &Calls, drain_ms: i64) -> CenterConfig {
    let mut made = CenterConfig::new(&config.node.name);
    made.calls = Some(calls.handle().clone());
    recordings::for_center(&mut made, shelves, &config.recordings);
    made.drain_max_ms = drain_ms;
    made.callable_every_ms = i64::from(config.law.callable_every_s) * domain::time::SECOND_MS;
    made
}

async fn open_bus(url: &str) -> anyhow::Result<Arc<dyn Bus>> {
    if url == "local" {
        return Ok(Arc::new(store::LocalBus::new()));
    }
    Ok(Arc::new(
        store::RedisBus::connect(url).await.context("[bus] url")?,
    ))
}

/// The node's name as part of a file's name.
fn node_file(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

fn sip_certificate(config: &Config) -> anyhow::Result<Option<voice::TlsFiles>> {
    let (cert, key) = (&config.sip.tls_cert, &config.sip.tls_key);
    anyhow::ensure!(
        cert.is_empty() == key.is_empty(),
        "[sip] tls_cert, tls_key: expected both or neither"
    );
    Ok((!cert.is_empty()).then(|| voice::TlsFiles {
        cert: cert.into(),
        key: key.into(),
    }))
}

fn voice_config(
    config: &Config,
    shelves: &Shelves,
    trunks: Vec<voice::TrunkConfig>,
    phones: phones::PhoneBook,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<VoiceConfig> {
    let binds: Result<_, _> = config.sip.bind.iter().map(|b| b.parse()).collect();
    let external = match config.sip.external_address.as_str() {
        "" => None,
        text => Some(
            text.parse()
                .context("[sip] external_address: expected an IP address")?,
        ),
    };
    let folder = Some(config.media.prompts.as_str())
        .filter(|p| !p.is_empty())
        .map(PathBuf::from);
    let legs = format!(".legs-{}", node_file(&config.node.name));
    Ok(VoiceConfig {
        sip_bind: binds.context("[sip] bind")?,
        external_address: external,
        md5_first: config.sip.md5_first,
        md5_only: config.sip.md5_only,
        inbound: voice::Inbound {
            from_anyone: config.sip.inbound_from_anyone,
            queue: true,
            ..voice::Inbound::default()
        },
        tls: sip_certificate(config)?,
        allow: config.sip.heard_from()?,
        name_servers: config.sip.name_servers.clone(),
        sip_transactions: config.limits.sip_transactions,
        media_bind: config
            .media
            .bind
            .parse()
            .context("[media] bind: expected an IP address")?,
        media_ports: config.media_ports()?,
        browsers: config.browsers()?,
        media_threads: config.media.threads,
        calls: config.limits.calls,
        trunks,
        prompts_dir: folder,
        legs_file: Some(config.recordings_dir().join(legs)),
        recording_keys: Some(Arc::clone(&shelves.keys)),
        ..VoiceConfig::loopback(clock, Arc::new(phones), config.recordings_dir())
    })
}

/// The front's settings.
fn front(
    config: &Config,
    kind: Kind,
    clock_offset_ms: i64,
    secrets: api::auth::ApiSecrets,
) -> anyhow::Result<ApiConfig> {
    Ok(ApiConfig {
        secure_cookies: config.http.behind_tls || config.http.tls.is_on(),
        origins: config.http.origins.clone(),
        trusted_proxies: config.http.proxies.clone(),
        second_factor_required: config.auth.second_factor,
        demo: kind == Kind::Demo,
        clock_offset_ms,
        money: config.payments.open()?,
        ..ApiConfig::new(secrets)
    })
}
