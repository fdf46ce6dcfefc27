//! Stripe Checkout against a double that answers as Stripe's published fixtures do and refuses what its API
//! description refuses: unknown parameters, a missing key, amounts in the wrong unit, life out of range, one
//! idempotency key for two requests. `tests/stripe/*.json` are `openapi/fixtures3.json` of
//! github.com/stripe/openapi (MIT), cut to three objects; [`PARAMETERS`] are the names that description lists
//! for `POST /v1/checkout/sessions`.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use axum::{Form, Json, Router};
use domain::entity::{LinkState, PaymentLink};
use domain::ids::{ClientId, DebtId, DebtorId, PaymentLinkId};
use domain::money::Money;
use domain::ports::{PageOrder, Payments as _, PaymentsError, ProviderWhat};
use domain::time::UtcMs;
use gateways::payments::{Stripe, StripeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const SESSION: &str = include_str!("stripe/checkout.session.json");
const CHARGE: &str = include_str!("stripe/charge.json");
/// As docs.stripe.com/api/disputes shows it, with fewer papers of evidence.
const DISPUTE: &str = include_str!("stripe/dispute.json");
const EVENT: &str = include_str!("stripe/event.json");
const KEY: &str = "sk_test_double";
const SECRET: &str = "whsec_double";
/// 2026-11-26 12:00:00 UTC.
const NOW: UtcMs = UtcMs(1_795_694_400_000);

/// First parts of the names of parameters (`a[b][c]` is `a`).
const PARAMETERS: &[&str] = &[
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer",
    "customer_creation",
    "customer_email",
    "customer_update",
    "discounts",
    "expand",
    "expires_at",
    "invoice_creation",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "payment_method_collection",
    "payment_method_options",
    "payment_method_types",
    "phone_number_collection",
    "redirect_on_completion",
    "return_url",
    "submit_type",
    "success_url",
    "ui_mode",
];

/// Names and values of a form.
type Fields = BTreeMap<String, String>;

#[derive(Default)]
struct Double {
    /// Idempotency key → form, answer.
    seen: Mutex<BTreeMap<String, (Fields, Value)>>,
    /// Answers this instead, when set.
    trouble: Mutex<Option<u16>>,
}

fn refused(status: u16, kind: &str, param: &str) -> (StatusCode, Json<Value>) {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = json!({"error": {"type": kind, "param": param, "message": format!("bad {param}")}});
    (status, Json(body))
}

/// What the description of the API says of a request.
fn fault(headers: &HeaderMap, form: &Fields) -> Option<(u16, &'static str, String)> {
    let has = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    };
    if has("authorization") != format!("Bearer {KEY}") {
        return Some((401, "invalid_request_error", "key".into()));
    }
    let version = has("stripe-version");
    if version.len() != 10 || version.split('-').count() != 3 {
        return Some((400, "invalid_request_error", "Stripe-Version".into()));
    }
    if !has(header::CONTENT_TYPE.as_str()).starts_with("application/x-www-form-urlencoded") {
        return Some((400, "invalid_request_error", "content type".into()));
    }
    if has("idempotency-key").is_empty() || has("idempotency-key").len() > 255 {
        return Some((400, "invalid_request_error", "Idempotency-Key".into()));
    }
    let bad = |name: &str| Some((400, "invalid_request_error", name.to_owned()));
    if let Some(name) = form
        .keys()
        .find(|k| !PARAMETERS.contains(&k.split('[').next().unwrap_or("")))
    {
        return bad(name);
    }
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    let number = |name: &str| get(name).parse::<i64>().unwrap_or(-1);
    let price = "line_items[0][price_data]";
    let currency = get(&format!("{price}[currency]"));
    let lower = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_lowercase());
    let life = number("expires_at") - NOW.0 / 1_000;
    for (name, good) in [
        ("mode", get("mode") == "payment"),
        (
            "line_items[quantity]",
            number("line_items[0][quantity]") >= 1,
        ),
        ("currency", lower),
        ("unit_amount", number(&format!("{price}[unit_amount]")) > 0),
        (
            "name",
            !get(&format!("{price}[product_data][name]")).is_empty(),
        ),
        ("success_url", get("success_url").starts_with("http")),
        ("cancel_url", get("cancel_url").starts_with("http")),
        (
            "client_reference_id",
            (1..=200).contains(&get("client_reference_id").len()),
        ),
        ("expires_at", (30 * 60..=24 * 3_600).contains(&life)),
        ("locale", matches!(get("locale"), "es" | "en" | "pt")),
    ] {
        if !good {
            return bad(name);
        }
    }
    None
}

async fn sessions(
    State(double): State<Arc<Double>>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> (StatusCode, Json<Value>) {
    let trouble = double.trouble.lock().expect("one at a time").take();
    if let Some(status) = trouble {
        return refused(status, "api_error", "later");
    }
    if let Some((status, kind, param)) = fault(&headers, &form) {
        return refused(status, kind, &param);
    }
    let key = headers["idempotency-key"]
        .to_str()
        .expect("text")
        .to_owned();
    let mut seen = double.seen.lock().expect("one at a time");
    if let Some((before, answer)) = seen.get(&key) {
        if *before != form {
            return refused(400, "idempotency_error", "Idempotency-Key");
        }
        return (StatusCode::OK, Json(answer.clone()));
    }
    let mut session: Value = serde_json::from_str(SESSION).expect("a fixture");
    session["id"] = json!(format!("cs_test_{}", seen.len()));
    session["url"] = json!(format!(
        "https://checkout.stripe.com/c/pay/cs_test_{}",
        seen.len()
    ));
    session["client_reference_id"] = json!(form["client_reference_id"]);
    seen.insert(key, (form, session.clone()));
    (StatusCode::OK, Json(session))
}

async fn double() -> (Arc<Double>, Stripe) {
    let double = Arc::new(Double::default());
    let app = Router::new()
        .route("/v1/checkout/sessions", post(sessions))
        .with_state(Arc::clone(&double));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let api = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let stripe = Stripe::new(StripeConfig {
        secret_key: KEY.into(),
        webhook_secrets: vec![SECRET.into()],
        api,
    });
    (double, stripe.expect("a client"))
}

fn link(n: u128, minor: i64, code: &str) -> PaymentLink {
    PaymentLink {
        id: PaymentLinkId(uuid::Uuid::from_u128(n)),
        client_id: ClientId(uuid::Uuid::from_u128(1)),
        debtor_id: DebtorId(uuid::Uuid::from_u128(2)),
        debt_id: DebtId(uuid::Uuid::from_u128(3)),
        amount: Money::new(minor, code.parse().expect("a currency")),
        point_id: None,
        state: LinkState::Opened,
        tries: 0,
        session: None,
        session_url: None,
        made_by: "agent:1".into(),
        created_at: NOW,
        expires_at: NOW.plus_ms(72 * 3_600_000),
        opened_at: None,
        paid_at: None,
    }
}

fn order(link: &PaymentLink, now: UtcMs) -> PageOrder<'_> {
    PageOrder {
        link,
        title: "Norte · C-1001",
        back_url: "https://pagos.example.com/p/abc",
        language: "es",
        now,
    }
}

#[tokio::test]
async fn a_session_is_made_as_the_description_asks_and_once() {
    let (double, stripe) = double().await;
    let row = link(7, 185_050, "MXN");
    let page = stripe.open_page(order(&row, NOW)).await.expect("a page");
    assert!(
        page.url.starts_with("https://checkout.stripe.com/"),
        "{}",
        page.url
    );
    let later = NOW.plus_ms(120_000);
    let again = stripe.open_page(order(&row, later)).await.expect("a page");
    assert_eq!(again, page, "the same request within the hour");
    let other = stripe.open_page(order(&link(8, 9_900, "CLP"), NOW)).await;
    assert_ne!(other.expect("a page").session, page.session);
    let seen = double.seen.lock().expect("one at a time");
    let forms: Vec<_> = seen.values().map(|(form, _)| form).collect();
    assert_eq!(forms.len(), 2);
    assert_eq!(forms[0]["line_items[0][price_data][unit_amount]"], "185050");
    assert_eq!(forms[1]["line_items[0][price_data][unit_amount]"], "9900");
    assert_eq!(forms[0]["client_reference_id"], row.id.to_string());
    let whole = format!("{forms:?}");
    assert!(
        !whole.contains("email") && !whole.contains("phone"),
        "{whole}"
    );
}

#[tokio::test]
async fn the_life_of_a_session_is_within_what_is_taken() {
    let (double, stripe) = double().await;
    for (n, life_ms) in [
        (1, 60_000),
        (2, 45 * 60_000),
        (3, 10 * 3_600_000),
        (4, 900 * 3_600_000),
    ] {
        let row = PaymentLink {
            expires_at: NOW.plus_ms(life_ms),
            ..link(n, 100, "MXN")
        };
        stripe
            .open_page(order(&row, NOW))
            .await
            .expect("within the range");
    }
    assert_eq!(double.seen.lock().expect("one at a time").len(), 4);
}

#[tokio::test]
async fn refusals_and_trouble_are_told_apart() {
    let (double, stripe) = double().await;
    let row = link(7, 100, "MXN");
    for status in [500, 503, 429, 409] {
        *double.trouble.lock().expect("one at a time") = Some(status);
        let error = stripe
            .open_page(order(&row, NOW))
            .await
            .expect_err("trouble");
        assert!(
            matches!(error, PaymentsError::Unavailable(_)),
            "{status}: {error}"
        );
    }
    *double.trouble.lock().expect("one at a time") = Some(402);
    let error = stripe
        .open_page(order(&row, NOW))
        .await
        .expect_err("refused");
    assert!(matches!(error, PaymentsError::Refused(_)), "{error}");
    assert!(stripe.open_page(order(&row, NOW)).await.is_ok());
    let nobody = Stripe::new(StripeConfig {
        secret_key: KEY.into(),
        webhook_secrets: vec![SECRET.into()],
        api: "http://127.0.0.1:9".into(),
    });
    let error = nobody.expect("a client").open_page(order(&row, NOW)).await;
    assert!(matches!(error, Err(PaymentsError::Unavailable(_))));
    let none = Stripe::new(StripeConfig {
        secret_key: KEY.into(),
        webhook_secrets: vec![],
        api: "x".into(),
    });
    assert!(none.is_err(), "without a secret nothing could be believed");
}

/// A webhook as Stripe sends it: the published event around the published object, signed.
fn webhook(kind: &str, object: &str, change: impl FnOnce(&mut Value)) -> (String, Vec<u8>) {
    let mut object: Value = serde_json::from_str(object).expect("a fixture");
    change(&mut object);
    let mut event: Value = serde_json::from_str(EVENT).expect("a fixture");
    event["type"] = json!(kind);
    event["created"] = json!(NOW.0 / 1_000);
    event["data"]["object"] = object;
    let body = serde_json::to_vec(&event).expect("plain data");
    let seconds = NOW.0 / 1_000;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(&body);
    let tag = hex::encode(mac.finalize().into_bytes());
    (format!("t={seconds},v1={tag}"), body)
}

#[tokio::test]
async fn webhooks_are_read_as_published() {
    let (_, stripe) = double().await;
    let id = PaymentLinkId(uuid::Uuid::from_u128(7));
    let paid = |object: &mut Value| {
        object["client_reference_id"] = json!(id.to_string());
        object["payment_status"] = json!("paid");
        object["status"] = json!("complete");
        object["amount_total"] = json!(185_050);
        object["currency"] = json!("mxn");
    };
    for kind in [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
    ] {
        let (signature, body) = webhook(kind, SESSION, paid);
        let event = stripe
            .parse_webhook(&signature, &body, NOW)
            .expect("believed");
        let ProviderWhat::Paid {
            link,
            money,
            amount,
        } = event.what
        else {
            panic!("{kind}: {:?}", event.what);
        };
        assert_eq!((link, amount.amount_minor, event.at), (id, 185_050, NOW));
        assert_eq!(
            money, "pi_1PgafyB7WZ01zgkWSjxsAJo3",
            "of the published session"
        );
    }
    let (signature, body) = webhook("checkout.session.completed", SESSION, |object| {
        paid(object);
        object["payment_status"] = json!("unpaid");
    });
    let event = stripe
        .parse_webhook(&signature, &body, NOW)
        .expect("believed");
    assert!(
        matches!(event.what, ProviderWhat::Other(_)),
        "money is on its way only"
    );
    let (signature, body) = webhook("charge.refunded", CHARGE, |object| {
        object["payment_intent"] = json!("pi_1");
        object["amount_refunded"] = json!(50);
        object["currency"] = json!("mxn");
    });
    let event = stripe
        .parse_webhook(&signature, &body, NOW)
        .expect("believed");
    let ProviderWhat::Refunded { money, total } = event.what else {
        panic!("{:?}", event.what);
    };
    assert_eq!((money.as_str(), total.amount_minor), ("pi_1", 50));
    let (signature, body) = webhook("plan.created", "{}", |_| {});
    let event = stripe
        .parse_webhook(&signature, &body, NOW)
        .expect("believed");
    assert_eq!(event.what, ProviderWhat::Other("plan.created".into()));
}

#[tokio::test]
async fn disputes_are_read_as_published_and_only_their_funds_move() {
    let (_, stripe) = double().await;
    let said = |kind: &str, change: &dyn Fn(&mut Value)| {
        let (signature, body) = webhook(kind, DISPUTE, |object| {
            object["payment_intent"] = json!("pi_1");
            object["currency"] = json!("mxn");
            change(object);
        });
        let event = stripe.parse_webhook(&signature, &body, NOW);
        event.expect("believed").what
    };
    let (money, dispute) = ("pi_1".to_owned(), "du_1MtJUT2eZvKYlo2CNaw2HvEv".to_owned());
    let amount = Money::new(1_000, "MXN".parse().expect("a currency"));
    let same = |_: &mut Value| ();
    assert_eq!(
        said("charge.dispute.created", &same),
        ProviderWhat::Disputed {
            money: money.clone(),
            dispute: dispute.clone(),
            amount,
            reason: "general".into(),
        }
    );
    assert_eq!(
        said("charge.dispute.funds_withdrawn", &same),
        ProviderWhat::Withdrawn {
            money: money.clone(),
            dispute: dispute.clone(),
            amount,
        }
    );
    assert_eq!(
        said("charge.dispute.funds_reinstated", &same),
        ProviderWhat::Reinstated {
            money: money.clone(),
            dispute: dispute.clone(),
            amount,
        }
    );
    assert_eq!(
        said("charge.dispute.closed", &|d| d["status"] = json!("lost")),
        ProviderWhat::Settled {
            money,
            dispute,
            amount,
            outcome: "lost".into(),
        }
    );
    for kind in ["charge.dispute.updated", "charge.dispute.of_tomorrow"] {
        assert_eq!(said(kind, &same), ProviderWhat::Other(kind.into()));
    }
    let none = said("charge.dispute.created", &|d| {
        d["payment_intent"] = json!(null)
    });
    assert!(matches!(none, ProviderWhat::Other(_)), "{none:?}");
}

#[tokio::test]
async fn what_is_not_stripes_word_or_old_is_not_believed() {
    let (_, stripe) = double().await;
    let (signature, body) = webhook("plan.created", "{}", |_| {});
    let mut changed = body.clone();
    changed.push(b' ');
    let late = NOW.plus_ms(301_000);
    for (signature, body, now) in [
        (&*signature, &changed, NOW),
        ("", &body, NOW),
        ("t=1,v1=00", &body, NOW),
        (&*signature, &body, late),
    ] {
        let refused = stripe.parse_webhook(signature, body, now);
        assert!(
            matches!(refused, Err(PaymentsError::Signature(_))),
            "{signature}"
        );
    }
    assert!(
        stripe
            .parse_webhook(&signature, &body, NOW.plus_ms(299_000))
            .is_ok()
    );
}
