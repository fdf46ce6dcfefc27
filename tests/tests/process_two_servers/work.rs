//! What people do meanwhile: files come in and numbers are listed, at either server.

use crate::house::{House, Login, now_ms, number};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Debtors of a file, and from one step to the next.
const FILE: usize = 20;
const STEP: Duration = Duration::from_millis(700);
/// A step in so many imports a file; the others list only.
const FILE_EVERY: usize = 4;
/// A token lives 15 minutes: a new one well before.
const SIGN_IN_EVERY: usize = 300;
/// Hang guard.
const LONG: Duration = Duration::from_secs(180);

pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What was listed when, and what came in.
pub(crate) struct Lists {
    at: Vec<(String, Login)>,
    password: String,
    client: String,
    debtors: AtomicUsize,
    listed: Mutex<BTreeMap<String, u64>>,
    pub(crate) imported: AtomicUsize,
    /// The second server does not answer: it is not asked.
    frozen: AtomicBool,
    /// Nobody waits for an answer of the second server.
    resting: AtomicBool,
    pub(crate) stop: AtomicBool,
}

impl Lists {
    pub(crate) fn new(house: &House) -> Self {
        let at = house.servers.iter();
        Self {
            at: at
                .map(|s| (s.service.url.clone(), s.login.clone()))
                .collect(),
            password: house.password.clone(),
            client: house.client.clone(),
            debtors: AtomicUsize::new(house.debtors),
            listed: Mutex::default(),
            imported: AtomicUsize::new(0),
            frozen: AtomicBool::new(false),
            resting: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    /// Numbers by the instant at which the server had said that they are listed.
    pub(crate) fn listed(&self) -> BTreeMap<String, u64> {
        let listed = self.listed.lock();
        listed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn until_listed(&self, many: usize) {
        let since = Instant::now();
        while self.listed().len() < many {
            assert!(since.elapsed() < LONG, "{} listed", self.listed().len());
            pause(Duration::from_millis(100)).await;
        }
    }

    /// Nobody asks the second server from now on; returns when the last answer has come.
    pub(crate) async fn rest(&self) {
        self.frozen.store(true, Ordering::SeqCst);
        let since = Instant::now();
        while !self.resting.load(Ordering::SeqCst) {
            assert!(since.elapsed() < LONG, "the last answer did not come");
            pause(Duration::from_millis(20)).await;
        }
    }

    /// The second server answers again.
    pub(crate) fn wake(&self) {
        self.frozen.store(false, Ordering::SeqCst);
    }

    /// Lists and imports at one server until it is told to stop.
    pub(crate) fn go_on(self: Arc<Self>, server: usize) -> JoinHandle<()> {
        tokio::spawn(async move {
            let (url, mut login) = self.at[server].clone();
            for step in 1.. {
                if self.stop.load(Ordering::SeqCst) {
                    return;
                }
                pause(STEP).await;
                if server == 1 && self.frozen.load(Ordering::SeqCst) {
                    self.resting.store(true, Ordering::SeqCst);
                    continue;
                }
                if step % SIGN_IN_EVERY == 0 {
                    login = Login::open(&url, &self.password).await;
                }
                if step % FILE_EVERY == 0 {
                    let from = self.debtors.fetch_add(FILE, Ordering::SeqCst);
                    login.import(&self.client, from..from + FILE).await;
                    self.imported.fetch_add(1, Ordering::SeqCst);
                }
                self.list_one(&login, step % 2 == 0).await;
            }
        })
    }

    /// Lists a number, every other one by a file of its own, as registers come.
    async fn list_one(&self, login: &Login, by_file: bool) {
        let all = self.debtors.load(Ordering::SeqCst);
        let number = number(rand::random_range(0..all));
        if self.listed().contains_key(&number) {
            return;
        }
        if by_file {
            login.list_file(&number).await;
        } else {
            let body = json!({"kind": "phone", "value": number, "reason": "optout"});
            login.post("/suppressions", body).await;
        }
        let said_at = now_ms();
        let listed = self.listed.lock();
        listed
            .unwrap_or_else(PoisonError::into_inner)
            .entry(number)
            .or_insert(said_at);
    }
}
