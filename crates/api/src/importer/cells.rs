//! Watches the XML of a sheet go by for cells that are larger than any spreadsheet writes: the reader holds a
//! cell as a whole, however large it is, so that it has to be refused before. Notes the cells that formulas fill beyond
//! their own, of which the reader says nothing.

use super::blocks::Blocks;

/// Most bytes of text in one cell (Excel keeps 32,767 characters of one), and of one tag.
const CELL_BYTES_MAX: usize = 512 * 1024;
/// Longest name of an element, bytes.
const NAME_MAX: usize = 64;
/// Bytes of a tag that are kept: what a formula's tag says of it stands within.
const TAG_KEPT: usize = 256;

/// Why a sheet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellFault {
    /// A cell, or a tag, of more than half a megabyte.
    Large,
    /// A form that no spreadsheet writes.
    Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Text,
    Tag,
    /// Within a value of a tag, up to this sign.
    Quote(u8),
    Comment,
    /// `<![CDATA[`: text, whatever stands in it.
    Data,
    /// `<?…?>`.
    Order,
}

/// The elements that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Local {
    Cell,
    Formula,
    Other,
}

impl Local {
    const fn of(name: &[u8]) -> Self {
        match name {
            b"c" => Self::Cell,
            b"f" => Self::Formula,
            _ => Self::Other,
        }
    }
}

/// Where the watch is.
#[derive(Debug)]
pub(super) struct Cells {
    at: At,
    /// Cells that are open.
    depth: usize,
    /// Bytes of text of the open cell, or of the run of text outside of any.
    held: usize,
    blocks: Blocks,
    /// The tag so far: its first bytes and its length.
    tag: Vec<u8>,
    length: usize,
    /// The two bytes before this one.
    last: [u8; 2],
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            at: At::Text,
            depth: 0,
            held: 0,
            blocks: Blocks::default(),
            tag: Vec::with_capacity(TAG_KEPT),
            length: 0,
            last: [0; 2],
        }
    }
}

impl Cells {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), CellFault> {
        for byte in bytes {
            self.byte(*byte)?;
            self.last = [self.last[1], *byte];
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) -> Result<(), CellFault> {
        match self.at {
            At::Text if byte == b'<' => {
                self.at = At::Tag;
                self.tag.clear();
                self.length = 0;
            }
            At::Text => return self.text(),
            At::Tag => return self.tag(byte),
            At::Quote(sign) => {
                self.lengthen()?;
                self.keep(byte);
                if byte == sign {
                    self.at = At::Tag;
                }
            }
            At::Comment if byte == b'>' && self.last == *b"--" => self.at = At::Text,
            At::Order if byte == b'>' && self.last[1] == b'?' => self.at = At::Text,
            At::Comment | At::Order => return self.lengthen(),
            At::Data if byte == b'>' && self.last == *b"]]" => self.at = At::Text,
            At::Data => return self.text(),
        }
        Ok(())
    }

    const fn text(&mut self) -> Result<(), CellFault> {
        self.held += 1;
        match self.held > CELL_BYTES_MAX {
            true => Err(CellFault::Large),
            false => Ok(()),
        }
    }

    const fn lengthen(&mut self) -> Result<(), CellFault> {
        self.length += 1;
        match self.length > CELL_BYTES_MAX {
            true => Err(CellFault::Large),
            false => Ok(()),
        }
    }

    fn tag(&mut self, byte: u8) -> Result<(), CellFault> {
        self.lengthen()?;
        match byte {
            b'>' => return self.end_tag(),
            b'"' | b'\'' if !self.tag.starts_with(b"!") => self.at = At::Quote(byte),
            _ => self.keep(byte),
        }
        match self.tag.as_slice() {
            b"!--" => self.at = At::Comment,
            b"![CDATA[" => self.at = At::Data,
            b"?" => self.at = At::Order,
            [b'!', b'D' | b'd', ..] => return Err(CellFault::Form),
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) {
        if self.tag.len() < TAG_KEPT {
            self.tag.push(byte);
        }
    }

    /// What was noted of formulas.
    pub(super) fn into_blocks(self) -> Blocks {
        self.blocks
    }

    /// Notes what a formula fills that is written once for several cells: an array, a table of data.
    fn fills(&mut self) -> Result<(), CellFault> {
        let tag = String::from_utf8_lossy(&self.tag);
        if !matches!(attribute(&tag, "t"), Some("array" | "dataTable")) {
            return Ok(());
        }
        let noted = attribute(&tag, "ref").is_some_and(|cells| self.blocks.note(cells));
        noted.then_some(()).ok_or(CellFault::Form)
    }

    fn end_tag(&mut self) -> Result<(), CellFault> {
        self.at = At::Text;
        let closes = self.tag.first() == Some(&b'/');
        let name = &self.tag[usize::from(closes)..];
        let end = name
            .iter()
            .position(|b| b.is_ascii_whitespace() || *b == b'/');
        let name = &name[..end.unwrap_or(name.len())];
        if name.len() > NAME_MAX {
            return Err(CellFault::Form);
        }
        let local = Local::of(name.rsplit(|b| *b == b':').next().unwrap_or(name));
        if local == Local::Formula && !closes {
            self.fills()?;
        }
        if local == Local::Cell {
            let alone = self.last[1] == b'/';
            match (closes, alone) {
                (true, _) => self.depth = self.depth.saturating_sub(1),
                (false, false) => self.depth += 1,
                (false, true) => {}
            }
        }
        if self.depth == 0 {
            self.held = 0;
        }
        Ok(())
    }
}

/// A value in a tag of which the opening signs are left out.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, mut rest) = tag.split_once(char::is_whitespace)?;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, behind) = after.trim_start().split_once(['"', '\''])?;
        if key.trim() == name {
            return Some(value);
        }
        rest = behind;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In pieces of every small size: where they are cut makes no difference.
    fn watch(xml: &str) -> Result<(), CellFault> {
        let whole = Cells::default().push(xml.as_bytes());
        for size in [1_usize, 7, 4096] {
            let mut cells = Cells::default();
            let pieces = xml.as_bytes().chunks(size);
            let cut = pieces.into_iter().try_for_each(|piece| cells.push(piece));
            assert_eq!(cut, whole);
        }
        whole
    }

    #[test]
    fn a_cell_may_be_large_but_not_without_end() {
        let half = "x".repeat(CELL_BYTES_MAX / 2);
        let cell = |inner: &str| format!("<row><c r=\"A1\"><is>{inner}</is></c><c r='B1'/></row>");
        assert_eq!(watch(&cell(&format!("<t>{half}</t>")).repeat(4)), Ok(()));
        for inner in [
            format!("<t>{half}{half}y</t>"),
            // In runs, with a cell within the cell, in sections of data, behind a comment.
            format!("<r><t>{half}</t></r><r><t>{half}y</t></r>"),
            format!("<t>{half}</t><c></c><x:c/><t>{half}y</t>"),
            format!("<t><![CDATA[{half}</c>]]><![CDATA[{half}]]></t>"),
            format!("<t>{half}<!-- </c> -->{half}y</t>"),
            format!("<t a=\"></c>\">{half}</t><t>{half}y</t>"),
            format!("<t a='{half}{half}'>z</t>"),
        ] {
            assert_eq!(watch(&cell(&inner)), Err(CellFault::Large));
        }
        assert_eq!(
            watch(&format!("<!-- {half}{half} -->")),
            Err(CellFault::Large)
        );
        assert_eq!(watch(&format!("{half}{half}y<c>")), Err(CellFault::Large));
    }

    #[test]
    fn what_a_formula_fills_is_noted() {
        let filled = |formula: &str, at: (u32, u32)| {
            let mut cells = Cells::default();
            let xml = format!("<c r=\"B2\">{formula}<v>4</v></c>");
            cells.push(xml.as_bytes()).expect("in form");
            let mut blocks = cells.into_blocks();
            blocks.begin((1, 1));
            blocks.fill(at)
        };
        let array = "<f t=\"array\" aca=\"1\" ref=\"B2:C3\">A1:B2*2</f>";
        assert!(filled(array, (2, 2)) && !filled(array, (3, 2)));
        let table = "<x:f t='dataTable' r1='A1' ref='B2:B9' dt2D = '1' />";
        assert!(filled(table, (8, 1)) && !filled(table, (8, 2)));
        // Each cell of these has a formula of its own.
        let shared = "<f t=\"shared\" ref=\"B2:B9\" si=\"0\">A2*2</f>";
        assert!(!filled(shared, (2, 1)));
        assert!(!filled("<f>A2*2</f>", (2, 1)) && !filled("<f ref=\"B2:B9\"/>", (2, 1)));
        for odd in ["<f t=\"array\">1</f>", "<f t=\"array\" ref=\"all\">1</f>"] {
            assert_eq!(watch(odd), Err(CellFault::Form), "{odd}");
        }
    }

    #[test]
    fn forms_that_no_spreadsheet_writes_are_refused() {
        assert_eq!(
            watch("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
            Err(CellFault::Form)
        );
        let long = "p".repeat(NAME_MAX);
        assert_eq!(
            watch(&format!("<{long}:c>1</{long}:c>")),
            Err(CellFault::Form)
        );
        assert_eq!(watch("<?xml version=\"1.0\"?><a>it's</a>"), Ok(()));
    }
}
