//! The plan of one strategy.

use super::Arms;
use super::acts::{Fate, channel_of, fate};
use crate::feeder::zone_or_utc;
use crate::messages::tone::{of_debt, several};
use crate::messages::values::pick;
use crate::plans::terms_of;
use crate::shared::Shared;
use domain::entity::{
    Channel, CheckPoint, Decision, Message, MessagePurpose, MessageState, PlannedState,
    PlannedStep, RuleHit, StepAction, Strategy, StrategyStep, TextTemplate, Tone, Verdict,
};
use domain::ids::{DebtorId, MessageId, PlannedStepId, VerdictId};
use domain::law::Action;
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, PlanAsk, PlanSource, StoreError};
use domain::rules::disclosure::{ASKS_OPT_OUT, HIDES, shown, tells_opt_out};
use domain::rules::messaging::stopped;
use domain::rules::offers::ClientTerms;
use domain::rules::strategy::due_at;
use domain::rules::withdrawal::freed;
use domain::segment::{parse, utc_day};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How far ahead steps are planned, ms.
const AHEAD_MS: i64 = DAY_MS;
/// A step this late is not made any more, ms, unless it waited when money withdrew it.
const LATE_MS: i64 = 6 * HOUR_MS;
/// How long after its instant a message is still worth sending, ms.
const WORTH_MS: i64 = DAY_MS;
/// Sources looked at in one go.
const PAGE: u32 = 200;

/// What a message step comes to at an instant.
pub(super) enum Choice {
    /// Goes out by this channel with this template, at the instant.
    By(Channel, TextTemplate, UtcMs),
    /// No channel may: the rule, in Spanish and English, of the last one.
    None(Channel, String, String, String),
}

/// What is asked of the law about a planned message.
pub(super) fn asked(channel: Channel, id: VerdictId, now: UtcMs) -> Action {
    Action {
        verdict_id: id,
        check_point: CheckPoint::Message,
        channel,
        point_id: None,
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: domain::entity::Circumstances::default(),
        ring_timeout_ms: 0,
        agent_reserved: false,
        now,
    }
}

/// What a message step chooses from.
#[derive(Clone, Copy)]
pub(super) struct Ways<'a> {
    /// Texts of its name.
    pub(super) templates: &'a [TextTemplate],
    /// The tone that is wanted.
    pub(super) tone: Tone,
    /// Channels that the installation carries.
    pub(super) carried: &'a [Channel],
}

fn none(channel: Channel, rule: &str, es: &str, en: &str) -> Choice {
    Choice::None(channel, rule.to_owned(), es.to_owned(), en.to_owned())
}

/// The first channel that has a gateway, a template, a point and the law's leave.
pub(super) fn choose(
    shared: &Shared,
    facts: &ContactFacts,
    step: &StrategyStep,
    ways: Ways<'_>,
    due: UtcMs,
) -> Choice {
    let first = step.channels.first().copied().unwrap_or(Channel::Sms);
    let mut last = none(
        first,
        "no_template",
        "no hay plantilla",
        "there is no template",
    );
    for channel in &step.channels {
        if !ways.carried.contains(channel) {
            let (es, en) = (
                "ninguna pasarela lleva este canal",
                "no gateway carries this channel",
            );
            last = none(*channel, "no_gateway", es, en);
            continue;
        }
        let language = facts.debtor.language;
        let Some(template) = pick(ways.templates, *channel, language, ways.tone) else {
            continue;
        };
        let action = asked(*channel, VerdictId(shared.id()), due);
        let verdict = shared.out.law.judge(facts, &action);
        let at = match verdict.decision {
            Decision::Allow => due,
            Decision::Defer { until } if until < due.plus_ms(WORTH_MS) => until,
            _ => {
                let (es, en) = verdict.reason().unwrap_or_default();
                last = none(*channel, &crate::messages::rule_of(&verdict), es, en);
                continue;
            }
        };
        match breaks(&verdict, template) {
            Some((rule, es, en)) => last = none(*channel, rule, es, en),
            None => return Choice::By(*channel, template.clone(), at),
        }
    }
    last
}

/// The condition of the law that a template does not hold to, with its words.
fn breaks<'a>(
    verdict: &'a Verdict,
    template: &TextTemplate,
) -> Option<(&'a str, &'a str, &'a str)> {
    let shows = shown(template.channel, &template.subject, &template.body);
    // What cannot be read as a template is told when it is filled in.
    let shows = shows.is_ok_and(|found| found.is_some());
    let silent = !template.provider_name.is_empty() && !tells_opt_out(&template.body);
    let broken = |rule: &&RuleHit| {
        (shows && rule.rule.ends_with(HIDES)) || (silent && rule.rule.ends_with(ASKS_OPT_OUT))
    };
    let found = verdict.rules.iter().find(broken);
    found.map(|r| (r.rule.as_str(), r.es.as_str(), r.en.as_str()))
}

/// Debtors of the strategy's segment; `None` = all.
pub(super) async fn segment(
    shared: &Shared,
    one: &Strategy,
) -> Result<Option<BTreeSet<DebtorId>>, StoreError> {
    if one.segment.trim().is_empty() {
        return Ok(None);
    }
    let expr = parse(&one.segment).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let store = &shared.out.store;
    let ids = store
        .segment_ids(one.client_id, &expr, shared.now())
        .await?;
    Ok(Some(ids.into_iter().collect()))
}

/// Everything of one step that is the same for all debtors.
struct Step<'a> {
    one: &'a Strategy,
    step: &'a StrategyStep,
    templates: Vec<TextTemplate>,
    /// The client's terms, where the stage of the debt decides the tone.
    terms: Option<ClientTerms>,
    carried: &'a [Channel],
    /// From before its dates were read: money that came since is not in what is planned from them.
    at: UtcMs,
}

/// Terms by which the stage of a debt decides the tone; `None` where the step names it, or all texts have one.
pub(super) async fn tone_terms(
    shared: &Shared,
    one: &Strategy,
    step: &StrategyStep,
    named: &[TextTemplate],
) -> Result<Option<ClientTerms>, StoreError> {
    if step.tone.is_some() || !several(named) {
        return Ok(None);
    }
    Ok(Some(terms_of(shared, one.client_id).await?.0))
}

/// The tone of a step; any where there is nothing to choose.
pub(super) fn tone_of(step: &StrategyStep, by_stage: Option<Tone>) -> Tone {
    step.tone.or(by_stage).unwrap_or(Tone::Courteous)
}

/// What was planned.
#[derive(Default)]
struct Made {
    messages: Vec<Message>,
    steps: Vec<PlannedStep>,
}

/// Plans the steps of a strategy that are due within a day.
pub(super) async fn plan(
    shared: &Arc<Shared>,
    one: &Strategy,
    (arms, carried): (&Arms, &[Channel]),
) -> Result<(), StoreError> {
    let members = segment(shared, one).await?;
    let today = utc_day(shared.now());
    // While no gateway of the installation has been asked for, nobody knows which channels there will be: a
    // step refused now would be refused for good.
    let sends = |s: &&StrategyStep| s.action != StepAction::Message || !carried.is_empty();
    for step in one.steps.iter().filter(sends) {
        let templates = match step.action {
            StepAction::Message => {
                let store = &shared.out.store;
                store.templates_named(one.client_id, &step.template).await?
            }
            _ => Vec::new(),
        };
        let mut case = Step {
            one,
            step,
            terms: tone_terms(shared, one, step, &templates).await?,
            templates,
            carried,
            at: shared.now(),
        };
        let day = today - i64::from(step.offset_days);
        let mut ask = PlanAsk {
            client: one.client_id,
            portfolio: None,
            trigger: one.trigger,
            from_day: day - 1,
            to_day: day + 2,
            after: None,
            limit: PAGE,
        };
        loop {
            case.at = shared.now();
            let sources = shared.out.store.plan_sources(&ask).await?;
            let whole = sources.len() >= PAGE as usize;
            ask.after = sources.last().map(|s| s.id);
            let ours = sources.into_iter().filter(|s| {
                let member = members.as_ref().is_none_or(|m| m.contains(&s.debtor_id));
                member && arms.takes(one, s.debtor_id)
            });
            page(shared, &case, ours.collect()).await?;
            if !whole {
                break;
            }
        }
    }
    Ok(())
}

async fn page(
    shared: &Arc<Shared>,
    case: &Step<'_>,
    mut sources: Vec<PlanSource>,
) -> Result<(), StoreError> {
    let (one, store) = (case.one, &shared.out.store);
    let key = |s: &PlanSource| s.key(one.trigger, one.id, &case.step.key);
    let keys: Vec<String> = sources.iter().map(key).collect();
    let taken: BTreeSet<String> = store
        .plan_keys(one.client_id, &keys)
        .await?
        .into_iter()
        .collect();
    let now = case.at;
    sources.retain(|s| {
        let key = key(s);
        !taken.contains(&key) && shared.later.is_time(&key, one.version, now)
    });
    let kept = sources.iter().map(|s| freed(&key(s))).collect();
    let again = withdrawn(shared, one, kept).await?;
    let mut made = Made::default();
    for source in &sources {
        let facts = store.contact_facts(source.debtor_id, shared.now()).await?;
        let by_stage = match &case.terms {
            Some(terms) => Some(of_debt(shared, terms, &facts, source.debt_id).await?.1.tone),
            None => None,
        };
        let tone = tone_of(case.step, by_stage);
        let again = again.contains(&freed(&key(source)));
        let looked = make(shared, case, (source, tone, again), &facts, &mut made);
        if let Looked::Far(near_at) = looked {
            shared.later.put_off(key(source), one.version, now, near_at);
        }
    }
    if made.messages.is_empty() && made.steps.is_empty() {
        return Ok(());
    }
    let data = json!({
        "step": case.step.key, "version": one.version, "messages": made.messages.len(),
        "steps": made.steps.len(),
    });
    let subject = format!("strategy:{}", one.id);
    let kind = "strategy.planned";
    let event = shared.event(Some(one.client_id), "system", kind, subject, data);
    store.plan_steps(&made.steps, &[]).await?;
    store.plan_messages(&made.messages, &[event]).await?;
    Ok(())
}

/// Which of these keys, as they are kept then, are of steps that money withdrew: they still waited, whenever they
/// were due.
async fn withdrawn(
    shared: &Shared,
    one: &Strategy,
    kept: Vec<String>,
) -> Result<BTreeSet<String>, StoreError> {
    if kept.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = shared.out.store.plan_keys(one.client_id, &kept).await?;
    Ok(found.into_iter().collect())
}

/// What looking at a step came to.
enum Looked {
    /// It was made, or his debt is silent for now.
    Near,
    /// It is due within a day from then on; `None` when its time has passed.
    Far(Option<UtcMs>),
}

fn make(
    shared: &Shared,
    case: &Step<'_>,
    (source, tone, again): (&PlanSource, Tone, bool),
    facts: &ContactFacts,
    made: &mut Made,
) -> Looked {
    let (one, step, now) = (case.one, case.step, case.at);
    let zone = zone_or_utc(&shared.out.law.zone_of(facts));
    let Some(due) = due_at(step, &source.date, &zone) else {
        return Looked::Far(None);
    };
    if due > now.plus_ms(AHEAD_MS) {
        return Looked::Far(Some(due.plus_ms(-AHEAD_MS)));
    }
    if due <= now.plus_ms(-LATE_MS) && !again {
        return Looked::Far(None);
    }
    // A debt that is silent today may be free again tomorrow: nothing is planned, nothing is refused.
    if stopped(facts, Some(source.debt_id), now).is_some() {
        return Looked::Near;
    }
    let due = due.max(now);
    let plan_key = source.key(one.trigger, one.id, &step.key);
    if step.action == StepAction::Message {
        let ways = Ways {
            templates: &case.templates,
            tone,
            carried: case.carried,
        };
        let choice = choose(shared, facts, step, ways, due);
        made.messages.push(message(
            shared,
            case,
            source,
            facts,
            (choice, due, plan_key),
        ));
        return Looked::Near;
    }
    let fated =
        channel_of(step.action).map_or(Fate::At(due), |channel| fate(shared, facts, channel, due));
    if matches!(fated, Fate::Wait(..)) {
        return Looked::Near;
    }
    let row = planned(shared, case, source, (fated, due, plan_key));
    made.steps.push(row);
    Looked::Near
}

/// A step that is no message; one that the law takes out is kept as refused, so that it is seen.
fn planned(
    shared: &Shared,
    case: &Step<'_>,
    source: &PlanSource,
    (fated, due, plan_key): (Fate, UtcMs, String),
) -> PlannedStep {
    let (one, step, now) = (case.one, case.step, case.at);
    let (due_at, refused) = match fated {
        Fate::At(at) => (at, None),
        Fate::Out(rule, ..) | Fate::Wait(rule, ..) => (due, Some(rule)),
    };
    let (state, by) = match refused {
        Some(_) => (PlannedState::Refused, "system"),
        None => (PlannedState::Planned, ""),
    };
    PlannedStep {
        id: PlannedStepId(shared.id()),
        client_id: one.client_id,
        debtor_id: source.debtor_id,
        debt_id: Some(source.debt_id),
        strategy_id: one.id,
        strategy_version: one.version,
        step: step.key.clone(),
        action: step.action,
        campaign_id: step.campaign_id,
        plan_key,
        due_at,
        state,
        note: step.note.clone(),
        created_at: now,
        ended_at: refused.as_ref().map(|_| now),
        ended_by: by.to_owned(),
        reason: refused.unwrap_or_default(),
    }
}

/// The message of a step; what no channel may send is kept as refused, so that it is seen what the law
/// removed.
fn message(
    shared: &Shared,
    case: &Step<'_>,
    source: &PlanSource,
    facts: &ContactFacts,
    (choice, due, plan_key): (Choice, UtcMs, String),
) -> Message {
    let (one, now) = (case.one, case.at);
    let (channel, template, due, refused) = match choice {
        Choice::By(channel, template, at) => (channel, Some(template.id), at, None),
        Choice::None(channel, rule, ..) => (channel, None, due, Some(rule)),
    };
    Message {
        id: MessageId(shared.id()),
        client_id: one.client_id,
        debtor_id: facts.debtor.id,
        debt_id: Some(source.debt_id),
        point_id: None,
        address: None,
        channel,
        purpose: MessagePurpose::Strategy,
        template_id: template,
        template_version: 0,
        strategy_id: Some(one.id),
        strategy_version: one.version,
        step: case.step.key.clone(),
        plan_key: Some(plan_key),
        subject: String::new(),
        body: Pii(String::new()),
        due_at: due,
        expires_at: due.plus_ms(WORTH_MS),
        state: if refused.is_some() {
            MessageState::Refused
        } else {
            MessageState::Queued
        },
        ended_at: refused.as_ref().map(|_| now),
        reason: refused.unwrap_or_default(),
        tries: 0,
        gateway: String::new(),
        provider_ref: String::new(),
        cost_micro: 0,
        currency: None,
        verdict_id: None,
        reply_to: None,
        made_by: "system".to_owned(),
        created_at: now,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        answered_at: None,
    }
}
