//! The readable index of an archive: one page, Spanish first, English beside, no scripts.

use super::{Ask, Found};
use domain::entity::{Attempt, Verdict};
use domain::time::UtcMs;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Text as HTML shows it.
fn safe(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

fn instant(at: Option<UtcMs>) -> String {
    at.map_or_else(|| "–".to_owned(), |t| t.to_string())
}

fn cells(tag: &str, cells: &[String]) -> String {
    let inner = cells.iter().fold(String::new(), |mut out, c| {
        let _ = write!(out, "<{tag}>{c}</{tag}>");
        out
    });
    format!("<tr>{inner}</tr>\n")
}

fn table(caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return format!("<h2>{caption}</h2><p>Ninguno · None.</p>\n");
    }
    let head: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
    let head = cells("th scope=\"col\"", &head).replace("</th scope=\"col\">", "</th>");
    let body: String = rows.iter().map(|r| cells("td", r)).collect();
    format!("<h2>{caption}</h2><table><thead>{head}</thead><tbody>\n{body}</tbody></table>\n")
}

fn attempt_row(
    attempt: &Attempt,
    verdicts: &BTreeMap<domain::ids::VerdictId, &Verdict>,
    sounds: &BTreeMap<domain::ids::RecordingId, (String, Option<&str>)>,
) -> Vec<String> {
    let verdict = verdicts.get(&attempt.verdict_id);
    let said = verdict.map_or_else(String::new, |v| {
        let rules = v.rules.iter().map(|r| r.rule.as_str());
        let rules: Vec<&str> = rules.collect();
        format!("{} ({})", v.decision.as_str(), rules.join(", "))
    });
    let sound = attempt.recording_id.and_then(|id| sounds.get(&id));
    let sound = sound.map_or_else(
        || "–".to_owned(),
        |(hash, file)| match file {
            Some(file) => format!("<a href=\"{file}\">WAV</a> <code>{hash}</code>"),
            None => format!("<code>{hash}</code>"),
        },
    );
    vec![
        safe(&attempt.opened_at.to_string()),
        safe(attempt.phone.reveal()),
        safe(&attempt.caller_number),
        instant(attempt.answered_at),
        instant(attempt.ended_at),
        attempt.result.map_or("–", |r| r.as_str()).to_owned(),
        safe(attempt.disposition.as_deref().unwrap_or("–")),
        format!("{} {}", safe(&attempt.pack), safe(&attempt.pack_version)),
        safe(&said),
        sound,
    ]
}

fn refusal_row(verdict: &Verdict) -> Vec<String> {
    let (es, en) = verdict.reason().unwrap_or_default();
    vec![
        verdict.at.to_string(),
        verdict.channel.to_string(),
        verdict.check_point.to_string(),
        verdict.blocked.map_or("–", |b| b.as_str()).to_owned(),
        safe(es),
        safe(en),
    ]
}

/// The page.
pub(super) fn index(ask: &Ask<'_>, found: &Found, files: &[Value]) -> String {
    let verdicts: BTreeMap<_, &Verdict> = found.verdicts.iter().map(|v| (v.id, v)).collect();
    let sounds: BTreeMap<_, _> = found
        .recordings
        .iter()
        .map(|(r, file)| {
            let hash = r.sha256.clone().unwrap_or_default();
            (r.id, (hash, file.as_deref()))
        })
        .collect();
    let mut out = head(ask, found);
    let attempts: Vec<Vec<String>> = found
        .attempts
        .iter()
        .map(|a| attempt_row(a, &verdicts, &sounds))
        .collect();
    out += &table(
        "Intentos · Attempts",
        &[
            "UTC",
            "Número · Number",
            "Mostrado · Shown",
            "Contestó · Answered",
            "Fin · End",
            "Resultado · Result",
            "Tipificación · Disposition",
            "Paquete · Pack",
            "Decisión · Decision",
            "Grabación (SHA-256) · Recording",
        ],
        &attempts,
    );
    let refused: Vec<Vec<String>> = found
        .verdicts
        .iter()
        .filter(|v| v.blocked.is_some())
        .map(refusal_row)
        .collect();
    out += &table(
        "Contactos que la ley impidió · Contacts that the law stopped",
        &[
            "UTC",
            "Canal · Channel",
            "Punto · Point",
            "Motivo · Reason",
            "Español",
            "English",
        ],
        &refused,
    );
    out += &wishes(found);
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|f| {
            let text = |name: &str| f[name].as_str().unwrap_or_default().to_owned();
            let name = safe(&text("file"));
            vec![
                format!("<a href=\"{name}\">{name}</a>"),
                f["bytes"].to_string(),
                format!("<code>{}</code>", text("sha256")),
            ]
        })
        .collect();
    out += &table(
        "Archivos · Files",
        &["Archivo · File", "Bytes", "SHA-256"],
        &rows,
    );
    out + "</main></body></html>\n"
}

fn head(ask: &Ask<'_>, found: &Found) -> String {
    let debtor = &found.file.debtor;
    let chain = if found.chain_is_whole() {
        "íntegra · whole"
    } else {
        "ROTA · BROKEN"
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"es\"><head><meta charset=\"utf-8\">\
        <title>Expediente · Evidence</title><style>body{{font:15px/1.5 system-ui,sans-serif;margin:2rem}}\
        table{{border-collapse:collapse;margin:1rem 0}}th,td{{border:1px solid #767676;padding:.3rem .5rem;\
        text-align:left;vertical-align:top}}code{{overflow-wrap:anywhere;font-size:.8em}}</style></head>\
        <body><main><h1>Expediente · Evidence</h1>\n<dl>\
        <dt>Deudor · Debtor</dt><dd>{} · {} · {}</dd>\
        <dt>Documento · Document</dt><dd>{}</dd>\
        <dt>Hecho · Made (UTC)</dt><dd>{} · {}</dd>\
        <dt>Cadena de decisiones · Chain of decisions</dt><dd>{} · {chain}</dd></dl>\n",
        safe(debtor.name.reveal()),
        safe(&debtor.external_ref),
        debtor.id,
        safe(debtor.document.reveal()),
        ask.now,
        safe(&ask.made_by),
        found.chain.len(),
    );
    if let Some(complaint) = &ask.complaint {
        let answer = complaint.answer.as_ref().map_or("–", |a| a.reveal());
        let _ = writeln!(
            out,
            "<h2>Queja · Complaint</h2><dl><dt>Autoridad · Authority</dt><dd>{} · {}</dd>\
            <dt>Recibida · Received</dt><dd>{}</dd><dt>Plazo · Deadline</dt><dd>{}</dd>\
            <dt>Asunto · Summary</dt><dd>{}</dd><dt>Respuesta · Answer</dt><dd>{} ({})</dd></dl>",
            safe(&complaint.authority),
            safe(&complaint.number),
            complaint.received_at,
            safe(&complaint.deadline),
            safe(complaint.summary.reveal()),
            safe(answer),
            complaint.state,
        );
    }
    out
}

/// Consents, preferences, holds and listings.
fn wishes(found: &Found) -> String {
    consents(found) + &preferences(found) + &holds(found) + &listed(found)
}

fn consents(found: &Found) -> String {
    let rows: Vec<Vec<String>> = found
        .file
        .consents
        .iter()
        .map(|c| {
            vec![
                c.granted_at.to_string(),
                c.channel.to_string(),
                safe(&c.purpose),
                instant(c.until),
                instant(c.revoked_at),
                safe(&c.proof),
            ]
        })
        .collect();
    let head = [
        "UTC",
        "Canal · Channel",
        "Para · For",
        "Hasta · Until",
        "Revocado · Revoked",
        "Prueba · Proof",
    ];
    table("Consentimientos · Consents", &head, &rows)
}

fn preferences(found: &Found) -> String {
    let rows: Vec<Vec<String>> = found
        .preferences
        .iter()
        .map(|p| {
            let detail = match (&p.from, &p.to) {
                (Some(from), Some(to)) => format!("{from}–{to} {}", p.days.join(" ")),
                _ => p.channel.map_or("–".to_owned(), |c| c.to_string()),
            };
            vec![
                p.recorded_at.to_string(),
                p.kind.to_string(),
                safe(&detail),
                instant(p.until),
                instant(p.revoked_at),
                safe(&p.proof),
            ]
        })
        .collect();
    let head = [
        "UTC",
        "Qué · What",
        "Detalle · Detail",
        "Hasta · Until",
        "Retirada · Taken back",
        "Prueba · Proof",
    ];
    table(
        "Preferencias y cuidados · Preferences and marks",
        &head,
        &rows,
    )
}

fn holds(found: &Found) -> String {
    let rows: Vec<Vec<String>> = found
        .file
        .holds
        .iter()
        .map(|h| {
            vec![
                h.from.to_string(),
                h.kind.to_string(),
                h.scope.to_string(),
                instant(h.until),
                instant(h.lifted_at),
                safe(&h.evidence),
            ]
        })
        .collect();
    let head = [
        "UTC",
        "Qué · What",
        "Alcance · Scope",
        "Hasta · Until",
        "Levantado · Lifted",
        "Prueba · Proof",
    ];
    table("Bloqueos · Holds", &head, &rows)
}

fn listed(found: &Found) -> String {
    let rows: Vec<Vec<String>> = found
        .suppressions
        .iter()
        .map(|s| {
            let at = s.created_at.to_string();
            vec![at, s.kind.to_string(), safe(&s.reason)]
        })
        .collect();
    let head = ["UTC", "Qué · What", "Motivo · Reason"];
    table("Listas de exclusión · Do-not-call", &head, &rows)
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn no_text_of_the_file_is_markup() {
        assert_eq!(safe("<b>\"Ñ\"&'"), "&lt;b&gt;&quot;Ñ&quot;&amp;&#39;");
    }
}
