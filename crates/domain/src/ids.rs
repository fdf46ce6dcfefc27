//! Identifiers: UUIDv7 newtypes, one per entity, so that an agent is never passed for a debtor.

use uuid::Uuid;

macro_rules! id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
        impl std::str::FromStr for $name {
            type Err = crate::ValueError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self).map_err(|_| crate::ValueError::malformed(stringify!($name), "expected a UUID"))
            }
        }
        impl From<Uuid> for $name { fn from(id: Uuid) -> Self { Self(id) } }
        impl From<$name> for Uuid { fn from(id: $name) -> Self { id.0 } }
    )+ };
}

id! {
    /// A creditor: the unit of isolation.
    ClientId,
    /// A client's set of debts of one kind.
    PortfolioId,
    /// One accepted import of a portfolio file.
    ImportId,
    /// A contacted person or company within one client.
    DebtorId,
    /// The human being or company behind debtors of several clients; contact caps per person use it.
    PersonId,
    /// One debt.
    DebtId,
    /// A role of someone on a debt.
    PartyId,
    /// A phone, address or mailbox.
    PointId,
    /// A recorded consent.
    ConsentId,
    /// A reason that stops contact.
    HoldId,
    /// A number or document never to be contacted.
    SuppressionId,
    /// A presumption of the law relaxed for one call.
    OverrideId,
    /// A named filter.
    SegmentId,
    /// A campaign.
    CampaignId,
    /// A script.
    ScriptId,
    /// A login.
    UserId,
    /// A person who talks.
    AgentId,
    /// A team of agents.
    TeamId,
    /// One try to reach one point.
    AttemptId,
    /// A stored decision.
    VerdictId,
    /// A row of the contact ledger.
    LedgerId,
    /// A route out.
    TrunkId,
    /// A number we may show.
    CallerIdId,
    /// Joined legs of one conversation.
    CallId,
    /// One recording.
    RecordingId,
    /// One transfer or consultation.
    TransferId,
    /// A promise to pay.
    PromiseId,
    /// Money seen from a trusted source.
    PaymentId,
    /// Money as it came in, before it is spread over debts.
    ReceiptId,
    /// A link to a page on which a debtor pays.
    PaymentLinkId,
    /// A file of a bank with money in it.
    BankFileId,
    /// An event.
    EventId,
    /// A programme's key.
    ApiKeyId,
    /// A session family of a signed-in user.
    SessionId,
    /// A recorded preference.
    PreferenceId,
    /// An external list as loaded.
    DncListId,
    /// A complaint before an authority.
    ComplaintId,
    /// A version of a campaign's settings.
    CampaignVersionId,
    /// A column map that a portfolio remembers.
    ImportMapId,
    /// Two files of one debtor made one.
    MergeId,
    /// Rows of a portfolio that were handed over together.
    PlacementId,
    /// A template of campaigns.
    CampaignTemplateId,
    /// A rule of assignment.
    AssignmentRuleId,
    /// A goal.
    GoalId,
    /// A version of a portfolio's rule of interest.
    InterestRuleId,
    /// A postal address.
    AddressId,
    /// An agreed schedule of payments.
    PlanId,
    /// One due part of a plan.
    InstalmentId,
    /// A version of a client's terms.
    PolicyId,
    /// A version of a letter's text.
    LetterTemplateId,
    /// A letter to one debtor.
    LetterId,
    /// Letters that are printed together.
    LetterBatchId,
    /// A reason a debtor gave for not paying.
    ExcuseId,
    /// A template of messages left on mailboxes.
    VoicemailId,
    /// A message that is to go out, or went.
    MessageId,
    /// A message that came in.
    InboxId,
    /// A template of messages.
    TextTemplateId,
    /// A strategy.
    StrategyId,
    /// A step of a strategy planned for a debtor.
    PlannedStepId,
    /// A visit in person.
    VisitId,
    /// A payment that a debtor says he made.
    ClaimId,
}

/// Bits of a debtor's lot (the last eight bytes of his id, behind the two bits of their variant: RFC 9562, section 4.1)
/// that are chance whoever made the id. They are his group; behind them the debtors of a file stand in the order of the
/// file, so that a database puts a million of them at the ends of as many groups and not anywhere.
pub const LOT_GROUP_BITS: u32 = 12;

/// Deterministic person id: the same document in the same country is the same person for every
/// client of the installation (law.md §1, scope `person`).
#[must_use]
pub fn person_of_document(country: &str, document: &str) -> PersonId {
    let key: String = document
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    PersonId(Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{country}|{key}").as_bytes(),
    ))
}
