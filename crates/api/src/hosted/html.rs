//! The frame of a page, its style, and text made safe.

use crate::ApiState;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::entity::Language;
use std::fmt::Write as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const STYLE: &str = include_str!("page.css");

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(style))
}

/// The pages' style.
#[utoipa::path(get, path = "/p/page.css", tag = "pages",
    responses((status = 200, body = String, content_type = "text/css"), (status = 503, description = "Not now")))]
async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// Text that cannot become markup.
pub(crate) fn safe(text: &str) -> String {
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

/// The language of who looks, by his browser; Spanish unless it asks for English first.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok());
    let first = asked.and_then(|v| v.split(',').next()).unwrap_or("");
    if first.trim().to_ascii_lowercase().starts_with("en") {
        Language::En
    } else {
        Language::Es
    }
}

/// A page being written.
pub(crate) struct Page {
    language: Language,
    title: &'static str,
    body: String,
    status: StatusCode,
    /// Origins besides our own that a form of it may lead to.
    leads_to: Option<String>,
}

impl Page {
    /// A page with a heading.
    pub(crate) fn new(language: Language, title: &'static str) -> Self {
        Self {
            language,
            title,
            body: String::new(),
            status: StatusCode::OK,
            leads_to: None,
        }
    }

    /// With another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Its form may lead to that origin.
    pub(crate) fn leads_to(mut self, origin: String) -> Self {
        self.leads_to = Some(origin);
        self
    }

    /// A paragraph.
    pub(crate) fn text(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p>{}</p>", safe(text));
        self
    }

    /// A message that readers hear at once.
    pub(crate) fn alert(mut self, text: &str) -> Self {
        let _ = write!(
            self.body,
            "<p class=\"alert\" role=\"alert\">{}</p>",
            safe(text)
        );
        self
    }

    /// Names and their values.
    pub(crate) fn facts(mut self, facts: &[(&str, &str)]) -> Self {
        self.body.push_str("<dl>");
        for (name, value) in facts {
            let _ = write!(self.body, "<dt>{}</dt><dd>{}</dd>", safe(name), safe(value));
        }
        self.body.push_str("</dl>");
        self
    }

    /// Text whose lines stay lines.
    pub(crate) fn lines(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p class=\"lines\">{}</p>", safe(text));
        self
    }

    /// Markup of ours, whose values are safe already.
    pub(crate) fn markup(mut self, html: &str) -> Self {
        self.body.push_str(html);
        self
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let title = safe(self.title);
        // The language of the words, which are Spanish or English.
        let language = if self.language == Language::En {
            "en"
        } else {
            "es"
        };
        let html = format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
            <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
            <meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
            <link rel=\"stylesheet\" href=\"/p/page.css\"></head>\
            <body><main><h1>{title}</h1>{}</main></body></html>",
            language, self.body
        );
        let forms = self.leads_to.map_or_else(String::new, |o| format!(" {o}"));
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self'{forms}; \
            frame-ancestors 'none'; base-uri 'none'"
        );
        let mut response = (self.status, axum::response::Html(html)).into_response();
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, value);
        }
        // Without a referrer a browser names no origin for the forms, which the gate wants to see.
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        );
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        assert_eq!(safe("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
