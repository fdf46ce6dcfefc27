//! Whom to reach how, and what stops contact.

use super::{
    Channel, ComplaintState, HoldKind, HoldScope, Instant, PartyRole, Phone, PointClass,
    PreferenceKind, SuppressionKind,
};
use uuid::Uuid;

shape! {
    /// A role of someone on a debt.
    Party { id: Uuid, debt_id: Uuid, debtor_id: Uuid, role: PartyRole, name: String }
    /// A phone of a debtor.
    ContactPoint {
        id: Uuid, debtor_id: Uuid, role: PartyRole, channel: Channel, value: Phone,
        class: PointClass,
        /// `import`, `agent`, `debtor`.
        source: String,
        given_by_debtor: bool, authorised: bool,
        /// 0–100.
        confidence: i32,
        /// 0 first.
        position: i32,
        /// Never tried again.
        bad: bool,
        last_rpc_at: Option<Instant>,
        /// When we first had it.
        added_at: Instant,
    }
    /// Who allowed what channel and purpose.
    Consent {
        id: Uuid, debtor_id: Uuid, channel: Channel, purpose: String, granted_at: Instant,
        until: Option<Instant>, revoked_at: Option<Instant>, proof: String,
        /// Proof of the revocation, where one was given.
        revoke_proof: Option<String>,
    }
    /// What a client's contract asks beyond the law: a layer that stacks on the packs.
    ClientLaw {
        client_id: Uuid,
        /// 0 when the client said nothing.
        version: i32,
        terms: ContractTerms, updated_at: Instant,
        /// `user:<id>`.
        updated_by: String,
    }
    /// What a contract asks; never laxer than the packs.
    ContractTerms {
        /// Whether the packs' harder readings bind (`co`: one action a day, one channel a week).
        strict_mode: bool,
        /// Hours by channel, in the debtor's time; a channel that none names is left to the packs.
        windows: Vec<TermWindow>,
        /// Caps and gaps, always hard.
        caps: Vec<TermCap>,
    }
    /// Hours of a contract, half-open.
    TermWindow {
        /// `mon` … `sun`.
        days: Vec<String>,
        /// `HH:MM`.
        from: String,
        /// `HH:MM` or `24:00`.
        to: String,
        channels: Vec<Channel>,
    }
    /// A cap of a contract, in the words of the packs.
    TermCap {
        /// Decisions name it `client/<id>`.
        id: String,
        /// `debt`, `person`, `creditor_person`, `phone`.
        scope: String,
        /// `attempt`, `conversation`, `contact`, `direct_contact`, `message`, `action`.
        counts: String,
        limit: u32,
        /// `{"rolling_days": n}`, `{"calendar_day": 1}` or `{"calendar_week": "mon"}`.
        window: serde_json::Value,
        channels: Vec<Channel>,
        /// Least days between two.
        min_gap_days: Option<u16>,
        /// Clause of the contract, told in reasons.
        source: Option<String>,
    }
    /// A presumption of the law relaxed for the next call by hand.
    LawOverride {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, rule: String, reason: String,
        /// `user:…`, `key:…`.
        granted_by: String,
        /// The right used.
        granted_right: String,
        granted_at: Instant, until: Instant, withdrawn_at: Option<Instant>,
    }
    /// What the debtor asked for, or a mark that calls for care.
    Preference {
        id: Uuid, debtor_id: Uuid, kind: PreferenceKind, channel: Option<Channel>,
        point_id: Option<Uuid>,
        /// `mon` … `sun`; empty = all.
        days: Vec<String>,
        /// `HH:MM`, local.
        from: Option<String>,
        to: Option<String>, recorded_at: Instant, until: Option<Instant>,
        revoked_at: Option<Instant>, proof: String,
    }
    /// An external list, as loaded: its entries are kept as keyed hashes.
    DncList {
        id: Uuid, client_id: Option<Uuid>, name: String, kind: SuppressionKind, entries: i64,
        file_sha256: String, as_of: Instant, created_at: Instant, retired_at: Option<Instant>,
    }
    /// A complaint before an authority.
    Complaint {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, authority: String, number: String,
        received_at: Instant,
        /// To be answered by, local date.
        deadline: String,
        state: ComplaintState, summary: String, answer: Option<String>,
        answered_at: Option<Instant>, created_at: Instant,
    }
    /// A reason that stops contact.
    Hold {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, scope: HoldScope, debt_id: Option<Uuid>,
        point_id: Option<Uuid>, channel: Option<Channel>, kind: HoldKind, from: Instant,
        until: Option<Instant>, lifted_at: Option<Instant>, evidence: String,
    }
    /// A number or document never to be contacted.
    Suppression {
        id: Uuid,
        /// null binds the whole installation.
        client_id: Option<Uuid>,
        /// null binds all debtors.
        debtor_id: Option<Uuid>,
        kind: SuppressionKind, value: String, reason: String, created_at: Instant,
        lifted_at: Option<Instant>,
    }
}
