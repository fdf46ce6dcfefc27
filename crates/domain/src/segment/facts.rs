//! How the values of every field follow from what is kept of one debtor.

use super::row::{NEVER_DAYS, NO_SCORE, SegmentRow, date_of_day, day_of_date};
use super::{Expr, Field};
use crate::entity::{
    Address, Attempt, Channel, Claim, Complaint, ComplaintState, Consent, ContactPoint, Debt,
    DebtItem, DebtStage, DebtStatus, Debtor, Excuse, Hold, HoldKind, HoldScope, InboxMessage,
    Instalment, InstalmentState, LedgerKind, LedgerRow, Letter, Message, Party, PartyRole, Payment,
    PaymentLink, Plan, PointClass, Preference, Promise, PromiseState, Suppression, Visit,
};
use crate::money::{Money, hundredths};
use crate::ports::store::{CallbackRow, ItemState};
use crate::time::{DAY_MS, UtcMs};

/// Everything of one debtor that a row follows from. Iterators in any order.
#[derive(Debug, Clone, Copy)]
pub struct SegmentFacts<'a> {
    /// The debtor.
    pub debtor: &'a Debtor,
    /// Name of his portfolio.
    pub portfolio: &'a str,
    /// The day that it is in his portfolio's zone ([`super::day_in`]).
    pub today: i64,
    /// All his debts.
    pub debts: &'a [&'a Debt],
    /// All his points.
    pub points: &'a [&'a ContactPoint],
    /// All his attempts.
    pub attempts: &'a [&'a Attempt],
    /// All his promises.
    pub promises: &'a [&'a Promise],
    /// All his payments.
    pub payments: &'a [&'a Payment],
    /// All his holds.
    pub holds: &'a [&'a Hold],
    /// Everybody on his debts.
    pub parties: &'a [&'a Party],
    /// All his consents.
    pub consents: &'a [&'a Consent],
    /// The client's score, if there is one.
    pub score: Option<i64>,
    /// From when until when the law lets him be called, as it was last asked; the end is not in it.
    pub callable: Option<(UtcMs, UtcMs)>,
    /// Suppressions that may concern him, entries of external lists among them (others are ignored).
    pub suppressions: &'a [&'a Suppression],
    /// His postal addresses.
    pub addresses: &'a [&'a Address],
    /// Due items of his debts.
    pub items: &'a [&'a DebtItem],
    /// Stages of his debts.
    pub stages: &'a [&'a DebtStage],
    /// All his plans.
    pub plans: &'a [&'a Plan],
    /// All his excuses.
    pub excuses: &'a [&'a Excuse],
    /// All his preferences.
    pub preferences: &'a [&'a Preference],
    /// All his complaints.
    pub complaints: &'a [&'a Complaint],
    /// Instalments of these plans.
    pub instalments: &'a [&'a Instalment],
    /// Days on which his open debts were placed with us (`YYYY-MM-DD`).
    pub placed_on: &'a [&'a str],
    /// Days on which they are to be given back (`YYYY-MM-DD`), where one was agreed.
    pub recall_on: &'a [&'a str],
    /// Payments that he says he made.
    pub claims: &'a [&'a Claim],
    /// Payment links made for him.
    pub links: &'a [&'a PaymentLink],
    /// Where he stands in each campaign.
    pub places: &'a [&'a ItemState],
    /// All visits to him.
    pub visits: &'a [&'a Visit],
    /// All messages to him.
    pub messages: &'a [&'a Message],
    /// All messages that he wrote.
    pub inbox: &'a [&'a InboxMessage],
    /// All letters to him.
    pub letters: &'a [&'a Letter],
    /// His own rows of the ledger, of the last 30 days at least.
    pub ledger: &'a [&'a LedgerRow],
    /// Who works him.
    pub assigned: Assigned<'a>,
}

/// Names of who works a debtor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Assigned<'a> {
    /// The campaign that alone dials him.
    pub campaign: Option<&'a str>,
    /// The team that gets him first.
    pub team: Option<&'a str>,
    /// The agent who works him.
    pub agent: Option<&'a str>,
    /// Since when; nothing where nobody does.
    pub since: Option<UtcMs>,
}

/// Whether what an expression finds depends on marks of the law, which may still be missing. Names in it have to be
/// put in before.
#[must_use]
pub fn asks_the_law(expr: &Expr) -> bool {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(asks_the_law),
        Expr::Not(part) => asks_the_law(part),
        Expr::Cmp { field, .. } | Expr::Between { field, .. } | Expr::In { field, .. } => {
            *field == Field::CallableNow
        }
        Expr::All | Expr::Named { .. } => false,
    }
}

/// The expression without what the hour alone decides: whoever is in it at some hour is in this. A night ends nobody's
/// place in a campaign. Names in it have to be put in before.
#[must_use]
pub fn at_any_hour(expr: &Expr) -> Expr {
    widened(expr, true)
}

/// As wide as the law's marks may make it, or within a `not` as narrow.
fn widened(expr: &Expr, wide: bool) -> Expr {
    let all = |parts: &[Expr]| parts.iter().map(|part| widened(part, wide)).collect();
    match expr {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(part) => Expr::Not(Box::new(widened(part, !wide))),
        Expr::Cmp { .. } | Expr::Between { .. } | Expr::In { .. } if asks_the_law(expr) => {
            match wide {
                true => Expr::All,
                false => Expr::Not(Box::new(Expr::All)),
            }
        }
        other => other.clone(),
    }
}

impl SegmentFacts<'_> {
    /// The values of every field at `now`.
    #[must_use]
    pub fn row(&self, now: UtcMs) -> SegmentRow {
        let mut row = SegmentRow {
            country: self.debtor.country.clone(),
            subdivision: self.debtor.subdivision.clone().unwrap_or_default(),
            language: self.debtor.language.to_string(),
            debtor_kind: self.debtor.kind.to_string(),
            external_ref: self.debtor.external_ref.clone(),
            portfolio: self.portfolio.to_owned(),
            promise_active: self
                .promises
                .iter()
                .any(|p| p.state == PromiseState::Active),
            promises_broken: self.promises_in(PromiseState::Broken),
            promises_kept: self.promises_in(PromiseState::Kept),
            on_hold: self
                .holds
                .iter()
                .any(|h| h.scope == HoldScope::Debtor && h.active_at(now)),
            suppressed: self.suppressions.iter().any(|s| self.listed(s)),
            ..SegmentRow::default()
        };
        let month = now.plus_ms(-30 * DAY_MS);
        let lately = self
            .payments
            .iter()
            .filter(|p| p.paid_at > month && p.paid_at <= now);
        row.paid_30d = hundredths(lately.map(|p| p.amount));
        self.fill_file(&mut row, now);
        self.fill_money(&mut row, now);
        self.fill_debts(&mut row);
        self.fill_points(&mut row, now);
        self.fill_attempts(&mut row, now);
        self.fill_ties(&mut row, now);
        row
    }

    fn fill_file(&self, row: &mut SegmentRow, now: UtcMs) {
        row.name.clone_from(self.debtor.name.reveal());
        row.document.clone_from(self.debtor.document.reveal());
        row.zone = self.debtor.address_zone.clone().unwrap_or_default();
        row.told_zone = self.debtor.told_zone.clone().unwrap_or_default();
        let places = || self.addresses.iter().filter(|a| !a.bad);
        row.cities = places().map(|a| a.city.clone()).collect();
        row.postcodes = places().map(|a| a.postcode.clone()).collect();
        row.streets = places().map(|a| a.street.reveal().clone()).collect();
        row.address_regions = places().map(|a| a.region.clone()).collect();
        row.address_countries = places().map(|a| a.country.clone()).collect();
        row.address_count = count(places().count());
        self.fill_parties(row);
        let holds = || self.holds.iter().filter(|h| h.active_at(now));
        row.hold_kinds = holds().map(|h| h.kind.to_string()).collect();
        row.optout_channels = holds()
            .filter(|h| h.kind == HoldKind::ChannelOptout)
            .filter_map(|h| h.channel.map(|c| c.to_string()))
            .collect();
        let valid = |c: &&&Consent| {
            c.granted_at <= now
                && c.until.is_none_or(|t| now < t)
                && c.revoked_at.is_none_or(|t| now < t)
        };
        let valid = || self.consents.iter().filter(valid);
        row.consents = valid().map(|c| c.purpose.clone()).collect();
        row.consent_channels = valid().map(|c| c.channel.to_string()).collect();
        row.score = self.score.unwrap_or(NO_SCORE);
        row.days_in_file = now.since_ms(self.debtor.created_at) / DAY_MS;
        row.callable_now = !row.on_hold
            && !row.suppressed
            && self
                .callable
                .is_some_and(|(from, to)| from <= now && now < to);
    }

    /// Who else is on his debts.
    fn fill_parties(&self, row: &mut SegmentRow) {
        row.party_roles = names(self.parties.iter().map(|p| p.role));
        let others = || {
            let all = self.parties.iter();
            all.filter(|p| p.role != PartyRole::Titular)
        };
        row.party_names = others().map(|p| p.name.reveal().clone()).collect();
        row.party_count = count(others().count());
        let of = |roles: &[PartyRole]| count(others().filter(|p| roles.contains(&p.role)).count());
        row.co_debtors = of(&[PartyRole::Codeudor, PartyRole::ObligadoSolidario]);
        row.guarantors = of(&[PartyRole::Aval, PartyRole::Fiador]);
    }

    fn fill_money(&self, row: &mut SegmentRow, now: UtcMs) {
        let active = || {
            let of = self.promises.iter();
            of.filter(|p| p.state == PromiseState::Active)
        };
        row.promised = hundredths(active().map(|p| p.amount));
        let due = active().filter_map(|p| day_of_date(&p.due_date)).min();
        row.days_to_promise = due.map_or(NEVER_DAYS, |day| day - self.today);
        let first = active().map(|p| p.due_date.as_str()).min();
        let next = active().filter(|p| Some(p.due_date.as_str()) == first);
        row.next_promise = hundredths(next.map(|p| p.amount));
        row.payments = count(self.payments.len());
        row.paid = hundredths(self.payments.iter().map(|p| p.amount));
        let last = self.payments.iter().map(|p| p.paid_at).max();
        row.days_since_payment = last.map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
        row.payment_channels = names(self.payments.iter().map(|p| p.channel));
        row.promises_partial = self.promises_in(PromiseState::KeptPartial);
        let since = now.plus_ms(-60 * DAY_MS);
        let lately = |p: &&&Promise| {
            p.state == PromiseState::Broken && p.closed_at.is_some_and(|at| at > since)
        };
        row.promises_broken_60d = count(self.promises.iter().filter(lately).count());
        row.plan_states = names(self.plans.iter().map(|p| p.state));
        row.promise_states = names(self.promises.iter().map(|p| p.state));
        row.promise_channels = names(active().map(|p| p.channel));
        row.claim_states = names(self.claims.iter().map(|c| c.state));
        row.link_states = names(self.links.iter().map(|l| l.state));
        self.fill_instalment(row);
    }

    /// What is due next of the plans that run.
    fn fill_instalment(&self, row: &mut SegmentRow) {
        let currency = |part: &Instalment| {
            let plan = self.plans.iter().find(|p| p.id == part.plan_id)?;
            plan.state.runs().then_some(plan.currency)
        };
        let due = || {
            let parts = self.instalments.iter();
            parts
                .filter(|part| part.state == InstalmentState::Due)
                .filter_map(|part| Some((*part, currency(part)?)))
        };
        let first = due().map(|(part, _)| part.due_date.as_str()).min();
        let day = first.and_then(day_of_date);
        row.days_to_instalment = day.map_or(NEVER_DAYS, |day| day - self.today);
        let next = due().filter(|(part, _)| Some(part.due_date.as_str()) == first);
        let open = |(part, currency): (&Instalment, _)| {
            Money::new(part.amount_minor - part.paid_minor, currency)
        };
        row.next_instalment = hundredths(next.map(open));
    }

    fn promises_in(&self, state: PromiseState) -> i64 {
        count(self.promises.iter().filter(|p| p.state == state).count())
    }

    fn listed(&self, s: &Suppression) -> bool {
        let binds = s.lifted_at.is_none()
            && s.client_id.is_none_or(|c| c == self.debtor.client_id)
            && s.debtor_id.is_none_or(|d| d == self.debtor.id);
        binds && s.names(self.debtor, self.points.iter().copied())
    }

    fn fill_debts(&self, row: &mut SegmentRow) {
        let open = || self.debts.iter().filter(|d| d.status == DebtStatus::Open);
        row.products = open().map(|d| d.product.clone()).collect();
        row.currencies = open().map(|d| d.currency.to_string()).collect();
        row.debt_refs = open().map(|d| d.external_ref.clone()).collect();
        row.debt_statuses = names(self.debts.iter().map(|d| d.status));
        row.stages = names(self.stages.iter().map(|s| s.stage));
        let of_open = |item: &&&DebtItem| open().any(|d| d.id == item.debt_id);
        let items = self.items.iter().filter(of_open);
        row.invoice_refs = items.map(|item| item.reference.clone()).collect();
        self.fill_due_item(row);
        let sum = |of: fn(&Debt) -> i64| hundredths(open().map(|d| Money::new(of(d), d.currency)));
        row.principal = sum(|d| d.principal_minor);
        row.interest = sum(|d| d.interest_minor);
        row.fees = sum(|d| d.fees_minor);
        row.minimum = sum(|d| d.minimum_minor);
        row.debt_count = count(open().count());
        row.balance = sum(Debt::balance_minor);
        row.overdue = sum(|d| d.overdue_minor);
        let oldest = open().filter_map(|d| day_of_date(&d.due_date)).min();
        row.days_past_due = oldest.map_or(0, |day| self.today - day);
        let first = open()
            .filter_map(|d| day_of_date(d.statute_date.as_deref()?))
            .min();
        row.days_to_statute = first.map_or(NEVER_DAYS, |day| day - self.today);
        let placed = self.placed_on.iter().max().and_then(|day| day_of_date(day));
        row.days_since_placement = placed.map_or(NEVER_DAYS, |day| self.today - day);
        let back = self.recall_on.iter().min().and_then(|day| day_of_date(day));
        row.days_to_recall = back.map_or(NEVER_DAYS, |day| day - self.today);
    }

    /// What of the items of his open debts falls due next.
    fn fill_due_item(&self, row: &mut SegmentRow) {
        let today = date_of_day(self.today);
        let of_open = |item: &DebtItem| {
            let mut debts = self.debts.iter();
            let own = debts.find(|d| d.id == item.debt_id && d.status == DebtStatus::Open);
            own.map(|debt| debt.currency)
        };
        let to_come = || {
            let items = self.items.iter();
            items
                .filter(|item| item.due_date.as_str() >= today.as_str())
                .filter_map(|item| Some((*item, of_open(item)?)))
        };
        let first = to_come().map(|(item, _)| item.due_date.as_str()).min();
        let day = first.and_then(day_of_date);
        row.days_to_due_item = day.map_or(NEVER_DAYS, |day| day - self.today);
        let next = to_come().filter(|(item, _)| Some(item.due_date.as_str()) == first);
        row.next_due_item = hundredths(next.map(|(item, of)| Money::new(item.amount_minor, of)));
    }

    fn fill_points(&self, row: &mut SegmentRow, now: UtcMs) {
        let good = || {
            self.points
                .iter()
                .filter(|p| p.channel == Channel::Call && !p.bad)
        };
        row.phone_count = count(good().count());
        let mobiles = good().filter(|p| p.class == PointClass::Mobile);
        row.mobile_phones = count(mobiles.count());
        row.given_phones = count(good().filter(|p| p.given_by_debtor).count());
        row.authorised_phones = count(good().filter(|p| p.authorised).count());
        let bad = |p: &&&ContactPoint| p.channel == Channel::Call && p.bad;
        row.bad_phones = count(self.points.iter().filter(bad).count());
        row.point_confidence = good().map(|p| i64::from(p.confidence)).max().unwrap_or(0);
        let rpc = self.points.iter().filter_map(|p| p.last_rpc_at).max();
        row.days_since_rpc = rpc.map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
        row.point_sources = good().map(|p| p.source.clone()).collect();
        row.point_classes = names(good().map(|p| p.class));
        row.point_roles = names(good().map(|p| p.role));
        let (mails, phones): (Vec<&ContactPoint>, Vec<&ContactPoint>) = self
            .points
            .iter()
            .copied()
            .partition(|p| p.channel == Channel::Email);
        row.emails = values(&mails);
        row.numbers = values(&phones);
        row.email_count = count(mails.iter().filter(|p| !p.bad).count());
        row.days_since_confirmed = self
            .confirmed_at()
            .map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
    }

    /// When the oldest of his points was last confirmed, as long as he owes something and can be called.
    fn confirmed_at(&self) -> Option<UtcMs> {
        let owes = self.debts.iter().any(|d| d.status == DebtStatus::Open);
        let good = || self.points.iter().filter(|p| !p.bad);
        if !owes || !good().any(|p| p.channel == Channel::Call) {
            return None;
        }
        let last = |p: &&ContactPoint| p.last_rpc_at.map_or(p.added_at, |at| at.max(p.added_at));
        good().map(last).min()
    }

    fn fill_attempts(&self, row: &mut SegmentRow, now: UtcMs) {
        let week = now.plus_ms(-7 * DAY_MS);
        row.attempts = count(self.attempts.len());
        row.attempts_7d = count(self.attempts.iter().filter(|a| a.opened_at > week).count());
        let last = self.attempts.iter().max_by_key(|a| (a.opened_at, a.id));
        row.days_since_attempt = last.map_or(NEVER_DAYS, |a| now.since_ms(a.opened_at) / DAY_MS);
        row.last_result = last
            .and_then(|a| a.result)
            .map(|r| r.to_string())
            .unwrap_or_default();
        row.last_disposition = self
            .attempts
            .iter()
            .filter(|a| a.disposition.is_some() && a.disposed_at.is_some())
            .max_by_key(|a| (a.disposed_at, a.id))
            .and_then(|a| a.disposition.clone())
            .unwrap_or_default();
        let month = now.plus_ms(-30 * DAY_MS);
        let spoke = |a: &&&Attempt| a.identity_at.is_some_and(|at| at > month);
        row.rpc_30d = count(self.attempts.iter().filter(spoke).count());
        self.fill_writing(row, now);
        // One that is planned has not been made.
        let visit = |l: &&&LedgerRow| l.kind == LedgerKind::Visit && l.at > month && l.at <= now;
        row.visits_30d = count(self.ledger.iter().filter(visit).count());
        row.callback = self.places.iter().any(|item| CallbackRow::is_agreed(item));
        row.visit_states = names(self.visits.iter().map(|v| v.state));
        row.visit_outcomes = names(self.visits.iter().filter_map(|v| v.outcome));
    }

    /// What was written to him and by him.
    fn fill_writing(&self, row: &mut SegmentRow, now: UtcMs) {
        let month = now.plus_ms(-30 * DAY_MS);
        let sent = |m: &&&Message| m.sent_at.is_some_and(|at| at > month);
        let sent = || self.messages.iter().filter(sent);
        row.messages_30d = count(sent().count());
        row.message_channels = names(sent().map(|m| m.channel));
        row.message_states = names(sent().map(|m| m.state));
        let wrote = self.inbox.iter().map(|m| m.received_at).max();
        row.days_since_reply = wrote.map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
        row.reply_states = names(self.inbox.iter().map(|m| m.state));
        let made = |l: &&&Letter| l.made_at > month;
        row.letters_30d = count(self.letters.iter().filter(made).count());
        let season = now.plus_ms(-90 * DAY_MS);
        let lately = self.letters.iter().filter(|l| l.made_at > season);
        row.letter_levels = names(lately.map(|l| l.level));
    }

    /// What he said and asked for, and who works him.
    fn fill_ties(&self, row: &mut SegmentRow, now: UtcMs) {
        row.excuses = names(self.excuses.iter().map(|e| e.kind));
        row.complaint_states = names(self.complaints.iter().map(|c| c.state));
        let authorities = self.complaints.iter().map(|c| c.authority.clone());
        row.complaint_authorities = authorities.collect();
        let open = |c: &&&Complaint| c.state == ComplaintState::Open;
        let open = self.complaints.iter().filter(open);
        let first = open.map(|c| c.deadline.as_str()).min();
        let day = first.and_then(day_of_date);
        row.days_to_complaint = day.map_or(NEVER_DAYS, |day| day - self.today);
        let wishes = || self.preferences.iter().filter(|p| p.active_at(now));
        row.preferences = names(wishes().map(|p| p.kind));
        row.preference_channels = names(wishes().filter_map(|p| p.channel));
        row.assigned_campaign = names(self.assigned.campaign.into_iter());
        row.assigned_team = names(self.assigned.team.into_iter());
        row.assigned_agent = names(self.assigned.agent.into_iter());
        let since = self.assigned.since;
        row.days_since_assigned = since.map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
    }
}

fn values(of: &[&ContactPoint]) -> Vec<String> {
    of.iter().map(|p| p.value.reveal().clone()).collect()
}

/// Texts of words of a closed vocabulary.
fn names<T: ToString>(of: impl Iterator<Item = T>) -> Vec<String> {
    of.map(|one| one.to_string()).collect()
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
