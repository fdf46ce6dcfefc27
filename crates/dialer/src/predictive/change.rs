//! Other settings while calls are in flight: what was learned, what is owed and what is in flight stay.

use super::{Predictive, Settings, SettingsRefused};

impl Settings {
    /// Whether they leave something to decide.
    ///
    /// # Errors
    /// Names the figure and what would be right.
    pub fn check(&self) -> Result<(), SettingsRefused> {
        if !(self.target > 0.0 && self.target < 0.5) {
            return Err(SettingsRefused::Target(self.target));
        }
        if !(self.limit_s > 0.0 && self.limit_s <= 60.0) {
            return Err(SettingsRefused::Limit(self.limit_s));
        }
        if !(self.ring_timeout_s >= 5.0 && self.ring_timeout_s <= 120.0) {
            return Err(SettingsRefused::RingTimeout(self.ring_timeout_s));
        }
        Ok(())
    }
}

impl Predictive {
    /// Goes on with other settings; the same change nothing.
    ///
    /// # Errors
    /// When they leave nothing to decide: then all is as it was.
    pub fn adjust(&mut self, settings: Settings) -> Result<(), SettingsRefused> {
        settings.check()?;
        let old = std::mem::replace(&mut self.settings, settings);
        self.bank.aim_at(settings.target);
        let rings = old.ring_timeout_s.total_cmp(&settings.ring_timeout_s);
        if rings.is_ne() {
            self.calls.ring_for(settings.ring_timeout_s);
        }
        if rings.is_ne() || old.limit_s.total_cmp(&settings.limit_s).is_ne() {
            self.agents_tabled_at = f64::NEG_INFINITY;
            self.settle(self.tabled_at.max(0.0));
        }
        Ok(())
    }

    /// Share of live answers that is aimed at.
    #[must_use]
    pub const fn target(&self) -> f64 {
        self.settings.target
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AgentState, CallEvent, Look};
    use super::*;

    const SETTINGS: Settings = Settings {
        target: 0.028,
        limit_s: 2.0,
        ring_timeout_s: 25.0,
    };

    fn look(policy: &mut Predictive, t: f64) -> u32 {
        let look = Look {
            idle: 5,
            waiting: 0,
            most: 1_000,
            shrink: 1.0,
            share: 1.0,
        };
        policy.decide(t, &look)
    }

    /// Two hours of calls of which every fourth is answered and every twelfth of those lost; then thirty ring.
    fn taught() -> Predictive {
        let mut policy = Predictive::new(SETTINGS).unwrap();
        for n in 0..5 {
            policy.agent(0.0, n, AgentState::Idle);
        }
        for n in 0..2_400_u32 {
            let (id, t) = (u128::from(n), f64::from(n) * 3.0);
            policy.call(t, id, CallEvent::Launched(None));
            policy.call(t + 0.5, id, CallEvent::Ringing);
            let end = match n % 48 {
                0 => CallEvent::Abandoned,
                n if n % 4 == 0 => CallEvent::Connected,
                _ => CallEvent::Ended,
            };
            policy.call(t + 2.5, id, end);
            look(&mut policy, t + 2.5);
        }
        for id in 10_000..10_030 {
            policy.call(7_200.0, id, CallEvent::Launched(None));
            policy.call(7_200.0, id, CallEvent::Ringing);
        }
        policy
    }

    #[test]
    fn the_same_settings_change_nothing() {
        let (mut policy, untouched) = (taught(), taught());
        policy.adjust(SETTINGS).unwrap();
        assert_eq!(policy.memory(), untouched.memory());
        assert_eq!(policy.in_flight(), 30);
        assert!((policy.theta() - untouched.theta()).abs() < 1e-15);
        assert!((policy.live_share() - untouched.live_share()).abs() < 1e-15);
    }

    #[test]
    fn another_ring_time_keeps_calls_account_and_what_was_learned() {
        for ring_timeout_s in [20.0, 40.0, 120.0] {
            let mut policy = taught();
            let (theta, share) = (policy.theta(), policy.live_share());
            let bank = policy.bank.clone();
            policy
                .adjust(Settings {
                    ring_timeout_s,
                    ..SETTINGS
                })
                .unwrap();
            assert_eq!(policy.in_flight(), 30);
            assert_eq!(format!("{:?}", policy.bank), format!("{bank:?}"));
            assert!((policy.theta() - theta).abs() < 1e-15);
            let now = policy.live_share();
            assert!((now - share).abs() < 0.1 * share, "{share} {now}");
            // Thirty ring for five: nothing is added.
            assert_eq!(look(&mut policy, 7_200.2), 0, "{ring_timeout_s}");
        }
    }

    #[test]
    fn a_longer_ring_time_sees_what_comes_late() {
        let demand = |ring_timeout_s| {
            let mut policy = Predictive::new(Settings {
                ring_timeout_s: 15.0,
                ..SETTINGS
            })
            .unwrap();
            policy
                .adjust(Settings {
                    ring_timeout_s,
                    ..SETTINGS
                })
                .unwrap();
            policy.call(0.0, 1, CallEvent::Launched(None));
            policy.call(0.0, 1, CallEvent::Ringing);
            policy.demand(17.0)
        };
        assert!(
            demand(30.0) > demand(15.0),
            "{} {}",
            demand(30.0),
            demand(15.0)
        );
    }

    #[test]
    fn a_lower_aim_counts_at_once_and_owes_the_same() {
        let mut policy = taught();
        let before = policy.memory();
        policy
            .adjust(Settings {
                target: 0.01,
                ..SETTINGS
            })
            .unwrap();
        assert!((policy.target() - 0.01).abs() < 1e-15);
        assert_eq!(policy.memory(), before);
        let refused = policy.adjust(Settings {
            target: 0.0,
            ..SETTINGS
        });
        assert!(refused.is_err() && (policy.target() - 0.01).abs() < 1e-15);
    }
}
