//! The notice that follows the first communication (law.md §1 `opening`, §3 United States): it goes out with it or
//! within so many days; once they are over without it, nothing but the written word that carries it is begun.

use super::book::{RuleBook, today};
use super::caps::Case;
use super::finding::Finding;
use super::pack::{LoadedPack, Pack, Scope};
use super::text;
use crate::entity::{Channel, CheckPoint, Debt, DebtStatus, LedgerKind, LedgerRow, RuleHit};
use crate::ports::store::ContactFacts;
use crate::time::{DAY_MS, UtcMs};

/// Purpose of the record that it went out, on whatever channel.
const SENT: &str = "validation_notice";
/// A notice may be mailed so many days before its debt is loaded here [H].
const BEFORE_LOAD_DAYS: i64 = 30;

/// What a pack says of the notice.
pub(crate) enum Answer {
    /// It is owed, and this may go on.
    Owed(RuleHit),
    /// Its days are over.
    Over(Finding),
}

fn days_of(pack: &Pack) -> Option<i64> {
    let opening = pack.opening.as_ref()?;
    opening.validation_notice_within_days.map(i64::from)
}

/// Whether he was told something, in words or in writing. A dial that found nobody and a message of limited content
/// on his mailbox tell nothing of the debt.
const fn communicates(row: &LedgerRow) -> bool {
    matches!(
        row.kind,
        LedgerKind::Conversation | LedgerKind::Message | LedgerKind::Reply
    ) || row.is_meeting()
}

/// The first communication about a debt that is known of: of the ledger, or a talk with him at one of his points since
/// the debt is here, for the ledger does not go back for ever.
fn first(case: &Case<'_>, debt: &Debt) -> Option<UtcMs> {
    let about = |row: &&LedgerRow| {
        communicates(row)
            && case.in_scope(Scope::CreditorPerson, row, None)
            && case.in_scope(Scope::Debt, row, Some(debt.id))
    };
    let told = case.facts.ledger.iter().filter(about).map(|row| row.at);
    let points = case.facts.points.iter().filter_map(|p| p.last_rpc_at);
    let talked = points.filter(|at| *at >= debt.created_at);
    told.chain(talked).filter(|at| *at <= case.now).min()
}

/// Whether the notice about a debt went out. One of before is no notice of a debt that came in later, by itself.
fn sent(facts: &ContactFacts, now: UtcMs, debt: &Debt) -> bool {
    facts.consents.iter().any(|c| {
        let covers = c.granted_at.max(facts.debtor.created_at);
        c.purpose == SENT
            && c.granted_at <= now
            && c.until.is_none_or(|t| now < t)
            && c.revoked_at.is_none_or(|t| now < t)
            && debt.created_at <= covers.plus_ms(BEFORE_LOAD_DAYS * DAY_MS)
    })
}

/// Whether a notice about some open debt is still to go out, where a pack asks for one.
pub(super) fn to_be_sent(facts: &ContactFacts, now: UtcMs) -> bool {
    let mut open = facts.debts.iter().filter(|d| d.status == DebtStatus::Open);
    open.any(|debt| !sent(facts, now, debt))
}

/// What one pack says; `None` where it asks for no notice, nothing was told yet, or it went out. What is under way is
/// not cut off: a transfer goes on.
pub(crate) fn test(case: &Case<'_>, loaded: &LoadedPack, check: CheckPoint) -> Option<Answer> {
    let pack = &loaded.pack;
    let days = days_of(pack)?;
    let debts = case.facts.debts.iter();
    let about = debts.filter(|d| case.debts.contains(&d.id) && !sent(case.facts, case.now, d));
    let began = about.filter_map(|d| first(case, d)).min()?;
    let due = began.plus_ms(days * DAY_MS);
    let rule = format!("{}/opening.validation_notice", pack.id);
    let label = &pack.name;
    let (when_es, when_en) = case.zones.first().map_or_else(
        || (due.to_string(), due.to_string()),
        |z| text::moment(due, &z.zone.tz),
    );
    let carries = matches!(case.channel, Channel::Letter | Channel::Email);
    if case.now < due || carries || check == CheckPoint::Transfer {
        return Some(Answer::Owed(RuleHit {
            rule,
            es: format!("{label}: falta enviar el aviso de validación; plazo hasta el {when_es}"),
            en: format!("{label}: the validation notice is still to be sent, by {when_en}"),
            refused: false,
        }));
    }
    let texts = (
        format!(
            "{label}: el plazo del aviso de validación venció el {when_es} y no consta su envío; hasta que salga, solo por carta o correo"
        ),
        format!(
            "{label}: the validation notice was due by {when_en} and no record says it went out; until it has, only by letter or e-mail"
        ),
    );
    Some(Answer::Over(Finding::forbid(rule, texts)))
}

impl RuleBook {
    /// The first instant after `now` at which the days of a notice may be over: what the law says may change then.
    pub(super) fn notice_due(&self, facts: &ContactFacts, now: UtcMs) -> Option<UtcMs> {
        let packs = self.stack_of(facts, &[today(now)]).ok()?;
        let days: Vec<i64> = packs.iter().filter_map(|p| days_of(&p.pack)).collect();
        let told = facts.ledger.iter().filter(|row| communicates(row));
        let talked = facts.points.iter().filter_map(|p| p.last_rpc_at);
        let begun = told.map(|row| row.at).chain(talked);
        let ends = begun.flat_map(|at| days.iter().map(move |n| at.plus_ms(n * DAY_MS)));
        ends.filter(|at| *at > now).min()
    }
}
