//! The floor: a bare forwarder on epoll with a stereo WAV a call, and nothing else. No signalling,
//! no check of who sends, no counts, no jitter, one thread.

use super::args::ForwardArgs;
use super::child::say;
use anyhow::Context as _;
use rustix::event::{Timespec, epoll};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead as _, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stereo samples written at once: 32 KB.
const CHUNK: usize = 8_192;
/// How often it looks whether it is to end.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
const RTP_HEADER: usize = 12;

/// Far ends of each call: debtor, agent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Far {
    pub(super) pairs: Vec<(SocketAddr, SocketAddr)>,
}

/// Our ports for them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Near {
    pub(super) pairs: Vec<(SocketAddr, SocketAddr)>,
}

struct Side {
    socket: UdpSocket,
    far: SocketAddr,
}

struct Call {
    sides: [Side; 2],
    /// Interleaved: agent left, debtor right.
    window: Vec<i16>,
    /// Samples of each side in the window.
    filled: [usize; 2],
    file: File,
}

/// Carries it out: far ends on standard input, our ports on standard output, then packets until
/// standard input closes.
pub(super) fn run(args: &ForwardArgs) -> anyhow::Result<()> {
    let mut input = std::io::stdin().lock().lines();
    let line = input.next().context("no far ends")??;
    let far: Far = serde_json::from_str(&line)?;
    let mut calls = Vec::new();
    let mut near = Vec::new();
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for (n, (debtor, agent)) in far.pairs.into_iter().enumerate() {
        let call = Call::open(&args.dir, n, debtor, agent)?;
        for (side, data) in call.sides.iter().zip([2 * n, 2 * n + 1]) {
            let data = epoll::EventData::new_u64(data as u64);
            epoll::add(&epoll, side.socket.as_fd(), data, epoll::EventFlags::IN)?;
        }
        near.push((
            call.sides[0].socket.local_addr()?,
            call.sides[1].socket.local_addr()?,
        ));
        calls.push(call);
    }
    say(&Near { pairs: near })?;
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    std::thread::spawn(move || {
        while std::io::stdin().lock().lines().next().is_some() {}
        told.store(true, Ordering::Relaxed);
    });
    drop(input);
    let mut events = Vec::with_capacity(512);
    while !over.load(Ordering::Relaxed) {
        events.clear();
        let spare = rustix::buffer::spare_capacity(&mut events);
        if epoll::wait(&epoll, spare, Some(&LOOK)).is_err() {
            continue;
        }
        for event in &events {
            let at = usize::try_from(event.data.u64())?;
            calls[at / 2].packet(at % 2)?;
        }
    }
    Ok(())
}

impl Call {
    fn open(dir: &Path, n: usize, debtor: SocketAddr, agent: SocketAddr) -> anyhow::Result<Self> {
        let side = |far: SocketAddr| -> anyhow::Result<Side> {
            let socket = UdpSocket::bind((far.ip(), 0))?;
            socket.set_nonblocking(true)?;
            Ok(Side { socket, far })
        };
        let mut file = File::create(dir.join(format!("{n}.wav")))?;
        file.write_all(&header())?;
        Ok(Self {
            sides: [side(debtor)?, side(agent)?],
            window: vec![0; CHUNK * 4],
            filled: [0; 2],
            file,
        })
    }

    /// One packet of a side (0 = debtor): on to the other, and into the file.
    fn packet(&mut self, from: usize) -> anyhow::Result<()> {
        let mut buffer = [0_u8; 512];
        let Ok((len, _)) = self.sides[from].socket.recv_from(&mut buffer) else {
            return Ok(());
        };
        let other = &self.sides[1 - from];
        let _ = other.socket.send_to(&buffer[..len], other.far);
        let place = self.filled[from] * 2 + 1 - from;
        let payload = buffer.get(RTP_HEADER..len).unwrap_or_default();
        let mut pcm = [0_i16; 512];
        let pcm = &mut pcm[..payload.len()];
        media::g711::Law::A.decode_into(payload, pcm);
        let room = self.window.iter_mut().skip(place).step_by(2);
        room.zip(pcm.iter()).for_each(|(to, from)| *to = *from);
        self.filled[from] += payload.len();
        let whole = self.filled[0].min(self.filled[1]);
        let ahead = self.filled[0].max(self.filled[1]);
        if whole >= CHUNK || ahead + 512 > CHUNK * 2 {
            self.write(whole)?;
        }
        Ok(())
    }

    fn write(&mut self, whole: usize) -> anyhow::Result<()> {
        let samples = &self.window[..whole * 2];
        let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        self.file.write_all(&bytes)?;
        self.window.copy_within(whole * 2.., 0);
        let end = self.window.len();
        self.window[end - whole * 2..].fill(0);
        // A side that is silent for long must not stop the other.
        self.filled = self.filled.map(|f| f.saturating_sub(whole.max(1)));
        Ok(())
    }
}

/// A header of 8 kHz, 16-bit stereo that does not know its length.
fn header() -> [u8; 44] {
    let mut h = [0_u8; 44];
    h[0..4].copy_from_slice(b"RIFF");
    h[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    h[8..16].copy_from_slice(b"WAVEfmt ");
    h[16..20].copy_from_slice(&16_u32.to_le_bytes());
    h[20..22].copy_from_slice(&1_u16.to_le_bytes());
    h[22..24].copy_from_slice(&2_u16.to_le_bytes());
    h[24..28].copy_from_slice(&8_000_u32.to_le_bytes());
    h[28..32].copy_from_slice(&32_000_u32.to_le_bytes());
    h[32..34].copy_from_slice(&4_u16.to_le_bytes());
    h[34..36].copy_from_slice(&16_u16.to_le_bytes());
    h[36..40].copy_from_slice(b"data");
    h[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    h
}
