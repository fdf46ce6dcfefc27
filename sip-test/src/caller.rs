//! People who call back: a call to the server under test, patience until somebody speaks, a talk, and for
//! some the key that asks to be called back.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use media::dtmf::Digit;
use media::speech::DEBTOR_HZ;
use sip::header::{NameAddr, Reason};
use sip::sdp::{LocalMedia, read_answer};
use sip::ua::{CallKey, Event, InviteOrder};
use sip::{Millis, Target};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::plane::{Heard, Hearing, LegHandle, Plane, Voice};
use crate::{Driver, Ports, SipTestError};

/// Calls that wait to be placed; more are refused.
const QUEUE: usize = 64;
/// Most calls at once; more are not placed.
const MAX_CALLS: usize = 200;
/// How often a caller listens whether an agent speaks, and looks at his watch.
const LISTEN: Duration = Duration::from_millis(250);
/// Share of the energy at the agent's frequencies from which an agent speaks: what a queue plays has less.
const AGENT_SHARE: f64 = 0.5;
/// Between two presses: the offer may not have been made yet, ms.
const PRESS_AGAIN_MS: u64 = 5_000;
/// The key that asks to be called back.
const CALL_BACK: char = '1';
/// Amplitude of the voice, 0 to 1, at each frequency.
const AMPLITUDE: f64 = 0.22;
/// Most audio kept of one caller, samples: two minutes.
const MAX_KEPT: usize = 960_000;
/// Longest wait for the farewells.
const FAREWELL: Duration = Duration::from_millis(900);

/// One who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPlan {
    /// His number.
    pub from: String,
    /// The number he calls.
    pub to: String,
    /// How long he waits for an agent, ms.
    pub patience_ms: u64,
    /// How long he talks then, ms.
    pub talk_ms: u64,
    /// From when on he presses the key that asks to be called back, now and then, ms from the answer; never
    /// where none.
    pub asks_back_ms: Option<u64>,
}

/// What callers did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallersState {
    /// Calls placed.
    pub placed: u64,
    /// Answered by the server.
    pub answered: u64,
    /// An agent was heard.
    pub talked: u64,
    /// Hung up before any agent.
    pub gave_up: u64,
    /// Not taken: refused by the server, or beyond a limit here.
    pub refused: u64,
    /// Up or ringing now.
    pub live: usize,
}

/// What callers heard, by their numbers: 8 kHz, as it came.
type Ears = Arc<Mutex<BTreeMap<String, Vec<i16>>>>;

fn lock(ears: &Ears) -> MutexGuard<'_, BTreeMap<String, Vec<i16>>> {
    ears.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Callers at work; dropping the handle ends them.
#[derive(Debug)]
pub struct Callers {
    plans: mpsc::Sender<CallPlan>,
    state: watch::Receiver<CallersState>,
    ears: Option<Ears>,
    task: JoinHandle<CallersState>,
}

impl Callers {
    /// Opens the sockets of people who call `server`; nobody calls yet.
    ///
    /// # Errors
    /// [`SipTestError::Bind`], [`SipTestError::Plane`].
    pub async fn start(server: SocketAddr, bind: SocketAddr) -> Result<Self, SipTestError> {
        Self::open(server, bind, None).await
    }

    /// The same, and what each of them hears is kept, at most two minutes of it, for [`Callers::heard`].
    ///
    /// # Errors
    /// As [`Callers::start`].
    pub async fn keeping(server: SocketAddr, bind: SocketAddr) -> Result<Self, SipTestError> {
        Self::open(server, bind, Some(Ears::default())).await
    }

    async fn open(
        server: SocketAddr,
        bind: SocketAddr,
        ears: Option<Ears>,
    ) -> Result<Self, SipTestError> {
        let plane = Plane::shared()?;
        let driver = Driver::bind(bind, false, plane.clock(), |sip| {
            sip.contact_user = "caller".to_owned();
        })
        .await?;
        let (plans, queue) = mpsc::channel(QUEUE);
        let (report, state) = watch::channel(CallersState::default());
        let crowd = Crowd {
            server,
            ports: Ports::any(driver.local().ip()),
            driver,
            plane,
            calls: HashMap::new(),
            session: 0,
            state: CallersState::default(),
            report,
            ears: ears.clone(),
        };
        Ok(Self {
            plans,
            state,
            ears,
            task: tokio::spawn(crowd.work(queue)),
        })
    }

    /// Somebody calls; `false` where too many want to at once.
    #[must_use]
    pub fn call(&self, plan: CallPlan) -> bool {
        self.plans.try_send(plan).is_ok()
    }

    /// What they did so far.
    #[must_use]
    pub fn state(&self) -> CallersState {
        *self.state.borrow()
    }

    /// What who calls from this number heard so far: 8 kHz, without gaps. Nothing where it is not kept.
    #[must_use]
    pub fn heard(&self, from: &str) -> Vec<i16> {
        let audio = self
            .ears
            .as_ref()
            .and_then(|ears| lock(ears).get(from).cloned());
        audio.unwrap_or_default()
    }

    /// Everybody hangs up.
    pub async fn stop(self) -> CallersState {
        drop(self.plans);
        self.task.await.unwrap_or_default()
    }
}

fn keep(ears: Option<&Ears>, from: &str, heard: &Heard) {
    let Some(ears) = ears else { return };
    let mut ears = lock(ears);
    let audio = ears.entry(from.to_owned()).or_default();
    if audio.len() + heard.audio.len() <= MAX_KEPT {
        audio.extend_from_slice(&heard.audio);
    }
}

struct Live {
    plan: CallPlan,
    local: LocalMedia,
    leg: LegHandle,
    hearing: Hearing,
    answered_at: Option<Millis>,
    talks_since: Option<Millis>,
    /// When he presses next.
    press_at: Option<Millis>,
}

impl Live {
    /// Whether he has had enough: of waiting, or of talking.
    fn done(&self, now: Millis) -> bool {
        match (self.talks_since, self.answered_at) {
            (Some(at), _) => now.since(at) >= self.plan.talk_ms,
            (None, Some(at)) => now.since(at) >= self.plan.patience_ms,
            (None, None) => false,
        }
    }
}

struct Crowd {
    server: SocketAddr,
    driver: Driver,
    plane: Plane,
    ports: Ports,
    calls: HashMap<CallKey, Live>,
    session: u64,
    state: CallersState,
    report: watch::Sender<CallersState>,
    ears: Option<Ears>,
}

impl Crowd {
    async fn work(mut self, mut plans: mpsc::Receiver<CallPlan>) -> CallersState {
        let mut listen = tokio::time::interval(LISTEN);
        listen.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.driver.next() => self.event(event),
                plan = plans.recv() => match plan {
                    None => break,
                    Some(plan) => {
                        if self.place(plan).is_err() {
                            self.state.refused += 1;
                        }
                    }
                },
                _ = listen.tick() => self.look(),
            }
            self.publish();
        }
        self.close().await
    }

    fn publish(&mut self) {
        self.state.live = self.calls.len();
        self.report.send_replace(self.state);
    }

    fn place(&mut self, plan: CallPlan) -> Result<(), SipTestError> {
        if self.calls.len() >= MAX_CALLS {
            return Err(SipTestError::Plane);
        }
        let uri = |user: &str| {
            let text = format!("sip:{user}@{}", self.server);
            text.parse().map_err(|_| SipTestError::Account(text))
        };
        let (target, from) = (uri(&plan.to)?, NameAddr::new(uri(&plan.from)?));
        let (socket, address) = self.ports.bind()?;
        self.session += 1;
        let local = LocalMedia::new(address, self.session);
        let hearing = if self.ears.is_some() {
            Hearing::keeping()
        } else {
            Hearing::default()
        };
        let voice = Voice::person(DEBTOR_HZ, AMPLITUDE, self.session);
        let leg = self.plane.add(socket, voice, hearing.clone())?;
        let order = InviteOrder::new(
            target,
            Target::udp(self.server),
            from,
            sip::sdp::offer(&local),
        );
        let now = self.driver.now();
        let key = self.driver.endpoint().invite(now, order)?;
        self.state.placed += 1;
        let live = Live {
            plan,
            local,
            leg,
            hearing,
            answered_at: None,
            talks_since: None,
            press_at: None,
        };
        self.calls.insert(key, live);
        Ok(())
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Answered { call, sdp, .. } => self.answered(call, sdp.as_deref()),
            Event::Failed { call, .. } => {
                self.state.refused += u64::from(self.calls.remove(&call).is_some());
            }
            Event::Ended { call, .. } => self.over(call),
            Event::Reinvite { call, sdp, .. } => self.changed(call, sdp.as_deref()),
            _ => {}
        }
    }

    fn answered(&mut self, key: CallKey, sdp: Option<&[u8]>) {
        let now = self.driver.now();
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        call.answered_at = Some(now);
        call.press_at = call.plan.asks_back_ms.map(|ms| now + ms);
        self.state.answered += 1;
        if let Some(remote) = sdp.and_then(|sdp| read_answer(sdp, &call.local).ok()) {
            let _ = call.leg.remote(Some(remote));
        }
    }

    fn over(&mut self, key: CallKey) {
        if let Some(call) = self.calls.remove(&key) {
            keep(self.ears.as_ref(), &call.plan.from, &call.hearing.take());
            self.state.gave_up += u64::from(call.talks_since.is_none());
        }
    }

    /// A re-INVITE: hold, resume, another address.
    fn changed(&mut self, key: CallKey, offer: Option<&[u8]>) {
        let now = self.driver.now();
        let body = self.calls.get_mut(&key).and_then(|call| {
            call.local.version += 1;
            let Some(offer) = offer else {
                return Some(sip::sdp::offer(&call.local));
            };
            let answer = sip::sdp::answer(offer, &call.local).ok()?;
            let _ = call.leg.remote(Some(answer.remote));
            Some(answer.sdp)
        });
        let _ = self.driver.endpoint().answer_reinvite(now, key, body);
    }

    fn look(&mut self) {
        let now = self.driver.now();
        let mut leaving = Vec::new();
        for (key, call) in &mut self.calls {
            if call.answered_at.is_none() {
                continue;
            }
            // Only what is heard now counts: the queue's music has been heard for long.
            let heard = call.hearing.take();
            if call.talks_since.is_none() && heard.shares().agent > AGENT_SHARE {
                call.talks_since = Some(now);
                self.state.talked += 1;
            }
            keep(self.ears.as_ref(), &call.plan.from, &heard);
            let asks = call.press_at.is_some_and(|at| at <= now);
            if asks && call.talks_since.is_none() {
                call.press_at = Some(now + PRESS_AGAIN_MS);
                if let Some(digit) = Digit::from_char(CALL_BACK) {
                    let _ = call.leg.press(digit);
                }
            }
            if call.done(now) {
                leaving.push(*key);
            }
        }
        for key in leaving {
            let reason = Some(Reason::q850(16, ""));
            let _ = self.driver.endpoint().hang_up(now, key, reason);
            self.over(key);
        }
    }

    async fn close(mut self) -> CallersState {
        let now = self.driver.now();
        for key in self.calls.keys().copied().collect::<Vec<_>>() {
            let _ = self.driver.endpoint().hang_up(now, key, None);
            self.over(key);
        }
        // The farewells leave and are answered.
        let _ = tokio::time::timeout(FAREWELL, async {
            loop {
                self.driver.next().await;
            }
        })
        .await;
        self.publish();
        self.state
    }
}
