//! Messages: what they must hold to, beside the law.

use crate::entity::{Channel, DebtStatus, HoldKind, HoldScope, Language, Message, MessageState};
use crate::ids::{DebtId, PromiseId};
use crate::ports::store::{ContactFacts, MessageStep};
use crate::time::{MINUTE_MS, UtcMs};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Times that a message is handed to a gateway before it fails.
pub const TRIES_MAX: i32 = 4;
/// First wait before it is tried again, ms; each further wait is four times as long.
const RETRY_FIRST_MS: i64 = MINUTE_MS;
/// How long after the debtor's last message WhatsApp takes free text, ms (Cloud API: customer service
/// window of 24 hours).
pub const WHATSAPP_WINDOW_MS: i64 = 24 * 60 * MINUTE_MS;

/// Words that opt out when they are the whole message, folded: capitals without accents.
const OPT_OUT_WORDS: &[&str] = &[
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "BAJA",
    "DAR DE BAJA",
    "ALTO",
    "CANCELAR",
    "SALIR",
    "PARAR",
    "SAIR",
    "NO MAS",
    "NO MAS MENSAJES",
    "NO MAS CORREOS",
    "NAO MAIS",
    "DENME DE BAJA",
    "DARME DE BAJA",
    "QUIERO DARME DE BAJA",
    "NO QUIERO MAS MENSAJES",
    "NO QUIERO MAS CORREOS",
    "NO QUIERO RECIBIR MAS MENSAJES",
    "NO QUIERO RECIBIR MAS CORREOS",
];

/// What may stand before or behind them, folded.
const COURTESIES: &[&str] = &[
    "POR FAVOR",
    "PORFAVOR",
    "PLEASE",
    "MUCHAS GRACIAS",
    "GRACIAS",
    "THANKS",
    "THANK YOU",
    "OBRIGADO",
    "OBRIGADA",
    "HOLA",
    "HELLO",
    "OLA",
    "BUENOS DIAS",
    "BUENAS TARDES",
    "SALUDOS",
];
/// Longest text that is looked at for them, characters.
const OPT_OUT_MAX: usize = 80;

/// Whether a hold forbids to say anything about a debt, or to its debtor at all. A promise silences the
/// dialer, not its own reminder.
#[must_use]
pub fn silenced(facts: &ContactFacts, debt: DebtId, now: UtcMs) -> bool {
    facts.holds.iter().any(|h| {
        let silent = !matches!(
            h.kind,
            HoldKind::Promise | HoldKind::ChannelOptout | HoldKind::WritingOnly
        );
        let about = match h.scope {
            HoldScope::Debtor => true,
            HoldScope::Debt => h.debt_id.is_none_or(|id| id == debt),
            HoldScope::Point => false,
        };
        silent && about && h.active_at(now)
    })
}

/// Why a message about that debt must not go out, beside what the law says of its debtor: the debt is not
/// open any more, or a hold silences it. One about no debt needs one that it may speak of.
#[must_use]
pub fn stopped(facts: &ContactFacts, debt: Option<DebtId>, now: UtcMs) -> Option<&'static str> {
    let about = |id: DebtId| debt.is_none_or(|asked| asked == id);
    let mut open = facts
        .debts
        .iter()
        .filter(|d| d.status == DebtStatus::Open && about(d.id))
        .peekable();
    if open.peek().is_none() {
        return Some("debt_closed");
    }
    open.all(|d| silenced(facts, d.id, now)).then_some("held")
}

/// Whether the date that a message was planned from is another one now: keys of due dates hold the debt and
/// the date (`PlanSource::key`).
#[must_use]
pub fn outdated(facts: &ContactFacts, plan_key: Option<&str>) -> bool {
    let Some(rest) = plan_key.and_then(|key| key.strip_prefix("due_date:")) else {
        return false;
    };
    let mut parts = rest.split(':');
    let (Some(debt), Some(date)) = (parts.next(), parts.next()) else {
        return false;
    };
    facts
        .debts
        .iter()
        .any(|d| d.id.to_string() == debt && d.due_date != date)
}

/// The promise that a message or step was planned from.
#[must_use]
pub fn promise_of(plan_key: Option<&str>) -> Option<PromiseId> {
    let rest = plan_key?.strip_prefix("promise:")?;
    rest.split(':').next()?.parse().ok()
}

/// Whether the promise or instalment that a message or step was planned from lives no more; `alive` are the
/// debtor's active promises and due instalments.
#[must_use]
pub fn source_over(plan_key: Option<&str>, alive: &BTreeSet<Uuid>) -> Option<&'static str> {
    let key = plan_key?;
    let (kind, rest) = key.split_once(':')?;
    let why = match kind {
        "promise" => "promise_over",
        "instalment" => "instalment_over",
        _ => return None,
    };
    let id: Uuid = rest.split(':').next()?.parse().ok()?;
    (!alive.contains(&id)).then_some(why)
}

/// Why a message has failed of which nobody knows whether it left; the gateway's word may stand behind it.
pub const FATE_UNKNOWN: &str = "fate_unknown";

/// Whether it is not known of a message if it left: its gateway's answer was lost, or who waited for it died.
#[must_use]
pub fn is_lost(row: &Message) -> bool {
    row.state == MessageState::Failed && row.reason.split(':').next() == Some(FATE_UNKNOWN)
}

/// Whether a message ended and its debtor did not get it, so that what it answers waits for an answer again. One
/// whose fate is not known may have left.
#[must_use]
pub fn is_undone(row: &Message) -> bool {
    let ended = matches!(
        row.state,
        MessageState::Bounced
            | MessageState::Failed
            | MessageState::Refused
            | MessageState::Cancelled
    );
    ended && !is_lost(row)
}

/// A gateway's own answer that comes behind the receipt of the same message: its state stands, but what it cost
/// and when it was taken is known by the answer alone. Once.
fn take_answer(row: &mut Message, step: &MessageStep) -> bool {
    let (Some(MessageState::Sent), Some((micro, currency))) = (step.state, step.cost) else {
        return false;
    };
    let told = row.state.has_left() && row.state != MessageState::Sending;
    let answered = row.cost_micro != 0 || row.currency.is_some();
    let same = |name: &String| row.provider_ref.is_empty() || row.provider_ref == *name;
    if !told || answered || !step.provider_ref.as_ref().is_some_and(same) {
        return false;
    }
    row.provider_ref = step.provider_ref.clone().unwrap_or_default();
    row.cost_micro = micro;
    row.currency = currency;
    row.sent_at = Some(step.at);
    true
}

/// Takes a step over into the row; `false`, and nothing is changed, when it may not be made.
pub fn take_step(row: &mut Message, step: &MessageStep) -> bool {
    if let Some(state) = step.state {
        // What was lost is found again by a receipt that names it.
        let found = is_lost(row) && state == MessageState::Sent && step.provider_ref.is_some();
        if !found && !row.state.may_become(state) {
            return take_answer(row, step);
        }
        if found {
            row.ended_at = None;
            row.reason.clear();
        }
        row.state = state;
        let first = |cell: &mut Option<UtcMs>| *cell = cell.or(Some(step.at));
        match state {
            MessageState::Queued | MessageState::Sending => {}
            MessageState::Sent => first(&mut row.sent_at),
            MessageState::Delivered => first(&mut row.delivered_at),
            MessageState::Read => first(&mut row.read_at),
            MessageState::Answered => first(&mut row.answered_at),
            _ => row.ended_at = Some(step.at),
        }
        // A receipt may be told before the gateway's answer.
        if matches!(
            state,
            MessageState::Delivered | MessageState::Read | MessageState::Answered
        ) {
            first(&mut row.sent_at);
        }
    }
    if let Some(reason) = &step.reason {
        row.reason.clone_from(reason);
    }
    if let Some(name) = &step.provider_ref {
        row.provider_ref.clone_from(name);
    }
    if let Some((micro, currency)) = step.cost {
        row.cost_micro = micro;
        row.currency = currency;
    }
    row.due_at = step.due_at.unwrap_or(row.due_at);
    true
}

/// Wait before try number `tries` + 1, ms; `None` when it has been tried often enough.
#[must_use]
pub fn retry_after(tries: i32) -> Option<i64> {
    (tries < TRIES_MAX).then(|| {
        let doublings = u32::try_from(tries.clamp(1, 10) - 1).unwrap_or(0);
        RETRY_FIRST_MS * 4_i64.pow(doublings)
    })
}

/// Words of a line, folded: capitals without accents, without courtesies and repetitions. Empty when the line
/// is longer than such a request is.
fn asked_words(line: &str) -> String {
    let fold = |c: char| match c {
        'á' | 'Á' | 'ã' | 'Ã' => 'A',
        'é' | 'É' => 'E',
        'í' | 'Í' => 'I',
        'ó' | 'Ó' => 'O',
        'ú' | 'Ú' => 'U',
        other => other.to_ascii_uppercase(),
    };
    if line.chars().nth(OPT_OUT_MAX).is_some() {
        return String::new();
    }
    let folded: String = line
        .chars()
        .map(fold)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let mut words: Vec<&str> = folded.split_whitespace().collect();
    words.dedup();
    let mut left = words.join(" ");
    while let Some(rest) = COURTESIES.iter().find_map(|c: &&str| {
        let whole = |rest: &&str| rest.is_empty() || rest.starts_with(' ');
        let before = |rest: &&str| rest.is_empty() || rest.ends_with(' ');
        left.strip_prefix(*c)
            .filter(whole)
            .or_else(|| left.strip_suffix(*c).filter(before))
    }) {
        left = rest.trim().to_owned();
    }
    left
}

/// Whether what a debtor wrote asks for no more messages: the whole of it, or its first line, above a
/// signature.
#[must_use]
pub fn is_opt_out(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    [Some(text.trim()), first.map(str::trim)]
        .into_iter()
        .flatten()
        .any(|said| OPT_OUT_WORDS.contains(&asked_words(said).as_str()))
}

/// How to opt out, in the debtor's language.
#[must_use]
pub const fn opt_out_text(channel: Channel, language: Language) -> &'static str {
    match (channel, language) {
        (Channel::Email, Language::En) => "To get no more e-mails, reply STOP.",
        (Channel::Email, Language::Pt) => "Para não receber mais e-mails, responda SAIR.",
        (Channel::Email, Language::Es) => "Para no recibir más correos, responda BAJA.",
        (_, Language::En) => "Reply STOP to opt out.",
        (_, Language::Pt) => "Responda SAIR para não receber mais.",
        (_, Language::Es) => "Responda BAJA para no recibir más.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::MessagePurpose;
    use crate::ids::{ClientId, DebtorId, MessageId};
    use crate::pii::Pii;

    /// A message that a gateway is being asked to take.
    fn sending() -> Message {
        Message {
            id: MessageId(Uuid::from_u128(1)),
            client_id: ClientId(Uuid::from_u128(2)),
            debtor_id: DebtorId(Uuid::from_u128(3)),
            debt_id: None,
            point_id: None,
            address: None,
            channel: Channel::Sms,
            purpose: MessagePurpose::Manual,
            template_id: None,
            template_version: 0,
            strategy_id: None,
            strategy_version: 0,
            step: String::new(),
            plan_key: None,
            subject: String::new(),
            body: Pii(String::new()),
            due_at: UtcMs(0),
            expires_at: UtcMs(9_000),
            state: MessageState::Sending,
            reason: String::new(),
            tries: 1,
            gateway: "sms".to_owned(),
            provider_ref: String::new(),
            cost_micro: 0,
            currency: None,
            verdict_id: None,
            reply_to: None,
            made_by: "system".to_owned(),
            created_at: UtcMs(0),
            sent_at: None,
            delivered_at: None,
            read_at: None,
            answered_at: None,
            ended_at: None,
        }
    }

    #[test]
    fn an_answer_behind_the_receipt_says_what_it_cost_once() {
        let mut row = sending();
        let told = MessageStep {
            state: Some(MessageState::Delivered),
            at: UtcMs(500),
            ..MessageStep::default()
        };
        assert!(take_step(&mut row, &told));
        let answer = |cost: i64| MessageStep {
            state: Some(MessageState::Sent),
            at: UtcMs(400),
            provider_ref: Some("out-1".to_owned()),
            cost: Some((cost, Some("MXN".parse().unwrap()))),
            ..MessageStep::default()
        };
        assert!(take_step(&mut row, &answer(350_000)));
        assert_eq!(row.state, MessageState::Delivered, "it stays so");
        let known = (row.cost_micro, &*row.provider_ref, row.sent_at);
        assert_eq!(known, (350_000, "out-1", Some(UtcMs(400))));
        assert!(!take_step(&mut row, &answer(90)), "it is known");
        assert_eq!(row.cost_micro, 350_000);
        let mut row = sending();
        row.state = MessageState::Cancelled;
        assert!(!take_step(&mut row, &answer(1)), "it never left");
    }

    #[test]
    fn what_was_lost_is_found_by_a_receipt_that_names_it() {
        let found = MessageStep {
            state: Some(MessageState::Sent),
            at: UtcMs(700),
            provider_ref: Some("out-1".to_owned()),
            cost: Some((350_000, None)),
            ..MessageStep::default()
        };
        for (reason, lost) in [
            (FATE_UNKNOWN, true),
            ("fate_unknown: no answer in time", true),
            ("fate", false),
            ("30008", false),
        ] {
            let mut row = sending();
            row.state = MessageState::Failed;
            row.reason = reason.to_owned();
            row.ended_at = Some(UtcMs(600));
            assert_eq!(is_lost(&row), lost, "{reason}");
            let nameless = MessageStep {
                provider_ref: None,
                ..found.clone()
            };
            assert!(!take_step(&mut row.clone(), &nameless), "{reason}");
            // An answer behind a receipt of a failure says what it cost, and takes nothing back.
            assert!(take_step(&mut row, &found), "{reason}");
            let known = (row.state, row.ended_at, row.reason.as_str());
            if lost {
                assert_eq!(known, (MessageState::Sent, None, ""));
            } else {
                assert_eq!(known, (MessageState::Failed, Some(UtcMs(600)), reason));
            }
            assert_eq!((row.sent_at, row.cost_micro), (Some(UtcMs(700)), 350_000));
        }
    }

    #[test]
    fn opting_out_is_the_whole_message() {
        for text in [
            "BAJA",
            " baja. ",
            "Stop!",
            "no más",
            "Dar de baja",
            "¡ALTO!",
            "STOP por favor",
            "Hola, BAJA. Muchas gracias!",
            "stop stop STOP",
            "\n  \nBAJA\n\nEnviado desde mi iPhone",
            "Baja\nAna Núñez\nTel. 55 1234 5678, la casa de siempre, al lado de la panadería de la esquina",
            "No quiero recibir más mensajes",
        ] {
            assert!(is_opt_out(text), "{text}");
        }
        for text in [
            "",
            "no quiero darme de baja del banco",
            "stop by tomorrow",
            "mañana pago",
            "por favor",
            "gracias",
            "PORFAVORBAJA",
            "pago el lunes\nBAJA",
        ] {
            assert!(!is_opt_out(text), "{text}");
        }
    }

    #[test]
    fn tries_are_limited_and_wait_longer_each_time() {
        let waits: Vec<_> = (1..=TRIES_MAX).map(retry_after).collect();
        assert_eq!(waits, [Some(60_000), Some(240_000), Some(960_000), None]);
    }
}
