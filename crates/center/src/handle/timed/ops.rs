//! The store with a clock around it: how long every operation took, by its name.

use super::Timed;
use async_trait::async_trait;
use domain::entity::VoicemailTemplate;
use domain::entity::{
    Agent, Assignment, AssignmentRule, Attempt, Call, CallTrail, CallerId, Campaign,
    CampaignTemplate, CampaignVersion, Client, Complaint, Consent, ContactPoint, Debt, Debtor,
    Disposition, DncList, Hold, Import, ImportMap, InboundCall, LedgerRow, Merge, Override, Party,
    Payment, Placement, Portfolio, Preference, Promise, Recording, RecordingKeep, Script, Segment,
    Suppression, Team, Transfer, Trunk, User, Verdict,
};
use domain::entity::{
    Channel, InboxMessage, InboxState, Message, PlannedState, PlannedStep, Strategy, TextTemplate,
};
use domain::entity::{DebtMark, Goal};
use domain::event::{AuditHead, AuditLink, Event, NewEvent};
use domain::ids::GoalId;
use domain::ids::VoicemailId;
use domain::ids::{
    AgentId, AssignmentRuleId, AttemptId, CallId, CallerIdId, CampaignId, CampaignTemplateId,
    CampaignVersionId, ClientId, ComplaintId, ConsentId, DebtId, DebtorId, DncListId, HoldId,
    ImportId, ImportMapId, LedgerId, MergeId, OverrideId, PartyId, PaymentId, PersonId,
    PlacementId, PointId, PortfolioId, PreferenceId, PromiseId, RecordingId, ScriptId, SegmentId,
    SessionId, SuppressionId, TeamId, TrunkId, UserId, VerdictId,
};
use domain::ids::{InboxId, MessageId, PlannedStepId, StrategyId, TextTemplateId};
use domain::law::{ClientLaw, Judge};
use domain::money::Currency;
use domain::ports::store::{
    ActAsk, AnswerSlot, ApiKey, AttemptChange, AttemptFilter, AttemptStore, CallableMark,
    CallbackAsk, CallbackRow, CallerHealth, CallerRest, Candidate, CatalogStore, ChainLink,
    Closing, ComplaintAsk, ConsentsTaken, ContactFacts, ContactStore, DebtorFile, DebtorRow,
    Duplicates, FloorStore, HeardCall, HeardCount, IdempotentReply, IdempotentTaken, ImportLeft,
    ImportReport, ImportStore, InboundAsk, InboundCount, InboundStore, ItemCounts, ItemState,
    KeepChange, KeepStore, KeepWork, KnownCaller, LawStore, ListFilter, LoginFailures, MarkClaim,
    MoneyStore, MorningAsk, MorningRow, NodeLease, NodeStore, OpenDebt, OpenDraft, OpenOutcome,
    Page, PageRequest, PastAttempts, PastCall, PaymentOutcome, PeopleStore, PlacementCount,
    PortfolioStore, PromiseRefusal, PromiseTerms, ReasonCount, ReasonKey, Recovery, RecoveryAsk,
    RefillReport, RefreshOutcome, ReserveRequest, RowFacts, SegmentCount, SegmentEstimate,
    SegmentSample, SessionRow, ShortCount, StoreError, TollAsk, TollTalk, TrailStore, TrunkCount,
    UndoStep,
};
use domain::ports::store::{
    BrokenAsk, BrokenSums, DebtorActions, KpiPage, KpiRow, MarkAsk, Marked, ReportStore, SentCounts,
};
use domain::ports::store::{CallerStore, EarlySound, FoundCaller, PlaceKept, SoundStore};
use domain::ports::store::{
    ClaimAsk, Claimed, Heard, InboxAsk, MessageAsk, MessageDraft, MessageOpened, MessageStep,
    MessageStore, PlanAsk, PlanSource, StepAsk, StepCalled, StrategyFigures, StrategyStore,
};
use domain::ports::store::{Corrected, DetectorStore, HeardPrint, Sample, SampleAsk, Told};
use domain::ports::store::{FileTaskAsk, FileTaskCounts, FileTaskRow};
use domain::rules::consents::ConsentRow;
use domain::rules::kpi::{KpiAsk, KpiRows, KpiSums};
use domain::segment::Expr;
use domain::time::UtcMs;
use std::time::Instant;

macro_rules! timed {
    ($trait:ident; $($op:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        #[async_trait]
        impl $trait for Timed {
            $(
                async fn $op(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                    let from = Instant::now();
                    let done = self.store.$op($($arg),*).await;
                    self.times.note(stringify!($op), from.elapsed());
                    done
                }
            )+
        }
    };
}

pub(super) use timed;

timed! { CatalogStore;
    get_client(id: ClientId) -> Client;
    list_clients(filter: &ListFilter, page: &PageRequest) -> Page<Client>;
    put_client(row: &Client, events: &[NewEvent]) -> ();
    get_portfolio(id: PortfolioId) -> Portfolio;
    list_portfolios(filter: &ListFilter, page: &PageRequest) -> Page<Portfolio>;
    put_portfolio(row: &Portfolio, events: &[NewEvent]) -> ();
    get_debtor(id: DebtorId) -> Debtor;
    list_debtors(filter: &ListFilter, page: &PageRequest) -> Page<Debtor>;
    put_debtor(row: &Debtor, events: &[NewEvent]) -> ();
    get_debt(id: DebtId) -> Debt;
    list_debts(filter: &ListFilter, page: &PageRequest) -> Page<Debt>;
    put_debt(row: &Debt, events: &[NewEvent]) -> ();
    get_party(id: PartyId) -> Party;
    list_parties(filter: &ListFilter, page: &PageRequest) -> Page<Party>;
    put_party(row: &Party, events: &[NewEvent]) -> ();
    get_point(id: PointId) -> ContactPoint;
    list_points(filter: &ListFilter, page: &PageRequest) -> Page<ContactPoint>;
    put_point(row: &ContactPoint, events: &[NewEvent]) -> ();
    get_consent(id: ConsentId) -> Consent;
    list_consents(filter: &ListFilter, page: &PageRequest) -> Page<Consent>;
    put_consent(row: &Consent, events: &[NewEvent]) -> ();
    get_override(id: OverrideId) -> Override;
    list_overrides(filter: &ListFilter, page: &PageRequest) -> Page<Override>;
    put_override(row: &Override, events: &[NewEvent]) -> ();
    get_hold(id: HoldId) -> Hold;
    list_holds(filter: &ListFilter, page: &PageRequest) -> Page<Hold>;
    put_hold(row: &Hold, events: &[NewEvent]) -> ();
    get_suppression(id: SuppressionId) -> Suppression;
    list_suppressions(filter: &ListFilter, page: &PageRequest) -> Page<Suppression>;
    put_suppression(row: &Suppression, events: &[NewEvent]) -> ();
    get_segment(id: SegmentId) -> Segment;
    list_segments(filter: &ListFilter, page: &PageRequest) -> Page<Segment>;
    put_segment(row: &Segment, events: &[NewEvent]) -> ();
    get_campaign(id: CampaignId) -> Campaign;
    list_campaigns(filter: &ListFilter, page: &PageRequest) -> Page<Campaign>;
    put_campaign(row: &Campaign, events: &[NewEvent]) -> ();
    get_script(id: ScriptId) -> Script;
    list_scripts(filter: &ListFilter, page: &PageRequest) -> Page<Script>;
    put_script(row: &Script, events: &[NewEvent]) -> ();
    get_user(id: UserId) -> User;
    list_users(filter: &ListFilter, page: &PageRequest) -> Page<User>;
    put_user(row: &User, events: &[NewEvent]) -> ();
    get_team(id: TeamId) -> Team;
    list_teams(filter: &ListFilter, page: &PageRequest) -> Page<Team>;
    put_team(row: &Team, events: &[NewEvent]) -> ();
    get_agent(id: AgentId) -> Agent;
    list_agents(filter: &ListFilter, page: &PageRequest) -> Page<Agent>;
    put_agent(row: &Agent, events: &[NewEvent]) -> ();
    get_trunk(id: TrunkId) -> Trunk;
    list_trunks(filter: &ListFilter, page: &PageRequest) -> Page<Trunk>;
    put_trunk(row: &Trunk, events: &[NewEvent]) -> ();
    get_caller_id(id: CallerIdId) -> CallerId;
    list_caller_ids(filter: &ListFilter, page: &PageRequest) -> Page<CallerId>;
    put_caller_id(row: &CallerId, events: &[NewEvent]) -> ();
    get_call(id: CallId) -> Call;
    list_calls(filter: &ListFilter, page: &PageRequest) -> Page<Call>;
    put_call(row: &Call, events: &[NewEvent]) -> ();
    get_recording(id: RecordingId) -> Recording;
    list_recordings(filter: &ListFilter, page: &PageRequest) -> Page<Recording>;
    put_recording(row: &Recording, events: &[NewEvent]) -> ();
    get_promise(id: PromiseId) -> Promise;
    list_promises(filter: &ListFilter, page: &PageRequest) -> Page<Promise>;
    put_promise(row: &Promise, events: &[NewEvent]) -> ();
    get_payment(id: PaymentId) -> Payment;
    list_payments(filter: &ListFilter, page: &PageRequest) -> Page<Payment>;
    put_payment(row: &Payment, events: &[NewEvent]) -> ();
    get_preference(id: PreferenceId) -> Preference;
    list_preferences(filter: &ListFilter, page: &PageRequest) -> Page<Preference>;
    put_preference(row: &Preference, events: &[NewEvent]) -> ();
    get_dnc_list(id: DncListId) -> DncList;
    list_dnc_lists(filter: &ListFilter, page: &PageRequest) -> Page<DncList>;
    put_dnc_list(row: &DncList, events: &[NewEvent]) -> ();
    get_complaint(id: ComplaintId) -> Complaint;
    list_complaints(filter: &ListFilter, page: &PageRequest) -> Page<Complaint>;
    put_complaint(row: &Complaint, events: &[NewEvent]) -> ();
    get_campaign_version(id: CampaignVersionId) -> CampaignVersion;
    list_campaign_versions(filter: &ListFilter, page: &PageRequest) -> Page<CampaignVersion>;
    put_campaign_version(row: &CampaignVersion, events: &[NewEvent]) -> ();
    get_campaign_template(id: CampaignTemplateId) -> CampaignTemplate;
    list_campaign_templates(filter: &ListFilter, page: &PageRequest) -> Page<CampaignTemplate>;
    put_campaign_template(row: &CampaignTemplate, events: &[NewEvent]) -> ();
    get_assignment_rule(id: AssignmentRuleId) -> AssignmentRule;
    list_assignment_rules(filter: &ListFilter, page: &PageRequest) -> Page<AssignmentRule>;
    put_assignment_rule(row: &AssignmentRule, events: &[NewEvent]) -> ();
    get_disposition(code: &str) -> Disposition;
    list_dispositions() -> Vec<Disposition>;
    put_disposition(row: &Disposition) -> ();
    trunk_by_name(name: &str) -> Option<Trunk>;
    append_events(events: &[NewEvent]) -> ();
    events_after(cursor: i64, limit: u32) -> Vec<Event>;
    last_cursor() -> i64;
    outbox_pending(limit: u32) -> Vec<Event>;
    outbox_done(cursors: &[i64], at: UtcMs) -> ();
}

timed! { AttemptStore;
    open_attempt(draft: &OpenDraft, judge: &dyn Judge) -> OpenOutcome;
    note_attempt(id: AttemptId, change: &AttemptChange, events: &[NewEvent]) -> ();
    close_attempt(id: AttemptId, closing: &Closing) -> bool;
    undisposed(since: UtcMs, ended: UtcMs, limit: u32) -> Vec<Attempt>;
    get_attempt(id: AttemptId) -> Attempt;
    list_attempts(filter: &AttemptFilter, page: &PageRequest) -> Page<Attempt>;
    past_attempts(filter: &AttemptFilter, timed_max: u32) -> PastAttempts;
    past_calls(debtors: &[DebtorId], since: UtcMs, most: u32) -> Vec<PastCall>;
    open_recording(recording: &Recording, events: &[NewEvent]) -> ();
    abandonment(campaign: Option<CampaignId>, client: Option<ClientId>, since: UtcMs) -> (u64, u64);
    short_calls(since: UtcMs, until: UtcMs, now: UtcMs, max_ms: i64) -> ShortCount;
    answers(since: UtcMs, fine_from: UtcMs) -> Vec<AnswerSlot>;
}

timed! { ContactStore;
    refill_parts(campaign: &Campaign, parts: &[Expr], now: UtcMs, events: &[NewEvent]) -> RefillReport;
    wake_items(campaign: CampaignId, now: UtcMs) -> ();
    reserve_contacts(request: &ReserveRequest) -> Vec<Candidate>;
    release_contact(item: &ItemState, verdict: Option<&Verdict>, events: &[NewEvent]) -> ();
    release_all(node: &str, campaign: Option<CampaignId>) -> u64;
    contact_facts(debtor: DebtorId, now: UtcMs) -> ContactFacts;
    owing(debtors: &[DebtorId]) -> Vec<DebtorId>;
    consents_of(debtors: &[DebtorId]) -> Vec<Consent>;
    items_of(debtor: DebtorId) -> Vec<ItemState>;
    put_item(item: &ItemState, events: &[NewEvent]) -> ();
    item_counts(campaign: CampaignId, now: UtcMs) -> ItemCounts;
    record_verdict(verdict: &Verdict, client: ClientId) -> ();
    get_verdict(id: VerdictId) -> Verdict;
    verdicts_of(debtor: DebtorId, limit: u32) -> Vec<Verdict>;
    blocked_counts(campaign: Option<CampaignId>, since: UtcMs) -> Vec<(String, u64)>;
}

timed! { MoneyStore;
    record_promise(promise: &Promise, terms: PromiseTerms, events: &[NewEvent]) -> Result<(), PromiseRefusal>;
    post_payment(payment: &Payment, events: &[NewEvent], told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync)) -> PaymentOutcome;
    sweep_promises(now: UtcMs, limit: u32, told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync)) -> Vec<Promise>;
    replace_debt(was: &Debt, row: &Debt, events: &[NewEvent]) -> ();
    active_promises(debtor: DebtorId) -> Vec<Promise>;
}

timed! { PeopleStore;
    user_by_name(username: &str) -> Option<User>;
    agent_of_user(user: UserId) -> Option<Agent>;
    user_count() -> u64;
    open_session(row: &SessionRow, now: UtcMs) -> ();
    rotate_session(presented: &str, fresh: &str, now: UtcMs) -> RefreshOutcome;
    end_session(id: SessionId) -> ();
    end_sessions_of(user: UserId, keep: Option<SessionId>) -> Vec<SessionId>;
    session_alive(id: SessionId, now: UtcMs) -> bool;
    put_api_key(key: &ApiKey) -> ();
    api_key_by_hash(hash: &str) -> Option<ApiKey>;
    list_api_keys() -> Vec<ApiKey>;
    login_failures(key: &str) -> LoginFailures;
    set_login_failures(key: &str, value: LoginFailures) -> ();
    take_guess(key: &str, max: u32, last_at: UtcMs) -> bool;
    idempotent_take(user: &str, key: &str, request_hash: &str, now: UtcMs) -> IdempotentTaken;
    idempotent_drop(user: &str, key: &str) -> ();
    idempotent_put(user: &str, key: &str, reply: &IdempotentReply, now: UtcMs) -> ();
}

timed! { NodeStore;
    register_node(node: &str, now: UtcMs, lease_ms: i64) -> NodeLease;
    renew_node(lease: &NodeLease, now: UtcMs, lease_ms: i64) -> NodeLease;
    recover(lease: &NodeLease, now: UtcMs, events: &(dyn for<'a> Fn(&'a Attempt) -> NewEvent + Send + Sync)) -> Recovery;
    node_place(node: &str, now: UtcMs) -> (u32, u32);
    ping() -> ();
    get_setting(key: &str) -> Option<String>;
    settings_under(prefix: &str) -> Vec<(String, String)>;
    put_setting(key: &str, value: &str) -> ();
}

timed! { PortfolioStore;
    import_batch(import: ImportId, rows: &[DebtorRow], dry_run: bool, events: &[NewEvent]) -> ImportReport;
    debtor_file(id: DebtorId) -> DebtorFile;
    segment_count(client: ClientId, expr: &Expr, now: UtcMs) -> SegmentCount;
    segment_sample(client: ClientId, expr: &Expr, now: UtcMs, limit: u32) -> Vec<SegmentSample>;
    segment_estimate(client: ClientId, expr: &Expr, now: UtcMs, rows: u32) -> SegmentEstimate;
    claim_marks(now: UtcMs, limit: u32) -> MarkClaim;
    mark_callable(claim: i64, marks: &[CallableMark]) -> u64;
    forget_marks(limit: u32) -> u64;
    marks_pending(client: ClientId, now: UtcMs) -> u64;
    segment_versions(id: SegmentId) -> Vec<Segment>;
    segment_text(client: ClientId, name: &str, version: Option<i32>) -> Option<String>;
    segment_ids(client: ClientId, expr: &Expr, now: UtcMs) -> Vec<DebtorId>;
    in_segment(client: ClientId, debtor: DebtorId, expr: &Expr, now: UtcMs) -> bool;
    portfolio_by_name(client: ClientId, name: &str) -> Option<Portfolio>;
    find_debtors(client: Option<ClientId>, needle: &str, limit: u32) -> Vec<Debtor>;
    debtor_page(filter: &ListFilter, page: &PageRequest) -> Page<Debtor>;
    points_of(debtors: &[DebtorId]) -> Vec<ContactPoint>;
    table_counts() -> Vec<(String, i64)>;
    portfolio_totals(portfolio: PortfolioId) -> SegmentCount;
}

timed! { ImportStore;
    put_import(row: &Import, events: &[NewEvent]) -> ();
    get_import(id: ImportId) -> Import;
    take_import(id: ImportId, worker: &str, now: UtcMs) -> bool;
    leave_import(id: ImportId, worker: &str) -> ();
    import_left(id: ImportId, now: UtcMs) -> ImportLeft;
    imports_page(client: Option<ClientId>, portfolio: Option<PortfolioId>, page: &PageRequest) -> Page<Import>;
    import_facts(id: ImportId, every: u64, most: u32, now: UtcMs) -> Vec<ContactFacts>;
    later_import(id: ImportId) -> bool;
    add_piece(id: ImportId, n: i64, base64: &str) -> ();
    piece(id: ImportId, n: i64) -> Option<String>;
    drop_pieces(id: ImportId) -> ();
    open_debts(portfolio: PortfolioId, after: &str, limit: u32) -> Vec<OpenDebt>;
    take_rows(import: ImportId, rows: &[DebtorRow]) -> ImportReport;
    take_consents(import: ImportId, portfolio: PortfolioId, rows: &[ConsentRow], keeps: bool) -> ConsentsTaken;
    settle_rows(import: ImportId) -> ();
    recall_aside(import: ImportId, debts: &[DebtId], first: bool) -> ();
    write_aside(import: ImportId, now: UtcMs) -> bool;
    recall_debts(import: ImportId, debts: &[DebtId], at: UtcMs) -> u64;
    undo_step(import: ImportId, now: UtcMs) -> UndoStep;
    import_map(portfolio: PortfolioId, fingerprint: &str) -> Option<ImportMap>;
    import_maps(portfolio: PortfolioId) -> Vec<ImportMap>;
    get_import_map(id: ImportMapId) -> ImportMap;
    put_import_map(row: &ImportMap, events: &[NewEvent]) -> ();
    drop_import_map(id: ImportMapId, events: &[NewEvent]) -> ();
    duplicates(portfolio: PortfolioId, after: Option<PersonId>, limit: u32) -> Vec<Duplicates>;
    merge_debtors(row: &Merge, events: &[NewEvent]) -> Merge;
    undo_merge(id: MergeId, by: &str, now: UtcMs, events: &[NewEvent]) -> Merge;
    get_merge(id: MergeId) -> Merge;
    merges_of(debtor: DebtorId) -> Vec<Merge>;
    put_placement(row: &Placement, events: &[NewEvent]) -> ();
    get_placement(id: PlacementId) -> Placement;
    placements_page(client: Option<ClientId>, portfolio: Option<PortfolioId>, page: &PageRequest) -> Page<Placement>;
    placements_due(day: &str, limit: u32) -> Vec<Placement>;
    placement_count(id: PlacementId) -> PlacementCount;
    recall_placement(id: PlacementId, at: UtcMs) -> u64;
}

timed! { TrailStore;
    put_transfer(transfer: &Transfer, events: &[NewEvent]) -> ();
    transfers_of(attempt: AttemptId) -> Vec<Transfer>;
    put_trail(attempt: AttemptId, at: UtcMs, trail: &CallTrail) -> ();
    get_trail(attempt: AttemptId) -> Option<CallTrail>;
    forget_trails(before: UtcMs, limit: u32) -> u64;
    trunk_counts(trunk: TrunkId, since: UtcMs, until: UtcMs, slice_ms: i64) -> Vec<TrunkCount>;
    toll_talk(ask: &TollAsk) -> Vec<TollTalk>;
    put_heard(heard: &HeardCall, events: &[NewEvent]) -> ();
    get_heard(attempt: AttemptId) -> Option<HeardCall>;
    heard_counts(since: UtcMs, until: UtcMs, slice_ms: i64) -> Vec<HeardCount>;
    number_listed(client: ClientId, number: &str) -> bool;
}

timed! { KeepStore;
    get_keep(id: RecordingId) -> RecordingKeep;
    keeps_of(ids: &[RecordingId]) -> Vec<RecordingKeep>;
    unkept_recordings(node: &str, since: UtcMs, limit: u32) -> Vec<Recording>;
    add_keep(row: &RecordingKeep) -> ();
    keeps_due(work: KeepWork, node: &str, now: UtcMs, limit: u32) -> Vec<RecordingKeep>;
    change_keep(id: RecordingId, change: &KeepChange, events: &[NewEvent]) -> bool;
}

timed! { LawStore;
    facts_at(debtor: DebtorId, at: UtcMs) -> ContactFacts;
    row_facts(rows: &[DebtorRow], now: UtcMs) -> RowFacts;
    client_law(client: ClientId) -> ClientLaw;
    client_laws_of(client: ClientId, limit: u32) -> Vec<ClientLaw>;
    put_client_law(row: &ClientLaw, events: &[NewEvent]) -> ();
    client_law_changes() -> u64;
    load_list(list: &DncList, hashes: &[String], events: &[NewEvent]) -> u64;
    list_has(list: DncListId, hashes: &[String]) -> Vec<String>;
    verdict_chain(debtor: DebtorId) -> Vec<ChainLink>;
    listings_of(debtor: DebtorId) -> Vec<Suppression>;
    ledger_of(debtor: DebtorId) -> Vec<LedgerRow>;
    acts_count(ask: &ActAsk) -> u64;
    acts(ask: &ActAsk, after: Option<(UtcMs, LedgerId)>, limit: u32) -> Vec<LedgerRow>;
    audit_heads() -> Vec<AuditHead>;
    audit_links(tenant: &str, after: i64, limit: u32) -> Vec<AuditLink>;
    audit_loose() -> (u64, u64);
    complaints_by_urgency(ask: &ComplaintAsk) -> Vec<Complaint>;
    complaints_late(client: Option<ClientId>, day: &str) -> (u64, u64);
    events_about(subjects: &[String]) -> Vec<Event>;
    campaign_reasons(campaign: CampaignId, now: UtcMs) -> Vec<ReasonCount>;
    reason_rows(campaign: CampaignId, key: &ReasonKey, now: UtcMs, after: Option<DebtorId>, limit: u32) -> Vec<ItemState>;
}

timed! { InboundStore;
    open_inbound(attempt: &Attempt, events: &[NewEvent]) -> bool;
    put_inbound(row: &InboundCall, events: &[NewEvent]) -> ();
    get_inbound(id: AttemptId) -> InboundCall;
    list_inbound(ask: &InboundAsk, page: &PageRequest) -> Page<InboundCall>;
    inbound_count(campaign: CampaignId, since: UtcMs, within_ms: i64) -> InboundCount;
    lost_inbound(node: &str, at: UtcMs) -> u64;
    known_caller(client: ClientId, number: &str) -> Option<KnownCaller>;
    caller_id_numbered(number: &str) -> Option<CallerId>;
}

timed! { SoundStore;
    put_early(sound: &EarlySound) -> ();
    early_counts(trunk: TrunkId, since: UtcMs, until: UtcMs) -> Vec<(String, i64)>;
    forget_early(before: UtcMs, most: u32) -> u64;
}

timed! { CallerStore;
    find_callers(client: ClientId, needle: &str, limit: u32) -> Vec<Debtor>;
    stranger_facts(debtor: &Debtor, point: &ContactPoint, now: UtcMs) -> ContactFacts;
    open_stranger(file: (&Debtor, &ContactPoint), attempt: &Attempt, events: &[NewEvent]) -> bool;
    forget_strangers(before: UtcMs, limit: u32) -> u64;
    attach_caller(found: &FoundCaller, events: &[NewEvent]) -> bool;
    inbound_elsewhere(campaign: CampaignId, since: UtcMs, own: (&str, UtcMs), within_ms: i64) -> InboundCount;
    keep_place(place: &PlaceKept, item: &ItemState) -> ();
    end_places(person: PersonId, client: ClientId) -> ();
    places_of(node: &str, fence: i64) -> Vec<PlaceKept>;
    drop_place(place: &PlaceKept) -> ();
}

timed! { FloorStore;
    settle_campaign(row: &Campaign, version: Option<&CampaignVersion>, was: i32, events: &[NewEvent]) -> bool;
    callbacks(ask: &CallbackAsk) -> Vec<CallbackRow>;
    move_item(was: &ItemState, to: &ItemState, now: UtcMs, events: &[NewEvent]) -> bool;
    caller_health(client: ClientId, since: UtcMs) -> Vec<CallerHealth>;
    rest_caller_id(rest: &CallerRest, events: &[NewEvent]) -> bool;
    wake_caller_id(id: CallerIdId, now: UtcMs, events: &[NewEvent]) -> ();
    caller_id_reached(id: CallerIdId, at: UtcMs) -> ();
    assign(rows: &[Assignment], events: &[NewEvent]) -> ();
    assignments_of(debtors: &[DebtorId]) -> Vec<Assignment>;
    ruled_debtors(client: ClientId, after: Option<DebtorId>, limit: u32) -> Vec<DebtorId>;
    agent_loads(client: ClientId) -> Vec<(AgentId, u64)>;
    morning_list(ask: &MorningAsk) -> Vec<MorningRow>;
    file_tasks(ask: &FileTaskAsk) -> Vec<FileTaskRow>;
    file_task_counts(ask: &FileTaskAsk) -> FileTaskCounts;
}

timed! { DetectorStore;
    tell_truth(told: &Told, events: &[NewEvent]) -> Corrected;
    heard_samples(ask: &SampleAsk) -> Vec<Sample>;
    prints_of(trunk: TrunkId) -> Vec<HeardPrint>;
    put_print(print: &HeardPrint) -> ();
    get_voicemail(id: VoicemailId) -> VoicemailTemplate;
    list_voicemails(client: Option<ClientId>) -> Vec<VoicemailTemplate>;
    put_voicemail(row: &VoicemailTemplate, events: &[NewEvent]) -> ();
}

timed! { MessageStore;
    put_text_template(row: &TextTemplate, events: &[NewEvent]) -> ();
    get_text_template(id: TextTemplateId) -> TextTemplate;
    text_templates(client: Option<ClientId>, page: &PageRequest) -> Page<TextTemplate>;
    text_template_versions(id: TextTemplateId) -> Vec<TextTemplate>;
    templates_named(client: ClientId, name: &str) -> Vec<TextTemplate>;
    plan_messages(rows: &[Message], events: &[NewEvent]) -> u64;
    plan_keys(client: ClientId, keys: &[String]) -> Vec<String>;
    claim_messages(ask: &ClaimAsk<'_>) -> Claimed;
    carried_since(since: UtcMs) -> Vec<Channel>;
    open_message(draft: &MessageDraft, judge: &dyn Judge) -> MessageOpened;
    note_message(id: MessageId, step: &MessageStep, events: &[NewEvent]) -> bool;
    get_message(id: MessageId) -> Message;
    message_by_ref(gateway: &str, provider_ref: &str) -> Option<Message>;
    last_message_to(channel: Channel, address: &str) -> Option<Message>;
    messages_page(ask: &MessageAsk) -> Vec<Message>;
    withdraw_messages(debtor: DebtorId, now: UtcMs, told: &(dyn for<'a> Fn(&'a Message) -> NewEvent + Send + Sync)) -> Vec<Message>;
    hear(heard: &Heard) -> bool;
    last_heard(channel: Channel, address: &str) -> Option<UtcMs>;
    debtors_at(address: &str) -> Vec<Debtor>;
    get_inbox(id: InboxId) -> InboxMessage;
    answer_inbox(row: &Message, events: &[NewEvent]) -> bool;
    handle_inbox(id: InboxId, state: InboxState, by: &str, now: UtcMs, events: &[NewEvent]) -> bool;
    inbox_page(ask: &InboxAsk) -> Vec<InboxMessage>;
}

timed! { StrategyStore;
    put_strategy(row: &Strategy, events: &[NewEvent]) -> ();
    get_strategy(id: StrategyId) -> Strategy;
    strategies(client: Option<ClientId>, page: &PageRequest) -> Page<Strategy>;
    strategy_versions(id: StrategyId) -> Vec<Strategy>;
    active_strategies() -> Vec<Strategy>;
    plan_sources(ask: &PlanAsk) -> Vec<PlanSource>;
    plan_steps(rows: &[PlannedStep], events: &[NewEvent]) -> u64;
    get_step(id: PlannedStepId) -> PlannedStep;
    steps_page(ask: &StepAsk) -> Vec<PlannedStep>;
    end_step(id: PlannedStepId, state: PlannedState, reason: &str, by: &str, now: UtcMs, events: &[NewEvent]) -> bool;
    call_step(id: PlannedStepId, now: UtcMs, told: &[NewEvent]) -> StepCalled;
    strategy_figures(id: StrategyId) -> StrategyFigures;
}

timed! { ReportStore;
    mark_debts(ask: &MarkAsk, told: &(dyn for<'a> Fn(&'a DebtMark) -> NewEvent + Send + Sync)) -> Marked;
    measure_recovery(ask: &RecoveryAsk) -> ();
    kpi_sums(rows: KpiRows, ask: &KpiAsk) -> KpiSums;
    kpi_rows(rows: KpiRows, ask: &KpiAsk, page: &KpiPage) -> Vec<KpiRow>;
    get_goal(id: GoalId) -> Goal;
    goals(client: ClientId, on: Option<&str>, after: Option<GoalId>, limit: u32) -> Vec<Goal>;
    put_goal(goal: &Goal, events: &[NewEvent]) -> ();
    broken_promises(ask: &BrokenAsk) -> Vec<Promise>;
    broken_sums(ask: &BrokenAsk, currency: Option<Currency>) -> BrokenSums;
    sent_counts(client: ClientId, from: UtcMs, to: UtcMs) -> SentCounts;
    actions_of(debtors: &[DebtorId], since: UtcMs) -> Vec<DebtorActions>;
}
