//! Turns of a file on its way in: of this node's few, within this process, and over all processes.

use super::imports::busy;
use crate::ApiState;
use crate::importer::{FileTurn, Turn};
use crate::problem::Problem;
use domain::ids::ImportId;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A turn of the node (for what takes long), of the file in this process, and of the file over all of them.
pub(super) struct Turns {
    _node: Option<OwnedSemaphorePermit>,
    pub(super) file: Turn,
    all: FileTurn,
}

/// The turns within this process.
pub(super) struct Here {
    node: Option<OwnedSemaphorePermit>,
    file: Turn,
}

/// Whether the work takes one of the node's few turns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Long {
    Yes,
    No,
}

impl Here {
    pub(super) fn take(state: &ApiState, id: ImportId, long: Long) -> Result<Self, Problem> {
        let node = match long {
            Long::Yes => Some(Arc::clone(&state.imports).try_acquire_owned()),
            Long::No => None,
        };
        let node = node.transpose().map_err(|_| busy())?;
        let file = state.import_work.begin(id).ok_or_else(running)?;
        Ok(Self { node, file })
    }

    /// With the turn over all processes; the file's row is there.
    pub(super) async fn everywhere(self, state: &ApiState, id: ImportId) -> Result<Turns, Problem> {
        let all = state.flow().take(id).await?.ok_or_else(running)?;
        Ok(Turns {
            _node: self.node,
            file: self.file,
            all,
        })
    }
}

impl Turns {
    pub(super) async fn end(self) {
        self.all.end().await;
    }
}

fn running() -> Problem {
    Problem::conflict(
        "import_running",
        "the file is being worked on: wait for its end (a minute when a server has died over it)",
    )
}
