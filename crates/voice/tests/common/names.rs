//! A name server of a test.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::UdpSocket;

/// Type of an address record, and of a record that says where a service is (RFC 2782).
const KINDS: (u16, u16) = (1, 33);
/// Octets before the question.
const HEADER: usize = 12;

/// What a name is.
#[derive(Debug, Clone, Copy)]
pub enum Record {
    At(Ipv4Addr),
    Served {
        priority: u16,
        port: u16,
        by: &'static str,
    },
}

impl Record {
    fn kind(self) -> u16 {
        match self {
            Self::At(_) => KINDS.0,
            Self::Served { .. } => KINDS.1,
        }
    }

    fn data(self) -> Vec<u8> {
        match self {
            Self::At(ip) => ip.octets().to_vec(),
            Self::Served { priority, port, by } => {
                let numbers = [priority, 0, port].map(u16::to_be_bytes);
                let mut data = numbers.concat();
                for label in by.split('.') {
                    data.push(u8::try_from(label.len()).expect("short"));
                    data.extend(label.as_bytes());
                }
                data.push(0);
                data
            }
        }
    }
}

/// Answers by UDP from a list; of what is not on it there is nothing. Its address.
pub async fn serve(records: Vec<(&'static str, Record)>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let addr = socket.local_addr().expect("address");
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
            let answer = answer(&buffer[..n], &records);
            let _ = socket.send_to(&answer, from).await;
        }
    });
    addr
}

fn answer(query: &[u8], records: &[(&str, Record)]) -> Vec<u8> {
    let (mut at, mut labels) = (HEADER, Vec::new());
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_ascii_lowercase());
        at = end;
    }
    let (name, end) = (labels.join("."), at + 5);
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let fits = |(of, record): &&(&str, Record)| *of == name && record.kind() == kind;
    let found: Vec<_> = records.iter().filter(fits).collect();
    let count = u16::try_from(found.len()).expect("few");
    // An answer of who knows, to one question.
    let mut out = [
        &query[..2],
        &[0x85, 0x80, 0, 1],
        &count.to_be_bytes(),
        &[0; 4],
    ]
    .concat();
    out.extend(&query[HEADER..end]);
    for (_, record) in found {
        let data = record.data();
        let length = u16::try_from(data.len()).expect("short");
        // The name asked for, the class of the Internet, for a minute.
        out.extend([0xc0, 0x0c]);
        out.extend(record.kind().to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(length.to_be_bytes());
        out.extend(data);
    }
    out
}
