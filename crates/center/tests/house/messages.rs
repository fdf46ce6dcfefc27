//! Messages: reminders from promises, followed to their end, counted with the calls, answered, refused,
//! taken back.

use crate::stops::payment;
use crate::world::{House, NOBODY, Plan, client_id, debt_id, debtor_id, id, mxn, point_id};
use async_trait::async_trait;
use center::{Actor, CenterConfig, CenterError, MessageAsk};
use domain::entity::{
    Channel, InboxState, Language, Message, MessageState, PaymentChannel, Promise, PromiseState,
    StepAction, Strategy, StrategyStatus, StrategyStep, StrategyTrigger, TextTemplate, Tone,
};
use domain::ids::{PromiseId, StrategyId, TextTemplateId, UserId};
use domain::pii::Pii;
use domain::ports::store::{
    CatalogStore as _, InboxAsk, LawStore as _, MessageAsk as Asked, MessageStore as _,
    MoneyStore as _, PromiseTerms, StrategyStore as _,
};
use domain::ports::{Accepted, Clock as _, Messenger, Outgoing, Receipt, ReceiptKind, SendFault};
use domain::time::{DAY_MS, UtcMs};
use std::sync::{Arc, Mutex, PoisonError};

/// A gateway that remembers what it got and says what it is told to.
#[derive(Default)]
pub(crate) struct Phones {
    got: Mutex<Vec<Outgoing>>,
    told: Mutex<Vec<Receipt>>,
    fault: Mutex<Option<SendFault>>,
    /// What it carries; nothing said = SMS.
    kinds: Vec<Channel>,
    /// It takes free text within a day of the debtor's own alone.
    approved_only: bool,
}

impl Phones {
    /// One that carries channels, perhaps with approved templates alone.
    pub(crate) fn carrying(kinds: &[Channel], approved_only: bool) -> Self {
        Self {
            kinds: kinds.to_vec(),
            approved_only,
            ..Self::default()
        }
    }

    pub(crate) fn got(&self) -> Vec<Outgoing> {
        self.got
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn tell(&self, name: &str, kind: ReceiptKind) {
        let receipt = Receipt {
            provider_ref: name.to_owned(),
            own: None,
            at: None,
            kind,
        };
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(receipt);
    }

    pub(crate) fn say(&self, fault: Option<SendFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

#[async_trait]
impl Messenger for Phones {
    fn name(&self) -> &str {
        "phones"
    }

    fn channels(&self) -> &[Channel] {
        if self.kinds.is_empty() {
            return &[Channel::Sms];
        }
        &self.kinds
    }

    fn needs_template(&self) -> bool {
        self.approved_only
    }

    fn is_optout(&self, code: &str) -> bool {
        code == "21610"
    }

    fn per_minute(&self) -> u32 {
        600
    }

    fn price(&self) -> (i64, Option<domain::money::Currency>) {
        (350_000, Some(mxn(1).currency))
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let fault = self
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(fault) = fault {
            return Err(fault);
        }
        let mut got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.push(message.clone());
        Ok(Accepted {
            provider_ref: format!("sm-{}", message.id),
            cost_micro: 350_000,
            currency: Some(mxn(1).currency),
        })
    }

    async fn poll(&self, _limit: usize) -> Result<Vec<Receipt>, SendFault> {
        Ok(std::mem::take(
            &mut *self.told.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

pub(crate) async fn house(debtors: u128) -> (House, Arc<Phones>) {
    let plan = Plan {
        debtors,
        mix: NOBODY,
        ..Plan::default()
    };
    house_of(&plan, Phones::default()).await
}

/// A house with such a gateway.
pub(crate) async fn house_of(plan: &Plan, phones: Phones) -> (House, Arc<Phones>) {
    let phones = Arc::new(phones);
    let mut config = CenterConfig::new("node-1");
    config.messengers = vec![Arc::clone(&phones) as _];
    let start: UtcMs = plan.at.parse().expect("an instant");
    (House::furnished(plan, start, config).await, phones)
}

pub(crate) fn template(name: &str, body: &str) -> TextTemplate {
    TextTemplate {
        id: TextTemplateId(uuid::Uuid::new_v5(&id(9), name.as_bytes())),
        client_id: client_id(),
        name: name.into(),
        channel: Channel::Sms,
        language: Language::Es,
        tone: Tone::Courteous,
        subject: String::new(),
        body: body.into(),
        provider_name: String::new(),
        provider_language: String::new(),
        active: true,
        version: 1,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

pub(crate) fn step(key: &str, offset_days: i32, at: &str) -> StrategyStep {
    StrategyStep {
        key: key.into(),
        offset_days,
        at: at.into(),
        action: StepAction::Message,
        channels: vec![Channel::Sms],
        template: "aviso".into(),
        tone: None,
        campaign_id: None,
        letter: None,
        note: String::new(),
    }
}

pub(crate) fn strategy(n: u128, trigger: StrategyTrigger, steps: Vec<StrategyStep>) -> Strategy {
    Strategy {
        id: StrategyId(id(n)),
        client_id: client_id(),
        name: format!("strategy {n}"),
        trigger,
        segment: String::new(),
        steps,
        champion_id: None,
        share_pct: 0,
        status: StrategyStatus::Active,
        version: 1,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

pub(crate) fn promise(n: u128, made_at: UtcMs, due: &str) -> Promise {
    Promise {
        id: PromiseId(id(500 + n)),
        client_id: client_id(),
        debtor_id: debtor_id(n),
        debt_id: debt_id(n),
        attempt_id: None,
        agent_id: None,
        amount: mxn(50_000),
        due_date: due.into(),
        grace_until: made_at.plus_ms(6 * DAY_MS),
        channel: PaymentChannel::Cash,
        state: PromiseState::Active,
        made_at,
        closed_at: None,
    }
}

pub(crate) async fn all(house: &House) -> Vec<Message> {
    let ask = Asked {
        limit: 100,
        ..Asked::default()
    };
    let mut rows = house.store.messages_page(&ask).await.expect("works");
    rows.sort_by_key(|m| (m.due_at, m.id));
    rows
}

async fn states(house: &House) -> Vec<(MessageState, String)> {
    let rows = all(house).await.into_iter();
    rows.map(|m| (m.state, m.reason)).collect()
}

/// A text that somebody writes by hand.
pub(crate) fn by_hand(n: u128, text: &str) -> MessageAsk {
    MessageAsk {
        debtor_id: debtor_id(n),
        debt_id: Some(debt_id(n)),
        point_id: None,
        channel: Channel::Sms,
        template_id: None,
        subject: String::new(),
        text: Pii(text.into()),
    }
}

pub(crate) fn somebody() -> Actor {
    Actor::User(UserId(id(77)))
}

#[tokio::test(start_paused = true)]
async fn a_promise_schedules_its_reminders_and_money_takes_them_back_row_04() {
    let (house, phones) = house(2).await;
    let now = house.clock.now();
    let body =
        "Hola {debtor.first_name}: su compromiso {debt.reference} vence el {promise.due_date}.";
    house
        .store
        .put_text_template(&template("aviso", body), &[])
        .await
        .expect("works");
    let steps = vec![step("d-1", -1, "11:00"), step("d0", 0, "09:00")];
    let plan = strategy(1, StrategyTrigger::Promise, steps);
    house.store.put_strategy(&plan, &[]).await.expect("works");
    let made = promise(0, now, "2026-11-26");
    let terms = PromiseTerms {
        min_minor: 1,
        max_minor: i64::MAX,
    };
    let done = house
        .store
        .record_promise(&made, terms, &[])
        .await
        .expect("works");
    assert_eq!(done, Ok(()));
    // Planned within a round, in the debtor's zone: 11:00 of the day before and 9:00 of the day.
    house.secs(31).await;
    let due: Vec<String> = all(&house)
        .await
        .iter()
        .map(|m| m.due_at.to_string())
        .collect();
    assert_eq!(
        due,
        ["2026-11-25T17:00:00.000Z", "2026-11-26T15:00:00.000Z"]
    );
    assert!(phones.got().is_empty(), "not before its hour");
    house.secs(3_600).await;
    let got = phones.got();
    assert_eq!(got.len(), 1, "{got:?}");
    let text = got[0].body.reveal();
    assert!(
        text.contains("C0 vence el 26 de noviembre de 2026"),
        "{text}"
    );
    assert!(
        text.ends_with("Responda BAJA para no recibir más."),
        "{text}"
    );
    paid_in_full(&house).await;
    // Money: the other reminder is taken back in less than a second.
    house.secs(1).await;
    let rows = states(&house).await;
    assert_eq!(rows[1], (MessageState::Cancelled, "debt_closed".to_owned()));
    house.secs(86_400).await;
    assert_eq!(phones.got().len(), 1, "nothing goes out to who has paid");
}

async fn paid_in_full(house: &House) {
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let payment = payment(house, 0, debt.balance_minor(), "r-1");
    house
        .center
        .post_payment(somebody(), payment)
        .await
        .expect("posted");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_followed_to_its_end_row_05() {
    let (house, phones) = house(4).await;
    let send = |n, text: &'static str| house.center.queue_message(somebody(), by_hand(n, text));
    let first = send(0, "Buen día").await.expect("queued");
    house.secs(1).await;
    let row = house.store.get_message(first.id).await.expect("works");
    assert_eq!((row.state, row.cost_micro), (MessageState::Sent, 350_000));
    let name = row.provider_ref.clone();
    phones.tell(&name, ReceiptKind::Read);
    phones.tell(&name, ReceiptKind::Delivered);
    house.secs(3).await;
    let row = house.store.get_message(first.id).await.expect("works");
    assert_eq!(
        row.state,
        MessageState::Read,
        "a late receipt takes nothing back"
    );
    let said = |text: &str| ReceiptKind::Reply {
        channel: Channel::Sms,
        from: row.address.clone().expect("it went somewhere"),
        text: Pii(text.into()),
        answers: None,
        optout: false,
    };
    phones.tell("in-1", said("¿Cuánto debo?"));
    phones.tell("in-1", said("¿Cuánto debo?"));
    house.secs(3).await;
    let row = house.store.get_message(first.id).await.expect("works");
    assert_eq!(row.state, MessageState::Answered);
    let ask = InboxAsk {
        limit: 9,
        ..InboxAsk::default()
    };
    let inbox = house.store.inbox_page(&ask).await.expect("works");
    assert_eq!((inbox.len(), inbox[0].debtor_id), (1, Some(debtor_id(0))));
    let answer = Pii("Debe 1,000.00 MXN".into());
    let sent = house
        .center
        .answer_inbox(somebody(), inbox[0].id, answer.clone())
        .await;
    let sent = sent.expect("queued");
    let twice = house
        .center
        .answer_inbox(somebody(), inbox[0].id, answer)
        .await;
    assert!(matches!(
        twice,
        Err(CenterError::Conflict {
            code: "inbox_handled",
            ..
        })
    ));
    house.secs(1).await;
    assert_eq!(phones.got().len(), 2);
    assert_eq!(
        house.store.get_message(sent.id).await.expect("works").state,
        MessageState::Sent
    );
    let kept = house.store.get_inbox(inbox[0].id).await.expect("works");
    assert_eq!(kept.state, InboxState::Answered);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_fails_leaves_nothing_stuck_row_05() {
    let (house, phones) = house(4).await;
    let send = |n, text: &'static str| house.center.queue_message(somebody(), by_hand(n, text));
    // It takes nothing: tried four times, further apart each time, then failed.
    phones.say(Some(SendFault::Later("busy".into())));
    let stuck = send(1, "Buen día").await.expect("queued");
    house.secs(3_600).await;
    let row = house.store.get_message(stuck.id).await.expect("works");
    assert_eq!(
        (row.state, row.tries, row.reason.as_str()),
        (MessageState::Failed, 4, "busy")
    );
    let ledger = house.store.ledger_of(debtor_id(1)).await.expect("works");
    assert_eq!(
        ledger.iter().map(|r| r.reached_network).collect::<Vec<_>>(),
        [Some(false)]
    );
    // An address that takes nothing comes back, and is not used again.
    phones.say(Some(SendFault::Refused {
        code: "21614".into(),
        bad_address: true,
    }));
    let bounced = send(2, "Buen día").await.expect("queued");
    house.secs(1).await;
    let row = house.store.get_message(bounced.id).await.expect("works");
    assert_eq!(row.state, MessageState::Bounced);
    assert!(house.store.get_point(point_id(2)).await.expect("works").bad);
    // An answer that was lost: nobody knows, and nobody sends it again.
    phones.say(Some(SendFault::Unknown("connection lost".into())));
    let lost = send(3, "Buen día").await.expect("queued");
    house.secs(1).await;
    phones.say(None);
    house.secs(7_200).await;
    let row = house.store.get_message(lost.id).await.expect("works");
    assert_eq!((row.state, row.tries), (MessageState::Failed, 1));
    assert!(phones.got().is_empty());
}
