//! Prompt files, and recordings after a crash.

/// One input.
pub(crate) fn run(data: &[u8]) {
    let _ = media::prompt::Prompt::from_wav(data);
    let mut file = std::io::Cursor::new(data.to_vec());
    if let Ok(repaired) = media::wav::repair(&mut file) {
        let info = media::wav::parse_header(file.get_ref()).expect("repaired");
        assert_eq!(info.data_bytes, repaired.data_bytes);
    }
}
