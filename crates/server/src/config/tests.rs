use super::*;

fn with(text: &str) -> anyhow::Result<Config> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), text)?;
    load(&[file.path().to_path_buf()])
}

#[test]
fn the_default_file_is_complete_and_valid() {
    let config = default_config().expect("default file");
    config.check().expect("default values");
    assert_eq!(config.media_ports().expect("ports"), 20_000..=29_999);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let error = with("[http]\nbnid = \"127.0.0.1:1\"\n")
        .expect_err("typo")
        .to_string();
    assert!(
        error.contains("unknown key 'bnid'") && error.contains("did you mean 'bind'"),
        "{error}"
    );
}

#[test]
fn a_wrong_type_names_the_key() {
    let error = with("[limits]\ncalls = \"many\"\n")
        .expect_err("type")
        .to_string();
    assert!(error.contains("limits.calls"), "{error}");
    let error = with("[database]\nsync = \"fast\"\n")
        .expect_err("no such word")
        .to_string();
    for part in ["database.sync", "fast", "normal", "full"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn commits_of_sqlite_wait_for_the_disk_where_that_is_asked() {
    let of = |text: &str| with(text).expect(text).database.sync;
    assert_eq!(of(""), LiteSync::Normal);
    assert_eq!(of("[database]\nsync = \"full\"\n"), LiteSync::Full);
}

#[test]
fn bad_values_are_refused_with_what_would_be_right() {
    for (text, hint) in [
        ("[database]\nurl = \"mysql://x\"\n", "postgres://"),
        ("[bus]\nurl = \"amqp://x\"\n", "redis://"),
        ("[media]\nports = \"30000-20000\"\n", "at least ten ports"),
        ("[node]\nroles = [\"cook\"]\n", "expected dial or web"),
        ("[http]\ntls = \"yes\"\n", "self-signed"),
        ("[http]\ntls = { cert = \"a.pem\", key = \"\" }\n", "both"),
        ("[media]\nwebrtc = \"here\"\n", "ADDRESS:PORT"),
        ("[sip]\nallow = [\"trunk\"]\n", "or \"trunks\""),
        (
            "[[trunks]]\nname = \"a\"\nuri = \"http://x\"\n",
            "sip:host:port",
        ),
        (
            "[[trunks]]\nname = \"a\"\nuri = \"sip:x\"\ncodecs = [\"opus\"]\n",
            "pcma or pcmu",
        ),
        (
            "[[trunks]]\nname = \"a\"\nuri = \"sip:x\"\nheaders = { \"X-A\" = \"b\\r\\nEvil: 1\" }\n",
            "no SIP header",
        ),
        (
            "[[trunks]]\nname = \"a\"\nuri = \"sip:x\"\nresults = { \"486\" = \"human\" }\n",
            "without answer",
        ),
        (
            "[[trunks]]\nname = \"a\"\nuri = \"sip:x\"\ncountry = \"mx\"\n",
            "trunk 'a': country: expected a country as two capitals",
        ),
        (
            "[[trunks]]\nname = \"a\"\nuri = \"sip:x\"\ntls_cert_file = \"a.pem\"\n",
            "both or neither",
        ),
    ] {
        let error = with(text).expect_err(text).to_string();
        assert!(error.contains(hint), "{text}: {error}");
    }
}

#[test]
fn phones_are_heard_from_anywhere_from_ranges_or_not_at_all() {
    for (text, ranges) in [
        ("", None),
        ("allow = [\"trunks\"]", Some(0)),
        ("allow = [\"10.0.0.0/8\", \"trunks\"]", Some(1)),
    ] {
        let config = with(&format!("[sip]\n{text}\n")).expect(text);
        let heard = config.sip.heard_from().expect(text);
        assert_eq!(heard.map(|ranges| ranges.len()), ranges, "{text}");
    }
}

#[test]
fn two_trunks_at_one_address_may_have_certificates_of_their_own() {
    let trunk = |name: &str| {
        format!(
            "[[trunks]]\nname = \"{name}\"\nuri = \"sip:x\"\ntransport = \"tls\"\n\
             tls_name = \"{name}.example\"\ntls_cert_file = \"{name}.pem\"\ntls_key_file = \"{name}.key\"\n"
        )
    };
    let both = trunk("a") + &trunk("b");
    assert!(with(&both).is_ok(), "each has connections of its own");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let error = with("[database]\nurl = \"x\"\n[bus]\nurl = \"y\"\n[node]\nname = \"\"\n")
        .expect_err("three faults")
        .to_string();
    for part in ["[database] url", "[bus] url", "[node] name"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_fault_without_a_section_is_told_without_one() {
    let error = with("htp = 1\n").expect_err("typo").to_string();
    assert!(
        error.contains("unknown key 'htp' at the top level; did you mean 'http'?"),
        "{error}"
    );
    let error = with("[http\n").expect_err("no TOML").to_string();
    assert!(!error.contains(": : "), "{error}");
}

#[test]
fn a_dump_hides_secrets() {
    let config = with(
        "[database]\nurl = \"postgres://u:secret@h/d\"\n[[trunks]]\nname = \"a\"\nuri = \"sip:x\"\npassword = \"hush\"\n",
    )
    .expect("valid");
    let text = config.redacted().expect("toml");
    assert!(
        !text.contains("secret@") && !text.contains("hush") && text.contains("u:***@h"),
        "{text}"
    );
}
