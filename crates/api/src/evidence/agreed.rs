//! What was agreed and written: plans with the documents that were shown, stages, excuses, letters.

use super::{Ask, EvidenceError, Found, Parcel};
use crate::routes::plans::sheet_of;
use domain::entity::{DebtStage, Language, PlanFile};
use papers::print;

/// Letters and excuses of one debtor in an archive.
const ROWS_MAX: u32 = 10_000;

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
    Ok(subjects)
}
