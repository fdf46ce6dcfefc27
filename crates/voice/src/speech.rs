//! Words into sound: recordings of parts where there are any, else a speech engine that is found at run
//! time. The product never needs one; without it what is not recorded is not said.

use crate::plane::{Prompts, read_wav};
use crate::{VoiceError, limits};
use async_trait::async_trait;
use domain::ports::{PlayWhat, Speech, SpeechError, Spoken};
use media::prompt::Prompt;
use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// The engine's program, looked for in `PATH`.
const PROGRAM: &str = "espeak-ng";
/// Longest time it may take.
const SAY_MAX: Duration = Duration::from_secs(5);
/// Longest text, characters.
const TEXT_MAX: usize = 500;
/// Largest sound it may give, bytes: a minute and a half at 22,050 Hz.
const SOUND_MAX: u64 = 4 * 1024 * 1024;
/// Spoken texts that are kept.
const KEPT_MAX: usize = 64;
/// Words a minute.
const SPEED: &str = "150";
/// Silence between two parts, samples.
const GAP: usize = 1_600;

/// espeak-ng as a program of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct EspeakNg;

fn voice_of(language: &str) -> &'static str {
    if language.starts_with("en") {
        "en-us"
    } else if language.starts_with("pt") {
        "pt-br"
    } else {
        "es-419"
    }
}

/// A WAV that was written to a pipe says nothing true about its length: told by what came.
fn with_length(mut wav: Vec<u8>) -> Result<Vec<u8>, SpeechError> {
    let broken = || SpeechError::Failed("its sound is no WAV file".to_owned());
    let at = wav
        .windows(4)
        .position(|w| w == b"data")
        .ok_or_else(broken)?;
    let from = at + 8;
    let length = wav.len().checked_sub(from).ok_or_else(broken)?;
    let size = |n: usize| u32::try_from(n).map(u32::to_le_bytes).map_err(|_| broken());
    // Whole samples only.
    let length = length - length % 2;
    wav.truncate(from + length);
    wav[at + 4..from].copy_from_slice(&size(length)?);
    wav[4..8].copy_from_slice(&size(from + length - 8)?);
    Ok(wav)
}

#[async_trait]
impl Speech for EspeakNg {
    async fn say(&self, language: &str, text: &str) -> Result<Vec<i16>, SpeechError> {
        if text.chars().count() > TEXT_MAX {
            return Err(SpeechError::TooLong("text"));
        }
        let failed = |e: &std::io::Error| SpeechError::Failed(e.to_string());
        // The text goes by the pipe: no shell and no argument sees it.
        let mut engine = Command::new(PROGRAM)
            .args(["-v", voice_of(language), "-s", SPEED, "--stdin", "--stdout"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| SpeechError::NoEngine)?;
        let (input, output) = (engine.stdin.take(), engine.stdout.take());
        let (Some(mut input), Some(output)) = (input, output) else {
            return Err(SpeechError::NoEngine);
        };
        let talk = async {
            input
                .write_all(text.as_bytes())
                .await
                .map_err(|e| failed(&e))?;
            drop(input);
            let mut wav = Vec::new();
            let mut limited = output.take(SOUND_MAX);
            limited
                .read_to_end(&mut wav)
                .await
                .map_err(|e| failed(&e))?;
            if wav.len() as u64 >= SOUND_MAX {
                return Err(SpeechError::TooLong("sound"));
            }
            Ok(wav)
        };
        let wav = tokio::time::timeout(SAY_MAX, talk)
            .await
            .map_err(|_| SpeechError::Failed("it took too long".to_owned()))??;
        read_wav(&with_length(wav)?).map_err(SpeechError::Failed)
    }
}

/// Text and language, and how they sound.
type Kept = ((String, String), Arc<[i16]>);

/// Says messages part by part.
pub(crate) struct Speaker {
    prompts: Prompts,
    engine: Arc<dyn Speech>,
    kept: Mutex<VecDeque<Kept>>,
}

impl Speaker {
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, VoiceError> {
        Ok(Self {
            prompts: Prompts::load(folder)?,
            engine: Arc::new(EspeakNg),
            kept: Mutex::new(VecDeque::new()),
        })
    }

    /// SHA-256 (hex) of the file of a recorded part.
    pub(crate) fn sound_of(&self, client: &str, language: &str, part: &str) -> Option<String> {
        self.prompts.sha256(client, language, part)
    }

    /// What would be heard, as a WAV file; `None` for what is no words, and where a part cannot be said.
    pub(crate) async fn wav(&self, what: PlayWhat) -> Option<Vec<u8>> {
        let samples = match what {
            PlayWhat::SafeHarbour { language, client } => {
                self.prompts.safe_harbour(&client, &language)?
            }
            PlayWhat::Spoken {
                parts,
                language,
                client,
            } => self.prompts.spoken(&client, &language, &parts)?,
            PlayWhat::Voicemail { language, parts } => {
                self.message(&language, &parts).await.ok()?
            }
            _ => return None,
        };
        Prompt::from_samples(samples).to_wav().ok()
    }

    /// The whole message.
    ///
    /// # Errors
    /// A part is neither recorded nor can it be spoken, or all are too long.
    pub(crate) async fn message(
        &self,
        language: &str,
        parts: &[Spoken],
    ) -> Result<Arc<[i16]>, SpeechError> {
        let mut out: Vec<i16> = Vec::new();
        for part in parts {
            if !out.is_empty() {
                out.resize(out.len() + GAP, 0);
            }
            match part {
                Spoken::Recorded(name) => {
                    let found = self.prompts.named(&format!("{name}.{language}"));
                    out.extend_from_slice(&found.ok_or(SpeechError::NoEngine)?);
                }
                Spoken::Words(text) => out.extend_from_slice(&self.words(language, text).await?),
                Spoken::Digits(digits) => self.digits(language, digits, &mut out).await?,
            }
            if out.len() > limits::PROMPT_S * media::RATE_HZ as usize {
                return Err(SpeechError::TooLong("message"));
            }
        }
        Ok(out.into())
    }

    async fn digits(
        &self,
        language: &str,
        digits: &str,
        out: &mut Vec<i16>,
    ) -> Result<(), SpeechError> {
        let recorded: Option<Vec<_>> = digits
            .chars()
            .map(|d| self.prompts.named(&format!("digit_{d}.{language}")))
            .collect();
        if let Some(recorded) = recorded {
            recorded.iter().for_each(|d| out.extend_from_slice(d));
            return Ok(());
        }
        let spaced: Vec<String> = digits.chars().map(String::from).collect();
        out.extend_from_slice(&self.words(language, &spaced.join(", ")).await?);
        Ok(())
    }

    async fn words(&self, language: &str, text: &str) -> Result<Arc<[i16]>, SpeechError> {
        let key = (language.to_owned(), text.to_owned());
        let known = || {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter()
                .find(|(k, _)| *k == key)
                .map(|(_, s)| Arc::clone(s))
        };
        if let Some(samples) = known() {
            return Ok(samples);
        }
        let samples: Arc<[i16]> = self.engine.say(language, text).await?.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((key, Arc::clone(&samples)));
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(Mutex<Vec<String>>);

    #[async_trait]
    impl Speech for Counting {
        async fn say(&self, _language: &str, text: &str) -> Result<Vec<i16>, SpeechError> {
            self.0.lock().expect("lives").push(text.to_owned());
            if text.contains("mudo") {
                return Err(SpeechError::NoEngine);
            }
            Ok(vec![7; text.len()])
        }
    }

    fn speaker(folder: Option<&Path>) -> (Speaker, Arc<Counting>) {
        let engine = Arc::new(Counting(Mutex::new(Vec::new())));
        let speaker = Speaker {
            prompts: Prompts::load(folder).expect("loads"),
            engine: Arc::clone(&engine) as Arc<dyn Speech>,
            kept: Mutex::new(VecDeque::new()),
        };
        (speaker, engine)
    }

    #[tokio::test]
    async fn parts_are_said_in_order_and_texts_only_once() {
        let (speaker, engine) = speaker(None);
        let parts = [
            Spoken::Words("hola".into()),
            Spoken::Digits("52".into()),
            Spoken::Words("hola".into()),
        ];
        let sound = speaker.message("es", &parts).await.expect("is said");
        assert_eq!(sound.len(), 4 + GAP + 4 + GAP + 4);
        assert_eq!(*engine.0.lock().expect("lives"), ["hola", "5, 2"]);
    }

    #[tokio::test]
    async fn what_is_neither_recorded_nor_spoken_is_refused_whole() {
        let (speaker, _) = speaker(None);
        for part in [
            Spoken::Recorded("nada".into()),
            Spoken::Words("mudo".into()),
        ] {
            let parts = [Spoken::Words("hola".into()), part];
            let refused = speaker.message("es", &parts).await;
            assert_eq!(refused, Err(SpeechError::NoEngine));
        }
    }

    #[tokio::test]
    async fn recordings_go_before_the_engine() {
        let dir = tempfile::tempdir().expect("folder");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        for (name, samples) in [("saludo.es", 100), ("digit_5.es", 30)] {
            let path = dir.path().join(format!("{name}.wav"));
            let mut wav = hound::WavWriter::create(path, spec).expect("creates");
            (0..samples).for_each(|_| wav.write_sample(3_i16).expect("writes"));
            wav.finalize().expect("ends");
        }
        let (speaker, engine) = speaker(Some(dir.path()));
        let parts = [
            Spoken::Recorded("saludo".into()),
            Spoken::Digits("55".into()),
        ];
        let sound = speaker.message("es", &parts).await.expect("is said");
        assert_eq!(sound.len(), 100 + GAP + 60);
        assert!(engine.0.lock().expect("lives").is_empty());
    }

    #[tokio::test]
    async fn what_would_be_heard_is_a_file_that_plays() {
        let (speaker, _) = speaker(None);
        let message = |language: &str| PlayWhat::Spoken {
            parts: vec!["agentless".into()],
            language: language.into(),
            client: "x".into(),
        };
        let es = speaker.wav(message("es")).await.expect("is built in");
        let said = read_wav(&es).expect("is a WAV");
        let there = speaker.prompts.named("agentless.es");
        assert_eq!(there.as_deref(), Some(said.as_slice()));
        assert_eq!(speaker.wav(message("pt")).await, Some(es), "the fallback's");

        let left = |parts: Vec<Spoken>| PlayWhat::Voicemail {
            language: "es".into(),
            parts,
        };
        let words = Spoken::Words("hola".into());
        assert!(speaker.wav(left(vec![words.clone()])).await.is_some());
        let gone = Spoken::Recorded("nada".into());
        assert_eq!(speaker.wav(left(vec![words, gone])).await, None);
        assert_eq!(speaker.wav(PlayWhat::Music).await, None);
    }

    #[tokio::test]
    async fn the_free_engine_speaks_where_it_is_installed() {
        match EspeakNg.say("es", "hola").await {
            Ok(samples) => {
                let loud = samples.iter().filter(|s| s.unsigned_abs() > 500).count();
                assert!(
                    samples.len() > 1_600 && loud > 400,
                    "{} {loud}",
                    samples.len()
                );
            }
            Err(reason) => assert_eq!(reason, SpeechError::NoEngine),
        }
    }

    #[test]
    fn a_length_that_lies_is_mended() {
        let mut wav = b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec();
        wav.extend([
            16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0,
        ]);
        wav.extend(b"data\xff\xff\xff\x7f");
        wav.extend([1, 0, 2, 0, 9]);
        let mended = with_length(wav).expect("is a WAV");
        assert_eq!(read_wav(&mended).expect("reads"), [1, 2]);
        assert!(with_length(b"RIFF".to_vec()).is_err());
    }
}
