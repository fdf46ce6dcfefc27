//! The part that is measured by `bench signalling`: voice beside the journal, calls without audio.

use super::args::PartArgs;
use super::asterisk::together;
use super::child::{Told, say};
use super::room;
use crate::clock::system_now;
use crate::node::Calls;
use anyhow::{Context as _, bail};
use domain::entity::{AttemptState, CallResult, RecordMode};
use domain::ids::{AttemptId, ImportId};
use domain::ports::store::{AttemptChange, Candidate, NodeLease, OpenDraft, OpenOutcome};
use domain::ports::store::{Closing, ReserveRequest};
use domain::ports::{HangUpCause, Store, TrunkReport};
use domain::time::HOUR_MS;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use sim::contract::judges::Allow;
use sim::contract::scene::{Person, Scene, event, fresh, node, refill, request};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use voice::Voice;

/// Debtors stored at once.
const BATCH: usize = 1_000;
/// Journal entries under way at once; a call waits when they are used up.
const WRITING: usize = 256;
/// Longest wait for what is still open after the last call.
const PATIENCE: Duration = Duration::from_secs(40);

/// What it says once the journal is filled.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) debtors: u32,
}

/// What it says once every call is up, where calls are held until told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Up {
    pub(super) up: u32,
}

/// What it says at the end of each turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) started: u32,
    pub(super) answered: u32,
    pub(super) failed: u32,
    /// From the order to the 200 OK, milliseconds; the journal is before it.
    pub(super) set_up_p50_ms: f64,
    pub(super) set_up_p99_ms: f64,
    /// To open an attempt in the journal, milliseconds.
    pub(super) journal_p50_ms: f64,
    pub(super) journal_p99_ms: f64,
    /// From the first call's start to the last one's.
    pub(super) seconds: f64,
}

/// What a journal entry came to.
enum Written {
    /// The attempt is in the journal after so long, and was ordered.
    Dialed(Duration),
    /// It is in the journal and was not taken.
    NotTaken(Duration),
    Refused,
    Told,
}

/// When each call was ordered.
type Dialed = Arc<Mutex<HashMap<AttemptId, Instant>>>;

struct SetUp {
    voice: Voice,
    store: Arc<dyn Store>,
    drafts: VecDeque<OpenDraft>,
    /// Carried out by this task: what a task of their own would cost is the bench's, not the journal's.
    writing: FuturesUnordered<BoxFuture<'static, anyhow::Result<Written>>>,
    dialed: Dialed,
    hold: Option<Duration>,
    up: VecDeque<(Instant, AttemptId)>,
    /// Calls of all turns; each has a number of its own.
    ordered: u32,
    ended: u32,
    times: (Vec<Duration>, Vec<Duration>),
    done: Done,
}

/// Carries it out where the product carries calls.
pub(super) async fn run(args: &PartArgs) -> anyhow::Result<()> {
    let (calls, args) = (Calls::start()?, args.clone());
    let work = calls.handle().spawn(async move { carry_out(&args).await });
    work.await?
}

async fn carry_out(args: &PartArgs) -> anyhow::Result<()> {
    let voice = room::start(args).await?;
    let url = format!("sqlite://{}", args.dir.join("journal.db").display());
    let sql = store::SqlStore::connect(&url).await?;
    sql.migrate().await?;
    let store: Arc<dyn Store> = Arc::new(sql.clone());
    let drafts = fill(&store, args.calls).await?;
    let mut told = Told::new();
    say(&Ready {
        debtors: args.calls,
    })?;
    let mut set_up = SetUp {
        voice,
        store,
        drafts,
        writing: FuturesUnordered::new(),
        dialed: Dialed::default(),
        hold: (args.hold_ms > 0).then(|| Duration::from_millis(args.hold_ms)),
        up: VecDeque::new(),
        ordered: 0,
        ended: 0,
        times: (Vec::new(), Vec::new()),
        done: Done::default(),
    };
    // Each line is the number of calls of a turn.
    while let Ok(line) = told.next().await {
        let calls = serde_json::from_str(&line).context("calls of a turn")?;
        set_up.dial_all(args, calls).await?;
        if set_up.hold.is_none() {
            say(&Up {
                up: set_up.done.answered,
            })?;
            told.next().await?;
            set_up.hold = Some(Duration::ZERO);
        }
        set_up.rest(calls).await?;
        say(&set_up.figures())?;
    }
    set_up.voice.handle.shutdown().await;
    sql.close().await;
    Ok(())
}

/// A client with so many debtors, all reserved; what opens an attempt on each.
async fn fill(store: &Arc<dyn Store>, calls: u32) -> anyhow::Result<VecDeque<OpenDraft>> {
    let scene = Scene::new(store).await;
    let mut left = usize::try_from(calls)?;
    while left > 0 {
        // The lines of a file: the second holds its first row.
        let rows: Vec<_> = (2..)
            .take(left.min(BATCH))
            .map(|line| scene.draft_person().row(line))
            .collect();
        left -= rows.len();
        store
            .import_batch(fresh::<ImportId>(), &rows, false, &[])
            .await?;
    }
    let campaign = scene.draft_campaign();
    store.put_campaign(&campaign, &[]).await?;
    refill(store, &campaign).await;
    let lease = node(store).await;
    let mut drafts = VecDeque::new();
    loop {
        let base = request(&campaign, &lease, u32::try_from(BATCH)?);
        let wish = ReserveRequest {
            until: base.now.plus_ms(HOUR_MS),
            ..base
        };
        let held = store.reserve_contacts(&wish).await?;
        if held.is_empty() {
            break;
        }
        drafts.extend(held.into_iter().map(|c| draft(c, &lease)));
    }
    if drafts.len() < usize::try_from(calls)? {
        bail!("{} of {calls} debtors could be reserved", drafts.len());
    }
    Ok(drafts)
}

fn draft(candidate: Candidate, lease: &NodeLease) -> OpenDraft {
    let person = Person {
        debtor: candidate.facts.debtor,
        debt: candidate.facts.debts[0].clone(),
        point: candidate.facts.points[0].clone(),
    };
    person.draft(
        lease,
        Some(candidate.item.campaign_id),
        sim::contract::scene::NOW,
    )
}

impl SetUp {
    async fn dial_all(&mut self, args: &PartArgs, calls: u32) -> anyhow::Result<()> {
        let start = Instant::now();
        let together = together(args.rate, args.tick_ms);
        let pace = Duration::from_secs_f64(f64::from(together) / f64::from(args.rate.max(1)));
        let mut next = tokio::time::interval(pace);
        next.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while self.done.started < calls {
            let room = self.writing.len() < WRITING;
            tokio::select! {
                _ = next.tick(), if room => (0..together.min(calls - self.done.started)).for_each(|_| self.open()),
                turned = self.turn() => turned?,
            }
        }
        self.done.seconds = start.elapsed().as_secs_f64();
        let until = Instant::now() + PATIENCE;
        while self.done.answered + self.done.failed < calls {
            match tokio::time::timeout_at(until, self.turn()).await {
                Ok(turned) => turned?,
                Err(_) => bail!("calls without an answer: {:?}", self.done),
            }
        }
        Ok(())
    }

    async fn rest(&mut self, calls: u32) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while self.ended + self.done.failed < calls || !self.writing.is_empty() {
            match tokio::time::timeout_at(until, self.turn()).await {
                Ok(turned) => turned?,
                Err(_) => bail!("{} of {calls} calls ended: {:?}", self.ended, self.done),
            }
        }
        Ok(())
    }

    /// The attempt into the journal; the INVITE follows. One call waits for no other, as in the product.
    fn open(&mut self) {
        let Some(draft) = self.drafts.pop_front() else {
            return;
        };
        self.done.started += 1;
        self.ordered += 1;
        let order = room::order(self.ordered, draft.attempt.id, RecordMode::None);
        let (store, trunk) = (self.store.clone(), self.voice.trunk.clone());
        let dialed = Arc::clone(&self.dialed);
        self.writing.push(Box::pin(async move {
            let start = Instant::now();
            let OpenOutcome::Opened(..) = store.open_attempt(&draft, &Allow).await? else {
                return Ok(Written::Refused);
            };
            let took = start.elapsed();
            if let Ok(mut dialed) = dialed.lock() {
                dialed.insert(draft.attempt.id, Instant::now());
            }
            Ok(match trunk.dial(order).await {
                Ok(()) => Written::Dialed(took),
                Err(_) => Written::NotTaken(took),
            })
        }));
    }

    /// Whatever happens next.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let due = match (self.hold, self.up.front()) {
            (Some(hold), Some((at, _))) => Some(*at + hold),
            _ => None,
        };
        tokio::select! {
            Some(written) = self.writing.next() => match written? {
                Written::Dialed(took) => self.times.1.push(took),
                Written::NotTaken(took) => {
                    self.times.1.push(took);
                    self.done.failed += 1;
                }
                Written::Refused => self.done.failed += 1,
                Written::Told => {}
            },
            report = self.voice.reports.recv() => {
                self.report(&report.context("voice has ended")?);
            }
            () = until(due) => {
                if let Some((_, attempt)) = self.up.pop_front() {
                    let trunk = self.voice.trunk.clone();
                    self.writing.push(Box::pin(async move {
                        let _ = trunk.hang_up(attempt, HangUpCause::Normal).await;
                        Ok(Written::Told)
                    }));
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, report: &TrunkReport) {
        match report {
            TrunkReport::Answered { attempt, .. } => {
                let at = self.dialed.lock().ok();
                let at = at.and_then(|dialed| dialed.get(attempt).copied());
                if let Some(at) = at {
                    self.times.0.push(at.elapsed());
                }
                self.done.answered += 1;
                self.up.push_back((Instant::now(), *attempt));
                let change = AttemptChange {
                    state: Some(AttemptState::Answered),
                    answered_at: Some(system_now()),
                    ..AttemptChange::default()
                };
                self.note(*attempt, change);
            }
            TrunkReport::Ended {
                attempt, sip_code, ..
            } => {
                let answered = *sip_code == Some(200);
                if answered {
                    self.ended += 1;
                } else {
                    self.done.failed += 1;
                }
                self.close(*attempt, answered);
            }
            _ => {}
        }
    }

    fn note(&mut self, attempt: AttemptId, change: AttemptChange) {
        let store = self.store.clone();
        self.writing.push(Box::pin(async move {
            let told = [event("attempt.answered", &format!("attempt:{attempt}"))];
            store.note_attempt(attempt, &change, &told).await?;
            Ok(Written::Told)
        }));
    }

    fn close(&mut self, attempt: AttemptId, answered: bool) {
        let store = self.store.clone();
        let result = if answered {
            CallResult::Human
        } else {
            CallResult::NoAnswer
        };
        let closing = Closing {
            ended_at: Some(system_now()),
            result: Some(result),
            events: vec![event("attempt.ended", &format!("attempt:{attempt}"))],
            ..Closing::default()
        };
        self.writing.push(Box::pin(async move {
            store.close_attempt(attempt, &closing).await?;
            Ok(Written::Told)
        }));
    }

    fn figures(&mut self) -> Done {
        let at = |times: &mut Vec<Duration>, pct: usize| {
            times.sort();
            let place = (times.len() * pct / 100).min(times.len().saturating_sub(1));
            times.get(place).map_or(0.0, |t| t.as_secs_f64() * 1_000.0)
        };
        self.ended = 0;
        let (mut set_up, mut journal) = std::mem::take(&mut self.times);
        let (set_up, journal) = (&mut set_up, &mut journal);
        Done {
            set_up_p50_ms: at(set_up, 50),
            set_up_p99_ms: at(set_up, 99),
            journal_p50_ms: at(journal, 50),
            journal_p99_ms: at(journal, 99),
            ..std::mem::take(&mut self.done)
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
