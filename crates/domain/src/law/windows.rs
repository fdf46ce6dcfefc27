//! Legal hours: half-open local windows, intersected over packs, candidate zones and the campaign's
//! own hours; and the next instant at which all of them are open.

use super::Action;
use super::calendar::{CalendarId, DayKind, Holidays};
use super::finding::{Effect, Finding, both};
use super::holiday_names::holiday_es;
use super::local::{DAY_MINUTES, Side, instant, plus_days};
use super::pack::{HolidayPolicy, LoadedPack, Pack};
use super::text;
use super::wishes::{self, Wish};
use super::zones::Candidate;
use crate::entity::{BlockReason, CampaignSchedule, Channel, ClosedDay};
use crate::time::{DAY_MS, UtcMs};
use jiff::civil::Date;

/// Days ahead that are searched for an open hour; longer than any run of holidays.
const SEARCH_DAYS: i64 = 62;
/// Most steps of that search (zones that never open together would never settle).
const SEARCH_STEPS: usize = 500;

/// `HH:MM` as minutes of the day; `24:00` is the day's end. `None` for anything else.
pub(crate) fn parse_clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

pub(crate) type Minutes = (u16, u16);

/// The hours of a campaign, checked to be readable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CampaignHours<'a> {
    /// Those of every day where the schedule has no lines.
    pub(crate) plain: (&'a str, &'a str),
    pub(crate) schedule: &'a CampaignSchedule,
}

impl CampaignHours<'_> {
    /// Its minutes on a date.
    fn on(&self, date: Date) -> Result<Vec<Minutes>, ClosedDay> {
        let spans = self.schedule.hours_of(date, self.plain)?;
        let read = spans
            .into_iter()
            .filter_map(|(from, to)| Some((parse_clock(from)?, parse_clock(to)?)));
        Ok(merged(read.collect()))
    }
}

/// The campaign's hours, read; `None` where the action is no campaign's.
pub(crate) fn campaign_hours(action: &Action) -> Result<Option<CampaignHours<'_>>, Box<Finding>> {
    let Some((from, to)) = &action.campaign_window else {
        return Ok(None);
    };
    let schedule = &action.circumstances.schedule;
    let lines = schedule.hours.iter().map(|l| (&l.from, &l.to));
    let reads = lines.chain([(from, to)]).all(|(from, to)| {
        matches!((parse_clock(from), parse_clock(to)), (Some(from), Some(to)) if from < to)
    });
    if reads {
        return Ok(Some(CampaignHours {
            plain: (from, to),
            schedule,
        }));
    }
    Err(Box::new(Finding::new(
        BlockReason::Rule,
        Effect::Forbid,
        "campaign/window",
        (
            "el horario de la campaña no se entiende: se espera HH:MM a HH:MM más tarde".into(),
            "the campaign's hours cannot be read: expected HH:MM to a later HH:MM".into(),
        ),
    )))
}

/// Everything that decides the hours of one action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hours<'a> {
    pub(crate) zones: &'a [Candidate],
    pub(crate) packs: &'a [&'a LoadedPack],
    pub(crate) calendars: &'a Holidays,
    pub(crate) subdivision: Option<&'a str>,
    pub(crate) channel: Channel,
    pub(crate) campaign: Option<&'a CampaignHours<'a>>,
    pub(crate) ring_ms: i64,
    /// Hours that the debtor asked for.
    pub(crate) wishes: &'a [Wish],
}

/// Hours of one pack on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PackDay {
    /// The pack says nothing of the channel: another decides, or the channel has no hours.
    Unnamed,
    /// Open in these minutes.
    Open(Vec<Minutes>),
    /// A holiday.
    Holiday(String),
    /// The holiday table does not know the place or year.
    NoTable(String),
    /// The pack never opens this channel.
    Never,
}

/// Whether a list of channels speaks of `channel`: push messages follow SMS (law.md §1).
pub(crate) fn names(channels: &[Channel], channel: Channel) -> bool {
    channels.contains(&channel) || (channel == Channel::Push && channels.contains(&Channel::Sms))
}

/// Sorted and merged where one ends as the next begins.
pub(crate) fn merged(mut spans: Vec<Minutes>) -> Vec<Minutes> {
    spans.sort_unstable();
    let mut out: Vec<Minutes> = Vec::new();
    for (from, to) in spans {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

fn intersect(a: &[Minutes], b: &[Minutes]) -> Vec<Minutes> {
    a.iter()
        .flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))))
        .filter(|(from, to)| from < to)
        .collect()
}

impl Hours<'_> {
    fn pack_day(&self, pack: &Pack, date: Date) -> PackDay {
        let named: Vec<_> = pack
            .windows
            .iter()
            .filter(|w| names(&w.channels, self.channel))
            .collect();
        if named.is_empty() {
            let has_hours = self.channel != Channel::Letter;
            return if has_hours && pack.stacks_on.is_none() {
                PackDay::Never
            } else {
                PackDay::Unnamed
            };
        }
        if pack.holidays.policy == HolidayPolicy::Block {
            let id = CalendarId::parse(&pack.holidays.calendar);
            match self.calendars.day(&id, self.subdivision, date) {
                DayKind::Working => {}
                DayKind::Holiday(name) => return PackDay::Holiday(name),
                DayKind::Unknown(place) => return PackDay::NoTable(place),
            }
        }
        let mut spans: Vec<Minutes> = named
            .iter()
            .filter(|w| w.enabled && w.days.iter().any(|d| d.weekday() == date.weekday()))
            .filter_map(|w| Some((parse_clock(&w.from)?, parse_clock(&w.to)?)))
            .collect();
        if pack.wider_hours.is_some() {
            spans.extend(wishes::wider(self.wishes, date));
        }
        PackDay::Open(merged(spans))
    }

    /// Open minutes of a date, all packs and the campaign together; `None` when they are not known.
    fn day(&self, date: Date) -> Option<Vec<Minutes>> {
        let mut open = match self.campaign.map(|c| c.on(date)) {
            None => vec![(0, DAY_MINUTES)],
            Some(Ok(spans)) => spans,
            Some(Err(_)) => return Some(Vec::new()),
        };
        for loaded in self.packs {
            match self.pack_day(&loaded.pack, date) {
                PackDay::Unnamed => {}
                PackDay::Open(spans) => open = intersect(&open, &spans),
                PackDay::Holiday(_) => return Some(Vec::new()),
                PackDay::NoTable(_) | PackDay::Never => return None,
            }
        }
        if let Some(wished) = wishes::open(self.wishes, date) {
            open = intersect(&open, &wished);
        }
        Some(merged(open))
    }

    fn ring(&self) -> i64 {
        if self.channel == Channel::Call {
            self.ring_ms.max(0)
        } else {
            0
        }
    }

    /// Open instants of a zone's date, `[from, to)`.
    fn spans(&self, zone: &Candidate, date: Date) -> Option<Vec<(UtcMs, UtcMs)>> {
        let tz = &zone.zone.tz;
        self.day(date)?
            .into_iter()
            .map(|(from, to)| {
                Some((
                    instant(date, from, tz, Side::Later)?,
                    instant(date, to, tz, Side::Earlier)?,
                ))
            })
            .collect()
    }

    fn fits(&self, span: (UtcMs, UtcMs), at: UtcMs) -> bool {
        span.0 <= at && at < span.1 && at.plus_ms(self.ring()) <= span.1
    }

    fn next_in_zone(&self, zone: &Candidate, from: UtcMs) -> Option<UtcMs> {
        let today = from.in_zone(&zone.zone.tz).date();
        for day in 0..=SEARCH_DAYS {
            for span in self.spans(zone, plus_days(today, day))? {
                let at = span.0.max(from);
                if self.fits(span, at) {
                    return Some(at);
                }
            }
        }
        None
    }

    /// The first instant at or after `from` that is open in every zone; `None` when none is found
    /// within [`SEARCH_DAYS`] or the holiday table ends before.
    pub(crate) fn next_open(&self, from: UtcMs) -> Option<UtcMs> {
        let end = from.plus_ms(SEARCH_DAYS * DAY_MS);
        let mut at = from;
        for _ in 0..SEARCH_STEPS {
            let mut latest = at;
            for zone in self.zones {
                latest = latest.max(self.next_in_zone(zone, at)?);
            }
            if latest == at {
                return Some(at);
            }
            if latest > end {
                return None;
            }
            at = latest;
        }
        None
    }

    /// When the hours that are open at `at` close in the first zone.
    pub(crate) fn closes(&self, at: UtcMs) -> Option<UtcMs> {
        self.zones
            .iter()
            .filter_map(|zone| {
                let date = at.in_zone(&zone.zone.tz).date();
                self.spans(zone, date)?
                    .into_iter()
                    .find(|s| s.0 <= at && at < s.1)
                    .map(|s| s.1)
            })
            .min()
    }

    /// Why the action may not start at `now`; empty when every zone is open.
    pub(crate) fn closed(&self, now: UtcMs) -> Vec<Finding> {
        let mut found = Vec::new();
        for zone in self.zones {
            let date = now.in_zone(&zone.zone.tz).date();
            let open = self
                .spans(zone, date)
                .is_some_and(|spans| spans.into_iter().any(|s| self.fits(s, now)));
            if !open {
                found.extend(self.explain(zone, date, now));
            }
        }
        found.sort_by_key(Finding::rank);
        found.dedup_by(|a, b| a.rule == b.rule && a.es == b.es);
        found
    }

    fn explain(&self, zone: &Candidate, date: Date, now: UtcMs) -> Vec<Finding> {
        let mut found: Vec<Finding> = self
            .packs
            .iter()
            .filter_map(|loaded| self.explain_pack(&loaded.pack, zone, date, now))
            .collect();
        found.extend(self.explain_campaign(zone, date, now));
        if let Some(wished) = wishes::open(self.wishes, date)
            && !self.inside(&wished, zone, date, now)
        {
            found.push(closed_hours(
                &wishes::rule(self.packs),
                "pedido del deudor",
                &wished,
                zone,
                now,
                self.ring(),
            ));
        }
        if found.is_empty() {
            // Each part is open by itself but no span holds the whole ringing.
            found.push(closed_hours(
                "house/ring_time",
                "regla de la casa",
                &self.day(date).unwrap_or_default(),
                zone,
                now,
                self.ring(),
            ));
        }
        found
    }

    fn explain_campaign(&self, zone: &Candidate, date: Date, now: UtcMs) -> Option<Finding> {
        let (es, en) = match self.campaign?.on(date) {
            Ok(spans) if self.inside(&spans, zone, date, now) => return None,
            Ok(spans) => {
                let rule = "campaign/window";
                let ring = self.ring();
                return Some(closed_hours(rule, "campaña", &spans, zone, now, ring));
            }
            Err(ClosedDay::NotYet(from)) => (
                format!("campaña: empieza el {from}"),
                format!("campaign: begins on {from}"),
            ),
            Err(ClosedDay::Over(until)) => (
                format!("campaña: terminó el {until}"),
                format!("campaign: ended on {until}"),
            ),
            Err(ClosedDay::Off) => (
                "campaña: hoy es uno de sus días libres".to_owned(),
                "campaign: today is one of its days off".to_owned(),
            ),
            Err(ClosedDay::Weekday) => {
                let (es, en) = text::weekday(date.weekday());
                (
                    format!("campaña: no trabaja los {es}"),
                    format!("campaign: does not work on {en}"),
                )
            }
        };
        let (reason, effect) = (BlockReason::Window, Effect::Closed);
        Some(Finding::new(reason, effect, "campaign/schedule", (es, en)))
    }

    fn inside(&self, spans: &[Minutes], zone: &Candidate, date: Date, now: UtcMs) -> bool {
        spans.iter().any(|(from, to)| {
            let from = instant(date, *from, &zone.zone.tz, Side::Later);
            let to = instant(date, *to, &zone.zone.tz, Side::Earlier);
            matches!((from, to), (Some(from), Some(to)) if self.fits((from, to), now))
        })
    }

    fn explain_pack(
        &self,
        pack: &Pack,
        zone: &Candidate,
        date: Date,
        now: UtcMs,
    ) -> Option<Finding> {
        let label = &pack.name;
        match self.pack_day(pack, date) {
            PackDay::Unnamed => None,
            PackDay::Never => {
                let (es, en) = text::by_channel(self.channel);
                Some(Finding::forbid(
                    format!("{}/windows", pack.id),
                    (
                        format!("{label}: no hay horario permitido {es}"),
                        format!("{label}: no hours allow contact {en}"),
                    ),
                ))
            }
            PackDay::NoTable(place) => Some(Finding::forbid(
                format!("{}/holidays", pack.id),
                (
                    format!("{label}: falta la tabla de días festivos de {place}"),
                    format!("{label}: no holiday table for {place}"),
                ),
            )),
            PackDay::Holiday(name) => Some(Finding::new(
                BlockReason::Window,
                Effect::Closed,
                format!("{}/holidays", pack.id),
                (
                    format!("{label}: hoy es festivo ({})", holiday_es(&name)),
                    format!("{label}: today is a holiday ({name})"),
                ),
            )),
            PackDay::Open(spans) if self.inside(&spans, zone, date, now) => None,
            PackDay::Open(spans) if spans.is_empty() => {
                let (es, en) = text::weekday(date.weekday());
                Some(Finding::new(
                    BlockReason::Window,
                    Effect::Closed,
                    format!("{}/windows", pack.id),
                    (
                        format!("{label}: no se puede los {es} ({})", zone.zone.name),
                        format!("{label}: not on {en} ({})", zone.zone.name),
                    ),
                ))
            }
            PackDay::Open(spans) => Some(closed_hours(
                &format!("{}/windows", pack.id),
                label,
                &spans,
                zone,
                now,
                self.ring(),
            )),
        }
    }

    /// The line of the record that says the hours were tested and open.
    pub(crate) fn open_line(&self, now: UtcMs) -> (String, String) {
        let times: Vec<String> = self
            .zones
            .iter()
            .map(|z| format!("{} {}", text::clock(now, &z.zone.tz), z.zone.name))
            .collect();
        both(
            &format!("dentro del horario: {}", times.join(", ")),
            &format!("within hours: {}", times.join(", ")),
        )
    }
}

fn closed_hours(
    rule: &str,
    label: &str,
    spans: &[Minutes],
    zone: &Candidate,
    now: UtcMs,
    ring_ms: i64,
) -> Finding {
    let list: Vec<String> = spans
        .iter()
        .map(|(from, to)| {
            format!(
                "{:02}:{:02}–{:02}:{:02}",
                from / 60,
                from % 60,
                to / 60,
                to % 60
            )
        })
        .collect();
    let (hours, at, place) = (
        list.join(", "),
        text::clock(now, &zone.zone.tz),
        &zone.zone.name,
    );
    let ring_s = ring_ms / 1000;
    let (ring_es, ring_en) = if ring_s > 0 {
        (
            format!(", sin que el timbre ({ring_s} s) pase del fin"),
            format!(", ringing ({ring_s} s) included"),
        )
    } else {
        (String::new(), String::new())
    };
    Finding::new(
        BlockReason::Window,
        Effect::Closed,
        rule,
        (
            format!(
                "{label}: fuera de horario; en {place} son las {at} y se puede de {hours}{ring_es}"
            ),
            format!(
                "{label}: outside hours; it is {at} in {place} and {hours} is allowed{ring_en}"
            ),
        ),
    )
}
