//! The carrier's own account: one line an INVITE, refused ones too, written when its call is over
//! (or the carrier ends), past every buffer of ours, appended to what is there. It is the truth a killed server is held
//! against. Numbers stand in it whole, since they are the invented ones of tests and demos.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::calls::Recorded;
use super::fate::Plan;
use crate::SipTestError;

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The dialer: CANCEL or BYE.
    Caller,
    /// The debtor: a refusal or BYE.
    Called,
    /// Nobody: a time-out or a broken transport.
    Network,
    /// The carrier went out of service with the call up.
    Stopped,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// INVITE, epoch ms.
    pub received_at: u64,
    /// Call-ID.
    pub call_id: String,
    /// User part of the Request-URI.
    pub number: String,
    /// User part of From.
    pub from: String,
    /// The dialer's own id of the attempt, where a header named it ([`super::ATTEMPT_HEADERS`]).
    pub attempt: Option<String>,
    /// What was to become of it.
    pub plan: Plan,
    /// The recorded call that was to be heard, where answers are recorded ([`super::Config::calls`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Recorded>,
    /// First 180 or 183, epoch ms.
    pub ringing_at: Option<u64>,
    /// 200, epoch ms.
    pub answered_at: Option<u64>,
    /// End, epoch ms.
    pub ended_at: u64,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// Final code: 200, the refusal's, 487 after CANCEL.
    pub code: u16,
    /// RTP packets that came.
    pub rtp_in: u64,
    /// RTP packets sent.
    pub rtp_out: u64,
    /// First packet that came, epoch ms.
    pub first_rtp_at: Option<u64>,
    /// First voice that came, epoch ms.
    pub first_voice_at: Option<u64>,
    /// Share of what came at the simulated agents' frequencies.
    pub agent_share: f64,
    /// Packets from a stranger's address.
    pub strangers: u64,
    /// Keys the caller's side pressed.
    pub digits: String,
}

/// An open log.
#[derive(Debug)]
pub(super) struct Log {
    file: Option<(File, PathBuf)>,
}

impl Log {
    /// Opens a log for appending; none is kept without a path.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, SipTestError> {
        let Some(path) = path else {
            return Ok(Self { file: None });
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|source| SipTestError::File {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            file: Some((file, path.to_owned())),
        })
    }

    /// Writes a line in one piece, past every buffer of ours.
    pub(super) fn write(&mut self, line: &Line) -> Result<(), SipTestError> {
        let Some((file, path)) = &mut self.file else {
            return Ok(());
        };
        let fail = |source| SipTestError::File {
            path: path.clone(),
            source,
        };
        let mut text = serde_json::to_vec(line).map_err(|e| fail(e.into()))?;
        text.push(b'\n');
        file.write_all(&text).map_err(fail)
    }
}
