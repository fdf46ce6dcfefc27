//! What a client may send.

use domain::ids::AttemptId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A stream of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The agent himself; on `/ws/agent`.
    Me,
    /// The board; on `/ws/supervisor`.
    Board,
}

/// Where a client was when its last connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// `boot` of the `hello` of that connection.
    #[schemars(with = "String")]
    pub boot: Uuid,
    /// Last `seq` seen of `me`.
    #[serde(default)]
    pub me: Option<u64>,
    /// Last `seq` seen of `board`.
    #[serde(default)]
    pub board: Option<u64>,
}

/// What a client sends; `t` names the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Asks for topics; answered by the missed deltas, or `gap` and `snap`.
    Sub {
        /// Which; a topic that the socket does not have is passed over.
        topics: Vec<Topic>,
        /// Where to go on.
        #[serde(default)]
        resume: Option<Resume>,
    },
    /// The card of this attempt is drawn.
    Ack {
        /// The attempt.
        #[schemars(with = "String")]
        attempt: AttemptId,
    },
    /// The browser offers to be its user's phone; answered by `rtc` with the same `leg`. On
    /// `/ws/supervisor` it is what he joins calls with; the leg ends 15 s after that socket, at once
    /// when he signs out. An offer while the leg is up replaces its connection, calls go on.
    Rtc {
        /// Name of the connection, made up by the client.
        #[schemars(with = "String")]
        leg: Uuid,
        /// The offer: one audio line with PCMA or PCMU, 16 kB at most.
        #[schemars(length(max = 16384))]
        sdp: String,
    },
    /// A sign of life; answered by `pong`.
    Ping {
        /// Comes back in the answer.
        n: u64,
    },
}

impl ClientMessage {
    /// Reads one text frame.
    ///
    /// # Errors
    /// What is wrong with it, in words for the close reason.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| match e.classify() {
            serde_json::error::Category::Data => format!("message does not fit: {e}"),
            _ => format!("not JSON: {e}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_contract() {
        let sub = ClientMessage::read(
            r#"{"t":"sub","topics":["me"],"resume":{"boot":"8a6e0804-2bd0-4672-b79d-d97027f9071a","me":310}}"#,
        );
        let Ok(ClientMessage::Sub { topics, resume }) = sub else {
            panic!("expected sub, got {sub:?}");
        };
        assert_eq!(topics, [Topic::Me]);
        assert_eq!(resume.and_then(|r| r.me), Some(310));
        assert_eq!(
            ClientMessage::read(r#"{"t":"ping","n":7}"#),
            Ok(ClientMessage::Ping { n: 7 })
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (text, part) in [
            ("", "not JSON"),
            ("[", "not JSON"),
            ("{}", "missing field `t`"),
            (r#"{"t":"fly"}"#, "unknown variant `fly`"),
            (r#"{"t":"ping","n":-1}"#, "does not fit"),
            (r#"{"t":"ack","attempt":"7"}"#, "does not fit"),
            (r#"{"t":"sub","topics":["all"]}"#, "unknown variant `all`"),
            (r#"{"t":"ping","n":1,"x":1}"#, "unknown field `x`"),
        ] {
            let error = ClientMessage::read(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        let deep = "[".repeat(10_000);
        assert!(ClientMessage::read(&deep).is_err());
    }
}
