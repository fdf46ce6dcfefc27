//! What an agent writes after a call: code, and promise or instant where the code wants one.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::behaviour::{Manner, Outcome, Who};
use super::wire::{Card, CardDebt, Money};

/// What is known of a call when it is over. Times in ms from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How long it was.
    pub(super) length_ms: u64,
    /// When the identity was ticked.
    pub(super) identified_ms: Option<u64>,
    /// The debtor's voice was heard.
    pub(super) voice: bool,
    /// A machine's beep was heard.
    pub(super) beep: bool,
    /// The debtor hung up.
    pub(super) by_debtor: bool,
    /// The server refused what was written before.
    pub(super) plainly: bool,
}

/// A hang-up so soon after the identity is an answer of its own, ms.
const AT_ONCE_MS: u64 = 1_500;

/// A refusal, and what its reasons begin with.
const REFUSAL: &str = "CD.NP";
const REASONS: &str = "CD.NP.";

/// Code and body of the disposition, without `then`: with the facts that the card wants told, and without a reason
/// where none may be asked. `now` is the server's clock, epoch ms.
pub(super) fn verdict(
    told: &Told,
    manner: &Manner,
    card: Option<&Card>,
    now: i64,
) -> (&'static str, Value) {
    let (mut code, mut body) = drawn(told, manner, card, now);
    let Some(duties) = card.map(|card| &card.duties) else {
        return (code, body);
    };
    if code.starts_with(REASONS) && duties.hidden_leaves.iter().any(|c| c == REFUSAL) {
        code = REFUSAL;
        body["code"] = json!(REFUSAL);
    }
    if code.starts_with("CD.") && !duties.must_say.is_empty() {
        body["told_facts"] = json!(duties.must_say);
    }
    (code, body)
}

fn drawn(told: &Told, manner: &Manner, card: Option<&Card>, now: i64) -> (&'static str, Value) {
    let code = |code: &'static str| (code, json!({ "code": code }));
    if told.beep {
        return code("NC.BZ.NODEJADO");
    }
    let Some(identified) = told.identified_ms else {
        return code(unidentified(told, manner));
    };
    if told.by_debtor && told.length_ms < identified + AT_ONCE_MS {
        return code("CD.CO");
    }
    if told.plainly {
        return code("CD.NP.NOPUEDE");
    }
    match manner.outcome {
        Outcome::Promise => match promise(manner, card, now) {
            Some(promise) => ("CD.PP", json!({ "code": "CD.PP", "promise": promise })),
            None => code("CD.NP.NOPUEDE"),
        },
        Outcome::Paid => match later(now, 0) {
            Some(today) => {
                let claim = json!({
                    "paid_on": today.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
                    "channel": "transfer",
                    "proof": false,
                });
                ("CD.YP.SIN", json!({ "code": "CD.YP.SIN", "claim": claim }))
            }
            None => code("CD.NP.NOPUEDE"),
        },
        Outcome::CallBack => match later(now, manner.days) {
            Some(at) => {
                let body = json!({ "code": "CD.VL.CUALQUIERA", "callback_at": format!("{at:.3}") });
                ("CD.VL.CUALQUIERA", body)
            }
            None => code("CD.NP.NOPUEDE"),
        },
        Outcome::Cannot => code("CD.NP.NOPUEDE"),
        Outcome::WillNot => code("CD.NP.NOQUIERE"),
        Outcome::Dispute => {
            let note = "Dice que el saldo no coincide con su estado de cuenta.";
            (
                "CD.DI.MONTO",
                json!({ "code": "CD.DI.MONTO", "note": note }),
            )
        }
    }
}

fn unidentified(told: &Told, manner: &Manner) -> &'static str {
    if !told.voice {
        return "NC.NR";
    }
    match manner.who {
        _ if told.length_ms < manner.identity_ms => "NC.CA",
        Who::Titular => "NC.CA",
        Who::ThirdParty => "CI.MT",
        Who::WrongNumber => "CI.EQ",
    }
}

fn later(now: i64, days: u32) -> Option<Timestamp> {
    Timestamp::from_millisecond(now)
        .ok()?
        .checked_add((i64::from(days) * 24).hours())
        .ok()
}

/// A promise on the first debt whose amount the card shows.
fn promise(manner: &Manner, card: Option<&Card>, now: i64) -> Option<Value> {
    let (debt, owed) = card?.debts.iter().find_map(owed)?;
    let amount = amount(owed.amount_minor, manner.promise_share);
    let due = later(now, manner.days)?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    Some(json!({
        "debt_id": debt.id,
        "amount": { "amount_minor": amount, "currency": owed.currency },
        "due_date": due.to_string(),
        "channel": "transfer",
    }))
}

fn owed(debt: &CardDebt) -> Option<(&CardDebt, &Money)> {
    let shown = [&debt.overdue, &debt.balance].into_iter().flatten();
    shown
        .filter(|money| money.amount_minor > 0)
        .map(|money| (debt, money))
        .next()
}

/// A share of what is owed, in whole hundreds of the smallest unit where that is possible.
fn amount(owed: i64, share: f64) -> i64 {
    if share >= 1.0 {
        return owed;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a share of an amount"
    )]
    let part = (owed as f64 * share) as i64;
    let whole = part / 100 * 100;
    (if whole > 0 { whole } else { part }).clamp(1, owed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Behaviour;

    /// 2026-11-24T15:00:00Z.
    const NOW: i64 = 1_795_532_400_000;

    fn manner(outcome: Outcome, who: Who) -> Manner {
        let drawn = Manner::draw(&Behaviour::demo(), 1, "ana", 0);
        Manner {
            outcome,
            who,
            promise_share: 0.5,
            days: 3,
            identity_ms: 3_000,
            ..drawn
        }
    }

    fn card() -> Card {
        let text = r#"{"attempt":"a","gate":false,"debts":[{"id":"d1","balance":
            {"amount_minor":1850000,"currency":"MXN"},"overdue":{"amount_minor":420055,"currency":"MXN"}}]}"#;
        serde_json::from_str(text).expect("a card")
    }

    const TALKED: Told = Told {
        length_ms: 12_000,
        identified_ms: Some(3_000),
        voice: true,
        beep: false,
        by_debtor: false,
        plainly: false,
    };

    #[test]
    fn a_promise_has_amount_date_and_channel() {
        let drawn = manner(Outcome::Promise, Who::Titular);
        let (code, body) = verdict(&TALKED, &drawn, Some(&card()), NOW);
        assert_eq!(code, "CD.PP");
        let expected = json!({"code": "CD.PP", "promise": {"debt_id": "d1",
            "amount": {"amount_minor": 210_000, "currency": "MXN"},
            "due_date": "2026-11-27", "channel": "transfer"}});
        assert_eq!(body, expected);
        let whole = Manner {
            promise_share: 1.0,
            ..drawn
        };
        let (_, body) = verdict(&TALKED, &whole, Some(&card()), NOW);
        assert_eq!(body["promise"]["amount"]["amount_minor"], 420_055);
        let mut hidden = card();
        hidden.debts[0] = CardDebt {
            id: "d1".to_owned(),
            balance: None,
            overdue: None,
        };
        assert_eq!(
            verdict(&TALKED, &drawn, Some(&hidden), NOW).0,
            "CD.NP.NOPUEDE"
        );
        assert_eq!(verdict(&TALKED, &drawn, None, NOW).0, "CD.NP.NOPUEDE");
        let again = Told {
            plainly: true,
            ..TALKED
        };
        let (code, _) = verdict(&again, &drawn, Some(&card()), NOW);
        assert_eq!(code, "CD.NP.NOPUEDE");
    }

    #[test]
    fn who_says_he_paid_says_when_and_how() {
        let drawn = manner(Outcome::Paid, Who::Titular);
        let (code, body) = verdict(&TALKED, &drawn, Some(&card()), NOW);
        let claim = json!({"paid_on": "2026-11-24", "channel": "transfer", "proof": false});
        assert_eq!((code, &body["claim"]), ("CD.YP.SIN", &claim));
    }

    #[test]
    fn the_facts_of_the_card_are_told_and_forbidden_reasons_are_not() {
        let mut asked = card();
        asked.duties.must_say = vec!["creditor".to_owned(), "contract".to_owned()];
        asked.duties.hidden_leaves = vec!["CD.NP".to_owned()];
        let (code, body) = verdict(
            &TALKED,
            &manner(Outcome::WillNot, Who::Titular),
            Some(&asked),
            NOW,
        );
        assert_eq!(code, "CD.NP");
        let expected = json!({"code": "CD.NP", "told_facts": ["creditor", "contract"]});
        assert_eq!(body, expected);
        let third = Told {
            identified_ms: None,
            ..TALKED
        };
        let drawn = manner(Outcome::WillNot, Who::ThirdParty);
        let (_, body) = verdict(&third, &drawn, Some(&asked), NOW);
        assert_eq!(body, json!({"code": "CI.MT"}), "nothing is told to others");
    }

    #[test]
    fn what_was_heard_decides_before_what_was_drawn() {
        let drawn = manner(Outcome::Promise, Who::Titular);
        let machine = Told {
            beep: true,
            ..TALKED
        };
        assert_eq!(
            verdict(&machine, &drawn, Some(&card()), NOW).0,
            "NC.BZ.NODEJADO"
        );
        let hung_up = Told {
            by_debtor: true,
            length_ms: 4_000,
            ..TALKED
        };
        assert_eq!(verdict(&hung_up, &drawn, Some(&card()), NOW).0, "CD.CO");
        let early = Told {
            identified_ms: None,
            length_ms: 900,
            ..TALKED
        };
        assert_eq!(verdict(&early, &drawn, None, NOW).0, "NC.CA");
        let silent = Told {
            voice: false,
            ..early
        };
        assert_eq!(verdict(&silent, &drawn, None, NOW).0, "NC.NR");
    }

    #[test]
    fn others_than_the_titular_leave_no_promise() {
        let talked = Told {
            identified_ms: None,
            ..TALKED
        };
        let third = manner(Outcome::Promise, Who::ThirdParty);
        assert_eq!(verdict(&talked, &third, Some(&card()), NOW).0, "CI.MT");
        let wrong = manner(Outcome::Promise, Who::WrongNumber);
        assert_eq!(verdict(&talked, &wrong, Some(&card()), NOW).0, "CI.EQ");
    }

    #[test]
    fn a_call_back_names_its_instant() {
        let (code, body) = verdict(&TALKED, &manner(Outcome::CallBack, Who::Titular), None, NOW);
        assert_eq!(code, "CD.VL.CUALQUIERA");
        assert_eq!(body["callback_at"], "2026-11-27T15:00:00.000Z");
    }

    #[test]
    fn amounts_stay_within_what_is_owed() {
        assert_eq!(
            (amount(50, 0.5), amount(1, 0.2), amount(10_099, 0.999)),
            (25, 1, 10_000)
        );
        assert_eq!(amount(i64::MAX, 1.0), i64::MAX);
    }
}
