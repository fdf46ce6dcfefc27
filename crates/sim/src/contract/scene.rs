//! Rows to play with: a client with a portfolio, debtors, campaigns, nodes, attempts.

use super::judges::Allow;
use domain::entity::{
    Attempt, AttemptState, Campaign, CampaignParams, CampaignStatus, Channel, CheckPoint, Client,
    ContactPoint, CreditorKind, Debt, DebtStatus, Debtor, DebtorKind, DialMode, Hold, HoldKind,
    HoldScope, Language, LedgerKind, LedgerRow, Party, PartyRole, Payment, PaymentChannel,
    PointClass, Portfolio, Promise, PromiseState,
};
use domain::event::NewEvent;
use domain::ids::{
    AttemptId, CampaignId, ClientId, ConsentId, DebtId, DebtorId, EventId, HoldId, LedgerId,
    PartyId, PaymentId, PersonId, PointId, PortfolioId, PromiseId, SegmentId, TrunkId, VerdictId,
};
use domain::law::Action;
use domain::money::{Currency, Money};
use domain::ports::Store;
use domain::ports::store::{
    Candidate, DebtorRow, NodeLease, OpenDraft, OpenOutcome, ReserveRequest,
};
use domain::segment::Expr;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use std::sync::Arc;
use uuid::Uuid;

/// The store under test.
pub type Subject = Arc<dyn Store>;

/// The instant at which everything happens: Monday 2026-11-23 15:00 UTC.
pub const NOW: UtcMs = UtcMs(1_795_446_000_000);

/// A fresh identity, younger than all before.
#[must_use]
pub fn fresh<T: From<Uuid>>() -> T {
    T::from(Uuid::now_v7())
}

/// A fresh name.
#[must_use]
pub fn name(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::now_v7().simple())
}

/// Mexican pesos.
#[must_use]
pub fn mxn() -> Currency {
    "MXN".parse().expect("a currency")
}

/// An event about `subject`.
#[must_use]
pub fn event(kind: &str, subject: &str) -> NewEvent {
    NewEvent {
        id: fresh::<EventId>(),
        at: NOW,
        client_id: None,
        actor: "system".into(),
        kind: kind.into(),
        subject: subject.into(),
        data: serde_json::json!({"n": 1}),
    }
}

/// What is told of a promise that was kept or broken.
#[must_use]
pub fn of_promise(promise: &Promise) -> NewEvent {
    event(
        &format!("promise.{}", promise.state),
        &format!("promise:{}", promise.id),
    )
}

/// A client with one portfolio.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The store under test.
    pub client: Client,
    /// Its portfolio.
    pub portfolio: Portfolio,
}

/// A debtor with one debt and one phone.
#[derive(Debug, Clone)]
pub struct Person {
    /// The debtor.
    pub debtor: Debtor,
    /// His debt.
    pub debt: Debt,
    /// His phone.
    pub point: ContactPoint,
}

impl Scene {
    /// Stores a client and its portfolio.
    pub async fn new(store: &Subject) -> Self {
        let client = Client {
            id: fresh::<ClientId>(),
            name: name("client"),
            callback_number: "+525555550100".into(),
            created_at: NOW,
        };
        let portfolio = Portfolio {
            id: fresh::<PortfolioId>(),
            client_id: client.id,
            name: name("portfolio"),
            currency: mxn(),
            creditor_kind: CreditorKind::Financial,
            zone: "America/Mexico_City".into(),
            created_at: NOW,
        };
        store.put_client(&client, &[]).await.expect("client");
        store
            .put_portfolio(&portfolio, &[])
            .await
            .expect("portfolio");
        Self { client, portfolio }
    }

    /// A debtor of a fresh person, not stored yet, with 1,000.00 of debt 40 days past due.
    #[must_use]
    pub fn draft_person(&self) -> Person {
        let id = fresh::<DebtorId>();
        let debtor = Debtor {
            id,
            client_id: self.client.id,
            portfolio_id: self.portfolio.id,
            person_id: fresh::<PersonId>(),
            external_ref: name("ref"),
            kind: DebtorKind::Person,
            name: "Ana Ruiz Soto".into(),
            document: name("DOC").as_str().into(),
            country: "MX".into(),
            subdivision: None,
            language: Language::Es,
            address_zone: Some("America/Mexico_City".into()),
            told_zone: None,
            told_zone_at: None,
            created_at: NOW,
            updated_at: NOW,
        };
        let debt = self.draft_debt(id, 100_000);
        let point = draft_point(id);
        Person {
            debtor,
            debt,
            point,
        }
    }

    /// A debt, not stored yet: fees 100.00, interest 200.00, the rest principal.
    #[must_use]
    pub fn draft_debt(&self, debtor: DebtorId, balance_minor: i64) -> Debt {
        Debt {
            id: fresh::<DebtId>(),
            debtor_id: debtor,
            client_id: self.client.id,
            portfolio_id: self.portfolio.id,
            external_ref: name("loan"),
            product: "tarjeta".into(),
            currency: mxn(),
            principal_minor: balance_minor - 30_000,
            interest_minor: 20_000,
            fees_minor: 10_000,
            overdue_minor: 50_000,
            minimum_minor: 10_000,
            due_date: "2026-10-14".into(),
            statute_date: None,
            status: DebtStatus::Open,
            created_at: NOW,
            updated_at: NOW,
        }
    }

    /// Stores a fresh debtor.
    pub async fn person(&self, store: &Subject) -> Person {
        let person = self.draft_person();
        person.store(store).await;
        person
    }

    /// Stores a campaign over every debtor of the client and takes them in.
    pub async fn campaign(&self, store: &Subject) -> Campaign {
        let campaign = self.draft_campaign();
        store.put_campaign(&campaign, &[]).await.expect("campaign");
        refill(store, &campaign).await;
        campaign
    }

    /// A running campaign, not stored yet.
    #[must_use]
    pub fn draft_campaign(&self) -> Campaign {
        Campaign {
            id: fresh::<CampaignId>(),
            client_id: self.client.id,
            name: name("campaign"),
            segment_id: fresh::<SegmentId>(),
            script_id: None,
            status: CampaignStatus::Running,
            params: CampaignParams::default(),
            version: 1,
            created_at: NOW,
            updated_at: NOW,
        }
    }
}

impl Person {
    /// Stores debtor, debt and phone.
    pub async fn store(&self, store: &Subject) {
        store.put_debtor(&self.debtor, &[]).await.expect("debtor");
        store.put_debt(&self.debt, &[]).await.expect("debt");
        store.put_point(&self.point, &[]).await.expect("point");
    }

    /// The same as a row of a portfolio file.
    #[must_use]
    pub fn row(&self, line: u64) -> DebtorRow {
        DebtorRow {
            line,
            debtor: self.debtor.clone(),
            debt: self.debt.clone(),
            items: vec![],
            parties: vec![Party {
                id: fresh::<PartyId>(),
                debt_id: self.debt.id,
                debtor_id: self.debtor.id,
                role: PartyRole::Titular,
                name: self.debtor.name.clone(),
            }],
            points: vec![self.point.clone()],
            consents: vec![domain::entity::Consent {
                id: fresh::<ConsentId>(),
                debtor_id: self.debtor.id,
                channel: Channel::Call,
                purpose: "contact".into(),
                granted_at: NOW,
                until: None,
                revoked_at: None,
                proof: "contract".into(),
                revoke_proof: None,
            }],
            score: None,
            address: None,
        }
    }

    /// A payment of an amount now, not posted yet.
    #[must_use]
    pub fn payment(&self, amount_minor: i64) -> Payment {
        Payment {
            id: fresh::<PaymentId>(),
            client_id: self.debtor.client_id,
            debtor_id: self.debtor.id,
            debt_id: self.debt.id,
            amount: Money::new(amount_minor, mxn()),
            paid_at: NOW,
            channel: PaymentChannel::Transfer,
            reference: name("pay"),
            reverses: None,
            posted_at: NOW,
        }
    }

    /// A promise made an hour ago, due in two days, not recorded yet.
    #[must_use]
    pub fn promise(&self, amount_minor: i64) -> Promise {
        Promise {
            id: fresh::<PromiseId>(),
            client_id: self.debtor.client_id,
            debtor_id: self.debtor.id,
            debt_id: self.debt.id,
            attempt_id: None,
            agent_id: None,
            amount: Money::new(amount_minor, mxn()),
            due_date: "2026-11-25".into(),
            grace_until: NOW.plus_ms(4 * DAY_MS),
            channel: PaymentChannel::Transfer,
            state: PromiseState::Active,
            made_at: NOW.plus_ms(-HOUR_MS),
            closed_at: None,
        }
    }

    /// A hold on all that concerns him from now on, not placed yet.
    #[must_use]
    pub fn hold(&self, kind: HoldKind) -> Hold {
        Hold {
            id: fresh::<HoldId>(),
            client_id: self.debtor.client_id,
            debtor_id: self.debtor.id,
            scope: HoldScope::Debtor,
            debt_id: None,
            point_id: None,
            channel: None,
            kind,
            from: NOW,
            until: None,
            lifted_at: None,
            evidence: "suite".into(),
        }
    }

    /// What opening an attempt on him takes.
    #[must_use]
    pub fn draft(&self, lease: &NodeLease, campaign: Option<CampaignId>, at: UtcMs) -> OpenDraft {
        let id = fresh::<AttemptId>();
        OpenDraft {
            attempt: self.attempt(id, lease, campaign, at),
            action: Action {
                verdict_id: fresh::<VerdictId>(),
                check_point: CheckPoint::Dial,
                channel: Channel::Call,
                point_id: Some(self.point.id),
                campaign_id: campaign,
                campaign_window: None,
                attempts_per_day: None,
                circumstances: domain::entity::Circumstances::default(),
                ring_timeout_ms: 25_000,
                agent_reserved: campaign.is_none(),
                now: at,
            },
            ledger: LedgerRow {
                id: fresh::<LedgerId>(),
                person_id: self.debtor.person_id,
                debtor_id: self.debtor.id,
                client_id: self.debtor.client_id,
                debts: vec![self.debt.id],
                point_id: Some(self.point.id),
                address: self.point.value.clone(),
                class: PointClass::Mobile,
                channel: Channel::Call,
                kind: LedgerKind::Attempt,
                at,
                attempt_id: Some(id),
                campaign_id: campaign,
                reached_network: None,
            },
            events: vec![event("attempt.dialed", &format!("attempt:{id}"))],
        }
    }

    fn attempt(
        &self,
        id: AttemptId,
        lease: &NodeLease,
        campaign: Option<CampaignId>,
        at: UtcMs,
    ) -> Attempt {
        Attempt {
            id,
            client_id: self.debtor.client_id,
            campaign_id: campaign,
            debtor_id: self.debtor.id,
            person_id: self.debtor.person_id,
            debt_id: Some(self.debt.id),
            debts: vec![self.debt.id],
            point_id: self.point.id,
            phone: self.point.value.clone(),
            class: PointClass::Mobile,
            trunk_id: fresh::<TrunkId>(),
            caller_id: None,
            caller_number: "+525555550199".into(),
            node: lease.node.clone(),
            fence: lease.fence,
            direction: domain::entity::Direction::Outbound,
            mode: DialMode::Progressive,
            agent_reserved: campaign.is_none(),
            state: AttemptState::Committed,
            opened_at: at,
            invite_at: None,
            ringing_at: None,
            answered_at: None,
            popped_at: None,
            acked_at: None,
            bridged_at: None,
            identity_at: None,
            ended_at: None,
            result: None,
            sip_code: None,
            q850: None,
            disposition: None,
            note: None,
            disposed_at: None,
            agent_id: None,
            recording_id: None,
            verdict_id: fresh::<VerdictId>(),
            pack: String::new(),
            pack_version: String::new(),
        }
    }

    /// Opens an attempt by hand, which needs no lease.
    pub async fn open(&self, store: &Subject, lease: &NodeLease, at: UtcMs) -> Attempt {
        let draft = self.draft(lease, None, at);
        match store.open_attempt(&draft, &Allow).await.expect("open") {
            OpenOutcome::Opened(attempt, _) => *attempt,
            other => panic!("expected an opened attempt, got {other:?}"),
        }
    }
}

/// A phone that nobody else has.
#[must_use]
pub fn draft_point(debtor: DebtorId) -> ContactPoint {
    let digits = Uuid::now_v7().as_u128() % 10_000_000_000;
    ContactPoint {
        id: fresh::<PointId>(),
        debtor_id: debtor,
        role: PartyRole::Titular,
        channel: Channel::Call,
        value: format!("+52{digits:010}").into(),
        class: PointClass::Mobile,
        source: "import".into(),
        given_by_debtor: true,
        authorised: true,
        confidence: 80,
        position: 0,
        bad: false,
        last_rpc_at: None,
        added_at: NOW,
    }
}

/// Takes every debtor of the client into the campaign.
pub async fn refill(store: &Subject, campaign: &Campaign) {
    store
        .refill_campaign(campaign, &Expr::All, NOW, &[])
        .await
        .expect("refill");
}

/// Starts a node of a fresh name.
pub async fn node(store: &Subject) -> NodeLease {
    store
        .register_node(&name("node"), NOW, MINUTE_MS)
        .await
        .expect("node")
}

/// Reserves for a node at `NOW`, for five minutes.
pub async fn reserve(
    store: &Subject,
    campaign: &Campaign,
    lease: &NodeLease,
    limit: u32,
) -> Vec<Candidate> {
    let request = request(campaign, lease, limit);
    store.reserve_contacts(&request).await.expect("reserve")
}

/// A reservation at `NOW` for five minutes.
#[must_use]
pub fn request(campaign: &Campaign, lease: &NodeLease, limit: u32) -> ReserveRequest {
    ReserveRequest {
        campaign: campaign.clone(),
        node: lease.node.clone(),
        fence: lease.fence,
        limit,
        parts: Vec::new(),
        agreed_max: None,
        now: NOW,
        until: NOW.plus_ms(5 * MINUTE_MS),
    }
}

/// Ids of candidates, in their order.
#[must_use]
pub fn ids(candidates: &[Candidate]) -> Vec<DebtorId> {
    candidates.iter().map(|c| c.item.debtor_id).collect()
}
