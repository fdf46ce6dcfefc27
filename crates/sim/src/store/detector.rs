//! Truth about judged calls, recordings of carriers, messages for mailboxes.

use super::attempts::count;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{CallResult, VoicemailTemplate};
use domain::event::NewEvent;
use domain::ids::{AttemptId, ClientId, TrunkId, VoicemailId};
use domain::ports::store::{
    Corrected, DetectorStore, HeardPrint, PRINTS_MAX, SAMPLES_MAX, Sample, SampleAsk, StoreError,
    Told, Turn,
};
use domain::rules::detector::Truth;
use domain::rules::disposition::system_code;
use domain::time::UtcMs;
use std::cmp::Reverse;

/// The call was abandoned; `true` where it counts once more.
fn lose(t: &mut Tables, told: &Told) -> bool {
    let mut anew = false;
    if let Some(attempt) = t.attempts.get_mut(&told.attempt_id)
        && attempt.result != Some(CallResult::Abandoned)
    {
        let stood = (attempt.result, attempt.disposition.take());
        attempt.result = Some(CallResult::Abandoned);
        attempt.disposition = system_code(CallResult::Abandoned).map(str::to_owned);
        anew = t.lost_calls.insert(told.attempt_id, stood).is_none();
    }
    count(t, std::slice::from_ref(&told.abandoned));
    anew
}

/// The call was a machine after all; `true` where it had been counted as abandoned.
fn find(t: &mut Tables, id: AttemptId) -> bool {
    let Some((result, code)) = t.lost_calls.remove(&id) else {
        return false;
    };
    if let Some(attempt) = t.attempts.get_mut(&id)
        && attempt.result == Some(CallResult::Abandoned)
    {
        (attempt.result, attempt.disposition) = (result, code);
    }
    true
}

/// Those that decide are worth most, then those heard last.
fn worth(print: &HeardPrint) -> (Reverse<bool>, Reverse<UtcMs>, Vec<u8>) {
    let decides = Reverse(print.decides());
    (decides, Reverse(print.last_at), print.print.clone())
}

#[async_trait]
impl DetectorStore for MemoryStore {
    async fn tell_truth(&self, told: &Told, events: &[NewEvent]) -> Result<Corrected, StoreError> {
        let mut t = self.tx().await?;
        if !t.attempts.contains_key(&told.attempt_id) {
            return Err(StoreError::NotFound("attempt"));
        }
        let heard = t
            .heard
            .get_mut(&told.attempt_id)
            .ok_or(StoreError::NotFound("judged call"))?;
        let before = heard.truth.replace(told.truth);
        let lost = told.truth == Truth::Person && heard.acted.ended_it();
        let turn = if lost {
            lose(&mut t, told).then_some(Turn::Lost)
        } else {
            find(&mut t, told.attempt_id).then_some(Turn::Found)
        };
        let done = Corrected { lost, before, turn };
        t.append(&done.told_in(events));
        Ok(done)
    }

    async fn heard_samples(&self, ask: &SampleAsk) -> Result<Vec<Sample>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<Sample> = t
            .heard
            .values()
            .filter_map(|heard| {
                let attempt = t.attempts.get(&heard.attempt_id)?.clone();
                let heard = heard.clone();
                Some(Sample { heard, attempt })
            })
            .filter(|s| s.heard.at >= ask.since)
            .filter(|s| ask.client_id.is_none_or(|c| s.attempt.client_id == c))
            .filter(|s| ask.campaign_id.is_none() || s.attempt.campaign_id == ask.campaign_id)
            .filter(|s| ask.trunk_id.is_none_or(|id| s.attempt.trunk_id == id))
            .filter(|s| ask.class.as_ref().is_none_or(|c| s.heard.class == *c))
            .filter(|s| {
                ask.before
                    .is_none_or(|b| (s.heard.at, s.heard.attempt_id) < b)
            })
            .collect();
        rows.sort_by_key(|s| Reverse((s.heard.at, s.heard.attempt_id)));
        rows.truncate(ask.limit.clamp(1, SAMPLES_MAX) as usize);
        Ok(rows)
    }

    async fn prints_of(&self, trunk: TrunkId) -> Result<Vec<HeardPrint>, StoreError> {
        let t = self.tx().await?;
        let of_it = t.prints.iter().filter(|p| p.trunk_id == trunk);
        let mut rows: Vec<HeardPrint> = of_it.cloned().collect();
        rows.sort_by_key(worth);
        rows.truncate(PRINTS_MAX as usize);
        Ok(rows)
    }

    async fn put_print(&self, print: &HeardPrint) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.prints
            .retain(|p| p.trunk_id != print.trunk_id || p.print != print.print);
        t.prints.push(print.clone());
        t.prints.sort_by_key(worth);
        let mut kept = 0;
        t.prints.retain(|p| {
            kept += u32::from(p.trunk_id == print.trunk_id);
            p.trunk_id != print.trunk_id || kept <= PRINTS_MAX
        });
        Ok(())
    }

    async fn get_voicemail(&self, id: VoicemailId) -> Result<VoicemailTemplate, StoreError> {
        let t = self.tx().await?;
        let row = t.voicemails.get(&id).cloned();
        row.ok_or(StoreError::NotFound("message for mailboxes"))
    }

    async fn list_voicemails(
        &self,
        client: Option<ClientId>,
    ) -> Result<Vec<VoicemailTemplate>, StoreError> {
        let t = self.tx().await?;
        let of_it = t.voicemails.values();
        let mut rows: Vec<VoicemailTemplate> = of_it
            .filter(|v| client.is_none_or(|c| v.client_id == c))
            .cloned()
            .collect();
        rows.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        rows.truncate(SAMPLES_MAX as usize);
        Ok(rows)
    }

    async fn put_voicemail(
        &self,
        row: &VoicemailTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let taken = t
            .voicemails
            .values()
            .any(|v| v.id != row.id && v.client_id == row.client_id && v.name == row.name);
        if taken {
            return Err(StoreError::Conflict("message name is taken".to_owned()));
        }
        t.voicemails.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }
}
