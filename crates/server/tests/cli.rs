//! The commands as a user calls them: exit status, words, files.
#![expect(clippy::expect_used, reason = "a test: it fails loudly")]

#[path = "beside/run.rs"]
mod run;

use run::{done, marcador, told};
use std::path::Path;

const FILE: &str = "Id deudor;Crédito;Nombre;País;Saldo;Vencimiento;Celular\n\
    1;A1;Ana Ruiz;MX;1.234,50;2026-10-23;5500000001\n\
    2;A2;Luis Peña;MX;10,00;2026-10-23;1.5E+11\n\
    3;A3;=Eva;MX;nada;2026-10-23;5500000003\n";

#[test]
fn a_portfolio_is_imported_and_refused_rows_are_reported() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    std::fs::write(dir.join("p.csv"), FILE).expect("written");
    let args = |more: &[&'static str]| {
        [
            &[
                "import",
                "p.csv",
                "--client",
                "Acme",
                "--portfolio",
                "Consumo",
            ][..],
            more,
        ]
        .concat()
    };
    let dry = done(dir, &args(&["--dry-run"]), 0);
    assert!(
        dry.contains("nothing kept") && dry.contains("2 refused"),
        "{dry}"
    );
    let out = done(dir, &args(&["--report", "faults.csv"]), 0);
    assert!(
        out.contains("1 debtors new") && out.contains("2 refused"),
        "{out}"
    );
    let report = std::fs::read_to_string(dir.join("faults.csv")).expect("report");
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 3, "{report}");
    assert_eq!(lines[0], "row,column,value,reason");
    assert!(
        lines[1].starts_with("3,Celular,1.5E+11,") && lines[2].starts_with("4,Nombre,'=Eva,"),
        "{report}"
    );
    std::fs::write(
        dir.join("p.csv"),
        FILE.lines().take(2).collect::<Vec<_>>().join("\n"),
    )
    .expect("written");
    let again = done(dir, &args(&[]), 0);
    assert!(
        again.contains("0 debtors new") && again.contains("1 rows as before"),
        "{again}"
    );
}

#[test]
fn consents_are_taken_beside_the_debtors_who_are_there() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    std::fs::write(dir.join("p.csv"), FILE).expect("written");
    let text = "Clave deudor;Canal;Estado;Fecha;Prueba\n1;sms;otorgado;2026-10-01;Contrato 1\n\
        1;correo;otorgado;2026-10-01;\n9;sms;otorgado;2026-10-01;Contrato 9\n";
    std::fs::write(dir.join("c.csv"), text).expect("written");
    let of = ["--client", "Acme", "--portfolio", "Consumo"];
    let consents = [&["import", "c.csv", "--kind", "consents"][..], &of].concat();
    let none = done(dir, &consents, 2);
    assert!(none.contains("no such client or portfolio"), "{none}");
    done(dir, &[&["import", "p.csv"][..], &of].concat(), 0);
    let recalls = [&consents[..], &["--gone", "recall"]].concat();
    assert!(done(dir, &recalls, 2).contains("recalls nothing"));
    let report = [&consents[..], &["--report", "faults.csv"]].concat();
    let out = done(dir, &report, 0);
    assert!(
        out.contains("consents granted: 1; revoked: 0") && out.contains("2 refused"),
        "{out}"
    );
    let faults = std::fs::read_to_string(dir.join("faults.csv")).expect("report");
    assert!(
        faults.contains("3,Prueba,") && faults.contains("4,Clave deudor,9,"),
        "{faults}"
    );
    let again = done(dir, &consents, 0);
    assert!(again.contains("1 rows as before"), "{again}");
}

#[test]
fn an_import_says_what_its_columns_leave_out() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let args = [
        "import",
        "p.csv",
        "--client",
        "Acme",
        "--portfolio",
        "Consumo",
    ];
    let rows = FILE.lines().take(2).collect::<Vec<_>>();
    std::fs::write(
        dir.join("p.csv"),
        format!("{};comentarios\n{};a@b.example\n", rows[0], rows[1]),
    )
    .expect("written");
    let out = done(dir, &args, 0);
    assert!(
        out.contains("columns not used: comentarios")
            && out.contains("no column 'phone_given_by_debtor'")
            && out.contains("no column 'phone_authorised'"),
        "{out}"
    );
    std::fs::write(
        dir.join("p.csv"),
        format!(
            "{};phone_given_by_debtor;autorizado\n{};sí;sí\n",
            rows[0], rows[1]
        ),
    )
    .expect("written");
    let out = done(dir, &args, 0);
    assert!(
        !out.contains("no column") && !out.contains("not used"),
        "{out}"
    );
    let help = done(dir, &["import", "--help"], 0);
    assert!(help.contains("phone_given_by_debtor"), "{help}");
}

#[test]
fn a_file_of_which_no_row_is_taken_makes_no_client() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let head = FILE.lines().next().expect("header");
    let bad = "1;A1;Ana Ruiz;MX;10,00;2026-10-23;5500000001";
    std::fs::write(dir.join("p.csv"), format!("{head};moneda\n{bad};ZZZ\n")).expect("written");
    let args = [
        "import",
        "p.csv",
        "--client",
        "Tpyo",
        "--portfolio",
        "Consumo",
    ];
    let out = done(dir, &args, 1);
    assert!(
        out.contains("1 refused") && out.contains("ISO 4217") && !out.contains("new client"),
        "{out}"
    );
    std::fs::write(dir.join("p.csv"), format!("{head};moneda\n{bad};MXN\n")).expect("written");
    let out = done(dir, &args, 0);
    assert!(out.contains("new client 'Tpyo'"), "{out}");
    let out = done(dir, &args, 0);
    assert!(!out.contains("new client"), "{out}");
}

#[test]
fn files_and_maps_that_cannot_be_read_are_wrong_usage() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    std::fs::write(dir.join("p.csv"), "nombre;saldo\nAna;1\n").expect("written");
    std::fs::write(dir.join("map.json"), r#"{"nombre":"nom"}"#).expect("written");
    for (args, part) in [
        (&["p.csv"][..], "no column for external_ref"),
        (&["absent.csv"], "absent.csv"),
        (
            &["p.csv", "--map", "map.json"],
            "expected one of external_ref",
        ),
        (&["p.csv", "--zone", "Nowhere"], "time zone"),
    ] {
        let all = [
            &["import", "--client", "Acme", "--portfolio", "Consumo"][..],
            args,
        ]
        .concat();
        let out = done(dir, &all, 2);
        assert!(out.contains(part), "{args:?}: {out}");
    }
}

#[test]
fn logins_are_added_once_and_passwords_are_told_once() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let out = done(dir, &["user", "add", "Ana", "--role", "agent"], 0);
    assert!(
        out.contains("login 'ana' (agent), password '") && out.contains("SIP user 'ana'"),
        "{out}"
    );
    assert!(done(dir, &["user", "add", "ana", "--role", "agent"], 2).contains("already"));
    assert!(done(dir, &["user", "add", "eva", "--role", "boss"], 2).contains("supervisor"));
    assert!(done(dir, &["user", "add", "eva", "--role", "client"], 2).contains("--client"));
    assert!(done(dir, &["user", "password", "ana"], 0).contains("new password '"));
    assert!(done(dir, &["user", "password", "nobody"], 2).contains("no login"));
}

#[test]
fn packs_are_checked_by_name_of_the_fault() {
    let dir = tempfile::tempdir().expect("folder");
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/rulepacks");
    let good = packs.join("co.json").display().to_string();
    let out = done(dir.path(), &["law", "check", &good], 0);
    assert!(out.contains("is whole"), "{out}");
    let text = std::fs::read_to_string(packs.join("co.json")).expect("pack");
    std::fs::write(
        dir.path().join("odd.json"),
        text.replacen("\"windows\"", "\"windoes\"", 1),
    )
    .expect("written");
    let out = done(dir.path(), &["law", "check", &good, "odd.json"], 1);
    assert!(out.contains("odd.json") && out.contains("windoes"), "{out}");
    let out = done(dir.path(), &["law", "check", "mx-condusef", "co"], 0);
    assert!(out.matches("is whole").count() == 2, "{out}");
    let out = done(dir.path(), &["law", "check", "us-federal", "us-ma"], 0);
    assert!(
        out.contains("  records.retention changes nothing: attempts,"),
        "{out}"
    );
    let (_, after) = out.split_once("us-ma").expect("both are told");
    assert!(!after.contains("changes nothing"), "{out}");
    let out = done(dir.path(), &["law", "check", "mx"], 2);
    assert!(
        out.contains("no file and no pack 'mx'") && out.contains("mx-condusef"),
        "{out}"
    );
}

#[test]
fn the_audit_is_verified_against_what_was_noted_elsewhere() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let out = done(dir, &["verify", "audit"], 0);
    assert!(out.contains("0 rows in 0 chains"), "{out}");
    let out = done(dir, &["verify", "audit", "--anchor", "heads.jsonl"], 0);
    assert!(out.contains("heads.jsonl"), "{out}");
    let gone = r#"{"at":"2026-11-26T00:00:00.000Z","tenant":"","seq":3,"hash":"00"}"#;
    std::fs::write(dir.join("heads.jsonl"), gone).expect("written");
    let out = done(dir, &["verify", "audit", "--anchor", "heads.jsonl"], 1);
    assert!(out.contains("the installation is gone"), "{out}");
    std::fs::write(dir.join("heads.jsonl"), "no note").expect("written");
    let out = done(dir, &["verify", "audit", "--anchor", "heads.jsonl"], 2);
    assert!(out.contains("heads.jsonl line 1"), "{out}");
}

#[test]
fn empty_exports_have_their_columns() {
    let dir = tempfile::tempdir().expect("folder");
    let out = done(dir.path(), &["export", "attempts"], 0);
    assert_eq!(
        out.trim_end(),
        "attempt_id,client,campaign,debtor_id,debt_id,point,trunk,caller_id,node,opened_at,invite_at,ringing_at,answered_at,popped_at,bridged_at,ended_at,result,sip_code,q850,disposition,agent,recording_id,verdict_id,pack,pack_version"
    );
    assert_eq!(
        done(dir.path(), &["export", "events", "--format", "jsonl"], 0),
        ""
    );
    assert!(done(dir.path(), &["export", "suppressions"], 0).starts_with("id,created_at"));
    assert!(done(dir.path(), &["export", "audit"], 0).starts_with("cursor,id,at,kind"));
    assert!(
        done(
            dir.path(),
            &["export", "attempts", "--since", "yesterday"],
            2
        )
        .contains("--since")
    );
    let clean = done(dir.path(), &["verify", "recordings"], 0);
    assert!(clean.contains("0 faults"), "{clean}");
}

#[test]
fn configuration_is_checked_and_shown_without_secrets() {
    let dir = tempfile::tempdir().expect("folder");
    std::fs::write(
        dir.path().join("c.toml"),
        "[[trunks]]\nname = \"a\"\nuri = \"sip:h\"\npassword = \"hush\"\n",
    )
    .expect("written");
    assert!(done(dir.path(), &["config", "check", "--config", "c.toml"], 0).contains("1 trunk"));
    let dump = done(dir.path(), &["config", "dump", "--config", "c.toml"], 0);
    assert!(
        dump.contains("name = \"a\"") && !dump.contains("hush"),
        "{dump}"
    );
    assert!(
        done(dir.path(), &["config", "check", "--config", "none.toml"], 2).contains("none.toml")
    );
    std::fs::write(dir.path().join("zz.toml"), "[law]\ndefault = \"zz\"\n").expect("written");
    let out = done(dir.path(), &["config", "check", "--config", "zz.toml"], 2);
    assert!(out.contains("[law] default") && out.contains("mx"), "{out}");
    assert!(done(dir.path(), &["migrate"], 0).contains("shape"));
}

#[test]
fn a_taken_port_is_told_before_anything_else_happens() {
    let dir = tempfile::tempdir().expect("folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let out = done(dir.path(), &["demo", "--http", &address, "--data", "d"], 1);
    assert!(out.contains("in use"), "{out}");
    assert!(!dir.path().join("d/marcador.db").exists());
}

#[test]
fn a_draft_changes_nothing_until_it_is_taken() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    std::fs::write(dir.join("p.csv"), FILE).expect("written");
    let draft = [
        "import",
        "p.csv",
        "--client",
        "Acme",
        "--portfolio",
        "Consumo",
        "--draft",
    ];
    let id_of = |out: &str| {
        let line = out.lines().find_map(|l| l.strip_prefix("draft "));
        let id = line.and_then(|l| l.split(':').next());
        id.expect("its id").to_owned()
    };
    let out = done(dir, &draft, 0);
    assert!(
        out.contains("difference: ") && out.contains("1 debts new"),
        "{out}"
    );
    let first = id_of(&out);
    let out = done(dir, &draft, 0);
    assert!(
        out.contains("1 debts new"),
        "the first changed nothing: {out}"
    );
    let second = id_of(&out);
    let out = done(dir, &["import", "--accept", &first], 0);
    assert!(out.contains("1 debts new"), "{out}");
    let out = done(dir, &["import", "--accept", &first], 2);
    assert!(out.contains("accepted"), "{out}");
    done(dir, &["import", "--discard", &second], 0);
    let out = done(dir, &draft, 0);
    assert!(out.contains("0 debts new"), "{out}");
    let out = done(dir, &["import", "--undo", &first], 0);
    assert!(out.contains("taken back"), "{out}");
    let out = done(dir, &draft, 0);
    assert!(out.contains("1 debts new"), "as before: {out}");
    done(dir, &["import", "--accept", "x"], 2);
    done(dir, &["import", "--client", "Acme"], 2);
}

#[test]
fn a_demos_scenario_says_where_it_is_and_what_next() {
    let dir = tempfile::tempdir().expect("folder");
    let asked = [
        "demo",
        "--scenario",
        "s.json",
        "--agents",
        "3",
        "--seconds",
        "600",
    ];
    let text = done(dir.path(), &asked, 0);
    for word in [
        "s.json",
        "marcador simulate s.json",
        "--agents 3 --seconds 600",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let file = std::fs::read_to_string(dir.path().join("s.json")).expect("it is written");
    assert!(file.starts_with('{'));
    let asked = ["demo", "--scenario", "no/such/folder/s.json"];
    let output = marcador(dir.path(), &asked);
    assert!(!output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("no/such/folder/s.json cannot be written"));
}
