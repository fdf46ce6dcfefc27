//! National numbers written as digits alone, as nearly all of a client's file are.
//!
//! The library asks its patterns one by one, each under one lock of the whole process, after four more that look for
//! extensions and endings: most of what a row of a file costs to read, and threads that read wait for each other.
//! Where nothing of a text is to be stripped or guessed, the same patterns are asked here without that. Whatever is not
//! certainly a valid number is left to the library, which says what it is or why not.

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};
use regex::{Regex, RegexBuilder};
use std::sync::OnceLock;

/// Fewest and most digits that are looked at (E.164 has 15 at most).
const DIGITS_MIN: usize = 5;
const DIGITS_MAX: usize = 15;
/// Letters of a country's code (ISO 3166 alpha-2).
const LETTERS: usize = 26;

/// Numbers of a kind: how long they are, and how they begin.
struct Kind {
    /// Any length when empty.
    lengths: Vec<u16>,
    pattern: Regex,
}

/// What the numbers of a country are.
struct Plan {
    /// Its calling code.
    code: String,
    /// What may be dialled before a national number.
    trunk: Option<String>,
    before: Vec<Regex>,
    any: Kind,
    /// Those of places and mobiles.
    kinds: Vec<Kind>,
}

/// A pattern of the library at the front of a text.
fn at_front(pattern: &str) -> Option<Regex> {
    // The pattern may end in a comment.
    let mut at_front = RegexBuilder::new(&format!("^(?:{pattern}\n)"));
    at_front.ignore_whitespace(true).build().ok()
}

impl Kind {
    fn of(kind: &Descriptor) -> Option<Self> {
        Some(Self {
            lengths: kind.possible_length().to_vec(),
            pattern: at_front(kind.national_number().as_str())?,
        })
    }

    fn has(&self, digits: &str) -> bool {
        let fits = |length: &u16| usize::from(*length) == digits.len();
        let long = self.lengths.is_empty() || self.lengths.iter().any(fits);
        long && self.pattern.is_match(digits)
    }
}

impl Plan {
    /// None where several countries share a code: whose a number is says the library.
    fn of(country: &str) -> Option<Self> {
        let meta: &Metadata = DATABASE.by_id(country)?;
        if DATABASE.region(&meta.country_code())? != [country] {
            return None;
        }
        let before = [
            meta.international_prefix(),
            meta.national_prefix_for_parsing(),
        ];
        let before = before.into_iter().flatten().map(|p| at_front(p.as_str()));
        let kinds = meta.descriptors();
        let usual = [kinds.fixed_line(), kinds.mobile()].into_iter().flatten();
        Some(Self {
            code: meta.country_code().to_string(),
            trunk: meta.national_prefix().map(str::to_owned),
            before: before.collect::<Option<_>>()?,
            any: Kind::of(kinds.general())?,
            kinds: usual.map(Kind::of).collect::<Option<_>>()?,
        })
    }

    fn has(&self, digits: &str) -> bool {
        let begins = |with: &str| digits.starts_with(with);
        let is_bare = !begins("0")
            && !begins(&self.code)
            && !self.trunk.as_deref().is_some_and(begins)
            && !self.before.iter().any(|before| before.is_match(digits));
        is_bare && self.any.has(digits) && self.kinds.iter().any(|kind| kind.has(digits))
    }
}

/// Made when a country is first asked for: there are more than anybody's files have.
fn plan(country: &str) -> Option<&'static Plan> {
    static PLANS: [OnceLock<Option<Box<Plan>>>; LETTERS * LETTERS] =
        [const { OnceLock::new() }; LETTERS * LETTERS];
    let [first, second] = country.as_bytes() else {
        return None;
    };
    let letter = |byte: &u8| byte.checked_sub(b'A').map(usize::from);
    let (first, second) = (letter(first)?, letter(second)?);
    let own = PLANS.get(first * LETTERS + second)?;
    let is_code = first < LETTERS && second < LETTERS;
    own.get_or_init(|| Plan::of(country).filter(|_| is_code).map(Box::new))
        .as_deref()
}

/// The number in E.164, where the text is one in the plan of its country for certain.
pub(super) fn e164(text: &str, country: &str) -> Option<String> {
    let digits = (DIGITS_MIN..=DIGITS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit());
    let plan = plan(country).filter(|plan| digits && plan.has(text))?;
    Some(format!("+{}{text}", plan.code))
}

#[cfg(test)]
mod tests {
    use super::super::Phone;
    use super::*;
    use proptest::prelude::*;

    /// Numbers that the library gives as examples.
    fn examples(country: &str) -> Vec<String> {
        let Some(meta) = DATABASE.by_id(country) else {
            return Vec::new();
        };
        let kinds = meta.descriptors();
        let all = [
            kinds.fixed_line(),
            kinds.mobile(),
            kinds.toll_free(),
            kinds.premium_rate(),
            kinds.voip(),
            kinds.uan(),
        ];
        let all = all.into_iter().flatten().filter_map(Descriptor::example);
        all.map(str::to_owned).collect()
    }

    fn agrees(text: &str, country: &str) {
        let Some(quick) = e164(text, country) else {
            return;
        };
        let told = Phone::by_library(text, Some(country));
        let told = told.as_ref().map(Phone::e164);
        assert_eq!(told, Ok(quick.as_str()), "{text} in {country}");
    }

    #[test]
    fn usual_numbers_are_read_here() {
        for (text, country, number) in [
            ("5512345678", "MX", "+525512345678"),
            ("3001234567", "CO", "+573001234567"),
            ("912345678", "PE", "+51912345678"),
            ("987654321", "CL", "+56987654321"),
            ("11912345678", "BR", "+5511912345678"),
            ("612345678", "ES", "+34612345678"),
        ] {
            assert_eq!(e164(text, country).as_deref(), Some(number), "{country}");
            agrees(text, country);
        }
        for (text, country) in [
            ("525512345678", "MX"),
            ("0445512345678", "MX"),
            ("55 1234 5678", "MX"),
            ("12345", "MX"),
            ("6502530000", "US"),
            ("5512345678", "mx"),
            ("5512345678", "ZZ"),
            ("5512345678", "M["),
            ("5512345678", ""),
        ] {
            assert_eq!(e164(text, country), None, "{text} in {country}");
        }
    }

    #[test]
    fn each_country_s_examples_and_their_neighbours_are_what_the_library_says() {
        let letters = || 'A'..='Z';
        let all = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        let (mut countries, mut quick) = (0, 0);
        for country in all {
            let examples = examples(&country);
            countries += usize::from(!examples.is_empty());
            for example in examples {
                quick += usize::from(e164(&example, &country).is_some());
                for digit in 0..10 {
                    agrees(&format!("{digit}{example}"), &country);
                    agrees(&format!("{example}{digit}"), &country);
                    let tail = example.get(1..).unwrap_or_default();
                    agrees(&format!("{digit}{tail}"), &country);
                    let tail = example.get(2..).unwrap_or_default();
                    agrees(&format!("{digit}{tail}"), &country);
                }
            }
        }
        assert!(countries > 200 && quick > 200, "{countries}, {quick}");
    }

    proptest! {
        #[test]
        fn whatever_is_read_here_the_library_reads_so(
            text in "[0-9]{5,15}",
            country in "MX|CO|AR|BR|CL|PE|EC|ES|BO|PY|UY|VE|CR|GT|HN|NI|PA|SV|PT|DE|FR|SG|CU|AU|RU",
        ) {
            agrees(&text, &country);
        }

        #[test]
        fn ten_digits_too(text in "[1-9][0-9]{7,10}", country in "MX|CO|AR|BR|CL|PE|EC|ES") {
            agrees(&text, &country);
        }
    }
}
