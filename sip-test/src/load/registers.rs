//! Registrations in numbers, with right and with wrong passwords, and honest questions meanwhile: how long those
//! wait for their answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use sip::SeededIds;
use sip::digest::{Answering, DigestClient};
use sip::msg::{HeaderName, Message, Method, Request, Response, parse_datagram};
use sip::ua::Login;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior};

use crate::SipTestError;

/// Between two heaps of registrations: what comes in one is at the server's socket at once.
const HEAP: Duration = Duration::from_millis(5);
/// Between two honest questions.
const ASK: Duration = Duration::from_millis(20);
/// An answer that took longer is none: a client would have asked twice more by then (RFC 3261 §17.1.2).
const PATIENCE: Duration = Duration::from_secs(2);
/// Registrations whose answers are waited for; those that never get one make room in the order they began.
const OPEN: usize = 20_000;
/// Most octets of an answer.
const ANSWER: usize = 4_096;

/// The flood.
#[derive(Debug, Clone)]
pub struct RegisterLoad {
    /// The registrar, over UDP.
    pub server: SocketAddr,
    /// REGISTERs a second. Each registration takes two: the first is challenged.
    pub rate: u32,
    /// How long.
    pub time: Duration,
    /// Accounts `agent0` to `agent(n-1)` register with the right password, as many beyond them with a wrong one.
    pub accounts: u32,
    /// The right one.
    pub password: String,
}

/// What it came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RegisterFigures {
    /// REGISTERs sent.
    pub sent: u64,
    /// REGISTERs sent a second.
    pub per_second: f64,
    /// Registrations with the right password, and those of them that were granted.
    pub right: u64,
    /// See [`RegisterFigures::right`].
    pub granted: u64,
    /// Registrations with a wrong password, and those of them that were refused in words; the others met silence.
    pub wrong: u64,
    /// See [`RegisterFigures::wrong`].
    pub refused: u64,
    /// Registrations with a wrong password that were granted.
    pub fooled: u64,
    /// Honest OPTIONS, and those that got no answer in two seconds.
    pub asked: u64,
    /// See [`RegisterFigures::asked`].
    pub unanswered: u64,
    /// Time to their answers, milliseconds, unanswered ones as two seconds: half, 95 and 99 of 100, the longest.
    pub options_p50_ms: f64,
    /// See [`RegisterFigures::options_p50_ms`].
    pub options_p95_ms: f64,
    /// See [`RegisterFigures::options_p50_ms`].
    pub options_p99_ms: f64,
    /// See [`RegisterFigures::options_p50_ms`].
    pub options_max_ms: f64,
}

/// Runs it to its end.
///
/// # Errors
/// [`SipTestError::Bind`] where no socket can be had.
pub async fn registers(load: &RegisterLoad) -> Result<RegisterFigures, SipTestError> {
    let (flood, honest) = (bind(load.server).await?, bind(load.server).await?);
    let mut flood = Flood {
        load,
        local: local(&flood)?,
        socket: flood,
        salt: rand::random(),
        ids: SeededIds::new(rand::random()),
        next: 0,
        open: HashMap::new(),
        figures: RegisterFigures::default(),
    };
    let (seconds, times) = tokio::join!(flood.run(), ask(&honest, load));
    let mut figures = flood.figures;
    figures.per_second = super::figures::to_f64(figures.sent) / seconds.max(0.001);
    Ok(told(figures, times))
}

async fn bind(server: SocketAddr) -> Result<UdpSocket, SipTestError> {
    let address = SocketAddr::new(server.ip(), 0);
    let fail = |source| SipTestError::Bind { address, source };
    let socket = UdpSocket::bind(address).await.map_err(fail)?;
    socket.connect(server).await.map_err(fail)?;
    Ok(socket)
}

fn local(socket: &UdpSocket) -> Result<SocketAddr, SipTestError> {
    let address = SocketAddr::from(([0, 0, 0, 0], 0));
    let fail = |source| SipTestError::Bind { address, source };
    socket.local_addr().map_err(fail)
}

/// A registration that waits for an answer.
struct Open {
    right: bool,
    user: String,
    /// Its credentials were sent.
    proved: bool,
}

struct Flood<'a> {
    load: &'a RegisterLoad,
    socket: UdpSocket,
    local: SocketAddr,
    salt: u64,
    ids: SeededIds,
    next: u64,
    open: HashMap<u64, Open>,
    figures: RegisterFigures,
}

impl Flood<'_> {
    /// Seconds it took.
    async fn run(&mut self) -> f64 {
        let start = Instant::now();
        let mut heap = tokio::time::interval(HEAP);
        heap.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut buffer = [0; ANSWER];
        while start.elapsed() < self.load.time {
            tokio::select! {
                _ = heap.tick() => self.begin(start.elapsed()).await,
                got = self.socket.recv(&mut buffer) => {
                    if let Ok(n) = got {
                        self.answered(&buffer[..n]).await;
                    }
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        // The last answers.
        let last = async {
            while let Ok(n) = self.socket.recv(&mut buffer).await {
                self.answered(&buffer[..n]).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(200), last).await;
        seconds
    }

    /// Begins as many as are due: half the rate, since each is sent twice.
    async fn begin(&mut self, since: Duration) {
        let due = since.as_millis() * u128::from(self.load.rate) / 2_000;
        while u128::from(self.next) < due {
            let (number, accounts) = (self.next, u64::from(self.load.accounts.max(1)));
            self.next += 1;
            let right = number % 2 == 0;
            let account = number / 2 % accounts + if right { 0 } else { accounts };
            let open = Open {
                right,
                user: format!("agent{account}"),
                proved: false,
            };
            let request = self.request(number, 1, &open.user);
            self.send(&request).await;
            let count = match right {
                true => &mut self.figures.right,
                false => &mut self.figures.wrong,
            };
            *count += 1;
            if self.open.len() >= OPEN {
                self.open.remove(&number.saturating_sub(OPEN as u64));
            }
            self.open.insert(number, open);
        }
    }

    fn request(&self, number: u64, cseq: u32, user: &str) -> Request {
        let (server, local, salt) = (self.load.server, self.local, self.salt);
        let mut request = Request::new(Method::Register, Bytes::from(format!("sip:{server}")));
        let mut put = |name, value: String| request.headers.push(name, value);
        let branch = format!("z9hG4bK{salt:x}r{number}c{cseq}");
        put(
            HeaderName::Via,
            format!("SIP/2.0/UDP {local};branch={branch};rport"),
        );
        put(HeaderName::MaxForwards, "70".to_owned());
        put(
            HeaderName::From,
            format!("<sip:{user}@{server}>;tag=t{number}"),
        );
        put(HeaderName::To, format!("<sip:{user}@{server}>"));
        put(HeaderName::CallId, format!("{number}-{salt:x}"));
        put(HeaderName::CSeq, format!("{cseq} REGISTER"));
        put(HeaderName::Contact, format!("<sip:{user}@{local}>"));
        put(HeaderName::Expires, "300".to_owned());
        request
    }

    async fn send(&mut self, request: &Request) {
        // What the system does not take is lost, as on the way.
        let _ = self.socket.send(&request.to_bytes()).await;
        self.figures.sent += 1;
    }

    async fn answered(&mut self, datagram: &[u8]) {
        let Some((number, response)) = response(datagram, self.salt) else {
            return;
        };
        let Some(open) = self.open.remove(&number) else {
            return;
        };
        match (response.code, open.proved) {
            (401, false) => self.prove(number, open, &response).await,
            (200, true) if open.right => self.figures.granted += 1,
            (200, _) => self.figures.fooled += 1,
            (_, true) if !open.right => self.figures.refused += 1,
            _ => {}
        }
    }

    /// Answers the challenge, rightly or not.
    async fn prove(&mut self, number: u64, open: Open, challenge: &Response) {
        let password = if open.right {
            &*self.load.password
        } else {
            "a guess"
        };
        let login = Login::new(&open.user, password);
        let mut request = self.request(number, 2, &open.user);
        let mut digest = DigestClient::default();
        if digest.absorb(challenge, Some(&login)) != Answering::Again {
            return;
        }
        digest.apply(&mut request, Some(&login), &mut self.ids);
        self.send(&request).await;
        let proved = true;
        self.open.insert(number, Open { proved, ..open });
    }
}

/// A response to a request of ours, and which.
fn response(datagram: &[u8], salt: u64) -> Option<(u64, Response)> {
    let octets = Bytes::copy_from_slice(datagram);
    let Message::Response(response) = parse_datagram(&octets).ok()? else {
        return None;
    };
    let id = response.headers.call_id().ok()?;
    let (number, of) = std::str::from_utf8(&id).ok()?.split_once('-')?;
    let ours = u64::from_str_radix(of, 16) == Ok(salt);
    Some((number.parse().ok()?, response)).filter(|_| ours)
}

/// Asks all the while; the time of each answer, none where it did not come.
async fn ask(socket: &UdpSocket, load: &RegisterLoad) -> Vec<Option<Duration>> {
    let (start, salt): (Instant, u64) = (Instant::now(), rand::random());
    let mut tick = tokio::time::interval(ASK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times: Vec<(Instant, Option<Duration>)> = Vec::new();
    let mut buffer = [0; ANSWER];
    while start.elapsed() < load.time + PATIENCE {
        tokio::select! {
            _ = tick.tick(), if start.elapsed() < load.time => {
                let request = question(load.server, socket, times.len(), salt);
                times.push((Instant::now(), None));
                let _ = socket.send(&request.to_bytes()).await;
            }
            got = socket.recv(&mut buffer) => {
                let answer = got.ok().and_then(|n| response(&buffer[..n], salt));
                let Some((number, response)) = answer else { continue };
                let row = usize::try_from(number).ok().and_then(|n| times.get_mut(n));
                if let Some((sent, took)) = row && response.code == 200 {
                    took.get_or_insert(sent.elapsed());
                }
            }
            () = tokio::time::sleep(PATIENCE) => {}
        }
    }
    times.into_iter().map(|(_, took)| took).collect()
}

fn question(server: SocketAddr, socket: &UdpSocket, number: usize, salt: u64) -> Request {
    let local = socket.local_addr().unwrap_or(server);
    let mut request = Request::new(Method::Options, Bytes::from(format!("sip:{server}")));
    let mut put = |name, value: String| request.headers.push(name, value);
    let branch = format!("z9hG4bK{salt:x}o{number}");
    put(
        HeaderName::Via,
        format!("SIP/2.0/UDP {local};branch={branch};rport"),
    );
    put(HeaderName::MaxForwards, "70".to_owned());
    put(
        HeaderName::From,
        format!("<sip:asks@{local}>;tag=o{number}"),
    );
    put(HeaderName::To, format!("<sip:{server}>"));
    put(HeaderName::CallId, format!("{number}-{salt:x}"));
    put(HeaderName::CSeq, "1 OPTIONS".to_owned());
    request
}

fn told(mut figures: RegisterFigures, times: Vec<Option<Duration>>) -> RegisterFigures {
    let late = |took: &Option<Duration>| took.is_none_or(|took| took > PATIENCE);
    figures.asked = times.len() as u64;
    figures.unanswered = times.iter().filter(|took| late(took)).count() as u64;
    let taken = |took: Option<Duration>| took.unwrap_or(PATIENCE).min(PATIENCE);
    let mut ms: Vec<f64> = times
        .into_iter()
        .map(|took| taken(took).as_secs_f64() * 1_000.0)
        .collect();
    ms.sort_by(f64::total_cmp);
    let at = |pct: usize| {
        let place = (ms.len() * pct).div_ceil(100).saturating_sub(1);
        ms.get(place).copied().unwrap_or(0.0)
    };
    figures.options_p50_ms = at(50);
    figures.options_p95_ms = at(95);
    figures.options_p99_ms = at(99);
    figures.options_max_ms = at(100);
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_answered_counts_as_slow() {
        let ms = |n: u64| Some(Duration::from_millis(n));
        let mut times: Vec<Option<Duration>> = (1..=98).map(ms).collect();
        times.extend([None, ms(5_000)]);
        let figures = told(RegisterFigures::default(), times);
        assert_eq!((figures.asked, figures.unanswered), (100, 2));
        let read = [
            figures.options_p50_ms,
            figures.options_p95_ms,
            figures.options_p99_ms,
            figures.options_max_ms,
        ];
        assert_eq!(read, [50.0, 95.0, 2_000.0, 2_000.0]);
        let none = told(RegisterFigures::default(), Vec::new());
        assert_eq!((none.asked, none.options_max_ms), (0, 0.0));
    }

    #[test]
    fn only_answers_to_our_own_requests_are_read() {
        let answer = |id: &str| {
            let mut response = Response::new(401);
            response.headers.push(HeaderName::CallId, id.to_owned());
            response.headers.push(HeaderName::CSeq, "1 REGISTER");
            response.to_bytes()
        };
        let read = |id: &str| response(&answer(id), 0xab).map(|(n, r)| (n, r.code));
        assert_eq!(read("7-ab"), Some((7, 401)));
        assert_eq!((read("7-ac"), read("x-ab"), read("7")), (None, None, None));
    }
}
