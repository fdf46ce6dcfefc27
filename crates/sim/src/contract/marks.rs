//! Marks of the law, and segments that name others.

use super::imports::file;
use super::scene::*;
use domain::entity::dnc::keyed_hash;
use domain::entity::{Channel, Consent, DncList, Hold, HoldKind, HoldScope, ImportState, Segment};
use domain::entity::{Suppression, SuppressionKind};
use domain::ids::{ConsentId, DebtorId, DncListId, ImportId, SegmentId, SuppressionId};
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{CallableMark, MarkClaim};
use domain::segment::parse;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    a_mark_says_when(&store).await;
    whatever_happens_takes_it_away(&store).await;
    what_happens_meanwhile_undoes_the_claim(&store).await;
    who_is_hidden_is_not_asked_about(&store).await;
    who_comes_behind_many_who_are_hidden_is_asked_about(&store).await;
    another_law_starts_anew(&store).await;
    who_is_still_to_be_asked_about_is_told(&store).await;
    lists_and_zones_take_marks_away(&store).await;
    lists_are_seen_however_they_are_written(&store).await;
    a_segment_names_another(&store).await;
    circles_are_refused(&store).await;
}

const HOUR: UtcMs = NOW.plus_ms(HOUR_MS);

/// Everybody's marks are made: nobody is left over from another test.
async fn claim_all(store: &Subject) -> Vec<MarkClaim> {
    let mut claims = Vec::new();
    loop {
        let claim = store.claim_marks(NOW, 500).await.expect("claim");
        if claim.facts.is_empty() {
            return claims;
        }
        mark(store, &claim).await;
        claims.push(claim);
    }
}

async fn mark(store: &Subject, claim: &MarkClaim) -> u64 {
    let marks: Vec<CallableMark> = claim
        .facts
        .iter()
        .map(|f| CallableMark {
            debtor: f.debtor.id,
            from: NOW,
            until: HOUR,
        })
        .collect();
    let kept = store.mark_callable(claim.claim, &marks).await;
    kept.expect("marks")
}

async fn callable(store: &Subject, scene: &Scene, now: UtcMs) -> Vec<DebtorId> {
    let expr = parse("callable_now").expect("a filter");
    let found = store.segment_ids(scene.client.id, &expr, now).await;
    found.expect("ids")
}

async fn a_mark_says_when(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    assert!(callable(store, &scene, NOW).await.is_empty(), "not asked");
    let claims = claim_all(store).await;
    let asked = claims.iter().flat_map(|c| &c.facts);
    let facts: Vec<_> = asked.filter(|f| f.debtor.id == person.debtor.id).collect();
    assert_eq!(facts.len(), 1, "once");
    assert_eq!(facts[0].points, std::slice::from_ref(&person.point));
    assert_eq!(callable(store, &scene, NOW).await, [person.debtor.id]);
    let last = HOUR.plus_ms(-1);
    assert_eq!(callable(store, &scene, last).await, [person.debtor.id]);
    assert!(callable(store, &scene, HOUR).await.is_empty(), "over");
    let again = store.claim_marks(HOUR, 500).await.expect("claim");
    assert!(again.facts.iter().any(|f| f.debtor.id == person.debtor.id));
    mark(store, &again).await;
}

async fn whatever_happens_takes_it_away(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let person = scene.person(store).await;
    // Of another client, with the same number.
    let other = Scene::new(store).await;
    let mut twin = other.draft_person();
    twin.point.value = person.point.value.clone();
    twin.store(store).await;
    let both = async |store: &Subject| {
        let own = callable(store, &scene, NOW).await;
        (own, callable(store, &other, NOW).await)
    };
    claim_all(store).await;
    let stands = (vec![person.debtor.id], vec![twin.debtor.id]);
    assert_eq!(both(store).await, stands);
    let consent = Consent {
        id: fresh::<ConsentId>(),
        debtor_id: person.debtor.id,
        channel: Channel::Call,
        purpose: "contact".into(),
        granted_at: NOW,
        until: None,
        revoked_at: None,
        proof: String::new(),
        revoke_proof: None,
    };
    store.put_consent(&consent, &[]).await.expect("consent");
    assert_eq!(both(store).await, (vec![], vec![twin.debtor.id]));
    claim_all(store).await;
    let hold = Hold {
        scope: HoldScope::Point,
        point_id: Some(person.point.id),
        from: NOW.plus_ms(MINUTE_MS),
        ..person.hold(HoldKind::Dispute)
    };
    store.put_hold(&hold, &[]).await.expect("hold");
    assert_eq!(both(store).await, (vec![], vec![twin.debtor.id]));
    claim_all(store).await;
    assert_eq!(both(store).await, stands);
    // A call counts for everybody who has the number.
    person.open(store, &lease, NOW).await;
    assert_eq!(both(store).await, (vec![], vec![]));
    claim_all(store).await;
    assert_eq!(both(store).await, stands);
}

async fn what_happens_meanwhile_undoes_the_claim(store: &Subject) {
    let scene = Scene::new(store).await;
    claim_all(store).await;
    let (quiet, busy) = (scene.person(store).await, scene.person(store).await);
    let claim = store.claim_marks(NOW, 500).await.expect("claim");
    assert_eq!(claim.facts.len(), 2);
    let mut point = busy.point.clone();
    point.bad = true;
    store.put_point(&point, &[]).await.expect("point");
    mark(store, &claim).await;
    assert_eq!(callable(store, &scene, NOW).await, [quiet.debtor.id]);
    // Nobody answers for this claim: it is given out again.
    let again = store.claim_marks(NOW, 500).await.expect("claim");
    assert_eq!(again.facts.len(), 1);
    assert_eq!(again.facts[0].debtor.id, busy.debtor.id);
    let later = store.claim_marks(NOW, 500).await.expect("claim");
    assert_eq!(later.facts.len(), 1);
    assert_eq!(mark(store, &again).await, 0, "an older claim");
    assert_eq!(mark(store, &later).await, 1);
}

async fn who_is_hidden_is_not_asked_about(store: &Subject) {
    let scene = Scene::new(store).await;
    claim_all(store).await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let rows = [scene.draft_person().row(2), scene.draft_person().row(3)];
    let written = store.import_batch(row.id, &rows, false, &[]).await;
    assert_eq!(written.expect("written").debtors_new, 2);
    let asked = async || {
        let claim = store.claim_marks(NOW, 500).await.expect("claim");
        mark(store, &claim).await;
        claim.facts.iter().map(|f| f.debtor.id).collect::<Vec<_>>()
    };
    assert!(asked().await.is_empty(), "of a file that is half in");
    let seen = scene.person(store).await;
    assert_eq!(asked().await, [seen.debtor.id]);
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    let mut both = asked().await;
    both.sort();
    let mut ids = rows.map(|row| row.debtor.id);
    ids.sort();
    assert_eq!(both, ids);
}

async fn who_comes_behind_many_who_are_hidden_is_asked_about(store: &Subject) {
    const HIDDEN: u64 = 2_100;
    let scene = Scene::new(store).await;
    claim_all(store).await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let lines: Vec<u64> = (2..2 + HIDDEN).collect();
    for piece in lines.chunks(700) {
        let rows: Vec<_> = piece.iter().map(|n| scene.draft_person().row(*n)).collect();
        let written = store.import_batch(row.id, &rows, false, &[]).await;
        assert_eq!(written.expect("written").debtors_new, piece.len() as u64);
    }
    let late = [scene.person(store).await, scene.person(store).await];
    let mut asked = Vec::new();
    for _ in 0..10 {
        let claim = store.claim_marks(NOW, 1).await.expect("claim");
        mark(store, &claim).await;
        asked.extend(claim.facts.iter().map(|f| f.debtor.id));
    }
    asked.sort();
    let mut ids = late.map(|person| person.debtor.id);
    ids.sort();
    assert_eq!(asked, ids, "each once, and nobody who is hidden");
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    let then: usize = claim_all(store).await.iter().map(|c| c.facts.len()).sum();
    assert_eq!(then as u64, HIDDEN);
}

async fn another_law_starts_anew(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    claim_all(store).await;
    assert_eq!(callable(store, &scene, NOW).await, [person.debtor.id]);
    while store.forget_marks(100).await.expect("forgotten") > 0 {}
    assert!(callable(store, &scene, NOW).await.is_empty());
    claim_all(store).await;
    assert_eq!(callable(store, &scene, NOW).await, [person.debtor.id]);
}

async fn who_is_still_to_be_asked_about_is_told(store: &Subject) {
    let (scene, other) = (Scene::new(store).await, Scene::new(store).await);
    claim_all(store).await;
    let pending = async |scene: &Scene, now| {
        let left = store.marks_pending(scene.client.id, now).await;
        left.expect("counted")
    };
    assert_eq!(pending(&scene, NOW).await, 0);
    let people = [scene.person(store).await, scene.person(store).await];
    assert_eq!(pending(&scene, NOW).await, 2, "nobody asked");
    assert_eq!(pending(&other, NOW).await, 0, "of another client");
    let mut paid = people[1].debt.clone();
    paid.status = domain::entity::DebtStatus::Paid;
    store.put_debt(&paid, &[]).await.expect("paid");
    assert_eq!(pending(&scene, NOW).await, 1, "who owes nothing is out");
    let claim = store.claim_marks(NOW, 500).await.expect("claim");
    assert_eq!(pending(&scene, NOW).await, 1, "asked, not answered");
    mark(store, &claim).await;
    assert_eq!(pending(&scene, NOW).await, 0);
    assert_eq!(pending(&scene, HOUR).await, 1, "over");
    let expr = parse("callable_now or on_hold").expect("a filter");
    let plain = parse("on_hold").expect("a filter");
    let asked = async |expr: &domain::segment::Expr, now| {
        let seen = store.segment_estimate(scene.client.id, expr, now, 10).await;
        let seen = seen.expect("figures");
        (seen.count.debtors, seen.exact, seen.pending, seen.margin)
    };
    assert_eq!(asked(&expr, NOW).await, (1, true, 0, 0));
    assert_eq!(asked(&plain, HOUR).await, (0, true, 0, 0), "asks no law");
    assert_eq!(asked(&expr, HOUR).await, (0, false, 1, 1));
    // Under another name it is the same question.
    save(store, &scene, "now", "callable_now", None).await;
    let named = parse("segment 'now'").expect("a filter");
    assert_eq!(asked(&named, HOUR).await, (0, false, 1, 1));
}

async fn suppressed(store: &Subject, scene: &Scene) -> Vec<DebtorId> {
    let expr = parse("suppressed").expect("a filter");
    let found = store.segment_ids(scene.client.id, &expr, NOW).await;
    found.expect("ids")
}

async fn lists_and_zones_take_marks_away(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, other) = (scene.person(store).await, scene.person(store).await);
    claim_all(store).await;
    assert_eq!(callable(store, &scene, NOW).await.len(), 2);
    let list = DncList {
        id: fresh::<DncListId>(),
        client_id: Some(scene.client.id),
        name: name("registry"),
        kind: SuppressionKind::Document,
        hash_key: "key".into(),
        entries: 1,
        file_sha256: String::new(),
        as_of: NOW,
        created_at: NOW,
        retired_at: None,
    };
    let document = person.debtor.document.reveal();
    let hash = keyed_hash(&list.hash_key, list.kind, document);
    store.load_list(&list, &[hash], &[]).await.expect("loaded");
    let left = callable(store, &scene, NOW).await;
    assert!(!left.contains(&person.debtor.id), "he is listed");
    claim_all(store).await;
    let marked = callable(store, &scene, NOW).await;
    assert!(marked.contains(&other.debtor.id), "asked again");
    let mut portfolio = scene.portfolio.clone();
    portfolio.zone = "America/Tijuana".into();
    store.put_portfolio(&portfolio, &[]).await.expect("moved");
    assert!(callable(store, &scene, NOW).await.is_empty(), "other hours");
}

async fn lists_are_seen_however_they_are_written(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for document in ["abc-123 456", "XYZ.999", "OTHER1"] {
        let mut person = scene.draft_person();
        person.debtor.document = Pii(document.to_owned());
        person.store(store).await;
        people.push(person);
    }
    let own = Suppression {
        id: fresh::<SuppressionId>(),
        client_id: Some(scene.client.id),
        debtor_id: None,
        kind: SuppressionKind::Document,
        value: Pii("ABC123456".to_owned()),
        reason: "asked".into(),
        created_at: NOW,
        lifted_at: None,
    };
    store.put_suppression(&own, &[]).await.expect("listed");
    assert_eq!(suppressed(store, &scene).await, [people[0].debtor.id]);
    let mut list = DncList {
        id: fresh::<DncListId>(),
        client_id: None,
        name: name("LIST"),
        kind: SuppressionKind::Document,
        hash_key: "k".repeat(64),
        entries: 1,
        file_sha256: String::new(),
        as_of: NOW,
        created_at: NOW.plus_ms(-1),
        retired_at: None,
    };
    let hashes = [keyed_hash(&list.hash_key, list.kind, "xyz 999")];
    store.load_list(&list, &hashes, &[]).await.expect("loaded");
    let mut both = vec![people[0].debtor.id, people[1].debtor.id];
    both.sort_unstable();
    assert_eq!(suppressed(store, &scene).await, both);
    // Who comes later is compared too.
    let mut late = scene.draft_person();
    late.debtor.document = Pii("X-Y-Z-9-9-9".to_owned());
    late.store(store).await;
    both.push(late.debtor.id);
    both.sort_unstable();
    assert_eq!(suppressed(store, &scene).await, both);
    list.retired_at = Some(NOW);
    store.put_dnc_list(&list, &[]).await.expect("retired");
    assert_eq!(suppressed(store, &scene).await, [people[0].debtor.id]);
    // Whom a file brings later is compared by his numbers as well.
    let filed = scene.draft_person();
    (list.id, list.name, list.retired_at) = (fresh::<DncListId>(), name("PHONES"), None);
    list.kind = SuppressionKind::Phone;
    let hashes = [keyed_hash(
        &list.hash_key,
        list.kind,
        filed.point.value.reveal(),
    )];
    store.load_list(&list, &hashes, &[]).await.expect("loaded");
    let (id, rows) = (fresh::<ImportId>(), [filed.row(1)]);
    let report = store.import_batch(id, &rows, false, &[]).await;
    assert_eq!(report.expect("a file").debtors_new, 1);
    let mut both = vec![people[0].debtor.id, filed.debtor.id];
    both.sort_unstable();
    assert_eq!(suppressed(store, &scene).await, both);
}

async fn save(
    store: &Subject,
    scene: &Scene,
    name: &str,
    text: &str,
    before: Option<&Segment>,
) -> Segment {
    let row = Segment {
        id: before.map_or_else(fresh::<SegmentId>, |s| s.id),
        client_id: scene.client.id,
        name: name.to_owned(),
        expression: text.to_owned(),
        version: before.map_or(1, |s| s.version + 1),
        created_at: NOW,
        updated_at: NOW,
    };
    store.put_segment(&row, &[]).await.expect("segment");
    row
}

async fn count(store: &Subject, scene: &Scene, text: &str) -> Result<u64, StoreError> {
    let expr = parse(text).expect("a filter");
    let found = store.segment_count(scene.client.id, &expr, NOW).await?;
    Ok(found.debtors)
}

async fn a_segment_names_another(store: &Subject) {
    let scene = Scene::new(store).await;
    for country in ["MX", "MX", "CO"] {
        let mut person = scene.draft_person();
        person.debtor.country = country.to_owned();
        person.store(store).await;
    }
    let first = save(store, &scene, "home", "country = 'MX'", None).await;
    save(store, &scene, "away", "not segment 'home'", None).await;
    // Of another client: his own 'home' is another.
    let other = Scene::new(store).await;
    other.person(store).await;
    save(store, &other, "home", "country = 'CO'", None).await;
    assert_eq!(count(store, &scene, "segment 'home'").await.ok(), Some(2));
    assert_eq!(count(store, &scene, "segment 'away'").await.ok(), Some(1));
    let both = "segment 'home' and not segment 'away'";
    assert_eq!(count(store, &scene, both).await.ok(), Some(2));
    save(store, &scene, "home", "country = 'CO'", Some(&first)).await;
    assert_eq!(count(store, &scene, "segment 'away'").await.ok(), Some(2));
    assert_eq!(
        count(store, &scene, "segment 'home' version 1").await.ok(),
        Some(2)
    );
    assert_eq!(
        count(store, &scene, "segment 'home' version 2").await.ok(),
        Some(1)
    );
    let versions = store.segment_versions(first.id).await.expect("versions");
    let told: Vec<_> = versions
        .iter()
        .map(|v| (v.version, v.expression.as_str()))
        .collect();
    assert_eq!(told, [(2, "country = 'CO'"), (1, "country = 'MX'")]);
    let campaign = scene.draft_campaign();
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let expr = parse("not segment 'home'").expect("a filter");
    let taken = store.refill_campaign(&campaign, &expr, NOW, &[]).await;
    assert_eq!(taken.expect("refill").added, 2);
}

async fn circles_are_refused(store: &Subject) {
    let scene = Scene::new(store).await;
    save(store, &scene, "a", "segment 'b'", None).await;
    let refused = |text: &str, of: &Result<u64, StoreError>| match of {
        Err(StoreError::Conflict(reason)) => assert!(reason.contains(text), "{reason}"),
        other => panic!("{other:?}"),
    };
    refused("no segment 'b'", &count(store, &scene, "segment 'a'").await);
    let expr = parse("on_hold or segment 'a'").expect("a filter");
    save(store, &scene, "b", "all", None).await;
    let own = store.whole_segment(scene.client.id, &expr, Some("b")).await;
    refused("name itself", &own.map(|_| 0));
    assert_eq!(count(store, &scene, "segment 'a'").await.ok(), Some(0));
    let second = save(store, &scene, "c", "segment 'a'", None).await;
    save(store, &scene, "c", "segment 'd'", Some(&second)).await;
    save(store, &scene, "d", "not segment 'c'", None).await;
    refused("name itself", &count(store, &scene, "segment 'd'").await);
}
