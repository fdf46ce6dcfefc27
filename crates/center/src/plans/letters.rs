//! Letters L1 to L4: made for a segment in steps, each judged by the law and counted in the one ledger.

use super::draw::days_past_due;
use crate::asked;
use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::owed;
use crate::ports::LawBook;
use crate::shared::Shared;
use domain::entity::{
    Address, BatchState, Channel, CheckPoint, Client, Debt, Language, LedgerKind, LedgerRow,
    Letter, LetterBatch, LetterLevel, LetterTemplate, PointClass, Verdict,
};
use domain::event::NewEvent;
use domain::ids::{
    DebtId, DebtorId, LedgerId, LetterBatchId, LetterId, LetterTemplateId, VerdictId,
};
pub(crate) use domain::law::at_his_contract;
use domain::law::{Action, Judge, postal_point};
use domain::ports::Store;
use domain::ports::store::{ContactFacts, LetterDraft, LetterOpened, StoreError};
use domain::rules::letter::{fill, house_text};
use domain::spoken::{self, amount};
use domain::time::UtcMs;
use jiff::tz::TimeZone;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Most letters of one batch: a day's work of a printer.
pub(crate) const LETTERS_MAX: usize = 5_000;
/// Debtors looked at between two notes of the progress.
const STEP: usize = 50;

/// What a letter says of its debtor.
pub(crate) struct LetterFacts<'a> {
    pub(crate) client: &'a Client,
    pub(crate) company: &'a str,
    pub(crate) facts: &'a ContactFacts,
    pub(crate) debt: &'a Debt,
    /// Where it goes, line by line; empty = where the points say.
    pub(crate) address: &'a [String],
    pub(crate) zone: &'a TimeZone,
    pub(crate) now: UtcMs,
}

impl LetterFacts<'_> {
    fn dated(&self) -> String {
        self.now.in_zone(self.zone).date().to_string()
    }

    /// Value of a variable in the language of the text.
    pub(crate) fn value(&self, name: &str, language: Language) -> Option<String> {
        let debt = self.debt;
        Some(match name {
            "debtor.name" => self.facts.debtor.name.reveal().clone(),
            "client.name" => self.client.name.clone(),
            "company.name" => self.company.to_owned(),
            "debt.ref" => debt.external_ref.clone(),
            "debt.product" => debt.product.clone(),
            "debt.balance" => amount(debt.balance_minor(), debt.currency),
            "debt.overdue" => amount(debt.overdue_minor, debt.currency),
            "debt.due_date" => spoken::date(&debt.due_date, language),
            "debt.days" => days_past_due(debt, self.now, self.zone).to_string(),
            "date" => spoken::date(&self.dated(), language),
            _ => return None,
        })
    }
}

/// Why a debtor gets no letter, before the law is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// He owes nothing of that age.
    NoDebt,
    /// There is no text in a language of the house.
    NoText,
}

impl LeftOut {
    /// The word behind a step that made none.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::NoDebt => "no_debt_of_that_age",
            Self::NoText => "no_text",
        }
    }
}

/// The law as it judges who may have no postal address in the file.
pub(crate) struct AtContract<'a>(pub(crate) &'a dyn LawBook);

impl Judge for AtContract<'_> {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        self.0.judge(&at_his_contract(facts.clone()), action)
    }
}

/// Where the debtor's letters go, as the file says it, line by line.
async fn lines_of(store: &dyn Store, debtor: DebtorId) -> Result<Vec<String>, StoreError> {
    let known = store.addresses_of(debtor).await?;
    let good = known.iter().find(|a| !a.bad);
    Ok(good.map(Address::lines).unwrap_or_default())
}

/// Name and, where the file has one, address.
fn addressee(of: &LetterFacts<'_>) -> String {
    let name = of.facts.debtor.name.reveal();
    if !of.address.is_empty() {
        return format!("{name}\n{}", of.address.join("\n"));
    }
    match postal_point(of.facts).map(|p| p.value.reveal()) {
        Some(value) if !value.is_empty() => format!("{name}\n{value}"),
        _ => name.clone(),
    }
}

pub(crate) fn action(facts: &ContactFacts, id: Uuid, now: UtcMs) -> Action {
    Action {
        verdict_id: VerdictId(id),
        check_point: CheckPoint::Message,
        channel: Channel::Letter,
        point_id: postal_point(facts).map(|p| p.id),
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: domain::entity::Circumstances::default(),
        ring_timeout_ms: 0,
        agent_reserved: false,
        now,
    }
}

/// Makes one letter as the text wants it.
///
/// # Errors
/// What of the text is no variable.
pub(crate) fn written(
    of: &LetterFacts<'_>,
    template: &LetterTemplate,
    batch: LetterBatchId,
    id: LetterId,
) -> Result<Letter, String> {
    let value = |name: &str| of.value(name, template.language);
    Ok(Letter {
        id,
        client_id: of.client.id,
        debtor_id: of.facts.debtor.id,
        debt_id: of.debt.id,
        batch_id: batch,
        level: template.level,
        language: template.language,
        template_id: template.id,
        letterhead: template.letterhead.clone(),
        addressee: addressee(of).into(),
        subject: fill(&template.subject, &value)?.into(),
        body: fill(&template.body, &value)?.into(),
        dated: of.dated(),
        made_at: of.now,
    })
}

fn counted(facts: &ContactFacts, letter: &Letter) -> LedgerRow {
    let key = letter.debt_id.to_string();
    LedgerRow {
        // A batch that is run again counts nothing again.
        id: LedgerId(Uuid::new_v5(&letter.batch_id.0, key.as_bytes())),
        person_id: facts.debtor.person_id,
        debtor_id: letter.debtor_id,
        client_id: letter.client_id,
        debts: vec![letter.debt_id],
        point_id: None,
        address: String::new().into(),
        class: PointClass::Other,
        channel: Channel::Letter,
        kind: LedgerKind::Message,
        at: letter.made_at,
        attempt_id: None,
        campaign_id: None,
        reached_network: None,
    }
}

/// The client's text, in the debtor's language or in Spanish, else the house's own.
async fn template_for(
    shared: &Shared,
    level: LetterLevel,
    client: &Client,
    language: Language,
) -> Result<LetterTemplate, StoreError> {
    let store = &shared.out.store;
    for wanted in [language, Language::Es] {
        let own = store.letter_template(client.id, level, wanted).await?;
        if let Some(own) = own {
            return Ok(own);
        }
    }
    Ok(house(client, &shared.config.company, level, language))
}

/// The house's own text for a client that has written none.
pub(crate) fn house(
    client: &Client,
    company: &str,
    level: LetterLevel,
    language: Language,
) -> LetterTemplate {
    let language = if language == Language::En {
        Language::En
    } else {
        Language::Es
    };
    let (subject, body) = house_text(level, language);
    LetterTemplate {
        id: LetterTemplateId(Uuid::nil()),
        client_id: client.id,
        level,
        language,
        version: 0,
        letterhead: format!("{}\n{company}\n{}", client.name, client.callback_number),
        subject: subject.to_owned(),
        body: body.to_owned(),
        made_by: None,
        made_at: UtcMs(0),
    }
}

/// Which letter of whom.
pub(crate) struct Wanted<'a> {
    pub(crate) client: &'a Client,
    pub(crate) batch: LetterBatchId,
    pub(crate) debtor: DebtorId,
    /// `None` = his oldest one.
    pub(crate) debt: Option<DebtId>,
    /// `None` = the firmest that the debt's age allows.
    pub(crate) level: Option<LetterLevel>,
}

impl Wanted<'_> {
    /// The debt and the letter that it is old enough for.
    fn of<'f>(
        &self,
        facts: &'f ContactFacts,
        (now, zone): (UtcMs, &TimeZone),
    ) -> Option<(&'f Debt, LetterLevel)> {
        let old = |d: &Debt| {
            let days = days_past_due(d, now, zone);
            match self.level {
                Some(level) => (days >= level.from_days()).then_some(level),
                None => LetterLevel::at(days),
            }
        };
        let asked = |d: &&Debt| self.debt.is_none_or(|id| id == d.id);
        let debts = facts.debts.iter().filter(asked);
        debts
            .filter_map(|d| Some((d, old(d)?)))
            .min_by(|(a, _), (b, _)| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)))
    }
}

/// A letter as it would be printed now; the law is asked when it is opened.
pub(crate) async fn draft(
    shared: &Shared,
    wanted: &Wanted<'_>,
) -> Result<Result<LetterDraft, LeftOut>, StoreError> {
    let now = shared.now();
    let store = shared.out.store.as_ref();
    let facts = owed::facts_of(store, wanted.debtor, now).await?;
    let facts = at_his_contract(facts);
    let zone = zone_or_utc(&shared.out.law.zone_of(&facts));
    let Some((debt, level)) = wanted.of(&facts, (now, &zone)) else {
        return Ok(Err(LeftOut::NoDebt));
    };
    let template = template_for(shared, level, wanted.client, facts.debtor.language).await?;
    let lines = lines_of(store, wanted.debtor).await?;
    let of = LetterFacts {
        address: &lines,
        client: wanted.client,
        company: &shared.config.company,
        facts: &facts,
        debt,
        zone: &zone,
        now,
    };
    let Ok(letter) = written(&of, &template, wanted.batch, LetterId(shared.id())) else {
        return Ok(Err(LeftOut::NoText));
    };
    let mut asks = action(&facts, shared.id(), now);
    asked::by(shared, &mut asks, shared.actor());
    asks.circumstances.action = Some(format!("letter:{}", letter.id));
    Ok(Ok(LetterDraft {
        action: asks,
        ledger: counted(&facts, &letter),
        of: None,
        events: vec![rendered(shared, &letter)],
        letter,
    }))
}

/// Whether a letter of a batch is there: made now, or by a run before.
async fn made(shared: &Shared, wanted: &Wanted<'_>) -> Result<bool, StoreError> {
    let Ok(draft) = draft(shared, wanted).await? else {
        return Ok(false);
    };
    let law = AtContract(shared.out.law.as_ref());
    let opened = shared.out.store.open_letter(&draft, &law).await?;
    Ok(matches!(opened, LetterOpened::Made | LetterOpened::Had))
}

fn rendered(shared: &Shared, letter: &Letter) -> NewEvent {
    let data = json!({
        "letter_id": letter.id, "debtor_id": letter.debtor_id, "debt_id": letter.debt_id,
        "level": letter.level, "batch_id": letter.batch_id,
    });
    let subject = format!("letter:{}", letter.id);
    shared.event(
        Some(letter.client_id),
        "system",
        "letter.rendered",
        subject,
        data,
    )
}

async fn step(
    shared: &Shared,
    batch: &mut LetterBatch,
    client: &Client,
    debtors: &[DebtorId],
) -> Result<(), StoreError> {
    for debtor in debtors {
        let wanted = Wanted {
            client,
            batch: batch.id,
            debtor: *debtor,
            debt: None,
            level: Some(batch.level),
        };
        let there = match made(shared, &wanted).await {
            Err(StoreError::NotFound(_)) => false,
            done => done?,
        };
        batch.done += 1;
        batch.made += i32::from(there);
        batch.left_out += i32::from(!there);
    }
    shared.out.store.put_batch(batch, &[]).await
}

async fn all(shared: &Shared, batch: &mut LetterBatch) -> Result<(), CenterError> {
    let store = &shared.out.store;
    let client = store.get_client(batch.client_id).await?;
    let segment = batch.segment_id.ok_or_else(|| {
        CenterError::conflict("wrong_state", "a strategy makes the letters of this batch")
    })?;
    let segment = store.get_segment(segment).await?;
    let expr = domain::segment::parse(&segment.expression)
        .map_err(|e| CenterError::invalid("bad_expression", "segment_id", e.to_string()))?;
    let debtors = store
        .segment_ids(batch.client_id, &expr, shared.now())
        .await?;
    if debtors.len() > LETTERS_MAX {
        let detail = format!(
            "{} debtors: a batch has {LETTERS_MAX} letters at most",
            debtors.len()
        );
        return Err(CenterError::invalid("too_many", "segment_id", detail));
    }
    batch.total = i32::try_from(debtors.len()).unwrap_or(i32::MAX);
    for some in debtors.chunks(STEP) {
        if shared.stopping() {
            let detail = "the server stopped; run it again";
            return Err(CenterError::conflict("stopped", detail));
        }
        step(shared, batch, &client, some).await?;
    }
    Ok(())
}

/// Makes the letters of a batch from its beginning; what it has is kept as it is.
pub(crate) async fn run(shared: Arc<Shared>, id: LetterBatchId) -> Result<(), CenterError> {
    let mut batch = shared.out.store.get_batch(id).await?;
    batch.state = BatchState::Running;
    (batch.done, batch.made, batch.left_out) = (0, 0, 0);
    batch.fault = None;
    let done = all(&shared, &mut batch).await;
    batch.state = if done.is_ok() {
        BatchState::Done
    } else {
        BatchState::Failed
    };
    batch.fault = done.as_ref().err().map(ToString::to_string);
    shared.out.store.put_batch(&batch, &[]).await?;
    done
}

/// A text tried on a debtor, as it would be printed today; it is not kept and not counted.
pub(crate) async fn preview(
    shared: Arc<Shared>,
    debtor: DebtorId,
    template: LetterTemplate,
) -> Result<Letter, CenterError> {
    let now = shared.now();
    let client = shared.out.store.get_client(template.client_id).await?;
    let facts = owed::facts_of(shared.out.store.as_ref(), debtor, now).await?;
    let zone = zone_or_utc(&shared.out.law.zone_of(&facts));
    let oldest = facts
        .debts
        .iter()
        .min_by(|a, b| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)));
    let debt = oldest.ok_or(CenterError::NotFound("open debt of the debtor"))?;
    let lines = lines_of(shared.out.store.as_ref(), debtor).await?;
    let of = LetterFacts {
        address: &lines,
        client: &client,
        company: &shared.config.company,
        facts: &facts,
        debt,
        zone: &zone,
        now,
    };
    written(
        &of,
        &template,
        LetterBatchId(Uuid::nil()),
        LetterId(Uuid::nil()),
    )
    .map_err(|what| CenterError::invalid("letter_text", "body", what))
}
