//! Sign-in: users, sessions, keys, wrong guesses, kept replies.

use super::scene::*;
use domain::entity::{Agent, Role, User};
use domain::ids::{AgentId, ApiKeyId, SessionId, UserId};
use domain::ports::store::{
    ApiKey, IDEMPOTENT_CLAIM_MS, IdempotentReply, IdempotentTaken, LoginFailures, RefreshOutcome,
    SessionRow,
};
use domain::time::{DAY_MS, MINUTE_MS};
use std::sync::Arc;

/// Runs the group.
pub async fn all(store: Subject) {
    users_are_found(&store).await;
    refresh_tokens_rotate(&store).await;
    all_sign_ins_of_a_user_end_but_one(&store).await;
    a_used_token_ends_the_family(&store).await;
    keys_are_found_until_revoked(&store).await;
    wrong_guesses_are_counted(&store).await;
    guesses_that_come_at_once_are_counted_each(&store).await;
    replies_are_kept_a_day(&store).await;
    a_key_is_not_kept_for_the_dead(&store).await;
}

async fn users_are_found(store: &Subject) {
    let before = store.user_count().await.expect("count");
    let user = User {
        id: fresh::<UserId>(),
        username: name("eva"),
        display_name: "Eva".into(),
        role: Role::Agent,
        client_id: None,
        password_hash: "$argon2id$".into(),
        totp_secret: Some("JBSWY3DP".into()),
        active: true,
        created_at: NOW,
    };
    store.put_user(&user, &[]).await.expect("user");
    assert_eq!(store.user_count().await.expect("count"), before + 1);
    let found = store.user_by_name(&user.username).await.expect("by name");
    assert_eq!(found, Some(user.clone()), "with its secrets");
    assert_eq!(
        store.user_by_name(&name("nobody")).await.expect("by name"),
        None
    );
    assert_eq!(store.agent_of_user(user.id).await.expect("agent"), None);
    let agent = Agent {
        id: fresh::<AgentId>(),
        user_id: user.id,
        team_id: None,
        name: "Eva".into(),
        sip_user: name("sip"),
        sip_password: "secret".into(),
        campaigns: vec![],
        skills: vec![],
        created_at: NOW,
    };
    store.put_agent(&agent, &[]).await.expect("agent");
    assert_eq!(
        store.agent_of_user(user.id).await.expect("agent"),
        Some(agent)
    );
}

async fn open(store: &Subject) -> SessionRow {
    let row = SessionRow {
        id: fresh::<SessionId>(),
        user_id: fresh::<UserId>(),
        refresh_hash: name("token"),
        expires_at: NOW.plus_ms(DAY_MS),
    };
    store.open_session(&row, NOW).await.expect("open");
    row
}

async fn all_sign_ins_of_a_user_end_but_one(store: &Subject) {
    let first = open(store).await;
    let other = open(store).await;
    let kept = SessionRow {
        id: fresh::<SessionId>(),
        user_id: first.user_id,
        refresh_hash: name("token"),
        expires_at: NOW.plus_ms(DAY_MS),
    };
    store.open_session(&kept, NOW).await.expect("open");
    let ended = store
        .end_sessions_of(first.user_id, Some(kept.id))
        .await
        .expect("ended");
    assert_eq!(ended, [first.id]);
    for (row, alive) in [(&first, false), (&kept, true), (&other, true)] {
        assert_eq!(
            store.session_alive(row.id, NOW).await.expect("alive"),
            alive
        );
    }
    let ended = store.end_sessions_of(first.user_id, None).await;
    assert_eq!(ended.expect("ended"), [kept.id]);
    // What is over goes when the next one signs in: its token is unknown then, not reused.
    let over = SessionRow {
        id: fresh::<SessionId>(),
        expires_at: NOW.plus_ms(10),
        refresh_hash: name("token"),
        ..first
    };
    store.open_session(&over, NOW).await.expect("open");
    let next = SessionRow {
        id: fresh::<SessionId>(),
        expires_at: NOW.plus_ms(20),
        refresh_hash: name("token"),
        ..over.clone()
    };
    store
        .open_session(&next, NOW.plus_ms(10))
        .await
        .expect("open");
    let left = store
        .end_sessions_of(over.user_id, None)
        .await
        .expect("ended");
    assert_eq!(left, [next.id]);
}

async fn refresh_tokens_rotate(store: &Subject) {
    let row = open(store).await;
    let end = row.expires_at;
    assert!(
        store
            .session_alive(row.id, end.plus_ms(-1))
            .await
            .expect("alive")
    );
    assert!(
        !store.session_alive(row.id, end).await.expect("alive"),
        "half-open"
    );
    let fresh_hash = name("token");
    let rotated = store
        .rotate_session(&row.refresh_hash, &fresh_hash, NOW)
        .await
        .expect("rotate");
    let RefreshOutcome::Rotated(now) = rotated else {
        panic!("expected Rotated, got {rotated:?}");
    };
    assert_eq!(
        (now.id, now.user_id, now.expires_at),
        (row.id, row.user_id, row.expires_at)
    );
    assert_eq!(now.refresh_hash, fresh_hash);
    let late = store
        .rotate_session(&fresh_hash, &name("token"), end)
        .await
        .expect("rotate");
    assert!(matches!(late, RefreshOutcome::Unknown), "{late:?}");
    let unknown = store
        .rotate_session(&name("token"), &name("token"), NOW)
        .await
        .expect("rotate");
    assert!(matches!(unknown, RefreshOutcome::Unknown), "{unknown:?}");
    store.end_session(row.id).await.expect("end");
    assert!(!store.session_alive(row.id, NOW).await.expect("alive"));
    let gone = store
        .rotate_session(&fresh_hash, &name("token"), NOW)
        .await
        .expect("rotate");
    assert!(matches!(gone, RefreshOutcome::Unknown), "{gone:?}");
    store.end_session(row.id).await.expect("again is no fault");
}

async fn a_used_token_ends_the_family(store: &Subject) {
    let (row, other) = (open(store).await, open(store).await);
    let (second, third) = (name("token"), name("token"));
    for (presented, fresh_hash) in [(&row.refresh_hash, &second), (&second, &third)] {
        let rotated = store
            .rotate_session(presented, fresh_hash, NOW)
            .await
            .expect("rotate");
        assert!(matches!(rotated, RefreshOutcome::Rotated(_)), "{rotated:?}");
    }
    let stolen = store
        .rotate_session(&row.refresh_hash, &name("token"), NOW)
        .await
        .expect("rotate");
    assert!(matches!(stolen, RefreshOutcome::Reused), "{stolen:?}");
    assert!(!store.session_alive(row.id, NOW).await.expect("alive"));
    let rightful = store
        .rotate_session(&third, &name("token"), NOW)
        .await
        .expect("rotate");
    assert!(
        matches!(rightful, RefreshOutcome::Unknown),
        "the whole family is over: {rightful:?}"
    );
    assert!(
        store.session_alive(other.id, NOW).await.expect("alive"),
        "other families go on"
    );
}

async fn keys_are_found_until_revoked(store: &Subject) {
    let mut key = ApiKey {
        id: fresh::<ApiKeyId>(),
        user_id: fresh::<UserId>(),
        name: "nightly import".into(),
        role: Role::Manager,
        client_id: None,
        key_hash: name("hash"),
        created_at: NOW,
        revoked_at: None,
    };
    store.put_api_key(&key).await.expect("put");
    assert_eq!(
        store.api_key_by_hash(&key.key_hash).await.expect("get"),
        Some(key.clone())
    );
    assert_eq!(
        store.api_key_by_hash(&name("hash")).await.expect("get"),
        None
    );
    key.revoked_at = Some(NOW);
    store.put_api_key(&key).await.expect("put");
    assert_eq!(
        store.api_key_by_hash(&key.key_hash).await.expect("get"),
        None
    );
    let all = store.list_api_keys().await.expect("list");
    assert_eq!(
        all.into_iter()
            .filter(|k| k.id == key.id)
            .collect::<Vec<_>>(),
        vec![key]
    );
}

async fn wrong_guesses_are_counted(store: &Subject) {
    let key = format!("{}|192.0.2.7", name("account"));
    assert_eq!(
        store.login_failures(&key).await.expect("get"),
        LoginFailures::default()
    );
    for count in [1, 7, 0] {
        let value = LoginFailures {
            count,
            last_at: NOW,
        };
        store.set_login_failures(&key, value).await.expect("set");
        let want = if count == 0 {
            LoginFailures::default()
        } else {
            value
        };
        assert_eq!(store.login_failures(&key).await.expect("get"), want);
    }
}

async fn guesses_that_come_at_once_are_counted_each(store: &Subject) {
    let key = format!("agreement:{}", name("plan"));
    let take = || store.take_guess(&key, 5, NOW);
    let (a, b, c, d, e, f, g) =
        tokio::join!(take(), take(), take(), take(), take(), take(), take());
    let taken = [a, b, c, d, e, f, g].map(|t| t.expect("taken"));
    assert_eq!(taken.iter().filter(|t| **t).count(), 5, "{taken:?}");
    let guesses = store.login_failures(&key).await.expect("get");
    assert_eq!((guesses.count, guesses.last_at), (5, NOW));
    let none = LoginFailures {
        count: 0,
        last_at: NOW,
    };
    store.set_login_failures(&key, none).await.expect("set");
    assert!(take().await.expect("taken"), "given back");
}

async fn replies_are_kept_a_day(store: &Subject) {
    let (user, key) = (name("user"), name("key"));
    let reply = |body: &str| IdempotentReply {
        status: 201,
        body: body.into(),
        request_hash: "ab".into(),
    };
    let take = |key: String, at| {
        let (store, user) = (Arc::clone(store), user.clone());
        async move {
            store
                .idempotent_take(&user, &key, "ab", at)
                .await
                .expect("works")
        }
    };
    // One of two nodes that ask at once has it.
    let both = tokio::join!(take(key.clone(), NOW), take(key.clone(), NOW));
    assert!(
        matches!(
            both,
            (IdempotentTaken::Yours, IdempotentTaken::Running)
                | (IdempotentTaken::Running, IdempotentTaken::Yours)
        ),
        "{both:?}"
    );
    // What came to nothing is let go; what nobody was heard of for long is a dead node's.
    store.idempotent_drop(&user, &key).await.expect("works");
    assert_eq!(take(key.clone(), NOW).await, IdempotentTaken::Yours);
    let late = NOW.plus_ms(IDEMPOTENT_CLAIM_MS);
    let soon = late.plus_ms(-1);
    assert_eq!(take(key.clone(), soon).await, IdempotentTaken::Running);
    assert_eq!(take(key.clone(), late).await, IdempotentTaken::Yours);
    for body in ["first", "second"] {
        let kept = store.idempotent_put(&user, &key, &reply(body), NOW).await;
        kept.expect("put");
    }
    store.idempotent_drop(&user, &key).await.expect("works");
    let first = IdempotentTaken::Done(reply("first"));
    let day = NOW.plus_ms(DAY_MS);
    assert_eq!(take(key.clone(), day.plus_ms(-1)).await, first, "it stays");
    assert_eq!(take(key.clone(), day).await, IdempotentTaken::Yours);
    let other = store.idempotent_take(&name("user"), &key, "ab", NOW).await;
    assert_eq!(other.expect("works"), IdempotentTaken::Yours, "by user");
}

/// A node that starts again has let its keys go.
async fn a_key_is_not_kept_for_the_dead(store: &Subject) {
    let (user, node, other) = (name("user"), name("node"), name("node"));
    let take = async |key: &str, at| {
        let taken = store.idempotent_take(&user, key, "ab", at).await;
        taken.expect("works")
    };
    let start = async |node: &str, at| {
        let started = store.register_node(node, at, MINUTE_MS).await;
        started.expect("starts")
    };
    start(&node, NOW).await;
    let key = name("key");
    assert_eq!(take(&key, NOW).await, IdempotentTaken::Yours);
    assert_eq!(take(&key, NOW).await, IdempotentTaken::Running);
    start(&other, NOW).await;
    let waits = take(&key, NOW).await;
    assert_eq!(waits, IdempotentTaken::Running, "that node lives");
    start(&node, NOW.plus_ms(1)).await;
    let again = take(&key, NOW.plus_ms(2)).await;
    assert_eq!(again, IdempotentTaken::Yours, "it started again");
    let again = take(&key, NOW.plus_ms(2)).await;
    assert_eq!(again, IdempotentTaken::Running, "once");
    let reply = IdempotentReply {
        status: 204,
        body: String::new(),
        request_hash: "ab".into(),
    };
    let kept = store.idempotent_put(&user, &key, &reply, NOW).await;
    kept.expect("put");
    start(&node, NOW.plus_ms(3)).await;
    let done = take(&key, NOW.plus_ms(3)).await;
    assert_eq!(done, IdempotentTaken::Done(reply), "what is done stays");
}
