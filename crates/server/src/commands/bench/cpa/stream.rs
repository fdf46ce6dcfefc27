//! The analyser on lines of JSON: a start, frames of coded sound in their order, an end. Each line gets
//! one reply: `{}` while nothing is clear, from then on the verdict, with the beep once there is one.

use super::Told;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use media::cpa::{Analyser, Config};
use media::g711::Law;
use serde::Deserialize;
use std::io::{BufRead, Read as _, Write};

/// Longest line read, bytes: ten seconds of sound.
const MAX_LINE: u64 = 128 * 1024;

/// Frames that may be missing in a row and are heard as silence: two seconds. More is taken for a
/// new beginning of the numbers.
const MAX_LOST: u64 = 100;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Start { start: Start },
    Audio { seq: u64, audio: String },
    End { end: bool },
}

#[derive(Debug, Deserialize)]
struct Start {
    #[serde(default = "alaw")]
    codec: String,
    #[serde(default = "rate")]
    rate: u32,
}

fn alaw() -> String {
    "alaw".to_owned()
}

const fn rate() -> u32 {
    media::RATE_HZ
}

/// One call.
struct Call {
    law: Law,
    analyser: Analyser,
    next: Option<u64>,
    pcm: Vec<i16>,
}

/// Serves until the input ends.
pub(super) fn serve(mut input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
    let mut call: Option<Call> = None;
    let mut line = String::new();
    loop {
        line.clear();
        let read = (&mut input).take(MAX_LINE).read_line(&mut line)?;
        if read == 0 {
            return Ok(());
        }
        anyhow::ensure!(
            (read as u64) < MAX_LINE,
            "a line is longer than {MAX_LINE} bytes"
        );
        if line.trim().is_empty() {
            continue;
        }
        let reply = match reply(&mut call, &line) {
            Ok(Some(told)) => serde_json::to_string(&told)?,
            Ok(None) => "{}".to_owned(),
            Err(error) => serde_json::json!({ "error": format!("{error:#}") }).to_string(),
        };
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
}

fn reply(call: &mut Option<Call>, line: &str) -> anyhow::Result<Option<Told>> {
    let line: Line = serde_json::from_str(line).context("start, seq with audio, or end")?;
    match line {
        Line::Start { start } => {
            *call = None;
            *call = Some(begin(&start)?);
            Ok(None)
        }
        Line::Audio { seq, audio } => {
            let call = call.as_mut().context("no call has been started")?;
            hear(call, seq, &audio)?;
            Ok(told(call))
        }
        Line::End { end } => {
            let mut over = call.take().context("no call has been started")?;
            if !end {
                *call = Some(over);
                return Ok(None);
            }
            over.analyser.finish();
            Ok(told(&over))
        }
    }
}

fn begin(start: &Start) -> anyhow::Result<Call> {
    let law = match start.codec.as_str() {
        "alaw" | "PCMA" | "pcma" => Law::A,
        "ulaw" | "mulaw" | "PCMU" | "pcmu" => Law::Mu,
        other => anyhow::bail!("codec {other}: alaw or ulaw is expected"),
    };
    anyhow::ensure!(
        start.rate == media::RATE_HZ,
        "rate {}: 8000 is expected",
        start.rate
    );
    Ok(Call {
        law,
        analyser: Analyser::new(Config::default()),
        next: None,
        pcm: Vec::new(),
    })
}

fn hear(call: &mut Call, seq: u64, audio: &str) -> anyhow::Result<()> {
    let coded = STANDARD.decode(audio).context("audio is not base64")?;
    if let Some(next) = call.next {
        if seq < next {
            // Late or told twice: its time has passed as silence.
            return Ok(());
        }
        let lost = seq - next;
        if lost <= MAX_LOST {
            for _ in 0..lost {
                call.analyser.push(&media::SILENCE);
            }
        }
    }
    call.next = Some(seq.saturating_add(1));
    call.pcm.clear();
    call.law.decode(&coded, &mut call.pcm);
    call.analyser.push(&call.pcm);
    Ok(())
}

fn told(call: &Call) -> Option<Told> {
    let verdict = call.analyser.verdict()?;
    Some(Told::new(&verdict, call.analyser.beep()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::tones::{Tone, busy};

    fn replies(lines: &[String]) -> Vec<serde_json::Value> {
        let mut out = Vec::new();
        let input = lines.join("\n") + "\n";
        serve(input.as_bytes(), &mut out).expect("serves");
        String::from_utf8(out)
            .expect("text")
            .lines()
            .map(|l| serde_json::from_str(l).expect("json"))
            .collect()
    }

    #[test]
    fn every_line_has_its_reply_and_busy_is_told_while_it_sounds() {
        let mut lines = vec![r#"{"start":{"id":"a","codec":"alaw","rate":8000}}"#.to_owned()];
        let mut tone = Tone::cadence(busy("CL"));
        let mut frame = media::SILENCE;
        for seq in 0..200 {
            tone.fill(&mut frame);
            let mut coded = Vec::new();
            Law::A.encode(&frame, &mut coded);
            let audio = STANDARD.encode(coded);
            lines.push(format!(r#"{{"seq":{seq},"audio":"{audio}"}}"#));
        }
        lines.push(r#"{"end":true}"#.to_owned());
        let replies = replies(&lines);
        assert_eq!(replies.len(), lines.len());
        let first = replies
            .iter()
            .position(|r| r.get("class").is_some())
            .expect("told");
        assert_eq!(replies[first]["class"], "busy");
        // What is told with frame n rests on n frames.
        assert!(replies[first]["decided_ms"].as_u64() <= Some(first as u64 * 20));
        assert!(first < 201);
        assert!(replies[..first].iter().all(|r| r == &serde_json::json!({})));
    }

    #[test]
    fn what_is_no_line_of_the_protocol_gets_an_error_and_the_next_is_served() {
        let replies = replies(&[
            "nonsense".to_owned(),
            r#"{"seq":1,"audio":"AAAA"}"#.to_owned(),
            r#"{"start":{"codec":"opus","rate":48000}}"#.to_owned(),
            r#"{"start":{"codec":"ulaw","rate":8000}}"#.to_owned(),
            r#"{"seq":0,"audio":"***"}"#.to_owned(),
            r#"{"end":true}"#.to_owned(),
        ]);
        let failed: Vec<bool> = replies.iter().map(|r| r.get("error").is_some()).collect();
        assert_eq!(failed, [true, true, true, false, true, false]);
        assert_eq!(replies[5]["class"], "unknown");
    }
}
