//! The readable index of an archive: one page, Spanish first, English beside, no scripts.

use super::Ask;
use super::found::Found;
use super::sections::{Cell, Section};
use crate::hosted::safe;
use std::fmt::Write as _;

fn cell(cell: &Cell) -> String {
    let text = safe(cell.text());
    match cell {
        Cell::Text(_) => text,
        Cell::Hash(_) => format!("<code>{text}</code>"),
        Cell::File(_) => format!("<a href=\"{text}\">{text}</a>"),
    }
}

fn table(section: &Section) -> String {
    let caption = section.title;
    if section.rows.is_empty() {
        return format!("<h2>{caption}</h2><p>Ninguno · None.</p>\n");
    }
    let mut out = format!("<h2>{caption}</h2><table><thead><tr>");
    for name in section.head {
        let _ = write!(out, "<th scope=\"col\">{name}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &section.rows {
        out.push_str("<tr>");
        for value in row {
            let _ = write!(out, "<td>{}</td>", cell(value));
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody></table>\n"
}

/// The page.
pub(super) fn index(ask: &Ask<'_>, found: &Found, sections: &[Section]) -> String {
    let mut out = head(ask, found);
    for section in sections {
        out += &table(section);
    }
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
        found.decisions(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_the_file_is_markup() {
        assert_eq!(safe("<b>\"Ñ\"&'"), "&lt;b&gt;&quot;Ñ&quot;&amp;&#39;");
        let section = Section {
            title: "Prueba · Proof",
            head: &["Qué · What", "Archivo · File"],
            rows: vec![vec![
                Cell::Text("<script>".into()),
                Cell::File("a\"b.json".into()),
            ]],
        };
        let html = table(&section);
        assert!(html.contains("<td>&lt;script&gt;</td>"), "{html}");
        assert!(html.contains("href=\"a&quot;b.json\""), "{html}");
    }
}
