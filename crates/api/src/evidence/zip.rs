//! A ZIP archive without compression (APPNOTE 6.3.10, method 0): what it holds are JSON, HTML and WAV, and
//! an archive that any tool opens in fifty years is worth more than its size.

use crate::evidence::EvidenceError;

/// Largest archive, bytes; without ZIP64 it must stay under 4 GiB.
pub const ARCHIVE_MAX: usize = 1 << 30;
/// Most files.
const FILES_MAX: usize = 60_000;
/// Names are UTF-8.
const UTF8: u16 = 0x0800;
/// Version needed to extract.
const VERSION: u16 = 20;

/// Table of CRC-32 (ISO 3309), reflected.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0_u32; 256];
    let mut n = 0_u32;
    while n < 256 {
        let mut value = n;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                0xEDB8_8320 ^ (value >> 1)
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[n as usize] = value;
        n += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| CRC_TABLE[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

struct Entry {
    name: String,
    crc: u32,
    size: u32,
    at: u32,
}

/// An archive in the making.
#[derive(Default)]
pub(super) struct Zip {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Zip {
    /// Bytes so far.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, content: &[u8]) -> Result<(), EvidenceError> {
        if self.entries.len() >= FILES_MAX || self.bytes.len() + content.len() > ARCHIVE_MAX {
            return Err(EvidenceError::TooLarge(ARCHIVE_MAX));
        }
        let whole = |n: usize| u32::try_from(n).map_err(|_| EvidenceError::TooLarge(ARCHIVE_MAX));
        let entry = Entry {
            name: name.to_owned(),
            crc: crc32(content),
            size: whole(content.len())?,
            at: whole(self.bytes.len())?,
        };
        self.bytes.extend(0x0403_4b50_u32.to_le_bytes());
        entry.fields(&mut self.bytes);
        self.bytes.extend(0_u16.to_le_bytes());
        self.bytes.extend(entry.name.as_bytes());
        self.bytes.extend(content);
        self.entries.push(entry);
        Ok(())
    }

    /// The whole archive.
    pub(super) fn close(mut self) -> Result<Vec<u8>, EvidenceError> {
        let start = self.bytes.len();
        for entry in &self.entries {
            self.bytes.extend(0x0201_4b50_u32.to_le_bytes());
            self.bytes.extend(VERSION.to_le_bytes());
            entry.fields(&mut self.bytes);
            // Extra field, comment, disk, attributes inside: none.
            for _ in 0..4 {
                self.bytes.extend(0_u16.to_le_bytes());
            }
            self.bytes.extend(0_u32.to_le_bytes());
            self.bytes.extend(entry.at.to_le_bytes());
            self.bytes.extend(entry.name.as_bytes());
        }
        let whole = |n: usize| u32::try_from(n).map_err(|_| EvidenceError::TooLarge(ARCHIVE_MAX));
        let (size, start) = (whole(self.bytes.len() - start)?, whole(start)?);
        let count =
            u16::try_from(self.entries.len()).map_err(|_| EvidenceError::TooLarge(FILES_MAX))?;
        self.bytes.extend(0x0605_4b50_u32.to_le_bytes());
        self.bytes.extend(0_u32.to_le_bytes());
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend(0_u16.to_le_bytes());
        Ok(self.bytes)
    }
}

impl Entry {
    /// The fields that both headers share, up to the length of the name.
    fn fields(&self, out: &mut Vec<u8>) {
        out.extend(VERSION.to_le_bytes());
        out.extend(UTF8.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        // Time and date: the first that the format knows, so that the same file gives the same bytes.
        out.extend(0_u16.to_le_bytes());
        out.extend(0x0021_u16.to_le_bytes());
        out.extend(self.crc.to_le_bytes());
        out.extend(self.size.to_le_bytes());
        out.extend(self.size.to_le_bytes());
        let name = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        out.extend(name.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn an_archive_has_its_parts_where_the_directory_says() {
        let mut zip = Zip::default();
        zip.add("a.txt", b"uno").expect("small");
        zip.add("b/c.txt", b"dos").expect("small");
        let bytes = zip.close().expect("small");
        assert_eq!(&bytes[..4], b"PK\x03\x04");
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        let field = |at: usize| {
            let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            u32::from_le_bytes(four) as usize
        };
        let (size, start) = (field(end + 12), field(end + 16));
        assert_eq!(start + size, end);
        assert_eq!(&bytes[start..start + 4], b"PK\x01\x02");
        assert_eq!(&bytes[35..38], b"uno", "30 bytes of header and the name");
    }
}
