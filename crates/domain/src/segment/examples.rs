//! Expressions of the kind that managers write, so many that every field is asked: the load figures of
//! `marcador bench store` and the tests of `store` run over them.

/// The expressions, in the canonical text form.
pub const EXAMPLES: &[&str] = &[
    "all",
    "days_past_due between 31 and 60",
    "days_past_due between 31 and 60 and balance >= 5000.00",
    "bucket in ('b1_30', 'b31_60') and not promise_active",
    "bucket = 'b361_plus' and overdue > 20000.00",
    "bucket = 'preventive' and debt_count = 1",
    "country = 'MX' and subdivision != 'MEX' and language = 'es'",
    "debtor_kind = 'company' or country in ('CO', 'PE')",
    "portfolio = 'bench' and product = 'tarjeta'",
    "product in ('auto', 'nomina') and currency = 'MXN'",
    "currency = 'USD' and balance > 100.00",
    "principal > 10000.00 and interest < 500.00 and fees = 0.00",
    "minimum between 100.00 and 900.00 and overdue >= 1000.00",
    "debt_count >= 2 and days_past_due > 90",
    "phone_count >= 1 and point_confidence >= 60",
    "mobile_phones = 0 and phone_count > 0",
    "given_phones >= 1 and authorised_phones >= 1",
    "attempts = 0",
    "attempts > 12 and days_since_rpc = 100000",
    "attempts_7d = 0 and not on_hold and not promise_active and not suppressed",
    "attempts_7d >= 3",
    "days_since_attempt > 14 and days_since_attempt < 100000",
    "days_since_rpc between 7 and 60",
    "last_result in ('busy', 'no_answer') and attempts_7d < 2",
    "last_result = 'human' and last_disposition = 'CD.NP'",
    "last_disposition in ('CD.PP', 'CD.CP') or promises_broken > 0",
    "promises_broken >= 1 and promises_kept = 0",
    "promise_active and days_to_promise between 0 and 3",
    "promised > 1000.00 and promises_kept > 0",
    "days_to_statute between 0 and 90 and days_past_due > 90",
    "paid_30d > 0.00 and balance > 0.00",
    "paid_30d = 0.00 and payments = 0",
    "payments >= 1 and days_since_payment < 45 and paid >= 500.00",
    "on_hold",
    "hold_kind in ('dispute', 'represented')",
    "suppressed",
    "not suppressed and not on_hold and phone_count > 0",
    "score between 600 and 800 and days_past_due <= 90",
    "score = -1",
    "days_in_file < 30",
    "zone = 'America/Tijuana'",
    "party_role in ('aval', 'codeudor')",
    "consent = 'contact'",
    "external_ref = 'D000123456'",
    "debt_ref = 'C000123456'",
    "document = 'DOC000123456'",
    "name = 'Persona 123456'",
    "callable_now",
    "callable_now and days_past_due between 1 and 90 and balance > 1000.00",
    "callable_now and bucket in ('b31_60', 'b61_90') and attempts_7d < 3 and not promise_active",
    "(balance >= 20000.00 or days_past_due > 180) and not (on_hold or suppressed)",
    "told_zone = 'America/Tijuana'",
    "city = 'Toluca' and not postcode in ('00001', '00002')",
    "debt_status = 'paid' and debt_count > 0",
    "invoice_ref = 'F2'",
    "stage in ('administrative', 'extrajudicial') and days_past_due > 30",
    "phone = '+525510123456' or email = 'd123456@example.com'",
    "point_source = 'import' and email_count = 0",
    "email_count >= 1 and mobile_phones >= 1",
    "days_since_confirmed > 60",
    "consent_channel = 'call' and not optout_channel in ('sms', 'call')",
    "preference in ('not_between', 'elderly')",
    "complaint_state = 'open'",
    "promises_partial >= 1 or promises_broken_60d >= 2",
    "plan_state = 'broken' and not plan_state = 'active'",
    "excuse = 'unemployed' and payment_channel = 'transfer'",
    "rpc_30d >= 1 and messages_30d <= 3",
    "messages_30d = 0 and email_count >= 1",
    "letters_30d >= 1 and visits_30d = 0",
    "visits_30d >= 1 and balance > 1000.00",
    "days_since_placement between 0 and 30 and attempts = 0",
    "days_to_instalment between 0 and 3 and next_instalment >= 100.00",
    "assigned_campaign = 'bench' or assigned_team = 'bench'",
    "assigned_agent = 'bench' and not promise_active",
    "street = 'Calle 17' and address_region = 'MEX'",
    "address_country = 'MX' and address_count >= 1 and mobile_phones = 0",
    "point_class = 'home' and not point_role = 'reference'",
    "days_to_recall between 0 and 15 and attempts_7d = 0",
    "promise_state in ('broken', 'cancelled') and promise_channel != 'link'",
    "claim_state = 'open' or link_state in ('created', 'opened')",
    "visit_state = 'made' and not visit_outcome = 'met'",
    "not callback and days_past_due > 60",
    "letter_level_90d in ('L1', 'L2') and balance > 1000.00",
    "message_channel_30d = 'whatsapp' and not message_state_30d in ('read', 'answered')",
    "preference_channel = 'call' and phone_count > 0",
    "complaint_authority = 'REDECO' and days_to_complaint between 0 and 10",
    "party_name = 'Persona 123456' and party_count >= 1",
    "guarantors >= 1 and co_debtors = 0 and days_past_due > 60",
    "bad_phones >= 2 and phone_count = 0",
    "days_since_reply <= 7 and not reply_state in ('answered', 'closed')",
    "days_since_assigned between 15 and 99999 and attempts_7d = 0",
    "days_to_due_item between 0 and 5 and next_due_item >= 100.00",
    "days_to_promise <= 2 and next_promise >= 100.00",
];

#[cfg(test)]
mod tests {
    use super::super::{Field, parse, print};
    use super::*;

    #[test]
    fn every_field_is_asked_and_each_is_canonical() {
        let mut asked = String::new();
        for text in EXAMPLES {
            let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(print(&expr), *text);
            asked += &format!(" {} ", text.replace(['(', ')'], " "));
        }
        for field in Field::ALL {
            assert!(
                asked.contains(&format!(" {field} ")),
                "{field} is not asked"
            );
        }
        assert!(EXAMPLES.len() >= 30);
    }
}
