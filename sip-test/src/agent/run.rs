//! The agent's loop: socket, requests and phone around the desk.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use super::desk::{Action, Answer, Ask, Desk, Ears, MAX_LEAVE_MS};
use super::http::Api;
use super::socket::Socket;
use super::{AgentConfig, AgentFigures};
use crate::SipTestError;
use crate::phone::Phone;

/// How often the agent looks what is due.
const TICK: Duration = Duration::from_millis(100);
/// How often he pings; silent for 5 s he counts as gone.
const PING: Duration = Duration::from_secs(2);
/// Silence of the server after which the connection counts as dead.
const DEAF: Duration = Duration::from_secs(10);
/// First wait before signing in again; it doubles.
const AGAIN: Duration = Duration::from_millis(500);
/// Longest wait before signing in again.
const AGAIN_MOST: Duration = Duration::from_secs(5);
/// Longest time to sign out.
const SIGN_OUT: Duration = Duration::from_secs(2);

/// Sends requests one at a time, beside the socket, whose pings must not wait.
struct Hands {
    asks: mpsc::Sender<Ask>,
    answers: mpsc::Receiver<Answer>,
    task: JoinHandle<()>,
}

impl Hands {
    fn new(mut api: Api) -> Self {
        let (asks, mut queue) = mpsc::channel::<Ask>(1);
        let (reply, answers) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            while let Some(ask) = queue.recv().await {
                if reply.send(api.carry_out(&ask).await).await.is_err() {
                    return;
                }
            }
        });
        Self {
            asks,
            answers,
            task,
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a session with the server ended.
enum Over {
    /// He goes home.
    Left,
    /// The connection is gone.
    Lost(SipTestError),
}

pub(super) struct Agent {
    name: String,
    api: Api,
    phone: Phone,
    desk: Desk,
    report: watch::Sender<AgentFigures>,
    /// Until when he may finish his call, once he is to leave.
    leave_by: Option<Instant>,
}

impl Agent {
    pub(super) fn new(
        config: &AgentConfig,
        api: Api,
        phone: Phone,
        report: watch::Sender<AgentFigures>,
    ) -> Self {
        Self {
            name: config.username.clone(),
            desk: Desk::new(config.behaviour.clone(), config.seed, &config.username),
            api,
            phone,
            report,
            leave_by: None,
        }
    }

    pub(super) async fn work(mut self, mut stopped: oneshot::Receiver<()>) -> AgentFigures {
        let mut wait = AGAIN;
        while self.leave_by.is_none() {
            let opened = tokio::select! {
                opened = self.open() => opened,
                _ = &mut stopped => break,
            };
            let lost = match opened {
                Ok(socket) => match self.session(socket, &mut stopped).await {
                    Over::Left => break,
                    Over::Lost(error) => {
                        wait = AGAIN;
                        error
                    }
                },
                Err(error) => error,
            };
            tracing::debug!(agent = %self.name, error = %lost, "not connected, comes back");
            self.desk.figures.faults += 1;
            self.publish();
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(AGAIN_MOST),
                _ = &mut stopped => break,
            }
        }
        self.go_home().await
    }

    async fn open(&mut self) -> Result<Socket, SipTestError> {
        self.api.sign_in().await?;
        self.desk.figures.sign_ins += 1;
        let url = self.api.socket_url().await?;
        let socket = Socket::open(&url).await?;
        self.desk.connected();
        Ok(socket)
    }

    /// Works until the socket is lost or he has left.
    async fn session(&mut self, mut socket: Socket, stopped: &mut oneshot::Receiver<()>) -> Over {
        let mut hands = Hands::new(self.api.clone());
        // Whatever was asked over the last connection: its answer is not to be had any more.
        self.desk.answered(Answer::Fault, self.now());
        let (mut tick, mut ping) = (interval(TICK), interval(PING));
        let mut deaf_at = Instant::now() + DEAF;
        loop {
            let actions = tokio::select! {
                message = socket.next() => match message {
                    Ok(message) => {
                        deaf_at = Instant::now() + DEAF;
                        let (now, ears) = (self.now(), self.ears());
                        self.desk.message(message, now, &ears)
                    }
                    Err(error) => return Over::Lost(error),
                },
                Some(answer) = hands.answers.recv() => {
                    self.desk.answered(answer, self.now());
                    Vec::new()
                }
                _ = tick.tick() => {
                    let (now, ears) = (self.now(), self.ears());
                    self.desk.tick(now, &ears)
                }
                _ = ping.tick() => match socket.ping().await {
                    Ok(()) => Vec::new(),
                    Err(error) => return Over::Lost(error),
                },
                _ = &mut *stopped, if self.leave_by.is_none() => {
                    self.desk.leave();
                    self.leave_by = Some(Instant::now() + Duration::from_millis(MAX_LEAVE_MS));
                    Vec::new()
                }
                () = tokio::time::sleep_until(deaf_at) => {
                    return Over::Lost(SipTestError::Late("any message of the server"));
                }
            };
            for action in actions {
                if let Err(error) = self.carry_out(action, &mut socket, &hands).await {
                    return Over::Lost(error);
                }
            }
            self.publish();
            let late = self.leave_by.is_some_and(|at| Instant::now() >= at);
            if self.desk.may_go() || late {
                socket.close().await;
                return Over::Left;
            }
        }
    }

    async fn carry_out(
        &self,
        action: Action,
        socket: &mut Socket,
        hands: &Hands,
    ) -> Result<(), SipTestError> {
        match action {
            Action::Ack(attempt) => socket.ack(&attempt).await,
            Action::Subscribe(known) => socket.subscribe(known.as_ref()).await,
            Action::Forget => {
                self.phone.hearing().reset();
                Ok(())
            }
            Action::Speak(on) => self.phone.speak(on),
            Action::Renew => self.phone.renew(),
            Action::Reconnect => Err(SipTestError::Socket("signed out by the server".to_owned())),
            Action::Ask(ask) => hands
                .asks
                .try_send(ask)
                .map_err(|_| SipTestError::Gone("the agent's hands")),
        }
    }

    fn now(&self) -> u64 {
        self.phone.clock().now().0
    }

    fn ears(&self) -> Ears {
        let heard = self.phone.hearing().heard();
        Ears {
            first_debtor_ms: heard.first_debtor_ms,
            last_debtor_ms: heard.last_debtor_ms,
            beep_ms: heard.beep_ms,
        }
    }

    fn publish(&mut self) {
        self.desk.figures.phone(&self.phone.state());
        self.report.send_if_modified(|old| {
            let changed = *old != self.desk.figures;
            if changed {
                old.clone_from(&self.desk.figures);
            }
            changed
        });
    }

    async fn go_home(mut self) -> AgentFigures {
        // A server that is gone is left without a word.
        let _ = tokio::time::timeout(SIGN_OUT, self.api.sign_out()).await;
        let state = self.phone.stop().await;
        self.desk.figures.phone(&state);
        self.report.send_replace(self.desk.figures.clone());
        self.desk.figures
    }
}

fn interval(every: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
