//! Files of banks: a look at one before anything is kept, then its rows one by one, each once.

use super::bank_reader::{Found, NO_SUCH_MONEY, Turns, read_on, taken_back};
use super::camt;
use super::receipts::{payer_of, words};
use crate::auth::Caller;
use crate::extract::{Id, Params, body_problem};
use crate::list::{self, Items};
use crate::problem::Problem;
use crate::{ApiState, check, doc, importer, tenant};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use domain::entity::{BANK_READER_GONE_MS, BankFile, BankFileState};
use domain::ids::{BankFileId, ClientId, DebtorId, ReceiptId};
use domain::import::bank::{BankMap, BankMoney, BankRead, BankSheet, read_csv};
use domain::ports::store::Clues;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest file, bytes: 20,000 rows of 400.
const FILE_MAX: usize = 8 * 1024 * 1024;
/// Rows that a preview shows one by one.
const SHOWN: usize = 200;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, accept))
        .routes(routes!(preview))
        .routes(routes!(read))
        .layer(DefaultBodyLimit::max(FILE_MAX))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    /// Whose money it is.
    #[param(value_type = uuid::Uuid)]
    client: ClientId,
    /// JSON `{"columns": {"Fecha": "date", …}, "decimal": "comma", "dates": "dmy", "delimiter": ";",
    /// "encoding": "windows-1252", "currency": "MXN"}`; what it does not say is read from the file where it
    /// is clear. Meanings: date, amount, credit, debit, reference, concept, document, currency.
    map: Option<String>,
    /// The file's name.
    name: Option<String>,
}

struct Taken {
    bytes: Bytes,
    sheet: BankSheet,
    format: &'static str,
}

async fn taken(query: &FileQuery, request: Request) -> Result<Taken, Problem> {
    let bytes = Bytes::from_request(request, &()).await.map_err(|r| {
        if r.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let text = format!("a bank's file may have {FILE_MAX} bytes: cut it by day");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", text)
        } else {
            body_problem(&r)
        }
    })?;
    let map: BankMap = match query.map.as_deref() {
        None | Some("") => BankMap::default(),
        Some(text) => {
            serde_json::from_str(text).map_err(|e| Problem::invalid("map", e.to_string()))?
        }
    };
    let bad = |e: String| Problem::invalid("file", e);
    let text = importer::decode_whole(&bytes, map.encoding.as_deref());
    let text = text.map_err(|e| bad(e.to_string()))?;
    let xml = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<');
    let (sheet, format) = if xml {
        (camt::read(&text).map_err(bad)?, "camt053")
    } else {
        (
            read_csv(&text, &map).map_err(|e| bad(e.to_string()))?,
            "csv",
        )
    };
    Ok(Taken {
        bytes,
        sheet,
        format,
    })
}

pub(super) fn clues(client_id: ClientId, money: &BankMoney) -> Clues {
    Clues {
        client_id,
        words: words(&money.reference, &money.concept),
        document: money.document.clone(),
        amount: money.amount,
    }
}

/// What would become of a row.
#[derive(Serialize, ToSchema)]
pub(crate) struct RowView {
    /// Line of the file, or number of the entry.
    line: u64,
    /// `match` (its debtor is named), `unmatched`, `repeated`, `taken_back`, `refused` or `not_money`.
    becomes: &'static str,
    #[schema(value_type = Option<doc::Money>)]
    amount: Option<domain::money::Money>,
    #[schema(value_type = Option<doc::Instant>)]
    paid_at: Option<domain::time::UtcMs>,
    reference: Option<String>,
    concept: Option<String>,
    /// Whose it is, of a row that is matched.
    #[schema(value_type = Option<uuid::Uuid>)]
    debtor_id: Option<DebtorId>,
    /// Where a refused row is wrong; none when it reads well but its money is not here.
    column: Option<String>,
    /// Why a row is refused or waits: a sentence, or `unknown`, `ambiguous`.
    reason: Option<String>,
}

impl RowView {
    /// Says which money the row is about.
    fn tell(&mut self, money: BankMoney) {
        self.amount = Some(money.amount);
        self.paid_at = Some(money.paid_at);
        self.reference = Some(money.reference);
        self.concept = Some(money.concept);
    }
}

/// A look at a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewReply {
    /// `csv` or `camt053`.
    format: &'static str,
    /// This very file was taken in before.
    repeated: bool,
    header: Vec<String>,
    /// The map that was used, as it can be given.
    #[schema(value_type = Object)]
    map: BankMap,
    /// Rows by what becomes of them.
    counts: BTreeMap<&'static str, u64>,
    /// Money of rows that are not there yet, by currency, minor units.
    sums: BTreeMap<String, i64>,
    /// The first 200 rows, refused ones first.
    rows: Vec<RowView>,
}

/// What is known while the rows of a file are looked at one after the other.
struct Seen {
    /// References that are taken in already.
    known: BTreeSet<String>,
    turns: Turns,
    /// Receipts that rows above would take back.
    taken: BTreeSet<ReceiptId>,
}

async fn row_view(
    state: &ApiState,
    client: ClientId,
    (line, read): (u64, BankRead),
    seen: &mut Seen,
) -> Result<RowView, Problem> {
    let mut view = RowView {
        line,
        becomes: "not_money",
        amount: None,
        paid_at: None,
        reference: None,
        concept: None,
        debtor_id: None,
        column: None,
        reason: None,
    };
    match read {
        BankRead::NotMoney => {}
        BankRead::Refused { column, reason } => {
            view.becomes = "refused";
            view.column = Some(column);
            view.reason = Some(reason);
        }
        BankRead::Back(money) => {
            let turn = seen.turns.next(&money);
            match taken_back(state, client, (&money, turn), &seen.taken).await? {
                Found::Whole(row) => {
                    seen.taken.insert(row.id);
                    view.becomes = "taken_back";
                }
                Found::Gone(_) => view.becomes = "repeated",
                Found::None => {
                    view.becomes = "refused";
                    view.reason = Some(NO_SUCH_MONEY.to_owned());
                }
            }
            view.tell(money);
        }
        BankRead::Money(money) => {
            let repeated = seen.known.contains(&money.reference);
            view.becomes = if repeated { "repeated" } else { "unmatched" };
            if !repeated {
                let (payer, why) = payer_of(state, &clues(client, &money)).await?;
                view.debtor_id = payer.debtor_id;
                if payer.debtor_id.is_some() {
                    view.becomes = "match";
                } else {
                    view.reason = Some(why.to_owned());
                }
            }
            view.tell(money);
        }
    }
    Ok(view)
}

async fn known_of(
    state: &ApiState,
    client: ClientId,
    sheet: &BankSheet,
) -> Result<BTreeSet<String>, Problem> {
    let names = sheet.rows.iter().filter_map(|r| match &r.read {
        BankRead::Money(m) => Some(m.reference.clone()),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    let known = state.store.known_references(client, &names).await?;
    Ok(known.into_iter().collect())
}

/// Reads a file and says of each row what would become of it; nothing is kept. Of files above 2,000 rows only
/// the shown ones are looked up, the others count as `unmatched`.
#[utoipa::path(post, path = "/bank-files/preview", tag = "money", params(FileQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What would become of it", body = PreviewReply)))]
async fn preview(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<FileQuery>,
    request: Request,
) -> Result<Json<PreviewReply>, Problem> {
    caller.may_write(query.client)?;
    state.client_exists(query.client).await?;
    let file = taken(&query, request).await?;
    let mut seen = Seen {
        known: known_of(&state, query.client, &file.sheet).await?,
        turns: Turns::of(&file.sheet),
        taken: BTreeSet::new(),
    };
    let mut reply = PreviewReply {
        format: file.format,
        repeated: false,
        header: file.sheet.header,
        map: file.sheet.map,
        counts: BTreeMap::new(),
        sums: BTreeMap::new(),
        rows: Vec::new(),
    };
    let mut rows = file.sheet.rows;
    rows.sort_by_key(|r| !matches!(r.read, BankRead::Refused { .. }));
    let all = rows.len() <= LOOKED_UP;
    for row in rows {
        if let BankRead::Money(money) = &row.read
            && !seen.known.contains(&money.reference)
        {
            let sum = reply
                .sums
                .entry(money.amount.currency.to_string())
                .or_default();
            *sum = sum.saturating_add(money.amount.amount_minor);
        }
        let shown = reply.rows.len() < SHOWN;
        if shown || all {
            let view = row_view(&state, query.client, (row.line, row.read), &mut seen).await?;
            *reply.counts.entry(view.becomes).or_default() += 1;
            if shown {
                reply.rows.push(view);
            }
        } else {
            let becomes = match &row.read {
                BankRead::Money(m) if seen.known.contains(&m.reference) => "repeated",
                BankRead::Money(_) => "unmatched",
                BankRead::Back(_) => "taken_back",
                BankRead::Refused { .. } => "refused",
                BankRead::NotMoney => "not_money",
            };
            *reply.counts.entry(becomes).or_default() += 1;
        }
    }
    Ok(Json(reply))
}

/// Rows up to which a preview looks up whose money each is.
const LOOKED_UP: usize = 2_000;

/// A page, newest first.
#[utoipa::path(get, path = "/bank-files", tag = "money", params(crate::list::ListQuery),
    responses((status = 200, description = "A page", body = Items<doc::BankFile>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<crate::list::ListQuery>,
) -> Result<Json<Items<BankFile>>, Problem> {
    let client = caller.narrow(query.client)?;
    let page = list::page_request(query.limit, query.cursor)?;
    let page = state.store.bank_files_page(client, &page).await;
    let page = page.map_err(list::list_problem)?;
    Ok(Json(tenant::seen_page(&state, &caller, page).await?))
}

/// One: how far it is.
#[utoipa::path(get, path = "/bank-files/{id}", tag = "money", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The thing", body = doc::BankFile)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<BankFileId>,
) -> Result<Json<BankFile>, Problem> {
    let row = state.store.get_bank_file(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}

/// Takes a file in: each row once by its reference, in the background. The same file again goes on where a
/// stop broke it off, and counts nothing twice.
#[utoipa::path(post, path = "/bank-files", tag = "money", params(FileQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 202, description = "Being taken in", body = doc::BankFile),
        (status = 200, description = "Taken in before", body = doc::BankFile)))]
async fn accept(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<FileQuery>,
    request: Request,
) -> Result<(StatusCode, Json<BankFile>), Problem> {
    caller.may_write(query.client)?;
    state.client_exists(query.client).await?;
    let name = match query.name.as_deref() {
        Some(name) => check::name("name", name)?,
        None => "-".to_owned(),
    };
    let file = taken(&query, request).await?;
    let now = state.now();
    let row = BankFile {
        id: BankFileId(state.id()),
        client_id: query.client,
        name,
        sha256: hex::encode(Sha256::digest(&file.bytes)),
        format: file.format.to_owned(),
        state: BankFileState::Reading,
        rows: i64::try_from(file.sheet.rows.len()).unwrap_or(i64::MAX),
        posted: 0,
        unmatched: 0,
        repeated: 0,
        refused: 0,
        not_money: 0,
        taken_back: 0,
        made_by: caller.actor(),
        created_at: now,
        updated_at: now,
    };
    let subject = format!("bank_file:{}", row.id);
    let event = state.audit(&caller, Some(query.client), subject, "bank_file.taken");
    let (row, before) = state.store.take_bank_file(&row, &[event]).await?;
    if before && row.state == BankFileState::Done {
        return Ok((StatusCode::OK, Json(row)));
    }
    let gone = now.plus_ms(-BANK_READER_GONE_MS);
    if before && !state.store.resume_bank_file(row.id, gone, now).await? {
        // Somebody reads it just now: one reader is enough.
        return Ok((StatusCode::ACCEPTED, Json(row)));
    }
    tokio::spawn(read_on(state, caller, row.clone(), file.sheet));
    Ok((StatusCode::ACCEPTED, Json(row)))
}
