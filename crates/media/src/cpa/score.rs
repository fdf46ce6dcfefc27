//! The score of a detector on calls whose truth is known: shares with their intervals, times, beeps.

use std::fmt::Write as _;

/// The truth of a call and what the detector said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// True class, a name of [`super::Class::answered_str`].
    pub class: String,
    /// Who spoke: the group its figures are given for.
    pub group: String,
    /// Onset of the greeting, ms.
    pub onset_ms: u32,
    /// End of the greeting, ms.
    pub end_ms: u32,
    /// Beginning of the beep, where there is one.
    pub beep_ms: Option<u32>,
    /// Class told.
    pub told: String,
    /// When it was told, ms.
    pub told_ms: u32,
    /// Beep told, ms.
    pub told_beep_ms: Option<u32>,
}

/// A greeting up to this length is a short one, ms.
pub const SHORT_MS: u32 = 800;

/// A machine told by then is in time for a clock of 2 s that starts with the answer, ms.
pub const EARLY_MS: u32 = 1_500;

/// A beep told further off than this is another, ms.
const BEEP_NEAR_MS: u32 = 200;

/// Tried halvings of the interval's search: enough for six digits.
const HALVINGS: u32 = 40;

/// Interval of 95 % of a share by Clopper and Pearson: `hits` of `of`.
#[must_use]
pub fn interval(hits: u32, of: u32) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let low = if hits == 0 {
        0.0
    } else {
        solve(|p| 1.0 - at_most(hits - 1, of, p) < 0.025)
    };
    let high = if hits == of {
        1.0
    } else {
        solve(|p| at_most(hits, of, p) > 0.025)
    };
    (low, high)
}

/// The largest p of [0, 1] for which `holds`, which turns once.
fn solve(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let mid = f64::midpoint(low, high);
        if holds(mid) {
            low = mid;
        } else {
            high = mid;
        }
    }
    f64::midpoint(low, high)
}

/// Probability of at most `hits` of `of` at `p`.
fn at_most(hits: u32, of: u32, p: f64) -> f64 {
    if p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return if hits >= of { 1.0 } else { 0.0 };
    }
    let mut log = f64::from(of) * (1.0 - p).ln();
    let mut sum = log.exp();
    for k in 1..=hits {
        log += (f64::from(of - k + 1) / f64::from(k)).ln() + (p / (1.0 - p)).ln();
        sum += log.exp();
    }
    sum.min(1.0)
}

/// The value below which `percent` of them lie; `None` of nothing.
#[must_use]
pub fn percentile(values: &mut [i64], percent: usize) -> Option<i64> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable();
    let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(at).copied()
}

/// The table of a score: all cases, then each group.
#[must_use]
pub fn table(cases: &[Case]) -> String {
    let mut out = String::new();
    let all: Vec<&Case> = cases.iter().collect();
    section(&mut out, "all", &all);
    let mut groups: Vec<&str> = cases.iter().map(|c| c.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let of: Vec<&Case> = cases.iter().filter(|c| c.group == group).collect();
        section(&mut out, group, &of);
    }
    out
}

fn section(out: &mut String, name: &str, cases: &[&Case]) {
    let _ = writeln!(out, "{name}: {} calls", cases.len());
    let of = |class: &str| -> Vec<&&Case> { cases.iter().filter(|c| c.class == class).collect() };
    let humans = of("human");
    let lost = humans
        .iter()
        .filter(|c| c.told != "human" && c.told != "unknown")
        .count();
    share(out, "humans lost", lost, humans.len());
    let unknown = humans.iter().filter(|c| c.told == "unknown").count();
    share(out, "humans unknown", unknown, humans.len());
    for class in ["machine", "fax", "sit", "busy", "dead_air"] {
        let these = of(class);
        let found = these.iter().filter(|c| c.told == class).count();
        share(out, &format!("{class} found"), found, these.len());
    }
    let machines = of("machine");
    let early = |c: &&&&Case| c.told == "machine" && c.told_ms <= EARLY_MS;
    let soon = machines.iter().filter(early).count();
    share(
        out,
        "machine found in 1.5 s of the answer",
        soon,
        machines.len(),
    );
    let greeted = |c: &&&Case| c.class == "human" || c.class == "machine";
    let mut short: Vec<i64> = cases
        .iter()
        .filter(|c| c.class == "human" && c.end_ms - c.onset_ms <= SHORT_MS)
        .map(|c| i64::from(c.told_ms) - i64::from(c.onset_ms))
        .collect();
    time(out, "short greetings, from onset", &mut short);
    let mut any: Vec<i64> = cases
        .iter()
        .filter(greeted)
        .map(|c| i64::from(c.told_ms) - i64::from(c.end_ms))
        .collect();
    time(out, "any greeting, from its end", &mut any);
    beeps(out, cases);
}

fn share(out: &mut String, name: &str, hits: usize, of: usize) {
    let (Ok(hits), Ok(of)) = (u32::try_from(hits), u32::try_from(of)) else {
        return;
    };
    if of == 0 {
        return;
    }
    let (low, high) = interval(hits, of);
    let _ = writeln!(
        out,
        "  {name}: {hits} of {of} = {:.2} % [{:.2}, {:.2}]",
        100.0 * f64::from(hits) / f64::from(of),
        100.0 * low,
        100.0 * high
    );
}

fn time(out: &mut String, name: &str, values: &mut [i64]) {
    let count = values.len();
    if let (Some(half), Some(most)) = (percentile(values, 50), percentile(values, 90)) {
        let _ = writeln!(out, "  {name}: p50 {half} ms, p90 {most} ms ({count})");
    }
}

fn beeps(out: &mut String, cases: &[&Case]) {
    let with: Vec<(u32, Option<u32>)> = cases
        .iter()
        .filter_map(|c| c.beep_ms.map(|b| (b, c.told_beep_ms)))
        .collect();
    let mut errors: Vec<i64> = with
        .iter()
        .filter_map(|(truth, told)| told.map(|t| i64::from(t.abs_diff(*truth))))
        .filter(|e| *e <= i64::from(BEEP_NEAR_MS))
        .collect();
    share(out, "beeps found", errors.len(), with.len());
    let near = errors.iter().filter(|e| **e <= 40).count();
    share(out, "beeps within 40 ms", near, errors.len());
    time(out, "beep error", &mut errors);
    let without: Vec<&&Case> = cases.iter().filter(|c| c.beep_ms.is_none()).collect();
    let wrong = without.iter().filter(|c| c.told_beep_ms.is_some()).count();
    share(out, "false beeps", wrong, without.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let close = |a: f64, b: f64| (a - b).abs() < 5e-4;
        let (low, high) = interval(0, 100);
        assert!(close(low, 0.0) && close(high, 0.0362), "{low} {high}");
        let (low, high) = interval(5, 100);
        assert!(close(low, 0.0164) && close(high, 0.1128), "{low} {high}");
        let (low, high) = interval(10, 10);
        assert!(close(low, 0.6915) && close(high, 1.0), "{low} {high}");
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn the_ninetieth_of_ten_is_the_ninth() {
        let mut values: Vec<i64> = (1..=10).rev().collect();
        assert_eq!(percentile(&mut values, 90), Some(9));
        assert_eq!(percentile(&mut [], 90), None);
    }

    #[test]
    fn a_lost_person_and_a_wrong_beep_show() {
        let case = |class: &str, told: &str, beep: Option<u32>| Case {
            class: class.to_owned(),
            group: "one".to_owned(),
            onset_ms: 100,
            end_ms: 600,
            beep_ms: None,
            told: told.to_owned(),
            told_ms: 1_200,
            told_beep_ms: beep,
        };
        let text = table(&[
            case("human", "machine", None),
            case("human", "unknown", None),
            case("machine", "machine", Some(900)),
        ]);
        assert!(
            text.contains("found in 1.5 s of the answer: 1 of 1"),
            "{text}"
        );
        assert!(text.contains("humans lost: 1 of 2 = 50.00 %"), "{text}");
        assert!(text.contains("machine found: 1 of 1"), "{text}");
        assert!(text.contains("false beeps: 1 of 3"), "{text}");
        assert!(text.contains("p90 1100 ms"), "{text}");
    }
}
