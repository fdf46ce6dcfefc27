//! The carrier's loop.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use media::dtmf::Digit;
use sip::Millis;
use sip::header::Reason;
use sip::ua::{CallKey, End, Event, Incoming, Side};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::call::{Call, Due, Stage, number_of, opened};
use super::calls::drawn;
use super::ends::{Ends, until};
use super::fate::Class;
use super::log::{EndedBy, Line, Log};
use super::profile::Profile;
use super::{Config, MAX_CALLS};
use crate::plane::{Hearing, Plane, Voice};
use crate::{Clock, Driver, Ports, SipTestError, secure};

/// How often a debtor asks himself whether somebody speaks, ms.
const LISTEN_MS: u64 = 250;
/// Most numbers whose calls are counted; further numbers are always called for the first time.
const MAX_NUMBERS: usize = 1_000_000;
/// Time for the last messages to leave.
const FAREWELL: Duration = Duration::from_millis(200);
/// Silence after which nothing more is expected from the caller.
const LAST_WORD: Duration = Duration::from_millis(20);

/// What a carrier did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// INVITEs, repeats not counted.
    pub invites: u64,
    /// Calls answered.
    pub answered: u64,
    /// Calls refused for a limit of ours.
    pub over_limit: u64,
    /// Calls up or ringing now.
    pub live: usize,
    /// Lines that could not be written to the log, and recorded calls that could not be read.
    pub log_errors: u64,
}

/// A carrier at work; dropping it ends it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    tls: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Summary>,
    summary: watch::Receiver<Summary>,
}

impl Running {
    /// SIP address, with the port that was bound.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIP address by TLS, where it is listened for.
    #[must_use]
    pub const fn tls(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// What it did so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        *self.summary.borrow()
    }

    /// Ends every call, writes their lines and ends.
    pub async fn stop(mut self) -> Summary {
        drop(self.stop.take());
        (&mut self.task).await.unwrap_or_default()
    }

    /// Waits for its own end.
    pub async fn ended(mut self) -> Summary {
        let keep = self.stop.take();
        let summary = (&mut self.task).await.unwrap_or_default();
        drop(keep);
        summary
    }
}

/// Runs a carrier until it ends by itself: at SIGTERM, at the end of its life, when standard input
/// closes or its parent is gone, as configured. It is what a child process does all its life.
///
/// # Errors
/// As [`start`].
pub async fn run(config: Config) -> Result<Summary, SipTestError> {
    Ok(start(Config {
        until_signal: true,
        ..config
    })
    .await?
    .ended()
    .await)
}

/// Starts a carrier on the current runtime.
///
/// # Errors
/// [`SipTestError::Bind`], [`SipTestError::File`] for the log, [`SipTestError::Profile`],
/// [`SipTestError::Plane`].
pub async fn start(config: Config) -> Result<Running, SipTestError> {
    let profile = match &config.profile {
        Some(profile) => profile.clone(),
        None => Profile::demo()?,
    };
    let log = Log::open(config.log.as_deref())?;
    if let Some(folder) = &config.heard {
        std::fs::create_dir_all(folder).map_err(|source| SipTestError::File {
            path: folder.clone(),
            source,
        })?;
    }
    let clock = Clock::start();
    let login = config.login.clone();
    let (driver, tls) = Driver::bind_with(config.bind, config.tls.as_ref(), clock, |sip| {
        sip.contact_user = "carrier".to_owned();
        sip.auth = login.map(secure::auth);
    })
    .await?;
    let (first, last) = config.rtp_ports.unwrap_or((0, 0));
    let ports = Ports::new(config.ip(), first, last);
    let address = driver.local();
    let (stop, stopped) = oneshot::channel();
    let (report, summary) = watch::channel(Summary::default());
    let carrier = Carrier {
        ports,
        plane: Plane::start(clock)?,
        driver,
        profile,
        log,
        calls: HashMap::new(),
        due: BinaryHeap::new(),
        called: HashMap::new(),
        session: 1,
        summary: Summary::default(),
        report,
        config,
    };
    let task = tokio::spawn(carrier.work(stopped));
    Ok(Running {
        address,
        tls,
        stop: Some(stop),
        task,
        summary,
    })
}

struct Carrier {
    config: Config,
    profile: Profile,
    driver: Driver,
    plane: Plane,
    ports: Ports,
    log: Log,
    calls: HashMap<CallKey, Call>,
    due: BinaryHeap<Reverse<(Millis, CallKey, Due)>>,
    called: HashMap<String, u32>,
    session: u64,
    summary: Summary,
    report: watch::Sender<Summary>,
}

impl Carrier {
    async fn work(mut self, mut stopped: oneshot::Receiver<()>) -> Summary {
        let mut ends = Ends::of(&self.config);
        loop {
            let next = self
                .due
                .peek()
                .map(|Reverse((at, ..))| self.driver.clock().instant(*at));
            tokio::select! {
                event = self.driver.next() => self.event(event),
                () = until(next.map(Into::into)) => self.step(),
                () = ends.come() => break,
                _ = &mut stopped => break,
            }
            self.summary.live = self.calls.len();
            self.report.send_replace(self.summary);
        }
        self.close().await
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(&incoming),
            Event::Confirmed {
                call,
                sdp: Some(sdp),
            } => self.confirmed(call, &sdp),
            Event::Reinvite { call, sdp, .. } => self.changed(call, sdp.as_deref()),
            Event::Ended { call, end } => self.ended(call, &end),
            _ => {}
        }
    }

    fn incoming(&mut self, incoming: &Incoming) {
        let now = self.driver.now();
        if self.config.login.is_some() && incoming.user.is_none() {
            let _ = self.driver.endpoint().challenge(now, incoming.call);
            return;
        }
        let line = self.opened(incoming, now);
        self.summary.invites += 1;
        match self.open(incoming, line.clone()) {
            Ok(call) => {
                self.schedule(now + call.plan.pdd_ms, incoming.call, Due::Ring);
                self.calls.insert(incoming.call, call);
            }
            Err(code) => {
                self.summary.over_limit += u64::from(code == 503);
                let _ = self
                    .driver
                    .endpoint()
                    .reject(now, incoming.call, code, None);
                self.write(&Line { code, ..line });
            }
        }
    }

    /// Draws the fate and opens the line of the log.
    fn opened(&mut self, incoming: &Incoming, now: Millis) -> Line {
        let number = number_of(incoming);
        let index = self.count(&number);
        let at = self.driver.clock().unix_ms(now);
        let hour = usize::try_from(at / 3_600_000 % 24).unwrap_or(0);
        let drawn = drawn(&self.config, &self.profile, &number, index, hour);
        opened(incoming, drawn, at, 0)
    }

    /// Opens the port; the error is the code to refuse with.
    fn open(&mut self, incoming: &Incoming, line: Line) -> Result<Call, u16> {
        if self.calls.len() >= self.config.channels.min(MAX_CALLS) {
            return Err(503);
        }
        let (socket, address) = self.ports.bind().map_err(|_| 503u16)?;
        self.session += 1;
        let local = secure::media(address, self.session, incoming.source.proto);
        let answer = match &incoming.sdp {
            Some(offer) => Some(sip::sdp::answer(offer, &local).map_err(|_| 488u16)?),
            None => None,
        };
        let hearing = if self.config.heard.is_some() {
            Hearing::keeping()
        } else {
            Hearing::default()
        };
        let leg = self
            .plane
            .add(socket, Voice::Mute, hearing.clone())
            .map_err(|_| 503u16)?;
        Ok(Call::new(line, local, answer, (leg, hearing)))
    }

    fn count(&mut self, number: &str) -> u32 {
        if let Some(times) = self.called.get_mut(number) {
            *times += 1;
            return *times;
        }
        if self.called.len() < MAX_NUMBERS {
            self.called.insert(number.to_owned(), 0);
        }
        0
    }

    fn schedule(&mut self, at: Millis, call: CallKey, due: Due) {
        self.due.push(Reverse((at, call, due)));
    }

    fn step(&mut self) {
        let now = self.driver.now();
        while let Some(Reverse((at, key, due))) = self.due.peek().copied() {
            if at > now {
                return;
            }
            self.due.pop();
            match due {
                Due::Ring => self.ring(key, now),
                Due::Decide => self.decide(key, now),
                Due::Listen => self.listen(key, now),
                Due::Press => self.press(key),
                Due::Leave => self.leave(key, now),
            }
        }
    }

    fn ring(&mut self, key: CallKey, now: Millis) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if call.plan.ring_ms == 0 {
            self.decide(key, now);
            return;
        }
        let early = call.plan.early_media || call.plan.network.is_some();
        let early = early && call.answer.is_some();
        let (code, sdp) = if early {
            (183, Some(call.sdp()))
        } else {
            (180, None)
        };
        if self
            .driver
            .endpoint()
            .progress(now, key, code, sdp)
            .is_err()
        {
            return;
        }
        call.stage = Stage::Ringing;
        call.ringing_at = Some(now);
        if early {
            let _ = call.leg.remote(call.answer.as_ref().map(|a| a.remote));
            let _ = call.leg.say(call.early(&self.profile.country));
        }
        let at = now + call.plan.ring_ms;
        self.schedule(at, key, Due::Decide);
    }

    fn decide(&mut self, key: CallKey, now: Millis) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let class = call.plan.class;
        if !class.answers() {
            let (code, _) = class.refusal();
            call.stage = Stage::Leaving;
            call.code = code;
            let _ = self
                .driver
                .endpoint()
                .reject(now, key, code, Some(call.reason()));
            return;
        }
        if self.driver.endpoint().answer(now, key, call.sdp()).is_err() {
            return;
        }
        call.stage = Stage::Answered;
        call.code = 200;
        call.answered_at = Some(now);
        let voice = call.voice(&self.profile, self.config.calls.as_deref());
        self.summary.log_errors += u64::from(voice.is_err());
        let _ = call.leg.say(voice.unwrap_or(Voice::Silence));
        let _ = call.leg.remote(call.answer.as_ref().map(|a| a.remote));
        self.summary.answered += 1;
        let plan = call.plan;
        self.schedule(now + plan.talk_ms, key, Due::Leave);
        if plan.presses {
            self.schedule(now + self.profile.press.after_ms, key, Due::Press);
        }
        if class == Class::Human {
            self.schedule(now + LISTEN_MS, key, Due::Listen);
        }
    }

    fn listen(&mut self, key: CallKey, now: Millis) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if call.listens(now, &self.profile) {
            self.leave(key, now);
        } else {
            self.schedule(now + LISTEN_MS, key, Due::Listen);
        }
    }

    fn press(&mut self, key: CallKey) {
        if let (Some(call), Some(digit)) = (
            self.calls.get(&key),
            Digit::from_char(self.profile.press.digit),
        ) {
            let _ = call.leg.press(digit);
        }
    }

    fn leave(&mut self, key: CallKey, now: Millis) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if call.stage == Stage::Answered {
            call.stage = Stage::Leaving;
            call.ended_by = Some(EndedBy::Called);
            let _ = self
                .driver
                .endpoint()
                .hang_up(now, key, Some(call.reason()));
        }
    }

    /// The answer to an offer of ours, in the ACK.
    fn confirmed(&mut self, key: CallKey, sdp: &[u8]) {
        if let Some(call) = self.calls.get_mut(&key)
            && let Ok(remote) = sip::sdp::read_answer(sdp, &call.local)
        {
            let _ = call.leg.remote(Some(remote));
        }
    }

    /// A re-INVITE: hold, resume, another address.
    fn changed(&mut self, key: CallKey, offer: Option<&[u8]>) {
        let now = self.driver.now();
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        call.local.version += 1;
        let body = match offer {
            None => Some(sip::sdp::offer(&call.local)),
            Some(offer) => sip::sdp::answer(offer, &call.local).ok().map(|answer| {
                let _ = call.leg.remote(Some(answer.remote));
                answer.sdp
            }),
        };
        let _ = self.driver.endpoint().answer_reinvite(now, key, body);
    }

    fn ended(&mut self, key: CallKey, end: &End) {
        let now = self.driver.now();
        let Some(mut call) = self.calls.remove(&key) else {
            return;
        };
        if call.code == 0 {
            call.code = end.code.unwrap_or(487);
        }
        let by = call.ended_by.unwrap_or(match end.by {
            Side::Local => EndedBy::Called,
            Side::Remote => EndedBy::Caller,
            Side::Network => EndedBy::Network,
        });
        self.write(&call.line(self.driver.clock(), now, by));
        self.keep(&call);
    }

    /// Writes what the debtor heard, where that is wished.
    fn keep(&mut self, call: &Call) {
        let Some(folder) = &self.config.heard else {
            return;
        };
        let audio = call.hearing.heard().audio;
        if super::keep::write(folder, call.opened(), &audio).is_err() {
            self.summary.log_errors += 1;
        }
    }

    fn write(&mut self, line: &Line) {
        if self.log.write(line).is_err() {
            self.summary.log_errors += 1;
        }
    }

    async fn close(mut self) -> Summary {
        // What the caller said last may still wait in the socket.
        let end = tokio::time::Instant::now() + FAREWELL;
        while let Ok(event) = tokio::time::timeout(LAST_WORD, self.driver.next()).await {
            self.event(event);
            if tokio::time::Instant::now() > end {
                break;
            }
        }
        let now = self.driver.now();
        let calls: Vec<(CallKey, Call)> = self.calls.drain().collect();
        for (key, call) in calls {
            let by = call.ended_by.unwrap_or(EndedBy::Stopped);
            self.write(&call.line(self.driver.clock(), now, by));
            self.keep(&call);
            let _ = self
                .driver
                .endpoint()
                .hang_up(now, key, Some(Reason::q850(38, "")));
        }
        let _ = tokio::time::timeout(FAREWELL, async {
            while self.driver.endpoint().calls() > 0 {
                self.driver.next().await;
            }
        })
        .await;
        self.driver.flush();
        self.summary.live = 0;
        self.report.send_replace(self.summary);
        self.summary
    }
}
