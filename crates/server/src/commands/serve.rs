//! `marcador serve`: the product.

use super::read_config;
use crate::cli::ConfigArgs;
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use crate::node::{Kind, Node, Parts, listen, open_for_calls};
use crate::secrets;
use crate::signals::Signals;
use std::path::Path;
use std::sync::Arc;

/// Runs until TERM or Ctrl-C, then lets calls end; a second signal ends at once. A node whose telephone side has ended
/// ends as failed: who watches over it starts it anew, which nobody does at night for one that stays.
pub(crate) async fn run(args: &ConfigArgs) -> Result<(), Failure> {
    let config = read_config(args)?;
    if !config.node.roles.iter().any(|r| r == "dial") {
        return Err(Failure::usage(anyhow::anyhow!(
            "[node] roles: this version needs 'dial' on every node"
        )));
    }
    let mut signals = Signals::new()?;
    let listener = listen(&config.http.bind).await?;
    let (calls, store) = open_for_calls(&config.database).await?;
    let clock = Arc::new(NodeClock::system());
    let pepper = secrets::load_or_make(Path::new(&config.auth.secret_file))?.pepper;
    let admin = api::auth::create_first_admin(&*store, &*clock, &RandomIds, &pepper)
        .await
        .map_err(anyhow::Error::from)?;
    if let Some(admin) = admin {
        // Printed, never logged: the only time this password is seen.
        super::say(format!(
            "first start: sign in as '{}' with password '{}' (shown once)",
            admin.username, admin.password
        ));
    }
    let drain_ms = i64::try_from(config.limits.drain_s.saturating_mul(1_000)).unwrap_or(i64::MAX);
    let parts = Parts {
        config: &config,
        kind: Kind::Product,
        store,
        calls,
        clock,
        listener,
        drain_ms,
    };
    let node = Node::start(parts).await?;
    let scheme = if config.http.tls.is_on() {
        "https"
    } else {
        "http"
    };
    super::say(format!("screens and API: {scheme}://{}", node.http));
    tracing::info!(http = %node.http, sip = %node.sip, trunks = config.trunks.len(), "marcador serves");
    tokio::select! {
        () = signals.next() => {}
        () = node.voice_ended() => {
            node.stop().await;
            return Err(Failure::from(anyhow::anyhow!(
                "the telephone side ended by a fault: start the node anew"
            )));
        }
    }
    tracing::info!(
        "stopping: no new calls, waiting for those that are up; another signal ends them"
    );
    tokio::select! {
        () = node.drain() => tracing::info!("no call is left"),
        () = signals.next() => tracing::warn!("ended before all calls were over"),
    }
    node.stop().await;
    Ok(())
}
