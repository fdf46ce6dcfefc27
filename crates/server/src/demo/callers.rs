//! Debtors of the demo who call back the number they missed, and now and then somebody from a number that
//! stands in no file. They come as anybody comes: by SIP, to the node's own address.

use domain::entity::{Attempt, CallResult, Channel};
use domain::ports::store::{AttemptFilter, ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::ports::{Clock, Store};
use domain::time::MINUTE_MS;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sip_test::caller::{CallPlan, Callers as Crowd};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How far back a missed call is called back, ms.
const MISSED_MS: i64 = 5 * MINUTE_MS;
/// One in so many callers is from a number of nobody.
const STRANGERS: u64 = 5;
/// One in so many asks to be called back instead of waiting.
const ASKS_BACK: u64 = 3;
/// From when on he does, ms from the answer: the first offer comes about then.
const ASKS_BACK_MS: u64 = 12_000;
/// How long callers wait, and talk, ms.
const PATIENCE_MS: std::ops::Range<u64> = 20_000..60_000;
const TALK_MS: std::ops::Range<u64> = 6_000..14_000;

/// They at work.
pub(super) struct Callers {
    stop: tokio::sync::watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Callers {
    /// `a_minute` of them call from now on, 0 for none.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub(super) async fn start(
        (store, clock): (Arc<dyn Store>, Arc<dyn Clock>),
        node: SocketAddr,
        (a_minute, seed): (u32, u64),
    ) -> anyhow::Result<Self> {
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let crowd = Crowd::start(node, SocketAddr::new(node.ip(), 0)).await?;
        let task = tokio::spawn(async move {
            if a_minute > 0 {
                let every = Duration::from_secs(60) / a_minute;
                let mut street = Street {
                    store,
                    clock,
                    rng: StdRng::seed_from_u64(seed ^ 0xCA11),
                    called: BTreeSet::new(),
                    turn: 0,
                };
                loop {
                    tokio::select! {
                        _ = stopped.changed() => break,
                        () = tokio::time::sleep(every) => {
                            if let Some(plan) = street.next().await {
                                let _ = crowd.call(plan);
                            }
                        }
                    }
                }
            }
            crowd.stop().await;
        });
        Ok(Self { stop, task })
    }

    /// Everybody hangs up.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

struct Street {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rng: StdRng,
    /// Numbers that called back already.
    called: BTreeSet<String>,
    turn: u64,
}

/// Whether somebody saw that he was called and did not talk.
fn missed(attempt: &Attempt) -> bool {
    matches!(
        attempt.result,
        Some(CallResult::NoAnswer | CallResult::Busy | CallResult::Abandoned)
    )
}

impl Street {
    /// The next who calls; `None` while there is nobody.
    async fn next(&mut self) -> Option<CallPlan> {
        let (own, to) = match self.missed().await {
            Some(who) => who,
            None => self.anybody().await?,
        };
        self.turn += 1;
        let from = if self.turn.is_multiple_of(STRANGERS) {
            stranger(&own, self.turn)
        } else {
            own
        };
        self.called.insert(from.clone());
        Some(CallPlan {
            from,
            to,
            patience_ms: self.rng.random_range(PATIENCE_MS),
            talk_ms: self.rng.random_range(TALK_MS),
            asks_back_ms: self.turn.is_multiple_of(ASKS_BACK).then_some(ASKS_BACK_MS),
        })
    }

    fn one_of<T>(&mut self, list: Vec<T>) -> Option<T> {
        let at = (!list.is_empty()).then(|| self.rng.random_range(0..list.len()))?;
        list.into_iter().nth(at)
    }

    /// The number of one who missed a call of ours, and the number he saw.
    async fn missed(&mut self) -> Option<(String, String)> {
        let filter = AttemptFilter {
            since: Some(self.clock.now().plus_ms(-MISSED_MS)),
            ..AttemptFilter::default()
        };
        let tried = self.store.list_attempts(&filter, &first()).await.ok()?;
        let open = tried.items.into_iter();
        let open = open.filter(|a| missed(a) && !self.called.contains(a.phone.reveal()));
        let open: Vec<Attempt> = open.collect();
        let who = self.one_of(open)?;
        Some((who.phone.reveal().clone(), who.caller_number))
    }

    /// Where nobody was called: somebody who has the creditor's number from a letter.
    async fn anybody(&mut self) -> Option<(String, String)> {
        let all = ListFilter::default();
        let points = self.store.list_points(&all, &first()).await.ok()?.items;
        let calls = points
            .into_iter()
            .filter(|p| p.channel == Channel::Call && !p.bad);
        let numbers = calls.map(|p| p.value.reveal().clone());
        let open: Vec<String> = numbers.filter(|n| !self.called.contains(n)).collect();
        let clients = self.store.list_clients(&all, &first()).await.ok()?.items;
        let to = clients.into_iter().next()?.callback_number;
        Some((self.one_of(open)?, to))
    }
}

const fn first() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

/// A number of the same network that belongs to nobody: the last six digits of the sample's are small.
fn stranger(number: &str, turn: u64) -> String {
    let keep = number.len().saturating_sub(6);
    format!("{}{:06}", &number[..keep], 990_000 + turn % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_has_a_number_of_the_same_length_and_network() {
        assert_eq!(stranger("+525550000123", 5), "+525550990005");
        assert_eq!(stranger("123", 5), "990005");
    }
}
