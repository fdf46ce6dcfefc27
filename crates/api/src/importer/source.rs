//! A file as blocks of lines: bytes to text, header found, lines behind it.

use super::encoding::Text;
use super::shape::Beginning;
use super::{BATCH_ROWS, ImportError, PIECE_BYTES, fill, sheet};
use domain::entity::ImportKind;
use domain::import::{ColumnMap, Line, Lines};
use tokio::io::AsyncRead;

/// A file that is being read.
pub(super) struct Source<R> {
    input: R,
    text: Text,
    lines: Lines,
    piece: Vec<u8>,
    decoded: String,
    ended: bool,
    header_line: u64,
}

/// Whether a line is no header, and no `sep=;` before it.
const fn is_behind(line: &Line, header_line: u64) -> bool {
    let (Line::Row { line: at, .. } | Line::Broken { line: at, .. }) = line;
    *at > header_line
}

/// Opens a file of a kind; its header and its map, `given` completed as far as the file is clear.
pub(super) async fn open<'a>(
    input: impl AsyncRead + Unpin + Send + 'a,
    kind: ImportKind,
    mut given: ColumnMap,
) -> Result<
    (
        Source<Box<dyn AsyncRead + Unpin + Send + 'a>>,
        Vec<String>,
        ColumnMap,
    ),
    ImportError,
> {
    let mut input = sheet::as_text(input, &mut given).await?;
    let mut piece = vec![0; PIECE_BYTES];
    let (filled, ended) = fill(&mut input, &mut piece).await?;
    let mut text = Text::begin(&piece[..filled], given.encoding.as_deref())?;
    let mut decoded = String::new();
    text.decode(&piece[..filled], ended, &mut decoded)?;
    let beginning = Beginning::of(kind, &decoded, &given)?;
    let mut lines = Lines::new(beginning.delimiter);
    lines.expect_width(beginning.header.len());
    lines.push(&decoded);
    if ended {
        lines.end();
    }
    let source = Source {
        input,
        text,
        lines,
        piece,
        decoded,
        ended,
        header_line: beginning.header_line,
    };
    Ok((source, beginning.header, beginning.detected.map))
}

impl<R: AsyncRead + Unpin> Source<R> {
    /// The next lines, `None` behind the last.
    pub(super) async fn block(&mut self) -> Result<Option<Vec<Line>>, ImportError> {
        let mut block = Vec::new();
        loop {
            while let Some(line) = self.lines.next_line() {
                if is_behind(&line, self.header_line) {
                    block.push(line);
                }
                if block.len() >= BATCH_ROWS {
                    return Ok(Some(block));
                }
            }
            if self.ended {
                return Ok(Some(block).filter(|block| !block.is_empty()));
            }
            let (filled, ended) = fill(&mut self.input, &mut self.piece).await?;
            self.decoded.clear();
            self.text
                .decode(&self.piece[..filled], ended, &mut self.decoded)?;
            self.ended = ended;
            self.lines.push(&self.decoded);
            if ended {
                self.lines.end();
            }
        }
    }
}
