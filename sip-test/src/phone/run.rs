//! The phone's loop.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use media::speech::AGENT_HZ;
use sip::header::{NameAddr, Reason};
use sip::sdp::{LocalMedia, read_answer};
use sip::ua::{CallKey, Event, Incoming, Login, RegKey, RegisterOrder, RegistrationState};
use sip::{Millis, Target};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::{Command, PhoneConfig, PhoneState, Speaking};
use crate::plane::{Hearing, LegHandle, Plane, Voice};
use crate::{Driver, Ports, SipTestError};

/// Wait after a registration failed, ms; a server that is just starting is there soon.
const RETRY_MS: u64 = 2_000;
/// How often the phone listens whether somebody speaks to it.
const LISTEN: Duration = Duration::from_millis(200);
/// It goes on speaking for so long after somebody was last heard, ms.
const ANSWER_MS: u64 = 3_000;
/// Longest wait for the farewells.
const FAREWELL: Duration = Duration::from_millis(900);
/// Amplitude of the voice, 0 to 1, at each frequency.
const AMPLITUDE: f64 = 0.22;

struct Call {
    key: CallKey,
    local: LocalMedia,
    leg: LegHandle,
    up: bool,
    speaks: bool,
}

pub(super) struct Line {
    config: PhoneConfig,
    driver: Driver,
    plane: Plane,
    ports: Ports,
    hearing: Hearing,
    registration: RegKey,
    retry_at: Option<Millis>,
    call: Option<Call>,
    told: bool,
    session: u64,
    state: PhoneState,
    report: watch::Sender<PhoneState>,
}

impl Line {
    pub(super) async fn open(
        config: PhoneConfig,
        plane: Plane,
        hearing: Hearing,
        report: watch::Sender<PhoneState>,
    ) -> Result<Self, SipTestError> {
        let order = order(&config)?;
        let user = config.user.clone();
        let mut driver = Driver::bind(config.bind, false, plane.clock(), |sip| {
            sip.contact_user = user
        })
        .await?;
        let now = driver.now();
        let registration = driver.endpoint().register(now, order)?;
        let (first, last) = config.rtp_ports.unwrap_or((0, 0));
        Ok(Self {
            ports: Ports::new(driver.local().ip(), first, last),
            config,
            driver,
            plane,
            hearing,
            registration,
            retry_at: None,
            call: None,
            told: false,
            session: 0,
            state: PhoneState::default(),
            report,
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.driver.local()
    }

    pub(super) async fn work(mut self, mut commands: mpsc::Receiver<Command>) -> PhoneState {
        let mut listen = tokio::time::interval(LISTEN);
        listen.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.driver.next() => self.event(event),
                command = commands.recv() => match command {
                    None | Some(Command::Stop) => break,
                    Some(command) => self.carry_out(&command),
                },
                _ = listen.tick() => self.tick(),
            }
            self.publish();
        }
        self.close().await
    }

    fn publish(&mut self) {
        self.state.leg_up = self.call.as_ref().is_some_and(|call| call.up);
        self.report.send_if_modified(|old| {
            let changed = *old != self.state;
            *old = self.state;
            changed
        });
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(&incoming),
            Event::Confirmed { call, sdp } => self.confirmed(call, sdp.as_deref()),
            Event::Reinvite { call, sdp, .. } => self.changed(call, sdp.as_deref()),
            Event::Ended { call, .. } if self.call.as_ref().is_some_and(|c| c.key == call) => {
                self.call = None;
            }
            Event::Registration { state, .. } => self.registered(&state),
            _ => {}
        }
    }

    fn registered(&mut self, state: &RegistrationState) {
        match state {
            RegistrationState::Registered { .. } => {
                self.state.registered = true;
                self.state.registrations += 1;
                self.retry_at = None;
            }
            RegistrationState::Failed { .. } => {
                self.state.registered = false;
                self.state.registration_failures += 1;
                self.retry_at = Some(self.driver.now() + RETRY_MS);
            }
            RegistrationState::Unregistered => self.state.registered = false,
        }
    }

    fn incoming(&mut self, incoming: &Incoming) {
        let now = self.driver.now();
        if let Err(code) = self.answer(incoming, now) {
            self.state.refused += 1;
            let _ = self
                .driver
                .endpoint()
                .reject(now, incoming.call, code, None);
        }
    }

    /// Picks up at once; the error is the code to refuse with.
    fn answer(&mut self, incoming: &Incoming, now: Millis) -> Result<(), u16> {
        if incoming.source.remote.ip() != self.config.server.ip() {
            return Err(403);
        }
        let (socket, address) = self.ports.bind().map_err(|_| 503u16)?;
        self.session += 1;
        let local = LocalMedia::new(address, self.session);
        let answer = match &incoming.sdp {
            Some(offer) => Some(sip::sdp::answer(offer, &local).map_err(|_| 488u16)?),
            None => None,
        };
        let leg = self
            .plane
            .add(socket, Voice::Silence, self.hearing.clone())
            .map_err(|_| 503u16)?;
        if let Some(answer) = &answer {
            leg.remote(Some(answer.remote)).map_err(|_| 503u16)?;
        }
        let body = answer.map_or_else(|| sip::sdp::offer(&local), |answer| answer.sdp);
        self.driver
            .endpoint()
            .answer(now, incoming.call, body)
            .map_err(|_| 500u16)?;
        self.state.calls += 1;
        // A line holds one call: a server that was killed and calls again has forgotten the other.
        let fresh = Call {
            key: incoming.call,
            local,
            leg,
            up: false,
            speaks: false,
        };
        if let Some(old) = self.call.replace(fresh) {
            let _ = self.driver.endpoint().hang_up(now, old.key, None);
        }
        Ok(())
    }

    fn confirmed(&mut self, key: CallKey, sdp: Option<&[u8]>) {
        let Some(call) = self.call.as_mut().filter(|call| call.key == key) else {
            return;
        };
        call.up = true;
        if let Some(remote) = sdp.and_then(|sdp| read_answer(sdp, &call.local).ok()) {
            let _ = call.leg.remote(Some(remote));
        }
        self.tick();
    }

    /// A re-INVITE: hold, resume, another address.
    fn changed(&mut self, key: CallKey, offer: Option<&[u8]>) {
        let now = self.driver.now();
        let call = self.call.as_mut().filter(|call| call.key == key);
        let body = call.and_then(|call| {
            call.local.version += 1;
            let Some(offer) = offer else {
                return Some(sip::sdp::offer(&call.local));
            };
            let answer = sip::sdp::answer(offer, &call.local).ok()?;
            let _ = call.leg.remote(Some(answer.remote));
            Some::<Bytes>(answer.sdp)
        });
        let _ = self.driver.endpoint().answer_reinvite(now, key, body);
    }

    fn carry_out(&mut self, command: &Command) {
        let now = self.driver.now();
        match command {
            Command::Speak(on) => {
                self.told = *on;
                self.tick();
            }
            Command::Press(digit) => {
                if let Some(call) = &self.call {
                    let _ = call.leg.press(*digit);
                }
            }
            Command::Renew => {
                let _ = self
                    .driver
                    .endpoint()
                    .register_again(now, self.registration);
            }
            Command::HangUp => {
                if let Some(call) = self.call.take() {
                    let _ =
                        self.driver
                            .endpoint()
                            .hang_up(now, call.key, Some(Reason::q850(16, "")));
                }
            }
            Command::Stop => {}
        }
    }

    fn tick(&mut self) {
        let now = self.driver.now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            let _ = self
                .driver
                .endpoint()
                .register_again(now, self.registration);
        }
        let wished = match self.config.speaking {
            Speaking::WhenTold => self.told,
            Speaking::Always => true,
            Speaking::WhenSpokenTo => {
                let last = self.hearing.heard().last_voice_ms;
                last.is_some_and(|ms| now.since(Millis(ms)) < ANSWER_MS)
            }
        };
        let Some(call) = self.call.as_mut().filter(|call| call.up) else {
            return;
        };
        if wished != call.speaks {
            let voice = match wished {
                true => Voice::person(AGENT_HZ, AMPLITUDE, self.config.seed),
                false => Voice::Silence,
            };
            if call.leg.say(voice).is_ok() {
                call.speaks = wished;
            }
        }
    }

    async fn close(mut self) -> PhoneState {
        let now = self.driver.now();
        if let Some(call) = self.call.take() {
            let _ = self
                .driver
                .endpoint()
                .hang_up(now, call.key, Some(Reason::q850(16, "")));
        }
        let _ = self.driver.endpoint().unregister(now, self.registration);
        let end = Instant::now() + FAREWELL;
        while self.state.registered || self.driver.endpoint().calls() > 0 {
            match tokio::time::timeout_at(end, self.driver.next()).await {
                Ok(event) => self.event(event),
                Err(_) => break,
            }
        }
        self.driver.flush();
        self.state.registered = false;
        self.publish();
        self.state
    }
}

fn order(config: &PhoneConfig) -> Result<RegisterOrder, SipTestError> {
    let domain = config
        .domain
        .clone()
        .unwrap_or_else(|| config.server.to_string());
    let uri = |text: String| text.parse().map_err(|_| SipTestError::Account(text));
    Ok(RegisterOrder {
        registrar: uri(format!("sip:{domain}"))?,
        next_hop: Target::udp(config.server),
        account: NameAddr::new(uri(format!("sip:{}@{domain}", config.user))?),
        contact_user: config.user.clone(),
        expires_s: config.expires_s,
        login: Some(Login::new(&config.user, &config.password)),
    })
}
