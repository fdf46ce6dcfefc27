//! The page of the demo's provider: for a phone, in both languages, and plainly a test.

use super::Session;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::money::Currency;

const STYLE: &str = "body{margin:0;font:1.1rem/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1a1d21}\
*{box-sizing:border-box}main{max-width:26rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}\
h1{font-size:1.4rem;line-height:1.2}\
.test{background:#7a1f1f;color:#fff;padding:.6rem 1rem;text-align:center;font-weight:700;margin:0;overflow-wrap:anywhere}\
dt{color:#4a5058}dd{margin:0 0 .8rem;font-size:1.3rem;font-weight:600}\
button{display:block;width:100%;min-height:3rem;font:inherit;font-weight:600;border:0;border-radius:.4rem;\
background:#1b4f8f;color:#fff;cursor:pointer}button:focus-visible,a:focus-visible{outline:3px solid #e0a100;\
outline-offset:2px}a{display:block;text-align:center;padding:1rem;color:#1b4f8f}";

/// Its style.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// `123.00 COP`; amounts of the demo's currencies have the provider's unit.
fn amount(session: &Session) -> String {
    let digits = session
        .currency
        .parse::<Currency>()
        .map_or(2, |c| c.minor_digits() as usize);
    let text = format!("{:0>width$}", session.amount, width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    let point = if digits > 0 { "." } else { "" };
    format!("{whole}{point}{part} {}", session.currency)
}

fn page(status: StatusCode, body: &str, leads_to: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"es\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
        <meta name=\"robots\" content=\"noindex\"><title>PRUEBA · Proveedor de pagos</title>\
        <link rel=\"stylesheet\" href=\"/style.css\"></head><body>\
        <header class=\"test\">PRUEBA / TEST: no se cobra nada · nothing is charged</header>\
        <main><h1>Proveedor de pagos</h1>{body}</main></body></html>"
    );
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {leads_to}; \
        frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = (status, Html(html)).into_response();
    if let Ok(value) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    let end = url
        .match_indices('/')
        .nth(2)
        .map_or(url.len(), |(at, _)| at);
    url[..end].to_owned()
}

/// What is to be paid. No card is asked for: the button pays.
pub(super) fn ask(session: &Session) -> Response {
    let facts = format!(
        "<dl><dt>Concepto</dt><dd>{}</dd><dt>Importe</dt><dd>{}</dd></dl>",
        safe(&session.title),
        safe(&amount(session))
    );
    let back = safe(&session.back);
    let body = if session.paid {
        format!("{facts}<p role=\"status\">Pagado · Paid</p><a href=\"{back}\">Volver · Back</a>")
    } else {
        format!(
            "{facts}<form method=\"post\" action=\"/prueba/{}/pagar\">\
            <button type=\"submit\">Pagar (prueba)</button></form>\
            <a href=\"{back}\">Cancelar · Cancel</a>",
            safe(&session.id)
        )
    };
    page(StatusCode::OK, &body, &origin(&session.back))
}

/// No such page.
pub(super) fn unknown() -> Response {
    let body = "<p role=\"alert\">Esta página no existe. · This page does not exist.</p>";
    page(StatusCode::NOT_FOUND, body, "")
}
