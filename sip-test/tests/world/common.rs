//! A user agent for tests: a real endpoint on real sockets, with one leg.

use std::net::SocketAddr;
use std::time::Duration;

use sip::Target;
use sip::header::NameAddr;
use sip::msg::HeaderName;
use sip::sdp::{LocalMedia, read_answer};
use sip::ua::{CallKey, Config, Event, InviteOrder, Login};
use sip_test::plane::{Hearing, LegHandle, Plane, Voice};
use sip_test::{Driver, Ports};

/// Longest wait for anything that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

pub(crate) struct Ua {
    pub(crate) driver: Driver,
    pub(crate) hearing: Hearing,
    plane: Plane,
    ports: Ports,
    local: Option<LocalMedia>,
    leg: Option<LegHandle>,
}

impl Ua {
    pub(crate) async fn new(configure: impl FnOnce(&mut Config)) -> Self {
        let plane = Plane::shared().expect("a media thread");
        let driver = Driver::bind(loopback(), false, plane.clock(), configure);
        Self {
            driver: driver.await.expect("a socket"),
            hearing: Hearing::keeping(),
            plane,
            ports: Ports::any(loopback().ip()),
            local: None,
            leg: None,
        }
    }

    /// Sends an INVITE; what we say goes to the far side once it answers.
    pub(crate) fn call(&mut self, to: SocketAddr, number: &str, voice: Voice) -> CallKey {
        self.call_as(to, number, voice, None)
    }

    pub(crate) fn call_as(
        &mut self,
        to: SocketAddr,
        number: &str,
        voice: Voice,
        login: Option<Login>,
    ) -> CallKey {
        let (socket, address) = self.ports.bind().expect("a port");
        let local = LocalMedia::new(address, 1);
        let own = self.driver.local();
        let target = format!("sip:{number}@{to}").parse().expect("a target");
        let from = format!("sip:+525550001@{own}").parse().expect("a from");
        let from = NameAddr::new(from);
        let mut order = InviteOrder::new(target, Target::udp(to), from, sip::sdp::offer(&local));
        order.login = login;
        let name = HeaderName::from_token(bytes::Bytes::from_static(b"X-Marcador-Attempt"));
        order.headers.push(name, format!("attempt-{number}"));
        self.hearing.reset();
        let leg = self.plane.add(socket, voice, self.hearing.clone());
        self.leg = Some(leg.expect("a leg"));
        self.local = Some(local);
        let now = self.driver.now();
        self.driver
            .endpoint()
            .invite(now, order)
            .expect("an invite")
    }

    /// The first event that fits; media of answers is put through on the way.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut fits: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let event = tokio::time::timeout_at(end, self.driver.next()).await;
            let event = event.unwrap_or_else(|_| panic!("{what} never came"));
            if let Event::Progress { sdp: Some(sdp), .. } | Event::Answered { sdp: Some(sdp), .. } =
                &event
            {
                let local = self.local.as_ref().expect("we called");
                let remote = read_answer(sdp, local).expect("an answer");
                let leg = self.leg.as_ref().expect("a leg");
                leg.remote(Some(remote)).expect("the media thread");
            }
            if let Some(found) = fits(&event) {
                return found;
            }
        }
    }

    pub(crate) async fn answered(&mut self) {
        self.until("the answer", |e| {
            matches!(e, Event::Answered { .. }).then_some(())
        })
        .await;
    }

    pub(crate) async fn ended(&mut self) {
        self.until("the end", |e| {
            matches!(e, Event::Ended { .. }).then_some(())
        })
        .await;
    }

    /// Changes what we say.
    pub(crate) fn say(&self, voice: Voice) {
        self.leg
            .as_ref()
            .expect("a leg")
            .say(voice)
            .expect("the media thread");
    }

    pub(crate) fn hang_up(&mut self, call: CallKey) {
        let now = self.driver.now();
        self.driver
            .endpoint()
            .hang_up(now, call, None)
            .expect("a call");
    }

    /// Drives the sockets until what is heard fits.
    pub(crate) async fn hear(
        &mut self,
        what: &str,
        fits: impl Fn(&sip_test::plane::Heard) -> bool,
    ) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !fits(&self.hearing.heard()) {
            assert!(tokio::time::Instant::now() < end, "{what} was never heard");
            let _ = tokio::time::timeout(Duration::from_millis(50), self.driver.next()).await;
        }
    }
}
