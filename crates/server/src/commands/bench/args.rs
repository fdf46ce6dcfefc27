//! Flags of `bench`.

use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `bench …`.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Bridged and recorded calls over real RTP, beside a bare forwarder in the same run: CPU and
    /// memory a call, delay, loss.
    Media(MediaArgs),
    /// Calls set up and ended over real SIP, each in the journal first: CPU a call, clean calls a
    /// second, memory a held call.
    Signalling(SignallingArgs),
    /// The database at work on a portfolio of a million: reservations, attempts, segments, why-not, on
    /// SQLite and (where one is named) PostgreSQL.
    Store(StoreArgs),
    /// A portfolio of a million rows through the API: time, memory, and how the API answers meanwhile.
    Import(ImportBenchArgs),
    /// Call-progress analysis of 8 kHz WAV files read as from the answer on, a line of JSON each; or
    /// of sound that comes line by line.
    Cpa(CpaArgs),
    /// Calls that come and go for long, each bridged and recorded: packets lost, delay and memory
    /// from beginning to end.
    Load(LoadArgs),
    /// A shift of the whole product, by default of 280 agents: 200 calls up and recorded, 20 new ones a second.
    Shift(ShiftArgs),
    /// Registrations by the thousand, with right and with wrong passwords: how long honest OPTIONS wait meanwhile.
    Registers(RegistersArgs),
    /// The whole table of voice's goals, figures of others beside it: runs `media`, `signalling`, a demo for its cards
    /// and voice's example `browser_load`, one after the other.
    Goals(GoalsArgs),
    /// Agents vanish while calls ring for them: how long until the carrier has the last CANCEL.
    Surplus(SurplusArgs),
    /// A part of a bench, a process of its own so that its CPU can be told.
    #[command(hide = true, subcommand)]
    Part(Part),
}

/// `bench media`.
#[derive(Debug, Args, Clone)]
pub(crate) struct MediaArgs {
    /// Calls at once.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub calls: u32,
    /// Length of each window that is measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Calls started a second while they are set up.
    #[arg(long, default_value_t = 50)]
    pub rate: u32,
    /// Without the forwarder and without a pause: whether so many calls hold.
    #[arg(long)]
    pub alone: bool,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench signalling`.
#[derive(Debug, Args, Clone)]
pub(crate) struct SignallingArgs {
    /// Calls started a second; again for more steps. Default: 100, 300, 600, 1000 and 1625.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub rate: Vec<u32>,
    /// Length of each step, and of each of its turns.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Turns of each step beside an Asterisk, ours and its one behind the other: the one in the middle counts, for the
    /// speed of a machine changes from one minute to the next. Steps that have no goal have one.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=99))]
    pub turns: u32,
    /// How long a call is held.
    #[arg(long, default_value_t = 1000)]
    pub hold_ms: u64,
    /// Calls of so many milliseconds are ordered together, as a campaign's pacing does (`pacing_tick_ms`); 0: one by
    /// one, evenly.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub tick_ms: u32,
    #[command(flatten)]
    pub asterisk: AsteriskArgs,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A running Asterisk that makes the same calls in turn with us; its cost is the limit then.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct AsteriskArgs {
    /// Its manager interface.
    #[arg(long, value_name = "HOST:PORT", requires = "asterisk_pid")]
    pub ami: Option<SocketAddr>,
    /// Its process.
    #[arg(long, value_name = "PID", requires = "ami")]
    pub asterisk_pid: Option<u32>,
    /// User of the manager interface, who may originate.
    #[arg(long, default_value = "bench", value_name = "USER")]
    pub ami_user: String,
    /// His secret.
    #[arg(
        long,
        env = "MARCADOR_BENCH_AMI_SECRET",
        hide_env_values = true,
        default_value = "bench",
        value_name = "SECRET"
    )]
    pub ami_secret: String,
    /// Its PJSIP endpoint for calls to anywhere.
    #[arg(long, default_value = "bench", value_name = "NAME")]
    pub asterisk_endpoint: String,
}

/// `bench store`.
#[derive(Debug, Args, Clone)]
pub(crate) struct StoreArgs {
    /// Debtors of the portfolio.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    pub debtors: u64,
    /// Attempts made before, each with its ledger row.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    pub attempts: u64,
    /// Folder of the SQLite file; one that was filled with the same numbers is used again. Default: a
    /// temporary folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// When SQLite brings a commit to the disk: `normal` or `full`, as `[database] sync`.
    #[arg(long, value_name = "WHEN", default_value = "normal")]
    pub sqlite_sync: store::LiteSync,
    /// PostgreSQL database, empty or filled before: `postgres://user@host/name`. Without it, SQLite alone.
    #[arg(long, env = "MARCADOR_BENCH_POSTGRES_URL", value_name = "URL")]
    pub database_url: Option<String>,
    /// PostgreSQL alone.
    #[arg(long)]
    pub no_sqlite: bool,
    /// Fill the databases and end.
    #[arg(long)]
    pub fill_only: bool,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench import`.
#[derive(Debug, Args, Clone)]
pub(crate) struct ImportBenchArgs {
    /// Rows of the file.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    pub rows: u64,
    /// Empty folder of the service's data. Default: a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// An empty PostgreSQL database instead of SQLite: `postgres://user@host/name`.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench cpa`.
#[derive(Debug, Args, Clone)]
pub(crate) struct CpaArgs {
    /// WAV files.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read `{"start":…}`, `{"seq":k,"audio":…}` and `{"end":true}` on standard input, reply to each line.
    #[arg(long, conflicts_with_all = ["files", "labels"])]
    pub stream: bool,
    /// What is true of the calls (`labels.tsv` of media's example `cpa`): print the score instead, of
    /// the files named or of all in its folder.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

/// `bench load`.
#[derive(Debug, Args, Clone)]
pub(crate) struct LoadArgs {
    /// Calls at once.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub calls: u32,
    /// Calls started a second; each is held for calls/rate seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub rate: u32,
    /// Length of the run once all calls are up.
    #[arg(long, default_value_t = 1800, value_parser = clap::value_parser!(u64).range(2..=86_400))]
    pub seconds: u64,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench shift`.
#[derive(Debug, Args, Clone)]
pub(crate) struct ShiftArgs {
    /// Agents, each with his socket and his phone. Ten of fourteen talk at any moment.
    #[arg(long, default_value_t = super::shift::AGENTS, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub agents: u32,
    /// Length of the shift.
    #[arg(long, default_value_t = 1800, value_parser = clap::value_parser!(u64).range(2..=86_400))]
    pub seconds: u64,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench registers`.
#[derive(Debug, Args, Clone)]
pub(crate) struct RegistersArgs {
    /// REGISTERs a second; each registration takes two.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    pub rate: u32,
    /// How long.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Accounts that register with their password; as many others are guessed at.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub accounts: u32,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench goals`.
#[derive(Debug, Args, Clone)]
pub(crate) struct GoalsArgs {
    /// Calls at once for media; again for more steps.
    #[arg(long, value_name = "N", default_values_t = [100, 150], value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub calls: Vec<u32>,
    /// Calls at once that one core is to carry, the fewest first; again for more steps.
    #[arg(long, value_name = "N", default_values_t = [640, 800], value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub held: Vec<u32>,
    /// Calls a second that one core is to set up and end, beside the 100 and 300 whose cost has goals; again for more steps.
    #[arg(long, value_name = "N", default_values_t = [975, 1625], value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub rate: Vec<u32>,
    /// Length of each step.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Agents of the demo whose cards are timed: some more than the recorded calls that are to run.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub agents: u32,
    /// How long that demo runs.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(10..=3600))]
    pub demo_seconds: u64,
    /// Agents' legs by browser.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub legs: u32,
    #[command(flatten)]
    pub asterisk: AsteriskArgs,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `bench surplus`.
#[derive(Debug, Args, Clone)]
pub(crate) struct SurplusArgs {
    /// Agents, half of whom vanish; again for more floors. Default: 10, 50 and 200.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=500))]
    pub agents: Vec<u32>,
    /// Calls that ring for each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=4))]
    pub lines: u32,
    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Parts of a bench.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// The product's voice with calls that are bridged and recorded.
    Talk(PartArgs),
    /// The product's voice with calls that come and go.
    Churn(PartArgs),
    /// The product's voice and journal with calls that are set up and ended.
    SetUp(PartArgs),
    /// A bare forwarder with stereo WAV.
    Forward(ForwardArgs),
}

/// A part that runs voice.
#[derive(Debug, Args, Clone)]
pub(crate) struct PartArgs {
    /// The far end.
    #[arg(long)]
    pub trunk: SocketAddr,
    /// Folder of its data.
    #[arg(long)]
    pub dir: PathBuf,
    /// Calls in all turns.
    #[arg(long)]
    pub calls: u32,
    /// Calls started a second.
    #[arg(long)]
    pub rate: u32,
    /// How long a call is held.
    #[arg(long, default_value_t = 0)]
    pub hold_ms: u64,
    /// Calls of so many milliseconds are ordered together; 0: one by one.
    #[arg(long, default_value_t = 0)]
    pub tick_ms: u32,
}

/// The forwarder.
#[derive(Debug, Args, Clone)]
pub(crate) struct ForwardArgs {
    /// Folder of its files.
    #[arg(long)]
    pub dir: PathBuf,
}
