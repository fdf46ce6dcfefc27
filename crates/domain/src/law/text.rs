//! The words of reasons, Spanish and English.

use super::pack::{CapWindow, Counts};
use crate::entity::{Channel, HoldKind, PartyRole};
use crate::spoken::short_date;
use crate::time::UtcMs;
use jiff::tz::TimeZone;

/// `por teléfono`, `by phone`.
pub(crate) const fn by_channel(channel: Channel) -> (&'static str, &'static str) {
    match channel {
        Channel::Call => ("por teléfono", "by phone"),
        Channel::Sms => ("por SMS", "by SMS"),
        Channel::Whatsapp => ("por WhatsApp", "by WhatsApp"),
        Channel::Email => ("por correo electrónico", "by e-mail"),
        Channel::Push => ("por notificación", "by push message"),
        Channel::Letter => ("por carta", "by letter"),
        Channel::Visit => ("en visita", "by visit"),
    }
}

/// One and many of what a cap counts.
const fn counted(counts: Counts) -> [&'static str; 4] {
    match counts {
        Counts::Attempt => ["intento", "intentos", "attempt", "attempts"],
        Counts::Conversation => [
            "conversación",
            "conversaciones",
            "conversation",
            "conversations",
        ],
        Counts::Contact => ["contacto", "contactos", "contact", "contacts"],
        Counts::DirectContact => [
            "contacto directo",
            "contactos directos",
            "direct contact",
            "direct contacts",
        ],
        Counts::Message => ["mensaje", "mensajes", "message", "messages"],
        Counts::Action => ["gestión", "gestiones", "action", "actions"],
    }
}

fn period(window: CapWindow) -> (String, String) {
    match window {
        CapWindow::CalendarDay(_) => ("hoy".into(), "today".into()),
        CapWindow::CalendarWeek(_) => ("esta semana".into(), "this week".into()),
        CapWindow::RollingDays(n) => (format!("en {n} días"), format!("within {n} days")),
    }
}

/// Why a cap refuses: `Ley 2300: ya hubo contacto hoy por SMS`.
pub(crate) fn cap_reached(
    label: &str,
    counts: Counts,
    window: CapWindow,
    value: u32,
    limit: u32,
    last: Channel,
) -> (String, String) {
    let [one_es, many_es, one_en, many_en] = counted(counts);
    let (when_es, when_en) = period(window);
    let (by_es, by_en) = by_channel(last);
    if limit == 1 {
        return (
            format!("{label}: ya hubo {one_es} {when_es} {by_es}"),
            format!("{label}: there already was one {one_en} {when_en}, {by_en}"),
        );
    }
    let (noun_es, noun_en) = if value == 1 {
        (one_es, one_en)
    } else {
        (many_es, many_en)
    };
    (
        format!("{label}: ya van {value} {noun_es} {when_es} y el máximo es {limit}"),
        format!("{label}: {value} {noun_en} {when_en} and the most is {limit}"),
    )
}

/// Why a least gap refuses.
pub(crate) fn gap(label: &str, counts: Counts, days: u16, last: Channel) -> (String, String) {
    let [one_es, _, one_en, _] = counted(counts);
    let (by_es, by_en) = by_channel(last);
    (
        format!("{label}: faltan {days} días entre {one_es} y {one_es}; el último fue {by_es}"),
        format!(
            "{label}: {days} days must lie between one {one_en} and the next; the last was {by_en}"
        ),
    )
}

/// Name of a hold.
pub(crate) const fn hold(kind: HoldKind) -> (&'static str, &'static str) {
    match kind {
        HoldKind::Dispute => ("disputa abierta", "open dispute"),
        HoldKind::Cease => ("pidió no ser contactado", "asked not to be contacted"),
        HoldKind::WritingOnly => (
            "pidió contacto solo por escrito",
            "asked for contact in writing only",
        ),
        HoldKind::ChannelOptout => ("se dio de baja de este canal", "opted out of this channel"),
        HoldKind::Represented => ("tiene abogado", "is represented by a lawyer"),
        HoldKind::Insolvency => ("insolvencia o concurso", "insolvency"),
        HoldKind::Deceased => ("fallecido", "deceased"),
        HoldKind::Moratorium => ("moratoria vigente", "moratorium in force"),
        HoldKind::Judicial => ("en juicio", "in court"),
        HoldKind::Paid => ("deuda pagada", "debt paid"),
        HoldKind::Recalled => ("retirada por el acreedor", "recalled by the creditor"),
        HoldKind::Minor => ("menor de edad", "is a minor"),
        HoldKind::Promise => ("promesa de pago vigente", "a promise to pay is alive"),
    }
}

/// Name of a role.
pub(crate) const fn role(role: PartyRole) -> (&'static str, &'static str) {
    match role {
        PartyRole::Titular => ("titular", "main debtor"),
        PartyRole::Codeudor => ("codeudor", "co-debtor"),
        PartyRole::Aval => ("aval", "guarantor (aval)"),
        PartyRole::Fiador => ("fiador", "surety"),
        PartyRole::ObligadoSolidario => ("obligado solidario", "jointly liable party"),
        PartyRole::Representative => ("representante", "representative"),
        PartyRole::Attorney => ("abogado", "attorney"),
        PartyRole::Executor => ("albacea", "executor"),
        PartyRole::Guardian => ("tutor", "guardian"),
        PartyRole::Spouse => ("cónyuge", "spouse"),
        PartyRole::ParentOfMinor => ("padre o madre de menor", "parent of a minor"),
        PartyRole::Reference => ("referencia", "reference"),
    }
}

/// `19:20` in a zone.
pub(crate) fn clock(at: UtcMs, tz: &TimeZone) -> String {
    at.in_zone(tz).strftime("%H:%M").to_string()
}

/// An instant in a zone, Spanish and English: `30 nov 2026, 00:00`.
pub(crate) fn moment(at: UtcMs, tz: &TimeZone) -> (String, String) {
    let there = at.in_zone(tz);
    let clock = there.strftime("%H:%M");
    let (es, en) = short_date(&there.date().to_string());
    (format!("{es}, {clock}"), format!("{en}, {clock}"))
}

/// Weekday names.
pub(crate) const fn weekday(day: jiff::civil::Weekday) -> (&'static str, &'static str) {
    use jiff::civil::Weekday;
    match day {
        Weekday::Monday => ("lunes", "Mondays"),
        Weekday::Tuesday => ("martes", "Tuesdays"),
        Weekday::Wednesday => ("miércoles", "Wednesdays"),
        Weekday::Thursday => ("jueves", "Thursdays"),
        Weekday::Friday => ("viernes", "Fridays"),
        Weekday::Saturday => ("sábados", "Saturdays"),
        Weekday::Sunday => ("domingos", "Sundays"),
    }
}
