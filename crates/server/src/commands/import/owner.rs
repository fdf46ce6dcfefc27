//! Whose file it is: a client and a portfolio, found or still to be made.

use super::say;
use crate::cli::ImportArgs;
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use anyhow::Context as _;
use domain::entity::{Client, Portfolio};
use domain::ids::{ClientId, PortfolioId};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::ports::{Clock as _, IdSource as _, Store};

/// The owner of a file.
pub(super) struct Owner {
    pub(super) client: Client,
    pub(super) portfolio: Portfolio,
    new_client: bool,
    new_portfolio: bool,
}

impl Owner {
    /// Finds client (by name or id) and portfolio (by name), or says what would be made.
    pub(super) async fn of(
        store: &dyn Store,
        clock: &NodeClock,
        args: &ImportArgs,
    ) -> Result<Self, Failure> {
        let told = args.client.as_deref().unwrap_or_default();
        let (client, new_client) = match client_of(store, told).await? {
            Some(client) => (client, false),
            None => (fresh_client(clock, told)?, true),
        };
        let name = args.portfolio.as_deref().unwrap_or_default().trim();
        let known = store.portfolio_by_name(client.id, name).await;
        let (portfolio, new_portfolio) = match known? {
            Some(portfolio) => (portfolio, false),
            None => (
                fresh_portfolio(clock, args, client.id).map_err(Failure::Usage)?,
                true,
            ),
        };
        Ok(Self {
            client,
            portfolio,
            new_client,
            new_portfolio,
        })
    }

    /// Whether something of it is not in the database yet.
    pub(super) const fn is_new(&self) -> bool {
        self.new_client || self.new_portfolio
    }

    /// Writes what is new.
    pub(super) async fn keep(&self, store: &dyn Store) -> anyhow::Result<()> {
        let (client, portfolio) = (&self.client, &self.portfolio);
        if self.new_client {
            store.put_client(client, &[]).await?;
            say(format!(
                "new client '{}' ({}); its call-back number is still to be set",
                client.name, client.id
            ));
        }
        if self.new_portfolio {
            store.put_portfolio(portfolio, &[]).await?;
            say(format!(
                "new portfolio '{}' ({})",
                portfolio.name, portfolio.id
            ));
        }
        Ok(())
    }
}

async fn client_of(store: &dyn Store, told: &str) -> Result<Option<Client>, Failure> {
    if let Ok(id) = told.parse::<ClientId>() {
        let client = store.get_client(id).await.context("--client");
        return client.map(Some).map_err(Failure::usage);
    }
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    loop {
        let rows = store.list_clients(&ListFilter::default(), &page).await;
        let rows = rows?;
        if let Some(client) = rows.items.into_iter().find(|c| c.name == told.trim()) {
            return Ok(Some(client));
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(None),
        }
    }
}

fn fresh_client(clock: &NodeClock, name: &str) -> Result<Client, Failure> {
    let now = clock.now();
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "--client: expected a name or id"
        )));
    }
    Ok(Client {
        id: ClientId(RandomIds.next(now)),
        name,
        callback_number: String::new(),
        created_at: now,
    })
}

fn fresh_portfolio(
    clock: &NodeClock,
    args: &ImportArgs,
    client_id: ClientId,
) -> anyhow::Result<Portfolio> {
    let name = args.portfolio.as_deref().unwrap_or_default();
    let name = name.trim().to_owned();
    anyhow::ensure!(!name.is_empty(), "--portfolio: expected a name");
    domain::time::zone(&args.zone).context("--zone")?;
    let now = clock.now();
    Ok(Portfolio {
        id: PortfolioId(RandomIds.next(now)),
        client_id,
        name,
        currency: args.currency.parse().context("--currency")?,
        creditor_kind: args.creditor.parse().context("--creditor")?,
        zone: args.zone.clone(),
        created_at: now,
    })
}
