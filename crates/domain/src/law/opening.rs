//! The next working morning of a portfolio: where the demo's clock starts (contract.md §1).

use super::book::RuleBook;
use super::local::{Side, date_of, day_start};
use super::stack::{NoPack, Place};
use super::windows::{CampaignHours, Hours, parse_clock};
use super::zones::{Candidate, NamedZone};
use crate::ValueError;
use crate::entity::{CampaignSchedule, Channel};
use crate::time::UtcMs;

/// Most steps of the search; each is an edge of somebody's hours.
const STEPS_MAX: usize = 2_000;

/// A place with the zone in which its hours are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningPlace {
    /// Country, subdivision, kind of creditor.
    pub place: Place,
    /// Zone (IANA).
    pub zone: String,
}

impl RuleBook {
    /// The first instant strictly after `after` at which calls open in all `places` together: an
    /// opening, not just any open moment. `hours` are the campaign's own, `HH:MM` to `HH:MM` in each
    /// place's zone; `ring_ms` must fit before the close.
    ///
    /// # Errors
    /// When a zone or clock time cannot be read, a place has no pack, or no common opening is found
    /// within two months (holidays unknown, hours that never meet).
    pub fn next_opening(
        &self,
        places: &[OpeningPlace],
        hours: Option<(&str, &str)>,
        ring_ms: i64,
        after: UtcMs,
    ) -> Result<UtcMs, ValueError> {
        let bad = |reason: String| ValueError::malformed("opening", reason);
        if places.is_empty() {
            return Err(bad("expected at least one place".into()));
        }
        let every_day = CampaignSchedule::default();
        let campaign = match hours {
            None => None,
            Some((from, to)) => {
                parse_clock(from)
                    .zip(parse_clock(to))
                    .filter(|(a, b)| a < b)
                    .ok_or_else(|| bad("hours: expected HH:MM to a later HH:MM".into()))?;
                Some(CampaignHours {
                    plain: (from, to),
                    schedule: &every_day,
                })
            }
        };
        let zones: Vec<Candidate> = places
            .iter()
            .map(|p| {
                Ok(Candidate {
                    zone: NamedZone {
                        name: p.zone.as_str().into(),
                        tz: crate::time::zone(&p.zone)?,
                    },
                    evidence: "address",
                })
            })
            .collect::<Result<_, ValueError>>()?;
        let mut at = after.plus_ms(1);
        let mut fresh = false;
        for _ in 0..STEPS_MAX {
            match self.step(places, &zones, campaign.as_ref(), ring_ms, at, fresh)? {
                Step::Open => return Ok(at),
                Step::Moved { to, shut } => {
                    fresh |= shut;
                    at = to;
                }
            }
        }
        Err(bad("the hours of these places never meet".into()))
    }

    fn step(
        &self,
        places: &[OpeningPlace],
        zones: &[Candidate],
        campaign: Option<&CampaignHours<'_>>,
        ring_ms: i64,
        at: UtcMs,
        fresh: bool,
    ) -> Result<Step, ValueError> {
        let bad = |reason: String| ValueError::malformed("opening", reason);
        let mut closes: Option<UtcMs> = None;
        for (place, zone) in places.iter().zip(zones) {
            let date = date_of(at, &zone.zone.tz);
            let packs = match self.packs_at(&place.place, &[date]) {
                Ok(packs) => packs,
                Err(NoPack::NotInForce {
                    from: Some(from), ..
                }) => {
                    let to = day_start(from, &zone.zone.tz, Side::Later);
                    return Ok(Step::Moved { to, shut: true });
                }
                Err(none) => return Err(bad(none.into_finding().en)),
            };
            let own = Hours {
                zones: std::slice::from_ref(zone),
                packs: &packs,
                calendars: &self.calendars,
                subdivision: place.place.subdivision.as_deref(),
                channel: Channel::Call,
                campaign,
                ring_ms,
                wishes: &[],
            };
            let next = own.next_open(at).ok_or_else(|| {
                bad(format!(
                    "no open hours known for {} after {at}",
                    place.place.label()
                ))
            })?;
            if next > at {
                return Ok(Step::Moved {
                    to: next,
                    shut: true,
                });
            }
            closes = [closes, own.closes(at)].into_iter().flatten().min();
        }
        // Open everywhere: an opening only if it was shut somewhere on the way here.
        if fresh {
            return Ok(Step::Open);
        }
        let to = closes.ok_or_else(|| bad("hours without an end".into()))?;
        Ok(Step::Moved {
            to: to.max(at.plus_ms(1)),
            shut: true,
        })
    }

    /// [`RuleBook::next_opening`] of one place, by call windows alone.
    ///
    /// # Errors
    /// As there.
    pub fn next_working_morning(
        &self,
        zone: &str,
        place: Place,
        after: UtcMs,
    ) -> Result<UtcMs, ValueError> {
        let at = OpeningPlace {
            place,
            zone: zone.to_owned(),
        };
        self.next_opening(&[at], None, 0, after)
    }
}

enum Step {
    Open,
    Moved { to: UtcMs, shut: bool },
}
