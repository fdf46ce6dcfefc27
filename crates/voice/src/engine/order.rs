//! What may be asked of the signalling thread.

use crate::config::TrunkConfig;
use crate::voice::{Spent, TrunkStatus, VoiceStats};
use crate::webrtc::Peer;
use domain::ids::{AgentId, AttemptId, TransferId, TrunkId};
use domain::ports::{
    DialOrder, HangUpCause, LegRef, MonitorMode, PartyOrder, PlayWhat, TakeOrder, TrunkError,
};
use media::cpa::prints::Known;
use std::sync::Arc;
use tokio::sync::oneshot;

/// An order of the `Trunk` port.
pub(crate) enum Command {
    Dial(Box<DialOrder>),
    /// A call that came in is the center's.
    Take(Box<TakeOrder>),
    Cancel(AttemptId),
    Bridge(AttemptId, AgentId),
    Unbridge(AttemptId),
    Play(LegRef, PlayWhat),
    /// A message that was put together elsewhere.
    Say(LegRef, Arc<[i16]>),
    /// Recordings of a trunk that are a machine for sure.
    Know(TrunkId, Arc<Known>),
    Hold(AttemptId, bool),
    Mute(AttemptId, bool),
    Record(AttemptId, bool),
    Dtmf(AttemptId, char),
    Monitor(AttemptId, AgentId, Option<MonitorMode>),
    InviteParty(Box<PartyOrder>),
    SeatParty(AttemptId, TransferId),
    DropParty(AttemptId, TransferId),
    /// What came of the transfer that an agent's phone asked for.
    AnswerTransfer(AgentId, u16, &'static str),
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
    Spent(TrunkId, Vec<Spent>),
    Trunks(oneshot::Sender<Vec<TrunkStatus>>),
    Stats(oneshot::Sender<VoiceStats>),
    Shutdown(oneshot::Sender<()>),
    /// The media threads end by a fault.
    #[cfg(test)]
    BreakMedia,
}
