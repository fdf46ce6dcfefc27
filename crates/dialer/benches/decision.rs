//! One decision of the forecast with the state advancing in between.
#![expect(clippy::expect_used, reason = "a bench says what it needed")]

mod room;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use room::{LARGE, Room};
use std::cell::RefCell;
use std::hint::black_box;

fn decision(c: &mut Criterion) {
    let mut group = c.benchmark_group("decision");
    for (agents, calls) in [(5, 15), (50, 150), LARGE] {
        let room = RefCell::new(Room::new(agents, calls, 300.0));
        let name = BenchmarkId::from_parameter(format!("{agents} agents, {calls} calls"));
        group.bench_function(name, |b| {
            // The world moves outside the measured part: each decision meets a new state.
            b.iter_batched(
                || room.borrow_mut().step(),
                |()| black_box(room.borrow_mut().decide()),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, decision);
criterion_main!(benches);
