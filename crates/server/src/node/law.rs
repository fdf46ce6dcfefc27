//! The rule book of a node: the packs compiled in, replaced by files of a folder where one is named.

use crate::config::Law;
use anyhow::Context as _;
use api::RulePackInfo;
use domain::law::{EMBEDDED_HOLIDAYS, EMBEDDED_PACKS, EMBEDDED_PREFIXES, RuleBook};
use domain::time::UtcMs;

/// Reads the packs that are in force by configuration.
///
/// # Errors
/// A folder or file that cannot be read, a pack with a fault (named by file and field), a holiday with one (by
/// file and line).
pub(crate) fn rule_book(law: &Law) -> anyhow::Result<RuleBook> {
    let mut book = own_packs(law)?;
    if !law.holidays.is_empty() {
        let named = || format!("[law] holidays {}", law.holidays);
        let text = std::fs::read_to_string(&law.holidays).with_context(named)?;
        book = book.with_holidays(&text).with_context(named)?;
    }
    book = book
        .with_classes(&law.number_class)
        .context("[law] number_class")?;
    match law.default.as_str() {
        "" => Ok(book),
        id => book.with_default(id).context("[law] default"),
    }
}

fn own_packs(law: &Law) -> anyhow::Result<RuleBook> {
    if law.packs.is_empty() {
        return Ok(RuleBook::embedded()?);
    }
    let folder = std::path::Path::new(&law.packs);
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("[law] packs {}", law.packs))?;
    let mut own: Vec<(String, String)> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text =
                std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            own.push((name, text));
        }
    }
    own.sort();
    let kept = EMBEDDED_PACKS
        .iter()
        .filter(|(name, _)| !own.iter().any(|(o, _)| o == name));
    let packs: Vec<(String, String)> = kept
        .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
        .chain(own.iter().cloned())
        .collect();
    Ok(RuleBook::load(
        &packs,
        EMBEDDED_HOLIDAYS,
        EMBEDDED_PREFIXES,
    )?)
}

/// The packs as the API shows them.
pub(crate) fn infos(book: &RuleBook, now: UtcMs) -> Vec<RulePackInfo> {
    book.packs(now)
        .into_iter()
        .map(|pack| RulePackInfo {
            id: pack.id,
            version: pack.version,
            country: pack
                .jurisdiction
                .first()
                .map_or_else(String::new, |j| j.chars().take(2).collect()),
            hash: pack.hash,
            valid_from: Some(pack.valid_from),
            valid_to: pack.valid_to,
            unjudged: pack.unjudged,
            name: pack.name,
            status: pack.status,
            jurisdiction: pack.jurisdiction,
            stacks_on: pack.stacks_on,
            review_by: pack.review_by,
            legal_signoff: pack.legal_signoff,
            signed: pack.signed,
            overdue: pack.overdue,
            in_force: pack.in_force,
            registered_list: pack.registered_list,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::law::Place;

    #[test]
    fn a_pack_of_last_resort_binds_where_there_is_none() {
        let law = |default: &str| Law {
            packs: String::new(),
            default: default.to_owned(),
            holidays: String::new(),
            callable_every_s: 0,
            number_class: String::new(),
        };
        let place = Place {
            country: "BO".into(),
            subdivision: None,
            creditor_kind: domain::entity::CreditorKind::Financial,
        };
        let now: UtcMs = "2026-11-28T12:00:00Z".parse().expect("instant");
        let morning = |law: &Law| {
            let book = rule_book(law).expect("book");
            book.next_working_morning("America/La_Paz", place.clone(), now)
                .map(|t| t.to_string())
        };
        assert!(
            morning(&law(""))
                .expect_err("none")
                .to_string()
                .contains("no rule pack for BO")
        );
        assert_eq!(
            morning(&law("pe")),
            Ok("2026-11-30T11:00:00.000Z".to_owned())
        );
        let error = format!("{:#}", rule_book(&law("bo")).expect_err("unknown"));
        assert!(
            error.contains("[law] default") && error.contains("pe"),
            "{error}"
        );
    }

    #[test]
    fn a_class_of_number_is_of_a_pack_that_is_there() {
        let law = |number_class: &str| Law {
            packs: String::new(),
            default: String::new(),
            holidays: String::new(),
            callable_every_s: 0,
            number_class: number_class.to_owned(),
        };
        assert!(rule_book(&law("es=fixed, gb=fixed")).is_ok());
        for (text, told) in [
            ("es", "PACK=CLASS"),
            ("xx=fixed", "xx"),
            ("es=golden", "golden"),
        ] {
            let error = format!("{:#}", rule_book(&law(text)).expect_err("a fault"));
            assert!(
                error.contains("[law] number_class") && error.contains(told),
                "{error}"
            );
        }
    }

    #[test]
    fn a_day_decreed_late_closes_the_law_without_a_new_build() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("feriados.csv");
        let law = |holidays: String| Law {
            packs: String::new(),
            default: String::new(),
            holidays,
            callable_every_s: 0,
            number_class: String::new(),
        };
        let place = Place {
            country: "PE".into(),
            subdivision: None,
            creditor_kind: domain::entity::CreditorKind::Financial,
        };
        // A Saturday: the next working morning in Peru is Monday's, as long as that is no holiday.
        let now: UtcMs = "2026-11-28T12:00:00Z".parse().expect("instant");
        let morning = |holidays: String| {
            let book = rule_book(&law(holidays)).expect("book");
            book.next_working_morning("America/Lima", place.clone(), now)
                .map(|t| t.to_string())
        };
        assert_eq!(
            morning(String::new()),
            Ok("2026-11-30T12:00:00.000Z".into())
        );
        let path = file.display().to_string();
        let head = "country,subdivision,date,name";
        std::fs::write(&file, format!("{head}\nPE,,2026-11-30,Puente\n")).expect("written");
        assert_eq!(morning(path.clone()), Ok("2026-12-01T12:00:00.000Z".into()));
        std::fs::write(&file, format!("{head}\nPE,,30-11-2026,Puente\n")).expect("written");
        let error = format!("{:#}", rule_book(&law(path)).expect_err("a fault"));
        assert!(
            error.contains("feriados.csv") && error.contains("line 2"),
            "{error}"
        );
        assert!(rule_book(&law("/no/such/file".into())).is_err());
    }

    #[test]
    fn files_of_a_folder_replace_the_built_in_ones_by_name() {
        let dir = tempfile::tempdir().expect("folder");
        let (name, text) = EMBEDDED_PACKS[0];
        let changed = text.replacen("\"version\": \"", "\"version\": \"own-", 1);
        std::fs::write(dir.path().join(name), changed).expect("written");
        let law = Law {
            packs: dir.path().display().to_string(),
            default: String::new(),
            holidays: String::new(),
            callable_every_s: 0,
            number_class: String::new(),
        };
        let book = rule_book(&law).expect("read");
        let packs = book.packs(UtcMs(0));
        assert_eq!(packs.len(), EMBEDDED_PACKS.len());
        assert_eq!(
            packs
                .iter()
                .filter(|p| p.version.starts_with("own-"))
                .count(),
            1
        );
        std::fs::write(dir.path().join("bad.json"), "{}").expect("written");
        assert!(format!("{:#}", rule_book(&law).expect_err("fault")).contains("bad.json"));
    }
}
