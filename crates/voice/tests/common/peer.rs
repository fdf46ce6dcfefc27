//! The far end of the tests: a carrier or a phone made of `sip` and `media`.

use super::audio::{Call, Line, Say, Talker};
pub use super::plan::{Plan, Seen};
use media::tones::Step;
use sip::header::{NameAddr, Reason, Replaces};
use sip::msg::{HeaderName, Uri};
use sip::sdp::{self, LocalMedia};
use sip::ua::{CallKey, Config, Event, Incoming, InviteOrder, Login, RegisterOrder};
use sip::ua::{RegistrationState, Side};
use sip::{Endpoint, Millis, SeededIds, Source, Target};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

enum Ask {
    HangUp,
    Answer,
    Move {
        hz: f64,
    },
    Say(Say),
    Info {
        content_type: &'static str,
        body: &'static str,
    },
    Register {
        at: SocketAddr,
        user: String,
        password: String,
    },
    Call {
        at: SocketAddr,
        hz: f64,
    },
    Refer(String),
    Ids(oneshot::Sender<Replaces>),
    Replace {
        at: SocketAddr,
        ids: Replaces,
        login: Login,
        hz: f64,
    },
}

pub struct Peer {
    pub addr: SocketAddr,
    pub seen: mpsc::Receiver<Seen>,
    pub line: Arc<Line>,
    asks: mpsc::Sender<Ask>,
}

impl Peer {
    pub async fn start(plan: Plan) -> Self {
        Self::configured(plan, |_| {}).await
    }

    pub async fn configured(plan: Plan, configure: impl FnOnce(&mut Config)) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
        let addr = socket.local_addr().expect("address");
        let mut config = Config::new(addr);
        configure(&mut config);
        let (tell, seen) = mpsc::channel(256);
        let (asks, asked) = mpsc::channel(16);
        let line = Arc::new(Line::default());
        let work = Work {
            endpoint: Endpoint::new(config, Box::new(SeededIds::new(rand::random()))),
            socket,
            addr,
            start: Instant::now(),
            plan,
            tell,
            line: line.clone(),
            calls: HashMap::new(),
            due: Vec::new(),
            user: String::new(),
        };
        tokio::spawn(work.run(asked));
        Self {
            addr,
            seen,
            line,
            asks,
        }
    }

    pub async fn hang_up(&self) {
        self.ask(Ask::HangUp).await;
    }

    /// Answers what rings.
    pub async fn answer(&self) {
        self.ask(Ask::Answer).await;
    }

    /// Takes its audio to another port, by re-INVITE, and speaks in another tone from there.
    pub async fn move_media(&self, hz: f64) {
        self.ask(Ask::Move { hz }).await;
    }

    pub async fn press(&self, digit: char) {
        self.ask(Ask::Say(Say::Key(digit))).await;
    }

    /// A tone in the place of its voice, until it speaks again.
    pub async fn sounds(&self, steps: &'static [Step]) {
        self.ask(Ask::Say(Say::Network(steps))).await;
    }

    /// Sends keys or whatever by INFO.
    pub async fn info(&self, content_type: &'static str, body: &'static str) {
        self.ask(Ask::Info { content_type, body }).await;
    }

    /// Describes how its silence sounds, decibels below overload, and is silent.
    pub async fn pause(&self, level: u8) {
        self.ask(Ask::Say(Say::Pause(level))).await;
    }

    /// Speaks again.
    pub async fn resume(&self) {
        self.ask(Ask::Say(Say::Resume)).await;
    }

    pub async fn register(&self, at: SocketAddr, user: &str, password: &str) {
        let (user, password) = (user.to_owned(), password.to_owned());
        self.ask(Ask::Register { at, user, password }).await;
    }

    pub async fn call(&self, at: SocketAddr, hz: f64) {
        self.ask(Ask::Call { at, hz }).await;
    }

    /// Presses its transfer key.
    pub async fn refer(&self, to: &str) {
        self.ask(Ask::Refer(to.to_owned())).await;
    }

    /// What its call is known by.
    pub async fn ids(&self) -> Replaces {
        let (tell, told) = oneshot::channel();
        self.ask(Ask::Ids(tell)).await;
        told.await.expect("has a call that is up")
    }

    /// Calls in the place of another call.
    pub async fn replace(&self, at: SocketAddr, ids: Replaces, login: Login, hz: f64) {
        self.ask(Ask::Replace { at, ids, login, hz }).await;
    }

    async fn ask(&self, ask: Ask) {
        assert!(self.asks.send(ask).await.is_ok(), "the peer works");
    }

    /// The next thing seen that fits.
    pub async fn sees<T>(&mut self, fits: impl Fn(&Seen) -> Option<T>) -> T {
        let wait = async {
            loop {
                let seen = self.seen.recv().await.expect("the peer works");
                if let Some(found) = fits(&seen) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the peer sees it")
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Due {
    Ring,
    Decide,
    Leave,
}

struct Work {
    endpoint: Endpoint,
    socket: UdpSocket,
    addr: SocketAddr,
    start: Instant,
    plan: Plan,
    tell: mpsc::Sender<Seen>,
    line: Arc<Line>,
    calls: HashMap<CallKey, Call>,
    due: Vec<(Instant, CallKey, Due)>,
    user: String,
}

impl Work {
    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        let mut buffer = vec![0; 65_535];
        loop {
            while let Some(out) = self.endpoint.poll_transmit() {
                let _ = self.socket.send_to(&out.bytes, out.target.dest).await;
            }
            if let Some(event) = self.endpoint.poll_event() {
                self.event(event).await;
                continue;
            }
            let sip = self.endpoint.next_deadline();
            let sip = sip.map(|at| self.start + Duration::from_millis(at.0));
            let own = self.due.iter().map(|(at, ..)| *at).min();
            let next = sip.into_iter().chain(own).min();
            let next = next.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                came = self.socket.recv_from(&mut buffer) => {
                    if let Ok((n, from)) = came {
                        let bytes = bytes::Bytes::copy_from_slice(&buffer[..n]);
                        let _ = self.endpoint.receive(self.now(), Source::udp(from), &bytes);
                    }
                }
                ask = asked.recv() => match ask {
                    Some(ask) => self.asked(ask).await,
                    None => return,
                },
                () = tokio::time::sleep_until(next.into()) => {
                    self.endpoint.on_timer(self.now());
                    self.step().await;
                }
            }
        }
    }

    fn say(&self, seen: Seen) {
        let _ = self.tell.try_send(seen);
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(&incoming).await,
            Event::Answered { call, sdp, .. } => {
                let Some(known) = self.calls.get_mut(&call) else {
                    return;
                };
                known.remote = sdp.and_then(|s| sdp::read_answer(&s, &known.media).ok());
                known.speak();
                self.say(Seen::Answered);
            }
            Event::Confirmed { .. } => self.say(Seen::Answered),
            Event::Failed { call, failure } => {
                self.calls.remove(&call);
                self.say(Seen::Failed(failure.code));
            }
            Event::Ended { call, end } => {
                self.calls.remove(&call);
                let by_remote = end.by == Side::Remote;
                self.say(Seen::Ended {
                    by_remote,
                    code: end.code,
                    q850: end.q850,
                });
            }
            Event::Reinvite { call, sdp, .. } => {
                let now = self.now();
                let known = self.calls.get(&call);
                let body = known
                    .zip(sdp)
                    .and_then(|(c, offer)| sdp::answer(&offer, &c.media).ok());
                let _ = self
                    .endpoint
                    .answer_reinvite(now, call, body.map(|b| b.sdp));
            }
            Event::ReinviteDone {
                call,
                sdp: Some(answer),
                ..
            } => {
                let Some(known) = self.calls.get_mut(&call) else {
                    return;
                };
                known.remote = sdp::read_answer(&answer, &known.media).ok();
                known.speak();
            }
            Event::ReferAnswered { code, .. } => self.say(Seen::Referred(code)),
            Event::ReferProgress { code, over, .. } => self.say(Seen::Reported(code, over)),
            Event::Registered { .. } => self.say(Seen::Registered),
            Event::Registration { state, .. } => match state {
                RegistrationState::Registered { .. } => self.say(Seen::Registered),
                RegistrationState::Failed { code, .. } => self.say(Seen::Refused(code)),
                RegistrationState::Unregistered => {}
            },
            _ => {}
        }
    }

    async fn incoming(&mut self, incoming: &Incoming) {
        let number = incoming.request_uri.user_text().unwrap_or_default();
        let name = HeaderName::from_token(bytes::Bytes::from_static(b"X-Marcador-Attempt"));
        let attempt = incoming.headers.get(&name);
        let attempt = attempt.map(|v| String::from_utf8_lossy(v).into_owned());
        let talker = Talker::open(self.line.clone()).await;
        let mut says = talker.addr;
        says.set_ip(self.plan.says_ip.unwrap_or(says.ip()));
        let mut media = LocalMedia::new(says, 7);
        media.dtmf_pt = media.dtmf_pt.filter(|_| self.plan.events);
        let call = Call {
            media,
            remote: None,
            offer: incoming.sdp.clone(),
            talker: Some(talker),
            hz: self.plan.hz,
        };
        let offer = incoming.sdp.as_ref();
        let rtp = offer
            .and_then(|sdp| sdp::read_offer(sdp, &call.media).ok())
            .map(|r| r.addr);
        self.calls.insert(incoming.call, call);
        self.say(Seen::Invite {
            number,
            attempt,
            rtp,
        });
        let now = Instant::now();
        let after = |ms| now + Duration::from_millis(ms);
        let due = [
            (self.plan.ring_ms, Due::Ring),
            (self.plan.decide_ms, Due::Decide),
        ];
        self.due.extend(
            due.iter()
                .filter_map(|(ms, d)| ms.map(|ms| (after(ms), incoming.call, *d))),
        );
    }

    async fn step(&mut self) {
        let now = Instant::now();
        let (ready, later) = self.due.iter().partition(|(at, ..)| *at <= now);
        self.due = later;
        let ready: Vec<(Instant, CallKey, Due)> = ready;
        for (_, key, due) in ready {
            let sip_now = self.now();
            match due {
                Due::Ring => self.ring(key),
                Due::Decide if self.plan.code == 200 => self.answer(key),
                Due::Decide => {
                    self.calls.remove(&key);
                    let reason = Some(Reason::q850(17, "busy"));
                    let _ = self.endpoint.reject(sip_now, key, self.plan.code, reason);
                }
                Due::Leave => {
                    let reason = Some(Reason::q850(16, "bye"));
                    let _ = self.endpoint.hang_up(sip_now, key, reason);
                }
            }
        }
    }

    fn ring(&mut self, key: CallKey) {
        let now = self.now();
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let early = call.offer.as_ref().filter(|_| self.plan.early);
        let body = early.and_then(|offer| sdp::answer(offer, &call.media).ok());
        if let (Some(answer), Some(steps)) = (&body, self.plan.network) {
            call.remote = Some(answer.remote);
            if let Some(talker) = &call.talker {
                talker.say(Say::Network(steps));
            }
            call.speak();
        }
        let code = if body.is_some() { 183 } else { 180 };
        let _ = self.endpoint.progress(now, key, code, body.map(|b| b.sdp));
    }

    fn answer(&mut self, key: CallKey) {
        let now = self.now();
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let Some(offer) = &call.offer else { return };
        let answer = sdp::answer(offer, &call.media).expect("offer can be answered");
        call.remote = Some(answer.remote);
        if self.endpoint.answer(now, key, answer.sdp).is_ok() {
            if let Some(talker) = &call.talker {
                talker.say(Say::Resume);
            }
            call.speak();
            if let Some(ms) = self.plan.leave_ms {
                self.due
                    .push((Instant::now() + Duration::from_millis(ms), key, Due::Leave));
            }
        }
    }

    async fn asked(&mut self, ask: Ask) {
        let now = self.now();
        match ask {
            Ask::HangUp => {
                for key in self.calls.keys() {
                    let reason = Some(Reason::q850(16, "bye"));
                    let _ = self.endpoint.hang_up(now, *key, reason);
                }
            }
            Ask::Answer => {
                let ringing: Vec<CallKey> = self.calls.keys().copied().collect();
                ringing.into_iter().for_each(|key| self.answer(key));
            }
            Ask::Move { hz } => {
                for (key, call) in &mut self.calls {
                    let talker = Talker::open(self.line.clone()).await;
                    call.media.addr = talker.addr;
                    call.media.version += 1;
                    call.talker = Some(talker);
                    call.hz = Some(hz);
                    let offer = sdp::offer(&call.media);
                    self.endpoint.reinvite(now, *key, offer).expect("is up");
                }
            }
            Ask::Say(what) => {
                self.calls
                    .values()
                    .filter_map(|c| c.talker.as_ref())
                    .for_each(|t| t.say(what));
            }
            Ask::Info { content_type, body } => {
                for key in self.calls.keys() {
                    let body = bytes::Bytes::from_static(body.as_bytes());
                    let sent = self.endpoint.send_info(now, *key, content_type, body);
                    sent.expect("is up");
                }
            }
            Ask::Register { at, user, password } => {
                self.user.clone_from(&user);
                let order = RegisterOrder {
                    registrar: Uri::sip(None, at),
                    next_hop: Target::udp(at),
                    account: NameAddr::new(Uri::sip(Some(&user), at)),
                    contact_user: user.clone(),
                    expires_s: 300,
                    login: Some(Login::new(&user, &password)),
                };
                self.endpoint.register(now, order).expect("registers");
            }
            Ask::Refer(to) => {
                let to = NameAddr::new(to.parse().expect("an address"));
                for key in self.calls.keys() {
                    let sent = self.endpoint.refer(now, *key, to.clone(), None);
                    sent.expect("is up");
                }
            }
            Ask::Ids(tell) => {
                let mut up = self.calls.keys().filter_map(|k| self.endpoint.replaces(*k));
                let _ = up.next().map(|ids| tell.send(ids));
            }
            Ask::Replace { at, ids, login, hz } => self.call_out(at, hz, Some((ids, login))).await,
            Ask::Call { at, hz } => self.call_out(at, hz, None).await,
        }
    }

    async fn call_out(&mut self, at: SocketAddr, hz: f64, place: Option<(Replaces, Login)>) {
        let now = self.now();
        let talker = Talker::open(self.line.clone()).await;
        let mut says = talker.addr;
        says.set_ip(self.plan.says_ip.unwrap_or(says.ip()));
        let media = LocalMedia::new(says, 8);
        let from = NameAddr::new(Uri::sip(Some("+5215550009"), self.addr));
        let target = Uri::sip(Some("+5215551000"), at);
        let mut order = InviteOrder::new(target, Target::udp(at), from, sdp::offer(&media));
        if let Some((ids, login)) = place {
            order.headers.push(HeaderName::Replaces, ids.to_bytes());
            order.login = Some(login);
        }
        let key = self.endpoint.invite(now, order).expect("calls");
        let talker = Some(talker);
        let hz = Some(hz);
        self.calls.insert(
            key,
            Call {
                media,
                remote: None,
                offer: None,
                talker,
                hz,
            },
        );
    }
}
