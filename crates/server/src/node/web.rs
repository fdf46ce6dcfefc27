//! The listening socket of screens and API.

use super::door;
use super::tls::TlsListener;
use api::ApiState;
use axum::serve::ListenerExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::ServerConfig;

/// Binds the address of the screens.
///
/// # Errors
/// Says whether the address is wrong, or taken by another program.
pub(crate) async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is in use by another program (another marcador?): stop it or choose another address with [http] bind or --http"
        ),
        _ => anyhow::anyhow!("[http] bind {address}: {e}"),
    })
}

/// A server at work.
pub(crate) struct Served {
    api: ApiState,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    resuming: JoinHandle<()>,
}

/// Between two looks for files whose work broke off.
const RESUME_EVERY: Duration = Duration::from_secs(30);

/// Goes on with files whose work broke off, here before or at a server that died.
async fn resume(api: ApiState) {
    loop {
        api.resume_imports().await;
        tokio::time::sleep(RESUME_EVERY).await;
    }
}

/// Serves the API and, where asked, the screens.
///
/// # Errors
/// When the listener has no address.
pub(crate) fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    api: ApiState,
    screens: bool,
) -> std::io::Result<Served> {
    let mut app = api::router(api.clone());
    if screens {
        app = app.fallback_service(web::service());
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let proxies = api.trusted_proxies().to_vec();
    let task = match tls {
        Some(config) => {
            let listener = TlsListener::new(listener, config)?;
            tokio::spawn(door::serve(listener, app, proxies, stopped))
        }
        None => {
            // A card is small and may follow other small frames: it may not wait for their acknowledgement.
            let listener = listener.tap_io(|stream| {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection without TCP_NODELAY");
                }
            });
            tokio::spawn(door::serve(listener, app, proxies, stopped))
        }
    };
    let resuming = tokio::spawn(resume(api.clone()));
    Ok(Served {
        api,
        stop,
        task,
        resuming,
    })
}

impl Served {
    /// Takes no new connections and waits for the open ones, at most so long.
    pub(crate) async fn end(self, most: Duration) {
        // What it is at goes on with the next server.
        self.resuming.abort();
        let _ = self.stop.send(());
        self.api.stop_sockets();
        let mut task = self.task;
        if tokio::time::timeout(most, &mut task).await.is_err() {
            task.abort();
        }
    }
}
