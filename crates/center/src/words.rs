//! Words of results and reasons in Spanish and English, for cards, boards and why-not.

use crate::view::Problem;
use domain::entity::{
    BlockReason, CallResult, CampaignStatus, Channel, DialMode, MessageState, PaymentChannel,
    PlanState, PromiseState, Verdict, VisitOutcome,
};
use domain::ports::store::{AWAITING_DISPOSITION, LEFT_SEGMENT, RETURNED};
use domain::spoken::short_date;
use domain::time::UtcMs;
use jiff::tz::TimeZone;

/// A text in both languages.
pub(crate) type Both = (&'static str, &'static str);

/// What a call's result is called.
pub(crate) const fn result(result: CallResult) -> Both {
    use CallResult as R;
    match result {
        R::Human => ("contestó persona", "a person answered"),
        R::MachineBeep | R::MachineNoBeep => ("buzón de voz", "voicemail"),
        R::Fax => ("fax", "fax"),
        R::DeadAir => ("silencio al contestar", "silence on answering"),
        R::HangupEarly => ("colgó al contestar", "hung up on answering"),
        R::Busy => ("ocupado", "busy"),
        R::NoAnswer => ("no contesta", "no answer"),
        R::Rejected => ("rechazada", "rejected"),
        R::Unreachable => (
            "apagado o fuera de servicio",
            "switched off or out of service",
        ),
        R::InvalidNumber => ("número inexistente", "no such number"),
        R::Congestion => ("congestión", "congestion"),
        R::TrunkFault => ("falla de troncal", "trunk fault"),
        R::Cancelled => ("cancelada", "withdrawn"),
        R::Abandoned => ("abandonada", "dropped by us"),
        R::OneWayAudio => ("audio en un solo sentido", "audio one way only"),
        R::BlockedWindow => ("bloqueada: fuera de horario", "blocked: outside hours"),
        R::BlockedCap => ("bloqueada: tope de intentos", "blocked: contact cap"),
        R::BlockedHold => ("bloqueada: hay un bloqueo", "blocked: a hold"),
        R::BlockedSuppressed => ("bloqueada: lista de exclusión", "blocked: listed"),
        R::BlockedRule => ("bloqueada por regla", "blocked by rule"),
        R::Unknown => ("sin resultado conocido", "fate unknown"),
    }
}

/// What a dial mode is called.
pub(crate) const fn mode(mode: DialMode) -> Both {
    match mode {
        DialMode::Manual => ("manual", "manual"),
        DialMode::Preview => ("vista previa", "preview"),
        DialMode::Progressive => ("progresivo", "progressive"),
        DialMode::Power => ("potencia", "power"),
        DialMode::Predictive => ("predictivo", "predictive"),
        DialMode::Agentless => ("sin gestor", "agentless"),
    }
}

/// What a channel is called.
pub(crate) const fn channel(channel: Channel) -> Both {
    match channel {
        Channel::Call => ("llamada", "call"),
        Channel::Sms => ("SMS", "SMS"),
        Channel::Whatsapp => ("WhatsApp", "WhatsApp"),
        Channel::Email => ("correo", "e-mail"),
        Channel::Push => ("aviso en la app", "push message"),
        Channel::Letter => ("carta", "letter"),
        Channel::Visit => ("visita", "visit"),
    }
}

/// What became of a message.
pub(crate) const fn message(state: MessageState) -> Both {
    use MessageState as S;
    match state {
        S::Queued => ("en espera", "waits"),
        S::Sending => ("saliendo", "is leaving"),
        S::Sent => ("enviado", "sent"),
        S::Delivered => ("entregado", "delivered"),
        S::Read => ("leído", "read"),
        S::Answered => ("respondido", "answered"),
        S::Bounced => ("rebotado", "bounced"),
        S::Failed => ("fallido", "failed"),
        S::Refused => ("rechazado por la ley", "refused by the law"),
        S::Cancelled => ("cancelado", "cancelled"),
    }
}

/// Whom a visit met; nobody knows yet of one that is planned.
pub(crate) const fn visit(outcome: Option<VisitOutcome>) -> Both {
    match outcome {
        None => ("planeada", "planned"),
        Some(VisitOutcome::Met) => ("con la persona", "with him in person"),
        Some(VisitOutcome::OtherPerson) => ("con otra persona", "with somebody else"),
        Some(VisitOutcome::Nobody) => ("sin nadie", "with nobody there"),
    }
}

/// Where a plan stands.
pub(crate) const fn plan(state: PlanState) -> Both {
    use PlanState as S;
    match state {
        S::Draft => ("en borrador", "drafted"),
        S::Offered => ("ofrecido", "offered"),
        S::Approved => ("aprobado", "approved"),
        S::Signed => ("firmado", "signed"),
        S::Active => ("vigente", "active"),
        S::Completed => ("cumplido", "completed"),
        S::Broken => ("roto", "broken"),
        S::Cancelled => ("cancelado", "cancelled"),
    }
}

/// What became of a promise.
pub(crate) const fn promise(state: PromiseState) -> Both {
    match state {
        PromiseState::Active => ("vigente", "active"),
        PromiseState::Kept => ("cumplida", "kept"),
        PromiseState::KeptPartial => ("cumplida en parte", "kept in part"),
        PromiseState::Broken => ("rota", "broken"),
        PromiseState::Cancelled => ("cancelada", "cancelled"),
        PromiseState::Replaced => ("sustituida", "replaced"),
    }
}

/// How money came, behind `pago` and `payment`.
pub(crate) const fn payment(channel: PaymentChannel) -> Both {
    match channel {
        PaymentChannel::Transfer => ("por transferencia", "by transfer"),
        PaymentChannel::Cash => ("en efectivo", "in cash"),
        PaymentChannel::Card => ("con tarjeta", "by card"),
        PaymentChannel::Debit => ("por domiciliación", "by direct debit"),
        PaymentChannel::Link => ("por liga de pago", "by payment link"),
        PaymentChannel::Other => ("por otro medio", "by other means"),
    }
}

/// Why the call on the agent's screen is over.
pub(crate) fn ending(by: &str, how: CallResult) -> Both {
    match (by, how) {
        (_, CallResult::OneWayAudio) => (
            "se colgó: sin audio en un sentido",
            "ended: no audio one way",
        ),
        ("agent", _) => ("colgó el gestor", "the agent hung up"),
        ("debtor", _) => ("colgó el deudor", "the debtor hung up"),
        _ => ("la cortó el sistema", "the system ended it"),
    }
}

/// Where a campaign item waits or why it left, from its stored note.
pub(crate) fn note(note: &str) -> Option<Both> {
    Some(match note.split(':').next().unwrap_or(note) {
        "final" => (
            "salió de la campaña por su resultado",
            "left the campaign by its disposition",
        ),
        "attempts_per_debtor" => (
            "llegó al máximo de intentos de la campaña",
            "reached the campaign's limit of attempts",
        ),
        "points_spent" => (
            "no le quedan números por intentar",
            "no numbers are left to try",
        ),
        "message_told" => (
            "oyó el mensaje de la campaña",
            "heard the campaign's message",
        ),
        "opted_out" => ("pidió que no se le llame más", "asked for no more calls"),
        "no_message_in_language" => (
            "el mensaje de la campaña no está aprobado en su idioma",
            "the campaign's message is not approved in his language",
        ),
        "promise" => ("tiene una promesa vigente", "has a promise alive"),
        "callback" | "callback_own" => {
            ("se acordó llamar en otro momento", "a call-back is agreed")
        }
        "callback_cancelled" => (
            "su llamada acordada se canceló",
            "his agreed call-back was cancelled",
        ),
        "assigned_elsewhere" => (
            "está asignado a otra campaña",
            "is assigned to another campaign",
        ),
        "retry_stopped" => (
            "una regla de reintento lo sacó de la campaña",
            "a retry rule took him out of the campaign",
        ),
        "withdrawn" => (
            "se retiró y se juzga de nuevo",
            "was withdrawn and is judged anew",
        ),
        AWAITING_DISPOSITION => ("espera su tipificación", "awaits its disposition"),
        "not_disposed" => ("quedó sin tipificar", "was not disposed"),
        "cooloff" => (
            "descansa tras el último contacto",
            "rests after the last contact",
        ),
        "claim_not_found" => (
            "el pago que dice haber hecho no se encontró",
            "the payment he says he made was not found",
        ),
        "better_later" => (
            "le conviene una hora posterior",
            "a later hour suits him better",
        ),
        "retry" => ("espera su siguiente intento", "waits for its next try"),
        "abandoned" => ("fue abandonada y descansa", "was dropped and rests"),
        "busy_elsewhere" => ("otra campaña lo tiene", "another campaign has him"),
        "skipped" => ("un gestor lo saltó", "an agent skipped him"),
        "recovered" => (
            "su última llamada quedó sin destino conocido",
            "the fate of his last call is unknown",
        ),
        other => return followed(other).or_else(|| refused_for(other)),
    })
}

/// What became of his accounts, his file or his segment.
fn followed(note: &str) -> Option<Both> {
    Some(match note {
        "paid" => ("pagó", "paid"),
        "reversed" => ("su pago se devolvió", "his payment was taken back"),
        "recalled" => (
            "el acreedor retiró sus cuentas",
            "the creditor recalled his accounts",
        ),
        "merged" => (
            "su ficha se unió a otra de la misma persona",
            "his file was merged into another one of the same person",
        ),
        LEFT_SEGMENT => (
            "ya no está en el segmento de la campaña",
            "is in the campaign's segment no more",
        ),
        RETURNED => ("volvió a la campaña", "is in the campaign again"),
        _ => return None,
    })
}

/// Why the law, or the house, refused him.
fn refused_for(note: &str) -> Option<Both> {
    Some(match note {
        "blocked_window" => ("fuera de horario", "outside legal hours"),
        "blocked_cap" => ("tope de contactos", "contact cap"),
        "blocked_hold" => ("hay un bloqueo", "a hold is in force"),
        "blocked_suppressed" => ("está en lista de exclusión", "is listed"),
        "blocked_rule" => ("una regla lo impide", "a rule forbids it"),
        NO_NUMBER => (
            "la ley no deja mostrar ninguno de los números de la campaña",
            "the law lets none of the campaign's numbers be shown",
        ),
        NO_PLACE => (
            "no se sabe bastante de dónde está",
            "not enough is known of where he is",
        ),
        _ => return None,
    })
}

/// Note of who is refused for want of a number that may be shown (law.md §1 `caller_id`).
pub(crate) const NO_NUMBER: &str = "blocked_caller_id";
/// Note of who is refused because of what is not known of his zone.
pub(crate) const NO_PLACE: &str = "blocked_zone";

/// What is noted of a refusal: its reason, and of rules those apart that a manager can do something about.
pub(crate) fn refusal(verdict: Option<&Verdict>) -> &'static str {
    let hits = verdict.into_iter().flat_map(|v| &v.rules);
    let first = hits.filter(|r| r.refused).map(|r| r.rule.as_str()).next();
    match first {
        Some(rule) if rule.contains("/caller_id") => NO_NUMBER,
        Some("campaign/zone_policy" | "house/no_zone" | "house/unknown_zone") => NO_PLACE,
        _ => block(verdict.and_then(|v| v.blocked)),
    }
}

/// Stable code of a refusal.
pub(crate) const fn block(reason: Option<BlockReason>) -> &'static str {
    match reason {
        Some(reason) => reason.as_str(),
        None => BlockReason::Rule.as_str(),
    }
}

/// What a campaign's status means for who waits in it.
pub(crate) const fn status(status: CampaignStatus) -> Option<Both> {
    match status {
        CampaignStatus::Running => None,
        CampaignStatus::Draft => {
            Some(("la campaña no ha empezado", "the campaign has not started"))
        }
        CampaignStatus::Paused => Some(("la campaña está en pausa", "the campaign is paused")),
        CampaignStatus::Stopped => Some(("la campaña terminó", "the campaign is over")),
    }
}

/// An instant as people read it, Spanish and English: `26 nov 2026, 09:00 (America/Mexico_City)`.
pub(crate) fn local(at: UtcMs, zone: &TimeZone) -> (String, String) {
    let name = zone.iana_name().unwrap_or("UTC");
    let there = at.in_zone(zone);
    let clock = there.strftime("%H:%M");
    let (es, en) = short_date(&there.date().to_string());
    (
        format!("{es}, {clock} ({name})"),
        format!("{en}, {clock} ({name})"),
    )
}

/// A problem with fixed words.
pub(crate) fn problem(code: &'static str, words: Both) -> Problem {
    Problem {
        code,
        es: words.0.to_owned(),
        en: words.1.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_in_words() {
        let zone = TimeZone::get("America/Mexico_City").expect("a zone");
        let (es, en) = local(UtcMs(1_795_359_600_000), &zone);
        assert_eq!(es, "22 nov 2026, 09:00 (America/Mexico_City)");
        assert_eq!(en, "22 Nov 2026, 09:00 (America/Mexico_City)");
    }

    #[test]
    fn money_and_promises_have_their_words() {
        for channel in PaymentChannel::ALL {
            let (es, en) = payment(*channel);
            let raw = |word: &str| word == channel.as_str();
            assert!(!es.split(' ').any(raw), "{es}");
            assert!(en.contains(' '), "{en}");
        }
        for state in PromiseState::ALL {
            assert!(!promise(*state).0.contains('_'), "{state}");
        }
    }
}
