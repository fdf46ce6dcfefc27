//! Faults of ours around a leg's move, its end and the thread's own work.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

const WAIT: Duration = Duration::from_secs(5);

/// A node's clock that breaks who reads it on a media thread.
#[derive(Default)]
struct Brittle(AtomicBool);

impl domain::ports::Clock for Brittle {
    fn now(&self) -> UtcMs {
        let here = std::thread::current();
        let media = here.name().is_some_and(|name| name.starts_with("media"));
        let broken = self.0.load(Ordering::Relaxed);
        assert!(!(media && broken), "a fault on purpose");
        UtcMs(1_795_446_000_000)
    }
}

/// A plane of so many threads, and what it tells of faults and ends.
fn on_threads(threads: usize, clock: Arc<Brittle>) -> (Plane, Receiver<Event>) {
    let (said, told) = sync_channel(256);
    let tell = move |event| {
        if matches!(event, Event::Broken { .. } | Event::Removed { .. }) {
            // The test may be over.
            let _ = said.try_send(event);
        }
        Ok(())
    };
    let at = (IpAddr::from([127, 0, 0, 1]), 10_000..=19_999);
    let wall = Wall::new(clock);
    let plane = Plane::start(threads, at, &Tones::new(), &wall, None, tell).expect("starts");
    (plane, told)
}

fn broken(told: &Receiver<Event>) -> Option<LegId> {
    match told.recv_timeout(WAIT) {
        Ok(Event::Broken { leg }) => leg,
        other => panic!("a fault is told before {other:?}"),
    }
}

fn removed(told: &Receiver<Event>) -> LegId {
    match told.recv_timeout(WAIT) {
        Ok(Event::Removed { leg, .. }) => leg,
        other => panic!("an end is told before {other:?}"),
    }
}

/// Waits until a thread is found to be gone; its legs.
fn gone(plane: &mut Plane, n: usize) -> Vec<LegId> {
    let end = Instant::now() + WAIT;
    loop {
        let lost = plane.gone();
        if plane.load[n] >= GONE {
            return lost;
        }
        assert!(Instant::now() < end, "the thread ends");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_leg_that_broke_before_it_moved_is_told_as_removed() {
    let (mut plane, told) = on_threads(2, Arc::default());
    let (debtor, agent) = (Far::new(&mut plane), Far::new(&mut plane));
    assert_ne!(plane.homes[&debtor.leg], plane.homes[&agent.leg]);
    plane.order(Order::Break(agent.leg));
    plane.order(Order::Bridge {
        debtor: debtor.leg,
        agent: agent.leg,
        beep: false,
    });
    assert_eq!(broken(&told), Some(agent.leg));
    plane.order(Order::Remove(agent.leg, Instant::now()));
    assert_eq!(removed(&told), agent.leg);
    plane.stop();
}

#[test]
fn an_order_that_breaks_takes_no_other_along() {
    let (mut plane, told) = on_threads(2, Arc::default());
    let (first, second) = (Far::new(&mut plane), Far::new(&mut plane));
    let (to, from) = (plane.homes[&first.leg], plane.homes[&second.leg]);
    // The leg is on its way, and has not come yet.
    plane.threads[to].give(Order::Expect(second.leg, from));
    plane.homes.insert(second.leg, to);
    plane.order(Order::Break(second.leg));
    plane.order(Order::Remove(second.leg, Instant::now()));
    let line = plane.threads[to].line();
    plane.threads[from].give(Order::Give(second.leg, line));
    assert_eq!(broken(&told), Some(second.leg));
    assert_eq!(removed(&told), second.leg);
    plane.stop();
}

#[test]
fn a_leg_whose_thread_is_gone_before_it_gave_it_is_told() {
    let (mut plane, told) = on_threads(2, Arc::default());
    let (first, second) = (Far::new(&mut plane), Far::new(&mut plane));
    let (to, from) = (plane.homes[&first.leg], plane.homes[&second.leg]);
    plane.threads[to].give(Order::Expect(second.leg, from));
    plane.homes.insert(second.leg, to);
    plane.threads[from].give(Order::Die);
    assert!(gone(&mut plane, from).is_empty(), "it is the other's now");
    assert_eq!(broken(&told), Some(second.leg));
    plane.order(Order::Remove(second.leg, Instant::now()));
    assert_eq!(removed(&told), second.leg);
    plane.stop();
}

#[test]
fn a_thread_whose_own_work_breaks_again_and_again_ends() {
    let clock = Arc::new(Brittle::default());
    let (mut plane, told) = on_threads(1, Arc::clone(&clock));
    let far = Far::new(&mut plane);
    plane.order(Order::Agreed(far.leg, far.agreed(None), true));
    clock.0.store(true, Ordering::Relaxed);
    assert_eq!(gone(&mut plane, 0), [far.leg]);
    assert!(plane.lost());
    let faults: Vec<_> = told.try_iter().collect();
    assert_eq!(faults.len(), limits::FAULTS + 1);
    assert!(
        faults
            .iter()
            .all(|f| matches!(f, Event::Broken { leg: None }))
    );
}

#[test]
fn what_breaks_in_an_agents_leg_is_not_the_debtors() {
    let (mut plane, told) = on_threads(1, Arc::default());
    let (debtor, agent) = bridged(&mut plane, None);
    let guest = Far::new(&mut plane);
    plane.order(Order::Agreed(guest.leg, guest.agreed(None), true));
    plane.order(Order::Party {
        debtor: debtor.leg,
        party: guest.leg,
        on: true,
    });
    // All that these are sent now is mixed on the debtor's turn.
    plane.order(Order::Weaken(agent.leg));
    assert_eq!(broken(&told), Some(agent.leg));
    plane.order(Order::Weaken(guest.leg));
    assert_eq!(broken(&told), Some(guest.leg));
    plane.order(Order::Weaken(debtor.leg));
    assert_eq!(broken(&told), Some(debtor.leg));
    plane.stop();
    assert!(told.try_iter().all(|e| !matches!(e, Event::Broken { .. })));
}
