//! WhatsApp against a double that checks our requests by the provider's published description, and its calls on
//! us with the signature that it describes.
#![expect(clippy::expect_used, reason = "a test without its double has failed")]

mod doubles;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::entity::Channel;
use domain::pii::Pii;
use domain::ports::{
    HookFault, Messenger as _, Outgoing, ProviderTemplate, ReceiptKind, SendFault,
};
use domain::time::UtcMs;
use doubles::{OWN, Seen, call, message, serve};
use gateways::messages::{Tariff, WhatsappGateway, WhatsappSettings};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

/// `POST /{phone-number-id}/messages` of the Cloud API.
async fn create_whatsapp(
    State(seen): State<Seen>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let given = headers.get("authorization").and_then(|v| v.to_str().ok());
    if given != Some("Bearer token") {
        let body = json!({"error": {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    assert_eq!(body["messaging_product"], "whatsapp");
    assert_eq!(body["recipient_type"], "individual");
    seen.push(body.clone());
    let code = match body["text"]["body"].as_str() {
        Some("late") => Some(131_047),
        Some("fast") => Some(130_429),
        Some("nobody") => Some(131_026),
        Some("unwanted") => Some(131_050),
        Some("locked") => Some(131_031),
        _ => None,
    };
    if let Some(code) = code {
        let body = json!({"error": {"message": "x", "type": "OAuthException", "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": "x"}, "fbtrace_id": "x"}});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    Json(json!({"messaging_product": "whatsapp",
        "contacts": [{"input": "5215512345678", "wa_id": "5215512345678"}],
        "messages": [{"id": "wamid.HBgLMTY1MDUwNzY1MjAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"}]}))
    .into_response()
}

fn whatsapp(api: String) -> WhatsappGateway {
    WhatsappGateway::new(WhatsappSettings {
        name: "whatsapp".into(),
        api,
        phone_number_id: "106540352242922".into(),
        token: "token".into(),
        app_secret: "secret".into(),
        verify_token: "meatyhamhock".into(),
        per_minute: 60,
        tariff: Tariff::default(),
    })
    .expect("a gateway")
}

#[tokio::test]
async fn whatsapp_goes_out_as_the_api_describes() {
    let seen = Seen::default();
    let router = Router::new().route("/v23.0/106540352242922/messages", post(create_whatsapp));
    let api = serve(router.with_state(seen.clone())).await;
    let gateway = whatsapp(format!("{api}/v23.0"));
    assert!(gateway.needs_template());
    let taken = gateway
        .send(&message(Channel::Whatsapp, "Buen día"))
        .await
        .expect("taken");
    assert_eq!(
        taken.provider_ref,
        "wamid.HBgLMTY1MDUwNzY1MjAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
    );
    let approved = Outgoing {
        template: Some(ProviderTemplate {
            name: "saldo_vencido".into(),
            language: String::new(),
            values: vec!["Ana".into(), "1,200.00 MXN".into()],
        }),
        ..message(Channel::Whatsapp, "Hola Ana: debe 1,200.00 MXN")
    };
    gateway.send(&approved).await.expect("taken");
    let mut mexican = approved.clone();
    mexican.template.as_mut().expect("it has one").language = "es_MX".into();
    gateway.send(&mexican).await.expect("taken");
    let bodies = seen.all();
    assert_eq!(
        bodies[0],
        json!({"messaging_product": "whatsapp", "recipient_type": "individual",
        "biz_opaque_callback_data": OWN, "to": "5215512345678", "type": "text", "text": {"preview_url": false, "body": "Buen día"}})
    );
    assert_eq!(
        bodies[1],
        json!({"messaging_product": "whatsapp", "recipient_type": "individual",
        "biz_opaque_callback_data": OWN, "to": "5215512345678", "type": "template", "template": {"name": "saldo_vencido",
            "language": {"code": "es"}, "components": [{"type": "body", "parameters": [
                {"type": "text", "text": "Ana"}, {"type": "text", "text": "1,200.00 MXN"}]}]}})
    );
    assert_eq!(bodies[2]["template"]["language"], json!({"code": "es_MX"}));
    let late = gateway.send(&message(Channel::Whatsapp, "late")).await;
    assert_eq!(
        late,
        Err(SendFault::Refused {
            code: "131047".into(),
            bad_address: false
        })
    );
    let fast = gateway.send(&message(Channel::Whatsapp, "fast")).await;
    assert!(matches!(fast, Err(SendFault::Later(_))), "{fast:?}");
    let locked = gateway.send(&message(Channel::Whatsapp, "locked")).await;
    assert!(matches!(locked, Err(SendFault::Closed(_))), "{locked:?}");
    let nobody = gateway.send(&message(Channel::Whatsapp, "nobody")).await;
    assert_eq!(
        nobody,
        Err(SendFault::Refused {
            code: "131026".into(),
            bad_address: true
        })
    );
}

#[tokio::test]
async fn who_stopped_us_at_whatsapp_is_obeyed() {
    let router = Router::new().route("/v23.0/106540352242922/messages", post(create_whatsapp));
    let api = serve(router.with_state(Seen::default())).await;
    let gateway = whatsapp(format!("{api}/v23.0"));
    let unwanted = gateway.send(&message(Channel::Whatsapp, "unwanted")).await;
    let Err(SendFault::Refused { code, bad_address }) = unwanted else {
        panic!("refused: {unwanted:?}");
    };
    assert!(gateway.is_optout(&code) && !bad_address);
    assert!(!gateway.is_optout("131026"));
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "messages", "value": {"messaging_product": "whatsapp", "statuses": [
            {"id": "wamid.F", "status": "failed", "timestamp": "1749854575", "recipient_id": "16505551234",
                "errors": [{"code": 131_050, "title": "User stopped marketing messages"}]}]}}]}]})
    .to_string();
    let path = "/api/v1/hooks/messages/whatsapp";
    let told = gateway.hook(&call("POST", path, &hub(&body), &body));
    let told = told.expect("believed");
    let ReceiptKind::Failed { code, bad_address } = &told.receipts[0].kind else {
        panic!("a failure: {told:?}");
    };
    assert!(gateway.is_optout(code) && !bad_address);
}

fn hub(body: &str) -> Vec<(String, String)> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"secret").expect("a key");
    mac.update(body.as_bytes());
    vec![(
        "x-hub-signature-256".into(),
        format!("sha256={}", hex::encode(mac.finalize().into_bytes())),
    )]
}

/// A call of the webhooks guide: two statuses, an answer and a picture.
fn statuses_and_answers() -> String {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398",
        "changes": [{"field": "messages", "value": {"messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
            "statuses": [{"id": "wamid.A", "status": "read", "timestamp": "1749854575",
                "biz_opaque_callback_data": OWN,
                "recipient_id": "16505551234"},
                {"id": "wamid.B", "status": "failed", "timestamp": "1749854575",
                    "recipient_id": "16505551234", "errors": [{"code": 131_026, "title": "Message undeliverable"}]}],
            "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": "16505551234"}],
            "messages": [{"from": "16505551234", "id": "wamid.C", "timestamp": "1749416383", "type": "text",
                "context": {"from": "15550783881", "id": "wamid.A"}, "text": {"body": "Does it come in another color?"}},
                {"from": "16505551234", "id": "wamid.D", "timestamp": "1749416383", "type": "image",
                "image": {"id": "1"}}]}}]}]})
    .to_string()
}

#[tokio::test]
async fn whatsapp_statuses_and_answers_are_believed_with_their_signature() {
    let gateway = whatsapp("http://127.0.0.1:9".into());
    let path = "/api/v1/hooks/messages/whatsapp";
    // The example of the webhooks guide.
    let asked =
        format!("{path}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock");
    let reply = gateway.hook(&call("GET", &asked, &[], "")).expect("ours");
    assert_eq!(reply.body, "1158201444");
    let wrong = asked.replace("meatyhamhock", "other");
    assert_eq!(
        gateway.hook(&call("GET", &wrong, &[], "")),
        Err(HookFault::Signature)
    );
    let body = statuses_and_answers();
    let told = gateway
        .hook(&call("POST", path, &hub(&body), &body))
        .expect("believed");
    let kinds: Vec<(&str, &ReceiptKind)> = told
        .receipts
        .iter()
        .map(|r| (r.provider_ref.as_str(), &r.kind))
        .collect();
    assert_eq!(kinds[0], ("wamid.A", &ReceiptKind::Read));
    assert_eq!(told.receipts[0].at, Some(UtcMs(1_749_854_575_000)));
    assert_eq!(
        [told.receipts[0].own, told.receipts[1].own],
        [OWN.parse().ok(), None]
    );
    assert_eq!(
        kinds[1].1,
        &ReceiptKind::Failed {
            code: "131026".into(),
            bad_address: true
        }
    );
    let reply = |text: &str, answers: Option<&str>| ReceiptKind::Reply {
        channel: Channel::Whatsapp,
        from: Pii("+16505551234".into()),
        text: Pii(text.into()),
        answers: answers.map(str::to_owned),
        optout: false,
    };
    assert_eq!(
        kinds[2],
        (
            "wamid.C",
            &reply("Does it come in another color?", Some("wamid.A"))
        )
    );
    assert_eq!(kinds[3], ("wamid.D", &reply("[image]", None)));
    let sly = body.replace("wamid.A", "wamid.X");
    assert_eq!(
        gateway.hook(&call("POST", path, &hub(&body), &sly)),
        Err(HookFault::Signature)
    );
    assert_eq!(
        gateway.hook(&call("POST", path, &[], &body)),
        Err(HookFault::Signature)
    );
    let noise = "not json";
    assert_eq!(
        gateway.hook(&call("POST", path, &hub(noise), noise)),
        Err(HookFault::Body)
    );
}

/// A sender as WhatsApp names him, and his number as it stands in a portfolio.
#[tokio::test]
async fn whatsapp_senders_are_found_by_the_numbers_of_portfolios() {
    let gateway = whatsapp("http://127.0.0.1:9".into());
    for (sender, point) in [
        ("5215512345678", "+525512345678"),
        ("551187654321", "+5511987654321"),
        ("5491123456789", "+541123456789"),
        ("5491123456789", "+5491123456789"),
        ("16505551234", "+16505551234"),
    ] {
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
            {"field": "messages", "value": {"messaging_product": "whatsapp", "messages": [
                {"from": sender, "id": "wamid.E", "timestamp": "1749416383", "type": "text",
                    "text": {"body": "BAJA"}}]}}]}]})
        .to_string();
        let path = "/api/v1/hooks/messages/whatsapp";
        let told = gateway.hook(&call("POST", path, &hub(&body), &body));
        let told = told.expect("believed");
        let ReceiptKind::Reply { from, .. } = &told.receipts[0].kind else {
            panic!("an answer: {told:?}");
        };
        let forms = domain::phone::forms(from.reveal());
        assert!(forms.iter().any(|f| f == point), "{sender}: {forms:?}");
    }
}
