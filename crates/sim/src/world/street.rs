//! The world outside the center: money that comes in the middle of a call, holds, listings, a
//! supervisor who looks and interferes, a database and a trunk that go away.

use super::people::{Cast, hold, listed, mxn};
use super::plan::{Plan, Stretch};
use super::tally::Tally;
use crate::store::MemoryStore;
use crate::trunk::SimTrunk;
use center::{Actor, CenterHandle, StateAsk};
use domain::entity::{HoldKind, Payment, PaymentChannel};
use domain::ids::{ClientId, DebtId, DebtorId, PaymentId, UserId};
use domain::money::Money;
use domain::ports::{Clock, IdSource};
use domain::rules::agent_state::PauseCode;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Everything that happens around a life of the center.
#[derive(Clone)]
pub(super) struct Street {
    pub(super) plan: Arc<Plan>,
    pub(super) cast: Arc<Cast>,
    pub(super) handle: CenterHandle,
    pub(super) store: Arc<MemoryStore>,
    pub(super) trunk: SimTrunk,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) tally: Tally,
    pub(super) over: watch::Receiver<bool>,
}

impl Street {
    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// A debtor, with a debt, who is being called now if `live` and there is one.
    fn somebody(&self, rng: &mut ChaCha8Rng, live: bool) -> Option<(ClientId, DebtorId, DebtId)> {
        let debtor = self.store.with(|t| {
            let called: Vec<DebtorId> = t
                .attempts
                .values()
                .filter(|a| live && !a.state.is_closed())
                .map(|a| a.debtor_id)
                .collect();
            let pool = if called.is_empty() {
                &self.cast.debtors
            } else {
                &called
            };
            pool[rng.random_range(0..pool.len())]
        });
        self.store.with(|t| {
            let debt = t.debts.values().find(|d| d.debtor_id == debtor)?;
            Some((debt.client_id, debtor, debt.id))
        })
    }

    /// Money, holds and listings until the shift is over.
    pub(super) async fn news(self, mut rng: ChaCha8Rng) {
        let mut last: Option<Payment> = None;
        while !self.is_over() {
            let pause_ms = rng.random_range(500..=self.plan.news_every_s * 2_000);
            sleep(Duration::from_millis(pause_ms)).await;
            let roll = rng.random_range(0..100);
            let live = rng.random_bool(0.7);
            let Some((client, debtor, debt)) = self.somebody(&mut rng, live) else {
                continue;
            };
            let user = Actor::User(UserId(self.ids.next(self.clock.now())));
            match roll {
                // A webhook that comes twice.
                0..10 if last.is_some() => {
                    if let Some(payment) = last.clone() {
                        let _ = self.handle.post_payment(Actor::System, payment).await;
                    }
                }
                0..70 => last = self.pay(&mut rng, (client, debtor, debt), live).await,
                70..85 => {
                    let now = self.clock.now();
                    let row = hold(self.ids.next(now), client, debtor, HoldKind::Cease, now);
                    let placed = self.handle.place_hold(user, row).await.is_ok();
                    self.tally.add(|c| c.stops += u64::from(placed));
                }
                85..95 => {
                    let now = self.clock.now();
                    let value = self.store.with(|t| {
                        let mine = t.points.values().find(|p| p.debtor_id == debtor);
                        mine.map(|p| p.value.clone())
                    });
                    if let Some(value) = value {
                        let row = listed(self.ids.next(now), &value, now);
                        let placed = self.handle.suppress(user, row).await.is_ok();
                        self.tally.add(|c| c.stops += u64::from(placed));
                    }
                }
                _ => self.handle.debtor_changed(debtor).await,
            }
        }
    }

    async fn pay(
        &self,
        rng: &mut ChaCha8Rng,
        (client, debtor, debt): (ClientId, DebtorId, DebtId),
        live: bool,
    ) -> Option<Payment> {
        let balance = self
            .store
            .with(|t| t.debts.get(&debt).map(|d| d.balance_minor()))?;
        let amount = if rng.random_bool(0.7) {
            balance
        } else {
            balance / 3
        };
        let now = self.clock.now();
        let id = self.ids.next(now);
        let payment = Payment {
            id: PaymentId(id),
            client_id: client,
            debtor_id: debtor,
            debt_id: debt,
            amount: Money::new(amount.max(1), mxn()),
            paid_at: now,
            channel: PaymentChannel::Transfer,
            reference: format!("R-{id}"),
            reverses: None,
            posted_at: now,
        };
        let posted = self
            .handle
            .post_payment(Actor::System, payment.clone())
            .await;
        if posted.is_ok() {
            self.tally.add(|c| {
                c.payments += 1;
                c.payments_mid_call += u64::from(live);
            });
        }
        Some(payment)
    }

    /// A supervisor: reads the board, asks why not, pauses and resumes, forces an agent.
    pub(super) async fn supervise(self, mut rng: ChaCha8Rng) {
        let user = Actor::User(UserId(self.ids.next(self.clock.now())));
        while !self.is_over() {
            sleep(Duration::from_millis(rng.random_range(5_000..60_000))).await;
            let campaign = self.cast.campaigns[rng.random_range(0..self.cast.campaigns.len())];
            let agent = self.cast.agents[rng.random_range(0..self.cast.agents.len())];
            let debtor = self.cast.debtors[rng.random_range(0..self.cast.debtors.len())];
            // What is refused or fails here is seen by the checkers if it leaves anything behind.
            match rng.random_range(0..10) {
                0..3 => drop(self.handle.board().await),
                3..5 => drop(self.handle.why_not(debtor, Some(campaign)).await),
                5..6 => drop(self.handle.hopper(campaign).await),
                6..7 => {
                    let _ = self.handle.pause_campaign(user, campaign).await;
                    sleep(Duration::from_secs(rng.random_range(1..15))).await;
                    while !self.is_over()
                        && self.handle.resume_campaign(user, campaign).await.is_err()
                    {
                        sleep(Duration::from_secs(1)).await;
                    }
                }
                7..8 => {
                    let pause = StateAsk::Paused(PauseCode::Coaching);
                    let _ = self.handle.agent_state(user, agent, pause).await;
                }
                _ => drop(self.handle.campaign_row(campaign).await),
            }
        }
    }

    /// The database goes away and comes back.
    pub(super) async fn outage(self, when: Stretch) {
        sleep(Duration::from_millis(when.from_ms)).await;
        if self.is_over() {
            return;
        }
        self.store.set_down(true);
        self.tally.add(|c| c.outages += 1);
        sleep(Duration::from_millis(when.for_ms)).await;
        self.store.set_down(false);
    }

    /// The trunk goes dead and comes back.
    pub(super) async fn dead_trunk(self, when: Stretch) {
        sleep(Duration::from_millis(when.from_ms)).await;
        if self.is_over() {
            return;
        }
        self.trunk.set_dead(true);
        self.tally.add(|c| c.dead_trunks += 1);
        sleep(Duration::from_millis(when.for_ms)).await;
        self.trunk.set_dead(false);
    }

    /// Agents' phones lose their network.
    pub(super) async fn drop_legs(self, mut rng: ChaCha8Rng) {
        for _ in 0..self.plan.dropped_legs {
            sleep(Duration::from_millis(rng.random_range(5_000..200_000))).await;
            let agent = self.cast.agents[rng.random_range(0..self.cast.agents.len())];
            if self.is_over() {
                return;
            }
            self.trunk.drop_leg(agent).await;
        }
    }
}
