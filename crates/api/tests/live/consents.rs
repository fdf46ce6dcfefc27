//! A file of consents goes the way of any file of a portfolio.

use crate::floor::Floor;
use axum::http::StatusCode;
use serde_json::{Value, json};

const DEBTOR: &str = "Id deudor;Crédito;Nombre;País;Saldo;Vencimiento;Celular\n\
    1;A1;Ana Ruiz;MX;1234,50;23/10/2026;5500000001\n";

/// A floor whose portfolio has one debtor.
struct Portfolio {
    floor: Floor,
    token: String,
    debtor: String,
}

impl Portfolio {
    async fn open() -> Self {
        let floor = Floor::open().await;
        let token = floor.sign_in("marta").await;
        let mut of = Self {
            floor,
            token,
            debtor: String::new(),
        };
        let (_, view) = of.draft("", DEBTOR).await;
        let (status, done) = of.accept(&view, json!({})).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        let (_, seen) = of.floor.get(&of.token, "/debtors?q=1").await;
        of.debtor = seen["items"][0]["id"].as_str().expect("id").to_owned();
        of
    }

    async fn draft(&self, more: &str, file: &str) -> (StatusCode, Value) {
        let (client, portfolio) = (self.floor.client, self.floor.portfolio);
        let path = format!("/api/v1/imports/drafts?client={client}&portfolio={portfolio}{more}");
        let sent = self.floor.call(
            "POST",
            &path,
            Some(&self.token),
            "text/csv",
            file.to_owned(),
        );
        sent.await
    }

    async fn accept(&self, view: &Value, body: Value) -> (StatusCode, Value) {
        let id = view["id"].as_str().unwrap_or_else(|| panic!("{view}"));
        let path = format!("/imports/{id}/accept");
        self.floor.post(&self.token, &path, body).await
    }

    async fn consents(&self) -> Vec<Value> {
        let path = format!("/consents?debtor={}", self.debtor);
        let (_, list) = self.floor.get(&self.token, &path).await;
        list["items"].as_array().expect("a list").clone()
    }

    async fn maps(&self) -> usize {
        let path = format!("/imports/maps?portfolio={}", self.floor.portfolio);
        let (_, maps) = self.floor.get(&self.token, &path).await;
        maps["items"].as_array().expect("maps").len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_shown_refused_by_row_and_column_and_counts_once_it_is_taken() {
    let of = Portfolio::open().await;
    let file = "Clave deudor;Canal;Estado;Fecha;Prueba\n1;sms;otorgado;23/10/2026;Contrato 1\n\
        1;correo;otorgado;;Contrato 1\n2;sms;otorgado;23/10/2026;Contrato 2\n";
    let (status, view) = of.draft("&kind=consents", file).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    let state = (&view["kind"], &view["state"]);
    assert_eq!(state, (&json!("consents"), &json!("ready")));
    let figures = &view["difference"];
    assert_eq!(
        (&figures["consents_granted"], &figures["refused"]),
        (&json!(1), &json!(2))
    );
    let faults = view["faults"].as_array().expect("faults");
    let told: Vec<Value> = faults
        .iter()
        .map(|f| json!([f["row"], f["column"]]))
        .collect();
    assert_eq!(told, [json!([3, "Fecha"]), json!([4, "Clave deudor"])]);
    assert_eq!(of.consents().await, Vec::<Value>::new(), "nothing yet");
    let (status, refused) = of.accept(&view, json!({"gone": "recall"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let (status, done) = of.accept(&view, json!({})).await;
    assert_eq!(
        (status, &done["state"]),
        (StatusCode::OK, &json!("accepted")),
        "{done}"
    );
    let made = of.consents().await;
    assert_eq!(made.len(), 1);
    let what = (&made[0]["channel"], &made[0]["proof"]);
    assert_eq!(what, (&json!("sms"), &json!("Contrato 1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_map_is_remembered_and_a_revocation_has_its_own_proof() {
    let of = Portfolio::open().await;
    let file = "Clave deudor;Canal;Estado;Fecha;Prueba\n1;sms;otorgado;23/10/2026;Contrato 1\n";
    let (_, view) = of.draft("&kind=consents", file).await;
    of.accept(&view, json!({})).await;
    let known = of.maps().await;
    let map = "%7B%22columns%22:%7B%22A%22:%22external_ref%22,%22B%22:%22consent_channel%22,\
        %22C%22:%22consent_state%22,%22D%22:%22consent_date%22,%22E%22:%22consent_proof%22%7D,\
        %22dates%22:%22dmy%22%7D";
    let file = "A;B;C;D;E\n1;sms;revocado;24/10/2026;Audio 3\n";
    let (_, view) = of.draft(&format!("&kind=consents&map={map}"), file).await;
    let (status, done) = of.accept(&view, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["report"]["consents_revoked"], 1);
    let made = of.consents().await;
    assert_eq!(
        (made.len(), &made[0]["revoke_proof"]),
        (1, &json!("Audio 3"))
    );
    assert_eq!(of.maps().await, known + 1);
    // The next file of this header needs no map.
    let file = "A;B;C;D;E\n1;correo;otorgado;24/10/2026;Contrato 1\n";
    let (status, view) = of.draft("&kind=consents", file).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    assert_eq!(view["difference"]["consents_granted"], 1, "{view}");
}
