//! Whether gateways take what they are given: one that refuses us for good, or fails time after time, is told on the
//! supervisors' board until it takes a message again.

use crate::shared::Shared;
use domain::ports::SendFault;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Failures in a row, of whatever messages, after which a gateway is told to fail.
const FAILS_MAX: u32 = 5;

/// Failures in a row of each gateway that has some, by its name.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<String, u32>>);

/// What an answer says of the gateway that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works: it took the message, or found only the address at fault.
    Works,
    /// It took nothing this time.
    Fails,
    /// It will take nothing of us before somebody sees to it.
    Closed,
}

impl Sign {
    /// Of an answer; `optout`: it says that the debtor wants no more messages.
    pub(super) const fn of<T>(answer: &Result<T, SendFault>, optout: bool) -> Self {
        match answer {
            Ok(_)
            | Err(SendFault::Refused {
                bad_address: true, ..
            }) => Self::Works,
            Err(SendFault::Refused { .. }) if optout => Self::Works,
            Err(SendFault::Closed(_)) => Self::Closed,
            Err(SendFault::Refused { .. } | SendFault::Later(_) | SendFault::Unknown(_)) => {
                Self::Fails
            }
        }
    }
}

impl Health {
    /// Counts a sign; whether the gateway is to be told to fail from now on (`true`) or to work again (`false`).
    fn count(&self, gateway: &str, sign: Sign) -> Option<bool> {
        let mut fails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sign == Sign::Works {
            return fails.remove(gateway).map(|_| false);
        }
        let row = fails.entry(gateway.to_owned()).or_default();
        *row = row.saturating_add(1);
        (sign == Sign::Closed || *row >= FAILS_MAX).then_some(true)
    }
}

fn closed(gateway: &str) -> String {
    format!("gateway_closed:{gateway}")
}

fn failing(gateway: &str) -> String {
    format!("gateway_failing:{gateway}")
}

/// Notes what an answer says of its gateway; `why` names no person.
pub(super) async fn note(shared: &Shared, gateway: &str, sign: Sign, why: String) {
    let Some(bad) = shared.gateways.count(gateway, sign) else {
        return;
    };
    let name = gateway.to_owned();
    shared
        .post
        .tell(move |engine, now| {
            if !bad {
                engine.clear_alarm(&closed(&name));
                engine.clear_alarm(&failing(&name));
            } else if sign == Sign::Closed {
                let words = (
                    format!("el proveedor de mensajes {name} ya no nos acepta ({why}): revise la clave y la cuenta"),
                    format!("message gateway {name} takes nothing of us any more ({why}): see to its key and account"),
                );
                engine.alarm(now, closed(&name), "gateway_closed", words);
            } else {
                let words = (
                    format!("el proveedor de mensajes {name} falla una y otra vez ({why})"),
                    format!("message gateway {name} fails time after time ({why})"),
                );
                engine.alarm(now, failing(&name), "gateway_failing", words);
            }
        })
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_addresss_fault_is_not_the_gateways() {
        let refused = |bad_address| {
            let code = "550".to_owned();
            Err::<(), _>(SendFault::Refused { code, bad_address })
        };
        for (answer, optout, sign) in [
            (Ok(()), false, Sign::Works),
            (refused(true), false, Sign::Works),
            (refused(false), true, Sign::Works),
            (refused(false), false, Sign::Fails),
            (Err(SendFault::Later("busy".into())), false, Sign::Fails),
            (Err(SendFault::Unknown("lost".into())), false, Sign::Fails),
            (Err(SendFault::Closed("key".into())), false, Sign::Closed),
        ] {
            assert_eq!(Sign::of(&answer, optout), sign, "{answer:?}");
        }
    }

    #[test]
    fn some_in_a_row_are_told_and_each_gateway_counts_by_itself() {
        let health = Health::default();
        for _ in 1..FAILS_MAX {
            assert_eq!(health.count("a", Sign::Fails), None);
        }
        assert_eq!(health.count("b", Sign::Fails), None);
        assert_eq!(health.count("a", Sign::Fails), Some(true));
        assert_eq!(health.count("a", Sign::Works), Some(false));
        assert_eq!(health.count("a", Sign::Works), None);
        assert_eq!(health.count("a", Sign::Fails), None);
        assert_eq!(health.count("a", Sign::Closed), Some(true));
    }
}
