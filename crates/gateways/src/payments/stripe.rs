//! Stripe Checkout: a session for each payment link, and its webhooks. Docs: docs.stripe.com/api,
//! "Checkout Sessions", "Idempotent requests", "Errors", and docs.stripe.com/webhooks.

use super::amount::to_stripe;
use super::{signature, stripe_words};
use async_trait::async_trait;
use domain::ports::{PageOrder, Payments, PaymentsError, ProviderEvent, ProviderPage};
use domain::time::UtcMs;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::time::Duration;

/// Where Stripe answers.
pub const STRIPE_API: &str = "https://api.stripe.com";
/// Version of the API that this room speaks, named in each request so that a change of the account's
/// default changes nothing here.
const VERSION: &str = "2024-06-20";
/// Longest wait for an answer: a debtor looks at a page meanwhile.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Longest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Stripe takes sessions of 30 minutes to 24 hours. Theirs end at whole hours (ten minutes for short ones),
/// so that the same link asked twice within one is the same request, as their idempotency wants it.
const LONG_STEP_S: i64 = 60 * 60;
const LONG_S: i64 = 23 * 60 * 60;
const SHORT_STEP_S: i64 = 10 * 60;
const SHORT_S: i64 = 45 * 60;
/// Longest name of what is paid, characters.
const TITLE_MAX: usize = 120;

/// What is needed to speak with Stripe.
#[derive(Clone)]
pub struct StripeConfig {
    /// Secret or restricted key (`sk_…`, `rk_…`).
    pub secret_key: String,
    /// Secrets of the webhook endpoint (`whsec_…`): two while one is being changed.
    pub webhook_secrets: Vec<String>,
    /// [`STRIPE_API`], or a double of it.
    pub api: String,
}

impl std::fmt::Debug for StripeConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StripeConfig({}, hidden)", self.api)
    }
}

/// Stripe behind the port.
#[derive(Debug)]
pub struct Stripe {
    config: StripeConfig,
    client: Client,
}

impl Stripe {
    /// Makes the client; nothing is asked yet.
    ///
    /// # Errors
    /// When a secret is missing or no client can be made (no TLS roots).
    pub fn new(config: StripeConfig) -> Result<Self, PaymentsError> {
        let refused = |text: &str| Err(PaymentsError::Refused(text.to_owned()));
        if config.secret_key.is_empty() {
            return refused("no secret key: expected sk_… or rk_…");
        }
        if config.webhook_secrets.is_empty() || config.webhook_secrets.iter().any(String::is_empty)
        {
            return refused("no secret of the webhook endpoint: expected whsec_…");
        }
        let client = Client::builder()
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| PaymentsError::Unavailable(e.without_url().to_string()))?;
        Ok(Self { config, client })
    }
}

#[derive(Deserialize)]
struct Session {
    id: String,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalText,
}

#[derive(Deserialize)]
struct RefusalText {
    #[serde(default)]
    code: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    param: String,
}

/// When the session ends, epoch seconds: with the link, where Stripe lets it.
fn ends_at(order: &PageOrder<'_>) -> i64 {
    let now_s = order.now.0.div_euclid(1_000);
    let link_s = order.link.expires_at.0.div_euclid(1_000);
    let after = |step: i64, life: i64| now_s.div_euclid(step).saturating_mul(step) + life;
    let (short, long) = (after(SHORT_STEP_S, SHORT_S), after(LONG_STEP_S, LONG_S));
    link_s.clamp(short, long.max(short))
}

/// The form of a session: one line of the link's exact amount. No name, phone or e-mail goes along.
fn form(order: &PageOrder<'_>) -> Result<Vec<(&'static str, String)>, PaymentsError> {
    let link = order.link;
    let amount = to_stripe(link.amount).ok_or_else(|| {
        PaymentsError::Refused(format!(
            "this amount of {} does not come out whole there",
            link.amount.currency
        ))
    })?;
    let id = link.id.to_string();
    let title: String = order.title.chars().take(TITLE_MAX).collect();
    Ok(vec![
        ("mode", "payment".to_owned()),
        ("client_reference_id", id.clone()),
        ("metadata[payment_link]", id.clone()),
        ("payment_intent_data[metadata][payment_link]", id),
        ("line_items[0][quantity]", "1".to_owned()),
        (
            "line_items[0][price_data][currency]",
            link.amount.currency.as_str().to_ascii_lowercase(),
        ),
        ("line_items[0][price_data][unit_amount]", amount.to_string()),
        ("line_items[0][price_data][product_data][name]", title),
        ("expires_at", ends_at(order).to_string()),
        ("locale", order.language.to_owned()),
        ("success_url", order.back_url.to_owned()),
        ("cancel_url", order.back_url.to_owned()),
    ])
}

async fn answer(response: reqwest::Response) -> Result<(StatusCode, Vec<u8>), PaymentsError> {
    let status = response.status();
    let mut response = response;
    let mut bytes = Vec::new();
    let away = |e: reqwest::Error| PaymentsError::Unavailable(e.without_url().to_string());
    while let Some(piece) = response.chunk().await.map_err(away)? {
        if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(PaymentsError::Refused("the answer is too long".to_owned()));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((status, bytes))
}

/// What a refusal says, without what it repeats of the request.
fn refusal(status: StatusCode, body: &[u8]) -> PaymentsError {
    let text = match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { error }) => format!("{status} {} {} {}", error.kind, error.code, error.param),
        Err(_) => status.to_string(),
    };
    // 409: the same key is being worked on just now; 429: too many at once.
    if status.is_server_error() || matches!(status.as_u16(), 409 | 429) {
        PaymentsError::Unavailable(text)
    } else {
        PaymentsError::Refused(text)
    }
}

#[async_trait]
impl Payments for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn page_origin(&self) -> String {
        // A double has its pages where its API is.
        if self.config.api == STRIPE_API {
            "https://checkout.stripe.com".to_owned()
        } else {
            self.config.api.clone()
        }
    }

    async fn open_page(&self, order: PageOrder<'_>) -> Result<ProviderPage, PaymentsError> {
        let form = form(&order)?;
        let request = self
            .client
            .post(format!("{}/v1/checkout/sessions", self.config.api))
            .bearer_auth(&self.config.secret_key)
            .header("Stripe-Version", VERSION)
            .header(
                "Idempotency-Key",
                format!("payment-link-{}-{}", order.link.id, ends_at(&order)),
            )
            .form(&form);
        let sent = request.send().await;
        let response = sent.map_err(|e| PaymentsError::Unavailable(e.without_url().to_string()))?;
        let (status, body) = answer(response).await?;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        let session: Session = serde_json::from_slice(&body)
            .map_err(|e| PaymentsError::Refused(format!("session unreadable: {e}")))?;
        match session.url {
            Some(url) if url.starts_with("https://") || url.starts_with("http://127.0.0.1") => {
                Ok(ProviderPage {
                    session: session.id,
                    url,
                })
            }
            _ => Err(PaymentsError::Refused("the session has no page".to_owned())),
        }
    }

    fn parse_webhook(
        &self,
        signature: &str,
        body: &[u8],
        now: UtcMs,
    ) -> Result<ProviderEvent, PaymentsError> {
        signature::check(signature, body, &self.config.webhook_secrets, now)?;
        stripe_words::read(body)
    }
}
