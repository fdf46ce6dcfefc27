//! The signalling of the load: registers agents' phones, answers every call at once.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};

use sip::Target;
use sip::header::NameAddr;
use sip::sdp::{Codec, Direction, LocalMedia, read_answer};
use sip::ua::{CallKey, Event, Incoming, Login, RegisterOrder, RegistrationState};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::rtp::{LoadPlane, MAX_LEGS};
use crate::{Clock, Driver, Ports, SipTestError};

/// Commands waiting for the endpoint.
const QUEUE: usize = 16;
/// Registrations started in one go; the rest follows as these are granted.
const AT_ONCE: u32 = 32;
/// Wished life of a registration, seconds: longer than a run.
const REGISTRATION_S: u32 = 3_600;

/// What the load is told.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// SIP address, UDP; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// Where the legs' RTP goes; without one, calls are answered with a port that hears nothing.
    pub plane: Option<LoadPlane>,
}

/// How it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadState {
    /// Phones registered.
    pub registered: u32,
    /// Calls answered so far.
    pub answered: u64,
    /// Calls refused: without usable audio or beyond the legs there are.
    pub refused: u64,
    /// Calls up.
    pub live: u32,
}

enum Command {
    Register {
        server: SocketAddr,
        phones: u32,
        password: String,
    },
}

/// The load at work; dropping it ends it.
#[derive(Debug)]
pub struct LoadPeer {
    address: SocketAddr,
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<LoadState>,
    task: JoinHandle<()>,
}

impl Drop for LoadPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LoadPeer {
    /// SIP address, with the port that was bound.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> LoadState {
        *self.state.borrow()
    }

    /// Registers phones `agent0` to `agent(n-1)` at a server and waits until all are.
    ///
    /// # Errors
    /// [`SipTestError::Gone`] when the load has ended.
    pub async fn register(
        &mut self,
        server: SocketAddr,
        phones: u32,
        password: &str,
    ) -> Result<(), SipTestError> {
        let gone = || SipTestError::Gone("the load");
        let command = Command::Register {
            server,
            phones,
            password: password.to_owned(),
        };
        self.commands.send(command).await.map_err(|_| gone())?;
        self.state
            .wait_for(|s| s.registered >= phones)
            .await
            .map_err(|_| gone())?;
        Ok(())
    }
}

/// Starts the load on the current runtime.
///
/// # Errors
/// [`SipTestError::Bind`], [`SipTestError::NoPort`].
pub async fn start(config: LoadConfig) -> Result<LoadPeer, SipTestError> {
    let driver = Driver::bind(config.bind, false, Clock::start(), |sip| {
        sip.contact_user = "load".to_owned();
    })
    .await?;
    let address = driver.local();
    let ports = Ports::any(address.ip());
    let (deaf, deaf_at) = ports.bind()?;
    let (commands, queue) = mpsc::channel(QUEUE);
    let (report, state) = watch::channel(LoadState::default());
    let peer = Peer {
        driver,
        plane: config.plane,
        ports,
        _deaf: deaf,
        deaf_at,
        calls: HashMap::new(),
        session: 0,
        state: LoadState::default(),
        waiting: None,
    };
    let task = tokio::spawn(peer.work(queue, report));
    Ok(LoadPeer {
        address,
        commands,
        state,
        task,
    })
}

/// Phones still to register.
struct Waiting {
    server: SocketAddr,
    next: u32,
    phones: u32,
    password: String,
}

struct Peer {
    driver: Driver,
    plane: Option<LoadPlane>,
    ports: Ports,
    _deaf: UdpSocket,
    deaf_at: SocketAddr,
    calls: HashMap<CallKey, (u32, LocalMedia)>,
    session: u64,
    state: LoadState,
    waiting: Option<Waiting>,
}

impl Peer {
    async fn work(mut self, mut queue: mpsc::Receiver<Command>, report: watch::Sender<LoadState>) {
        loop {
            tokio::select! {
                event = self.driver.next() => self.event(event),
                command = queue.recv() => match command {
                    Some(Command::Register { server, phones, password }) => {
                        self.waiting = Some(Waiting { server, next: 0, phones, password });
                        (0..AT_ONCE).for_each(|_| self.register_next());
                    }
                    None => return,
                },
            }
            self.state.live = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
            report.send_if_modified(|old| {
                let changed = *old != self.state;
                *old = self.state;
                changed
            });
        }
    }

    fn register_next(&mut self) {
        let Some(waiting) = self.waiting.as_mut().filter(|w| w.next < w.phones) else {
            return;
        };
        let user = format!("agent{}", waiting.next);
        waiting.next += 1;
        let server = waiting.server;
        let (Ok(registrar), Ok(account)) = (
            format!("sip:{server}").parse(),
            format!("sip:{user}@{server}").parse(),
        ) else {
            return;
        };
        let order = RegisterOrder {
            registrar,
            next_hop: Target::udp(server),
            account: NameAddr::new(account),
            contact_user: user.clone(),
            expires_s: REGISTRATION_S,
            login: Some(Login::new(&user, &waiting.password)),
        };
        let now = self.driver.now();
        let _ = self.driver.endpoint().register(now, order);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(&incoming),
            Event::Confirmed {
                call,
                sdp: Some(sdp),
            } => {
                if let Some((leg, local)) = self.calls.get(&call)
                    && let Ok(remote) = read_answer(&sdp, local)
                    && let Some(plane) = &self.plane
                {
                    let _ = plane.remote(*leg, remote.addr);
                }
            }
            Event::Reinvite { call, sdp, .. } => self.changed(call, sdp.as_deref()),
            Event::Ended { call, .. } => {
                if let Some((leg, _)) = self.calls.remove(&call)
                    && let Some(plane) = &self.plane
                {
                    let _ = plane.remove(leg);
                }
            }
            Event::Registration { state, .. } => {
                if matches!(state, RegistrationState::Registered { .. }) {
                    self.state.registered += 1;
                }
                self.register_next();
            }
            _ => {}
        }
    }

    fn incoming(&mut self, incoming: &Incoming) {
        let now = self.driver.now();
        match self.answer(incoming) {
            Ok(()) => self.state.answered += 1,
            Err(code) => {
                self.state.refused += 1;
                let _ = self
                    .driver
                    .endpoint()
                    .reject(now, incoming.call, code, None);
            }
        }
    }

    fn answer(&mut self, incoming: &Incoming) -> Result<(), u16> {
        let now = self.driver.now();
        let user = incoming.request_uri.user_text().unwrap_or_default();
        let leg = leg_of(&user);
        if leg >= MAX_LEGS && self.plane.is_some() {
            return Err(503);
        }
        let socket = match &self.plane {
            Some(_) => Some(self.ports.bind().map_err(|_| 503_u16)?),
            None => None,
        };
        self.session += 1;
        let addr = socket.as_ref().map_or(self.deaf_at, |(_, addr)| *addr);
        let mut local = LocalMedia::new(addr, self.session);
        local.codecs = vec![Codec::Pcma];
        if self.plane.is_none() {
            local.direction = Direction::Inactive;
        }
        let offer = incoming.sdp.as_deref().ok_or(488_u16)?;
        let answer = sip::sdp::answer(offer, &local).map_err(|_| 488_u16)?;
        self.driver
            .endpoint()
            .answer(now, incoming.call, answer.sdp)
            .map_err(|_| 500_u16)?;
        if let (Some(plane), Some((socket, _))) = (&self.plane, socket) {
            let told = plane
                .add(leg, socket)
                .and_then(|()| plane.answered(leg))
                .and_then(|()| plane.remote(leg, answer.remote.addr));
            told.map_err(|_| 503_u16)?;
        }
        self.calls.insert(incoming.call, (leg, local));
        Ok(())
    }

    fn changed(&mut self, key: CallKey, offer: Option<&[u8]>) {
        let now = self.driver.now();
        let body = self.calls.get_mut(&key).and_then(|(leg, local)| {
            local.version += 1;
            let Some(offer) = offer else {
                return Some(sip::sdp::offer(local));
            };
            let answer = sip::sdp::answer(offer, local).ok()?;
            if let Some(plane) = &self.plane {
                let _ = plane.remote(*leg, answer.remote.addr);
            }
            Some(answer.sdp)
        });
        let _ = self.driver.endpoint().answer_reinvite(now, key, body);
    }
}

/// Leg of a called user: `agentN` is the odd one of pair N, a number the even one of the pair its
/// last five digits tell.
fn leg_of(user: &str) -> u32 {
    if let Some(n) = user.strip_prefix("agent").and_then(|n| n.parse().ok()) {
        let n: u32 = n;
        return n.saturating_mul(2).saturating_add(1);
    }
    let tail = user.get(user.len().saturating_sub(5)..).unwrap_or_default();
    tail.parse::<u32>()
        .map_or(u32::MAX, |n| n.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_told_by_the_number() {
        assert_eq!(leg_of("+52155500007"), 14);
        assert_eq!(leg_of("agent7"), 15);
        assert!(leg_of("nobody") >= MAX_LEGS && leg_of("") >= MAX_LEGS);
    }
}
