use crate::{Screens, service};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// False in a build with `MARCADOR_UI=off`, where every page answers 503.
fn built() -> bool {
    Screens::get("index.html").is_some()
}

async fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).expect("a valid request");
    service()
        .oneshot(request)
        .await
        .expect("the service never fails")
}

async fn text(response: Response<Body>) -> String {
    let bytes = response
        .into_body()
        .collect()
        .await
        .expect("a whole body")
        .to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn asset(ending: &str) -> Option<String> {
    Screens::iter()
        .find(|p| p.starts_with("assets/") && p.ends_with(ending))
        .map(|p| format!("/{p}"))
}

#[tokio::test]
async fn pages_are_the_index() {
    for path in ["/", "/agente", "/campanas/segmentos?x=1"] {
        let response = get(path, &[]).await;
        if !built() {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            continue;
        }
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(
            response.headers()[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff"
        );
        assert!(
            response
                .headers()
                .contains_key(header::CONTENT_SECURITY_POLICY)
        );
        assert!(
            text(response).await.contains("<title>Marcador</title>"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_unchanged_index_is_not_sent_again() {
    if !built() {
        return;
    }
    let first = get("/", &[]).await;
    let tag = first.headers()[header::ETAG]
        .to_str()
        .expect("ascii")
        .to_owned();
    let second = get("/", &[(header::IF_NONE_MATCH, tag.as_str())]).await;
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(second).await, "");
}

#[tokio::test]
async fn an_asset_is_kept_for_ever_and_comes_compressed() {
    let Some(path) = asset(".js") else {
        assert!(!built(), "screens without a script");
        return;
    };
    let plain = get(&path, &[]).await;
    assert_eq!(plain.status(), StatusCode::OK);
    assert_eq!(
        plain.headers()[header::CONTENT_TYPE],
        "text/javascript; charset=utf-8"
    );
    assert!(
        plain.headers()[header::CACHE_CONTROL]
            .to_str()
            .expect("ascii")
            .contains("immutable")
    );
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    for (asked, got) in [
        ("gzip, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
    ] {
        let packed = get(&path, &[(header::ACCEPT_ENCODING, asked)]).await;
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], got, "{asked}");
        assert_eq!(
            packed.headers()[header::CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn wrong_paths_are_not_pages() {
    let mut wrong = vec![
        "/api/v1/nothing".to_owned(),
        "/api".into(),
        "/ws/agent".into(),
        "/ws".into(),
    ];
    if built() {
        wrong.push("/assets/none-1234.js".into());
        wrong.push("/index.html.br".into());
    }
    for path in wrong {
        assert_eq!(
            get(&path, &[]).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let request = Request::post("/agente")
        .body(Body::empty())
        .expect("a valid request");
    let response = service()
        .oneshot(request)
        .await
        .expect("the service never fails");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    let request = Request::head("/agente")
        .body(Body::empty())
        .expect("a valid request");
    let response = service()
        .oneshot(request)
        .await
        .expect("the service never fails");
    assert_eq!(text(response).await, "");
}
