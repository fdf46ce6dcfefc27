//! Drawing a plan: within the authority of who draws it is approved at once, beyond it waits for an
//! answer.

use super::terms_of;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::shared::Shared;
use domain::entity::{Attempt, Debt, Instalment, InstalmentState, Plan, PlanFile, PlanState, Role};
use domain::event::NewEvent;
use domain::ids::{AttemptId, DebtId, DebtorId, InstalmentId, PlanId};
use domain::ports::store::{ContactFacts, PlanRefusal};
use domain::rules::offers::{ClientTerms, Conditions, Drawn, draw as cut};
use domain::rules::promise::grace_until;
use domain::segment::day_of_date;
use domain::time::{SECOND_MS, UtcMs};
use jiff::tz::TimeZone;
use serde_json::json;
use std::sync::Arc;

/// What is agreed: an offer of the client's terms, or conditions of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanTermsAsk {
    /// Key of an offer.
    Offer(String),
    /// Own conditions.
    Own(Conditions),
}

/// A plan to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDraw {
    /// With whom.
    pub debtor: DebtorId,
    /// In which call; an agent draws in his own call only.
    pub attempt: Option<AttemptId>,
    /// On which debt; `None` = the call's main debt, or his only one.
    pub debt: Option<DebtId>,
    /// What is agreed.
    pub terms: PlanTermsAsk,
    /// Why, when it is beyond one's own authority.
    pub reason: Option<String>,
    /// Role of who draws.
    pub role: Role,
}

fn invalid(field: &'static str, detail: impl Into<String>) -> CenterError {
    CenterError::invalid("plan_terms", field, detail.into())
}

/// The call it is agreed in: one's own, identity ticked where the campaign asks for it.
async fn call(
    shared: &Arc<Shared>,
    actor: Actor,
    ask: &PlanDraw,
) -> Result<Option<Attempt>, CenterError> {
    let Some(id) = ask.attempt else {
        return match actor {
            Actor::Agent(_) => Err(invalid(
                "attempt_id",
                "an agent draws a plan in his own call",
            )),
            _ => Ok(None),
        };
    };
    let seat = shared
        .post
        .call(move |engine, _| engine.seat(actor, id))
        .await??;
    let attempt = shared.out.store.get_attempt(id).await?;
    if attempt.debtor_id != ask.debtor {
        return Err(invalid("debtor_id", "expected the debtor of the call"));
    }
    if seat.is_none() && matches!(actor, Actor::Agent(agent) if attempt.agent_id != Some(agent)) {
        return Err(CenterError::conflict(
            "not_your_call",
            "this call is not yours",
        ));
    }
    let gate = seat.is_some_and(|s| s.ctx.stocked.setting.campaign.params.identity_gate);
    if gate && attempt.identity_at.is_none() {
        return Err(CenterError::conflict(
            "identity_first",
            "terms are agreed with who is identified: tick identity first",
        ));
    }
    Ok(Some(attempt))
}

fn debt_of<'a>(
    facts: &'a ContactFacts,
    call: Option<&Attempt>,
    ask: &PlanDraw,
) -> Result<&'a Debt, CenterError> {
    let wanted = ask.debt.or_else(|| call.and_then(|a| a.debt_id));
    let found = match (wanted, facts.debts.as_slice()) {
        (Some(id), debts) => debts.iter().find(|d| d.id == id),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    found.ok_or_else(|| invalid("debt_id", "expected one of the debtor's open debts"))
}

/// Days past due of a debt in its debtor's zone.
pub(crate) fn days_past_due(debt: &Debt, now: UtcMs, zone: &TimeZone) -> i64 {
    let today = now.in_zone(zone).date().to_string();
    day_of_date(&today)
        .zip(day_of_date(&debt.due_date))
        .map_or(0, |(now, due)| now - due)
}

fn conditions(
    terms: &ClientTerms,
    ask: &PlanDraw,
    (days, balance_minor): (i64, i64),
) -> Result<Conditions, CenterError> {
    match &ask.terms {
        PlanTermsAsk::Own(own) => {
            own.check("conditions")
                .map_err(|e| invalid("conditions", e.to_string()))?;
            Ok(*own)
        }
        PlanTermsAsk::Offer(key) => {
            let offers = terms.offers_for(days, balance_minor, ask.role);
            let found = offers.iter().find(|o| o.key == *key);
            found.map(|o| o.conditions).ok_or_else(|| {
                let keys: Vec<&str> = offers.iter().map(|o| o.key.as_str()).collect();
                let detail = if keys.is_empty() {
                    "there is no offer for this debt here".to_owned()
                } else {
                    format!("expected one of {}", keys.join(", "))
                };
                invalid("offer", detail)
            })
        }
    }
}

/// What the campaign of the call makes its agents offer; `None` = all that the client's terms allow.
async fn policy(
    shared: &Shared,
    call: Option<&Attempt>,
) -> Result<Option<Vec<String>>, CenterError> {
    let Some(campaign) = call.and_then(|a| a.campaign_id) else {
        return Ok(None);
    };
    let campaign = shared.out.store.get_campaign(campaign).await?;
    Ok(campaign.params.offer_policy)
}

/// Who has to answer; nobody when one's own authority is enough. `asks` where an agent agrees to what his campaign does
/// not offer: then somebody else answers in any case.
fn needs(
    terms: &ClientTerms,
    ask: &PlanDraw,
    (own, asks): (&Conditions, bool),
) -> Result<Option<Role>, CenterError> {
    if !asks && terms.may(ask.role, own) {
        return Ok(None);
    }
    let who = terms.who_may(own).ok_or_else(|| {
        CenterError::conflict("beyond_authority", "nobody may agree to these terms")
    })?;
    if ask.reason.as_ref().is_none_or(|r| r.trim().is_empty()) {
        return Err(invalid("reason", format!("a {who} must agree: say why")));
    }
    Ok(Some(who))
}

/// Where and when it is drawn, and who has to answer.
struct Around {
    zone: TimeZone,
    now: UtcMs,
    needs_role: Option<Role>,
}

fn instalments(
    shared: &Shared,
    facts: &ContactFacts,
    plan: PlanId,
    drawn: &Drawn,
    zone: &TimeZone,
) -> Vec<Instalment> {
    let holiday = |day: jiff::civil::Date| shared.out.law.is_holiday(facts, &day.to_string());
    (1..)
        .zip(&drawn.parts)
        .map(|(position, (due, amount_minor))| Instalment {
            id: InstalmentId(shared.id()),
            plan_id: plan,
            position,
            due_date: due.to_string(),
            grace_until: grace_until(*due, zone, &holiday),
            amount_minor: *amount_minor,
            paid_minor: 0,
            state: InstalmentState::Due,
        })
        .collect()
}

fn row(
    shared: &Shared,
    actor: Actor,
    ask: &PlanDraw,
    debt: &Debt,
    (terms, version): (&ClientTerms, i32),
    (drawn, own): (&Drawn, &Conditions),
    at: &Around,
) -> Plan {
    let needs_role = at.needs_role;
    let timeout = i64::from(terms.ask_timeout_s) * SECOND_MS;
    let midnight = |day: jiff::civil::Date| {
        day.to_zoned(at.zone.clone())
            .map_or(UtcMs(i64::MAX), |z| z.timestamp().into())
    };
    Plan {
        id: PlanId(shared.id()),
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        debt_id: debt.id,
        attempt_id: ask.attempt,
        agent_id: match actor {
            Actor::Agent(agent) => Some(agent),
            _ => None,
        },
        currency: debt.currency,
        balance_minor: debt.balance_minor(),
        interest_minor: debt.interest_minor,
        quita_minor: drawn.quita_minor,
        agreed_minor: drawn.agreed_minor,
        freeze_interest: own.freeze_interest,
        early_off_minor: drawn.early_off_minor,
        early_until: drawn.early_until.map(midnight),
        lapses: terms.quita_lapses,
        policy_version: version,
        state: match needs_role {
            Some(_) => PlanState::Offered,
            None => PlanState::Approved,
        },
        asked_until: needs_role.map(|_| at.now.plus_ms(timeout)),
        needs_role,
        ask_reason: needs_role.and_then(|_| ask.reason.clone()),
        answered_by: None,
        answer_reason: None,
        document_sha256: None,
        accepted_channel: None,
        accepted_identity: None,
        made_at: at.now,
        signed_at: None,
        closed_at: None,
    }
}

/// What is told of a plan.
pub(super) fn event(shared: &Shared, actor: Actor, plan: &Plan, kind: &str) -> NewEvent {
    let data = json!({
        "plan_id": plan.id, "debtor_id": plan.debtor_id, "debt_id": plan.debt_id,
        "attempt_id": plan.attempt_id, "agent_id": plan.agent_id, "state": plan.state,
        "agreed_minor": plan.agreed_minor, "quita_minor": plan.quita_minor,
        "currency": plan.currency, "policy_version": plan.policy_version,
    });
    let subject = format!("plan:{}", plan.id);
    shared.event(Some(plan.client_id), actor, kind, subject, data)
}

/// Draws a plan and keeps it.
pub(crate) async fn draw(
    shared: Arc<Shared>,
    actor: Actor,
    ask: PlanDraw,
) -> Result<PlanFile, CenterError> {
    let call = call(&shared, actor, &ask).await?;
    let now = shared.now();
    let facts = crate::owed::facts_of(shared.out.store.as_ref(), ask.debtor, now).await?;
    let debt = debt_of(&facts, call.as_ref(), &ask)?;
    let zone = zone_or_utc(&shared.out.law.zone_of(&facts));
    let (terms, version) = terms_of(&shared, debt.client_id).await?;
    let policy = policy(&shared, call.as_ref()).await?;
    let terms = terms.made_by(policy.as_deref());
    let days = days_past_due(debt, now, &zone);
    let own = conditions(&terms, &ask, (days, debt.balance_minor()))?;
    let asks =
        policy.is_some() && ask.role == Role::Agent && matches!(ask.terms, PlanTermsAsk::Own(_));
    let needs_role = needs(&terms, &ask, (&own, asks))?;
    let today = now.in_zone(&zone).date();
    let drawn = cut(&own, debt.balance_minor(), today)
        .ok_or_else(|| invalid("conditions", "the balance cannot be cut into so many parts"))?;
    let at = Around {
        zone,
        now,
        needs_role,
    };
    let both = (&terms, version);
    let plan = row(&shared, actor, &ask, debt, both, (&drawn, &own), &at);
    let instalments = instalments(&shared, &facts, plan.id, &drawn, &at.zone);
    let file = PlanFile { plan, instalments };
    let kind = if needs_role.is_some() {
        "plan.offered"
    } else {
        "plan.approved"
    };
    let told = event(&shared, actor, &file.plan, kind);
    match shared.out.store.draw_plan(&file, &[told]).await? {
        Ok(()) => Ok(file),
        Err(PlanRefusal::Runs(_)) => Err(CenterError::conflict(
            "plan_runs",
            "the debt has a plan that the debtor has accepted",
        )),
        Err(refusal @ (PlanRefusal::Balance | PlanRefusal::Sum)) => {
            Err(CenterError::conflict("plan_balance", refusal.to_string()))
        }
    }
}
