//! The SQL of a segment and the evaluator of the language agree, on both engines, for random
//! populations and random expressions.

mod common;
#[path = "common/lately.rs"]
mod lately;
#[path = "common/maker.rs"]
mod maker;
#[path = "common/outside.rs"]
mod outside;
#[path = "common/tied.rs"]
mod tied;
#[path = "common/ties.rs"]
mod ties;

use domain::entity::DebtStatus;
use domain::ids::DebtorId;
use domain::segment::{
    Assigned, Expr, Field, FieldKind, Literal, Op, SegmentFacts, SegmentRow, day_in, eval, print,
};
use domain::time::UtcMs;
use maker::Maker;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::{SeedableRng as _, rngs::StdRng};
use sim::contract::scene::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tied::tied;
use ties::{Crew, Placed};

const DEBTORS: usize = 70;
const EXPRESSIONS: u32 = 450;

/// Rows of the evaluator, from everything the store gives about each debtor.
async fn rows(
    store: &Subject,
    scene: &Scene,
    people: &[(Person, Option<Placed>)],
) -> Vec<(DebtorId, SegmentRow)> {
    let mut rows = Vec::new();
    for (person, placed) in people {
        let file = store.debtor_file(person.debtor.id).await.expect("file");
        // What the law is handed, external lists among it.
        let law = store.contact_facts(person.debtor.id, NOW).await;
        let law = law.expect("facts");
        let addresses = store.addresses_of(person.debtor.id).await.expect("places");
        let tied = tied(store, person.debtor.id, &file.debts).await;
        let facts = SegmentFacts {
            debtor: &file.debtor,
            portfolio: &scene.portfolio.name,
            today: day_in(&scene.portfolio.zone, NOW),
            debts: &file.debts.iter().collect::<Vec<_>>(),
            points: &file.points.iter().collect::<Vec<_>>(),
            attempts: &file.attempts.iter().collect::<Vec<_>>(),
            promises: &file.promises.iter().collect::<Vec<_>>(),
            payments: &file.payments.iter().collect::<Vec<_>>(),
            holds: &file.holds.iter().collect::<Vec<_>>(),
            parties: &file.parties.iter().collect::<Vec<_>>(),
            consents: &file.consents.iter().collect::<Vec<_>>(),
            score: file.score,
            callable: file.callable,
            suppressions: &law.suppressions.iter().collect::<Vec<_>>(),
            addresses: &addresses.iter().collect::<Vec<_>>(),
            items: &file.items.iter().collect::<Vec<_>>(),
            stages: &tied.stages.iter().collect::<Vec<_>>(),
            plans: &tied.plans.iter().collect::<Vec<_>>(),
            excuses: &tied.excuses.iter().collect::<Vec<_>>(),
            preferences: &law.preferences.iter().collect::<Vec<_>>(),
            complaints: &tied.complaints.iter().collect::<Vec<_>>(),
            instalments: &tied.instalments.iter().collect::<Vec<_>>(),
            placed_on: &placed.iter().map(|p| p.on).collect::<Vec<_>>(),
            recall_on: &placed.iter().filter_map(|p| p.back).collect::<Vec<_>>(),
            claims: &tied.claims.iter().collect::<Vec<_>>(),
            links: &tied.links.iter().collect::<Vec<_>>(),
            places: &tied.places.iter().collect::<Vec<_>>(),
            visits: &tied.visits.iter().collect::<Vec<_>>(),
            messages: &tied.messages.iter().collect::<Vec<_>>(),
            inbox: &tied.inbox.iter().collect::<Vec<_>>(),
            letters: &tied.letters.iter().collect::<Vec<_>>(),
            ledger: &tied.ledger.iter().collect::<Vec<_>>(),
            assigned: Assigned {
                campaign: tied.campaign.as_deref(),
                team: tied.team.as_deref(),
                agent: tied.agent.as_deref(),
                since: tied.since,
            },
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
        Field::Zone => &["America/Tijuana", ""],
        Field::PartyRole => &["titular", "aval", "fiador"],
        Field::PartyName => &["X", "Y", ""],
        Field::HoldKind => &["dispute", "represented", "cease"],
        Field::Consent => &["contact", "wider_hours"],
        Field::Name | Field::Document | Field::DebtRef => {
            return vec![some_ref.to_owned(), "ALFA".into()];
        }
        Field::Bucket => &[
            "preventive",
            "b1_30",
            "b31_60",
            "b61_90",
            "b181_360",
            "b361_plus",
            "b1_7",
            "b8_40",
            "b41_plus",
            "none",
        ],
        Field::LastResult => &["", "busy", "human", "unknown"],
        Field::LastDisposition => &["", "CD.PP", "NC.ST"],
        Field::ToldZone => &["America/Bogota", ""],
        Field::City => &["Tijuana", "Toluca", ""],
        Field::Postcode => &["22000", "50000", "1"],
        Field::Street => &["Calle 1", "Calle 2", ""],
        Field::AddressRegion => &["BC", "MEX", ""],
        Field::AddressCountry => &["MX", "US", ""],
        Field::ComplaintAuthority => &["CONDUSEF", "REDECO"],
        Field::InvoiceRef => &["F1", "F2", "F3"],
        Field::Phone => &["+525512345678", "ana@example.com"],
        Field::Email => &["ana@example.com", "leo@example.com", "+525512345678"],
        Field::PointSource => &["import", "agent", "debtor"],
        Field::AssignedCampaign | Field::AssignedTeam | Field::AssignedAgent => {
            &["COLA", "NORTE", "Eva", ""]
        }
        other => {
            let words = other.words().unwrap_or_default();
            return words.into_iter().map(str::to_owned).collect();
        }
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
        later: StdRng::seed_from_u64(seed + 1_000),
        first: true,
    };
    let crew = Crew::new(store, &scene).await;
    let mut people = Vec::new();
    for _ in 0..DEBTORS {
        let person = maker.debtor(&scene).await;
        maker.history(&person, &lease).await;
        maker.stops(&person).await;
        let placed = maker.ties(&scene, &person, &crew).await;
        people.push((person, placed));
    }
    let persons: Vec<Person> = people.iter().map(|(person, _)| person.clone()).collect();
    maker.lists(&persons).await;
    maker.marked().await;
    let rows = rows(store, &scene, &people).await;
    (scene, rows)
}

/// What each debtor owes, by currency.
type Owed = BTreeMap<DebtorId, BTreeMap<String, i64>>;

async fn owed(store: &Subject, rows: &[(DebtorId, SegmentRow)]) -> Owed {
    let mut owed = Owed::new();
    for (id, _) in rows {
        let file = store.debtor_file(*id).await.expect("file");
        let sums = owed.entry(*id).or_default();
        for debt in file.debts.iter().filter(|d| d.status == DebtStatus::Open) {
            *sums.entry(debt.currency.to_string()).or_default() += debt.balance_minor();
        }
    }
    owed
}

/// What these debtors owe together.
fn together(of: &[DebtorId], owed: &Owed) -> Vec<(String, i64)> {
    let mut sums = BTreeMap::<String, i64>::new();
    for (currency, balance) in of.iter().filter_map(|id| owed.get(id)).flatten() {
        *sums.entry(currency.clone()).or_default() += balance;
    }
    sums.into_iter().collect()
}

fn agree(runtime: &tokio::runtime::Runtime, store: Subject, seed: u64) {
    let (scene, rows) = runtime.block_on(population(&store, seed));
    let owed = runtime.block_on(owed(&store, &rows));
    assert!(
        owed.values().any(|of| of.len() > 1) && owed.values().any(BTreeMap::is_empty),
        "in several currencies, and nothing"
    );
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
            // A few are asked whether one debtor is in them, in it or not.
            if want.len() % 4 == 1 {
                let (one, row) = &rows[want.len() * 7 % rows.len()];
                let asked = store.in_segment(scene.client.id, *one, &expr, NOW);
                let alone = runtime.block_on(asked).expect("asked of one");
                prop_assert_eq!(alone, eval(&expr, row), "{} of one", print(&expr));
            }
            prop_assert_eq!(&got, &want, "{}", print(&expr));
            let counted = store.segment_count(scene.client.id, &expr, NOW);
            let counted = runtime.block_on(counted).expect("counted");
            prop_assert_eq!(counted.debtors, want.len() as u64, "{}", print(&expr));
            let balance = together(&want, &owed);
            prop_assert_eq!(counted.balance, balance, "{}", print(&expr));
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
                "ALFA",
                "America/Tijuana",
                "aval",
                "dispute",
                "contact",
                "America/Bogota",
                "Toluca",
                "22000",
                "open",
                "F2",
                "judicial",
                "+525512345678",
                "ana@example.com",
                "agent",
                "sms",
                "call",
                "elderly",
                "answered",
                "broken",
                "forgot",
                "cash",
                "COLA",
                "NORTE",
                "Eva",
                "Calle 1",
                "MEX",
                "US",
                "mobile",
                "opened",
                "made",
                "met",
                "L2",
                "bounced",
                "CONDUSEF",
                "X",
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
