//! What debtors answer by mail: their own words, without the mail they answer.

use super::dsn::parts;
use super::html;
use mailparse::ParsedMail;

/// Lines over which a mail program may spread "… wrote:".
const SPREAD: usize = 3;

/// Lines that begin the mail that is answered, when `lines` begin with them: "El lun, Acme <a@b> escribió:".
fn attribution(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim_start();
    if first.trim_end().ends_with(':') && first.contains('@') && first.contains('<') {
        return Some(1);
    }
    let begins = ["El ", "On ", "Em "].iter().any(|w| first.starts_with(w));
    let mut said = String::new();
    for (i, line) in lines.iter().take(SPREAD).enumerate() {
        if line.trim().is_empty() {
            return None;
        }
        said.push_str(line.trim());
        said.push(' ');
        let ends = ["escribió:", "wrote:", "escreveu:"]
            .iter()
            .any(|w| said.trim_end().ends_with(w));
        if begins && ends && said.contains('@') {
            return Some(i + 1);
        }
    }
    None
}

/// Whether the mail that is answered follows from here on as it was, with its head.
fn whole_mail(lines: &[&str]) -> bool {
    let Some(first) = lines.first().map(|l| l.trim()) else {
        return false;
    };
    let from = ["De:", "From:"].iter().any(|w| first.starts_with(w));
    let heads = [
        "Enviado", "Enviada", "Sent:", "Para:", "To:", "Date:", "Fecha:",
    ];
    let headed = |l: &&str| heads.iter().any(|w| l.trim().starts_with(w));
    first.starts_with("-----")
        || first.starts_with("_____")
        || (from && lines.iter().skip(1).take(SPREAD).any(headed))
}

/// A line that the mail program adds by itself.
fn signed(line: &str) -> bool {
    let line = line.trim_end();
    line == "--"
        || [
            "Enviado desde mi ",
            "Enviado do meu ",
            "Sent from my ",
            "Get Outlook for ",
        ]
        .iter()
        .any(|w| line.trim_start().starts_with(w))
}

/// What stands above the mail that is answered; where nothing does, what stands below its quoted lines.
pub(super) fn own_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let rest = &lines[at..];
        let nothing = kept.iter().all(|l| l.is_empty());
        let quoted = match line.starts_with('>') {
            true => Some(1),
            false => attribution(rest),
        };
        match quoted {
            Some(count) if nothing => at += count,
            Some(_) => break,
            None if signed(line) || whole_mail(rest) => break,
            None => {
                kept.push(line.trim_end());
                at += 1;
            }
        }
    }
    kept.join("\n").trim().to_owned()
}

/// The debtor's own words in a mail: of its plain text, else of its HTML; empty when it has neither.
pub(super) fn text_of(mail: &ParsedMail<'_>) -> String {
    let mut all = Vec::new();
    parts(mail, 0, &mut all);
    let body = |kind: &str| {
        let found = all.iter().find(|p| p.ctype.mimetype == kind)?;
        found.get_body().ok().filter(|b| !b.trim().is_empty())
    };
    let text = body("text/plain").or_else(|| body("text/html").map(|b| html::text(&b)));
    own_words(&text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_programs_quote_in_their_ways() {
        for text in [
            "BAJA\n\nEnviado desde mi iPhone\n\n> Hola",
            "BAJA\r\n\r\nEl lun, 23 nov 2026 a las 10:00, Acme Cobranza (<\r\ncobranza@mail.example>)\r\nescribió:\r\n\r\n> Hola",
            "BAJA\n\n________________________________\nDe: Acme <cobranza@mail.example>\nEnviado: lunes\n\nHola Ana",
            "BAJA\n\nDe: Acme\nEnviado el: lunes, 23 de noviembre\nPara: Ana\n\nHola Ana",
            "BAJA\n\n-----Mensaje original-----\nHola",
            "BAJA\n-- \nAna Núñez",
            "On Mon, Acme <cobranza@mail.example> wrote:\n> Hola\n> Ana\n\nBAJA",
        ] {
            assert_eq!(own_words(text), "BAJA", "{text}");
        }
        let kept = "El banco me escribió:\npague ya\nDe: nadie";
        assert_eq!(own_words(kept), kept);
        assert_eq!(own_words("> Hola\n"), "");
    }
}
