//! The nearest right words to one that nobody knows: an error names those, not a hundred.

use strsim::damerau_levenshtein;

/// Longest vocabulary that an error lists as a whole.
pub(crate) const LISTED_MAX: usize = 12;
/// Most words that an error offers.
const OFFERED_MAX: usize = 3;
/// Characters of what came that are compared and shown; no right word is as long.
const COMPARED_MAX: usize = 40;
/// One slip is forgiven for so many letters.
const LETTERS_A_SLIP: usize = 3;
/// Least letters that are looked for as a part of a word.
const PART_MIN: usize = 3;

/// What came, as an error shows it.
pub(crate) fn shown(found: &str) -> String {
    found.chars().take(COMPARED_MAX).collect()
}

/// Words that `found` may be a slip of, nearest first, at most three; words that it is a part of where there is no
/// slip. A letter that is wrong, missing, too many or in its neighbour's place is a slip.
pub(crate) fn near<'a>(found: &str, words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let found = shown(found).to_lowercase();
    let letters = found.chars().count();
    let (mut slips, mut parts) = (Vec::new(), Vec::new());
    for word in words {
        let most = letters.max(word.chars().count()) / LETTERS_A_SLIP;
        let apart = damerau_levenshtein(&found, word);
        if apart <= most {
            slips.push((apart, word));
        } else if letters >= PART_MIN && word.contains(&found) {
            parts.push(word);
        }
    }
    slips.sort_by_key(|(apart, _)| *apart);
    let nearest = slips.first().map_or(0, |(apart, _)| *apart);
    let mut offered: Vec<&str> = match slips.is_empty() {
        true => parts,
        false => {
            let close = slips.iter().filter(|(apart, _)| *apart <= nearest + 1);
            close.map(|(_, word)| *word).collect()
        }
    };
    offered.truncate(OFFERED_MAX);
    offered
}

/// Words in quotes with a word before the last.
pub(crate) fn listed(words: &[&str], (open, close): (&str, &str), or: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("{open}{w}{close}")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} {or} {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        let words = ["days_past_due", "balance", "bucket", "days_to_promise"];
        for (found, want) in [
            ("dayz_past_due", &["days_past_due"][..]),
            ("BALANCE", &["balance"]),
            ("blaance", &["balance"]),
            ("past", &["days_past_due"]),
            ("buket", &["bucket"]),
            ("", &[]),
            ("colour", &[]),
            ("xx", &[]),
        ] {
            assert_eq!(near(found, words), want, "{found}");
        }
    }

    #[test]
    fn few_are_offered_and_the_nearest_first() {
        let words = ["paid_5", "paid_30", "paid_31", "paid_32", "paid_33"];
        assert_eq!(near("paid_31", words)[0], "paid_31");
        assert_eq!(near("paid_3", words).len(), OFFERED_MAX);
        let long = "x".repeat(8_000);
        assert_eq!(near(&long, words), Vec::<&str>::new());
        assert_eq!(shown(&long).len(), COMPARED_MAX);
    }

    #[test]
    fn a_list_reads_as_one() {
        let quotes = ("'", "'");
        assert_eq!(listed(&["a"], quotes, "or"), "'a'");
        assert_eq!(listed(&["a", "b", "c"], quotes, "or"), "'a', 'b' or 'c'");
    }
}
