//! Who owes what to whom, and how he may be reached.

use super::{Stirs, entity};
use crate::sql::{Val, vals};
use domain::entity::SuppressionKind;
use domain::entity::dnc::listed_form;
use domain::entity::{
    Assignment, AssignmentRule, CampaignTemplate, CampaignVersion, Client, Complaint, Consent,
    ContactPoint, Debt, Debtor, DncList, Hold, Import, ImportMap, Merge, Override, Party,
    Placement, Portfolio, Preference, Segment, Suppression,
};
use domain::ids::{DebtorId, DncListId, PersonId};
use domain::law::ClientLaw;
use domain::ports::store::CallerRest;
use domain::segment::day_of_date;

entity!(Client, "clients", "client" { id, name, callback_number, created_at }
    const UNIQUE: &'static str = "client name";
);

entity!(Portfolio, "portfolios", "portfolio" {
        id, client_id, name, currency, creditor_kind, zone, created_at
    }
    const UNIQUE: &'static str = "portfolio name";
    fn stirs(&self) -> Option<Stirs> {
        let kind = self.creditor_kind.as_str().to_owned();
        Some(Stirs::Portfolio(self.id, self.zone.clone(), kind))
    }
);

entity!(Debtor, "debtors", "debtor" {
        id, client_id, portfolio_id, person_id, external_ref, kind, name, document, country,
        subdivision, language, address_zone, told_zone, told_zone_at, created_at, updated_at
    }
    const UNIQUE: &'static str = "debtor reference";
    const DERIVED: &'static [&'static str] = &["lot", "listed_form"];
    fn derived(&self) -> Vec<Val> {
        let document = listed_form(SuppressionKind::Document, self.document.reveal());
        vals![lot(self.id), document]
    }
    fn person(&self) -> Option<PersonId> {
        Some(self.person_id)
    }
    fn touches(&self) -> Option<DebtorId> {
        Some(self.id)
    }
);

entity!(Debt, "debts", "debt" {
        id, debtor_id, client_id, portfolio_id, external_ref, product, currency, principal_minor,
        interest_minor, fees_minor, overdue_minor, minimum_minor, due_date, statute_date, status,
        created_at, updated_at
    }
    const UNIQUE: &'static str = "debt reference";
    const DERIVED: &'static [&'static str] = &["due_day", "statute_day"];
    fn derived(&self) -> Vec<Val> {
        let statute = self.statute_date.as_deref().and_then(day_of_date);
        vals![day_of_date(&self.due_date), statute]
    }
    fn as_debt(&self) -> Option<&Debt> {
        Some(self)
    }
    fn touches(&self) -> Option<DebtorId> {
        Some(self.debtor_id)
    }
);

entity!(Party, "parties", "party" { id, debt_id, debtor_id, role, name }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(ContactPoint, "contact_points", "point" {
        id, debtor_id, role, channel, value, class, source, given_by_debtor, authorised, confidence,
        position, bad, last_rpc_at, added_at
    }
    fn touches(&self) -> Option<DebtorId> {
        Some(self.debtor_id)
    }
);

entity!(Consent, "consents", "consent" {
        id, debtor_id, channel, purpose, granted_at, until, revoked_at, proof, revoke_proof
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(Hold, "holds", "hold" {
        id, client_id, debtor_id, scope, debt_id, point_id, channel, kind, from = "from_at", until,
        lifted_at, evidence
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(Override, "law_overrides", "relaxed presumption" {
        id, client_id, debtor_id, rule, reason, granted_by, granted_right, granted_at, until, withdrawn_at
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(ClientLaw, "client_laws", "law of a client" {
    client_id, version, terms, updated_at, updated_by
});

entity!(Suppression, "suppressions", "suppression" {
        id, client_id, debtor_id, kind, value, reason, created_at, lifted_at
    }
    const OPEN_ENDED: &'static [&'static str] = &["client_id", "debtor_id"];
    const DERIVED: &'static [&'static str] = &["listed_form"];
    fn derived(&self) -> Vec<Val> {
        vals![listed_form(self.kind, self.value.reveal())]
    }
    fn stirs(&self) -> Option<Stirs> {
        let value = self.value.reveal();
        Some(Stirs::Listed(listed_form(self.kind, value), value.clone()))
    }
);

entity!(Preference, "preferences", "preference" {
        id, debtor_id, kind, channel, point_id, days, from = "from_clock", to = "to_clock", recorded_at,
        until, revoked_at, proof
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(DncList, "dnc_lists", "do-not-call list" {
        id, client_id, name, kind, hash_key, entries, file_sha256, as_of, created_at, retired_at
    }
    const OPEN_ENDED: &'static [&'static str] = &["client_id"];
    fn retires(&self) -> Option<DncListId> {
        self.retired_at.map(|_| self.id)
    }
);

entity!(Complaint, "complaints", "complaint" {
        id, client_id, debtor_id, authority, number, received_at, deadline, state, summary, answer,
        answered_at, created_at
    }
    const UNIQUE: &'static str = "complaint number";
);

entity!(CampaignVersion, "campaign_versions", "version of the campaign" {
    id, campaign_id, client_id, name, segment_id, script_id, params, state, version, restores, note,
    made_by, created_at, published_at, based_on
});

entity!(CampaignTemplate, "campaign_templates", "template of campaigns" {
        id, client_id, name, note, params, made_by, created_at, updated_at
    }
    const UNIQUE: &'static str = "template name";
    const OPEN_ENDED: &'static [&'static str] = &["client_id"];
);

entity!(AssignmentRule, "assignment_rules", "rule of assignment" {
        id, client_id, name, position, segment_id, target, campaign_id, team_id, agents, most, skills,
        by_language, enabled, created_at, updated_at
    }
    const UNIQUE: &'static str = "rule name";
);

entity!(Assignment, "assignments", "assignment" {
    debtor_id, client_id, rule_id, campaign_id, team_id, agent_id, assigned_at
});

entity!(CallerRest, "caller_rests", "rest of a caller id" {
    caller_id, since, until, reason, calls, answered
});

entity!(Import, "imports", "import" {
    id, client_id, portfolio_id, kind, file_name, state, map, gone, at, accepted_at, undone_at, rows_done,
    difference, report, faults, actor, bytes, placement_id, merges
});

entity!(ImportMap, "import_maps", "column map" {
    id, client_id, portfolio_id, fingerprint, columns, map, used_at, actor
});

entity!(Merge, "merges", "merge" {
    id, client_id, kept_id, gone_id, at, actor, undone_at, undone_by, moved
});

entity!(Placement, "placements", "placement" {
    id, client_id, portfolio_id, placed_on, recall_on, fee_bp, recalled_at, at, actor
});

entity!(Segment, "segments", "segment" {
    id, client_id, name, expression, version, created_at, updated_at
});

/// A debtor's lot in the random order: the random end of his id, so that it never changes.
fn lot(id: DebtorId) -> i64 {
    let bytes = id.0.as_bytes();
    let mut end = [0; 8];
    end.copy_from_slice(&bytes[8..]);
    i64::from_be_bytes(end)
}
