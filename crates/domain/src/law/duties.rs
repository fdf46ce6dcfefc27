//! What the packs of a debtor ask of whoever talks to him: facts to say, questions not to ask, money
//! not to take.

use super::book::{RuleBook, today};
use super::pack::{
    ForbiddenQuestion, LoadedPack, VoicemailFact, VoicemailPolicy, VoicemailSection,
};
use crate::entity::Channel;
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use serde::Serialize;

/// Purpose of his consent to be recorded.
const RECORDING: &str = "recording";

/// Duties of a conversation; the strictest of the packs that bind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Duties {
    /// Facts to be said at the first contact, in the packs' order.
    pub must_say: Vec<String>,
    /// Days within which a notice follows the first contact; `None` where no pack asks for one, or it went out.
    pub notice_within_days: Option<u16>,
    /// Questions never asked.
    pub forbidden_questions: Vec<String>,
    /// Whether the collector may receive money.
    pub may_receive_money: bool,
    /// Whether an agreement must be in writing.
    pub written_agreement: bool,
    /// Whether the debtor is told of the recording; always, by the house.
    pub announce_recording: bool,
    /// Whether all parties must agree to the recording, and no record says that he did: none begins by itself then.
    pub all_party_consent: bool,
    /// What a third party may hear, by pack: `nothing`, `no_debt_disclosure`, …
    pub third_party: Vec<String>,
    /// Whether voicemail is forbidden; so it is where no pack speaks of it, and where one wants told what
    /// nobody here knows.
    pub no_voicemail: bool,
    /// Whether a message on a mailbox may hold nothing but [`Self::voicemail_must`]: no recording then, for
    /// nobody reads its words.
    pub voicemail_limited: bool,
    /// What a message on a mailbox has to tell.
    pub voicemail_must: Vec<VoicemailFact>,
}

impl Duties {
    /// Whether the debtor may be asked why he did not pay.
    #[must_use]
    pub fn may_ask_reason(&self) -> bool {
        let reason = ForbiddenQuestion::ReasonForDefault.to_string();
        !self.forbidden_questions.contains(&reason)
    }

    /// Facts of the first contact that are not among those told.
    #[must_use]
    pub fn untold<'a>(&'a self, told: &[String]) -> Vec<&'a str> {
        let open = self.must_say.iter().filter(|fact| !told.contains(fact));
        open.map(String::as_str).collect()
    }

    /// Adds what one pack says of messages on mailboxes.
    fn mailbox(&mut self, section: &VoicemailSection) {
        self.voicemail_limited |= section.policy == VoicemailPolicy::LimitedContentOnly;
        match section.facts() {
            Some(facts) if section.policy != VoicemailPolicy::Forbidden => {
                self.voicemail_must.extend(facts);
            }
            _ => self.no_voicemail = true,
        }
        self.voicemail_must.sort_unstable();
        self.voicemail_must.dedup();
    }
}

/// Whether he agreed to be recorded.
fn agreed(facts: &ContactFacts, at: UtcMs) -> bool {
    facts.consents.iter().any(|c| {
        c.purpose == RECORDING
            && c.channel == Channel::Call
            && c.granted_at <= at
            && c.until.is_none_or(|t| at < t)
            && c.revoked_at.is_none_or(|t| at < t)
    })
}

impl RuleBook {
    /// Whether some pack lets texts of a channel tell of the debt before they are opened.
    #[must_use]
    pub fn may_show(&self, channel: Channel) -> bool {
        let shows = |p: &LoadedPack| {
            let messages = p.pack.messages.as_ref();
            messages.is_some_and(|m| m.may_show.contains(&channel))
        };
        self.packs.iter().any(shows)
    }

    /// What the debtor's packs ask at `at`; the house floor where none binds.
    #[must_use]
    pub fn duties(&self, facts: &ContactFacts, at: UtcMs) -> Duties {
        let packs = self.stack_of(facts, &[today(at)]).unwrap_or_default();
        let mut duties = Duties {
            may_receive_money: true,
            announce_recording: true,
            no_voicemail: packs.iter().all(|p| p.pack.voicemail.is_none()),
            ..Duties::default()
        };
        for loaded in packs {
            let pack = &loaded.pack;
            if let Some(opening) = &pack.opening {
                for fact in &opening.must_say {
                    if !duties.must_say.contains(fact) {
                        duties.must_say.push(fact.clone());
                    }
                }
                let days = opening.validation_notice_within_days;
                duties.notice_within_days = match (duties.notice_within_days, days) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            if let Some(questions) = &pack.forbidden_questions {
                let names = questions
                    .list
                    .iter()
                    .map(|q: &ForbiddenQuestion| q.to_string());
                duties.forbidden_questions.extend(names);
            }
            duties.may_receive_money &= pack
                .payment
                .as_ref()
                .is_none_or(|p| p.collector_may_receive);
            duties.written_agreement |= pack.plan.as_ref().is_some_and(|p| p.written_required);
            duties.all_party_consent |= pack
                .recording
                .as_ref()
                .is_some_and(|r| r.all_party_consent == Some(true));
            duties
                .third_party
                .extend(pack.parties.as_ref().and_then(|p| p.third_party.clone()));
            if let Some(section) = &pack.voicemail {
                duties.mailbox(section);
            }
        }
        duties.all_party_consent &= !agreed(facts, at);
        let owed = |_: &u16| super::notice::to_be_sent(facts, at);
        duties.notice_within_days = duties.notice_within_days.filter(owed);
        duties.forbidden_questions.sort_unstable();
        duties.forbidden_questions.dedup();
        duties.third_party.dedup();
        duties
    }
}
