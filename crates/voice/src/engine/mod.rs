//! The signalling thread: one SIP endpoint, its sockets, the calls and the agents' legs.
//!
//! One thread owns everything and waits on what may happen: octets, happenings of the media threads,
//! orders, names looked up, timers. Nothing here blocks; what takes time is done elsewhere and told.

mod again;
mod agents;
mod browsers;
mod calls;
mod core;
mod events;
mod farewell;
mod fault;
mod inbound;
mod keys;
mod legs;
mod meter;
mod obey;
mod opening;
mod order;
mod orphans;
mod outbox;
mod parties;
mod reconnect;
mod refers;
mod route;
mod shown;
mod silence;
mod swaps;
mod taken;
mod toll;
mod trail;
mod trunks;

pub(crate) use core::reached_at;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use keys::info_key;
pub(crate) use order::{Command, Order};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use trail::{call_of, followed};

use crate::config::{SipTransport, VoiceConfig};
use crate::webrtc::Front;
use crate::{VoiceError, limits};
use domain::ports::TrunkReport;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Opens the sockets and starts the threads; returns the bound addresses. What is told is carried on by a task where this
/// is called.
pub(crate) async fn start(
    config: VoiceConfig,
    front: Option<Arc<Front>>,
    inbox: mpsc::Receiver<Order>,
    reports: mpsc::Sender<TrunkReport>,
) -> Result<Vec<(SipTransport, SocketAddr)>, VoiceError> {
    let (ready, opened) = oneshot::channel();
    let (line, told) = mpsc::channel(limits::REPORT_BATCHES);
    tokio::spawn(outbox::carry(told, reports));
    let fail = |source| VoiceError::Thread {
        what: "sip",
        source,
    };
    std::thread::Builder::new()
        .name("sip".to_owned())
        .spawn(move || serve((config, front), inbox, line, ready))
        .map_err(fail)?;
    opened
        .await
        .unwrap_or_else(|_| Err(fail(std::io::Error::other("ended at once"))))
}

fn serve(
    (config, front): (VoiceConfig, Option<Arc<Front>>),
    inbox: mpsc::Receiver<Order>,
    line: mpsc::Sender<outbox::Batch>,
    ready: oneshot::Sender<Result<Vec<(SipTransport, SocketAddr)>, VoiceError>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(source) => {
            let _ = ready.send(Err(VoiceError::Thread {
                what: "sip",
                source,
            }));
            return;
        }
    };
    runtime.block_on(async {
        match core::Engine::open(config, front, line).await {
            Ok((engine, ears)) => {
                let _ = ready.send(Ok(engine.net.addrs().to_vec()));
                engine.run(ears, inbox).await;
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    // A look-up that hangs must not hold the end up.
    runtime.shutdown_background();
}
