//! The sample portfolio, through the importer that every portfolio goes through.

use super::seed::Seeder;
use crate::clock::RandomIds;
use api::importer::{ImportJob, run as import};
use domain::entity::{CreditorKind, Portfolio};
use domain::ids::{ClientId, ImportId};
use domain::law::{OpeningPlace, Place};

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

/// Loads the first `debtors` of the sample (all without a number).
///
/// # Errors
/// When the database fails, or a row of our own sample is refused.
pub(super) async fn load(
    seeder: &Seeder<'_>,
    client: ClientId,
    portfolio: &Portfolio,
    debtors: Option<u32>,
) -> anyhow::Result<()> {
    let rows = debtors.map_or(usize::MAX, |n| {
        usize::try_from(n).unwrap_or(usize::MAX).saturating_add(1)
    });
    let end = SAMPLE
        .match_indices('\n')
        .nth(rows.saturating_sub(1))
        .map_or(SAMPLE.len(), |(at, _)| at + 1);
    let job = ImportJob {
        import_id: ImportId(seeder.fresh()),
        client,
        portfolio: portfolio.clone(),
        map: None,
        dry_run: false,
        actor: "system".into(),
    };
    let mut first = None;
    let store: &dyn domain::ports::Store = &**seeder.store;
    let input = &SAMPLE.as_bytes()[..end];
    let report = import(
        store,
        &RandomIds,
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
