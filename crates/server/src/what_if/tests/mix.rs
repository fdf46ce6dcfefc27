//! A campaign that dials several segments.

use super::{House, NOW};
use center::LawBook as _;
use center::what_if::History;
use domain::entity::{Debtor, MixPart, Segment};
use domain::ids::{DebtorId, PersonId, SegmentId};
use domain::law::RuleBook;
use uuid::Uuid;

#[tokio::test]
async fn the_law_of_every_segment_of_the_mix_is_asked() {
    let mut house = House::build().await;
    let alone = house.history().await;
    let abroad = Debtor {
        id: DebtorId(Uuid::now_v7()),
        person_id: PersonId(Uuid::now_v7()),
        external_ref: "D-2".into(),
        country: "AR".into(),
        subdivision: None,
        address_zone: Some("America/Argentina/Buenos_Aires".into()),
        ..house.debtor.clone()
    };
    house.store.put_debtor(&abroad, &[]).await.expect("debtor");
    let first = house.store.get_segment(house.campaign.segment_id).await;
    let first = first.expect("there");
    let second = Segment {
        id: SegmentId(Uuid::now_v7()),
        name: "Afuera".into(),
        expression: "country = 'AR'".into(),
        ..first.clone()
    };
    let both = Segment {
        id: SegmentId(Uuid::now_v7()),
        name: "Todos".into(),
        expression: "all".into(),
        ..first.clone()
    };
    for segment in [&second, &both] {
        house
            .store
            .put_segment(segment, &[])
            .await
            .expect("segment");
    }
    let part = |segment: &Segment| MixPart {
        segment_id: segment.id,
        weight: 1,
    };
    let asked = |found: &History| {
        let mut debtors: Vec<DebtorId> = found.sample.iter().map(|f| f.debtor.id).collect();
        debtors.sort_unstable();
        debtors
    };
    assert_eq!(asked(&alone), [house.debtor.id]);
    let mut all = vec![house.debtor.id, abroad.id];
    all.sort_unstable();
    house.campaign.params.list_mix = vec![part(&first), part(&second)];
    let found = house.history().await;
    assert_eq!(asked(&found), all);
    let law = RuleBook::embedded().expect("packs");
    let foreign = found.sample.iter().find(|f| f.debtor.id == abroad.id);
    let theirs = law.call_law(foreign.expect("is asked"), NOW);
    assert!(found.packs.contains(&theirs.abandon));
    let strict = alone.law.ring_min_ms.max(theirs.ring_min_ms);
    assert_eq!(found.law.ring_min_ms, strict);
    // Who is in two of them counts once; the first segment alone is no part of the mix.
    house.campaign.params.list_mix = vec![part(&both), part(&second)];
    assert_eq!(asked(&house.history().await), all);
    house.campaign.params.list_mix = vec![part(&second)];
    assert_eq!(asked(&house.history().await), [abroad.id]);
}
