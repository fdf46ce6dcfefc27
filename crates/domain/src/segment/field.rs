//! What an expression can ask about, of what kind its values are, and the words of closed vocabularies.

use crate::entity::{
    CallResult, Channel, ClaimState, ComplaintState, DebtStatus, DebtorKind, ExcuseKind, HoldKind,
    InboxState, Language, LetterLevel, LinkState, MessageState, PartyRole, PaymentChannel,
    PlanState, PointClass, PreferenceKind, PromiseState, Stage, VisitOutcome, VisitState,
};

crate::text_enum! {
    /// What can be compared. The unit or vocabulary stands behind each.
    pub enum Field {
        /// ISO country of residence (text).
        Country = "country",
        /// Subdivision (text).
        Subdivision = "subdivision",
        /// Language (text).
        Language = "language",
        /// `person` or `company` (text).
        DebtorKind = "debtor_kind",
        /// The client's key of the debtor (text).
        ExternalRef = "external_ref",
        /// Portfolio name (text).
        Portfolio = "portfolio",
        /// Full name, exactly as it is kept (text).
        Name = "name",
        /// Identity document (text).
        Document = "document",
        /// Zone of the address (IANA), empty when not known (text).
        Zone = "zone",
        /// The client's key of an open debt (text; any debt matches).
        DebtRef = "debt_ref",
        /// Role of somebody on his debts (text; any party matches).
        PartyRole = "party_role",
        /// Kind of a hold in force on the debtor, a debt or a phone (text; any hold matches).
        HoldKind = "hold_kind",
        /// Purpose of a consent in force (text; any consent matches).
        Consent = "consent",
        /// Product of an open debt (text; any debt matches).
        Product = "product",
        /// Currency of an open debt (text; any debt matches).
        Currency = "currency",
        /// Greatest days past due among open debts (number). Days here and below end at midnight of the zone of the
        /// debtor's portfolio.
        DaysPastDue = "days_past_due",
        /// Ageing bucket of that figure, terms.md §7 (text).
        Bucket = "bucket",
        /// Sum of balances of open debts (money).
        Balance = "balance",
        /// Sum of overdue amounts (money).
        Overdue = "overdue",
        /// Sum of principals of open debts (money).
        Principal = "principal",
        /// Sum of interests of open debts (money).
        Interest = "interest",
        /// Sum of fees of open debts (money).
        Fees = "fees",
        /// Sum of the least payments asked on open debts (money).
        Minimum = "minimum",
        /// Number of open debts (number).
        DebtCount = "debt_count",
        /// Number of phones that are not bad (number).
        PhoneCount = "phone_count",
        /// Of them mobiles (number).
        MobilePhones = "mobile_phones",
        /// Of them given by the debtor (number).
        GivenPhones = "given_phones",
        /// Of them authorised by the debtor (number).
        AuthorisedPhones = "authorised_phones",
        /// The client's score; none = -1 (number).
        Score = "score",
        /// Days since he came into the portfolio (number).
        DaysInFile = "days_in_file",
        /// Best confidence among them, 0–100 (number).
        PointConfidence = "point_confidence",
        /// Attempts ever (number).
        Attempts = "attempts",
        /// Attempts in the last 7 × 24 h (number).
        Attempts7d = "attempts_7d",
        /// Days since the last attempt; no attempt = 100000 (number).
        DaysSinceAttempt = "days_since_attempt",
        /// Days since the last right-party contact; none = 100000 (number).
        DaysSinceRpc = "days_since_rpc",
        /// Result of the last attempt (text).
        LastResult = "last_result",
        /// Disposition of the last disposed attempt (text).
        LastDisposition = "last_disposition",
        /// Has an active promise (yes/no).
        PromiseActive = "promise_active",
        /// Broken promises ever (number).
        PromisesBroken = "promises_broken",
        /// Kept promises ever (number).
        PromisesKept = "promises_kept",
        /// Days until the first active promise is due; none = 100000 (number).
        DaysToPromise = "days_to_promise",
        /// Days until the first statute date among open debts, negative behind it; none known = 100000
        /// (number).
        DaysToStatute = "days_to_statute",
        /// Sum of the active promises (money).
        Promised = "promised",
        /// Payments ever, reversals too (number).
        Payments = "payments",
        /// Days since the last payment; none = 100000 (number).
        DaysSincePayment = "days_since_payment",
        /// Paid ever, less reversals (money).
        Paid = "paid",
        /// Paid in the last 30 × 24 h (money).
        Paid30d = "paid_30d",
        /// Has a hold in force on the debtor (yes/no).
        OnHold = "on_hold",
        /// One of his phones or his document is listed (yes/no).
        Suppressed = "suppressed",
        /// The law, asked not long ago, lets one of his phones be called now; no hold, not listed (yes/no). Of the
        /// debtor in general: which number a campaign would show is not looked at, nor its days, hours and choices;
        /// `why-not` of the campaign counts whom those hold back.
        CallableNow = "callable_now",
        /// Zone that he told us himself (IANA), empty when he told none (text).
        ToldZone = "told_zone",
        /// City of an address that is not proved wrong (text; any address matches).
        City = "city",
        /// Postal code of such an address (text; any address matches).
        Postcode = "postcode",
        /// Whether a debt is open, paid, recalled or closed (text; any debt matches, closed ones too).
        DebtStatus = "debt_status",
        /// The client's number of a due item of an open debt (text; any item matches).
        InvoiceRef = "invoice_ref",
        /// Escalation stage of a debt (text; any debt matches).
        Stage = "stage",
        /// One of his phone numbers, E.164, bad ones too (text; any number matches).
        Phone = "phone",
        /// One of his e-mail addresses, as it is kept (text; any address matches).
        Email = "email",
        /// Where a phone that is not bad came from (text; any phone matches).
        PointSource = "point_source",
        /// Number of e-mail addresses that are not bad (number).
        EmailCount = "email_count",
        /// Days since the oldest of his points that are not bad was last confirmed, by a file or a right-party
        /// contact; without an open debt or a usable phone = 100000 (number).
        DaysSinceConfirmed = "days_since_confirmed",
        /// Channel of a consent in force (text; any consent matches).
        ConsentChannel = "consent_channel",
        /// Kind of a preference or mark in force (text; any matches).
        Preference = "preference",
        /// Channel that a hold in force closes, because he opted out of it (text; any hold matches).
        OptoutChannel = "optout_channel",
        /// State of a complaint (text; any complaint matches).
        ComplaintState = "complaint_state",
        /// Promises kept in part, ever (number).
        PromisesPartial = "promises_partial",
        /// Promises broken in the last 60 × 24 h (number).
        PromisesBroken60d = "promises_broken_60d",
        /// State of a plan (text; any plan matches).
        PlanState = "plan_state",
        /// Why he could not pay, as he said (text; any excuse matches).
        Excuse = "excuse",
        /// How a payment came in (text; any payment matches).
        PaymentChannel = "payment_channel",
        /// Conversations with identity passed in the last 30 × 24 h (number).
        Rpc30d = "rpc_30d",
        /// Messages sent in the last 30 × 24 h (number).
        Messages30d = "messages_30d",
        /// Letters made in the last 30 × 24 h (number).
        Letters30d = "letters_30d",
        /// Visits in the last 30 × 24 h, as the ledger has them (number).
        Visits30d = "visits_30d",
        /// Days since the newest placement of an open debt; none = 100000 (number).
        DaysSincePlacement = "days_since_placement",
        /// Days until the first instalment that is due of a plan that runs, negative behind it; none = 100000
        /// (number).
        DaysToInstalment = "days_to_instalment",
        /// What is open of the instalments due on that day (money).
        NextInstalment = "next_instalment",
        /// Name of the campaign that alone dials him (text).
        AssignedCampaign = "assigned_campaign",
        /// Name of the team that gets him first (text).
        AssignedTeam = "assigned_team",
        /// Name of the agent who works him (text).
        AssignedAgent = "assigned_agent",
        /// Street of an address that is not proved wrong, exactly as it is kept (text; any address matches).
        Street = "street",
        /// State or region of such an address (text; any address matches).
        AddressRegion = "address_region",
        /// ISO country of such an address (text; any address matches).
        AddressCountry = "address_country",
        /// Number of such addresses (number).
        AddressCount = "address_count",
        /// Class of a phone that is not bad (text; any phone matches).
        PointClass = "point_class",
        /// Role of who answers a phone that is not bad (text; any phone matches).
        PointRole = "point_role",
        /// Days until the first day on which the client takes an open debt back, negative behind it; none told =
        /// 100000 (number).
        DaysToRecall = "days_to_recall",
        /// State of a promise (text; any promise matches).
        PromiseState = "promise_state",
        /// How an active promise is to be paid (text; any active promise matches).
        PromiseChannel = "promise_channel",
        /// What became of a payment that he says he made (text; any such word matches).
        ClaimState = "claim_state",
        /// State of a payment link (text; any link matches).
        LinkState = "link_state",
        /// State of a visit (text; any visit matches).
        VisitState = "visit_state",
        /// Whom a visit met (text; any visit that was made matches).
        VisitOutcome = "visit_outcome",
        /// Has an agreed call-back that is still to be made (yes/no).
        Callback = "callback",
        /// Level of a letter made in the last 90 × 24 h (text; any letter matches).
        LetterLevel90d = "letter_level_90d",
        /// Channel of a message sent in the last 30 × 24 h (text; any message matches).
        MessageChannel30d = "message_channel_30d",
        /// State of a message sent in the last 30 × 24 h (text; any message matches).
        MessageState30d = "message_state_30d",
        /// Channel that a preference in force is about (text; any preference matches).
        PreferenceChannel = "preference_channel",
        /// Authority that sent a complaint, as it is kept (text; any complaint matches).
        ComplaintAuthority = "complaint_authority",
        /// Days until the first open complaint has to be answered, negative behind it; none open = 100000
        /// (number).
        DaysToComplaint = "days_to_complaint",
        /// Name of somebody else on his debts, exactly as it is kept (text; anybody but the titular matches).
        PartyName = "party_name",
        /// Number of others on his debts, whatever their role, once a debt (number).
        PartyCount = "party_count",
        /// Of them co-debtors and those jointly liable (number).
        CoDebtors = "co_debtors",
        /// Of them guarantors, by aval or as surety (number).
        Guarantors = "guarantors",
        /// Number of phones that were proved wrong (number).
        BadPhones = "bad_phones",
        /// Days since he last wrote to us, by any channel; never = 100000 (number).
        DaysSinceReply = "days_since_reply",
        /// Whether somebody looked after a message that he wrote (text; any message matches).
        ReplyState = "reply_state",
        /// Days since he was given to who works him; to nobody = 100000 (number).
        DaysSinceAssigned = "days_since_assigned",
        /// Days until the next due item of an open debt, 0 = today; none to come = 100000 (number).
        DaysToDueItem = "days_to_due_item",
        /// What the items due on that day are of (money).
        NextDueItem = "next_due_item",
        /// What he promised to pay by the first day on which an active promise is due (money).
        NextPromise = "next_promise",
    }
}

crate::text_enum! {
    /// Kind of a field's values.
    pub enum FieldKind {
        /// Text, compared exactly.
        Text = "text",
        /// Whole number.
        Number = "number",
        /// Money: units of whatever currency it is in, with two decimals in the text form, hundredths of a unit inside
        /// (`money::hundredths`).
        Money = "money",
        /// Yes or no.
        Bool = "bool",
    }
}

impl Field {
    /// Whether its value changes at midnight of a zone.
    #[must_use]
    pub const fn counts_days(self) -> bool {
        matches!(
            self,
            Self::DaysPastDue
                | Self::Bucket
                | Self::DaysToPromise
                | Self::DaysToStatute
                | Self::DaysToInstalment
                | Self::DaysSincePlacement
                | Self::DaysToRecall
                | Self::DaysToComplaint
                | Self::DaysToDueItem
                | Self::NextDueItem
        )
    }

    /// Kind of its values.
    #[must_use]
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::Country
            | Self::Subdivision
            | Self::Language
            | Self::DebtorKind
            | Self::ExternalRef
            | Self::Portfolio
            | Self::Product
            | Self::Currency
            | Self::Bucket
            | Self::LastResult
            | Self::LastDisposition
            | Self::Name
            | Self::Document
            | Self::Zone
            | Self::DebtRef
            | Self::PartyRole
            | Self::HoldKind
            | Self::Consent
            | Self::ToldZone
            | Self::City
            | Self::Postcode
            | Self::DebtStatus
            | Self::InvoiceRef
            | Self::Stage
            | Self::Phone
            | Self::Email
            | Self::PointSource
            | Self::ConsentChannel
            | Self::Preference
            | Self::OptoutChannel
            | Self::ComplaintState
            | Self::PlanState
            | Self::Excuse
            | Self::PaymentChannel
            | Self::AssignedCampaign
            | Self::AssignedTeam
            | Self::AssignedAgent
            | Self::Street
            | Self::AddressRegion
            | Self::AddressCountry
            | Self::PointClass
            | Self::PointRole
            | Self::PromiseState
            | Self::PromiseChannel
            | Self::ClaimState
            | Self::LinkState
            | Self::VisitState
            | Self::VisitOutcome
            | Self::LetterLevel90d
            | Self::MessageChannel30d
            | Self::MessageState30d
            | Self::PreferenceChannel
            | Self::ComplaintAuthority
            | Self::PartyName
            | Self::ReplyState => FieldKind::Text,
            Self::DaysPastDue
            | Self::DebtCount
            | Self::PhoneCount
            | Self::PointConfidence
            | Self::Attempts
            | Self::Attempts7d
            | Self::DaysSinceAttempt
            | Self::DaysSinceRpc
            | Self::PromisesBroken
            | Self::PromisesKept
            | Self::MobilePhones
            | Self::GivenPhones
            | Self::AuthorisedPhones
            | Self::Score
            | Self::DaysInFile
            | Self::DaysToPromise
            | Self::DaysToStatute
            | Self::Payments
            | Self::DaysSincePayment
            | Self::EmailCount
            | Self::DaysSinceConfirmed
            | Self::PromisesPartial
            | Self::PromisesBroken60d
            | Self::Rpc30d
            | Self::Messages30d
            | Self::Letters30d
            | Self::Visits30d
            | Self::DaysSincePlacement
            | Self::DaysToInstalment
            | Self::AddressCount
            | Self::DaysToRecall
            | Self::DaysToComplaint
            | Self::PartyCount
            | Self::CoDebtors
            | Self::Guarantors
            | Self::BadPhones
            | Self::DaysSinceReply
            | Self::DaysSinceAssigned
            | Self::DaysToDueItem => FieldKind::Number,
            Self::Balance
            | Self::Overdue
            | Self::Principal
            | Self::Interest
            | Self::Fees
            | Self::Minimum
            | Self::Promised
            | Self::Paid
            | Self::Paid30d
            | Self::NextInstalment
            | Self::NextDueItem
            | Self::NextPromise => FieldKind::Money,
            Self::PromiseActive
            | Self::OnHold
            | Self::Suppressed
            | Self::CallableNow
            | Self::Callback => FieldKind::Bool,
        }
    }

    /// The words of a field with a closed vocabulary, in their order; `None` = any text.
    #[must_use]
    pub fn words(self) -> Option<Vec<&'static str>> {
        Some(match self {
            Self::Bucket => super::row::BUCKETS.to_vec(),
            Self::Language => texts(Language::ALL, Language::as_str),
            Self::DebtorKind => texts(DebtorKind::ALL, DebtorKind::as_str),
            Self::PartyRole | Self::PointRole => texts(PartyRole::ALL, PartyRole::as_str),
            Self::HoldKind => texts(HoldKind::ALL, HoldKind::as_str),
            Self::DebtStatus => texts(DebtStatus::ALL, DebtStatus::as_str),
            Self::Stage => texts(Stage::ALL, Stage::as_str),
            Self::ConsentChannel
            | Self::OptoutChannel
            | Self::MessageChannel30d
            | Self::PreferenceChannel => texts(Channel::ALL, Channel::as_str),
            Self::Preference => texts(PreferenceKind::ALL, PreferenceKind::as_str),
            Self::ComplaintState => texts(ComplaintState::ALL, ComplaintState::as_str),
            Self::PlanState => texts(PlanState::ALL, PlanState::as_str),
            Self::Excuse => texts(ExcuseKind::ALL, ExcuseKind::as_str),
            Self::PaymentChannel | Self::PromiseChannel => {
                texts(PaymentChannel::ALL, PaymentChannel::as_str)
            }
            Self::PointClass => texts(PointClass::ALL, PointClass::as_str),
            Self::PromiseState => texts(PromiseState::ALL, PromiseState::as_str),
            Self::ClaimState => texts(ClaimState::ALL, ClaimState::as_str),
            Self::LinkState => texts(LinkState::ALL, LinkState::as_str),
            Self::VisitState => texts(VisitState::ALL, VisitState::as_str),
            Self::VisitOutcome => texts(VisitOutcome::ALL, VisitOutcome::as_str),
            Self::LetterLevel90d => texts(LetterLevel::ALL, LetterLevel::as_str),
            Self::MessageState30d => texts(MessageState::ALL, MessageState::as_str),
            Self::ReplyState => texts(InboxState::ALL, InboxState::as_str),
            // Who was never called has none.
            Self::LastResult => {
                let results = texts(CallResult::ALL, CallResult::as_str);
                [""].into_iter().chain(results).collect()
            }
            _ => return None,
        })
    }
}

fn texts<T: Copy>(of: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
    of.iter().map(|one| text(*one)).collect()
}
