//! Agreements within the random histories of the books: promises and plans of every kind, time that passes over
//! them, money that fulfils them, and money of an earlier day that comes to be known late.

use super::books::{History, settled};
use super::plans::{agreed, drawn};
use super::scene::*;
use domain::entity::{Debt, InstalmentState, PlanFile, PlanState};
use domain::ports::store::PromiseTerms;
use domain::time::{DAY_MS, UtcMs};
use rand::Rng as _;

/// Grace of the two parts of a plan ends so many days after it was drawn.
const GRACES: [i64; 2] = [3, 8];
/// Grace of a promise ends at most so many days after it was made.
const PROMISED_DAYS: i64 = 4;
/// Most plans or promises that one sweep ends.
const SWEPT: u32 = 500;

impl History<'_> {
    /// Each second debt with a plan, each with a promise.
    pub(super) async fn agreements(&mut self) {
        for n in 0..self.people.len() {
            if n % 2 == 0 {
                self.draw(n).await;
            }
            self.promise(n).await;
        }
    }

    /// A promise on a debt, when it has none.
    pub(super) async fn promise(&mut self, n: usize) {
        let terms = PromiseTerms {
            min_minor: 1,
            max_minor: i64::MAX,
        };
        let mut draft = self.person(n).await.promise(30_000);
        let days = self.rng.random_range(1..=PROMISED_DAYS);
        (draft.made_at, draft.grace_until) = (self.now, self.now.plus_ms(days * DAY_MS));
        let made = self.store.record_promise(&draft, terms, &[]).await;
        let promised = made.expect("promise").is_ok();
        self.did("promised", promised);
    }

    /// A debt as it is owed today.
    async fn owed(&self, debt: &Debt) -> Debt {
        let found = self.store.owed(std::slice::from_ref(debt), self.now).await;
        found.expect("owed").remove(0)
    }

    /// A plan of any kind on a debt that has none that runs: most are accepted at once.
    pub(super) async fn draw(&mut self, n: usize) {
        let person = self.person(n).await;
        let debt = self.owed(&person.debt).await;
        let most = debt.balance_minor();
        if most < 100 {
            return;
        }
        let quita = self.rng.random_range(0..=most / 3);
        let mut file = agreed(&Person { debt, ..person }, quita);
        let fate = self.rng.random_range(0..10);
        let plan = &mut file.plan;
        plan.made_at = self.now;
        plan.freeze_interest = self.rng.random_bool(0.7);
        plan.lapses = self.rng.random_bool(0.5);
        if self.rng.random_bool(0.5) {
            plan.early_off_minor = self.rng.random_range(1..=plan.agreed_minor / 8);
            let days = self.rng.random_range(1..=GRACES[1]);
            plan.early_until = Some(self.now.plus_ms(days * DAY_MS));
        }
        if fate == 0 {
            plan.state = PlanState::Offered;
            plan.asked_until = Some(self.now.plus_ms(DAY_MS));
        }
        for (part, days) in file.instalments.iter_mut().zip(GRACES) {
            part.grace_until = self.now.plus_ms(days * DAY_MS);
        }
        let done = drawn(self.store, &file).await.is_ok();
        self.did("drawn", done);
        if done && fate > 1 {
            let mut plan = file.plan;
            (plan.state, plan.signed_at) = (PlanState::Signed, Some(self.now));
            let moved = self.store.move_plan(&plan, PlanState::Approved, &[]).await;
            assert!(moved.expect("signed"));
        }
    }

    /// The newest plan of some debt, when it is in one of these states, with whose it is.
    async fn some_plan(&mut self, states: &[PlanState]) -> Option<(Person, PlanFile)> {
        let first = self.rng.random_range(0..self.people.len());
        for n in 0..self.people.len() {
            let person = self.person((first + n) % self.people.len()).await;
            let plans = self.store.plans_of(person.debtor.id).await.expect("plans");
            let newest = plans
                .into_iter()
                .find(|f| f.plan.debt_id == person.debt.id && f.plan.state != PlanState::Cancelled);
            if let Some(file) = newest.filter(|f| states.contains(&f.plan.state)) {
                return Some((person, file));
            }
        }
        None
    }

    /// Money of an instant on a debt.
    async fn put(&mut self, person: &Person, minor: i64, paid_at: UtcMs) -> bool {
        let mut payment = person.payment(minor);
        (payment.paid_at, payment.posted_at) = (paid_at, self.now);
        let done = self.store.post_payment(&payment, &[], &of_promise).await;
        let done = settled(done).is_some();
        if done {
            self.plain.push(payment);
        }
        done
    }

    /// The next part of a plan is paid, or what is left of it, or what is left of it without the incentive.
    pub(super) async fn fulfil(&mut self) {
        let states = [PlanState::Signed, PlanState::Active];
        let Some((person, file)) = self.some_plan(&states).await else {
            return;
        };
        let paid: i64 = file.instalments.iter().map(|p| p.paid_minor).sum();
        let left = file.plan.agreed_minor - paid;
        let next = file
            .instalments
            .iter()
            .find(|p| p.state == InstalmentState::Due);
        let minor = match self.rng.random_range(0..3) {
            0 => next.map_or(left, |p| p.amount_minor - p.paid_minor),
            1 => left,
            _ => left - file.plan.early_off_minor,
        };
        if minor > 0 {
            let done = self.put(&person, minor, self.now).await;
            self.did("fulfilled", done);
        }
    }

    /// A plan broke, and now money comes to be known that was there in time.
    pub(super) async fn late(&mut self) {
        let Some((person, file)) = self.some_plan(&[PlanState::Broken]).await else {
            return;
        };
        let part = &file.instalments[0];
        let minor = match self.rng.random_range(0..3) {
            0 => part.amount_minor,
            1 => file.plan.agreed_minor - file.plan.early_off_minor,
            _ => self.rng.random_range(1..=file.plan.agreed_minor),
        };
        let from = file.plan.signed_at.expect("it ran");
        let day = from.plus_ms(self.rng.random_range(0..GRACES[0] * DAY_MS));
        let done = self.put(&person, minor, day.min(self.now)).await;
        self.did("late", done);
    }

    /// Days pass.
    pub(super) fn leap(&mut self) {
        let ms = self.rng.random_range(DAY_MS / 2..=3 * DAY_MS);
        self.now = self.now.plus_ms(ms);
        self.did("leap", true);
    }

    /// Who looks at what time has ended: graces of promises and instalments, asks.
    pub(super) async fn sweep(&mut self) {
        let own = self.scene.client.id;
        loop {
            let moved = self
                .store
                .sweep_plans(self.now, SWEPT)
                .await
                .expect("swept");
            for plan in moved.iter().filter(|p| p.client_id == own) {
                match (plan.state, plan.lapses) {
                    (PlanState::Cancelled, _) => self.did("unanswered", true),
                    (_, true) => self.did("lapsed", true),
                    (_, false) => self.did("kept quita", plan.quita_minor > 0),
                }
            }
            if moved.is_empty() {
                break;
            }
        }
        loop {
            let swept = self.store.sweep_promises(self.now, SWEPT, &of_promise);
            let closed = swept.await.expect("swept");
            let own = closed.iter().filter(|p| p.client_id == own).count();
            self.did("promise over", own > 0);
            if closed.is_empty() {
                break;
            }
        }
    }
}
