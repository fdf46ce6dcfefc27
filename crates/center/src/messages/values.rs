//! Values of the variables of templates.

use domain::entity::{Channel, Client, Debt, Language, Promise, TextTemplate, Tone};
use domain::ids::DebtId;
use domain::ports::store::ContactFacts;
use domain::rules::messaging::{opt_out_text, silenced};
use domain::rules::template::{OPT_OUT, PAYMENT_LINK, TemplateFault, render, variables};
use domain::rules::tone::pick as toned;
use domain::spoken::{self, amount};
use domain::time::UtcMs;

/// What a template is filled in with.
pub(crate) struct Values<'a> {
    pub(crate) facts: &'a ContactFacts,
    pub(crate) client: &'a Client,
    pub(crate) company: &'a str,
    pub(crate) debt: Option<DebtId>,
    pub(crate) promise: Option<&'a Promise>,
    /// Address of the payment link.
    pub(crate) pay: Option<&'a str>,
    pub(crate) channel: Channel,
    pub(crate) now: UtcMs,
}

impl Values<'_> {
    fn language(&self) -> Language {
        self.facts.debtor.language
    }

    /// The debt it is about; without one, the oldest that may be spoken of. Where there is none of these, the
    /// text may be looked at, and the store lets nothing leave (`stopped`).
    pub(super) fn debt(&self) -> Option<&Debt> {
        let debts = &self.facts.debts;
        match self.debt {
            Some(id) => debts.iter().find(|d| d.id == id),
            None => debts
                .iter()
                .min_by_key(|d| (silenced(self.facts, d.id, self.now), &d.due_date, d.id)),
        }
    }

    fn date(&self, date: &str) -> String {
        spoken::date(date, self.language())
    }

    /// Value of a variable; `None` when the debtor has none.
    pub(crate) fn of(&self, name: &str) -> Option<String> {
        let full = self.facts.debtor.name.reveal();
        let money = |f: fn(&Debt) -> i64| self.debt().map(|d| amount(f(d), d.currency));
        match name {
            "debtor.name" => Some(full.clone()),
            "debtor.first_name" => full.split_whitespace().next().map(str::to_owned),
            "client.name" => Some(self.client.name.clone()),
            "client.phone" => Some(self.client.callback_number.clone()),
            "company.name" => Some(self.company.to_owned()),
            "debt.reference" => self.debt().map(|d| d.external_ref.clone()),
            "debt.product" => self.debt().map(|d| d.product.clone()),
            "debt.balance" => money(Debt::balance_minor),
            "debt.overdue" => money(|d| d.overdue_minor),
            "debt.minimum" => money(Debt::least_payment_minor),
            "debt.due_date" => self.debt().map(|d| self.date(&d.due_date)),
            "promise.amount" => self
                .promise
                .map(|p| amount(p.amount.amount_minor, p.amount.currency)),
            "promise.due_date" => self.promise.map(|p| self.date(&p.due_date)),
            PAYMENT_LINK => self.pay.map(str::to_owned),
            OPT_OUT => Some(opt_out_text(self.channel, self.language()).to_owned()),
            _ => None,
        }
    }
}

/// A template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) body: String,
    /// Values in the order of the text, for templates that the provider keeps.
    pub(crate) places: Vec<String>,
}

/// Fills a template in. A text that the provider has approved is sent as it was approved; to any other one
/// that does not tell how to opt out, that is added.
pub(crate) fn fill(
    template: &TextTemplate,
    values: &Values<'_>,
) -> Result<Rendered, TemplateFault> {
    let value = |name: &str| values.of(name);
    let subject = render(&template.subject, &value)?;
    let mut body = render(&template.body, &value)?;
    let names = variables(&template.body)?;
    if !names.contains(&OPT_OUT) && template.provider_name.is_empty() {
        with_opt_out(&mut body, values.channel, values.language());
    }
    let places = names.iter().filter_map(|name| values.of(name)).collect();
    Ok(Rendered {
        subject,
        body,
        places,
    })
}

/// Whether a template leads to a payment page.
pub(crate) fn wants_link(template: &TextTemplate) -> bool {
    let names = |text| variables(text).is_ok_and(|found| found.contains(&PAYMENT_LINK));
    names(&template.subject) || names(&template.body)
}

/// Adds how to opt out.
pub(crate) fn with_opt_out(body: &mut String, channel: Channel, language: Language) {
    let line = opt_out_text(channel, language);
    body.push_str(if channel == Channel::Email {
        "\n\n"
    } else {
        " "
    });
    body.push_str(line);
}

/// The template of a name for a channel: in the debtor's language, else in Spanish, else any; in each of them of
/// the tone, else of the next one in its order (`rules::tone`).
pub(crate) fn pick(
    named: &[TextTemplate],
    channel: Channel,
    language: Language,
    tone: Tone,
) -> Option<&TextTemplate> {
    let by = named.iter().filter(move |t| t.channel == channel);
    let of = |l: Language| toned(by.clone().filter(move |t| t.language == l), tone);
    of(language)
        .or_else(|| of(Language::Es))
        .or_else(|| toned(by.clone(), tone))
}
