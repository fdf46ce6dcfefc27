//! The listening socket of screens and API.

use super::tls::TlsListener;
use api::ApiState;
use axum::serve::ListenerExt as _;
use std::net::SocketAddr;
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
pub(super) struct Served {
    api: ApiState,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

/// Serves the API and, where asked, the screens.
pub(super) fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    api: ApiState,
    screens: bool,
) -> Served {
    let mut app = api::router(api.clone());
    if screens {
        app = app.fallback_service(web::service());
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let end = async {
        // A dropped sender ends it too.
        let _ = stopped.await;
    };
    if let Some(config) = tls {
        let app = app.layer(axum::middleware::map_request(super::tls::addressed));
        let app = app.into_make_service_with_connect_info::<super::tls::Remote>();
        let task = tokio::spawn(async move {
            let listener = TlsListener::new(listener, config)?;
            axum::serve(listener, app).with_graceful_shutdown(end).await
        });
        return Served { api, stop, task };
    }
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    // A card is small and may follow other small frames: it may not wait for their acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
    });
    let task =
        tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(end).await });
    Served { api, stop, task }
}

impl Served {
    /// Takes no new connections and waits for the open ones, at most so long.
    pub(super) async fn end(self, most: Duration) {
        let _ = self.stop.send(());
        self.api.stop_sockets();
        let mut task = self.task;
        if tokio::time::timeout(most, &mut task).await.is_err() {
            task.abort();
        }
    }
}
