//! Gates, alarms and whether dialing can go on.

use super::Engine;
use crate::stats::as_f64;
use crate::view::{Abandonment, AlarmRow, CampaignRow, Readiness};
use dialer::{Gate, Input};
use domain::entity::DialMode;
use domain::ids::{CampaignId, TrunkId};
use domain::time::UtcMs;
use serde_json::json;

/// Share of the cap from which the alarm is up, and live answers below which a quotient says nothing.
const NEAR_SHARE: f64 = 0.8;
const NEAR_ANSWERS: f64 = 20.0;

fn gate_words(gate: Gate) -> Option<(&'static str, &'static str)> {
    match gate {
        Gate::Database => Some((
            "la base de datos no responde: no se marca",
            "the database does not answer: nothing is dialed",
        )),
        Gate::Fenced => Some((
            "otro proceso tomó el nombre de este nodo: no se marca",
            "another process took this node's name: nothing is dialed",
        )),
        Gate::Recorder => Some((
            "no se pudo grabar una llamada: se pausa el marcado",
            "a call could not be recorded: dialing pauses",
        )),
        Gate::Disk => Some((
            "no queda disco para grabar: no se marca",
            "no disk is left to record: nothing is dialed",
        )),
        Gate::Voice => Some((
            "la telefonía se detuvo por una falla: no se marca; reinicie el nodo",
            "the telephone side ended by a fault: nothing is dialed; start the node anew",
        )),
        Gate::Draining => None,
    }
}

/// Told of a trunk that refuses numbers of a prefix for an hour; others are dialed on it.
const CALLS_AN_HOUR: &str = "calls_an_hour";

fn spent_words(limit: &str, trunk: &str) -> (String, String) {
    if limit == CALLS_AN_HOUR {
        return (
            format!(
                "la troncal {trunk} llegó a su límite de llamadas por hora a un prefijo: más no se marcan"
            ),
            format!(
                "trunk {trunk} has reached its limit of calls an hour to a prefix: more are not dialed"
            ),
        );
    }
    let (es, en) = match limit {
        "minutes_a_day" => ("de minutos al día", "of minutes a day"),
        _ => ("de gasto al día", "of money a day"),
    };
    (
        format!("la troncal {trunk} llegó a su límite {es}: no se marca por ella"),
        format!("trunk {trunk} has reached its limit {en}: nothing is dialed on it"),
    )
}

impl Engine {
    /// Closes or opens a gate; both sides of each are told.
    pub(crate) fn gate(&mut self, now: UtcMs, gate: Gate, closed: bool) {
        if let Some((es, en)) = gate_words(gate) {
            let id = gate.as_str().to_owned();
            if closed {
                self.alarm(now, id, gate.as_str(), (es.to_owned(), en.to_owned()));
            } else {
                self.clear_alarm(&id);
            }
        }
        self.take(now, Input::Gate { gate, closed });
        self.tell_readiness();
        self.board.touch();
    }

    pub(crate) fn tell_readiness(&self) {
        let mut reasons: Vec<String> = self
            .brain
            .closed_gates()
            .map(|g| g.as_str().to_owned())
            .collect();
        if !self.brain.trunks().any(|(_, up, ..)| up) {
            reasons.push("trunks".to_owned());
        }
        self.seen.set_readiness(Readiness {
            dialing: reasons.is_empty(),
            reasons,
            warnings: self
                .disk_low
                .then(|| "disk_low".to_owned())
                .into_iter()
                .collect(),
        });
    }

    /// Raises an alarm once.
    pub(crate) fn alarm(
        &mut self,
        now: UtcMs,
        id: String,
        kind: &'static str,
        (es, en): (String, String),
    ) {
        if self.board.data.alarms.iter().any(|a| a.id == id) {
            return;
        }
        let row = AlarmRow {
            id,
            kind: kind.to_owned(),
            at: now,
            es,
            en,
        };
        let data = json!({"alarm": row.id, "kind": kind});
        self.alarm_event("alarm.raised", &row.id, data);
        self.board.alarm(row);
    }

    pub(crate) fn clear_alarm(&mut self, id: &str) {
        if self.board.clear_alarm(id) {
            self.alarm_event("alarm.cleared", id, json!({"alarm": id}));
        }
    }

    fn alarm_event(&self, kind: &str, id: &str, data: serde_json::Value) {
        let actor = self.shared.actor();
        self.shared.journal(
            self.shared
                .event(None, actor, kind, format!("alarm:{id}"), data),
        );
    }

    pub(crate) fn trunk_alarm(&mut self, now: UtcMs, trunk: TrunkId, up: bool) {
        let id = format!("trunk_down:{trunk}");
        let name = self
            .trunks
            .get(&trunk)
            .map_or_else(String::new, |t| t.trunk.name.clone());
        let kind = if up { "trunk.up" } else { "trunk.down" };
        let actor = self.shared.actor();
        let subject = format!("trunk:{trunk}");
        self.shared.journal(
            self.shared
                .event(None, actor, kind, subject, json!({"up": up})),
        );
        if up {
            self.clear_alarm(&id);
        } else {
            self.alarm(
                now,
                id,
                "trunk_down",
                (
                    format!("la troncal {name} no responde"),
                    format!("trunk {name} does not answer"),
                ),
            );
        }
        self.tell_readiness();
        self.board.touch();
    }

    /// A trunk's calls have come to a limit, or are below all again: meanwhile it is not dialed on, where the limit is one of
    /// the day.
    pub(super) fn trunk_spent(&mut self, now: UtcMs, trunk: TrunkId, limit: Option<&'static str>) {
        let id = format!("toll_limit:{trunk}");
        self.clear_alarm(&id);
        let answers = self.brain.trunks().find(|(t, ..)| *t == trunk);
        let answers = answers.is_some_and(|(_, up, ..)| up);
        if let Some(limit) = limit {
            let name = self.trunks.get(&trunk).map(|t| t.trunk.name.clone());
            let words = spent_words(limit, &name.unwrap_or_default());
            self.alarm(now, id, "toll_limit", words);
        }
        let up = match limit {
            Some(CALLS_AN_HOUR) | None => self.spent.remove(&trunk).unwrap_or(answers),
            Some(_) => {
                self.spent.entry(trunk).or_insert(answers);
                false
            }
        };
        self.take(now, Input::TrunkHealth { trunk, up });
        self.tell_readiness();
        self.board.touch();
    }

    /// Alarms that follow from a campaign's row.
    pub(super) fn row_alarms(&mut self, now: UtcMs, rows: &[CampaignRow]) {
        for row in rows {
            // The day's figure, and that of the window with the least room: a month may be spent on a quiet day.
            let day = day_of(&row.abandonment);
            let room = self.brain.campaign(row.id).and_then(|v| v.room);
            let room = room.map_or(day, |r| (r.numerator, r.denominator, r.cap_pct));
            let over = over_cap(day) || over_cap(room);
            let near = !over && (near_cap(day) || near_cap(room));
            let starved = row
                .problem
                .as_ref()
                .is_some_and(|p| p.code == "nothing_dialable");
            let name = &row.name;
            self.row_alarm(now, "cap_near", row.id, near, || {
                (
                    format!("abandono cerca del tope: {name}"),
                    format!("abandonment near its cap: {name}"),
                )
            });
            self.row_alarm(now, "cap_over", row.id, over, || {
                (
                    format!("abandono por encima del tope: {name}"),
                    format!("abandonment above its cap: {name}"),
                )
            });
            self.row_alarm(now, "nothing_dialable", row.id, starved, || {
                (
                    format!("nadie por marcar: {name}"),
                    format!("nobody left to dial: {name}"),
                )
            });
            self.line_alarms(now, row);
        }
    }

    pub(super) fn row_alarm(
        &mut self,
        now: UtcMs,
        kind: &'static str,
        campaign: CampaignId,
        up: bool,
        words: impl Fn() -> (String, String),
    ) {
        let id = format!("{kind}:{campaign}");
        if up {
            self.alarm(now, id, kind, words());
        } else {
            self.clear_alarm(&id);
        }
    }

    /// The guard lowered or raised a mode.
    pub(super) fn mode_forced(
        &mut self,
        campaign: CampaignId,
        from: DialMode,
        to: DialMode,
        why: &'static str,
    ) {
        tracing::info!(campaign = %campaign, %from, %to, why, "the guard changed a dial mode");
        let client = self.campaigns.get(&campaign).map(|c| c.setting.client.id);
        let data = json!({"from": from, "to": to, "why": why});
        let subject = format!("campaign:{campaign}");
        let actor = self.shared.actor();
        let event = self
            .shared
            .event(client, actor, "campaign.mode_forced", subject, data);
        self.shared.journal(event);
        self.board.touch();
    }

    /// Counts refusals by reason.
    pub(crate) fn count_blocked(&mut self, campaign: Option<CampaignId>, reason: &str, n: u64) {
        *self.totals.blocked.entry(reason.to_owned()).or_insert(0) += n;
        if let Some(entry) = campaign.and_then(|id| self.campaigns.get_mut(&id)) {
            *entry.stats.blocked.entry(reason.to_owned()).or_insert(0) += n;
        }
        self.board.touch();
    }
}

/// Numerator, denominator and cap in percent.
fn day_of(ratio: &Abandonment) -> (f64, f64, f64) {
    let float = |n: u64| as_f64(i64::try_from(n).unwrap_or(i64::MAX));
    let (a, n) = (ratio.numerator, ratio.denominator);
    (float(a), float(n), ratio.cap_pct)
}

/// Whether the quotient comes near its cap; a few answers say nothing.
fn near_cap((abandoned, answers, cap_pct): (f64, f64, f64)) -> bool {
    answers >= NEAR_ANSWERS && abandoned * 100.0 >= NEAR_SHARE * cap_pct * answers
}

/// Whether it is above it.
fn over_cap((abandoned, answers, cap_pct): (f64, f64, f64)) -> bool {
    answers >= NEAR_ANSWERS && abandoned * 100.0 > cap_pct * answers
}
