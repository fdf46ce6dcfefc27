//! Figures of the HTTP side, counted as requests pass.

use crate::ApiError;
use axum::http::{Method, StatusCode};
use prometheus::proto::MetricFamily;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use std::time::Duration;

/// Buckets of request times, s: from what a list costs to the time limit of a reply.
const REQUEST_BUCKETS_S: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// Figures of the HTTP side.
#[derive(Debug)]
pub(crate) struct HttpFigures {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    sockets: IntGaugeVec,
    webhooks: IntCounterVec,
}

/// How a payment provider's webhook was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookSeen {
    Done,
    Nothing,
    Waits,
    BadSignature,
    BadBody,
}

/// Counts a socket as open until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenSocket(IntGauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpFigures {
    /// Registers them.
    pub(crate) fn new() -> Result<Self, ApiError> {
        let registry = Registry::new();
        let wrong = |e: prometheus::Error| ApiError::Metrics(e.to_string());
        let requests = IntCounterVec::new(
            Opts::new("marcador_http_requests_total", "HTTP requests by route."),
            &["method", "route", "status"],
        )
        .map_err(wrong)?;
        let seconds = HistogramVec::new(
            HistogramOpts::new("marcador_http_seconds", "Time to the head of the reply.")
                .buckets(REQUEST_BUCKETS_S.to_vec()),
            &["route"],
        )
        .map_err(wrong)?;
        let sockets =
            IntGaugeVec::new(Opts::new("marcador_sockets", "Open websockets."), &["kind"])
                .map_err(wrong)?;
        let webhooks = IntCounterVec::new(
            Opts::new(
                "marcador_payment_webhooks_total",
                "Webhooks of the payment provider by what became of them.",
            ),
            &["outcome"],
        )
        .map_err(wrong)?;
        for part in [
            Box::new(requests.clone()) as Box<dyn prometheus::core::Collector>,
            Box::new(seconds.clone()),
            Box::new(sockets.clone()),
            Box::new(webhooks.clone()),
        ] {
            registry.register(part).map_err(wrong)?;
        }
        Ok(Self {
            registry,
            requests,
            seconds,
            sockets,
            webhooks,
        })
    }

    /// Counts one request. `route` is the pattern, never the address: that may name a debtor.
    pub(crate) fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // Methods that nobody knows would be labels without end.
        let method = match *method {
            Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS => method.as_str(),
            _ => "other",
        };
        self.requests
            .with_label_values(&[method, route, status.as_str()])
            .inc();
        self.seconds
            .with_label_values(&[route])
            .observe(took.as_secs_f64());
    }

    /// Counts a payment provider's webhook.
    pub(crate) fn webhook(&self, seen: WebhookSeen) {
        let outcome = match seen {
            WebhookSeen::Done => "done",
            WebhookSeen::Nothing => "nothing",
            WebhookSeen::Waits => "waits",
            WebhookSeen::BadSignature => "bad_signature",
            WebhookSeen::BadBody => "bad_body",
        };
        self.webhooks.with_label_values(&[outcome]).inc();
    }

    /// Counts an open socket of a kind.
    pub(crate) fn socket(&self, kind: &str) -> OpenSocket {
        let gauge = self.sockets.with_label_values(&[kind]);
        gauge.inc();
        OpenSocket(gauge)
    }

    /// All of them now.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}
