//! The words of closed vocabularies as people say them, so that neither a sentence nor a list shows a code.

use super::Field;

/// A word of a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// As an expression writes it.
    pub value: &'static str,
    /// Spanish.
    pub es: &'static str,
    /// English.
    pub en: &'static str,
}

/// One line a word.
macro_rules! words {
    ($($value:literal $es:literal $en:literal;)+) => {
        &[$(Word { value: $value, es: $es, en: $en }),+]
    };
}

const BUCKETS: &[Word] = words! {
    "preventive" "sin vencer" "not due yet";
    "b1_30" "1 a 30 días" "1 to 30 days";
    "b31_60" "31 a 60 días" "31 to 60 days";
    "b61_90" "61 a 90 días" "61 to 90 days";
    "b91_120" "91 a 120 días" "91 to 120 days";
    "b121_180" "121 a 180 días" "121 to 180 days";
    "b181_360" "181 a 360 días" "181 to 360 days";
    "b361_plus" "más de 360 días" "more than 360 days";
};

const LANGUAGES: &[Word] = words! {
    "es" "español" "Spanish";
    "en" "inglés" "English";
    "pt" "portugués" "Portuguese";
};

const KINDS: &[Word] = words! {
    "person" "persona" "person";
    "company" "empresa" "company";
};

const ROLES: &[Word] = words! {
    "titular" "titular" "main obligor";
    "codeudor" "codeudor" "co-debtor";
    "aval" "aval" "guarantor";
    "fiador" "fiador" "surety";
    "obligado_solidario" "obligado solidario" "joint obligor";
    "representative" "representante" "representative";
    "attorney" "abogado" "attorney";
    "executor" "albacea" "executor";
    "guardian" "tutor" "guardian";
    "spouse" "cónyuge" "spouse";
    "parent_of_minor" "padre o madre de un menor" "parent of a minor";
    "reference" "referencia" "reference";
};

const HOLDS: &[Word] = words! {
    "dispute" "disputa" "dispute";
    "cease" "no contactar" "cease";
    "writing_only" "solo por escrito" "writing only";
    "channel_optout" "baja de canal" "channel opt-out";
    "represented" "con abogado" "represented";
    "insolvency" "insolvencia" "insolvency";
    "deceased" "fallecido" "deceased";
    "moratorium" "moratoria" "moratorium";
    "judicial" "judicial" "in court";
    "paid" "pagado" "paid";
    "recalled" "retirado" "recalled";
    "minor" "menor de edad" "minor";
    "promise" "promesa vigente" "active promise";
};

const DEBTS: &[Word] = words! {
    "open" "vigente" "open";
    "paid" "pagada" "paid";
    "recalled" "retirada" "recalled";
    "closed" "cerrada" "closed";
};

const STAGES: &[Word] = words! {
    "preventive" "preventiva" "preventive";
    "administrative" "administrativa" "administrative";
    "extrajudicial" "extrajudicial" "extrajudicial";
    "prejudicial" "prejudicial" "prejudicial";
    "judicial" "judicial" "judicial";
    "written_off" "castigada" "written off";
    "sold" "vendida" "sold";
};

const CHANNELS: &[Word] = words! {
    "call" "llamada" "call";
    "sms" "SMS" "SMS";
    "whatsapp" "WhatsApp" "WhatsApp";
    "email" "correo" "e-mail";
    "push" "aviso en la app" "push";
    "letter" "carta" "letter";
    "visit" "visita" "visit";
};

const WISHES: &[Word] = words! {
    "only_between" "solo a ciertas horas" "only at some hours";
    "not_between" "no a ciertas horas" "not at some hours";
    "wider_hours" "horario ampliado por escrito" "wider hours in writing";
    "not_channel" "no por un canal" "not by a channel";
    "only_channel" "solo por un canal" "only by a channel";
    "not_point" "no a un número" "not at a number";
    "minor" "contesta un menor" "a minor answers";
    "elderly" "persona mayor" "elderly";
    "health" "salud delicada" "poor health";
};

const COMPLAINTS: &[Word] = words! {
    "open" "abierta" "open";
    "answered" "respondida" "answered";
    "closed" "cerrada" "closed";
};

const PLANS: &[Word] = words! {
    "draft" "borrador" "draft";
    "offered" "en espera de autorización" "waiting for authority";
    "approved" "aprobado" "approved";
    "signed" "aceptado" "accepted";
    "active" "en curso" "running";
    "completed" "cumplido" "completed";
    "broken" "roto" "broken";
    "cancelled" "no acordado" "not made";
};

const EXCUSES: &[Word] = words! {
    "unemployed" "sin empleo" "no income";
    "paid_late" "le pagaron tarde" "was paid late himself";
    "illness" "enfermedad o duelo" "illness or bereavement";
    "forgot" "lo olvidó" "forgot";
    "no_access" "no pudo llegar a pagar" "could not get to where he pays";
    "says_paid" "dice que ya pagó" "says that he paid";
    "disagrees" "no está de acuerdo con el monto" "does not agree with the amount";
    "other" "otro" "another";
};

const MEANS: &[Word] = words! {
    "transfer" "transferencia" "transfer";
    "cash" "efectivo" "cash";
    "card" "tarjeta" "card";
    "debit" "domiciliación" "direct debit";
    "link" "liga de pago" "payment link";
    "other" "otro medio" "other";
};

const CLASSES: &[Word] = words! {
    "mobile" "celular" "mobile";
    "home" "casa" "home";
    "work" "trabajo" "work";
    "other" "otro" "other";
};

const PROMISES: &[Word] = words! {
    "active" "vigente" "active";
    "kept" "cumplida" "kept";
    "kept_partial" "cumplida en parte" "kept in part";
    "broken" "rota" "broken";
    "cancelled" "cancelada" "cancelled";
    "replaced" "reemplazada" "replaced";
};

const CLAIMS: &[Word] = words! {
    "open" "por verificar" "to be looked for";
    "found" "encontrado" "found";
    "not_found" "no encontrado" "not found";
};

const LINKS: &[Word] = words! {
    "created" "sin abrir" "not opened";
    "opened" "abierta" "opened";
    "paid" "pagada" "paid";
    "expired" "vencida" "expired";
    "cancelled" "cancelada" "cancelled";
};

const VISITS: &[Word] = words! {
    "planned" "planeada" "planned";
    "made" "hecha" "made";
    "cancelled" "cancelada" "cancelled";
};

const OUTCOMES: &[Word] = words! {
    "met" "con la persona" "met in person";
    "other_person" "con otra persona" "met somebody else";
    "nobody" "sin nadie" "nobody there";
};

const LETTERS: &[Word] = words! {
    "L1" "L1, recordatorio" "L1, courteous";
    "L2" "L2, firme" "L2, firm";
    "L3" "L3, directa" "L3, direct";
    "L4" "L4, última" "L4, last";
};

const MESSAGES: &[Word] = words! {
    "queued" "en espera" "queued";
    "sending" "enviándose" "being sent";
    "sent" "enviado" "sent";
    "delivered" "entregado" "delivered";
    "read" "leído" "read";
    "answered" "respondido" "answered";
    "bounced" "rebotado" "bounced";
    "failed" "fallido" "failed";
    "refused" "no permitido" "not allowed";
    "cancelled" "cancelado" "cancelled";
};

const REPLIES: &[Word] = words! {
    "new" "por atender" "not looked after";
    "answered" "respondido" "answered";
    "closed" "cerrado" "closed";
};

const RESULTS: &[Word] = words! {
    "" "ninguno" "none";
    "human" "contestó persona" "person answered";
    "machine_beep" "buzón" "voicemail";
    "machine_no_beep" "buzón sin tono" "voicemail, no beep";
    "fax" "fax" "fax";
    "dead_air" "silencio" "dead air";
    "hangup_early" "colgó al contestar" "hung up early";
    "busy" "ocupado" "busy";
    "no_answer" "no contesta" "no answer";
    "rejected" "rechazada" "rejected";
    "unreachable" "apagado o fuera de servicio" "unreachable";
    "invalid_number" "número inexistente" "invalid number";
    "congestion" "congestión" "congestion";
    "trunk_fault" "falla de troncal" "trunk fault";
    "cancelled" "cancelada" "cancelled";
    "abandoned" "abandonada" "abandoned";
    "one_way_audio" "audio en un sentido" "one-way audio";
    "blocked_window" "bloqueada: fuera de horario" "blocked: outside hours";
    "blocked_cap" "bloqueada: tope" "blocked: cap";
    "blocked_hold" "bloqueada: bloqueo" "blocked: hold";
    "blocked_suppressed" "bloqueada: lista de exclusión" "blocked: suppressed";
    "blocked_rule" "bloqueada: regla" "blocked: rule";
    "unknown" "desconocido" "unknown";
};

/// The words of a field with a closed vocabulary; `None` = any text.
#[must_use]
pub const fn vocabulary(field: Field) -> Option<&'static [Word]> {
    Some(match field {
        Field::Bucket => BUCKETS,
        Field::Language => LANGUAGES,
        Field::DebtorKind => KINDS,
        Field::PartyRole | Field::PointRole => ROLES,
        Field::HoldKind => HOLDS,
        Field::DebtStatus => DEBTS,
        Field::Stage => STAGES,
        Field::ConsentChannel
        | Field::OptoutChannel
        | Field::MessageChannel30d
        | Field::PreferenceChannel => CHANNELS,
        Field::Preference => WISHES,
        Field::ComplaintState => COMPLAINTS,
        Field::PlanState => PLANS,
        Field::Excuse => EXCUSES,
        Field::PaymentChannel | Field::PromiseChannel => MEANS,
        Field::PointClass => CLASSES,
        Field::PromiseState => PROMISES,
        Field::ClaimState => CLAIMS,
        Field::LinkState => LINKS,
        Field::VisitState => VISITS,
        Field::VisitOutcome => OUTCOMES,
        Field::LetterLevel90d => LETTERS,
        Field::MessageState30d => MESSAGES,
        Field::ReplyState => REPLIES,
        Field::LastResult => RESULTS,
        _ => return None,
    })
}

/// What a value of a field is called, when it is a word of a vocabulary.
pub(super) fn said(field: Field, value: &str) -> Option<&'static Word> {
    vocabulary(field)?.iter().find(|word| word.value == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vocabulary_has_its_words_and_no_others() {
        for field in Field::ALL {
            let own = vocabulary(*field).map(|w| w.iter().map(|w| w.value).collect::<Vec<_>>());
            assert_eq!(own, field.words(), "{field}");
            for word in vocabulary(*field).unwrap_or_default() {
                assert!(!word.es.is_empty() && !word.en.is_empty(), "{word:?}");
                assert!(!word.es.contains('_') && !word.en.contains('_'), "{word:?}");
            }
        }
    }
}
