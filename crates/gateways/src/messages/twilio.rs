//! SMS by the Programmable Messaging API of Twilio: `POST …/Messages.json`, status callbacks and messages
//! that come in, both signed with `X-Twilio-Signature`.

use super::web::{ask, client, form};
use super::{GatewayError, Tariff};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::entity::Channel;
use domain::ids::MessageId;
use domain::money::Currency;
use domain::pii::Pii;
use domain::ports::{
    Accepted, Hook, HookFault, HookReply, Messenger, Outgoing, REPLY_MAX, Receipt, ReceiptKind,
    SendFault,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// What a message that came in is answered with: nothing is sent back by itself.
const NO_ANSWER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
/// Codes of an address that takes no SMS: not a mobile, not reachable, landline.
const BAD_ADDRESS: [&str; 6] = ["21211", "21214", "21217", "21614", "30005", "30006"];
/// Codes of an account that sends nothing: not active, suspended, a sender that is not its own (Twilio, error codes).
const CLOSED: [&str; 4] = ["20005", "21606", "30002", "90010"];
/// Code of a debtor who asked Twilio for no more messages: his number is a good one.
const UNSUBSCRIBED: &str = "21610";
/// What Twilio says of a message by which its sender asked for no more, by its own words or the account's.
const STOPS: &str = "STOP";

/// Parameter of a status callback's address that names our message.
const OWN: &str = "message";

/// Settings.
#[derive(Clone)]
pub struct TwilioSettings {
    /// Name of the gateway, part of its web address.
    pub name: String,
    /// `https://api.twilio.com`.
    pub api: String,
    /// `AC…`.
    pub account: String,
    /// Secret.
    pub token: String,
    /// Number (`+…`) or messaging service (`MG…`) that sends.
    pub from: String,
    /// Address under which the provider calls us, without the path; signatures are of it.
    pub public_url: String,
    /// Most messages a minute.
    pub per_minute: u32,
    /// Cost.
    pub tariff: Tariff,
}

/// The gateway.
pub struct TwilioGateway {
    settings: TwilioSettings,
    web: reqwest::Client,
}

#[derive(serde::Deserialize)]
struct Answer {
    sid: Option<String>,
    code: Option<i64>,
}

impl TwilioGateway {
    /// Makes it.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn new(settings: TwilioSettings) -> Result<Self, GatewayError> {
        let fault = |reason: &str| Err(GatewayError::new(&settings.name, reason));
        if settings.account.is_empty() || settings.token.is_empty() {
            return fault("expected account and token");
        }
        if !settings.from.starts_with('+') && !settings.from.starts_with("MG") {
            return fault("from: expected a number in E.164 or a messaging service MG…");
        }
        let web = client().map_err(|e| GatewayError::new(&settings.name, e))?;
        Ok(Self { settings, web })
    }

    fn hook_url(&self) -> String {
        let base = self.settings.public_url.trim_end_matches('/');
        format!("{base}/api/v1/hooks/messages/{}", self.settings.name)
    }
}

/// Base64 of the HMAC-SHA1, under the token, of the address with each parameter's name and value behind it
/// in the order of the names (Twilio, "Validating signatures from Twilio").
fn signature(token: &str, url: &str, params: &[(String, String)]) -> Option<Vec<u8>> {
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(mac.finalize().into_bytes().to_vec())
}

fn is_signed(token: &str, url: &str, params: &[(String, String)], header: Option<&str>) -> bool {
    use subtle::ConstantTimeEq as _;
    let given = header.and_then(|h| STANDARD.decode(h).ok());
    match (given, signature(token, url, params)) {
        (Some(given), Some(right)) => given.as_slice().ct_eq(&right).into(),
        _ => false,
    }
}

fn told(params: &[(String, String)], own: Option<MessageId>) -> Option<Receipt> {
    let get = |name: &str| {
        params
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    let sid = get("MessageSid").or_else(|| get("SmsSid"))?.to_owned();
    let code = || get("ErrorCode").unwrap_or_default().to_owned();
    let kind = match get("MessageStatus") {
        Some("sent") => ReceiptKind::Sent,
        Some("delivered") => ReceiptKind::Delivered,
        Some("read") => ReceiptKind::Read,
        Some("failed" | "undelivered") => ReceiptKind::Failed {
            bad_address: BAD_ADDRESS.contains(&code().as_str()),
            code: code(),
        },
        Some(_) => return None,
        None => ReceiptKind::Reply {
            channel: Channel::Sms,
            from: Pii(get("From")?.to_owned()),
            text: Pii(get("Body")?.chars().take(REPLY_MAX).collect()),
            answers: None,
            optout: get("OptOutType") == Some(STOPS),
        },
    };
    Some(Receipt {
        own: own.filter(|_| !matches!(kind, ReceiptKind::Reply { .. })),
        provider_ref: sid,
        at: None,
        kind,
    })
}

#[async_trait]
impl Messenger for TwilioGateway {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    fn per_minute(&self) -> u32 {
        self.settings.per_minute
    }

    fn is_optout(&self, code: &str) -> bool {
        code == UNSUBSCRIBED
    }

    fn price(&self) -> (i64, Option<Currency>) {
        let tariff = self.settings.tariff;
        (tariff.cost_micro, tariff.currency)
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let set = &self.settings;
        let api = set.api.trim_end_matches('/');
        let url = format!("{api}/2010-04-01/Accounts/{}/Messages.json", set.account);
        let sender = if set.from.starts_with("MG") {
            "MessagingServiceSid"
        } else {
            "From"
        };
        // Its receipts name our message, for they may come before the answer that names Twilio's.
        let callback = format!("{}?{OWN}={}", self.hook_url(), message.id);
        let fields = [
            ("To", message.to.reveal().as_str()),
            (sender, set.from.as_str()),
            ("Body", message.body.reveal().as_str()),
            ("StatusCallback", &callback),
        ];
        let request = self
            .web
            .post(url)
            .basic_auth(&set.account, Some(&set.token))
            .form(&fields);
        let (status, body) = ask(request).await?;
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        let code = answer
            .as_ref()
            .and_then(|a| a.code)
            .unwrap_or(0)
            .to_string();
        match (status, answer.and_then(|a| a.sid)) {
            (200..=299, Some(sid)) => Ok(Accepted {
                provider_ref: sid,
                cost_micro: set.tariff.cost_micro,
                currency: set.tariff.currency,
            }),
            (429, _) => Err(SendFault::Later("rate limit".to_owned())),
            (401 | 403, _) => Err(SendFault::Closed("the provider refuses our key".to_owned())),
            (400..=499, _) if CLOSED.contains(&code.as_str()) => {
                Err(SendFault::Closed(format!("code {code}")))
            }
            (400..=499, _) => Err(SendFault::Refused {
                bad_address: BAD_ADDRESS.contains(&code.as_str()),
                code,
            }),
            (status, _) => Err(SendFault::Unknown(format!("status {status}"))),
        }
    }

    fn hook(&self, hook: &Hook<'_>) -> Result<HookReply, HookFault> {
        if hook.method != "POST" {
            return Err(HookFault::Closed);
        }
        let params = form(hook.body).ok_or(HookFault::Body)?;
        let url = match hook.path.split_once('?') {
            Some((_, query)) => format!("{}?{query}", self.hook_url()),
            None => self.hook_url(),
        };
        let header = hook.header("x-twilio-signature");
        if !is_signed(&self.settings.token, &url, &params, header) {
            return Err(HookFault::Signature);
        }
        let asked = hook
            .path
            .split_once('?')
            .and_then(|(_, q)| form(q.as_bytes()));
        let own = asked.and_then(|pairs| {
            let named = pairs.into_iter().find(|(name, _)| name == OWN);
            named.and_then(|(_, id)| id.parse().ok())
        });
        Ok(HookReply {
            receipts: told(&params, own).into_iter().collect(),
            body: NO_ANSWER.to_owned(),
            content_type: "text/xml",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_signature_fits() {
        // The example of Twilio's security pages and of its own client libraries.
        let params: Vec<(String, String)> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .to_vec();
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let right = Some("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert!(is_signed("12345", url, &params, right));
        assert!(!is_signed("12346", url, &params, right));
        assert!(!is_signed("12345", &url[1..], &params, right));
        assert!(!is_signed("12345", url, &params[1..], right));
        for wrong in [
            None,
            Some(""),
            Some("###"),
            Some("RSOYDt4T1cUTdK1PDd93/VVr8B9="),
        ] {
            assert!(!is_signed("12345", url, &params, wrong));
        }
    }
}
