//! Scripts with their objections, and the tone that a template's preview tells of.

use crate::app::App;
use serde_json::{Value, json};

fn objection(key: &str) -> Value {
    json!({"key": key, "title_es": "Ya pagué", "title_en": "I have paid",
        "answer_es": "Gracias, lo reviso con {client.name}.",
        "answer_en": "Thank you, I will check it with {client.name}.",
        "stages": ["administrative"], "buckets": ["b1_30"], "excuse": "says_paid"})
}

fn step() -> Value {
    json!({"key": "saludo", "title_es": "Saludo", "title_en": "Greeting",
        "text_es": "Buenos días", "text_en": "Good morning", "before_identity": true})
}

/// The path that a refusal names.
fn place(reply: &Value) -> String {
    reply["errors"][0]["path"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn objections_are_kept_with_the_script_and_refused_by_their_place_row_22() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let client = app.world.norte.client;
    let make = async |objections: Value| {
        let body = json!({"client_id": client, "name": "Cortés", "steps": [step()],
            "objections": objections});
        app.post("/api/v1/scripts")
            .token(&token)
            .json(&body)
            .send()
            .await
    };
    let made = make(json!([objection("pague"), objection("otra")])).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text());
    let row = made.json();
    assert_eq!(row["objections"][0]["key"], "pague");
    assert_eq!(row["objections"][0]["before_identity"], json!(false));
    let path = format!("/api/v1/scripts/{}", row["id"].as_str().expect("an id"));
    let wrong = [
        ("key", json!("pague"), "objections[1].key"),
        (
            "answer_es",
            json!("No sea irresponsable."),
            "objections[1].answer_es",
        ),
        (
            "answer_en",
            json!("{debt.secret}"),
            "objections[1].answer_en",
        ),
        ("title_es", json!(""), "objections[1].title_es"),
        ("buckets", json!(["b9"]), "objections[1].buckets"),
        ("before_identity", json!(true), "objections[1].answer_es"),
    ];
    for (field, value, wanted) in wrong {
        let mut second = objection("otra");
        second[field] = value;
        let refused = make(json!([objection("pague"), second])).await;
        assert_eq!(refused.status.as_u16(), 422, "{field}: {}", refused.text());
        assert_eq!(place(&refused.json()), wanted, "{}", refused.text());
    }
    let put = async |body: Value| app.ask("PUT", &path).token(&token).json(&body).send().await;
    let body = json!({"name": "Cortés", "steps": [step()], "version": 1});
    let kept = put(body.clone()).await;
    assert_eq!(kept.status.as_u16(), 200, "{}", kept.text());
    let kept = kept.json();
    assert_eq!(kept["version"], json!(2));
    let left = kept["objections"].as_array().expect("a list").len();
    assert_eq!(left, 2, "they stay when absent");
    assert_eq!(put(body).await.code(), "version_conflict");
    let none = json!({"name": "Cortés", "steps": [step()], "objections": [], "version": 2});
    let cleared = put(none).await.json();
    assert_eq!(
        (&cleared["objections"], &cleared["version"]),
        (&json!([]), &json!(3))
    );
}

#[tokio::test]
async fn a_preview_tells_which_tone_the_stage_chooses_and_why_row_17() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let save = async |tone: &str| {
        let body = json!({"client_id": own.client, "name": "saldo", "channel": "sms",
            "language": "es", "tone": tone, "body": "Hola {debtor.first_name}, llámenos."});
        let made = app
            .post("/api/v1/text-templates")
            .token(&token)
            .json(&body)
            .send()
            .await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.text());
        made.json()["id"].as_str().expect("an id").to_owned()
    };
    let soft = save("courteous").await;
    let path = format!("/api/v1/text-templates/{soft}/preview");
    let look = async || {
        let ask = json!({"debtor_id": own.debtor});
        let shown = app.post(&path).token(&token).json(&ask).send().await;
        assert_eq!(shown.status.as_u16(), 200, "{}", shown.text());
        shown.json()["rows"][0]["choice"].clone()
    };
    let one = look().await;
    let (stage, wanted) = (one["stage"].clone(), one["wanted"].clone());
    assert_eq!(
        (&one["why"], &one["tone"]),
        (&json!("house"), &json!("courteous")),
        "{one}"
    );
    assert_ne!(wanted, json!("courteous"), "his debt is overdue: {one}");
    assert_eq!(one["template_id"], json!(soft));
    let own_tone = save(wanted.as_str().expect("a tone")).await;
    let two = look().await;
    assert_eq!(
        (&two["tone"], &two["template_id"]),
        (&wanted, &json!(own_tone)),
        "{two}"
    );
    let mut terms =
        serde_json::to_value(domain::rules::offers::ClientTerms::default()).expect("terms");
    for rule in terms["stages"].as_array_mut().expect("a list") {
        if rule["stage"] == stage {
            rule["tone"] = json!("courteous");
        }
    }
    let at = format!("/api/v1/clients/{}/terms", own.client);
    let body = json!({"after": 0, "terms": terms, "note": "x"});
    let kept = app.ask("PUT", &at).token(&token).json(&body).send().await;
    assert!(kept.status.is_success(), "{}", kept.text());
    let three = look().await;
    assert_eq!(
        (&three["why"], &three["tone"]),
        (&json!("terms"), &json!("courteous")),
        "{three}"
    );
}
