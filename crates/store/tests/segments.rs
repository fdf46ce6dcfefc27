//! The SQL of a segment and the evaluator of the language agree, on both engines, for random
//! populations and random expressions.

mod common;

use domain::entity::{
    CallResult, Channel, DebtStatus, Hold, HoldKind, HoldScope, Language, PromiseState,
    Suppression, SuppressionKind,
};
use domain::ids::{DebtorId, HoldId, SuppressionId};
use domain::ports::store::{AttemptChange, ListFilter, PageRequest};
use domain::segment::{Expr, Field, FieldKind, Literal, Op, SegmentFacts, SegmentRow, eval, print};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use sim::contract::attempts::ended;
use sim::contract::scene::*;
use std::sync::Arc;

const DEBTORS: usize = 70;
const EXPRESSIONS: u32 = 300;
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
const AMOUNTS: &[i64] = &[0, 1, 999, 1_000, 50_000, 100_000, 7_777_777];

struct Maker {
    store: Subject,
    rng: StdRng,
}

impl Maker {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.rng).expect("not empty")
    }

    fn chance(&mut self, pct: u32) -> bool {
        self.rng.random_range(0..100) < pct
    }

    async fn debtor(&mut self, scene: &Scene) -> Person {
        let mut person = scene.draft_person();
        person.debtor.country = self.one(&["MX", "CO", "PE"]).into();
        person.debtor.subdivision = self.one(&[None, Some("SP"), Some("")]).map(String::from);
        person.debtor.language = self.one(Language::ALL);
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
            debt.product = self.one(&["tarjeta", "auto", "d'oro"]).into();
            debt.currency = self.one(&["MXN", "USD"]).parse().expect("currency");
            debt.status = self.one(&[DebtStatus::Open, DebtStatus::Open, DebtStatus::Paid]);
            self.store.put_debt(&debt, &[]).await.expect("debt");
            person.debt = debt;
        }
        self.store.put_debt(&person.debt, &[]).await.expect("debt");
        if self.chance(80) {
            self.store
                .put_point(&person.point, &[])
                .await
                .expect("point");
        }
        person
    }

    async fn history(&mut self, person: &Person, lease: &domain::ports::store::NodeLease) {
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
            self.store
                .note_attempt(attempt.id, &AttemptChange::default(), &[])
                .await
                .expect("note");
            self.store
                .close_attempt(attempt.id, &closing)
                .await
                .expect("close");
        }
        for state in [
            PromiseState::Active,
            PromiseState::Kept,
            PromiseState::Broken,
            PromiseState::Broken,
        ] {
            if self.chance(30) {
                let mut promise = person.promise(1_000);
                promise.state = state;
                self.store
                    .put_promise(&promise, &[])
                    .await
                    .expect("promise");
            }
        }
        for _ in 0..self.rng.random_range(0..3) {
            let mut payment = person.payment(self.one(&[-500, 1, 1_000, 50_000]));
            payment.paid_at = NOW.plus_ms(-self.one(&[-1, 0, 30 * DAY_MS, 30 * DAY_MS - 1]));
            self.store
                .put_payment(&payment, &[])
                .await
                .expect("payment");
        }
    }

    async fn stops(&mut self, person: &Person) {
        if self.chance(40) {
            let hold = Hold {
                id: fresh::<HoldId>(),
                client_id: person.debtor.client_id,
                debtor_id: person.debtor.id,
                scope: self.one(HoldScope::ALL),
                debt_id: None,
                point_id: None,
                channel: None,
                kind: HoldKind::Dispute,
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
                SuppressionKind::Phone => person.point.value.clone(),
                SuppressionKind::Document => person.debtor.document.clone(),
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

/// Rows of the evaluator, from everything the store gives about each debtor.
async fn rows(store: &Subject, scene: &Scene, people: &[Person]) -> Vec<(DebtorId, SegmentRow)> {
    let page = PageRequest {
        limit: 500,
        cursor: None,
    };
    let listed = store
        .list_suppressions(&ListFilter::default(), &page)
        .await
        .expect("list")
        .items;
    let mut rows = Vec::new();
    for person in people {
        let file = store.debtor_file(person.debtor.id).await.expect("file");
        let facts = SegmentFacts {
            debtor: &file.debtor,
            portfolio: &scene.portfolio.name,
            debts: &file.debts.iter().collect::<Vec<_>>(),
            points: &file.points.iter().collect::<Vec<_>>(),
            attempts: &file.attempts.iter().collect::<Vec<_>>(),
            promises: &file.promises.iter().collect::<Vec<_>>(),
            payments: &file.payments.iter().collect::<Vec<_>>(),
            holds: &file.holds.iter().collect::<Vec<_>>(),
            suppressions: &listed.iter().collect::<Vec<_>>(),
        };
        rows.push((person.debtor.id, facts.row(NOW)));
    }
    rows.sort_by_key(|(id, _)| *id);
    rows
}

/// Words that occur, and one that does not.
fn words(field: Field, scene: &Scene, some_ref: &str) -> Vec<String> {
    let list: &[&str] = match field {
        Field::Country => &["MX", "CO", "XX"],
        Field::Subdivision => &["SP", ""],
        Field::Language => &["es", "en", "pt"],
        Field::DebtorKind => &["person", "company"],
        Field::ExternalRef => return vec![some_ref.to_owned(), "none".into()],
        Field::Portfolio => return vec![scene.portfolio.name.clone(), "none".into()],
        Field::Product => &["tarjeta", "auto", "d'oro", "moto"],
        Field::Currency => &["MXN", "USD", "EUR"],
        Field::Bucket => &[
            "preventive",
            "b1_30",
            "b31_60",
            "b61_90",
            "b181_360",
            "b361_plus",
            "none",
        ],
        Field::LastResult => &["", "busy", "human", "unknown"],
        Field::LastDisposition => &["", "CD.PP", "NC.ST"],
        _ => &[""],
    };
    list.iter().map(|w| (*w).to_owned()).collect()
}

fn numbers() -> impl Strategy<Value = i64> {
    let near = [
        -38, -1, 0, 1, 2, 3, 7, 29, 30, 31, 40, 41, 60, 360, 361, 999, 1_000, 50_000, 99_999,
        100_000, 100_001,
    ];
    prop_oneof![8 => proptest::sample::select(near.to_vec()), 1 => any::<i64>()]
}

fn leaf(scene: &Scene, some_ref: &str) -> BoxedStrategy<Expr> {
    let (scene, some_ref) = (scene.clone(), some_ref.to_owned());
    (
        proptest::sample::select(Field::ALL),
        proptest::sample::select(Op::ALL),
        0..3,
    )
        .prop_flat_map(move |(field, op, form)| match (field.kind(), form) {
            (FieldKind::Text, 0) => {
                let words = words(field, &scene, &some_ref);
                proptest::collection::vec(proptest::sample::select(words), 1..4)
                    .prop_map(move |v| Expr::In {
                        field,
                        values: v.into_iter().map(Literal::Text).collect(),
                    })
                    .boxed()
            }
            (FieldKind::Text, _) => proptest::sample::select(words(field, &scene, &some_ref))
                .prop_map(move |w| Expr::Cmp {
                    field,
                    op,
                    value: Literal::Text(w),
                })
                .boxed(),
            (FieldKind::Bool, _) => any::<bool>()
                .prop_map(move |b| Expr::Cmp {
                    field,
                    op,
                    value: Literal::Bool(b),
                })
                .boxed(),
            (_, 0) => proptest::collection::vec(numbers(), 1..4)
                .prop_map(move |v| Expr::In {
                    field,
                    values: v.into_iter().map(Literal::Int).collect(),
                })
                .boxed(),
            (_, 1) => (numbers(), numbers())
                .prop_map(move |(a, b)| Expr::Between {
                    field,
                    from: a.min(b),
                    to: a.max(b),
                })
                .boxed(),
            _ => numbers()
                .prop_map(move |n| Expr::Cmp {
                    field,
                    op,
                    value: Literal::Int(n),
                })
                .boxed(),
        })
        .boxed()
}

fn tree(scene: &Scene, some_ref: &str) -> impl Strategy<Value = Expr> + use<> {
    prop_oneof![9 => leaf(scene, some_ref), 1 => Just(Expr::All)].prop_recursive(
        3,
        12,
        3,
        |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
                inner.prop_map(|e| Expr::Not(Box::new(e))),
            ]
        },
    )
}

async fn population(store: &Subject, seed: u64) -> (Scene, Vec<(DebtorId, SegmentRow)>) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut maker = Maker {
        store: store.clone(),
        rng: StdRng::seed_from_u64(seed),
    };
    let mut people = Vec::new();
    for _ in 0..DEBTORS {
        let person = maker.debtor(&scene).await;
        maker.history(&person, &lease).await;
        maker.stops(&person).await;
        people.push(person);
    }
    let rows = rows(store, &scene, &people).await;
    (scene, rows)
}

fn agree(runtime: &tokio::runtime::Runtime, store: Subject, seed: u64) {
    let (scene, rows) = runtime.block_on(population(&store, seed));
    let strategy = tree(&scene, &rows[DEBTORS / 2].1.external_ref);
    let config = Config {
        cases: EXPRESSIONS,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |expr| {
            let of = |at: UtcMs| store.segment_ids(scene.client.id, &expr, at);
            let got = runtime.block_on(of(NOW)).expect("ids");
            let want: Vec<DebtorId> = rows
                .iter()
                .filter(|(_, row)| eval(&expr, row))
                .map(|(id, _)| *id)
                .collect();
            prop_assert_eq!(got, want, "{}", print(&expr));
            Ok(())
        })
        .expect("SQL and evaluator agree");
    // The population is worth asking: every field tells some debtors from others.
    for field in Field::ALL {
        assert!(tell_apart(*field, &rows), "{field}: all debtors look alike");
    }
}

/// Whether some simple question about the field is answered differently by two debtors.
fn tell_apart(field: Field, rows: &[(DebtorId, SegmentRow)]) -> bool {
    if matches!(field, Field::Portfolio | Field::DebtorKind) {
        return true;
    }
    let ask = |value: Literal, op| {
        let expr = Expr::Cmp { field, op, value };
        let yes = rows.iter().filter(|(_, row)| eval(&expr, row)).count();
        yes > 0 && yes < rows.len()
    };
    match field.kind() {
        FieldKind::Text => rows.iter().any(|(_, row)| {
            [
                "MX",
                "SP",
                "es",
                row.external_ref.as_str(),
                "auto",
                "USD",
                "b31_60",
                "busy",
                "CD.PP",
            ]
            .iter()
            .any(|w| ask(Literal::Text((*w).to_owned()), Op::Eq))
        }),
        FieldKind::Bool => ask(Literal::Bool(true), Op::Eq),
        _ => [0, 1, 50, 1_000]
            .iter()
            .any(|n| ask(Literal::Int(*n), Op::Gt)),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime")
}

#[test]
fn sqlite() {
    let runtime = runtime();
    let (store, _, _folder) = runtime.block_on(common::sqlite());
    agree(&runtime, Arc::new(store), 7);
}

#[test]
fn postgres() {
    let runtime = runtime();
    if let Some((store, ..)) = runtime.block_on(common::postgres()) {
        agree(&runtime, Arc::new(store), 8);
    }
}
