//! Everything of one debtor.

use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::routes::catalog::debt_items::{self, DueItem};
use crate::routes::messages::{shown_inbox, shown_message};
use crate::routes::plans::{LetterLine, letter_lines};
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{
    Accrual, Address, Attempt, Bucket, Claim, Consent, ContactPoint, Debt, DebtStage, Debtor,
    Excuse, Hold, InboxMessage, Message, Party, Payment, PlanFile, Portfolio, Promise, Role, Visit,
};
use domain::ids::{DebtId, DebtorId, PointId};
use domain::ports::store::{
    DebtorFile, InboxAsk, MessageAsk, PAGE_LIMIT_MAX, PageRequest, StageFilter,
};
use domain::ports::{Store, StoreError};
use domain::rules::ageing::AgeingSet;
use domain::rules::{ageing, stale};
use domain::segment::day_of_date;
use domain::time::UtcMs;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Messages of each direction, visits, claims of payment and excuses that a file shows.
const ROWS_SHOWN: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(read))
}

/// How old a debt is on the portfolio's local day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ageing {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// Bucket in the client's set, named by its days: `b31_60`.
    #[schema(value_type = String)]
    bucket: Bucket,
    /// What the client calls it; null where he calls it by its days.
    label: Option<String>,
    /// Days past due, below 0 before it is due; null where its date cannot be read.
    days: Option<i64>,
}

/// Interest of a debt that its portfolio's rule accrues.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accrued {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// Of the interest shown, what the rule accrued since the last payment, plan or file, minor units.
    since_minor: i64,
    /// In all by the rule, paid parts too, minor units.
    total_minor: i64,
    /// The day up to which, in the portfolio's zone.
    #[schema(value_type = doc::Day)]
    to: String,
}

/// A task about the file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileTaskShape {
    /// `stale_point` or `no_phone`.
    kind: String,
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
    /// Days since anybody confirmed the point.
    days: Option<i64>,
}

/// A debtor's file.
#[derive(Serialize, ToSchema)]
pub struct DebtorFileReply {
    #[schema(value_type = doc::Debtor)]
    debtor: Debtor,
    /// As they are owed today, interest by the portfolio's rule included.
    #[schema(value_type = Vec<doc::Debt>)]
    debts: Vec<Debt>,
    /// Due items of the debts that have any, by debt, oldest first, with what is open of each.
    items: Vec<DueItem>,
    /// Debts whose interest is accrued by the portfolio's rule; the others have the creditor's figure.
    accrued: Vec<Accrued>,
    /// Postal addresses, good ones first.
    #[schema(value_type = Vec<doc::Address>)]
    addresses: Vec<Address>,
    #[schema(value_type = Vec<doc::Party>)]
    parties: Vec<Party>,
    #[schema(value_type = Vec<doc::ContactPoint>)]
    points: Vec<ContactPoint>,
    #[schema(value_type = Vec<doc::Consent>)]
    consents: Vec<Consent>,
    /// Lifted ones too.
    #[schema(value_type = Vec<doc::Hold>)]
    holds: Vec<Hold>,
    /// Newest first.
    #[schema(value_type = Vec<doc::Promise>)]
    promises: Vec<Promise>,
    /// Newest first.
    #[schema(value_type = Vec<doc::Payment>)]
    payments: Vec<Payment>,
    /// Payments that he says he made, newest first, at most 100.
    #[schema(value_type = Vec<doc::Claim>)]
    claims: Vec<Claim>,
    /// Age of each debt today.
    ageing: Vec<Ageing>,
    /// What is old or missing in the file.
    tasks: Vec<FileTaskShape>,
    /// Newest first, at most 100.
    #[schema(value_type = Vec<doc::Attempt>)]
    attempts: Vec<Attempt>,
    /// Newest first, with their instalments.
    #[schema(value_type = Vec<doc::PlanFile>)]
    plans: Vec<PlanFile>,
    /// Where each open debt stands.
    #[schema(value_type = Vec<doc::DebtStage>)]
    stages: Vec<DebtStage>,
    /// Newest first, at most 100; addresses are masked.
    #[schema(value_type = Vec<doc::Message>)]
    messages: Vec<Message>,
    /// What he wrote, newest first, at most 100; not for the client's own users.
    #[schema(value_type = Vec<doc::InboxMessage>)]
    received: Vec<InboxMessage>,
    /// Newest first, at most 200.
    letters: Vec<LetterLine>,
    /// Planned, made and cancelled, newest first, at most 100.
    #[schema(value_type = Vec<doc::Visit>)]
    visits: Vec<Visit>,
    /// Newest first, at most 100.
    #[schema(value_type = Vec<doc::Excuse>)]
    excuses: Vec<Excuse>,
}

/// What the store knows of a debtor, and what he owes today.
struct Known {
    file: DebtorFile,
    portfolio: Portfolio,
    owed: Vec<Debt>,
    accruals: Vec<Accrual>,
    /// The buckets of the client.
    ageing: AgeingSet,
}

impl Known {
    async fn of(store: &dyn Store, debtor: DebtorId, now: UtcMs) -> Result<Self, StoreError> {
        let file = store.debtor_file(debtor).await?;
        let ids: Vec<DebtId> = file.debts.iter().map(|d| d.id).collect();
        let (portfolio, owed, accruals, policy) = tokio::try_join!(
            store.get_portfolio(file.debtor.portfolio_id),
            store.owed(&file.debts, now),
            store.accruals_of(&ids),
            store.policy_of(file.debtor.client_id),
        )?;
        Ok(Self {
            file,
            portfolio,
            owed,
            accruals,
            ageing: policy.map(|p| p.terms.ageing).unwrap_or_default(),
        })
    }

    /// What of today's interest the rule of the portfolio accrued.
    fn accrued(&self, today: i64) -> Vec<Accrued> {
        let mut accrued = Vec::new();
        for (stored, today_owed) in self.file.debts.iter().zip(&self.owed) {
            let since_minor = today_owed.interest_minor - stored.interest_minor;
            let booked = self.accruals.iter().find(|a| a.debt_id == stored.id);
            if since_minor == 0 && booked.is_none() {
                continue;
            }
            let to = ageing::date_of_day(today).map(|day| day.to_string());
            accrued.push(Accrued {
                debt_id: stored.id,
                since_minor,
                total_minor: since_minor + booked.map_or(0, |b| b.booked_minor),
                to: to.unwrap_or_default(),
            });
        }
        accrued
    }

    fn ageing(&self, today: i64) -> Vec<Ageing> {
        let ages = self.file.debts.iter().map(|debt| {
            let due = day_of_date(&debt.due_date);
            let bucket = ageing::bucket(&self.ageing, debt.status, due, today);
            Ageing {
                debt_id: debt.id,
                bucket,
                label: self.ageing.label(bucket).map(str::to_owned),
                days: due.map(|due| today - due),
            }
        });
        ages.collect()
    }

    fn tasks(&self, now: UtcMs) -> Vec<FileTaskShape> {
        let tasks = stale::tasks(&self.file.points, now);
        let shape = |t: stale::FileTask| FileTaskShape {
            kind: t.kind.to_owned(),
            point_id: t.point_id,
            days: t.days,
        };
        tasks.into_iter().map(shape).collect()
    }
}

/// What was agreed with a debtor, and what he says.
struct Agreed {
    plans: Vec<PlanFile>,
    stages: Vec<DebtStage>,
    excuses: Vec<Excuse>,
    claims: Vec<Claim>,
}

impl Agreed {
    async fn with(store: &dyn Store, debtor: DebtorId) -> Result<Self, StoreError> {
        let of_him = StageFilter {
            debtor_id: Some(debtor),
            ..StageFilter::default()
        };
        let page = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor: None,
        };
        Ok(Self {
            plans: store.plans_of(debtor).await?,
            stages: store.stages_page(&of_him, &page).await?.items,
            excuses: store.excuses_of(debtor, ROWS_SHOWN).await?,
            claims: store.claims_of(debtor, ROWS_SHOWN).await?,
        })
    }
}

/// What was written to a debtor and by him, visits to him, and where letters and visits go.
struct Written {
    messages: Vec<Message>,
    received: Vec<InboxMessage>,
    letters: Vec<LetterLine>,
    visits: Vec<Visit>,
    addresses: Vec<Address>,
}

impl Written {
    async fn with(store: &dyn Store, debtor: DebtorId, received: bool) -> Result<Self, StoreError> {
        let ask = MessageAsk {
            debtor: Some(debtor),
            limit: ROWS_SHOWN,
            ..MessageAsk::default()
        };
        let messages = store.messages_page(&ask).await?;
        let ask = InboxAsk {
            debtor: Some(debtor),
            limit: ROWS_SHOWN,
            ..InboxAsk::default()
        };
        let received = if received {
            store.inbox_page(&ask).await?
        } else {
            Vec::new()
        };
        Ok(Self {
            messages: messages.into_iter().map(shown_message).collect(),
            received: received.into_iter().map(shown_inbox).collect(),
            letters: letter_lines(store, debtor).await?,
            visits: store.visits_of(debtor, None, ROWS_SHOWN).await?,
            addresses: store.addresses_of(debtor).await?,
        })
    }
}

/// A debtor's file as its route answers it, `received` with what he wrote. Three parts are read side by side: of
/// one after the other each statement would wait for those before it.
///
/// # Errors
/// 404 when there is no such debtor, 503 when the database is out of reach.
pub async fn debtor_file(
    store: &dyn Store,
    debtor: DebtorId,
    now: UtcMs,
    received: bool,
) -> Result<DebtorFileReply, Problem> {
    let (known, agreed, written) = tokio::try_join!(
        Known::of(store, debtor, now),
        Agreed::with(store, debtor),
        Written::with(store, debtor, received),
    )?;
    let zone = domain::time::zone(&known.portfolio.zone).map_err(|_| Problem::internal())?;
    let today = ageing::day_of(now.in_zone(&zone).date());
    Ok(DebtorFileReply {
        ageing: known.ageing(today),
        tasks: known.tasks(now),
        accrued: known.accrued(today),
        items: debt_items::lines(&known.file.debts, &known.file.items),
        debtor: known.file.debtor,
        debts: known.owed,
        addresses: written.addresses,
        parties: known.file.parties,
        points: known.file.points,
        consents: known.file.consents,
        holds: known.file.holds,
        promises: known.file.promises,
        payments: known.file.payments,
        claims: agreed.claims,
        attempts: known.file.attempts,
        plans: agreed.plans,
        stages: agreed.stages,
        messages: written.messages,
        received: written.received,
        letters: written.letters,
        visits: written.visits,
        excuses: agreed.excuses,
    })
}

/// A debtor's file.
#[utoipa::path(get, path = "/debtors/{id}", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The file", body = DebtorFileReply)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
) -> Result<Json<DebtorFileReply>, Problem> {
    let received = caller.role != Role::Client;
    let file = debtor_file(state.store.as_ref(), id, state.now(), received).await?;
    tenant::seen(&state, &caller, file.debtor.clone()).await?;
    Ok(Json(file))
}
