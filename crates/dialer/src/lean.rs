//! How a campaign leans away from the rule of its mode: agents counted otherwise, more or fewer calls ahead
//! (terms.md §10). Whoever leans nowhere has the rule itself, bit for bit.

use domain::entity::AgentCountBasis;

/// Largest lines per agent that is accepted.
pub(crate) const LINES_PER_AGENT_MAX: f64 = 10.0;

/// What a campaign sets beside the rule.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lean {
    /// Agents that the rule sees beyond those there are: −1 keeps one free, +1 lets one call wait.
    pub agent_balance: i32,
    /// Calls ahead beyond the rule's, percent: −50 = half of them, 50 = half as many again.
    pub intensity_pct: f64,
    /// Which agents fixed lines are counted by.
    pub basis: AgentCountBasis,
}

/// The agents of a campaign, as shares where several campaigns have them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Heads {
    /// Who may be given a call now.
    pub ready: f64,
    /// Signed in and not paused.
    pub at_work: f64,
    /// Signed in.
    pub logged: f64,
}

impl Heads {
    /// Those that a basis counts.
    #[must_use]
    pub const fn by(&self, basis: AgentCountBasis) -> f64 {
        match basis {
            AgentCountBasis::Logged => self.logged,
            AgentCountBasis::NotPaused => self.at_work,
            AgentCountBasis::Ready => self.ready,
        }
    }
}

impl Lean {
    fn factor(&self) -> f64 {
        1.0 + self.intensity_pct / 100.0
    }

    /// What it holds back, alone.
    pub(crate) fn back(&self) -> Self {
        Self {
            agent_balance: self.agent_balance.min(0),
            intensity_pct: self.intensity_pct.min(0.0),
            ..*self
        }
    }

    /// Whether it holds anything back.
    pub(crate) fn holds_back(&self) -> bool {
        self.agent_balance < 0 || self.intensity_pct < 0.0
    }

    /// Whether it asks for more than the rule anywhere.
    #[must_use]
    pub fn pushes(&self) -> bool {
        self.agent_balance > 0 || self.intensity_pct > 0.0
    }

    /// What a call's chance of an answer weighs: where half of the calls are wanted, each counts for two.
    pub(crate) fn weighs(&self, chance: f64) -> f64 {
        if self.intensity_pct == 0.0 {
            return chance;
        }
        (chance / self.factor().max(f64::EPSILON)).clamp(0.0, 1.0)
    }

    /// Lines an agent has where the campaign sets so many: never fewer than one, nor for this alone more than a
    /// campaign may set.
    #[must_use]
    pub fn level(&self, lines_per_agent: f64) -> f64 {
        let most = lines_per_agent.max(LINES_PER_AGENT_MAX);
        (lines_per_agent * self.factor()).clamp(1.0, most)
    }

    /// Lines that a level wants for those agents; `shrink` is the guard's, and takes back what is asked beyond the
    /// rule first. Nobody at work, no line.
    #[must_use]
    pub fn lines(&self, level: f64, shrink: f64, heads: &Heads) -> f64 {
        if heads.at_work <= 0.0 {
            return 0.0;
        }
        let level = 1.0 + (level - 1.0).max(0.0) * shrink;
        let balance = f64::from(self.agent_balance);
        let more = if balance > 0.0 {
            balance * shrink
        } else {
            balance
        };
        level * (heads.by(self.basis) + more).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: Heads = Heads {
        ready: 2.0,
        at_work: 5.0,
        logged: 7.0,
    };

    fn leaning(agent_balance: i32, intensity_pct: f64) -> Lean {
        Lean {
            agent_balance,
            intensity_pct,
            ..Lean::default()
        }
    }

    fn lines(lean: &Lean, shrink: f64) -> f64 {
        lean.lines(lean.level(3.0), shrink, &HEADS)
    }

    #[test]
    fn who_leans_nowhere_has_the_rule() {
        let rule = Lean::default();
        assert_eq!(rule.level(2.7).to_bits(), 2.7_f64.to_bits());
        assert!((leaning(0, 90.0).level(8.0) - 10.0).abs() < 1e-9);
        assert_eq!(rule.weighs(0.123).to_bits(), 0.123_f64.to_bits());
        let of = |shrink: f64| (1.0 + 2.0 * shrink) * 5.0;
        for shrink in [0.0, 0.3, 1.0] {
            assert_eq!(lines(&rule, shrink).to_bits(), of(shrink).to_bits());
        }
    }

    #[test]
    fn balance_shifts_the_agents_and_intensity_the_lines() {
        for (balance, intensity, wanted) in [
            (-1, 0.0, 12.0),
            (1, 0.0, 18.0),
            (-9, 0.0, 0.0),
            (0, 50.0, 22.5),
            (0, -50.0, 7.5),
            (0, -90.0, 5.0),
        ] {
            let got = lines(&leaning(balance, intensity), 1.0);
            assert!((got - wanted).abs() < 1e-9, "{balance} {intensity}: {got}");
        }
    }

    #[test]
    fn the_guard_takes_back_what_is_asked_beyond_the_rule() {
        // One line an agent is what is left, whatever is asked; what is held back stays so.
        assert!((lines(&leaning(3, 80.0), 0.0) - 5.0).abs() < 1e-9);
        assert!((lines(&leaning(-2, 0.0), 0.0) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn agents_are_counted_by_the_basis() {
        let of = |basis| {
            let lean = Lean {
                basis,
                ..Lean::default()
            };
            lines(&lean, 1.0)
        };
        assert!((of(AgentCountBasis::Logged) - 21.0).abs() < 1e-9);
        assert!((of(AgentCountBasis::NotPaused) - 15.0).abs() < 1e-9);
        assert!((of(AgentCountBasis::Ready) - 6.0).abs() < 1e-9);
        let all_paused = Heads {
            ready: 0.0,
            at_work: 0.0,
            logged: 7.0,
        };
        for lean in [leaning(2, 0.0), leaning(0, 0.0)] {
            assert!(lean.lines(3.0, 1.0, &all_paused) < 1e-9);
        }
    }
}
