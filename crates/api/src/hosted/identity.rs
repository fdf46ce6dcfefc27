//! Who looks? The step before any page that speaks of a debt: the end of the debtor's document, asked on a page that
//! tells nothing.

use super::Page;
use axum::extract::Query;
use axum::http::StatusCode;
use domain::entity::dnc::listed_form;
use domain::entity::{Debtor, Language, SuppressionKind};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// Last characters of the document that prove identity.
const PROOF_CHARS: usize = 4;
/// Longest form, bytes.
const FORM_MAX: usize = 512;

/// Texts of both languages.
struct Words {
    ask: &'static str,
    label: &'static str,
    hint: &'static str,
    go_on: &'static str,
    wrong: &'static str,
    locked: &'static str,
}

const ES: Words = Words {
    ask: "Para proteger sus datos, confirme primero su identidad.",
    label: "Últimos 4 caracteres de su documento de identidad",
    hint: "Letras o números, sin guiones.",
    go_on: "Continuar",
    wrong: "No coincide. Revise los 4 últimos caracteres e inténtelo otra vez.",
    locked: "Esta página se cerró por seguridad. Llámenos para recibir una nueva.",
};

const EN: Words = Words {
    ask: "To protect your data, please confirm your identity first.",
    label: "Last 4 characters of your identity document",
    hint: "Letters or digits, without dashes.",
    go_on: "Continue",
    wrong: "That does not match. Check the last 4 characters and try again.",
    locked: "This page was closed for safety. Call us for a new one.",
};

const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::Es | Language::Pt => &ES,
    }
}

/// What is said once it was asked too often.
pub(super) const fn locked(language: Language) -> &'static str {
    words(language).locked
}

/// The question, sent to `action`: an address of ours, made of base64url, which means nothing to HTML. `wrong`: again,
/// after an answer that does not match.
pub(super) fn asks(language: Language, title: &'static str, action: &str, wrong: bool) -> Page {
    let w = words(language);
    let mut page = Page::new(language, title);
    if wrong {
        page = page.alert(w.wrong).status(StatusCode::FORBIDDEN);
    }
    page.text(w.ask).markup(&format!(
        "<form method=\"post\" action=\"{action}\"><label for=\"proof\">{}</label>\
        <input id=\"proof\" name=\"proof\" required minlength=\"{PROOF_CHARS}\" \
        maxlength=\"{PROOF_CHARS}\" autocomplete=\"off\" autocapitalize=\"characters\" \
        aria-describedby=\"hint\"><p class=\"hint\" id=\"hint\">{}</p>\
        <button type=\"submit\">{}</button></form>",
        w.label, w.hint, w.go_on
    ))
}

#[derive(Deserialize)]
struct ProofForm {
    proof: String,
}

/// The answer in a form; nothing, when there is none.
pub(super) fn answer(body: &[u8]) -> String {
    form::<ProofForm>(body).map_or_else(String::new, |f| f.proof)
}

/// Reads a small form.
pub(super) fn form<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|t| t.len() <= FORM_MAX)?;
    let uri = format!("/?{text}").parse().ok()?;
    Query::try_from_uri(&uri).ok().map(|Query(form)| form)
}

/// Whether the answer is the end of his document. A document too short to hide behind proves nothing.
pub(super) fn proves(debtor: &Debtor, answer: &str) -> bool {
    let document = listed_form(SuppressionKind::Document, debtor.document.reveal());
    let answer = listed_form(SuppressionKind::Document, answer);
    let from = document
        .char_indices()
        .rev()
        .nth(PROOF_CHARS - 1)
        .map(|(at, _)| at);
    let long = document.chars().count() >= PROOF_CHARS + 2;
    match from {
        Some(at) if long => document.as_bytes()[at..].ct_eq(answer.as_bytes()).into(),
        _ => false,
    }
}
