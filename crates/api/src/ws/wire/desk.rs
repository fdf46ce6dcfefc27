//! State and card of one agent.

use super::{CardDuties, EpochMs, IdText, Sums};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A thing by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Id.
    pub id: IdText,
    /// Name.
    pub name: String,
}

/// The campaign of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardCampaign {
    /// Id.
    pub id: IdText,
    /// Name.
    pub name: String,
    /// Codes its agents choose from, of level 2 with their leaves or single leaves; null = the whole tree.
    pub codes: Option<Vec<String>>,
}

/// An amount in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units (centavos).
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// The agent himself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Me {
    /// Agent.
    pub agent: IdText,
    /// Name.
    pub name: String,
    /// `offline`, `ready`, `reserved`, `preview`, `ringing`, `talking`, `hold`, `wrapup`, `paused`, `lagged`.
    pub state: String,
    /// When the state began.
    pub since: EpochMs,
    /// Code of the pause, `login` after signing in.
    pub pause_code: Option<String>,
    /// What happens at the end of the call: `pause:lunch`, `offline`.
    pub queued: Option<String>,
    /// Campaign he works for now.
    pub campaign: Option<Named>,
    /// His call.
    pub attempt: Option<MeAttempt>,
    /// How the last call ended.
    pub ended: Option<EndedCall>,
    /// Limits of the wrap-up.
    pub limits: Limits,
    /// His phone.
    pub phone: PhoneState,
    /// His figures since he signed in.
    pub today: Today,
}

/// The call of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeAttempt {
    /// Attempt.
    pub id: IdText,
    /// Given to him at.
    pub since: EpochMs,
    /// Whether identity is ticked.
    pub identity: bool,
    /// Whether the debtor is on hold.
    pub held: bool,
    /// Whether the agent is muted.
    pub muted: bool,
    /// `on`, `paused`, `off`.
    pub recording: String,
    /// When a pause of the recording ends by itself.
    pub recording_until: Option<EpochMs>,
    /// Answered at.
    pub answered_at: Option<EpochMs>,
    /// Ended at.
    pub ended_at: Option<EpochMs>,
    /// `ok`, or `one_way` while one side has not been heard for 3 s.
    pub audio: String,
    /// Whether he is only consulted: the call is a colleague's.
    pub consulted: bool,
    /// The call on its way to somebody else.
    pub transfer: Option<MeTransfer>,
    /// What the sound of the call was taken for, where it is judged.
    pub heard: Option<MeHeard>,
}

/// What the sound of a call was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeHeard {
    /// `human`, `machine`, `fax`, `sit`, `busy`, `dead_air`, `unknown`.
    pub class: String,
    /// How sure, in thousandths.
    pub confidence_pm: i64,
    /// Why, in a word.
    pub reason: String,
    /// `shadow`, `agent`, `checked`, `hangup`, `message`.
    pub acted: String,
}

/// A call on its way to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeTransfer {
    /// `agent`, `queue`, `number`, `take_over`.
    pub kind: String,
    /// `blind`, `attended`.
    pub mode: String,
    /// A name, or a masked number.
    pub to: String,
    /// Who hands it over.
    pub from: String,
    /// Whether that is this agent.
    pub mine: bool,
    /// `asking`, `waiting`, `ringing`, `talking`.
    pub stage: String,
    /// Asked at.
    pub since: EpochMs,
    /// When it is given up.
    pub until: Option<EpochMs>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndedCall {
    /// Why, in Spanish.
    pub cause_es: String,
    /// Why, in English.
    pub cause_en: String,
    /// `debtor`, `agent`, `system`.
    pub by: String,
}

/// Limits of the wrap-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Wrap-up after which the system disposes, s.
    pub wrapup_max_s: i64,
    /// Wrap-up after which the agent is made ready once he disposed, s.
    pub wrapup_s: i64,
}

/// An agent's phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneState {
    /// Whether it is registered.
    pub registered: bool,
    /// Whether the standing leg is up.
    pub leg_up: bool,
}

/// Figures of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Today {
    /// Calls.
    pub calls: u32,
    /// Right-party contacts.
    pub rpc: u32,
    /// Promises.
    pub promises: u32,
    /// Their amounts.
    pub promised: Sums,
    /// Occupancy in percent.
    pub occupancy_pct: u32,
}

/// What the agent sees of a debtor. With `gate`, amounts, creditor and product are null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Attempt; null in a preview.
    pub attempt: Option<IdText>,
    /// Campaign.
    pub campaign: Option<CardCampaign>,
    /// Whether amounts are still withheld.
    pub gate: bool,
    /// `inbound`: the debtor called us; `asked_for_agent`: from an agentless message. Absent on calls of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// The masked number of a caller whom nobody knows yet: his file is to be found first. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_caller: Option<String>,
    /// Debtor.
    pub debtor: CardDebtor,
    /// Debts.
    pub debts: Vec<CardDebt>,
    /// Promises, newest first.
    pub promises: Vec<CardPromise>,
    /// Payments, newest first.
    pub payments: Vec<CardPayment>,
    /// What to say.
    pub script: Option<CardScript>,
    /// Offers that may be made, three at most.
    pub offers: Vec<CardOffer>,
    /// What the negotiation is after; null before identity and where nothing is owed.
    #[serde(default)]
    pub goal: Option<Money>,
    /// Plans, newest first.
    #[serde(default)]
    pub plans: Vec<CardPlan>,
    /// What the law asks of the conversation.
    pub duties: CardDuties,
    /// Warnings.
    pub notices: Vec<Notice>,
    /// What happened before, newest first.
    pub timeline: Vec<TimelineEntry>,
}

/// The debtor on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardDebtor {
    /// Debtor.
    pub id: IdText,
    /// Name.
    pub name: String,
    /// Document, masked.
    pub document_masked: String,
    /// `es`, `en`, `pt`.
    pub language: String,
    /// ISO 3166 country.
    pub country: String,
    /// Phones.
    pub phones: Vec<CardPhone>,
}

/// A phone on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardPhone {
    /// Contact point.
    pub point: IdText,
    /// Number, masked.
    pub masked: String,
    /// `mobile`, `home`, `work`, …
    pub class: String,
    /// Known to be wrong.
    pub bad: bool,
    /// The one that is called now.
    #[serde(default)]
    pub dialed: bool,
}

/// A promise on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardPromise {
    /// Promise.
    pub id: IdText,
    /// On which debt.
    pub debt_id: IdText,
    /// `active`, `kept`, `kept_partial`, `broken`, `cancelled`, `replaced`.
    pub state: String,
    /// Local date due.
    pub due_date: String,
    /// How it will be paid.
    pub channel: String,
    /// Made at.
    pub made_at: EpochMs,
    /// How much.
    pub amount: Option<Money>,
}

/// A payment on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardPayment {
    /// Payment.
    pub id: IdText,
    /// On which debt.
    pub debt_id: IdText,
    /// When the money moved.
    pub paid_at: EpochMs,
    /// How.
    pub channel: String,
    /// How much.
    pub amount: Option<Money>,
}

/// An offer on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardOffer {
    /// Goes into `POST /plans`.
    pub key: String,
    /// Spanish.
    pub name_es: String,
    /// English.
    pub name_en: String,
    /// On which debt.
    pub debt_id: IdText,
    /// ISO 4217.
    pub currency: String,
    /// Owed.
    pub balance_minor: i64,
    /// To be forgiven.
    pub quita_minor: i64,
    /// The same in percent.
    pub quita_pct: i32,
    /// To be paid.
    pub agreed_minor: i64,
    /// Whether interest stops.
    pub freeze_interest: bool,
    /// Further reduction when paid early.
    pub early_off_minor: i64,
    /// First local date on which it is too late for it.
    pub early_until: Option<String>,
    /// Dated parts, first due first.
    pub parts: Vec<OfferPart>,
}

/// A dated part of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferPart {
    /// Local date due.
    pub due_date: String,
    /// How much.
    pub amount_minor: i64,
}

/// A plan on a card. With the gate amounts are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardPlan {
    /// Plan.
    pub id: IdText,
    /// On which debt.
    pub debt_id: IdText,
    /// Drawn in which call.
    pub attempt: Option<IdText>,
    /// `offered`, `approved`, `signed`, `active`, `completed`, `broken`, `cancelled`.
    pub state: String,
    /// ISO 4217.
    pub currency: String,
    /// Owed when it was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_minor: Option<i64>,
    /// Forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quita_minor: Option<i64>,
    /// To be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_minor: Option<i64>,
    /// Until when an answer is waited for.
    pub asked_until: Option<EpochMs>,
    /// The answer's reason; `timeout` when nobody answered.
    pub answer_reason: Option<String>,
    /// Whether somebody answered.
    pub answered: bool,
    /// Date of the next instalment; on cards only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<String>,
}

/// A debt on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardDebt {
    /// Debt.
    pub id: IdText,
    /// The client's key.
    pub external_ref: Option<String>,
    /// Product.
    pub product: Option<String>,
    /// Creditor.
    pub creditor: Option<String>,
    /// Ageing bucket in the client's set, named by its days.
    pub bucket: String,
    /// What the client calls it; null where he calls it by its days.
    #[serde(default)]
    pub bucket_label: Option<String>,
    /// Days past due.
    pub days_past_due: i64,
    /// Balance.
    pub balance: Option<Money>,
    /// Of it overdue.
    pub overdue: Option<Money>,
    /// Least payment.
    pub minimum: Option<Money>,
    /// Unpaid due items, oldest first, six at most; none before identity and of a debt with one due date.
    #[serde(default)]
    pub items: Vec<CardItem>,
}

/// An unpaid due item on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardItem {
    /// Local date due.
    pub due_date: String,
    /// What of it is unpaid.
    pub open: Option<Money>,
}

/// A script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardScript {
    /// Script.
    pub id: IdText,
    /// Name.
    pub name: String,
    /// Steps in order.
    pub steps: Vec<CardStep>,
    /// Objections that fit the debt, in order; before identity those that tell of none.
    #[serde(default)]
    pub objections: Vec<CardObjection>,
}

/// A step of a script, variables filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardStep {
    /// Key.
    pub key: String,
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
    /// Whether it may be said before identity is ticked.
    pub before_identity: bool,
}

/// An objection with its answer, variables filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardObjection {
    /// Key.
    pub key: String,
    /// What the debtor says.
    pub title: String,
    /// What is answered.
    pub answer: String,
    /// Whether it may be answered before identity is ticked.
    pub before_identity: bool,
    /// Excuse that is logged when he says so.
    pub excuse: Option<String>,
}

/// A notice in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    /// When.
    pub at: EpochMs,
    /// `call`, `promise`, `payment`, `hold`, …
    pub kind: String,
    /// Spanish.
    pub text_es: String,
    /// English.
    pub text_en: String,
}
