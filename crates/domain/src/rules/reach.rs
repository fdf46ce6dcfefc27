//! How sure we are that a number reaches its debtor (`ContactPoint::confidence`, 0 to 100): what every call
//! to it proves moves it. The ladder's key `confidence` and the worth of a contact go by it. All steps are
//! the house's [H].

use super::disposition::parent;
use crate::entity::CallResult;

/// What a number is worth of which nothing is known yet; a file that says this says nothing of it.
pub const UNTRIED: i32 = 50;
/// A number that the debtor himself called us from.
pub const CALLED_US: i32 = 80;
/// Least after a talk with the right person.
const TALKED_LEAST: i32 = 80;
/// Nobody can be surer.
const MOST: i32 = 100;

crate::text_enum! {
    /// What a call proved of its number.
    pub enum Reach {
        /// The right person spoke there: half of what is missing to certainty is won.
        RightPerson = "right_person",
        /// Somebody takes messages for him there: a fifth of what is missing is won.
        KnownThere = "known_there",
        /// Another person's number, or he is there no more.
        WrongNumber = "wrong_number",
        /// No such number, by the network's code or tones, or a fax.
        NoPhone = "no_phone",
        /// A recording that the trunk plays on several numbers: a quarter is lost.
        Recording = "recording",
    }
}

impl Reach {
    /// How sure we are afterwards, 0 to 100; what lies outside is brought inside first.
    #[must_use]
    pub fn after(self, confidence: i32) -> i32 {
        let before = confidence.clamp(0, MOST);
        match self {
            Self::RightPerson => (before + (MOST - before + 1) / 2).max(TALKED_LEAST),
            Self::KnownThere => before + (MOST - before) / 5,
            Self::WrongNumber | Self::NoPhone => 0,
            Self::Recording => before - (before + 3) / 4,
        }
    }

    /// What a disposition proves; `rpc` is its flag.
    #[must_use]
    pub fn of_code(code: &str, rpc: bool) -> Option<Self> {
        match parent(code) {
            "CI.EQ" | "CI.NV" => Some(Self::WrongNumber),
            "NC.IX" | "NC.FX" => Some(Self::NoPhone),
            "CI.MT" => Some(Self::KnownThere),
            _ => rpc.then_some(Self::RightPerson),
        }
    }

    /// What the end of a call that nobody disposed of proves. `known` = its sound was a recording that the
    /// trunk plays on several numbers.
    #[must_use]
    pub const fn of_result(result: CallResult, known: bool) -> Option<Self> {
        match result {
            CallResult::InvalidNumber | CallResult::Fax => Some(Self::NoPhone),
            CallResult::MachineBeep | CallResult::MachineNoBeep if known => Some(Self::Recording),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::disposition::standard_dispositions;

    #[test]
    fn a_talk_makes_sure_and_a_wrong_number_is_worth_nothing() {
        assert_eq!(Reach::RightPerson.after(UNTRIED), 80);
        assert_eq!(Reach::RightPerson.after(80), 90);
        assert_eq!(Reach::RightPerson.after(99), 100);
        assert_eq!(Reach::RightPerson.after(0), 80);
        assert_eq!(Reach::KnownThere.after(UNTRIED), 60);
        assert_eq!(Reach::Recording.after(UNTRIED), 37);
        for gone in [Reach::WrongNumber, Reach::NoPhone] {
            assert_eq!(gone.after(100), 0);
        }
    }

    #[test]
    fn it_stays_between_nothing_and_certainty_and_moves_the_right_way() {
        let all = [
            (Reach::RightPerson, true),
            (Reach::KnownThere, true),
            (Reach::WrongNumber, false),
            (Reach::NoPhone, false),
            (Reach::Recording, false),
        ];
        for (reach, up) in all {
            for before in -20..=120 {
                let (after, held) = (reach.after(before), before.clamp(0, 100));
                assert!((0..=100).contains(&after), "{reach} {before} {after}");
                assert!(
                    if up { after >= held } else { after <= held },
                    "{reach} {before}"
                );
            }
            // Again and again it comes to an end.
            let last = (0..60).fold(UNTRIED, |at, _| reach.after(at));
            assert_eq!(reach.after(last), last, "{reach}");
        }
    }

    #[test]
    fn every_code_proves_what_it_says() {
        for row in standard_dispositions() {
            let proves = Reach::of_code(&row.code, row.rpc);
            assert_eq!(row.rpc, proves == Some(Reach::RightPerson), "{}", row.code);
        }
        assert_eq!(Reach::of_code("CI.EQ", false), Some(Reach::WrongNumber));
        assert_eq!(Reach::of_code("NC.FX", false), Some(Reach::NoPhone));
        assert_eq!(Reach::of_code("NC.NR", false), None);
    }

    #[test]
    fn only_a_known_recording_counts_against_a_number() {
        use CallResult as R;
        assert_eq!(Reach::of_result(R::MachineNoBeep, false), None);
        assert_eq!(
            Reach::of_result(R::MachineNoBeep, true),
            Some(Reach::Recording)
        );
        assert_eq!(
            Reach::of_result(R::InvalidNumber, false),
            Some(Reach::NoPhone)
        );
        assert_eq!(Reach::of_result(R::Fax, true), Some(Reach::NoPhone));
        assert_eq!(Reach::of_result(R::Human, true), None);
    }
}
