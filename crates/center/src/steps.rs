//! Steps of a call on their way to its writer: what came while one was being made durable is written
//! together, in one transaction.

use crate::scribe::Step;
use domain::ports::store::AttemptChange;
use tokio::sync::mpsc;

/// The steps of one attempt in their order.
pub(crate) struct Steps {
    line: mpsc::Receiver<Step>,
    /// Taken and not given yet.
    next: Option<Step>,
}

/// Adds what came later: its values stand, its state only where it is further on.
fn add(change: &mut AttemptChange, later: AttemptChange) {
    macro_rules! take {
        ($($field:ident),+) => { $(
            if later.$field.is_some() { change.$field = later.$field; }
        )+ };
    }
    change.state = change.state.max(later.state);
    take!(
        invite_at,
        ringing_at,
        answered_at,
        popped_at,
        acked_at,
        bridged_at,
        identity_at,
        agent_id,
        recording_id,
        trunk_id
    );
    change.ledger.extend(later.ledger);
}

impl Steps {
    pub(crate) const fn of(line: mpsc::Receiver<Step>) -> Self {
        Self { line, next: None }
    }

    /// The next one, with those of its kind that wait right behind it; none once nobody can bring any.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        let first = match self.next.take() {
            Some(step) => step,
            None => self.line.recv().await?,
        };
        let Step::Note(mut change, mut events) = first else {
            return Some(first);
        };
        while let Ok(step) = self.line.try_recv() {
            match step {
                Step::Note(later, told) => {
                    add(&mut change, *later);
                    events.extend(told);
                }
                other => {
                    self.next = Some(other);
                    break;
                }
            }
        }
        Some(Step::Note(change, events))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::AttemptState;
    use domain::event::NewEvent;
    use domain::ids::EventId;
    use domain::time::UtcMs;
    use tokio::sync::oneshot;
    use uuid::Uuid;

    fn told(n: u128) -> NewEvent {
        NewEvent {
            id: EventId(Uuid::from_u128(n)),
            at: UtcMs(0),
            client_id: None,
            actor: "node".into(),
            kind: "call.step".into(),
            subject: "attempt".into(),
            data: serde_json::Value::Null,
        }
    }

    fn note(state: AttemptState, at: i64, event: u128) -> Step {
        let change = AttemptChange {
            state: Some(state),
            answered_at: (state == AttemptState::Answered).then_some(UtcMs(at)),
            bridged_at: (at > 1).then_some(UtcMs(at)),
            ..AttemptChange::default()
        };
        Step::Note(Box::new(change), vec![told(event)])
    }

    #[tokio::test]
    async fn what_waits_is_one_step_and_keeps_its_order() {
        let (line, steps) = mpsc::channel(8);
        let mut steps = Steps::of(steps);
        let give = |step| line.try_send(step).map_err(|_| ()).expect("has room");
        give(note(AttemptState::Answered, 1, 1));
        // News that came late takes no state back.
        give(note(AttemptState::Ringing, 2, 2));
        let (answer, _asked) = oneshot::channel();
        give(Step::Close(Box::default(), answer));
        give(note(AttemptState::Answered, 3, 3));
        let Some(Step::Note(change, events)) = steps.next().await else {
            panic!("a note comes first");
        };
        assert_eq!(change.state, Some(AttemptState::Answered));
        assert_eq!(
            (change.answered_at, change.bridged_at),
            (Some(UtcMs(1)), Some(UtcMs(2)))
        );
        assert_eq!(events, [told(1), told(2)]);
        assert!(matches!(steps.next().await, Some(Step::Close(..))));
        let Some(Step::Note(_, events)) = steps.next().await else {
            panic!("what came behind it is for itself");
        };
        assert_eq!(events, [told(3)]);
        drop(line);
        assert!(steps.next().await.is_none());
    }
}
