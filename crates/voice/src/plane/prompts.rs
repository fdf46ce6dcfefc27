//! Safe-harbour messages: built in, or from a folder; decoded once, shared by all calls.

use super::kit;
use crate::{VoiceError, limits};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const ES: &[u8] = include_bytes!("../../../../config/prompts/safe_harbour_es.wav");
const EN: &[u8] = include_bytes!("../../../../config/prompts/safe_harbour_en.wav");
macro_rules! built_in {
    ($($name:literal)+) => { &[$(
        (concat!($name, ".es"), include_bytes!(concat!("../../../../config/prompts/", $name, "_es.wav")).as_slice()),
        (concat!($name, ".en"), include_bytes!(concat!("../../../../config/prompts/", $name, "_en.wav")).as_slice()),
    )+] };
}

/// What is said in queues and by agentless campaigns, by name and language.
const PARTS: &[(&str, &[u8])] = built_in!(
    "queue_wait" "queue_place" "queue_minutes" "queue_more" "queue_offer" "queue_kept"
    "queue_away" "opted_out" "agentless" "closed" "unavailable" "unidentified" "recorded"
    "n1" "n2" "n3" "n4" "n5" "n6" "n7" "n8" "n9" "n10"
);
/// Language played when a debtor's own has no message: the first market's.
const FALLBACK: &str = "es";

/// Of them, what callers hear who come to no agent. They name the company, as the safe-harbour message does.
const ANNOUNCED: &[&str] = &["closed", "unavailable", "unidentified"];

/// A message as it was read.
#[derive(Clone)]
struct Prompt {
    samples: Arc<[i16]>,
    /// Of the whole file, hex.
    sha256: String,
}

/// Reads a message.
fn prompt(bytes: &[u8]) -> Result<Prompt, String> {
    Ok(Prompt {
        samples: kit::read_wav(bytes)?.into(),
        sha256: hex::encode(Sha256::digest(bytes)),
    })
}

/// All messages.
pub(crate) struct Prompts {
    /// By file stem: `es`, or `CLIENT_ID.es`.
    by_name: HashMap<String, Prompt>,
}

impl Prompts {
    /// Reads the built-in messages, then those of the folder.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, VoiceError> {
        let mut by_name = HashMap::new();
        let messages = [("es", ES), ("en", EN)];
        for (name, bytes) in messages.iter().chain(PARTS).copied() {
            let read = prompt(bytes).map_err(|reason| VoiceError::Prompt {
                path: name.into(),
                reason,
            })?;
            by_name.insert(name.to_owned(), read);
        }
        if let Some(folder) = folder {
            let built_in = by_name.clone();
            read_folder(folder, &mut by_name)?;
            announce_as(&built_in, &mut by_name);
        }
        Ok(Self { by_name })
    }

    /// One by its whole name: `NAME.LANGUAGE`.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<[i16]>> {
        self.by_name.get(name).map(|p| Arc::clone(&p.samples))
    }

    /// The message of a client in a language: the client's own, the language's, the fallback.
    pub(crate) fn safe_harbour(&self, client: &str, language: &str) -> Option<Arc<[i16]>> {
        let language = language.split(['-', '_']).next().unwrap_or(language);
        let own = self.by_name.get(&format!("{client}.{language}"));
        let found = own
            .or_else(|| self.by_name.get(language))
            .or_else(|| self.by_name.get(&format!("{client}.{FALLBACK}")))
            .or_else(|| self.by_name.get(FALLBACK));
        found.map(|p| Arc::clone(&p.samples))
    }
}

/// The language a name is looked for in.
fn plain(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or(language)
}

impl Prompts {
    /// A recorded part by name: the client's own in the language, everybody's, the fallback's.
    fn part(&self, client: &str, language: &str, name: &str) -> Option<&Prompt> {
        let tongues = [plain(language), FALLBACK];
        tongues.iter().find_map(|tongue| {
            let own = self.by_name.get(&format!("{client}.{name}.{tongue}"));
            // A client with a message of its own is not announced under another company's name.
            let message = || self.by_name.get(&format!("{client}.{tongue}"));
            own.or_else(|| message().filter(|_| ANNOUNCED.contains(&name)))
                .or_else(|| self.by_name.get(&format!("{name}.{tongue}")))
        })
    }

    /// SHA-256 (hex) of the file of a recorded part, found as [`Self::spoken`] finds it.
    pub(crate) fn sha256(&self, client: &str, language: &str, name: &str) -> Option<String> {
        self.part(client, language, name).map(|p| p.sha256.clone())
    }

    /// Parts one after the other; those that are not there are left out, `None` without any.
    pub(crate) fn spoken(
        &self,
        client: &str,
        language: &str,
        parts: &[String],
    ) -> Option<Arc<[i16]>> {
        let found: Vec<&Arc<[i16]>> = parts
            .iter()
            .filter_map(|name| self.part(client, language, name))
            .map(|p| &p.samples)
            .collect();
        match found.as_slice() {
            [] => None,
            [one] => Some(Arc::clone(one)),
            all => Some(all.iter().flat_map(|part| part.iter().copied()).collect()),
        }
    }
}

/// Where the folder has a message for all clients and no announcement beside it, that message announces: the built-in
/// ones name another company.
fn announce_as(built_in: &HashMap<String, Prompt>, all: &mut HashMap<String, Prompt>) {
    let same = |all: &HashMap<String, Prompt>, name: &str| {
        let sha256 = |of: &HashMap<String, Prompt>| of.get(name).map(|p| p.sha256.clone());
        sha256(all) == sha256(built_in)
    };
    for language in ["es", "en"] {
        if same(all, language) {
            continue;
        }
        let Some(message) = all.get(language).cloned() else {
            continue;
        };
        for name in ANNOUNCED.iter().map(|name| format!("{name}.{language}")) {
            if same(all, &name) {
                all.insert(name, message.clone());
            }
        }
    }
}

fn read_folder(folder: &Path, into: &mut HashMap<String, Prompt>) -> Result<(), VoiceError> {
    let fail = |path: &Path, reason: String| VoiceError::Prompt {
        path: path.to_owned(),
        reason,
    };
    let entries = std::fs::read_dir(folder).map_err(|e| fail(folder, e.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|e| fail(folder, e.to_string()))?.path();
        if path.extension().is_none_or(|e| e != "wav") {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|s| s.to_str()) else {
            return Err(fail(&path, "the name is not UTF-8".to_owned()));
        };
        if into.len() >= limits::PROMPTS {
            return Err(fail(
                folder,
                format!("more than {} messages", limits::PROMPTS),
            ));
        }
        let bytes = std::fs::read(&path).map_err(|e| fail(&path, e.to_string()))?;
        let read = prompt(&bytes).map_err(|reason| fail(&path, reason))?;
        if read.samples.len() > limits::PROMPT_S * 8_000 {
            return Err(fail(&path, format!("longer than {} s", limits::PROMPT_S)));
        }
        into.insert(name.to_owned(), read);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a short message of the client `bank`.
    fn bank() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("folder");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let path = dir.path().join("bank.es.wav");
        let mut wav = hound::WavWriter::create(&path, spec).expect("creates");
        (0..800_i16).for_each(|i| wav.write_sample(i).expect("writes"));
        wav.finalize().expect("ends");
        (dir, path)
    }

    #[test]
    fn nobody_is_announced_under_another_companys_name() {
        let built_in = Prompts::load(None).expect("loads");
        let (dir, path) = bank();
        let prompts = Prompts::load(Some(dir.path())).expect("loads");
        let announced = |prompts: &Prompts, client: &str, part: &str| {
            let said = prompts.spoken(client, "es", &[part.to_owned()]);
            said.expect("is there").len()
        };
        let house = announced(&built_in, "bank", "closed");
        assert_ne!(house, announced(&built_in, "bank", "unavailable"));
        assert_eq!(announced(&prompts, "bank", "closed"), 800, "its own name");
        assert_eq!(announced(&prompts, "other", "closed"), house);
        assert_ne!(
            announced(&prompts, "bank", "opted_out"),
            800,
            "names nobody"
        );
        std::fs::copy(&path, dir.path().join("es.wav")).expect("copies");
        let prompts = Prompts::load(Some(dir.path())).expect("loads");
        assert_eq!(announced(&prompts, "other", "unidentified"), 800);
    }

    #[test]
    fn built_in_and_replaced() {
        let built_in = Prompts::load(None).expect("loads");
        let es = built_in.safe_harbour("x", "es").expect("is there");
        let en = built_in.safe_harbour("x", "en-US").expect("is there");
        assert!(es.len() > 5 * 8_000 && en.len() > 5 * 8_000 && es.len() != en.len());
        assert_eq!(
            built_in.safe_harbour("x", "pt").expect("falls back").len(),
            es.len()
        );

        let said = |parts: &[&str], language: &str| {
            let parts: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
            built_in.spoken("x", language, &parts).map(|s| s.len())
        };
        let place = said(&["queue_place"], "es").expect("is there");
        let third = said(&["n3"], "es").expect("is there");
        let both = said(&["queue_place", "missing", "n3"], "es");
        assert_eq!(both, Some(place + third));
        assert_eq!(said(&["queue_place"], "pt"), Some(place), "the fallback's");
        assert_ne!(said(&["queue_place"], "en"), Some(place));
        assert_eq!(said(&["missing"], "es"), None);

        let sound = |prompts: &Prompts, language: &str| prompts.sha256("x", language, "agentless");
        let told = sound(&built_in, "es").expect("is there");
        assert_eq!(told.len(), 64);
        assert_eq!(sound(&built_in, "pt"), Some(told.clone()), "the fallback's");
        assert_ne!(sound(&built_in, "en"), Some(told.clone()));
        assert_eq!(built_in.sha256("x", "es", "missing"), None);

        let (dir, path) = bank();
        std::fs::copy(&path, dir.path().join("agentless.es.wav")).expect("copies");
        let prompts = Prompts::load(Some(dir.path())).expect("loads");
        assert!(
            sound(&prompts, "es").is_some_and(|now| now != told),
            "replaced"
        );
        assert_eq!(prompts.safe_harbour("bank", "es").expect("own").len(), 800);
        assert_eq!(
            prompts.safe_harbour("other", "es").expect("built in").len(),
            es.len()
        );

        std::fs::write(dir.path().join("en.wav"), b"not a wav").expect("writes");
        assert!(Prompts::load(Some(dir.path())).is_err());
        assert!(Prompts::load(Some(&dir.path().join("none"))).is_err());
    }
}
