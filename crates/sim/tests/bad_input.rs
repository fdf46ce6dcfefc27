//! A scenario file that cannot be run is named with its file, line and field.

use sim::pacing::Scenario;

const GOOD: &str = include_str!("../scenarios/pernum-n5-strong.json");

/// The good file with the first `from` replaced.
fn error(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let text = GOOD.replacen(from, to, 1);
    match Scenario::parse("bad.json", &text) {
        Ok(_) => String::from("accepted"),
        Err(error) => error.to_string(),
    }
}

/// Line on which the text of the good file stands.
fn line(of: &str) -> String {
    let at = GOOD.find(of).unwrap_or(0);
    format!("line {},", GOOD[..at].matches('\n').count() + 1)
}

#[test]
fn the_good_one_is_accepted() {
    assert!(Scenario::parse("good.json", GOOD).is_ok());
}

/// What is changed, into what, the field named, and what would be right.
const BAD: &[(&str, &str, &str, &str)] = &[
    ("\"n\": 5,", "\"n\": \"many\",", "agents.n", "u32"),
    ("\"n\": 5,", "\"n\": 0,", "agents.n", "from 1 to 5000"),
    (
        "\"duration_s\": 88200.0",
        "\"duration_s\": -1",
        "duration_s",
        "above 0",
    ),
    (
        "\"warmup_s\": 1800.0",
        "\"warmup_s\": 1e9",
        "warmup_s",
        "below duration_s",
    ),
    ("\"epoch_s\": 0.5", "\"epoch_s\": 0", "epoch_s", "from 0.05"),
    (
        "\"p_machine\": 0.25",
        "\"p_machine\": 1.25",
        "dial.p_machine",
        "from 0 to 1",
    ),
    (
        "\"no_answer_timeout_s\": 25.0",
        "\"no_answer_timeout_s\": 1",
        "dial.no_answer_timeout_s",
        "from 5",
    ),
    ("\"fpr\": 0.01", "\"fpr\": -0.01", "amd.fpr", "from 0 to 1"),
    (
        "\"deadline_s\": 2.0",
        "\"deadline_s\": 0",
        "customer.deadline_s",
        "above 0",
    ),
    (
        "\"trunks\": 30",
        "\"trunks\": 0",
        "limits.trunks",
        "without a line",
    ),
    ("\"cps\": 3.0", "\"cps\": 0", "limits.cps", "above 0"),
    ("\"mean\": 8.0", "\"mean\": -8.0", "talk[0].wrap", "above 0"),
    (
        "\"kind\": \"trunc\"",
        "\"kind\": \"gamma\"",
        "dial.setup",
        "gamma",
    ),
    (
        "\"window\": 64",
        "\"window\": 0",
        "per_number.window",
        "from 1 to 4096",
    ),
    (
        "\"sigma\": 0.75",
        "\"sigma\": -0.75",
        "per_number.sigma",
        "from 0",
    ),
    (
        "\"leave\": []",
        "\"leave\": [[60.0, 1.5]]",
        "agents.leave[0][1]",
        "from 0 to 1",
    ),
    (
        "\"breaks\": []",
        "\"breaks\": [[3600.0, 0.5, -900.0, 60.0]]",
        "agents.breaks[0][2]",
        "from 0",
    ),
    (
        "\"join\": []",
        "\"join\": [[60.0, 6000]]",
        "agents.join",
        "5000 agents",
    ),
    (
        "\"shocks\": []",
        "\"shocks\": [{\"at_s\": 0.0, \"dur_s\": 9.0, \"what\": \"trunk_fail\", \"value\": 2.0}]",
        "shocks[0].value",
        "from 0 to 1",
    ),
    (
        "\"shocks\": []",
        "\"shocks\": [{\"at_s\": 0.0, \"dur_s\": 9.0, \"what\": \"flood\", \"value\": 1.0}]",
        "shocks[0].what",
        "p_live_set",
    ),
    (
        "\"message_s\": 7.0",
        "\"message_s\": -7.0",
        "customer.message_s",
        "from 0",
    ),
    (
        "\"p_sit\": 0.08",
        "\"p_sit\": 0.8",
        "dial.p_machine",
        "at most 1",
    ),
    ("\"epoch_s\"", "\"epoch\"", "epoch", "unknown field"),
];

#[test]
fn each_bad_field_is_named_with_its_line() {
    for &(from, to, field, why) in BAD {
        let told = error(from, to);
        assert!(told.starts_with("bad.json, line "), "{told}");
        assert!(told.contains(&format!("field {field}")), "{told}: {field}");
        assert!(told.contains(why), "{told}: {why}");
    }
    // Errors of the values name the field's own line.
    for (from, to) in [
        ("\"cps\": 3.0", "\"cps\": 0"),
        ("\"p_machine\": 0.25", "\"p_machine\": 1.25"),
        ("\"n\": 5,", "\"n\": 0,"),
    ] {
        let told = error(from, to);
        assert!(told.contains(&line(from)), "{told}: {}", line(from));
    }
}

#[test]
fn what_is_no_scenario_at_all_is_named_too() {
    for (text, says) in [("", "line 1"), ("{", "line 1"), ("[1]", "line 1")] {
        let told = Scenario::parse("bad.json", text).map_err(|e| e.to_string());
        assert!(
            told.as_ref()
                .is_err_and(|e| e.contains("bad.json") && e.contains(says)),
            "{told:?}"
        );
    }
    let more = Scenario::parse("bad.json", &format!("{GOOD}\n{{}}")).map_err(|e| e.to_string());
    assert!(more.is_err_and(|e| e.contains("trailing")));
    let none =
        Scenario::read(std::path::Path::new("/nowhere/none.json")).map_err(|e| e.to_string());
    assert!(none.is_err_and(|e| e.starts_with("/nowhere/none.json")));
}
