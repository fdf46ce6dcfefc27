//! Random people with everything that can happen to them.

use domain::entity::dnc::keyed_hash;
use domain::entity::{
    CallResult, Channel, Consent, DebtStatus, DncList, Hold, HoldKind, HoldScope, Language, Party,
    PartyRole, PaymentChannel, PointClass, PromiseState, Suppression, SuppressionKind,
};
use domain::ids::{ConsentId, DncListId, HoldId, ImportId, PartyId, SuppressionId};
use domain::pii::Pii;
use domain::ports::store::{AttemptChange, CallableMark};
use domain::time::{DAY_MS, HOUR_MS};
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};
use sim::contract::attempts::ended;
use sim::contract::scene::*;

const DUE: &[&str] = &[
    "2026-11-23",
    "2026-11-22",
    "2026-10-24",
    "2026-10-23",
    "2026-09-24",
    "2026-05-27",
    "2025-11-28",
    "2025-11-27",
    "2026-12-31",
    "soon",
];
const STATUTES: &[Option<&str>] = &[
    None,
    None,
    Some("2026-11-22"),
    Some("2026-11-23"),
    Some("2026-12-23"),
    Some("soon"),
];
/// Of two digits, of none, of three.
const CURRENCIES: &[&str] = &["MXN", "MXN", "USD", "CLP", "KWD"];
const AMOUNTS: &[i64] = &[0, 1, 999, 1_000, 50_000, 100_000, 7_777_777];

pub(crate) struct Maker {
    pub store: Subject,
    pub rng: StdRng,
    /// For what was asked about later, so that the people stay who they were.
    pub later: StdRng,
    pub first: bool,
}

impl Maker {
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.rng).expect("not empty")
    }

    /// Takes the other chance, or the first again.
    pub(crate) fn swap(&mut self) {
        std::mem::swap(&mut self.rng, &mut self.later);
    }

    pub(crate) fn chance(&mut self, pct: u32) -> bool {
        self.rng.random_range(0..100) < pct
    }

    pub(crate) async fn debtor(&mut self, scene: &Scene) -> Person {
        let mut person = scene.draft_person();
        person.debtor.country = self.one(&["MX", "CO", "PE"]).into();
        person.debtor.subdivision = self.one(&[None, Some("SP"), Some("")]).map(String::from);
        person.debtor.language = self.one(Language::ALL);
        person.debtor.address_zone = self.one(&[None, Some("America/Tijuana")]).map(String::from);
        person.debtor.told_zone = self.one(&[None, Some("America/Bogota")]).map(String::from);
        person.debtor.created_at = NOW.plus_ms(-self.one(&[0, DAY_MS - 1, DAY_MS, 40 * DAY_MS]));
        if self.chance(30) {
            person.debtor.name = Pii("ALFA".into());
            person.debtor.document = Pii("ALFA".into());
        }
        person.point.class = self.one(PointClass::ALL);
        self.swap();
        person.point.role = self.one(&[PartyRole::Titular, PartyRole::Aval]);
        self.swap();
        person.point.given_by_debtor = self.chance(50);
        person.point.authorised = self.chance(50);
        person.point.bad = self.chance(25);
        person.point.confidence = self.one(&[0, 40, 41, 100]);
        person.point.channel = self.one(&[Channel::Call, Channel::Call, Channel::Email]);
        let never = [
            None,
            Some(NOW),
            Some(NOW.plus_ms(-3 * DAY_MS)),
            Some(NOW.plus_ms(-DAY_MS + 1)),
        ];
        person.point.last_rpc_at = self.one(&never);
        person.point.added_at = self.one(&[NOW, NOW.plus_ms(-DAY_MS), NOW.plus_ms(-50 * DAY_MS)]);
        person.point.source = self.one(&["import", "agent"]).to_owned();
        if self.chance(20) {
            person.point.value = Pii("+525512345678".to_owned());
        }
        self.store
            .put_debtor(&person.debtor, &[])
            .await
            .expect("debtor");
        for _ in 0..self.rng.random_range(0..3) {
            let mut debt = scene.draft_debt(person.debtor.id, 0);
            debt.principal_minor = self.one(AMOUNTS);
            debt.interest_minor = self.one(AMOUNTS);
            debt.fees_minor = 0;
            debt.overdue_minor = self.one(AMOUNTS);
            debt.due_date = self.one(DUE).into();
            debt.statute_date = self.one(STATUTES).map(str::to_owned);
            debt.product = self.one(&["tarjeta", "auto", "d'oro"]).into();
            debt.currency = self.one(CURRENCIES).parse().expect("currency");
            debt.status = self.one(&[DebtStatus::Open, DebtStatus::Open, DebtStatus::Paid]);
            debt.minimum_minor = self.one(AMOUNTS);
            debt.fees_minor = self.one(AMOUNTS);
            self.store.put_debt(&debt, &[]).await.expect("debt");
            person.debt = debt;
        }
        if std::mem::take(&mut self.first) {
            person.debt.external_ref = "ALFA".into();
            person.debt.status = DebtStatus::Open;
        }
        self.store.put_debt(&person.debt, &[]).await.expect("debt");
        self.around(&person).await;
        if self.chance(80) {
            self.store
                .put_point(&person.point, &[])
                .await
                .expect("point");
        }
        person
    }

    /// Who else is on the debt, what was allowed, and what the client and the law say of him.
    async fn around(&mut self, person: &Person) {
        if self.chance(60) {
            let party = Party {
                id: fresh::<PartyId>(),
                debt_id: person.debt.id,
                debtor_id: person.debtor.id,
                role: self.one(&[PartyRole::Titular, PartyRole::Aval]),
                name: Pii("X".into()),
            };
            self.store.put_party(&party, &[]).await.expect("party");
        }
        if self.chance(60) {
            let consent = Consent {
                id: fresh::<ConsentId>(),
                debtor_id: person.debtor.id,
                channel: self.one(&[Channel::Call, Channel::Sms]),
                purpose: "contact".into(),
                granted_at: self.one(&[NOW, NOW.plus_ms(1), NOW.plus_ms(-DAY_MS)]),
                until: self.one(&[None, Some(NOW), Some(NOW.plus_ms(1))]),
                revoked_at: self.one(&[None, None, Some(NOW)]),
                proof: String::new(),
                revoke_proof: None,
            };
            self.store
                .put_consent(&consent, &[])
                .await
                .expect("consent");
        }
        if self.chance(60) {
            let mut row = person.row(2);
            row.score = Some(self.one(&[0, 50, 650]));
            let import = fresh::<ImportId>();
            let rows = [row];
            self.store
                .import_batch(import, &rows, false, &[])
                .await
                .expect("score");
        }
    }

    /// External lists: of one client or all, of phones or documents, one of them out of force.
    pub(crate) async fn lists(&mut self, people: &[Person]) {
        for (n, kind) in [
            SuppressionKind::Phone,
            SuppressionKind::Document,
            SuppressionKind::Phone,
        ]
        .into_iter()
        .enumerate()
        {
            let list = DncList {
                id: fresh::<DncListId>(),
                client_id: (n == 1).then(|| people[0].debtor.client_id),
                name: format!("LIST{n}"),
                kind,
                hash_key: format!("{n:064}"),
                entries: 0,
                file_sha256: String::new(),
                as_of: NOW,
                created_at: NOW.plus_ms(-HOUR_MS),
                retired_at: None,
            };
            let mut hashes = Vec::new();
            for person in people {
                if self.chance(15) {
                    let value = match kind {
                        SuppressionKind::Document => person.debtor.document.reveal(),
                        _ => person.point.value.reveal(),
                    };
                    hashes.push(keyed_hash(&list.hash_key, kind, value));
                }
            }
            self.store
                .load_list(&list, &hashes, &[])
                .await
                .expect("list");
            if n == 2 {
                let retired_at = Some(NOW);
                let list = DncList { retired_at, ..list };
                self.store.put_dnc_list(&list, &[]).await.expect("retired");
            }
        }
        // Written after the list was loaded.
        for person in people.iter().take(6) {
            let mut point = person.point.clone();
            point.id = fresh();
            point.value = people[self.rng.random_range(0..people.len())]
                .point
                .value
                .clone();
            self.store.put_point(&point, &[]).await.expect("point");
        }
    }

    /// Asked last, because whatever happens to a debtor takes his mark away.
    pub(crate) async fn marked(&mut self) {
        let claimed = self.store.claim_marks(NOW, 500).await.expect("claim");
        let mut marks = Vec::new();
        for facts in &claimed.facts {
            if self.chance(80) {
                marks.push(CallableMark {
                    debtor: facts.debtor.id,
                    from: self.one(&[NOW, NOW.plus_ms(1), NOW.plus_ms(-DAY_MS)]),
                    until: self.one(&[NOW, NOW.plus_ms(1), NOW.plus_ms(-1)]),
                });
            }
        }
        let kept = self.store.mark_callable(claimed.claim, &marks).await;
        assert_eq!(kept.expect("marks"), marks.len() as u64);
    }

    pub(crate) async fn history(
        &mut self,
        person: &Person,
        lease: &domain::ports::store::NodeLease,
    ) {
        let stored = self.store.get_point(person.point.id).await.is_ok();
        for _ in 0..self.rng.random_range(0..4) {
            if !stored {
                break;
            }
            let ago = self.one(&[0, HOUR_MS, 7 * DAY_MS, 7 * DAY_MS - 1, 40 * DAY_MS]);
            let attempt = person.open(&self.store, lease, NOW.plus_ms(-ago)).await;
            let mut closing = ended(self.one(CallResult::ALL));
            if self.chance(50) {
                closing.disposition = Some(self.one(&["CD.PP", "NC.ST"]).to_owned());
                closing.disposed_at = self.one(&[Some(NOW), Some(NOW.plus_ms(-ago)), None]);
            }
            let change = AttemptChange {
                identity_at: self.one(&[None, None, Some(attempt.opened_at)]),
                ..AttemptChange::default()
            };
            self.store
                .note_attempt(attempt.id, &change, &[])
                .await
                .expect("note");
            self.store
                .close_attempt(attempt.id, &closing)
                .await
                .expect("close");
            if closing.disposition.is_none() {
                self.swap();
                self.says_he_paid(person, attempt.id).await;
                self.swap();
            }
        }
        for state in [
            PromiseState::Active,
            PromiseState::Kept,
            PromiseState::Broken,
            PromiseState::Broken,
            PromiseState::KeptPartial,
        ] {
            if self.chance(30) {
                let mut promise = person.promise(1_000);
                promise.amount.currency = self.one(CURRENCIES).parse().expect("currency");
                promise.state = state;
                let long = NOW.plus_ms(-60 * DAY_MS);
                promise.closed_at = self.one(&[None, Some(NOW), Some(long), Some(long.plus_ms(1))]);
                self.swap();
                promise.channel = self.one(PaymentChannel::ALL);
                self.swap();
                self.store
                    .put_promise(&promise, &[])
                    .await
                    .expect("promise");
            }
        }
        for _ in 0..self.rng.random_range(0..3) {
            let mut payment = person.payment(self.one(&[-500, 1, 1_000, 50_000]));
            payment.amount.currency = self.one(CURRENCIES).parse().expect("currency");
            payment.channel = self.one(PaymentChannel::ALL);
            payment.paid_at = NOW.plus_ms(-self.one(&[-1, 0, 30 * DAY_MS, 30 * DAY_MS - 1]));
            self.store
                .put_payment(&payment, &[])
                .await
                .expect("payment");
        }
    }

    pub(crate) async fn stops(&mut self, person: &Person) {
        if self.chance(40) {
            let hold = Hold {
                id: fresh::<HoldId>(),
                client_id: person.debtor.client_id,
                debtor_id: person.debtor.id,
                scope: self.one(HoldScope::ALL),
                debt_id: None,
                point_id: None,
                channel: self.one(&[None, Some(Channel::Sms), Some(Channel::Call)]),
                kind: self.one(&[
                    HoldKind::Dispute,
                    HoldKind::Represented,
                    HoldKind::ChannelOptout,
                ]),
                from: self.one(&[NOW, NOW.plus_ms(1)]),
                until: self.one(&[None, Some(NOW), Some(NOW.plus_ms(1))]),
                lifted_at: self.one(&[None, None, Some(NOW), Some(NOW.plus_ms(1))]),
                evidence: String::new(),
            };
            self.store.put_hold(&hold, &[]).await.expect("hold");
        }
        if self.chance(40) {
            let kind = self.one(SuppressionKind::ALL);
            let value = match kind {
                SuppressionKind::Phone | SuppressionKind::Email => person.point.value.clone(),
                SuppressionKind::Document => {
                    let text = person.debtor.document.reveal().to_lowercase();
                    Pii(self.one(&["", " ", "-"]).to_owned() + &text)
                }
                SuppressionKind::Person => Pii(person.debtor.person_id.to_string()),
            };
            let own = person.debtor.client_id;
            let listed = Suppression {
                id: fresh::<SuppressionId>(),
                client_id: self.one(&[None, Some(own), Some(fresh())]),
                debtor_id: self.one(&[None, Some(person.debtor.id), Some(fresh())]),
                kind,
                value,
                reason: "list".into(),
                created_at: NOW,
                lifted_at: self.one(&[None, None, Some(NOW)]),
            };
            self.store
                .put_suppression(&listed, &[])
                .await
                .expect("suppression");
        }
    }
}
