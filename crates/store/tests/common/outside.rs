//! What happened to random people outside of calls: visits, payment links, payments that they say they made.

use crate::maker::Maker;
use domain::entity::{
    Channel, CheckPoint, Circumstances, Claim, ClaimState, LedgerRow, LinkState, PaymentChannel,
    PaymentLink, Visit, VisitOutcome, VisitState,
};
use domain::ids::{AttemptId, CampaignId, ClaimId, PaymentLinkId, VisitId};
use domain::law::Action;
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::{
    CALLBACK_PRIORITY, ClaimEnd, Closing, ItemState, VisitDraft, VisitEnd, VisitPlanned,
};
use domain::time::DAY_MS;
use rand::Rng as _;
use sim::contract::judges::Allow;
use sim::contract::scene::*;

impl Maker {
    /// Visits, links to pay by, a call that is agreed.
    pub(crate) async fn outside(&mut self, person: &Person, campaign: CampaignId) {
        if self.chance(50) {
            let item = ItemState {
                campaign_id: campaign,
                debtor_id: person.debtor.id,
                next_at: NOW,
                priority: self.one(&[CALLBACK_PRIORITY, CALLBACK_PRIORITY, 0]),
                attempts: 1,
                last_result: None,
                next_point: None,
                done: self.chance(20),
                note: self
                    .one(&["callback", "callback_own:1", "retry"])
                    .to_owned(),
            };
            self.store.put_item(&item, &[]).await.expect("item");
        }
        for _ in 0..self.rng.random_range(0..3) {
            self.visit(person).await;
        }
        for _ in 0..self.rng.random_range(0..3) {
            let link = PaymentLink {
                id: fresh::<PaymentLinkId>(),
                client_id: person.debtor.client_id,
                debtor_id: person.debtor.id,
                debt_id: person.debt.id,
                amount: Money::new(5_000, "MXN".parse().expect("currency")),
                point_id: None,
                state: self.one(LinkState::ALL),
                tries: 0,
                session: None,
                session_url: None,
                made_by: "agent:1".into(),
                created_at: NOW,
                expires_at: NOW.plus_ms(DAY_MS),
                opened_at: None,
                paid_at: None,
            };
            let made = self.store.put_payment_link(&link, &[]).await;
            made.expect("link");
        }
    }

    /// One visit, at most planned where another one is; who owes nothing or is held gets none.
    async fn visit(&mut self, person: &Person) {
        let id: VisitId = fresh();
        let action = Action {
            verdict_id: fresh(),
            check_point: CheckPoint::Visit,
            channel: Channel::Visit,
            point_id: None,
            campaign_id: None,
            campaign_window: None,
            attempts_per_day: None,
            circumstances: Circumstances::default(),
            ring_timeout_ms: 0,
            agent_reserved: true,
            now: NOW,
        };
        let visit = Visit {
            id,
            client_id: person.debtor.client_id,
            debtor_id: person.debtor.id,
            address_id: fresh(),
            debts: vec![person.debt.id],
            planned_at: self.one(&[NOW, NOW.plus_ms(1), NOW.plus_ms(-40 * DAY_MS)]),
            state: VisitState::Planned,
            verdict_id: action.verdict_id,
            made_by: "user:1".into(),
            made_at: NOW,
            visited_at: None,
            outcome: None,
            result: None,
            note: Pii(String::new()),
            reason: String::new(),
            ended_by: String::new(),
            ended_at: None,
        };
        let at = visit.planned_at;
        let draft = VisitDraft {
            ledger: LedgerRow::of_visit(&visit, person.debtor.person_id),
            action,
            events: Vec::new(),
            visit,
        };
        let planned = self.store.plan_visit(&draft, &Allow).await;
        if !matches!(planned.expect("asked"), VisitPlanned::Planned) || !self.chance(70) {
            return;
        }
        let outcome = self.one(&[
            None,
            Some(VisitOutcome::Met),
            Some(VisitOutcome::OtherPerson),
            Some(VisitOutcome::Nobody),
        ]);
        let end = VisitEnd {
            outcome,
            visited_at: outcome.map(|_| at),
            result: None,
            note: Pii(String::new()),
            reason: String::new(),
            by: "user:2".into(),
            at: NOW,
        };
        let ended = self.store.end_visit(id, &end, &[]).await;
        assert!(ended.expect("told"));
    }

    /// What he may say in a call that nobody has disposed of yet, and what was found of it.
    pub(crate) async fn says_he_paid(&mut self, person: &Person, attempt: AttemptId) {
        if !self.chance(60) {
            return;
        }
        let claim = Claim {
            id: ClaimId(attempt.0),
            client_id: person.debtor.client_id,
            debtor_id: person.debtor.id,
            attempt_id: attempt,
            agent_id: None,
            paid_on: "2026-11-23".into(),
            channel: PaymentChannel::Cash,
            proof: false,
            made_at: NOW,
            state: ClaimState::Open,
            payment_id: None,
            reason: String::new(),
            ended_by: String::new(),
            ended_at: None,
        };
        let closing = Closing {
            disposition: Some("CD.YP".to_owned()),
            disposed_at: Some(NOW),
            claim: Some(claim.clone()),
            ..Closing::default()
        };
        let said = self.store.close_attempt(attempt, &closing).await;
        assert!(said.expect("disposed"));
        let end = ClaimEnd {
            payment_id: self.one(&[None, Some(fresh())]),
            reason: String::new(),
            by: "user:1".into(),
            at: NOW,
        };
        if self.chance(60) {
            let ended = self.store.end_claim(claim.id, &end, &[]).await;
            assert!(ended.expect("closed"));
        }
    }
}
