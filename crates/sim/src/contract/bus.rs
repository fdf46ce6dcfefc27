//! The event bus: two ends of one bus, which may be the same object.

use super::scene::{event, name};
use domain::event::Event;
use domain::ports::Bus;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a delivery.
const DELIVERY: Duration = Duration::from_secs(20);

/// Runs the group.
pub async fn all(near: Arc<dyn Bus>, far: Arc<dyn Bus>) {
    near.healthy().await.expect("healthy");
    let subject = name("bus");
    let batch: Vec<Event> = (1..=20)
        .map(|cursor| Event {
            cursor,
            schema: 1,
            event: event("suite.bus", &subject),
        })
        .collect();
    let mut ends = [near.subscribe(), far.subscribe()];
    near.publish(&batch[..1]).await.expect("publish one");
    near.publish(&batch[1..]).await.expect("publish many");
    near.publish(&[]).await.expect("publish nothing");
    for end in &mut ends {
        let mut seen: Vec<Event> = Vec::new();
        while seen.len() < batch.len() {
            let event = tokio::time::timeout(DELIVERY, end.recv())
                .await
                .expect("delivered in time")
                .expect("not lagging");
            // At least once: repeats and others' events are allowed.
            if event.event.subject == subject && !seen.contains(&event) {
                seen.push(event);
            }
        }
        assert_eq!(seen, batch, "every event, in the order of its subject");
    }
}
