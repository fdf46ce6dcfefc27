//! Why a campaign does not dial, or not as asked, in both languages.

use super::Engine;
use crate::live::{CampaignEntry, LastFeed};
use crate::view::Problem;
use crate::words::{self, problem};
use dialer::{Gate, QUOTIENT_FROM, Room, Window};
use domain::entity::{BlockReason, CampaignStatus, DialMode};
use domain::ids::CampaignId;
use domain::time::UtcMs;

/// The guard dials less, without another mode.
const NEAR: &str = "abandonment_cap_near";

fn gate_problem(gate: Gate) -> Problem {
    match gate {
        Gate::Database => problem(
            "database",
            (
                "la base de datos no responde",
                "the database does not answer",
            ),
        ),
        Gate::Fenced => problem(
            "fenced",
            (
                "otro proceso tomó este nodo",
                "another process took this node",
            ),
        ),
        Gate::Draining => problem(
            "draining",
            ("el nodo se está apagando", "the node is shutting down"),
        ),
        Gate::Disk => problem(
            "disk",
            ("no queda disco para grabar", "no disk is left to record"),
        ),
        Gate::Voice => problem(
            "voice",
            (
                "la telefonía se detuvo por una falla: reinicie el nodo",
                "the telephone side ended by a fault: start the node anew",
            ),
        ),
        Gate::Recorder => problem(
            "recorder",
            ("no se puede grabar", "recordings cannot be written"),
        ),
    }
}

/// What most of those who wait are refused for, with its count. A reason of few of them would be told as that of
/// all: then how many wait is told alone.
fn reason_words(feed: Option<&LastFeed>, waiting: u64) -> (String, String) {
    let most = feed.and_then(|f| f.reasons.iter().max_by_key(|(_, debtors)| **debtors));
    match most {
        Some(((es, en), debtors)) if debtors.saturating_mul(2) > waiting => (
            format!(": {es} ({debtors} de {waiting})"),
            format!(": {en} ({debtors} of {waiting})"),
        ),
        _ if waiting > 0 => (
            format!("; esperan para más tarde: {waiting}"),
            format!("; waiting for later: {waiting}"),
        ),
        _ => (String::new(), String::new()),
    }
}

/// Nobody in the hopper: the last feeding says why.
fn starved(entry: &CampaignEntry) -> Option<Problem> {
    let feed = entry.feed.as_ref();
    let window = BlockReason::Window.as_str();
    let refused = feed.map_or(0, |f| f.blocked.values().sum::<u64>());
    let closed = feed
        .and_then(|f| f.blocked.get(window))
        .copied()
        .unwrap_or(0);
    let allowed = feed.map_or(0, |f| f.allowed);
    if allowed > 0 || entry.counts.due > 0 && refused == 0 {
        return None;
    }
    let next = feed.and_then(|f| f.next);
    let (when_es, when_en) = next.map_or((String::new(), String::new()), |at| {
        let (es, en) = words::local(at, &entry.setting.zone);
        (format!("; abre el {es}"), format!("; it opens on {en}"))
    });
    if closed > 0 && closed * 2 >= refused {
        return Some(Problem {
            code: "window_closed",
            es: format!("el horario está cerrado para sus deudores{when_es}"),
            en: format!("the window is closed for its debtors{when_en}"),
        });
    }
    let (es, en) = reason_words(feed, entry.counts.later.max(refused));
    Some(Problem {
        code: "nothing_dialable",
        es: format!("no hay deudores que se puedan marcar ahora{es}"),
        en: format!("no debtors may be dialed now{en}"),
    })
}

impl Engine {
    /// Everything that stands in the way of a campaign, gravest first.
    pub(crate) fn problems(&self, _now: UtcMs, id: CampaignId) -> Vec<Problem> {
        let Some(entry) = self.campaigns.get(&id) else {
            return Vec::new();
        };
        let campaign = &entry.setting.campaign;
        if campaign.status != CampaignStatus::Running {
            return Vec::new();
        }
        let mut found: Vec<Problem> = self.brain.closed_gates().map(gate_problem).collect();
        let Some(view) = self.brain.campaign(id).filter(|v| v.on) else {
            found.push(problem(
                "not_adopted",
                (
                    "este nodo no marca la campaña",
                    "this node does not dial the campaign",
                ),
            ));
            return found;
        };
        if let Some(day) = view.short_calls.filter(|_| view.short_calls_stop.is_some()) {
            found.push(crate::short_calls::problem(day));
        }
        if !view.trunk_up {
            let words = match self.spent.is_empty() {
                true => (
                    "ninguna troncal de la campaña responde",
                    "none of its trunks answers",
                ),
                false => (
                    "ninguna troncal de la campaña responde o está bajo su límite del día",
                    "none of its trunks answers or is below the limit of its day",
                ),
            };
            found.push(problem("trunk_down", words));
        }
        let spec = self.brain.campaign_spec(id);
        let agents = self
            .brain
            .agents()
            .filter(|(_, s)| s.works() && spec.is_some_and(|spec| s.serves(spec)))
            .count();
        if agents == 0 {
            found.push(problem(
                "no_agents",
                (
                    "no hay gestores disponibles",
                    "no agents are at work for it",
                ),
            ));
        }
        if view.hopper == 0 && view.lines == 0 {
            found.extend(starved(entry));
        }
        if agents > 0 && view.agents <= 0.0 && view.hopper > 0 {
            found.extend(self.waits_for_priority(id));
        }
        // Where nobody was abandoned in the window that binds, be it yesterday's or another campaign's, the words of
        // the guard would tell of something that never happened.
        let room = view.room.filter(|room| room.numerator > 0.0);
        let above = room.filter(above_cap).or_else(|| self.window_above_cap(id));
        match (view.guard.filter(|_| room.is_some()), above) {
            (guard @ (None | Some(NEAR)), Some(above)) => {
                found.push(over_problem(guard.is_some(), above));
            }
            (Some(why), _) => found.push(guard_problem(view.mode, why, room)),
            (None, None) => {}
        }
        found
    }

    /// The first window of its rules in which the campaign itself is above the cap.
    fn window_above_cap(&self, id: CampaignId) -> Option<Room> {
        let windows = self.brain.abandonment(id).into_iter();
        let mut rooms = windows.filter(|w| w.binds).map(|w| Room {
            scope: "campaign",
            window: w.window,
            numerator: w.numerator,
            denominator: w.denominator,
            cap_pct: w.cap_pct,
            free: w.cap_pct / 100.0 * w.denominator - w.numerator,
        });
        rooms.find(above_cap)
    }

    /// Its agents all work for campaigns of a higher priority that have something to dial.
    fn waits_for_priority(&self, id: CampaignId) -> Option<Problem> {
        let own = self.brain.campaign_spec(id)?.priority;
        let (name, _) = self
            .campaigns
            .iter()
            .filter_map(|(other, entry)| {
                let priority = self.brain.campaign_spec(*other)?.priority;
                let takes = self.brain.campaign(*other)?.agents > 0.0;
                (priority > own && takes).then_some((&entry.setting.campaign.name, priority))
            })
            .max_by_key(|(_, priority)| *priority)?;
        Some(Problem {
            code: "waits_for_priority",
            es: format!("espera a la campaña {name}, de prioridad mayor"),
            en: format!("it waits for campaign {name}, of higher priority"),
        })
    }
}

/// Where the least room is, by its figures: `(3 de 96 en el día, tope 3 %)`.
fn room_words(room: Option<Room>) -> (String, String) {
    let Some(room) = room else {
        return (String::new(), String::new());
    };
    let (es, en) = match room.window {
        Window::Hour => ("en la hora", "in the hour"),
        Window::Day => ("en el día", "in the day"),
        Window::Hours24 => ("en 24 horas", "in 24 hours"),
        Window::Days(_) => ("en la ventana legal", "in the legal window"),
    };
    let (of_es, of_en) = match room.scope {
        "client" => (" del acreedor", " of the client"),
        "installation" => (" de la instalación", " of the installation"),
        _ => ("", ""),
    };
    let (a, n, cap) = (
        room.numerator.round(),
        room.denominator.round(),
        room.cap_pct,
    );
    (
        format!(" ({a} de {n} {es}{of_es}, tope {cap} %)"),
        format!(" ({a} of {n} {en}{of_en}, cap {cap} %)"),
    )
}

/// Which bound it was.
fn why_words(why: &str) -> (&'static str, &'static str) {
    match why {
        "abandonment_worst_hour" => (" por la peor hora", " by the worst hour"),
        "abandonment_budget_spent" => (
            " porque se gastó lo previsto de la ventana",
            " because the window's budget is spent",
        ),
        "abandonment_twice_cap" => (" por el doble del tope", " above twice the cap"),
        _ => ("", ""),
    }
}

fn above_cap(room: &Room) -> bool {
    room.numerator * 100.0 > room.cap_pct * room.denominator
}

/// Above the cap while the mode stays: of few answers the quotient does not bind yet.
fn over_problem(dials_less: bool, room: Room) -> Problem {
    let (seen_es, seen_en) = room_words(Some(room));
    let (less_es, less_en) = match dials_less {
        true => (": se marca menos", ": dialing less"),
        false => ("", ""),
    };
    let (mut es, mut en) = (
        format!("por encima del tope de abandono{less_es}{seen_es}"),
        format!("above the abandonment cap{less_en}{seen_en}"),
    );
    if room.denominator < QUOTIENT_FROM {
        let n = room.denominator.round();
        es += &format!(
            "; aún cuentan {n} de {QUOTIENT_FROM} respuestas: el tope obliga desde {QUOTIENT_FROM}"
        );
        en += &format!(
            "; {n} of {QUOTIENT_FROM} answers count so far: the cap binds from {QUOTIENT_FROM}"
        );
    }
    Problem {
        code: "cap_over",
        es,
        en,
    }
}

fn guard_problem(mode: DialMode, why: &'static str, room: Option<Room>) -> Problem {
    let (seen_es, seen_en) = room_words(room);
    let code = match (why, mode) {
        (NEAR, _) => "cap_near",
        (_, DialMode::Preview) => "guard_preview",
        _ => "guard_progressive",
    };
    if code == "cap_near" {
        return Problem {
            code,
            es: format!("cerca del tope de abandono: se marca menos{seen_es}"),
            en: format!("near the abandonment cap: dialing less{seen_en}"),
        };
    }
    let ((es, en), (by_es, by_en)) = (words::mode(mode), why_words(why));
    Problem {
        code,
        es: format!("el tope de abandono bajó el modo a {es}{by_es}{seen_es}"),
        en: format!("the abandonment cap lowered the mode to {en}{by_en}{seen_en}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(numerator: f64, denominator: f64) -> Room {
        Room {
            scope: "campaign",
            window: Window::Day,
            numerator,
            denominator,
            cap_pct: 3.0,
            free: 0.0,
        }
    }

    #[test]
    fn above_the_cap_is_told_with_the_answers_that_are_still_missing() {
        assert!(above_cap(&room(1.0, 28.0)));
        assert!(!above_cap(&room(3.0, 100.0)));
        let few = over_problem(true, room(1.0, 28.0));
        assert_eq!(few.code, "cap_over");
        assert_eq!(
            few.es,
            "por encima del tope de abandono: se marca menos (1 de 28 en el día, tope 3 %); \
            aún cuentan 28 de 100 respuestas: el tope obliga desde 100"
        );
        assert_eq!(
            few.en,
            "above the abandonment cap: dialing less (1 of 28 in the day, cap 3 %); \
            28 of 100 answers count so far: the cap binds from 100"
        );
        let many = over_problem(false, room(4.0, 100.0));
        assert_eq!(
            many.es,
            "por encima del tope de abandono (4 de 100 en el día, tope 3 %)"
        );
    }

    #[test]
    fn a_reason_is_told_of_a_campaign_only_where_it_is_that_of_most() {
        let feed = |refused: &[(&str, u64)]| LastFeed {
            reasons: refused
                .iter()
                .map(|(why, n)| (((*why).to_owned(), (*why).to_owned()), *n))
                .collect(),
            ..LastFeed::default()
        };
        let told = |refused: &[(&str, u64)], waiting| reason_words(Some(&feed(refused)), waiting).0;
        let law = "Chile, Ley 19.496";
        assert_eq!(told(&[(law, 1), ("Tope", 7)], 8), ": Tope (7 de 8)");
        assert_eq!(told(&[(law, 1)], 214), "; esperan para más tarde: 214");
        assert_eq!(reason_words(None, 0), (String::new(), String::new()));
    }
}
