//! `marcador import`: a portfolio file, streamed into the database as a difference.

use super::{read_config, say};
use crate::cli::ImportArgs;
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use crate::sheet::Sheet;
use anyhow::Context as _;
use api::importer::{ImportError, ImportJob, run as import};
use domain::entity::{Client, Portfolio};
use domain::ids::{ClientId, ImportId, PortfolioId};
use domain::import::ColumnMap;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest, RowFault};
use domain::ports::{Clock as _, IdSource as _, Store};
use std::io::IsTerminal as _;
use std::sync::Arc;

/// Refused rows shown when there is no report file.
const FAULTS_SHOWN: u64 = 20;

/// Carries it out: exit status 1 when a row was refused, so that scripts notice.
pub(crate) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let config = read_config(&args.config)?;
    let map = match &args.map {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("--map {}", path.display()));
            Some(ColumnMap::from_json(&text.map_err(Failure::usage)?).map_err(Failure::usage)?)
        }
        None => None,
    };
    let file = tokio::fs::File::open(&args.file)
        .await
        .with_context(|| args.file.display().to_string())
        .map_err(Failure::usage)?;
    let store = crate::node::open_store(&config.database.url).await?;
    let clock = NodeClock::system();
    let mut owner = Owner {
        store: &store,
        clock: &clock,
        args: &args,
        made: false,
    };
    let client = owner.client().await?;
    let portfolio = owner.portfolio(&client).await?;
    // A dry run for an owner who is not there yet is a dry run against an empty database.
    let store: Arc<dyn Store> = match args.dry_run && owner.made {
        true => Arc::new(sim::store::MemoryStore::new()),
        false => Arc::clone(&store),
    };
    let job = ImportJob {
        import_id: ImportId(RandomIds.next(clock.now())),
        client: client.id,
        portfolio,
        map,
        dry_run: args.dry_run,
        actor: "system".into(),
    };
    let mut faults = Faults::open(&args)?;
    let progress = progress();
    let report = import(
        &*store,
        &RandomIds,
        &clock,
        job,
        file,
        |f| faults.take(f),
        |n| progress.set_position(n),
    )
    .await;
    progress.finish_and_clear();
    let report = report.map_err(failure)?;
    faults.end()?;
    say(format!(
        "{}{} rows: {} debtors new, {} changed; {} debts new, {} changed; {} phones new; {} rows as before; {} refused",
        if args.dry_run {
            "dry run, nothing kept: "
        } else {
            ""
        },
        report.rows,
        report.debtors_new,
        report.debtors_changed,
        report.debts_new,
        report.debts_changed,
        report.points_new,
        report.unchanged,
        report.refused,
    ));
    if report.refused > 0 {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{} rows were refused",
            report.refused
        )));
    }
    Ok(())
}

/// A file that cannot be read is the user's to mend; the rest is the outside's.
fn failure(error: ImportError) -> Failure {
    match error {
        ImportError::Store(_) | ImportError::Read(_) => Failure::Failed(error.into()),
        _ => Failure::usage(error),
    }
}

fn progress() -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}");
    let bar = indicatif::ProgressBar::new_spinner();
    if let Ok(style) = style {
        bar.with_style(style)
    } else {
        bar
    }
}

/// Refused rows: to the report file, or the first ones to standard error.
struct Faults {
    sheet: Option<Sheet<std::fs::File>>,
    shown: u64,
    failed: Option<anyhow::Error>,
}

impl Faults {
    fn open(args: &ImportArgs) -> Result<Self, Failure> {
        let sheet = match &args.report {
            Some(path) => {
                let file = std::fs::File::create(path)
                    .with_context(|| format!("--report {}", path.display()));
                Some(Sheet::new(
                    file.map_err(Failure::usage)?,
                    &["row", "column", "value", "reason"],
                )?)
            }
            None => None,
        };
        Ok(Self {
            sheet,
            shown: 0,
            failed: None,
        })
    }

    fn take(&mut self, fault: &RowFault) {
        match &mut self.sheet {
            Some(sheet) => {
                let cells = [
                    &fault.row.to_string(),
                    &fault.column,
                    &fault.value,
                    &fault.reason,
                ];
                if let Err(error) = sheet.row(cells) {
                    self.failed.get_or_insert(error);
                }
            }
            // The value is personal data: it goes to the report file only.
            None if self.shown < FAULTS_SHOWN => {
                self.shown += 1;
                eprintln!(
                    "row {}, column '{}': {}",
                    fault.row, fault.column, fault.reason
                );
            }
            None if self.shown == FAULTS_SHOWN => {
                self.shown += 1;
                eprintln!("more rows were refused: --report FILE writes them all");
            }
            None => {}
        }
    }

    fn end(self) -> Result<(), Failure> {
        if let Some(error) = self.failed {
            return Err(Failure::Failed(error.context("--report")));
        }
        match self.sheet {
            Some(sheet) => Ok(sheet.end()?),
            None => Ok(()),
        }
    }
}

/// Finds or makes the owner of the file. A dry run makes nothing: it checks against what would be.
struct Owner<'a> {
    store: &'a Arc<dyn Store>,
    clock: &'a NodeClock,
    args: &'a ImportArgs,
    /// Whether client or portfolio are new.
    made: bool,
}

impl Owner<'_> {
    fn id(&self) -> uuid::Uuid {
        RandomIds.next(self.clock.now())
    }

    async fn client(&mut self) -> Result<Client, Failure> {
        if let Ok(id) = self.args.client.parse::<ClientId>() {
            return self
                .store
                .get_client(id)
                .await
                .context("--client")
                .map_err(Failure::usage);
        }
        let mut page = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor: None,
        };
        loop {
            let rows = self
                .store
                .list_clients(&ListFilter::default(), &page)
                .await
                .map_err(anyhow::Error::from)?;
            if let Some(client) = rows.items.into_iter().find(|c| c.name == self.args.client) {
                return Ok(client);
            }
            match rows.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        let client = Client {
            id: ClientId(self.id()),
            name: self.args.client.trim().to_owned(),
            callback_number: String::new(),
            created_at: self.clock.now(),
        };
        if client.name.is_empty() {
            return Err(Failure::usage(anyhow::anyhow!(
                "--client: expected a name or id"
            )));
        }
        self.made = true;
        if !self.args.dry_run {
            self.store
                .put_client(&client, &[])
                .await
                .map_err(anyhow::Error::from)?;
            say(format!(
                "new client '{}' ({}); its call-back number is still to be set",
                client.name, client.id
            ));
        }
        Ok(client)
    }

    async fn portfolio(&mut self, client: &Client) -> Result<Portfolio, Failure> {
        let name = self.args.portfolio.trim();
        let known = self
            .store
            .portfolio_by_name(client.id, name)
            .await
            .map_err(anyhow::Error::from)?;
        if let Some(portfolio) = known {
            return Ok(portfolio);
        }
        domain::time::zone(&self.args.zone)
            .context("--zone")
            .map_err(Failure::usage)?;
        let portfolio = Portfolio {
            id: PortfolioId(self.id()),
            client_id: client.id,
            name: name.to_owned(),
            currency: self
                .args
                .currency
                .parse()
                .context("--currency")
                .map_err(Failure::usage)?,
            creditor_kind: self
                .args
                .creditor
                .parse()
                .context("--creditor")
                .map_err(Failure::usage)?,
            zone: self.args.zone.clone(),
            created_at: self.clock.now(),
        };
        if name.is_empty() {
            return Err(Failure::usage(anyhow::anyhow!(
                "--portfolio: expected a name"
            )));
        }
        self.made = true;
        if !self.args.dry_run {
            self.store
                .put_portfolio(&portfolio, &[])
                .await
                .map_err(anyhow::Error::from)?;
            say(format!("new portfolio '{name}' ({})", portfolio.id));
        }
        Ok(portfolio)
    }
}
