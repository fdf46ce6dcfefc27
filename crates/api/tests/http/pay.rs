//! Payment links: made in a call, opened by who proves to be the debtor, paid at the provider, told by its
//! webhook – once, in any order, and by nobody else.

use crate::app::{App, Reply};
use async_trait::async_trait;
use domain::money::Money;
use domain::ports::store::CatalogStore as _;
use domain::ports::{
    PageOrder, Payments, PaymentsError, ProviderEvent, ProviderPage, ProviderWhat,
};
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A provider that believes a signature of `good` and reads its own small events.
#[derive(Default)]
pub(crate) struct Provider {
    asked: Mutex<Vec<(String, i64)>>,
}

#[async_trait]
impl Payments for Provider {
    fn name(&self) -> &'static str {
        "stripe"
    }
    fn page_origin(&self) -> String {
        "https://provider.example".into()
    }
    async fn open_page(&self, order: PageOrder<'_>) -> Result<ProviderPage, PaymentsError> {
        let mut asked = self.asked.lock().expect("one at a time");
        asked.push((order.link.id.to_string(), order.link.amount.amount_minor));
        Ok(ProviderPage {
            session: "cs_1".into(),
            url: "https://provider.example/cs_1".into(),
        })
    }
    fn parse_webhook(
        &self,
        signature: &str,
        body: &[u8],
        now: UtcMs,
    ) -> Result<ProviderEvent, PaymentsError> {
        if signature != "good" {
            return Err(PaymentsError::Signature("none fits the body"));
        }
        let told: Value =
            serde_json::from_slice(body).map_err(|e| PaymentsError::Body(e.to_string()))?;
        let text = |name: &str| told[name].as_str().expect("text").to_owned();
        let minor = told["minor"].as_i64().expect("a number");
        let amount = Money::new(minor, "MXN".parse().expect("a currency"));
        let money = text("money");
        let what = match told["what"].as_str() {
            Some("paid") => ProviderWhat::Paid {
                link: text("link").parse().expect("an id"),
                money,
                amount,
            },
            Some("refunded") => ProviderWhat::Refunded {
                money,
                total: amount,
            },
            Some("withdrawn") => ProviderWhat::Withdrawn {
                money,
                dispute: text("dispute"),
                amount,
            },
            Some("reinstated") => ProviderWhat::Reinstated {
                money,
                dispute: text("dispute"),
                amount,
            },
            Some("disputed") => ProviderWhat::Disputed {
                money,
                dispute: text("dispute"),
                amount,
                reason: "fraudulent".into(),
            },
            other => ProviderWhat::Other(other.unwrap_or_default().to_owned()),
        };
        Ok(ProviderEvent {
            id: text("id"),
            at: now,
            what,
        })
    }
}

pub(crate) async fn app() -> (App, Arc<Provider>) {
    let provider = Arc::new(Provider::default());
    let given = Arc::clone(&provider) as Arc<dyn Payments>;
    let app = App::with(|config| {
        config.second_factor_required = false;
        config.money.provider = Some(given);
    })
    .await;
    (app, provider)
}

/// The debtor lives where we may take money.
pub(crate) async fn abroad(app: &App) {
    let mut debtor = app
        .store
        .get_debtor(app.world.norte.debtor)
        .await
        .expect("he");
    debtor.country = "CL".into();
    app.store.put_debtor(&debtor, &[]).await.expect("put");
}

/// A link of 300.00: its reply, and the path of its page.
pub(crate) async fn link(app: &App) -> (Value, String) {
    let token = app.token("supervisor").await;
    let body = json!({"debt_id": app.world.norte.debt,
        "amount": {"amount_minor": 30_000, "currency": "MXN"}});
    let reply = app
        .post("/api/v1/payment-links")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let reply = reply.json();
    let url = reply["url"].as_str().expect("an address").to_owned();
    let path = url
        .strip_prefix("http://marcador.example")
        .expect("as asked")
        .to_owned();
    (reply["link"].clone(), path)
}

pub(crate) async fn form(app: &App, path: &str, body: &str) -> Reply {
    app.post(path)
        .header("origin", "http://marcador.example")
        .body("application/x-www-form-urlencoded", body)
        .send()
        .await
}

pub(crate) async fn word(app: &App, signature: &str, body: &Value) -> Reply {
    app.post("/api/v1/webhooks/payments/stripe")
        .header("stripe-signature", signature)
        .json(body)
        .send()
        .await
}

pub(crate) async fn owed(app: &App) -> i64 {
    let debt = app.store.get_debt(app.world.norte.debt).await;
    debt.expect("debt").balance_minor()
}

/// Nothing that tells of the debt.
fn tells_nothing(page: &str) {
    for word in ["Norte", "C-1", "300", "MXN", "Persona", "PEIN"] {
        assert!(!page.contains(word), "{word} in {page}");
    }
}

/// A page for people: titled, in a language, without scripts.
pub(crate) fn is_page(reply: &Reply) {
    let text = reply.text();
    assert!(
        reply.header("content-type").starts_with("text/html"),
        "{text}"
    );
    assert!(text.contains("<html lang=\"") && text.contains("<h1>") && text.contains("<main>"));
    assert!(
        !text.contains("<script") && !text.contains("style="),
        "{text}"
    );
    assert!(
        reply
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert_eq!(reply.header("referrer-policy"), "same-origin");
}

#[tokio::test]
async fn a_link_is_paid_once_whatever_the_provider_says_row_23() {
    let (app, provider) = app().await;
    abroad(&app).await;
    let (made, path) = link(&app).await;
    let page = app.get(&path).send().await;
    is_page(&page);
    tells_nothing(&page.text());
    // PEIN800101 ends in 0101.
    let shown = form(&app, &path, "proof=0101").await;
    is_page(&shown);
    let text = shown.text();
    assert_eq!(shown.status, 200, "{text}");
    assert!(text.contains("Norte") && text.contains("300.00 MXN") && text.contains("C-1"));
    assert!(!text.contains("Persona"), "no name");
    let policy = shown.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' https://provider.example"),
        "{policy}"
    );
    let proved = text
        .split("name=\"proved\" value=\"")
        .nth(1)
        .expect("a proof");
    let proved = proved.split('"').next().expect("its end");
    let led = form(&app, &format!("{path}/pay"), &format!("proved={proved}")).await;
    assert_eq!(
        (led.status.as_u16(), led.header("location")),
        (303, "https://provider.example/cs_1")
    );
    let asked = provider.asked.lock().expect("one at a time").clone();
    assert_eq!(
        asked,
        vec![(made["id"].as_str().expect("id").to_owned(), 30_000)]
    );
    let paid =
        json!({"id": "e1", "what": "paid", "link": made["id"], "money": "pi_1", "minor": 30_000});
    for _ in 0..2 {
        assert_eq!(
            word(&app, "good", &paid).await.status,
            200,
            "a repeat is fine"
        );
    }
    // Another event about the same money: async success after completion.
    let again =
        json!({"id": "e2", "what": "paid", "link": made["id"], "money": "pi_1", "minor": 30_000});
    assert_eq!(word(&app, "good", &again).await.status, 200);
    assert_eq!(owed(&app).await, 70_000, "counted once");
    let token = app.token("supervisor").await;
    let id = made["id"].as_str().expect("an id");
    let read = app
        .get(&format!("/api/v1/payment-links/{id}"))
        .token(&token)
        .send()
        .await;
    assert_eq!(read.json()["link"]["state"], "paid");
    let page = app.get(&path).send().await.text();
    assert!(page.contains("ya se recibió"), "{page}");
    tells_nothing(&page);
    let back = json!({"id": "e3", "what": "refunded", "money": "pi_1", "minor": 10_000});
    for _ in 0..2 {
        assert_eq!(word(&app, "good", &back).await.status, 200);
    }
    assert_eq!(owed(&app).await, 80_000);
    let all = json!({"id": "e4", "what": "refunded", "money": "pi_1", "minor": 30_000});
    assert_eq!(word(&app, "good", &all).await.status, 200);
    assert_eq!(owed(&app).await, 100_000);
}

#[tokio::test]
async fn a_refund_may_come_before_its_money() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let back = json!({"id": "e1", "what": "refunded", "money": "pi_9", "minor": 30_000});
    assert_eq!(word(&app, "good", &back).await.status, 200);
    let paid =
        json!({"id": "e2", "what": "paid", "link": made["id"], "money": "pi_9", "minor": 30_000});
    assert_eq!(word(&app, "good", &paid).await.status, 200);
    assert_eq!(owed(&app).await, 100_000, "paid and given back");
    let token = app.token("manager").await;
    let rows = app
        .get("/api/v1/payments?reversals=true")
        .token(&token)
        .send()
        .await
        .json();
    assert_eq!(rows["items"].as_array().map(Vec::len), Some(1), "{rows}");
}

#[tokio::test]
async fn a_webhook_is_believed_by_its_signature_alone() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let paid =
        json!({"id": "e1", "what": "paid", "link": made["id"], "money": "pi_1", "minor": 30_000});
    for signature in ["", "bad"] {
        let reply = word(&app, signature, &paid).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "bad_signature".into())
        );
    }
    assert_eq!(owed(&app).await, 100_000);
    let metrics = app.get("/metrics").send().await.text();
    assert!(
        metrics.contains("marcador_payment_webhooks_total{outcome=\"bad_signature\"} 2"),
        "{metrics}"
    );
    let other = app
        .post("/api/v1/webhooks/payments/other")
        .json(&paid)
        .send()
        .await;
    assert_eq!(other.code(), "not_found");
    let unread = app
        .post("/api/v1/webhooks/payments/stripe")
        .header("stripe-signature", "good")
        .body("application/json", "{")
        .send()
        .await;
    assert_eq!(unread.code(), "bad_webhook");
}

#[tokio::test]
async fn who_cannot_prove_who_he_is_sees_nothing_and_is_shut_out() {
    let (app, _) = app().await;
    abroad(&app).await;
    let (_, path) = link(&app).await;
    let unproved = form(&app, &format!("{path}/pay"), "proved=x").await;
    assert_eq!(unproved.status, 403);
    tells_nothing(&unproved.text());
    for n in 1..=5 {
        let wrong = form(&app, &path, "proof=9999").await;
        assert_eq!(wrong.status, 403, "{n}");
        is_page(&wrong);
        assert!(wrong.text().contains("role=\"alert\""));
        tells_nothing(&wrong.text());
    }
    let right = form(&app, &path, "proof=0101").await;
    assert_eq!(right.status, 403, "too late");
    tells_nothing(&right.text());
    assert!(right.text().contains("se cerró"), "{}", right.text());
    let token = app.token("manager").await;
    for (state, found) in [("locked", 1), ("created", 0), ("opened", 0), ("paid", 0)] {
        let path = format!("/api/v1/payment-links?state={state}");
        let rows = app.get(&path).token(&token).send().await.json();
        let rows = rows["items"].as_array().map(Vec::len);
        assert_eq!(rows, Some(found), "{state}");
    }
    let foreign = app
        .post(&path)
        .header("origin", "https://evil.example")
        .body("application/x-www-form-urlencoded", "proof=0101")
        .send()
        .await;
    assert_eq!(foreign.code(), "bad_origin");
}

#[tokio::test]
async fn a_link_is_whole_in_time_and_for_one_thing() {
    let (app, _) = app().await;
    let (made, path) = link(&app).await;
    let mut changed = path.clone();
    changed.pop();
    changed.push(if path.ends_with('A') { 'B' } else { 'A' });
    for bad in [changed.as_str(), "/p/x", "/p/%3Cscript%3E"] {
        let page = app.get(bad).send().await;
        assert_eq!(page.status, 404, "{bad}");
        is_page(&page);
        tells_nothing(&page.text());
        assert!(!page.text().contains("script"), "{}", page.text());
    }
    let english = app
        .get(&path)
        .header("accept-language", "en-GB,es;q=0.5")
        .send()
        .await;
    assert!(english.text().contains("lang=\"en\"") && english.text().contains("Payment page"));
    let token = app.token("supervisor").await;
    let id = made["id"].as_str().expect("an id");
    app.pass_ms(73 * 3_600_000);
    let late = app.get(&path).send().await;
    assert_eq!(late.status, 410);
    tells_nothing(&late.text());
    let _ = (token, id);
    let (made, path) = link(&app).await;
    let token = app.token("supervisor").await;
    let id = made["id"].as_str().expect("an id");
    let cancel = format!("/api/v1/payment-links/{id}/cancel");
    assert_eq!(
        app.post(&cancel).token(&token).send().await.json()["state"],
        "cancelled"
    );
    assert_eq!(
        app.post(&cancel).token(&token).send().await.code(),
        "link_closed"
    );
    assert_eq!(app.get(&path).send().await.status, 410);
}

#[tokio::test]
async fn where_we_may_take_no_money_the_page_shows_how_the_creditor_is_paid() {
    let (app, provider) = app().await;
    let token = app.token("manager").await;
    let policy = format!("/api/v1/clients/{}/money-policy", app.world.norte.client);
    let body = json!({"spread": "oldest_first", "parts": "fees_first", "after_version": 0,
        "creditor_data": "Banco <Norte>\nCLABE 002180000118359719"});
    let put = app
        .ask("PUT", &policy)
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(put.json()["version"], 1, "{}", put.text());
    let late = app
        .ask("PUT", &policy)
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(late.status, 409, "somebody else was faster");
    let (_, path) = link(&app).await;
    let shown = form(&app, &path, "proof=0101").await;
    let text = shown.text();
    assert!(
        text.contains("CLABE 002180000118359719") && text.contains("&lt;Norte&gt;"),
        "{text}"
    );
    assert!(!text.contains("/pay\""), "no way to pay us");
    assert!(
        !shown
            .header("content-security-policy")
            .contains("provider.example")
    );
    assert!(provider.asked.lock().expect("one at a time").is_empty());
    let options = format!("/api/v1/debtors/{}/payment-options", app.world.norte.debtor);
    let options = app.get(&options).token(&token).send().await.json();
    assert_eq!(options["may_receive_money"], false);
    assert_eq!(options["provider"], true);
    assert!(
        options["creditor_data"]
            .as_str()
            .is_some_and(|t| t.contains("CLABE"))
    );
}

#[tokio::test]
async fn an_agent_makes_links_in_his_own_call_alone() {
    let (app, _) = app().await;
    let token = app.token("agent").await;
    let mut body = json!({"debt_id": app.world.norte.debt,
        "amount": {"amount_minor": 30_000, "currency": "MXN"}});
    let reply = app
        .post("/api/v1/payment-links")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.code(), "identity_first");
    body["attempt_id"] = json!(app.world.sur.attempt);
    let reply = app
        .post("/api/v1/payment-links")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 409, "{}", reply.text());
    let token = app.token("supervisor").await;
    for (minor, currency) in [(0, "MXN"), (100_001, "MXN"), (10, "COP")] {
        body["amount"] = json!({"amount_minor": minor, "currency": currency});
        let reply = app
            .post("/api/v1/payment-links")
            .token(&token)
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.code(), "invalid", "{minor} {currency}");
    }
}

#[tokio::test]
async fn the_message_that_carries_a_link_tells_nothing_of_a_debt() {
    let (app, _) = app().await;
    let mut point = app
        .store
        .get_point(app.world.norte.point)
        .await
        .expect("his phone");
    point.id = domain::ids::PointId(uuid::Uuid::from_u128(99));
    point.channel = domain::entity::Channel::Sms;
    app.store.put_point(&point, &[]).await.expect("put");
    let (made, path) = link(&app).await;
    let token = app.token("supervisor").await;
    let send = format!(
        "/api/v1/payment-links/{}/send",
        made["id"].as_str().expect("id")
    );
    let body = json!({"channel": "sms", "point_id": point.id});
    let sent = app.post(&send).token(&token).json(&body).send().await;
    assert_eq!(sent.status, 201, "{}", sent.text());
    let list = format!("/api/v1/messages?client={}", app.world.norte.client);
    let list = app.get(&list).token(&token).send().await.json();
    let text = list["items"][0]["body"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(text.contains(&path), "{text}");
    tells_nothing(&text.replace(&path, ""));
}
