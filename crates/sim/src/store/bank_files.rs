//! Files of banks, what their rows left, and what providers said about money.

use super::Tables;
use domain::entity::{BankFile, BankFileState, Receipt, ReceiptSource};
use domain::event::NewEvent;
use domain::ids::{BankFileId, ClientId};
use domain::money::Money;
use domain::ports::store::{BANK_RECEIPTS_MAX, WebhookNote};
use domain::time::UtcMs;

/// Once by its bytes; a repeat gives the first row and `true`.
pub(super) fn take(t: &mut Tables, row: &BankFile, events: &[NewEvent]) -> (BankFile, bool) {
    let same = |f: &&BankFile| f.client_id == row.client_id && f.sha256 == row.sha256;
    if let Some(first) = t.money.files.values().find(same) {
        return (first.clone(), true);
    }
    t.money.files.insert(row.id, row.clone());
    t.append(events);
    (row.clone(), false)
}

/// Files whose reader is gone become `half`.
pub(super) fn half(t: &mut Tables, before: UtcMs, now: UtcMs) -> Vec<BankFile> {
    let gone = |f: &&mut BankFile| f.state == BankFileState::Reading && f.updated_at < before;
    let mut rows = Vec::new();
    for file in t.money.files.values_mut().filter(gone) {
        file.state = BankFileState::Half;
        file.updated_at = now;
        rows.push(file.clone());
    }
    rows
}

/// One reader takes up what nobody reads.
pub(super) fn resume(t: &mut Tables, id: BankFileId, before: UtcMs, now: UtcMs) -> bool {
    let Some(file) = t.money.files.get_mut(&id) else {
        return false;
    };
    let free = match file.state {
        BankFileState::Half => true,
        BankFileState::Reading => file.updated_at < before,
        BankFileState::Done => false,
    };
    if free {
        file.state = BankFileState::Reading;
        file.updated_at = now;
    }
    free
}

/// Receipts of rows whose own reference stands before the digest that every row has, newest first.
pub(super) fn receipts(t: &Tables, client: ClientId, own: &str, amount: Money) -> Vec<Receipt> {
    let head = format!("{own} ");
    // The 16 digits, and the amount where another stood under it before.
    let named = |rest: &str| matches!(rest.as_bytes().get(16), None | Some(b'~'));
    let its = |r: &&Receipt| {
        r.client_id == client
            && r.source == ReceiptSource::BankFile
            && r.amount == amount
            && r.reference.strip_prefix(&head).is_some_and(named)
    };
    let rows = t.money.receipts.values().rev().filter(its);
    rows.take(BANK_RECEIPTS_MAX as usize).cloned().collect()
}

/// What was said about one piece of money, oldest first.
pub(super) fn words_about(t: &Tables, provider: &str, money: &str) -> Vec<WebhookNote> {
    let about = |n: &&WebhookNote| n.provider == provider && n.money.as_deref() == Some(money);
    let mut rows: Vec<WebhookNote> = t.money.webhooks.values().filter(about).cloned().collect();
    rows.sort_by(|a, b| (a.at, &a.event_id).cmp(&(b.at, &b.event_id)));
    rows
}
