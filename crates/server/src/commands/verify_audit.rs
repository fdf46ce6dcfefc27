//! `marcador verify audit`: the chains of the audit and of every debtor's decisions are whole, and still hold
//! what was noted of them elsewhere.

use super::{read_config, say};
use crate::cli::AuditArgs;
use crate::clock::system_now;
use crate::failure::Failure;
use anyhow::Context as _;
use domain::event::{AuditHead, AuditWalk};
use domain::ports::Store;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

/// Longest file of notes that is read, bytes: some hundred thousand heads.
const ANCHOR_BYTES_MAX: u64 = 64 << 20;

/// What was found.
#[derive(Debug, Default)]
struct Count {
    chains: u64,
    rows: u64,
    /// Written before chains were kept.
    before: u64,
    anchors: u64,
    debtors: u64,
    decisions: u64,
    faults: u64,
    first: Option<String>,
}

impl Count {
    fn fault(&mut self, what: impl Into<String>) {
        self.faults += 1;
        self.first.get_or_insert_with(|| what.into());
    }

    fn told(&self) -> String {
        format!(
            "audit: {} rows in {} chains, {} older than the chains, {} noted heads found again; decisions: {} of \
             {} debtors; {} faults",
            self.rows,
            self.chains,
            self.before,
            self.anchors,
            self.decisions,
            self.debtors,
            self.faults
        )
    }
}

/// A head as it was noted outside the database.
#[derive(Debug, Serialize, Deserialize)]
struct Anchor {
    /// When, RFC 3339.
    at: String,
    #[serde(flatten)]
    head: AuditHead,
}

/// Carries it out.
pub(crate) async fn run(args: AuditArgs) -> Result<(), Failure> {
    let config = read_config(&args.config)?;
    let noted = match &args.anchor {
        Some(file) => read_anchors(file).map_err(Failure::usage)?,
        None => Vec::new(),
    };
    let store = crate::node::open_store(&config.database).await?;
    let mut count = Count::default();
    let heads = audit(&*store, &noted, &mut count).await?;
    decisions(&*store, &mut count).await?;
    say(count.told());
    if let Some(first) = count.first {
        return Err(Failure::Failed(anyhow::anyhow!("first fault: {first}")));
    }
    if let Some(file) = &args.anchor {
        note(file, &heads)?;
        say(format!(
            "heads noted in {}: keep it away from the database",
            file.display()
        ));
    }
    Ok(())
}

fn read_anchors(file: &Path) -> anyhow::Result<Vec<AuditHead>> {
    match std::fs::metadata(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(about) if about.len() > ANCHOR_BYTES_MAX => {
            anyhow::bail!("{}: more than {ANCHOR_BYTES_MAX} bytes", file.display())
        }
        Ok(_) | Err(_) => {}
    }
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty());
    lines
        .map(|(n, line)| {
            serde_json::from_str::<Anchor>(line)
                .map(|a| a.head)
                .with_context(|| format!("{} line {}", file.display(), n + 1))
        })
        .collect()
}

fn note(file: &Path, heads: &[AuditHead]) -> anyhow::Result<()> {
    let mut out = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| file.display().to_string())?;
    let at = system_now().to_string();
    for head in heads {
        let line = Anchor {
            at: at.clone(),
            head: head.clone(),
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(out.sync_all()?)
}

fn named(tenant: &str) -> String {
    if tenant.is_empty() {
        "the installation".to_owned()
    } else {
        format!("client {tenant}")
    }
}

/// Walks every chain; gives where each ends.
async fn audit(
    store: &dyn Store,
    noted: &[AuditHead],
    count: &mut Count,
) -> anyhow::Result<Vec<AuditHead>> {
    let heads = store.audit_heads().await?;
    for tenant in noted.iter().map(|a| &a.tenant) {
        if !heads.iter().any(|h| &h.tenant == tenant) {
            count.fault(format!("the chain of {} is gone", named(tenant)));
        }
    }
    for head in &heads {
        count.chains += 1;
        let mine: BTreeMap<i64, &str> = noted
            .iter()
            .filter(|a| a.tenant == head.tenant)
            .map(|a| (a.seq, a.hash.as_str()))
            .collect();
        walk(store, head, &mine, count).await?;
    }
    let (before, added) = store.audit_loose().await?;
    count.before = before;
    if added > 0 {
        count.fault(format!("{added} audit rows that no chain holds"));
    }
    Ok(heads)
}

async fn walk(
    store: &dyn Store,
    head: &AuditHead,
    noted: &BTreeMap<i64, &str>,
    count: &mut Count,
) -> anyhow::Result<()> {
    let who = named(&head.tenant);
    let mut at = AuditWalk::default();
    loop {
        let page = store
            .audit_links(&head.tenant, at.seq, PAGE_LIMIT_MAX)
            .await?;
        // What was written since the head was read is for the next time.
        for link in page.iter().filter(|l| l.seq <= head.seq) {
            if let Some(what) = at.follow(link) {
                count.fault(format!("{who}, row {}: {what}", link.seq));
            }
            match noted.get(&link.seq) {
                Some(was) if *was == link.hash => count.anchors += 1,
                Some(_) => count.fault(format!(
                    "{who}, row {}: not the one that was noted",
                    link.seq
                )),
                None => {}
            }
            count.rows += 1;
        }
        if page.len() < PAGE_LIMIT_MAX as usize || at.seq >= head.seq {
            break;
        }
    }
    if let Some(what) = at.ended(head) {
        count.fault(format!("{who}: {what}"));
    }
    if let Some((last, _)) = noted.last_key_value()
        && *last > at.seq
    {
        count.fault(format!(
            "{who}: ends at row {}, row {last} was noted",
            at.seq
        ));
    }
    Ok(())
}

/// The chain of decisions of every debtor.
async fn decisions(store: &dyn Store, count: &mut Count) -> anyhow::Result<()> {
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    loop {
        let rows = store.list_debtors(&ListFilter::default(), &page).await?;
        for debtor in rows.items {
            let chain = store.verdict_chain(debtor.id).await?;
            count.debtors += u64::from(!chain.is_empty());
            let (mut seq, mut hash) = (0, String::new());
            for link in chain {
                if link.seq != seq + 1 || link.prev_hash != hash || !link.whole {
                    count.fault(format!(
                        "debtor {}, decision {} ({}): changed, or the one before is gone",
                        debtor.id, link.seq, link.id
                    ));
                }
                count.decisions += 1;
                (seq, hash) = (link.seq, link.hash);
            }
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}
