//! The tail of the decision's time and the memory of a campaign:
//! `cargo run --release -p dialer --example decision_tail -- --json tail.json`.
#![expect(clippy::print_stdout, reason = "a command's output")]
#![expect(clippy::expect_used, reason = "a command says what it needed")]

#[path = "../benches/room/mod.rs"]
mod room;

use peak_alloc::PeakAlloc;
use room::{LARGE, Room};
use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Decisions that are timed, each in a new state.
const DECISIONS: usize = 20_000;
/// Learned before, s: the tables are full then.
const WARM_S: f64 = 600.0;
/// Limit of the 99th percentile, ms.
const LIMIT_MS: f64 = 1.0;

/// Sorted times of a room's decisions in ms.
struct Times(Vec<f64>);

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// Median, 99th percentile, longest.
    fn told(&self) -> (f64, f64, f64) {
        let last = self.0.len() - 1;
        (self.0[last / 2], self.0[last * 99 / 100], self.0[last])
    }
}

/// Processor time of this thread, ms: what a decision costs whoever else uses the machine.
fn processor_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (
        i32::try_from(now.tv_sec).unwrap_or(0),
        i32::try_from(now.tv_nsec).unwrap_or(0),
    );
    f64::from(seconds) * 1_000.0 + f64::from(nanos) / 1_000_000.0
}

/// Processor and wall time of a room's decisions, and its memory in KiB.
#[expect(
    clippy::disallowed_methods,
    reason = "a command that times the pure room from outside"
)]
fn measure(agents: u32, calls: u32) -> (Times, Times, f64) {
    let before = MEMORY.current_usage_as_kb();
    let mut room = Room::new(agents, calls, WARM_S);
    let memory = f64::from(MEMORY.current_usage_as_kb() - before);
    let (mut processor, mut wall) = (Vec::new(), Vec::new());
    let mut launched = 0_u64;
    for _ in 0..DECISIONS {
        room.step();
        let (start, began) = (Instant::now(), processor_ms());
        let count = room.decide();
        processor.push(processor_ms() - began);
        wall.push(start.elapsed().as_secs_f64() * 1_000.0);
        launched += u64::from(count);
    }
    assert!(launched > 0, "a room that never dials measures nothing");
    (Times::of(processor), Times::of(wall), memory)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut rows = Vec::new();
    for (agents, calls) in [(5, 15), (50, 150), LARGE] {
        let (processor, wall, memory_kib) = measure(agents, calls);
        let ((p50, p99, max), (_, wall_p99, wall_max)) = (processor.told(), wall.told());
        println!(
            "{agents} agents, {calls} calls: p50 {p50:.4} ms, p99 {p99:.4} ms, max {max:.4} ms of processor over {DECISIONS} decisions (wall p99 {wall_p99:.4}, max {wall_max:.4}); {memory_kib:.0} KiB with all calls and agents"
        );
        rows.push(serde_json::json!({
            "agents": agents, "calls": calls, "decisions": DECISIONS, "p50_ms": p50, "p99_ms": p99,
            "max_ms": max, "wall_p99_ms": wall_p99, "wall_max_ms": wall_max,
            "limit_p99_ms": LIMIT_MS, "memory_kib": memory_kib,
        }));
    }
    if let [flag, file] = args.as_slice()
        && flag == "--json"
    {
        let text = serde_json::to_string_pretty(&rows).expect("plain figures");
        std::fs::write(file, text).expect("a file that can be written");
    }
}
