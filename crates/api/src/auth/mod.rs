//! Who is asking and what he may do. Deny by default: a request passes only when the role table
//! names its route and the caller's role.

mod entitled;
mod first_admin;
mod guard;
mod guessers;
mod keys;
mod me;
mod password;
mod replaced;
mod roles;
mod secrets;
mod session_cache;
mod sessions;
mod throttle;
mod tickets;
mod token;
mod totp;

pub use first_admin::{GeneratedPassword, create_first_admin, generate_password};
pub use guessers::network;
pub use password::{Hasher, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS, hash_password};
pub use roles::{Access, RouteAccess, route_table};
pub use secrets::{ApiSecrets, TokenKey};

pub(crate) use entitled::entitled;
pub(crate) use guard::{Caller, Source, bad_origin, guard, origin_ok};
pub(crate) use guessers::Guessers;
pub(crate) use password::check_new_password;
pub(crate) use replaced::Replaced;
pub(crate) use roles::lookup;
pub(crate) use secrets::LINKS;
pub(crate) use session_cache::SessionCache;
pub(crate) use sessions::end_all_of;
pub(crate) use throttle::Throttle;
pub(crate) use tickets::Tickets;
pub(crate) use totp::UsedOtps;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of sign-in and what belongs to it.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(sessions::routes())
        .merge(me::routes())
        .merge(keys::routes())
        .merge(tickets::routes())
}
