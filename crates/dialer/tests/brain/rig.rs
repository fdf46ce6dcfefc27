//! A shell around the brain: keeps the time, feeds hoppers, remembers what was ordered and checks the
//! invariants after every step.

use dialer::{
    AbandonRule, AgentSpec, CallOver, CallRules, CampaignSpec, Command, DialTask, Dialer,
    EndReport, Input, Item, Lean, OpenResult, Phase, Refusal, ReleaseWhy, TrunkSpec, Window, Wish,
};
use domain::entity::{DialMode, Language, NextAgent};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtorId, PersonId, PointId, TrunkId};
use domain::law::pack::FormulaId;
use domain::ports::IdSource;
use domain::rules::agent_state::AgentState;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

pub(crate) const T0: UtcMs = UtcMs(1_795_446_000_000);

pub(crate) fn agent(n: u128) -> AgentId {
    AgentId(Uuid::from_u128(0xA000 + n))
}

pub(crate) fn campaign(n: u128) -> CampaignId {
    CampaignId(Uuid::from_u128(0xC000 + n))
}

pub(crate) fn trunk(n: u128) -> TrunkId {
    TrunkId(Uuid::from_u128(0x7000 + n))
}

pub(crate) fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(0xD000_0000 + n))
}

/// The house's rule with a cap of its own, percent.
pub(crate) const fn plain(cap_pct: f64) -> AbandonRule {
    AbandonRule {
        formula: FormulaId::PlainDay,
        window: Window::Day,
        cap_pct,
        target_pct: 0.93 * cap_pct,
    }
}

/// A campaign in power with three lines an agent; tests change what they are about.
pub(crate) fn power(n: u128) -> CampaignSpec {
    CampaignSpec {
        id: campaign(n),
        client: ClientId(Uuid::from_u128(0xCC)),
        mode: DialMode::Power,
        lines_per_agent: 3.0,
        priority: 3,
        weight: 50,
        tick_ms: 250,
        rules: CallRules::default(),
        cps_max: None,
        lines_max: None,
        lines_per_agent_max: None,
        trunks: Vec::new(),
        hopper_min: None,
        hopper_factor: 2.0,
        preview_max_ms: 60_000,
        preview_skip: true,
        cap_pct: 3.0,
        target_pct: 2.8,
        amd_fp_pct: 0.0,
        lean: Lean::default(),
        day_began: T0.plus_ms(-2 * HOUR_MS),
        day_ends: T0.plus_ms(10 * HOUR_MS),
        skills: Vec::new(),
        next_agent: NextAgent::LongestReady,
        card_first: false,
    }
}

pub(crate) fn in_mode(mode: DialMode) -> CampaignSpec {
    CampaignSpec { mode, ..power(1) }
}

struct Counted(AtomicU64);

impl IdSource for Counted {
    fn next(&self, _: UtcMs) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1)
    }
}

/// The brain with what it ordered.
pub(crate) struct Rig {
    pub(crate) brain: Dialer,
    pub(crate) now: UtcMs,
    wait: UtcMs,
    debtors: u128,
    /// Probability of an answer that items carry, by their number.
    pub(crate) answers: Option<fn(u128) -> f64>,
    /// Whether hoppers are filled on request.
    pub(crate) feeds: bool,
    /// Every order, oldest first.
    pub(crate) log: Vec<(UtcMs, Command)>,
    /// Items handed to the brain.
    pub(crate) stocked: u64,
}

impl Rig {
    /// A trunk of 100 channels and 100 starts a second, hoppers that never run dry.
    pub(crate) fn new() -> Self {
        Self::with_trunk(100, 100)
    }

    pub(crate) fn with_trunk(channels: u32, cps: u32) -> Self {
        let mut rig = Self {
            brain: Dialer::new(Arc::new(Counted(AtomicU64::new(0)))),
            now: T0,
            wait: T0,
            debtors: 0,
            answers: None,
            feeds: true,
            log: Vec::new(),
            stocked: 0,
        };
        rig.put_trunk(1, channels, cps);
        rig
    }

    pub(crate) fn put_trunk(&mut self, n: u128, channels: u32, cps: u32) {
        let spec = TrunkSpec {
            id: trunk(n),
            channels,
            cps,
        };
        self.tell(Input::Trunk(spec));
    }

    /// Hands over an input that may not be refused.
    pub(crate) fn tell(&mut self, input: Input) {
        let what = format!("{input:?}");
        if let Err(refusal) = self.ask(input) {
            panic!("{what} was refused: {refusal}");
        }
    }

    /// Hands over an input; carries out refills; checks the invariants.
    pub(crate) fn ask(&mut self, input: Input) -> Result<(), Refusal> {
        let done = self.brain.handle(self.now, input);
        loop {
            let mut refills = Vec::new();
            for command in self.brain.drain() {
                match command {
                    Command::Wait(at) => self.wait = at,
                    Command::Refill { campaign, want } => refills.push((campaign, want.0)),
                    other => self.log.push((self.now, other)),
                }
            }
            if refills.is_empty() {
                break;
            }
            for (campaign, want) in refills {
                let count = if self.feeds { want } else { 0 };
                let items: Vec<Item> = (0..count).map(|_| self.item(campaign)).collect();
                self.stocked += items.len() as u64;
                let stock = Input::Stock {
                    campaign,
                    items,
                    more: self.feeds,
                };
                self.brain
                    .handle(self.now, stock)
                    .expect("stock is never refused");
            }
        }
        let breaches = self.brain.breaches(self.now);
        assert!(breaches.is_empty(), "{breaches:?}");
        done
    }

    /// A new debtor, ready to be dialed.
    pub(crate) fn item(&mut self, campaign: CampaignId) -> Item {
        self.debtors += 1;
        let n = self.debtors;
        Item {
            campaign,
            client: ClientId(Uuid::from_u128(0xCC)),
            debtor: DebtorId(Uuid::from_u128(0xDD00_0000 + n)),
            person: person(n),
            point: PointId(Uuid::from_u128(0xEE00_0000 + n)),
            agent_only: false,
            ring_min_ms: 20_000,
            agent_within_ms: 2_000,
            lease_until: self.now.plus_ms(15 * MINUTE_MS),
            priority: 0,
            own_agent: None,
            own_only: false,
            abandon: plain(3.0),
            short_calls: None,
            closes_at: None,
            language: Language::Es,
            avoid: None,
            answer: self.answers.map(|of| of(n)),
        }
    }

    pub(crate) fn stock(&mut self, campaign: CampaignId, items: Vec<Item>) {
        self.stocked += items.len() as u64;
        self.tell(Input::Stock {
            campaign,
            items,
            more: false,
        });
    }

    /// Lets time pass; the brain is asked whenever it wanted to be.
    pub(crate) fn pass(&mut self, ms: i64) {
        let end = self.now.plus_ms(ms);
        while self.wait <= end {
            self.now = self.wait.max(self.now.plus_ms(1));
            self.tell(Input::Tick);
        }
        self.now = end;
        self.tell(Input::Tick);
    }

    pub(crate) fn run(&mut self, spec: CampaignSpec) {
        self.tell(Input::Campaign(Box::new(spec)));
    }

    /// Signs agents in, ready with their voice leg up.
    pub(crate) fn ready(&mut self, agents: impl IntoIterator<Item = u128>) {
        for n in agents {
            self.sign_in(n);
            self.wish(n, Wish::Ready);
        }
    }

    pub(crate) fn sign_in(&mut self, n: u128) {
        self.tell(Input::AgentIn(Box::new(AgentSpec {
            id: agent(n),
            campaigns: Vec::new(),
            skills: Vec::new(),
            needs_leg: true,
        })));
        self.tell(Input::Leg {
            agent: agent(n),
            up: true,
        });
    }

    pub(crate) fn wish(&mut self, n: u128, wish: Wish) {
        self.tell(Input::Wish {
            agent: agent(n),
            wish,
        });
    }

    pub(crate) fn state(&self, n: u128) -> AgentState {
        self.brain.agent(agent(n)).expect("a known agent").state()
    }

    /// Every dial ordered so far.
    pub(crate) fn dials(&self) -> Vec<DialTask> {
        self.log
            .iter()
            .filter_map(|(_, c)| match c {
                Command::Dial(task) => Some((**task).clone()),
                _ => None,
            })
            .collect()
    }

    /// Calls that are not answered.
    pub(crate) fn ringing(&self) -> Vec<AttemptId> {
        self.brain
            .calls()
            .filter(|c| matches!(c.phase, Phase::Opening | Phase::Dialing))
            .map(|c| c.attempt)
            .collect()
    }

    pub(crate) fn overs(&self) -> Vec<CallOver> {
        self.log
            .iter()
            .filter_map(|(_, c)| match c {
                Command::Over(over) => Some((**over).clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn released(&self, why: ReleaseWhy) -> usize {
        self.log
            .iter()
            .filter(|(_, c)| matches!(c, Command::Release { why: w, .. } if *w == why))
            .count()
    }

    pub(crate) fn cancelled(&self) -> BTreeSet<AttemptId> {
        self.log
            .iter()
            .filter_map(|(_, c)| match c {
                Command::Cancel(attempt) => Some(*attempt),
                _ => None,
            })
            .collect()
    }

    /// When a command that fits was ordered first.
    pub(crate) fn when(&self, fits: impl Fn(&Command) -> bool) -> Option<UtcMs> {
        self.log.iter().find(|(_, c)| fits(c)).map(|(at, _)| *at)
    }

    pub(crate) fn opened(&mut self, attempt: AttemptId) {
        self.tell(Input::OpenDone {
            attempt,
            result: OpenResult::Opened,
        });
        self.tell(Input::Sent(attempt));
        self.tell(Input::Ringing(attempt));
    }

    pub(crate) fn answer(&mut self, attempt: AttemptId) {
        self.opened(attempt);
        let at = self.now;
        self.tell(Input::Answered { attempt, at });
    }

    /// The agent whom an answered call was given to is joined.
    pub(crate) fn join(&mut self, attempt: AttemptId) -> AgentId {
        let agent = self
            .brain
            .call(attempt)
            .and_then(|c| c.agent)
            .expect("an agent for the answer");
        let at = self.now;
        self.tell(Input::Bridged { attempt, agent, at });
        agent
    }

    /// The far end is gone, with a SIP status.
    pub(crate) fn end(&mut self, attempt: AttemptId, code: u16) {
        self.tell(Input::Ended {
            attempt,
            end: EndReport {
                sip_code: Some(code),
                ..EndReport::default()
            },
        });
    }

    pub(crate) fn dispose(&mut self, attempt: AttemptId) {
        self.tell(Input::Disposed {
            attempt,
            then: None,
        });
    }
}
