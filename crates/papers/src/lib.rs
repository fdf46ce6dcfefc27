//! Documents for print: agreements and letters as PDF.
//!
//! Contract: pure. The same text gives the same bytes, so that a document's hash is that of what it says;
//! nothing is read from disk, no font is embedded (the readers' own Helvetica, WinAnsi), and a character
//! that it does not have is printed as `?`.
//!
//! ```
//! use papers::{Block, Sheet, print};
//! let sheet = Sheet {
//!     letterhead: "Marcador".into(),
//!     dated: "26 de noviembre de 2026".into(),
//!     addressee: "Ana Ruiz".into(),
//!     subject: "Su cuenta".into(),
//!     blocks: vec![Block::Text("Estimada Ana:".into())],
//! };
//! assert!(print("Carta", "es", &[sheet]).starts_with(b"%PDF-"));
//! ```

mod agreement;
mod font;
mod page;

pub use agreement::{AgreementFacts, agreement};
pub use page::{Block, Sheet, print};
