//! The sample portfolio, through the importer that every portfolio goes through.

use super::seed::Seeder;
use crate::clock::RandomIds;
use api::importer::{ImportJob, run as import};
use domain::entity::{CreditorKind, InterestRule, Portfolio};
use domain::ids::{ClientId, ImportId, InterestRuleId};
use domain::law::{OpeningPlace, Place};
use domain::rules::ageing::{date_of_day, day_of};
use std::borrow::Cow;

/// Made by `marcador sample-portfolio`; see config/portfolio/README.md.
const SAMPLE: &str = include_str!("../../../../config/portfolio/sample.csv");

/// Where the sample's debtors live: country, subdivision, zone.
const PLACES: [(&str, &str, &str); 5] = [
    ("MX", "CMX", "America/Mexico_City"),
    ("CO", "DC", "America/Bogota"),
    ("PE", "LIM", "America/Lima"),
    ("CL", "RM", "America/Santiago"),
    ("ES", "MD", "Europe/Madrid"),
];

/// The places whose hours the demo's morning must suit.
pub(super) fn places() -> Vec<OpeningPlace> {
    let place = |(country, subdivision, zone): &(&str, &str, &str)| OpeningPlace {
        place: Place {
            country: (*country).to_owned(),
            subdivision: Some((*subdivision).to_owned()),
            creditor_kind: CreditorKind::Financial,
        },
        zone: (*zone).to_owned(),
    };
    PLACES.iter().map(place).collect()
}

/// Of the sample's debtors every so many is of the portfolio that accrues interest by its own rule.
const BY_RULE_EVERY: usize = 6;
/// Where they live: one law, one currency.
const BY_RULE_COUNTRY: &str = "MX";
/// Its rule: 24 % a year of 360 days, simple, on the principal, behind three days of grace, at most 30 % of it.
const RATE_BP: i32 = 2_400;
const YEAR_DAYS: i32 = 360;
const GRACE_DAYS: i32 = 3;
const CAP_BP: i32 = 3_000;
/// Of a portfolio's debts every so many has its principal in items that fall due month by month.
const ITEMS_EVERY: usize = 3;
/// So many, the first on the debt's own due date.
const ITEMS: i64 = 3;
const ITEM_DAYS: i64 = 30;
/// The rule holds since so many days: before the oldest of the sample's debts fell due.
const RULE_DAYS: i64 = 400;

/// Whose figure the interest of a portfolio is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// The creditor's, in his file.
    Creditors,
    /// The portfolio's own rule's: its file brings none.
    ByRule,
}

/// How much of the sample a demo loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Rows of it; all without a number.
    rows: Option<u32>,
    /// How often: a long shift of many agents dials more people than the sample has.
    copies: u32,
}

/// Calls that an agent makes in ten seconds at the demo's pace, at most.
const DIALS_IN_10_S: u64 = 4;
/// Debtors of the sample who may be dialed at once: some have no number or are not late.
const DIALABLE: u64 = 1_800;
/// Most copies of the sample.
const COPIES_MAX: u64 = 24;
/// Distance of a copy's telephone numbers from the sample's: those end in fewer than this.
const NUMBERS_APART: u64 = 20_000;
/// Last digits of a number that a copy changes: all of them belong to nobody (config/portfolio/README.md).
const NUMBER_DIGITS: usize = 6;

impl Size {
    /// What a demo needs: nobody may be left to call before its end.
    pub(super) fn of(args: &crate::cli::DemoArgs) -> Self {
        let dials = args.seconds.unwrap_or(0) * u64::from(args.agents) * DIALS_IN_10_S / 10;
        let copies = dials.div_ceil(DIALABLE).clamp(1, COPIES_MAX);
        Self {
            rows: args.debtors,
            copies: match args.debtors {
                Some(_) => 1,
                None => u32::try_from(copies).unwrap_or(1),
            },
        }
    }
}

/// The sample as often as asked, each copy with people and telephone numbers of its own.
fn text(size: Size) -> Cow<'static, str> {
    let rows = size.rows.map_or(usize::MAX, |n| {
        usize::try_from(n).unwrap_or(usize::MAX).saturating_add(1)
    });
    let end = SAMPLE
        .match_indices('\n')
        .nth(rows.saturating_sub(1))
        .map_or(SAMPLE.len(), |(at, _)| at + 1);
    let sample = &SAMPLE[..end];
    if size.copies <= 1 {
        return Cow::Borrowed(sample);
    }
    let mut lines = sample.lines();
    let head: Vec<&str> = lines
        .next()
        .map(|h| h.split(',').collect())
        .unwrap_or_default();
    let mut whole = sample.to_owned();
    for copy in 1..u64::from(size.copies) {
        for line in lines.clone() {
            let cells: Vec<String> = line
                .split(',')
                .enumerate()
                .map(|(n, cell)| match head.get(n) {
                    Some(&("external_ref" | "debt_ref" | "document")) => format!("{cell}-{copy}"),
                    Some(&("phone_mobile" | "phone_home")) => moved(cell, copy),
                    _ => cell.to_owned(),
                })
                .collect();
            whole.push_str(&cells.join(","));
            whole.push('\n');
        }
    }
    Cow::Owned(whole)
}

/// The rows of a portfolio: those whose interest is the rule's have no such column.
fn part(whole: &str, of: Interest) -> String {
    let mut lines = whole.lines();
    let head: Vec<&str> = lines
        .next()
        .map(|h| h.split(',').collect())
        .unwrap_or_default();
    let column = |name: &str| head.iter().position(|c| *c == name);
    let (interest, country) = (column("interest"), column("country"));
    let kept = |cells: &[&str]| -> String {
        let left_out = interest.filter(|_| of == Interest::ByRule);
        let cells = cells.iter().enumerate();
        let cells: Vec<&str> = cells
            .filter(|(n, _)| Some(*n) != left_out)
            .map(|(_, cell)| *cell)
            .collect();
        cells.join(",") + "\n"
    };
    let mut text = kept(&head);
    for (n, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let there = country.and_then(|c| cells.get(c)) == Some(&BY_RULE_COUNTRY);
        let ours = if there && n % BY_RULE_EVERY == BY_RULE_EVERY - 1 {
            Interest::ByRule
        } else {
            Interest::Creditors
        };
        if ours == of {
            text.push_str(&kept(&cells));
        }
    }
    text
}

/// The items of a principal, as files write them, that is due since so many days.
fn items_of(principal: &str, days: i64, today: i64) -> Option<String> {
    let (whole, rest) = principal.split_once('.').unwrap_or((principal, ""));
    let minor: i64 = format!("{whole}{rest}").parse().ok()?;
    let unit = 10_i64.pow(u32::try_from(rest.len()).ok()?);
    let written = |minor: i64| match rest.len() {
        0 => minor.to_string(),
        width => format!("{}.{:0width$}", minor / unit, minor % unit),
    };
    let each = minor / ITEMS;
    let item = |n: i64| {
        let last = n == ITEMS - 1;
        let of = if last { minor - each * n } else { each };
        let day = date_of_day(today - days + n * ITEM_DAYS)?;
        Some(format!("F-{}|{day}|{}", n + 1, written(of)))
    };
    let items: Option<Vec<String>> = (0..ITEMS).map(item).collect();
    items.filter(|_| each > 0).map(|items| items.join(";"))
}

/// A part of the portfolio with items: a column more, empty where a debt has one due date.
fn with_items(text: &str, today: i64) -> String {
    let mut lines = text.lines();
    let head: Vec<&str> = lines
        .next()
        .map(|h| h.split(',').collect())
        .unwrap_or_default();
    let column = |name: &str| head.iter().position(|c| *c == name);
    let (principal, days) = (column("principal"), column("days_past_due"));
    let mut whole = format!("{},items\n", head.join(","));
    for (n, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).copied();
        let listed = || {
            let days = cell(days)?.parse().ok()?;
            items_of(cell(principal)?, days, today)
        };
        let items = if n % ITEMS_EVERY == 0 { listed() } else { None };
        whole.push_str(&format!("{line},{}\n", items.unwrap_or_default()));
    }
    whole
}

/// A telephone number of the sample as a copy has it.
fn moved(number: &str, copy: u64) -> String {
    let Some(at) = number.len().checked_sub(NUMBER_DIGITS) else {
        return number.to_owned();
    };
    match number.get(at..).and_then(|tail| tail.parse::<u64>().ok()) {
        Some(tail) => format!("{}{:06}", &number[..at], tail + copy * NUMBERS_APART),
        None => number.to_owned(),
    }
}

/// The rule of a portfolio whose file brings no interest.
async fn rule(seeder: &Seeder<'_>, portfolio: &Portfolio) -> anyhow::Result<()> {
    let (zone, now) = (domain::time::zone(&portfolio.zone)?, seeder.clock.now());
    let rule = InterestRule {
        id: InterestRuleId(seeder.fresh()),
        client_id: portfolio.client_id,
        portfolio_id: portfolio.id,
        from_day: day_of(now.in_zone(&zone).date()) - RULE_DAYS,
        rate_bp: RATE_BP,
        year_days: YEAR_DAYS,
        grace_days: GRACE_DAYS,
        cap_bp: Some(CAP_BP),
        made_by: None,
        made_at: now,
    };
    let taken = seeder.store.add_interest_rule(&rule, &[]).await?;
    taken.map_err(Into::into)
}

/// Loads the part of the sample that is of a portfolio.
///
/// # Errors
/// When the database fails, or a row of our own sample is refused.
pub(super) async fn load(
    seeder: &Seeder<'_>,
    client: ClientId,
    (portfolio, of): (&Portfolio, Interest),
    size: Size,
) -> anyhow::Result<()> {
    if of == Interest::ByRule {
        rule(seeder, portfolio).await?;
    }
    let job = ImportJob {
        import_id: ImportId(seeder.fresh()),
        client,
        portfolio: portfolio.clone(),
        kind: domain::entity::ImportKind::Portfolio,
        map: None,
        dry_run: false,
        actor: "system".into(),
        gone: None,
        resume_after: 0,
    };
    let mut first = None;
    let store: &dyn domain::ports::Store = &**seeder.store;
    let text = part(&text(size), of);
    if text.lines().nth(1).is_none() {
        // So few debtors that this portfolio has none.
        return Ok(());
    }
    let zone = domain::time::zone(&portfolio.zone)?;
    let today = day_of(seeder.clock.now().in_zone(&zone).date());
    let text = super::homes::with_homes(&with_items(&text, today));
    let input = text.as_bytes();
    let report = import(
        store,
        std::sync::Arc::new(RandomIds),
        seeder.clock,
        job,
        input,
        |f| {
            first.get_or_insert_with(|| {
                format!("row {}, column '{}': {}", f.row, f.column, f.reason)
            });
        },
        |_| {},
    )
    .await?;
    match first {
        Some(fault) => anyhow::bail!(
            "the sample portfolio: {} rows refused, first {fault}",
            report.refused
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::law::RuleBook;
    use std::collections::BTreeSet;

    #[test]
    fn copies_have_people_and_numbers_of_their_own() {
        let size = Size {
            rows: None,
            copies: 3,
        };
        let whole = text(size);
        let (mut people, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        let mut rows = 0;
        for line in whole.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            rows += 1;
            assert!(people.insert(cells[3].to_owned()), "{line}");
            for number in [cells[14], cells[15]].into_iter().filter(|n| !n.is_empty()) {
                assert!(numbers.insert(number.to_owned()), "{number}");
                assert!(domain::phone::Phone::from_e164(number).is_ok(), "{number}");
            }
        }
        assert_eq!(rows, 3 * (SAMPLE.lines().count() - 1));
    }

    #[test]
    fn a_debtor_is_in_one_portfolio_and_the_rule_s_file_brings_no_interest() {
        let head = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let parts = [Interest::Creditors, Interest::ByRule].map(|of| part(SAMPLE, of));
        assert_eq!(head(&parts[0]), head(SAMPLE));
        assert_eq!(head(&parts[1]), head(SAMPLE).replace("interest,", ""));
        let people = |text: &str| -> BTreeSet<String> {
            let rows = text.lines().skip(1);
            rows.map(|l| l.split(',').next().unwrap_or_default().to_owned())
                .collect()
        };
        let (given, by_rule) = (people(&parts[0]), people(&parts[1]));
        assert!(given.is_disjoint(&by_rule));
        assert_eq!(given.len() + by_rule.len(), SAMPLE.lines().count() - 1);
        assert!(by_rule.len() > 100, "{}", by_rule.len());
        let there = parts[1]
            .lines()
            .skip(1)
            .all(|l| l.split(',').nth(4) == Some(BY_RULE_COUNTRY));
        assert!(there);
    }

    #[test]
    fn every_third_debt_has_items_that_are_its_principal() {
        let text = with_items(SAMPLE, 20_000);
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
        assert_eq!(rows[0].last(), Some(&"items"));
        let listed = rows.iter().skip(1).step_by(ITEMS_EVERY);
        let count = listed.filter(|row| !row[row.len() - 1].is_empty()).count();
        assert!(count > 500, "{count}");
        // 36 days past due on 2024-10-04, in Chilean pesos, which have no parts.
        assert_eq!(
            rows[1].last(),
            Some(&"F-1|2024-08-29|470331;F-2|2024-09-28|470331;F-3|2024-10-28|470333")
        );
        assert_eq!(rows[2].last(), Some(&""));
        let cents = items_of("10.01", -5, 20_000).expect("items");
        assert_eq!(
            cents,
            "F-1|2024-10-09|3.33;F-2|2024-11-08|3.33;F-3|2024-12-08|3.35"
        );
    }

    #[test]
    fn every_debtor_of_the_sample_lives_in_a_known_place_and_all_open_together() {
        let column = |name: &str| {
            SAMPLE
                .lines()
                .next()
                .and_then(|h| h.split(',').position(|c| c == name))
                .expect("column")
        };
        let (country, subdivision) = (column("country"), column("subdivision"));
        let seen: BTreeSet<(&str, &str)> = SAMPLE
            .lines()
            .skip(1)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (cells[country], cells[subdivision])
            })
            .collect();
        let known: BTreeSet<(&str, &str)> = PLACES.iter().map(|(c, s, _)| (*c, *s)).collect();
        assert_eq!(seen, known);
        let book = RuleBook::embedded().expect("packs");
        // A Sunday night in Mexico City.
        let now = "2026-11-30T05:30:00Z".parse().expect("instant");
        let opening = book
            .next_opening(&places(), Some(("09:00", "20:00")), 25_000, now)
            .expect("opens");
        assert_eq!(opening.to_string(), "2026-11-30T15:00:00.000Z");
    }
}
