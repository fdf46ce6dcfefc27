//! What a process used, as the system counts it.

use anyhow::Context as _;
use std::time::Duration;

/// Ticks of `/proc` times a second (USER_HZ; 100 on every Linux that matters to us).
const TICKS_A_SECOND: f64 = 100.0;

/// CPU seconds of a process, user and system, all its threads (`/proc/PID/stat`, fields 14 and 15).
pub(super) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).context(path)?;
    ticks(&text)
        .map(|t| t / TICKS_A_SECOND)
        .context("/proc/PID/stat is not as expected")
}

/// CPU seconds of the threads a process has now, to the nanosecond where the system counts so
/// (`/proc/PID/task/TID/schedstat`, field 1). For short times: threads that ended are left out.
pub(super) fn cpu_of_threads(pid: u32) -> anyhow::Result<f64> {
    let folder = format!("/proc/{pid}/task");
    let mut all = Duration::ZERO;
    for task in std::fs::read_dir(&folder).context(folder)? {
        // One that ends meanwhile is left out too.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let first = text.split_ascii_whitespace().next();
        let ns = first.and_then(|n| n.parse().ok());
        all += Duration::from_nanos(ns.context("schedstat is not as expected")?);
    }
    Ok(all.as_secs_f64())
}

/// The name of a process may hold blanks and brackets: fields are counted behind the last bracket.
fn ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Memory of a process that is its own or its share of what it shares (PSS), KB.
pub(super) fn memory_kb(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).context(path)?;
    text.lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|kb| kb.parse().ok())
        .context("/proc/PID/smaps_rollup is not as expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_is_no_trouble() {
        let line = "7 (a (b) c) S 1 7 7 0 -1 4194560 90 0 0 0 250 50 0 0 20 0 3 0 100 1 1";
        assert_eq!(ticks(line), Some(300.0));
        assert_eq!(ticks("7 x S"), None);
    }

    #[test]
    fn our_own_figures_can_be_read() {
        let pid = std::process::id();
        assert!(cpu_seconds(pid).is_ok_and(|s| s >= 0.0));
        assert!(cpu_of_threads(pid).is_ok_and(|s| s > 0.0));
        assert!(memory_kb(pid).is_ok_and(|kb| kb > 100.0));
    }
}
