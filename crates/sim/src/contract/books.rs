//! The books over random histories: what came in is on debts, waits or went back; what is owed fell by just
//! that, whatever files, disputes, merges, plans, days and taking back lie between.

use super::books_audit::Audit;
use super::books_people::{add_rule, parts, six_debts, with_items};
use super::merges::merge_row;
use super::receipts::{back, receipt, share, taken};
use super::scene::*;
use domain::entity::{Debt, DebtItem, Merge, Payment, Receipt};
use domain::ids::{DebtId, DebtorId, ImportId};
use domain::money::Currency;
use domain::ports::store::{ReceiptOutcome, ReceiptStep, StoreError, WebhookNote};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Steps of a history, an hour each at most; now and then days pass.
const STEPS: usize = 110;

/// Steps between two looks at the books, where no file stands that they cannot be compared with.
const LOOK_EVERY: usize = 25;

/// Money that is told late is of so many days before, at most.
const LATE_MS: i64 = 10 * DAY_MS;

/// Histories of a run, when nobody asks for more by `MARCADOR_BOOKS`.
const HISTORIES: u64 = 4;

/// How many histories to run.
pub(super) fn histories() -> u64 {
    let said = std::env::var("MARCADOR_BOOKS").ok();
    said.and_then(|n| n.parse().ok()).unwrap_or(HISTORIES)
}

/// How often each kind of step was done, not refused.
pub(super) type Done = BTreeMap<&'static str, usize>;

/// Kinds that histories must have, on engines that take files back.
pub(super) const KINDS: &[&str] = &[
    "taken",
    "spread",
    "off",
    "paid",
    "reversed",
    "refund",
    "dispute",
    "merge",
    "apart",
    "recall",
    "file",
    "undo",
    "promised",
    "promise over",
    "drawn",
    "unanswered",
    "fulfilled",
    "late",
    "lapsed",
    "kept quita",
    "completed",
    "incentive",
    "frozen",
    "next item",
];

pub(super) struct History<'a> {
    pub(super) store: &'a Subject,
    pub(super) scene: Scene,
    seed: u64,
    pub(super) rng: ChaCha8Rng,
    pub(super) now: UtcMs,
    /// Each debt with whom it was of.
    pub(super) people: Vec<Person>,
    /// Due items of the debts that have any.
    lists: BTreeMap<DebtId, Vec<DebtItem>>,
    receipts: Vec<Receipt>,
    /// Payments without a receipt.
    pub(super) plain: Vec<Payment>,
    /// Files that are in, oldest first.
    files: Vec<ImportId>,
    merged: Option<Merge>,
    /// Whether the engine takes files back.
    undoes: bool,
    done: Done,
}

pub(super) fn settled<T>(done: Result<T, StoreError>) -> Option<T> {
    match done {
        Ok(done) => Some(done),
        // What does not fit is refused whole; the audit sees that it changed nothing.
        Err(StoreError::Conflict(_)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

impl<'a> History<'a> {
    async fn new(store: &'a Subject, seed: u64) -> Self {
        let scene = Scene::new(store).await;
        let ruled = seed % 2 == 1;
        if ruled {
            add_rule(store, &scene).await;
        }
        let mut people = six_debts(store, &scene, ruled).await;
        let lists = with_items(store, &mut people).await;
        let none = store.undo_step(fresh(), NOW).await;
        let mut history = Self {
            store,
            scene,
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: NOW,
            people,
            lists,
            receipts: Vec::new(),
            plain: Vec::new(),
            files: Vec::new(),
            merged: None,
            undoes: matches!(none, Err(StoreError::NotFound(_))),
            done: Done::new(),
        };
        history.agreements().await;
        history
    }

    /// A debt as it is, and whose it is by now.
    pub(super) async fn person(&self, n: usize) -> Person {
        let mut person = self.people[n].clone();
        person.debt = self.store.get_debt(person.debt.id).await.expect("debt");
        person.debtor.id = person.debt.debtor_id;
        person
    }

    async fn any(&mut self) -> Person {
        let n = self.rng.random_range(0..self.people.len());
        self.person(n).await
    }

    pub(super) fn did(&mut self, kind: &'static str, done: bool) {
        *self.done.entry(kind).or_default() += usize::from(done);
    }

    fn currency(&mut self) -> Currency {
        let abroad = self.rng.random_range(0..8) == 0;
        let code = if abroad { "COP" } else { "MXN" };
        code.parse().expect("a currency")
    }

    /// A day on which money moved: most of it up to a day ago.
    fn moved_at(&mut self) -> UtcMs {
        let late = self.rng.random_range(0..4) == 0;
        let most = if late { LATE_MS } else { DAY_MS };
        let before = self.now.plus_ms(-self.rng.random_range(0..=most));
        before.max(NOW)
    }

    async fn take(&mut self) {
        let mut row = receipt(&self.scene, self.rng.random_range(1..90_000));
        row.amount.currency = self.currency();
        row.paid_at = self.moved_at();
        taken(self.store, &row).await;
        let (_, again) = self.store.take_receipt(&row, &[]).await.expect("again");
        assert!(again);
        self.receipts.push(row);
        self.did("taken", true);
    }

    fn any_receipt(&mut self) -> Option<Receipt> {
        let most = self.receipts.len();
        (most > 0).then(|| self.receipts[self.rng.random_range(0..most)].clone())
    }

    async fn step(
        &self,
        row: &Receipt,
        debtor: Option<DebtorId>,
        (payments, returned): (&[Payment], i64),
        word: Option<(&str, &str)>,
    ) -> Option<ReceiptOutcome> {
        let step = ReceiptStep {
            receipt: row.id,
            debtor_id: debtor,
            payments,
            returned_minor: returned,
            gone_minor: None,
            note: "",
            word,
            now: self.now,
            events: &[],
        };
        settled(self.store.step_receipt(&step, &of_promise).await)
    }

    /// Puts a receipt on the debts of somebody.
    async fn spread(&mut self) {
        let (Some(row), person) = (self.any_receipt(), self.any().await) else {
            return;
        };
        let mut shares = Vec::new();
        for n in 0..self.people.len() {
            let other = self.person(n).await;
            if other.debtor.id == person.debtor.id {
                let mut paid = share(&row, &other.debt, self.rng.random_range(1..40_000));
                paid.posted_at = self.now;
                shares.push(paid);
            }
        }
        let returned = if self.rng.random_bool(0.2) { 10 } else { 0 };
        let who = Some(person.debtor.id);
        let done = self.step(&row, who, (&shares, returned), None).await;
        self.did("spread", done.is_some());
    }

    /// What of the payments of a receipt still stands, newest first, as payments that take up to `most` back.
    async fn backs(&self, row: &Receipt, mut most: i64) -> Vec<Payment> {
        let rows = self.store.payments_of_receipt(row.id).await;
        let rows = rows.expect("payments");
        let mut backs = Vec::new();
        for first in rows.iter().rev().filter(|p| p.reverses.is_none()) {
            let later = rows.iter().filter(|p| p.reverses == Some(first.id));
            let stands: i64 = later.map(|p| p.amount.amount_minor).sum();
            let take = (first.amount.amount_minor + stands).min(most);
            if take > 0 {
                most -= take;
                let mut row = back(first, take);
                row.posted_at = self.now;
                backs.push(row);
            }
        }
        backs
    }

    /// Takes a part of a receipt off its debts again: it was put wrong.
    async fn off(&mut self) {
        let Some(row) = self.any_receipt() else {
            return;
        };
        let most = self.rng.random_range(1..60_000);
        let backs = self.backs(&row, most).await;
        let done = self.step(&row, None, (&backs, 0), None).await;
        self.did("off", done.is_some() && !backs.is_empty());
    }

    /// Up to `minor` of a receipt goes back to whom it came from: what is left of it, then what is on debts.
    async fn gone(&self, row: &Receipt, minor: i64, word: Option<(&str, &str)>) -> bool {
        let row = self.store.get_receipt(row.id).await.expect("receipt");
        let most = row.amount.amount_minor - row.returned_minor;
        let minor = minor.min(most);
        let backs = self.backs(&row, (minor - row.left_minor).max(0)).await;
        let done = self.step(&row, row.debtor_id, (&backs, minor), word).await;
        done.is_some() && minor > 0
    }

    async fn refund(&mut self) {
        if let Some(row) = self.any_receipt() {
            let minor = self.rng.random_range(1..50_000);
            let done = self.gone(&row, minor, None).await;
            self.did("refund", done);
        }
    }

    /// A bank takes all of a receipt; where the dispute is won, it comes again.
    async fn dispute(&mut self) {
        let Some(row) = self.any_receipt() else {
            return;
        };
        let note = WebhookNote {
            provider: "stripe".into(),
            event_id: name("evt"),
            what: "withdrawn:dp".into(),
            money: Some(row.reference.clone()),
            amount: Some(row.amount),
            done: false,
            at: self.now,
        };
        assert!(self.store.note_webhook(&note).await.expect("noted"));
        let word = Some(("stripe", &*note.event_id));
        let done = self.gone(&row, row.amount.amount_minor, word).await;
        let again = self.gone(&row, row.amount.amount_minor, word).await;
        assert!(!again, "a word is done once");
        self.did("dispute", done);
        if done && self.rng.random_bool(0.5) {
            let mut won = receipt(&self.scene, row.amount.amount_minor);
            (won.amount, won.paid_at) = (row.amount, self.now);
            taken(self.store, &won).await;
            self.receipts.push(won);
        }
    }

    async fn pay(&mut self) {
        let person = self.any().await;
        let mut payment = person.payment(self.rng.random_range(1..70_000));
        payment.amount.currency = self.currency();
        (payment.paid_at, payment.posted_at) = (self.moved_at(), self.now);
        let done = self.store.post_payment(&payment, &[], &of_promise).await;
        self.did("paid", done.is_ok());
        if settled(done).is_some() {
            let again = self.store.post_payment(&payment, &[], &of_promise).await;
            assert!(again.expect("again").repeated);
            self.plain.push(payment);
        }
    }

    /// A payment goes back, in part or whole; what it no longer has is refused.
    async fn reverse(&mut self) {
        if self.plain.is_empty() {
            return;
        }
        let n = self.rng.random_range(0..self.plain.len());
        let first = self.store.get_payment(self.plain[n].id).await;
        let first = first.expect("payment");
        let minor = self.rng.random_range(1..=first.amount.amount_minor);
        let mut row = back(&first, minor);
        row.posted_at = self.now;
        let done = self.store.post_payment(&row, &[], &of_promise).await;
        self.did("reversed", settled(done).is_some());
    }

    /// The files of the first two become one, or two again.
    async fn merge(&mut self) {
        match self.merged.take() {
            None => {
                let mut row = merge_row(&self.people[0], &self.people[2]);
                row.at = self.now;
                let done = self.store.merge_debtors(&row, &[]).await;
                self.merged = Some(done.expect("merged"));
                self.did("merge", true);
            }
            Some(row) => {
                let done = self.store.undo_merge(row.id, "user:x", self.now, &[]);
                done.await.expect("taken apart");
                self.did("apart", true);
            }
        }
    }

    /// A file of the client that says of some debts that more is owed; it came some time ago and is written now.
    async fn file(&mut self) {
        let id = fresh::<ImportId>();
        let mut rows = Vec::new();
        for line in 2..4 {
            let n = self.rng.random_range(0..self.people.len());
            let debt = self.person(n).await.debt;
            // The file knows debtors as they were made.
            let mut row = Person {
                debt,
                ..self.people[n].clone()
            }
            .row(line);
            row.debt.debtor_id = row.debtor.id;
            row.debt.principal_minor += self.rng.random_range(1..9_000);
            // One of the two says of which items, the other leaves them out of date.
            if line == 3 && self.lists.contains_key(&row.debt.id) {
                row.items = parts(row.debt.id, row.debt.principal_minor);
            }
            row.debt.overdue_minor = row.debt.balance_minor();
            row.debt.updated_at = self.now;
            row.debtor.updated_at = self.now.plus_ms(-self.rng.random_range(0..=DAY_MS));
            if rows
                .iter()
                .all(|r: &domain::ports::store::DebtorRow| r.debt.id != row.debt.id)
            {
                rows.push(row);
            }
        }
        let done = self.store.import_batch(id, &rows, false, &[]).await;
        let report = done.expect("import");
        assert_eq!(report.debts_new, 0, "{report:?}");
        self.files.push(id);
        self.did("file", true);
    }

    async fn recall(&mut self) {
        let Some(file) = self.files.last().copied() else {
            return;
        };
        let debt = self.any().await.debt.id;
        let done = self.store.recall_debts(file, &[debt], self.now).await;
        self.did("recall", done.expect("recalled") > 0);
    }

    /// The last file is taken back.
    async fn undo(&mut self) {
        let Some(file) = self.files.pop() else {
            return;
        };
        loop {
            let step = self.store.undo_step(file, self.now).await.expect("undo");
            if !step.more {
                break;
            }
        }
        self.did("undo", true);
    }

    /// What files and recalls change cannot be compared with what was before them where they stay.
    async fn some_file(&mut self) {
        if !self.undoes {
            return;
        }
        match self.rng.random_range(0..4) {
            0 | 1 => self.file().await,
            2 => self.recall().await,
            _ => self.undo().await,
        }
    }

    async fn some_step(&mut self) {
        self.now = self.now.plus_ms(self.rng.random_range(0..=60 * MINUTE_MS));
        match self.rng.random_range(0..21) {
            0 | 1 => self.take().await,
            2..=4 => self.spread().await,
            5 => self.off().await,
            6 => self.refund().await,
            7 => self.dispute().await,
            8 | 9 => self.pay().await,
            10 => self.reverse().await,
            11 => self.merge().await,
            12 => self.some_file().await,
            13 | 14 => self.fulfil().await,
            15 | 16 => self.late().await,
            17 => self.leap(),
            18 => self.sweep().await,
            which => {
                let n = self.rng.random_range(0..self.people.len());
                match which {
                    19 => self.draw(n).await,
                    _ => self.promise(n).await,
                }
            }
        }
    }

    /// The books are told of everything that happened until now: each debt gets a little money, by which its plan
    /// is judged, and what time has ended ends. Then they are looked at.
    async fn look(&mut self) {
        for n in 0..self.people.len() {
            let mut payment = self.person(n).await.payment(1);
            (payment.paid_at, payment.posted_at) = (self.now, self.now);
            let last = self.store.post_payment(&payment, &[], &of_promise).await;
            last.expect("posted");
        }
        self.sweep().await;
        let debts: Vec<Debt> = self.people.iter().map(|p| p.debt.clone()).collect();
        let mut audit = Audit {
            store: self.store,
            seed: self.seed,
            now: self.now,
            lists: &self.lists,
            done: &mut self.done,
        };
        audit.all(&debts, &self.receipts).await;
    }

    /// All money goes back: none of it is refused.
    async fn all_back(&mut self) {
        for row in self.receipts.clone() {
            let stored = self.store.get_receipt(row.id).await.expect("receipt");
            let left = stored.amount.amount_minor - stored.returned_minor;
            assert_eq!(self.gone(&row, left, None).await, left > 0, "{stored:?}");
        }
        for first in std::mem::take(&mut self.plain) {
            let first = self.store.get_payment(first.id).await.expect("payment");
            for minor in [first.amount.amount_minor, first.amount.amount_minor / 2, 1] {
                let mut row = back(&first, minor.max(1));
                row.posted_at = self.now;
                settled(self.store.post_payment(&row, &[], &of_promise).await);
            }
        }
    }
}

/// A random history: receipts of any size and currency, matched to anybody, over-paid, returned, refunded,
/// disputed, put wrong and taken off, payments without a receipt, reversals in any order, money that is told days
/// late, all of it also twice; on debts with promises and with plans of every kind, fulfilled, early, in part or
/// not, while days pass and graces end; under a rule of interest or the creditor's figures, in debtor files that
/// are made one and two again, with files that change and recall them and are taken back.
pub(super) async fn balance(store: &Subject, seed: u64) -> Done {
    let mut history = History::new(store, seed).await;
    for step in 1..=STEPS {
        history.some_step().await;
        if step % LOOK_EVERY == 0 && history.files.is_empty() {
            history.look().await;
        }
    }
    while !history.files.is_empty() {
        history.undo().await;
    }
    history.look().await;
    history.all_back().await;
    history.look().await;
    history.done
}
