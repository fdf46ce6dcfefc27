//! WhatsApp by the Cloud API: templates that Meta approved, free text within a day of the debtor's last
//! message, statuses and answers by webhook (`X-Hub-Signature-256`, verify token).

use super::web::{ask, client, form};
use super::{GatewayError, Tariff};
use async_trait::async_trait;
use domain::entity::{Channel, Language};
use domain::money::Currency;
use domain::pii::Pii;
use domain::ports::{
    Accepted, Hook, HookFault, HookReply, Messenger, Outgoing, REPLY_MAX, Receipt, ReceiptKind,
    SendFault,
};
use domain::time::UtcMs;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Codes after which the same message may be sent again: throughput, pair rate, service unavailable.
const LATER: [i64; 6] = [4, 80_007, 130_429, 131_016, 131_048, 131_056];
/// Codes of an account that sends nothing: key expired, blocked for policy, locked, not paid, number not registered
/// (WhatsApp Cloud API, error codes).
const CLOSED: [i64; 6] = [190, 368, 131_031, 131_042, 131_045, 133_010];
/// Code of a recipient that cannot get messages.
const UNDELIVERABLE: i64 = 131_026;
/// Code of a recipient who told WhatsApp that he wants no more marketing messages of this business; only he can
/// take that back (WhatsApp Cloud API, error codes). Meta still lets other templates through; who said no to the
/// provider said it to us.
const STOPPED: &str = "131050";

/// Settings.
#[derive(Clone)]
pub struct WhatsappSettings {
    /// Name of the gateway, part of its web address.
    pub name: String,
    /// `https://graph.facebook.com/v23.0`.
    pub api: String,
    /// Identity of the number that sends.
    pub phone_number_id: String,
    /// Access token.
    pub token: String,
    /// Secret of the app: signs the webhooks.
    pub app_secret: String,
    /// Word that the subscription of the webhook is checked by.
    pub verify_token: String,
    /// Most messages a minute.
    pub per_minute: u32,
    /// Cost.
    pub tariff: Tariff,
}

/// The gateway.
pub struct WhatsappGateway {
    settings: WhatsappSettings,
    web: reqwest::Client,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    messages: Vec<Named>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    value: Told,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    statuses: Vec<Status>,
    #[serde(default)]
    messages: Vec<Written>,
}

#[derive(Deserialize)]
struct Status {
    id: String,
    status: String,
    #[serde(default)]
    timestamp: String,
    /// What was sent with the message.
    biz_opaque_callback_data: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    from: String,
    #[serde(default)]
    timestamp: String,
    text: Option<Text>,
    button: Option<Button>,
    context: Option<Context>,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

#[derive(Deserialize)]
struct Button {
    text: String,
}

#[derive(Deserialize)]
struct Context {
    id: Option<String>,
}

impl WhatsappGateway {
    /// Makes it.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn new(settings: WhatsappSettings) -> Result<Self, GatewayError> {
        let all = [
            &settings.phone_number_id,
            &settings.token,
            &settings.app_secret,
            &settings.verify_token,
        ];
        if all.iter().any(|s| s.is_empty()) {
            let reason = "expected phone_number_id, token, app_secret and verify_token";
            return Err(GatewayError::new(&settings.name, reason));
        }
        let web = client().map_err(|e| GatewayError::new(&settings.name, e))?;
        Ok(Self { settings, web })
    }

    /// The subscription's question (`hub.mode=subscribe`): its challenge is given back when the word fits.
    fn subscribe(&self, path: &str) -> Result<HookReply, HookFault> {
        let query = path.split_once('?').map_or("", |(_, q)| q);
        let params = form(query.as_bytes()).ok_or(HookFault::Body)?;
        let get = |name: &str| {
            params
                .iter()
                .find(|(n, _)| n == name)
                .map_or("", |(_, v)| v.as_str())
        };
        let right = self.settings.verify_token.as_bytes();
        let same: bool = get("hub.verify_token").as_bytes().ct_eq(right).into();
        if get("hub.mode") != "subscribe" || !same {
            return Err(HookFault::Signature);
        }
        Ok(HookReply {
            body: get("hub.challenge").to_owned(),
            ..HookReply::default()
        })
    }
}

/// `sha256=` and the hex HMAC-SHA256 of the body under the app's secret.
fn is_signed(secret: &str, body: &[u8], header: Option<&str>) -> bool {
    let Some(given) = header
        .and_then(|h| h.strip_prefix("sha256="))
        .and_then(|h| hex::decode(h).ok())
    else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

fn at(timestamp: &str) -> Option<UtcMs> {
    let seconds: i64 = timestamp.parse().ok()?;
    Some(UtcMs(seconds.checked_mul(1_000)?))
}

fn of_status(status: &Status) -> Option<Receipt> {
    let code = status.errors.first().map_or(0, |e| e.code);
    let kind = match status.status.as_str() {
        "sent" => ReceiptKind::Sent,
        "delivered" => ReceiptKind::Delivered,
        "read" => ReceiptKind::Read,
        "failed" => ReceiptKind::Failed {
            code: code.to_string(),
            bad_address: code == UNDELIVERABLE,
        },
        _ => return None,
    };
    Some(Receipt {
        provider_ref: status.id.clone(),
        own: status
            .biz_opaque_callback_data
            .as_ref()
            .and_then(|id| id.parse().ok()),
        at: at(&status.timestamp),
        kind,
    })
}

fn of_written(message: Written) -> Receipt {
    let text = message.text.map(|t| t.body);
    let text = text.or(message.button.map(|b| b.text));
    // A picture or a voice note is told, too: somebody has to look at the phone.
    let text = text.unwrap_or_else(|| format!("[{}]", message.kind));
    Receipt {
        provider_ref: message.id,
        own: None,
        at: at(&message.timestamp),
        kind: ReceiptKind::Reply {
            channel: Channel::Whatsapp,
            from: Pii(format!("+{}", message.from.trim_start_matches('+'))),
            text: Pii(text.chars().take(REPLY_MAX).collect()),
            answers: message.context.and_then(|c| c.id),
            optout: false,
        },
    }
}

fn body_of(message: &Outgoing) -> Value {
    let to = message.to.reveal().trim_start_matches('+');
    let mut body = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
        // Given back with each status: one may come before the answer that names Meta's message.
        "biz_opaque_callback_data": message.id,
    });
    if let Some(template) = &message.template {
        let plain = match message.language {
            Language::Es => "es",
            Language::En => "en",
            Language::Pt => "pt_BR",
        };
        let given = Some(template.language.as_str()).filter(|code| !code.is_empty());
        let code = given.unwrap_or(plain);
        let values: Vec<Value> = template
            .values
            .iter()
            .map(|v| json!({"type": "text", "text": v.reveal()}))
            .collect();
        body["type"] = "template".into();
        body["template"] = json!({"name": template.name, "language": {"code": code}});
        if !values.is_empty() {
            body["template"]["components"] = json!([{"type": "body", "parameters": values}]);
        }
    } else {
        body["type"] = "text".into();
        body["text"] = json!({"preview_url": false, "body": message.body.reveal()});
    }
    body
}

#[async_trait]
impl Messenger for WhatsappGateway {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Whatsapp]
    }

    fn per_minute(&self) -> u32 {
        self.settings.per_minute
    }

    fn needs_template(&self) -> bool {
        true
    }

    fn is_optout(&self, code: &str) -> bool {
        code == STOPPED
    }

    /// For up to seven days, by Meta's webhooks guide.
    fn comes_again(&self) -> bool {
        true
    }

    fn price(&self) -> (i64, Option<Currency>) {
        let tariff = self.settings.tariff;
        (tariff.cost_micro, tariff.currency)
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let set = &self.settings;
        let url = format!(
            "{}/{}/messages",
            set.api.trim_end_matches('/'),
            set.phone_number_id
        );
        let request = self
            .web
            .post(url)
            .bearer_auth(&set.token)
            .json(&body_of(message));
        let (status, body) = ask(request).await?;
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        let code = answer
            .as_ref()
            .and_then(|a| a.error.as_ref())
            .map(|e| e.code);
        let named = answer.and_then(|a| a.messages.into_iter().next());
        match (status, named, code) {
            (200..=299, Some(named), _) => Ok(Accepted {
                provider_ref: named.id,
                cost_micro: set.tariff.cost_micro,
                currency: set.tariff.currency,
            }),
            (429, ..) => Err(SendFault::Later("rate limit".to_owned())),
            (401 | 403, ..) => Err(SendFault::Closed("the provider refuses our key".to_owned())),
            (_, _, Some(code)) if CLOSED.contains(&code) => {
                Err(SendFault::Closed(format!("code {code}")))
            }
            (_, _, Some(code)) if LATER.contains(&code) => {
                Err(SendFault::Later(format!("code {code}")))
            }
            (400..=499, _, code) => Err(SendFault::Refused {
                code: code.unwrap_or(i64::from(status)).to_string(),
                bad_address: code == Some(UNDELIVERABLE),
            }),
            (status, ..) => Err(SendFault::Unknown(format!("status {status}"))),
        }
    }

    fn hook(&self, hook: &Hook<'_>) -> Result<HookReply, HookFault> {
        if hook.method == "GET" {
            return self.subscribe(hook.path);
        }
        let header = hook.header("x-hub-signature-256");
        if !is_signed(&self.settings.app_secret, hook.body, header) {
            return Err(HookFault::Signature);
        }
        let call: Call = serde_json::from_slice(hook.body).map_err(|_| HookFault::Body)?;
        let mut receipts = Vec::new();
        for change in call.entry.into_iter().flat_map(|e| e.changes) {
            receipts.extend(change.value.statuses.iter().filter_map(of_status));
            receipts.extend(change.value.messages.into_iter().map(of_written));
        }
        Ok(HookReply {
            receipts,
            ..HookReply::default()
        })
    }
}
