//! Whether someone who was let in may still stay: asked again while a socket or a stream is open,
//! and at every request of an API key.

use super::guard::Caller;
use super::roles::lookup;
use crate::ApiState;
use axum::http::Method;
use domain::entity::User;
use domain::ports::StoreError;
use domain::ports::store::ApiKey;

/// Where keys are made; who may use this route may have keys.
const KEYS: &str = "/api/v1/api-keys";

/// Whether the one who made a key is still there and could make it again.
pub(super) fn maker_may(user: &User, key: &ApiKey) -> bool {
    let makes = lookup(&Method::POST, KEYS).is_some_and(|a| a.permits(user.role));
    let sees = user.client_id.is_none() || user.client_id == key.client_id;
    user.active && makes && sees
}

/// Whether the caller's session or key lives and its user still is what it says.
pub(crate) async fn entitled(state: &ApiState, caller: &Caller) -> Result<bool, StoreError> {
    let user = match state.store.get_user(caller.user).await {
        Ok(user) => user,
        Err(StoreError::NotFound(_)) => return Ok(false),
        Err(other) => return Err(other),
    };
    match (caller.session, caller.key) {
        (Some(session), _) => {
            let same = user.active && user.role == caller.role && user.client_id == caller.client;
            Ok(same && state.store.session_alive(session, state.now()).await?)
        }
        (None, Some(id)) => {
            let keys = state.store.list_api_keys().await?;
            Ok(keys
                .iter()
                .any(|k| k.id == id && k.revoked_at.is_none() && maker_may(&user, k)))
        }
        (None, None) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::Role;
    use domain::ids::{ApiKeyId, ClientId, UserId};
    use domain::time::UtcMs;
    use uuid::Uuid;

    #[test]
    fn a_key_goes_with_the_one_who_made_it() {
        let client = ClientId(Uuid::from_u128(3));
        let key = |client_id| ApiKey {
            id: ApiKeyId(Uuid::from_u128(1)),
            user_id: UserId(Uuid::from_u128(2)),
            name: "export".into(),
            role: Role::Supervisor,
            client_id,
            key_hash: String::new(),
            created_at: UtcMs(0),
            revoked_at: None,
        };
        let maker = |role, client_id, active| User {
            id: UserId(Uuid::from_u128(2)),
            username: "admin".into(),
            display_name: "Admin".into(),
            role,
            client_id,
            password_hash: String::new(),
            totp_secret: None,
            active,
            created_at: UtcMs(0),
        };
        assert!(maker_may(&maker(Role::Admin, None, true), &key(None)));
        assert!(maker_may(
            &maker(Role::Admin, None, true),
            &key(Some(client))
        ));
        assert!(!maker_may(&maker(Role::Admin, None, false), &key(None)));
        assert!(!maker_may(&maker(Role::Agent, None, true), &key(None)));
        assert!(!maker_may(
            &maker(Role::Admin, Some(client), true),
            &key(None)
        ));
        assert!(maker_may(
            &maker(Role::Admin, Some(client), true),
            &key(Some(client))
        ));
    }
}
