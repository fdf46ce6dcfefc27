//! Message gateways behind the port [`domain::ports::Messenger`].

mod answer;
mod dsn;
mod folder;
mod html;
mod smtp;
mod twilio;
mod web;
mod whatsapp;

pub use folder::FolderGateway;
pub use smtp::{SmtpGateway, SmtpSettings, SmtpTls};
pub use twilio::{TwilioGateway, TwilioSettings};
pub use whatsapp::{WhatsappGateway, WhatsappSettings};

use domain::money::Currency;

/// What a message of a gateway costs, as agreed with the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tariff {
    /// Millionths of `currency` a message.
    pub cost_micro: i64,
    /// Its currency; `None` = free or not known.
    pub currency: Option<Currency>,
}

/// Why a gateway cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway {name}: {reason}")]
pub struct GatewayError {
    /// Name in the configuration.
    pub name: String,
    /// What is wrong and what would be right; no secret.
    pub reason: String,
}

impl GatewayError {
    fn new(name: &str, reason: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            reason: reason.into(),
        }
    }
}
