//! Grammar tables, the round trip and the evaluator.

use super::*;
use proptest::prelude::*;

fn ok(text: &str) -> Expr {
    parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn canonical_forms() {
    for (text, canonical) in [
        ("ALL", "all"),
        ("todos", "all"),
        ("country = MX", "country = 'MX'"),
        (
            "pais != \"MX\" Y saldo >= 1000",
            "country != 'MX' and balance >= 1000.00",
        ),
        (
            "dpd entre 31 y 60 o no promesa_activa",
            "days_past_due between 31 and 60 or not promise_active",
        ),
        ("promise_active = no", "promise_active = no"),
        ("not (on_hold or suppressed)", "not (on_hold or suppressed)"),
        ("((balance > 0.5))", "balance > 0.50"),
        (
            "bucket en ('b1_30', b31_60)",
            "bucket in ('b1_30', 'b31_60')",
        ),
        (
            "(attempts = 1 and attempts_7d = 0) and debt_count > 1",
            "(attempts = 1 and attempts_7d = 0) and debt_count > 1",
        ),
        ("product = 'd''oro'", "product = 'd''oro'"),
        ("balance > -0.01", "balance > -0.01"),
        (
            "ciudad = Toluca y estado_convenio = broken",
            "city = 'Toluca' and plan_state = 'broken'",
        ),
        ("teléfono = '+525512345678'", "phone = '+525512345678'"),
    ] {
        assert_eq!(print(&ok(text)), canonical, "{text}");
    }
}

#[test]
fn faults_have_columns() {
    for (text, column) in [
        ("", 1),
        ("colour = 'red'", 1),
        ("balance > ", 11),
        ("balance > 'x'", 11),
        ("balance > 1.234", 11),
        ("country > 'MX'", 1),
        ("days_past_due between 60 and 31", 1),
        ("days_past_due = 1 days_past_due = 2", 19),
        ("(on_hold", 9),
        ("country = 'MX", 11),
        ("bucket = 'b31_1'", 10),
        ("bucket = 'paid'", 10),
        ("last_result = 'bsy'", 15),
        ("plan_state = 'signd'", 14),
        ("etapa = 'corte'", 9),
        ("consent_channel in ('call', 'fax')", 29),
        ("balance in (1.00)", 1),
        ("on_hold @ yes", 9),
        ("days_past_due = 99999999999999999999", 17),
    ] {
        let fault = parse(text).expect_err(text);
        assert_eq!(fault.position, column, "{text}: {fault}");
        assert!(!fault.es.is_empty() && fault.es != fault.reason, "{text}");
    }
}

#[test]
fn limits_hold_at_the_edge() {
    let nested = |n: usize| format!("{}on_hold{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(DEPTH_MAX - 1)).is_ok());
    assert!(parse(&nested(DEPTH_MAX)).is_err());
    let terms = |n: usize| vec!["on_hold"; n].join(" or ");
    assert!(parse(&terms(TERMS_MAX)).is_ok());
    assert!(parse(&terms(TERMS_MAX + 1)).is_err());
    let list = |n: usize| format!("attempts in ({})", vec!["1"; n].join(","));
    assert!(parse(&list(IN_MAX)).is_ok());
    assert!(parse(&list(IN_MAX + 1)).is_err());
    assert!(parse(&" ".repeat(TEXT_MAX + 1)).is_err());
}

#[test]
fn a_bucket_is_its_days_in_every_set() {
    let holds = |days: i64, text: &str| {
        let row = SegmentRow {
            days_past_due: days,
            ..SegmentRow::default()
        };
        eval(&ok(text), &row)
    };
    for (days, bucket) in [
        (-3, "preventive"),
        (0, "preventive"),
        (1, "b1_30"),
        (30, "b1_30"),
        (31, "b31_60"),
        (360, "b181_360"),
        (361, "b361_plus"),
        (7, "b1_7"),
        (8, "b8_30"),
        (91, "b91_plus"),
    ] {
        assert!(
            holds(days, &format!("bucket = {bucket}")),
            "{days} {bucket}"
        );
        assert!(
            !holds(days, &format!("bucket != {bucket}")),
            "{days} {bucket}"
        );
    }
    assert!(!holds(8, "bucket = b1_7") && !holds(31, "bucket in (b1_7, b8_30)"));
    assert!(holds(20, "bucket in (b1_7, b8_30)") && holds(20, "bucket = b1_30"));
    assert_eq!(day_of_date("1970-01-02"), Some(1));
    assert_eq!(day_of_date("2026-02-30"), None);
}

#[test]
fn evaluation() {
    let row = SegmentRow {
        country: "MX".into(),
        products: vec!["tarjeta".into(), "auto".into()],
        days_past_due: 45,
        balance: 100_050,
        promise_active: true,
        ..SegmentRow::default()
    };
    for (text, want) in [
        ("country = MX and balance = 1000.50", true),
        ("product = auto", true),
        ("product != auto", false),
        ("product in (moto, tarjeta)", true),
        ("bucket = b31_60", true),
        ("days_past_due between 46 and 60", false),
        ("promise_active != yes", false),
        ("not promise_active or all", true),
        ("last_result = ''", true),
    ] {
        assert_eq!(eval(&ok(text), &row), want, "{text}");
    }
}

#[test]
fn the_hour_is_not_asked() {
    let row = |attempts| SegmentRow {
        attempts,
        ..SegmentRow::default()
    };
    for text in [
        "callable_now and attempts < 3",
        "attempts < 3 and not (callable_now = no)",
        "not (attempts >= 3 or callable_now != yes)",
    ] {
        let wide = at_any_hour(&ok(text));
        assert!(eval(&wide, &row(2)), "{text}");
        assert!(!eval(&wide, &row(3)), "{text}");
    }
}

fn words(field: Field) -> BoxedStrategy<String> {
    match field.words() {
        Some(words) => proptest::sample::select(words)
            .prop_map(String::from)
            .boxed(),
        None => "[a-zA-Z0-9áñ ''\".()-]{0,12}".boxed(),
    }
}

fn leaf() -> impl Strategy<Value = Expr> {
    (
        proptest::sample::select(Field::ALL),
        any::<(i64, i64)>(),
        proptest::sample::select(Op::ALL),
        0..3,
    )
        .prop_flat_map(|(field, (a, b), op, form)| {
            let cmp = move |op, value| Expr::Cmp { field, op, value };
            let even = if op == Op::Ne { Op::Ne } else { Op::Eq };
            match (field.kind(), form) {
                (FieldKind::Text, 0) => proptest::collection::vec(words(field), 1..4)
                    .prop_map(move |v| Expr::In {
                        field,
                        values: v.into_iter().map(Literal::Text).collect(),
                    })
                    .boxed(),
                (FieldKind::Text, _) => words(field)
                    .prop_map(move |w| cmp(even, Literal::Text(w)))
                    .boxed(),
                (FieldKind::Bool, _) => Just(cmp(even, Literal::Bool(a > 0))).boxed(),
                (FieldKind::Number, 0) => Just(Expr::In {
                    field,
                    values: vec![Literal::Int(a), Literal::Int(b)],
                })
                .boxed(),
                (_, 1) => Just(Expr::Between {
                    field,
                    from: a.min(b),
                    to: a.max(b),
                })
                .boxed(),
                _ => Just(cmp(op, Literal::Int(a))).boxed(),
            }
        })
}

fn tree() -> impl Strategy<Value = Expr> {
    prop_oneof![4 => leaf(), 1 => Just(Expr::All)].prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|e| Expr::Not(Box::new(e))),
        ]
    })
}

proptest! {
    #[test]
    fn parse_of_print_is_identity(expr in tree()) {
        prop_assert_eq!(check(&expr), Ok(()));
        let text = print(&expr);
        prop_assert_eq!(parse(&text).map_err(|e| format!("{text}: {e}")), Ok(expr.clone()));
        let json = serde_json::to_string(&expr).expect("json");
        prop_assert_eq!(serde_json::from_str::<Expr>(&json).expect("back"), expr);
    }

    #[test]
    fn whoever_is_in_it_at_some_hour_is_in_it_at_any(expr in tree(), attempts in 0_i64..3) {
        let wide = at_any_hour(&expr);
        prop_assert!(!asks_the_law(&wide));
        for callable_now in [false, true] {
            let row = SegmentRow { callable_now, attempts, ..SegmentRow::default() };
            prop_assert!(!eval(&expr, &row) || eval(&wide, &row), "{expr:?}");
        }
        if !asks_the_law(&expr) {
            prop_assert_eq!(wide, expr);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z_ ()<>=!',.0-9-]{0,60}") {
        if let Ok(expr) = parse(&text) {
            prop_assert_eq!(parse(&print(&expr)), Ok(expr));
        }
    }
}
