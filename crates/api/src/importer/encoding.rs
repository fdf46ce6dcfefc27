//! Bytes to text: UTF-8, UTF-16 with its byte order mark, Latin-1 as Windows-1252; others when the
//! map names them. What is not clear is asked for, never guessed.

use super::ImportError;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes a file piece by piece.
pub(super) struct Text {
    decoder: Decoder,
    encoding: &'static Encoding,
    /// Nothing but ASCII so far: it may still turn out as UTF-8 or Latin-1.
    open: bool,
    /// The first character beyond ASCII, cut by the end of its piece: it tells nothing until the rest
    /// is there. At most 3 bytes.
    held: Vec<u8>,
}

impl Text {
    /// Decides by the first piece; `given` is the WHATWG label that the map names.
    pub(super) fn begin(first: &[u8], given: Option<&str>) -> Result<Self, ImportError> {
        if let Some(label) = given {
            let encoding = Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                ImportError::Encoding(format!(
                    "unknown name '{label}': expected as utf-8 or windows-1252"
                ))
            })?;
            return Ok(Self::of(encoding, false));
        }
        if let Some((encoding, _)) = Encoding::for_bom(first) {
            return Ok(Self::of(encoding, false));
        }
        if first.contains(&0) {
            let hint = match first {
                [0, b, ..] if *b != 0 => {
                    " (it looks like UTF-16 without a byte order mark: name utf-16be in the map)"
                }
                [b, 0, ..] if *b != 0 => {
                    " (it looks like UTF-16 without a byte order mark: name utf-16le in the map)"
                }
                _ => "",
            };
            return Err(ImportError::Encoding(format!(
                "holds NUL bytes: this is no text file{hint}"
            )));
        }
        let mut text = Self::of(UTF_8, true);
        if !ends_in_its_first_character(first) {
            text.settle(first)?;
        }
        Ok(text)
    }

    fn of(encoding: &'static Encoding, open: bool) -> Self {
        Self {
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            open,
            held: Vec::new(),
        }
    }

    /// Name of the encoding (WHATWG).
    pub(super) fn name(&self) -> &'static str {
        self.encoding.name()
    }

    fn settle(&mut self, piece: &[u8]) -> Result<(), ImportError> {
        if self.open && !piece.is_ascii() {
            self.open = false;
            let encoding = eight_bit(piece)?;
            if encoding != self.encoding {
                *self = Self::of(encoding, false);
            }
        }
        Ok(())
    }

    /// Decodes the next piece to the end of `out`; bytes that do not fit become U+FFFD, and the rows
    /// that hold one are refused later.
    pub(super) fn decode(
        &mut self,
        piece: &[u8],
        last: bool,
        out: &mut String,
    ) -> Result<(), ImportError> {
        if self.open {
            let mut whole = std::mem::take(&mut self.held);
            whole.extend_from_slice(piece);
            if !last && ends_in_its_first_character(&whole) {
                let ascii = whole.iter().take_while(|b| b.is_ascii()).count();
                self.held = whole.split_off(ascii);
                return self.write(&whole, false, out);
            }
            self.settle(&whole)?;
            return self.write(&whole, last, out);
        }
        self.write(piece, last, out)
    }

    fn write(&mut self, piece: &[u8], last: bool, out: &mut String) -> Result<(), ImportError> {
        let room = self
            .decoder
            .max_utf8_buffer_length(piece.len())
            .unwrap_or(piece.len() * 3 + 16);
        out.reserve(room);
        let (_, read, _) = self.decoder.decode_to_string(piece, out, last);
        if read < piece.len() {
            return Err(ImportError::Encoding(
                "a piece could not be decoded".to_owned(),
            ));
        }
        if matches!(self.encoding, e if e == UTF_16LE || e == UTF_16BE) && out.contains('\0') {
            return Err(ImportError::Encoding(
                "holds NUL characters: this is no text file".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Whether all is ASCII up to one character that the end cuts.
fn ends_in_its_first_character(piece: &[u8]) -> bool {
    std::str::from_utf8(piece)
        .is_err_and(|e| e.error_len().is_none() && piece[..e.valid_up_to()].is_ascii())
}

/// UTF-8 or Latin-1, by a piece that holds more than ASCII.
fn eight_bit(piece: &[u8]) -> Result<&'static Encoding, ImportError> {
    let (good, bad) = sequences(piece);
    if bad == 0 || good > bad {
        return Ok(UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(piece, true);
    let guess = detector.guess(Some(b"es"), Utf8Detection::Deny);
    if good == 0 && guess == WINDOWS_1252 {
        return Ok(WINDOWS_1252);
    }
    let looks = if good > 0 {
        "UTF-8 with damage"
    } else {
        guess.name()
    };
    Err(ImportError::Encoding(format!(
        "neither UTF-8 nor clearly Latin-1 (it looks like {looks}): name the encoding in the map"
    )))
}

/// Characters beyond ASCII that are UTF-8, and bytes that are not. One cut at the end counts as good.
fn sequences(mut piece: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    loop {
        match std::str::from_utf8(piece) {
            Ok(text) => return (good + beyond_ascii(text), bad),
            Err(e) => {
                let (fits, rest) = piece.split_at(e.valid_up_to());
                good += beyond_ascii(std::str::from_utf8(fits).unwrap_or(""));
                match e.error_len() {
                    Some(len) => {
                        bad += 1;
                        piece = rest.get(len..).unwrap_or(&[]);
                    }
                    None if rest.len() == 1 => {
                        return (good, bad + usize::from(good == 0 && bad == 0));
                    }
                    None => return (good + 1, bad),
                }
            }
        }
    }
}

fn beyond_ascii(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii()).count()
}

/// A small file decoded whole.
pub(crate) fn whole(bytes: &[u8], given: Option<&str>) -> Result<String, ImportError> {
    let mut text = String::new();
    Text::begin(bytes, given)?.decode(bytes, true, &mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(
        bytes: &[u8],
        given: Option<&str>,
        size: usize,
    ) -> Result<(String, &'static str), String> {
        let mut text =
            Text::begin(&bytes[..bytes.len().min(size)], given).map_err(|e| e.to_string())?;
        let mut out = String::new();
        for piece in bytes.chunks(size) {
            text.decode(piece, false, &mut out)
                .map_err(|e| e.to_string())?;
        }
        text.decode(&[], true, &mut out)
            .map_err(|e| e.to_string())?;
        Ok((out, text.name()))
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units
            .flat_map(|u| {
                if big {
                    u.to_be_bytes()
                } else {
                    u.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn every_encoding_in_pieces_of_every_size() {
        let words = "nombre;dirección\nPeña Núñez;Calle Cádiz ñandú\n";
        let latin: Vec<u8> = WINDOWS_1252.encode(words).0.into_owned();
        for size in [1, 2, 3, 7, 1_000] {
            for (bytes, name) in [
                (words.as_bytes().to_vec(), "UTF-8"),
                ([&[0xef, 0xbb, 0xbf], words.as_bytes()].concat(), "UTF-8"),
                (utf16(words, false), "UTF-16LE"),
                (utf16(words, true), "UTF-16BE"),
                (latin.clone(), "windows-1252"),
            ] {
                // The first piece must hold the byte order mark, and one clear character.
                let size = if name == "windows-1252" {
                    1_000
                } else {
                    size.max(3)
                };
                assert_eq!(
                    whole(&bytes, None, size),
                    Ok((words.to_owned(), name)),
                    "{name} {size}"
                );
            }
        }
        assert_eq!(
            whole(&latin, Some("latin1"), 2).map(|w| w.0),
            Ok(words.to_owned())
        );
    }

    #[test]
    fn ascii_stays_open_until_something_else_comes() {
        let head = "x".repeat(64);
        let mut utf8 = head.clone().into_bytes();
        utf8.extend("Peña".as_bytes());
        assert_eq!(whole(&utf8, None, 64).expect("utf-8").1, "UTF-8");
        let mut latin = head.into_bytes();
        latin.extend(WINDOWS_1252.encode("Peña y Núñez, Cádiz").0.as_ref());
        let (text, name) = whole(&latin, None, 64).expect("latin");
        assert_eq!(
            (name, text.ends_with("Peña y Núñez, Cádiz")),
            ("windows-1252", true)
        );
    }

    #[test]
    fn what_is_not_clear_is_asked_for() {
        for (bytes, part) in [
            (&b"a\0b\0"[..], "utf-16le"),
            (b"\0a\0b", "utf-16be"),
            (b"PK\x03\x04\0\0", "no text file"),
            (b"\xc3\xb1 \xf1 \xfa \xe1", "name the encoding"),
        ] {
            let error = whole(bytes, None, 1_000).expect_err("asked");
            assert!(error.contains(part), "{error}");
        }
        assert!(
            whole(b"x", Some("klingon"), 10)
                .expect_err("unknown")
                .contains("klingon")
        );
        // Mostly UTF-8 with one broken byte: UTF-8, and the byte shows.
        let (text, name) = whole(
            "ñandú, peña, caña \u{f1}"
                .as_bytes()
                .iter()
                .copied()
                .chain([0xff])
                .collect::<Vec<_>>()
                .as_slice(),
            None,
            1_000,
        )
        .expect("utf-8");
        assert_eq!((name, text.ends_with('\u{fffd}')), ("UTF-8", true));
    }
}
