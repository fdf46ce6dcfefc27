//! Templates with their preview, strategies with their trial, messages and the inbox, providers' calls.

use crate::app::App;
use domain::entity::{Channel, InboxMessage, InboxState};
use domain::ids::{InboxId, MessageId};
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, Heard, MessageStore as _};
use serde_json::{Value, json};
use std::time::Duration;

fn template(app: &App, body: &str) -> Value {
    json!({"client_id": app.world.norte.client, "name": "aviso", "channel": "sms", "language": "es",
        "tone": "courteous", "body": body})
}

/// A text of an e-mail that tells something only once it is opened.
fn opened(what: &str) -> String {
    let first = "Hola {debtor.name}: este mensaje es personal y confidencial, y está dirigido solo a \
        usted. Si lo recibió por error, le pedimos que lo borre y que no lea más allá de esta línea.";
    format!("{first}\n\nDebe {what}")
}

#[tokio::test]
async fn a_phone_shows_nothing_and_an_approved_text_tells_how_to_opt_out_row_05() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let save = async |change: Value| {
        let mut body = template(&app, "Hola {debtor.name}");
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let path = "/api/v1/text-templates";
        app.post(path).token(&token).json(&body).send().await
    };
    for (text, found) in [
        ("Hola {debtor.name}: {debt.balance}", "{debt.balance}"),
        ("{client.name} le espera", "{client.name}"),
        ("Área de cobranza: llámenos", "cobranza"),
        ("Pague $500 hoy", "amount"),
    ] {
        for channel in ["sms", "whatsapp"] {
            let refused = save(json!({"channel": channel, "body": text})).await;
            assert_eq!(refused.code(), "template_shows", "{}", refused.text());
            assert!(refused.text().contains(found), "{}", refused.text());
            assert_eq!(refused.json()["errors"][0]["path"], "body");
        }
    }
    let near = json!({"channel": "email", "subject": "Su cuenta", "body": "Debe {debt.balance}"});
    let refused = save(near).await;
    assert_eq!(refused.code(), "template_shows", "{}", refused.text());
    let far = json!({"channel": "email", "subject": "Su cuenta", "body": opened("{debt.balance}")});
    let made = save(far).await;
    assert_eq!(made.status, 201, "{}", made.text());
    // Nothing is added to what the provider approved: the words must be in it.
    let approved = json!({"channel": "whatsapp", "provider_name": "aviso_1"});
    let refused = save(approved.clone()).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("optout"), "{}", refused.text());
    let mut tells = approved;
    tells["body"] = json!("Hola {debtor.name}. Responda BAJA para no recibir más.");
    let made = save(tells.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["provider_language"], "");
    // It was approved in one of the provider's own languages, which is one of the text's.
    tells["name"] = json!("approved in Mexico");
    for (code, status) in [("en_US", 422), ("es_mx", 422), ("es_", 422), ("es_MX", 201)] {
        tells["provider_language"] = json!(code);
        let made = save(tells.clone()).await;
        assert_eq!(made.status, status, "{code}: {}", made.text());
    }
    let own = json!({"channel": "sms", "body": "Hola {debtor.name}", "provider_language": "es"});
    assert_eq!(save(own).await.status, 422, "nobody approved it");
}

#[tokio::test]
async fn a_mailbox_shows_no_amount_and_no_creditor_before_the_mail_is_opened() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let save = async |subject: &str| {
        let mut body = template(&app, &opened("{debt.balance}"));
        body["channel"] = json!("email");
        body["subject"] = json!(subject);
        let path = "/api/v1/text-templates";
        app.post(path).token(&token).json(&body).send().await
    };
    for name in ["debt.balance", "client.name", "debt.product"] {
        let refused = save(&format!("Su cuenta {{{name}}}")).await;
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.text());
        assert!(refused.text().contains(name), "{}", refused.text());
    }
    let made = save("Su cuenta {debt.reference}").await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text());
}

#[tokio::test]
async fn a_template_is_strict_and_is_read_with_real_rows_row_05() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let post = async |path: &str, body: Value| {
        let reply = app.post(path).token(&token).json(&body).send().await;
        (reply.status.as_u16(), reply)
    };
    let (status, refused) = post("/api/v1/text-templates", template(&app, "Hola {deudor}")).await;
    assert_eq!(
        (status, refused.code()),
        (422, "template_variable".to_owned())
    );
    assert!(refused.text().contains("'deudor'"), "{}", refused.text());
    let mut mail = template(&app, &opened("{debt.balance}"));
    mail["channel"] = json!("email");
    mail["subject"] = json!("Su cuenta {debt.reference}");
    let (status, made) = post("/api/v1/text-templates", mail.clone()).await;
    assert_eq!(status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/text-templates/{id}");
    let ask = json!({"debtor_id": app.world.norte.debtor});
    let (status, shown) = post(&format!("{path}/preview"), ask.clone()).await;
    assert_eq!(status, 200, "{}", shown.text());
    let row = &shown.json()["rows"][0];
    let body = row["body"].as_str().expect("a text");
    assert!(body.starts_with("Hola ") && body.contains("MXN"), "{body}");
    assert!(
        body.ends_with("Para no recibir más correos, responda BAJA."),
        "{body}"
    );
    assert_eq!(row["missing"], Value::Null);
    let mut changed = mail;
    changed["body"] = json!("Su promesa vence el {promise.due_date}");
    changed["version"] = json!(1);
    let put = app
        .ask("PUT", &path)
        .token(&token)
        .json(&changed)
        .send()
        .await;
    assert_eq!(put.json()["version"], 2, "{}", put.text());
    let stale = app
        .ask("PUT", &path)
        .token(&token)
        .json(&changed)
        .send()
        .await;
    assert_eq!(stale.code(), "version_conflict");
    let (_, shown) = post(&format!("{path}/preview"), ask).await;
    let missing = shown.json()["rows"][0]["missing"].to_string();
    assert!(missing.contains("promise.due_date"), "{missing}");
    let versions = app
        .get(&format!("{path}/versions"))
        .token(&token)
        .send()
        .await;
    assert_eq!(versions.json()["items"].as_array().map(Vec::len), Some(2));
    let other = app.token("client").await;
    let seen = app.get(&path).token(&other).send().await;
    assert!(seen.status == 403 || seen.status == 404, "{}", seen.status);
}

#[tokio::test]
async fn a_strategy_is_checked_tried_and_put_to_work_row_14() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let client = app.world.norte.client;
    let step = json!({"key": "d1", "offset_days": 1, "at": "10:00", "action": "message",
        "channels": ["sms"], "template": "aviso"});
    let body = json!({"client_id": client, "name": "Diaria", "trigger": "due_date",
        "segment": "days_past_due >= 0", "steps": [step]});
    for (change, path) in [
        (json!({"segment": "mora > "}), "segment"),
        (
            json!({"steps": [{"key": "d1", "offset_days": 1, "at": "25:00", "action": "review"}]}),
            "steps[0]",
        ),
        (json!({"share_pct": 100, "champion_id": client}), "strategy"),
    ] {
        let mut wrong = body.clone();
        for (name, value) in change.as_object().expect("an object") {
            wrong[name] = value.clone();
        }
        let reply = app
            .post("/api/v1/strategies")
            .token(&token)
            .json(&wrong)
            .send()
            .await;
        assert_eq!(reply.status, 422, "{}", reply.text());
        assert_eq!(reply.json()["errors"][0]["path"], path, "{}", reply.text());
    }
    let made = app
        .post("/api/v1/strategies")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let at = format!("/api/v1/strategies/{id}");
    let early = app
        .post(&format!("{at}/activate"))
        .token(&token)
        .send()
        .await;
    assert_eq!(early.status, 422, "no template yet: {}", early.text());
    let text = template(&app, "Hola {debtor.name}");
    app.post("/api/v1/text-templates")
        .token(&token)
        .json(&text)
        .send()
        .await;
    tried(&app, &token, &at).await;
    let works = app
        .post(&format!("{at}/activate"))
        .token(&token)
        .send()
        .await;
    assert_eq!(works.json()["status"], "active", "{}", works.text());
    let arms = app
        .get(&format!("{at}/figures"))
        .token(&token)
        .send()
        .await
        .json();
    assert_eq!(
        (&arms[0]["champion"], &arms[0]["share_pct"]),
        (&json!(true), &json!(100))
    );
    let retired = app.post(&format!("{at}/retire")).token(&token).send().await;
    assert_eq!(retired.json()["status"], "retired");
}

/// The trial runs to its end, and what it takes out is listed by page.
async fn tried(app: &App, token: &str, at: &str) {
    let begun = app
        .post(&format!("{at}/trial"))
        .token(token)
        .json(&json!({"days": 30}))
        .send()
        .await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let trial = format!(
        "/api/v1/strategy-trials/{}",
        begun.json()["trial_id"].as_str().expect("an id")
    );
    let mut result = Value::Null;
    for _ in 0..600 {
        result = app.get(&trial).token(token).send().await.json();
        if result["state"] != "running" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(result["state"], "done", "{result}");
    let removed = app
        .get(&format!("{trial}/removed?limit=1"))
        .token(token)
        .send()
        .await;
    assert_eq!(removed.status, 200);
}

/// The debtor wrote from an address, and nobody answered yet.
async fn wrote(app: &App, address: &str) -> InboxMessage {
    let own = &app.world.norte;
    let row = InboxMessage {
        id: InboxId(uuid::Uuid::now_v7()),
        client_id: Some(own.client),
        debtor_id: Some(own.debtor),
        message_id: None,
        channel: Channel::Sms,
        address: address.into(),
        text: "¿Cuánto debo?".into(),
        gateway: "suite".into(),
        provider_ref: "in-1".into(),
        state: InboxState::New,
        optout: false,
        received_at: app.clock.now(),
        handled_at: None,
        handled_by: String::new(),
    };
    let heard = Heard {
        row: row.clone(),
        ledger: None,
        events: vec![],
    };
    assert!(app.store.hear(&heard).await.expect("works"));
    row
}

#[tokio::test]
async fn messages_and_the_inbox_show_masked_addresses_row_06() {
    let app = App::start().await;
    let agent = app.token("agent").await;
    let row = wrote(&app, "+525512349999").await;
    let listed = app
        .get("/api/v1/inbox?state=new")
        .token(&agent)
        .send()
        .await
        .json();
    let shown = listed["items"].as_array().expect("a list");
    let ours = shown
        .iter()
        .find(|r| r["id"] == json!(row.id))
        .expect("listed");
    assert_eq!(ours["address"], "··9999");
    let at = format!("/api/v1/inbox/{}", row.id);
    let answer = app
        .post(&format!("{at}/answer"))
        .token(&agent)
        .json(&json!({"text": "Hola"}))
        .send()
        .await;
    assert_eq!(
        answer.code(),
        "no_point",
        "nobody's number: {}",
        answer.text()
    );
    let closed = app.post(&format!("{at}/close")).token(&agent).send().await;
    assert_eq!(closed.status, 204);
    let twice = app.post(&format!("{at}/close")).token(&agent).send().await;
    assert_eq!(twice.code(), "inbox_handled");
}

#[tokio::test]
async fn an_agent_answers_a_debtor_where_he_wrote_from_row_06() {
    let app = App::start().await;
    let agent = app.token("agent").await;
    let point = app.store.get_point(app.world.norte.point).await;
    let row = wrote(&app, point.expect("a point").value.reveal()).await;
    let at = format!("/api/v1/inbox/{}", row.id);
    let answer = async || {
        let text = json!({"text": "Con gusto le ayudamos."});
        let path = format!("{at}/answer");
        app.post(&path).token(&agent).json(&text).send().await
    };
    let sent = answer().await;
    assert_eq!(sent.status, 201, "{}", sent.text());
    let sent = sent.json();
    assert_eq!(
        (&sent["purpose"], &sent["state"], &sent["channel"]),
        (&json!("reply"), &json!("queued"), &json!("sms"))
    );
    assert_eq!(sent["made_by"], format!("agent:{}", app.world.agent));
    let id: MessageId = sent["id"].as_str().expect("an id").parse().expect("an id");
    let kept = app.store.get_message(id).await.expect("kept");
    assert_eq!(kept.reply_to, Some(row.id));
    assert_eq!(kept.point_id, Some(app.world.norte.point));
    let now = app.get(&at).token(&agent).send().await.json();
    assert_eq!(now["state"], "answered", "{now}");
    assert_eq!(
        answer().await.code(),
        "inbox_handled",
        "and he is not written to twice"
    );
}

#[tokio::test]
async fn a_call_of_nobody_is_not_believed() {
    let app = App::start().await;
    let unknown = app
        .post("/api/v1/hooks/messages/nobody")
        .body("application/json", "{}")
        .send()
        .await;
    assert_eq!(unknown.status, 404);
    let big = vec![b'x'; 300_000];
    let large = app
        .post("/api/v1/hooks/messages/nobody")
        .body("text/plain", big)
        .send()
        .await;
    assert_eq!(large.status, 413);
}
