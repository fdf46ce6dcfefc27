//! The demo's payment provider: it plays Stripe Checkout on loopback, as far as links need it. Sessions are made
//! over its API, its page is marked as a test and asks for no card, and what is paid there is told by a webhook
//! signed as Stripe signs. `serve` knows nothing of it.

mod page;

use crate::config::Payments;
use anyhow::Context as _;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::ports::Clock;
use domain::time::{SECOND_MS, UtcMs};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path as Folder;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Longest form that is read, bytes.
const FORM_MAX: usize = 16 * 1024;
/// Most sessions that are kept: a demo's links are far fewer.
const SESSIONS_MAX: usize = 20_000;
/// Tries of a webhook, and the rest between two.
const TRIES: u32 = 6;
const REST: Duration = Duration::from_secs(1);
/// Longest wait for the answer to a webhook.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Characters of the numbers that it gives, as Stripe's have.
const NUMBER_CHARS: usize = 24;
/// Version of the API whose events are written.
const VERSION: &str = "2024-06-20";

/// A page of the provider for one link.
#[derive(Debug, Clone)]
struct Session {
    id: String,
    link: String,
    title: String,
    amount: i64,
    currency: String,
    back: String,
    paid: bool,
}

struct Desk {
    key: String,
    secret: String,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    /// How far the demo's clock is from the world's, ms: signatures carry the world's time.
    offset_ms: i64,
    /// Where webhooks go, once the node is up.
    node: Mutex<Option<String>>,
    sessions: Mutex<BTreeMap<String, Session>>,
    client: reqwest::Client,
}

/// The provider at work.
pub(super) struct Cashier {
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cashier {
    /// Opens it on a free port of loopback, as `payments` says from then on; keys are made anew for each run and
    /// kept in `folder`. `offset_ms`: how far the clock is from the world's.
    ///
    /// # Errors
    /// When no port is free or a key cannot be kept.
    pub(super) async fn open(
        folder: &Folder,
        (clock, offset_ms): (Arc<dyn Clock>, i64),
        payments: &mut Payments,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port for the demo's payment provider")?;
        let address = listener.local_addr()?;
        let made = |kind: &str| format!("{kind}{}", hex::encode(rand::random::<[u8; 24]>()));
        let (key, secret) = (made("sk_test_"), made("whsec_"));
        let (key_file, secret_file) =
            (folder.join("provider.key"), folder.join("provider.webhook"));
        crate::private::write(&key_file, &key)?;
        crate::private::write(&secret_file, &secret)?;
        let client = reqwest::Client::builder()
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let desk = Arc::new(Desk {
            key,
            secret,
            address,
            clock,
            offset_ms,
            node: Mutex::new(None),
            sessions: Mutex::new(BTreeMap::new()),
            client,
        });
        let app = Router::new()
            .route("/v1/checkout/sessions", post(create))
            .route("/prueba/{session}", get(show))
            .route("/prueba/{session}/pagar", post(pay))
            .route("/style.css", get(page::style))
            .with_state(Arc::clone(&desk));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::warn!(%error, "the demo's payment provider ended");
            }
        });
        *payments = Payments {
            provider: "stripe".into(),
            public_url: String::new(),
            key_file: key_file.display().to_string(),
            webhook_secret_file: secret_file.display().to_string(),
            api: format!("http://{address}"),
        };
        Ok(Self { desk, task })
    }

    /// Webhooks go to this node from now on.
    pub(super) fn tells(&self, node: SocketAddr) {
        let url = format!(
            "http://127.0.0.1:{}/api/v1/webhooks/payments/stripe",
            node.port()
        );
        *locked(&self.desk.node) = Some(url);
    }

    /// Nobody pays any more.
    pub(super) fn stop(self) {
        self.task.abort();
    }
}

/// A refusal as Stripe words it.
fn refused(status: StatusCode, kind: &str, param: &str) -> Response {
    let error = json!({"error": {"type": kind, "param": param, "code": "parameter_invalid"}});
    (status, Json(error)).into_response()
}

fn fields(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|t| t.len() <= FORM_MAX)?;
    let uri = format!("/?{text}").parse().ok()?;
    Query::try_from_uri(&uri).ok().map(|Query(form)| form)
}

/// `POST /v1/checkout/sessions`: one page for each idempotency key.
async fn create(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: header::HeaderName| {
        let value = headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    if text(header::AUTHORIZATION) != format!("Bearer {}", desk.key) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_request_error", "key");
    }
    let Some(form) = fields(&body) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request_error", "body");
    };
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    let price = "line_items[0][price_data]";
    let amount = field(&format!("{price}[unit_amount]")).parse::<i64>();
    let Some(amount) = amount.ok().filter(|n| *n > 0) else {
        return refused(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "unit_amount",
        );
    };
    let key = text(header::HeaderName::from_static("idempotency-key"));
    let number = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes())
        .simple()
        .to_string();
    let id = format!("cs_test_{}", &number[..NUMBER_CHARS]);
    let session = Session {
        id: id.clone(),
        link: field("client_reference_id"),
        title: field(&format!("{price}[product_data][name]")),
        amount,
        currency: field(&format!("{price}[currency]")).to_ascii_uppercase(),
        back: field("success_url"),
        paid: false,
    };
    let mut sessions = locked(&desk.sessions);
    if sessions.len() >= SESSIONS_MAX {
        return refused(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "");
    }
    sessions.entry(id.clone()).or_insert(session);
    let url = format!("http://{}/prueba/{id}", desk.address);
    Json(json!({
        "id": id, "object": "checkout.session", "mode": "payment", "status": "open",
        "payment_status": "unpaid", "livemode": false, "url": url,
    }))
    .into_response()
}

fn session(desk: &Desk, id: &str) -> Option<Session> {
    locked(&desk.sessions).get(id).cloned()
}

/// The page on which a debtor of the demo pays.
async fn show(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    match session(&desk, &id) {
        Some(session) => page::ask(&session),
        None => page::unknown(),
    }
}

/// He pays: the node is told, then he goes back.
async fn pay(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    let first = match locked(&desk.sessions).get_mut(&id) {
        Some(session) => !std::mem::replace(&mut session.paid, true),
        None => return page::unknown(),
    };
    let Some(session) = session(&desk, &id) else {
        return page::unknown();
    };
    if first {
        let event = paid(&desk, &session);
        tell(&desk, &event.to_string()).await;
    }
    Redirect::to(&session.back).into_response()
}

/// `checkout.session.completed`, as Stripe writes it.
fn paid(desk: &Desk, session: &Session) -> Value {
    let number = session.id.trim_start_matches("cs_test_");
    json!({
        "id": format!("evt_{number}"), "object": "event", "api_version": VERSION,
        "created": desk.clock.now().0.div_euclid(SECOND_MS), "livemode": false,
        "pending_webhooks": 1, "type": "checkout.session.completed",
        "data": {"object": {
            "id": session.id, "object": "checkout.session", "mode": "payment", "livemode": false,
            "status": "complete", "payment_status": "paid",
            "client_reference_id": session.link, "payment_intent": format!("pi_{number}"),
            "amount_total": session.amount, "currency": session.currency.to_ascii_lowercase(),
        }},
    })
}

/// `t=…,v1=…`: HMAC-SHA256 over `t.body` with the endpoint's secret.
fn signature(secret: &str, body: &str, at: UtcMs) -> Option<String> {
    let seconds = at.0.div_euclid(SECOND_MS);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{seconds}.{body}").as_bytes());
    Some(format!(
        "t={seconds},v1={}",
        hex::encode(mac.finalize().into_bytes())
    ))
}

/// Tells the node, again while it does not take it.
async fn tell(desk: &Desk, body: &str) {
    let Some(url) = locked(&desk.node).clone() else {
        return;
    };
    for _ in 0..TRIES {
        let at = desk.clock.now().plus_ms(-desk.offset_ms);
        let Some(signed) = signature(&desk.secret, body, at) else {
            return;
        };
        let sent = desk
            .client
            .post(&url)
            .header("stripe-signature", signed)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_owned())
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => {
                tracing::debug!(status = %answer.status(), "webhook of the demo not taken")
            }
            Err(error) => {
                tracing::debug!(error = %error.without_url(), "webhook of the demo not sent")
            }
        }
        tokio::time::sleep(REST).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::{LinkState, PaymentLink};
    use domain::ids::{ClientId, DebtId, DebtorId, PaymentLinkId};
    use domain::money::Money;
    use domain::ports::{PageOrder, ProviderWhat};

    struct At(UtcMs);

    impl Clock for At {
        fn now(&self) -> UtcMs {
            self.0
        }
    }

    #[tokio::test]
    async fn a_link_is_paid_at_the_demos_provider_and_its_word_is_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = UtcMs(1_795_694_400_000);
        let clock: Arc<dyn Clock> = Arc::new(At(now));
        let mut payments = crate::config::load(&[]).expect("defaults").payments;
        let cashier = Cashier::open(folder.path(), (clock, 0), &mut payments).await;
        let cashier = cashier.expect("open");
        let stripe = payments.open().expect("read").provider.expect("a provider");
        assert_eq!(stripe.page_origin(), payments.api, "its page is its own");
        let link = PaymentLink {
            id: PaymentLinkId(Uuid::from_u128(7)),
            client_id: ClientId(Uuid::from_u128(1)),
            debtor_id: DebtorId(Uuid::from_u128(2)),
            debt_id: DebtId(Uuid::from_u128(3)),
            amount: Money::new(12_300, "COP".parse().expect("a currency")),
            point_id: None,
            state: LinkState::Opened,
            tries: 0,
            session: None,
            session_url: None,
            made_by: "system".into(),
            created_at: now,
            expires_at: now.plus_ms(3_600_000),
            opened_at: Some(now),
            paid_at: None,
        };
        let order = PageOrder {
            link: &link,
            title: "Río <Claro> · C-1",
            back_url: "http://127.0.0.1:1/p/x",
            language: "es",
            now,
        };
        let made = stripe.open_page(order.clone()).await.expect("a page");
        let again = stripe.open_page(order).await.expect("again");
        assert_eq!(made, again, "one key, one page");
        let shown = reqwest::get(&made.url).await.expect("shown");
        let shown = shown.text().await.expect("text");
        assert!(
            shown.contains("PRUEBA") && shown.contains("123.00 COP"),
            "{shown}"
        );
        assert!(
            shown.contains("Río &lt;Claro&gt;") && !shown.contains("<input"),
            "{shown}"
        );
        let number = made.session.trim_start_matches("cs_test_");
        let event = paid(
            &cashier.desk,
            &session(&cashier.desk, &made.session).expect("kept"),
        );
        let (body, secret) = (event.to_string(), &cashier.desk.secret);
        let signed = signature(secret, &body, now).expect("signed");
        let said = stripe.parse_webhook(&signed, body.as_bytes(), now);
        let what = said.expect("believed").what;
        assert_eq!(
            what,
            ProviderWhat::Paid {
                link: link.id,
                money: format!("pi_{number}"),
                amount: link.amount,
            }
        );
        cashier.stop();
    }
}
