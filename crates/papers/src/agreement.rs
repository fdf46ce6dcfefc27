//! The agreement on a plan, in Spanish or English.

use crate::page::{Block, Sheet};
use domain::entity::{Language, PlanFile};
use domain::spoken::{self, amount};

/// What an agreement says besides the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementFacts<'a> {
    /// Who acts for the creditor.
    pub company: &'a str,
    /// The creditor.
    pub creditor: &'a str,
    /// Where to ask: the creditor's telephone.
    pub callback: &'a str,
    /// The debtor.
    pub debtor: &'a str,
    /// End of his document, masked.
    pub document: &'a str,
    /// The creditor's number of the debt.
    pub debt_ref: &'a str,
    /// Product.
    pub product: &'a str,
    /// Principal, interest and fees when it was drawn, minor units.
    pub parts_minor: [i64; 3],
    /// Local date it was drawn, `YYYY-MM-DD`.
    pub dated: &'a str,
    /// First local date on which it is too late for the incentive.
    pub early_until: Option<&'a str>,
}

/// A text by language.
type Both = (&'static str, &'static str);

const TITLE: Both = ("Convenio de pago", "Payment agreement");
const BREAKDOWN: Both = ("Desglose del adeudo", "What is owed");
const LABELS: [Both; 3] = [
    ("Capital", "Principal"),
    ("Intereses", "Interest"),
    ("Gastos y comisiones", "Fees"),
];
const BALANCE: Both = ("Saldo total", "Total balance");
const QUITA: Both = ("Quita (descuento)", "Discount");
const AGREED: Both = (
    "Total a pagar por este convenio",
    "To be paid under this agreement",
);
const PAYMENTS: Both = ("Pagos acordados", "Agreed payments");
const TERMS: Both = ("Condiciones", "Terms");
const FREEZE: Both = (
    "Mientras el convenio se cumpla no se generan más intereses sobre el adeudo.",
    "No further interest is charged while the agreement is kept.",
);
const RUNS: Both = (
    "Los intereses que se generen desde esta fecha no forman parte del convenio y se adeudan aparte.",
    "Interest that arises from this date on is not part of the agreement and is owed besides.",
);
const KEPT: Both = (
    "Al recibirse el último pago acordado el saldo total de arriba queda liquidado y el acreedor extiende el finiquito. Los cargos posteriores a esta fecha no forman parte del convenio.",
    "When the last agreed payment is received the total balance above is settled and the creditor issues a release. Charges after this date are not part of the agreement.",
);
const GRACE: Both = (
    "Cada pago tiene dos días hábiles de gracia. Un pago no recibido en ese plazo termina el convenio.",
    "Each payment has two business days of grace. A payment not received by then ends the agreement.",
);
const LAPSES: Both = (
    "Si el convenio termina por falta de pago, el descuento queda sin efecto; lo pagado se abona al adeudo.",
    "If it ends for want of payment the discount lapses; what was paid is credited to the debt.",
);
const STAYS: Both = (
    "Si el convenio termina por falta de pago, el descuento se conserva; lo pagado se abona al adeudo.",
    "If it ends for want of payment the discount stays; what was paid is credited to the debt.",
);
const COPY: Both = (
    "Ambas partes reciben este documento. Se acepta por medio de la página que lo acompaña.",
    "Both parties receive this document. It is accepted on the page that comes with it.",
);

/// The agreement as a sheet.
#[must_use]
pub fn agreement(file: &PlanFile, facts: &AgreementFacts<'_>, language: Language) -> Sheet {
    let english = language == Language::En;
    let say = |both: Both| (if english { both.1 } else { both.0 }).to_owned();
    let plan = &file.plan;
    let money = |minor: i64| amount(minor, plan.currency);
    let mut blocks = vec![Block::Text(if english {
        format!(
            "Between {} (creditor), for whom {} acts, and {} (document {}), on {} {}.",
            facts.creditor,
            facts.company,
            facts.debtor,
            facts.document,
            facts.product,
            facts.debt_ref
        )
    } else {
        format!(
            "Entre {} (acreedor), por quien actúa {}, y {} (documento {}), sobre {} {}.",
            facts.creditor,
            facts.company,
            facts.debtor,
            facts.document,
            facts.product,
            facts.debt_ref
        )
    })];
    blocks.push(Block::Heading(say(BREAKDOWN)));
    for (label, minor) in LABELS.into_iter().zip(facts.parts_minor) {
        blocks.push(Block::Row(say(label), money(minor)));
    }
    blocks.push(Block::Row(say(BALANCE), money(plan.balance_minor)));
    blocks.push(Block::Row(say(QUITA), money(-plan.quita_minor)));
    blocks.push(Block::Row(say(AGREED), money(plan.agreed_minor)));
    blocks.push(Block::Heading(say(PAYMENTS)));
    for part in &file.instalments {
        let label = format!(
            "{}. {}",
            part.position,
            spoken::date(&part.due_date, language)
        );
        blocks.push(Block::Row(label, money(part.amount_minor)));
    }
    blocks.push(Block::Heading(say(TERMS)));
    blocks.push(Block::Text(say(if plan.freeze_interest {
        FREEZE
    } else {
        RUNS
    })));
    if let Some(until) = facts.early_until.filter(|_| plan.early_off_minor > 0) {
        let (until, off) = (spoken::date(until, language), money(plan.early_off_minor));
        blocks.push(Block::Text(if english {
            format!("Whoever has paid the rest before {until} pays {off} less.")
        } else {
            format!("Quien liquide el resto antes del {until} paga {off} menos.")
        }));
    }
    blocks.push(Block::Text(say(KEPT)));
    blocks.push(Block::Text(say(GRACE)));
    if plan.quita_minor > 0 {
        blocks.push(Block::Text(say(if plan.lapses { LAPSES } else { STAYS })));
    }
    blocks.push(Block::Text(say(COPY)));
    Sheet {
        letterhead: format!("{}\n{}\n{}", facts.creditor, facts.company, facts.callback),
        dated: spoken::date(facts.dated, language),
        addressee: facts.debtor.to_owned(),
        subject: format!("{} {}", say(TITLE), facts.debt_ref),
        blocks,
    }
}
