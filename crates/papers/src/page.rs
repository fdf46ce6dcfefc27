//! Sheets laid out on A4 pages.

use crate::font::{code, lines, width};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

/// A4, points.
const PAGE: (f32, f32) = (595.0, 842.0);
/// Margins, points: 25 mm left and right, 20 mm above and below.
const MARGIN_X: f32 = 71.0;
const MARGIN_Y: f32 = 57.0;
/// Size of text and of headings, points.
const TEXT: f32 = 10.5;
const HEADING: f32 = 12.5;
const SMALL: f32 = 8.5;
/// Line height over size.
const LEADING: f32 = 1.4;
/// Most pages of one document; what comes behind is left out and said so on the last one.
const PAGES_MAX: usize = 20_000;

/// A piece of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A bold line.
    Heading(String),
    /// Paragraphs; each line of the text begins a new one.
    Text(String),
    /// What it is and how much, on one line.
    Row(String, String),
}

/// One letter or agreement; it begins on a page of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Who writes, one line each.
    pub letterhead: String,
    /// Date as it is written.
    pub dated: String,
    /// To whom, one line each.
    pub addressee: String,
    /// What it is about.
    pub subject: String,
    /// Its text.
    pub blocks: Vec<Block>,
}

/// One page being filled, from the top.
struct Filling {
    content: Content,
    y: f32,
}

impl Filling {
    fn new() -> Self {
        Self {
            content: Content::new(),
            y: PAGE.1 - MARGIN_Y,
        }
    }

    fn write(&mut self, x: f32, text: &str, size: f32, bold: bool) {
        let bytes: Vec<u8> = text.chars().map(code).collect();
        let font = if bold { Name(b"B") } else { Name(b"F") };
        self.content.begin_text();
        self.content.set_font(font, size);
        self.content.next_line(x, self.y);
        self.content.show(Str(&bytes));
        self.content.end_text();
    }
}

struct Layout {
    pages: Vec<Content>,
    page: Filling,
    /// Pages of the sheet so far, for the number below.
    of_sheet: usize,
}

impl Layout {
    fn room(&mut self, height: f32) {
        if self.page.y - height < MARGIN_Y + SMALL * 2.0 {
            self.turn();
        }
    }

    /// Ends a page.
    fn turn(&mut self) {
        self.of_sheet += 1;
        let number = self.of_sheet.to_string();
        self.page.y = MARGIN_Y - SMALL;
        let x = PAGE.0 - MARGIN_X - width(&number, SMALL, false);
        self.page.write(x, &number, SMALL, false);
        let full = std::mem::replace(&mut self.page, Filling::new());
        if self.pages.len() < PAGES_MAX {
            self.pages.push(full.content);
        }
    }

    fn paragraph(&mut self, text: &str, size: f32, bold: bool) {
        for line in lines(text, size, bold, PAGE.0 - 2.0 * MARGIN_X) {
            let height = size * LEADING;
            self.room(height);
            self.page.y -= height;
            self.page.write(MARGIN_X, &line, size, bold);
        }
    }

    fn gap(&mut self, points: f32) {
        self.page.y -= points;
    }

    fn row(&mut self, label: &str, value: &str) {
        let height = TEXT * LEADING;
        let right = PAGE.0 - MARGIN_X - width(value, TEXT, false);
        let most = (right - MARGIN_X - TEXT).max(TEXT * 8.0);
        for (n, line) in lines(label, TEXT, false, most).iter().enumerate() {
            self.room(height);
            self.page.y -= height;
            self.page.write(MARGIN_X, line, TEXT, false);
            if n == 0 {
                self.page.write(right, value, TEXT, false);
            }
        }
    }

    fn sheet(&mut self, sheet: &Sheet) {
        self.of_sheet = 0;
        let mut head = sheet.letterhead.lines();
        if let Some(first) = head.next() {
            self.paragraph(first, HEADING, true);
        }
        for line in head {
            self.paragraph(line, SMALL, false);
        }
        self.gap(TEXT * 2.0);
        self.paragraph(&sheet.dated, TEXT, false);
        self.gap(TEXT);
        self.paragraph(&sheet.addressee, TEXT, false);
        self.gap(TEXT * 1.5);
        self.paragraph(&sheet.subject, HEADING, true);
        self.gap(TEXT);
        for block in &sheet.blocks {
            match block {
                Block::Heading(text) => {
                    self.gap(TEXT * 0.8);
                    self.paragraph(text, TEXT, true);
                }
                Block::Text(text) => {
                    self.paragraph(text, TEXT, false);
                    self.gap(TEXT * 0.6);
                }
                Block::Row(label, value) => self.row(label, value),
            }
        }
        self.turn();
    }
}

fn place(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX - 16)
}

/// Prints sheets one behind the other; `language` is an ISO 639 code, for readers aloud.
#[must_use]
pub fn print(title: &str, language: &str, sheets: &[Sheet]) -> Vec<u8> {
    let mut layout = Layout {
        pages: Vec::new(),
        page: Filling::new(),
        of_sheet: 0,
    };
    for sheet in sheets {
        layout.sheet(sheet);
    }
    let (catalog, tree, plain, bold, info) = (
        Ref::new(1),
        Ref::new(2),
        Ref::new(3),
        Ref::new(4),
        Ref::new(5),
    );
    let page_of = |n: usize| Ref::new(place(10 + 2 * n));
    let content_of = |n: usize| Ref::new(place(11 + 2 * n));
    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(tree);
    root.lang(TextStr(language));
    root.finish();
    pdf.document_info(info).title(TextStr(title));
    let count = layout.pages.len();
    pdf.pages(tree)
        .kids((0..count).map(page_of))
        .count(place(count));
    for (font, name) in [(plain, Name(b"Helvetica")), (bold, Name(b"Helvetica-Bold"))] {
        pdf.type1_font(font)
            .base_font(name)
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (n, content) in layout.pages.into_iter().enumerate() {
        let mut page = pdf.page(page_of(n));
        page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1));
        page.parent(tree);
        page.contents(content_of(n));
        let mut resources = page.resources();
        resources
            .fonts()
            .pair(Name(b"F"), plain)
            .pair(Name(b"B"), bold);
        resources.finish();
        page.finish();
        pdf.stream(content_of(n), &content.finish());
    }
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(blocks: Vec<Block>) -> Sheet {
        Sheet {
            letterhead: "Marcador\nCalle 1".into(),
            dated: "26 de noviembre de 2026".into(),
            addressee: "Ana Muñoz".into(),
            subject: "Su cuenta".into(),
            blocks,
        }
    }

    /// Texts shown, by code.
    fn holds(pdf: &[u8], text: &str) -> bool {
        let codes: Vec<u8> = text.chars().map(code).collect();
        pdf.windows(codes.len()).any(|w| w == codes)
    }

    #[test]
    fn a_long_text_turns_pages_and_each_sheet_begins_one() {
        let long: String = (0..400).map(|n| format!("palabra{n} ")).collect();
        let blocks = vec![
            Block::Text(long.repeat(2)),
            Block::Row("Total".into(), "1.00".into()),
        ];
        let one = print("t", "es", &[sheet(blocks.clone())]);
        let two = print("t", "es", &[sheet(blocks.clone()), sheet(blocks)]);
        let pages = |pdf: &[u8]| pdf.windows(11).filter(|w| w == b"/Type /Page").count() - 1;
        assert!(pages(&one) >= 2, "{}", pages(&one));
        assert_eq!(pages(&two), 2 * pages(&one));
        assert!(holds(&one, "26 de noviembre de 2026") && holds(&one, "palabra399"));
    }

    #[test]
    fn the_same_text_is_the_same_document() {
        let blocks = vec![Block::Heading("Pagos".into())];
        let a = print("t", "es", &[sheet(blocks.clone())]);
        assert_eq!(a, print("t", "es", &[sheet(blocks)]));
        assert_ne!(a, print("t", "es", &[sheet(vec![])]));
    }
}
