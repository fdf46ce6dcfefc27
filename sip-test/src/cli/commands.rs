//! The commands.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sip_test::agent::{self, AgentConfig, AgentFigures, Behaviour};
use sip_test::carrier::{self, Calls, Profile};
use sip_test::phone::{self, PhoneConfig, Speaking};
use sip_test::secure::Tls;
use sip_test::{SipTestError, carrier::Config};
use tokio::signal::unix::{SignalKind, signal};

use super::{AgentsArgs, CarrierArgs, Command, PhoneArgs, Speak, accounts};

pub(super) async fn run(command: Command) -> Result<(), SipTestError> {
    match command {
        Command::Carrier(args) => carrier(args).await,
        Command::Phone(args) => phone(args).await,
        Command::Agents(args) => agents(args).await,
        Command::Profile => pretty(&Profile::demo()?),
        Command::Behaviour => pretty(&Behaviour::demo()),
    }
}

async fn carrier(args: CarrierArgs) -> Result<(), SipTestError> {
    let mut profile = match &args.profile {
        Some(path) => Profile::load(path)?,
        None => Profile::demo()?,
    };
    if let Some(scale) = args.time_scale {
        profile.time_scale = scale;
        profile.check()?;
    }
    let calls = args.calls.as_deref().map(Calls::load).transpose()?;
    let tls = args.tls.zip(args.tls_cert.zip(args.tls_key));
    let running = carrier::start(Config {
        tls: tls.map(|(bind, (cert, key))| Tls {
            bind,
            cert,
            key,
            callers: args.tls_callers,
        }),
        seed: args.seed,
        profile: Some(profile),
        calls: calls.map(Arc::new),
        log: args.log,
        heard: args.heard,
        life: args.seconds.map(Duration::from_secs),
        until_stdin_closes: args.until_stdin_closes,
        until_parent_ends: args.until_parent_ends,
        until_signal: true,
        rtp_ports: args.rtp_ports,
        login: args.user.zip(args.password),
        channels: args.channels,
        ..Config::new(args.bind)
    })
    .await?;
    let mut listening = json!({ "listening": running.address().to_string() });
    if let Some(tls) = running.tls() {
        listening["tls"] = json!(tls.to_string());
    }
    say(&listening)?;
    let summary = running.ended().await;
    say(&json!({
        "invites": summary.invites,
        "answered": summary.answered,
        "over_limit": summary.over_limit,
        "log_errors": summary.log_errors,
    }))
}

async fn phone(args: PhoneArgs) -> Result<(), SipTestError> {
    let mut config = PhoneConfig::new(args.server, &args.user, &args.password);
    config.domain = args.domain;
    config.bind = args.bind.unwrap_or(config.bind);
    config.rtp_ports = args.rtp_ports;
    config.expires_s = args.expires;
    config.speaking = match args.speak {
        Speak::Answering => Speaking::WhenSpokenTo,
        Speak::Always => Speaking::Always,
        Speak::Never => Speaking::WhenTold,
    };
    let phone = phone::start(config).await?;
    say(&json!({ "listening": phone.address().to_string() }))?;
    told_to_end(args.seconds).await?;
    let heard = phone.hearing().heard();
    let shares = heard.shares();
    let state = phone.stop().await;
    say(&json!({
        "registrations": state.registrations,
        "registration_failures": state.registration_failures,
        "calls": state.calls,
        "refused": state.refused,
        "rtp_in": heard.packets_in,
        "rtp_out": heard.packets_out,
        "debtor_share": shares.debtor,
    }))
}

async fn agents(args: AgentsArgs) -> Result<(), SipTestError> {
    let behaviour = match &args.behaviour {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            let text = read.map_err(|source| SipTestError::File {
                path: path.clone(),
                source,
            })?;
            Behaviour::parse(&text)?
        }
        None => Behaviour::demo(),
    };
    let mut running = Vec::new();
    for account in accounts::read(&args.accounts)? {
        let mut config = AgentConfig::new(&args.url, &account.user, &account.password, args.sip);
        config.sip_user = account.sip_user;
        config.sip_password = account.sip_password;
        config.sip_domain.clone_from(&args.domain);
        config.seed = args.seed;
        config.behaviour = behaviour.clone();
        running.push(agent::spawn(config).await?);
    }
    say(&json!({ "agents": running.len() }))?;
    told_to_end(args.seconds).await?;
    let ends = running.into_iter().map(agent::Running::stop);
    let mut figures = AgentFigures::default();
    for one in futures::future::join_all(ends).await {
        figures.add(&one);
    }
    say(&serde_json::to_value(figures).unwrap_or(Value::Null))
}

/// Waits for Ctrl-C, SIGTERM or the end of the time.
async fn told_to_end(seconds: Option<u64>) -> Result<(), SipTestError> {
    let fail = |source| SipTestError::File {
        path: "a signal handler".into(),
        source,
    };
    let mut term = signal(SignalKind::terminate()).map_err(fail)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fail)?;
    let time = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
        () = time => {}
    }
    Ok(())
}

fn pretty(value: &impl serde::Serialize) -> Result<(), SipTestError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|e| SipTestError::Profile(e.to_string()))?;
    print(&text)
}

fn say(line: &Value) -> Result<(), SipTestError> {
    print(&line.to_string())
}

fn print(text: &str) -> Result<(), SipTestError> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(|source| SipTestError::File {
        path: "standard output".into(),
        source,
    })
}
