//! The command line. Names and flags are a contract with scripts: add freely, rename never.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Marcador: predictive dialer and agent backend for debt collection.
#[derive(Debug, Parser)]
#[command(name = "marcador", version, about, long_about = None, propagate_version = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on embedded defaults with a sample portfolio, a simulated carrier and agents.
    Demo(DemoArgs),
    /// Run the product.
    Serve(ConfigArgs),
    /// Bring the database to this version's shape.
    Migrate(ConfigArgs),
    /// Check or print the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Add a login or set a password.
    #[command(subcommand)]
    User(UserCommand),
    /// Import a portfolio file (XLSX, or CSV: comma, semicolon or tab; UTF-8, UTF-16 or Latin-1): it is read
    /// and its difference shown, then it is taken; with --draft it waits for --accept.
    Import(ImportArgs),
    /// Rule packs: check their files, explain a verdict.
    #[command(subcommand)]
    Law(LawCommand),
    /// Export for auditors.
    Export(ExportArgs),
    /// Prove that recordings, the audit and the decisions are whole.
    #[command(subcommand)]
    Verify(VerifyCommand),
    /// Recordings as files.
    #[command(subcommand)]
    Recordings(RecordingsCommand),
    /// Run pacing scenarios on virtual time: the live policy beside others.
    Simulate(SimulateArgs),
    /// The pacing policy as a process: line-delimited JSON on standard input and output.
    Pace,
    /// The repo's own load figures, with their limits beside them.
    #[command(subcommand)]
    Bench(crate::commands::bench::BenchCommand),
    /// Make the sample portfolio from arrears rows (see config/portfolio/README.md).
    SamplePortfolio(SampleArgs),
    /// The demo's carrier, a process of its own.
    #[command(hide = true)]
    Carrier(CarrierArgs),
}

/// `--config FILE…`
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct ConfigArgs {
    /// Configuration files, later ones win; environment MARCADOR__SECTION__KEY wins over all.
    #[arg(long = "config", value_name = "FILE")]
    pub config: Vec<PathBuf>,
}

/// `demo`.
#[derive(Debug, Args, Clone)]
pub(crate) struct DemoArgs {
    /// Stop after this many seconds and print a summary; without it, run until Ctrl-C.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Simulated agents.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub agents: u32,
    /// Debtors of the sample portfolio to load (all of it by default).
    #[arg(long)]
    pub debtors: Option<u32>,
    /// Dial mode of the demo campaigns.
    #[arg(long, value_enum, default_value_t = Mode::Predictive)]
    pub mode: Mode,
    /// A compressed day: so many times the pace of the wall's clock, on a simulated trunk without audio;
    /// everything is kept in memory.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=240))]
    pub speed: Option<u32>,
    /// Where the demo's clock starts: `now`, or an instant as 2026-11-23T15:00:00Z; default: the
    /// portfolio's next working morning.
    #[arg(long, value_name = "T|now")]
    pub at: Option<String>,
    /// Address of the screens and the API.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub http: String,
    /// Folder of the data; an existing one is continued. Default: a temporary folder.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Database instead of SQLite in the data folder.
    #[arg(long)]
    pub database_url: Option<String>,
    /// No live line of figures.
    #[arg(long)]
    pub headless: bool,
    /// Write the summary here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Seed of the simulated carrier.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How the debtors behave (JSON, as `sip-test profile` prints it) instead of the demo's own.
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Write the pacing scenario of this demo's people here and end: `marcador simulate FILE` says what the demo
    /// should come to.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Keep what each debtor hears as a WAV, in the folder `heard` of the data.
    #[arg(long)]
    pub keep_heard: bool,
    /// Machine detection of the demo campaigns; with it those who answer greet first.
    #[arg(long, value_enum, default_value_t = Detection::Off)]
    pub amd: Detection,
    /// Recorded calls that answer the demo: the folder of a set that
    /// `cargo run -p media --example cpa -- calls` made; the carrier's log names file and class of each.
    #[arg(long, value_name = "FOLDER")]
    pub calls: Option<PathBuf>,
    /// Debtors who call back a minute, by SIP; default: 4, and none where `--seconds` is given, so that a
    /// measured run is the dialer's alone.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=120))]
    pub callers: Option<u32>,
}

/// Debtors who call back a minute where nothing else is said.
const CALLERS: u32 = 4;

impl DemoArgs {
    /// Debtors who call back a minute.
    pub(crate) fn callers(&self) -> u32 {
        let usual = if self.seconds.is_some() { 0 } else { CALLERS };
        self.callers.unwrap_or(usual)
    }
}

/// Machine detection of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Detection {
    /// None.
    Off,
    /// It looks on.
    Shadow,
    /// It decides.
    On,
}

/// Dial modes of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Agents dial.
    Manual,
    /// Agents see the card first.
    Preview,
    /// One line per ready agent.
    Progressive,
    /// Three lines an agent.
    Power,
    /// As many calls as the forecast allows under the abandonment target.
    Predictive,
}

/// `config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read it and say what is wrong.
    Check(ConfigArgs),
    /// Print what is in force, secrets hidden.
    Dump(ConfigArgs),
}

/// `user …`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a login; the generated password is printed once.
    Add {
        /// Login name.
        username: String,
        /// agent, supervisor, manager, admin or client.
        #[arg(long)]
        role: String,
        /// Name shown.
        #[arg(long)]
        name: Option<String>,
        /// Client (id) whose data a `client` login sees.
        #[arg(long)]
        client: Option<String>,
        /// Configuration.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Set a new password; it is generated and printed once, or read from standard input.
    Password {
        /// Login name.
        username: String,
        /// Read the password from standard input.
        #[arg(long)]
        stdin: bool,
        /// Configuration.
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = crate::commands::import::columns())]
pub(crate) struct ImportArgs {
    /// The file.
    #[arg(
        required_unless_present = "decided",
        requires = "client",
        requires = "portfolio"
    )]
    pub file: Option<PathBuf>,
    /// Client, by name or id; made when new.
    #[arg(long)]
    pub client: Option<String>,
    /// Portfolio, by name; made when new.
    #[arg(long)]
    pub portfolio: Option<String>,
    /// What the file is about: portfolio, or consents of its debtors.
    #[arg(long, default_value = "portfolio")]
    pub kind: String,
    /// Show the difference and keep the file as a draft.
    #[arg(long, conflicts_with = "dry_run")]
    pub draft: bool,
    /// Take a draft, or go on with one whose taking broke off.
    #[arg(long, value_name = "ID", group = "decided", conflicts_with = "file")]
    pub accept: Option<String>,
    /// Throw a draft away.
    #[arg(long, value_name = "ID", group = "decided", conflicts_with = "file")]
    pub discard: Option<String>,
    /// Take the newest accepted file of a portfolio back.
    #[arg(long, value_name = "ID", group = "decided", conflicts_with = "file")]
    pub undo: Option<String>,
    /// What happens to open debts that the file does not name: keep (when not said) or recall; with --accept: as
    /// the draft says, when not said.
    #[arg(long, value_name = "POLICY")]
    pub gone: Option<String>,
    /// Make debtors of the portfolio with the same document one.
    #[arg(long)]
    pub merge: bool,
    /// Column map (JSON); without it the columns are detected by name.
    #[arg(long)]
    pub map: Option<PathBuf>,
    /// Read and check everything, keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Write one line per refused row here (CSV: row, column, value, reason).
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// Currency of a portfolio that is made.
    #[arg(long, default_value = "MXN")]
    pub currency: String,
    /// Kind of creditor of a portfolio that is made: financial or commercial.
    #[arg(long, default_value = "financial")]
    pub creditor: String,
    /// Zone of a portfolio that is made.
    #[arg(long, default_value = "America/Mexico_City")]
    pub zone: String,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `law …`.
#[derive(Debug, Subcommand)]
pub(crate) enum LawCommand {
    /// Read packs and name every error.
    Check {
        /// Pack files, or ids of packs (`mx-condusef`): of the configured folder, else those compiled in.
        #[arg(required = true, value_name = "PACK")]
        packs: Vec<PathBuf>,
        /// Configuration.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// The verdict for a debtor, now or at an instant, with its rules and reasons.
    Explain {
        /// Debtor id.
        #[arg(long)]
        debtor: String,
        /// Instant, past or to come: a past one is judged with the ledger and holds of then.
        #[arg(long)]
        at: Option<String>,
        /// Configuration.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// What a pack that is not in force would have said of what was done in the last days: calls, messages, letters,
    /// visits.
    DryRun {
        /// Pack file.
        pack: PathBuf,
        /// Days looked back.
        #[arg(long, default_value_t = center::dry_run::DRY_RUN_DAYS)]
        days: u16,
        /// Only this client's.
        #[arg(long)]
        client: Option<String>,
        /// Most acts judged again; of more every n-th, spread evenly.
        #[arg(long, default_value_t = center::dry_run::DRY_RUN_MAX)]
        limit: u64,
        /// Configuration.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Make the stored decisions of a debtor again and say which differ; check their chain.
    Replay {
        /// Debtor id.
        #[arg(long)]
        debtor: String,
        /// Configuration.
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// What to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportWhat {
    /// One row an attempt.
    Attempts,
    /// Every event.
    Events,
    /// Do-not-call changes.
    Suppressions,
    /// Who did or saw what.
    Audit,
    /// Everything of one debtor in one archive.
    Debtor,
}

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// CSV with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What.
    #[arg(value_enum)]
    pub what: ExportWhat,
    /// Debtor id, with `debtor`.
    #[arg(required_if_eq("what", "debtor"))]
    pub id: Option<String>,
    /// The archive to write, with `debtor`: `evidence-ID.zip` when absent.
    #[arg(long)]
    pub to: Option<PathBuf>,
    /// Leave the sound of recordings out, with `debtor`.
    #[arg(long)]
    pub without_sound: bool,
    /// Only from this instant on.
    #[arg(long)]
    pub since: Option<String>,
    /// Format.
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub format: ExportFormat,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `verify …`.
#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// Every answered, recordable call has a playable recording whose hash matches.
    Recordings(ConfigArgs),
    /// The audit's chains, and those of the law's decisions, are whole: nothing was changed, taken out or cut off.
    Audit(AuditArgs),
}

/// `verify audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Notes of where the chains ended, kept outside the database: each is looked for, and when all is well the
    /// present ends are added.
    #[arg(long, value_name = "FILE")]
    pub anchor: Option<PathBuf>,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `recordings …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingsCommand {
    /// Writes the WAV that a stored recording plays; needs its file and the key file, no database.
    Open(OpenArgs),
    /// Wraps the key of every stored recording by the first key of the key file, so that older ones can be
    /// taken out of it.
    Rewrap(ConfigArgs),
}

/// `recordings open`.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// File of a recording.
    pub file: PathBuf,
    /// WAV to write; never overwrites one.
    #[arg(long, value_name = "WAV")]
    pub to: PathBuf,
    /// Configuration (`[recordings] key_file`).
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Scenario files (JSON, see crates/sim/README.md).
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<PathBuf>,
    /// Policies: predictive, predictive-queue (nobody picked), predictive-blind (estimates ignored),
    /// progressive, power:R, adapt, available:R, ratio:R, or the word tuned for the last two R: the level that
    /// abandons just the cap, sought in hindsight; again for more. Default: predictive, progressive, adapt, available:tuned
    /// and ratio:tuned.
    #[arg(long, value_name = "P")]
    pub policy: Vec<String>,
    /// Seeds of each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// Cap on abandonment, percent: where the hard stop of the law stands.
    #[arg(long, default_value_t = 3.0)]
    pub cap_pct: f64,
    /// Abandonment that the predictive policies aim at, percent, at most the cap. Default: the scenario's own
    /// (`abandon_target_pct`, as the demo writes it), else 98.5 % of the cap (2.955 of 3), as `marcador pace` aims, so that figures
    /// stay comparable; campaigns aim at 93 % of it (2.79 of 3) unless they have a target of their own: say --target-pct 2.79 to see
    /// what the product would do.
    #[arg(long, value_name = "X")]
    pub target_pct: Option<f64>,
    /// Write every figure here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Draw occupancy over abandonment here.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// `sample-portfolio`.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// CSV with the arrears columns.
    #[arg(long)]
    pub source: PathBuf,
    /// File to write.
    #[arg(long)]
    pub out: PathBuf,
    /// Debtors.
    #[arg(long, default_value_t = 2400)]
    pub rows: usize,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `carrier`.
#[derive(Debug, Args)]
pub(crate) struct CarrierArgs {
    /// SIP address.
    #[arg(long)]
    pub bind: String,
    /// Seed of every fate.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Profile (JSON); the built-in one otherwise.
    #[arg(long)]
    pub profile: Option<PathBuf>,
    /// Log of every INVITE (JSONL, appended).
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// Folder for what each debtor hears.
    #[arg(long)]
    pub heard: Option<PathBuf>,
    /// Longest life.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Recorded calls that are heard from those who answer.
    #[arg(long)]
    pub calls: Option<PathBuf>,
    /// Who answers greets first: people with a word, machines at length.
    #[arg(long)]
    pub greets: bool,
    /// End when standard input closes or the parent process is gone.
    #[arg(long)]
    pub child: bool,
}
