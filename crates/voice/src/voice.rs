//! The room's front door: starting it, ordering it about, stopping it.

use crate::config::{SipTransport, TrunkConfig, VoiceConfig};
use crate::engine::{self, Command, Order};
use crate::speech::Speaker;
use crate::webrtc::Front;
use crate::{VoiceError, limits};
use async_trait::async_trait;
use domain::ids::{AgentId, AttemptId, TransferId, TrunkId};
use domain::ports::{
    DialOrder, HangUpCause, LegRef, MonitorMode, PartyOrder, PlayWhat, TakeOrder, Trunk,
    TrunkError, TrunkReport,
};
use media::cpa::prints::{Known, Print};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The running room.
pub struct Voice {
    /// The port; cheap to clone.
    pub trunk: Arc<dyn Trunk>,
    /// What happens. Read it without pause: when it is not read, new calls are refused.
    pub reports: mpsc::Receiver<TrunkReport>,
    /// To look into the room and to stop it.
    pub handle: VoiceHandle,
}

/// Looks into the room and stops it. Cloning gives the same room.
#[derive(Clone)]
pub struct VoiceHandle {
    line: Line,
    addrs: Arc<[(SipTransport, SocketAddr)]>,
}

/// A trunk as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct TrunkStatus {
    /// Identity.
    pub id: TrunkId,
    /// Name for people.
    pub name: String,
    /// Whether it answers.
    pub up: bool,
    /// Most calls at once.
    pub channels: u32,
    /// Calls now, ringing ones too.
    pub in_use: u32,
    /// Most call starts a second.
    pub cps: f64,
    /// Whether our registration there stands; None where none is wanted or nothing is known yet.
    pub registered: Option<bool>,
}

/// Figures of the room now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VoiceStats {
    /// Debtors' calls, ringing ones too.
    pub calls: usize,
    /// Agents' legs, those being set up too.
    pub agent_legs: usize,
    /// Phones registered.
    pub phones: usize,
    /// SIP transactions alive.
    pub transactions: usize,
    /// Datagrams dropped unparsed: flood, too big, strangers in silence.
    pub dropped: u64,
}

/// Talk that counts for the limits of a trunk's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// How long ago it was.
    pub ago: Duration,
    /// How the numbers begin, as far as prices tell them apart.
    pub begins: String,
    /// How much.
    pub talk: Duration,
}

impl Voice {
    /// Opens the sockets and starts the signalling, media and recorder threads.
    ///
    /// # Errors
    /// A value of `config` makes no sense, an address is taken, a prompt cannot be read.
    pub async fn start(config: VoiceConfig) -> Result<Self, VoiceError> {
        config.check()?;
        let (orders, inbox) = mpsc::channel(limits::COMMAND_QUEUE);
        let (reports_tx, reports) = mpsc::channel(limits::REPORT_QUEUE);
        let front = open_front(&config)?;
        let speaker = Arc::new(Speaker::load(config.prompts_dir.as_deref())?);
        let addrs = engine::start(config, front.clone(), inbox, reports_tx).await?;
        let line = Line {
            orders,
            front,
            speaker,
        };
        Ok(Self {
            trunk: Arc::new(line.clone()),
            reports,
            handle: VoiceHandle {
                line,
                addrs: addrs.into(),
            },
        })
    }
}

impl VoiceHandle {
    /// Where SIP is heard on a transport, once bound.
    #[must_use]
    pub fn sip_addr(&self, transport: SipTransport) -> Option<SocketAddr> {
        let mut of_it = self.addrs.iter().filter(|(t, _)| *t == transport);
        of_it.next().map(|(_, addr)| *addr)
    }

    /// Where browsers' media is heard, once bound.
    #[must_use]
    pub fn browsers_addr(&self) -> Option<SocketAddr> {
        let front = self.line.front.as_ref()?;
        front.candidates().first().copied()
    }

    /// Ends every call and leg with a BYE, seals the recordings and stops the threads. Reports of
    /// the ends are sent before the report channel closes.
    pub async fn shutdown(&self) {
        let (done, wait) = oneshot::channel();
        if self.line.orders.send(Order::Shutdown(done)).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Waits until the room has ended, by [`Self::shutdown`] or by a fault.
    pub async fn ended(&self) {
        self.line.orders.closed().await;
    }

    /// Replaces the routes. Calls on a route that is gone go on.
    ///
    /// # Errors
    /// A value makes no sense; nothing is changed then.
    pub async fn set_trunks(&self, trunks: Vec<TrunkConfig>) -> Result<(), VoiceError> {
        for trunk in &trunks {
            trunk.check()?;
        }
        let _ = self.line.orders.send(Order::SetTrunks(trunks)).await;
        Ok(())
    }

    /// What was talked on a trunk besides the calls of this process: it counts for the limits of the trunk's day, instead
    /// of what was told before.
    pub async fn count_spent(&self, trunk: TrunkId, spent: Vec<Spent>) {
        let _ = self.line.orders.send(Order::Spent(trunk, spent)).await;
    }

    /// The routes as they are now; empty after shutdown.
    pub async fn trunks(&self) -> Vec<TrunkStatus> {
        self.line.ask(Order::Trunks).await.unwrap_or_default()
    }

    /// Figures of the room; zeros after shutdown.
    pub async fn stats(&self) -> VoiceStats {
        self.line.ask(Order::Stats).await.unwrap_or_default()
    }
}

/// The way to the signalling thread.
#[derive(Clone)]
struct Line {
    orders: mpsc::Sender<Order>,
    /// The browsers' port.
    front: Option<Arc<Front>>,
    speaker: Arc<Speaker>,
}

/// Opens the browsers' port where one is configured.
fn open_front(config: &VoiceConfig) -> Result<Option<Arc<Front>>, VoiceError> {
    let Some(bind) = config.browsers else {
        return Ok(None);
    };
    let mut reached = vec![engine::reached_at(config, bind.ip())];
    if bind.ip().is_unspecified() && config.external_address.is_none() {
        // A browser on this machine.
        let here = match bind.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        reached.retain(|ip| *ip != here);
        reached.push(here);
    }
    Ok(Some(Arc::new(Front::open(bind, &reached)?)))
}

impl Line {
    async fn order(&self, command: Command) -> Result<(), TrunkError> {
        let (reply, answer) = oneshot::channel();
        self.orders
            .try_send(Order::Call(command, reply))
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => TrunkError::Limit("orders"),
                mpsc::error::TrySendError::Closed(_) => TrunkError::TrunkDown,
            })?;
        answer.await.unwrap_or(Err(TrunkError::TrunkDown))
    }

    /// What ends a call waits where the queue is full, as when a whole floor vanishes: a call that is not ended
    /// rings for nobody.
    async fn end(&self, command: Command) -> Result<(), TrunkError> {
        let done = self.ask(|reply| Order::Call(command, reply)).await;
        done.unwrap_or(Err(TrunkError::TrunkDown))
    }

    /// Answers a browser's offer; reading it is not work for the threads of calls.
    async fn answer(&self, agent: AgentId, offer: String) -> Result<String, TrunkError> {
        let front = self.front.clone().ok_or(TrunkError::NoPhone)?;
        let seat = front.enter().ok_or(TrunkError::Limit("browsers"))?;
        let accepted = tokio::task::spawn_blocking(move || front.accept(&offer, seat)).await;
        let (peer, answer) = match accepted {
            Ok(Ok(accepted)) => accepted,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a browser's offer");
                return Err(TrunkError::BadOffer);
            }
            Err(_) => return Err(TrunkError::BadOffer),
        };
        self.order(Command::OpenBrowser(agent, Box::new(peer)))
            .await?;
        Ok(answer)
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(make(reply)).await.ok()?;
        answer.await.ok()
    }
}

#[async_trait]
impl Trunk for Line {
    async fn dial(&self, order: DialOrder) -> Result<(), TrunkError> {
        self.order(Command::Dial(Box::new(order))).await
    }
    async fn take_incoming(&self, order: TakeOrder) -> Result<(), TrunkError> {
        self.order(Command::Take(Box::new(order))).await
    }
    async fn cancel(&self, attempt: AttemptId) -> Result<(), TrunkError> {
        self.end(Command::Cancel(attempt)).await
    }
    async fn bridge(&self, attempt: AttemptId, agent: AgentId) -> Result<(), TrunkError> {
        self.order(Command::Bridge(attempt, agent)).await
    }
    async fn unbridge(&self, attempt: AttemptId) -> Result<(), TrunkError> {
        self.order(Command::Unbridge(attempt)).await
    }
    async fn know_prints(&self, trunk: TrunkId, prints: Vec<Vec<u8>>) -> Result<(), TrunkError> {
        let prints = prints.iter().filter_map(|p| Print::from_bytes(p)).collect();
        let known = Arc::new(Known::new(prints));
        self.order(Command::Know(trunk, known)).await
    }
    fn is_same_print(&self, one: &[u8], other: &[u8]) -> bool {
        let prints = Print::from_bytes(one).zip(Print::from_bytes(other));
        prints.is_some_and(|(one, other)| one.is_same(&other))
    }
    async fn play(&self, leg: LegRef, what: PlayWhat) -> Result<(), TrunkError> {
        if let PlayWhat::Voicemail { language, parts } = what {
            let said = self.speaker.message(&language, &parts).await;
            let samples = said.map_err(|reason| {
                tracing::warn!(%reason, "message not put together");
                TrunkError::Gone
            })?;
            return self.order(Command::Say(leg, samples)).await;
        }
        self.order(Command::Play(leg, what)).await
    }
    async fn sound_of(&self, client: &str, language: &str, part: &str) -> Option<String> {
        self.speaker.sound_of(client, language, part)
    }
    async fn wav_of(&self, what: PlayWhat) -> Option<Vec<u8>> {
        self.speaker.wav(what).await
    }
    async fn hold(&self, attempt: AttemptId, on: bool) -> Result<(), TrunkError> {
        self.order(Command::Hold(attempt, on)).await
    }
    async fn mute(&self, attempt: AttemptId, on: bool) -> Result<(), TrunkError> {
        self.order(Command::Mute(attempt, on)).await
    }
    async fn record(&self, attempt: AttemptId, on: bool) -> Result<(), TrunkError> {
        self.order(Command::Record(attempt, on)).await
    }
    async fn send_dtmf(&self, attempt: AttemptId, digit: char) -> Result<(), TrunkError> {
        self.order(Command::Dtmf(attempt, digit)).await
    }
    async fn monitor(
        &self,
        attempt: AttemptId,
        supervisor: AgentId,
        mode: Option<MonitorMode>,
    ) -> Result<(), TrunkError> {
        self.order(Command::Monitor(attempt, supervisor, mode))
            .await
    }
    async fn invite_party(&self, order: PartyOrder) -> Result<(), TrunkError> {
        self.order(Command::InviteParty(Box::new(order))).await
    }
    async fn seat_party(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        self.order(Command::SeatParty(attempt, party)).await
    }
    async fn drop_party(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        self.order(Command::DropParty(attempt, party)).await
    }
    async fn answer_transfer(
        &self,
        agent: AgentId,
        code: u16,
        why: &'static str,
    ) -> Result<(), TrunkError> {
        self.order(Command::AnswerTransfer(agent, code, why)).await
    }
    async fn hang_up(&self, attempt: AttemptId, cause: HangUpCause) -> Result<(), TrunkError> {
        self.end(Command::HangUp(attempt, cause)).await
    }
    async fn open_agent_leg(&self, agent: AgentId, sip_user: &str) -> Result<(), TrunkError> {
        self.order(Command::OpenAgent(agent, sip_user.to_owned()))
            .await
    }
    async fn close_agent_leg(&self, agent: AgentId) -> Result<(), TrunkError> {
        self.order(Command::CloseAgent(agent)).await
    }
    async fn open_browser_leg(&self, agent: AgentId, offer: String) -> Result<String, TrunkError> {
        self.answer(agent, offer).await
    }
    async fn phone_registered(&self, sip_user: &str) -> bool {
        let user = sip_user.to_owned();
        let asked = self.ask(|reply| Order::PhoneRegistered(user, reply)).await;
        asked.unwrap_or(false)
    }
}
