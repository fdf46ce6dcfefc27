//! Connections of screens and programmes: so many at once, in all and of one address, and none that
//! keeps us waiting for the head of its request (faults.md promise 20).

use api::network;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// Longest time for the head of a request, from the connection or from the reply before it.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// Longest head, and piece of a body read at once, bytes.
const HEAD_MAX_BYTES: usize = 16 * 1_024;
/// Connections at once; further ones are closed. Websockets are counted until they are upgraded.
const CONNECTIONS: usize = 4_096;
/// Connections at once of one address (an office behind one address has a few for each person).
const CONNECTIONS_PER_SOURCE: usize = 1_024;

/// Who is here, by address.
#[derive(Clone)]
pub(super) struct Room {
    whole: usize,
    each: usize,
    /// Proxies stand for many visitors: they have no limit of their own.
    proxies: Arc<[IpAddr]>,
    here: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Room {
    /// Room for `whole` guests, `each` of one address (an IPv6 /64 is one).
    pub(super) fn new(whole: usize, each: usize, proxies: &[IpAddr]) -> Self {
        Self {
            whole,
            each,
            proxies: proxies.into(),
            here: Arc::default(),
        }
    }

    /// Takes one in, where there is room.
    pub(super) fn enter(&self, ip: IpAddr) -> Option<Guest> {
        let source = network(ip);
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let full = here.get(&source).is_some_and(|n| *n >= self.each);
        let whole: usize = here.values().sum();
        if whole >= self.whole || (full && !self.proxies.contains(&ip)) {
            return None;
        }
        *here.entry(source).or_insert(0) += 1;
        Some(Guest {
            of: self.clone(),
            source,
        })
    }
}

/// One of those inside; its place is free again when it is dropped.
pub(super) struct Guest {
    of: Room,
    source: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut here = self.of.here.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = here.get_mut(&self.source) {
            *own -= 1;
            if *own == 0 {
                here.remove(&self.source);
            }
        }
    }
}

/// Serves `app` at `listener` until `stop`, then lets the open requests end.
pub(super) async fn serve<L>(
    mut listener: L,
    app: Router,
    proxies: Vec<IpAddr>,
    mut stop: oneshot::Receiver<()>,
) where
    L: Listener<Addr = SocketAddr>,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_MAX_BYTES);
    let room = Room::new(CONNECTIONS, CONNECTIONS_PER_SOURCE, &proxies);
    let (closes, closing) = watch::channel(());
    let mut open = JoinSet::new();
    loop {
        let (stream, from) = tokio::select! {
            // A dropped sender ends it too.
            _ = &mut stop => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Some(guest) = room.enter(from.ip()) else {
            continue;
        };
        let app = app.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(from));
            app.clone().oneshot(request)
        });
        let connection = http
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut closing = closing.clone();
        open.spawn(async move {
            let _guest = guest;
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                // Told or dropped: the reply under way is the last one.
                _ = closing.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    drop(listener);
    drop(closes);
    while open.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    #[test]
    fn one_source_cannot_take_every_place() {
        let proxy = IpAddr::from([10, 0, 0, 9]);
        let room = Room::new(8, 2, &[proxy]);
        let (rude, other) = (IpAddr::from([6, 6, 6, 6]), IpAddr::from([10, 0, 0, 1]));
        let held: Vec<_> = (0..2).map(|_| room.enter(rude).expect("room")).collect();
        assert!(room.enter(rude).is_none());
        let _other = room.enter(other).expect("room");
        let proxied: Vec<_> = (0..4).map(|_| room.enter(proxy).expect("room")).collect();
        let _last = room.enter(other).expect("room");
        assert!(room.enter(proxy).is_none(), "the house is full");
        drop((held, proxied));
        assert!(room.enter(rude).is_some());
    }

    async fn door() -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let app = Router::new().route(
            "/",
            axum::routing::get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move {
                from.ip().to_string()
            }),
        );
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, app, Vec::new(), stopped));
        (address, stop, task)
    }

    async fn answer(address: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(head.as_bytes()).await.expect("asks");
        let mut text = String::new();
        // A refused head may end in a reset after the reply.
        let _ = stream.read_to_string(&mut text).await;
        text
    }

    #[tokio::test]
    async fn pages_are_served_and_long_heads_are_not() {
        let (address, stop, task) = door().await;
        let page = answer(
            address,
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(
            page.starts_with("HTTP/1.1 200") && page.ends_with("127.0.0.1"),
            "{page}"
        );
        let long = format!(
            "GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
            "x".repeat(HEAD_MAX_BYTES)
        );
        let refused = answer(address, &long).await;
        assert!(
            refused.is_empty() || refused.starts_with("HTTP/1.1 431"),
            "{refused}"
        );
        stop.send(()).expect("running");
        task.await.expect("ended");
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_head_is_not_waited_for() {
        let (address, _stop, _task) = door().await;
        let begun = tokio::time::Instant::now();
        let mut slow = TcpStream::connect(address).await.expect("connects");
        slow.write_all(b"GET / HTTP/1.1\r\nHost")
            .await
            .expect("asks");
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await;
        assert!(begun.elapsed() >= HEAD_MAX, "cut by the limit, not before");
    }
}
