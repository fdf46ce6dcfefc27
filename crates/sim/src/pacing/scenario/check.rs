//! What values of a scenario must be, each named by its field.

use super::{Dist, PerNumberPart, Scenario, Shock, ShockWhat};

/// Most agents of a scenario, those who join included.
const AGENTS_MAX: u32 = 5_000;
/// Longest scenario, s: a week.
const DURATION_MAX_S: f64 = 7.0 * 86_400.0;
/// Abandonment that no campaign aims at, percent.
const TARGET_MAX_PCT: f64 = 50.0;
/// Most numbers offered at once.
const WINDOW_MAX: usize = 4_096;

/// The field, and what is wrong with it.
type Wrong = (String, String);

fn bad<T>(field: impl Into<String>, why: impl Into<String>) -> Result<T, Wrong> {
    Err((field.into(), why.into()))
}

fn share(field: impl Into<String>, value: f64) -> Result<(), Wrong> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    bad(field, format!("{value}: must be from 0 to 1"))
}

fn from_nought(field: impl Into<String>, value: f64) -> Result<(), Wrong> {
    if value >= 0.0 {
        return Ok(());
    }
    bad(field, format!("{value}: must be from 0"))
}

fn above_nought(field: impl Into<String>, value: f64) -> Result<(), Wrong> {
    if value > 0.0 {
        return Ok(());
    }
    bad(field, format!("{value}: must be above 0"))
}

impl Scenario {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if !(self.duration_s > 0.0 && self.duration_s <= DURATION_MAX_S) {
            return bad("duration_s", "must be above 0 and at most a week");
        }
        if !(0.0..self.duration_s).contains(&self.warmup_s) {
            return bad("warmup_s", "must be from 0 to below duration_s");
        }
        if !(0.05..=60.0).contains(&self.epoch_s) {
            return bad("epoch_s", "must be from 0.05 to 60");
        }
        if self.limits.trunks == 0 {
            return bad("limits.trunks", "0: nothing can be dialed without a line");
        }
        above_nought("limits.cps", self.limits.cps)?;
        let customer = &self.customer;
        if !(customer.deadline_s > 0.0 && customer.deadline_s <= 60.0) {
            return bad("customer.deadline_s", "must be above 0 and at most 60");
        }
        from_nought("customer.message_s", customer.message_s)?;
        self.check_agents()?;
        self.check_dial()?;
        for (n, shock) in self.shocks.iter().enumerate() {
            check_shock(n, shock)?;
        }
        if let Some(part) = &self.per_number {
            check_numbers(part)?;
        }
        if let Some(pct) = self.abandon_target_pct
            && !(pct > 0.0 && pct < TARGET_MAX_PCT)
        {
            let why = format!("{pct}: must be above 0 and below {TARGET_MAX_PCT}");
            return bad("abandon_target_pct", why);
        }
        for (field, dist) in self.dists() {
            dist.check().map_err(|why| (field, why))?;
        }
        Ok(())
    }

    fn check_agents(&self) -> Result<(), Wrong> {
        let a = &self.agents;
        let joining = a.join.iter().map(|j| j.1).fold(0, u32::saturating_add);
        if a.n > AGENTS_MAX || a.n == 0 && joining == 0 {
            return bad("agents.n", format!("must be from 1 to {AGENTS_MAX}"));
        }
        if a.n.saturating_add(joining) > AGENTS_MAX {
            return bad(
                "agents.join",
                format!("more than {AGENTS_MAX} agents in all"),
            );
        }
        from_nought("agents.speed_cv", a.speed_cv)?;
        from_nought("agents.login_ramp_s", a.login_ramp_s)?;
        from_nought("agents.pauses_per_h", a.pauses_per_h)?;
        for (n, (start, part, length, stagger)) in a.breaks.iter().enumerate() {
            let field = format!("agents.breaks[{n}]");
            share(format!("{field}[1]"), *part)?;
            for (at, value) in [(0, start), (2, length), (3, stagger)] {
                from_nought(format!("{field}[{at}]"), *value)?;
            }
        }
        for (n, (at, part)) in a.leave.iter().enumerate() {
            from_nought(format!("agents.leave[{n}][0]"), *at)?;
            share(format!("agents.leave[{n}][1]"), *part)?;
        }
        for (n, (at, _)) in a.join.iter().enumerate() {
            from_nought(format!("agents.join[{n}][0]"), *at)?;
        }
        Ok(())
    }

    fn check_dial(&self) -> Result<(), Wrong> {
        let d = &self.dial;
        if !(5.0..=120.0).contains(&d.no_answer_timeout_s) {
            return bad("dial.no_answer_timeout_s", "must be from 5 to 120");
        }
        if d.p_live.is_empty() || !d.p_live.is_sorted_by(|x, y| x.0 <= y.0) {
            return bad("dial.p_live", "at least one point, in order of time");
        }
        for (_, part) in &d.p_live {
            share("dial.p_live", *part)?;
        }
        share("dial.p_machine", d.p_machine)?;
        share("dial.p_busy", d.p_busy)?;
        share("dial.p_sit", d.p_sit)?;
        share("amd.tpr", self.amd.tpr)?;
        share("amd.fpr", self.amd.fpr)?;
        let sum = d.p_machine + d.p_busy + d.p_sit;
        if sum > 1.0 + 1e-9 {
            let why = format!("p_machine, p_busy and p_sit are {sum} together: at most 1");
            return bad("dial.p_machine", why);
        }
        let weights: f64 = self.talk.iter().map(|t| t.w).sum();
        if self.talk.iter().any(|t| t.w < 0.0) || weights.is_nan() || weights <= 0.0 {
            return bad("talk", "at least one class with a weight above 0");
        }
        Ok(())
    }

    /// Every distribution with its field.
    fn dists(&self) -> Vec<(String, &Dist)> {
        let (d, amd) = (&self.dial, &self.amd);
        let mut all = vec![
            ("agents.pause".to_owned(), &self.agents.pause),
            ("dial.setup".to_owned(), &d.setup),
            ("dial.ring_live".to_owned(), &d.ring_live),
            ("dial.ring_machine".to_owned(), &d.ring_machine),
            ("dial.busy_delay".to_owned(), &d.busy_delay),
            ("amd.human_delay".to_owned(), &amd.human_delay),
            ("amd.machine_delay".to_owned(), &amd.machine_delay),
        ];
        for (n, part) in self.talk.iter().enumerate() {
            all.push((format!("talk[{n}].talk"), &part.talk));
            all.push((format!("talk[{n}].wrap"), &part.wrap));
        }
        if let Some(patience) = &self.customer.patience {
            all.push(("customer.patience".to_owned(), patience));
        }
        all
    }
}

fn check_shock(n: usize, shock: &Shock) -> Result<(), Wrong> {
    from_nought(format!("shocks[{n}].at_s"), shock.at_s)?;
    from_nought(format!("shocks[{n}].dur_s"), shock.dur_s)?;
    let field = format!("shocks[{n}].value");
    match shock.what {
        ShockWhat::PLiveSet | ShockWhat::TrunkFail => share(field, shock.value),
        ShockWhat::PLiveMult | ShockWhat::SetupAdd => from_nought(field, shock.value),
        ShockWhat::TalkMult | ShockWhat::RingMult => above_nought(field, shock.value),
    }
}

fn check_numbers(part: &PerNumberPart) -> Result<(), Wrong> {
    if part.parts.is_empty() {
        return bad("per_number.parts", "at least one is needed");
    }
    for (n, (weight, mean, concentration)) in part.parts.iter().enumerate() {
        let field = format!("per_number.parts[{n}]");
        if !(*mean > 0.0 && *mean < 1.0) {
            let why = format!("mean {mean}: must be above 0 and below 1");
            return bad(format!("{field}[1]"), why);
        }
        above_nought(format!("{field}[0]"), *weight)?;
        above_nought(format!("{field}[2]"), *concentration)?;
    }
    from_nought("per_number.sigma", part.sigma)?;
    from_nought("per_number.pass_s", part.pass_s)?;
    if part.window == 0 || part.window > WINDOW_MAX {
        let why = format!("{}: must be from 1 to {WINDOW_MAX}", part.window);
        return bad("per_number.window", why);
    }
    Ok(())
}
