//! What was agreed, written, done at the door and claimed: plans with the documents that were shown, stages, excuses,
//! letters, visits, payments that the debtor says he made.

use super::{Ask, EvidenceError, Found, Parcel};
use crate::routes::plans::sheet_of;
use domain::entity::{DebtStage, Language, PlanFile, Visit};
use domain::ports::StoreError;
use domain::ports::store::PAGE_LIMIT_MAX;
use papers::print;

/// Letters and excuses of one debtor in an archive.
const ROWS_MAX: u32 = 10_000;

/// Every visit, newest first.
async fn visits_of(ask: &Ask<'_>) -> Result<Vec<Visit>, StoreError> {
    let mut all: Vec<Visit> = Vec::new();
    loop {
        let before = all.last().map(|v| v.id);
        let page = ask
            .store
            .visits_of(ask.debtor, before, PAGE_LIMIT_MAX)
            .await?;
        let whole = page.len() < PAGE_LIMIT_MAX as usize;
        all.extend(page);
        if whole {
            return Ok(all);
        }
    }
}

/// Puts them into the archive; gives the subjects that events may be about.
pub(super) async fn put(
    ask: &Ask<'_>,
    found: &Found,
    out: &mut Parcel,
) -> Result<Vec<String>, EvidenceError> {
    let store = ask.store;
    let plans: Vec<PlanFile> = store.plans_of(ask.debtor).await?;
    let mut subjects: Vec<String> = Vec::new();
    for file in &plans {
        subjects.push(format!("plan:{}", file.plan.id));
        for language in [Language::Es, Language::En] {
            if let Some(shown) = store.document_of(file.plan.id, language).await? {
                let name = format!("agreements/{}-{language}.pdf", file.plan.id);
                out.put(&name, &shown.pdf)?;
            }
        }
    }
    out.json("plans.json", &plans)?;
    let mut stages: Vec<DebtStage> = Vec::new();
    for debt in &found.file.debts {
        stages.extend(store.stage_of(debt.id).await?);
        subjects.push(format!("debt:{}", debt.id));
    }
    out.json("stages.json", &stages)?;
    out.json(
        "excuses.json",
        &store.excuses_of(ask.debtor, ROWS_MAX).await?,
    )?;
    let letters = store.letters_of(ask.debtor, ROWS_MAX).await?;
    for letter in &letters {
        subjects.push(format!("letter:{}", letter.id));
        let pdf = print(
            letter.level.as_str(),
            letter.language.as_str(),
            &[sheet_of(letter)],
        );
        out.put(&format!("letters/{}-{}.pdf", letter.level, letter.id), &pdf)?;
    }
    out.json("letters.json", &letters)?;
    let visits = visits_of(ask).await?;
    subjects.extend(visits.iter().map(|v| format!("visit:{}", v.id)));
    out.json("visits.json", &visits)?;
    let claims = ask.store.claims_of(ask.debtor, PAGE_LIMIT_MAX).await?;
    subjects.extend(claims.iter().map(|c| format!("claim:{}", c.id)));
    out.json("claims.json", &claims)?;
    Ok(subjects)
}
