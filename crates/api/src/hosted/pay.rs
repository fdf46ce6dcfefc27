//! The page of a payment link: who are you – what is to be paid – on to the provider, or how to pay the
//! creditor himself where we may take no money.

use super::Page;
use super::html::language;
use super::identity::{self, form, proves};
use crate::ApiState;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use domain::entity::{
    Debt, DebtStatus, Debtor, LINK_TRIES_MAX, Language, LinkState, PaymentLink, Stage,
};
use domain::ids::PaymentLinkId;
use domain::link::LinkKind;
use domain::ports::{PageOrder, PaymentsError};
use domain::spoken::amount;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long an answered page may lead to the provider, ms.
const PROVED_MS: i64 = 15 * 60_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(open, answer))
        .routes(routes!(pay))
}

/// Texts of both languages.
struct Words {
    title: &'static str,
    gone: &'static str,
    unknown: &'static str,
    paid: &'static str,
    creditor: &'static str,
    debt: &'static str,
    amount: &'static str,
    pay: &'static str,
    to_creditor: &'static str,
    no_data: &'static str,
    later: &'static str,
    not_owed: &'static str,
    sold: &'static str,
    call: &'static str,
}

const ES: Words = Words {
    title: "Página de pago",
    gone: "Esta liga ya no está vigente. Llámenos para recibir una nueva.",
    unknown: "Esta liga no existe. Revise que la dirección esté completa.",
    paid: "El pago ya se recibió. Gracias.",
    creditor: "Acreedor",
    debt: "Cuenta",
    amount: "Importe",
    pay: "Pagar",
    to_creditor: "El pago se hace directamente al acreedor, con estos datos:",
    no_data: "El pago se hace directamente al acreedor. Llámenos para recibir los datos.",
    later: "No fue posible abrir la página de pago. Inténtelo en unos minutos.",
    not_owed: "Este importe ya no se debe. Llámenos si tiene dudas.",
    sold: "Esta cuenta se vendió a otro acreedor y ya no recibimos pagos por ella. Llámenos si tiene dudas.",
    call: "Teléfono",
};

const EN: Words = Words {
    title: "Payment page",
    gone: "This link is no longer valid. Call us for a new one.",
    unknown: "This link does not exist. Check that the address is complete.",
    paid: "The payment was received. Thank you.",
    creditor: "Creditor",
    debt: "Account",
    amount: "Amount",
    pay: "Pay",
    to_creditor: "Payment is made directly to the creditor, with these details:",
    no_data: "Payment is made directly to the creditor. Call us for the details.",
    later: "The payment page could not be opened. Try again in a few minutes.",
    not_owed: "This amount is no longer owed. Call us if in doubt.",
    sold: "This account was sold to another creditor and we take no more payments for it. Call us if in doubt.",
    call: "Telephone",
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

/// A link that can be used, or the page that says why not. Says nothing about the debt.
async fn usable(
    state: &ApiState,
    token: &str,
    language: Language,
) -> Result<PaymentLink, Response> {
    let w = words(language);
    let gone = || plain(language, w.gone, StatusCode::GONE);
    let unknown = || plain(language, w.unknown, StatusCode::NOT_FOUND);
    let read = state.links().read(LinkKind::Payment, token);
    let (id, until) = read.ok_or_else(unknown)?;
    if state.now() >= until {
        return Err(gone());
    }
    let link = state.store.get_payment_link(PaymentLinkId(id)).await;
    let link = match link {
        Ok(link) => link,
        Err(domain::ports::StoreError::NotFound(_)) => return Err(unknown()),
        Err(error) => return Err(failed(language, &error.into())),
    };
    match link.state {
        LinkState::Paid => Err(plain(language, w.paid, StatusCode::OK)),
        LinkState::Expired | LinkState::Cancelled => Err(gone()),
        LinkState::Created | LinkState::Opened if link.expires_at <= state.now() => Err(gone()),
        LinkState::Created | LinkState::Opened if link.tries >= LINK_TRIES_MAX => Err(plain(
            language,
            identity::locked(language),
            StatusCode::FORBIDDEN,
        )),
        LinkState::Created | LinkState::Opened => Ok(link),
    }
}

fn failed(language: Language, problem: &Problem) -> Response {
    tracing::warn!(code = problem.code(), "a payment page could not be shown");
    plain(
        language,
        words(language).later,
        StatusCode::SERVICE_UNAVAILABLE,
    )
}

fn asks(language: Language, token: &str, wrong: bool) -> Page {
    let title = words(language).title;
    identity::asks(language, title, &format!("/p/{token}"), wrong)
}

/// The page of a payment link: asks who looks; nothing of the debt is on it.
#[utoipa::path(get, path = "/p/{token}", tag = "pages", params(("token" = String, Path)),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"),
        (status = 404, description = "No such link"), (status = 410, description = "No longer valid")))]
async fn open(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let language = language(&headers);
    match usable(&state, &token, language).await {
        Ok(_) => asks(language, &token, false).into_response(),
        Err(page) => page,
    }
}

/// An answer to the question who looks: what is to be paid, or the question again; five wrong ones close it.
#[utoipa::path(post, path = "/p/{token}", tag = "pages", params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What is to be paid", body = String, content_type = "text/html"),
        (status = 403, description = "It does not match, or too often")))]
async fn answer(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let looks = language(&headers);
    let link = match usable(&state, &token, looks).await {
        Ok(link) => link,
        Err(page) => return page,
    };
    let answer = identity::answer(&body);
    match answered(&state, &token, looks, &link, &answer).await {
        Ok(page) => page,
        Err(problem) => failed(looks, &problem),
    }
}

async fn answered(
    state: &ApiState,
    token: &str,
    looks: Language,
    link: &PaymentLink,
    answer: &str,
) -> Result<Response, Problem> {
    let debtor = state.store.get_debtor(link.debtor_id).await?;
    let right = proves(&debtor, answer);
    let link = state.center.answer_link(link, right).await?;
    if link.tries >= LINK_TRIES_MAX {
        let text = identity::locked(looks);
        return Ok(plain(looks, text, StatusCode::FORBIDDEN));
    }
    if !right {
        return Ok(asks(looks, token, true).into_response());
    }
    shown(state, token, &debtor, &link).await
}

/// Why no money is taken for a debt.
enum Closed {
    /// It is another's.
    Sold,
    /// Less is owed than the link is for.
    NotOwed,
}

async fn closed(
    state: &ApiState,
    debt: &Debt,
    link: &PaymentLink,
) -> Result<Option<Closed>, Problem> {
    let stands = state.store.stage_of(debt.id).await?;
    if stands.is_some_and(|s| s.stage == Stage::Sold) {
        return Ok(Some(Closed::Sold));
    }
    let less = debt.balance_minor() < link.amount.amount_minor;
    Ok((less || debt.status != DebtStatus::Open).then_some(Closed::NotOwed))
}

/// What is to be paid, to whom, and how.
async fn shown(
    state: &ApiState,
    token: &str,
    debtor: &Debtor,
    link: &PaymentLink,
) -> Result<Response, Problem> {
    let language = debtor.language;
    let w = words(language);
    let client = state.store.get_client(link.client_id).await?;
    let debt = state.store.get_debt(link.debt_id).await?;
    let debt = state.owed(debt, state.now()).await?;
    if let Some(why) = closed(state, &debt, link).await? {
        let text = match why {
            Closed::Sold => w.sold,
            Closed::NotOwed => w.not_owed,
        };
        let page = Page::new(language, w.title).alert(text);
        return Ok(page
            .facts(&[(w.call, &client.callback_number)])
            .into_response());
    }
    let amount = amount(link.amount.amount_minor, link.amount.currency);
    let facts = [
        (w.creditor, client.name.as_str()),
        (w.debt, debt.external_ref.as_str()),
        (w.amount, amount.as_str()),
        (w.call, client.callback_number.as_str()),
    ];
    let page = Page::new(language, w.title).facts(&facts);
    let may = state.center.duties(debtor.id).await?.may_receive_money;
    let provider = state.config.money.provider.as_ref().filter(|_| may);
    let Some(provider) = provider else {
        let policy = state.store.money_policy(link.client_id).await?;
        let page = if policy.creditor_data.is_empty() {
            page.text(w.no_data)
        } else {
            page.text(w.to_creditor).lines(&policy.creditor_data)
        };
        return Ok(page.into_response());
    };
    let until = state.now().plus_ms(PROVED_MS);
    let proved = state
        .links()
        .sign(LinkKind::PaymentProved, link.id.0, until);
    let page = page.leads_to(provider.page_origin()).markup(&format!(
        "<form method=\"post\" action=\"/p/{token}/pay\">\
        <input type=\"hidden\" name=\"proved\" value=\"{proved}\">\
        <button type=\"submit\">{}</button></form>",
        w.pay
    ));
    Ok(page.into_response())
}

#[derive(Deserialize)]
struct ProvedForm {
    proved: String,
}

/// On to the provider's page, for whom identity is proved.
#[utoipa::path(post, path = "/p/{token}/pay", tag = "pages", params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To the provider's page"),
        (status = 403, description = "Identity is not proved")))]
async fn pay(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let looks = language(&headers);
    let link = match usable(&state, &token, looks).await {
        Ok(link) => link,
        Err(page) => return page,
    };
    let proved = form::<ProvedForm>(&body)
        .and_then(|f| state.links().read(LinkKind::PaymentProved, &f.proved))
        .is_some_and(|(id, until)| id == link.id.0 && state.now() < until);
    if !proved || link.state != LinkState::Opened {
        let page = asks(looks, &token, false).status(StatusCode::FORBIDDEN);
        return page.into_response();
    }
    let back = format!("{}/p/{token}", state.public_url(&headers));
    match led(&state, &link, &back).await {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(problem) => failed(looks, &problem),
    }
}

/// The provider's page for a link.
async fn led(state: &ApiState, link: &PaymentLink, back: &str) -> Result<String, Problem> {
    let debtor = state.store.get_debtor(link.debtor_id).await?;
    let may = state.center.duties(debtor.id).await?.may_receive_money;
    let provider = state.config.money.provider.as_ref().filter(|_| may);
    let provider = provider.ok_or_else(|| Problem::forbidden("no money may be taken here"))?;
    let client = state.store.get_client(link.client_id).await?;
    let debt = state.store.get_debt(link.debt_id).await?;
    let debt = state.owed(debt, state.now()).await?;
    match closed(state, &debt, link).await? {
        Some(Closed::Sold) => {
            return Err(Problem::conflict("debt_sold", "this debt is sold"));
        }
        Some(Closed::NotOwed) => {
            return Err(Problem::conflict(
                "not_owed",
                "this amount is no longer owed",
            ));
        }
        None => {}
    }
    let order = PageOrder {
        link,
        title: &format!("{} · {}", client.name, debt.external_ref),
        back_url: back,
        language: debtor.language.as_str(),
        now: state.now(),
    };
    let page = provider.open_page(order).await.map_err(|e| match e {
        PaymentsError::Refused(text) => {
            tracing::error!(provider = provider.name(), reason = %text, "payment page refused");
            Problem::unavailable("the payment provider refused")
        }
        other => Problem::unavailable(other.to_string()),
    })?;
    let store = &state.store;
    store
        .link_session(link.id, &page.session, &page.url)
        .await?;
    Ok(page.url)
}
