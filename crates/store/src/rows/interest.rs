//! Rules of interest, how far each debt is, due items, postal addresses, agents' time.

use super::{Stirs, entity};
use domain::entity::{Accrual, Address, AgentSpell, DebtItem, InterestRule};

entity!(InterestRule, "interest_rules", "rule of interest" {
        id, client_id, portfolio_id, from_day, rate_bp, year_days, grace_days, cap_bp, made_by,
        made_at
    }
    const UNIQUE: &'static str = "rule of that day";
);

entity!(Accrual, "accruals", "accrual" { debt_id, upto_day, rest, booked_minor });

entity!(DebtItem, "debt_items", "item of a debt" { debt_id, reference, due_date, amount_minor }
    const UNIQUE: &'static str = "item reference";
);

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
