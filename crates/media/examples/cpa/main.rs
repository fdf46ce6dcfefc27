//! Calls for call-progress analysis, made by command: varied greetings by the speech engines that are
//! installed, with lines, noises and codecs; the score of the analyser on them; the training of its weights.
//!
//! ```text
//! cpa calls DIR COUNT SEED tune|varied|held|bare  makes COUNT calls and DIR/labels.tsv
//! cpa score DIR [errors]                 scores the analyser on them, by engine
//! cpa known DIR                          persons that known recordings are taken for, and how soon those are known
//! cpa train DIR…                         prints weights for `cpa/judge.rs`
//! ```
//! Engines and voices of `held` are never used by `tune` and `varied`, and its sentences are others. Without any
//! engine (espeak-ng, flite, festival) it says so and makes the tone calls alone; `bare` needs none: its voices are
//! vowels of `media::speech` without words, a fifth of its persons answer behind an exchange that beeps first, and no
//! score of it says anything.
#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

mod channel;
mod engines;
mod make;
mod measure;
mod phrases;
mod random;
mod train;
mod variety;

use engines::Set;
use std::path::Path;

/// What may go wrong here ends the program.
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["calls", dir, count, seed, set @ ("tune" | "varied" | "held" | "bare")] => {
            let set = match *set {
                "tune" => Set::Tune,
                "varied" => Set::Varied,
                "held" => Set::Held,
                _ => Set::Bare,
            };
            make::calls(Path::new(dir), count.parse()?, seed.parse()?, set)
        }
        ["score", dir] => measure::score(Path::new(dir), false),
        ["score", dir, "errors"] => measure::score(Path::new(dir), true),
        ["known", dir] => measure::known(Path::new(dir)),
        ["train", dirs @ ..] if !dirs.is_empty() => train::train(dirs),
        _ => Err(
            "usage: cpa calls DIR COUNT SEED tune|varied|held|bare | cpa score DIR [errors] | cpa known DIR | cpa train DIR…"
                .into(),
        ),
    }
}
