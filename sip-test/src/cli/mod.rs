//! Commands, their arguments and what they print.

mod accounts;
mod commands;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sip_test::SipTestError;

/// A telephone world for dialers: a carrier that answers by real SIP and RTP, phones that register,
/// agents that work through the HTTP and websocket of a Marcador server.
///
/// Everything is decided by a seed: the same seed, number and count of calls give the same fate.
/// Every command ends at Ctrl-C or SIGTERM and then prints its figures as one line of JSON.
#[derive(Debug, Parser)]
#[command(name = "sip-test", version)]
pub(crate) struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer calls as the people of a profile do, and keep a log with one line per INVITE.
    Carrier(CarrierArgs),
    /// Register one phone, answer the server's calls and speak in them.
    Phone(PhoneArgs),
    /// Sign agents in, with their phones, and let them work.
    Agents(AgentsArgs),
    /// Print the built-in profile of a carrier's people as JSON, to be changed and given back.
    Profile,
    /// Print the built-in behaviour of agents as JSON, to be changed and given back.
    Behaviour,
}

/// `sip-test carrier`.
#[derive(Debug, Args)]
pub(crate) struct CarrierArgs {
    /// SIP address, UDP and TCP; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:5070", value_name = "ADDR")]
    pub(crate) bind: SocketAddr,
    /// Seed of every fate.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Profile (JSON) instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Recorded calls (`labels.tsv` and WAVs of 8 kHz, 16 bit, one channel, as `cargo run -p media --example cpa --
    /// calls` makes them) that are heard from those who answer; the log names file and class.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) calls: Option<PathBuf>,
    /// Factor on talk and patience instead of the profile's; the built-in profile runs at 0.08,
    /// where minutes become seconds, and at 1 as in life.
    #[arg(long, value_name = "FACTOR")]
    pub(crate) time_scale: Option<f64>,
    /// Log to append to: JSON, one line per INVITE, with whole numbers.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Folder for what each debtor heard: a WAV an answered call, named by attempt or Call-ID.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) heard: Option<PathBuf>,
    /// End after so many seconds.
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// First and last RTP port; the system chooses without it.
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    pub(crate) rtp_ports: Option<(u16, u16)>,
    /// Calls at once; further ones get 503.
    #[arg(long, default_value_t = sip_test::carrier::MAX_CALLS, value_name = "N")]
    pub(crate) channels: usize,
    /// Ask callers for a digest of this user.
    #[arg(long, requires = "password", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Password of that user.
    #[arg(
        long,
        env = "SIP_TEST_PASSWORD",
        hide_env_values = true,
        value_name = "TEXT"
    )]
    pub(crate) password: Option<String>,
    /// Listen for TLS there too; calls that come by it have SRTP (SDES) or are refused.
    #[arg(long, requires_all = ["tls_cert", "tls_key"], value_name = "ADDR")]
    pub(crate) tls: Option<SocketAddr>,
    /// Certificate chain for TLS, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Who signs the certificates that callers by TLS must show, PEM.
    #[arg(long, requires = "tls", value_name = "FILE")]
    pub(crate) tls_callers: Option<PathBuf>,
    /// End when standard input closes: for a carrier that another program starts.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
    /// End when the parent process is gone.
    #[arg(long)]
    pub(crate) until_parent_ends: bool,
}

/// When the phone speaks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Speak {
    /// While somebody speaks to it.
    Answering,
    /// As long as a call is up.
    Always,
    /// Never: it sends silence.
    Never,
}

/// `sip-test phone`.
#[derive(Debug, Args)]
pub(crate) struct PhoneArgs {
    /// Registrar, over UDP.
    #[arg(long, value_name = "ADDR")]
    pub(crate) server: SocketAddr,
    /// Account.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,
    /// Password of the account.
    #[arg(
        long,
        env = "SIP_TEST_PASSWORD",
        hide_env_values = true,
        value_name = "TEXT"
    )]
    pub(crate) password: String,
    /// Domain of the account; the server's address without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    /// Our address; a free port on the way to the server without it.
    #[arg(long, value_name = "ADDR")]
    pub(crate) bind: Option<SocketAddr>,
    /// First and last RTP port; the system chooses without it.
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    pub(crate) rtp_ports: Option<(u16, u16)>,
    /// Life of the registration to ask for, seconds.
    #[arg(long, default_value_t = sip_test::phone::EXPIRES_S, value_name = "N")]
    pub(crate) expires: u32,
    /// When it speaks.
    #[arg(long, value_enum, default_value_t = Speak::Answering)]
    pub(crate) speak: Speak,
    /// End after so many seconds.
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
}

/// `sip-test agents`.
#[derive(Debug, Args)]
pub(crate) struct AgentsArgs {
    /// Server, `http://host:port` (no TLS).
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// SIP address of the server, over UDP.
    #[arg(long, value_name = "ADDR")]
    pub(crate) sip: SocketAddr,
    /// Agents, one a line: `user password [sip-user sip-password]`; `-` reads standard input.
    /// Without the last two the phone has the same account.
    #[arg(long, value_name = "FILE")]
    pub(crate) accounts: PathBuf,
    /// Domain of the phones' accounts; the server's address without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    /// Behaviour (JSON) instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(crate) behaviour: Option<PathBuf>,
    /// Seed of all they decide.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// End after so many seconds.
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("'{text}' is no range of ports: 20000-29999 would be one");
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let port = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong());
    let (first, last) = (port(first)?, port(last)?);
    if first == 0 || first > last {
        Err(wrong())
    } else {
        Ok((first, last))
    }
}

/// Runs a command to its end.
pub(crate) fn start(cli: Cli) -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIP_TEST_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(|source| SipTestError::File {
            path: "the run time".into(),
            source,
        })
        .and_then(|runtime| runtime.block_on(commands::run(cli.command)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be reading it.
            let _ = writeln!(std::io::stderr(), "sip-test: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_argument_has_its_help() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}", argument.get_id());
            }
        }
    }

    #[test]
    fn a_range_of_ports_rises() {
        assert_eq!(ports("20000-20999"), Ok((20_000, 20_999)));
        for wrong in ["20000", "9-5", "a-b", "0-10", "1-70000"] {
            assert!(ports(wrong).is_err_and(|e| e.contains(wrong)), "{wrong}");
        }
    }
}
