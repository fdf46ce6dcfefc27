//! The shapes of the sections on what is said, shown, kept and paid, and on lists and persons that need
//! care. Every shape refuses a field it does not know.

use super::Confidence;
use crate::entity::{Channel, PreferenceKind, SuppressionKind};
use serde::Deserialize;

/// Declares a section: its own fields, and the three that every section has.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $ty,)+
            /// Origin.
            pub confidence: Confidence,
            /// Remark.
            pub confidence_note: Option<String>,
        }
    };
}

/// One external list and whether it binds collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DncEntry {
    /// Name of the list, as it is loaded.
    pub list: String,
    /// Whether who stands on it may not be collected from.
    pub binds_collection: bool,
    /// Oldest date of the list that may still be used, days; a binding list that is not there or is older
    /// denies.
    pub max_age_days: Option<u16>,
    /// What the list holds.
    pub kind: Option<SuppressionKind>,
}

section! {
    /// External do-not-call lists.
    DncSection {
        /// The lists.
        lists: Vec<DncEntry>,
        /// Article of law.
        source: Option<String>,
    }
}

crate::text_enum! {
    /// Whether a machine may be spoken to.
    pub enum VoicemailPolicy {
        /// Limited content alone (US).
        LimitedContentOnly = "limited_content_only",
        /// Never.
        Forbidden = "forbidden",
        /// As any message.
        Allowed = "allowed",
    }
}

crate::text_enum! {
    /// What a message on a mailbox may have to tell (law.md §5).
    pub enum VoicemailFact {
        /// The company's name, which tells of no collection.
        BusinessName = "business_name_not_showing_collection",
        /// That he is asked to call back.
        RequestReply = "request_reply",
        /// Whom to ask for.
        PersonName = "person_name",
        /// The number to call.
        CallbackNumber = "callback_number",
    }
}

section! {
    /// Voicemail. Where no pack of a debtor has the section none is left: the house floor.
    VoicemailSection {
        /// Whether.
        policy: VoicemailPolicy,
        /// Whether it counts as an attempt; here every dial does.
        counts_as_attempt: Option<bool>,
        /// What it must hold: names of [`VoicemailFact`].
        #[serde(default)]
        required: Vec<String>,
    }
}

impl VoicemailSection {
    /// What a message has to tell; a limited one all of it. `None` where a name is not known: nothing is
    /// left then.
    #[must_use]
    pub fn facts(&self) -> Option<Vec<VoicemailFact>> {
        let named = self.required.iter().map(|name| name.parse().ok());
        let named: Vec<VoicemailFact> = named.collect::<Option<_>>()?;
        Some(match self.policy {
            VoicemailPolicy::LimitedContentOnly => VoicemailFact::ALL.to_vec(),
            VoicemailPolicy::Forbidden | VoicemailPolicy::Allowed => named,
        })
    }
}

section! {
    /// Facts of the first contact.
    OpeningSection {
        /// Facts to be said, in order.
        #[serde(default)]
        must_say: Vec<String>,
        /// Days within which a notice must be sent.
        validation_notice_within_days: Option<u16>,
    }
}

crate::text_enum! {
    /// Questions never to be asked.
    pub enum ForbiddenQuestion {
        /// Why he did not pay.
        ReasonForDefault = "reason_for_default",
    }
}

section! {
    /// Questions never to be asked.
    ForbiddenQuestions {
        /// The questions.
        list: Vec<ForbiddenQuestion>,
    }
}

section! {
    /// Recording.
    RecordingSection {
        /// The debtor is told.
        announce: Option<bool>,
        /// All parties must agree.
        all_party_consent: Option<bool>,
        /// Kept at least, days.
        retention_min_days: Option<u32>,
        /// Kept at most, days.
        retention_max_days: Option<u32>,
    }
}

section! {
    /// Taking money.
    PaymentSection {
        /// Whether the collector may receive it.
        collector_may_receive: bool,
    }
}

section! {
    /// Agreements.
    PlanSection {
        /// In writing.
        written_required: bool,
    }
}

section! {
    /// Messages.
    MessagesSection {
        /// Each says how to opt out.
        #[serde(default)]
        optout_in_each: bool,
        /// A number is checked for a new holder at most so many days before an SMS.
        sms_reassigned_check_days: Option<u16>,
        /// Channels on which a text may show amount, creditor and debt before it is opened; by the house
        /// none may.
        #[serde(default)]
        may_show: Vec<Channel>,
    }
}

crate::text_enum! {
    /// How long the log is kept, where it is no number of days.
    pub enum RecordsRetention {
        /// Three years after the last activity.
        ThreeYearsAfterLastActivity = "3y_after_last_activity",
    }
}

section! {
    /// Retention of the log. The ledger, attempts and verdicts are never deleted.
    RecordsSection {
        /// Days.
        retention_min_days: Option<u32>,
        /// A rule.
        retention: Option<RecordsRetention>,
    }
}

crate::text_enum! {
    /// Whether a debtor may be visited.
    pub enum VisitRule {
        /// Never.
        Forbidden = "forbidden",
        /// Only for microcredit or agricultural debts, with his consent.
        MicrocreditOrAgroWithConsent = "forbidden_except_microcredit_or_agro_with_consent",
        /// As any contact.
        Allowed = "allowed",
    }
}

section! {
    /// Field visits.
    VisitsSection {
        /// Whether.
        rule: VisitRule,
    }
}

crate::text_enum! {
    /// How the debtor may widen the hours.
    pub enum WiderHoursRule {
        /// By a written instrument of its own: a preference `wider_hours` with its proof.
        SeparateWrittenInstrument = "separate_written_instrument",
    }
}

section! {
    /// Wider hours by agreement.
    WiderHours {
        /// How.
        rule: WiderHoursRule,
    }
}

crate::text_enum! {
    /// What a mark of a vulnerable person does.
    pub enum VulnerableEffect {
        /// No contact.
        NoContact = "no_contact",
        /// A person speaks from the first word: an agent reserved first.
        AgentOnly = "agent_only",
        /// In writing alone.
        WritingOnly = "writing_only",
    }
}

section! {
    /// Vulnerable persons.
    VulnerableSection {
        /// Marks: `minor`, `elderly`, `health`.
        marks: Vec<PreferenceKind>,
        /// What they do.
        effect: VulnerableEffect,
        /// Article of law.
        source: Option<String>,
    }
}

section! {
    /// Preferences that the law makes binding; the product heeds all of them anyway.
    DebtorPrefs {
        /// Inconvenient times.
        #[serde(default)]
        times: bool,
        /// Inconvenient places.
        #[serde(default)]
        places: bool,
        /// Channel.
        #[serde(default)]
        channel: bool,
        /// Article of law.
        source: Option<String>,
    }
}

section! {
    /// The telephone network's own limits.
    TelcoSection {
        /// Longest short call, seconds.
        short_call_max_s: Option<u16>,
        /// Share of short calls that blocks, percent.
        short_ratio_block_percent: Option<f64>,
        /// Calls a day from which it counts.
        short_calls_day_min: Option<u32>,
        /// Days of the block.
        block_days: Option<u16>,
        /// Last date the rule is known to hold.
        valid_to_known: Option<String>,
        /// Calls a month from which each must be signed.
        authentication_over_calls_month: Option<u32>,
        /// Since.
        authentication_from: Option<String>,
        /// Until.
        authentication_to: Option<String>,
        /// Formula of law.md §4.
        formula_id: Option<super::FormulaId>,
    }
}

section! {
    /// Duties of the inbound line.
    InboundSection {
        /// Share answered in time, percent.
        answered_percent_target: Option<f64>,
        /// In time, seconds.
        within_s: Option<u32>,
        /// A human on request, seconds.
        human_on_request_s: Option<u32>,
        /// Since.
        from: Option<String>,
        /// Article of law.
        source: Option<String>,
    }
}
