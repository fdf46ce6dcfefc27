//! What the readable index tells, as tables: the page and the paper print the same ones.

use super::found::Found;
use super::text_hash;
use crate::routes::history::sheet_line::sheet_line;
use domain::entity::{Attempt, Consent, Merge, Message, Suppression, Verdict};
use domain::ids::{RecordingId, VerdictId};
use domain::time::UtcMs;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Display;

/// What stands in a cell.
pub(super) enum Cell {
    /// Text as it is.
    Text(String),
    /// A hash, which may be broken anywhere.
    Hash(String),
    /// A file of the archive.
    File(String),
}

impl Cell {
    /// Its text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Hash(text) | Self::File(text) => text,
        }
    }
}

/// One table; titles and heads are Spanish, a middle dot, English.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What is not there.
const NONE: &str = "–";

fn text(value: impl Display) -> Cell {
    Cell::Text(value.to_string())
}

fn instant(at: Option<UtcMs>) -> Cell {
    Cell::Text(at.map_or_else(|| NONE.to_owned(), |t| t.to_string()))
}

/// Every table in the order in which it is read; `files` are those of the archive with size and hash.
pub(super) fn all(found: &Found, files: &[Value]) -> Vec<Section> {
    vec![
        merges(found),
        attempts(found),
        shown(found),
        refusals(found),
        messages(found),
        received(found),
        consents(found),
        preferences(found),
        holds(found),
        listed(found),
        complaints(found),
        archive(files),
    ]
}

fn merges(found: &Found) -> Section {
    let name = |id| {
        let file = found.files().find(|f| f.id == id);
        file.map_or_else(|| id.to_string(), |f| f.external_ref.clone())
    };
    let row = |m: &Merge| {
        vec![
            text(m.at),
            text(name(m.kept_id)),
            text(name(m.gone_id)),
            text(&m.actor),
            instant(m.undone_at),
            text(m.undone_by.as_deref().unwrap_or(NONE)),
        ]
    };
    Section {
        title: "Archivos del deudor que se unieron · Files of the debtor made one",
        head: &[
            "UTC",
            "Queda · Stays",
            "Se une · Joins",
            "Quién · By",
            "Separados (UTC) · Apart again",
            "Por · By whom",
        ],
        rows: found.merges.iter().map(row).collect(),
    }
}

fn attempts(found: &Found) -> Section {
    let verdicts: BTreeMap<VerdictId, &Verdict> =
        found.verdicts.iter().map(|v| (v.id, v)).collect();
    let sounds: BTreeMap<RecordingId, (Option<&str>, Option<&str>)> = found
        .recordings
        .iter()
        .map(|(r, file)| (r.id, (r.sha256.as_deref(), file.as_deref())))
        .collect();
    let row = |attempt: &Attempt| {
        let said = verdicts.get(&attempt.verdict_id).map_or_else(
            || NONE.to_owned(),
            |v| {
                let rules: Vec<&str> = v.rules.iter().map(|r| r.rule.as_str()).collect();
                format!("{} ({})", v.decision.as_str(), rules.join(", "))
            },
        );
        let sound = attempt.recording_id.and_then(|id| sounds.get(&id));
        let (hash, file) = sound.copied().unwrap_or_default();
        vec![
            text(attempt.opened_at),
            text(attempt.phone.reveal()),
            text(&attempt.caller_number),
            instant(attempt.answered_at),
            instant(attempt.ended_at),
            text(attempt.result.map_or(NONE, |r| r.as_str())),
            text(attempt.disposition.as_deref().unwrap_or(NONE)),
            text(format!("{} {}", attempt.pack, attempt.pack_version)),
            text(said),
            file.map_or_else(|| text(NONE), |file| Cell::File(file.to_owned())),
            Cell::Hash(hash.unwrap_or(NONE).to_owned()),
        ]
    };
    Section {
        title: "Intentos · Attempts",
        head: &[
            "UTC",
            "Número · Number",
            "Mostrado · Shown",
            "Contestó · Answered",
            "Fin · End",
            "Resultado · Result",
            "Tipificación · Disposition",
            "Paquete · Pack",
            "Decisión · Decision",
            "Grabación · Recording",
            "SHA-256",
        ],
        rows: found.attempts.iter().map(row).collect(),
    }
}

/// First and last call with a number.
fn ends<'a>(calls: &[&'a Attempt]) -> (Option<&'a Attempt>, Option<&'a Attempt>) {
    (calls.first().copied(), calls.last().copied())
}

fn shown(found: &Found) -> Section {
    let row = |(number, calls): (&str, Vec<&Attempt>)| {
        let (first, last) = ends(&calls);
        vec![
            text(number),
            text(calls.len()),
            instant(first.map(|a| a.opened_at)),
            instant(last.map(|a| a.opened_at)),
        ]
    };
    Section {
        title: "Números mostrados · Numbers shown",
        head: &[
            "Número · Number",
            "Llamadas · Calls",
            "Primera (UTC) · First",
            "Última (UTC) · Last",
        ],
        rows: found.shown().into_iter().map(row).collect(),
    }
}

/// The numbers shown as lines for a spreadsheet.
pub(super) fn shown_csv(found: &Found) -> String {
    let mut csv = sheet_line(["number", "calls", "first_at", "last_at"]);
    for (number, calls) in found.shown() {
        let (first, last) = ends(&calls);
        let at = |a: Option<&Attempt>| a.map_or_else(String::new, |a| a.opened_at.to_string());
        csv += &sheet_line([number, &calls.len().to_string(), &at(first), &at(last)]);
    }
    csv
}

fn refusals(found: &Found) -> Section {
    let row = |verdict: &Verdict| {
        let (es, en) = verdict.reason().unwrap_or_default();
        vec![
            text(verdict.at),
            text(verdict.channel),
            text(verdict.check_point),
            text(verdict.blocked.map_or(NONE, |b| b.as_str())),
            text(es),
            text(en),
        ]
    };
    let refused = found.verdicts.iter().filter(|v| v.blocked.is_some());
    Section {
        title: "Contactos que la ley impidió · Contacts that the law stopped",
        head: &[
            "UTC",
            "Canal · Channel",
            "Punto · Point",
            "Motivo · Reason",
            "Español",
            "English",
        ],
        rows: refused.map(row).collect(),
    }
}

fn messages(found: &Found) -> Section {
    let row = |m: &Message| {
        let template = match m.template_id {
            Some(id) => format!("{id} v{}", m.template_version),
            None => NONE.to_owned(),
        };
        vec![
            text(m.created_at),
            text(m.channel),
            text(m.address.as_ref().map_or(NONE, |a| a.reveal().as_str())),
            text(template),
            text(m.state),
            instant(m.sent_at),
            instant(m.delivered_at),
            instant(m.read_at),
            instant(m.answered_at),
            instant(m.ended_at),
            text(&m.reason),
            Cell::Hash(text_hash(m)),
        ]
    };
    Section {
        title: "Mensajes · Messages",
        head: &[
            "UTC",
            "Canal · Channel",
            "A · To",
            "Plantilla · Template",
            "Estado · State",
            "Enviado · Sent",
            "Entregado · Delivered",
            "Leído · Read",
            "Respondido · Answered",
            "Fin · Ended",
            "Motivo · Reason",
            "Texto (SHA-256) · Text",
        ],
        rows: found.messages.iter().map(row).collect(),
    }
}

fn received(found: &Found) -> Section {
    let rows = found.inbox.iter().map(|m| {
        vec![
            text(m.received_at),
            text(m.channel),
            text(m.address.reveal()),
            text(m.text.reveal()),
            text(if m.optout { "sí · yes" } else { NONE }),
            instant(m.handled_at),
        ]
    });
    Section {
        title: "Mensajes recibidos · Messages received",
        head: &[
            "UTC",
            "Canal · Channel",
            "De · From",
            "Texto · Text",
            "Baja · Opt-out",
            "Atendido · Handled",
        ],
        rows: rows.collect(),
    }
}

fn consents(found: &Found) -> Section {
    let row = |c: &Consent| {
        vec![
            text(c.granted_at),
            text(c.channel),
            text(&c.purpose),
            instant(c.until),
            text(&c.proof),
            instant(c.revoked_at),
            text(c.revoke_proof.as_deref().unwrap_or(NONE)),
        ]
    };
    Section {
        title: "Consentimientos · Consents",
        head: &[
            "UTC",
            "Canal · Channel",
            "Para · For",
            "Hasta · Until",
            "Prueba · Proof",
            "Revocado · Revoked",
            "Prueba de la revocación · Proof of it",
        ],
        rows: found.file.consents.iter().map(row).collect(),
    }
}

fn preferences(found: &Found) -> Section {
    let rows = found.preferences.iter().map(|p| {
        let detail = match (&p.from, &p.to) {
            (Some(from), Some(to)) => format!("{from}–{to} {}", p.days.join(" ")),
            _ => p.channel.map_or(NONE.to_owned(), |c| c.to_string()),
        };
        vec![
            text(p.recorded_at),
            text(p.kind),
            text(detail),
            instant(p.until),
            instant(p.revoked_at),
            text(&p.proof),
        ]
    });
    Section {
        title: "Preferencias y cuidados · Preferences and marks",
        head: &[
            "UTC",
            "Qué · What",
            "Detalle · Detail",
            "Hasta · Until",
            "Retirada · Taken back",
            "Prueba · Proof",
        ],
        rows: rows.collect(),
    }
}

fn holds(found: &Found) -> Section {
    let rows = found.file.holds.iter().map(|h| {
        vec![
            text(h.from),
            text(h.kind),
            text(h.scope),
            instant(h.until),
            instant(h.lifted_at),
            text(&h.evidence),
        ]
    });
    Section {
        title: "Bloqueos · Holds",
        head: &[
            "UTC",
            "Qué · What",
            "Alcance · Scope",
            "Hasta · Until",
            "Levantado · Lifted",
            "Prueba · Proof",
        ],
        rows: rows.collect(),
    }
}

fn listed(found: &Found) -> Section {
    let row = |s: &Suppression| {
        vec![
            text(s.created_at),
            text(s.kind),
            text(s.value.reveal()),
            text(&s.reason),
            instant(s.lifted_at),
        ]
    };
    Section {
        title: "Listas de exclusión · Do-not-call",
        head: &[
            "UTC",
            "Qué · What",
            "Valor · Value",
            "Motivo · Reason",
            "Levantada · Lifted",
        ],
        rows: found.suppressions.iter().map(row).collect(),
    }
}

fn complaints(found: &Found) -> Section {
    let rows = found.complaints.iter().map(|c| {
        vec![
            text(c.received_at),
            text(&c.authority),
            text(&c.number),
            text(&c.deadline),
            text(c.state),
            instant(c.answered_at),
        ]
    });
    Section {
        title: "Quejas · Complaints",
        head: &[
            "Recibida (UTC) · Received",
            "Autoridad · Authority",
            "Número · Number",
            "Plazo · Deadline",
            "Estado · State",
            "Respondida · Answered",
        ],
        rows: rows.collect(),
    }
}

fn archive(files: &[Value]) -> Section {
    let rows = files.iter().map(|file| {
        let of = |name: &str| {
            let value = file.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let bytes = file.get("bytes").and_then(Value::as_u64);
        vec![
            Cell::File(of("file")),
            text(bytes.unwrap_or_default()),
            Cell::Hash(of("sha256")),
        ]
    });
    Section {
        title: "Archivos · Files",
        head: &["Archivo · File", "Bytes", "SHA-256"],
        rows: rows.collect(),
    }
}
