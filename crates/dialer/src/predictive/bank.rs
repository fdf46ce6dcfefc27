//! The threshold of the risk, held so that the abandonment of the campaign comes out at its target.
//!
//! Two loops. The inner one is quick because it asks the forecast: each launch says what it is likely to
//! lose, and the threshold moves until that is what may be lost; how far the forecast is off is learned
//! from what was really abandoned. The outer one is exact: what was abandoned beyond the target, or
//! less, is an account, and the account moves what may be lost next. A third figure bounds the last hour:
//! savings may be spent, a debtor who is called just now is owed the same.

/// Threshold before anything is known.
const START: f64 = 0.02;
/// Least and most threshold: below nothing but sure calls, above no risk rule any more.
const BOUNDS: (f64, f64) = (0.001, 0.35);
/// Change of the logarithm of the threshold by one live answer too many expected.
const GAIN: f64 = 0.15;
/// Live answers over which the account is brought back to nought, as a share of those so far: a short
/// campaign has no time to wait for chance to even out.
const PAY_BACK: f64 = 0.5;
/// Least and most of them: debts must be paid, and savings used, before the campaign ends.
const EVEN_OVER: (f64, f64) = (200.0, 400.0);
/// What may be lost next as a share of the target, least and most: debts are paid without stopping the
/// floor, savings are spent without a bad hour.
const AIM: (f64, f64) = (0.3, 1.5);
/// Fall of the logarithm of the threshold by one abandoned call of debt, at once: the forecast may be
/// wrong for a while.
const SHY: f64 = 0.03;
/// Debt up to which it falls, abandoned calls.
const SHY_MOST: f64 = 50.0;
/// Minutes of the sliding hour whose abandonment is bounded.
const HOUR_MIN: usize = 60;
/// One second in minutes.
const MINUTE_S: f64 = 60.0;
/// What the last hour may hold before the threshold falls: so many times the target, and never fewer
/// abandoned calls than the second figure, which is the least the law's bound on an hour can be.
const HOUR_HOLDS: (f64, f64) = (2.0, 3.0);
/// Fall of the logarithm of the threshold by one abandoned call that the hour would hold beyond that.
const HOUR_SHY: f64 = 1.0;
/// Answers of the last hour from which the account holds more and heeds a single call less. Where many agents
/// work, abandonments come in clumps as large as what is in flight: an account of a fixed size was filled by
/// chance alone, and what it could not hold was lost to the campaign (three hundred agents left a fifteenth
/// unspent). Debts are paid as soon as ever.
const FLOW: f64 = 600.0;
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

/// One minute of the last hour.
#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    answers: f64,
    abandoned: f64,
}

/// The last hour by the minute.
#[derive(Debug, Clone)]
struct Hour {
    minutes: [Minute; HOUR_MIN],
    /// Number of the newest minute.
    newest: usize,
    sum: Minute,
}

impl Hour {
    const fn new() -> Self {
        let none = Minute {
            answers: 0.0,
            abandoned: 0.0,
        };
        Self {
            minutes: [none; HOUR_MIN],
            newest: 0,
            sum: none,
        }
    }

    /// Lets time pass; what is older than an hour is gone.
    fn pass(&mut self, t: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1e9 minutes"
        )]
        let minute = (t / MINUTE_S).clamp(0.0, 1e9) as usize;
        let steps = minute.saturating_sub(self.newest).min(HOUR_MIN);
        for step in 1..=steps {
            self.minutes[(minute - steps + step) % HOUR_MIN] = Minute::default();
        }
        self.newest = self.newest.max(minute);
        let (mut answers, mut abandoned) = (0.0, 0.0);
        for one in &self.minutes {
            answers += one.answers;
            abandoned += one.abandoned;
        }
        self.sum = Minute { answers, abandoned };
    }

    fn add(&mut self, t: f64, answers: f64, abandoned: f64) {
        self.pass(t);
        let now = &mut self.minutes[self.newest % HOUR_MIN];
        now.answers += answers;
        now.abandoned += abandoned;
        self.sum.answers += answers;
        self.sum.abandoned += abandoned;
    }

    /// Abandoned calls that one more would be beyond what the hour may hold; below nought it has room.
    fn over(&self, target: f64) -> f64 {
        let holds = (HOUR_HOLDS.0 * target * self.sum.answers).max(HOUR_HOLDS.1);
        self.sum.abandoned + 1.0 - holds
    }

    /// The same, nought where it has room.
    fn beyond(&self, target: f64) -> f64 {
        self.over(target).max(0.0)
    }
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
    hour: Hour,
    /// Whether the campaign keeps more agents free than the rule does.
    held_back: bool,
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
            hour: Hour::new(),
            held_back: false,
        }
    }

    /// Whether the campaign keeps more agents free than the rule does: what it does not lose for that is no saving,
    /// or the feedback would take the agents back.
    pub(super) const fn hold_back(&mut self, held_back: bool) {
        self.held_back = held_back;
    }

    /// Abandoned calls that savings pay for and the hour still holds.
    pub(super) fn credit(&self) -> f64 {
        (-self.account).min(-self.hour.over(self.target)).max(0.0)
    }

    /// Abandoned beyond the target.
    pub(super) const fn owed(&self) -> f64 {
        self.account
    }

    /// What a forecast of so many abandoned calls is expected to come to.
    pub(super) fn expects(&self, forecast: f64) -> f64 {
        self.off() * forecast
    }

    /// Aims at another share from now on; what was abandoned so far stays on the account.
    pub(super) const fn aim_at(&mut self, target: f64) {
        self.target = target;
    }

    /// How much more the account holds than that of a small team.
    fn scale(&self) -> f64 {
        (self.hour.sum.answers / FLOW).max(1.0)
    }

    /// Threshold in force.
    pub(super) fn threshold(&self) -> f64 {
        let shy = SHY * (self.account / self.scale()).clamp(0.0, SHY_MOST);
        (self.ln - shy - HOUR_SHY * self.hour.beyond(self.target)).exp()
    }

    /// Share of the next live answers that may be lost.
    fn aim(&self) -> f64 {
        let over = (PAY_BACK * self.answers).clamp(EVEN_OVER.0, EVEN_OVER.1);
        let most = if self.held_back { 1.0 } else { AIM.1 };
        (self.target - self.account / over).clamp(AIM.0 * self.target, most * self.target)
    }

    /// What was abandoned for each that the forecast expected.
    fn off(&self) -> f64 {
        let least = if self.held_back { 1.0 } else { OFF_BOUNDS.0 };
        ((OFF.0 * OFF.1 + self.abandoned) / (OFF.1 + self.expected)).clamp(least, OFF_BOUNDS.1)
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

    /// Lets time pass up to `t`, s.
    pub(super) fn pass(&mut self, t: f64) {
        self.hour.pass(t);
    }

    /// A person found an agent, or none in time.
    pub(super) fn came(&mut self, t: f64, abandoned: bool) {
        let lost = f64::from(u8::from(abandoned));
        self.hour.add(t, 1.0, lost);
        self.answers += 1.0;
        self.abandoned += lost;
        let scale = self.scale();
        self.account =
            (self.account + lost - self.target).clamp(ACCOUNT.0 * scale, ACCOUNT.1 * scale);
    }

    /// An answer that found an agent was a machine's: it counts for nothing.
    pub(super) fn machine(&mut self) {
        self.answers = (self.answers - 1.0).max(0.0);
        self.account = (self.account + self.target).min(ACCOUNT.1 * self.scale());
    }

    /// A legal window begins, or this policy in the midst of one: the account is what the window says, so that what an
    /// old one saved is not spent in the next and a restart neither forgives nor forgets.
    pub(super) fn settle(&mut self, abandoned: f64, answers: f64) {
        let scale = self.scale();
        self.answers = answers;
        self.account =
            (abandoned - self.target * answers).clamp(ACCOUNT.0 * scale, ACCOUNT.1 * scale);
    }

    /// What outlives a restart: threshold, expected and abandoned. The account does not: what was
    /// abandoned is the guard's, by the stored attempts, and comes by [`Bank::settle`].
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
        // A hundred answers an hour: a small team.
        for n in 0..10_000_u32 {
            bank.came(f64::from(n) * 36.0, false);
        }
        assert!(bank.aim() > 0.03 && bank.aim() <= AIM.1 * 0.03);
        assert!(bank.account >= ACCOUNT.0);
        for n in 10_000..11_000_u32 {
            bank.came(f64::from(n) * 36.0, true);
        }
        assert!((bank.aim() - AIM.0 * 0.03).abs() < 1e-12 && bank.account <= ACCOUNT.1);
    }

    #[test]
    fn a_window_begins_with_what_it_holds_itself() {
        let mut bank = Bank::new(0.03);
        for n in 0..1_000_u32 {
            bank.came(f64::from(n) * 36.0, false);
        }
        assert!(bank.aim() > 0.03 && bank.credit() > 0.0, "savings");
        bank.settle(0.0, 0.0);
        assert!((bank.aim() - 0.03).abs() < 1e-12 && bank.credit() < 1e-12);
        // A month that already lost more than its share is owed after a restart, too.
        let mut again = Bank::new(0.03);
        again.settle(40.0, 1_000.0);
        assert!((again.account - 10.0).abs() < 1e-9 && again.aim() < 0.03);
        again.settle(0.0, 1e6);
        assert!((again.account - ACCOUNT.0).abs() < 1e-9, "against wind-up");
    }

    #[test]
    fn the_account_grows_with_the_answers_of_the_hour() {
        let of = |answers: u32| {
            let mut bank = Bank::new(0.03);
            for n in 0..answers {
                bank.came(f64::from(n) * 3_600.0 / f64::from(answers), false);
            }
            bank
        };
        let (mut small, mut large) = (of(500), of(20_000));
        assert!((small.account - ACCOUNT.0).abs() < 1e-9, "full");
        assert!(large.account < 20.0 * ACCOUNT.0, "{}", large.account);
        // Ten calls of debt are much to a small team and chance to a large one.
        let falls = |bank: &mut Bank| {
            bank.account = 0.0;
            let before = bank.threshold();
            bank.account = 10.0;
            bank.threshold() / before
        };
        assert!(falls(&mut small) < 0.8);
        assert!(falls(&mut large) > 0.98);
    }

    #[test]
    fn a_bad_hour_makes_careful_until_it_is_over() {
        let mut bank = Bank::new(0.03);
        for n in 0..40_u32 {
            bank.came(f64::from(n) * 60.0, false);
        }
        let before = bank.threshold();
        for _ in 0..4 {
            bank.came(2_400.0, true);
        }
        let bad = bank.threshold();
        // Two beyond what an hour may hold, and the debt.
        assert!(bad < before * 0.15 && bad > 0.0, "{before} {bad}");
        bank.pass(2_400.0 + 3_540.0);
        assert!((bank.threshold() - bad).abs() < 1e-12);
        bank.pass(2_400.0 + 3_600.0);
        assert!(bank.threshold() > before * 0.8);
        bank.pass(1e7);
        assert!(bank.hour.sum.answers.abs() < 1e-12);
    }
}
