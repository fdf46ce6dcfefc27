//! An unknown key names the nearest right one.

use figment::error::Kind;

/// Turns figment's error into one line: where it came from, which key, what is wrong.
pub(super) fn explain(errors: figment::Error) -> anyhow::Error {
    let lines: Vec<String> = errors.into_iter().map(|e| explain_one(&e)).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}

fn explain_one(error: &figment::Error) -> String {
    let place = error
        .metadata
        .as_ref()
        .map(|m| {
            let source = m
                .source
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            if source.is_empty() {
                m.name.to_string()
            } else {
                source
            }
        })
        .unwrap_or_else(|| "configuration".into());
    let path = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(found, expected) => {
            let nearest = expected.iter().max_by(|a, b| {
                strsim::jaro_winkler(found, a).total_cmp(&strsim::jaro_winkler(found, b))
            });
            let section = match path.rsplit_once('.') {
                Some((section, _)) => format!("in [{section}]"),
                None => "at the top level".to_owned(),
            };
            let hint = nearest
                .map(|n| format!("; did you mean '{n}'?"))
                .unwrap_or_default();
            format!("{place}: unknown key '{found}' {section}{hint}")
        }
        kind if path.is_empty() => format!("{place}: {kind}"),
        kind => format!("{place}: {path}: {kind}"),
    }
}
