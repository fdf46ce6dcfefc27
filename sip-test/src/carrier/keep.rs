//! What debtors heard, as files: 8 kHz, 16-bit, mono, as it came.

use std::path::Path;

use super::log::Line;
use crate::SipTestError;

/// Most letters of a file's name.
const NAME: usize = 120;

/// Writes what was heard in a call; nothing where nothing came.
pub(super) fn write(folder: &Path, line: &Line, audio: &[i16]) -> Result<(), SipTestError> {
    if audio.is_empty() {
        return Ok(());
    }
    let name = line.attempt.as_ref().unwrap_or(&line.call_id);
    // The far end chose it: no path may come of it.
    let name: String = name
        .chars()
        .take(NAME)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let path = folder.join(format!("{name}.wav"));
    let fail = |e: hound::Error| SipTestError::File {
        path: path.clone(),
        source: std::io::Error::other(e),
    };
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&path, spec).map_err(fail)?;
    for sample in audio {
        wav.write_sample(*sample).map_err(fail)?;
    }
    wav.finalize().map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::super::fate::draw;
    use super::super::log::EndedBy;
    use super::super::profile::Profile;
    use super::*;

    #[test]
    fn a_file_stays_in_its_folder() {
        let folder = tempfile::tempdir().expect("folder");
        let profile = Profile::demo().expect("profile");
        let line = Line {
            received_at: 0,
            call_id: "../../x y".into(),
            number: "1".into(),
            from: "2".into(),
            attempt: None,
            plan: draw(&profile, 1, "1", 0, 0),
            call: None,
            ringing_at: None,
            answered_at: None,
            ended_at: 0,
            ended_by: EndedBy::Called,
            code: 200,
            rtp_in: 0,
            rtp_out: 0,
            first_rtp_at: None,
            first_voice_at: None,
            agent_share: 0.0,
            strangers: 0,
            digits: String::new(),
        };
        write(folder.path(), &line, &[]).expect("nothing to write");
        write(folder.path(), &line, &[1, -2, 3]).expect("written");
        let made: Vec<_> = std::fs::read_dir(folder.path())
            .expect("folder")
            .map(|e| e.expect("entry").file_name())
            .collect();
        assert_eq!(made, ["------x-y.wav"]);
        let wav = hound::WavReader::open(folder.path().join("------x-y.wav")).expect("plays");
        let samples: Vec<i16> = wav.into_samples().map(|s| s.expect("sample")).collect();
        assert_eq!(samples, [1, -2, 3]);
    }
}
