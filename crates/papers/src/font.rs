//! The readers' own Helvetica: its WinAnsi codes and widths (Adobe Core 14 AFM files, 1/1000 of the size).

/// Widths of the codes 32 to 126.
#[rustfmt::skip]
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// Width of what is not in the table: that of most letters.
const USUAL: u16 = 556;

/// The WinAnsi code of a character; `?` for one that it does not have.
pub(crate) fn code(c: char) -> u8 {
    match c {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).unwrap_or(b'?'),
        '€' => 0x80,
        '…' => 0x85,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        '\t' | '\u{2009}' | '\u{202f}' => b' ',
        _ => b'?',
    }
}

/// The letter under an accent, which is as wide.
fn bare(c: char) -> char {
    match c {
        'À'..='Å' => 'A',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ò'..='Ö' => 'O',
        'Ù'..='Ü' => 'U',
        'Ñ' => 'N',
        'Ç' => 'C',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        '¡' => '!',
        other => other,
    }
}

fn width_of(c: char) -> u16 {
    let place = u32::from(bare(c)).checked_sub(32);
    let place = place.and_then(|p| usize::try_from(p).ok());
    place.and_then(|p| WIDTHS.get(p).copied()).unwrap_or(USUAL)
}

/// Width of a text at `size` points. Bold is a little wider: it is measured with a tenth more.
pub(crate) fn width(text: &str, size: f32, bold: bool) -> f32 {
    let sum: u32 = text.chars().map(|c| u32::from(width_of(c))).sum();
    let units = u16::try_from(sum.min(60_000)).unwrap_or(60_000);
    let plain = f32::from(units) * size / 1_000.0;
    if bold { plain * 1.1 } else { plain }
}

/// A text in lines no wider than `most` points; a word that is wider alone is cut.
pub(crate) fn lines(text: &str, size: f32, bold: bool, most: f32) -> Vec<String> {
    let mut out = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if width(&longer, size, bold) <= most {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                out.push(std::mem::take(&mut line));
            }
            line = cut(word, size, bold, most, &mut out);
        }
        out.push(line);
    }
    out
}

/// Puts the full lines of a long word out; gives its rest.
fn cut(word: &str, size: f32, bold: bool, most: f32, out: &mut Vec<String>) -> String {
    let mut line = String::new();
    for c in word.chars() {
        line.push(c);
        if width(&line, size, bold) > most && line.chars().count() > 1 {
            line.pop();
            out.push(std::mem::take(&mut line));
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spanish_has_its_codes() {
        let codes: Vec<u8> = "¿Año, Ñandú – 5 €?".chars().map(code).collect();
        assert_eq!(codes[0], 0xbf);
        assert!(!codes[1..codes.len() - 1].contains(&b'?'), "{codes:?}");
        assert_eq!(code('漢'), b'?');
    }

    #[test]
    fn lines_hold_their_width_and_lose_no_word() {
        let text = "Uno dos tres cuatro cinco seis siete ocho nueve diez once doce";
        let cut = lines(text, 10.0, false, 80.0);
        assert!(
            cut.len() > 3 && cut.iter().all(|l| width(l, 10.0, false) <= 80.0),
            "{cut:?}"
        );
        assert_eq!(cut.join(" "), text);
        let long = "x".repeat(200);
        assert_eq!(lines(&long, 10.0, false, 80.0).concat(), long);
    }
}
