//! What is true of the calls of a set: `labels.tsv` as media's example `cpa` writes it.

use anyhow::Context as _;
use std::path::Path;

/// One call: file, class, group, onset, end and beep in ms (`-`: none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) file: String,
    pub(super) class: String,
    pub(super) group: String,
    pub(super) onset_ms: u32,
    pub(super) end_ms: u32,
    pub(super) beep_ms: Option<u32>,
}

/// Largest file of labels taken, bytes: a million calls.
const MAX_BYTES: u64 = 100 * 1024 * 1024;

/// Reads it.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Label>> {
    let name = || path.display().to_string();
    let size = std::fs::metadata(path).with_context(name)?.len();
    anyhow::ensure!(
        size <= MAX_BYTES,
        "{}: {size} bytes, limit {MAX_BYTES}",
        name()
    );
    let text = std::fs::read_to_string(path).with_context(name)?;
    text.lines()
        .enumerate()
        .map(|(n, line)| label(line).with_context(|| format!("{} line {}", name(), n + 1)))
        .collect()
}

fn label(line: &str) -> anyhow::Result<Label> {
    let parts: Vec<&str> = line.split('\t').collect();
    let [file, class, group, onset, end, beep, ..] = parts.as_slice() else {
        anyhow::bail!("file, class, group, onset, end and beep are expected");
    };
    let label = Label {
        file: (*file).to_owned(),
        class: (*class).to_owned(),
        group: (*group).to_owned(),
        onset_ms: onset.parse().context("onset")?,
        end_ms: end.parse().context("end")?,
        beep_ms: match *beep {
            "-" => None,
            ms => Some(ms.parse().context("beep")?),
        },
    };
    anyhow::ensure!(
        label.end_ms >= label.onset_ms,
        "the end is before the onset"
    );
    Ok(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_a_bad_one_refused() {
        let read = label("1.wav\tmachine\tflite\t120\t3400\t3900\tcarrier").expect("reads");
        assert_eq!((read.onset_ms, read.beep_ms), (120, Some(3_900)));
        assert_eq!(
            label("1.wav\thuman\tx\t1\t2\t-").expect("reads").beep_ms,
            None
        );
        for bad in [
            "",
            "1.wav\thuman",
            "1.wav\thuman\tx\t9\t2\t-",
            "1\th\tx\ta\t2\t-",
        ] {
            assert!(label(bad).is_err(), "{bad}");
        }
    }
}
