//! The ageing set of a client: in which bucket how many days past due are (terms.md §7).

use crate::entity::Bucket;
use crate::rules::offers::TermsWrong;
use serde::{Deserialize, Serialize};

/// Most buckets of a set, the one of what is not past due among them.
pub const AGEING_BUCKETS_MAX: usize = 12;
/// Highest day past due of a bucket that has one: ten years.
pub const AGEING_DAYS_MAX: i64 = 3_650;
/// Longest name that a client gives a bucket, characters.
pub const AGEING_LABEL_MAX: usize = 40;

/// Highest day of each bucket of the standard set but the last.
const STANDARD_ENDS: [i64; 7] = [0, 30, 60, 90, 120, 180, 360];

/// A bucket of a client's set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeBucket {
    /// What the client calls it; empty = by its days.
    #[serde(default)]
    pub label: String,
    /// Lowest day past due; `None` in the first one alone, which holds all that is not past due.
    #[serde(default)]
    pub from: Option<i64>,
    /// Highest day past due; `None` in the last one alone.
    #[serde(default)]
    pub to: Option<i64>,
}

impl AgeBucket {
    /// The bucket by its days; `None` where they are none, which no checked set has.
    fn bucket(&self) -> Option<Bucket> {
        match self.from {
            None => Some(Bucket::Preventive),
            Some(from) => Bucket::past(from, self.to),
        }
    }
}

/// The buckets of a client, youngest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgeingSet(Vec<AgeBucket>);

impl Default for AgeingSet {
    /// The standard set, of a client who has written none.
    fn default() -> Self {
        Self::of_ends(&STANDARD_ENDS)
    }
}

impl From<Vec<AgeBucket>> for AgeingSet {
    fn from(buckets: Vec<AgeBucket>) -> Self {
        Self(buckets)
    }
}

impl AgeingSet {
    /// The set whose buckets end on these days, with one behind the last of them.
    #[must_use]
    pub fn of_ends(ends: &[i64]) -> Self {
        let ends = ends.iter().copied().map(Some).chain([None]);
        let mut from = None;
        let bucket = |to: Option<i64>| AgeBucket {
            label: String::new(),
            from: std::mem::replace(&mut from, to.map(|to| to + 1)),
            to,
        };
        Self(ends.map(bucket).collect())
    }

    /// Microfinance counts in weeks first.
    #[must_use]
    pub fn microfinance() -> Self {
        Self::of_ends(&[0, 7, 30, 60, 90])
    }

    /// Its buckets by their days, youngest first.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        self.0.iter().filter_map(AgeBucket::bucket)
    }

    /// The bucket of an open debt of so many days past due.
    #[must_use]
    pub fn of(&self, past: i64) -> Bucket {
        if past <= 0 {
            return Bucket::Preventive;
        }
        let found = self.buckets().find(|bucket| bucket.holds(past));
        // What no checked set comes to is still a debt past due.
        found
            .or_else(|| Bucket::past(1, None))
            .unwrap_or(Bucket::Preventive)
    }

    /// What the client calls a bucket; `None` where he calls it by its days.
    #[must_use]
    pub fn label(&self, bucket: Bucket) -> Option<&str> {
        let own = self.0.iter().find(|b| b.bucket() == Some(bucket))?;
        Some(own.label.as_str()).filter(|label| !label.is_empty())
    }

    /// The names of its buckets, as offers and rules of promises write them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.buckets().map(|bucket| bucket.to_string()).collect()
    }

    /// Its highest days in one word, to tell it from another set; empty for the standard one. Labels do not count.
    #[must_use]
    pub fn ends(&self) -> String {
        let ends: Vec<i64> = self.0.iter().filter_map(|b| b.to).collect();
        if ends == STANDARD_ENDS {
            return String::new();
        }
        let ends: Vec<String> = ends.iter().map(ToString::to_string).collect();
        ends.join(",")
    }

    /// Whether every number of days is in exactly one bucket, and each is named well.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check(&self) -> Result<(), TermsWrong> {
        let wrong = |path: String, wanted: String| Err(TermsWrong { path, wanted });
        if !(2..=AGEING_BUCKETS_MAX).contains(&self.0.len()) {
            return wrong(
                "ageing".into(),
                format!("expected 2 to {AGEING_BUCKETS_MAX} buckets"),
            );
        }
        let last = self.0.len() - 1;
        let mut from = None;
        for (n, bucket) in self.0.iter().enumerate() {
            let path = |field: &str| format!("ageing[{n}].{field}");
            if bucket.from != from {
                let wanted = match from {
                    None => "expected none: all that is not past due".to_owned(),
                    Some(day) => format!("expected day {day}: no gap and no overlap"),
                };
                return wrong(path("from"), wanted);
            }
            match (bucket.to, from) {
                (Some(0), None) => {}
                (_, None) => {
                    let wanted = "expected day 0: all that is not past due";
                    return wrong(path("to"), wanted.into());
                }
                (None, Some(_)) if n == last => {}
                (Some(_), Some(_)) if n == last => {
                    let wanted = "expected none: all that is older";
                    return wrong(path("to"), wanted.into());
                }
                (Some(to), Some(from)) if (from..=AGEING_DAYS_MAX).contains(&to) => {}
                (_, Some(from)) => {
                    let wanted = format!("expected day {from} to {AGEING_DAYS_MAX}");
                    return wrong(path("to"), wanted);
                }
            }
            self.check_label(n)?;
            from = bucket.to.map(|to| to + 1);
        }
        Ok(())
    }

    fn check_label(&self, n: usize) -> Result<(), TermsWrong> {
        let label = &self.0[n].label;
        let fits = label.chars().count() <= AGEING_LABEL_MAX
            && label.trim() == label
            && !label.chars().any(char::is_control);
        let own = label.is_empty() || self.0[..n].iter().all(|b| b.label != *label);
        let wanted = match (fits, own) {
            (true, true) => return Ok(()),
            (true, false) => "expected a name that is not taken".to_owned(),
            (false, _) => format!("expected 0 to {AGEING_LABEL_MAX} characters"),
        };
        Err(TermsWrong {
            path: format!("ageing[{n}].label"),
            wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(label: &str, from: Option<i64>, to: Option<i64>) -> AgeBucket {
        AgeBucket {
            label: label.into(),
            from,
            to,
        }
    }

    #[test]
    fn a_set_without_gap_and_overlap_is_taken() {
        assert_eq!(AgeingSet::default().check(), Ok(()));
        let micro = AgeingSet::microfinance();
        assert_eq!(micro.check(), Ok(()));
        let names = [
            "preventive",
            "b1_7",
            "b8_30",
            "b31_60",
            "b61_90",
            "b91_plus",
        ];
        assert_eq!(micro.names(), names);
        for (past, want) in [
            (-1, "preventive"),
            (0, "preventive"),
            (1, "b1_7"),
            (7, "b1_7"),
            (8, "b8_30"),
            (90, "b61_90"),
            (91, "b91_plus"),
            (100_000, "b91_plus"),
        ] {
            assert_eq!(micro.of(past).to_string(), want, "{past} days past due");
        }
        assert_eq!(
            (AgeingSet::default().ends(), micro.ends().as_str()),
            (String::new(), "0,7,30,60,90")
        );
    }

    #[test]
    fn each_fault_names_its_place() {
        let path = |buckets: Vec<AgeBucket>| AgeingSet::from(buckets).check().unwrap_err().path;
        let (current, all) = (bucket("", None, Some(0)), bucket("", Some(1), None));
        assert_eq!(path(vec![current.clone()]), "ageing");
        let ends: Vec<i64> = (0..i64::try_from(AGEING_BUCKETS_MAX).unwrap()).collect();
        let many = AgeingSet::of_ends(&ends);
        assert_eq!(many.check().unwrap_err().path, "ageing");
        assert_eq!(
            AgeingSet::of_ends(&ends[1..]).check().unwrap_err().path,
            "ageing[0].to"
        );
        assert_eq!(
            path(vec![bucket("", Some(0), Some(0)), all.clone()]),
            "ageing[0].from"
        );
        let mut set = vec![
            current,
            bucket("", Some(1), Some(30)),
            bucket("", Some(32), None),
        ];
        assert_eq!(path(set.clone()), "ageing[2].from", "a gap");
        set[2].from = Some(30);
        assert_eq!(path(set.clone()), "ageing[2].from", "an overlap");
        set[2].from = Some(31);
        assert_eq!(AgeingSet::from(set.clone()).check(), Ok(()));
        set[1].to = Some(0);
        assert_eq!(path(set.clone()), "ageing[1].to");
        set[1].to = Some(AGEING_DAYS_MAX + 1);
        assert_eq!(path(set.clone()), "ageing[1].to");
        set[1].to = None;
        assert_eq!(path(set.clone()), "ageing[1].to", "open in the middle");
        set[1].to = Some(30);
        set[2].to = Some(60);
        assert_eq!(path(set.clone()), "ageing[2].to", "an end");
        set[2].to = None;
        for bad in [
            "x".repeat(AGEING_LABEL_MAX + 1),
            " Temprana".into(),
            "a\nb".into(),
        ] {
            set[2].label = bad;
            assert_eq!(path(set.clone()), "ageing[2].label");
        }
        set[1].label = "Temprana".into();
        set[2].label = "Temprana".into();
        assert_eq!(path(set.clone()), "ageing[2].label", "twice");
        set[2].label = "Vieja".into();
        let set = AgeingSet::from(set);
        assert_eq!(set.check(), Ok(()));
        assert_eq!(set.label(Bucket::B1_30), Some("Temprana"));
        assert_eq!(set.label(Bucket::Preventive), None);
        assert_eq!(set.label(Bucket::B31_60), None, "not one of them");
    }

    #[test]
    fn a_set_is_a_list_in_the_document() {
        let text = r#"[{"to": 0}, {"label": "Toda", "from": 1}]"#;
        let set: AgeingSet = serde_json::from_str(text).unwrap();
        assert_eq!(set.check(), Ok(()));
        assert_eq!(
            serde_json::from_value::<AgeingSet>(serde_json::to_value(&set).unwrap()).unwrap(),
            set
        );
        assert!(serde_json::from_str::<AgeingSet>(r#"[{"til": 0}]"#).is_err());
    }

    proptest! {
        #[test]
        fn every_day_is_in_exactly_one_bucket(
            ends in proptest::collection::btree_set(1..AGEING_DAYS_MAX, 0..AGEING_BUCKETS_MAX - 1),
            past in -400_i64..4_000,
        ) {
            let ends: Vec<i64> = [0].into_iter().chain(ends).collect();
            let set = AgeingSet::of_ends(&ends);
            prop_assert_eq!(set.check(), Ok(()));
            let of = set.of(past);
            prop_assert_eq!(set.buckets().filter(|b| b.holds(past)).collect::<Vec<_>>(), [of]);
            prop_assert_eq!(Bucket::of_code(of.code()), Some(of));
            prop_assert_eq!(of.to_string().parse::<Bucket>().ok(), Some(of));
            // Kept numbers stand in the order of the days.
            let codes: Vec<i64> = set.buckets().map(Bucket::code).collect();
            prop_assert!(codes.is_sorted());
        }
    }
}
