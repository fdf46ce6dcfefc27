//! The bank of the demo: what debtors transfer to it reaches the house as a file, sent by a program of the bank with
//! a key of its own, as any bank's file is. Some payers write no reference: their money waits in the queue.

use crate::clock::RandomIds;
use domain::entity::Role;
use domain::ids::{ApiKeyId, ClientId, PromiseId};
use domain::money::Money;
use domain::ports::store::{ApiKey, ListFilter, PageRequest};
use domain::ports::{Clock, IdSource as _, Store};
use domain::time::UtcMs;
use jiff::tz::TimeZone;
use reqwest::header::CONTENT_TYPE;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two files.
const EVERY: Duration = Duration::from_secs(15);
/// Longest wait for the answer to one.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Most transfers that wait for a file; who comes then does not pay this way.
const SLIPS_MAX: usize = 1_000;
/// Of the payers every so many writes nothing that tells whose money it is.
const BLANK_EVERY: u128 = 5;
/// Whose day the file tells.
const ZONE: &str = "America/Mexico_City";
/// Who made the bank's key (an admin: others may make none), and its name.
const MAKER: &str = "admin";
const KEY: &str = "Banco de Prueba";

/// Money that somebody transferred.
#[derive(Debug, Clone)]
pub(super) struct Slip {
    /// For which promise.
    pub(super) promise: PromiseId,
    /// The creditor's number of the debt.
    pub(super) debt: String,
    /// How much.
    pub(super) amount: Money,
    /// When.
    pub(super) at: UtcMs,
}

/// Where debtors leave their transfers until the next file.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<Mutex<Vec<Slip>>>);

impl Counter {
    /// Takes a transfer.
    pub(super) fn take(&self, slip: Slip) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < SLIPS_MAX {
            waiting.push(slip);
        }
    }

    fn all(&self) -> Vec<Slip> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The bank at work.
pub(super) struct Teller(JoinHandle<()>);

impl Teller {
    /// It begins to send what `counter` took to `node`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn start(
        counter: Counter,
        (store, clock): (Arc<dyn Store>, Arc<dyn Clock>),
        node: SocketAddr,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(ANSWER_MAX).build()?;
        let base = format!("http://127.0.0.1:{}", node.port());
        Ok(Self(tokio::spawn(async move {
            let (client_id, key) = match account(&*store, clock.now()).await {
                Ok(Some(found)) => found,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "the demo's bank has no key: it sends no files");
                    return;
                }
            };
            let mut tick = tokio::time::interval(EVERY);
            loop {
                tick.tick().await;
                let slips = counter.all();
                if slips.is_empty() {
                    continue;
                }
                let name = name(clock.now());
                let url = format!("{base}/api/v1/bank-files?client={client_id}&name={name}");
                let sent = client.post(url).bearer_auth(&key);
                let sent = sent.header(CONTENT_TYPE, "text/csv").body(file(&slips));
                let answer = sent
                    .send()
                    .await
                    .and_then(reqwest::Response::error_for_status);
                if let Err(error) = answer {
                    tracing::debug!(%error, "a file of the demo's bank was not taken: it comes again");
                    slips.into_iter().for_each(|slip| counter.take(slip));
                }
            }
        })))
    }

    /// No file any more.
    pub(super) fn stop(self) {
        self.0.abort();
    }
}

/// The first client and the bank's key to its files, made anew for each run.
async fn account(store: &dyn Store, now: UtcMs) -> anyhow::Result<Option<(ClientId, String)>> {
    let one = PageRequest {
        limit: 1,
        cursor: None,
    };
    let clients = store.list_clients(&ListFilter::default(), &one).await?;
    let maker = store.user_by_name(MAKER).await?;
    let (Some(client), Some(maker)) = (clients.items.first().map(|c| c.id), maker) else {
        return Ok(None);
    };
    let key = format!("mk_{}", hex::encode(rand::random::<[u8; 32]>()));
    let before = store.list_api_keys().await?;
    let before = before.into_iter().find(|k| k.name == KEY);
    let row = ApiKey {
        id: before.map_or_else(|| ApiKeyId(RandomIds.next(now)), |k| k.id),
        user_id: maker.id,
        name: KEY.to_owned(),
        role: Role::Manager,
        client_id: Some(client),
        key_hash: hex::encode(Sha256::digest(key.as_bytes())),
        created_at: now,
        revoked_at: None,
    };
    store.put_api_key(&row).await?;
    Ok(Some((client, key)))
}

fn local(at: UtcMs, form: &str) -> String {
    let zone = domain::time::zone(ZONE).unwrap_or(TimeZone::UTC);
    at.in_zone(&zone).strftime(form).to_string()
}

fn name(now: UtcMs) -> String {
    format!("movimientos-{}.csv", local(now, "%Y%m%d-%H%M%S"))
}

/// As a bank writes it: what the payer wrote, its own number of the movement, the amount.
fn file(slips: &[Slip]) -> String {
    let mut text = String::from("Fecha;Concepto;Referencia;Abono;Moneda\n");
    for slip in slips {
        let number = slip.promise.0.as_u128();
        let words = if number.is_multiple_of(BLANK_EVERY) {
            "TRANSFERENCIA".to_owned()
        } else {
            format!("PAGO {}", slip.debt)
        };
        let (day, currency) = (local(slip.at, "%F"), slip.amount.currency);
        let movement = number % 10_000_000;
        let amount = decimal(slip.amount);
        // A String takes every write.
        let _ = writeln!(
            text,
            "{day};{words};TRANSF-{movement:07};{amount};{currency}"
        );
    }
    text
}

fn decimal(money: Money) -> String {
    let digits = money.currency.minor_digits();
    let unit = 10_i64.pow(digits);
    let (whole, rest) = (money.amount_minor / unit, money.amount_minor % unit);
    let width = digits as usize;
    if width == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{rest:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::import::bank::{BankMap, BankRead, read_csv};

    #[test]
    fn the_file_reads_as_money_of_its_day_and_some_of_it_is_nobody_s() {
        let at = "2026-11-30T23:30:00Z".parse().expect("instant");
        let slip = |n: u128, minor, currency: &str| Slip {
            promise: PromiseId(uuid::Uuid::from_u128(n)),
            debt: format!("C{n:06}"),
            amount: Money::new(minor, currency.parse().expect("currency")),
            at,
        };
        let slips = [slip(7, 123_405, "MXN"), slip(10, 25_000, "CLP")];
        let sheet = read_csv(&file(&slips), &BankMap::default()).expect("reads");
        let rows: Vec<(i64, String, String)> = sheet
            .rows
            .iter()
            .filter_map(|row| match &row.read {
                BankRead::Money(m) => {
                    let day = m.paid_at.to_string();
                    Some((m.amount.amount_minor, m.concept.clone(), day))
                }
                _ => None,
            })
            .collect();
        let noon = "2026-11-30T12:00:00.000Z".to_owned();
        let expected = [
            (123_405, "PAGO C000007".to_owned(), noon.clone()),
            (25_000, "TRANSFERENCIA".to_owned(), noon),
        ];
        assert_eq!(rows, expected);
    }
}
