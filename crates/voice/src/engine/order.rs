//! What may be asked of the signalling thread.

use crate::config::TrunkConfig;
use crate::voice::{TrunkStatus, VoiceStats};
use crate::webrtc::Peer;
use domain::ids::{AgentId, AttemptId, TransferId};
use domain::ports::{
    DialOrder, HangUpCause, LegRef, MonitorMode, PartyOrder, PlayWhat, TrunkError,
};
use tokio::sync::oneshot;

/// An order of the `Trunk` port.
pub(crate) enum Command {
    Dial(Box<DialOrder>),
    Cancel(AttemptId),
    Bridge(AttemptId, AgentId),
    Unbridge(AttemptId),
    Play(LegRef, PlayWhat),
    Hold(AttemptId, bool),
    Mute(AttemptId, bool),
    Record(AttemptId, bool),
    Dtmf(AttemptId, char),
    Monitor(AttemptId, AgentId, Option<MonitorMode>),
    InviteParty(Box<PartyOrder>),
    SeatParty(AttemptId, TransferId),
    DropParty(AttemptId, TransferId),
    HangUp(AttemptId, HangUpCause),
    OpenAgent(AgentId, String),
    CloseAgent(AgentId),
    /// The agent's browser offered: its answered connection.
    OpenBrowser(AgentId, Box<Peer>),
}

/// Everything that reaches the signalling thread from inside the product.
pub(crate) enum Order {
    Call(Command, oneshot::Sender<Result<(), TrunkError>>),
    PhoneRegistered(String, oneshot::Sender<bool>),
    SetTrunks(Vec<TrunkConfig>),
    Trunks(oneshot::Sender<Vec<TrunkStatus>>),
    Stats(oneshot::Sender<VoiceStats>),
    Shutdown(oneshot::Sender<()>),
}
