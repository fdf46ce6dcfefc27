//! Which evidence of the debtor's zone a campaign lets count: it narrows what the packs say and never widens it
//! (law.md §2.2, §2.3).

use crate::case::{Case, Home, MX, allowed, point, refused};
use domain::entity::{BlockReason, CampaignZones, Verdict};
use domain::time::UtcMs;

/// 07:30 in Mexico City, 05:30 in Tijuana: calls begin at 07:00 where the debtor is (mx-condusef).
const EARLY: &str = "2026-11-24T07:30";
const WINDOW: &str = "mx-condusef/windows";

fn judged(case: &mut Case, policy: CampaignZones, when: &str) -> Verdict {
    case.action.circumstances.zone_policy = policy;
    case.judge_at(when, MX.zone)
}

#[test]
fn every_phone_of_his_counts_where_the_campaign_says_so() {
    let mut case = Case::new(MX);
    case.facts.debtor.address_zone = Some(MX.zone.into());
    case.facts.points.push(point(8, "+526641234567"));
    allowed(&judged(&mut case, CampaignZones::Pack, EARLY));
    for policy in [CampaignZones::AllEvidence, CampaignZones::KnownPlace] {
        let verdict = judged(&mut case, policy, EARLY);
        refused(&verdict, BlockReason::Window, WINDOW);
        assert_eq!(verdict.zones.len(), 2, "{:?}", verdict.zones);
        // From 07:00 in Tijuana on both are open.
        allowed(&judged(&mut case, policy, "2026-11-24T09:00"));
        refused(
            &judged(&mut case, policy, "2026-11-24T08:59:59.999"),
            BlockReason::Window,
            WINDOW,
        );
    }
}

#[test]
fn a_told_zone_stands_beside_the_others_where_every_evidence_counts() {
    let mut case = Case::new(Home {
        phone: "+526641234567",
        ..MX
    });
    case.facts.debtor.address_zone = None;
    case.facts.debtor.told_zone = Some("America/Cancun".into());
    case.facts.debtor.told_zone_at = Some(UtcMs(0));
    allowed(&judged(&mut case, CampaignZones::Pack, EARLY));
    refused(
        &judged(&mut case, CampaignZones::AllEvidence, EARLY),
        BlockReason::Window,
        WINDOW,
    );
}

#[test]
fn a_prefix_alone_is_not_enough_where_a_known_place_is_asked_for() {
    let noon = "2026-11-24T12:00";
    let mut case = Case::new(MX);
    case.facts.debtor.address_zone = None;
    allowed(&judged(&mut case, CampaignZones::Pack, noon));
    allowed(&judged(&mut case, CampaignZones::AllEvidence, noon));
    let verdict = judged(&mut case, CampaignZones::KnownPlace, noon);
    refused(&verdict, BlockReason::Rule, "campaign/zone_policy");
    let told = verdict
        .rules
        .iter()
        .find(|r| r.rule == "campaign/zone_policy");
    assert!(told.is_some_and(|r| r.es.contains("prefijo") && r.en.contains("prefix")));
    case.facts.address_zones = vec!["America/Mexico_City".into()];
    allowed(&judged(&mut case, CampaignZones::KnownPlace, noon));
    case.facts.address_zones.clear();
    case.facts.debtor.told_zone = Some("America/Mexico_City".into());
    allowed(&judged(&mut case, CampaignZones::KnownPlace, noon));
}

#[test]
fn a_decision_is_made_again_with_the_policy_it_was_made_under() {
    let mut case = Case::new(MX);
    case.facts.points.push(point(8, "+526641234567"));
    let verdict = judged(&mut case, CampaignZones::AllEvidence, EARLY);
    let text = serde_json::to_string(&verdict).expect("plain data");
    let kept = serde_json::from_str(&text).expect("reads back");
    let again = domain::law::Replayed::of(case.book.as_ref(), &case.facts, &kept);
    assert!(again.same, "{:?}", again.differences);
    // What an older program kept has no policy: it was the packs'.
    assert!(text.contains("all_evidence"));
    let plain = judged(&mut case, CampaignZones::Pack, EARLY);
    assert!(
        !serde_json::to_string(&plain)
            .expect("plain data")
            .contains("zone_policy")
    );
}
