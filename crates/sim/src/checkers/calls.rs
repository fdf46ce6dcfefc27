//! How calls go: invariants 05, 07, 08, 09.

use super::{Breach, Limits, breach, is_unknown};
use crate::store::Tables;
use crate::trunk::Invite;
use domain::entity::{RecordMode, RecordingOutcome};
use domain::time::UtcMs;

/// 05: lines within the trunk's channels, starts within its calls per second.
pub(super) fn lines_within_limits(
    tables: &Tables,
    invites: &[Invite],
    limits: &Limits,
    out: &mut Vec<Breach>,
) {
    let mut edges: Vec<(UtcMs, i32)> = Vec::new();
    let mut spans = Vec::new();
    for invite in invites {
        let row = tables.attempts.get(&invite.attempt);
        // When an orphan of a crash really ended nobody knows: its line may have been free before.
        if limits.crashed && row.is_some_and(|a| is_unknown(a.state)) {
            continue;
        }
        let end = row.and_then(|a| a.ended_at).unwrap_or(UtcMs(i64::MAX));
        edges.push((invite.at, 1));
        edges.push((end, -1));
        spans.push((end, invite.at, invite.attempt));
    }
    // An end and a start in the same millisecond: the end comes first.
    edges.sort();
    let mut lines = 0;
    for (at, step) in edges {
        lines += step;
        if usize::try_from(lines).is_ok_and(|n| n > limits.channels) {
            // The one that ended first is the one that was given up too early.
            let first = spans
                .iter()
                .filter(|(end, start, _)| *start <= at && at < *end)
                .min();
            breach(
                out,
                5,
                format!(
                    "{lines} lines on a trunk of {} at {at:?}, first to end: {first:?}",
                    limits.channels
                ),
            );
            break;
        }
    }
    let mut starts: Vec<UtcMs> = invites.iter().map(|i| i.at).collect();
    starts.sort();
    // In any second no more than the rate. The brain's orders are exact; each reaches the wire of this
    // carrier a little later (the real one's is shaped by `voice`), which moves two of them together by no
    // more than that. Where nothing bounds it, twice the rate is more than any bunching of a sound run gives.
    let (most, span) = match limits.late_ms {
        Some(late) => (limits.starts_per_s, 1_000 - late),
        None => (limits.starts_per_s * 2, 1_000),
    };
    if let Some(window) = starts
        .windows(most + 1)
        .find(|w| w[most].since_ms(w[0]) < span)
    {
        breach(
            out,
            5,
            format!(
                "{} starts from {} to {} at {} a second",
                most + 1,
                window[0],
                window[most],
                limits.starts_per_s
            ),
        );
    }
}

/// 08: an ended attempt has one result, and a disposition if a person spoke.
pub(super) fn ended_attempts_are_whole(tables: &Tables, limits: &Limits, out: &mut Vec<Breach>) {
    for attempt in tables.attempts.values() {
        if attempt.state.is_closed() && attempt.result.is_none() {
            breach(
                out,
                8,
                format!("attempt {} ended without a result", attempt.id),
            );
        }
        let spoke = attempt.bridged_at.is_some() && !(limits.crashed && is_unknown(attempt.state));
        let cut = limits.crashed && attempt.disposition.is_none();
        if spoke && attempt.disposition.is_none() && !cut {
            breach(
                out,
                8,
                format!(
                    "attempt {} was talked from {:?} to {:?} by {:?} and has no disposition ({:?})",
                    attempt.id,
                    attempt.bridged_at,
                    attempt.ended_at,
                    attempt.agent_id,
                    attempt.result
                ),
            );
        }
    }
}

/// 09: each answered call of a campaign that records has one recording with an outcome.
pub(super) fn answered_calls_are_recorded(tables: &Tables, out: &mut Vec<Breach>) {
    for attempt in tables.attempts.values().filter(|a| a.answered_at.is_some()) {
        let records = attempt
            .campaign_id
            .and_then(|c| tables.campaigns.get(&c))
            .is_none_or(|c| c.params.record == RecordMode::All);
        let rows: Vec<_> = tables
            .recordings
            .values()
            .filter(|r| r.attempt_id == attempt.id)
            .collect();
        if records && rows.len() != 1 {
            breach(
                out,
                9,
                format!("attempt {} has {} recordings", attempt.id, rows.len()),
            );
        }
        if rows.iter().any(|r| r.outcome == RecordingOutcome::Open) {
            breach(
                out,
                9,
                format!("the recording of attempt {} is still open", attempt.id),
            );
        }
    }
}

/// 07: on quiet, nothing is left: no open attempt, no lease.
pub(super) fn nothing_is_left(tables: &Tables, out: &mut Vec<Breach>) {
    for attempt in tables.attempts.values().filter(|a| !a.state.is_closed()) {
        breach(
            out,
            7,
            format!("attempt {} never ended ({})", attempt.id, attempt.state),
        );
    }
    if !tables.leases.is_empty() {
        breach(
            out,
            7,
            format!("{} reservations are left", tables.leases.len()),
        );
    }
}
