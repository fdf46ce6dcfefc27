//! Reads a bank's file row by row: each row once, by one reader, and on where a stop broke it off.

use super::bank_files::clues;
use super::receipts::{payer_of, words};
use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use domain::entity::{
    BankFile, BankFileState, PaymentChannel, Receipt, ReceiptSource, ReceiptState,
};
use domain::ids::{BankFileId, ClientId, ReceiptId};
use domain::import::bank::{BankMoney, BankRead, BankSheet};
use domain::pii::Pii;
use domain::ports::store::BANK_RECEIPTS_MAX;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Rows between two looks at how far a file is.
const PROGRESS_ROWS: usize = 50;

/// Takes the rows in; what breaks it off is told, and the same file again goes on.
pub(super) async fn read_on(state: ApiState, caller: Caller, mut file: BankFile, sheet: BankSheet) {
    let Err(problem) = take_rows(&state, &caller, &mut file, sheet).await else {
        return;
    };
    tracing::warn!(file = %file.id, code = problem.code(), "a bank's file broke off");
    file.state = BankFileState::Half;
    file.updated_at = state.now();
    // When this fails too, the sweep finds that nobody reads it.
    if let Err(error) = state.store.put_bank_file(&file).await {
        tracing::warn!(file = %file.id, %error, "a broken file's state was not kept");
    }
}

async fn take_rows(
    state: &ApiState,
    caller: &Caller,
    file: &mut BankFile,
    sheet: BankSheet,
) -> Result<(), Problem> {
    let _turn = state.imports.acquire().await;
    file.state = BankFileState::Reading;
    file.taken_back = 0;
    file.posted = 0;
    file.unmatched = 0;
    file.repeated = 0;
    file.refused = 0;
    file.not_money = 0;
    let mut turns = Turns::of(&sheet);
    for (n, row) in sheet.rows.into_iter().enumerate() {
        match row.read {
            BankRead::NotMoney => file.not_money += 1,
            BankRead::Refused { .. } => file.refused += 1,
            BankRead::Money(money) => take_row(state, caller, file, money).await?,
            BankRead::Back(money) => {
                let turn = turns.next(&money);
                take_back(state, caller, file, (money, turn)).await?;
            }
        }
        if n % PROGRESS_ROWS == PROGRESS_ROWS - 1 {
            file.updated_at = state.now();
            state.store.put_bank_file(file).await?;
        }
    }
    file.state = BankFileState::Done;
    file.updated_at = state.now();
    Ok(state.store.put_bank_file(file).await?)
}

/// Why a bank's taking back is refused.
pub(super) const NO_SUCH_MONEY: &str =
    "the bank took money back that is not here under this reference and amount: do it by hand";

/// What the bank takes back.
pub(super) enum Found {
    /// It is here.
    Whole(Receipt),
    /// It was taken back before; in that file.
    Gone(Receipt),
    /// It is not here, or more than one piece of money could be meant.
    None,
}

/// Which of a file's equal rows that take money back a row is: the bank took so many equal payments back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// From 1.
    n: usize,
    /// Rows of the file that are equal.
    of: usize,
}

/// Counts equal rows of a file that take money back.
#[derive(Default)]
pub(super) struct Turns {
    all: BTreeMap<String, usize>,
    seen: BTreeMap<String, usize>,
}

impl Turns {
    pub(super) fn of(sheet: &BankSheet) -> Self {
        let mut turns = Self::default();
        for row in &sheet.rows {
            if let BankRead::Back(money) = &row.read {
                *turns.all.entry(whole(money)).or_default() += 1;
            }
        }
        turns
    }

    pub(super) fn next(&mut self, money: &BankMoney) -> Turn {
        let whole = whole(money);
        let of = self.all.get(&whole).copied().unwrap_or(1);
        let n = self.seen.entry(whole).or_default();
        *n += 1;
        Turn { n: *n, of }
    }
}

/// Whether receipts differ in nothing that a payer, a debtor or a bank would tell them apart by.
fn alike(receipts: &[Receipt]) -> bool {
    let told = |r: &Receipt| (r.paid_at, r.debtor_id, r.state, r.left_minor);
    let words = |r: &Receipt| (r.concept.reveal().clone(), r.document.reveal().clone());
    let mut pairs = receipts.iter().zip(receipts.iter().skip(1));
    pairs.all(|(a, b)| told(a) == told(b) && words(a) == words(b))
}

/// The receipt that a bank's taking back means: the only one with a reference of the row and its amount that had
/// come by then, one of several that are alike, or one of several that the file's rows take back all. A row that
/// was read before means what it took then, whatever came since.
/// `but`: what rows above it would take.
pub(super) async fn taken_back(
    state: &ApiState,
    client: ClientId,
    (money, turn): (&BankMoney, Turn),
    but: &BTreeSet<ReceiptId>,
) -> Result<Found, Problem> {
    let mut by_word = Vec::new();
    for own in words(&money.reference, &money.concept) {
        let found = state.store.bank_receipts(client, &own, money.amount);
        by_word.push(found.await?);
    }
    let name = row_name(money, turn);
    let mut all = by_word.iter().flatten();
    if let Some(took) = all.find(|r| taker(r) == Some(&*name)) {
        return Ok(Found::Gone(took.clone()));
    }
    for mut found in by_word {
        // There may be more of them: nobody knows which is meant.
        let cut = found.len() >= BANK_RECEIPTS_MAX as usize;
        found.retain(|r| r.paid_at <= money.paid_at && !but.contains(&r.id));
        let (gone, mut here): (Vec<Receipt>, Vec<Receipt>) = found
            .into_iter()
            .partition(|r| r.returned_minor >= r.amount.amount_minor);
        // What a person took back may be what this row means; what another row took back is not.
        let by_hand = gone.into_iter().find(|r| taker(r).is_none());
        let rows_left = turn.of - turn.n + 1;
        let sure = !cut && (here.len() <= rows_left || alike(&here));
        match (here.pop(), by_hand) {
            (Some(oldest), None) if sure => return Ok(Found::Whole(oldest)),
            (None, Some(one)) => return Ok(Found::Gone(one)),
            _ => {}
        }
    }
    Ok(Found::None)
}

/// Hex digits that name a row which takes money back.
const NAME_LEN: usize = 16;

/// All that a row says.
fn whole(money: &BankMoney) -> String {
    let BankMoney {
        paid_at,
        amount,
        reference,
        concept,
        document,
    } = money;
    let (minor, currency) = (amount.amount_minor, amount.currency);
    format!(
        "{}|{minor}|{currency}|{reference}|{concept}|{document}",
        paid_at.0
    )
}

/// What names a row that takes money back in every file that has it: what it says, and which of the rows it is
/// that say the same.
fn row_name(money: &BankMoney, turn: Turn) -> String {
    let mut whole = whole(money);
    if turn.n > 1 {
        whole = format!("{whole}|{}", turn.n);
    }
    let mut name = hex::encode(Sha256::digest(whole.as_bytes()));
    name.truncate(NAME_LEN);
    name
}

/// Note of what a file's row took back.
fn note_of(file: BankFileId, money: &BankMoney, turn: Turn) -> String {
    format!("bank:{file} {}", row_name(money, turn))
}

/// The name of the row that took a receipt back, when a file's row did.
fn taker(receipt: &Receipt) -> Option<&str> {
    let (_, name) = receipt.note.strip_prefix("bank:")?.split_once(' ')?;
    Some(name)
}

async fn take_back(
    state: &ApiState,
    caller: &Caller,
    file: &mut BankFile,
    (money, turn): (BankMoney, Turn),
) -> Result<(), Problem> {
    let note = note_of(file.id, &money, turn);
    match taken_back(state, file.client_id, (&money, turn), &BTreeSet::new()).await? {
        Found::Whole(row) => {
            state
                .center
                .take_back_receipt(caller.asks_as(), row.id, note)
                .await?;
            file.taken_back += 1;
        }
        // What this very file took back before it was broken off counts as it stands.
        Found::Gone(row) if row.note == note => file.taken_back += 1,
        Found::Gone(_) => file.repeated += 1,
        Found::None => file.refused += 1,
    }
    Ok(())
}

async fn take_row(
    state: &ApiState,
    caller: &Caller,
    file: &mut BankFile,
    money: BankMoney,
) -> Result<(), Problem> {
    let (payer, note) = payer_of(state, &clues(file.client_id, &money)).await?;
    let now = state.now();
    let receipt = Receipt {
        id: ReceiptId(state.id()),
        client_id: file.client_id,
        source: ReceiptSource::BankFile,
        reference: money.reference,
        amount: money.amount,
        left_minor: money.amount.amount_minor,
        returned_minor: 0,
        paid_at: money.paid_at.min(now),
        channel: PaymentChannel::Transfer,
        concept: Pii(money.concept),
        document: Pii(money.document),
        debtor_id: None,
        file_id: Some(file.id),
        state: ReceiptState::Unmatched,
        note: note.to_owned(),
        created_at: now,
        updated_at: now,
    };
    let taken = state
        .center
        .take_money(caller.asks_as(), receipt, payer)
        .await?;
    // What this very file brought before it was broken off counts as it stands.
    let again = taken.repeated && taken.receipt.file_id != Some(file.id);
    if again {
        file.repeated += 1;
    } else if taken.receipt.state == ReceiptState::Posted {
        file.posted += 1;
    } else {
        file.unmatched += 1;
    }
    Ok(())
}
