//! Answers whose sound is judged before an agent gets them: persons and what is not clear in time go to
//! an agent, machines are left alone or get a message after their beep.

use super::Dialer;
use crate::call::Phase;
use crate::pacing::Observation;
use crate::talk::{Command, Heard};
use domain::entity::CallResult;
use domain::ids::AttemptId;
use domain::ports::HangUpCause;
use domain::rules::detector::is_checked;
use domain::time::UtcMs;

impl Dialer {
    /// Whoever answered is listened to first; nobody is told of a live answer yet.
    pub(super) fn listen(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        call.enter(now, Phase::Judging);
        let campaign = call.item.campaign;
        self.observe_call(now, campaign, attempt, Observation::Picked);
        self.arm(attempt);
        // An answer that was told late has its time behind it.
        if self
            .calls
            .get(&attempt)
            .is_some_and(|c| c.deadline() <= now)
        {
            self.live(now, attempt);
        }
    }

    /// A live answer: an agent at once, or it waits for one.
    pub(super) fn live(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if call.phase == Phase::Judging && call.clock_at.is_none() && call.by_greeting() {
            // It was still speaking: the law's time begins now at the earliest.
            call.clock_at = Some(now);
        }
        call.enter(now, Phase::Waiting);
        let campaign = call.item.campaign;
        self.observe_call(now, campaign, attempt, Observation::Answered);
        if self.seek_agent(now, attempt) {
            return;
        }
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.waited = true;
        }
        self.arm(attempt);
        // An answer at or past the limit hears the message at once.
        if self
            .calls
            .get(&attempt)
            .is_some_and(|c| c.deadline() <= now)
        {
            self.call_limit(now, attempt);
        }
    }

    /// What an answer sounds like.
    pub(super) fn judged(&mut self, now: UtcMs, attempt: AttemptId, heard: Heard) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        let listening = call.phase == Phase::Judging;
        if listening && call.by_greeting() {
            let answered = call.answered_at.unwrap_or(now);
            call.clock_at = heard.greeting_end.map(|at| at.max(answered).min(now));
        }
        let acts = call.rules.judging.acts() && !is_checked(attempt);
        let waits = call.phase == Phase::Waiting && call.queued.is_none();
        match heard.machine {
            // Who is silent listens to the message.
            Some(CallResult::DeadAir) if call.hears_message() => {}
            // No agent would check what a message is told to.
            Some(_) if call.hears_message() => self.machine(now, attempt, heard),
            // Who waits for an agent and turns out to be a machine waits no longer.
            Some(_) if acts && (listening || waits) => {
                self.machine(now, attempt, heard);
            }
            _ if listening => self.live(now, attempt),
            _ => {}
        }
    }

    fn machine(&mut self, now: UtcMs, attempt: AttemptId, heard: Heard) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        call.machine = heard.machine;
        let (agent, campaign) = (call.agent.take(), call.item.campaign);
        let told = call.hears_message();
        if heard.leave {
            call.enter(now, Phase::Beep);
        }
        if heard.leave && told {
            self.push(Command::Hush(attempt));
        }
        self.observe_call(now, campaign, attempt, Observation::NotAnswered);
        if let Some(agent) = agent {
            self.unreserve(now, agent, Some(attempt));
        }
        if heard.leave {
            self.arm(attempt);
            if heard.beep {
                self.beep(now, attempt);
            }
        } else {
            // A machine is not hung up on: nobody waits.
            if let Some(call) = self.calls.get_mut(&attempt) {
                call.enter(now, Phase::Leaving);
            }
            self.end_call(now, attempt, HangUpCause::Normal);
        }
        self.launch_now = true;
    }

    /// Nobody will answer, as the network says by a tone: the line is free for another call.
    pub(super) fn toned(&mut self, now: UtcMs, attempt: AttemptId, result: CallResult) {
        let Some(call) = self.calls.get_mut(&attempt).filter(|c| c.unanswered()) else {
            return;
        };
        call.machine = Some(result);
        call.ended_by_us = true;
        call.enter(now, Phase::Ending);
        let agent = call.agent.take();
        self.push(Command::Cancel(attempt));
        self.arm(attempt);
        if let Some(agent) = agent {
            self.unreserve(now, agent, Some(attempt));
        }
    }

    /// The machine's beep was heard: the message may begin.
    pub(super) fn beep(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if let Some(result) = call.machine {
            call.machine = Some(with_beep(result));
        }
        if call.phase != Phase::Beep {
            return;
        }
        call.enter(now, Phase::Leaving);
        self.push(Command::Leave(attempt));
        self.arm(attempt);
    }
}

const fn with_beep(result: CallResult) -> CallResult {
    use CallResult as R;
    match result {
        R::MachineNoBeep => R::MachineBeep,
        other => other,
    }
}
