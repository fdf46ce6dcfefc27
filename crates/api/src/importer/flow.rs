//! The way of a file: kept in pieces, read and shown as a difference, written, taken back. The routes and
//! the command line go the same way.

use super::{ImportError, ImportJob, detect, head, run};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::entity::{
    GonePolicy, Import, ImportKind, ImportMap, ImportState, Merge, Portfolio, import_map_id,
};
use domain::event::NewEvent;
use domain::ids::{EventId, ImportId, MergeId, PersonId, PlacementId};
use domain::import::ColumnMap;
use domain::ports::store::{DebtorRow, ImportReport, RowFault};
use domain::ports::{Clock, IdSource, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

/// Refused rows kept with an import; `marcador import --report` writes all.
pub const FAULTS_MAX: usize = 200;
/// Bytes of a piece of a file.
const PIECE_BYTES: usize = 192 * 1024;
/// Longest name of a file, characters.
const NAME_CHARS: usize = 200;
/// Persons whose files are made one before what was done is kept.
const MERGED_AT_ONCE: u32 = 50;

/// What carries a file along.
#[derive(Clone)]
pub struct Flow {
    /// Where it is kept.
    pub store: Arc<dyn Store>,
    /// Identities.
    pub ids: Arc<dyn IdSource>,
    /// The product's clock.
    pub clock: Arc<dyn Clock>,
}

impl Flow {
    /// A new file's row; `map` is JSON, null to detect.
    #[must_use]
    pub fn begin(
        &self,
        (portfolio, kind): (&Portfolio, ImportKind),
        name: &str,
        map: serde_json::Value,
        actor: String,
    ) -> Import {
        let now = self.clock.now();
        Import {
            id: ImportId(self.ids.next(now)),
            client_id: portfolio.client_id,
            portfolio_id: portfolio.id,
            kind,
            file_name: name.chars().take(NAME_CHARS).collect(),
            state: ImportState::Reading,
            map,
            gone: GonePolicy::Keep,
            at: now,
            accepted_at: None,
            undone_at: None,
            rows_done: 0,
            difference: ImportReport::default(),
            report: ImportReport::default(),
            faults: Vec::new(),
            actor,
            bytes: 0,
            placement_id: None,
            merges: false,
        }
    }

    /// Writes the row with what was done to it, as an entry of the audit and as an event of the portfolio.
    ///
    /// # Errors
    /// The store's.
    pub async fn save(&self, row: &Import, actor: &str, action: &str) -> Result<(), StoreError> {
        let subject = format!("import:{}", row.id);
        let data = serde_json::json!({ "action": action });
        let mut events = vec![self.event(row, actor, domain::event::AUDIT_KIND, &subject, data)];
        let told = match row.state {
            ImportState::Ready => Some(("import.previewed", &row.difference)),
            ImportState::Accepted => Some(("portfolio.imported", &row.report)),
            ImportState::Undone => Some(("import.reverted", &row.report)),
            _ => None,
        };
        if let Some((kind, report)) = told {
            let mut counts = report.clone();
            // Values may be personal data: an event has the counts alone.
            counts.changes.clear();
            let data = serde_json::json!({ "import": row.id, "report": counts });
            let subject = format!("portfolio:{}", row.portfolio_id);
            events.push(self.event(row, actor, kind, &subject, data));
        }
        self.store.put_import(row, &events).await
    }

    fn event(
        &self,
        row: &Import,
        actor: &str,
        kind: &str,
        subject: &str,
        data: serde_json::Value,
    ) -> NewEvent {
        let now = self.clock.now();
        NewEvent {
            id: EventId(self.ids.next(now)),
            at: now,
            client_id: Some(row.client_id),
            actor: actor.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            data,
        }
    }

    /// Keeps a file piece by piece; its size then says that it is whole.
    ///
    /// # Errors
    /// When the input breaks off or the store fails.
    pub async fn keep(
        &self,
        row: &mut Import,
        mut input: impl AsyncRead + Unpin,
    ) -> Result<(), ImportError> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut bytes = 0;
        for n in 0_i64.. {
            let (filled, _) = super::fill(&mut input, &mut piece).await?;
            if filled == 0 {
                break;
            }
            let text = STANDARD.encode(&piece[..filled]);
            self.store.add_piece(row.id, n, &text).await?;
            bytes += i64::try_from(filled).unwrap_or(0);
        }
        row.bytes = bytes;
        self.store.put_import(row, &[]).await?;
        Ok(())
    }

    /// The kept file as a stream.
    fn kept(&self, id: ImportId) -> impl AsyncRead + Unpin + Send + use<> {
        let store = Arc::clone(&self.store);
        let pieces = futures::stream::try_unfold(0_i64, move |n| {
            let store = Arc::clone(&store);
            async move {
                let fault = |text: String| std::io::Error::other(text);
                let piece = store.piece(id, n).await.map_err(|e| fault(e.to_string()))?;
                let Some(text) = piece else { return Ok(None) };
                let bytes = STANDARD.decode(text).map_err(|e| fault(e.to_string()))?;
                Ok::<_, std::io::Error>(Some((axum::body::Bytes::from(bytes), n + 1)))
            }
        });
        StreamReader::new(Box::pin(pieces))
    }

    /// The job of a file.
    async fn job(&self, row: &Import, dry_run: bool) -> Result<ImportJob, ImportError> {
        Ok(ImportJob {
            import_id: row.id,
            client: row.client_id,
            portfolio: self.store.get_portfolio(row.portfolio_id).await?,
            kind: row.kind,
            map: map_of(row)?,
            dry_run,
            actor: row.actor.clone(),
            gone: Some(row.gone),
            resume_after: u64::try_from(row.rows_done).unwrap_or(0),
        })
    }

    /// Reads the kept file against what is stored; the row then shows what it would change. A file without
    /// a map takes the one that its portfolio remembers for this header.
    ///
    /// # Errors
    /// When the file cannot be read at all, or the store fails.
    pub async fn read(
        &self,
        row: &mut Import,
        mut on_fault: impl FnMut(&RowFault) + Send,
        on_progress: impl FnMut(u64) + Send,
    ) -> Result<(), ImportError> {
        if row.map.is_null() {
            let none = ColumnMap::default();
            let (fingerprint, _) = self.header(row, none).await?;
            let known = self.store.import_map(row.portfolio_id, &fingerprint).await;
            if let Some(known) = known? {
                row.map = known.map;
            }
        }
        let job = self.job(row, true).await?;
        let mut faults = Vec::new();
        let note = |fault: &RowFault| {
            if faults.len() < FAULTS_MAX {
                faults.push(fault.clone());
            }
            on_fault(fault);
        };
        let (ids, input) = (Arc::clone(&self.ids), self.kept(row.id));
        let report = run(
            &*self.store,
            ids,
            &*self.clock,
            job,
            input,
            note,
            on_progress,
        )
        .await?;
        row.state = ImportState::Ready;
        row.difference = report;
        row.faults = faults;
        Ok(())
    }

    /// Rows of the kept file, spread over it, of every `every`-th line and at most so many: what it says, without a look
    /// at what is stored.
    ///
    /// # Errors
    /// When the file cannot be read at all, or the store fails.
    pub async fn sample(
        &self,
        row: &Import,
        every: u64,
        most: usize,
    ) -> Result<Vec<DebtorRow>, ImportError> {
        let job = self.job(row, true).await?;
        let with = (&*self.store, &*self.ids, &*self.clock);
        super::sample::rows(with, &job, self.kept(row.id), (every, most)).await
    }

    /// Fingerprint and names of a kept file's header.
    async fn header(
        &self,
        row: &Import,
        mut given: ColumnMap,
    ) -> Result<(String, Vec<String>), ImportError> {
        let bytes = head(self.kept(row.id), &mut given).await?;
        let shape = detect(row.kind, &bytes, Some(&given))?;
        Ok((shape.fingerprint, shape.columns))
    }

    /// Writes what the difference shows; goes on behind the last batch when it broke off. The caller has
    /// saved the row as `accepting`, and saves the one that comes back ([`Self::accept`]): then all of it is seen at once (on SQLite,
    /// of more than [`ASIDE_AT_ONCE`](domain::ports::store::ASIDE_AT_ONCE) changed rows, the first are seen before).
    ///
    /// # Errors
    /// When the file cannot be read, or the store fails: it stays `accepting`.
    pub async fn write(
        &self,
        row: &Import,
        on_progress: impl FnMut(u64) + Send,
    ) -> Result<Import, ImportError> {
        let job = self.job(row, false).await?;
        let (ids, input) = (Arc::clone(&self.ids), self.kept(row.id));
        let done = run(
            &*self.store,
            ids,
            &*self.clock,
            job,
            input,
            |_| (),
            on_progress,
        )
        .await?;
        // What is left of what was kept aside is written with the row that says that the file is in.
        while self.store.write_aside(row.id, self.clock.now()).await? {}
        let whole = row.rows_done == 0;
        let mut row = self.store.get_import(row.id).await?;
        if whole {
            row.report = done.clone();
        }
        // What was written before it broke off stands in the stored row.
        row.report.rows = done.rows;
        row.report.refused = done.refused;
        row.report.gone = done.gone;
        row.report.recalled = done.recalled;
        row.report.repaired = done.repaired;
        self.remember(&row).await?;
        row.state = ImportState::Accepted;
        row.accepted_at = Some(self.clock.now());
        Ok(row)
    }

    /// Saves what [`Self::write`] has written, and the kept file goes; then [`Self::merge`]. Not before: a file that
    /// breaks off is taken back, and what it made of others' files with it would stay.
    ///
    /// # Errors
    /// The store's. The file is in when the row says so, even where merging breaks off.
    pub async fn accept(&self, row: &mut Import, actor: &str) -> Result<(), StoreError> {
        self.save(row, actor, "import.accepted").await?;
        self.store.drop_pieces(row.id).await?;
        self.merge(row).await
    }

    /// Makes one of debtor files of one document, where the file was accepted so and it is not done yet.
    ///
    /// # Errors
    /// The store's; taken up again by calling it again.
    pub async fn merge(&self, row: &mut Import) -> Result<(), StoreError> {
        if !row.merges {
            return Ok(());
        }
        let mut after = None;
        loop {
            let mut done = 0;
            let page = self.merge_some(row, after, &mut done).await;
            if done > 0 {
                // Kept as it goes: who goes on behind a fault counts what is left alone.
                row.report.merged += done;
                self.store.put_import(row, &[]).await?;
            }
            after = page?;
            if after.is_none() {
                break;
            }
        }
        row.merges = false;
        self.store.put_import(row, &[]).await
    }

    /// The portfolio remembers the map of an accepted file.
    async fn remember(&self, row: &Import) -> Result<(), ImportError> {
        let Some(map) = map_of(row)? else {
            return Ok(());
        };
        let (fingerprint, columns) = self.header(row, map).await?;
        let known = ImportMap {
            id: import_map_id(row.portfolio_id, &fingerprint),
            client_id: row.client_id,
            portfolio_id: row.portfolio_id,
            fingerprint,
            columns,
            map: row.map.clone(),
            used_at: self.clock.now(),
            actor: row.actor.clone(),
        };
        Ok(self.store.put_import_map(&known, &[]).await?)
    }

    /// Takes back what the file did. The caller has saved the row as `undoing`.
    ///
    /// # Errors
    /// The store's; taken up again by calling it again.
    pub async fn undo(&self, row: &mut Import) -> Result<(), StoreError> {
        let now = self.clock.now();
        while self.store.undo_step(row.id, now).await?.more {}
        self.store.drop_pieces(row.id).await?;
        row.state = ImportState::Undone;
        row.merges = false;
        row.undone_at = Some(self.clock.now());
        Ok(())
    }

    /// Makes one of the debtor files of a portfolio that have the same document, of the next persons behind `after`: the
    /// oldest file stays. Who is being called at the moment is left alone. `done` counts them, also where it breaks off;
    /// the last person looked at, `None` behind the last.
    async fn merge_some(
        &self,
        row: &Import,
        after: Option<PersonId>,
        done: &mut u64,
    ) -> Result<Option<PersonId>, StoreError> {
        let page = self
            .store
            .duplicates(row.portfolio_id, after, MERGED_AT_ONCE)
            .await?;
        for found in &page {
            let Some((kept, others)) = found.debtors.split_first() else {
                continue;
            };
            for gone in others {
                let now = self.clock.now();
                let merge = Merge {
                    id: MergeId(self.ids.next(now)),
                    client_id: row.client_id,
                    kept_id: *kept,
                    gone_id: *gone,
                    at: now,
                    actor: row.actor.clone(),
                    undone_at: None,
                    undone_by: None,
                    moved: BTreeMap::new(),
                };
                let told = [self.merged(&merge)];
                match self.store.merge_debtors(&merge, &told).await {
                    Ok(_) => *done += 1,
                    Err(StoreError::Conflict(_)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(page.last().map(|found| found.person))
    }

    /// The event of a merge.
    pub(crate) fn merged(&self, row: &Merge) -> NewEvent {
        NewEvent {
            id: EventId(self.ids.next(row.at)),
            at: row.at,
            client_id: Some(row.client_id),
            actor: row.actor.clone(),
            kind: "debtor.merged".to_owned(),
            subject: format!("debtor:{}", row.kept_id),
            data: serde_json::json!({ "merge": row.id, "from": row.gone_id }),
        }
    }

    /// Recalls what is open of a placement.
    ///
    /// # Errors
    /// The store's; taken up again by calling it again.
    pub async fn recall(&self, placement: PlacementId) -> Result<u64, StoreError> {
        let mut recalled = 0;
        loop {
            let now = self.clock.now();
            match self.store.recall_placement(placement, now).await? {
                0 => return Ok(recalled),
                some => recalled += some,
            }
        }
    }
}

/// The map of a row; `None` to detect.
fn map_of(row: &Import) -> Result<Option<ColumnMap>, ImportError> {
    match &row.map {
        serde_json::Value::Null => Ok(None),
        map => ColumnMap::from_json(&map.to_string())
            .map(Some)
            .map_err(|e| domain::import::ImportFault::Map(e.to_string()).into()),
    }
}
