//! The threshold of the risk, held so that the abandonment of the campaign comes out at its target.
//!
//! Two loops. The inner one is quick because it asks the forecast: each launch says what it is likely to
//! lose, and the threshold moves until that is what may be lost; how far the forecast is off is learned
//! from what was really abandoned. The outer one is exact: what was abandoned beyond the target, or
//! less, is an account, and the account moves what may be lost next.

/// Threshold before anything is known.
const START: f64 = 0.02;
/// Least and most threshold: below nothing but sure calls, above no risk rule any more.
const BOUNDS: (f64, f64) = (0.001, 0.35);
/// Change of the logarithm of the threshold by one live answer too many expected.
const GAIN: f64 = 0.15;
/// Live answers over which the account is brought back to nought, as a share of those so far: a short
/// campaign has no time to wait for chance to even out.
const PAY_BACK: f64 = 0.5;
/// Least and most of them for savings.
const SPENT_OVER: (f64, f64) = (200.0, 1_200.0);
/// Least and most of them for debts, which must be paid before the campaign ends.
const PAID_OVER: (f64, f64) = (200.0, 400.0);
/// What may be lost next as a share of the target, least and most: debts are paid without stopping the
/// floor, savings are spent without a bad hour.
const AIM: (f64, f64) = (0.3, 1.5);
/// Fall of the logarithm of the threshold by one abandoned call of debt, at once: the forecast may be
/// wrong for a while.
const SHY: f64 = 0.03;
/// Debt up to which it falls, abandoned calls.
const SHY_MOST: f64 = 50.0;
/// Most savings and most debt, abandoned calls: against wind-up.
const ACCOUNT: (f64, f64) = (-10.0, 200.0);
/// Belief on what the forecast leaves out, before anything was abandoned: abandoned ÷ expected, and its
/// weight in abandoned calls.
const OFF: (f64, f64) = (1.4, 5.0);
/// Bounds of what was abandoned ÷ expected.
const OFF_BOUNDS: (f64, f64) = (0.3, 3.0);
/// Expected abandoned calls that are remembered.
const REMEMBERED: f64 = 200.0;

/// Calls just launched, as the forecast sees them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bet {
    /// Live answers expected.
    pub(super) live: f64,
    /// Of them those that will find nobody.
    pub(super) lost: f64,
    /// Whether lines, rate or guard held it back, not the risk.
    pub(super) held: bool,
}

/// The account.
#[derive(Debug, Clone)]
pub(super) struct Bank {
    target: f64,
    /// Logarithm of the threshold.
    ln: f64,
    /// Abandoned beyond the target so far.
    account: f64,
    answers: f64,
    expected: f64,
    abandoned: f64,
}

impl Bank {
    pub(super) fn new(target: f64) -> Self {
        Self {
            target,
            ln: START.ln(),
            account: 0.0,
            answers: 0.0,
            expected: 0.0,
            abandoned: 0.0,
        }
    }

    /// Threshold in force.
    pub(super) fn threshold(&self) -> f64 {
        (self.ln - SHY * self.account.clamp(0.0, SHY_MOST)).exp()
    }

    /// Share of the next live answers that may be lost.
    fn aim(&self) -> f64 {
        let (least, most) = if self.account > 0.0 {
            PAID_OVER
        } else {
            SPENT_OVER
        };
        let over = (PAY_BACK * self.answers).clamp(least, most);
        (self.target - self.account / over).clamp(AIM.0 * self.target, AIM.1 * self.target)
    }

    /// What was abandoned for each that the forecast expected.
    fn off(&self) -> f64 {
        ((OFF.0 * OFF.1 + self.abandoned) / (OFF.1 + self.expected))
            .clamp(OFF_BOUNDS.0, OFF_BOUNDS.1)
    }

    /// Calls were launched.
    pub(super) fn bet(&mut self, bet: Bet) {
        let step = GAIN * (self.off() * bet.lost - self.aim() * bet.live);
        self.expected += bet.lost;
        if self.expected > REMEMBERED {
            let keep = REMEMBERED / self.expected;
            self.expected *= keep;
            self.abandoned *= keep;
        }
        // Little risk because there was no line is no reason for more.
        if bet.held && step < 0.0 {
            return;
        }
        self.ln = (self.ln - step).clamp(BOUNDS.0.ln(), BOUNDS.1.ln());
    }

    /// A person found an agent, or none in time.
    pub(super) fn came(&mut self, abandoned: bool) {
        let lost = f64::from(u8::from(abandoned));
        self.answers += 1.0;
        self.abandoned += lost;
        self.account = (self.account + lost - self.target).clamp(ACCOUNT.0, ACCOUNT.1);
    }

    /// An answer that found an agent was a machine's: it counts for nothing.
    pub(super) fn machine(&mut self) {
        self.answers = (self.answers - 1.0).max(0.0);
        self.account = (self.account + self.target).min(ACCOUNT.1);
    }

    /// What outlives a restart: threshold, expected and abandoned. The account does not: what was
    /// abandoned is the guard's, by the stored attempts.
    pub(super) fn learned(&self) -> Vec<f64> {
        vec![self.ln, self.expected, self.abandoned]
    }

    /// Takes it up again, as far as it is still good.
    pub(super) fn recall(&mut self, kept: &[f64], keep: f64) {
        if let [ln, expected, abandoned] = *kept {
            let ln = ln.clamp(BOUNDS.0.ln(), BOUNDS.1.ln());
            self.ln += keep * (ln - self.ln);
            self.expected = (keep * expected).clamp(0.0, REMEMBERED);
            self.abandoned = (keep * abandoned).clamp(0.0, REMEMBERED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: Bet = Bet {
        live: 1.0,
        lost: 0.0,
        held: false,
    };

    #[test]
    fn the_forecast_moves_the_threshold_at_once() {
        let mut bank = Bank::new(0.03);
        let before = bank.threshold();
        for _ in 0..100 {
            bank.bet(SAFE);
        }
        let risen = bank.threshold();
        assert!(risen > before * 1.5 && risen <= BOUNDS.1);
        for _ in 0..100 {
            bank.bet(Bet { lost: 0.2, ..SAFE });
        }
        assert!(bank.threshold() < before);
    }

    #[test]
    fn what_lines_hold_back_is_not_saved_up() {
        let mut bank = Bank::new(0.03);
        let before = bank.threshold();
        for _ in 0..10_000 {
            bank.bet(Bet { held: true, ..SAFE });
        }
        assert!((bank.threshold() - before).abs() < 1e-12);
    }

    #[test]
    fn debts_and_savings_are_bounded_and_move_the_aim() {
        let mut bank = Bank::new(0.03);
        for _ in 0..100_000 {
            bank.came(false);
        }
        assert!(bank.aim() > 0.03 && bank.aim() <= AIM.1 * 0.03);
        assert!(bank.account >= ACCOUNT.0);
        for _ in 0..1_000 {
            bank.came(true);
        }
        assert!((bank.aim() - AIM.0 * 0.03).abs() < 1e-12 && bank.account <= ACCOUNT.1);
    }
}
