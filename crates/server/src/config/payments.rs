//! `[payments]`: who takes money for us.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// `[payments]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payments {
    /// `stripe`, or empty.
    pub provider: String,
    /// Address at which debtors reach this server; needed with a provider. Empty: as the request came that
    /// makes a link.
    pub public_url: String,
    /// File with the provider's secret key.
    pub key_file: String,
    /// File with the secrets of the webhook's endpoint, one a line.
    pub webhook_secret_file: String,
    /// The provider's address; empty: its own.
    pub api: String,
}

fn secrets_of(key: &str, path: &str) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("[payments] {key} {path}"))?;
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    anyhow::ensure!(
        !lines.is_empty(),
        "[payments] {key} {path}: expected a secret"
    );
    Ok(lines)
}

impl Payments {
    /// What is wrong in it.
    pub(super) fn faults(&self, faults: &mut Vec<&'static str>) {
        if !matches!(self.provider.as_str(), "" | "stripe") {
            faults.push("[payments] provider: expected \"\" or \"stripe\"");
        }
        let has = !self.key_file.is_empty() && !self.webhook_secret_file.is_empty();
        if !self.provider.is_empty() && !has {
            faults.push("[payments] key_file, webhook_secret_file: expected with provider");
        }
        let web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if !self.provider.is_empty() && self.public_url.is_empty() {
            faults.push(
                "[payments] public_url: expected with provider, as https://pagos.example.com",
            );
        }
        if !self.public_url.is_empty() && !web(&self.public_url) {
            faults.push("[payments] public_url: expected as https://pagos.example.com");
        }
        if !self.api.is_empty() && !web(&self.api) {
            faults.push("[payments] api: expected as https://api.stripe.com");
        }
    }

    /// What the front needs of it.
    ///
    /// # Errors
    /// A secret that cannot be read.
    pub(crate) fn open(&self) -> anyhow::Result<api::MoneyConfig> {
        let public_url = (!self.public_url.is_empty()).then(|| self.public_url.clone());
        if self.provider.is_empty() {
            return Ok(api::MoneyConfig {
                provider: None,
                public_url,
            });
        }
        let api = if self.api.is_empty() {
            gateways::payments::STRIPE_API.to_owned()
        } else {
            self.api.trim_end_matches('/').to_owned()
        };
        let mut keys = secrets_of("key_file", &self.key_file)?;
        let stripe = gateways::payments::Stripe::new(gateways::payments::StripeConfig {
            secret_key: keys.remove(0),
            webhook_secrets: secrets_of("webhook_secret_file", &self.webhook_secret_file)?,
            api,
        })?;
        Ok(api::MoneyConfig {
            provider: Some(std::sync::Arc::new(stripe)),
            public_url,
        })
    }
}
