//! `marcador demo`: the whole product on embedded defaults, with people and a telephone network that
//! are simulated but reached the real way: SIP, RTP, HTTP and websockets over loopback. Its only
//! trunk is its own carrier.

mod callers;
mod carrier;
mod cashier;
mod clickers;
mod clock;
mod crew;
mod day;
mod fast;
mod forecast;
mod homes;
mod messages;
mod money;
mod objections;
mod people;
mod portfolio;
mod ports;
mod seed;
mod stages;
mod street;
pub(crate) mod summary;
mod tally;
mod teller;
pub(crate) mod tempo;
mod told;

use crate::cli::{DemoArgs, Detection, Mode};
use crate::clock::{NodeClock, RandomIds};
use crate::config::{Config, Tls, TrunkConfig, load};
use crate::node::{Kind, Node, Parts, listen, open_for_calls, rule_book};
use crate::secrets;
use crate::signals::Signals;
use carrier::CarrierProcess;
use center::CenterHandle;
use crew::Crew;
use domain::entity::{AmdMode, CampaignParams, CampaignStatus, DialMode};
use domain::ports::{Clock as _, Store};
use people::People;
use seed::{Seeded, Seeder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Header by which the carrier's log names the attempt.
const ATTEMPT_HEADER: &str = "X-Marcador-Attempt";
/// At the end, calls may go on so long.
const DRAIN_MS: i64 = 45_000;
/// Length of a forecast where the demo has none, s.
const FORECAST_S: u64 = 600;
/// How often figures are shown on a terminal.
const TICK: Duration = Duration::from_secs(1);

/// The data folder; a temporary one goes with the run.
enum Folder {
    Own(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Folder {
    fn open(given: Option<&PathBuf>) -> anyhow::Result<Self> {
        match given {
            Some(path) => {
                crate::private::folder(path)?;
                Ok(Self::Own(std::fs::canonicalize(path)?))
            }
            None => Ok(Self::Temporary(
                tempfile::Builder::new()
                    .prefix("marcador-demo-")
                    .tempdir()?,
            )),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Own(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

/// Carries it out.
///
/// # Errors
/// When a part cannot be started; the error says which.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.scenario {
        return scenario(&args, path);
    }
    match args.speed {
        Some(speed) => fast::run(args, speed).await,
        None => shift(args).await,
    }
}

/// A shift with voice, by the clock.
async fn shift(args: DemoArgs) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let folder = Folder::open(args.data.as_ref())?;
    let listener = listen(&args.http).await?;
    let mut config = configuration(&args, folder.path())?;
    let (calls, store) = open_for_calls(&config.database).await?;
    let book = rule_book(&config.law)?;
    let standing = clock::stand(&*store, &book, &portfolio::places(), args.at.as_deref()).await?;
    let clock = Arc::new(NodeClock::shifted(standing.offset_ms));
    let began = clock.now();
    let carrier = carrier::spawn(&folder.path().join("carrier.jsonl"), &args)?;
    config.trunks = vec![route(&carrier.address, args.agents)];
    let own: Arc<dyn domain::ports::Clock> = Arc::clone(&clock) as _;
    let way = (Arc::clone(&own), standing.offset_ms);
    let cashier = cashier::Cashier::open(folder.path(), way, &mut config.payments).await?;
    let (seeded, people) = seed(&args, &config, &store, &clock).await?;
    let parts = Parts {
        config: &config,
        kind: Kind::Demo,
        store: Arc::clone(&store),
        calls,
        clock: Arc::clone(&clock),
        listener,
        drain_ms: DRAIN_MS,
    };
    let node = Node::start(parts).await?;
    start_campaigns(&node, &store, &seeded).await?;
    let parts = (node.center.clone(), Arc::clone(&store), own);
    let street = street::Street::start(cashier, &config, parts, node.http)?;
    let crew = Crew::start(&node, &people, args.seed).await?;
    let callers = callers::Callers::start(
        (Arc::clone(&store), Arc::clone(&clock) as _),
        node.sip,
        (args.callers(), args.seed),
    )
    .await?;
    let demo = told::Demo {
        node: &node,
        carrier: &carrier,
        people: &people,
        standing: &standing,
        folder: folder.path(),
        continued: seeded.continued,
        mode: dial_mode(args.mode),
    };
    demo.tell(&*clock)?;
    let started = Instant::now();
    let end = watch(&args, &node, &clock, &mut signals, started).await;
    street.stop();
    callers.stop().await;
    let summary = finish(
        Finish {
            node,
            crew,
            carrier,
            store,
            began,
            started,
            offset_ms: standing.offset_ms,
            end,
        },
        &mut signals,
    )
    .await?;
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&summary)? + "\n")?;
    }
    crate::commands::say(summary.words());
    Ok(())
}

/// Writes the pacing scenario of this demo's people.
fn scenario(args: &DemoArgs, path: &Path) -> anyhow::Result<()> {
    let seconds = args.seconds.unwrap_or(FORECAST_S);
    let campaign = CampaignParams {
        mode: dial_mode(args.mode),
        amd: detection(args.amd),
        ..CampaignParams::default()
    };
    let aim_pct = CenterHandle::aim_pct(&campaign);
    let scenario = forecast::scenario(args.agents, seconds, args.seed, aim_pct)?;
    let text = serde_json::to_string_pretty(&scenario)? + "\n";
    anyhow::Context::with_context(std::fs::write(path, text), || {
        format!("{} cannot be written", path.display())
    })?;
    let file = path.display();
    crate::commands::say(format!(
        "Scenario of this demo ({} agents, {seconds} s, seed {}): {file}\n\
        What it should come to: marcador simulate {file}\n\
        The demo itself:        marcador demo --agents {} --seconds {seconds} --seed {}",
        args.agents, args.seed, args.agents, args.seed
    ));
    Ok(())
}

/// Defaults and environment, with everything pointed into the data folder and onto loopback.
fn configuration(args: &DemoArgs, dir: &Path) -> anyhow::Result<Config> {
    let mut config = load(&[])?;
    config.http.bind.clone_from(&args.http);
    config.http.behind_tls = false;
    config.http.tls = Tls::off();
    config.database.url = args
        .database_url
        .clone()
        .unwrap_or_else(|| format!("sqlite://{}", dir.join("marcador.db").display()));
    let folder = dir.join("recordings").display().to_string();
    if config.recordings.url.starts_with("s3://") {
        config.recordings.spool = folder;
    } else {
        config.recordings.url = format!("file://{folder}");
    }
    config.recordings.key_file = dir.join("recordings.key").display().to_string();
    config.auth.secret_file = dir.join("marcador.secret").display().to_string();
    config.messages.folder = dir.join("messages").display().to_string();
    config.auth.second_factor = false;
    config.node.roles = vec!["dial".into(), "web".into()];
    let port = ports::free_sip_port()?;
    config.sip.bind = vec![
        format!("udp://127.0.0.1:{port}"),
        format!("tcp://127.0.0.1:{port}"),
    ];
    config.sip.external_address = String::new();
    // On loopback only: SIPp may be phone and caller here.
    config.sip.md5_first = true;
    config.sip.inbound_from_anyone = true;
    config.media.bind = "127.0.0.1".into();
    // A browser sends from the machine's own address, not from loopback.
    if !config.media.webrtc.is_empty() {
        config.media.webrtc = "0.0.0.0:0".into();
    }
    Ok(config)
}

/// The only route of a demo.
fn route(carrier: &str, agents: u32) -> TrunkConfig {
    let (channels, cps) = seed::trunk_limits(agents);
    TrunkConfig {
        name: seed::TRUNK.into(),
        uri: format!("sip:{carrier}"),
        channels,
        cps,
        headers: BTreeMap::from([(ATTEMPT_HEADER.to_owned(), "{attempt}".to_owned())]),
        ..TrunkConfig::default()
    }
}

/// How the new campaigns dial.
const fn dialing(args: &DemoArgs) -> (DialMode, AmdMode) {
    (dial_mode(args.mode), detection(args.amd))
}

/// The machine detection of the new campaigns.
const fn detection(amd: Detection) -> AmdMode {
    match amd {
        Detection::Off => AmdMode::Off,
        Detection::Shadow => AmdMode::Shadow,
        Detection::On => AmdMode::On,
    }
}

/// The mode of the new campaigns.
const fn dial_mode(mode: Mode) -> DialMode {
    match mode {
        Mode::Manual => DialMode::Manual,
        Mode::Preview => DialMode::Preview,
        Mode::Progressive => DialMode::Progressive,
        Mode::Power => DialMode::Power,
        Mode::Predictive => DialMode::Predictive,
    }
}

async fn seed(
    args: &DemoArgs,
    config: &Config,
    store: &Arc<dyn Store>,
    clock: &Arc<NodeClock>,
) -> anyhow::Result<(Seeded, People)> {
    let seeder = Seeder {
        store,
        clock: &**clock,
        ids: &RandomIds,
        agents: args.agents,
    };
    let seeded = seeder
        .seed(dialing(args), portfolio::Size::of(args))
        .await?;
    let pepper = secrets::load_or_make(Path::new(&config.auth.secret_file))?.pepper;
    let hash = |password: &str| Ok(api::auth::hash_password(&pepper, password)?);
    let people = seeder.people(args.agents, &hash).await?;
    if !seeded.continued {
        homes::seed(&seeder).await?;
        money::seed(&seeder).await?;
        messages::seed(&seeder).await?;
    }
    Ok((seeded, people))
}

/// Starts what was never started; a continued demo's running campaigns go on by themselves, and what
/// a person paused stays paused.
async fn start_campaigns(
    node: &Node,
    store: &Arc<dyn Store>,
    seeded: &Seeded,
) -> anyhow::Result<()> {
    for id in &seeded.campaigns {
        let campaign = store.get_campaign(*id).await?;
        if campaign.status == CampaignStatus::Draft {
            let report = node
                .center
                .start_campaign(center::Actor::System, *id)
                .await?;
            for problem in report.problems {
                tracing::info!(campaign = %id, code = problem.code, "{}", problem.en);
            }
        }
    }
    Ok(())
}

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Signal,
    Time,
}

/// Shows figures until the time is over or a signal comes.
async fn watch(
    args: &DemoArgs,
    node: &Node,
    clock: &NodeClock,
    signals: &mut Signals,
    started: Instant,
) -> End {
    let line = told::Line::new(args.headless);
    let over = async {
        match args.seconds {
            Some(seconds) => {
                tokio::time::sleep_until((started + Duration::from_secs(seconds)).into()).await
            }
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            () = &mut over => return End::Time,
            () = signals.next() => return End::Signal,
            _ = tick.tick() => line.show(node, clock).await,
        }
    }
}

struct Finish {
    node: Node,
    crew: Crew,
    carrier: CarrierProcess,
    store: Arc<dyn Store>,
    began: domain::time::UtcMs,
    started: Instant,
    offset_ms: i64,
    end: End,
}

/// Lets calls end, sends everybody home and counts.
async fn finish(run: Finish, signals: &mut Signals) -> anyhow::Result<summary::Summary> {
    let Finish {
        node,
        crew,
        carrier,
        store,
        began,
        started,
        offset_ms,
        end,
    } = run;
    let seconds = started.elapsed().as_secs();
    if end == End::Signal {
        crate::commands::say("ending: calls that are up may end; Ctrl-C again ends them now");
    }
    tokio::select! {
        () = node.drain() => {}
        () = signals.next() => {}
    }
    crew.leave().await;
    let figures = node.stop().await;
    carrier.stop().await;
    tally::summary(&*store, figures, began, seconds, offset_ms).await
}
