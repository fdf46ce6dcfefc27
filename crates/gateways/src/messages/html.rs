//! The words of an HTML mail, for mails that have no plain text.

/// Longest text that is made of it, characters.
const TEXT_MAX: usize = 20_000;
/// Longest `&name;`, characters.
const NAME_MAX: usize = 10;
/// Elements whose content is not shown.
const HIDDEN: &[&str] = &["style", "script", "head", "title"];
/// Elements that begin a line.
const LINES: &[&str] = &[
    "br", "p", "div", "tr", "li", "h1", "h2", "h3", "hr", "table",
];
/// What mail programs put around the mail that is answered.
const QUOTES: &[&str] = &[
    "gmail_quote",
    "divrplyfwdmsg",
    "appendonsend",
    "yahoo_quoted",
];

fn named(name: &str) -> Option<char> {
    if let Some(code) = name.strip_prefix('#') {
        let hex = code.strip_prefix(['x', 'X']);
        let number = match hex {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => code.parse(),
        };
        return char::from_u32(number.ok()?);
    }
    Some(match name {
        "nbsp" => ' ',
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "aacute" => 'á',
        "eacute" => 'é',
        "iacute" => 'í',
        "oacute" => 'ó',
        "uacute" => 'ú',
        "ntilde" => 'ñ',
        "iexcl" => '¡',
        "iquest" => '¿',
        _ => return None,
    })
}

/// Text between two tags.
fn plain(piece: &str, out: &mut String) {
    let mut rest = piece;
    while let Some(at) = rest.find(['&', '\n', '\r', '\t']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after
            .char_indices()
            .take(NAME_MAX)
            .find(|(_, c)| *c == ';')
            .map(|(i, _)| i);
        let sign = end.and_then(|end| Some((named(after.get(1..end)?)?, end)));
        rest = match sign.filter(|_| after.starts_with('&')) {
            Some((sign, end)) => {
                out.push(sign);
                &after[end + 1..]
            }
            None => {
                out.push(if after.starts_with('&') { '&' } else { ' ' });
                &after[1..]
            }
        };
    }
    out.push_str(rest);
}

/// The text that is shown above the mail that is answered.
pub(super) fn text(html: &str) -> String {
    let mut out = String::new();
    let small = html.to_ascii_lowercase();
    let mut rest = html;
    while out.len() < TEXT_MAX {
        let Some(open) = rest.find('<') else {
            plain(rest, &mut out);
            break;
        };
        plain(&rest[..open], &mut out);
        let Some(close) = rest[open..].find('>') else {
            break;
        };
        let tag = rest[open + 1..open + close].to_ascii_lowercase();
        rest = &rest[open + close + 1..];
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if name == "blockquote" || QUOTES.iter().any(|mark| tag.contains(mark)) {
            break;
        }
        if LINES.contains(&name.as_str()) {
            out.push('\n');
        }
        if HIDDEN.contains(&name.as_str()) && !tag.starts_with('/') {
            let end = small[html.len() - rest.len()..].find(&format!("</{name}"));
            rest = end.map_or("", |end| &rest[end..]);
        }
    }
    let lines: Vec<String> = out
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn what_is_shown_above_the_quote() {
        let html = "<html><head><style>p > a {color:red}</style></head><body><div dir=ltr>BAJA&nbsp;por\r\n favor</div>\
            <p>Adi&oacute;s &#38; &#xf1; &nada; &</p><div class=\"gmail_quote\">El lun, Acme escribi&oacute;: <p>Hola</p>";
        assert_eq!(text(html), "BAJA por favor\n\nAdiós & ñ &nada; &");
        assert_eq!(
            text("Ya pagu&eacute;<br>Ana<blockquote>Hola"),
            "Ya pagué\nAna"
        );
    }

    #[test]
    fn noise_ends() {
        for html in [
            "",
            "<",
            "<p",
            "&",
            "&;",
            "&#;",
            "&#x110000;",
            "<style>",
            "ñ&ñ;<ñ",
        ] {
            assert!(text(html).len() <= html.len());
        }
    }
}
