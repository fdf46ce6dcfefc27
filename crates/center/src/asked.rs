//! Who asks the law, by which clock and under which rate: what the record of a decision says beside the facts
//! (law.md §7).

use crate::shared::Shared;
use dialer::WindowView;
use domain::entity::{AbandonSeen, DialMode};
use domain::law::Action;

/// Notes who asks, and the clock.
pub(crate) fn by(shared: &Shared, action: &mut Action, who: String) {
    action.circumstances.asked_by = Some(who);
    action.circumstances.clock = Some(shared.out.clock.seen());
}

/// A figure in thousandths.
#[expect(
    clippy::cast_possible_truncation,
    reason = "calls of days and percents: far below what an integer holds"
)]
fn thousandths(value: f64) -> i64 {
    (value * 1_000.0).round() as i64
}

/// The window nearest to its cap; `None` where no rule binds.
pub(crate) fn rate(windows: &[WindowView], formula: &str, mode: DialMode) -> Option<AbandonSeen> {
    let left = |w: &WindowView| w.cap_pct / 100.0 * w.denominator - w.numerator;
    let nearest = windows
        .iter()
        .filter(|w| w.binds)
        .min_by(|a, b| left(a).total_cmp(&left(b)))?;
    Some(AbandonSeen {
        formula: formula.to_owned(),
        numerator_m: thousandths(nearest.numerator),
        denominator_m: thousandths(nearest.denominator),
        cap_bp: thousandths(nearest.cap_pct) / 10,
        mode: mode.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialer::Window;

    #[test]
    fn the_window_nearest_to_its_cap_is_told() {
        let window = |numerator, denominator, binds| WindowView {
            window: Window::Day,
            numerator,
            denominator,
            cap_pct: 3.0,
            binds,
        };
        let windows = [
            window(0.0, 100.0, true),
            window(2.5, 100.0, true),
            window(9.0, 100.0, false),
        ];
        let told = rate(&windows, "tsr", DialMode::Predictive).expect("a rule binds");
        assert_eq!(
            (told.numerator_m, told.denominator_m, told.cap_bp),
            (2_500, 100_000, 300)
        );
        assert_eq!(
            (told.formula.as_str(), told.mode.as_str()),
            ("tsr", "predictive")
        );
        assert_eq!(rate(&windows[2..], "tsr", DialMode::Power), None);
    }
}
