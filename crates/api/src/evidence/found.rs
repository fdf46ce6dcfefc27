//! Everything that is read of a debtor for his archive: his file, and those that were one with it.

use super::{Ask, EvidenceError};
use domain::entity::{
    Attempt, Complaint, Debtor, InboxMessage, LedgerRow, Merge, Message, Preference, Recording,
    Suppression, Verdict,
};
use domain::ids::DebtorId;
use domain::ports::Store;
use domain::ports::store::{
    AttemptFilter, ChainLink, DebtorFile, InboxAsk, ListFilter, MessageAsk, PAGE_LIMIT_MAX,
    PageRequest,
};
use std::collections::BTreeMap;

/// Most decisions of one file in an archive.
const VERDICTS_MAX: u32 = 100_000;
/// Most files that were one with a debtor's.
const FILES_MAX: usize = 200;

/// Everything read of a debtor. Attempts, decisions, ledger, messages, recordings and complaints stay with the file
/// for which they were made: they are those of all files that are, or once were, one with his.
pub(crate) struct Found {
    pub(crate) file: DebtorFile,
    /// Merges in which his file, or one of theirs, took part, those that were undone too.
    pub(crate) merges: Vec<Merge>,
    /// The other sides of them.
    pub(crate) others: Vec<Debtor>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) verdicts: Vec<Verdict>,
    /// The chain of decisions of each file.
    pub(crate) chains: Vec<(DebtorId, Vec<ChainLink>)>,
    pub(crate) ledger: Vec<LedgerRow>,
    pub(crate) recordings: Vec<(Recording, Option<String>)>,
    pub(crate) messages: Vec<Message>,
    pub(crate) inbox: Vec<InboxMessage>,
    pub(crate) preferences: Vec<Preference>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) complaints: Vec<Complaint>,
}

/// Whether each decision of a chain follows from the one before and is what was stored.
pub(super) fn is_whole(chain: &[ChainLink]) -> bool {
    let follows = |pair: &[ChainLink]| match pair {
        [before, link] => link.prev_hash == before.hash && link.seq == before.seq + 1,
        _ => true,
    };
    chain.iter().all(|l| l.whole) && chain.windows(2).all(follows)
}

impl Found {
    /// Whether the chains of all files are whole.
    pub(crate) fn chain_is_whole(&self) -> bool {
        self.chains.iter().all(|(_, chain)| is_whole(chain))
    }

    /// Decisions of all chains.
    pub(crate) fn decisions(&self) -> usize {
        self.chains.iter().map(|(_, chain)| chain.len()).sum()
    }

    /// His file and the others.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Debtor> {
        std::iter::once(&self.file.debtor).chain(&self.others)
    }

    /// Calls by the number that was shown, with the first and the last of each.
    pub(crate) fn shown(&self) -> BTreeMap<&str, Vec<&Attempt>> {
        let mut all: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
        for attempt in &self.attempts {
            let of = all.entry(attempt.caller_number.as_str()).or_default();
            of.push(attempt);
        }
        all
    }
}

const fn first_page() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

fn of(debtor: DebtorId) -> ListFilter {
    ListFilter {
        debtor_id: Some(debtor),
        ..ListFilter::default()
    }
}

/// Merges of a debtor's file and of the files that were one with it, and these files.
async fn merged(
    store: &dyn Store,
    debtor: DebtorId,
) -> Result<(Vec<Merge>, Vec<DebtorId>), EvidenceError> {
    let (mut merges, mut files): (Vec<Merge>, Vec<DebtorId>) = (Vec::new(), vec![debtor]);
    let mut at = 0;
    while let Some(file) = files.get(at).copied() {
        at += 1;
        for merge in store.merges_of(file).await? {
            for side in [merge.kept_id, merge.gone_id] {
                if !files.contains(&side) && files.len() < FILES_MAX {
                    files.push(side);
                }
            }
            if !merges.iter().any(|m| m.id == merge.id) {
                merges.push(merge);
            }
        }
    }
    merges.sort_by_key(|m| (m.at, m.id));
    files.retain(|file| *file != debtor);
    Ok((merges, files))
}

async fn attempts(store: &dyn Store, debtor: DebtorId) -> Result<Vec<Attempt>, EvidenceError> {
    let filter = AttemptFilter {
        debtor_id: Some(debtor),
        ..AttemptFilter::default()
    };
    let (mut all, mut page) = (Vec::new(), first_page());
    loop {
        let rows = store.list_attempts(&filter, &page).await?;
        all.extend(rows.items);
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(all),
        }
    }
}

async fn messages(store: &dyn Store, debtor: DebtorId) -> Result<Vec<Message>, EvidenceError> {
    let mut ask = MessageAsk {
        debtor: Some(debtor),
        limit: PAGE_LIMIT_MAX,
        ..MessageAsk::default()
    };
    let mut all: Vec<Message> = Vec::new();
    loop {
        let rows = store.messages_page(&ask).await?;
        ask.before = rows.last().map(|m| m.id);
        all.extend(rows);
        if ask.before.is_none() {
            return Ok(all);
        }
    }
}

async fn inbox(store: &dyn Store, debtor: DebtorId) -> Result<Vec<InboxMessage>, EvidenceError> {
    let mut ask = InboxAsk {
        debtor: Some(debtor),
        limit: PAGE_LIMIT_MAX,
        ..InboxAsk::default()
    };
    let mut all: Vec<InboxMessage> = Vec::new();
    loop {
        let rows = store.inbox_page(&ask).await?;
        ask.before = rows.last().map(|m| m.id);
        all.extend(rows);
        if ask.before.is_none() {
            return Ok(all);
        }
    }
}

/// All he complained of, and all he asked for.
async fn asked_for(
    store: &dyn Store,
    debtor: DebtorId,
) -> Result<(Vec<Complaint>, Vec<Preference>), EvidenceError> {
    let filter = of(debtor);
    let (mut complaints, mut preferences) = (Vec::new(), Vec::new());
    let mut page = first_page();
    loop {
        let rows = store.list_complaints(&filter, &page).await?;
        complaints.extend(rows.items);
        page.cursor = rows.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    loop {
        let rows = store.list_preferences(&filter, &page).await?;
        preferences.extend(rows.items);
        page.cursor = rows.next_cursor;
        if page.cursor.is_none() {
            return Ok((complaints, preferences));
        }
    }
}

/// What stays with one file.
async fn add(store: &dyn Store, debtor: DebtorId, found: &mut Found) -> Result<(), EvidenceError> {
    let attempts = attempts(store, debtor).await?;
    for attempt in &attempts {
        if let Some(id) = attempt.recording_id {
            found
                .recordings
                .push((store.get_recording(id).await?, None));
        }
    }
    found.attempts.extend(attempts);
    found
        .verdicts
        .extend(store.verdicts_of(debtor, VERDICTS_MAX).await?);
    found
        .chains
        .push((debtor, store.verdict_chain(debtor).await?));
    found.ledger.extend(store.ledger_of(debtor).await?);
    found.messages.extend(messages(store, debtor).await?);
    found.inbox.extend(inbox(store, debtor).await?);
    let (complaints, preferences) = asked_for(store, debtor).await?;
    found.complaints.extend(complaints);
    found.preferences.extend(preferences);
    for listing in store.listings_of(debtor).await? {
        let client = found.file.debtor.client_id;
        let binds = listing.client_id.is_none_or(|c| c == client)
            && listing
                .debtor_id
                .is_none_or(|d| found.files().any(|f| f.id == d));
        let known = |s: &Suppression| (s.id, &s.value) == (listing.id, &listing.value);
        if binds && !found.suppressions.iter().any(known) {
            found.suppressions.push(listing);
        }
    }
    Ok(())
}

/// Reads it.
pub(super) async fn read(ask: &Ask<'_>) -> Result<Found, EvidenceError> {
    let (store, debtor) = (ask.store, ask.debtor);
    let file = store.debtor_file(debtor).await?;
    let (merges, ids) = merged(store, debtor).await?;
    let mut others = Vec::new();
    for id in &ids {
        others.push(store.get_debtor(*id).await?);
    }
    let mut found = Found {
        file,
        merges,
        others,
        attempts: Vec::new(),
        verdicts: Vec::new(),
        chains: Vec::new(),
        ledger: Vec::new(),
        recordings: Vec::new(),
        messages: Vec::new(),
        inbox: Vec::new(),
        preferences: Vec::new(),
        suppressions: Vec::new(),
        complaints: Vec::new(),
    };
    for file in std::iter::once(debtor).chain(ids) {
        add(store, file, &mut found).await?;
    }
    found.attempts.sort_by_key(|a| (a.opened_at, a.id));
    found.verdicts.sort_by_key(|v| (v.at, v.id));
    found.ledger.sort_by_key(|r| (r.at, r.id));
    found.messages.sort_by_key(|m| (m.created_at, m.id));
    found.inbox.sort_by_key(|m| (m.received_at, m.id));
    found.suppressions.sort_by_key(|s| (s.created_at, s.id));
    Ok(found)
}
