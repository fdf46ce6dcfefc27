//! What a call was, said again: counted once on every node, and taken back; not against who proved who he is; and what
//! it says of the carrier's recordings.

use crate::amd::{over, params, send, send_why, tell, unchecked};
use crate::world::{ALL_ANSWER, House, Plan, id};
use center::{Actor, CenterConfig, IdentityAsk};
use domain::entity::{AmdMode, CallResult, PartyRole};
use domain::ids::TrunkId;
use domain::ports::store::{DetectorStore as _, HeardPrint};
use domain::ports::{Clock as _, TrunkReport};
use domain::rules::detector::Truth;
use domain::time::UtcMs;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_person_by_mistake_is_taken_back_and_counts_once_however_often_it_is_said() {
    // One debtor: nobody else is abandoned meanwhile.
    let plan = || Plan {
        params: params(AmdMode::On),
        debtors: 1,
        mix: ALL_ANSWER,
        ..Plan::default()
    };
    let house = House::build(plan()).await;
    house.agent(1).await;
    house.start().await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    let other = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(), now, 8, other).await;
    let attempt = unchecked(&house).await;
    send(&house, attempt, "machine", None).await;
    over(&house, attempt).await;
    house.secs(2).await;
    let begin = house.row().await.abandonment.numerator;
    assert_eq!(second.row().await.abandonment.numerator, begin);
    for (truth, result, code, more) in [
        (Truth::Person, CallResult::Abandoned, "NC.AD", 1),
        (Truth::Machine, CallResult::MachineNoBeep, "NC.BZ", 0),
        (Truth::Machine, CallResult::MachineNoBeep, "NC.BZ", 0),
        (Truth::Person, CallResult::Abandoned, "NC.AD", 1),
        (Truth::Person, CallResult::Abandoned, "NC.AD", 1),
    ] {
        tell(&house, attempt, truth).await;
        let row = house.attempt(attempt).await;
        assert_eq!(row.result, Some(result));
        assert_eq!(row.disposition.as_deref(), Some(code));
        house.secs(2).await;
        for node in [&house, &second] {
            let counted = node.row().await.abandonment.numerator;
            assert_eq!(counted, begin + more, "{truth}");
        }
    }
    // Said both ways before the other node reads it.
    tell(&house, attempt, Truth::Machine).await;
    tell(&house, attempt, Truth::Person).await;
    tell(&house, attempt, Truth::Machine).await;
    house.secs(2).await;
    for node in [&house, &second] {
        assert_eq!(node.row().await.abandonment.numerator, begin);
    }
    house.center.shutdown().await;
    second.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_key_for_a_machine_hangs_up_on_nobody_who_proved_who_he_is() {
    let house = House::build(Plan {
        seed: crate::transfers::long_talk(),
        params: params(AmdMode::Off),
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    let titular = IdentityAsk {
        role: PartyRole::Titular,
    };
    let proved = house.center.identity(agent.id, attempt, titular).await;
    proved.expect("proved");
    let me = Actor::Agent(agent.id);
    let refused = house.center.tell_truth(me, attempt, Truth::Machine).await;
    assert_eq!(refused.expect_err("he is there").code(), "identity_given");
    assert_eq!(agent.state(), "talking");
    house.hang_up(&agent, attempt).await;
    let refused = house.center.tell_truth(me, attempt, Truth::Machine).await;
    assert_eq!(refused.expect_err("he was there").code(), "identity_given");
    assert_eq!(house.attempt(attempt).await.disposition, None);
    let person = house.center.tell_truth(me, attempt, Truth::Person).await;
    person.expect("is what he was");
}

#[tokio::test(start_paused = true)]
async fn a_known_recording_is_noted_when_it_is_heard_and_alone_is_doubted() {
    let house = House::build(Plan {
        params: params(AmdMode::On),
        ..Plan::default()
    })
    .await;
    house.agent(1).await;
    let trunk = TrunkId(id(4));
    for n in [5, 6] {
        let known = HeardPrint {
            trunk_id: trunk,
            print: vec![n; 200],
            numbers: 3,
            persons: 0,
            last_at: UtcMs(i64::from(n)),
        };
        house.store.put_print(&known).await.expect("is kept");
    }
    house.start().await;
    let attempt = unchecked(&house).await;
    let report = TrunkReport::Printed {
        attempt,
        at: house.clock.now(),
        print: vec![5; 200],
    };
    house.reports.send(report).await.expect("is read");
    let before = house.clock.now();
    send_why(&house, attempt, ("machine", "known"), None).await;
    over(&house, attempt).await;
    house.secs(1).await;
    let prints = house.store.prints_of(trunk).await.expect("answers");
    let at: Vec<_> = prints.iter().map(|p| (p.print[0], p.last_at)).collect();
    assert!(at[0].0 == 5 && at[0].1 >= before, "heard last: {at:?}");
    assert_eq!(at[1], (6, UtcMs(6)));
    assert!(prints.iter().all(HeardPrint::decides));

    tell(&house, attempt, Truth::Person).await;
    house.secs(1).await;
    let prints = house.store.prints_of(trunk).await.expect("answers");
    let decide: Vec<_> = prints.iter().filter(|p| p.decides()).collect();
    assert_eq!(decide.len(), 1, "{prints:?}");
    assert_eq!(decide[0].print, vec![6; 200]);
    assert_eq!(house.trunk.prints(trunk), [vec![6; 200]]);
}
