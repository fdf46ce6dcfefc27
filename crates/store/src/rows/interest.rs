//! Rules of interest, how far each debt is, postal addresses, agents' time.

use super::{Stirs, entity};
use domain::entity::{Accrual, Address, AgentSpell, InterestRule};

entity!(InterestRule, "interest_rules", "rule of interest" {
        id, client_id, portfolio_id, from_day, rate_bp, year_days, grace_days, cap_bp, made_by,
        made_at
    }
    const UNIQUE: &'static str = "rule of that day";
);

entity!(Accrual, "accruals", "accrual" { debt_id, upto_day, rest, booked_minor });

entity!(Address, "addresses", "address" {
        id, client_id, debtor_id, street, city, region, postcode, country, zone, source, bad,
        added_at, confirmed_at
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(AgentSpell, "agent_spells", "spell of an agent" {
        id, client_id, agent_id, state, from = "from_at", to = "to_at"
    }
);
