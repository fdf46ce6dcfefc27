//! A simulated carrier behind the `Trunk` port, with its own log of every INVITE and with faults:
//! lost reports, repeated reports, a dead trunk.

mod callers;
mod life;
mod parties;
mod sounds;

pub use callers::CallIn;
pub use sounds::{FIRST_SOUND, UNRECORDED};

pub use crate::mishaps::{Invite, InviteLog, Mishaps, TrunkFaults};

use crate::mishaps::locked;

use crate::fate::{FateMix, Fates, draw};
use async_trait::async_trait;
use domain::entity::RecordMode;
use domain::ids::{AgentId, AttemptId, TransferId, TrunkId};
use domain::ports::{
    Clock, DialOrder, HangUpCause, LegRef, MonitorMode, PartyOrder, PlayWhat, TakeOrder, Trunk,
    TrunkError, TrunkReport,
};
use domain::time::UtcMs;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Length of the simulated safe-harbour message.
const MESSAGE_MS: u64 = 6_000;
/// From the order to the first packet of the agent.
const BRIDGE_MS: u64 = 5;

/// From the INVITE to ringing where nothing else is told, ms.
const SETUP_MS: u64 = 80;

/// Longest delay of a late report, ms.
const DELAY_MAX_MS: u64 = 3_000;

/// A call whose end was lost is silent: told after this.
const SILENCE_MS: u64 = 60_000;

/// How one call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Running,
    Cancelled,
    HungUp,
}

/// Resolves when the call is to stop; a dropped order is one too.
async fn stopped(stop: &mut watch::Receiver<Stop>) {
    let _ = stop.wait_for(|s| *s != Stop::Running).await;
}

/// Resolves when the legs are joined; never when nobody is left to join them.
async fn joined(bridged: &mut watch::Receiver<bool>) {
    if bridged.wait_for(|b| *b).await.is_err() {
        std::future::pending::<()>().await;
    }
}

struct Live {
    stop: watch::Sender<Stop>,
    bridged: watch::Sender<bool>,
    answered: bool,
}

struct State {
    rng: ChaCha8Rng,
    calls: HashMap<AttemptId, Live>,
    legs: HashMap<AgentId, bool>,
    parties: HashMap<TransferId, parties::Guest>,
    /// What agents' phones were told of the transfers that they asked for.
    answers: Vec<(AgentId, u16, &'static str)>,
    mishaps: Mishaps,
    /// Trunks over which numbers were called into calls.
    called_in: Vec<TrunkId>,
    /// Calls that came in and were taken.
    taken: HashMap<AttemptId, TakeOrder>,
    /// What debtors were told.
    heard: HashMap<AttemptId, Vec<PlayWhat>>,
    /// Number of what a leg hears now.
    playing: HashMap<LegRef, u64>,
    /// Recordings that are a machine for sure, as it was told.
    prints: HashMap<TrunkId, Vec<Vec<u8>>>,
    /// How often the recordings of a name were replaced.
    replaced: HashMap<String, u32>,
}

/// The carrier.
#[derive(Clone)]
pub struct SimTrunk {
    state: Arc<Mutex<State>>,
    reports: mpsc::Sender<TrunkReport>,
    clock: Arc<dyn Clock>,
    seed: u64,
    mix: FateMix,
    faults: TrunkFaults,
    dead: Arc<AtomicBool>,
    log: InviteLog,
    fates: Option<Arc<dyn Fates>>,
    sounds: bool,
}

impl SimTrunk {
    /// A carrier that tells `reports`.
    #[must_use]
    pub fn new(
        seed: u64,
        mix: FateMix,
        faults: TrunkFaults,
        clock: Arc<dyn Clock>,
        reports: mpsc::Sender<TrunkReport>,
    ) -> Self {
        let state = State {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x7127),
            calls: HashMap::new(),
            legs: HashMap::new(),
            parties: HashMap::new(),
            answers: Vec::new(),
            called_in: Vec::new(),
            mishaps: Mishaps::default(),
            taken: HashMap::new(),
            heard: HashMap::new(),
            playing: HashMap::new(),
            prints: HashMap::new(),
            replaced: HashMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            reports,
            clock,
            seed,
            mix,
            faults,
            dead: Arc::new(AtomicBool::new(false)),
            log: InviteLog::default(),
            fates: None,
            sounds: false,
        }
    }

    /// What becomes of calls is said by `fates` instead of drawn from the mix.
    #[must_use]
    pub fn with_fates(mut self, fates: Arc<dyn Fates>) -> Self {
        self.fates = Some(fates);
        self
    }

    /// The carrier goes on with the log of an earlier life of our process.
    #[must_use]
    pub fn with_log(mut self, log: InviteLog) -> Self {
        self.log = log;
        self
    }

    /// What went wrong so far.
    #[must_use]
    pub fn mishaps(&self) -> Mishaps {
        self.lock().mishaps
    }

    /// Kills the trunk (calls go nowhere, nothing is reported) or brings it back.
    pub fn set_dead(&self, dead: bool) {
        self.dead.store(dead, Ordering::SeqCst);
    }

    /// The carrier's own log.
    #[must_use]
    pub fn invites(&self) -> Vec<Invite> {
        locked(&self.log).clone()
    }

    /// Drops every call without a word, as when our process dies.
    pub fn crash(&self) {
        let mut state = self.lock();
        for call in state.calls.values() {
            let _ = call.stop.send(Stop::HungUp);
        }
        state.calls.clear();
        state.legs.clear();
    }

    /// The trunk of each number that was called into a call, in their order.
    #[must_use]
    pub fn called_in(&self) -> Vec<TrunkId> {
        self.lock().called_in.clone()
    }

    /// Calls that are up or ringing now.
    #[must_use]
    pub fn live_calls(&self) -> usize {
        self.lock().calls.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Tells a report; `false` when it was lost.
    async fn tell(&self, report: TrunkReport) -> bool {
        // What the recorder sealed is told from its journal: it may come late or twice, never not at all.
        let sure = matches!(report, TrunkReport::RecordingSealed { .. });
        let (copies, late_ms) = {
            let mut state = self.lock();
            let faults = self.faults;
            let roll = state.rng.random_range(0..100);
            let late = state.rng.random_range(0..100) < faults.delayed_pct;
            let late_ms = state.rng.random_range(1..=DELAY_MAX_MS);
            let dead = self.dead.load(Ordering::SeqCst);
            let copies = if !sure && (dead || roll < faults.lost_pct) {
                0
            } else if roll < faults.lost_pct + faults.repeated_pct {
                2
            } else {
                1
            };
            state.mishaps.lost += u64::from(copies == 0);
            state.mishaps.repeated += u64::from(copies == 2);
            state.mishaps.delayed += u64::from(late && copies > 0);
            (copies, late.then_some(late_ms))
        };
        let reports = self.reports.clone();
        let send = async move {
            for _ in 0..copies {
                // A closed channel means that the engine is gone: nobody is left to tell.
                let _ = reports.send(report.clone()).await;
            }
        };
        if let Some(ms) = late_ms {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                send.await;
            });
        } else {
            send.await;
        }
        copies > 0
    }

    async fn ended(
        &self,
        order: &DialOrder,
        code: u16,
        by_us: bool,
        ring_timeout: bool,
        started: Option<UtcMs>,
    ) {
        let at = self.clock.now();
        self.lock().calls.remove(&order.attempt_id);
        if let Some(from) = started.filter(|_| order.record == RecordMode::All) {
            let duration_ms = at.since_ms(from);
            self.tell(TrunkReport::RecordingSealed {
                recording: order.recording_id,
                attempt: order.attempt_id,
                sha256: "0".repeat(64),
                duration_ms,
                bytes: 44 + duration_ms * 32,
                gaps: Vec::new(),
                at,
            })
            .await;
        }
        let told = self
            .tell(TrunkReport::Ended {
                attempt: order.attempt_id,
                at,
                sip_code: Some(code),
                q850: None,
                by_us,
                ring_timeout,
                rtp_in: 0,
                rtp_out: 0,
                rtp_lost: 0,
                result: None,
            })
            .await;
        if !told && started.is_some() {
            tokio::time::sleep(Duration::from_millis(SILENCE_MS)).await;
            let silent_ms = i64::try_from(SILENCE_MS).unwrap_or(0);
            self.tell(TrunkReport::OneWayAudio {
                attempt: order.attempt_id,
                silent_ms,
                at: self.clock.now(),
            })
            .await;
        }
    }

    fn stop_call(&self, attempt: AttemptId, how: Stop) -> Result<(), TrunkError> {
        let state = self.lock();
        let call = state.calls.get(&attempt).ok_or(TrunkError::Gone)?;
        let _ = call.stop.send(how);
        Ok(())
    }
}

#[async_trait]
impl Trunk for SimTrunk {
    async fn know_prints(&self, trunk: TrunkId, prints: Vec<Vec<u8>>) -> Result<(), TrunkError> {
        self.lock().prints.insert(trunk, prints);
        Ok(())
    }

    async fn dial(&self, order: DialOrder) -> Result<(), TrunkError> {
        if self.faults.slow_dial_ms > 0 {
            let ms = self.lock().rng.random_range(0..=self.faults.slow_dial_ms);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let (stop, stop_rx) = watch::channel(Stop::Running);
        let (bridged, bridged_rx) = watch::channel(false);
        let live = Live {
            stop,
            bridged,
            answered: false,
        };
        self.lock().calls.insert(order.attempt_id, live);
        let index = {
            let mut log = locked(&self.log);
            log.push(Invite {
                attempt: order.attempt_id,
                number: order.number.clone(),
                at: self.clock.now(),
            });
            log.len() as u64
        };
        let drawn = || (SETUP_MS, draw(self.seed, index, self.mix));
        let fate = match &self.fates {
            None => drawn(),
            Some(fates) => fates.of(order.attempt_id),
        };
        tokio::spawn(self.clone().run(order, fate, stop_rx, bridged_rx));
        Ok(())
    }

    async fn take_incoming(&self, order: TakeOrder) -> Result<(), TrunkError> {
        self.taken(order)
    }

    async fn cancel(&self, attempt: AttemptId) -> Result<(), TrunkError> {
        self.stop_call(attempt, Stop::Cancelled)
    }

    async fn bridge(&self, attempt: AttemptId, agent: AgentId) -> Result<(), TrunkError> {
        {
            let state = self.lock();
            if !state.legs.get(&agent).copied().unwrap_or(false) {
                return Err(TrunkError::NoPhone);
            }
            let call = state
                .calls
                .get(&attempt)
                .filter(|c| c.answered)
                .ok_or(TrunkError::Gone)?;
            let _ = call.bridged.send(true);
        }
        // What he was hearing is over, and its end is told to nobody.
        self.plays(LegRef::Debtor(attempt), None);
        let me = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(BRIDGE_MS)).await;
            me.tell(TrunkReport::Bridged {
                attempt,
                agent,
                at: me.clock.now(),
            })
            .await;
        });
        Ok(())
    }

    async fn unbridge(&self, attempt: AttemptId) -> Result<(), TrunkError> {
        self.lock()
            .calls
            .contains_key(&attempt)
            .then_some(())
            .ok_or(TrunkError::Gone)
    }

    async fn play(&self, leg: LegRef, what: PlayWhat) -> Result<(), TrunkError> {
        let number = self.plays(leg, Some(&what));
        let message = matches!(
            what,
            PlayWhat::SafeHarbour { .. } | PlayWhat::Voicemail { .. } | PlayWhat::Spoken { .. }
        );
        if message {
            let me = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(MESSAGE_MS)).await;
                if !me.still_plays(leg, number) {
                    return;
                }
                me.tell(TrunkReport::Played {
                    leg,
                    at: me.clock.now(),
                })
                .await;
            });
        }
        Ok(())
    }

    async fn sound_of(&self, _client: &str, _language: &str, part: &str) -> Option<String> {
        Some(self.hash_of(part))
    }

    async fn wav_of(&self, what: PlayWhat) -> Option<Vec<u8>> {
        Self::said(&what)
    }

    async fn hold(&self, attempt: AttemptId, _on: bool) -> Result<(), TrunkError> {
        self.unbridge(attempt).await
    }

    async fn mute(&self, attempt: AttemptId, _on: bool) -> Result<(), TrunkError> {
        self.unbridge(attempt).await
    }

    async fn record(&self, attempt: AttemptId, _on: bool) -> Result<(), TrunkError> {
        self.unbridge(attempt).await
    }

    async fn send_dtmf(&self, attempt: AttemptId, _digit: char) -> Result<(), TrunkError> {
        self.unbridge(attempt).await
    }

    async fn monitor(
        &self,
        attempt: AttemptId,
        _supervisor: AgentId,
        _mode: Option<MonitorMode>,
    ) -> Result<(), TrunkError> {
        self.unbridge(attempt).await
    }

    async fn invite_party(&self, order: PartyOrder) -> Result<(), TrunkError> {
        self.bring_in(order)
    }

    async fn seat_party(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        self.guest_up(attempt, party)
    }

    async fn drop_party(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        self.send_away(attempt, party)
    }

    async fn answer_transfer(
        &self,
        agent: AgentId,
        code: u16,
        why: &'static str,
    ) -> Result<(), TrunkError> {
        self.hears_of_transfer(agent, code, why)
    }

    async fn hang_up(&self, attempt: AttemptId, _cause: HangUpCause) -> Result<(), TrunkError> {
        self.stop_call(attempt, Stop::HungUp)
    }

    async fn open_agent_leg(&self, agent: AgentId, _sip_user: &str) -> Result<(), TrunkError> {
        self.lock().legs.insert(agent, true);
        let me = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            // The leg's own reports are not lost: an agent without one is simply not ready.
            let _ = me
                .reports
                .send(TrunkReport::AgentLegUp {
                    agent,
                    at: me.clock.now(),
                })
                .await;
        });
        Ok(())
    }

    async fn close_agent_leg(&self, agent: AgentId) -> Result<(), TrunkError> {
        self.lock().legs.remove(&agent);
        Ok(())
    }

    async fn phone_registered(&self, _sip_user: &str) -> bool {
        true
    }
}
