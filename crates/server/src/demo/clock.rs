//! Where the demo's clock stands: moved to the portfolio's next working morning, or as asked. The law
//! is never loosened for a demo; only the clock moves.

use crate::clock::system_now;
use domain::law::{OpeningPlace, RuleBook};
use domain::ports::Store;
use domain::time::{HOUR_MS, MINUTE_MS, SECOND_MS, UtcMs};

/// Key of the offset in the database, so that a continued demo keeps its time.
const SETTING: &str = "demo.clock_offset_ms";
/// Hours of the demo's campaigns, in each debtor's zone.
const HOURS: (&str, &str) = ("09:00", "20:00");
/// Their length.
const HOURS_MS: i64 = 11 * HOUR_MS;
/// Ring time that must fit before a window closes.
const RING_MS: i64 = 25 * SECOND_MS;
/// The demo starts so long after the opening, so that no edge decides.
const AFTER_OPENING_MS: i64 = 5 * MINUTE_MS;

/// The clock's distance from the machine's, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) offset_ms: i64,
    pub(super) why: String,
}

/// Decides it and stores it.
///
/// # Errors
/// An instant that cannot be read, hours that never meet, a database that fails.
pub(super) async fn stand(
    store: &dyn Store,
    book: &RuleBook,
    places: &[OpeningPlace],
    at: Option<&str>,
) -> anyhow::Result<Standing> {
    let before = store
        .get_setting(SETTING)
        .await?
        .and_then(|text| text.parse().ok());
    let standing = decide(book, places, at, before, system_now())?;
    store
        .put_setting(SETTING, &standing.offset_ms.to_string())
        .await?;
    Ok(standing)
}

fn decide(
    book: &RuleBook,
    places: &[OpeningPlace],
    at: Option<&str>,
    before: Option<i64>,
    machine: UtcMs,
) -> anyhow::Result<Standing> {
    match at {
        Some("now") => {
            return Ok(Standing {
                offset_ms: 0,
                why: "the machine's own date (--at now)".into(),
            });
        }
        Some(text) => {
            let start: UtcMs = text
                .parse()
                .map_err(|e| anyhow::anyhow!("--at: {e}, or now"))?;
            return Ok(Standing {
                offset_ms: start.since_ms(machine),
                why: "as told by --at".into(),
            });
        }
        None => {}
    }
    let continued = before.map(|offset| machine.plus_ms(offset));
    if let (Some(offset_ms), Some(now)) = (before, continued)
        && open(book, places, now)
    {
        return Ok(Standing {
            offset_ms,
            why: "continued from the last run".into(),
        });
    }
    let from = continued.unwrap_or(machine);
    let opening = book.next_opening(places, Some(HOURS), RING_MS, from)?;
    let start = opening.plus_ms(AFTER_OPENING_MS);
    Ok(Standing {
        offset_ms: start.since_ms(machine),
        why: "the portfolio's next working morning".into(),
    })
}

/// Whether each place has opened within the last hours: good enough to go on where the last run
/// stopped, since each call is judged anyway.
fn open(book: &RuleBook, places: &[OpeningPlace], now: UtcMs) -> bool {
    let since = now.plus_ms(RING_MS - HOURS_MS);
    places.iter().all(|place| {
        book.next_opening(std::slice::from_ref(place), Some(HOURS), RING_MS, since)
            .is_ok_and(|opening| opening <= now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMs {
        text.parse().expect("instant")
    }

    fn start(at_option: Option<&str>, before: Option<i64>, machine: &str) -> (String, String) {
        let book = RuleBook::embedded().expect("packs");
        let places = super::super::portfolio::places();
        let standing = decide(&book, &places, at_option, before, at(machine)).expect("stands");
        (
            at(machine).plus_ms(standing.offset_ms).to_string(),
            standing.why,
        )
    }

    #[test]
    fn a_fresh_demo_starts_on_the_next_working_morning_at_any_hour() {
        for (machine, morning) in [
            ("2026-11-30T05:30:00Z", "2026-11-30T15:05:00.000Z"),
            ("2026-11-26T18:00:00Z", "2026-11-27T15:05:00.000Z"),
            ("2026-11-28T12:00:00Z", "2026-11-30T15:05:00.000Z"),
        ] {
            assert_eq!(start(None, None, machine).0, morning, "{machine}");
        }
        assert_eq!(
            start(Some("now"), None, "2026-11-28T12:00:00Z").0,
            "2026-11-28T12:00:00.000Z"
        );
        assert_eq!(
            start(Some("2026-11-29T09:00:00Z"), None, "2026-11-28T12:00:00Z").0,
            "2026-11-29T09:00:00.000Z"
        );
    }

    #[test]
    fn a_continued_demo_keeps_its_time_until_the_day_is_over() {
        // Half an hour after a start at 15:05 demo time.
        let machine = "2026-11-30T05:30:00Z";
        let offset = at("2026-11-30T15:35:00Z").since_ms(at(machine));
        let (now, why) = start(None, Some(offset), machine);
        assert_eq!(now, "2026-11-30T15:35:00.000Z");
        assert!(why.contains("continued"), "{why}");
        // Continued at a demo time of 23:00 in Madrid: on to the next morning.
        let offset = at("2026-11-30T22:00:00Z").since_ms(at(machine));
        assert_eq!(
            start(None, Some(offset), machine).0,
            "2026-12-01T15:05:00.000Z"
        );
    }

    #[test]
    fn an_instant_that_is_none_is_told() {
        let book = RuleBook::embedded().expect("packs");
        let error = decide(
            &book,
            &super::super::portfolio::places(),
            Some("tomorrow"),
            None,
            UtcMs(0),
        );
        assert!(error.expect_err("no instant").to_string().contains("--at"));
    }
}
