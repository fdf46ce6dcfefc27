//! The shapes of a rule pack's sections (law.md §1). Every shape refuses fields it does not know, so
//! that a rule is never dropped silently.

use crate::entity::Channel;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Where a legal number comes from (law.md, marks S, M, H, C).
    pub enum Confidence {
        /// A published page was read.
        Source = "source",
        /// From memory, to be confirmed.
        Memory = "memory",
        /// Our own rule.
        House = "house",
        /// Sources disagree; the strict reading is taken.
        Conflict = "conflict",
    }
}

crate::text_enum! {
    /// Day of the week as packs write it.
    pub enum Day {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
    }
}

impl Day {
    /// The day as the calendar library names it.
    #[must_use]
    pub const fn weekday(self) -> jiff::civil::Weekday {
        use jiff::civil::Weekday;
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

/// Whose creditors and collectors a pack binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AppliesTo {
    /// Anybody who collects.
    #[serde(rename = "any")]
    Any,
    /// Banks, lenders and other financial entities.
    #[serde(rename = "financial entity")]
    Financial,
    /// Shops and services that sold on credit.
    #[serde(rename = "commercial entity")]
    Commercial,
    /// Agencies that collect consumer debts for others (this product's users).
    #[serde(rename = "third_party_collector, consumer debt")]
    ThirdPartyConsumer,
    /// Creditors and agencies, consumer debts.
    #[serde(rename = "creditor and collector, consumer debt")]
    CreditorAndCollectorConsumer,
}

/// Which zone evidence counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZonePolicy {
    /// The rule.
    pub rule: ZoneRule,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

/// The zone rules the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ZoneRule {
    /// Legal in every zone of the number's prefix and of the address.
    #[serde(rename = "intersection(phone_prefix_zones, address_zone)")]
    Intersection,
}

/// Legal hours, half-open `[from, to)`, in the debtor's local time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Days.
    pub days: Vec<Day>,
    /// First minute, `HH:MM`.
    pub from: String,
    /// End, `HH:MM` or `24:00`.
    pub to: String,
    /// Channels it is for.
    pub channels: Vec<Channel>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
    /// Legal but switched off when false.
    pub enabled: bool,
}

crate::text_enum! {
    /// What a holiday does.
    pub enum HolidayPolicy {
        /// No contact.
        Block = "block",
        /// As any day.
        Allow = "allow",
    }
}

/// Which holidays count: `CO`, `BR-SP`, `ES+subdivision`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidaySection {
    /// Calendar id.
    pub calendar: String,
    /// What they do.
    pub policy: HolidayPolicy,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

crate::text_enum! {
    /// Over what a rule counts (law.md §1).
    pub enum Scope {
        /// Each debt by itself.
        Debt = "debt",
        /// A person over all debts, numbers, campaigns and clients.
        Person = "person",
        /// One client and one person.
        CreditorPerson = "creditor_person",
        /// One number.
        Phone = "phone",
    }
}

crate::text_enum! {
    /// What a cap counts (law.md §1).
    pub enum Counts {
        /// Dials that left.
        Attempt = "attempt",
        /// Live talks with an obligated, verified party.
        Conversation = "conversation",
        /// Conversations and visits; messages and replies too where the cap names their channel.
        Contact = "contact",
        /// Conversations and replies.
        DirectContact = "direct_contact",
        /// Messages.
        Message = "message",
        /// Any of them.
        Action = "action",
    }
}

/// The period of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapWindow {
    /// `n` consecutive local days, today the last.
    RollingDays(u16),
    /// The local day; always 1.
    CalendarDay(u16),
    /// Monday to Sunday; always `mon`.
    CalendarWeek(Day),
}

crate::text_enum! {
    /// Whether a role may relax the rule; both are enforced as hard (law.md §2.7).
    pub enum RuleKind {
        /// Never relaxed.
        Hard = "hard",
        /// A presumption of the law.
        Presumption = "presumption",
    }
}

crate::text_enum! {
    /// Rows a cap leaves out (law.md §2.8).
    pub enum Exclusion {
        /// A call made with consent given in the seven days before it.
        DirectPriorConsentLast7d = "direct_prior_consent_last_7d",
        /// A dial known never to have reached the number.
        DidNotConnectToNumber = "did_not_connect_to_number",
        /// A call to a professional: of those the law names we know the debtor's attorney.
        Professionals = "professionals",
    }
}

crate::text_enum! {
    /// Class of place a cap is about.
    pub enum CapPoint {
        /// The home.
        Home = "home",
        /// Anywhere else.
        NotHome = "not_home",
    }
}

/// A cap, with its least gap.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Id within the pack.
    pub id: String,
    /// Over what.
    pub scope: Scope,
    /// What is counted.
    pub counts: Counts,
    /// Most.
    pub limit: u32,
    /// Period.
    pub window: CapWindow,
    /// Hard or presumption.
    pub kind: RuleKind,
    /// Origin.
    pub confidence: Confidence,
    /// Channels it counts and stops.
    pub channels: Vec<Channel>,
    /// Rows left out.
    #[serde(default)]
    pub exclusions: Vec<Exclusion>,
    /// Only calls to this class of place.
    pub point: Option<CapPoint>,
    /// Least days between two.
    pub min_gap_days: Option<u16>,
    /// Article of law.
    pub source: Option<String>,
    /// Remark.
    pub confidence_note: Option<String>,
    /// Remark.
    pub note: Option<String>,
}

crate::text_enum! {
    /// Event that starts a cool-off.
    pub enum After {
        /// A conversation.
        Conversation = "conversation",
        /// A conversation or a reply.
        DirectContact = "direct_contact",
        /// A call that found no agent.
        Abandoned = "abandoned",
    }
}

crate::text_enum! {
    /// End of a cool-off that has no hours.
    pub enum Until {
        /// The end of the local week's Sunday.
        EndOfWeekSunday = "end_of_week_sunday",
    }
}

crate::text_enum! {
    /// Softer effect of a cool-off.
    pub enum CooloffMode {
        /// Only with an agent reserved first.
        AgentGuaranteedOnly = "agent_guaranteed_only",
    }
}

crate::text_enum! {
    /// What lifts a cool-off once.
    pub enum CooloffException {
        /// The debtor asked for information (a recorded request).
        InformationRequestedByDebtor = "information_requested_by_debtor",
    }
}

/// Channels a cool-off stops.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum BlockChannels {
    /// These.
    List(Vec<Channel>),
    /// A word.
    Word(BlockWord),
}

crate::text_enum! {
    /// The words for channels.
    pub enum BlockWord {
        /// All but the channel of the event.
        OtherThanUsed = "other_than_used",
    }
}

/// What an event stops, and how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooloff {
    /// Id within the pack.
    pub id: String,
    /// Event.
    pub after: After,
    /// Length in hours; either this or `until`.
    pub block_h: Option<u32>,
    /// End; either this or `block_h`.
    pub until: Option<Until>,
    /// Over what.
    pub scope: Scope,
    /// The hours are whole local days and the day of the event is the first of them.
    #[serde(default)]
    pub counts_day_of_event_as_day_1: bool,
    /// Hard or presumption.
    pub kind: Option<RuleKind>,
    /// Softer effect.
    pub mode: Option<CooloffMode>,
    /// What lifts it once.
    pub exception: Option<CooloffException>,
    /// Article of law.
    pub source: Option<String>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
    /// Channels stopped.
    pub block_channels: BlockChannels,
}
