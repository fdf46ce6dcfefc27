//! The loop of the signalling thread and what it owns.

use super::again::Tries;
use super::fault::{Begun, Whose};
use super::legs::{LegRow, Legs, Over};
use super::order::Order;
use super::orphans::{LegBook, Orphan, Orphans};
use super::outbox::{Batch, Outbox};
use super::route::Route;
use super::toll::TollGuard;
use super::trail::Trails;
use super::trunks::Found;
use crate::config::{SipTransport, TrunkConfig, VoiceConfig};
use crate::faults::Faults;
use crate::net::{Inbound, Input, Net, System, is_line};
use crate::plane::{Event as MediaEvent, LegId, Plane, Prompts, Tones};
use crate::recorder::{self, Writer, WriterLine};
use crate::wall::{Wall, ms};
use crate::webrtc::Front;
use crate::{VoiceError, limits};
use domain::ids::{AgentId, AttemptId, TrunkId};
use domain::time::UtcMs;
use media::cpa::prints::Known;
use sip::header::Algorithm;
use sip::msg::Uri;
use sip::ua::{Auth, Config, PingKey, Received, RegKey, RegistrarRules, Secret};
use sip::{Endpoint, Millis, SeededIds};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How often pings, look-ups and slow deadlines are looked at; nothing of a call waits for it.
const HOUSEKEEPING: Duration = Duration::from_millis(250);
/// How often what a busy thread did not take is tried again.
const RETRY: Duration = Duration::from_millis(limits::FRAME_MS);
/// How far apart the endpoint's timers are looked at: what is due together shares a wake-up, and no
/// timer of SIP minds.
const TIMERS: Duration = Duration::from_millis(50);
/// Orders taken before anything else is looked at.
const ORDERS: usize = 256;
/// The same of what comes from the network: as long as they take, the first one's report waits.
const ARRIVALS: usize = 32;
/// Names being looked up at once; more wait for the next round.
const LOOK_UPS: usize = 64;

/// What the thread listens to.
pub(super) struct Ears {
    inbound: mpsc::Receiver<Inbound>,
    pub(super) media: mpsc::Receiver<MediaEvent>,
    found: mpsc::Receiver<Found>,
}

/// Everything the thread owns.
pub(super) struct Engine {
    pub(super) config: VoiceConfig,
    pub(super) endpoint: Endpoint,
    pub(super) net: Net,
    pub(super) plane: Plane,
    pub(super) prompts: Prompts,
    pub(super) tones: Tones,
    pub(super) writer: Option<(Writer, WriterLine)>,
    pub(super) outbox: Outbox,
    pub(super) wall: Wall,
    epoch: Instant,
    /// Instant of what is being handled: the arrival of its bytes.
    pub(super) now: Instant,
    pub(super) legs: Legs,
    pub(super) attempts: HashMap<AttemptId, LegId>,
    pub(super) agents: HashMap<AgentId, LegId>,
    pub(super) routes: BTreeMap<TrunkId, Route>,
    /// What was called on each trunk, of those that are no route now too.
    pub(super) tolls: BTreeMap<TrunkId, TollGuard>,
    pub(super) pings: HashMap<PingKey, TrunkId>,
    pub(super) registrations: HashMap<TrunkId, RegKey>,
    /// Contacts of registered phones, with the address their REGISTER came from.
    pub(super) phones: HashMap<String, Vec<(Uri, SocketAddr)>>,
    pub(super) looking_up: mpsc::Sender<Found>,
    pub(super) names: System,
    /// What was tried for calls that were placed anew.
    pub(super) tries: HashMap<LegId, Tries>,
    /// Where the INVITE of each call of ours went.
    pub(super) placed: HashMap<LegId, SocketAddr>,
    /// Address of ours in SIP and in SDP.
    pub(super) sip_addr: SocketAddr,
    pub(super) media_ip: IpAddr,
    pub(super) farewell: Option<Farewell>,
    pub(super) trails: Trails,
    /// Recordings that are a machine for sure, by trunk.
    pub(super) known: HashMap<TrunkId, Arc<Known>>,
    pub(super) book: LegBook,
    /// Legs of processes that are gone.
    pub(super) orphans: Orphans,
    pub(super) faults: Faults,
    /// What has no row yet.
    pub(super) begun: Begun,
    /// When the endpoint's timers were looked at last.
    ticked: Instant,
}

/// A shutdown under way.
pub(super) struct Farewell {
    pub(super) until: Instant,
    pub(super) waiting: Vec<oneshot::Sender<()>>,
}

impl Engine {
    /// Opens the sockets and starts the other threads.
    pub(super) async fn open(
        config: VoiceConfig,
        front: Option<Arc<Front>>,
        line: mpsc::Sender<Batch>,
    ) -> Result<(Self, Ears), VoiceError> {
        let (book, left) = LegBook::open(config.legs_file.as_deref(), config.clock.now())?;
        let prompts = Prompts::load(config.prompts_dir.as_deref())?;
        let (net, inbound) =
            Net::open(&config.sip_bind, config.tls.as_ref(), config.allow.clone()).await?;
        let (happened, media) = mpsc::channel(limits::MEDIA_EVENT_QUEUE);
        let (looking_up, found) = mpsc::channel(LOOK_UPS);
        let writer = start_writer(&config, happened.clone())?;
        let tones = Tones::new();
        let wall = Wall::new(config.clock.clone());
        let tell = move |event| happened.try_send(event).or_else(give_back);
        let at = (config.media_bind, config.media_ports.clone());
        let plane = Plane::start(config.media_threads, at, &tones, &wall, front, tell)?;
        let now = Instant::now();
        let settings = settings(&config, net.addrs());
        let sip_addr = settings
            .local
            .udp
            .unwrap_or(SocketAddr::new(reached_at(&config, config.media_bind), 0));
        let route = |trunk: &TrunkConfig| (trunk.id, Route::new(trunk.clone(), now));
        let mut endpoint = Endpoint::new(settings, Box::new(SeededIds::new(rand::random())));
        endpoint.hear(net.hears());
        let mut engine = Self {
            endpoint,
            net,
            plane,
            prompts,
            tones,
            writer: Some(writer),
            outbox: Outbox::new(line),
            wall,
            epoch: now,
            now,
            legs: Legs::default(),
            attempts: HashMap::new(),
            agents: HashMap::new(),
            routes: config.trunks.iter().map(route).collect(),
            tolls: BTreeMap::new(),
            pings: HashMap::new(),
            registrations: HashMap::new(),
            phones: HashMap::new(),
            looking_up,
            names: System::open(&config.name_servers),
            tries: HashMap::new(),
            placed: HashMap::new(),
            sip_addr,
            media_ip: reached_at(&config, config.media_bind),
            farewell: None,
            trails: Trails::default(),
            known: HashMap::new(),
            book,
            orphans: Orphans::of(left),
            faults: Faults::default(),
            begun: Begun::default(),
            ticked: now,
            config,
        };
        engine.befriend();
        let ears = Ears {
            inbound,
            media,
            found,
        };
        Ok((engine, ears))
    }

    /// Works until it is told to end, or nobody is left to order or to listen.
    pub(super) async fn run(mut self, mut ears: Ears, mut inbox: mpsc::Receiver<Order>) {
        let mut tick = tokio::time::interval(HOUSEKEEPING);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // One timer, set anew only where the deadline is another one.
        let timer = tokio::time::sleep(HOUSEKEEPING);
        tokio::pin!(timer);
        let mut armed: Option<Instant> = None;
        while !self.may_end() {
            let deadline = self.endpoint.next_deadline();
            let deadline = deadline.map(|at| self.epoch + Duration::from_millis(at.0));
            let deadline = deadline.map(|at| at.max(self.ticked + TIMERS));
            if let Some(at) = deadline.filter(|at| armed != Some(*at)) {
                timer.as_mut().reset(at.into());
            }
            armed = deadline;
            let waiting = self.plane.behind() || self.outbox.waits();
            tokio::select! {
                Some(inbound) = ears.inbound.recv() => self.arrivals(inbound, &mut ears.inbound),
                Some(event) = ears.media.recv() => self.happenings(event, &mut ears.media),
                order = inbox.recv(), if self.farewell.is_none() => match order {
                    Some(order) => self.orders(order, &mut inbox),
                    None => self.safely(Whose::Nobody, |engine| engine.say_farewell(None)),
                },
                Some(found) = ears.found.recv() => self.safely(Whose::Nobody, |engine| engine.found(found)),
                () = &mut timer, if armed.is_some() => armed = None,
                _ = tick.tick() => self.safely(Whose::Nobody, Self::housekeeping),
                () = tokio::time::sleep(RETRY), if waiting => self.safely(Whose::Nobody, Self::retry),
            }
            self.safely(Whose::Nobody, Self::settle);
            self.outbox.post();
        }
        self.finish(ears).await;
    }

    /// What has come meanwhile goes with the first.
    fn arrivals(&mut self, first: Inbound, more: &mut mpsc::Receiver<Inbound>) {
        self.safely(Whose::input(&first.input), |engine| engine.take(first));
        for _ in 1..ARRIVALS {
            let Ok(inbound) = more.try_recv() else { return };
            self.safely(Whose::Nobody, Self::settle);
            self.safely(Whose::input(&inbound.input), |engine| engine.take(inbound));
        }
    }

    /// The same of what the media threads tell.
    fn happenings(&mut self, first: MediaEvent, more: &mut mpsc::Receiver<MediaEvent>) {
        self.safely(Whose::media(&first), |engine| engine.media_event(first));
        for _ in 1..ARRIVALS {
            let Ok(event) = more.try_recv() else { return };
            self.safely(Whose::Nobody, Self::settle);
            self.safely(Whose::media(&event), |engine| engine.media_event(event));
        }
    }

    /// Orders that wait go together: a floor's calls are withdrawn before what comes of the first is read.
    fn orders(&mut self, first: Order, inbox: &mut mpsc::Receiver<Order>) {
        self.safely(Whose::order(&first), |engine| engine.order(first));
        for _ in 1..ORDERS {
            // Behind a farewell nothing is taken any more.
            if self.farewell.is_some() {
                return;
            }
            let Ok(order) = inbox.try_recv() else {
                return;
            };
            self.safely(Whose::Nobody, Self::settle);
            self.safely(Whose::order(&order), |engine| engine.order(order));
        }
    }

    /// The endpoint's time of what is being handled.
    pub(super) fn millis(&self) -> Millis {
        let since = ms(self.now.saturating_duration_since(self.epoch));
        Millis(since.cast_unsigned())
    }

    /// The node's time of what is being handled.
    pub(super) fn stamp(&self) -> UtcMs {
        self.wall.at(self.now)
    }

    /// Sets the instant; it never goes back, whatever order things are read in.
    pub(super) fn at(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    fn take(&mut self, inbound: Inbound) {
        self.at(inbound.at);
        let now = self.millis();
        let source = inbound.source;
        match inbound.input {
            Input::Bytes(bytes) => {
                let (wall, at) = (&self.wall, self.now);
                self.trails.seen(false, &bytes, || wall.at(at));
                let kept = self.endpoint.receive(now, source, &bytes);
                if let (Received::Close, Some(conn)) = (kept, source.conn) {
                    self.net.close(conn);
                    if is_line(conn) {
                        self.endpoint.connection_cut(now, conn);
                    } else {
                        self.endpoint.connection_closed(now, conn);
                    }
                } else if let Some(conn) = source.conn {
                    self.net.spoke(&source, self.endpoint.messages_on(conn));
                }
            }
            Input::Opened => self.reached(&source, true),
            // A line stays what it is, whichever connection it is led by next.
            Input::Closed | Input::Failed if source.conn.is_some_and(is_line) => {
                let Some(line) = source.conn else { return };
                match inbound.input {
                    Input::Failed => {
                        self.reached(&source, false);
                        self.endpoint.connection_failed(now, line);
                    }
                    _ => self.endpoint.connection_cut(now, line),
                }
            }
            Input::Closed | Input::Failed => {
                if let Some(conn) = source.conn {
                    self.endpoint.connection_closed(now, conn);
                }
                if matches!(inbound.input, Input::Failed) {
                    self.reached(&source, false);
                    self.endpoint
                        .transport_failed(now, source.proto, source.remote);
                } else {
                    self.endpoint
                        .stream_closed(now, source.proto, source.remote);
                }
            }
        }
    }

    /// Lets the endpoint say and send what it has, at once.
    pub(super) fn settle(&mut self) {
        loop {
            while let Some(transmit) = self.endpoint.poll_transmit() {
                let wall = &self.wall;
                self.trails.seen(true, &transmit.bytes, || wall.now());
                self.net.send(transmit);
            }
            if let Some(event) = self.endpoint.poll_event() {
                self.safely(Whose::event(&event), |engine| engine.sip_event(event));
                continue;
            }
            let now = Instant::now();
            let due = Millis(ms(now.saturating_duration_since(self.epoch)).cast_unsigned());
            if self.endpoint.next_deadline().is_none_or(|at| at > due) {
                return;
            }
            self.at(now);
            self.ticked = now;
            self.endpoint.on_timer(due);
        }
    }

    /// The call of a leg is up: should we die, the next process can end it.
    pub(super) fn leg_up(&mut self, leg: LegId) {
        if self.book.is_kept()
            && let Some(key) = self.live(leg).and_then(|row| row.key)
            && let Some((target, bye)) = self.endpoint.bye_in_advance(key)
        {
            let orphan = Orphan {
                target,
                bye,
                trunk: self.legs.get(leg).and_then(LegRow::trunk),
                since: None,
            };
            self.book.up(leg, orphan);
        }
    }

    fn retry(&mut self) {
        self.plane.retry();
        self.outbox.post();
    }

    /// The call of a leg is over: its media ends and gives its counts.
    pub(super) fn over(&mut self, leg: LegId, over: Over) {
        let Some(row) = self.legs.get_mut(leg) else {
            return;
        };
        if row.end.replace(over).is_some() {
            return;
        }
        let trunk = row.trunk();
        // Each by itself: whatever breaks here, the line is given back and the end comes to be told.
        self.safely(Whose::Nobody, |engine| {
            if let Some(toll) = trunk.and_then(|id| engine.tolls.get_mut(&id)) {
                toll.meter.over(leg, over.at);
            }
        });
        self.safely(Whose::Nobody, |engine| {
            engine.book.down(leg);
            engine.forget_tries(leg);
        });
        self.safely(Whose::Nobody, |engine| engine.leg_over(leg, &over));
        self.safely(Whose::Leg(leg), |engine| {
            engine
                .plane
                .order(crate::plane::Order::Remove(leg, over.at));
        });
    }

    pub(super) fn live(&self, leg: LegId) -> Option<&LegRow> {
        self.legs.get(leg).filter(|row| row.end.is_none())
    }
}

/// Starts the threads of the recorder; what they tell comes with what the media threads tell.
fn start_writer(
    config: &VoiceConfig,
    told: mpsc::Sender<MediaEvent>,
) -> Result<(Writer, WriterLine), VoiceError> {
    let keys = config.recording_keys.clone();
    let shelf = recorder::shelf(config.recordings_dir.clone(), keys);
    Writer::start(shelf, move |event| {
        let _ = told.blocking_send(MediaEvent::Recorder(event));
    })
}

fn give_back(error: mpsc::error::TrySendError<MediaEvent>) -> Result<(), MediaEvent> {
    match error {
        mpsc::error::TrySendError::Full(event) => Err(event),
        // The signalling thread is gone: nobody is left to tell.
        mpsc::error::TrySendError::Closed(_) => Ok(()),
    }
}

fn settings(config: &VoiceConfig, bound: &[(SipTransport, SocketAddr)]) -> Config {
    let reached = |transport| {
        let found = bound.iter().find(|(t, _)| *t == transport);
        found.map(|(_, addr)| SocketAddr::new(reached_at(config, addr.ip()), addr.port()))
    };
    let udp = reached(SipTransport::Udp);
    let mut settings = Config::new(udp.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0))));
    settings.user_agent = concat!("Marcador/", env!("CARGO_PKG_VERSION")).to_owned();
    settings.local.udp = udp;
    settings.local.tcp = reached(SipTransport::Tcp);
    // A trunk is reached by TLS without listening for it: what it sends comes over our connection.
    let unheard = udp.map(|addr| SocketAddr::new(addr.ip(), limits::SIPS_PORT));
    settings.local.tls = reached(SipTransport::Tls).or(unheard);
    settings.session_expires_s = limits::SESSION_S;
    let phones = config.phones.clone();
    let mut algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
    if config.md5_first {
        algorithms.reverse();
    }
    if config.md5_only {
        algorithms = vec![Algorithm::Md5];
    }
    settings.auth = Some(Auth {
        realm: config.realm.clone(),
        nonce_key: rand::random(),
        algorithms,
        passwords: Arc::new(move |user: &str| phones.password(user).map(Secret::Password)),
    });
    let (least, most) = limits::REGISTRATION_S;
    settings.registrar = Some(RegistrarRules {
        min_expires_s: least,
        max_expires_s: most,
        default_expires_s: limits::REGISTRATION_DEFAULT_S,
    });
    settings
}

/// Address at which others reach a socket bound to `bound`.
pub(crate) fn reached_at(config: &VoiceConfig, bound: IpAddr) -> IpAddr {
    if let Some(external) = config.external_address {
        return external;
    }
    if !bound.is_unspecified() {
        return bound;
    }
    // No packet leaves: the system only chooses the address it would send from (RFC 5737 net).
    let probe = || {
        let socket = std::net::UdpSocket::bind((bound, 0))?;
        match bound {
            IpAddr::V4(_) => socket.connect(("192.0.2.1", 9))?,
            IpAddr::V6(_) => socket.connect(("2001:db8::1", 9))?,
        }
        socket.local_addr()
    };
    let fallback = match bound {
        IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    probe().map_or(fallback, |addr: SocketAddr| addr.ip())
}
