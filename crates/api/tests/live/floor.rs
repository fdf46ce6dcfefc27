//! A small installation over real sockets: the store in memory, the simulated carrier, the real
//! engine and the real router behind a listener.

use crate::socket::Socket;
use api::auth::{ApiSecrets, hash_password};
use api::{ApiConfig, ApiParts, ApiState, RulePackInfo};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::serve::ListenerExt;
use center::{Center, CenterConfig, CenterHandle, DeskHub, Ports};
use domain::entity::{
    Agent, CallerId, Client, CreditorKind, Portfolio, Role, Trunk as TrunkRow, User,
};
use domain::ids::{AgentId, CallerIdId, ClientId, PortfolioId, TrunkId, UserId};
use domain::law::RuleBook;
use domain::ports::{
    Blob, BlobError, Bus, CampaignProfile, Clock, Forecast, IdSource, Store, WhatIf, WhatIfError,
    WhatIfSettings,
};
use domain::rules::disposition::standard_dispositions;
use domain::time::UtcMs;
use serde_json::{Value, json};
use sim::bus::{BusFaults, SimBus};
use sim::clock::{SeededIds, VirtualClock};
use sim::fate::{Fate, FateMix, draw};
use sim::store::MemoryStore;
use sim::trunk::{SimTrunk, TrunkFaults};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tower::ServiceExt;

/// Monday, 23 November 2026, 10:00 in Mexico City: a working morning.
pub(crate) const MORNING: UtcMs = UtcMs(1_795_449_600_000);
/// Password of every login.
pub(crate) const PASSWORD: &str = "una-clave-larga";
/// Header of the files that tests import.
pub(crate) const HEADER: &str = "external_ref,debt_ref,name,document,country,subdivision,product,currency,principal,interest,fees,overdue,minimum,days_past_due,phone_mobile,phone_authorised,phone_given_by_debtor";

/// No recordings here.
struct NoBlob;

#[async_trait]
impl Blob for NoBlob {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        Err(BlobError::NotFound(key.to_owned()))
    }
    async fn read(&self, key: &str, _: u64, _: u64) -> Result<Vec<u8>, BlobError> {
        Err(BlobError::NotFound(key.to_owned()))
    }
    async fn delete(&self, _: &str) -> Result<(), BlobError> {
        Ok(())
    }
}

/// No forecasts here.
struct NoForecast;

#[async_trait]
impl WhatIf for NoForecast {
    async fn forecast(
        &self,
        _: Arc<CampaignProfile>,
        _: Vec<WhatIfSettings>,
    ) -> Result<Vec<Forecast>, WhatIfError> {
        Err(WhatIfError::Busy)
    }
}

/// The installation.
pub(crate) struct Floor {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) state: ApiState,
    pub(crate) center: CenterHandle,
    pub(crate) client: ClientId,
    pub(crate) other: ClientId,
    pub(crate) portfolio: PortfolioId,
    pub(crate) address: SocketAddr,
    router: Router,
    serving: JoinHandle<()>,
}

/// A seed of the carrier whose first call is answered soon and lasts.
fn patient_seed() -> u64 {
    let soon = |seed: &u64| {
        matches!(draw(*seed, 0, FateMix { answer_pct: 100, refuse_pct: 0 }),
            Fate::Answers { ring_ms, talk_ms, .. } if ring_ms < 900 && talk_ms > 60_000)
    };
    (0..).find(soon).expect("one of them")
}

struct Parts {
    store: Arc<MemoryStore>,
    clock: Arc<VirtualClock>,
    ids: Arc<SeededIds>,
}

impl Parts {
    fn id(&self) -> uuid::Uuid {
        self.ids.next(self.clock.now())
    }

    async fn client(&self, name: &str) -> (ClientId, PortfolioId) {
        let now = self.clock.now();
        let client = Client {
            id: ClientId(self.id()),
            name: name.to_owned(),
            callback_number: "+525500000001".to_owned(),
            created_at: now,
        };
        let portfolio = Portfolio {
            id: PortfolioId(self.id()),
            client_id: client.id,
            name: "Tarjetas".to_owned(),
            currency: "MXN".parse().expect("a currency"),
            creditor_kind: CreditorKind::Financial,
            zone: "America/Mexico_City".to_owned(),
            created_at: now,
        };
        let number = CallerId {
            id: CallerIdId(self.id()),
            client_id: client.id,
            number: "+525500000002".to_owned(),
            country: "MX".to_owned(),
            registered: true,
            enabled: true,
            signed: false,
            callback_at: None,
            created_at: now,
        };
        let store: &dyn Store = &*self.store;
        store.put_client(&client, &[]).await.expect("client");
        store
            .put_portfolio(&portfolio, &[])
            .await
            .expect("portfolio");
        store.put_caller_id(&number, &[]).await.expect("number");
        (client.id, portfolio.id)
    }

    async fn login(&self, hash: &str, username: &str, role: Role, client: Option<ClientId>) {
        let now = self.clock.now();
        let user = User {
            id: UserId(self.id()),
            username: username.to_owned(),
            display_name: username.to_owned(),
            role,
            client_id: client,
            password_hash: hash.to_owned(),
            totp_secret: None,
            active: true,
            created_at: now,
        };
        let store: &dyn Store = &*self.store;
        store.put_user(&user, &[]).await.expect("user");
        if role == Role::Agent {
            let agent = Agent {
                id: AgentId(self.id()),
                user_id: user.id,
                team_id: None,
                name: format!("Gestor {username}"),
                sip_user: format!("sip-{username}"),
                sip_password: "secret".to_owned(),
                campaigns: Vec::new(),
                skills: Vec::new(),
                created_at: now,
            };
            store.put_agent(&agent, &[]).await.expect("agent");
        }
    }

    async fn seed(&self, secrets: &ApiSecrets) -> (ClientId, ClientId, PortfolioId) {
        let (client, portfolio) = self.client("Banco Uno").await;
        let (other, _) = self.client("Banco Dos").await;
        let hash = hash_password(&secrets.pepper, PASSWORD).expect("hash");
        for (name, role, limit) in [
            ("ana", Role::Agent, None),
            ("luis", Role::Agent, None),
            ("sofia", Role::Supervisor, None),
            ("marta", Role::Manager, None),
            ("otto", Role::Manager, Some(other)),
            ("root", Role::Admin, None),
        ] {
            self.login(&hash, name, role, limit).await;
        }
        let store: &dyn Store = &*self.store;
        let trunk = TrunkRow {
            id: TrunkId(self.id()),
            name: "uno".to_owned(),
            channels: 10,
            cps: 10,
            enabled: true,
            created_at: self.clock.now(),
        };
        store.put_trunk(&trunk, &[]).await.expect("trunk");
        for row in standard_dispositions() {
            store.put_disposition(&row).await.expect("disposition");
        }
        (client, other, portfolio)
    }
}

impl Floor {
    /// Opens it with two agents (`ana`, `luis`), `sofia` (supervisor), `marta` (manager), `otto`
    /// (manager of the other client) and `root`.
    pub(crate) async fn open() -> Self {
        let clock = Arc::new(VirtualClock::start(MORNING));
        let ids = Arc::new(SeededIds::new(7));
        let store = Arc::new(MemoryStore::new());
        let parts = Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        };
        let secrets = ApiSecrets::new(vec![1; 16], vec![2; 32]);
        let (client, other, portfolio) = parts.seed(&secrets).await;
        let bus: Arc<dyn Bus> = Arc::new(SimBus::new(1, BusFaults::default()));
        let desk = Arc::new(DeskHub::new());
        let (told, reports) = mpsc::channel(256);
        let mix = FateMix {
            answer_pct: 100,
            refuse_pct: 0,
        };
        let trunk = SimTrunk::new(
            patient_seed(),
            mix,
            TrunkFaults::default(),
            clock.clone(),
            told,
        );
        let center = Center::start(
            CenterConfig::new("floor"),
            Ports {
                store: store.clone(),
                bus: Arc::clone(&bus),
                trunk: Arc::new(trunk),
                reports,
                clock: clock.clone(),
                ids: ids.clone(),
                desk: desk.clone(),
                law: Arc::new(RuleBook::embedded().expect("packs")),
            },
        )
        .await
        .expect("center");
        let mut config = ApiConfig::new(secrets);
        config.second_factor_required = false;
        let state = ApiState::new(ApiParts {
            store: store.clone(),
            center: center.clone(),
            desk,
            blob: Arc::new(NoBlob),
            bus,
            clock,
            ids,
            what_if: Arc::new(NoForecast),
            rulepacks: vec![pack()],
            config,
        })
        .expect("state");
        let router = api::router(state.clone());
        let (address, serving) = serve(router.clone()).await;
        Self {
            store,
            state,
            center,
            client,
            other,
            portfolio,
            address,
            router,
            serving,
        }
    }

    /// One request; the reply's status and JSON (null when there is none).
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        content: &str,
        body: impl Into<Body>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request = request
            .header(header::CONTENT_TYPE, content)
            .body(body.into())
            .expect("request");
        let peer = SocketAddr::from(([127, 0, 0, 1], 4_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let reply = self.router.clone().oneshot(request).await.expect("reply");
        let status = reply.status();
        let bytes = axum::body::to_bytes(reply.into_body(), 1 << 22)
            .await
            .expect("body");
        let value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        (status, value)
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let path = format!("/api/v1{path}");
        let body = body.to_string();
        self.call("POST", &path, Some(token), "application/json", body)
            .await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let path = format!("/api/v1{path}");
        self.call("GET", &path, Some(token), "application/json", Body::empty())
            .await
    }

    /// Signs in; the token.
    pub(crate) async fn sign_in(&self, username: &str) -> String {
        let body = json!({"username": username, "password": PASSWORD}).to_string();
        let (status, reply) = self
            .call("POST", "/api/v1/sessions", None, "application/json", body)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply["token"].as_str().expect("token").to_owned()
    }

    pub(crate) async fn ticket(&self, token: &str) -> String {
        let (status, reply) = self.post(token, "/ws-tickets", json!({})).await;
        assert_eq!(status, StatusCode::CREATED, "{reply}");
        reply["ticket"].as_str().expect("ticket").to_owned()
    }

    /// Opens a socket, or the status that refused it.
    pub(crate) async fn try_socket(
        &self,
        path: &str,
        ticket: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, StatusCode> {
        let address = format!("ws://{}{path}?ticket={ticket}", self.address);
        let mut request = address.into_client_request().expect("address");
        for (name, value) in headers {
            let value = value.parse().expect("a header value");
            request.headers_mut().insert(*name, value);
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((stream, _)) if path == "/ws/agent" => Ok(Socket::new(stream).beating()),
            Ok((stream, _)) => Ok(Socket::new(stream)),
            Err(tungstenite::Error::Http(reply)) => {
                Err(StatusCode::from_u16(reply.status().as_u16()).expect("a status"))
            }
            Err(error) => panic!("no socket: {error}"),
        }
    }

    /// Opens a socket that has to open; `hello` is read.
    pub(crate) async fn socket(&self, token: &str, path: &str) -> (Socket, Value) {
        let ticket = self.ticket(token).await;
        let mut socket = self
            .try_socket(path, &ticket, &[PROTOCOL])
            .await
            .expect("the socket opens");
        let hello = socket.until("hello").await;
        (socket, hello)
    }

    /// Imports debtors of Mexico who may be called; returns the reply.
    pub(crate) async fn import(&self, token: &str, debtors: usize) -> Value {
        let path = format!(
            "/api/v1/imports?client={}&portfolio={}",
            self.client, self.portfolio
        );
        let (status, reply) = self
            .call("POST", &path, Some(token), "text/csv", csv(debtors))
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply
    }

    /// A running progressive campaign over all debtors; its id.
    pub(crate) async fn campaign(&self, token: &str) -> String {
        let segment = json!({"client_id": self.client, "name": "Todos", "expression": "all"});
        let (status, segment) = self.post(token, "/segments", segment).await;
        assert_eq!(status, StatusCode::CREATED, "{segment}");
        let body = json!({"client_id": self.client, "name": "Uno", "segment_id": segment["id"]});
        let (status, campaign) = self.post(token, "/campaigns", body).await;
        assert_eq!(status, StatusCode::CREATED, "{campaign}");
        campaign["id"].as_str().expect("id").to_owned()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The subprotocol header.
pub(crate) const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "marcador.v1");

/// A portfolio file of so many debtors.
pub(crate) fn csv(debtors: usize) -> String {
    let mut text = format!("{HEADER}\n");
    for n in 0..debtors {
        text.push_str(&format!(
            "R{n},D{n},Persona {n},DOC{n:06},MX,CMX,tarjeta,MXN,10000.00,500.00,0.00,3000.00,500.00,45,+525500{n:06},yes,yes\n"
        ));
    }
    text
}

fn pack() -> RulePackInfo {
    RulePackInfo {
        id: "mx".to_owned(),
        version: "1".to_owned(),
        country: "MX".to_owned(),
        hash: "00".to_owned(),
        valid_from: None,
        valid_to: None,
        unjudged: Vec::new(),
        name: "México".to_owned(),
        status: "draft".to_owned(),
        jurisdiction: vec!["MX".to_owned()],
        stacks_on: None,
        review_by: "2020-01-01".to_owned(),
        legal_signoff: None,
        signed: false,
        overdue: false,
        in_force: true,
        registered_list: None,
    }
}

async fn serve(router: Router) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("nodelay"));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move {
        axum::serve(listener, service).await.expect("serves");
    });
    (address, serving)
}
