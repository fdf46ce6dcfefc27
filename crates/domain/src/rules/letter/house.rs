//! The house's own letters, where a client has written none: courteous, firm, direct, and the last before
//! court (terms.md §6). Portuguese speakers get the Spanish one.

use crate::entity::{Language, LetterLevel};

/// Subject and text of a letter.
pub type HouseText = (&'static str, &'static str);

const ES: [HouseText; 4] = [
    (
        "Recordatorio de pago de su cuenta {debt.ref}",
        "Estimado(a) {debtor.name}:\n\
        Le recordamos con atención que el pago de {debt.product} con {client.name} venció el \
        {debt.due_date}. El importe vencido es de {debt.overdue}.\n\
        Si ya realizó el pago, le agradecemos que no tome en cuenta esta carta. Si necesita más tiempo \
        o tiene dudas, con gusto buscamos con usted la forma de pago que más le convenga.\n\
        Quedamos a sus órdenes.\n\
        {company.name}",
    ),
    (
        "Segundo aviso sobre su cuenta {debt.ref}",
        "Estimado(a) {debtor.name}:\n\
        Hasta hoy, {date}, no hemos recibido el pago de {debt.overdue} de su cuenta con {client.name}, \
        que venció hace {debt.days} días.\n\
        Le pedimos que realice el pago o que se comunique con nosotros en los próximos siete días para \
        acordar la forma de hacerlo. Si no está de acuerdo con el importe, díganoslo: lo revisaremos \
        con usted.\n\
        Atentamente,\n\
        {company.name}",
    ),
    (
        "Su cuenta {debt.ref} requiere una solución",
        "Estimado(a) {debtor.name}:\n\
        Su cuenta con {client.name} tiene {debt.days} días de atraso y un saldo de {debt.balance}. Los \
        avisos anteriores no tuvieron respuesta.\n\
        Le proponemos resolverlo ahora: hay opciones de pago en partes y, en algunos casos, un \
        descuento. Para conocerlas, comuníquese con nosotros antes de diez días.\n\
        Confiamos en su respuesta.\n\
        {company.name}",
    ),
    (
        "Último aviso antes de la revisión jurídica de su cuenta {debt.ref}",
        "Estimado(a) {debtor.name}:\n\
        El saldo de {debt.balance} de su cuenta con {client.name} sigue pendiente después de \
        {debt.days} días.\n\
        Si en los próximos diez días no recibimos el pago ni su propuesta, {client.name} puede decidir \
        que un abogado revise el caso. Preferimos evitarlo y llegar antes a un acuerdo con usted.\n\
        Esta carta no es un documento de un juzgado. Si considera que no debe este importe, le pedimos \
        que nos lo haga saber por escrito.\n\
        Atentamente,\n\
        {company.name}",
    ),
];
const EN: [HouseText; 4] = [
    (
        "A reminder about your account {debt.ref}",
        "Dear {debtor.name},\n\
        This is a friendly reminder that the payment for {debt.product} with {client.name} was due on \
        {debt.due_date}. The overdue amount is {debt.overdue}.\n\
        If you have paid already, please disregard this letter. If you need more time or have a \
        question, we will gladly find a way to pay that suits you.\n\
        With kind regards,\n\
        {company.name}",
    ),
    (
        "Second notice about your account {debt.ref}",
        "Dear {debtor.name},\n\
        As of today, {date}, we have not received the payment of {debt.overdue} for your account with \
        {client.name}, which fell due {debt.days} days ago.\n\
        Please pay, or contact us within seven days to agree how. If you do not agree with the amount, \
        tell us: we will look at it with you.\n\
        Yours sincerely,\n\
        {company.name}",
    ),
    (
        "Your account {debt.ref} needs a solution",
        "Dear {debtor.name},\n\
        Your account with {client.name} is {debt.days} days late, with a balance of {debt.balance}. The \
        notices before this one had no answer.\n\
        We propose to settle it now: payment in parts is possible and, in some cases, a discount. To \
        hear the options, please contact us within ten days.\n\
        We trust in your answer.\n\
        {company.name}",
    ),
    (
        "Last notice before your account {debt.ref} goes to legal review",
        "Dear {debtor.name},\n\
        The balance of {debt.balance} of your account with {client.name} is still open after \
        {debt.days} days.\n\
        If we receive neither payment nor a proposal within ten days, {client.name} may decide to have \
        a lawyer review the case. We would rather reach an agreement with you before.\n\
        This letter is not a document of a court. If you believe that you do not owe this amount, \
        please let us know in writing.\n\
        Yours sincerely,\n\
        {company.name}",
    ),
];

/// The house's own text.
#[must_use]
pub const fn house_text(level: LetterLevel, language: Language) -> HouseText {
    let texts = match language {
        Language::En => &EN,
        Language::Es | Language::Pt => &ES,
    };
    match level {
        LetterLevel::L1 => texts[0],
        LetterLevel::L2 => texts[1],
        LetterLevel::L3 => texts[2],
        LetterLevel::L4 => texts[3],
    }
}

#[cfg(test)]
mod tests {
    use super::super::{VARIABLES, fill, rude};
    use super::*;

    #[test]
    fn the_house_writes_politely_in_both_languages_row_07() {
        for level in LetterLevel::ALL {
            for language in [Language::Es, Language::En] {
                let (subject, body) = house_text(*level, language);
                for text in [subject, body] {
                    assert_eq!(rude(text, language), [], "{level} {language}");
                    let known = |name: &str| VARIABLES.contains(&name).then(String::new);
                    assert!(fill(text, &known).is_ok(), "{level} {language}");
                }
            }
        }
    }
}
