//! SMS against a double that checks our requests by the provider's published description, and its calls on us
//! with the signature that it describes.
#![expect(clippy::expect_used, reason = "a test without its double has failed")]

mod doubles;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::entity::Channel;
use domain::ports::{HookFault, Messenger as _, ReceiptKind, SendFault};
use doubles::{OWN, Seen, call, message, serve};
use gateways::messages::{Tariff, TwilioGateway, TwilioSettings};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use std::collections::BTreeMap;

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
    seen.push(json!(form));
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
            .with_state(seen.clone()),
    )
    .await;
    let gateway = twilio(api.clone(), TOKEN);
    let taken = gateway
        .send(&message(Channel::Sms, "Mañana vence & más"))
        .await
        .expect("taken");
    assert_eq!(taken.provider_ref, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(taken.cost_micro, 350_000);
    let form = seen.all().remove(0);
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
    assert!(matches!(key, Err(SendFault::Closed(_))), "{key:?}");
    let away = twilio("http://127.0.0.1:9".into(), TOKEN)
        .send(&message(Channel::Sms, "x"))
        .await;
    assert!(matches!(away, Err(SendFault::Later(_))), "{away:?}");
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
