//! The demo's messages: templates and strategies of a client, and debtors who read and answer what the
//! development gateway wrote.

use super::seed::Seeder;
use crate::clock::RandomIds;
use domain::entity::{
    Channel, Consent, Language, LetterLevel, MoneyPolicy, StepAction, Strategy, StrategyStatus,
    StrategyStep, StrategyTrigger, TextTemplate, Tone,
};
use domain::ids::{CampaignId, ClientId, ConsentId, StrategyId, TextTemplateId};
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

/// Days from the due date on which the debtor is put at the head of the campaign of early arrears.
const CALLS: [i32; 3] = [3, 7, 15];
/// And from which a person looks at the case, and a hand-over is asked for.
const REVIEW: i32 = 45;
const HAND_OVER: i32 = 90;
/// Part of the debtors whom the challenger writes to, in the afternoon, percent.
const CHALLENGER_PCT: i32 = 40;
/// Where writing needs the debtor's leave, it is in his contract; so many debtors of a demo have given it.
const CONSENT_COUNTRY: &str = "CO";
const CONSENTS_MAX: usize = 400;

/// How the demo's creditor is paid: a bank that there is not.
const CREDITOR: &str = "Banco de Prueba\nCLABE 000000000000000000\nReferencia: su número de cuenta";
/// First lines of an e-mail.
const PERSONAL: &str = "Hola {debtor.first_name}: este mensaje es personal y confidencial, y está dirigido \
    solo a usted. Si lo recibió por error, le pedimos que lo borre y que no lo lea más allá de estas líneas.";
/// Name, tone, text that is seen on a locked phone, and what only an opened e-mail adds.
const TEXTS: &[(&str, Tone, &str, &str)] = &[
    (
        "saldo",
        Tone::Courteous,
        "Hola {debtor.first_name}: tenemos un asunto personal que tratar con usted. Llámenos al \
            {client.phone} o entre a su página segura: {payment.link}",
        "Su saldo vencido con {client.name} es de {debt.overdue}.",
    ),
    (
        "saldo",
        Tone::Firm,
        "Hola {debtor.first_name}: le pedimos que hablemos esta semana de su asunto personal. Llámenos al \
            {client.phone} o entre a su página segura: {payment.link}",
        "Su saldo vencido con {client.name} es de {debt.overdue}. Le pedimos cubrirlo, o acordar con nosotros \
            una fecha.",
    ),
    (
        "saldo",
        Tone::Direct,
        "{debtor.first_name}: esperamos su respuesta sobre su asunto personal para acordar con usted cómo \
            resolverlo. Llámenos al {client.phone} o entre a su página segura: {payment.link}",
        "Su saldo vencido con {client.name} es de {debt.overdue} y sigue sin cubrirse. Si no es posible \
            cubrirlo hoy, dígalo y le proponemos un convenio.",
    ),
    (
        "compromiso",
        Tone::Courteous,
        "Hola {debtor.first_name}: le recordamos su compromiso del {promise.due_date}. Gracias. \
            {payment.link}",
        "El compromiso es de {promise.amount} con {client.name}.",
    ),
];

fn template(
    client: ClientId,
    now: UtcMs,
    (name, tone): (&str, Tone),
    channel: Channel,
    body: &str,
) -> TextTemplate {
    TextTemplate {
        id: TextTemplateId(RandomIds.next(now)),
        client_id: client,
        name: name.into(),
        channel,
        language: Language::Es,
        tone,
        subject: match channel {
            Channel::Email => "Su cuenta {debt.reference}".into(),
            _ => String::new(),
        },
        body: body.into(),
        provider_name: String::new(),
        provider_language: String::new(),
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
        tone: None,
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

fn call(offset_days: i32, campaign: CampaignId) -> StrategyStep {
    StrategyStep {
        action: StepAction::Call,
        channels: Vec::new(),
        campaign_id: Some(campaign),
        ..step(offset_days, "10:30", "")
    }
}

/// A step for a person.
fn look_at(offset_days: i32, action: StepAction, note: &str) -> StrategyStep {
    StrategyStep {
        action,
        channels: Vec::new(),
        note: note.to_owned(),
        ..step(offset_days, "12:00", "")
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

/// The strategies of the client; the first has a challenger.
fn strategies(client: ClientId, now: UtcMs, campaign: Option<CampaignId>) -> Vec<Strategy> {
    let due = StrategyTrigger::DueDate;
    let at = |hour| DAYS.iter().map(|day| step(*day, hour, "saldo")).collect();
    let made = |name, trigger, steps| strategy(client, now, (name, trigger), steps);
    let first = made("Después del vencimiento", due, at("10:00"));
    let second = Strategy {
        champion_id: Some(first.id),
        share_pct: CHALLENGER_PCT,
        ..made("Después del vencimiento, más tarde", due, at("11:30"))
    };
    let promised = vec![
        step(-1, "11:00", "compromiso"),
        step(0, "09:00", "compromiso"),
    ];
    let letters = LETTERS.iter().map(|(day, level)| letter(*day, *level));
    let mut calls: Vec<StrategyStep> = Vec::new();
    if let Some(campaign) = campaign {
        calls.extend(CALLS.iter().map(|day| call(*day, campaign)));
    }
    let words = "Revisar el caso: mes y medio de mora";
    calls.push(look_at(REVIEW, StepAction::Review, words));
    let words = "Preparar la entrega al despacho";
    calls.push(look_at(HAND_OVER, StepAction::HandOver, words));
    vec![
        first,
        second,
        made("Compromisos", StrategyTrigger::Promise, promised),
        made("Cartas", due, letters.collect()),
        made("Llamadas y revisión", due, calls),
    ]
}

/// Leave to write, where the law asks for it.
async fn consents(seeder: &Seeder<'_>, client: ClientId) -> anyhow::Result<()> {
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let (mut cursor, mut given) = (None, 0);
    loop {
        let page = PageRequest { limit: 500, cursor };
        let found = seeder.store.list_debtors(&filter, &page).await?;
        let there = found.items.iter().filter(|d| d.country == CONSENT_COUNTRY);
        for debtor in there.take(CONSENTS_MAX - given) {
            let row = Consent {
                id: ConsentId(seeder.fresh()),
                debtor_id: debtor.id,
                channel: Channel::Whatsapp,
                purpose: "contact".into(),
                granted_at: seeder.clock.now(),
                until: None,
                revoked_at: None,
                proof: "Contrato, cláusula 12".into(),
                revoke_proof: None,
            };
            seeder.store.put_consent(&row, &[]).await?;
            given += 1;
        }
        cursor = found.next_cursor;
        if cursor.is_none() || given >= CONSENTS_MAX {
            return Ok(());
        }
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
        for (name, tone, short, more) in TEXTS {
            let body = match channel {
                // A mailbox shows the first lines before the mail is opened: they tell nothing.
                Channel::Email => format!("{PERSONAL}\n\n{short}\n\n{more}"),
                _ => (*short).to_owned(),
            };
            let row = template(client, now, (name, *tone), channel, &body);
            seeder.store.put_text_template(&row, &[]).await?;
        }
    }
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let campaigns = seeder.store.list_campaigns(&filter, &page).await?;
    let campaign = campaigns.items.first().map(|c| c.id);
    for row in strategies(client, now, campaign) {
        seeder.store.put_strategy(&row, &[]).await?;
    }
    consents(seeder, client).await?;
    super::stages::seed(seeder, client).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strategies_are_such_as_the_api_takes() {
        let ids = uuid::Uuid::from_u128;
        let all = strategies(ClientId(ids(1)), UtcMs(0), Some(CampaignId(ids(2))));
        for one in &all {
            assert_eq!(domain::rules::strategy::check(one), Ok(()), "{}", one.name);
        }
        assert_eq!(all[1].champion_id, Some(all[0].id));
    }
}
