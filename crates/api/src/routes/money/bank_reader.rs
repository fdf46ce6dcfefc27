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
use sha2::{Digest as _, Sha256};

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
    for (n, row) in sheet.rows.into_iter().enumerate() {
        match row.read {
            BankRead::NotMoney => file.not_money += 1,
            BankRead::Refused { .. } => file.refused += 1,
            BankRead::Money(money) => take_row(state, caller, file, money).await?,
            BankRead::Back(money) => take_back(state, caller, file, money).await?,
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

/// The receipt that a bank's taking back means: the only one with a reference of the row and its amount that had
/// come by then. A row that was read before means what it took then, whatever came since.
pub(super) async fn taken_back(
    state: &ApiState,
    client: ClientId,
    money: &BankMoney,
) -> Result<Found, Problem> {
    let mut by_word = Vec::new();
    for own in words(&money.reference, &money.concept) {
        let found = state.store.bank_receipts(client, &own, money.amount);
        by_word.push(found.await?);
    }
    let name = row_name(money);
    let mut all = by_word.iter().flatten();
    if let Some(took) = all.find(|r| taker(r) == Some(&*name)) {
        return Ok(Found::Gone(took.clone()));
    }
    for mut found in by_word {
        found.retain(|r| r.paid_at <= money.paid_at);
        let (gone, here): (Vec<Receipt>, Vec<Receipt>) = found
            .into_iter()
            .partition(|r| r.returned_minor >= r.amount.amount_minor);
        // What a person took back may be what this row means; what another row took back is not.
        let others = gone.iter().all(|r| taker(r).is_some());
        match (<[Receipt; 1]>::try_from(here), gone.into_iter().next()) {
            (Ok([one]), _) if others => return Ok(Found::Whole(one)),
            (Err(many), Some(one)) if many.is_empty() => return Ok(Found::Gone(one)),
            _ => {}
        }
    }
    Ok(Found::None)
}

/// Hex digits that name a row which takes money back.
const NAME_LEN: usize = 16;

/// What names a row that takes money back in every file that has it.
fn row_name(money: &BankMoney) -> String {
    let BankMoney {
        paid_at,
        amount,
        reference,
        concept,
        document,
    } = money;
    let (minor, currency) = (amount.amount_minor, amount.currency);
    let whole = format!(
        "{}|{minor}|{currency}|{reference}|{concept}|{document}",
        paid_at.0
    );
    let mut name = hex::encode(Sha256::digest(whole.as_bytes()));
    name.truncate(NAME_LEN);
    name
}

/// Note of what a file's row took back.
fn note_of(file: BankFileId, money: &BankMoney) -> String {
    format!("bank:{file} {}", row_name(money))
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
    money: BankMoney,
) -> Result<(), Problem> {
    let note = note_of(file.id, &money);
    match taken_back(state, file.client_id, &money).await? {
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
