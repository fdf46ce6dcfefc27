//! The summary's figures. What happened is counted in the database, which is the truth; what only the
//! engine measures (percentiles, occupancy, errors) comes from it. Where both count, they must agree.

use super::summary::{Percentiles, Ratio, RatioMs, Summary};
use center::view::Figures;
use domain::entity::{Attempt, CallResult, Direction, RecordingOutcome};
use domain::ports::Store;
use domain::ports::store::{AttemptFilter, ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::time::UtcMs;

/// Counts what happened since `began` and puts the engine's figures beside it.
///
/// # Errors
/// When the database fails.
pub(super) async fn summary(
    store: &dyn Store,
    figures: Figures,
    began: UtcMs,
    seconds: u64,
    clock_offset_ms: i64,
) -> anyhow::Result<Summary> {
    let mut summary = Summary {
        seconds,
        clock_offset_ms,
        occupancy: RatioMs {
            numerator_ms: figures.occupancy.numerator_ms,
            denominator_ms: figures.occupancy.denominator_ms,
        },
        screen_pop_ms: percentiles(figures.screen_pop_ms),
        bridge_ms: percentiles(figures.bridge_ms),
        wait_ms: percentiles(figures.wait_ms),
        errors: figures.errors,
        ..Summary::default()
    };
    count_attempts(store, began, &mut summary).await?;
    count_recordings(store, began, &mut summary).await?;
    count_promises(store, began, &mut summary).await?;
    let (abandoned, handled) = store.abandonment(None, None, began).await?;
    summary.abandonment = Ratio {
        numerator: abandoned,
        denominator: abandoned + handled,
    };
    summary.blocked = store
        .blocked_counts(None, began)
        .await?
        .into_iter()
        .collect();
    compare(&figures, &summary);
    Ok(summary)
}

const fn percentiles(p: center::view::Percentiles) -> Percentiles {
    Percentiles {
        p50: p.p50,
        p99: p.p99,
    }
}

/// Walks through every page of a list.
macro_rules! each {
    ($store:ident.$list:ident($filter:expr), |$row:ident| $body:block) => {{
        let mut page = PageRequest { limit: PAGE_LIMIT_MAX, cursor: None };
        loop {
            let rows = $store.$list(&$filter, &page).await?;
            for $row in rows.items $body
            match rows.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
    }};
}

async fn count_attempts(
    store: &dyn Store,
    began: UtcMs,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let filter = AttemptFilter {
        since: Some(began),
        ..AttemptFilter::default()
    };
    each!(store.list_attempts(filter), |attempt| {
        count(&attempt, summary);
    });
    Ok(())
}

fn count(attempt: &Attempt, summary: &mut Summary) {
    let one = u64::from;
    summary.attempts += one(attempt.invite_at.is_some());
    // Without call-progress analysis the agent is who finds the machine, and says so afterwards.
    let found = attempt
        .disposition
        .as_deref()
        .is_some_and(|code| code == "NC.BZ" || code.starts_with("NC.BZ."));
    // Who called us is no answer of ours.
    let ours = attempt.direction == Direction::Outbound;
    let live = attempt.result.is_some_and(CallResult::is_live_answer);
    summary.answered_human += one(ours && !found && live);
    let machine = matches!(
        attempt.result,
        Some(CallResult::MachineBeep | CallResult::MachineNoBeep)
    );
    summary.answered_machine += one(ours && (found || machine));
    summary.connected += one(attempt.bridged_at.is_some());
    summary.abandoned += one(attempt.result == Some(CallResult::Abandoned));
    summary.dispositions += one(attempt.disposition.is_some() && attempt.agent_id.is_some());
}

async fn count_recordings(
    store: &dyn Store,
    began: UtcMs,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let whole = [RecordingOutcome::Sealed, RecordingOutcome::Repaired];
    each!(store.list_recordings(ListFilter::default()), |recording| {
        if recording.started_at >= began && whole.contains(&recording.outcome) {
            summary.recordings += 1;
            summary.recording_ms += u64::try_from(recording.duration_ms).unwrap_or(0);
        }
    });
    Ok(())
}

async fn count_promises(
    store: &dyn Store,
    began: UtcMs,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    each!(store.list_promises(ListFilter::default()), |promise| {
        summary.promises += u64::from(promise.made_at >= began);
    });
    Ok(())
}

/// Says where the engine's own count differs from the database's.
fn compare(figures: &Figures, summary: &Summary) {
    for (what, engine, database) in [
        ("attempts", figures.attempts, summary.attempts),
        (
            "answered_human",
            figures.answered_human,
            summary.answered_human,
        ),
        (
            "answered_machine",
            figures.answered_machine,
            summary.answered_machine,
        ),
        ("connected", figures.connected, summary.connected),
        ("abandoned", figures.abandoned, summary.abandoned),
        ("dispositions", figures.dispositions, summary.dispositions),
        ("promises", figures.promises, summary.promises),
        ("recordings", figures.recordings, summary.recordings),
    ] {
        if engine != database {
            tracing::warn!(
                what,
                engine,
                database,
                "the engine's count and the database differ"
            );
        }
    }
}
