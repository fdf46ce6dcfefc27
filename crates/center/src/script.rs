//! Scripts with their variables filled in, in the debtor's language.

use crate::card::Viewer;
use crate::live::Stocked;
use crate::plans::days_past_due;
use domain::entity::{Debt, DebtStage, Language, Objection, Script, ScriptStep};
use domain::rules::objection::fits;
use domain::rules::stage::{StageFacts, first};
use domain::spoken::{self, amount};
use serde_json::{Value, json};

/// What stands where a variable is withheld.
const WITHHELD: &str = "···";

fn main_debt(stocked: &Stocked) -> Option<&Debt> {
    stocked
        .facts
        .debts
        .iter()
        .min_by(|a, b| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)))
}

/// Value of one variable; `None` for a name that is none.
fn variable(name: &str, stocked: &Stocked, viewer: &Viewer<'_>) -> Option<String> {
    let debt = main_debt(stocked);
    let closed = |text: Option<String>| {
        if viewer.gate {
            WITHHELD.to_owned()
        } else {
            text.unwrap_or_default()
        }
    };
    Some(match name {
        "debtor.name" => stocked.facts.debtor.name.reveal().clone(),
        "agent.name" => viewer.agent.to_owned(),
        "company.name" => viewer.company.to_owned(),
        "client.name" => closed(Some(stocked.setting.client.name.clone())),
        "debt.balance" => closed(debt.map(|d| amount(d.balance_minor(), d.currency))),
        "debt.overdue" => closed(debt.map(|d| amount(d.overdue_minor, d.currency))),
        "debt.minimum" => closed(debt.map(|d| amount(d.least_payment_minor(), d.currency))),
        "debt.due_date" => {
            closed(debt.map(|d| spoken::date(&d.due_date, stocked.facts.debtor.language)))
        }
        "debt.product" => closed(debt.map(|d| d.product.clone())),
        _ => return None,
    })
}

/// Fills `{…}`; what is no variable stays as it is.
fn fill(text: &str, stocked: &Stocked, viewer: &Viewer<'_>) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let tail = &rest[open..];
        let Some(close) = tail.find('}') else {
            rest = tail;
            break;
        };
        match variable(&tail[1..close], stocked, viewer) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&tail[..=close]),
        }
        rest = &tail[close + 1..];
    }
    out.push_str(rest);
    out
}

fn step(step: &ScriptStep, stocked: &Stocked, viewer: &Viewer<'_>) -> Value {
    let english = stocked.facts.debtor.language == Language::En;
    let (title, text) = if english {
        (&step.title_en, &step.text_en)
    } else {
        (&step.title_es, &step.text_es)
    };
    let text = if viewer.gate && !step.before_identity {
        String::new()
    } else {
        fill(text, stocked, viewer)
    };
    json!({"key": step.key, "title": title, "text": text, "before_identity": step.before_identity})
}

/// An objection in the language of the debtor, for whom its answer is.
fn objection(one: &Objection, stocked: &Stocked, viewer: &Viewer<'_>) -> Value {
    let english = stocked.facts.debtor.language == Language::En;
    let (title, answer) = if english {
        (&one.title_en, &one.answer_en)
    } else {
        (&one.title_es, &one.answer_es)
    };
    json!({
        "key": one.key, "title": title, "answer": fill(answer, stocked, viewer),
        "before_identity": one.before_identity, "excuse": one.excuse,
    })
}

/// The objections that fit the debt that the card speaks of, in their order.
fn objections(
    script: &Script,
    stocked: &Stocked,
    viewer: &Viewer<'_>,
    stages: &[DebtStage],
) -> Vec<Value> {
    let setting = &stocked.setting;
    let debt = main_debt(stocked);
    let days = debt.map_or(0, |d| days_past_due(d, viewer.now, &setting.zone));
    let known = debt.and_then(|d| stages.iter().find(|s| s.debt_id == d.id));
    let begins = || {
        let facts = StageFacts {
            days_past_due: days,
            ..StageFacts::default()
        };
        first(&setting.terms, &facts)
    };
    let stage = debt.map(|_| known.map_or_else(begins, |s| s.stage));
    let all = script.objections.iter();
    all.filter(|o| fits(o, viewer.gate, stage, days))
        .map(|o| objection(o, stocked, viewer))
        .collect()
}

/// The campaign's script for one debtor and agent; null without one.
/// Who broke his last promise hears his own one, where the campaign has it.
pub(crate) fn render(
    stocked: &Stocked,
    viewer: &Viewer<'_>,
    broke: bool,
    stages: &[DebtStage],
) -> Value {
    let setting = &stocked.setting;
    let own = setting.broken_script.as_ref().filter(|_| broke);
    let Some(script) = own.or(setting.script.as_ref()) else {
        return Value::Null;
    };
    let steps: Vec<Value> = script
        .steps
        .iter()
        .map(|s| step(s, stocked, viewer))
        .collect();
    json!({
        "id": script.id, "name": script.name, "steps": steps,
        "objections": objections(script, stocked, viewer, stages),
    })
}
