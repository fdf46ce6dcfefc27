//! What a pack says and no verdict, duty or alarm acts by, and why not: told where a pack is checked.

use super::Pack;

const MESSAGE: &str = "the message is a recording and nobody here reads its words: who puts it in answers for them; key 9 \
    is the way out, the number shown the one to call";
const RINGS: &str = "nobody here counts rings: ring_min_s is what a call rings at least";
const BLOCK: &str =
    "the network's own penalty: nothing is dialed once the share of short calls reaches its limit";
const KNOWN: &str = "ends nothing: whether the rule holds after that day is not known, so it does";
const ATTEMPT: &str = "every dial counts as an attempt here";
const REVOKED: &str = "a revocation is honoured at once";
const KEPT: &str = "attempts, decisions and the ledger are never deleted";
const TOLD: &str = "the debtor is told of the recording all the same";

impl Pack {
    /// Fields that change nothing here, each with the reason: what they ask for is done without them, or cannot be seen
    /// from here.
    #[must_use]
    pub fn beside(&self) -> Vec<(&'static str, &'static str)> {
        let abandonment = self.abandonment.as_ref();
        let telco = self.telco.as_ref();
        let records = self.records.as_ref();
        let counts = |v: &super::VoicemailSection| v.counts_as_attempt.is_some();
        let revoked = |c: &super::ConsentSection| c.revocation_honour_business_days.is_some();
        let silent = |r: &super::RecordingSection| r.announce == Some(false);
        let all = [
            (
                "abandonment.message_must",
                MESSAGE,
                abandonment.is_some_and(|a| !a.message_must.is_empty()),
            ),
            (
                "abandonment.message_must_not",
                MESSAGE,
                abandonment.is_some_and(|a| !a.message_must_not.is_empty()),
            ),
            (
                "abandonment.ring_min_rings",
                RINGS,
                abandonment.is_some_and(|a| a.ring_min_rings.is_some()),
            ),
            (
                "telco.block_days",
                BLOCK,
                telco.is_some_and(|t| t.block_days.is_some()),
            ),
            (
                "telco.valid_to_known",
                KNOWN,
                telco.is_some_and(|t| t.valid_to_known.is_some()),
            ),
            (
                "voicemail.counts_as_attempt",
                ATTEMPT,
                self.voicemail.as_ref().is_some_and(counts),
            ),
            (
                "consent.revocation_honour_business_days",
                REVOKED,
                self.consent.as_ref().is_some_and(revoked),
            ),
            (
                "records.retention_min_days",
                KEPT,
                records.is_some_and(|r| r.retention_min_days.is_some()),
            ),
            (
                "records.retention",
                KEPT,
                records.is_some_and(|r| r.retention.is_some()),
            ),
            (
                "recording.announce",
                TOLD,
                self.recording.as_ref().is_some_and(silent),
            ),
        ];
        let there = all.into_iter().filter(|(_, _, there)| *there);
        there.map(|(field, why, _)| (field, why)).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::law::EMBEDDED_PACKS;
    use crate::law::pack::parse;

    fn fields(file: &str) -> Vec<&'static str> {
        let (name, text) = EMBEDDED_PACKS
            .iter()
            .find(|(name, _)| *name == file)
            .expect("a pack");
        let pack = parse(name, text).expect("whole");
        pack.beside().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn what_a_pack_says_in_vain_is_named() {
        assert_eq!(
            fields("us-federal.json"),
            [
                "abandonment.message_must",
                "abandonment.ring_min_rings",
                "voicemail.counts_as_attempt",
                "consent.revocation_honour_business_days",
                "records.retention"
            ]
        );
        assert!(fields("br-sp.json").contains(&"telco.block_days"));
        assert!(fields("us-ma.json").is_empty());
    }

    #[test]
    fn nothing_that_the_shipped_packs_ask_is_left_to_nobody() {
        for (name, text) in EMBEDDED_PACKS {
            let pack = parse(name, text).expect("whole");
            assert!(pack.unjudged().is_empty(), "{name}: {:?}", pack.unjudged());
        }
    }
}
