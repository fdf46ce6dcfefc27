//! Which text under a template's name a debtor gets: the stage of his debt decides where nobody names a tone.

use crate::feeder::zone_or_utc;
use crate::plans::{days_past_due, terms_of};
use crate::shared::Shared;
use domain::entity::{Debt, Stage, TextTemplate, Tone};
use domain::ids::{DebtId, TextTemplateId};
use domain::ports::store::{ContactFacts, StoreError};
use domain::rules::offers::ClientTerms;
use domain::rules::stage::{self, StageFacts};
use domain::rules::tone::{self, ToneWanted, ToneWhy};

/// Which text under a template's name goes to a debtor when nobody names a tone, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextChoice {
    /// Stage of the debt.
    pub stage: Stage,
    /// Tone that is wanted.
    pub wanted: Tone,
    /// Who says so.
    pub why: ToneWhy,
    /// The text; `None` = there is none for the channel that may be used.
    pub template: Option<(TextTemplateId, Tone)>,
}

/// Whether texts of a name differ in tone: only then is there something to choose.
pub(crate) fn several(named: &[TextTemplate]) -> bool {
    named
        .split_first()
        .is_some_and(|(first, rest)| rest.iter().any(|t| t.tone != first.tone))
}

/// Where a debt stands; one that has no stage yet stands where it would begin.
pub(crate) async fn stage_now(
    shared: &Shared,
    terms: &ClientTerms,
    facts: &ContactFacts,
    debt: DebtId,
) -> Result<Stage, StoreError> {
    if let Some(row) = shared.out.store.stage_of(debt).await? {
        return Ok(row.stage);
    }
    let zone = zone_or_utc(&shared.out.law.zone_of(facts));
    let days = |d: &Debt| days_past_due(d, shared.now(), &zone);
    let facts = StageFacts {
        days_past_due: facts.debts.iter().find(|d| d.id == debt).map_or(0, days),
        ..StageFacts::default()
    };
    Ok(stage::first(terms, &facts))
}

/// The tone of a step that names none.
pub(crate) async fn of_debt(
    shared: &Shared,
    terms: &ClientTerms,
    facts: &ContactFacts,
    debt: DebtId,
) -> Result<(Stage, ToneWanted), StoreError> {
    let stage = stage_now(shared, terms, facts, debt).await?;
    Ok((stage, tone::wanted(None, terms, stage)))
}

/// What a step that names this template and no tone sends to a debtor by its channel; `None` without a debt.
pub(crate) async fn choose(
    shared: &Shared,
    template: &TextTemplate,
    facts: &ContactFacts,
    debt: Option<DebtId>,
) -> Result<Option<TextChoice>, StoreError> {
    let oldest = || facts.debts.iter().min_by_key(|d| (&d.due_date, d.id));
    let Some(debt) = debt.or_else(|| oldest().map(|d| d.id)) else {
        return Ok(None);
    };
    let store = &shared.out.store;
    let (terms, _) = terms_of(shared, template.client_id).await?;
    let (stage, wanted) = of_debt(shared, &terms, facts, debt).await?;
    let named = store
        .templates_named(template.client_id, &template.name)
        .await?;
    let language = facts.debtor.language;
    let found = super::values::pick(&named, template.channel, language, wanted.tone);
    Ok(Some(TextChoice {
        stage,
        wanted: wanted.tone,
        why: wanted.why,
        template: found.map(|t| (t.id, t.tone)),
    }))
}
