//! Why now, why not yet, in Spanish and English.

use super::{Later, Why, Worth};
use crate::time::UtcMs;
use jiff::tz::TimeZone;

/// Own tries near an hour from which they are told, because they moved the forecast.
const TOLD_FROM: f64 = 0.8;

fn percent(p: f64) -> String {
    format!("{:.0} %", p * 100.0)
}

fn hour(later: &Later, zone: &TimeZone) -> String {
    later.at.in_zone(zone).strftime("%d/%m %H:%M").to_string()
}

fn own(worth: &Worth) -> (String, String) {
    let now = &worth.now;
    if now.own_calls < TOLD_FROM {
        return (
            "; sin llamadas propias cerca de esta hora: habla la campaña".to_owned(),
            "; no calls of its own near this hour: the campaign speaks".to_owned(),
        );
    }
    let (hits, calls) = (now.own_hits, now.own_calls);
    (
        format!("; a esta hora contestó {hits:.1} de {calls:.1} llamadas (las viejas pesan menos)"),
        format!("; near this hour {hits:.1} of {calls:.1} calls reached him (old ones weigh less)"),
    )
}

/// Why he is called now (Spanish, English).
#[must_use]
pub fn why_now(worth: &Worth, why: Why, zone: &TimeZone) -> (String, String) {
    let now = percent(worth.now.right_party);
    let (own_es, own_en) = own(worth);
    match (why, &worth.later) {
        (Why::Due, _) => (
            format!("por qué ahora: ya esperó su turno; contacto directo {now}{own_es}"),
            format!("why now: he has waited his turn; right party {now}{own_en}"),
        ),
        (Why::Explore, _) => (
            format!(
                "por qué ahora: al azar, para conocer esta hora; contacto directo {now}{own_es}"
            ),
            format!("why now: by chance, to know this hour; right party {now}{own_en}"),
        ),
        (Why::Value, Some(later)) => {
            let (at, then) = (hour(later, zone), percent(later.chance.right_party));
            (
                format!(
                    "por qué ahora: contacto directo {now}; la mejor hora posterior, {at}, da {then}{own_es}"
                ),
                format!(
                    "why now: right party {now}; the best later hour, {at}, gives {then}{own_en}"
                ),
            )
        }
        (Why::Value, None) => (
            format!(
                "por qué ahora: contacto directo {now}; no hay otra hora legal próxima{own_es}"
            ),
            format!("why now: right party {now}; no other lawful hour is near{own_en}"),
        ),
    }
}

/// The best hour to come of whom nobody may call now (Spanish, English); `None` where none is known from
/// `since` on.
#[must_use]
pub fn better_hour(worth: &Worth, zone: &TimeZone, since: UtcMs) -> Option<(String, String)> {
    let later = worth.later.as_ref().filter(|later| later.at >= since)?;
    let (at, then) = (hour(later, zone), percent(later.chance.right_party));
    Some((
        format!("por qué todavía no: ahora no se puede; mejor el {at}, contacto directo {then}"),
        format!("why not yet: it cannot be now; better at {at}, right party {then}"),
    ))
}

/// Why he is not called yet (Spanish, English).
#[must_use]
pub fn why_not_yet(worth: &Worth, zone: &TimeZone) -> (String, String) {
    let now = percent(worth.now.right_party);
    let (own_es, own_en) = own(worth);
    match &worth.later {
        Some(later) if worth.value < 0.0 || worth.hold => {
            let (at, then) = (hour(later, zone), percent(later.chance.right_party));
            (
                format!(
                    "por qué todavía no: mejor el {at}, contacto directo {then} contra {now} ahora{own_es}"
                ),
                format!(
                    "why not yet: better at {at}, right party {then} against {now} now{own_en}"
                ),
            )
        }
        _ => (
            format!("por qué todavía no: otros valen más ahora; contacto directo {now}{own_es}"),
            format!("why not yet: others are worth more now; right party {now}{own_en}"),
        ),
    }
}
