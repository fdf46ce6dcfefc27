//! Health, readiness and metrics.

use crate::floor::Floor;
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::Value;

async fn open(floor: &Floor, path: &str) -> (StatusCode, Value) {
    floor
        .call("GET", path, None, "text/plain", Body::empty())
        .await
}

/// Labels of a sample: name and value.
type Labels<'a> = Vec<(&'a str, &'a str)>;

/// Name, labels and value of a line of the text form; `None` when it is not well formed.
fn sample(line: &str) -> Option<(&str, Labels<'_>, f64)> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = head.split_once('{') else {
        return Some((head, Vec::new(), value));
    };
    let labels = labels.strip_suffix('}')?;
    let pairs: Option<Vec<_>> = labels
        .split("\",")
        .map(|pair| {
            let (name, value) = pair.split_once("=\"")?;
            Some((name, value.trim_end_matches('"')))
        })
        .collect();
    Some((name, pairs?, value))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alive_and_ready_with_reasons() {
    let floor = Floor::open().await;
    assert_eq!(open(&floor, "/healthz").await.0, StatusCode::OK);
    floor.store.set_down(true);
    let (status, reply) = open(&floor, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply["ready"], false);
    let parts: Vec<&str> = reply["reasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .filter_map(|r| r["part"].as_str())
        .collect();
    assert!(parts.contains(&"database"), "{reply}");
    assert_eq!(open(&floor, "/healthz").await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_parse_and_hold_no_personal_data() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 5).await;
    let (status, found) = floor.get(&marta, "/debtors?q=%2B525500000003").await;
    assert_eq!(status, StatusCode::OK, "{found}");
    let debtor = found["items"][0]["id"]
        .as_str()
        .expect("a debtor")
        .to_owned();
    floor.get(&marta, &format!("/debtors/{debtor}")).await;

    let (status, text) = open(&floor, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let text = text.as_str().expect("text").to_owned();
    let mut names = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (name, labels, _) = sample(line).expect(line);
        names.push(name.to_owned());
        for (label, value) in labels {
            assert!(!value.contains(&debtor), "{line}");
            assert!(!value.contains("525500"), "a number in {label}: {line}");
        }
    }
    for wanted in [
        "marcador_connected_total",
        "marcador_abandoned_total",
        "marcador_abandonment_ratio",
        "marcador_occupancy_ratio",
        "marcador_rtp_lost_total",
        "marcador_recordings_total",
        "marcador_db_seconds_bucket",
        "marcador_screen_pop_seconds_bucket",
        "marcador_bridge_seconds_bucket",
        "marcador_sip_setup_seconds_bucket",
        "marcador_http_requests_total",
    ] {
        assert!(
            names.iter().any(|n| n == wanted),
            "{wanted} is missing:\n{text}"
        );
    }
    // The center's own writes and the reads of the routes are timed alike.
    for op in ["register_node", "list_campaigns", "debtor_file", "ping"] {
        let label = format!(r#"marcador_db_seconds_count{{op="{op}"}}"#);
        assert!(text.contains(&label), "{label} is missing:\n{text}");
    }
    let refused = r#"marcador_blocked_total{reason="blocked_cap"}"#;
    assert!(text.contains(refused), "refusals are counted from nought");
    let route = r#"route="/api/v1/debtors/{id}""#;
    assert!(text.contains(route), "requests are counted by route");
    for part in ["Persona", "DOC0", "tarjeta"] {
        assert!(!text.contains(part), "{part}");
    }
}
