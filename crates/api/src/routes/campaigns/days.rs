//! Days of a campaign: of the week and by date.

use super::params::{at, minutes};
use crate::check::range;
use crate::problem::Problem;
use domain::entity::{CampaignSchedule, DAYS_OFF_MAX, SCHEDULE_LINES_MAX};

/// What is wrong with them, if anything.
pub(super) fn fits(plan: &CampaignSchedule) -> Result<(), Problem> {
    let lines = plan.hours.len();
    range(&at("schedule.hours"), lines, 0, SCHEDULE_LINES_MAX)?;
    for (n, line) in plan.hours.iter().enumerate() {
        let name = |field: &str| format!("schedule.hours[{n}].{field}");
        if line.days.is_empty() {
            let reason = "expected at least one of mon … sun";
            return Err(Problem::invalid(&at(&name("days")), reason));
        }
        let from = minutes(&name("from"), &line.from)?;
        if minutes(&name("to"), &line.to)? <= from {
            let reason = "expected a time after from";
            return Err(Problem::invalid(&at(&name("to")), reason));
        }
    }
    if let (Some(from), Some(until)) = (plan.from, plan.until)
        && until < from
    {
        let reason = "expected a date not before from";
        return Err(Problem::invalid(&at("schedule.until"), reason));
    }
    let off = plan.days_off.len();
    range(&at("schedule.days_off"), off, 0, DAYS_OFF_MAX).map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn days_that_cannot_be_read_are_named() {
        for (value, path) in [
            (
                json!({"schedule": {"hours": [{"days": [], "from": "09:00", "to": "13:00"}]}}),
                "params.schedule.hours[0].days",
            ),
            (
                json!({"schedule": {"hours": [{"days": ["mon"], "from": "13:00", "to": "09:00"}]}}),
                "params.schedule.hours[0].to",
            ),
            (
                json!({"schedule": {"hours": [{"days": ["lun"], "from": "09:00", "to": "13:00"}]}}),
                "params.schedule.hours[0].days[0]",
            ),
            (
                json!({"schedule": {"from": "2026-12-02", "until": "2026-12-01"}}),
                "params.schedule.until",
            ),
            (
                json!({"schedule": {"days_off": ["8/12/2026"]}}),
                "params.schedule.days_off[0]",
            ),
        ] {
            let problem = super::super::params::merged(
                &domain::entity::CampaignParams::default(),
                value.as_object().cloned(),
            )
            .expect_err("refused");
            let told = format!("{problem:?}");
            assert!(
                told.contains(&format!("String(\"{path}")),
                "{value}: {told}"
            );
        }
    }
}
