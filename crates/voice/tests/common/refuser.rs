//! A far end that refuses.

use sip::msg::{HeaderName, Message, Method, Response, parse_datagram};
use std::net::SocketAddr;

/// A far end that answers every INVITE with one refusal, and shows what it got.
pub struct Refuser {
    pub addr: SocketAddr,
    pub invites: tokio::sync::mpsc::Receiver<sip::msg::Request>,
}

impl Refuser {
    /// `more`: one header of the refusal besides those of every answer, by its own address.
    pub async fn start(
        code: u16,
        more: impl Fn(SocketAddr) -> Option<(HeaderName, String)> + Send + 'static,
    ) -> Self {
        Self::answering((code, 200), more).await
    }

    /// Refuses whatever it is asked.
    pub async fn refuses_all(code: u16) -> Self {
        Self::answering((code, code), |_| None).await
    }

    async fn answering(
        (code, others): (u16, u16),
        more: impl Fn(SocketAddr) -> Option<(HeaderName, String)> + Send + 'static,
    ) -> Self {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0")
            .await
            .expect("port");
        let addr = socket.local_addr().expect("address");
        let (tell, invites) = tokio::sync::mpsc::channel(16);
        tokio::spawn(async move {
            let mut buffer = vec![0; 65_535];
            loop {
                let (n, from) = socket.recv_from(&mut buffer).await.expect("reads");
                let octets = bytes::Bytes::copy_from_slice(&buffer[..n]);
                let Ok(Message::Request(request)) = parse_datagram(&octets) else {
                    continue;
                };
                if request.method == Method::Ack {
                    continue;
                }
                let invite = request.method == Method::Invite;
                let mut response = Response::new(if invite { code } else { others });
                for name in [
                    HeaderName::Via,
                    HeaderName::From,
                    HeaderName::To,
                    HeaderName::CallId,
                    HeaderName::CSeq,
                ] {
                    for value in request.headers.all(&name) {
                        response.headers.push(name.clone(), value.clone());
                    }
                }
                if let Some((name, value)) = more(addr) {
                    response.headers.push(name, value);
                }
                socket
                    .send_to(&response.to_bytes(), from)
                    .await
                    .expect("sends");
                if invite {
                    let _ = tell.try_send(request);
                }
            }
        });
        Self { addr, invites }
    }

    pub async fn sends_to(number: &str, to: SocketAddr) -> Self {
        let contact = format!("<sip:+5255@10.9.9.9>;q=0.9, <sip:{number}@{to}>;q=0.5");
        Self::redirects(move |_| contact.clone()).await
    }

    /// 302 to the contact it makes of its own address.
    pub async fn redirects(contact: impl Fn(SocketAddr) -> String + Send + 'static) -> Self {
        Self::start(302, move |own| Some((HeaderName::Contact, contact(own)))).await
    }
}
