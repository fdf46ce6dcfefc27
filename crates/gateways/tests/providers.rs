//! SMS and WhatsApp against doubles that check our requests by the providers' published descriptions, and
//! their calls on us with the signatures that they describe.
//! It is longer than the house limit: the doubles of both providers share the signatures and the messages they judge.
#![expect(clippy::expect_used, reason = "a test without its double has failed")]

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::entity::{Channel, Language};
use domain::pii::Pii;
use domain::ports::{
    Hook, HookFault, Messenger, Outgoing, ProviderTemplate, ReceiptKind, SendFault,
};
use domain::time::UtcMs;
use gateways::messages::{
    Tariff, TwilioGateway, TwilioSettings, WhatsappGateway, WhatsappSettings,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Seen = Arc<Mutex<Vec<Value>>>;

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn message(channel: Channel, body: &str) -> Outgoing {
    Outgoing {
        id: OWN.parse().expect("an id"),
        channel,
        to: Pii("+5215512345678".into()),
        language: Language::Es,
        subject: String::new(),
        body: Pii(body.into()),
        template: None,
        at: UtcMs(0),
    }
}

/// Our own name of the message that is sent.
const OWN: &str = "01937f3e-0000-7000-8000-000000000005";
const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const TOKEN: &str = "12345";

/// `POST /2010-04-01/Accounts/{sid}/Messages.json` as the API reference has it: basic authentication, a form
/// with To, From and Body, 201 with the message resource, 400 with code and message.
async fn create_sms(
    State(seen): State<Seen>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let basic = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    let given = headers.get("authorization").and_then(|v| v.to_str().ok());
    if account != ACCOUNT || given != Some(basic.as_str()) {
        let body = json!({"code": 20003, "message": "Authenticate", "status": 401});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let known = ["To", "From", "Body", "StatusCallback"];
    assert!(form.keys().all(|k| known.contains(&k.as_str())), "{form:?}");
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(json!(form));
    match form.get("Body").map(String::as_str) {
        Some("landline") => {
            let body = json!({"code": 21614, "message": "'To' number is not a valid mobile number",
                "more_info": "https://www.twilio.com/docs/errors/21614", "status": 400});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Some("busy") => (
            StatusCode::TOO_MANY_REQUESTS,
            Json(json!({"code": 20429, "status": 429})),
        )
            .into_response(),
        Some("broken") => StatusCode::BAD_GATEWAY.into_response(),
        _ => {
            let body = json!({"account_sid": ACCOUNT, "api_version": "2010-04-01",
                "direction": "outbound-api", "error_code": null, "error_message": null,
                "num_segments": "1", "price": null, "price_unit": null,
                "sid": "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "queued", "to": form.get("To")});
            (StatusCode::CREATED, Json(body)).into_response()
        }
    }
}

fn twilio(api: String, token: &str) -> TwilioGateway {
    TwilioGateway::new(TwilioSettings {
        name: "sms".into(),
        api,
        account: ACCOUNT.into(),
        token: token.into(),
        from: "+15017122661".into(),
        public_url: "https://cobranza.example.com/".into(),
        per_minute: 60,
        tariff: Tariff {
            cost_micro: 350_000,
            currency: "MXN".parse().ok(),
        },
    })
    .expect("a gateway")
}

#[tokio::test]
async fn sms_go_out_as_the_api_describes() {
    let seen = Seen::default();
    let path = "/2010-04-01/Accounts/{account}/Messages.json";
    let api = serve(
        Router::new()
            .route(path, post(create_sms))
            .with_state(Arc::clone(&seen)),
    )
    .await;
    let gateway = twilio(api.clone(), TOKEN);
    let taken = gateway
        .send(&message(Channel::Sms, "Mañana vence & más"))
        .await
        .expect("taken");
    assert_eq!(taken.provider_ref, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(taken.cost_micro, 350_000);
    let form = seen.lock().unwrap_or_else(PoisonError::into_inner)[0].clone();
    assert_eq!(
        form,
        json!({"To": "+5215512345678", "From": "+15017122661", "Body": "Mañana vence & más",
        "StatusCallback": format!("https://cobranza.example.com/api/v1/hooks/messages/sms?message={OWN}")})
    );
    let landline = gateway.send(&message(Channel::Sms, "landline")).await;
    assert_eq!(
        landline,
        Err(SendFault::Refused {
            code: "21614".into(),
            bad_address: true
        })
    );
    let busy = gateway.send(&message(Channel::Sms, "busy")).await;
    assert!(matches!(busy, Err(SendFault::Later(_))), "{busy:?}");
    let broken = gateway.send(&message(Channel::Sms, "broken")).await;
    assert!(
        matches!(broken, Err(SendFault::Unknown(_))),
        "it may have been sent: {broken:?}"
    );
    let key = twilio(api, "wrong").send(&message(Channel::Sms, "x")).await;
    assert!(matches!(key, Err(SendFault::Later(_))), "{key:?}");
    let away = twilio("http://127.0.0.1:9".into(), TOKEN)
        .send(&message(Channel::Sms, "x"))
        .await;
    assert!(matches!(away, Err(SendFault::Later(_))), "{away:?}");
}

fn call<'a>(
    method: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
    body: &'a str,
) -> Hook<'a> {
    Hook {
        method,
        path,
        headers,
        body: body.as_bytes(),
        at: UtcMs(0),
    }
}

/// Base64 of HMAC-SHA1 over the address and the sorted parameters.
fn twilio_signature(url: &str, body: &str) -> Vec<(String, String)> {
    let decode = |t: &str| {
        let spaced = t.replace('+', " ");
        spaced
            .replace("%2B", "+")
            .replace("%C2%BF", "¿")
            .replace("%3F", "?")
            .replace("%C3%A1", "á")
    };
    let mut pairs: Vec<(String, String)> = body
        .split('&')
        .filter_map(|p| p.split_once('='))
        .map(|(n, v)| (decode(n), decode(v)))
        .collect();
    pairs.sort();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(TOKEN.as_bytes()).expect("a key");
    mac.update(url.as_bytes());
    for (name, value) in &pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    vec![(
        "x-twilio-signature".into(),
        STANDARD.encode(mac.finalize().into_bytes()),
    )]
}

#[tokio::test]
async fn sms_receipts_and_answers_are_believed_with_their_signature() {
    let gateway = twilio("http://127.0.0.1:9".into(), TOKEN);
    let url_of_hook = "https://cobranza.example.com/api/v1/hooks/messages/sms";
    let path_of_hook = "/api/v1/hooks/messages/sms";
    let (url, path) = (url_of_hook, path_of_hook);
    let body = "MessageSid=SM1&MessageStatus=delivered&AccountSid=AC1&To=%2B52155&From=%2B1501";
    let signed = twilio_signature(url, body);
    let told = gateway
        .hook(&call("POST", path, &signed, body))
        .expect("believed");
    assert_eq!(told.receipts.len(), 1);
    assert_eq!(
        (
            told.receipts[0].provider_ref.as_str(),
            &told.receipts[0].kind
        ),
        ("SM1", &ReceiptKind::Delivered)
    );
    assert_eq!(told.content_type, "text/xml");
    assert_eq!(told.receipts[0].own, None);
    // The address that the message was sent with names it; the signature is of all of it.
    let (url, path) = (
        format!("{url}?message={OWN}"),
        format!("{path}?message={OWN}"),
    );
    let named = twilio_signature(&url, body);
    let told = gateway
        .hook(&call("POST", &path, &named, body))
        .expect("believed");
    assert_eq!(told.receipts[0].own, OWN.parse().ok());
    let forged = gateway.hook(&call("POST", &path, &signed, body));
    assert_eq!(forged, Err(HookFault::Signature));
    let (url, path) = (url_of_hook, path_of_hook);
    let other = body.replace("delivered", "read");
    for (headers, body) in [(&signed, other.as_str()), (&vec![], body)] {
        let refused = gateway.hook(&call("POST", path, headers, body));
        assert_eq!(refused, Err(HookFault::Signature));
    }
    let body = "MessageSid=SM2&MessageStatus=undelivered&ErrorCode=30005";
    let told = gateway
        .hook(&call("POST", path, &twilio_signature(url, body), body))
        .expect("believed");
    assert_eq!(
        told.receipts[0].kind,
        ReceiptKind::Failed {
            code: "30005".into(),
            bad_address: true
        }
    );
    let body = "MessageSid=SM3&From=%2B5215512345678&To=%2B15017122661&Body=%C2%BFCu%C3%A1nto+debo%3F&NumMedia=0";
    let told = gateway
        .hook(&call("POST", path, &twilio_signature(url, body), body))
        .expect("believed");
    let ReceiptKind::Reply {
        channel,
        from,
        text,
        ..
    } = &told.receipts[0].kind
    else {
        panic!("an answer: {told:?}");
    };
    assert_eq!(
        (*channel, from.reveal().as_str(), text.reveal().as_str()),
        (Channel::Sms, "+5215512345678", "¿Cuánto debo?")
    );
}

#[tokio::test]
async fn who_asked_twilio_for_no_more_is_told_and_his_number_is_good() {
    let gateway = twilio("http://127.0.0.1:9".into(), TOKEN);
    let (url, path) = (
        "https://cobranza.example.com/api/v1/hooks/messages/sms",
        "/api/v1/hooks/messages/sms",
    );
    let told = |body: &str| {
        let signed = twilio_signature(url, body);
        let told = gateway.hook(&call("POST", path, &signed, body));
        told.expect("believed").receipts.remove(0).kind
    };
    let ReceiptKind::Failed { code, bad_address } =
        told("MessageSid=SM2&MessageStatus=failed&ErrorCode=21610")
    else {
        panic!("it failed");
    };
    assert!(gateway.is_optout(&code) && !bad_address);
    assert!(!gateway.is_optout("30005"));
    // Words that the account alone knows: Twilio says what they mean.
    for (kind, stops) in [("STOP", true), ("START", false), ("HELP", false)] {
        let body = format!(
            "MessageSid=SM4&From=%2B5215512345678&To=%2B15017122661&Body=ya+no&OptOutType={kind}"
        );
        let ReceiptKind::Reply { optout, .. } = told(&body) else {
            panic!("an answer");
        };
        assert_eq!(optout, stops, "{kind}");
    }
}

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
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(body.clone());
    let code = match body["text"]["body"].as_str() {
        Some("late") => Some(131_047),
        Some("fast") => Some(130_429),
        Some("nobody") => Some(131_026),
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
    let api = serve(router.with_state(Arc::clone(&seen))).await;
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
    let bodies = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
    let nobody = gateway.send(&message(Channel::Whatsapp, "nobody")).await;
    assert_eq!(
        nobody,
        Err(SendFault::Refused {
            code: "131026".into(),
            bad_address: true
        })
    );
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
