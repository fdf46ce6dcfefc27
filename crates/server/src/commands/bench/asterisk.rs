//! Asterisk beside us: the same calls at the same moments to the same far end, originated by its manager interface
//! (AMI), its CPU counted by process. How it is set up for that is in the README of `voice`.

use super::args::AsteriskArgs;
use super::process::cpu_seconds;
use anyhow::{Context as _, bail};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Longest wait for the answer to the log-in.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last calls' ends are waited for, beyond what they are held.
const AFTER: Duration = Duration::from_millis(1_500);
/// Most of an answer to the log-in, octets.
const ANSWER: usize = 4_096;

/// A manager who is logged in.
pub(super) struct Asterisk {
    pid: u32,
    endpoint: String,
    line: OwnedWriteHalf,
    /// Reads what is answered and throws it away, so that nothing jams.
    reads: JoinHandle<()>,
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        self.reads.abort();
    }
}

/// So many calls, some at each tick.
pub(super) struct Wave {
    pub(super) calls: u32,
    pub(super) rate: u32,
    pub(super) tick_ms: u32,
    pub(super) hold_ms: u64,
}

impl Asterisk {
    pub(super) async fn open(args: &AsteriskArgs) -> anyhow::Result<Option<Self>> {
        let (Some(ami), Some(pid)) = (args.ami, args.asterisk_pid) else {
            return Ok(None);
        };
        let stream = TcpStream::connect(ami).await.context("--ami")?;
        let (mut answers, mut line) = stream.into_split();
        let (user, secret) = (&args.ami_user, &args.ami_secret);
        let login =
            format!("Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n");
        line.write_all(login.as_bytes()).await?;
        let mut heard = Vec::new();
        let login = async {
            let mut piece = [0; ANSWER];
            while heard.len() < ANSWER && !heard.windows(9).any(|w| w == b"Response:") {
                let n = answers.read(&mut piece).await?;
                if n == 0 {
                    break;
                }
                heard.extend_from_slice(piece.get(..n).unwrap_or_default());
            }
            Ok::<_, std::io::Error>(())
        };
        tokio::time::timeout(PATIENCE, login).await??;
        if !String::from_utf8_lossy(&heard).contains("Response: Success") {
            bail!("Asterisk's manager interface did not take the user and the secret");
        }
        let reads = tokio::spawn(async move {
            let mut piece = [0; ANSWER];
            while answers.read(&mut piece).await.is_ok_and(|n| n > 0) {}
        });
        Ok(Some(Self {
            pid,
            endpoint: args.asterisk_endpoint.clone(),
            line,
            reads,
        }))
    }

    /// CPU of a call, microseconds, from its order to its end.
    pub(super) async fn calls(&mut self, to: SocketAddr, wave: &Wave) -> anyhow::Result<f64> {
        let together = together(wave.rate, wave.tick_ms);
        let pace = Duration::from_secs_f64(f64::from(together) / f64::from(wave.rate.max(1)));
        let cpu = cpu_seconds(self.pid)?;
        let mut next = tokio::time::interval(pace);
        // The manager's `Wait` counts whole seconds and parts of them.
        let hold = Duration::from_millis(wave.hold_ms);
        let mut done = 0;
        while done < wave.calls {
            next.tick().await;
            let mut text = String::new();
            for n in done..wave.calls.min(done + together) {
                self.originate(&mut text, n, to, hold)?;
            }
            done = wave.calls.min(done + together);
            self.line.write_all(text.as_bytes()).await?;
        }
        tokio::time::sleep_until(Instant::now() + hold + AFTER).await;
        let used = cpu_seconds(self.pid)? - cpu;
        Ok(used * 1e6 / f64::from(wave.calls.max(1)))
    }

    fn originate(
        &self,
        text: &mut String,
        n: u32,
        to: SocketAddr,
        hold: Duration,
    ) -> std::fmt::Result {
        let endpoint = &self.endpoint;
        write!(
            text,
            "Action: Originate\r\nActionID: {n}\r\nChannel: PJSIP/{endpoint}/sip:52551{n:07}@{to}\r\n\
             Application: Wait\r\nData: {}\r\nCallerID: 5255500000\r\nTimeout: 20000\r\nAsync: true\r\n\r\n",
            hold.as_secs_f64()
        )
    }
}

/// Calls of a tick; one where there is none.
pub(super) fn together(rate: u32, tick_ms: u32) -> u32 {
    (rate.saturating_mul(tick_ms) / 1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_has_its_share_of_a_second() {
        assert_eq!(together(100, 250), 25);
        assert_eq!(together(300, 0), 1);
        assert_eq!(together(2, 250), 1);
    }

    #[tokio::test]
    async fn who_is_not_asked_for_is_not_measured() {
        let none = AsteriskArgs::default();
        assert!(
            Asterisk::open(&none)
                .await
                .expect("nothing to do")
                .is_none()
        );
    }

    #[tokio::test]
    async fn a_refused_log_in_is_told() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("binds");
        let ami = listener.local_addr().expect("bound");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("comes");
            let answer = b"Asterisk Call Manager/9\r\nResponse: Error\r\nMessage: Authentication failed\r\n\r\n";
            stream.write_all(answer).await.expect("hears");
        });
        let args = AsteriskArgs {
            ami: Some(ami),
            asterisk_pid: Some(std::process::id()),
            ..AsteriskArgs::default()
        };
        let error = Asterisk::open(&args).await.err().expect("refused");
        assert!(error.to_string().contains("did not take"), "{error}");
    }
}
