//! The messages of the agent's socket, as far as an agent needs them. Unknown fields are skipped:
//! a newer server may say more.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::SipTestError;

/// Longest message taken, octets.
pub(super) const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// An amount in the smallest unit of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Money {
    /// Smallest units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A debt on a card; the amounts are there once the identity is ticked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CardDebt {
    /// Id.
    pub id: String,
    /// All of it.
    #[serde(default)]
    pub balance: Option<Money>,
    /// What is due.
    #[serde(default)]
    pub overdue: Option<Money>,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Card {
    /// Attempt it belongs to.
    #[serde(default)]
    pub attempt: Option<String>,
    /// True as long as amounts are hidden.
    #[serde(default)]
    pub gate: bool,
    /// Masked number of a caller whom nobody knows: there is nobody whose identity could be ticked.
    #[serde(default)]
    pub unknown_caller: Option<String>,
    /// Debts.
    #[serde(default)]
    pub debts: Vec<CardDebt>,
    /// What the law asks of the conversation.
    #[serde(default)]
    pub duties: CardDuties,
}

/// What the law asks of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct CardDuties {
    /// Facts to be told at the first contact.
    #[serde(default)]
    pub must_say: Vec<String>,
    /// Codes whose leaves may not be given.
    #[serde(default)]
    pub hidden_leaves: Vec<String>,
}

/// A message of the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// First of a connection.
    Hello {
        /// Changes when the server is started again.
        boot: String,
    },
    /// Answer to a ping.
    Pong,
    /// All of `me`.
    Snap {
        /// Number of the change.
        seq: u64,
        /// The server's clock, epoch ms.
        now: i64,
        /// The fields.
        data: Map<String, Value>,
    },
    /// What changed of `me`.
    Delta {
        /// Number of the change.
        seq: u64,
        /// The server's clock, epoch ms.
        now: i64,
        /// The changed fields.
        data: Map<String, Value>,
    },
    /// A card pops.
    Pop(Card),
    /// A card changed.
    Card(Card),
    /// A card to look at before the dial.
    Preview {
        /// What to dial or skip.
        item: String,
    },
    /// Something else.
    Other,
}

#[derive(Deserialize)]
struct Numbered {
    topic: String,
    seq: u64,
    now: i64,
    #[serde(default)]
    data: Map<String, Value>,
}

impl Message {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`SipTestError::Socket`] for what is no message of the contract.
    pub fn parse(text: &str) -> Result<Self, SipTestError> {
        let broken = |e: serde_json::Error| SipTestError::Socket(format!("a broken message: {e}"));
        let value: Value = serde_json::from_str(text).map_err(broken)?;
        let text_of = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let kind = text_of("t");
        Ok(match kind.as_str() {
            "hello" => Self::Hello {
                boot: text_of("boot"),
            },
            "pong" => Self::Pong,
            "pop" => Self::Pop(serde_json::from_value(value).map_err(broken)?),
            "card" => Self::Card(serde_json::from_value(value).map_err(broken)?),
            "preview" => Self::Preview {
                item: text_of("item"),
            },
            "snap" | "d" => {
                let Numbered {
                    topic,
                    seq,
                    now,
                    data,
                } = serde_json::from_value(value).map_err(broken)?;
                match (topic.as_str(), kind.as_str()) {
                    ("me", "snap") => Self::Snap { seq, now, data },
                    ("me", _) => Self::Delta { seq, now, data },
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        })
    }
}

/// The agent's own row: fields merged from a snap and the deltas after it.
#[derive(Debug, Default)]
pub(super) struct Me(Map<String, Value>);

impl Me {
    pub(super) fn replace(&mut self, data: Map<String, Value>) {
        self.0 = data;
    }

    pub(super) fn merge(&mut self, data: Map<String, Value>) {
        self.0.extend(data);
    }

    fn get(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or(&Value::Null)
    }

    pub(super) fn state(&self) -> &str {
        self.get("state").as_str().unwrap_or_default()
    }

    pub(super) fn pause_code(&self) -> &str {
        self.get("pause_code").as_str().unwrap_or_default()
    }

    /// Attempt he is in, and whether its identity is ticked.
    pub(super) fn attempt(&self) -> Option<(&str, bool)> {
        let attempt = self.get("attempt");
        let id = attempt["id"].as_str()?;
        Some((id, attempt["identity"].as_bool().unwrap_or(false)))
    }

    pub(super) fn ended_by_debtor(&self) -> bool {
        self.get("ended")["by"] == "debtor"
    }

    pub(super) fn registered(&self) -> bool {
        self.get("phone")["registered"].as_bool().unwrap_or(true)
    }

    pub(super) fn leg_up(&self) -> bool {
        self.get("phone")["leg_up"].as_bool().unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_contract_are_read() {
        let parse = |text: &str| Message::parse(text).expect("a message");
        assert_eq!(
            parse(r#"{"t":"hello","boot":"b1","now":1,"role":"agent","proto":1}"#),
            Message::Hello {
                boot: "b1".to_owned()
            }
        );
        assert_eq!(parse(r#"{"t":"pong","n":7,"now":2}"#), Message::Pong);
        let snap = parse(r#"{"t":"snap","topic":"me","seq":3,"now":9,"data":{"state":"paused"}}"#);
        assert!(matches!(snap, Message::Snap { seq: 3, now: 9, .. }));
        let other = parse(r#"{"t":"d","topic":"board","seq":3,"now":9,"rows":[]}"#);
        assert_eq!(other, Message::Other);
        assert_eq!(parse(r#"{"t":"news"}"#), Message::Other);
        let card = r#"{"t":"pop","attempt":"a1","gate":true,"campaign":{"id":"c","name":"n"},
            "debts":[{"id":"d1","balance":null,"overdue":null}],"later":1}"#;
        let Message::Pop(card) = parse(card) else {
            panic!("a card")
        };
        assert_eq!(
            (card.attempt.as_deref(), card.gate, card.debts.len()),
            (Some("a1"), true, 1)
        );
        assert!(Message::parse("{").is_err());
        assert!(Message::parse(r#"{"t":"snap","topic":"me"}"#).is_err());
    }

    #[test]
    fn a_row_is_merged_field_by_field() {
        let mut me = Me::default();
        let map = |text: &str| serde_json::from_str(text).expect("a map");
        me.replace(map(
            r#"{"state":"talking","attempt":{"id":"a1","identity":false},
                "phone":{"registered":true,"leg_up":false}}"#,
        ));
        assert_eq!(
            (me.state(), me.attempt(), me.leg_up()),
            ("talking", Some(("a1", false)), false)
        );
        me.merge(map(r#"{"state":"wrapup","ended":{"by":"debtor"}}"#));
        assert_eq!(me.attempt(), Some(("a1", false)));
        assert!(me.ended_by_debtor() && me.registered());
        me.merge(map(r#"{"attempt":null}"#));
        assert_eq!(me.attempt(), None);
    }
}
