//! Everything of one debtor.

use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::routes::messages::{shown_inbox, shown_message};
use crate::routes::plans::{LetterLine, letter_lines};
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{
    Address, Attempt, Bucket, Consent, ContactPoint, Debt, DebtStage, Debtor, Excuse, Hold,
    InboxMessage, Message, Party, Payment, PlanFile, Promise, Role,
};
use domain::ids::{DebtId, DebtorId, PointId};
use domain::ports::store::{InboxAsk, MessageAsk, PAGE_LIMIT_MAX, PageRequest, StageFilter};
use domain::rules::{ageing, stale};
use domain::segment::day_of_date;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Messages of each direction and excuses that a file shows.
const ROWS_SHOWN: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(read))
}

/// How old a debt is on the portfolio's local day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ageing {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// Bucket, as `b31_60`.
    #[schema(value_type = String)]
    bucket: Bucket,
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
pub(crate) struct DebtorFileReply {
    #[schema(value_type = doc::Debtor)]
    debtor: Debtor,
    /// As they are owed today, interest by the portfolio's rule included.
    #[schema(value_type = Vec<doc::Debt>)]
    debts: Vec<Debt>,
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
    /// Newest first, at most 100.
    #[schema(value_type = Vec<doc::Excuse>)]
    excuses: Vec<Excuse>,
}

/// What was agreed with a debtor, and written to him and by him.
struct Agreed {
    plans: Vec<PlanFile>,
    stages: Vec<DebtStage>,
    messages: Vec<Message>,
    received: Vec<InboxMessage>,
    letters: Vec<LetterLine>,
    excuses: Vec<Excuse>,
}

impl Agreed {
    async fn with(state: &ApiState, caller: &Caller, debtor: DebtorId) -> Result<Self, Problem> {
        let store = &state.store;
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
        let received = match caller.role {
            Role::Client => Vec::new(),
            _ => store.inbox_page(&ask).await?,
        };
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
            messages: messages.into_iter().map(shown_message).collect(),
            received: received.into_iter().map(shown_inbox).collect(),
            letters: letter_lines(state, debtor).await?,
            excuses: store.excuses_of(debtor, ROWS_SHOWN).await?,
        })
    }
}

/// Debts as they are owed today, and what of it the rule of their portfolio accrued.
async fn accrued(
    state: &ApiState,
    debts: &[Debt],
    today: i64,
) -> Result<(Vec<Debt>, Vec<Accrued>), Problem> {
    let owed = state.store.owed(debts, state.now()).await?;
    let ids: Vec<DebtId> = debts.iter().map(|d| d.id).collect();
    let known = state.store.accruals_of(&ids).await?;
    let mut accrued = Vec::new();
    for (stored, today_owed) in debts.iter().zip(&owed) {
        let since_minor = today_owed.interest_minor - stored.interest_minor;
        let booked = known.iter().find(|a| a.debt_id == stored.id);
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
    Ok((owed, accrued))
}

/// A debtor's file.
#[utoipa::path(get, path = "/debtors/{id}", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The file", body = DebtorFileReply)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
) -> Result<Json<DebtorFileReply>, Problem> {
    let debtor = state.store.get_debtor(id).await?;
    tenant::seen(&state, &caller, debtor).await?;
    let file = state.store.debtor_file(id).await?;
    let portfolio = state.store.get_portfolio(file.debtor.portfolio_id).await?;
    let zone = domain::time::zone(&portfolio.zone).map_err(|_| Problem::internal())?;
    let today = ageing::day_of(state.now().in_zone(&zone).date());
    let ages = file.debts.iter().map(|debt| {
        let due = day_of_date(&debt.due_date);
        Ageing {
            debt_id: debt.id,
            bucket: ageing::bucket(debt.status, due, today),
            days: due.map(|due| today - due),
        }
    });
    let tasks = stale::tasks(&file.points, state.now());
    let (debts, accrued) = accrued(&state, &file.debts, today).await?;
    let agreed = Agreed::with(&state, &caller, id).await?;
    Ok(Json(DebtorFileReply {
        ageing: ages.collect(),
        tasks: tasks
            .into_iter()
            .map(|t| FileTaskShape {
                kind: t.kind.to_owned(),
                point_id: t.point_id,
                days: t.days,
            })
            .collect(),
        debtor: file.debtor,
        debts,
        accrued,
        addresses: state.store.addresses_of(id).await?,
        parties: file.parties,
        points: file.points,
        consents: file.consents,
        holds: file.holds,
        promises: file.promises,
        payments: file.payments,
        attempts: file.attempts,
        plans: agreed.plans,
        stages: agreed.stages,
        messages: agreed.messages,
        received: agreed.received,
        letters: agreed.letters,
        excuses: agreed.excuses,
    }))
}
