//! Somebody who does not exist, with all that a call of his belongs to.

use super::super::items::write_item;
use super::super::sums::{ensure_persons, refresh};
use crate::sql::{Link, vals};
use domain::entity::{
    Attempt, AttemptState, CallResult, Campaign, CampaignParams, CampaignStatus, Channel,
    CheckPoint, Circumstances, Client, ContactPoint, CreditorKind, Debt, DebtStatus, Debtor,
    DebtorKind, Decision, DialMode, Direction, Language, LedgerKind, LedgerRow, PartyRole,
    PointClass, Portfolio, Verdict,
};
use domain::event::NewEvent;
use domain::ids::{
    AttemptId, CampaignId, ClientId, DebtId, DebtorId, EventId, LedgerId, PersonId, PointId,
    PortfolioId, SegmentId, TrunkId, VerdictId,
};
use domain::law::{Action, Judge};
use domain::money::Currency;
use domain::ports::StoreError;
use domain::ports::store::{Closing, ContactFacts, ItemState, OpenDraft, ReserveRequest};
use domain::time::{MINUTE_MS, UtcMs};
use uuid::Uuid;

/// When he is called; nothing that is rehearsed depends on it.
const AT: UtcMs = UtcMs(1_790_000_000_000);
const FENCE: i64 = 1;
/// How his own rows are written, and how calls ask from then on.
const FOR_HIM: &str = "SET LOCAL plan_cache_mode=force_custom_plan";
const FOR_ANYBODY: &str = "SET LOCAL plan_cache_mode=force_generic_plan";

/// One debtor of one client, with one debt, one phone and one campaign.
pub(super) struct Nobody {
    client: Client,
    portfolio: Portfolio,
    debtor: Debtor,
    debt: Debt,
    point: ContactPoint,
    campaign: Campaign,
    /// Of which node he is.
    node: String,
}

fn fresh<T: From<Uuid>>() -> T {
    T::from(Uuid::now_v7())
}

fn debt_of(debtor: &Debtor, currency: Currency) -> Debt {
    Debt {
        id: fresh::<DebtId>(),
        debtor_id: debtor.id,
        client_id: debtor.client_id,
        portfolio_id: debtor.portfolio_id,
        external_ref: String::new(),
        product: String::new(),
        currency,
        principal_minor: 1,
        interest_minor: 0,
        fees_minor: 0,
        overdue_minor: 1,
        minimum_minor: 1,
        due_date: "2026-01-01".into(),
        statute_date: None,
        status: DebtStatus::Open,
        created_at: AT,
        updated_at: AT,
    }
}

fn point_of(debtor: DebtorId) -> ContactPoint {
    // Of no country: its lock is nobody else's.
    let digits = Uuid::now_v7().as_u128() % 1_000_000_000_000;
    ContactPoint {
        id: fresh::<PointId>(),
        debtor_id: debtor,
        role: PartyRole::Titular,
        channel: Channel::Call,
        value: format!("+999{digits:012}").into(),
        class: PointClass::Mobile,
        source: String::new(),
        given_by_debtor: true,
        authorised: true,
        confidence: 0,
        position: 0,
        bad: false,
        last_rpc_at: None,
        added_at: AT,
    }
}

fn debtor_of(portfolio: &Portfolio, name: &str) -> Debtor {
    Debtor {
        id: fresh::<DebtorId>(),
        client_id: portfolio.client_id,
        portfolio_id: portfolio.id,
        person_id: fresh::<PersonId>(),
        external_ref: name.to_owned(),
        kind: DebtorKind::Person,
        name: name.into(),
        document: name.into(),
        country: "MX".into(),
        subdivision: None,
        language: Language::Es,
        address_zone: None,
        told_zone: None,
        told_zone_at: None,
        created_at: AT,
        updated_at: AT,
    }
}

impl Nobody {
    /// Another one than all before.
    pub(super) fn fresh() -> Result<Self, StoreError> {
        let currency: Currency = "MXN"
            .parse()
            .map_err(|_| StoreError::Corrupt("no currency".into()))?;
        let name = format!("rehearsal-{}", Uuid::now_v7().simple());
        let client = Client {
            id: fresh::<ClientId>(),
            name: name.clone(),
            callback_number: String::new(),
            created_at: AT,
        };
        let portfolio = Portfolio {
            id: fresh::<PortfolioId>(),
            client_id: client.id,
            name: name.clone(),
            currency,
            creditor_kind: CreditorKind::Financial,
            zone: "America/Mexico_City".into(),
            created_at: AT,
        };
        let debtor = debtor_of(&portfolio, &name);
        let campaign = Campaign {
            id: fresh::<CampaignId>(),
            client_id: client.id,
            name: name.clone(),
            segment_id: fresh::<SegmentId>(),
            script_id: None,
            status: CampaignStatus::Running,
            params: CampaignParams::default(),
            version: 1,
            created_at: AT,
            updated_at: AT,
        };
        Ok(Self {
            debt: debt_of(&debtor, currency),
            point: point_of(debtor.id),
            client,
            portfolio,
            debtor,
            campaign,
            node: name,
        })
    }

    pub(super) const fn debtor(&self) -> DebtorId {
        self.debtor.id
    }

    /// Writes his rows.
    pub(super) async fn write(&self, tx: &mut Link) -> Result<(), StoreError> {
        // What no call asks is planned for him alone: for anybody, his sums and his person took half a second among a
        // million others.
        tx.run(FOR_HIM, vals![]).await?;
        let node = "INSERT INTO nodes (name, fence, until) VALUES ($1,$2,$3)";
        tx.run(node, vals![self.node, FENCE, AT]).await?;
        tx.put(&self.client).await?;
        tx.put(&self.portfolio).await?;
        ensure_persons(tx, &[self.debtor.person_id]).await?;
        tx.put(&self.debtor).await?;
        tx.put(&self.debt).await?;
        tx.put(&self.point).await?;
        tx.put(&self.campaign).await?;
        refresh(tx, &[self.debtor.id]).await?;
        tx.run(FOR_ANYBODY, vals![]).await?;
        write_item(tx, &self.item()).await
    }

    fn item(&self) -> ItemState {
        ItemState {
            campaign_id: self.campaign.id,
            debtor_id: self.debtor.id,
            next_at: AT,
            priority: 0,
            attempts: 0,
            last_result: None,
            next_point: None,
            done: false,
            note: String::new(),
        }
    }

    /// A reservation that finds him.
    pub(super) fn request(&self, agreed_max: Option<u32>) -> ReserveRequest {
        ReserveRequest {
            campaign: self.campaign.clone(),
            node: self.node.clone(),
            fence: FENCE,
            limit: 1,
            parts: Vec::new(),
            agreed_max,
            now: AT,
            until: AT.plus_ms(MINUTE_MS),
        }
    }

    /// A call to him.
    pub(super) fn draft(&self) -> OpenDraft {
        let attempt = self.attempt();
        OpenDraft {
            action: Action {
                verdict_id: fresh::<VerdictId>(),
                check_point: CheckPoint::Dial,
                channel: Channel::Call,
                point_id: Some(self.point.id),
                campaign_id: Some(self.campaign.id),
                campaign_window: None,
                attempts_per_day: None,
                circumstances: Circumstances::default(),
                ring_timeout_ms: 1_000,
                agent_reserved: false,
                now: AT,
            },
            ledger: LedgerRow {
                id: fresh::<LedgerId>(),
                person_id: self.debtor.person_id,
                debtor_id: self.debtor.id,
                client_id: self.client.id,
                debts: vec![self.debt.id],
                point_id: Some(self.point.id),
                address: self.point.value.clone(),
                class: PointClass::Mobile,
                channel: Channel::Call,
                kind: LedgerKind::Attempt,
                at: AT,
                attempt_id: Some(attempt.id),
                campaign_id: Some(self.campaign.id),
                reached_network: None,
            },
            attempt,
            events: vec![self.told("attempt.dialed")],
        }
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            id: fresh::<AttemptId>(),
            client_id: self.client.id,
            campaign_id: Some(self.campaign.id),
            debtor_id: self.debtor.id,
            person_id: self.debtor.person_id,
            debt_id: Some(self.debt.id),
            debts: vec![self.debt.id],
            point_id: self.point.id,
            phone: self.point.value.clone(),
            class: PointClass::Mobile,
            trunk_id: fresh::<TrunkId>(),
            caller_id: None,
            caller_number: String::new(),
            node: self.node.clone(),
            fence: FENCE,
            direction: Direction::Outbound,
            mode: DialMode::Progressive,
            agent_reserved: false,
            state: AttemptState::Committed,
            opened_at: AT,
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

    /// How it ends.
    pub(super) fn closing(&self) -> Closing {
        Closing {
            ended_at: Some(AT.plus_ms(MINUTE_MS)),
            result: Some(CallResult::NoAnswer),
            reached_network: Some(true),
            item: Some(self.item()),
            events: vec![self.told("attempt.ended")],
            ..Closing::default()
        }
    }

    /// What is told of it, as of a call: an event each is written with its step.
    fn told(&self, kind: &str) -> NewEvent {
        NewEvent {
            id: fresh::<EventId>(),
            at: AT,
            client_id: Some(self.client.id),
            actor: "system".into(),
            kind: kind.into(),
            subject: String::new(),
            data: serde_json::json!({}),
        }
    }
}

/// Lets him be called.
pub(super) struct Lets;

impl Judge for Lets {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        Verdict {
            id: action.verdict_id,
            at: action.now,
            check_point: action.check_point,
            debtor_id: facts.debtor.id,
            point_id: action.point_id,
            campaign_id: action.campaign_id,
            channel: action.channel,
            decision: Decision::Allow,
            blocked: None,
            rules: vec![],
            packs: vec![],
            zones: vec![],
            counters: vec![],
            next_legal_at: None,
            record: None,
        }
    }
}
