//! The OpenAPI document and its page.

use crate::app::App;
use api::auth::route_table;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_route_is_told_with_its_roles() {
    let app = App::start().await;
    let document = app.get("/openapi.json").send().await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            told.insert(format!("{} {path}", method.to_uppercase()));
            let roles = operation["x-roles"].as_array().expect("x-roles");
            assert!(!roles.is_empty(), "{method} {path} is closed to all");
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no summary"
            );
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|r| r.len() > 1),
                "{method} {path}"
            );
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} twice");
        }
    }
    let listed: BTreeSet<String> = route_table()
        .iter()
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(told, listed, "the table and the routes are the same set");
}

#[test]
fn the_screens_are_checked_against_this_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/ui/openapi.json");
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("openapi.json")).expect("JSON");
    let made = serde_json::to_value(api::openapi()).expect("a document");
    assert!(
        kept == made,
        "crates/web/ui/openapi.json is old: cargo run -p api --example openapi > crates/web/ui/openapi.json, then npm run check there"
    );
}

#[test]
fn the_rows_of_segments_are_checked_against_the_language() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../web/ui/src/segments/language.json"
    );
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("language.json")).expect("JSON");
    let examples = kept["examples"].as_array().map_or(0, Vec::len);
    assert_eq!(examples, domain::segment::examples::EXAMPLES.len());
    assert!(
        kept == api::segment_language(),
        "crates/web/ui/src/segments/language.json is old: cargo run -p api --example segment_language > that file"
    );
}

#[tokio::test]
async fn every_reference_is_resolved() {
    let app = App::start().await;
    let document = app.get("/openapi.json").send().await;
    let (text, json) = (document.text(), document.json());
    let schemas = json["components"]["schemas"].as_object().expect("schemas");
    let mut count = 0;
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().expect("a name");
        assert!(schemas.contains_key(name), "{name}");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let app = App::start().await;
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
    ] {
        let reply = app.get(path).send().await;
        assert_eq!(reply.header("content-type"), kind);
        let text = reply.text();
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{path}"
        );
        assert!(
            !text.contains("innerHTML") && !text.contains("style=\""),
            "{path}"
        );
        assert!(
            reply
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
    }
}
