//! Shapes of the socket messages (README §3): what `/ws/schema.json` describes, and what the tests
//! hold real messages against.

mod board;
mod client;
mod conduct;
mod desk;

pub use board::{
    Abandonment, AgentRow, AgentTally, Alarm, Ask, Board, CallTally, CampaignRow, InboundRow,
    Percentiles, Problem, Ratio, RatioMs, ShortRow, Totals, TrunkRow,
};
pub use client::{ClientMessage, Resume, Topic};
pub use conduct::CardDuties;
pub use desk::{
    Card, CardCampaign, CardDebt, CardDebtor, CardItem, CardObjection, CardOffer, CardPayment,
    CardPhone, CardPlan, CardPromise, CardScript, CardStep, EndedCall, Limits, Me, MeAttempt,
    Money, Named, Notice, OfferPart, PhoneState, TimelineEntry, Today,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An id: a UUID in its hyphenated text form.
pub type IdText = String;
/// Milliseconds since the Unix epoch, UTC, on the server's clock.
pub type EpochMs = i64;
/// Sums by currency: `[["MXN", minor units], …]`.
pub type Sums = Vec<(String, i64)>;

/// What the server sends; `t` names the kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerMessage {
    /// First message of every connection.
    Hello {
        /// Changes with every start of the server; cursors of another boot are void.
        boot: IdText,
        /// Server's instant.
        now: EpochMs,
        /// Role of the caller.
        role: String,
        /// Version of the protocol: 1.
        proto: u32,
    },
    /// Answer to `ping`.
    Pong {
        /// The number of the ping.
        n: u64,
        /// Server's instant.
        now: EpochMs,
    },
    /// Answer to `rtc`: either `sdp`, or why there is none.
    Rtc {
        /// The connection of the offer.
        leg: IdText,
        /// Our description; candidates are in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sdp: Option<String>,
        /// `no_phone` (browsers are not served here), `bad_offer`, `limit_reached`, `not_found`,
        /// `unavailable`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// The cursor is too old or of another boot: a `snap` of the topic follows.
    Gap {
        /// Which topic.
        topic: Topic,
    },
    /// The whole state of a topic.
    Snap(Snap),
    /// What changed in a topic since the message before; whole values of the fields that changed.
    D(Delta),
    /// The card of a call that is being given to the agent.
    Pop(Box<Card>),
    /// The card again, changed (identity ticked).
    Card(Box<Card>),
    /// A plan of the agent's was answered, accepted or ended.
    Plan {
        /// Server's instant.
        now: EpochMs,
        /// How it stands.
        plan: Box<CardPlan>,
    },
    /// A debt has stood in its stage for too long or nears its statute date, and the caller is the one who is told.
    LateCase {
        /// Server's instant.
        now: EpochMs,
        /// Whose debt.
        client: IdText,
        /// Who owes.
        debtor: IdText,
        /// Which debt.
        debt: IdText,
        /// The stage.
        stage: String,
        /// When it had to have left it.
        deadline: Option<EpochMs>,
        /// Its statute date (`YYYY-MM-DD`), where that is what is near.
        statute_date: Option<String>,
    },
    /// Money of a client moved: what shows it is read anew. Told at most four times a second; an agent is told of
    /// whom he talked with or is assigned to, and his team.
    Money {
        /// Server's instant.
        now: EpochMs,
        /// Whose money.
        client: IdText,
    },
    /// The card of a debtor to dial or skip.
    Preview(Box<PreviewCard>),
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub enum Snap {
    /// Of the agent himself.
    Me {
        /// Place in the topic.
        seq: u64,
        /// Server's instant.
        now: EpochMs,
        /// State.
        data: Box<Me>,
    },
    /// Of the board.
    Board {
        /// Place in the topic.
        seq: u64,
        /// Server's instant.
        now: EpochMs,
        /// State.
        data: Box<Board>,
    },
}

/// A change; `seq` is one more than that of the message before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub enum Delta {
    /// Of the agent himself.
    Me {
        /// Place in the topic.
        seq: u64,
        /// Server's instant.
        now: EpochMs,
        /// The changed fields of `Me`, whole.
        data: Map<String, Value>,
    },
    /// Of the board; an absent list is unchanged.
    Board(Box<BoardDelta>),
}

/// Changed rows of the board, latest value per row, at most ten times a second.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BoardDelta {
    /// Place in the topic.
    pub seq: u64,
    /// Server's instant.
    pub now: EpochMs,
    /// Agents whose state or figures changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<ShortRow>>,
    /// Agents that came, or whose other fields changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<AgentRow>>,
    /// Campaigns that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaigns: Option<Vec<CampaignRow>>,
    /// Trunks that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trunks: Option<Vec<TrunkRow>>,
    /// All alarms that are up, when one came or went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarms: Option<Vec<Alarm>>,
    /// All asks that wait, when one came or went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<Vec<Ask>>,
    /// Sums, when they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

/// A card with the item it previews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewCard {
    /// Goes into `/preview/{item}/dial` and `/skip`.
    pub item: IdText,
    /// The card.
    #[serde(flatten)]
    pub card: Card,
}

/// The document of `/ws/schema.json`: JSON Schemas of both directions.
#[must_use]
pub fn schema() -> Value {
    serde_json::json!({
        "protocol": super::PROTOCOL,
        "limits": {
            "description": "A client that sends more is closed with 1008, a longer message with 1009.",
            "messages_per_second_max": super::limits::MESSAGES_PER_S,
            "message_bytes_max": super::limits::MESSAGE_MAX_BYTES,
        },
        "client": schemars::schema_for!(ClientMessage),
        "server": schemars::schema_for!(ServerMessage),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schema_names_every_message() {
        let text = schema().to_string();
        for kind in [
            "sub",
            "ack",
            "ping",
            "hello",
            "pong",
            "gap",
            "snap",
            "pop",
            "preview",
            "rtc",
            "late_case",
            "money",
        ] {
            assert!(text.contains(&format!("\"const\":\"{kind}\"")), "{kind}");
        }
    }

    #[test]
    fn the_schema_states_the_limits() {
        let limits = &schema()["limits"];
        assert_eq!(limits["messages_per_second_max"], 20);
        assert_eq!(limits["message_bytes_max"], 65_536);
    }

    #[test]
    fn messages_of_the_contract_are_read() {
        let delta = json!({"t": "d", "topic": "board", "seq": 48212, "now": 5,
            "rows": [["8a6e0804-2bd0-4672-b79d-d97027f9071a", "wrapup", 1_795_357_190_000_i64, 41, 87, 9, 3_800_000]]});
        let read: ServerMessage = serde_json::from_value(delta.clone()).expect("a delta");
        assert_eq!(serde_json::to_value(&read).expect("plain"), delta);
        let ServerMessage::D(Delta::Board(board)) = read else {
            panic!("expected a board delta");
        };
        assert_eq!(board.rows.expect("rows")[0].3, 41);
        let gap: ServerMessage =
            serde_json::from_value(json!({"t": "gap", "topic": "me"})).expect("a gap");
        assert_eq!(gap, ServerMessage::Gap { topic: Topic::Me });
    }
}
