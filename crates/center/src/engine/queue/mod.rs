//! Callers in the engine: the queue and what is said in it, keys, kept places, announcements, figures.

mod away;
mod duty;
mod found;
mod keys;
mod offers;
mod say;
mod sums;

use super::Engine;
use crate::inbound::{Arrival, Came, Elsewhere, Guest};
use crate::live::{CallCtx, CallEntry};
use crate::scribe::{self, Step};
use dialer::{DialTask, EndReport, Incoming, Input};
use domain::entity::{Attempt, AttemptState, Direction, InboundCall, InboundOutcome, RecordMode};
use domain::ids::{AttemptId, CampaignId, TrunkId, VerdictId};
use domain::law::InboundDuty;
use domain::ports::store::{InboundCount, PlaceKept};
use domain::ports::{HangUpCause, TakeOrder, TrunkReport};
use domain::time::{SECOND_MS, UtcMs};
use say::Announced;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Semaphore, mpsc};

/// Joins of a queue that its pace is told from.
const PACE_JOINS: usize = 20;
/// Who was joined sooner found an agent free, ms.
const WAITED_MS: i64 = 3_000;
/// Most callers who are looked up at once; more are hung up on.
const ARRIVING_MAX: usize = 2_000;
/// Longest notice before an agent gets him, ms: its end may be told to nobody.
const NOTICE_MAX_MS: i64 = 8 * SECOND_MS;

/// What a caller hears now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    /// Ring-back or an agentless message; nothing of the queue yet.
    Nothing,
    /// That he is recorded: no agent gets him before it is over.
    Notice,
    /// An announcement.
    Words,
    /// Music until the next one.
    Music,
}

/// One who waits for an agent, or talks with one since.
pub(crate) struct Caller {
    /// His row; `None` for who asked for an agent from an agentless message.
    row: Option<InboundCall>,
    campaign: CampaignId,
    since: UtcMs,
    /// What has become of him so far.
    outcome: InboundOutcome,
    hears: Hears,
    next_at: UtcMs,
    /// He leaves the queue: his place is kept, or he wants no more calls, and what he hears says so.
    kept: bool,
    /// The call-back was offered to him.
    offered: bool,
}

impl Caller {
    fn new(campaign: CampaignId, since: UtcMs, now: UtcMs, row: Option<InboundCall>) -> Self {
        Self {
            row,
            campaign,
            since,
            outcome: InboundOutcome::Open,
            hears: Hears::Nothing,
            next_at: now,
            kept: false,
            offered: false,
        }
    }

    /// His wait is over, and how.
    fn becomes(&mut self, now: UtcMs, outcome: InboundOutcome) {
        self.outcome = outcome;
        if let Some(row) = &mut self.row {
            row.outcome = outcome;
            row.wait_ms = now.since_ms(row.at);
        }
    }
}

/// Callers and figures of their queues.
pub(crate) struct Callers {
    /// Rows of callers who were not answered that may be written at once.
    turned: Arc<Semaphore>,
    /// Calls that are looked up; who hangs up meanwhile is none of them any more.
    arriving: BTreeSet<AttemptId>,
    live: BTreeMap<AttemptId, Caller>,
    /// Calls that only hear the announcement.
    announced: BTreeMap<AttemptId, Announced>,
    /// Places that are kept, by the attempt that their call-back will be.
    kept: BTreeMap<AttemptId, PlaceKept>,
    /// Of them those that the store was seen to have.
    written: BTreeSet<AttemptId>,
    /// Places that were kept here until a moment ago, newest last.
    given_up: VecDeque<PlaceKept>,
    /// Who sits on other nodes, where there are any.
    elsewhere: Elsewhere,
    /// When callers of a campaign were joined, newest last, and how long that took since the one before was joined
    /// or, when nobody waited then, since he came; of those who had to wait, ms.
    joins: BTreeMap<CampaignId, VecDeque<(UtcMs, Option<i64>)>>,
    counts: BTreeMap<CampaignId, Counts>,
    /// Since when this node counts callers itself.
    began: Option<UtcMs>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            turned: Arc::new(Semaphore::new(ARRIVING_MAX)),
            arriving: BTreeSet::new(),
            live: BTreeMap::new(),
            announced: BTreeMap::new(),
            kept: BTreeMap::new(),
            written: BTreeSet::new(),
            given_up: VecDeque::new(),
            elsewhere: Elsewhere::default(),
            joins: BTreeMap::new(),
            counts: BTreeMap::new(),
            began: None,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    offered: u64,
    answered: u64,
    in_time: u64,
    gave_up: u64,
    call_back: u64,
    opted_out: u64,
    announced: u64,
    wait_ms: i64,
    /// Beginning of the campaign's day, once somebody has looked.
    day: Option<UtcMs>,
    /// What this node does not count itself.
    elsewhere: InboundCount,
    /// What the packs of those who called ask of the line.
    duty: Option<InboundDuty>,
    /// The day's callers over all nodes, in time as the duty has it.
    line: Option<InboundCount>,
}

impl Engine {
    /// The telephone side answered somebody who called one of our numbers.
    pub(in crate::engine) fn came_in(&mut self, came: Came) {
        if self.callers.arriving.len() >= ARRIVING_MAX {
            self.order_hang_up(came.attempt, HangUpCause::Normal);
            self.turned_away(came, InboundOutcome::Overloaded);
            return;
        }
        self.callers.arriving.insert(came.attempt);
        self.callers.began.get_or_insert(came.at);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(crate::inbound::arrive(shared, came));
    }

    /// A caller was not answered.
    pub(in crate::engine) fn turned_away_report(&mut self, report: TrunkReport) {
        if let TrunkReport::TurnedAway {
            attempt,
            trunk,
            caller,
            called,
            code,
            at,
        } = report
        {
            let came = Came {
                attempt,
                trunk,
                caller,
                called,
                at,
            };
            self.turned_away(came, crate::inbound::why_turned_away(code));
        }
    }

    /// A caller who was not answered has a row that says why.
    fn turned_away(&mut self, came: Came, outcome: InboundOutcome) {
        let Ok(place) = Arc::clone(&self.callers.turned).try_acquire_owned() else {
            self.shared
                .fault("a caller was turned away without a row", &came.attempt);
            return;
        };
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            crate::inbound::turned_away(&shared, came, outcome).await;
            drop(place);
        });
    }

    /// One who was turned away was offered to his campaign's queue.
    pub(crate) fn count_turned_away(&mut self, campaign: CampaignId) {
        self.counts_of(campaign).offered += 1;
        self.board.touch();
    }

    /// A caller hung up before it was known who he is.
    pub(in crate::engine) fn arrival_over(&mut self, attempt: AttemptId) {
        self.callers.arriving.remove(&attempt);
    }

    /// The place a new caller would have, or why he cannot wait.
    pub(crate) fn queue_room(
        &self,
        campaign: CampaignId,
        most: i32,
    ) -> Result<i32, InboundOutcome> {
        let waiting = i32::try_from(self.waiting_of(campaign).len()).unwrap_or(i32::MAX);
        if waiting >= most {
            return Err(InboundOutcome::QueueFull);
        }
        if !self.campaigns.contains_key(&campaign) {
            return Err(InboundOutcome::NotServed);
        }
        if self.staffed(campaign) {
            Ok(waiting + 1)
        } else {
            Err(InboundOutcome::NoAgents)
        }
    }

    /// Callers of a campaign who wait, first first.
    fn waiting_of(&self, campaign: CampaignId) -> Vec<(UtcMs, AttemptId)> {
        let ours = |id: &AttemptId| {
            let call = self.brain.call(*id);
            call.is_some_and(|c| c.item.campaign == campaign)
        };
        let calls = self.brain.queue().filter(|(id, _)| ours(id));
        let kept = self.brain.places().iter();
        let kept = kept.filter(|p| p.item.campaign == campaign);
        let mut all: Vec<(UtcMs, AttemptId)> = calls
            .map(|(id, since)| (since, id))
            .chain(kept.map(|p| (p.since, p.attempt)))
            .collect();
        all.sort_unstable();
        all
    }

    /// What is written of a caller before he waits.
    pub(crate) fn arrival(
        &self,
        now: UtcMs,
        guest: Guest,
        (id, trunk, at): (AttemptId, TrunkId, UtcMs),
        row: InboundCall,
    ) -> Arrival {
        let Guest {
            stocked,
            item,
            rules,
            wait_ms,
            caller,
            file: _,
        } = guest;
        let mode = stocked.setting.campaign.params.mode;
        let task = DialTask {
            attempt: id,
            item,
            trunk,
            agent: None,
            mode,
            rules,
        };
        let ctx = CallCtx {
            caller,
            inbound: Some(wait_ms),
            ..self.context(now, task, stocked)
        };
        let attempt = Attempt {
            direction: Direction::Inbound,
            state: AttemptState::Answered,
            answered_at: Some(at),
            agent_reserved: false,
            ..self.row(now, &ctx, VerdictId(self.shared.id()))
        };
        Arrival {
            ctx: Arc::new(ctx),
            row,
            attempt,
        }
    }

    /// A caller whose attempt is durable waits from now on.
    pub(crate) fn enqueue(&mut self, now: UtcMs, arrival: Arrival) {
        let Arrival { ctx, row, attempt } = arrival;
        let (id, at) = (attempt.id, row.at);
        let (scribe, steps) = mpsc::channel(scribe::STEPS_MAX);
        let mut entry = CallEntry::new(Arc::clone(&ctx), scribe, Arc::new(AtomicBool::new(false)));
        entry.answered_at = Some(at);
        self.calls.insert(id, entry);
        tokio::spawn(scribe::follow(
            Arc::clone(&self.shared),
            Arc::clone(&ctx),
            steps,
        ));
        self.counts_of(ctx.stocked.setting.id()).offered += 1;
        let caller = Caller::new(ctx.stocked.setting.id(), at, now, Some(row));
        self.callers.live.insert(id, caller);
        if !self.callers.arriving.remove(&id) {
            // He hung up while he was looked up: no agent is given to nobody.
            self.brain_never_had(now, id, InboundOutcome::GaveUp);
            return;
        }
        let record = ctx.task.rules.record;
        self.take_call(&ctx);
        if record == RecordMode::All {
            self.open_tape(id, at);
        }
        // Whom nobody knows no script tells that he is recorded, and he may find an agent at once.
        let notice = record == RecordMode::All && ctx.stocked.facts.debtor.is_stranger();
        let came = Incoming {
            attempt: id,
            item: ctx.task.item.clone(),
            trunk: ctx.task.trunk,
            rules: ctx.task.rules,
            at,
            wait_ms: ctx.inbound.unwrap_or(0),
            notice,
        };
        if self.ask(now, Input::Incoming(Box::new(came))).is_err() {
            // Another call of his began meanwhile: the attempt ends as nobody's.
            self.order_hang_up(id, HangUpCause::Normal);
            self.brain_never_had(now, id, InboundOutcome::Busy);
            return;
        }
        if notice {
            self.notice(now, id, &ctx.stocked);
        }
        self.say_in_queues(now);
        self.board.touch();
    }

    /// The brain refused him, or never heard of him: his attempt is closed here.
    fn brain_never_had(&mut self, now: UtcMs, id: AttemptId, outcome: InboundOutcome) {
        if let Some(mut caller) = self.callers.live.remove(&id) {
            self.settle_row(now, &mut caller, outcome);
            if let Some(row) = caller.row {
                self.step(id, Step::PutInbound(Box::new(row)));
            }
        }
        if let Some(entry) = self.calls.remove(&id) {
            let closing = crate::closing::never_left(&self.shared, &entry.ctx, now);
            let (answer, _) = tokio::sync::oneshot::channel();
            self.write(&entry, Step::Close(Box::new(closing), answer));
        }
    }

    /// Tells the telephone side that the call is ours, and what is recorded of it.
    fn take_call(&self, ctx: &CallCtx) {
        let params = &ctx.stocked.setting.campaign.params;
        let order = TakeOrder {
            attempt_id: ctx.id,
            record: ctx.task.rules.record,
            recording_id: ctx.recording_id,
            recording_key: ctx.recording_key.clone(),
            mask_dtmf: params.mask_dtmf,
        };
        let trunk = Arc::clone(&self.shared.out.trunk);
        let (id, post) = (ctx.id, self.shared.post.clone());
        self.order_trunk("take", async move {
            let taken = trunk.take_incoming(order).await;
            if taken.is_err() {
                // Gone, and its end may have been told before it was ours.
                let _ = trunk.hang_up(id, HangUpCause::Normal).await;
                let end = EndReport::default();
                post.tell(move |engine, now| engine.take(now, Input::Ended { attempt: id, end }))
                    .await;
            }
            taken
        });
    }

    /// A caller and an agent are joined.
    pub(in crate::engine) fn caller_joined(&mut self, at: UtcMs, attempt: AttemptId) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let setting = Arc::clone(&entry.ctx.stocked.setting);
        let agent = entry.agent;
        let Some(caller) = self.callers.live.get_mut(&attempt) else {
            return;
        };
        let wait_ms = at.since_ms(caller.since).max(0);
        caller.outcome = InboundOutcome::Answered;
        let row = caller.row.as_mut().map(|row| {
            row.answered_at = Some(at);
            row.agent_id = agent;
            row.outcome = InboundOutcome::Answered;
            row.wait_ms = wait_ms;
            row.clone()
        });
        let joins = self.callers.joins.entry(setting.id()).or_default();
        let before = joins.back().map(|(before, _)| *before);
        let took = before.filter(|_| wait_ms >= WAITED_MS);
        joins.push_back((at, took.map(|before| at.since_ms(before).min(wait_ms))));
        if joins.len() > PACE_JOINS {
            joins.pop_front();
        }
        let limit = setting.campaign.params.inbound.service_level_s * SECOND_MS;
        let counts = self.counts_of(setting.id());
        counts.answered += 1;
        counts.in_time += u64::from(wait_ms <= limit);
        counts.wait_ms += wait_ms;
        if let Some(row) = row {
            self.step(attempt, Step::PutInbound(Box::new(row)));
        }
        self.board.touch();
    }

    /// He waited in vain: what he hears now is the announcement.
    pub(in crate::engine) fn caller_late(&mut self, now: UtcMs, attempt: AttemptId) {
        if let Some(caller) = self.callers.live.get_mut(&attempt) {
            caller.becomes(now, InboundOutcome::TimedOut);
        }
    }

    /// His call is over: its outcome is settled. Before the attempt's writer hears of the end.
    pub(in crate::engine) fn caller_over(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(mut caller) = self.callers.live.remove(&attempt) else {
            return;
        };
        self.settle_row(now, &mut caller, InboundOutcome::GaveUp);
        if let Some(row) = caller.row {
            self.step(attempt, Step::PutInbound(Box::new(row)));
        }
    }

    fn settle_row(&mut self, now: UtcMs, caller: &mut Caller, open: InboundOutcome) {
        if caller.outcome == InboundOutcome::Open {
            caller.becomes(now, open);
        }
        if let Some(row) = &mut caller.row {
            row.ended_at = Some(now);
        }
        let outcome = caller.outcome;
        let counts = self.counts_of(caller.campaign);
        counts.gave_up += u64::from(outcome == InboundOutcome::GaveUp);
        counts.opted_out += u64::from(outcome == InboundOutcome::OptedOut);
        counts.announced += u64::from(outcome.announced());
        self.board.touch();
    }

    /// Whether a debtor called us, for his card.
    pub(in crate::engine) fn is_caller(&self, attempt: AttemptId) -> Option<&'static str> {
        let caller = self.callers.live.get(&attempt)?;
        Some(if caller.row.is_some() {
            "inbound"
        } else {
            "asked_for_agent"
        })
    }
}
