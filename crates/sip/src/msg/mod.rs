//! Messages as bytes: start lines, header fields, bodies; parsing, framing and printing.

mod framer;
mod headers;
mod method;
mod name;
mod parse;
mod print;
mod uri;

pub use framer::{Frame, StreamFramer};
pub use headers::{Header, Headers};
pub use method::Method;
pub use name::HeaderName;
pub use parse::parse_datagram;
pub(crate) use uri::uri_host_port;
pub use uri::{Scheme, Uri};

use bytes::Bytes;

use crate::SipError;

/// A request. Header values and the Request-URI stay as they came until somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The Request-URI as written; [`Request::target`] parses it.
    pub uri: Bytes,
    /// Header fields in their order.
    pub headers: Headers,
    /// The body, cut to Content-Length.
    pub body: Bytes,
    /// What is wrong with the message although its headers could be read: enough to refuse it
    /// with 400 (or 505 when it is [`Flaw::Version`]).
    pub flaw: Option<Flaw>,
}

/// A response. See [`Request`] for what stays raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, 100 to 699.
    pub code: u16,
    /// The reason phrase, any octets.
    pub phrase: Bytes,
    /// Header fields in their order.
    pub headers: Headers,
    /// The body, cut to Content-Length.
    pub body: Bytes,
    /// What is wrong with the message; a flawed response is dropped.
    pub flaw: Option<Flaw>,
}

/// A fault that leaves the headers readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A protocol version other than SIP/2.0: answered 505.
    Version,
    /// Any other fault: answered 400.
    Bad(SipError),
}

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, uri: Bytes) -> Self {
        Request {
            method,
            uri,
            headers: Headers::default(),
            body: Bytes::new(),
            flaw: None,
        }
    }

    /// The Request-URI, parsed.
    ///
    /// # Errors
    /// [`SipError::Uri`] when it does not follow the grammar.
    pub fn target(&self) -> Result<Uri, SipError> {
        Uri::parse(&self.uri)
    }
}

impl Response {
    /// A response without headers and body, with the standard phrase of its code.
    #[must_use]
    pub fn new(code: u16) -> Self {
        Response {
            code,
            phrase: Bytes::from_static(phrase(code).as_bytes()),
            headers: Headers::default(),
            body: Bytes::new(),
            flaw: None,
        }
    }
}

impl Message {
    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    /// The fault found while parsing, if any.
    #[must_use]
    pub fn flaw(&self) -> Option<&Flaw> {
        match self {
            Message::Request(request) => request.flaw.as_ref(),
            Message::Response(response) => response.flaw.as_ref(),
        }
    }
}

/// The standard reason phrase of a status code (RFC 3261 §21 and later), "Unknown" otherwise.
#[must_use]
pub fn phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        _ => "Unknown",
    }
}
