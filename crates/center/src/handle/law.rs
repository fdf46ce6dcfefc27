//! The law asked about more than one debtor now: a campaign's reasons, another time, a pack on trial, a
//! stored decision made again.

use super::CenterHandle;
use crate::campaign_why::{self, CampaignWhy, WhyRow};
use crate::conduct::Conduct;
use crate::dry_run::{self, DryAsk, DryJob};
use crate::error::CenterError;
use crate::lists::Loaded;
use crate::load_law::{self, LoadLaw};
use crate::view;
use domain::entity::{DncList, Import, Verdict};
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId, DebtorId};
use domain::law::{Duties, Replayed};
use domain::ports::store::DebtorRow;
use domain::time::UtcMs;
use std::sync::Arc;
use uuid::Uuid;

impl CenterHandle {
    /// Why a debtor was not, or would not be, dialed at another time: the law's answer then, with the hours that the
    /// campaign asked about had; the rows of where he stands in campaigns are today's, and no reason.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn why_not_at(
        &self,
        debtor: DebtorId,
        campaign: Option<CampaignId>,
        at: UtcMs,
    ) -> Result<view::WhyNot, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::why_not::why_not(shared, debtor, campaign, Some(at)))
            .await
    }

    /// Why the debtors of a campaign are not being dialed, counted by reason.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn campaign_why(&self, id: CampaignId) -> Result<CampaignWhy, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(campaign_why::counts(shared, id)).await
    }

    /// The debtors behind one of those counts.
    ///
    /// # Errors
    /// `NotFound`, `invalid` for a key nobody knows.
    pub async fn campaign_why_rows(
        &self,
        id: CampaignId,
        key: String,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<WhyRow>, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(campaign_why::rows(shared, id, key, after, limit))
            .await
    }

    /// What the law says now of the list of an accepted file: a report, which binds nobody.
    ///
    /// # Errors
    /// The database away.
    pub async fn load_law(&self, import: Import) -> Result<LoadLaw, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(load_law::of_import(shared, import)).await
    }

    /// What the law says now of the debtors whom rows of a file name that is not accepted yet: a report, which binds
    /// nobody.
    ///
    /// # Errors
    /// The database away.
    pub async fn preview_law(
        &self,
        import: Import,
        rows: Vec<DebtorRow>,
    ) -> Result<LoadLaw, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(load_law::of_rows(shared, import, rows)).await
    }

    /// Begins to judge what was done in the last days again, with a pack on trial; its identity. This node remembers
    /// the last few.
    ///
    /// # Errors
    /// `rule_pack` when the pack has a fault (named), `busy` when as many runs go on as may.
    pub fn dry_run(&self, file: &str, text: &str, ask: DryAsk) -> Result<Uuid, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        let trial = shared
            .out
            .law
            .trial(file, text)
            .map_err(|error| CenterError::Invalid {
                code: "rule_pack",
                field: "pack",
                detail: error.to_string(),
            })?;
        let id = shared.id();
        let job = shared.dry_runs.begin(id, ask.client).ok_or_else(|| {
            CenterError::conflict("busy", "two packs are on trial: wait until one has ended")
        })?;
        tokio::spawn(async move {
            let out = &shared.out;
            let named = (trial.id.as_str(), trial.version.as_str());
            let asked = (ask, &job.progress);
            let run = dry_run::dry_run(&*out.store, &*out.law, &*trial.book, named, asked).await;
            match run {
                Ok(run) => job.end(Some(run)),
                Err(error) => {
                    shared.mind(&error).await;
                    tracing::warn!(pack = %trial.id, reason = %error, "trial of a pack failed");
                    job.end(None);
                }
            }
        });
        Ok(id)
    }

    /// A run, while this node remembers it.
    #[must_use]
    pub fn dry_run_of(&self, id: Uuid) -> Option<Arc<DryJob>> {
        self.inner.shared.dry_runs.get(id)
    }

    /// Whether a rule is a presumption of the law; `None` when no pack has it.
    #[must_use]
    pub fn is_presumption(&self, rule: &str) -> Option<bool> {
        self.inner.shared.out.law.is_presumption(rule)
    }

    /// The rules that are presumptions.
    #[must_use]
    pub fn presumptions(&self) -> Vec<String> {
        self.inner.shared.out.law.presumptions()
    }

    /// Whether the law of any of a client's portfolios rations contacts by phone.
    ///
    /// # Errors
    /// The database away.
    pub async fn rations(&self, client: ClientId) -> Result<bool, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::rations::of_client(shared, client))
            .await
    }

    /// Puts an external list in force and withdraws whoever of it is queued or rings here.
    ///
    /// # Errors
    /// The database away: the list is then not in force.
    pub async fn load_list(
        &self,
        list: DncList,
        hashes: Vec<String>,
        events: Vec<NewEvent>,
    ) -> Result<Loaded, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::lists::load(shared, list, hashes, events))
            .await
    }

    /// A stored decision made again with the facts as they were.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn replay(&self, stored: &Verdict) -> Result<Replayed, CenterError> {
        let out = &self.inner.shared.out;
        let at = stored.facts_at();
        let facts = out.store.facts_at(stored.debtor_id, at).await?;
        Ok(Replayed::of(&*out.law, &facts, stored))
    }

    /// What the packs ask of whoever talks to a debtor now.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn duties(&self, debtor: DebtorId) -> Result<Duties, CenterError> {
        let out = &self.inner.shared.out;
        let now = out.now();
        let facts = out.store.contact_facts(debtor, now).await?;
        Ok(out.law.duties(&facts, now))
    }

    /// What a conversation with a debtor has to keep to now.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn conduct(&self, debtor: DebtorId) -> Result<Conduct, CenterError> {
        let duties = self.duties(debtor).await?;
        let file = self.inner.shared.out.store.debtor_file(debtor).await?;
        Ok(Conduct::of(duties, &file.attempts, None))
    }
}
