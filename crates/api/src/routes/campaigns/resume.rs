//! Files whose work broke off with the process that did it: the next server goes on with them where they were.

use super::drafts::read_kept;
use super::turns::{Here, Long};
use crate::ApiState;
use crate::importer::Turn;
use crate::problem::Problem;
use domain::entity::{Import, ImportState};
use domain::ports::store::{PAGE_LIMIT_MAX, PageRequest};

/// Who goes on.
const ACTOR: &str = "system";

/// Whether something of the file is left to do that can be done without a person.
fn is_half(row: &Import) -> bool {
    match row.state {
        ImportState::Reading => row.bytes > 0,
        ImportState::Accepting | ImportState::Undoing => true,
        ImportState::Accepted => row.merges,
        _ => false,
    }
}

impl ApiState {
    /// Goes on with files, among the newest 500, whose work broke off: what was being read is read again, what was
    /// being written or taken back is brought to its end. What somebody works on is left alone. A file that breaks
    /// off again is tried three times by one process, then it waits for a person. Where the acceptance asked for it,
    /// debtor files of one document become one, as they would have. Returns how many files it brought to their end.
    pub async fn resume_imports(&self) -> u64 {
        let page = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor: None,
        };
        let rows = match self.store.imports_page(None, None, &page).await {
            Ok(rows) => rows.items,
            Err(error) => {
                tracing::debug!(reason = %error, "files that broke off: asked again later");
                return 0;
            }
        };
        let mut done = 0;
        for row in rows.iter().filter(|row| is_half(row)) {
            match self.resume(row).await {
                Ok(true) => done += 1,
                Ok(false) => {}
                Err(fault) => {
                    tracing::warn!(import = %row.id, code = fault.code(), "import broke off again");
                }
            }
        }
        done
    }

    /// Whether it was brought to its end.
    async fn resume(&self, row: &Import) -> Result<bool, Problem> {
        // Busy here, or with somebody elsewhere: not broken off.
        let Ok(here) = Here::take(self, row.id, Long::Yes) else {
            return Ok(false);
        };
        let Ok(turns) = here.everywhere(self, row.id).await else {
            return Ok(false);
        };
        let again = self.store.get_import(row.id).await.map_err(Problem::from);
        let done = match again {
            Ok(row) if is_half(&row) && self.import_work.may_try(row.id) => {
                tracing::info!(import = %row.id, state = %row.state, "import goes on");
                self.go_on(row, &turns.file).await.map(|()| true)
            }
            Ok(_) => Ok(false),
            Err(fault) => Err(fault),
        };
        turns.end().await;
        done
    }

    async fn go_on(&self, mut row: Import, file: &Turn) -> Result<(), Problem> {
        let flow = self.flow();
        match row.state {
            ImportState::Reading => {
                read_kept(self.clone(), ACTOR.to_owned(), row, file.told()).await?;
            }
            ImportState::Accepted => flow.merge(&mut row).await?,
            ImportState::Undoing => {
                flow.undo(&mut row).await?;
                flow.save(&row, ACTOR, "import.undone").await?;
            }
            _ => {
                let written = flow.write(&row, file.told()).await;
                let mut row = written.map_err(super::imports::problem)?;
                flow.accept(&mut row, ACTOR).await?;
            }
        }
        Ok(())
    }
}
