//! The store in memory: the readable specification of the `Store` port. One lock, every method one
//! critical section, so that each is a transaction by construction.

mod attempts;
mod bank_files;
mod callers;
mod catalog;
mod claims;
mod contacts;
mod departures;
mod detector;
mod due_items;
mod file_tasks;
mod floor;
mod import_aside;
mod import_rows;
mod imports;
mod inbound;
mod interest;
mod keeps;
mod law;
mod members;
mod merges;
mod messages;
mod messages_ends;
mod money;
mod nodes;
mod owned;
mod past;
mod payers;
mod people;
mod plans;
mod portfolio;
mod receipt_steps;
mod receipts;
mod recovery;
mod reports;
mod segment_rows;
mod sounds;
mod stage_facts;
mod stages;
mod strategies;
mod trail;
mod visits;

use owned::Owned;
pub(crate) use reports::kpi_world;

use crate::mishaps::locked;
use domain::entity::{
    Agent, Assignment, AssignmentRule, Attempt, Call, CallTrail, CallerId, Campaign,
    CampaignTemplate, CampaignVersion, Client, Complaint, Consent, ContactPoint, Debt, DebtItem,
    Debtor, Disposition, DncList, Hold, Import, ImportMap, LedgerRow, Override, Party, Payment,
    Placement, Portfolio, Preference, Promise, Recording, RecordingKeep, Script, Segment,
    Suppression, Team, Transfer, Trunk, User, Verdict,
};
use domain::event::{Event, NewEvent};
use domain::ids::{
    AgentId, ApiKeyId, AssignmentRuleId, AttemptId, CallId, CallerIdId, CampaignId,
    CampaignTemplateId, CampaignVersionId, ClientId, ComplaintId, ConsentId, DebtId, DebtorId,
    DncListId, EventId, HoldId, ImportId, ImportMapId, OverrideId, PartyId, PaymentId, PlacementId,
    PointId, PortfolioId, PreferenceId, PromiseId, RecordingId, ScriptId, SegmentId, SessionId,
    SuppressionId, TeamId, TransferId, TrunkId, UserId, VerdictId,
};
use domain::law::ClientLaw;
use domain::ports::store::{
    ApiKey, CallerRest, IdempotentReply, ItemState, LoginFailures, SessionRow, StoreError,
};
use domain::time::UtcMs;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// A lease on a campaign item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) campaign: CampaignId,
    pub(crate) node: String,
    pub(crate) fence: i64,
    pub(crate) until: UtcMs,
}

/// A session family with the hashes it has used up.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) row: SessionRow,
    pub(crate) spent: BTreeSet<String>,
}

/// What the law said of a debtor, with the facts that it was asked of, or that it is being asked.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// Claim, facts.
    Claimed(i64, String),
    /// From, until, facts.
    Made(UtcMs, UtcMs, String),
}

/// Every table. Public fields inside the crate: the checkers read them.
#[derive(Debug, Default)]
pub struct Tables {
    pub(crate) clients: BTreeMap<ClientId, Client>,
    pub(crate) portfolios: BTreeMap<PortfolioId, Portfolio>,
    pub(crate) debtors: BTreeMap<DebtorId, Debtor>,
    /// Files on their way in, and their pieces.
    pub(crate) imports: BTreeMap<ImportId, Import>,
    pub(crate) pieces: BTreeMap<(ImportId, i64), String>,
    /// Whom a line of a file made or changed.
    pub(crate) import_lines: BTreeMap<(ImportId, u64), DebtorId>,
    /// Who works on a file, and until when.
    pub(crate) turns: BTreeMap<ImportId, (String, UtcMs)>,
    /// Debtors of whom a file that is half in shows already what it changes.
    pub(crate) shown: BTreeMap<ImportId, u64>,
    /// The placement of a debt.
    pub(crate) placed: BTreeMap<DebtId, PlacementId>,
    /// The file that made a debtor.
    pub(crate) made_by: BTreeMap<DebtorId, ImportId>,
    /// What files that are being accepted change of what others see.
    pub(crate) aside: Vec<(ImportId, import_aside::Aside)>,
    /// Merged files, and where a file's rows are now.
    pub(crate) merges: BTreeMap<domain::ids::MergeId, domain::entity::Merge>,
    pub(crate) merged_into: BTreeMap<DebtorId, DebtorId>,
    pub(crate) import_maps: BTreeMap<ImportMapId, ImportMap>,
    pub(crate) placements: BTreeMap<PlacementId, Placement>,
    /// The client's score of a debtor.
    pub(crate) scores: BTreeMap<DebtorId, i64>,
    /// When the law lets a debtor be called, as it was asked.
    pub(crate) callable: BTreeMap<DebtorId, Mark>,
    /// Claims given out.
    pub(crate) claims_given: i64,
    /// What each version of a segment said.
    pub(crate) segment_versions: BTreeMap<(SegmentId, i32), Segment>,
    pub(crate) debts: Owned<DebtId, Debt>,
    /// Due items of the debts that have any, oldest first.
    pub(crate) debt_items: BTreeMap<DebtId, Vec<DebtItem>>,
    pub(crate) parties: Owned<PartyId, Party>,
    pub(crate) points: Owned<PointId, ContactPoint>,
    pub(crate) consents: Owned<ConsentId, Consent>,
    pub(crate) holds: Owned<HoldId, Hold>,
    /// Presumptions relaxed.
    pub(crate) overrides: Owned<OverrideId, Override>,
    /// What clients' contracts ask, every version.
    pub(crate) client_laws: Vec<Arc<ClientLaw>>,
    pub(crate) suppressions: BTreeMap<SuppressionId, Suppression>,
    pub(crate) segments: BTreeMap<SegmentId, Segment>,
    pub(crate) campaigns: BTreeMap<CampaignId, Campaign>,
    pub(crate) scripts: BTreeMap<ScriptId, Script>,
    pub(crate) dispositions: BTreeMap<String, Disposition>,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) teams: BTreeMap<TeamId, Team>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) trunks: BTreeMap<TrunkId, Trunk>,
    pub(crate) caller_ids: BTreeMap<CallerIdId, CallerId>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) recordings: BTreeMap<RecordingId, Recording>,
    pub(crate) keeps: BTreeMap<RecordingId, RecordingKeep>,
    pub(crate) transfers: BTreeMap<TransferId, Transfer>,
    pub(crate) trails: BTreeMap<AttemptId, (UtcMs, CallTrail)>,
    pub(crate) heard: BTreeMap<AttemptId, domain::ports::store::HeardCall>,
    /// How calls stood before a person turned out to have been hung up on: result and code.
    pub(crate) lost_calls:
        BTreeMap<AttemptId, (Option<domain::entity::CallResult>, Option<String>)>,
    pub(crate) prints: Vec<domain::ports::store::HeardPrint>,
    pub(crate) voicemails: BTreeMap<domain::ids::VoicemailId, domain::entity::VoicemailTemplate>,
    pub(crate) promises: Owned<PromiseId, Promise>,
    pub(crate) payments: Owned<PaymentId, Payment>,
    /// Money before it is on a debt, and what each payment did.
    pub(crate) money: receipts::MoneyTables,
    /// How debts stood, by debt and day.
    pub(crate) debt_marks: BTreeMap<(DebtId, i64), domain::entity::DebtMark>,
    /// What came in on the debts of a portfolio, as it was last measured.
    pub(crate) recovery: BTreeMap<domain::ids::PortfolioId, Vec<domain::entity::RecoverySum>>,
    pub(crate) goals: BTreeMap<domain::ids::GoalId, domain::entity::Goal>,
    pub(crate) spells: BTreeMap<uuid::Uuid, domain::entity::AgentSpell>,
    pub(crate) interest_rules: Vec<domain::entity::InterestRule>,
    pub(crate) accruals: BTreeMap<DebtId, domain::entity::Accrual>,
    pub(crate) addresses: BTreeMap<domain::ids::AddressId, domain::entity::Address>,
    pub(crate) policies: BTreeMap<domain::ids::PolicyId, domain::entity::PolicyVersion>,
    pub(crate) plans: BTreeMap<domain::ids::PlanId, domain::entity::Plan>,
    pub(crate) instalments: BTreeMap<domain::ids::InstalmentId, domain::entity::Instalment>,
    pub(crate) plan_documents:
        BTreeMap<(domain::ids::PlanId, &'static str), domain::ports::store::PlanDocument>,
    pub(crate) stages: BTreeMap<DebtId, domain::entity::DebtStage>,
    pub(crate) excuses: BTreeMap<domain::ids::ExcuseId, domain::entity::Excuse>,
    pub(crate) letter_templates:
        BTreeMap<domain::ids::LetterTemplateId, domain::entity::LetterTemplate>,
    pub(crate) letter_batches: BTreeMap<domain::ids::LetterBatchId, domain::entity::LetterBatch>,
    pub(crate) letters: BTreeMap<domain::ids::LetterId, domain::entity::Letter>,
    pub(crate) visits: BTreeMap<domain::ids::VisitId, domain::entity::Visit>,
    pub(crate) claims: BTreeMap<domain::ids::ClaimId, domain::entity::Claim>,
    pub(crate) preferences: BTreeMap<PreferenceId, Preference>,
    pub(crate) dnc_lists: BTreeMap<DncListId, DncList>,
    pub(crate) dnc_entries: BTreeSet<(DncListId, String)>,
    pub(crate) complaints: BTreeMap<ComplaintId, Complaint>,
    pub(crate) campaign_versions: BTreeMap<CampaignVersionId, CampaignVersion>,
    pub(crate) campaign_templates: BTreeMap<CampaignTemplateId, CampaignTemplate>,
    pub(crate) assignment_rules: BTreeMap<AssignmentRuleId, AssignmentRule>,
    pub(crate) assignments: BTreeMap<DebtorId, Assignment>,
    pub(crate) caller_rests: BTreeMap<CallerIdId, CallerRest>,
    pub(crate) text_templates: BTreeMap<domain::ids::TextTemplateId, domain::entity::TextTemplate>,
    pub(crate) text_template_versions:
        BTreeMap<(domain::ids::TextTemplateId, i32), domain::entity::TextTemplate>,
    pub(crate) messages: BTreeMap<domain::ids::MessageId, domain::entity::Message>,
    pub(crate) message_leases: BTreeMap<domain::ids::MessageId, UtcMs>,
    pub(crate) gateways: BTreeMap<String, domain::ports::store::GatewayRow>,
    pub(crate) inbox: BTreeMap<domain::ids::InboxId, domain::entity::InboxMessage>,
    pub(crate) strategies: BTreeMap<domain::ids::StrategyId, domain::entity::Strategy>,
    pub(crate) strategy_versions:
        BTreeMap<(domain::ids::StrategyId, i32), domain::entity::Strategy>,
    pub(crate) planned_steps: BTreeMap<domain::ids::PlannedStepId, domain::entity::PlannedStep>,
    /// Part of a campaign's mix that an item came in by; the first where none is noted.
    pub(crate) parts: BTreeMap<(CampaignId, DebtorId), u32>,
    /// Calls that came in.
    pub(crate) inbound: BTreeMap<AttemptId, domain::entity::InboundCall>,
    /// What was heard before the answer.
    pub(crate) early: BTreeMap<AttemptId, domain::ports::store::EarlySound>,
    /// Places in queues that nodes keep.
    pub(crate) places: Vec<domain::ports::store::PlaceKept>,
    /// Calls of debtors from numbers that are not to be kept, and when.
    pub(crate) borrowed: BTreeMap<AttemptId, UtcMs>,
    pub(crate) attempts: Owned<AttemptId, Attempt>,
    pub(crate) ledger: Vec<LedgerRow>,
    pub(crate) verdicts: BTreeMap<VerdictId, Verdict>,
    pub(crate) items: BTreeMap<(CampaignId, DebtorId), ItemState>,
    pub(crate) leases: BTreeMap<DebtorId, Lease>,
    pub(crate) events: Vec<Event>,
    pub(crate) event_ids: BTreeSet<EventId>,
    /// Events not yet handed to the bus, by cursor.
    pub(crate) outbox: BTreeMap<i64, Event>,
    pub(crate) nodes: BTreeMap<String, (i64, UtcMs)>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) sessions: BTreeMap<SessionId, Family>,
    pub(crate) api_keys: BTreeMap<ApiKeyId, ApiKey>,
    pub(crate) failures: BTreeMap<String, LoginFailures>,
    pub(crate) replies: BTreeMap<(String, String), KeptReply>,
    /// Who takes idempotency keys: the last node that was registered, and its fence.
    pub(crate) registered: Option<(String, i64)>,
}

/// An idempotency key: its reply once there is one, when it was taken or answered, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct KeptReply {
    pub(crate) reply: Option<IdempotentReply>,
    pub(crate) at: UtcMs,
    pub(crate) by: Option<(String, i64)>,
}

impl Tables {
    /// Puts an attempt there as if a node had made it: earlier history for a test.
    pub fn put_attempt(&mut self, attempt: Attempt) {
        self.attempts.insert(attempt.id, attempt);
    }

    /// Puts a row of the ledger there, likewise.
    pub fn put_ledger(&mut self, row: LedgerRow) {
        self.ledger.push(row);
    }

    /// Appends events; an id that is there already is not appended again.
    pub(crate) fn append(&mut self, events: &[NewEvent]) {
        for event in events.iter().filter(|e| self.event_ids.insert(e.id)) {
            let cursor = self.events.last().map_or(1, |e| e.cursor + 1);
            let stored = Event {
                cursor,
                schema: 1,
                event: event.clone(),
            };
            for spell in domain::entity::AgentSpell::ended_by(event) {
                self.spells.insert(spell.id, spell);
            }
            self.outbox.insert(cursor, stored.clone());
            self.events.push(stored);
        }
    }

    /// Keeps what each version of a segment says.
    pub(crate) fn keep_versions(&mut self) {
        for s in self.segments.values() {
            self.segment_versions
                .entry((s.id, s.version))
                .or_insert_with(|| Segment {
                    created_at: s.updated_at,
                    ..s.clone()
                });
        }
    }

    pub(crate) fn point_of(&self, id: PointId) -> Option<&ContactPoint> {
        self.points.get(&id)
    }
}

/// How slow the simulated database is.
#[derive(Debug)]
struct Latency {
    rng: ChaCha8Rng,
    most_ms: u64,
}

/// The store in memory. `set_down(true)` makes every method fail as a dead database would.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    down: AtomicBool,
    latency: Mutex<Option<Latency>>,
    crash: Crash,
}

/// A crash planned right behind the commit of an attempt.
#[derive(Debug, Default)]
struct Crash {
    left: AtomicU64,
    due: Notify,
}

impl MemoryStore {
    /// An empty store that answers at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the database unreachable, or reachable again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Every method takes 0 to `most_ms` ms from now on, drawn from the seed; needs a runtime with time.
    pub fn set_latency(&self, seed: u64, most_ms: u64) {
        *locked(&self.latency) = Some(Latency {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x57_03),
            most_ms,
        });
    }

    /// Runs `read` on the tables; used by checkers and worlds.
    pub fn with<R>(&self, read: impl FnOnce(&mut Tables) -> R) -> R {
        read(&mut locked(&self.tables))
    }

    /// Plans a crash: [`MemoryStore::crash_due`] resolves once `opens` more attempts are committed.
    pub(crate) fn crash_after(&self, opens: u64) {
        self.crash.left.store(opens, Ordering::SeqCst);
    }

    /// Resolves right behind the commit that the planned crash waits for.
    pub(crate) async fn crash_due(&self) {
        self.crash.due.notified().await;
    }

    /// An attempt was committed.
    pub(crate) fn opened(&self) {
        let left = self.crash.left.load(Ordering::SeqCst);
        if left > 0 {
            self.crash.left.store(left - 1, Ordering::SeqCst);
            if left == 1 {
                self.crash.due.notify_one();
            }
        }
    }

    pub(crate) async fn tx(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let wait = locked(&self.latency)
            .as_mut()
            .map(|l| l.rng.random_range(0..=l.most_ms));
        if let Some(ms) = wait {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable(
                "the simulated database is down".into(),
            ));
        }
        Ok(locked(&self.tables))
    }
}
