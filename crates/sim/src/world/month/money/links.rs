//! Payment links of a month: made, opened and paid on the provider's page, whose word comes once or twice; money
//! that the provider gives back, or that a bank takes and sometimes returns.

use super::super::super::World;
use super::super::super::life::Life;
use super::super::super::people::mxn;
use super::{Bill, Till, note};
use center::Actor;
use domain::entity::{LinkState, PaymentLink};
use domain::ids::PaymentLinkId;
use domain::money::Money;
use domain::ports::{Clock as _, IdSource as _, ProviderEvent, ProviderWhat};
use domain::time::{DAY_MS, UtcMs};
use rand::Rng as _;

/// Whose words they are.
const PROVIDER: &str = "stripe";
/// A link lives so long.
const LIVES_MS: i64 = 3 * DAY_MS;

impl Till {
    /// A bill is paid by a link; of ten links one is never paid.
    pub(super) async fn by_link(&mut self, world: &World, life: &Life, bill: Bill) {
        let now = life.clock.now();
        let link = made(world, &bill, now);
        let handle = &life.handle;
        note(world, handle.make_link(Actor::System, link.clone()).await);
        note(world, handle.answer_link(&link, true).await);
        let fate = self.rng.random_range(0..100);
        if fate < 10 {
            return note(world, handle.cancel_link(Actor::System, &link).await);
        }
        let money = format!("pi_{}", link.id);
        let amount = link.amount;
        let paid = said(
            world,
            life,
            ProviderWhat::Paid {
                link: link.id,
                money: money.clone(),
                amount,
            },
        );
        note(world, handle.provider_said(PROVIDER, paid.clone()).await);
        if fate < 30 {
            note(world, handle.provider_said(PROVIDER, paid).await);
        }
        let dispute = format!("dp_{}", link.id);
        let back = match fate {
            90..94 => ProviderWhat::Refunded {
                money,
                total: Money::new((bill.minor / 2).max(1), mxn()),
            },
            94.. => ProviderWhat::Withdrawn {
                money: money.clone(),
                dispute: dispute.clone(),
                amount,
            },
            _ => return,
        };
        note(
            world,
            handle
                .provider_said(PROVIDER, said(world, life, back))
                .await,
        );
        if fate >= 97 {
            let won = ProviderWhat::Reinstated {
                money: format!("pi_{}", link.id),
                dispute,
                amount,
            };
            note(
                world,
                handle.provider_said(PROVIDER, said(world, life, won)).await,
            );
        }
    }
}

/// A link for the whole of a bill.
fn made(world: &World, bill: &Bill, now: UtcMs) -> PaymentLink {
    PaymentLink {
        id: PaymentLinkId(world.ids.next(now)),
        client_id: bill.client,
        debtor_id: bill.debtor,
        debt_id: bill.debt,
        amount: Money::new(bill.minor, mxn()),
        point_id: None,
        state: LinkState::Created,
        tries: 0,
        session: None,
        session_url: None,
        made_by: "system".to_owned(),
        created_at: now,
        expires_at: now.plus_ms(LIVES_MS),
        opened_at: None,
        paid_at: None,
    }
}

/// A word of the provider's, of now.
fn said(world: &World, life: &Life, what: ProviderWhat) -> ProviderEvent {
    let at = life.clock.now();
    ProviderEvent {
        id: format!("evt_{}", world.ids.next(at)),
        at,
        what,
    }
}
