//! One row of the export (columns: the contract's attempts export). Clients, campaigns, trunks and
//! agents are told by name, everything else by id.

use super::sheet_line::sheet_line;
use domain::entity::Attempt;
use domain::ids::{AgentId, CampaignId, ClientId, TrunkId};
use domain::ports::{Store, StoreError};
use domain::time::UtcMs;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Columns, in order.
pub const COLUMNS: [&str; 25] = [
    "attempt_id",
    "client",
    "campaign",
    "debtor_id",
    "debt_id",
    "point",
    "trunk",
    "caller_id",
    "node",
    "opened_at",
    "invite_at",
    "ringing_at",
    "answered_at",
    "popped_at",
    "bridged_at",
    "ended_at",
    "result",
    "sip_code",
    "q850",
    "disposition",
    "agent",
    "recording_id",
    "verdict_id",
    "pack",
    "pack_version",
];

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated, RFC 4180.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Names behind the ids of an attempt.
#[derive(Debug, Clone, Default)]
pub struct Named {
    client: String,
    campaign: Option<String>,
    trunk: String,
    agent: Option<String>,
}

/// Names already looked up: there are few of each.
#[derive(Debug, Default)]
pub struct Names {
    clients: HashMap<ClientId, String>,
    campaigns: HashMap<CampaignId, String>,
    trunks: HashMap<TrunkId, String>,
    agents: HashMap<AgentId, String>,
}

macro_rules! look_up {
    ($known:expr, $store:expr, $get:ident, $id:expr) => {{
        let id = $id;
        match $known.get(&id) {
            Some(name) => name.clone(),
            None => {
                let name = $store.$get(id).await?.name;
                $known.insert(id, name.clone());
                name
            }
        }
    }};
}

impl Names {
    /// The names of an attempt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, store: &dyn Store, attempt: &Attempt) -> Result<Named, StoreError> {
        Ok(Named {
            client: look_up!(self.clients, store, get_client, attempt.client_id),
            campaign: match attempt.campaign_id {
                Some(id) => Some(look_up!(self.campaigns, store, get_campaign, id)),
                None => None,
            },
            trunk: look_up!(self.trunks, store, get_trunk, attempt.trunk_id),
            agent: match attempt.agent_id {
                Some(id) => Some(look_up!(self.agents, store, get_agent, id)),
                None => None,
            },
        })
    }
}

fn values(attempt: &Attempt, named: &Named) -> [Value; 25] {
    let at = |instant: Option<UtcMs>| json!(instant);
    [
        json!(attempt.id),
        json!(named.client),
        json!(named.campaign),
        json!(attempt.debtor_id),
        json!(attempt.debt_id),
        json!(attempt.phone),
        json!(named.trunk),
        json!(attempt.caller_number),
        json!(attempt.node),
        json!(attempt.opened_at),
        at(attempt.invite_at),
        at(attempt.ringing_at),
        at(attempt.answered_at),
        at(attempt.popped_at),
        at(attempt.bridged_at),
        at(attempt.ended_at),
        json!(attempt.result),
        json!(attempt.sip_code),
        json!(attempt.q850),
        json!(attempt.disposition),
        json!(named.agent),
        json!(attempt.recording_id),
        json!(attempt.verdict_id),
        json!(attempt.pack),
        json!(attempt.pack_version),
    ]
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What comes before the rows.
///
/// # Errors
/// Never for these columns.
pub fn header(format: Format) -> Result<Option<Vec<u8>>, String> {
    match format {
        Format::Csv => Ok(Some(sheet_line(COLUMNS).into_bytes())),
        Format::Jsonl => Ok(None),
    }
}

/// One attempt as bytes of the export, with its line end.
///
/// # Errors
/// When it cannot be written as JSON or CSV: never for a stored one.
pub fn row(format: Format, attempt: &Attempt, named: &Named) -> Result<Vec<u8>, String> {
    let values = values(attempt, named);
    match format {
        Format::Csv => {
            let cells = values.iter().map(cell);
            Ok(sheet_line(cells).into_bytes())
        }
        Format::Jsonl => {
            let object: Map<String, Value> = COLUMNS
                .iter()
                .zip(values)
                .map(|(column, value)| ((*column).to_owned(), value))
                .collect();
            let mut line = serde_json::to_vec(&object).map_err(|e| e.to_string())?;
            line.push(b'\n');
            Ok(line)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (value, expected) in [
            (json!("+525512345678"), "525512345678"),
            (json!("=HYPERLINK(1)"), "'=HYPERLINK(1)"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("-1+1"), "'-1+1"),
            (json!("\t=1"), "\"'\t=1\""),
            (json!(-1), "'-1"),
            (json!("Mora 1–30"), "Mora 1–30"),
            (Value::Null, ""),
        ] {
            assert_eq!(sheet_line([cell(&value)]).trim_end(), expected);
        }
    }

    #[test]
    fn the_header_is_the_contract() {
        let head = header(Format::Csv).expect("csv").expect("a header");
        let text = String::from_utf8(head).expect("utf-8");
        assert!(text.starts_with("attempt_id,client,campaign,debtor_id,debt_id,point,"));
        assert!(text.ends_with(",verdict_id,pack,pack_version\r\n"));
    }
}
