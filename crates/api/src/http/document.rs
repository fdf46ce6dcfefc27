//! The OpenAPI document: what the routes tell of themselves, completed by what holds for all.

use crate::auth::{Access, lookup};
use crate::doc;
use axum::http::Method;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};

const ABOUT: &str = "Everything is under `/api/v1`. Tokens of `POST /sessions` (15 minutes) and API keys (`mk_…`) \
go as `Authorization: Bearer`. `x-roles` of a route names the roles that may use it; users with a client see that \
client's rows only. Errors are problem+json with a stable `code`. Lists take `limit` and `cursor`. Writes take \
`Idempotency-Key`.";

/// What the areas are merged into.
pub(super) fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Marcador")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds to every operation its name, roles, security and error reply.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![(
        doc::Problem::name().into_owned(),
        <doc::Problem as utoipa::PartialSchema>::schema(),
    )];
    doc::Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.security_schemes.insert(
        "bearer".to_owned(),
        RefOr::T(SecurityScheme::Http(
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build(),
        )),
    );
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            finish(operation, &method, path);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
    .collect()
}

fn finish(operation: &mut Operation, method: &Method, path: &str) {
    operation.operation_id = Some(name_of(method, path));
    let access = lookup(method, path);
    let roles = access.map_or_else(Vec::new, Access::names);
    let extensions = operation.extensions.get_or_insert_default();
    extensions.insert("x-roles".to_owned(), json!(roles));
    if access != Some(Access::Public) {
        let none: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new("bearer", none)]);
    }
    let problem = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(doc::Problem::name())))
        .build();
    let reply = ResponseBuilder::new()
        .description("An error")
        .content("application/problem+json", problem)
        .build();
    operation
        .responses
        .responses
        .entry("default".to_owned())
        .or_insert(RefOr::T(reply));
    // Errors are described as JSON where the routes stand; on the wire they are problem+json.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && (status.starts_with('4') || status.starts_with('5'))
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response
                .content
                .insert("application/problem+json".to_owned(), content);
        }
    }
}

/// `get_campaigns_id_live`: unique, since method and path are.
fn name_of(method: &Method, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|w| !w.is_empty())
        .fold(method.as_str().to_lowercase(), |name, word| {
            format!("{name}_{word}")
        })
}
