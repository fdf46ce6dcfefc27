//! One server in memory, and requests to it.

use crate::world::{self, Own, World};
use api::auth::ApiSecrets;
use api::{ApiConfig, ApiParts, ApiState, RulePackInfo};
use async_trait::async_trait;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use center::{CallLaw, Center, CenterConfig, DeskHub, LawBook, Ports};
use domain::entity::{Address, Channel, Decision, Verdict};
use domain::ids::AddressId;
use domain::law::{Action, Judge, RuleBook};
use domain::ports::store::{AddressStore as _, ClaimAsk, ContactFacts, MessageStore as _};
use domain::ports::{Blob, BlobError, Clock, Desk};
use domain::time::UtcMs;
use serde_json::Value;
use sim::bus::{BusFaults, SimBus};
use sim::clock::SeededIds;
use sim::fate::FateMix;
use sim::store::MemoryStore;
use sim::trunk::{SimTrunk, TrunkFaults};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tower::ServiceExt;

/// Monday 2026-11-23 15:00 UTC: a working morning in the countries of the world.
pub(crate) const START: UtcMs = UtcMs(1_795_446_000_000);
/// Password of every login of the world.
pub(crate) const PASSWORD: &str = "correct horse battery";
const PEPPER: &[u8] = b"pepper of sixteen";
/// Reports that may wait for the center.
const REPORTS: usize = 1_024;

/// A clock that a test moves by hand.
pub(crate) struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> UtcMs {
        UtcMs(self.0.load(Ordering::SeqCst))
    }
}

/// Allows everything: these tests are about HTTP.
pub(crate) struct Lenient;

impl Judge for Lenient {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        Verdict {
            id: action.verdict_id,
            at: action.now,
            check_point: action.check_point,
            debtor_id: facts.debtor.id,
            point_id: action.point_id,
            campaign_id: action.campaign_id,
            channel: action.channel,
            decision: Decision::Allow,
            blocked: None,
            rules: Vec::new(),
            packs: Vec::new(),
            zones: Vec::new(),
            counters: Vec::new(),
            next_legal_at: None,
            record: None,
        }
    }
}

impl LawBook for Lenient {
    fn call_law(&self, _: &ContactFacts, _: UtcMs) -> CallLaw {
        CallLaw::default()
    }
    fn is_holiday(&self, _: &ContactFacts, _: &str) -> bool {
        false
    }
    fn zone_of(&self, _: &ContactFacts) -> String {
        "America/Mexico_City".to_owned()
    }
    fn holiday_of(&self, _: &str, date: &str) -> Option<String> {
        (date == "2026-12-25").then(|| "Navidad".to_owned())
    }
    fn is_presumption(&self, rule: &str) -> Option<bool> {
        match rule {
            "us-federal/reg_f_7in7" => Some(true),
            "us-ma/ma_home" => Some(false),
            _ => None,
        }
    }
    fn presumptions(&self) -> Vec<String> {
        vec!["us-federal/reg_f_7in7".to_owned()]
    }
    fn rations(&self, place: &domain::law::Place, _: UtcMs) -> bool {
        place.country == "CO"
    }
    /// In Mexico the creditor alone is paid; in Colombia nobody asks why.
    fn duties(&self, facts: &ContactFacts, _: UtcMs) -> domain::law::Duties {
        domain::law::Duties {
            may_receive_money: facts.debtor.country != "MX",
            forbidden_questions: match facts.debtor.country.as_str() {
                "CO" => vec!["reason_for_default".to_owned()],
                _ => Vec::new(),
            },
            ..domain::law::Duties::default()
        }
    }
}

fn pack(country: &str) -> RulePackInfo {
    RulePackInfo {
        id: country.to_lowercase(),
        version: "1".to_owned(),
        country: country.to_owned(),
        hash: "00".to_owned(),
        valid_from: None,
        valid_to: None,
        unjudged: Vec::new(),
        name: country.to_owned(),
        status: "draft".to_owned(),
        jurisdiction: vec![country.to_owned()],
        stacks_on: None,
        review_by: "2020-01-01".to_owned(),
        legal_signoff: None,
        signed: false,
        overdue: false,
        in_force: true,
        registered_list: None,
    }
}

/// Another node of the installation carries messages.
async fn elsewhere(store: &MemoryStore, now: UtcMs) {
    let ask = ClaimAsk {
        gateway: "elsewhere",
        channels: &[Channel::Sms, Channel::Whatsapp, Channel::Email],
        per_minute: 0,
        now,
        until: now,
        limit: 0,
    };
    store.claim_messages(&ask).await.expect("noted");
}

/// Recordings in a map.
#[derive(Default)]
pub(crate) struct Files(pub(crate) Mutex<HashMap<String, Vec<u8>>>);

#[async_trait]
impl Blob for Files {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        let files = self.0.lock().expect("lock");
        let file = files
            .get(key)
            .ok_or_else(|| BlobError::NotFound(key.into()))?;
        Ok(file.len() as u64)
    }
    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        let files = self.0.lock().expect("lock");
        let file = files
            .get(key)
            .ok_or_else(|| BlobError::NotFound(key.into()))?;
        let from = usize::try_from(from).expect("small").min(file.len());
        let to = from
            .saturating_add(usize::try_from(len).expect("small"))
            .min(file.len());
        Ok(file[from..to].to_vec())
    }
    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.0.lock().expect("lock").remove(key);
        Ok(())
    }
}

/// Argon2id of `PASSWORD`: made once, all logins share it.
pub(crate) fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| api::auth::hash_password(PEPPER, PASSWORD).expect("hashes"))
        .clone()
}

/// A reply.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null when there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).expect("JSON")
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }
    /// The code of a problem, checked to be one.
    pub(crate) fn code(&self) -> String {
        let kind = self.header("content-type");
        assert_eq!(kind, "application/problem+json", "{}", self.text());
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert!(
            body["errors"].is_array() && body["id"].is_string(),
            "{body}"
        );
        body["code"].as_str().expect("a code").to_owned()
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |v| v.to_str().expect("ASCII"))
    }
    /// The refresh cookie, as `name=value`.
    pub(crate) fn cookie(&self) -> Option<String> {
        let set = self
            .headers
            .get(header::SET_COOKIE)?
            .to_str()
            .expect("ASCII");
        set.split(';').next().map(str::to_owned)
    }
}

/// A request in the making.
pub(crate) struct Ask<'a> {
    app: &'a App,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    peer: [u8; 4],
}

impl Ask<'_> {
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    pub(crate) fn body(mut self, kind: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.header("content-type", kind)
    }
    pub(crate) fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }
    pub(crate) fn from(mut self, peer: [u8; 4]) -> Self {
        self.peer = peer;
        self
    }
    fn request(self) -> (axum::Router, Request<Body>) {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("host", "marcador.example");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let peer = SocketAddr::from((self.peer, 40_000));
        let request = request
            .extension(ConnectInfo(peer))
            .body(Body::from(self.body))
            .expect("a request");
        (self.app.router.clone(), request)
    }
    /// Sends it and waits for the whole reply.
    pub(crate) async fn send(self) -> Reply {
        let (router, request) = self.request();
        let response = router.oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.expect("a body");
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }
    /// Sends it; the body may go on for ever.
    pub(crate) async fn open(self) -> axum::response::Response {
        let (router, request) = self.request();
        router.oneshot(request).await.expect("infallible")
    }
}

type Shared = (Arc<MemoryStore>, Arc<HandClock>, Arc<Files>);

/// A server over what several may share.
async fn node(
    name: &str,
    (store, clock, files): Shared,
    ids: Arc<SeededIds>,
    (law, change): (Arc<dyn LawBook>, impl FnOnce(&mut ApiConfig)),
) -> axum::Router {
    let desk = Arc::new(DeskHub::new());
    let bus = Arc::new(SimBus::new(7, BusFaults::default()));
    let (sender, reports) = tokio::sync::mpsc::channel(REPORTS);
    let ring = Arc::clone(&clock) as Arc<dyn Clock>;
    let trunk = SimTrunk::new(7, FateMix::default(), TrunkFaults::default(), ring, sender);
    let ports = Ports {
        store: Arc::clone(&store) as _,
        bus: Arc::clone(&bus) as _,
        trunk: Arc::new(trunk),
        reports,
        clock: Arc::clone(&clock) as _,
        ids: Arc::clone(&ids) as _,
        desk: Arc::clone(&desk) as Arc<dyn Desk>,
        law,
    };
    let config = CenterConfig::new(name);
    let center = Center::start(config, ports).await.expect("a center");
    elsewhere(&store, clock.now()).await;
    let secrets = ApiSecrets::new(PEPPER.to_vec(), vec![7; 32]);
    let mut config = ApiConfig::new(secrets);
    change(&mut config);
    let state = ApiState::new(ApiParts {
        store: store as _,
        center,
        desk,
        blob: files as _,
        bus,
        clock: clock as _,
        ids,
        what_if: Arc::new(crate::what_if::Double),
        rulepacks: ["ES", "MX"].map(pack).to_vec(),
        config,
    })
    .expect("a state");
    api::router(state)
}

/// The server with its world.
pub(crate) struct App {
    router: axum::Router,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) files: Arc<Files>,
    pub(crate) world: World,
}

impl App {
    /// A demo: no second factor.
    pub(crate) async fn start() -> Self {
        Self::with(|config| config.second_factor_required = false).await
    }

    /// The same under the packs that are shipped.
    pub(crate) async fn lawful() -> Self {
        let law = RuleBook::embedded().expect("the shipped packs are read");
        let change = |config: &mut ApiConfig| config.second_factor_required = false;
        Self::under(Arc::new(law), change).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::under(Arc::new(Lenient), change).await
    }

    async fn under(law: Arc<dyn LawBook>, change: impl FnOnce(&mut ApiConfig)) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(HandClock(AtomicI64::new(START.0)));
        let ids = Arc::new(SeededIds::new(7));
        let files = Arc::new(Files::default());
        let world = world::fill(&store, &files, &*ids).await;
        let shared = (Arc::clone(&store), Arc::clone(&clock), Arc::clone(&files));
        Self {
            router: node("test", shared, ids, (law, change)).await,
            store,
            clock,
            files,
            world,
        }
    }

    /// Another node of the installation.
    pub(crate) async fn beside(&self) -> Self {
        let (store, clock, files) = (
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            Arc::clone(&self.files),
        );
        let shared = (Arc::clone(&store), Arc::clone(&clock), Arc::clone(&files));
        let ids = Arc::new(SeededIds::new(8));
        let law: Arc<dyn LawBook> = Arc::new(Lenient);
        let config = |config: &mut ApiConfig| config.second_factor_required = false;
        Self {
            router: node("other", shared, ids, (law, config)).await,
            store,
            clock,
            files,
            world: self.world.clone(),
        }
    }

    /// Moves the clock.
    pub(crate) fn pass_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            app: self,
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            peer: [10, 0, 0, 1],
        }
    }
    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask("GET", path)
    }
    pub(crate) fn post(&self, path: &str) -> Ask<'_> {
        self.ask("POST", path)
    }

    /// Signs in.
    pub(crate) async fn sign_in(&self, username: &str) -> Reply {
        let body = serde_json::json!({"username": username, "password": PASSWORD});
        self.post("/api/v1/sessions").json(&body).send().await
    }

    /// Reads as a login of the world.
    pub(crate) async fn get_as(&self, username: &str, path: &str) -> Reply {
        let token = self.token(username).await;
        let ask = self.get(&format!("/api/v1{path}")).token(&token);
        ask.send().await
    }

    /// Writes as a login of the world.
    pub(crate) async fn post_as(&self, username: &str, path: &str, body: &Value) -> Reply {
        let token = self.token(username).await;
        let ask = self.post(&format!("/api/v1{path}")).token(&token);
        ask.json(body).send().await
    }

    /// The file of Norte's debtor.
    pub(crate) async fn file(&self, token: &str) -> Value {
        let path = format!("/api/v1/debtors/{}", self.world.norte.debtor);
        let reply = self.get(&path).token(token).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        reply.json()
    }

    /// Gives a debtor of the world a postal address.
    pub(crate) async fn address(&self, own: &Own) -> AddressId {
        let row = Address {
            id: AddressId(uuid::Uuid::now_v7()),
            client_id: own.client,
            debtor_id: own.debtor,
            street: "Calle Inventada 1".into(),
            city: "Puebla".into(),
            region: "PUE".into(),
            postcode: "72000".into(),
            country: "MX".into(),
            zone: None,
            source: "import".into(),
            bad: false,
            added_at: self.clock.now(),
            confirmed_at: self.clock.now(),
        };
        let put = self.store.put_address(&row, &[]).await;
        put.expect("an address");
        row.id
    }

    /// A token of a login of the world.
    pub(crate) async fn token(&self, username: &str) -> String {
        let reply = self.sign_in(username).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        reply.json()["token"].as_str().expect("a token").to_owned()
    }
}
