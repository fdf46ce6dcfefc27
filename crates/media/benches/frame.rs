//! Cost of each step on one frame of 20 ms; the budget is `g711` about 0.1 µs, eight Goertzel bins
//! about 0.5 µs.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use media::g711::Law;
use media::goertzel::{Bin, powers};
use media::mixer::{AGENT, Matrix, Monitor};
use media::speech::{AGENT_HZ, Speech};
use media::{Frame, SILENCE, jitter, timeline};

fn frame(c: &mut Criterion) {
    let voice = Speech::new(AGENT_HZ, 0.3, 1).frame();
    for law in [Law::Mu, Law::A] {
        let mut bytes = [0u8; 160];
        let mut back = SILENCE;
        c.bench_function(&format!("g711 encode {}", law.name()), |b| {
            b.iter(|| law.encode_into(black_box(&voice), &mut bytes))
        });
        c.bench_function(&format!("g711 decode {}", law.name()), |b| {
            b.iter(|| law.decode_into(black_box(&bytes), &mut back))
        });
    }
    let bins: [Bin; 8] = [
        697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0,
    ]
    .map(Bin::new);
    c.bench_function("goertzel 8 bins", |b| {
        b.iter(|| powers(black_box(&voice), &bins))
    });
    let matrix = Matrix::call(&[Monitor::Barge]);
    let spoken: [Option<&Frame>; 3] = [Some(&voice), Some(&voice), Some(&voice)];
    let mut out = SILENCE;
    c.bench_function("mix three", |b| {
        b.iter(|| matrix.hear(AGENT, black_box(&spoken), &mut out))
    });
    let mut buffer = jitter::JitterBuffer::new(jitter::Config::default());
    let mut timestamp = 0u32;
    c.bench_function("jitter push and pull", |b| {
        b.iter(|| {
            buffer.push(timestamp, black_box(&voice));
            timestamp = timestamp.wrapping_add(160);
            buffer.pull(&mut out)
        });
    });
    let mut line = timeline::StereoTimeline::new();
    let mut pcm = Vec::new();
    c.bench_function("timeline frame", |b| {
        b.iter(|| {
            pcm.clear();
            let at = line.position();
            line.push_left(at, black_box(&voice));
            line.push_right(at, black_box(&voice));
            line.drain_into(at + 160, &mut pcm);
        });
    });
}

criterion_group!(benches, frame);
criterion_main!(benches);
