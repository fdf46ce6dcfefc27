//! Receipts: money as it came in, and the queue of what is nobody's yet.

use super::payments::{Amount, moved_at};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params, WhyBody};
use crate::list::{self, Items};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::{MoneyTaken, Payer};
use domain::entity::{OTHER_AMOUNT, PaymentChannel, Receipt, ReceiptSource, ReceiptState};
use domain::ids::{BankFileId, ClientId, DebtId, DebtorId, ReceiptId};
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::{Clues, ReceiptFilter, SHARES_MAX};
use domain::rules::allocation::Share;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(suggestions))
        .routes(routes!(match_to))
        .routes(routes!(unmatch))
        .routes(routes!(give_back))
}

/// Which receipts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReceiptQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only of this file.
    #[param(value_type = Option<uuid::Uuid>)]
    file: Option<BankFileId>,
    /// `waiting` (unmatched and over), `unmatched`, `over`, `posted` or `returned`.
    state: Option<String>,
}

/// A page, oldest first.
#[utoipa::path(get, path = "/receipts", tag = "money", params(ReceiptQuery),
    responses((status = 200, description = "A page", body = Items<doc::Receipt>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ReceiptQuery>,
) -> Result<Json<Items<Receipt>>, Problem> {
    let states = match query.state.as_deref() {
        None => vec![],
        Some("waiting") => vec![ReceiptState::Unmatched, ReceiptState::Over],
        Some(one) => {
            let one = one.parse::<ReceiptState>();
            vec![one.map_err(|e| Problem::bad_request("bad_query", format!("state: {e}")))?]
        }
    };
    let filter = ReceiptFilter {
        client_id: caller.narrow(query.client)?,
        states,
        debtor_id: query.debtor,
        file_id: query.file,
    };
    let page = list::page_request(query.limit, query.cursor)?;
    let page = state.store.receipts_page(&filter, &page).await;
    let page = page.map_err(list::list_problem)?;
    Ok(Json(tenant::seen_page(&state, &caller, page).await?))
}

async fn own(state: &ApiState, caller: &Caller, id: ReceiptId) -> Result<Receipt, Problem> {
    let row = state.store.get_receipt(id).await?;
    tenant::seen(state, caller, row).await
}

/// One.
#[utoipa::path(get, path = "/receipts/{id}", tag = "money", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The thing", body = doc::Receipt)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ReceiptId>,
) -> Result<Json<Receipt>, Problem> {
    Ok(Json(own(&state, &caller, id).await?))
}

/// Money of which it is not said whose it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReceipt {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// More than 0.
    #[schema(value_type = doc::Money)]
    amount: Amount,
    /// When the money moved; at most a day ahead.
    #[schema(value_type = doc::Instant)]
    paid_at: UtcMs,
    #[schema(value_type = doc::PaymentChannel)]
    channel: PaymentChannel,
    /// The source's own reference, unique within the client.
    reference: String,
    /// The payer's words; the number of a debt or debtor in them is found.
    #[serde(default)]
    concept: String,
    /// The payer's identity document.
    #[serde(default)]
    document: String,
}

/// What became of money.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiptReply {
    #[schema(value_type = doc::Receipt)]
    receipt: Receipt,
    /// Payments made of it.
    #[schema(value_type = Vec<doc::Payment>)]
    payments: Vec<domain::entity::Payment>,
    /// It was taken in before.
    repeated: bool,
}

impl From<MoneyTaken> for ReceiptReply {
    fn from(taken: MoneyTaken) -> Self {
        Self {
            receipt: taken.receipt,
            payments: taken.payments.into_iter().map(|p| p.payment).collect(),
            repeated: taken.repeated,
        }
    }
}

/// Words of a text that may be the number of a debt or debtor.
pub(super) fn words(reference: &str, concept: &str) -> Vec<String> {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '.' | '_');
    let words = concept.split(|c: char| !inner(c));
    let words = words.map(|w| w.trim_matches(['-', '/', '.', '_']));
    let named = words.filter(|w| w.chars().count() >= 3 && w.chars().any(|c| c.is_ascii_digit()));
    std::iter::once(reference)
        .chain(named)
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whose money it is when exactly one debtor is named by reference or document.
pub(super) async fn payer_of(
    state: &ApiState,
    clues: &Clues,
) -> Result<(Payer, &'static str), Problem> {
    let found = state.store.suggest_payers(clues).await?;
    let mut named = found.iter().filter(|s| s.is_named());
    Ok(match (named.next(), named.next()) {
        (Some(one), None) => {
            let payer = Payer {
                debtor_id: Some(one.debtor_id),
                debt_id: one.debt_id,
                shares: None,
            };
            (payer, "")
        }
        (Some(_), Some(_)) => (Payer::default(), "ambiguous"),
        (None, _) => (Payer::default(), "unknown"),
    })
}

/// Takes money in: who is named by a reference or a document has it on his debts, the rest waits in the queue.
#[utoipa::path(post, path = "/receipts", tag = "money", request_body = NewReceipt,
    responses((status = 201, description = "Taken in", body = ReceiptReply),
        (status = 200, description = "This reference was taken in before", body = ReceiptReply)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewReceipt>,
) -> Result<(StatusCode, Json<ReceiptReply>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let minor = body.amount.amount_minor;
    let minor = check::range("amount.amount_minor", minor, 1, check::AMOUNT_MAX)?;
    let amount = Money::new(minor, body.amount.currency);
    let optional = |path, text: &str| match text.trim() {
        "" => Ok(String::new()),
        text => check::text(path, text, check::TEXT_MAX),
    };
    let reference = check::name("reference", &body.reference)?;
    let concept = optional("concept", &body.concept)?;
    let document = optional("document", &body.document)?;
    let clues = Clues {
        client_id: body.client_id,
        words: words(&reference, &concept),
        document: document.clone(),
        amount,
    };
    let (payer, note) = payer_of(&state, &clues).await?;
    let now = state.now();
    let receipt = Receipt {
        id: ReceiptId(state.id()),
        client_id: body.client_id,
        source: ReceiptSource::Api,
        reference,
        amount,
        left_minor: minor,
        returned_minor: 0,
        paid_at: moved_at(&state, body.paid_at)?,
        channel: body.channel,
        concept: Pii(concept),
        document: Pii(document),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: note.to_owned(),
        created_at: now,
        updated_at: now,
    };
    let taken = state
        .center
        .take_money(caller.asks_as(), receipt, payer)
        .await?;
    let status = if taken.repeated {
        StatusCode::OK
    } else {
        let subject = format!("receipt:{}", taken.receipt.id);
        let event = state.audit(&caller, Some(body.client_id), subject, "receipt.taken");
        state.store.append_events(&[event]).await?;
        StatusCode::CREATED
    };
    Ok((status, Json(taken.into())))
}

/// A debtor whose money it may be.
#[derive(Serialize, ToSchema)]
pub(crate) struct SuggestionView {
    debtor_id: uuid::Uuid,
    /// The debt that is meant, when one is.
    debt_id: Option<uuid::Uuid>,
    /// Strongest first: `reference`, `document`, `promise`, `amount`.
    reasons: Vec<String>,
    /// His name.
    name: String,
    /// The client's number of him.
    external_ref: String,
    /// What he owes in the money's currency, minor units.
    balance_minor: i64,
}

/// Whose money it may be, strongest first: by reference, by document, by a promised or owed amount; never by
/// name.
#[utoipa::path(get, path = "/receipts/{id}/suggestions", tag = "money",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "At most 10", body = Items<SuggestionView>)))]
async fn suggestions(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ReceiptId>,
) -> Result<Json<Items<SuggestionView>>, Problem> {
    let row = own(&state, &caller, id).await?;
    // Its source's words, without the amount behind them.
    let own = match row.reference.rsplit_once('~') {
        Some((own, _)) if row.note == OTHER_AMOUNT => own,
        _ => &row.reference,
    };
    let clues = Clues {
        client_id: row.client_id,
        words: words(own, row.concept.reveal()),
        document: row.document.reveal().clone(),
        amount: Money::new(row.left_minor, row.amount.currency),
    };
    let mut items = Vec::new();
    for found in state.store.suggest_payers(&clues).await? {
        let file = state.store.debtor_file(found.debtor_id).await?;
        let owed = file
            .debts
            .iter()
            .filter(|d| d.currency == row.amount.currency);
        items.push(SuggestionView {
            balance_minor: owed.map(domain::entity::Debt::balance_minor).sum(),
            name: file.debtor.name.into_inner(),
            external_ref: file.debtor.external_ref,
            debtor_id: found.debtor_id.0,
            debt_id: found.debt_id.map(|d| d.0),
            reasons: found.reasons,
        });
    }
    Ok(Json(Items::all(items)))
}

/// On which debt how much.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareBody {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// More than 0, no more than the debt.
    amount_minor: i64,
}

/// Whose money it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchBody {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// The debt that comes first.
    #[schema(value_type = Option<uuid::Uuid>)]
    debt_id: Option<DebtId>,
    /// How it is spread, when not by the client's rule; at most 50.
    shares: Option<Vec<ShareBody>>,
}

/// Puts what is left of a receipt on a debtor's debts.
#[utoipa::path(post, path = "/receipts/{id}/match", tag = "money",
    params(("id" = uuid::Uuid, Path)), request_body = MatchBody,
    responses((status = 200, description = "Posted", body = ReceiptReply)))]
async fn match_to(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ReceiptId>,
    Body(body): Body<MatchBody>,
) -> Result<Json<ReceiptReply>, Problem> {
    let row = own(&state, &caller, id).await?;
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    if debtor.client_id != row.client_id {
        let reason = "expected a debtor of the receipt's client";
        return Err(Problem::invalid("debtor_id", reason));
    }
    if body.shares.as_ref().is_some_and(|s| s.len() > SHARES_MAX) {
        return Err(Problem::invalid("shares", "expected at most 50"));
    }
    let share = |s: &ShareBody| Share {
        debt_id: s.debt_id,
        minor: s.amount_minor,
    };
    let payer = Payer {
        debtor_id: Some(debtor.id),
        debt_id: body.debt_id,
        shares: body.shares.map(|s| s.iter().map(share).collect()),
    };
    let done = state
        .center
        .match_receipt(caller.asks_as(), id, payer)
        .await?;
    let subject = format!("receipt:{id}");
    let event = state.audit(&caller, Some(row.client_id), subject, "receipt.matched");
    state.store.append_events(&[event]).await?;
    Ok(Json(ReceiptReply {
        receipt: done.receipt,
        payments: done.payments.into_iter().map(|p| p.payment).collect(),
        repeated: false,
    }))
}

/// Takes money off the debts it was put on by mistake, by second rows: it waits in the queue again.
#[utoipa::path(post, path = "/receipts/{id}/unmatch", tag = "money",
    params(("id" = uuid::Uuid, Path)), request_body = WhyBody,
    responses((status = 200, description = "Off its debts", body = ReceiptReply)))]
async fn unmatch(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ReceiptId>,
    Body(body): Body<WhyBody>,
) -> Result<Json<ReceiptReply>, Problem> {
    let row = own(&state, &caller, id).await?;
    let reason = body.reason()?;
    let done = state
        .center
        .unmatch_receipt(caller.asks_as(), id, reason.clone())
        .await?;
    told(&state, &caller, &row, "receipt.unmatched", reason).await?;
    Ok(Json(ReceiptReply {
        receipt: done.receipt,
        payments: done.payments.into_iter().map(|p| p.payment).collect(),
        repeated: false,
    }))
}

/// What is left goes back to its sender, or was no money of debtors.
#[utoipa::path(post, path = "/receipts/{id}/return", tag = "money",
    params(("id" = uuid::Uuid, Path)), request_body = WhyBody,
    responses((status = 200, description = "Given back", body = ReceiptReply)))]
async fn give_back(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ReceiptId>,
    Body(body): Body<WhyBody>,
) -> Result<Json<ReceiptReply>, Problem> {
    let row = own(&state, &caller, id).await?;
    let reason = body.reason()?;
    let done = state
        .center
        .return_receipt(caller.asks_as(), id, reason.clone())
        .await?;
    told(&state, &caller, &row, "receipt.returned", reason).await?;
    Ok(Json(ReceiptReply {
        receipt: done.receipt,
        payments: vec![],
        repeated: false,
    }))
}

async fn told(
    state: &ApiState,
    caller: &Caller,
    row: &Receipt,
    action: &str,
    reason: String,
) -> Result<(), Problem> {
    let subject = format!("receipt:{}", row.id);
    let event = state.audit_why(caller, Some(row.client_id), subject, action, Some(reason));
    Ok(state.store.append_events(&[event]).await?)
}
