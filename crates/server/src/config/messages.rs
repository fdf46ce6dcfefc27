//! `[messages]`: what carries messages.

use anyhow::Context as _;
use domain::money::Currency;
use domain::ports::Messenger;
use gateways::messages::{
    FolderGateway, SmtpGateway, SmtpSettings, SmtpTls, Tariff, TwilioGateway, TwilioSettings,
    WhatsappGateway, WhatsappSettings,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `[messages]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Messages {
    /// Folder that takes the place of all gateways; empty: none.
    pub folder: String,
    /// Address at which providers reach this server.
    pub public_url: String,
    /// E-mail.
    pub email: Email,
    /// SMS.
    pub sms: Sms,
    /// WhatsApp.
    pub whatsapp: Whatsapp,
}

/// `[messages.email]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Email {
    /// Server; empty: no e-mail.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `none`, `start` or `wrapped`.
    pub tls: String,
    /// User; empty: the server asks for none.
    pub user: String,
    /// File with the password.
    pub password_file: String,
    /// `Name <address>`.
    pub from: String,
    /// Address that reports and answers come to.
    pub returns: String,
    /// Its Maildir; empty: nothing is read.
    pub maildir: String,
    /// Most mails a minute.
    pub per_minute: u32,
    /// Millionths of `currency` a mail.
    pub cost_micro: i64,
    /// Currency, or empty.
    pub currency: String,
}

/// `[messages.sms]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sms {
    /// Account; empty: no SMS.
    pub account: String,
    /// File with its token.
    pub token_file: String,
    /// Number or messaging service.
    pub from: String,
    /// The provider's address.
    pub api: String,
    /// Most messages a minute.
    pub per_minute: u32,
    /// Millionths of `currency` a message.
    pub cost_micro: i64,
    /// Currency, or empty.
    pub currency: String,
}

/// `[messages.whatsapp]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whatsapp {
    /// Identity of the number; empty: no WhatsApp.
    pub phone_number_id: String,
    /// File with the access token.
    pub token_file: String,
    /// File with the secret of the app.
    pub app_secret_file: String,
    /// File with the word of the subscription.
    pub verify_token_file: String,
    /// The provider's address.
    pub api: String,
    /// Most messages a minute.
    pub per_minute: u32,
    /// Millionths of `currency` a message.
    pub cost_micro: i64,
    /// Currency, or empty.
    pub currency: String,
}

fn secret(key: &str, path: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("[messages] {key} {path}"))?;
    let text = text.trim();
    anyhow::ensure!(
        !text.is_empty(),
        "[messages] {key} {path}: expected a secret"
    );
    Ok(text.to_owned())
}

fn tariff(cost_micro: i64, currency: &str) -> anyhow::Result<Tariff> {
    let currency: Option<Currency> = match currency {
        "" => None,
        code => Some(code.parse().context("[messages] currency")?),
    };
    Ok(Tariff {
        cost_micro,
        currency,
    })
}

impl Messages {
    /// What is wrong in it.
    pub(super) fn faults(&self, faults: &mut Vec<&'static str>) {
        if !matches!(self.email.tls.as_str(), "none" | "start" | "wrapped") {
            faults.push("[messages.email] tls: expected \"none\", \"start\" or \"wrapped\"");
        }
        let web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if !self.sms.account.is_empty() && !web(&self.public_url) {
            faults.push("[messages] public_url: expected as https://cobranza.example.com for SMS");
        }
        if !web(&self.sms.api) || !web(&self.whatsapp.api) {
            faults.push("[messages] api: expected an address that begins with https://");
        }
        let rates = [
            self.email.per_minute,
            self.sms.per_minute,
            self.whatsapp.per_minute,
        ];
        if rates.iter().any(|r| *r == 0 || *r > 6_000) {
            faults.push("[messages] per_minute: expected 1 to 6000");
        }
        let costs = [
            self.email.cost_micro,
            self.sms.cost_micro,
            self.whatsapp.cost_micro,
        ];
        if costs.iter().any(|c| *c < 0) {
            faults.push("[messages] cost_micro: expected 0 or more");
        }
    }

    /// The gateways.
    ///
    /// # Errors
    /// A secret or folder that cannot be read, or a setting that does not fit.
    pub(crate) fn open(&self) -> anyhow::Result<Vec<Arc<dyn Messenger>>> {
        let mut made: Vec<Arc<dyn Messenger>> = Vec::new();
        if !self.folder.is_empty() {
            let gateway = FolderGateway::new("folder", &self.folder)
                .with_context(|| format!("[messages] folder {}", self.folder))?;
            made.push(Arc::new(gateway));
            return Ok(made);
        }
        if !self.email.host.is_empty() {
            made.push(Arc::new(self.smtp()?));
        }
        if !self.sms.account.is_empty() {
            let sms = &self.sms;
            made.push(Arc::new(TwilioGateway::new(TwilioSettings {
                name: "sms".into(),
                api: sms.api.clone(),
                account: sms.account.clone(),
                token: secret("token_file", &sms.token_file)?,
                from: sms.from.clone(),
                public_url: self.public_url.clone(),
                per_minute: sms.per_minute,
                tariff: tariff(sms.cost_micro, &sms.currency)?,
            })?));
        }
        if !self.whatsapp.phone_number_id.is_empty() {
            let of = &self.whatsapp;
            made.push(Arc::new(WhatsappGateway::new(WhatsappSettings {
                name: "whatsapp".into(),
                api: of.api.clone(),
                phone_number_id: of.phone_number_id.clone(),
                token: secret("token_file", &of.token_file)?,
                app_secret: secret("app_secret_file", &of.app_secret_file)?,
                verify_token: secret("verify_token_file", &of.verify_token_file)?,
                per_minute: of.per_minute,
                tariff: tariff(of.cost_micro, &of.currency)?,
            })?));
        }
        Ok(made)
    }

    fn smtp(&self) -> anyhow::Result<SmtpGateway> {
        let of = &self.email;
        let login = match of.user.as_str() {
            "" => None,
            user => Some((user.to_owned(), secret("password_file", &of.password_file)?)),
        };
        Ok(SmtpGateway::new(SmtpSettings {
            name: "email".into(),
            host: of.host.clone(),
            port: of.port,
            tls: match of.tls.as_str() {
                "none" => SmtpTls::None,
                "wrapped" => SmtpTls::Wrapped,
                _ => SmtpTls::Start,
            },
            login,
            from: of.from.clone(),
            returns: of.returns.clone(),
            maildir: (!of.maildir.is_empty()).then(|| of.maildir.clone().into()),
            per_minute: of.per_minute,
            tariff: tariff(of.cost_micro, &of.currency)?,
        })?)
    }
}
