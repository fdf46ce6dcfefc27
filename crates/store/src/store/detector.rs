//! Truth about judged calls, recordings of carriers, messages for mailboxes.

use super::SqlStore;
use super::attempts::count;
use super::events::append;
use super::standing::held;
use super::sums;
use super::trail::{HEARD, heard};
use crate::sql::{Link, Row, vals};
use async_trait::async_trait;
use domain::entity::{Attempt, CallResult, VoicemailTemplate};
use domain::event::NewEvent;
use domain::ids::{AttemptId, ClientId, TrunkId, VoicemailId};
use domain::ports::StoreError;
use domain::ports::store::{
    Corrected, DetectorStore, HeardPrint, PRINT_NUMBERS, PRINTS_MAX, SAMPLES_MAX, Sample,
    SampleAsk, Told, Turn,
};
use domain::rules::detector::{Acted, Truth};
use domain::rules::disposition::system_code;
use std::collections::BTreeMap;

/// Order in which fingerprints are worth keeping (`$2` numbers make one decide).
const WORTH: &str = "(numbers>=$2 AND persons=0) DESC, last_at DESC, print";

fn print(row: &Row) -> Result<HeardPrint, StoreError> {
    let text: String = row.get("print")?;
    Ok(HeardPrint {
        trunk_id: row.get("trunk_id")?,
        print: hex::decode(text).map_err(|e| StoreError::Corrupt(e.to_string()))?,
        numbers: row.get("numbers")?,
        persons: row.get("persons")?,
        last_at: row.get("last_at")?,
    })
}

/// How a judged call stands when somebody says what it was.
struct Stood {
    acted: Acted,
    truth: Option<Truth>,
    lost: bool,
    result: Option<CallResult>,
    code: Option<String>,
}

fn stood(row: &Row) -> Result<Stood, StoreError> {
    Ok(Stood {
        acted: row.get("acted")?,
        truth: row.get("truth")?,
        lost: row.get::<i64>("lost")? != 0,
        result: row.get("result_before")?,
        code: row.get("code_before")?,
    })
}

/// The call was abandoned; how it stood is kept beside it. `false` where it was abandoned before.
async fn lose(tx: &mut Link, told: &Told) -> Result<bool, StoreError> {
    let abandoned = CallResult::Abandoned;
    let sql = "UPDATE heard_calls SET lost=1, \
        result_before=(SELECT result FROM attempts WHERE id=$1), \
        code_before=(SELECT disposition FROM attempts WHERE id=$1) WHERE attempt_id=$1 \
        AND EXISTS (SELECT 1 FROM attempts WHERE id=$1 AND COALESCE(result,'')<>$2)";
    let anew = tx.run(sql, vals![told.attempt_id, abandoned]).await? > 0;
    let code = system_code(abandoned).unwrap_or_default().to_owned();
    let sql = "UPDATE attempts SET result=$2, disposition=$3 WHERE id=$1";
    tx.run(sql, vals![told.attempt_id, abandoned, code]).await?;
    count(tx, std::slice::from_ref(&told.abandoned)).await?;
    Ok(anew)
}

/// The call was a machine after all: it stands as it stood.
async fn find(tx: &mut Link, id: AttemptId, stood: &Stood) -> Result<(), StoreError> {
    let sql =
        "UPDATE heard_calls SET lost=0, result_before=NULL, code_before=NULL WHERE attempt_id=$1";
    tx.run(sql, vals![id]).await?;
    let sql = "UPDATE attempts SET result=$2, disposition=$3 WHERE id=$1 AND result=$4";
    let values = vals![id, stood.result, stood.code.clone(), CallResult::Abandoned];
    tx.run(sql, values).await.map(drop)
}

#[async_trait]
impl DetectorStore for SqlStore {
    async fn tell_truth(&self, told: &Told, events: &[NewEvent]) -> Result<Corrected, StoreError> {
        let mut tx = self.write().await?;
        let attempt = held(&mut tx, told.attempt_id).await?;
        let sql = "SELECT acted, truth, lost, result_before, code_before FROM heard_calls \
            WHERE attempt_id=$1";
        let row = tx.row(sql, vals![told.attempt_id]).await?;
        let stood = stood(&row.ok_or(StoreError::NotFound("judged call"))?)?;
        let sql = "UPDATE heard_calls SET truth=$2, told_by=$3, told_at=$4 WHERE attempt_id=$1";
        let by = told.by.clone();
        tx.run(sql, vals![told.attempt_id, told.truth, by, told.at])
            .await?;
        let lost = told.truth == Truth::Person && stood.acted.ended_it();
        let turn = if lost {
            let anew = lose(&mut tx, told).await?;
            (anew && !stood.lost).then_some(Turn::Lost)
        } else if stood.lost {
            find(&mut tx, told.attempt_id, &stood).await?;
            Some(Turn::Found)
        } else {
            None
        };
        if lost || turn.is_some() {
            sums::history(&mut tx, &[attempt.debtor_id]).await?;
        }
        let done = Corrected {
            lost,
            before: stood.truth,
            turn,
        };
        append(&mut tx, &done.told_in(events)).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn heard_samples(&self, ask: &SampleAsk) -> Result<Vec<Sample>, StoreError> {
        let (at, id) = ask.before.unzip();
        let sql = format!(
            "SELECT {HEARD} FROM heard_calls h JOIN attempts a ON a.id=h.attempt_id \
            WHERE h.at>=$1 AND ($2 IS NULL OR a.client_id=$2) AND ($3 IS NULL OR a.campaign_id=$3) \
            AND ($4 IS NULL OR a.trunk_id=$4) AND ($5 IS NULL OR h.class=$5) \
            AND ($6 IS NULL OR h.at<$6 OR (h.at=$6 AND h.attempt_id<$7)) \
            ORDER BY h.at DESC, h.attempt_id DESC LIMIT $8"
        );
        let values = vals![
            ask.since,
            ask.client_id,
            ask.campaign_id,
            ask.trunk_id,
            ask.class.clone(),
            at,
            id,
            i64::from(ask.limit.clamp(1, SAMPLES_MAX)),
        ];
        let mut link = self.read().await?;
        let rows = link.rows(sql, values).await?;
        let heard: Vec<_> = rows.iter().map(heard).collect::<Result<_, _>>()?;
        let ids: Vec<AttemptId> = heard.iter().map(|h| h.attempt_id).collect();
        let attempts: Vec<Attempt> = link.all_in("id", &ids, "", &[]).await?;
        let mut attempts: BTreeMap<AttemptId, Attempt> =
            attempts.into_iter().map(|a| (a.id, a)).collect();
        let sample = |heard: domain::ports::store::HeardCall| {
            let attempt = attempts.remove(&heard.attempt_id)?;
            Some(Sample { heard, attempt })
        };
        Ok(heard.into_iter().filter_map(sample).collect())
    }

    async fn prints_of(&self, trunk: TrunkId) -> Result<Vec<HeardPrint>, StoreError> {
        let sql = format!(
            "SELECT trunk_id, print, numbers, persons, last_at FROM heard_prints \
            WHERE trunk_id=$1 ORDER BY {WORTH} LIMIT $3"
        );
        let values = vals![trunk, PRINT_NUMBERS, i64::from(PRINTS_MAX)];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(print).collect()
    }

    async fn put_print(&self, print: &HeardPrint) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO heard_prints (trunk_id, print, numbers, persons, last_at) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (trunk_id, print) DO UPDATE SET \
            numbers=excluded.numbers, persons=excluded.persons, last_at=excluded.last_at";
        let text = hex::encode(&print.print);
        let values = vals![
            print.trunk_id,
            text,
            print.numbers,
            print.persons,
            print.last_at
        ];
        tx.run(sql, values).await?;
        let sql = format!(
            "DELETE FROM heard_prints WHERE trunk_id=$1 AND print NOT IN \
            (SELECT print FROM heard_prints WHERE trunk_id=$1 ORDER BY {WORTH} LIMIT $3)"
        );
        let most = i64::from(PRINTS_MAX);
        tx.run(sql, vals![print.trunk_id, PRINT_NUMBERS, most])
            .await?;
        tx.commit().await
    }

    async fn get_voicemail(&self, id: VoicemailId) -> Result<VoicemailTemplate, StoreError> {
        self.read().await?.get(id).await
    }

    async fn list_voicemails(
        &self,
        client: Option<ClientId>,
    ) -> Result<Vec<VoicemailTemplate>, StoreError> {
        let rest = "WHERE ($1 IS NULL OR client_id=$1) ORDER BY name, id LIMIT $2";
        let values = vals![client, i64::from(SAMPLES_MAX)];
        self.read().await?.all(rest, values).await
    }

    async fn put_voicemail(
        &self,
        row: &VoicemailTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }
}
