//! Gateways side by side, what nobody carries, what a phone must not show, and links to pay in messages.

use crate::messages::{Phones, all, house, step, strategy, template};
use crate::world::{House, NOBODY, Plan, client_id, debt_id, debtor_id, mxn, point_id};
use async_trait::async_trait;
use center::{Actor, CenterConfig, CenterError, MessageAsk, Pages};
use domain::entity::{
    Channel, ContactPoint, Debtor, LinkState, MessageState, MoneyPolicy, StepAction, StrategyStep,
    StrategyTrigger, TextTemplate,
};
use domain::ids::UserId;
use domain::link::{LINK_CHARS, LinkKey, LinkKind};
use domain::pii::Pii;
use domain::ports::store::{
    CatalogStore as _, ContactStore as _, MessageStore as _, ReceiptStore as _, StepAsk,
    StrategyStore as _,
};
use domain::ports::{Accepted, Clock as _, Messenger, Outgoing, SendFault};
use domain::time::UtcMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A gateway whose provider never answers.
#[derive(Default)]
struct Stuck(AtomicUsize);

#[async_trait]
impl Messenger for Stuck {
    fn name(&self) -> &str {
        "stuck"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Whatsapp]
    }

    fn per_minute(&self) -> u32 {
        600
    }

    async fn send(&self, _message: &Outgoing) -> Result<Accepted, SendFault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

async fn with(debtors: u128, change: impl FnOnce(&mut CenterConfig)) -> (House, Arc<Phones>) {
    let plan = Plan {
        debtors,
        mix: NOBODY,
        ..Plan::default()
    };
    let phones = Arc::new(Phones::default());
    let mut config = CenterConfig::new("node-1");
    config.messengers = vec![Arc::clone(&phones) as _];
    change(&mut config);
    let start: UtcMs = plan.at.parse().expect("an instant");
    (House::furnished(&plan, start, config).await, phones)
}

fn somebody() -> Actor {
    Actor::User(UserId(crate::world::id(77)))
}

fn writes(n: u128, channel: Channel, text: &str) -> MessageAsk {
    MessageAsk {
        debtor_id: debtor_id(n),
        debt_id: Some(debt_id(n)),
        point_id: None,
        channel,
        template_id: None,
        subject: String::new(),
        text: Pii(text.into()),
    }
}

async fn templated(house: &House, body: &str) -> TextTemplate {
    let row = template("aviso", body);
    house
        .store
        .put_text_template(&row, &[])
        .await
        .expect("works");
    row
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_stops_no_other_and_is_given_up_row_05() {
    let stuck = Arc::new(Stuck::default());
    let hangs = Arc::clone(&stuck);
    let (house, phones) = with(24, |config| {
        config.messengers.insert(0, hangs as _);
    })
    .await;
    for n in 0..20 {
        let ask = writes(n, Channel::Whatsapp, "Buen día");
        let queued = house.center.queue_message(somebody(), ask).await;
        queued.expect("queued");
    }
    house.secs(2).await;
    assert_eq!(stuck.0.load(Ordering::SeqCst), 8, "a few at a time");
    for n in 20..24 {
        let ask = writes(n, Channel::Sms, "Buen día");
        let queued = house.center.queue_message(somebody(), ask).await;
        queued.expect("queued");
    }
    house.secs(2).await;
    assert_eq!(phones.got().len(), 4, "the other gateway goes on");
    // Nobody knows whether they left: they end, and nobody sends them again.
    house.secs(400).await;
    let rows = all(&house).await;
    let lost = rows.iter().filter(|m| m.channel == Channel::Whatsapp);
    let lost: Vec<_> = lost.map(|m| (m.state, m.tries)).collect();
    assert_eq!(lost, vec![(MessageState::Failed, 1); 20]);
    assert_eq!(stuck.0.load(Ordering::SeqCst), 20, "each once");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_carries_is_refused_when_it_is_written() {
    let (house, _) = house(2).await;
    let mail = writes(0, Channel::Email, "Buen día");
    let refused = house.center.queue_message(somebody(), mail).await;
    let code = refused.expect_err("nobody carries it").code();
    assert_eq!(code, "no_gateway");
    let (none, _) = with(1, |config| config.messengers.clear()).await;
    let text = writes(0, Channel::Sms, "Buen día");
    let refused = none.center.queue_message(somebody(), text).await;
    assert_eq!(refused.expect_err("nobody at all").code(), "no_gateway");
    assert!(all(&none).await.is_empty(), "nothing waits for nothing");
}

/// A gateway that its own node has not asked for yet must find the step still to be planned.
#[tokio::test(start_paused = true)]
async fn no_step_is_refused_for_good_before_a_gateway_is_known() {
    let (house, _) = with(2, |config| config.messengers.clear()).await;
    templated(&house, "Buen día").await;
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let due = domain::segment::day_of_date(&debt.due_date).expect("a date");
    let today = domain::segment::utc_day(house.clock.now());
    let offset = i32::try_from(today - due).expect("a few days");
    let write = step("one", offset, "12:00");
    let review = StrategyStep {
        action: StepAction::Review,
        channels: Vec::new(),
        template: String::new(),
        ..step("two", offset, "12:00")
    };
    let plan = strategy(1, StrategyTrigger::DueDate, vec![write, review]);
    house.store.put_strategy(&plan, &[]).await.expect("works");
    house.secs(31).await;
    let ask = StepAsk {
        limit: 9,
        ..StepAsk::default()
    };
    let steps = house.store.steps_page(&ask).await.expect("works");
    assert_eq!(steps.len(), 2, "what needs no gateway is planned");
    let rows = all(&house).await;
    assert!(
        rows.is_empty(),
        "{:?}",
        rows.iter().map(|m| &m.reason).collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn a_locked_phone_shows_nothing_of_the_debt_row_05() {
    let (house, phones) = house(3).await;
    let ask = writes(0, Channel::Sms, "Debe 500.00 MXN, pague hoy");
    let refused = house.center.queue_message(somebody(), ask).await;
    assert_eq!(refused.expect_err("it shows").code(), "message_shows");
    let shows = templated(&house, "Hola {debtor.name}: {debt.balance}").await;
    let ask = MessageAsk {
        template_id: Some(shows.id),
        ..writes(0, Channel::Sms, "")
    };
    let refused = house.center.queue_message(somebody(), ask).await;
    assert_eq!(refused.expect_err("it shows").code(), "message_shows");
    // A strategy that was made before: what its text would show is taken out, with the rule.
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let due = domain::segment::day_of_date(&debt.due_date).expect("a date");
    let today = domain::segment::utc_day(house.clock.now());
    let offset = i32::try_from(today - due).expect("a few days");
    let plan = strategy(
        1,
        StrategyTrigger::DueDate,
        vec![step("one", offset, "12:00")],
    );
    house.store.put_strategy(&plan, &[]).await.expect("works");
    house.secs(31).await;
    let rows = all(&house).await;
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!(row.state, MessageState::Refused);
        assert!(row.reason.ends_with("/messages/preview"), "{}", row.reason);
    }
    // One that was queued before the text was changed: asked again when it leaves.
    let mild = TextTemplate {
        body: "Hola {debtor.name}".into(),
        version: 2,
        ..shows.clone()
    };
    let put = async |row: &TextTemplate| {
        house
            .store
            .put_text_template(row, &[])
            .await
            .expect("works");
    };
    put(&mild).await;
    let ask = MessageAsk {
        template_id: Some(shows.id),
        ..writes(0, Channel::Sms, "")
    };
    let queued = house.center.queue_message(somebody(), ask).await;
    let queued = queued.expect("it shows nothing");
    put(&TextTemplate {
        version: 3,
        ..shows
    })
    .await;
    house.secs(2).await;
    let row = house.store.get_message(queued.id).await.expect("works");
    assert_eq!(row.state, MessageState::Refused);
    assert!(row.reason.ends_with("/messages/preview"), "{}", row.reason);
    assert!(phones.got().is_empty(), "nothing was seen");
}

/// Moves a debtor to New York.
async fn abroad(house: &House, n: u128) {
    let row = house.store.get_debtor(debtor_id(n)).await.expect("works");
    let row = Debtor {
        country: "US".into(),
        address_zone: Some("America/New_York".into()),
        ..row
    };
    house.store.put_debtor(&row, &[]).await.expect("works");
    let point = house.store.get_point(point_id(n)).await.expect("works");
    let point = ContactPoint {
        value: "+12125550123".into(),
        ..point
    };
    house.store.put_point(&point, &[]).await.expect("works");
}

#[tokio::test(start_paused = true)]
async fn an_approved_text_tells_how_to_opt_out_where_the_pack_asks_for_it() {
    let stuck = Arc::new(Stuck::default());
    let hangs = Arc::clone(&stuck);
    let (house, _) = with(1, |config| config.messengers = vec![hangs as _]).await;
    abroad(&house, 0).await;
    let silent = TextTemplate {
        channel: Channel::Whatsapp,
        provider_name: "aviso_1".into(),
        ..template("aviso", "Hola {debtor.name}")
    };
    let send = async |row: &TextTemplate| {
        let kept = house.store.put_text_template(row, &[]).await;
        kept.expect("works");
        let ask = MessageAsk {
            template_id: Some(row.id),
            ..writes(0, Channel::Whatsapp, "")
        };
        let queued = house.center.queue_message(somebody(), ask).await;
        let queued = queued.expect("queued");
        house.secs(2).await;
        house.store.get_message(queued.id).await.expect("works")
    };
    let row = send(&silent).await;
    let told = (row.state, row.reason.as_str());
    let rule = "us-federal/messages/optout";
    assert_eq!(told, (MessageState::Refused, rule));
    let tells = TextTemplate {
        body: "Hello {debtor.name}. Reply STOP to opt out.".into(),
        version: 2,
        ..silent
    };
    let row = send(&tells).await;
    assert_eq!(row.state, MessageState::Sending, "{}", row.reason);
    assert_eq!(stuck.0.load(Ordering::SeqCst), 1);
}

fn pages() -> Pages {
    Pages {
        url: "https://pagos.example.com".into(),
        key: LinkKey::new(&[7; 32]).expect("long enough"),
    }
}

async fn creditor(house: &House, data: &str) {
    let policy = MoneyPolicy {
        creditor_data: data.into(),
        version: 1,
        ..MoneyPolicy::of(client_id())
    };
    house
        .store
        .put_money_policy(&policy, &[])
        .await
        .expect("works");
}

#[tokio::test(start_paused = true)]
async fn a_message_carries_a_signed_link_for_what_is_overdue_row_06() {
    let (house, phones) = with(1, |config| config.pages = Some(pages())).await;
    let row = templated(&house, "Su página segura: {payment.link}").await;
    let ask = || MessageAsk {
        template_id: Some(row.id),
        ..writes(0, Channel::Sms, "")
    };
    // In Mexico nobody here takes money: without the creditor's own data the page has nothing to show.
    let refused = house.center.queue_message(somebody(), ask()).await;
    match refused {
        Err(CenterError::Invalid { code, detail, .. }) => {
            assert_eq!(code, "template_variable");
            assert!(detail.contains("payment.link"), "{detail}");
        }
        other => panic!("a page with nothing on it: {other:?}"),
    }
    creditor(&house, "CLABE 032180000118359719").await;
    let facts = house
        .store
        .contact_facts(debtor_id(0), house.clock.now())
        .await
        .expect("works");
    let shown = house.center.preview_template(&row, &facts, None).await;
    let shown = shown.expect("filled in").body;
    assert!(shown.reveal().contains("/p/MUESTRA"), "{}", shown.reveal());
    let queued = house.center.queue_message(somebody(), ask()).await;
    let queued = queued.expect("queued");
    house.secs(2).await;
    let got = phones.got();
    let text = got[0].body.reveal();
    let token = text.split("https://pagos.example.com/p/").nth(1);
    let token = &token.expect("a link")[..LINK_CHARS];
    let (id, until) = pages()
        .key
        .verify(LinkKind::Payment, token)
        .expect("signed by us");
    let link = house
        .store
        .get_payment_link(id.into())
        .await
        .expect("made with the message");
    assert_eq!((link.amount, link.debt_id), (mxn(500_000), debt_id(0)));
    assert_eq!((link.state, link.expires_at), (LinkState::Created, until));
    let sent = house.store.get_message(queued.id).await.expect("works");
    assert_eq!(
        (sent.state, sent.point_id),
        (MessageState::Sent, link.point_id)
    );
    let told = house.kinds().await;
    assert!(told.iter().any(|k| k == "payment_link.made"));
}
