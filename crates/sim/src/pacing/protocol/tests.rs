//! Every line is answered; every bad one is named.

use super::*;

const HELLO: &str = r#"{"type":"hello","proto":1,"epoch_s":0.5,"deadline_s":2.0,"no_answer_timeout_s":25.0,"trunks":100,"cps":8.0,"agents_max":20,"duration_s":37800.0,"target_abandon":0.03,"detail":"events"}"#;
const OBS: &str = r#"{"type":"obs","t":0.0,"idle":3,"free_trunks":76,"cps_tokens":8,"ev":[]}"#;
const END: &str = r#"{"type":"end","metrics":{}}"#;

fn talk(lines: &[&str]) -> Result<String, PaceError> {
    let mut out = Vec::new();
    serve(lines.join("\n").as_bytes(), &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn each_line_is_answered_except_the_last() {
    let out = talk(&[HELLO, OBS, OBS, END]).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].contains("\"ready\""));
    assert!(lines[1].starts_with("{\"launch\":"));
}

/// One word of the good line replaced, and what the error must say.
fn refused(first: &[&str], line: &str, from: &str, to: &str, says: &[&str]) {
    assert!(line.contains(from), "{from}");
    let bad = line.replacen(from, to, 1);
    let mut lines = first.to_vec();
    lines.push(&bad);
    let error = talk(&lines).unwrap_err().to_string();
    let place = format!("line {}, field", lines.len());
    assert!(error.contains(&place), "{error}");
    for word in says {
        assert!(error.contains(word), "{error}: {word}");
    }
}

#[test]
fn a_hello_that_cannot_be_dialed_is_refused_with_its_field() {
    for (from, to, says) in [
        ("\"proto\":1", "\"proto\":2", ["field proto", "must be 1"]),
        (
            "\"trunks\":100",
            "\"trunks\":0",
            ["field trunks", "without a line"],
        ),
        (
            "\"trunks\":100",
            "\"trunks\":-1",
            ["field trunks", "a whole number"],
        ),
        (
            "\"trunks\":100",
            "\"trunks\":2.5",
            ["field trunks", "a whole number"],
        ),
        ("\"cps\":8.0", "\"cps\":0", ["field cps", "above 0"]),
        (
            "\"epoch_s\":0.5",
            "\"epoch_s\":0",
            ["field epoch_s", "above 0"],
        ),
        ("0.03", "0.0", ["field target_abandon", "progressive"]),
        ("0.03", "\"low\"", ["field target_abandon", "f64"]),
        ("\"deadline_s\":2.0,", "", ["field .", "deadline_s"]),
        (
            "\"deadline_s\":2.0",
            "\"deadline_s\":0",
            ["field deadline_s", "above 0"],
        ),
        (
            "\"no_answer_timeout_s\":25.0",
            "\"no_answer_timeout_s\":1",
            ["field no_answer_timeout_s", "from 5"],
        ),
        ("\"events\"", "\"some\"", ["field detail", "full or events"]),
        (
            "\"hello\"",
            "\"hullo\"",
            ["field type", "hello, obs or end"],
        ),
    ] {
        refused(&[], HELLO, from, to, &says);
    }
}

#[test]
fn an_observation_that_cannot_be_read_is_refused_with_its_field() {
    let with = |ev: &str| OBS.replace("\"ev\":[]", ev);
    for (from, to, says) in [
        ("\"t\":0.0", "\"t\":\"soon\"", ["field t:", "f64"]),
        ("\"idle\":3,", "", ["field .", "idle"]),
        (
            "\"idle\":3",
            "\"idle\":-3",
            ["field idle", "a whole number"],
        ),
        (
            "\"ev\":[]",
            "\"calls\":[[1,\"ring\",3.0,0.5,1.5]]",
            ["field calls[0][4]", "from 0 to 1"],
        ),
        ("[]}", "[]", ["field", "EOF"]),
        (
            "\"ev\":[]",
            "\"ev\":[],\"next\":[0.2,1.5]",
            ["field next[1]", "from 0 to 1"],
        ),
        (
            "\"ev\":[]",
            "\"next\":[0.2],\"due\":2",
            ["field due", "at most the 1"],
        ),
        (
            "\"ev\":[]",
            "\"calls\":[[1,\"flying\",0.5,null]]",
            ["field calls[0]", "setup"],
        ),
        (
            "\"ev\":[]",
            "\"agents\":[[1,\"idle\",0.5]]",
            ["field agents[0]", "4"],
        ),
    ] {
        refused(&[HELLO], OBS, from, to, &says);
    }
    for (ev, says) in [
        (
            r#"{"e":"dialed","t":0.0,"id":1}"#,
            ["field ev[0].e", "must be launched"],
        ),
        (r#"{"e":"launched","t":0.0}"#, ["field ev[0].id", "missing"]),
        (
            r#"{"e":"launched","t":0.0,"id":1,"est":-0.1}"#,
            ["field ev[0].est", "from 0 to 1"],
        ),
        (
            r#"{"e":"agent","t":0.0,"agent":1}"#,
            ["field ev[0].new", "missing"],
        ),
        (
            r#"{"e":"agent","t":0.0,"agent":1,"old":"off","new":"asleep"}"#,
            ["field ev[0].new", "idle"],
        ),
    ] {
        let line = with(&format!("\"ev\":[{ev}]"));
        let error = talk(&[HELLO, &line]).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        for word in says {
            assert!(error.contains(word), "{error}: {word}");
        }
    }
    let early = talk(&[OBS]).unwrap_err().to_string();
    assert!(early.contains("line 1") && early.contains("before hello"));
}

/// A host with estimates: numbers of 0.6 answer as often, those of 0.05, too; what is picked.
#[test]
fn numbers_are_picked_by_their_estimates_and_the_due_ones_first() {
    let hello = HELLO.replace("\"detail\"", "\"per_number\":true,\"detail\"");
    let mut lines = vec![hello];
    // 300 calls of the past, so that the estimates are known to tell.
    let mut ev = Vec::new();
    for id in 0..300_u32 {
        let (est, live) = if id % 3 == 0 {
            (0.6, id % 5 < 3)
        } else {
            (0.05, id % 20 == 0)
        };
        ev.push(format!(
            r#"{{"e":"launched","t":0.1,"id":{id},"est":{est}}}"#
        ));
        ev.push(format!(r#"{{"e":"ringing","t":0.2,"id":{id}}}"#));
        let end = if live {
            format!(r#"{{"e":"connected","t":0.3,"id":{id},"agent":1,"wait":0.0}}"#)
        } else {
            format!(r#"{{"e":"ended","t":0.3,"id":{id},"outcome":"no_answer"}}"#)
        };
        ev.push(end);
    }
    for agent in 0..3 {
        ev.push(format!(
            r#"{{"e":"agent","t":0.4,"agent":{agent},"old":"off","new":"idle"}}"#
        ));
    }
    let next = "0.05,0.05,0.6,0.05,0.6,0.05,0.05,0.6";
    lines.push(format!(
        r#"{{"type":"obs","t":60.0,"idle":3,"free_trunks":76,"cps_tokens":2,"ev":[{}],"next":[{next}],"due":1}}"#,
        ev.join(",")
    ));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let out = talk(&lines).unwrap();
    // The first is due, so one pick: the surest nearest the front.
    assert_eq!(out.lines().nth(1), Some(r#"{"launch":2,"pick":[2]}"#));
}

/// The lines of the document, letter by letter, with rows and events of each kind.
#[test]
fn every_form_of_the_document_is_read() {
    let hello = HELLO.replace("\"events\"", "\"full\"");
    let counts = r#""t":12.5,"idle":3,"talk":15,"wrap":2,"break":0,"pending":9,"waiting":0,"free_trunks":76,"cps_tokens":8,"dials":210,"live":41,"connected":40,"abandoned":1"#;
    let ev = [
        r#"{"e":"launched","t":1.0,"id":1}"#,
        r#"{"e":"launched","t":1.0,"id":2,"est":0.25}"#,
        r#"{"e":"launched","t":1.0,"id":"otra"}"#,
        r#"{"e":"ringing","t":3.0,"id":1}"#,
        r#"{"e":"ringing","t":3.5,"id":2}"#,
        r#"{"e":"answered","t":8.0,"id":1}"#,
        r#"{"e":"live","t":8.5,"id":1}"#,
        r#"{"e":"connected","t":8.5,"id":1,"agent":7,"wait":0.0}"#,
        r#"{"e":"agent","t":8.5,"agent":7,"old":"idle","new":"talk"}"#,
        r#"{"e":"ended","t":9.0,"id":"otra","outcome":"busy"}"#,
        r#"{"e":"ended","t":9.0,"id":9,"outcome":"sit"}"#,
        r#"{"e":"ended","t":9.0,"id":10,"outcome":"no_answer"}"#,
        r#"{"e":"ended","t":9.0,"id":11,"outcome":"machine"}"#,
        r#"{"e":"ended","t":9.0,"id":12,"outcome":"congestion"}"#,
        r#"{"e":"ended","t":9.0,"id":13,"outcome":"hung_up"}"#,
        r#"{"e":"abandoned","t":9.0,"id":14}"#,
        r#"{"e":"agent","t":9.5,"agent":8,"old":"off","new":"break"}"#,
        r#"{"e":"agent","t":9.5,"agent":9,"old":"talk","new":"wrap"}"#,
        r#"{"e":"agent","t":9.5,"agent":10,"old":"idle","new":"off"}"#,
    ];
    let agents =
        r#"[[7,"talk",4.0,0.0],[8,"break",3.0,null],[9,"wrap",3.0,80.5],[11,"idle",12.5,0.0]]"#;
    let calls = r#"[[2,"ring",11.5,9.0],[3,"setup",1.0,null],[4,"detect",12.0,6.0,0.2],[5,"wait",12.0,6.0,null]]"#;
    let full = format!(
        r#"{{"type":"obs",{counts},"ev":[{}],"agents":{agents},"calls":{calls}}}"#,
        ev.join(",")
    );
    let events = format!(r#"{{"type":"obs",{counts},"ev":[{}]}}"#, ev.join(","));
    for line in [&full, &events] {
        let out = talk(&[&hello, line, END]).unwrap();
        assert_eq!(out.lines().count(), 2, "{out}");
        assert!(
            out.lines()
                .nth(1)
                .is_some_and(|l| l.starts_with("{\"launch\":"))
        );
    }
}

/// What one observation after the hello is answered with.
fn answer(line: &str) -> String {
    talk(&[HELLO, line, END]).unwrap()
}

#[test]
fn counts_may_be_written_with_a_point() {
    let floats = OBS
        .replace("\"idle\":3", "\"idle\":3.0")
        .replace(":76", ":76.0")
        .replace(":8,", ":8.0,");
    assert_ne!(floats, OBS);
    assert_eq!(answer(&floats), answer(OBS));
}

#[test]
fn no_more_is_launched_than_lines_and_rate_allow() {
    for (from, to, most) in [
        ("\"free_trunks\":76", "\"free_trunks\":2", 2),
        ("\"cps_tokens\":8", "\"cps_tokens\":1.9", 1),
        ("\"cps_tokens\":8", "\"cps_tokens\":0.5", 0),
        ("\"free_trunks\":76", "\"free_trunks\":0", 0),
    ] {
        let line = OBS.replace("\"idle\":3", "\"idle\":30").replace(from, to);
        let out = answer(&line);
        let said: Option<&str> = out.lines().nth(1);
        assert_eq!(
            said,
            Some(format!("{{\"launch\":{most}}}").as_str()),
            "{to}"
        );
    }
}

#[test]
fn who_is_joined_talks_told_or_not() {
    // Four agents, one call joined; then time for the policy to count on the talk to end.
    let first = |told: &str| {
        let on: Vec<String> = (0..4)
            .map(|n| format!(r#"{{"e":"agent","t":0.0,"agent":{n},"old":"off","new":"idle"}}"#))
            .collect();
        let call = r#"{"e":"launched","t":0.0,"id":1},{"e":"ringing","t":1.0,"id":1},{"e":"live","t":5.0,"id":1},{"e":"connected","t":5.0,"id":1,"agent":2,"wait":0.0}"#;
        OBS.replace("\"t\":0.0", "\"t\":5.0").replace(
            "\"ev\":[]",
            &format!("\"ev\":[{},{call}{told}]", on.join(",")),
        )
    };
    let later = OBS
        .replace("\"t\":0.0", "\"t\":90.0")
        .replace("\"idle\":3", "\"idle\":1");
    let mut said = Vec::new();
    for told in [
        "",
        r#",{"e":"agent","t":5.0,"agent":2,"old":"idle","new":"talk"}"#,
    ] {
        said.push(talk(&[HELLO, &first(told), &later, END]).unwrap());
    }
    assert_eq!(said[0], said[1]);
}
