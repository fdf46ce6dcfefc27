//! The tone of what is written to a debtor: what the step names, else what the stage of his debt asks for.

use super::offers::ClientTerms;
use crate::entity::{Stage, TextTemplate, Tone};
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Why a text has its tone.
    pub enum ToneWhy {
        /// The step names it.
        Step = "step",
        /// The client's terms name it for the stage.
        Terms = "terms",
        /// The house's tone of the stage.
        House = "house",
    }
}

/// A tone that is wanted, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToneWanted {
    /// Which.
    pub tone: Tone,
    /// Who says so.
    pub why: ToneWhy,
}

/// The house's tone of a stage: a reminder is courteous, the creditor's own dunning firm, an agency's and what is
/// behind it direct (terms.md §6, letters L1 to L4).
#[must_use]
pub const fn of_stage(stage: Stage) -> Tone {
    match stage {
        Stage::Preventive => Tone::Courteous,
        Stage::Administrative => Tone::Firm,
        Stage::Extrajudicial
        | Stage::Prejudicial
        | Stage::Judicial
        | Stage::WrittenOff
        | Stage::Sold => Tone::Direct,
    }
}

/// The tone of a message: the step's own, else the one that the client's terms name for the stage, else the house's.
#[must_use]
pub fn wanted(named: Option<Tone>, terms: &ClientTerms, stage: Stage) -> ToneWanted {
    if let Some(tone) = named {
        let why = ToneWhy::Step;
        return ToneWanted { tone, why };
    }
    match terms.stage(stage).and_then(|rule| rule.tone) {
        Some(tone) => ToneWanted {
            tone,
            why: ToneWhy::Terms,
        },
        None => ToneWanted {
            tone: of_stage(stage),
            why: ToneWhy::House,
        },
    }
}

/// The order in which texts are looked for: the tone itself, then the softer ones, nearest first, and only then the
/// harder ones. Nobody is written to harder than his debt's stage asks for while a softer text is there.
#[must_use]
pub const fn order(tone: Tone) -> [Tone; 3] {
    match tone {
        Tone::Courteous => [Tone::Courteous, Tone::Firm, Tone::Direct],
        Tone::Firm => [Tone::Firm, Tone::Courteous, Tone::Direct],
        Tone::Direct => [Tone::Direct, Tone::Firm, Tone::Courteous],
    }
}

/// The first text of the order; of several in one tone the first that is given.
#[must_use]
pub fn pick<'a>(
    texts: impl Iterator<Item = &'a TextTemplate> + Clone,
    tone: Tone,
) -> Option<&'a TextTemplate> {
    order(tone)
        .into_iter()
        .find_map(|tone| texts.clone().find(|t| t.tone == tone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{Channel, Language};
    use crate::ids::{ClientId, TextTemplateId};
    use crate::time::UtcMs;
    use uuid::Uuid;

    const STAGES: [Stage; 7] = [
        Stage::Preventive,
        Stage::Administrative,
        Stage::Extrajudicial,
        Stage::Prejudicial,
        Stage::Judicial,
        Stage::WrittenOff,
        Stage::Sold,
    ];

    fn text(tone: Tone) -> TextTemplate {
        TextTemplate {
            id: TextTemplateId(Uuid::nil()),
            client_id: ClientId(Uuid::nil()),
            name: "saldo".into(),
            channel: Channel::Sms,
            language: Language::Es,
            tone,
            subject: String::new(),
            body: String::new(),
            provider_name: String::new(),
            provider_language: String::new(),
            active: true,
            version: 1,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        }
    }

    #[test]
    fn each_kind_of_stage_has_its_own_tone_row_17() {
        let told: Vec<&str> = STAGES.iter().map(|s| of_stage(*s).as_str()).collect();
        assert_eq!(
            told,
            [
                "courteous",
                "firm",
                "direct",
                "direct",
                "direct",
                "direct",
                "direct"
            ]
        );
    }

    #[test]
    fn a_step_s_own_tone_goes_before_the_terms_and_the_house_row_17() {
        let mut terms = ClientTerms::default();
        let house = wanted(None, &terms, Stage::Administrative);
        assert_eq!((house.tone, house.why), (Tone::Firm, ToneWhy::House));
        for rule in &mut terms.stages {
            rule.tone = (rule.stage == Stage::Administrative).then_some(Tone::Courteous);
        }
        let own = wanted(None, &terms, Stage::Administrative);
        assert_eq!((own.tone, own.why), (Tone::Courteous, ToneWhy::Terms));
        let step = wanted(Some(Tone::Direct), &terms, Stage::Administrative);
        assert_eq!((step.tone, step.why), (Tone::Direct, ToneWhy::Step));
        terms.stages.clear();
        let bare = wanted(None, &terms, Stage::Prejudicial);
        assert_eq!((bare.tone, bare.why), (Tone::Direct, ToneWhy::House));
    }

    #[test]
    fn a_text_that_is_missing_falls_to_a_softer_one_first_row_17() {
        let [soft, firm, hard] = [Tone::Courteous, Tone::Firm, Tone::Direct].map(text);
        let chosen =
            |texts: &[&TextTemplate], tone| pick(texts.iter().copied(), tone).map(|t| t.tone);
        assert_eq!(
            chosen(&[&soft, &firm, &hard], Tone::Direct),
            Some(Tone::Direct)
        );
        assert_eq!(chosen(&[&soft, &firm], Tone::Direct), Some(Tone::Firm));
        assert_eq!(chosen(&[&soft], Tone::Direct), Some(Tone::Courteous));
        assert_eq!(chosen(&[&soft, &hard], Tone::Firm), Some(Tone::Courteous));
        assert_eq!(chosen(&[&hard], Tone::Firm), Some(Tone::Direct));
        assert_eq!(chosen(&[&firm, &hard], Tone::Courteous), Some(Tone::Firm));
        assert_eq!(chosen(&[], Tone::Firm), None);
    }
}
