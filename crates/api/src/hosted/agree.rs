//! The page of an agreement: who are you – what is agreed, with the document – accepted.

use super::Page;
use super::html::language;
use super::identity::{self, form, proves};
use crate::ApiState;
use crate::problem::Problem;
use crate::routes::plans::{agreement_of, pdf};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::entity::{Language, PlanFile, PlanState};
use domain::ids::PlanId;
use domain::link::LinkKind;
use domain::ports::store::LoginFailures;
use domain::spoken;
use domain::time::{DAY_MS, UtcMs};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Wrong answers after which the page is closed.
const TRIES_MAX: u32 = 5;
/// How long guesses are counted after the last one, ms: as long as a link lives.
const GUESSES_KEPT_MS: i64 = 7 * DAY_MS;
/// How long an answered page may be read and accepted, ms.
const PROVED_MS: i64 = 30 * 60_000;
/// The identity step that is passed before acceptance.
const IDENTITY: &str = "document_end";

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(open, answer))
        .routes(routes!(document))
        .routes(routes!(accept))
}

/// Texts of both languages.
struct Words {
    title: &'static str,
    gone: &'static str,
    unknown: &'static str,
    later: &'static str,
    done: &'static str,
    moved: &'static str,
    creditor: &'static str,
    debt: &'static str,
    balance: &'static str,
    quita: &'static str,
    agreed: &'static str,
    call: &'static str,
    read: &'static str,
    tick: &'static str,
    accept: &'static str,
    hash: &'static str,
}

const ES: Words = Words {
    title: "Convenio de pago",
    gone: "Esta oferta ya no está vigente. Llámenos para recibir una nueva.",
    unknown: "Esta liga no existe. Revise que la dirección esté completa.",
    later: "No fue posible abrir la página. Inténtelo en unos minutos.",
    done: "Aceptó el convenio. Gracias.",
    moved: "El adeudo cambió desde que se hizo la oferta. Llámenos para recibir una nueva.",
    creditor: "Acreedor",
    debt: "Cuenta",
    balance: "Saldo",
    quita: "Descuento",
    agreed: "Total acordado",
    call: "Teléfono",
    read: "Leer el documento (PDF)",
    tick: "Leí el documento y acepto el convenio",
    accept: "Aceptar el convenio",
    hash: "Huella del documento",
};

const EN: Words = Words {
    title: "Payment agreement",
    gone: "This offer no longer stands. Call us for a new one.",
    unknown: "This link does not exist. Check that the address is complete.",
    later: "The page could not be opened. Try again in a few minutes.",
    done: "You accepted the agreement. Thank you.",
    moved: "The debt changed since the offer was made. Call us for a new one.",
    creditor: "Creditor",
    debt: "Account",
    balance: "Balance",
    quita: "Discount",
    agreed: "Agreed total",
    call: "Telephone",
    read: "Read the document (PDF)",
    tick: "I have read the document and accept the agreement",
    accept: "Accept the agreement",
    hash: "Fingerprint of the document",
};

const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::Es | Language::Pt => &ES,
    }
}

fn plain(language: Language, text: &str, status: StatusCode) -> Response {
    Page::new(language, words(language).title)
        .status(status)
        .alert(text)
        .into_response()
}

fn failed(language: Language, problem: &Problem) -> Response {
    tracing::warn!(
        code = problem.code(),
        "an agreement's page could not be shown"
    );
    let status = StatusCode::SERVICE_UNAVAILABLE;
    plain(language, words(language).later, status)
}

fn guesses_key(plan: PlanId) -> String {
    format!("agreement:{plan}")
}

/// A plan that can be read and accepted, or the page that says why not. Says nothing about the debt.
async fn usable(state: &ApiState, token: &str, looks: Language) -> Result<PlanFile, Response> {
    let w = words(looks);
    let unknown = || plain(looks, w.unknown, StatusCode::NOT_FOUND);
    let read = state.links().read(LinkKind::Agreement, token);
    let (id, until) = read.ok_or_else(unknown)?;
    let file = match state.store.get_plan(PlanId(id)).await {
        Ok(file) => file,
        Err(domain::ports::StoreError::NotFound(_)) => return Err(unknown()),
        Err(error) => return Err(failed(looks, &error.into())),
    };
    let signed = file.plan.signed_at.is_some();
    if state.now() >= until || !(signed || file.plan.state == PlanState::Approved) {
        return Err(plain(looks, w.gone, StatusCode::GONE));
    }
    let guesses = state.store.login_failures(&guesses_key(file.plan.id)).await;
    match guesses {
        Ok(guesses) if guesses.count < TRIES_MAX => Ok(file),
        Ok(_) => Err(plain(looks, identity::locked(looks), StatusCode::FORBIDDEN)),
        Err(error) => Err(failed(looks, &error.into())),
    }
}

fn asks(language: Language, token: &str, wrong: bool) -> Page {
    let title = words(language).title;
    identity::asks(language, title, &format!("/a/{token}"), wrong)
}

/// The page of an agreement: asks who looks; nothing of the debt is on it.
#[utoipa::path(get, path = "/a/{token}", tag = "pages", params(("token" = String, Path)),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"),
        (status = 404, description = "No such link"), (status = 410, description = "No longer valid")))]
async fn open(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let looks = language(&headers);
    match usable(&state, &token, looks).await {
        Ok(_) => asks(looks, &token, false).into_response(),
        Err(page) => page,
    }
}

/// An answer to the question who looks: the agreement, or the question again; five wrong ones close it.
#[utoipa::path(post, path = "/a/{token}", tag = "pages", params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The agreement", body = String, content_type = "text/html"),
        (status = 403, description = "It does not match, or too often")))]
async fn answer(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let looks = language(&headers);
    let file = match usable(&state, &token, looks).await {
        Ok(file) => file,
        Err(page) => return page,
    };
    let answer = identity::answer(&body);
    match answered(&state, &token, looks, &file, &answer).await {
        Ok(page) => page,
        Err(problem) => failed(looks, &problem),
    }
}

async fn answered(
    state: &ApiState,
    token: &str,
    looks: Language,
    file: &PlanFile,
    answer: &str,
) -> Result<Response, Problem> {
    let (key, now) = (guesses_key(file.plan.id), state.now());
    let locked = || plain(looks, identity::locked(looks), StatusCode::FORBIDDEN);
    // Taken before it is looked at: answers that come at once are counted each.
    let kept = now.plus_ms(GUESSES_KEPT_MS);
    if !state.store.take_guess(&key, TRIES_MAX, kept).await? {
        return Ok(locked());
    }
    let debtor = state.store.get_debtor(file.plan.debtor_id).await?;
    if proves(&debtor, answer) {
        let none = LoginFailures {
            count: 0,
            last_at: now,
        };
        state.store.set_login_failures(&key, none).await?;
        return shown(state, token, debtor.language, file).await;
    }
    if state.store.login_failures(&key).await?.count >= TRIES_MAX {
        return Ok(locked());
    }
    Ok(asks(looks, token, true).into_response())
}

const fn written(language: Language) -> Language {
    match language {
        Language::En => Language::En,
        Language::Es | Language::Pt => Language::Es,
    }
}

/// What is agreed, the document, and the way to accept it.
async fn shown(
    state: &ApiState,
    token: &str,
    language: Language,
    file: &PlanFile,
) -> Result<Response, Problem> {
    let (w, plan) = (words(language), &file.plan);
    let client = state.store.get_client(plan.client_id).await?;
    let debt = state.store.get_debt(plan.debt_id).await?;
    let shown = agreement_of(state, file, written(language)).await?;
    let amount = |minor: i64| spoken::amount(minor, plan.currency);
    let (balance, quita, agreed) = (
        amount(plan.balance_minor),
        amount(plan.quita_minor),
        amount(plan.agreed_minor),
    );
    let page = Page::new(language, w.title).facts(&[
        (w.creditor, client.name.as_str()),
        (w.debt, debt.external_ref.as_str()),
        (w.balance, balance.as_str()),
        (w.quita, quita.as_str()),
        (w.agreed, agreed.as_str()),
        (w.call, client.callback_number.as_str()),
    ]);
    let parts: Vec<(String, String)> = file
        .instalments
        .iter()
        .map(|p| (spoken::date(&p.due_date, language), amount(p.amount_minor)))
        .collect();
    let parts: Vec<(&str, &str)> = parts
        .iter()
        .map(|(d, a)| (d.as_str(), a.as_str()))
        .collect();
    let until = state.now().plus_ms(PROVED_MS);
    let proved = state
        .links()
        .sign(LinkKind::AgreementProved, plan.id.0, until);
    let page = page.facts(&parts).markup(&format!(
        "<form method=\"post\" action=\"/a/{token}/document\">\
        <input type=\"hidden\" name=\"proved\" value=\"{proved}\">\
        <button type=\"submit\">{}</button></form>",
        w.read
    ));
    if plan.signed_at.is_some() {
        let page = page.text(w.done).text(w.hash).lines(&shown.sha256);
        return Ok(page.into_response());
    }
    let page = page.markup(&format!(
        "<form method=\"post\" action=\"/a/{token}/accept\">\
        <input type=\"hidden\" name=\"proved\" value=\"{proved}\">\
        <input type=\"hidden\" name=\"sha256\" value=\"{}\">\
        <p class=\"tick\"><input type=\"checkbox\" id=\"agree\" name=\"agree\" value=\"yes\" required> \
        <label for=\"agree\">{}</label></p><button type=\"submit\">{}</button></form>",
        shown.sha256, w.tick, w.accept
    ));
    Ok(page.into_response())
}

#[derive(Deserialize)]
struct ProvedForm {
    proved: String,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    agree: String,
}

/// Whether identity was proved for that plan a moment ago.
fn is_proved(state: &ApiState, file: &PlanFile, proved: &str, now: UtcMs) -> bool {
    let read = state.links().read(LinkKind::AgreementProved, proved);
    read.is_some_and(|(id, until)| id == file.plan.id.0 && now < until)
}

/// The document, for whom identity is proved.
#[utoipa::path(post, path = "/a/{token}/document", tag = "pages", params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The document", body = Vec<u8>, content_type = "application/pdf"),
        (status = 403, description = "Identity is not proved")))]
async fn document(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let looks = language(&headers);
    let file = match usable(&state, &token, looks).await {
        Ok(file) => file,
        Err(page) => return page,
    };
    let sent = form::<ProvedForm>(&body);
    if !sent.is_some_and(|f| is_proved(&state, &file, &f.proved, state.now())) {
        let page = asks(looks, &token, false).status(StatusCode::FORBIDDEN);
        return page.into_response();
    }
    let shown = async {
        let debtor = state.store.get_debtor(file.plan.debtor_id).await?;
        agreement_of(&state, &file, written(debtor.language)).await
    };
    match shown.await {
        Ok(shown) => pdf(shown.pdf, "inline; filename=\"convenio.pdf\""),
        Err(problem) => failed(looks, &problem),
    }
}

/// The debtor accepts the document that he was shown: its hash, the time, the channel and the identity step
/// are recorded, and the plan runs from then on.
#[utoipa::path(post, path = "/a/{token}/accept", tag = "pages", params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Accepted", body = String, content_type = "text/html"),
        (status = 403, description = "Identity is not proved"), (status = 409, description = "The offer does not stand")))]
async fn accept(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let looks = language(&headers);
    let file = match usable(&state, &token, looks).await {
        Ok(file) => file,
        Err(page) => return page,
    };
    let sent = form::<ProvedForm>(&body).filter(|f| f.agree == "yes");
    let Some(sent) = sent.filter(|f| is_proved(&state, &file, &f.proved, state.now())) else {
        let page = asks(looks, &token, false).status(StatusCode::FORBIDDEN);
        return page.into_response();
    };
    match accepted(&state, &token, &file, &sent.sha256).await {
        Ok(page) => page,
        Err(problem) if problem.code() == "plan_balance" || problem.code() == "plan_moved" => {
            plain(looks, words(looks).moved, StatusCode::CONFLICT)
        }
        Err(problem) => failed(looks, &problem),
    }
}

async fn accepted(
    state: &ApiState,
    token: &str,
    file: &PlanFile,
    sha256: &str,
) -> Result<Response, Problem> {
    let debtor = state.store.get_debtor(file.plan.debtor_id).await?;
    let shown_to_him = agreement_of(state, file, written(debtor.language)).await?;
    if shown_to_him.sha256 != sha256 {
        return Err(Problem::conflict(
            "plan_moved",
            "another document was shown",
        ));
    }
    let hash = shown_to_him.sha256;
    state.center.sign_plan(file.plan.id, hash, IDENTITY).await?;
    let file = state.store.get_plan(file.plan.id).await?;
    shown(state, token, debtor.language, &file).await
}
