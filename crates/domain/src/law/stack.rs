//! Which packs bind a debtor: country, subdivision, kind of creditor and date choose them; several
//! stack and the strictest wins.

use super::finding::Finding;
use super::pack::{AppliesTo, LoadedPack, Pack};
use crate::entity::{CreditorKind, Debtor, Portfolio};
use jiff::civil::Date;

/// Where a debtor lives and what his creditor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166 alpha-2, capitals.
    pub country: String,
    /// Subdivision without the country (`SP`), capitals; `None` when not known.
    pub subdivision: Option<String>,
    /// Kind of creditor.
    pub creditor_kind: CreditorKind,
}

impl Place {
    /// The place of a debtor of a portfolio.
    #[must_use]
    pub fn of(debtor: &Debtor, portfolio: &Portfolio) -> Self {
        let country = debtor.country.trim().to_uppercase();
        let subdivision = debtor.subdivision.as_deref().map(|s| {
            let s = s.trim().to_uppercase();
            s.strip_prefix(&format!("{country}-"))
                .map_or(s.clone(), str::to_owned)
        });
        Self {
            country,
            subdivision: subdivision.filter(|s| !s.is_empty()),
            creditor_kind: portfolio.creditor_kind,
        }
    }

    /// A place where a financial creditor collects.
    #[cfg(test)]
    pub(super) fn financial(country: &str, subdivision: Option<&str>) -> Self {
        Self {
            country: country.to_owned(),
            subdivision: subdivision.map(str::to_owned),
            creditor_kind: CreditorKind::Financial,
        }
    }

    /// `US-MA`, `CO`.
    pub(crate) fn label(&self) -> String {
        self.subdivision
            .as_ref()
            .map_or_else(|| self.country.clone(), |s| format!("{}-{s}", self.country))
    }
}

/// Why no pack binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoPack {
    /// None for the place.
    Place(String),
    /// Only packs that are not in force on the date; `from` is the earliest that comes into force.
    NotInForce { id: String, from: Option<Date> },
    /// An overlay whose base is not in force.
    Base { overlay: String, base: String },
}

impl NoPack {
    pub(crate) fn into_finding(self) -> Finding {
        match self {
            Self::Place(place) => Finding::forbid(
                "house/no_pack",
                (
                    format!("no hay paquete de reglas para {place}"),
                    format!("there is no rule pack for {place}"),
                ),
            ),
            Self::NotInForce { id, from } => {
                let (since_es, since_en) = from.map_or((String::new(), String::new()), |d| {
                    (format!("; rige desde {d}"), format!("; in force from {d}"))
                });
                Finding::forbid(
                    "house/no_pack_in_force",
                    (
                        format!(
                            "el paquete de reglas {id} no está vigente en esta fecha{since_es}"
                        ),
                        format!("rule pack {id} is not in force on this date{since_en}"),
                    ),
                )
            }
            Self::Base { overlay, base } => Finding::forbid(
                "house/no_base_pack",
                (
                    format!("el paquete {overlay} necesita {base}, que no está vigente"),
                    format!("pack {overlay} needs {base}, which is not in force"),
                ),
            ),
        }
    }
}

fn binds(pack: &Pack, place: &Place) -> bool {
    let kind = match pack.applies_to {
        AppliesTo::Any
        | AppliesTo::ThirdPartyConsumer
        | AppliesTo::CreditorAndCollectorConsumer => true,
        AppliesTo::Financial => place.creditor_kind == CreditorKind::Financial,
        AppliesTo::Commercial => place.creditor_kind == CreditorKind::Commercial,
    };
    kind && pack.jurisdiction.iter().any(|j| {
        let (country, sub) = j
            .split_once('-')
            .map_or((j.as_str(), None), |(c, s)| (c, Some(s)));
        country == place.country
            && match (sub, place.subdivision.as_deref()) {
                (None, _) => true,
                (Some(a), Some(b)) => a == b,
                // Not known where in the country: every overlay may bind, so every overlay does.
                (Some(_), None) => pack.stacks_on.is_some(),
            }
    })
}

fn in_force(pack: &Pack, dates: &[Date]) -> bool {
    dates
        .iter()
        .all(|d| pack.valid_from <= *d && pack.valid_to.is_none_or(|to| *d <= to))
}

/// The newest version of a pack in force on every one of `dates`.
pub(crate) fn newest<'a>(
    all: &'a [LoadedPack],
    id: &str,
    dates: &[Date],
) -> Option<&'a LoadedPack> {
    all.iter()
        .filter(|p| p.pack.id == id && in_force(&p.pack, dates))
        .max_by(|a, b| {
            (a.pack.valid_from, &a.pack.version).cmp(&(b.pack.valid_from, &b.pack.version))
        })
}

/// The packs that bind at `place` on every one of `dates` (the local dates of the candidate zones),
/// bases before overlays. Of several versions of one pack the newest in force binds.
pub(crate) fn select<'a>(
    all: &'a [LoadedPack],
    place: &Place,
    dates: &[Date],
) -> Result<Vec<&'a LoadedPack>, NoPack> {
    let mine: Vec<&LoadedPack> = all.iter().filter(|p| binds(&p.pack, place)).collect();
    let mut chosen: Vec<&LoadedPack> = Vec::new();
    for loaded in mine.iter().filter(|p| in_force(&p.pack, dates)) {
        match chosen.iter_mut().find(|c| c.pack.id == loaded.pack.id) {
            Some(other) => {
                let key = |p: &LoadedPack| (p.pack.valid_from, p.pack.version.clone());
                if key(loaded) > key(other) {
                    *other = loaded;
                }
            }
            None => chosen.push(loaded),
        }
    }
    for loaded in &chosen {
        if let Some(base) = &loaded.pack.stacks_on
            && !chosen.iter().any(|c| &c.pack.id == base)
        {
            return Err(NoPack::Base {
                overlay: loaded.pack.id.clone(),
                base: base.clone(),
            });
        }
    }
    if chosen.is_empty() {
        let today = dates.iter().min();
        return Err(mine.first().map_or_else(
            || NoPack::Place(place.label()),
            |first| NoPack::NotInForce {
                id: first.pack.id.clone(),
                from: mine
                    .iter()
                    .map(|p| p.pack.valid_from)
                    .filter(|from| today.is_some_and(|d| from > d))
                    .min(),
            },
        ));
    }
    chosen.sort_by(|a, b| {
        (a.pack.stacks_on.is_some(), &a.pack.id).cmp(&(b.pack.stacks_on.is_some(), &b.pack.id))
    });
    Ok(chosen)
}
