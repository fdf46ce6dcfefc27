//! For every route a path and a body that fit.

use crate::world::{Own, World};
use serde_json::{Value, json};

/// A path with the ids of `own`.
pub(crate) fn path_for(path: &str, own: &Own, world: &World) -> String {
    let kind = path.strip_prefix("/api/v1/").unwrap_or(path);
    let kind = kind.split('/').next().unwrap_or("");
    let id = match kind {
        "clients" => own.client.to_string(),
        "portfolios" => own.portfolio.to_string(),
        "debts" => own.debt.to_string(),
        "points" => own.point.to_string(),
        "consents" => own.consent.to_string(),
        "holds" => own.hold.to_string(),
        "law-overrides" => own.relaxed.to_string(),
        "suppressions" => own.suppression.to_string(),
        "preferences" => own.preference.to_string(),
        "dnc-lists" => own.dnc_list.to_string(),
        "complaints" => own.complaint.to_string(),
        "campaign-versions" => own.version.to_string(),
        "scripts" => own.script.to_string(),
        "segments" => own.segment.to_string(),
        "campaigns" => own.campaign.to_string(),
        "caller-ids" => own.caller_id.to_string(),
        "debtors" => own.debtor.to_string(),
        "payments" => own.payment.to_string(),
        "promises" => own.promise.to_string(),
        "attempts" | "preview" => own.attempt.to_string(),
        "calls" if path.matches('/').count() > 4 => own.attempt.to_string(),
        "calls" => own.call.to_string(),
        "recordings" => own.recording.to_string(),
        "verdicts" => own.verdict.to_string(),
        "teams" => world.team.to_string(),
        "trunks" => world.trunk.to_string(),
        "agents" => world.agent.to_string(),
        "users" => world.agent_user.to_string(),
        _ => own.client.to_string(),
    };
    let path = path
        .replace("{id}", &id)
        .replace("{code}", "CD.NP.NOQUIERE")
        .replace("{kind}", "stage_late")
        .replace("{key}", "rpc_rate");
    match kind {
        "reports" if path.ends_with("/excuses") => format!(
            "{path}?client={}&since=2026-11-01T00:00:00.000Z&until=2026-12-01T00:00:00.000Z",
            own.client
        ),
        "excuses" | "letters" if !path.contains(&id) => format!("{path}?debtor={}", own.debtor),
        "letter-templates" => format!("{path}?client={}", own.client),
        "reports" | "export" if path.contains("/kpis") => format!("{path}?client={}", own.client),
        "reports" if path.contains("/departures") => format!("{path}?client={}", own.client),
        "reports" if path.ends_with("/costs") => format!("{path}?client={}", own.client),
        "morning-review" | "morning-list" => format!("{path}?client={}", own.client),
        "goals" if !path.contains(&id) => format!("{path}?client={}", own.client),
        "bank-files" if !path.contains(&id) => format!("{path}?client={}", own.client),
        "verdicts" if path.ends_with("/verdicts") => format!("{path}?debtor={}", own.debtor),
        "campaigns" if path.ends_with("/message/sound") => format!("{path}?language=es"),
        "campaigns" if path.ends_with("/why-not/debtors") => {
            format!("{path}?reason=later.blocked_cap")
        }
        "debtors" if path.ends_with("/debtors") => format!("{path}?q=D-1"),
        "imports" if path.ends_with("/imports/maps") => {
            format!("{path}?portfolio={}", own.portfolio)
        }
        "imports" if path.ends_with("/imports") => {
            format!(
                "{path}?client={}&portfolio=Tarjetas&dry_run=true",
                own.client
            )
        }
        _ => path,
    }
}

/// A body that fits the route, about the rows of `own`; `None` where none is needed.
pub(crate) fn body_for(method: &str, path: &str, own: &Own, world: &World) -> Option<Value> {
    let route = format!("{method} {}", path.strip_prefix("/api/v1").unwrap_or(path));
    if route == "POST /imports/{id}/accept" {
        return Some(json!({"gone": "keep"}));
    }
    [
        catalog(own),
        people(world),
        money(own),
        work(own),
        told(own),
        agreed(own),
    ]
    .iter()
    .find_map(|bodies| bodies.get(&route).cloned())
}

fn catalog(own: &Own) -> Value {
    let steps = json!([{"key": "a", "title_es": "A", "title_en": "A", "text_es": "a",
        "text_en": "a", "before_identity": true}]);
    json!({
        "POST /clients": {"name": "Norte", "callback_number": "+525550000001"},
        "PUT /clients/{id}": {"name": "Norte", "callback_number": "+525550000001"},
        "POST /portfolios": {"client_id": own.client, "name": "Otra", "currency": "MXN",
            "creditor_kind": "financial", "zone": "America/Mexico_City"},
        "PUT /portfolios/{id}": {"name": "Otra", "currency": "MXN",
            "creditor_kind": "financial", "zone": "America/Mexico_City"},
        "POST /portfolios/{id}/interest": {"rate_bp": 3600, "year_days": 360, "cap_bp": null},
        "POST /addresses": {"debtor_id": own.debtor, "source": "agent", "address":
            {"street": "Calle 1", "city": "Puebla", "country": "MX", "zone": null}},
        "PUT /addresses/{id}": {"street": "Calle 1", "city": "Puebla", "country": "MX", "zone": null},
        "POST /debts": {"debtor_id": own.debtor, "external_ref": "C-9", "product": "tarjeta",
            "currency": "MXN", "principal_minor": 1, "interest_minor": 0, "fees_minor": 0,
            "overdue_minor": 1, "minimum_minor": 1, "due_date": "2026-10-01"},
        "PUT /debts/{id}": {"external_ref": "C-9", "product": "tarjeta", "currency": "MXN",
            "principal_minor": 1, "interest_minor": 0, "fees_minor": 0, "overdue_minor": 1,
            "minimum_minor": 1, "due_date": "2026-10-01", "statute_date": "2029-10-01", "status": "open"},
        "PUT /debts/{id}/items": {"items": []},
        "POST /points": {"debtor_id": own.debtor, "value": "+525533334444"},
        "PUT /points/{id}": {"value": "+525511112222", "class": "home", "role": "titular",
            "authorised": true, "given_by_debtor": true, "position": 1, "bad": false,
            "confidence": 50},
        "POST /consents": {"debtor_id": own.debtor, "channel": "call", "purpose": "contact",
            "proof": "x"},
        "POST /law-overrides": {"debtor_id": own.debtor, "rule": "us-federal/reg_f_7in7", "reason": "x"},
        "POST /preferences": {"debtor_id": own.debtor, "kind": "not_between", "from": "13:00",
            "to": "14:00", "proof": "x"},
        "POST /complaints": {"debtor_id": own.debtor, "authority": "SIC", "number": "9",
            "deadline": "2026-12-10", "summary": "x"},
        "POST /complaints/{id}/answer": {"answer": "x"},
        "POST /holds": {"debtor_id": own.debtor, "kind": "dispute", "evidence": "x"},
        "POST /suppressions": {"kind": "phone", "value": "+525512340000", "reason": "list",
            "client_id": own.client},
        "POST /scripts": {"client_id": own.client, "name": "Otro", "steps": steps},
        "PUT /scripts/{id}": {"name": "Otro", "steps": steps},
        "POST /caller-ids": {"client_id": own.client, "number": "+525550000099",
            "country": "MX", "registered": false, "enabled": false},
        "PUT /placements/{id}": {"placed_on": "2026-11-23", "recall_on": null, "fee_bp": 1250},
        "POST /debtors/{id}/merge": {"from": own.client},
        "PUT /caller-ids/{id}": {"number": "+525550000099", "country": "MX",
            "registered": false, "enabled": false},
    })
}

fn people(world: &World) -> Value {
    json!({
        "POST /teams": {"name": "Otro"},
        "PUT /teams/{id}": {"name": "Otro"},
        "POST /agents": {"user_id": world.spare_user, "name": "Eva", "sip_user": "eva"},
        "PUT /agents/{id}": {"name": "Ana", "sip_user": "ana", "team_id": null,
            "campaigns": [], "skills": []},
        "POST /users": {"username": "otra", "display_name": "Otra", "role": "agent"},
        "PUT /users/{id}": {"display_name": "Ana", "role": "agent", "client_id": null,
            "active": true},
        "PUT /trunks/{id}": {"channels": 30, "cps": 5, "enabled": true},
        "POST /api-keys": {"name": "k", "role": "manager"},
        "POST /me/password": {"old": "not the one", "new": "another password"},
        "POST /me/totp/confirm": {"secret": "JBSWY3DPEHPK3PXP", "otp": "000000"},
        "POST /sessions": {"username": "nobody", "password": "x"},
    })
}

fn money(own: &Own) -> Value {
    json!({
        "POST /payments": {"debtor_id": own.debtor, "debt_id": own.debt, "channel": "cash",
            "amount": {"amount_minor": 100, "currency": "MXN"},
            "paid_at": "2026-11-23T15:00:00.000Z", "reference": "r-9"},
        "POST /payments/{id}/reverse": {"reference": "rev-9", "reason": "x"},
        "POST /receipts": {"client_id": own.client, "channel": "transfer", "reference": "b-9",
            "amount": {"amount_minor": 100, "currency": "MXN"},
            "paid_at": "2026-11-23T15:00:00.000Z", "concept": "sin nombre"},
        "POST /receipts/{id}/match": {"debtor_id": own.debtor},
        "POST /receipts/{id}/unmatch": {"reason": "x"},
        "POST /receipts/{id}/return": {"reason": "x"},
        "PUT /clients/{id}/money-policy": {"spread": "by_debt", "parts": "fees_first",
            "creditor_data": "Banco Norte, CLABE 0001", "after_version": 0},
        "PUT /clients/{id}/law": {"terms": {"strict_mode": true, "windows": [], "caps": []},
            "after_version": 0},
        "POST /payment-links/{id}/send": {"channel": "sms"},
        "POST /payment-links": {"debt_id": own.debt,
            "amount": {"amount_minor": 100, "currency": "MXN"}},
    })
}

fn work(own: &Own) -> Value {
    json!({
        "POST /segments": {"client_id": own.client, "name": "Todos", "expression": "all"},
        "PUT /segments/{id}": {"name": "Todos", "expression": "all"},
        "POST /segments/preview": {"client_id": own.client, "expression": "all"},
        "POST /campaigns": {"client_id": own.client, "name": "Otra", "segment_id": own.segment},
        "PATCH /campaigns/{id}": {"name": "Otra"},
        "POST /campaign-templates": {"client_id": own.client, "name": "Suave",
            "params": {"mode": "preview"}},
        "PUT /campaign-templates/{id}": {"name": "Suave"},
        "POST /assignments": {"debtors": [own.debtor], "campaign_id": own.campaign},
        "POST /caller-ids/{id}/rest": {"minutes": 60},
        "POST /campaigns/{id}/versions": {"note": "x"},
        "POST /campaigns/{id}/rollback": {"version": 1, "note": "x"},
        "POST /campaigns/{id}/copy": {"name": "Copia"},
        "POST /campaigns/{id}/message/approve": {"message": "agentless"},
        "POST /rulepacks/dry-run": {"pack": "{}", "client_id": own.client},
        "POST /campaigns/{id}/simulate": {"agents": 3, "params": {"mode": "predictive"}},
        "POST /agents/me/state": {"state": "paused", "code": "break"},
        "POST /agents/{id}/state": {"state": "paused", "code": "break"},
        "POST /attempts/{id}/identity": {"role": "titular"},
        "POST /attempts/{id}/caller/search": {"q": "Ana"},
        "POST /attempts/{id}/caller": {"debtor_id": own.debtor, "keep_number": true},
        "POST /attempts/{id}/hold": {"on": true},
        "POST /attempts/{id}/mute": {"on": true},
        "POST /attempts/{id}/dtmf": {"digit": "5"},
        "POST /attempts/{id}/disposition": {"code": "NC.NR"},
        "POST /calls/{id}/card": {"open": true},
        "POST /calls/{id}/monitor": {"mode": "listen"},
        "POST /recordings/{id}/hold": {"reason": "oficio 12/2026"},
        "POST /recordings/{id}/release": {"reason": "cerrado"},
        "POST /attempts/{id}/transfer": {"to": {"number": "+525555550001"}, "mode": "attended"},
        "POST /attempts/{id}/transfer/conference": {"on": true},
        "POST /debtors/{id}/dial": {"point_id": own.point},
        "PUT /dispositions/{code}": {"label_es": "No quiere", "label_en": "Refuses"},
    })
}

/// The floor, the detector, messages and strategies.
fn told(own: &Own) -> Value {
    let strategy = json!({"client_id": own.client, "name": "Preventiva", "trigger": "due_date",
        "steps": [{"key": "d-2", "offset_days": -2, "at": "10:00", "action": "review"}]});
    let rule = json!({"name": "Todo", "position": 1, "segment_id": own.segment,
        "target": "queue", "campaign_id": own.campaign, "enabled": true});
    json!({
        "POST /attempts/{id}/heard": {"truth": "person"},
        "POST /voicemail-templates": {"client_id": own.client, "name": "corto", "language": "es",
            "parts": [{"kind": "text", "text": "Llame al {number}"}], "person": "Ana"},
        "PUT /voicemail-templates/{id}": {"name": "corto", "language": "es",
            "parts": [{"kind": "number"}], "person": "Ana"},
        "POST /voicemail-templates/{id}/approve": {"version": 1},
        "POST /callbacks/move": {"campaign_id": own.campaign, "debtor_id": own.debtor,
            "at": "2026-11-24T16:00:00.000Z", "agent_id": null},
        "POST /callbacks/cancel": {"campaign_id": own.campaign, "debtor_id": own.debtor,
            "reason": "x"},
        "POST /assignment-rules": {"client_id": own.client, "rule": rule},
        "PUT /assignment-rules/{id}": rule,
        "POST /assignment-rules/apply": {"client_id": own.client},
        "PUT /reports/costs": {"client_id": own.client, "attempt_minor": 35, "minute_minor": 120},
        "POST /goals": {"client_id": own.client, "kind": "promises", "target": 40,
            "from_day": "2026-11-01", "to_day": "2026-11-30"},
        "PUT /goals/{id}": {"client_id": own.client, "kind": "promises", "target": 40,
            "from_day": "2026-11-01", "to_day": "2026-11-30"},
        "POST /text-templates": {"client_id": own.client, "name": "aviso", "channel": "sms",
            "language": "es", "tone": "courteous", "body": "Hola {debtor.first_name}"},
        "PUT /text-templates/{id}": {"client_id": own.client, "name": "aviso", "channel": "sms",
            "language": "es", "tone": "firm", "body": "Hola {debtor.name}"},
        "POST /text-templates/{id}/preview": {"debtor_id": own.debtor},
        "POST /messages": {"debtor_id": own.debtor, "channel": "sms", "text": "Hola"},
        "POST /inbox/{id}/answer": {"text": "Gracias"},
        "POST /strategies": strategy,
        "PUT /strategies/{id}": strategy,
        "POST /strategies/{id}/trial": {"days": 7},
        "POST /planned-steps/{id}/end": {"done": true, "note": "x"},
    })
}

/// Terms, plans, stages, letters.
fn agreed(own: &Own) -> Value {
    let terms = serde_json::to_value(domain::rules::offers::ClientTerms::default()).expect("terms");
    let text = json!({"client_id": own.client, "level": "L1", "language": "es", "after": 0,
        "letterhead": "Norte", "subject": "Su cuenta", "body": "Estimado {debtor.name}:"});
    json!({
        "PUT /clients/{id}/terms": {"after": 0, "terms": terms, "note": "x"},
        "POST /debtors/{id}/visits": {"address_id": own.client, "at": "2026-11-24T16:00:00.000Z"},
        "POST /claims/{id}/found": {"payment_id": own.client},
        "POST /claims/{id}/not-found": {"reason": "x"},
        "POST /visits/{id}/record": {"outcome": "nobody", "visited_at": "2026-11-23T16:00:00.000Z"},
        "POST /visits/{id}/cancel": {"reason": "x"},
        "POST /plans": {"debtor_id": own.debtor, "offer": "six_months"},
        "POST /plans/{id}/answer": {"yes": true, "reason": "x"},
        "POST /plans/{id}/cancel": {"reason": "x"},
        "POST /debts/{id}/stage": {"stage": "administrative", "reason": "x"},
        "POST /attempts/{id}/excuse": {"kind": "forgot"},
        "POST /letter-templates": text,
        "POST /letter-templates/preview": {"debtor_id": own.debtor, "text": text},
        "POST /letter-batches": {"segment_id": own.segment, "level": "L1"},
    })
}
