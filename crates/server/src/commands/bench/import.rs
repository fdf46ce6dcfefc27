//! `marcador bench import`: a portfolio of a million rows through the API of a service of its own, while
//! another caller asks for pages all the time.

use super::args::ImportBenchArgs;
use super::goals::{Goal, at_most, table};
use super::{profile, write_json};
use crate::commands::say;
use anyhow::{Context as _, bail, ensure};
use reqwest::{Client, Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Limits (faults.md promise 22).
const TIME_MUST_S: f64 = 60.0;
const MEMORY_MUST_MB: f64 = 300.0;
const P95_MUST_MS: f64 = 200.0;
/// How often the other caller asks, and how often memory and progress are looked at.
const ASK_EVERY: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Longest wait for the service to start.
const START: Duration = Duration::from_secs(60);
/// Longest import that is waited for.
const END: Duration = Duration::from_secs(1_800);

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    profile: &'static str,
    engine: &'static str,
    rows: u64,
    file_bytes: u64,
    /// From the first byte sent to the difference shown.
    read_s: f64,
    /// From the yes to all written.
    write_s: f64,
    api_asked: usize,
    api_failed: usize,
    api_ms: Quantiles,
    /// Largest resident memory, with pages of the database that are mapped from its file.
    peak_rss_mb: f64,
    /// Largest memory of its own (anonymous pages).
    peak_own_mb: f64,
    goals: Vec<Goal>,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    p50: f64,
    p95: f64,
    p99: f64,
    most: f64,
}

/// Carries it out.
pub(super) async fn run(args: &ImportBenchArgs) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir().context("folder")?;
    let dir = args.data.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    let text = portfolio(args.rows);
    say(format!(
        "{} rows, {:.1} MB",
        args.rows,
        mb(text.len() as f64)
    ));
    let service = Service::start(dir, args.database_url.as_deref()).await?;
    let measured = measure(args, &service, text).await?;
    say(format!(
        "{} on {}: difference after {:.1} s, written after {:.1} s more; {} questions meanwhile, p50 {:.1} ms, \
        p95 {:.1} ms, p99 {:.1} ms, longest {:.0} ms",
        measured.profile,
        measured.engine,
        measured.read_s,
        measured.write_s,
        measured.api_asked,
        measured.api_ms.p50,
        measured.api_ms.p95,
        measured.api_ms.p99,
        measured.api_ms.most,
    ));
    say(table(&measured.goals));
    write_json(&measured, args.json.as_deref())
}

async fn measure(
    args: &ImportBenchArgs,
    service: &Service,
    text: String,
) -> anyhow::Result<Measured> {
    let api = Arc::new(Api::sign_in(service).await?);
    let (client, portfolio) = owner(&api).await?;
    let ended = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn(ask(Arc::clone(&api), client.clone(), Arc::clone(&ended)));
    let memory = tokio::spawn(watch(service.pid()?, Arc::clone(&ended)));
    let file_bytes = text.len() as u64;
    let begun = Instant::now();
    let path = format!(
        "/imports/drafts?client={client}&portfolio={portfolio}&file_name=bench.csv&wait=false"
    );
    let draft = api.send(Method::POST, &path, "text/csv", text.into_bytes());
    let import = id(&draft.await?)?;
    let read = until(&api, &import, "ready").await?;
    let read_s = begun.elapsed().as_secs_f64();
    let new = &read["difference"]["debtors_new"];
    ensure!(*new == json!(args.rows), "read: {}", read["difference"]);
    let begun = Instant::now();
    api.post(
        &format!("/imports/{import}/accept"),
        json!({ "wait": false }),
    )
    .await?;
    let done = until(&api, &import, "accepted").await?;
    let write_s = begun.elapsed().as_secs_f64();
    let new = &done["report"]["debts_new"];
    ensure!(*new == json!(args.rows), "written: {}", done["report"]);
    ended.store(true, Ordering::Relaxed);
    let (mut times, api_failed) = other.await?;
    let (peak_rss_mb, peak_own_mb) = memory.await??;
    times.sort_by(f64::total_cmp);
    let mut measured = Measured {
        profile: profile(),
        engine: match args.database_url {
            Some(_) => "postgres",
            None => "sqlite",
        },
        rows: args.rows,
        file_bytes,
        read_s,
        write_s,
        api_asked: times.len(),
        api_failed,
        api_ms: Quantiles {
            p50: quantile(&times, 0.50),
            p95: quantile(&times, 0.95),
            p99: quantile(&times, 0.99),
            most: times.last().copied().unwrap_or_default(),
        },
        peak_rss_mb,
        peak_own_mb,
        goals: Vec::new(),
    };
    measured.goals = goals(&measured);
    Ok(measured)
}

/// The figures beside their limits; times scaled to a million rows.
fn goals(m: &Measured) -> Vec<Goal> {
    let scale = 1_000_000.0 / m.rows as f64;
    let time = |name, s: f64| at_most(name, "s", s * scale, TIME_MUST_S, None);
    vec![
        time("difference of a million rows", m.read_s),
        time("writing a million rows", m.write_s),
        time("both", m.read_s + m.write_s),
        at_most(
            "largest memory of its own",
            "MB",
            m.peak_own_mb,
            MEMORY_MUST_MB,
            None,
        ),
        at_most(
            "largest resident memory",
            "MB",
            m.peak_rss_mb,
            MEMORY_MUST_MB,
            None,
        ),
        at_most("API meanwhile, p95", "ms", m.api_ms.p95, P95_MUST_MS, None),
    ]
}

/// A client and his portfolio.
async fn owner(api: &Api) -> anyhow::Result<(String, String)> {
    let name = format!("Bench {}", uuid::Uuid::new_v4());
    let client = json!({ "name": name, "callback_number": "+525550000001" });
    let client = id(&api.post("/clients", client).await?)?;
    let portfolio = json!({ "client_id": client, "name": "Bench", "currency": "MXN",
        "creditor_kind": "financial", "zone": "America/Mexico_City" });
    let portfolio = id(&api.post("/portfolios", portfolio).await?)?;
    Ok((client, portfolio))
}

fn mb(bytes: f64) -> f64 {
    bytes / 1_000_000.0
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    // A place in a list: never negative, never beyond its length.
    let at = format!("{:.0}", last * q).parse().unwrap_or(0_usize);
    sorted.get(at).copied().unwrap_or_default()
}

/// Rows as a client's file has them, each with one debtor, one debt and one phone.
fn portfolio(rows: u64) -> String {
    const FIRST: [&str; 8] = [
        "Ana", "Luis", "Eva", "José", "Sofía", "Iñigo", "Marta", "Raúl",
    ];
    const LAST: [&str; 7] = ["Ruiz", "Peña", "Núñez", "Cádiz", "Vélez", "Soto", "Ibáñez"];
    let mut text =
        String::from("external_ref,debt_ref,name,document,country,balance,due_date,phone_mobile\n");
    for n in 0..rows {
        // Spread over its range without repeating, as keys and phones of a real file are.
        let mixed = n.wrapping_mul(48_271) % 99_999_989;
        let at =
            |list: usize, salt: u64| usize::try_from((mixed / salt) % list as u64).unwrap_or(0);
        let (first, last) = (at(8, 1), at(7, 11));
        let _ = writeln!(
            text,
            "D{n:07},C{n:07},{} {},RFC{mixed:08},MX,{}.{:02},2026-{:02}-{:02},55{mixed:08}",
            FIRST[first],
            LAST[last],
            500 + mixed % 40_000,
            mixed % 100,
            1 + mixed % 9,
            1 + mixed % 28,
        );
    }
    text
}

fn id(reply: &Value) -> anyhow::Result<String> {
    let id = reply["id"].as_str().map(str::to_owned);
    id.with_context(|| format!("the service answered {reply}"))
}

/// Waits until the import is in a state.
async fn until(api: &Api, import: &str, state: &str) -> anyhow::Result<Value> {
    let since = Instant::now();
    let mut told = 0;
    while since.elapsed() < END {
        let view = api.get(&format!("/imports/{import}")).await?;
        if view["state"] == json!(state) {
            return Ok(view);
        }
        if view["state"] == json!("discarded") {
            bail!("the file was refused: {}", view["faults"]);
        }
        let rows = view["progress"].as_u64().unwrap_or(0);
        if rows >= told + 100_000 {
            told = rows;
            say(format!(
                "{}: {rows} rows",
                view["state"].as_str().unwrap_or_default()
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("the import was not {state} in {} s", END.as_secs())
}

/// The other caller: how long each page took, ms, and how many failed.
async fn ask(api: Arc<Api>, client: String, ended: Arc<AtomicBool>) -> (Vec<f64>, usize) {
    let (mut times, mut failed) = (Vec::new(), 0);
    let path = format!("/debtors?client={client}&limit=50");
    while !ended.load(Ordering::Relaxed) {
        let asked = Instant::now();
        failed += usize::from(api.get(&path).await.is_err());
        times.push(asked.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(ASK_EVERY).await;
    }
    (times, failed)
}

/// Largest resident and own memory of a process, MB, until it is told to end.
async fn watch(pid: u32, ended: Arc<AtomicBool>) -> anyhow::Result<(f64, f64)> {
    let (mut resident, mut own) = (0.0_f64, 0.0_f64);
    loop {
        let last = ended.load(Ordering::Relaxed);
        let text = std::fs::read_to_string(format!("/proc/{pid}/status"));
        let text = text.context("the service has ended")?;
        resident = resident.max(field(&text, "VmHWM:"));
        own = own.max(field(&text, "RssAnon:"));
        if last {
            return Ok((resident, own));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A size of `/proc/PID/status` in MB.
fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|l| l.strip_prefix(name));
    let kb = line.and_then(|l| l.split_ascii_whitespace().next());
    kb.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() * 1.024 / 1_000.0
}

/// `marcador serve` on a folder; killed when dropped.
struct Service {
    child: Child,
    /// Kept open: what it prints later must find somebody who listens.
    _out: Lines<BufReader<ChildStdout>>,
    url: String,
    password: String,
}

impl Service {
    async fn start(dir: &Path, database: Option<&str>) -> anyhow::Result<Self> {
        let at = dir.display();
        let own = format!("sqlite://{at}/marcador.db");
        let url = database.unwrap_or(&own);
        let config = dir.join("bench.toml");
        std::fs::write(
            &config,
            format!(
                "[http]\nbind = \"127.0.0.1:0\"\n[database]\nurl = \"{url}\"\n[recordings]\n\
                url = \"file://{at}/recordings\"\nkey_file = \"{at}/recordings.key\"\n[sip]\n\
                bind = [\"udp://127.0.0.1:0\"]\n[auth]\nsecret_file = \"{at}/marcador.secret\"\n\
                second_factor = false\n"
            ),
        )?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(dir.join("serve.log"))?)
            .kill_on_drop(true)
            .spawn()
            .context("start the service")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut password = String::new();
        let told = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, rest)) = line.split_once("password '") {
                    rest.split('\'')
                        .next()
                        .unwrap_or("")
                        .clone_into(&mut password);
                }
                if let Some(url) = line.strip_prefix("screens and API: ") {
                    return Ok(url.trim().to_owned());
                }
            }
            bail!("the service ended: see {at}/serve.log")
        };
        let url = tokio::time::timeout(START, told).await;
        let url = url.context("the service did not start")??;
        ensure!(
            !password.is_empty(),
            "the database was used before: expected an empty one"
        );
        Ok(Self {
            child,
            _out: lines,
            url,
            password,
        })
    }

    fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the service has ended")
    }
}

/// A signed-in caller.
struct Api {
    http: Client,
    base: String,
    token: String,
}

impl Api {
    async fn sign_in(service: &Service) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(END).build()?;
        let mut api = Self {
            http,
            base: format!("{}/api/v1", service.url),
            token: String::new(),
        };
        let body = json!({ "username": "admin", "password": service.password });
        let reply = api.post("/sessions", body).await?;
        api.token = reply["token"].as_str().unwrap_or_default().to_owned();
        // A session is short, a key lasts as long as the bench.
        let key = api
            .post("/api-keys", json!({ "name": "bench", "role": "admin" }))
            .await;
        if let Some(key) = key.ok().and_then(|k| k["key"].as_str().map(str::to_owned)) {
            api.token = key;
        }
        Ok(api)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, "application/json", Vec::new())
            .await
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let body = body.to_string().into_bytes();
        self.send(Method::POST, path, "application/json", body)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, url).header("content-type", kind);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let reply = request.body(body).send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        ensure!(status < StatusCode::BAD_REQUEST, "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_of_the_size_that_is_promised() {
        let text = portfolio(10_000);
        let width = text.len() / 10_000;
        assert!((66..=82).contains(&width), "{width} bytes a row");
        assert_eq!(text.lines().count(), 10_001);
    }

    #[test]
    fn quantiles_are_places_in_the_list() {
        let list: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!((quantile(&list, 0.5), quantile(&list, 0.95)), (50.0, 95.0));
        assert_eq!(quantile(&[], 0.95), 0.0);
    }
}
