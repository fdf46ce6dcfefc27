//! The disposition tree (terms.md §4) as data, and what its flags mean.

use crate::entity::{CallResult, Disposition, HoldKind};

/// Set by the system when an agent did not dispose in time.
pub const NOT_DISPOSED: &str = "NC.ST";

/// One row: code, es, en, rpc, final, next, cool-off h, hold, required, hotkey, agent may set.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    bool,
    bool,
    &'static str,
    i32,
    Option<HoldKind>,
    &'static [&'static str],
    i32,
    bool,
);

#[rustfmt::skip]
const LEVEL_2: &[Row] = &[
    ("CD.PP", "Promesa de pago", "Promise to pay", true, false, "promise_watch", 0, None, &["promise"], 1, true),
    ("CD.YP", "Ya pagó", "Claims paid", true, false, "verify_payment", 72, None, &["claim"], 2, true),
    ("CD.CP", "Convenio o plan", "Plan or settlement", true, false, "plan_watch", 168, None, &["note"], 3, true),
    ("CD.VL", "Volver a llamar", "Call back", true, false, "callback", 0, None, &["callback_at"], 4, true),
    ("CD.NP", "Negativa de pago", "Refusal to pay", true, false, "strategy_step", 168, None, &[], 5, true),
    ("CI.MT", "Mensaje con tercero", "Message with third party", false, false, "retry", 24, None, &[], 6, true),
    ("CI.EQ", "Número equivocado", "Wrong number", false, false, "next_point", 0, None, &[], 7, true),
    ("CI.FA", "Fallecido", "Deceased (reported)", false, true, "executor_path", 0, Some(HoldKind::Deceased), &["note"], 8, true),
    ("CD.NC", "No contactar", "Cease contact", true, true, "letter_path", 0, Some(HoldKind::Cease), &[], 9, true),
    ("CD.PR", "Paga en línea", "Paid on call", true, true, "close_or_next_debt", 24, None, &["note"], 0, true),
    ("CD.DI", "Disputa", "Dispute", true, true, "dispute_case", 0, Some(HoldKind::Dispute), &["note"], 0, true),
    ("CD.RE", "Pide reestructura o quita", "Asks for terms", true, false, "supervisor_offer", 48, None, &["note"], 0, true),
    ("CD.AB", "Tiene abogado", "Represented by attorney", true, true, "legal_queue", 0, Some(HoldKind::Represented), &["note"], 0, true),
    ("CD.IN", "Insolvencia o concurso", "Insolvent", true, true, "legal_queue", 0, Some(HoldKind::Insolvency), &["note"], 0, true),
    ("CD.CO", "Colgó tras identificarse", "Hung up after identity", true, false, "retry", 24, None, &[], 0, true),
    ("CD.EN", "Enviar información", "Send information", true, false, "message", 48, None, &[], 0, true),
    ("CI.TN", "Tercero no toma recado", "Third party declined", false, false, "retry", 24, None, &[], 0, true),
    ("CI.NV", "No vive o labora ahí", "Moved", false, false, "next_point", 0, None, &[], 0, true),
    ("CI.VI", "Viajando", "Away", false, false, "retry_on_date", 0, None, &["callback_at"], 0, true),
    ("NC.NR", "No responde", "No answer", false, false, "retry_rule", 0, None, &[], 0, true),
    ("NC.OC", "Ocupado", "Busy", false, false, "retry_rule", 0, None, &[], 0, false),
    ("NC.AP", "Apagado o fuera de servicio", "Unreachable", false, false, "retry_rule", 0, None, &[], 0, false),
    ("NC.BZ", "Buzón de voz", "Voicemail", false, false, "retry_rule", 0, None, &[], 0, true),
    ("NC.IX", "Número inexistente", "Invalid number", false, false, "next_point", 0, None, &[], 0, true),
    ("NC.FX", "Fax", "Fax", false, false, "next_point", 0, None, &[], 0, true),
    ("NC.CA", "Colgaron antes de identificarse", "Hung up before identity", false, false, "retry", 24, None, &[], 0, true),
    ("NC.AD", "Abandonada", "Dropped by us", false, false, "agent_only", 72, None, &[], 0, false),
    ("NC.BL", "Bloqueada por regla", "Blocked by rule", false, false, "verdict", 0, None, &[], 0, false),
    ("NC.TR", "Falla de troncal", "Trunk fault", false, false, "retry_rule", 0, None, &[], 0, false),
    (NOT_DISPOSED, "Sin tipificar (tiempo)", "Not disposed in time", false, false, "supervisor_review", 24, None, &[], 0, false),
];

/// Level 3: code, es, en; flags come from level 2, save a hold of its own.
#[rustfmt::skip]
const LEVEL_3: &[(&str, &str, &str, Option<HoldKind>)] = &[
    ("CD.PP.TOTAL", "Promesa total", "Promise, full amount", None),
    ("CD.PP.PARCIAL", "Promesa parcial", "Promise, part", None),
    ("CD.CP.PLAN", "Plan a plazos", "Instalment plan", None),
    ("CD.CP.QUITA", "Quita", "Settlement", None),
    ("CD.YP.CON", "Ya pagó, con comprobante", "Claims paid, with proof", None),
    ("CD.YP.SIN", "Ya pagó, sin comprobante", "Claims paid, no proof", None),
    ("CD.VL.MISMO", "Volver a llamar, mismo gestor", "Call back, same agent", None),
    ("CD.VL.CUALQUIERA", "Volver a llamar, cualquiera", "Call back, any agent", None),
    ("CD.NP.NOPUEDE", "No puede pagar", "Cannot pay", None),
    ("CD.NP.NOQUIERE", "No quiere pagar", "Will not pay", None),
    ("CD.NP.DESEMPLEO", "Desempleo", "Unemployed", None),
    ("CD.NP.ENFERMEDAD", "Enfermedad", "Illness", None),
    ("CD.DI.MONTO", "Disputa el monto", "Disputes the amount", None),
    ("CD.DI.FRAUDE", "Alega fraude", "Claims fraud", None),
    ("CD.DI.SERVICIO", "Disputa el servicio", "Disputes the service", None),
    ("CD.DI.NORECONOCE", "No reconoce la deuda", "Does not know the debt", None),
    ("CD.NC.TODO", "No contactar", "Cease contact", Some(HoldKind::Cease)),
    ("CD.NC.ESCRITO", "Solo por escrito", "Writing only", Some(HoldKind::WritingOnly)),
    ("NC.BZ.DEJADO", "Buzón, mensaje dejado", "Voicemail, message left", None),
    ("NC.BZ.NODEJADO", "Buzón, sin mensaje", "Voicemail, no message", None),
];

fn level_2(row: &Row) -> Disposition {
    let (code, es, en, rpc, is_final, next, cooloff_h, hold, required, hotkey, agent_may_set) =
        *row;
    Disposition {
        code: code.to_owned(),
        label_es: es.to_owned(),
        label_en: en.to_owned(),
        rpc,
        is_final,
        next: next.to_owned(),
        cooloff_h,
        hold,
        required: required.iter().map(|r| (*r).to_owned()).collect(),
        hotkey,
        agent_may_set,
    }
}

/// Level-2 code of a code of any level: `CD.NP.NOPUEDE` → `CD.NP`.
#[must_use]
pub fn parent(code: &str) -> &str {
    match code.match_indices('.').nth(1) {
        Some((at, _)) => &code[..at],
        None => code,
    }
}

/// What a code is called in the standard tree, Spanish and English; a leaf of a client's own is called as the code that
/// it stands under.
#[must_use]
pub fn standard_label(code: &str) -> Option<(&'static str, &'static str)> {
    let leaf = LEVEL_3.iter().find(|row| row.0 == code);
    let leaf = leaf.map(|row| (row.1, row.2));
    let upper = || LEVEL_2.iter().find(|row| row.0 == parent(code));
    leaf.or_else(|| upper().map(|row| (row.1, row.2)))
}

/// The standard tree: every level-2 code for calls, then the leaves of level 3.
#[must_use]
pub fn standard_dispositions() -> Vec<Disposition> {
    let mut tree: Vec<Disposition> = LEVEL_2.iter().map(level_2).collect();
    for (code, es, en, hold) in LEVEL_3 {
        let Some(base) = LEVEL_2.iter().find(|row| row.0 == parent(code)) else {
            continue;
        };
        tree.push(Disposition {
            code: (*code).to_owned(),
            label_es: (*es).to_owned(),
            label_en: (*en).to_owned(),
            hold: hold.or(base.7),
            hotkey: 0,
            ..level_2(base)
        });
    }
    tree
}

/// Codes that every agent has, whatever his campaign's set: those that stop contact, and the number that is another's.
/// Who asks for it must find the code for it.
fn always() -> impl Iterator<Item = &'static str> {
    let kept = |row: &&Row| row.10 && (row.7.is_some() || suppresses_point(row.0));
    LEVEL_2.iter().filter(kept).map(|row| row.0)
}

/// What a campaign's set ([`crate::entity::CampaignParams::disposition_set`]) gives an agent: its codes and those that
/// are [`always`] there; a code of level 2 stands for its leaves. `None` = the whole tree.
#[must_use]
pub fn codes_of_set(set: &[String]) -> Option<Vec<String>> {
    if set.is_empty() {
        return None;
    }
    let mut codes = set.to_vec();
    codes.extend(
        always()
            .filter(|c| !set.iter().any(|s| s == c))
            .map(str::to_owned),
    );
    Some(codes)
}

/// Whether a campaign's set gives an agent this code.
#[must_use]
pub fn in_set(set: &[String], code: &str) -> bool {
    let under = parent(code);
    codes_of_set(set).is_none_or(|codes| codes.iter().any(|c| c == code || c == under))
}

/// He says that he has paid; of its leaves one is with proof, one without.
const SAYS_PAID: &str = "CD.YP";

/// Furthest back that a payment which he says he made may lie, days.
pub const CLAIM_MAX_DAYS: i64 = 400;

/// Whether the code comes with what the debtor says of a payment that nobody has seen: when, by what channel, with
/// what proof.
#[must_use]
pub fn takes_claim(code: &str) -> bool {
    parent(code) == SAYS_PAID
}

/// Whether the code says by itself that there is a proof of that payment, or none.
#[must_use]
pub fn proof_of(code: &str) -> Option<bool> {
    match code {
        "CD.YP.CON" => Some(true),
        "CD.YP.SIN" => Some(false),
        _ => None,
    }
}

/// Code whose leaves are reasons for the default.
const REASONED: &str = "CD.NP";
/// Hung up once he was identified: nothing could be told.
const CUT_SHORT: &str = "CD.CO";

/// Codes whose leaves tell why the debtor did not pay: hidden where the law forbids to ask it.
pub const REASONED_CODES: &[&str] = &[REASONED];

/// Whether the code is a leaf that tells why the debtor did not pay.
#[must_use]
pub fn is_reason(code: &str) -> bool {
    parent(code) == REASONED && code != REASONED
}

/// Whether the code comes with one of its leaves, where the law lets the reason be asked.
#[must_use]
pub fn wants_reason(code: &str) -> bool {
    code == REASONED
}

/// Whether a conversation that came to this code has to carry the facts of the first contact. Who asks that contact
/// stops, disputes or hangs up is never kept waiting for them: they stay owed for the next conversation.
#[must_use]
pub fn carries_opening(code: &str) -> bool {
    let row = LEVEL_2.iter().find(|row| row.0 == parent(code));
    row.is_some_and(|row| row.3 && row.7.is_none() && row.0 != CUT_SHORT)
}

/// Codes of conversations that are saved without the facts of the first contact.
pub fn without_opening() -> impl Iterator<Item = &'static str> {
    let short = |row: &&Row| row.3 && !carries_opening(row.0);
    LEVEL_2.iter().filter(short).map(|row| row.0)
}

/// Whether the code proves the point wrong, invalid or fax: it is marked `bad`.
#[must_use]
pub fn point_bad(code: &str) -> bool {
    matches!(parent(code), "CI.NV" | "NC.IX" | "NC.FX")
}

/// Whether the number is listed for this debtor (wrong number).
#[must_use]
pub fn suppresses_point(code: &str) -> bool {
    parent(code) == "CI.EQ"
}

/// Result whose retry rule follows a code that an agent gave; `None` when the code's own flags decide.
#[must_use]
pub fn retry_as(code: &str) -> Option<CallResult> {
    match parent(code) {
        "NC.NR" => Some(CallResult::NoAnswer),
        "NC.OC" => Some(CallResult::Busy),
        "NC.AP" => Some(CallResult::Unreachable),
        "NC.BZ" => Some(CallResult::MachineNoBeep),
        "NC.IX" => Some(CallResult::InvalidNumber),
        "NC.FX" => Some(CallResult::Fax),
        "NC.TR" => Some(CallResult::TrunkFault),
        _ => None,
    }
}

/// The system's own code for a call that no agent took; `None` when a person spoke or nothing left.
#[must_use]
pub const fn system_code(result: CallResult) -> Option<&'static str> {
    use CallResult as R;
    match result {
        R::Busy => Some("NC.OC"),
        R::NoAnswer => Some("NC.NR"),
        R::Rejected | R::Unreachable => Some("NC.AP"),
        R::MachineBeep | R::MachineNoBeep => Some("NC.BZ"),
        R::InvalidNumber => Some("NC.IX"),
        R::Fax => Some("NC.FX"),
        R::HangupEarly | R::DeadAir => Some("NC.CA"),
        R::Abandoned => Some("NC.AD"),
        R::Congestion | R::TrunkFault | R::OneWayAudio => Some("NC.TR"),
        R::BlockedWindow
        | R::BlockedCap
        | R::BlockedHold
        | R::BlockedSuppressed
        | R::BlockedRule => Some("NC.BL"),
        R::Human | R::Cancelled | R::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_whole() {
        let tree = standard_dispositions();
        assert_eq!(tree.len(), LEVEL_2.len() + LEVEL_3.len());
        let mut codes: Vec<_> = tree.iter().map(|d| d.code.clone()).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), tree.len(), "codes are unique");
        for key in 1..=9 {
            assert_eq!(
                tree.iter().filter(|d| d.hotkey == key).count(),
                1,
                "key {key}"
            );
        }
        for d in &tree {
            assert_eq!(d.rpc, d.code.starts_with("CD."), "{}", d.code);
            if let Some(base) = tree.iter().find(|b| b.code == parent(&d.code)) {
                assert_eq!((base.rpc, base.is_final), (d.rpc, d.is_final), "{}", d.code);
            }
        }
    }

    #[test]
    fn a_set_takes_no_code_away_that_stops_contact() {
        let set = ["CD.PP".to_owned(), "CD.NP.NOPUEDE".to_owned()];
        for there in [
            "CD.PP",
            "CD.PP.TOTAL",
            "CD.NP.NOPUEDE",
            "CD.NC",
            "CD.NC.ESCRITO",
            "CI.EQ",
        ] {
            assert!(in_set(&set, there), "{there}");
        }
        for away in ["CD.NP", "CD.NP.NOQUIERE", "CD.VL", "CI.MT", "NC.NR"] {
            assert!(!in_set(&set, away), "{away}");
        }
        for d in standard_dispositions().iter().filter(|d| d.agent_may_set) {
            assert!(in_set(&[], &d.code), "{}: no set is the whole tree", d.code);
            assert!(d.hold.is_none() || in_set(&set, &d.code), "{}", d.code);
        }
        assert_eq!(codes_of_set(&[]), None);
        let codes = codes_of_set(&set).unwrap();
        assert_eq!(codes[..2], set);
        assert!(codes.contains(&"CI.FA".to_owned()) && !codes.contains(&"NC.BL".to_owned()));
    }

    #[test]
    fn what_stops_contact_waits_for_no_opening() {
        for owed in ["CD.PP", "CD.NP.NOPUEDE", "CD.VL.MISMO", "CD.NP.DE_LA_CASA"] {
            assert!(carries_opening(owed), "{owed}");
        }
        for free in [
            "CD.CO",
            "CD.NC.ESCRITO",
            "CD.DI.MONTO",
            "CI.MT",
            "NC.CA",
            "XX.YY",
        ] {
            assert!(!carries_opening(free), "{free}");
        }
        let short: Vec<_> = without_opening().collect();
        assert_eq!(short, ["CD.NC", "CD.DI", "CD.AB", "CD.IN", "CD.CO"]);
        assert!(
            wants_reason("CD.NP") && !wants_reason("CD.NP.DESEMPLEO") && !wants_reason("CD.DI")
        );
        assert!(is_reason("CD.NP.DESEMPLEO") && !is_reason("CD.NP") && !is_reason("CD.PP.TOTAL"));
    }

    #[test]
    fn a_claim_comes_with_its_codes_alone() {
        for d in standard_dispositions() {
            let claim = d.required.iter().any(|r| r == "claim");
            assert_eq!(takes_claim(&d.code), claim, "{}", d.code);
            assert!(claim || proof_of(&d.code).is_none(), "{}", d.code);
        }
        let proofs = ["CD.YP", "CD.YP.CON", "CD.YP.SIN", "CD.YP.PARTE"].map(proof_of);
        assert_eq!(proofs, [None, Some(true), Some(false), None]);
    }

    #[test]
    fn codes_have_names() {
        let spanish = |code: &str| standard_label(code).map(|(es, _)| es);
        assert_eq!(spanish("CD.NP.NOQUIERE"), Some("No quiere pagar"));
        assert_eq!(spanish("CD.NP.DE_LA_CASA"), Some("Negativa de pago"));
        assert_eq!(spanish("NC.BZ"), Some("Buzón de voz"));
        assert_eq!(spanish("XX.YY"), None);
        for d in standard_dispositions() {
            assert_eq!(spanish(&d.code), Some(d.label_es.as_str()));
        }
    }

    #[test]
    fn flags_of_the_table() {
        let tree = standard_dispositions();
        let get = |code: &str| tree.iter().find(|d| d.code == code).unwrap();
        assert_eq!(get("CD.DI.FRAUDE").hold, Some(HoldKind::Dispute));
        assert_eq!(get("CD.NC.ESCRITO").hold, Some(HoldKind::WritingOnly));
        assert_eq!(get("CI.FA").hold, Some(HoldKind::Deceased));
        assert_eq!(get("CD.NP").cooloff_h, 168);
        assert!(!get(NOT_DISPOSED).agent_may_set && !get("NC.AD").agent_may_set);
        assert!(point_bad("NC.FX") && point_bad("CI.NV") && !point_bad("CI.EQ"));
        assert!(suppresses_point("CI.EQ"));
        assert_eq!(parent("CD.NP.NOPUEDE"), "CD.NP");
        assert_eq!(retry_as("NC.BZ.DEJADO"), Some(CallResult::MachineNoBeep));
        for result in CallResult::ALL {
            if let Some(code) = system_code(*result) {
                get(code);
            }
        }
    }
}
