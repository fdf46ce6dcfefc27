//! `marcador demo --speed N`: a day at N times the pace of the wall's clock. The engine, the law, the
//! screens and the debtors who pay are those of the demo; calls run on the simulated trunk of `sim`,
//! without audio, and everything is kept in memory. Nobody can take a call here: it would be over.

use super::day::Day;
use super::summary::Summary;
use super::{
    Folder, cashier, configuration, detection, dial_mode, homes, messages, money, portfolio, street,
};
use crate::cli::DemoArgs;
use crate::clock::{RandomIds, system_now};
use crate::commands::say;
use crate::node::{complete_dispositions, listen, rule_book};
use crate::secrets;
use crate::signals::Signals;
use crate::what_if::Forecaster;
use api::auth::ApiSecrets;
use api::{ApiConfig, ApiParts, ApiState};
use center::CenterConfig;
use domain::ids::{AgentId, CampaignId};
use domain::ports::store::{ListFilter, PageRequest};
use domain::ports::{Clock as _, IdSource, Store};
use domain::time::UtcMs;
use serde::Serialize;
use sim::blob::MemoryBlob;
use sim::fate::FateMix;
use sim::store::MemoryStore;
use sim::world::{Fast, FastClock, FastShift};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Between two lines of figures.
const TELL: Duration = Duration::from_secs(5);
/// Between two looks at who is new in the segments: the store in memory walks everybody for it.
const REFILL_MS: i64 = 30 * domain::time::MINUTE_MS;
/// What becomes of calls, percent.
const MIX: FateMix = FateMix {
    answer_pct: 30,
    refuse_pct: 25,
};

/// `demo.json` in the data folder, for programs.
#[derive(Serialize)]
struct Info<'a> {
    url: &'a str,
    speed: u32,
    supervisor: &'a super::people::Login,
    manager: &'a super::people::Login,
    admin: &'a super::people::Login,
}

/// What is written of the day at its end, for programs: the summary of any demo, and what only such a day has.
#[derive(Serialize)]
struct Over<'a> {
    #[serde(flatten)]
    summary: Summary,
    speed: u32,
    #[serde(flatten)]
    day: &'a Day,
}

/// What stands in the store when the day begins.
struct Furnished {
    people: super::people::People,
    campaigns: Vec<CampaignId>,
    agents: Vec<AgentId>,
}

async fn furnish(
    args: &DemoArgs,
    config: &crate::config::Config,
    store: &Arc<dyn Store>,
    clock: &FastClock,
) -> anyhow::Result<Furnished> {
    complete_dispositions(&**store).await?;
    let seeder = super::Seeder {
        store,
        clock,
        ids: &RandomIds,
        agents: args.agents,
    };
    let size = portfolio::Size::of(args);
    let modes = (dial_mode(args.mode), detection(args.amd));
    let seeded = seeder.seed(modes, size).await?;
    let pepper = secrets::load_or_make(Path::new(&config.auth.secret_file))?.pepper;
    let hash = |password: &str| Ok(api::auth::hash_password(&pepper, password)?);
    let people = seeder.people(args.agents, &hash).await?;
    homes::seed(&seeder).await?;
    money::seed(&seeder).await?;
    messages::seed(&seeder).await?;
    let page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let agents = store.list_agents(&ListFilter::default(), &page).await?;
    let simulated = agents.items.iter().filter(|a| a.sip_user != "gestora");
    Ok(Furnished {
        agents: simulated.map(|a| a.id).collect(),
        campaigns: seeded.campaigns,
        people,
    })
}

/// Settings of the engine.
fn settings(
    config: &crate::config::Config,
    secrets: &ApiSecrets,
    listener: &TcpListener,
) -> anyhow::Result<CenterConfig> {
    let mut settings = CenterConfig::new("node-1");
    settings.messengers = config.messages.open()?;
    settings.pages = crate::node::pages(config, crate::node::Kind::Demo, secrets, listener)?;
    settings.refill_every_ms = REFILL_MS;
    Ok(settings)
}

/// Carries it out.
///
/// # Errors
/// When a part cannot be started; the error says which.
pub(super) async fn run(args: DemoArgs, speed: u32) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let folder = Folder::open(args.data.as_ref())?;
    let listener = listen(&args.http).await?;
    let mut config = configuration(&args, folder.path())?;
    let memory = Arc::new(MemoryStore::new());
    let store: Arc<dyn Store> = Arc::clone(&memory) as _;
    let book = rule_book(&config.law)?;
    let places = portfolio::places();
    let standing = super::clock::stand(&*store, &book, &places, args.at.as_deref()).await?;
    let start: UtcMs = system_now().plus_ms(standing.offset_ms);
    let clock = Arc::new(FastClock::new(start));
    let own: Arc<dyn domain::ports::Clock> = Arc::clone(&clock) as _;
    let way = (Arc::clone(&own), standing.offset_ms);
    let cashier = cashier::Cashier::open(folder.path(), way, &mut config.payments).await?;
    let furnished = furnish(&args, &config, &store, &clock).await?;
    let mut day = Day::from(store.last_cursor().await?);
    let secrets = secrets::load_or_make(Path::new(&config.auth.secret_file))?;
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    let shift = FastShift {
        seed: args.seed,
        speed,
        store: memory,
        clock: Arc::clone(&clock),
        ids: Arc::clone(&ids),
        campaigns: furnished.campaigns.clone(),
        agents: furnished.agents.clone(),
        mix: MIX,
        config: settings(&config, &secrets, &listener)?,
    };
    let fast = shift.start().await?;
    let api = ApiState::new(ApiParts {
        store: Arc::clone(&store),
        center: fast.center.clone(),
        desk: Arc::clone(&fast.desk),
        blob: Arc::new(MemoryBlob::default()),
        bus: Arc::new(store::LocalBus::new()),
        clock: Arc::clone(&clock) as _,
        ids,
        what_if: Arc::new(Forecaster::new()),
        rulepacks: crate::node::rule_infos(&book, start),
        config: ApiConfig {
            second_factor_required: false,
            demo: true,
            clock_offset_ms: standing.offset_ms,
            speed,
            money: config.payments.open()?,
            ..ApiConfig::new(secrets)
        },
    })?;
    let http = listener.local_addr()?;
    let url = format!("http://{http}");
    let web = crate::node::serve(listener, None, api, true)?;
    let parts = (fast.center.clone(), Arc::clone(&store), own);
    let street = street::Street::start(cashier, &config, parts, http)?;
    tell(&url, speed, &furnished, folder.path())?;
    watch(&args, (&fast, &clock, &*store), &mut signals, &mut day).await;
    street.stop();
    say(line((&fast, &clock, &*store), &mut day).await);
    if let Some(path) = &args.json {
        let sum = sum_up((&fast, &clock), start, standing.offset_ms).await;
        std::fs::write(path, over(sum, speed, &day)? + "\n")?;
    }
    fast.stop().await;
    web.end(Duration::from_secs(2)).await;
    Ok(())
}

fn tell(url: &str, speed: u32, furnished: &Furnished, folder: &Path) -> anyhow::Result<()> {
    let people = &furnished.people;
    let info = Info {
        url,
        speed,
        supervisor: &people.supervisor,
        manager: &people.manager,
        admin: &people.admin,
    };
    let path = folder.join("demo.json");
    crate::private::write(&path, &serde_json::to_string_pretty(&info)?)?;
    say(format!("Marcador demo, compressed day: {url}"));
    say(format!(
        "{speed} times the wall's clock; {} simulated agents; calls run on a simulated trunk, without audio; nothing is kept",
        furnished.agents.len()
    ));
    for (role, login) in [
        ("supervisor", &people.supervisor),
        ("manager", &people.manager),
        ("admin", &people.admin),
    ] {
        say(format!(
            "  {role:<10} {:<12} {}",
            login.username, login.password
        ));
    }
    Ok(())
}

async fn sum_up((fast, clock): (&Fast, &FastClock), start: UtcMs, offset_ms: i64) -> Summary {
    let seconds = clock.now().since_ms(start).unsigned_abs() / 1_000;
    Summary::of_figures(fast.center.figures().await, seconds, offset_ms)
}

fn over(summary: Summary, speed: u32, day: &Day) -> anyhow::Result<String> {
    let over = Over {
        summary,
        speed,
        day,
    };
    Ok(serde_json::to_string_pretty(&over)?)
}

/// A day under way: engine, clock, store.
type Under<'a> = (&'a Fast, &'a FastClock, &'a dyn Store);

async fn line((fast, clock, store): Under<'_>, day: &mut Day) -> String {
    if let Err(error) = day.look(store).await {
        tracing::warn!(%error, "the day's events were not read");
    }
    let f = fast.center.figures().await;
    format!(
        "{} | {} dialed, {} answered, {} with an agent, {} promises | {}",
        clock.now(),
        f.attempts,
        f.answered_human + f.answered_machine,
        f.connected,
        f.promises,
        day.words()
    )
}

/// Until the time is over or a signal comes.
async fn watch(args: &DemoArgs, under: Under<'_>, signals: &mut Signals, day: &mut Day) {
    let over = async {
        match args.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    let mut tick = tokio::time::interval(TELL);
    loop {
        tokio::select! {
            () = &mut over => return,
            () = signals.next() => return,
            _ = tick.tick() => if !args.headless {
                say(line(under, day).await);
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use center::view::Figures;
    use serde_json::{Value, json};

    #[test]
    fn a_day_is_summed_up_as_any_demo_is() {
        let figures = Figures {
            attempts: 9,
            answered_human: 3,
            answered_machine: 2,
            errors: 1,
            blocked: [("blocked_window".to_owned(), 4)].into(),
            ..Figures::default()
        };
        let summary = Summary::of_figures(figures, 7_200, -5);
        let told = over(summary, 120, &Day::from(0)).expect("written");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let any = serde_json::to_value(Summary::default()).expect("JSON");
        for key in any.as_object().expect("keys").keys() {
            assert!(told.get(key).is_some(), "{key} in {told}");
        }
        for (key, value) in [
            ("seconds", json!(7_200)),
            ("answered_human", json!(3)),
            ("answered_machine", json!(2)),
            ("blocked", json!({"blocked_window": 4})),
            ("bridge_ms", json!({"p50": null, "p99": null})),
            ("clock_offset_ms", json!(-5)),
            ("errors", json!(1)),
            ("speed", json!(120)),
            ("events", json!({})),
        ] {
            assert_eq!(told[key], value, "{key}");
        }
    }
}
