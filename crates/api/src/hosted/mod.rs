//! Small pages for people outside the house: server-rendered, without scripts, for a phone first. What they
//! open is named by a signed address (`domain::link`); nothing of a debt is shown before identity is proved.

mod agree;
mod html;
mod identity;
mod pay;

use crate::ApiState;
use crate::auth::{ApiSecrets, LINKS};
use axum::http::{HeaderMap, header};
use domain::link::{LinkKey, LinkKind};
use domain::time::UtcMs;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

pub(crate) use html::{Page, safe};

/// Routes outside `/api/v1`.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(html::routes())
        .merge(pay::routes())
        .merge(agree::routes())
}

/// Signs and reads addresses; a key that was changed still reads.
pub(crate) struct Links(Vec<LinkKey>);

impl Links {
    /// The keys that follow from the installation's secrets.
    pub(crate) fn of(secrets: &ApiSecrets) -> Result<Self, domain::ValueError> {
        let keys = secrets.derived(LINKS);
        Ok(Self(
            keys.iter()
                .map(|k| LinkKey::new(k))
                .collect::<Result<_, _>>()?,
        ))
    }

    /// A token for a row until an instant.
    pub(crate) fn sign(&self, kind: LinkKind, id: Uuid, expires: UtcMs) -> String {
        let key = self.0.first().expect("secrets are checked to have a key");
        key.sign(kind, id, expires)
    }

    /// The row of a token of that kind and when it ends, if it is whole and ours.
    pub(crate) fn read(&self, kind: LinkKind, token: &str) -> Option<(Uuid, UtcMs)> {
        self.0.iter().find_map(|key| key.verify(kind, token))
    }
}

impl ApiState {
    /// Signs and reads the addresses of pages.
    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// Where pages are reached from outside: as configured, else as this request came.
    pub(crate) fn public_url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.config.money.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
        let scheme = if self.config.secure_cookies {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", host.unwrap_or("localhost"))
    }
}
