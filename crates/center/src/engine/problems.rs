//! Why a campaign does not dial, or not as asked, in both languages.

use super::Engine;
use crate::live::CampaignEntry;
use crate::view::Problem;
use crate::words::{self, problem};
use dialer::{Gate, Room, Window};
use domain::entity::{BlockReason, CampaignStatus, DialMode};
use domain::ids::CampaignId;
use domain::time::UtcMs;

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
        Gate::Recorder => problem(
            "recorder",
            ("no se puede grabar", "recordings cannot be written"),
        ),
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
        let at = words::local(at, &entry.setting.zone);
        (format!("; abre el {at}"), format!("; it opens on {at}"))
    });
    if closed > 0 && closed * 2 >= refused {
        return Some(Problem {
            code: "window_closed",
            es: format!("el horario está cerrado para sus deudores{when_es}"),
            en: format!("the window is closed for its debtors{when_en}"),
        });
    }
    let (es, en) = feed
        .and_then(|f| f.reason.clone())
        .map_or((String::new(), String::new()), |(es, en)| {
            (format!(": {es}"), format!(": {en}"))
        });
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
        if let Some(why) = view.guard
            && view.room.is_some_and(|room| room.numerator > 0.0)
        {
            found.push(guard_problem(view.mode, why, view.room));
        }
        found
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

fn guard_problem(mode: DialMode, why: &'static str, room: Option<Room>) -> Problem {
    let (seen_es, seen_en) = room_words(room);
    let code = match (why, mode) {
        ("abandonment_cap_near", _) => "cap_near",
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
