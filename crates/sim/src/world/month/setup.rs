//! What a month needs beside the people of a run: debtors of other countries, addresses for messages,
//! templates, strategies, and the gateway.

use super::super::World;
use super::super::people::mxn;
use crate::post::{PostMix, SimPost};
use crate::store::Tables;
use domain::entity::{
    CallerId, Channel, ContactPoint, Debtor, PointClass, PolicyVersion, Strategy, TextTemplate,
};
use domain::ids::{CallerIdId, ClientId, DebtorId, PointId, PolicyId};
use domain::pii::Pii;
use domain::ports::IdSource;
use domain::rules::offers::ClientTerms;
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of seven debtors one lives in Chile and one in Ecuador, whose laws count messages and letters otherwise.
const SHARES: usize = 7;

/// Furnishes a world.
pub(super) fn furnish(world: &mut World) {
    let post = SimPost::new(world.plan.seed, PostMix::default(), mxn());
    world.post = Some(Arc::new(post));
    let (ids, now) = (Arc::clone(&world.ids), world.now);
    let campaign = world.cast.campaigns.first().copied();
    world.store.with(|t| {
        abroad(t);
        addresses(t, ids.as_ref(), now);
        let Some(client) = t.clients.keys().next().copied() else {
            return;
        };
        templates(t, client, ids.as_ref(), now);
        strategies(t, client, json!(campaign), ids.as_ref(), now);
    });
}

/// From now on a quita is given up with its plan: contracts of before keep theirs.
pub(super) fn let_quitas_lapse(world: &World) {
    let (id, now) = (PolicyId(world.ids.next(world.now)), world.now);
    world.store.with(|t| {
        let clients: Vec<ClientId> = t.clients.keys().copied().collect();
        for client_id in clients {
            let row = PolicyVersion {
                id,
                client_id,
                version: 1,
                terms: ClientTerms {
                    quita_lapses: true,
                    ..ClientTerms::default()
                },
                note: "quitas lapse".to_owned(),
                made_by: None,
                made_at: now,
            };
            t.policies.insert(row.id, row);
        }
    });
}

/// Moves some debtors to their country with their numbers.
fn abroad(t: &mut Tables) {
    let mut homes: BTreeMap<DebtorId, &str> = BTreeMap::new();
    for (n, debtor) in t.debtors.values_mut().enumerate() {
        let (country, zone, prefix) = match n % SHARES {
            5 => ("CL", "America/Santiago", "+5695"),
            6 => ("EC", "America/Guayaquil", "+59395"),
            _ => continue,
        };
        country.clone_into(&mut debtor.country);
        debtor.address_zone = Some(zone.to_owned());
        homes.insert(debtor.id, prefix);
    }
    for point in t.points.values_mut() {
        if let Some(prefix) = homes.get(&point.debtor_id) {
            let value = point.value.reveal();
            let own = &value[value.len().saturating_sub(7)..];
            point.value = Pii(format!("{prefix}{own}"));
        }
    }
    // Chile wants its own prefix shown.
    let homes: Vec<CallerId> = t.caller_ids.values().cloned().collect();
    for row in homes {
        let id = CallerIdId(uuid::Uuid::new_v5(&row.id.0, b"CL"));
        let number = format!(
            "+566000002{}",
            &row.number[row.number.len().saturating_sub(2)..]
        );
        let chile = CallerId {
            id,
            number,
            country: "CL".to_owned(),
            ..row
        };
        t.caller_ids.insert(id, chile);
    }
}

/// Where messages go: most have a mobile, some WhatsApp, some e-mail.
fn addresses(t: &mut Tables, ids: &dyn IdSource, now: UtcMs) {
    let phones: BTreeMap<DebtorId, ContactPoint> = t
        .points
        .values()
        .filter(|p| p.position == 0)
        .map(|p| (p.debtor_id, p.clone()))
        .collect();
    let debtors: Vec<Debtor> = t.debtors.values().cloned().collect();
    for (n, debtor) in debtors.iter().enumerate() {
        let Some(phone) = phones.get(&debtor.id) else {
            continue;
        };
        let mail = Pii(format!("{}@example.mx", debtor.external_ref));
        let ways = [
            (n % 5 != 4, Channel::Sms, &phone.value),
            (n % 5 < 2, Channel::Whatsapp, &phone.value),
            (n % 3 != 0, Channel::Email, &mail),
        ];
        for (_, channel, value) in ways.into_iter().filter(|w| w.0) {
            let point = ContactPoint {
                id: PointId(ids.next(now)),
                channel,
                value: value.clone(),
                class: PointClass::Mobile,
                role: domain::entity::PartyRole::Titular,
                given_by_debtor: true,
                bad: false,
                ..phone.clone()
            };
            t.points.insert(point.id, point);
        }
    }
}

fn made<T: serde::de::DeserializeOwned>(row: Value) -> T {
    serde_json::from_value(row).unwrap_or_else(|e| unreachable!("a row written here: {e}"))
}

fn templates(t: &mut Tables, client: ClientId, ids: &dyn IdSource, now: UtcMs) {
    let texts = [
        (
            "recordatorio",
            "Hola {debtor.first_name}: le recordamos la fecha {promise.due_date}. Dudas: {client.phone}.",
        ),
        (
            "aviso",
            "Hola {debtor.first_name}: tenemos un aviso para usted. Llámenos al {client.phone}.",
        ),
    ];
    for (name, body) in texts {
        for channel in ["sms", "whatsapp", "email"] {
            let subject = if channel == "email" { "Aviso" } else { "" };
            let row: TextTemplate = made(json!({
                "id": ids.next(now), "client_id": client, "name": name, "channel": channel,
                "language": "es", "tone": "courteous", "subject": subject, "body": body,
                "provider_name": "", "active": true, "version": 1, "created_at": now,
                "updated_at": now,
            }));
            t.text_templates.insert(row.id, row);
        }
    }
}

fn message(key: &str, offset: i32, at: &str, channels: [&str; 3], template: &str) -> Value {
    json!({
        "key": key, "offset_days": offset, "at": at, "action": "message", "channels": channels,
        "template": template,
    })
}

/// Reminders before promises and instalments; notices by the age of the debt, with a challenger; calls, letters
/// and reviews beside them.
fn strategies(t: &mut Tables, client: ClientId, campaign: Value, ids: &dyn IdSource, now: UtcMs) {
    let by_phone = ["sms", "whatsapp", "email"];
    let by_mail = ["email", "sms", "whatsapp"];
    let mut aged: Vec<Value> = (1..=12)
        .map(|n| message(&format!("d{}", n * 15), n * 15, "10:04", by_mail, "aviso"))
        .collect();
    aged.push(
        json!({"key": "call", "offset_days": 100, "at": "10:02", "action": "call",
        "campaign_id": campaign}),
    );
    aged.push(json!({"key": "review", "offset_days": 150, "at": "10:02", "action": "review"}));
    aged.push(json!({"key": "letter", "offset_days": 80, "at": "10:03", "action": "letter"}));
    let promised = vec![
        message("before", -1, "10:05", by_phone, "recordatorio"),
        message("day", 0, "10:03", by_phone, "recordatorio"),
    ];
    let parts = vec![message("before", -1, "10:06", by_phone, "aviso")];
    let shorter: Vec<Value> = (1..=6)
        .map(|n| message(&format!("d{}", n * 30), n * 30, "10:04", by_phone, "aviso"))
        .collect();
    let champion = ids.next(now);
    let all = [
        (
            ids.next(now),
            "Promesas",
            "promise",
            promised,
            Value::Null,
            0,
        ),
        (
            ids.next(now),
            "Convenios",
            "instalment",
            parts,
            Value::Null,
            0,
        ),
        (champion, "Antigüedad", "due_date", aged, Value::Null, 0),
        (
            ids.next(now),
            "Antigüedad B",
            "due_date",
            shorter,
            json!(champion),
            30,
        ),
    ];
    for (id, name, trigger, steps, of, share_pct) in all {
        let row: Strategy = made(json!({
            "id": id, "client_id": client, "name": name, "trigger": trigger, "segment": "",
            "steps": steps, "champion_id": of, "share_pct": share_pct, "status": "active",
            "version": 1, "created_at": now, "updated_at": now,
        }));
        t.strategies.insert(row.id, row);
    }
}
