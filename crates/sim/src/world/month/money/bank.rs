//! The bank's file of a month: transfers of a day are told on the next, without their hour; most name their debt,
//! some nobody. Now and then the same rows come in a second file.

use super::super::super::World;
use super::super::super::life::Life;
use super::super::local_day;
use super::{Bill, Till, note, receipt};
use center::{Actor, Payer};
use domain::entity::{BankFile, BankFileState, Receipt, ReceiptSource};
use domain::ids::{BankFileId, ClientId};
use domain::pii::Pii;
use domain::ports::store::{Clues, ReceiptStore as _};
use domain::ports::{Clock as _, IdSource as _};
use domain::time::{DAY_MS, UtcMs};

/// A second file with the same rows, percent of files.
const AGAIN: u32 = 25;

/// A transfer that the bank knows of.
#[derive(Debug, Clone)]
pub(super) struct Line {
    bill: Bill,
    /// Local day.
    day: i64,
    /// Whether its concept names nobody.
    unknown: bool,
}

/// Noon UTC: a day without its hour.
const fn noon(day: i64) -> UtcMs {
    UtcMs(day * DAY_MS + DAY_MS / 2)
}

fn file(world: &World, now: UtcMs, (client, rows): (ClientId, usize)) -> BankFile {
    let id = BankFileId(world.ids.next(now));
    BankFile {
        id,
        client_id: client,
        name: format!("estado-{}.csv", local_day(now)),
        sha256: format!("{:064x}", id.0.as_u128()),
        format: "csv".to_owned(),
        state: BankFileState::Reading,
        rows: i64::try_from(rows).unwrap_or(i64::MAX),
        posted: 0,
        unmatched: 0,
        repeated: 0,
        refused: 0,
        not_money: 0,
        taken_back: 0,
        made_by: "system".to_owned(),
        created_at: now,
        updated_at: now,
    }
}

impl Till {
    /// A bill is paid by a transfer that only the bank sees.
    pub(super) fn by_bank(&mut self, bill: Bill, now: UtcMs, unknown: bool) {
        let day = local_day(now);
        self.bank.push(Line { bill, day, unknown });
    }

    /// The file of the days before is read.
    pub(super) async fn read_file(&mut self, world: &World, life: &Life) {
        let now = life.clock.now();
        let today = local_day(now);
        let (told, later): (Vec<Line>, Vec<Line>) =
            self.bank.drain(..).partition(|line| line.day < today);
        self.bank = later;
        let Some(client) = told.first().map(|line| line.bill.client) else {
            return;
        };
        let mut rows: Vec<(Line, Receipt)> = Vec::with_capacity(told.len());
        for line in told {
            let concept = match line.unknown {
                true => String::new(),
                false => debt_name(world, line.bill),
            };
            let row = Receipt {
                source: ReceiptSource::BankFile,
                paid_at: noon(line.day).min(now),
                concept: Pii(concept),
                ..receipt(world, line.bill, now)
            };
            rows.push((line, row));
        }
        let files = if self.chance(AGAIN) { 2 } else { 1 };
        for _ in 0..files {
            let mut file = file(world, now, (client, rows.len()));
            let taken = world.store.take_bank_file(&file, &[]).await;
            if taken.is_err() {
                return;
            }
            for (line, row) in &rows {
                self.take_row(world, life, (&mut file, line, row)).await;
            }
            file.state = BankFileState::Done;
            let _ = world.store.put_bank_file(&file).await;
        }
    }

    async fn take_row(
        &mut self,
        world: &World,
        life: &Life,
        (file, line, row): (&mut BankFile, &Line, &Receipt),
    ) {
        let clues = Clues {
            client_id: file.client_id,
            words: vec![row.concept.reveal().clone()],
            document: String::new(),
            amount: row.amount,
        };
        let found = world.store.suggest_payers(&clues).await.unwrap_or_default();
        let mut named = found.iter().filter(|s| s.is_named());
        let payer = match (named.next(), named.next()) {
            (Some(one), None) => Payer {
                debtor_id: Some(one.debtor_id),
                debt_id: one.debt_id,
                shares: None,
            },
            _ => Payer::default(),
        };
        let row = Receipt {
            file_id: Some(file.id),
            ..row.clone()
        };
        match life.handle.take_money(Actor::System, row, payer).await {
            Ok(taken) if taken.repeated => file.repeated += 1,
            Ok(taken) if taken.receipt.left_minor > 0 => {
                file.unmatched += 1;
                let (id, since) = (taken.receipt.id, life.clock.now());
                if taken.payments.is_empty() {
                    self.waiting.insert(id, (since, line.bill));
                } else {
                    let back = life
                        .handle
                        .return_receipt(Actor::System, id, "sobra".into());
                    note(world, back.await);
                }
            }
            Ok(_) => file.posted += 1,
            Err(error) => {
                file.refused += 1;
                note::<()>(world, Err(error));
            }
        }
    }
}

/// The creditor's own name of a bill's debt.
fn debt_name(world: &World, bill: Bill) -> String {
    let name = |t: &mut crate::store::Tables| {
        let debt = t.debts.get(&bill.debt);
        debt.map_or_else(String::new, |d| d.external_ref.clone())
    };
    world.store.with(name)
}
