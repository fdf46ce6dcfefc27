//! What a campaign chooses where the law leaves a choice (terms.md §10): which evidence of the zone counts, which
//! number is shown.

crate::text_enum! {
    /// Which evidence of where the debtor is counts in the law's question. Each value is at least as strict as the
    /// one before: a campaign narrows what the packs say, it never widens it (law.md §2.2, §2.3).
    #[derive(Default)]
    pub enum CampaignZones {
        /// As the packs say: the number called, the addresses; a told zone with its date replaces them.
        #[default]
        Pack = "pack",
        /// Every phone of his counts, not the one called alone, and a told zone stands beside the others.
        AllEvidence = "all_evidence",
        /// As `all_evidence`, and a number's prefix alone is not enough: who has neither an address with a zone nor a
        /// told zone is not contacted by the campaign.
        KnownPlace = "known_place",
    }
}

impl CampaignZones {
    /// Whether it is what the packs say: left out of records.
    #[must_use]
    pub fn is_pack(&self) -> bool {
        *self == Self::Pack
    }
}

crate::text_enum! {
    /// How the number shown is chosen among those that the debtor's law lets be shown. One that rests is taken only
    /// where no other of the debtor's country is awake.
    #[derive(Default)]
    pub enum CallerPick {
        /// Spread over debtors, always the same one for each as long as it is well.
        #[default]
        Health = "health",
        /// The one that begins most like the number called; among equals as `health`.
        Local = "local",
        /// The first of the pool, as the pool is ordered.
        PoolOrder = "pool_order",
    }
}

impl CallerPick {
    /// Whether it is the house's own way: left out of records.
    #[must_use]
    pub fn is_health(&self) -> bool {
        *self == Self::Health
    }
}
