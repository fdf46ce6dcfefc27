//! Who answers: a supervisor to agents' asks, debtors to documents they are sent, a clerk to what debtors
//! write.

use super::super::World;
use super::super::life::Life;
use super::super::tally::Tally;
use crate::store::MemoryStore;
use center::{Actor, CenterHandle};
use domain::entity::{InboxState, Plan, PlanState, Role};
use domain::ids::UserId;
use domain::pii::Pii;
use domain::ports::Clock;
use domain::time::{MINUTE_MS, SECOND_MS};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// Asks answered, percent: yes, no; the rest is left alone until its time is over.
const ANSWERED: (u128, u128) = (60, 20);
/// Documents that are signed, percent.
const SIGNED: u128 = 75;
/// A debtor looks at his document so long after it was drawn, and not after that, ms.
const READS_MS: (i64, i64) = (20 * SECOND_MS, 3 * MINUTE_MS);
/// Messages of debtors that are answered, percent.
const REPLIED: u128 = 50;

/// The `n`-th lot of a row, 0 to 99: by its own number, so that it never changes.
pub(super) fn lot(id: Uuid, n: u32) -> u128 {
    (id.as_u128() >> (n * 8)) % 100
}

/// Everybody who answers.
pub(super) struct Clerk {
    handle: CenterHandle,
    store: Arc<MemoryStore>,
    clock: Arc<dyn Clock>,
    user: UserId,
    tally: Tally,
    over: watch::Receiver<bool>,
}

impl Clerk {
    pub(super) fn of(world: &World, life: &Life, over: watch::Receiver<bool>) -> Self {
        Self {
            handle: life.handle.clone(),
            store: Arc::clone(&world.store),
            clock: Arc::clone(&life.clock) as _,
            user: UserId(Uuid::from_u128(1)),
            tally: world.tally.clone(),
            over,
        }
    }

    /// Works until the shift is over.
    pub(super) async fn work(self) {
        while !*self.over.borrow() {
            sleep(LOOK).await;
            self.asks().await;
            self.documents().await;
            self.inbox().await;
        }
    }

    fn plans(&self, state: PlanState) -> Vec<Plan> {
        self.store.with(|t| {
            let of_state = t.plans.values().filter(|p| p.state == state);
            of_state.cloned().collect()
        })
    }

    async fn asks(&self) {
        for plan in self.plans(PlanState::Offered) {
            let lot = lot(plan.id.0, 0);
            if lot >= ANSWERED.0 + ANSWERED.1 {
                continue;
            }
            let yes = lot < ANSWERED.0;
            let who = (self.user, Role::Supervisor);
            let done = self.handle.answer_plan(who, plan.id, yes, "visto".into());
            if let Err(error) = done.await {
                self.tally.refused(&error);
            }
        }
    }

    async fn documents(&self) {
        let now = self.clock.now();
        for plan in self.plans(PlanState::Approved) {
            let age = now.since_ms(plan.made_at);
            let reads = (READS_MS.0..READS_MS.1).contains(&age);
            if reads && lot(plan.id.0, 1) < SIGNED {
                let hash = format!("{:064x}", plan.id.0.as_u128());
                let done = self.handle.sign_plan(plan.id, hash, "document_end").await;
                if let Err(error) = done {
                    self.tally.refused(&error);
                }
            }
        }
    }

    async fn inbox(&self) {
        let waiting: Vec<_> = self.store.with(|t| {
            let new = t.inbox.values().filter(|m| m.state == InboxState::New);
            new.cloned().collect()
        });
        let me = Actor::User(self.user);
        for row in waiting {
            if !row.optout && row.debtor_id.is_some() && lot(row.id.0, 0) < REPLIED {
                let text = Pii("Gracias por escribirnos. Le llamamos pronto.".to_owned());
                match self.handle.answer_inbox(me, row.id, text).await {
                    Ok(_) => continue,
                    Err(error) => self.tally.refused(&error),
                }
            }
            if let Err(error) = self.handle.close_inbox(me, row.id).await {
                self.tally.refused(&error);
            }
        }
    }
}
