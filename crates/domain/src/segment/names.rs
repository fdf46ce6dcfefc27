//! What each field is called: its keyword and its words in Spanish, its words in English, and where a list of fields
//! shows it.

use super::Field;

crate::text_enum! {
    /// What a field is about; lists of fields are ordered by it.
    pub enum Group {
        /// Who the debtor is.
        File = "file",
        /// What he owes.
        Debts = "debts",
        /// How long he has owed it.
        Ageing = "ageing",
        /// How he can be reached.
        Points = "points",
        /// What he promised, agreed and paid.
        Promises = "promises",
        /// What was tried.
        History = "history",
        /// What the law, his wishes and holds say.
        Law = "law",
        /// Who works him.
        Assignment = "assignment",
    }
}

/// The names of a field.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The field.
    pub field: Field,
    /// Spanish keyword of the text form, beside the English one that is the field's own text.
    pub key_es: &'static str,
    /// Spanish; of a yes/no field a whole statement.
    pub es: &'static str,
    /// English.
    pub en: &'static str,
    /// Where it belongs.
    pub group: Group,
}

/// One line a field, by group.
macro_rules! names {
    ($($group:ident { $($field:ident $key:literal $es:literal $en:literal;)+ })+) => {
        &[$($(Name {
            field: Field::$field,
            key_es: $key,
            es: $es,
            en: $en,
            group: Group::$group,
        },)+)+]
    };
}

/// Names of every field, in the order of their groups.
pub(super) const NAMES: &[Name] = names! {
    File {
        Country "pais" "el país" "the country";
        Subdivision "region" "el estado o región" "the state or region";
        Language "idioma" "el idioma" "the language";
        DebtorKind "tipo_deudor" "el tipo de deudor" "the kind of debtor";
        ExternalRef "clave" "la clave del deudor" "the debtor's key";
        Portfolio "cartera" "la cartera" "the portfolio";
        Name "nombre" "el nombre" "the name";
        Document "documento" "el documento" "the document";
        Zone "zona" "la zona horaria" "the time zone";
        PartyRole "rol" "el papel de alguien en sus deudas" "the role of somebody on his debts";
        PartyName "otra_parte" "el nombre de alguien más en sus deudas" "the name of somebody else on his debts";
        PartyCount "otras_partes" "las demás personas en sus deudas" "the other people on his debts";
        CoDebtors "codeudores" "los codeudores y obligados solidarios" "the co-debtors and joint obligors";
        Guarantors "avales" "los avales y fiadores" "the guarantors and sureties";
        Score "puntaje" "el puntaje" "the score";
        DaysInFile "dias_en_cartera" "los días en la cartera" "the days in the portfolio";
        ToldZone "zona_dicha" "la zona horaria que dijo" "the time zone he told";
        City "ciudad" "la ciudad de un domicilio" "the city of an address";
        Postcode "codigo_postal" "el código postal de un domicilio" "the postal code of an address";
        Street "calle" "la calle de un domicilio" "the street of an address";
        AddressRegion "estado_domicilio" "el estado o región de un domicilio" "the state or region of an address";
        AddressCountry "pais_domicilio" "el país de un domicilio" "the country of an address";
        AddressCount "domicilios" "los domicilios útiles" "the usable addresses";
    }
    Debts {
        DebtRef "credito" "el crédito" "the credit";
        Product "producto" "el producto de una deuda abierta" "the product of an open debt";
        Currency "moneda" "la moneda de una deuda abierta" "the currency of an open debt";
        Balance "saldo" "el saldo" "the balance";
        Overdue "vencido" "el monto vencido" "the overdue amount";
        Principal "capital" "el capital" "the principal";
        Interest "intereses" "los intereses" "the interest";
        Fees "cargos" "los cargos" "the fees";
        Minimum "minimo" "el pago mínimo" "the least payment";
        DebtCount "deudas" "el número de deudas abiertas" "the number of open debts";
        DebtStatus "estado_deuda" "el estado de una deuda" "the status of a debt";
        InvoiceRef "factura" "la factura de una deuda abierta" "the invoice of an open debt";
        DaysToDueItem "dias_a_vencimiento" "los días para el siguiente vencimiento" "the days until the next due item";
        NextDueItem "siguiente_vencimiento" "el monto del siguiente vencimiento" "the amount of the next due item";
        DaysSincePlacement "dias_desde_asignacion" "los días desde que se asignó una deuda abierta" "the days since an open debt was placed";
        DaysToRecall "dias_a_retiro" "los días para el retiro de una deuda abierta" "the days until an open debt is recalled";
    }
    Ageing {
        DaysPastDue "dias_mora" "los días de mora" "the days past due";
        Bucket "tramo" "el tramo de mora" "the ageing bucket";
        DaysToStatute "dias_a_prescripcion" "los días para la prescripción" "the days until the statute date";
        Stage "etapa" "la etapa de una deuda" "the stage of a debt";
    }
    Points {
        PhoneCount "telefonos" "los teléfonos útiles" "the usable phones";
        MobilePhones "celulares" "los celulares útiles" "the usable mobiles";
        BadPhones "telefonos_malos" "los teléfonos que no sirven" "the phones proved wrong";
        GivenPhones "telefonos_dados" "los teléfonos que dio el deudor" "the phones the debtor gave";
        AuthorisedPhones "telefonos_autorizados" "los teléfonos autorizados" "the authorised phones";
        PointConfidence "confianza" "la mejor confianza de un teléfono" "the best confidence of a phone";
        Phone "telefono" "un teléfono" "a phone number";
        Email "correo" "un correo" "an e-mail address";
        PointSource "origen_telefono" "el origen de un teléfono útil" "the source of a usable phone";
        PointClass "tipo_telefono" "el tipo de un teléfono útil" "the kind of a usable phone";
        PointRole "quien_contesta" "quién contesta un teléfono útil" "who answers a usable phone";
        EmailCount "correos" "los correos útiles" "the usable e-mail addresses";
        DaysSinceConfirmed "dias_sin_confirmar" "los días desde que se confirmó su dato de contacto más viejo" "the days since his oldest point was confirmed";
    }
    Promises {
        PromiseActive "promesa_activa" "tiene una promesa vigente" "has an active promise";
        PromisesBroken "promesas_rotas" "las promesas rotas" "the broken promises";
        PromisesKept "promesas_cumplidas" "las promesas cumplidas" "the kept promises";
        DaysToPromise "dias_a_promesa" "los días para la promesa" "the days until the promise is due";
        Promised "prometido" "lo prometido" "the promised amount";
        NextPromise "siguiente_promesa" "lo prometido para la primera fecha" "the amount promised for the first date";
        Payments "pagos" "los pagos" "the payments";
        DaysSincePayment "dias_sin_pago" "los días desde el último pago" "the days since the last payment";
        Paid "pagado" "lo pagado" "the amount paid";
        Paid30d "pagado_30d" "lo pagado en 30 días" "the amount paid in 30 days";
        PromisesPartial "promesas_parciales" "las promesas cumplidas en parte" "the promises kept in part";
        PromisesBroken60d "promesas_rotas_60d" "las promesas rotas en 60 días" "the promises broken in 60 days";
        PlanState "estado_convenio" "el estado de un convenio" "the state of a plan";
        DaysToInstalment "dias_a_cuota" "los días para su siguiente cuota" "the days until his next instalment";
        NextInstalment "siguiente_cuota" "lo que falta de su siguiente cuota" "what is open of his next instalment";
        PaymentChannel "medio_de_pago" "el medio de un pago" "the channel of a payment";
        PromiseState "estado_promesa" "el estado de una promesa" "the state of a promise";
        PromiseChannel "medio_de_promesa" "el medio de una promesa vigente" "the channel of an active promise";
        ClaimState "dice_que_pago" "el pago que dice haber hecho" "the payment he says he made";
        LinkState "estado_liga" "el estado de una liga de pago" "the state of a payment link";
    }
    History {
        Attempts "intentos" "los intentos" "the attempts";
        Attempts7d "intentos_7d" "los intentos de 7 días" "the attempts of 7 days";
        DaysSinceAttempt "dias_sin_intento" "los días desde el último intento" "the days since the last attempt";
        DaysSinceRpc "dias_sin_contacto" "los días desde el último contacto directo" "the days since the last right-party contact";
        LastResult "ultimo_resultado" "el último resultado" "the last result";
        LastDisposition "ultima_tipificacion" "la última tipificación" "the last disposition";
        Excuse "motivo" "el motivo de atraso que dio" "the excuse he gave";
        Rpc30d "contactos_30d" "los contactos directos de 30 días" "the right-party contacts of 30 days";
        Messages30d "mensajes_30d" "los mensajes enviados en 30 días" "the messages sent in 30 days";
        Letters30d "cartas_30d" "las cartas de 30 días" "the letters of 30 days";
        Visits30d "visitas_30d" "las visitas de 30 días" "the visits of 30 days";
        Callback "llamada_acordada" "tiene una llamada acordada" "has an agreed call-back";
        VisitState "estado_visita" "el estado de una visita" "the state of a visit";
        VisitOutcome "resultado_visita" "el resultado de una visita" "the outcome of a visit";
        LetterLevel90d "carta_90d" "el nivel de una carta de 90 días" "the level of a letter of 90 days";
        MessageChannel30d "canal_mensaje_30d" "el canal de un mensaje de 30 días" "the channel of a message of 30 days";
        MessageState30d "estado_mensaje_30d" "el estado de un mensaje de 30 días" "the state of a message of 30 days";
        DaysSinceReply "dias_sin_respuesta" "los días desde que escribió" "the days since he wrote";
        ReplyState "estado_respuesta" "el estado de un mensaje que escribió" "the state of a message he wrote";
    }
    Law {
        HoldKind "tipo_bloqueo" "un bloqueo vigente" "a hold in force";
        Consent "consentimiento" "un consentimiento vigente" "a consent in force";
        OnHold "bloqueado" "tiene un bloqueo vigente" "is on hold";
        Suppressed "excluido" "está en una lista de exclusión" "is on a do-not-call list";
        CallableNow "marcable_ahora" "la ley permite llamarle ahora" "may lawfully be called now";
        ConsentChannel "canal_consentido" "el canal de un consentimiento vigente" "the channel of a consent in force";
        Preference "preferencia" "una preferencia vigente" "a preference in force";
        OptoutChannel "canal_de_baja" "un canal del que se dio de baja" "a channel he opted out of";
        ComplaintState "estado_queja" "el estado de una queja" "the state of a complaint";
        PreferenceChannel "canal_preferencia" "el canal de una preferencia vigente" "the channel of a preference in force";
        ComplaintAuthority "autoridad_queja" "la autoridad de una queja" "the authority of a complaint";
        DaysToComplaint "dias_a_queja" "los días para responder una queja" "the days until a complaint has to be answered";
    }
    Assignment {
        AssignedCampaign "campana_asignada" "la campaña asignada" "the campaign assigned";
        AssignedTeam "equipo_asignado" "el equipo asignado" "the team assigned";
        AssignedAgent "gestor_asignado" "el gestor asignado" "the agent assigned";
        DaysSinceAssigned "dias_asignado" "los días desde que se asignó a quien lo gestiona" "the days since he was assigned to who works him";
    }
};

/// Other ways to write a keyword: with its accent, or as people shorten it.
const ALSO: &[(&str, Field)] = &[
    ("país", Field::Country),
    ("días_mora", Field::DaysPastDue),
    ("dpd", Field::DaysPastDue),
    ("teléfonos", Field::PhoneCount),
    ("crédito", Field::DebtRef),
    ("parte", Field::PartyRole),
    ("mínimo", Field::Minimum),
    ("código_postal", Field::Postcode),
    ("teléfono", Field::Phone),
    ("días_sin_confirmar", Field::DaysSinceConfirmed),
    ("campaña_asignada", Field::AssignedCampaign),
    ("días_a_cuota", Field::DaysToInstalment),
    ("días_desde_asignación", Field::DaysSincePlacement),
    ("región", Field::Subdivision),
    ("país_domicilio", Field::AddressCountry),
    ("días_a_retiro", Field::DaysToRecall),
    ("tipo_teléfono", Field::PointClass),
    ("quién_contesta", Field::PointRole),
    ("dice_que_pagó", Field::ClaimState),
    ("días_a_queja", Field::DaysToComplaint),
    ("días_a_vencimiento", Field::DaysToDueItem),
    ("días_sin_respuesta", Field::DaysSinceReply),
    ("días_asignado", Field::DaysSinceAssigned),
    ("teléfonos_malos", Field::BadPhones),
    ("último_resultado", Field::LastResult),
    ("última_tipificacion", Field::LastDisposition),
    ("última_tipificación", Field::LastDisposition),
];

/// The names of a field.
#[must_use]
pub fn name_of(field: Field) -> Name {
    let known = NAMES.iter().find(|n| n.field == field);
    // A test holds that each has its own.
    known.copied().unwrap_or(Name {
        field,
        key_es: field.as_str(),
        es: field.as_str(),
        en: field.as_str(),
        group: Group::File,
    })
}

/// The field that a keyword names, in either language and any letter case.
pub(super) fn field_of(word: &str) -> Option<Field> {
    let word = word.to_lowercase();
    let own = |n: &&Name| n.key_es == word;
    let also = || ALSO.iter().find(|(text, _)| *text == word);
    word.parse()
        .ok()
        .or_else(|| NAMES.iter().find(own).map(|n| n.field))
        .or_else(|| also().map(|(_, field)| *field))
}

/// Every keyword of either language, with its field.
pub(super) fn keywords() -> impl Iterator<Item = (&'static str, Field)> {
    let own = Field::ALL.iter().map(|field| (field.as_str(), *field));
    let spanish = NAMES.iter().map(|n| (n.key_es, n.field));
    own.chain(spanish).chain(ALSO.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_has_names_of_its_own() {
        let fields: BTreeSet<Field> = NAMES.iter().map(|n| n.field).collect();
        assert_eq!(fields.len(), Field::ALL.len());
        assert_eq!(NAMES.len(), Field::ALL.len());
        let spanish: BTreeSet<&str> = NAMES.iter().map(|n| n.key_es).collect();
        assert_eq!(spanish.len(), NAMES.len());
        for field in Field::ALL {
            let name = name_of(*field);
            assert_ne!(name.es, field.as_str(), "{field}");
            assert_eq!(field_of(name.key_es), Some(*field), "{field}");
            assert_eq!(field_of(&field.as_str().to_uppercase()), Some(*field));
        }
        for (text, field) in ALSO {
            assert_eq!(field_of(text), Some(*field), "{text}");
        }
    }
}
