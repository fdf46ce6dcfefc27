//! The demo's messages: templates and strategies of a client, and debtors who read and answer what the
//! development gateway wrote.

use super::seed::Seeder;
use crate::clock::RandomIds;
use domain::entity::{
    Channel, Language, LetterLevel, MoneyPolicy, StepAction, Strategy, StrategyStatus,
    StrategyStep, StrategyTrigger, TextTemplate, Tone,
};
use domain::ids::{ClientId, StrategyId, TextTemplateId};
use domain::ports::IdSource as _;
use domain::ports::store::{ListFilter, PageRequest};
use domain::time::UtcMs;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two looks at the folder.
const LOOK: Duration = Duration::from_secs(2);
/// Days from the due date on which the demo's debtors are written to (terms.md, cadence).
const DAYS: [i32; 10] = [-5, -2, 0, 1, 3, 7, 15, 30, 45, 60];

/// Days from the due date on which a letter goes, and which (terms.md, cadence).
const LETTERS: [(i32, LetterLevel); 4] = [
    (5, LetterLevel::L1),
    (15, LetterLevel::L2),
    (30, LetterLevel::L3),
    (60, LetterLevel::L4),
];

/// How the demo's creditor is paid: a bank that there is not.
const CREDITOR: &str = "Banco de Prueba\nCLABE 000000000000000000\nReferencia: su número de cuenta";
/// First lines of an e-mail.
const PERSONAL: &str = "Hola {debtor.first_name}: este mensaje es personal y confidencial, y está dirigido \
    solo a usted. Si lo recibió por error, le pedimos que lo borre y que no lo lea más allá de estas líneas.";
/// Name, text that is seen on a locked phone, and what only an opened e-mail adds.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "saldo",
        "Hola {debtor.first_name}: tenemos un asunto personal que tratar con usted. Llámenos al \
            {client.phone} o entre a su página segura: {payment.link}",
        "Su saldo vencido con {client.name} es de {debt.overdue}.",
    ),
    (
        "compromiso",
        "Hola {debtor.first_name}: le recordamos su compromiso del {promise.due_date}. Gracias. \
            {payment.link}",
        "El compromiso es de {promise.amount} con {client.name}.",
    ),
];

fn template(
    client: ClientId,
    now: UtcMs,
    name: &str,
    channel: Channel,
    body: &str,
) -> TextTemplate {
    TextTemplate {
        id: TextTemplateId(RandomIds.next(now)),
        client_id: client,
        name: name.into(),
        channel,
        language: Language::Es,
        tone: Tone::Courteous,
        subject: match channel {
            Channel::Email => "Su cuenta {debt.reference}".into(),
            _ => String::new(),
        },
        body: body.into(),
        provider_name: String::new(),
        active: true,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn step(offset_days: i32, at: &str, template: &str) -> StrategyStep {
    StrategyStep {
        key: format!(
            "d{}{}",
            if offset_days < 0 { "-" } else { "" },
            offset_days.abs()
        ),
        offset_days,
        at: at.into(),
        action: StepAction::Message,
        channels: vec![Channel::Whatsapp, Channel::Sms],
        template: template.into(),
        campaign_id: None,
        letter: None,
        note: String::new(),
    }
}

fn letter(offset_days: i32, level: LetterLevel) -> StrategyStep {
    StrategyStep {
        action: StepAction::Letter,
        channels: Vec::new(),
        letter: Some(level),
        ..step(offset_days, "11:00", "")
    }
}

fn strategy(
    client: ClientId,
    now: UtcMs,
    (name, trigger): (&str, StrategyTrigger),
    steps: Vec<StrategyStep>,
) -> Strategy {
    Strategy {
        id: StrategyId(RandomIds.next(now)),
        client_id: client,
        name: name.into(),
        trigger,
        segment: String::new(),
        steps,
        champion_id: None,
        share_pct: 0,
        status: StrategyStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Templates and strategies of a fresh demo.
pub(super) async fn seed(seeder: &Seeder<'_>) -> anyhow::Result<()> {
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let clients = seeder
        .store
        .list_clients(&ListFilter::default(), &page)
        .await?;
    let (Some(client), now) = (clients.items.first().map(|c| c.id), seeder.clock.now()) else {
        return Ok(());
    };
    // In Mexico the pages of links show how the creditor himself is paid.
    let policy = MoneyPolicy {
        creditor_data: CREDITOR.to_owned(),
        version: 1,
        updated_at: now,
        ..MoneyPolicy::of(client)
    };
    seeder.store.put_money_policy(&policy, &[]).await?;
    for channel in [Channel::Sms, Channel::Whatsapp, Channel::Email] {
        for (name, short, more) in TEXTS {
            let body = match channel {
                // A mailbox shows the first lines before the mail is opened: they tell nothing.
                Channel::Email => format!("{PERSONAL}\n\n{short}\n\n{more}"),
                _ => (*short).to_owned(),
            };
            let row = template(client, now, name, channel, &body);
            seeder.store.put_text_template(&row, &[]).await?;
        }
    }
    let steps = DAYS
        .iter()
        .map(|day| step(*day, "10:00", "saldo"))
        .collect();
    let first = strategy(
        client,
        now,
        ("Después del vencimiento", StrategyTrigger::DueDate),
        steps,
    );
    let steps = vec![
        step(-1, "11:00", "compromiso"),
        step(0, "09:00", "compromiso"),
    ];
    let second = strategy(
        client,
        now,
        ("Compromisos", StrategyTrigger::Promise),
        steps,
    );
    let letters = strategy(
        client,
        now,
        ("Cartas", StrategyTrigger::DueDate),
        LETTERS
            .iter()
            .map(|(day, level)| letter(*day, *level))
            .collect(),
    );
    for row in [first, second, letters] {
        seeder.store.put_strategy(&row, &[]).await?;
    }
    Ok(())
}

/// Debtors who read what they got, and some of whom answer.
pub(super) struct Writers(JoinHandle<()>);

impl Writers {
    pub(super) fn start(folder: PathBuf) -> Self {
        Self(tokio::spawn(async move {
            let mut seen = BTreeSet::new();
            loop {
                tokio::time::sleep(LOOK).await;
                let folder = folder.clone();
                let before = std::mem::take(&mut seen);
                let looked = tokio::task::spawn_blocking(move || look(&folder, before)).await;
                match looked {
                    Ok(Ok(found)) => seen = found,
                    Ok(Err(error)) => {
                        tracing::warn!(kind = %error.kind(), "message folder not read")
                    }
                    Err(_) => return,
                }
            }
        }))
    }

    pub(super) fn stop(self) {
        self.0.abort();
    }
}

/// What a debtor writes back, by the message's own number.
fn answer(number: u128) -> Option<&'static str> {
    match number % 10 {
        0 => Some("Mañana paso a pagar, gracias."),
        1 => Some("¿Cuánto debo en total?"),
        2 if number.is_multiple_of(3) => Some("BAJA"),
        _ => None,
    }
}

fn write(folder: &Path, name: &str, told: &serde_json::Value) -> std::io::Result<()> {
    let draft = folder.join(format!(".{name}"));
    std::fs::write(&draft, told.to_string())?;
    std::fs::rename(draft, folder.join(name))
}

fn look(folder: &Path, mut seen: BTreeSet<String>) -> std::io::Result<BTreeSet<String>> {
    for entry in std::fs::read_dir(folder.join("out"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".json") || name.starts_with('.') || !seen.insert(name.clone()) {
            continue;
        }
        let sent: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e))?;
        let reference = sent["ref"].as_str().unwrap_or_default();
        let number = uuid::Uuid::try_parse(reference)
            .unwrap_or_default()
            .as_u128();
        let folder = folder.join("in");
        if number % 4 != 3 {
            let told = serde_json::json!({"ref": reference, "kind": "read"});
            write(&folder, &format!("a-{name}"), &told)?;
        }
        if let Some(text) = answer(number) {
            let told = serde_json::json!({
                "kind": "reply", "channel": sent["channel"], "from": sent["to"], "text": text,
                "answers": reference,
            });
            write(&folder, &format!("b-{name}"), &told)?;
        }
    }
    Ok(seen)
}
