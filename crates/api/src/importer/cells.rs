//! Watches the XML of a sheet go by for cells that are larger than any spreadsheet writes: the reader holds a
//! cell as a whole, however large it is, so that it has to be refused before.

/// Most bytes of text in one cell (Excel keeps 32,767 characters of one), and of one tag.
const CELL_BYTES_MAX: usize = 512 * 1024;
/// Longest name of an element, bytes.
const NAME_MAX: usize = 64;

/// Why a sheet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellFault {
    /// A cell, or a tag, of more than half a megabyte.
    Large,
    /// A form that no spreadsheet writes.
    Form,
    /// A formula that no spreadsheet has calculated: its cell would be read as an empty one.
    Formula,
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
    Value,
    Other,
}

impl Local {
    const fn of(name: &[u8]) -> Self {
        match name {
            b"c" => Self::Cell,
            b"f" => Self::Formula,
            b"v" => Self::Value,
            _ => Self::Other,
        }
    }
}

/// The mark of a cell whose formula gives a text, without its signs.
const STR: &[u8] = b"t=str";

/// Where the watch is.
#[derive(Debug)]
pub(super) struct Cells {
    at: At,
    /// Cells that are open.
    depth: usize,
    /// Bytes of text of the open cell, or of the run of text outside of any.
    held: usize,
    /// The open cell has a formula, and what it gives.
    formula: bool,
    given: bool,
    /// Within its value.
    value: bool,
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
            formula: false,
            given: false,
            value: false,
            tag: Vec::with_capacity(NAME_MAX + 2),
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
        self.given |= self.value;
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
        if self.tag.len() < NAME_MAX + 2 {
            self.tag.push(byte);
        }
    }

    /// What the tags within a cell say of a formula.
    fn calculated(&mut self, local: Local, closes: bool) -> Result<(), CellFault> {
        match local {
            Local::Cell if closes && self.depth == 1 && self.formula && !self.given => {
                return Err(CellFault::Formula);
            }
            Local::Cell if !closes => {
                self.formula = false;
                // Of a text that is empty there is no more to say.
                self.given = self.tag.windows(STR.len()).any(|part| part == STR);
            }
            Local::Formula => self.formula = true,
            Local::Value => self.value = !closes && self.last[1] != b'/',
            Local::Cell | Local::Other => {}
        }
        Ok(())
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
        self.calculated(local, closes)?;
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
    fn a_formula_brings_what_it_gives() {
        for calculated in [
            "<c r=\"A1\"><f>B1*2</f><v>4</v></c>",
            "<c r=\"A1\" s=\"3\" t=\"str\"><f>B1</f><v></v></c>",
            "<c r='A1' t='str'><f>B1</f><v/></c>",
            "<x:c><x:f>B1</x:f><x:v>0</x:v></x:c><x:c/><x:c><x:v></x:v></x:c>",
            "<c r=\"A1\"><v></v></c>",
        ] {
            assert_eq!(watch(calculated), Ok(()), "{calculated}");
        }
        for never in [
            "<c r=\"A1\"><f>B1*2</f></c>",
            "<c r=\"A1\"><f>B1*2</f><v/></c>",
            "<c r=\"A1\"><f>B1*2</f><v></v></c>",
            "<c r=\"A1\"><v>1</v></c><c r=\"B1\"><f t=\"shared\" si=\"0\"/><v /></c>",
        ] {
            assert_eq!(watch(never), Err(CellFault::Formula), "{never}");
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
