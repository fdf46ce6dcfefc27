//! A debtor with one debt and one phone in a given place, and an action on him: the base of every
//! golden case of the law. Each test changes only what it is about.

use domain::entity::{
    BlockReason, Channel, CheckPoint, ContactPoint, CreditorKind, Debt, DebtStatus, Debtor,
    DebtorKind, Decision, Hold, HoldKind, HoldScope, Language, LedgerKind, LedgerRow, Party,
    PartyRole, PointClass, Portfolio, Verdict,
};
use domain::ids::{
    AttemptId, ClientId, DebtId, DebtorId, HoldId, LedgerId, PartyId, PersonId, PointId,
    PortfolioId, VerdictId,
};
use domain::law::{Action, Judge, RuleBook};
use domain::pii::Pii;
use domain::ports::store::ContactFacts;
use domain::time::UtcMs;
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// Reading the packs takes longer than all the verdicts of a test: once for all.
static BOOK: LazyLock<Arc<RuleBook>> =
    LazyLock::new(|| Arc::new(RuleBook::embedded().expect("the packs compiled in")));

/// Ring time of every action here, ms.
pub(crate) const RING_MS: i64 = 25_000;

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// The instant of a local time `2026-11-24T07:00` (seconds and milliseconds optional) in a zone.
pub(crate) fn at(local: &str, zone: &str) -> UtcMs {
    let civil: jiff::civil::DateTime = local.parse().expect("a local time");
    let tz = domain::time::zone(zone).expect("a zone");
    UtcMs::from(
        tz.to_ambiguous_zoned(civil)
            .compatible()
            .expect("an instant")
            .timestamp(),
    )
}

/// Where a debtor lives and how he is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    pub(crate) country: &'static str,
    pub(crate) subdivision: Option<&'static str>,
    pub(crate) phone: &'static str,
    pub(crate) kind: CreditorKind,
    pub(crate) zone: &'static str,
}

pub(crate) const MX: Home = Home {
    country: "MX",
    subdivision: None,
    phone: "+525512345678",
    kind: CreditorKind::Financial,
    zone: "America/Mexico_City",
};
pub(crate) const CO: Home = Home {
    country: "CO",
    subdivision: None,
    phone: "+573001234567",
    kind: CreditorKind::Financial,
    zone: "America/Bogota",
};
pub(crate) const CL: Home = Home {
    country: "CL",
    subdivision: None,
    phone: "+56912345678",
    kind: CreditorKind::Financial,
    zone: "America/Santiago",
};
pub(crate) const US: Home = Home {
    country: "US",
    subdivision: Some("NY"),
    phone: "+12125550123",
    kind: CreditorKind::Financial,
    zone: "America/New_York",
};

/// A debtor's facts and the book that judges them.
pub(crate) struct Case {
    pub(crate) book: Arc<RuleBook>,
    pub(crate) facts: ContactFacts,
    pub(crate) action: Action,
}

pub(crate) fn debt(n: u128) -> Debt {
    Debt {
        id: DebtId(id(n)),
        debtor_id: DebtorId(id(1)),
        client_id: ClientId(id(3)),
        portfolio_id: PortfolioId(id(6)),
        external_ref: format!("D{n}"),
        product: "tarjeta".into(),
        currency: "MXN".parse().expect("a currency"),
        principal_minor: 100_000,
        interest_minor: 0,
        fees_minor: 0,
        overdue_minor: 50_000,
        minimum_minor: 10_000,
        due_date: "2026-09-01".into(),
        statute_date: None,
        status: DebtStatus::Open,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

pub(crate) fn point(n: u128, phone: &str) -> ContactPoint {
    ContactPoint {
        id: PointId(id(n)),
        debtor_id: DebtorId(id(1)),
        role: PartyRole::Titular,
        channel: Channel::Call,
        value: Pii(phone.to_owned()),
        class: PointClass::Home,
        source: "import".into(),
        given_by_debtor: true,
        authorised: true,
        confidence: 80,
        position: 0,
        bad: false,
        last_rpc_at: None,
        added_at: UtcMs(0),
    }
}

impl Case {
    pub(crate) fn new(home: Home) -> Self {
        let debtor = Debtor {
            id: DebtorId(id(1)),
            client_id: ClientId(id(3)),
            portfolio_id: PortfolioId(id(6)),
            person_id: PersonId(id(2)),
            external_ref: "C-1".into(),
            kind: DebtorKind::Person,
            name: "Ana Prueba".into(),
            document: "AAA010101AAA".into(),
            country: home.country.into(),
            subdivision: home.subdivision.map(str::to_owned),
            language: Language::Es,
            address_zone: None,
            told_zone: None,
            told_zone_at: None,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        };
        let portfolio = Portfolio {
            id: PortfolioId(id(6)),
            client_id: ClientId(id(3)),
            name: "cartera".into(),
            currency: "MXN".parse().expect("a currency"),
            creditor_kind: home.kind,
            zone: home.zone.into(),
            created_at: UtcMs(0),
        };
        let party = Party {
            id: PartyId(id(7)),
            debt_id: DebtId(id(4)),
            debtor_id: DebtorId(id(1)),
            role: PartyRole::Titular,
            name: "Ana Prueba".into(),
        };
        let facts = ContactFacts {
            debtor,
            portfolio,
            debts: vec![debt(4)],
            parties: vec![party],
            points: vec![point(5, home.phone)],
            ledger: Vec::new(),
            holds: Vec::new(),
            suppressions: Vec::new(),
            consents: Vec::new(),
            preferences: Vec::new(),
            lists: Vec::new(),
            address_zones: Vec::new(),
            overrides: Vec::new(),
            client_law: None,
        };
        let action = Action {
            verdict_id: VerdictId(id(9)),
            check_point: CheckPoint::Dial,
            channel: Channel::Call,
            point_id: Some(PointId(id(5))),
            campaign_id: None,
            campaign_window: None,
            attempts_per_day: None,
            circumstances: domain::entity::Circumstances::default(),
            ring_timeout_ms: RING_MS,
            agent_reserved: false,
            now: UtcMs(0),
        };
        Self {
            book: Arc::clone(&BOOK),
            facts,
            action,
        }
    }

    /// The verdict at an instant.
    pub(crate) fn judge(&self, now: UtcMs) -> Verdict {
        let action = Action {
            now,
            ..self.action.clone()
        };
        self.book.judge(&self.facts, &action)
    }

    /// The verdict at a local time.
    pub(crate) fn judge_at(&self, local: &str, zone: &str) -> Verdict {
        self.judge(at(local, zone))
    }

    /// A row of the ledger about debt 4 and point 5.
    pub(crate) fn row(&mut self, kind: LedgerKind, at: UtcMs) -> &mut LedgerRow {
        let n = self.facts.ledger.len() as u128;
        let row = LedgerRow {
            id: LedgerId(id(1_000 + n)),
            person_id: PersonId(id(2)),
            debtor_id: DebtorId(id(1)),
            client_id: ClientId(id(3)),
            debts: vec![DebtId(id(4))],
            point_id: Some(PointId(id(5))),
            address: self.facts.points[0].value.clone(),
            class: self.facts.points[0].class,
            channel: Channel::Call,
            kind,
            at,
            attempt_id: Some(AttemptId(id(2_000 + n))),
            campaign_id: None,
            reached_network: None,
        };
        self.facts.ledger.push(row);
        self.facts.ledger.last_mut().expect("the row just pushed")
    }

    pub(crate) fn hold(&mut self, kind: HoldKind, scope: HoldScope, from: UtcMs) -> &mut Hold {
        let n = self.facts.holds.len() as u128;
        self.facts.holds.push(Hold {
            id: HoldId(id(3_000 + n)),
            client_id: ClientId(id(3)),
            debtor_id: DebtorId(id(1)),
            scope,
            debt_id: (scope == HoldScope::Debt).then_some(DebtId(id(4))),
            point_id: (scope == HoldScope::Point).then_some(PointId(id(5))),
            channel: None,
            kind,
            from,
            until: None,
            lifted_at: None,
            evidence: String::new(),
        });
        self.facts.holds.last_mut().expect("the hold just pushed")
    }
}

/// Asserts that contact is allowed without condition.
#[track_caller]
pub(crate) fn allowed(verdict: &Verdict) {
    assert_eq!(verdict.decision, Decision::Allow, "{:#?}", verdict.rules);
    assert_eq!(verdict.blocked, None);
}

/// Asserts a refusal for a reason by a rule.
#[track_caller]
pub(crate) fn refused(verdict: &Verdict, reason: BlockReason, rule: &str) {
    assert!(!verdict.decision.permits(true), "{verdict:#?}");
    assert_eq!(verdict.blocked, Some(reason), "{:#?}", verdict.rules);
    assert!(
        verdict.rules.iter().any(|r| r.refused && r.rule == rule),
        "{rule} did not refuse: {:#?}",
        verdict.rules
    );
}

/// Asserts a refusal that ends at an instant.
#[track_caller]
pub(crate) fn deferred(verdict: &Verdict, reason: BlockReason, rule: &str, until: UtcMs) {
    refused(verdict, reason, rule);
    assert_eq!(
        verdict.decision,
        Decision::Defer { until },
        "{:#?}",
        verdict.rules
    );
}
