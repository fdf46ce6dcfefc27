//! Numbers that are called by nobody, whatever is configured.

use std::ops::RangeInclusive;

/// Numbers no campaign ever calls, by their first digits: satellite and shared networks, premium rates, costs shared
/// with who calls, pagers, as their national plans publish them. Short numbers (emergency) fall by their length.
const NEVER: [&str; 92] = [
    // Satellite and shared networks, global premium.
    "+870", "+878", "+881", "+882", "+883", "+888", "+979", "+808", // North America.
    "+1900", "+1976", // Mexico.
    "+52300", "+52900",  // Guatemala.
    "+50219",  // El Salvador.
    "+503900", // Costa Rica.
    "+50690",  // Panama.
    "+507822", "+507855", "+507860", "+507877", "+507878", "+507886", "+507900", "+507981",
    // Argentina.
    "+5460", // Brazil.
    "+5530", "+5540", "+554864", "+55500", "+55900", // Colombia.
    "+5719", "+57901", // Peru.
    "+51801", "+51805", // Uruguay.
    "+59890", // Venezuela.
    "+5890",  // Spain.
    "+34803", "+34806", "+34807", "+34901", "+34902", "+34905", "+34907",
    // Portugal.
    "+351601", "+351607", "+351608", "+3516222", "+35164", "+351689", "+35176", "+351808",
    "+351809", // United Kingdom, pagers too.
    "+44760", "+447623", "+447625", "+447626", "+447634", "+44764", "+44765", "+44766", "+447677",
    "+44768", "+44769", "+4484", "+4487", "+449", // France.
    "+3381", "+3382", "+3383", "+3384", "+3385", "+3386", "+3388", "+3389",
    // Italy.
    "+390878", "+39144", "+3916", "+3984", "+3989", // Germany.
    "+4913", "+49164", "+49168", "+49169", "+49180", "+49900", // Switzerland.
    "+4174", "+4184", "+4190", // Austria.
    "+43810", "+4382", "+4386", "+4389", "+439",
];

/// The same where the number's length alone tells it from a subscriber's, digits with the country's code: Brazilian
/// lines of one number for the whole country, Chilean lines of companies.
const BY_LENGTH: [(&str, RangeInclusive<usize>); 2] = [("554370", 10..=10), ("56600", 12..=13)];

/// Whether a number, digits without `+`, is never called.
#[must_use]
pub(crate) fn never(digits: &str) -> bool {
    let begins = |prefix: &&str| digits.starts_with(prefix.trim_start_matches('+'));
    let fits = |(prefix, length): &(&str, RangeInclusive<usize>)| {
        digits.starts_with(prefix) && length.contains(&digits.len())
    };
    NEVER.iter().any(begins) || BY_LENGTH.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::never;
    use domain::phone::{NumberClass, Phone, class};
    use phonenumber::metadata::{DATABASE, Descriptor};
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeSet;

    /// Numbers drawn of each kind of a country's plan; its patterns have some thirty branches.
    const DRAWN: usize = 300;

    /// Countries with a rule pack: the first two letters of its file.
    fn countries() -> BTreeSet<String> {
        let packs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/rulepacks");
        let files = std::fs::read_dir(packs).expect("the folder of packs");
        let name = |file: std::fs::DirEntry| file.file_name().to_string_lossy().into_owned();
        files
            .filter_map(|file| name(file.expect("a pack")).get(..2).map(str::to_uppercase))
            .collect()
    }

    /// Numbers that fit a pattern of a plan, in E.164.
    fn drawn(code: u16, kind: &Descriptor, runner: &mut TestRunner) -> Vec<String> {
        // Long ones are written over lines.
        let lines = kind.national_number().as_str().split_whitespace();
        let pattern = lines.collect::<String>().replace("\\d", "[0-9]");
        let numbers = proptest::string::string_regex(&pattern);
        let numbers = numbers.expect("a pattern that is understood");
        let draw = |_| numbers.new_tree(runner).expect("a number").current();
        let fits = |national: &String| kind.is_match(national);
        let all = (0..DRAWN).map(draw).filter(fits);
        all.map(|national| format!("+{code}{national}")).collect()
    }

    #[test]
    fn what_a_plan_calls_dear_is_never_called_and_subscribers_are() {
        let mut runner = TestRunner::deterministic();
        let countries = countries();
        assert!(countries.len() >= 10, "{countries:?}");
        let (mut dear, mut plain) = (BTreeSet::new(), BTreeSet::new());
        for country in &countries {
            let plan = DATABASE.by_id(country).expect("a plan");
            let code = plan.country_code();
            let plan = plan.descriptors();
            let charged = [plan.premium_rate(), plan.shared_cost(), plan.pager()];
            for number in charged
                .into_iter()
                .flatten()
                .flat_map(|kind| drawn(code, kind, &mut runner))
            {
                let phone = Phone::from_e164(&number).expect("E.164");
                if phone.is_premium() {
                    assert!(never(&number[1..]), "{country} {number}");
                    dear.insert(country);
                }
            }
            for number in [plan.fixed_line(), plan.mobile()]
                .into_iter()
                .flatten()
                .flat_map(|kind| drawn(code, kind, &mut runner))
            {
                let kind = class(&number);
                let subscriber = matches!(
                    kind,
                    NumberClass::Fixed | NumberClass::Mobile | NumberClass::FixedOrMobile
                );
                if subscriber {
                    assert!(!never(&number[1..]), "{country} {number}");
                    plain.insert(country);
                }
            }
        }
        assert_eq!(plain.len(), countries.len(), "each has subscribers");
        // Ecuador's plan has no such numbers.
        assert_eq!(dear.len(), countries.len() - 1, "{dear:?}");
    }

    #[test]
    fn dear_numbers_by_name() {
        for number in [
            "5180512345",
            "54604123456",
            "54609123456",
            "5550012345678",
            "5719001234567",
            "5719471234567",
            "39892123",
            "33812345678",
            "351601123456",
            "351761123456",
            "448421234567",
            "448451234567",
            "8816123456789",
        ] {
            assert!(never(number), "{number}");
        }
        for number in [
            "525512345678",
            "5491123456789",
            "56600123456",
            "447624123456",
            "34612345678",
        ] {
            assert!(!never(number), "{number}");
        }
    }
}
