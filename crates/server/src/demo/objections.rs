//! The objections of the demo's script, with answers that are spoken to people.

use domain::entity::{ExcuseKind, Objection};

/// Key, title, answer (Spanish, English), excuse.
type Line = (
    &'static str,
    [&'static str; 2],
    [&'static str; 2],
    Option<ExcuseKind>,
);

/// Shown before identity too: they tell of no debt.
const OPEN: &[Line] = &[
    (
        "de-que-se-trata",
        ["¿De qué se trata?", "What is it about?"],
        [
            "Es un asunto personal de {debtor.name}, por eso solo puedo comentarlo con esa persona. \
                ¿Hablo con ella?",
            "It is a personal matter of {debtor.name}, so I may speak of it only with that person. \
                Am I speaking with them?",
        ],
        None,
    ),
    (
        "no-me-llamen",
        ["No me llamen", "Do not call me"],
        [
            "Entiendo, y respeto su decisión. ¿Prefiere que le escribamos, o que no le contactemos por \
                este medio? Lo registro ahora mismo.",
            "I understand, and I respect that. Would you rather we wrote to you, or not contact you this \
                way at all? I will note it right now.",
        ],
        None,
    ),
];

/// Shown once identity is ticked.
const LINES: &[Line] = &[
    (
        "ya-pague",
        ["Ya pagué", "I have paid"],
        [
            "Muchas gracias por avisarme. ¿Me indica la fecha y el medio de pago? Lo verifico con \
                {client.name} y, mientras tanto, no le pediremos pagar de nuevo.",
            "Thank you for telling me. What was the date, and how did you pay? I will check it with \
                {client.name}; meanwhile we will not ask you to pay again.",
        ],
        Some(ExcuseKind::SaysPaid),
    ),
    (
        "no-tengo-dinero",
        ["No tengo dinero", "I have no money"],
        [
            "Le entiendo, y gracias por decírmelo. Busquemos algo que sí pueda cumplir: hay opciones en \
                partes. ¿Con cuánto y en qué fecha se sentiría cómodo?",
            "I understand, and thank you for saying so. Let us find something you can keep to: it can be \
                paid in parts. What amount and date would be comfortable for you?",
        ],
        Some(ExcuseKind::Unemployed),
    ),
    (
        "no-reconozco",
        ["No reconozco la deuda", "I do not recognise the debt"],
        [
            "Tiene derecho a aclararlo. Si gusta, abro una aclaración: se suspende la gestión de {debt.product} \
                mientras {client.name} la revisa y le responde por escrito.",
            "You have the right to have it explained. If you wish I will open a dispute: we stop asking \
                about {debt.product} while {client.name} reviews it and answers you in writing.",
        ],
        Some(ExcuseKind::Disagrees),
    ),
    (
        "cobran-de-mas",
        ["Me cobran de más", "The amount is too high"],
        [
            "Con gusto lo revisamos juntos. El saldo que tengo es de {debt.balance}, con vencimiento el \
                {debt.due_date}. ¿Qué parte no coincide con lo que usted tiene?",
            "Let us look at it together. The balance I have is {debt.balance}, due on {debt.due_date}. \
                Which part differs from yours?",
        ],
        Some(ExcuseKind::Disagrees),
    ),
    (
        "estuve-enfermo",
        ["Estuve enfermo", "I have been ill"],
        [
            "Lamento escucharlo y espero que ya esté mejor. No hay prisa en esta llamada: ¿le parece si \
                buscamos una fecha posterior que le permita recuperarse?",
            "I am sorry to hear that, and I hope you are better. There is no hurry: shall we look for a \
                later date that lets you recover?",
        ],
        Some(ExcuseKind::Illness),
    ),
    (
        "se-me-olvido",
        ["Se me olvidó", "I forgot"],
        [
            "No se preocupe, a cualquiera le pasa. Le puedo enviar ahora una liga de pago segura y un \
                recordatorio un día antes de la siguiente fecha.",
            "Do not worry, it happens. I can send you a secure payment link now, and a reminder the day \
                before the next date.",
        ],
        Some(ExcuseKind::Forgot),
    ),
    (
        "no-puedo-ir",
        ["No puedo ir a pagar", "I cannot get there to pay"],
        [
            "No hace falta que se desplace: puede pagar desde su teléfono o por transferencia. ¿Se lo envío \
                por mensaje o por correo?",
            "There is no need to travel: you can pay from your phone or by transfer. Shall I send it by \
                message or by e-mail?",
        ],
        Some(ExcuseKind::NoAccess),
    ),
    (
        "lo-consulto",
        ["Lo tengo que consultar", "I have to talk it over"],
        [
            "Claro, es una decisión importante. ¿Le llamo mañana a la hora que me diga, y le envío la \
                propuesta por escrito para que la revisen con calma?",
            "Of course, it is an important decision. May I call tomorrow at an hour that suits you, and send \
                the proposal in writing so that you can look at it calmly?",
        ],
        Some(ExcuseKind::Other),
    ),
];

fn made((key, title, answer, excuse): &Line, before_identity: bool) -> Objection {
    Objection {
        key: (*key).into(),
        title_es: title[0].into(),
        title_en: title[1].into(),
        answer_es: answer[0].into(),
        answer_en: answer[1].into(),
        before_identity,
        stages: vec![],
        buckets: vec![],
        excuse: *excuse,
    }
}

/// All of them, in order.
pub(super) fn objections() -> Vec<Objection> {
    let open = OPEN.iter().map(|line| made(line, true));
    open.chain(LINES.iter().map(|line| made(line, false)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_s_answers_are_polite_and_tell_nothing_early_row_22() {
        let all = objections();
        assert_eq!(domain::rules::objection::check(&all), Ok(()));
        for key in [
            "ya-pague",
            "no-tengo-dinero",
            "no-reconozco",
            "no-me-llamen",
        ] {
            assert!(all.iter().any(|o| o.key == key), "{key}");
        }
    }
}
