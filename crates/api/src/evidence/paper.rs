//! The index of an archive as it is printed, Spanish: what a lawyer takes to a hearing.

use super::Ask;
use super::found::Found;
use super::sections::{Cell, Section};
use papers::{Block, Sheet, print};

/// The Spanish part of a title or head.
fn spanish(text: &str) -> &str {
    text.split(" · ").next().unwrap_or(text)
}

fn line(head: &[&str], row: &[Cell]) -> String {
    let told = head.iter().zip(row).filter(|(_, cell)| cell.text() != "–");
    let told = told.map(|(name, cell)| format!("{}: {}", spanish(name), cell.text()));
    told.collect::<Vec<_>>().join("; ")
}

/// The paper.
pub(super) fn index(ask: &Ask<'_>, found: &Found, sections: &[Section]) -> Vec<u8> {
    let debtor = &found.file.debtor;
    let chain = match found.chain_is_whole() {
        true => "íntegra",
        false => "ROTA",
    };
    let mut blocks = vec![
        Block::Row("Documento".into(), debtor.document.reveal().clone()),
        Block::Row("Hecho por".into(), ask.made_by.clone()),
        Block::Row(
            "Cadena de decisiones".into(),
            format!("{}, {chain}", found.decisions()),
        ),
    ];
    if let Some(complaint) = &ask.complaint {
        let answer = complaint.answer.as_ref().map_or("–", |a| a.reveal());
        blocks.push(Block::Heading("Queja".into()));
        blocks.push(Block::Text(format!(
            "{} {}\nRecibida: {}\nPlazo: {}\nAsunto: {}\nRespuesta: {answer}",
            complaint.authority,
            complaint.number,
            complaint.received_at,
            complaint.deadline,
            complaint.summary.reveal(),
        )));
    }
    for section in sections {
        let title = format!("{} ({})", spanish(section.title), section.rows.len());
        blocks.push(Block::Heading(title));
        let rows = section.rows.iter();
        blocks.extend(rows.map(|row| Block::Text(line(section.head, row))));
    }
    let sheet = Sheet {
        letterhead: "Expediente".into(),
        dated: format!("{} (UTC)", ask.now),
        addressee: format!("{}\n{}", debtor.name.reveal(), debtor.external_ref),
        subject: "Índice del expediente".into(),
        blocks,
    };
    print("Expediente", "es", &[sheet])
}
