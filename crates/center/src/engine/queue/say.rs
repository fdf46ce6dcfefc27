//! What callers hear: announcements of place and wait, music, and the message for who is not given to an
//! agent.

use super::{Hears, NOTICE_MAX_MS};
use crate::engine::Engine;
use crate::inbound::tongue;
use crate::live::Stocked;
use dialer::{Input, Phase};
use domain::entity::{InboundCall, InboundOutcome, RecordMode};
use domain::ids::{AttemptId, CampaignId, RecordingId};
use domain::ports::{HangUpCause, LegRef, PlayWhat, Spoken, TakeOrder};
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use std::sync::Arc;

/// Highest number that is said; above it "more than ten".
const SAID_MOST: i64 = 10;
/// Joins older than this say nothing of the pace now, ms.
const PACE_MS: i64 = 30 * MINUTE_MS;

/// Who only hears the announcement, and in whose words.
pub(crate) struct Announced {
    row: InboundCall,
    client: String,
    language: String,
    /// What he hears after it: when he would be taken.
    hours: Option<String>,
    /// He wants no more calls, and hears so.
    opted_out: bool,
}

impl Announced {
    fn says(&self, part: &str) -> PlayWhat {
        PlayWhat::Spoken {
            parts: vec![part.to_owned()],
            language: self.language.clone(),
            client: self.client.clone(),
        }
    }

    /// The hours, once; not to who wants no more calls.
    fn hours_next(&mut self) -> Option<PlayWhat> {
        let words = self.hours.take().filter(|_| !self.opted_out)?;
        Some(PlayWhat::Voicemail {
            language: self.language.clone(),
            parts: vec![Spoken::Words(words)],
        })
    }

    /// What is true of him: that it is closed, that his number says nothing, that he is not talked with, or that nobody
    /// is free. None of them says why he is called.
    fn what(&self) -> PlayWhat {
        use InboundOutcome as O;
        match self.row.outcome {
            O::Closed => self.says("closed"),
            O::Unidentified => self.says("unidentified"),
            O::Held | O::Suppressed | O::Refused | O::NotServed | O::UnknownNumber => {
                self.says("unavailable")
            }
            _ => PlayWhat::SafeHarbour {
                language: self.language.clone(),
                client: self.client.clone(),
            },
        }
    }
}

pub(super) fn spoken(parts: &[&str], stocked: &Stocked) -> PlayWhat {
    PlayWhat::Spoken {
        parts: parts.iter().map(|p| (*p).to_owned()).collect(),
        language: tongue(stocked.facts.debtor.language).to_owned(),
        client: stocked.setting.client.id.to_string(),
    }
}

/// Name of the recording of a number.
fn number(n: i64) -> String {
    if (1..=SAID_MOST).contains(&n) {
        format!("n{n}")
    } else {
        "queue_more".to_owned()
    }
}

impl Engine {
    pub(in crate::engine) fn play_to(&self, attempt: AttemptId, what: PlayWhat) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        self.order_trunk("play", async move {
            trunk.play(LegRef::Debtor(attempt), what).await
        });
    }

    /// He hears that he is recorded, before an agent gets him.
    pub(super) fn notice(&mut self, now: UtcMs, id: AttemptId, stocked: &Stocked) {
        self.play_to(id, spoken(&["recorded"], stocked));
        if let Some(caller) = self.callers.live.get_mut(&id) {
            caller.hears = Hears::Notice;
            caller.next_at = now.plus_ms(NOTICE_MAX_MS);
        }
    }

    /// That is over: he gets an agent, or waits.
    fn noticed(&mut self, now: UtcMs, id: AttemptId) {
        if let Some(caller) = self.callers.live.get_mut(&id) {
            caller.hears = Hears::Nothing;
            caller.next_at = now;
        }
        self.take(now, Input::Noticed(id));
    }

    /// Notices whose end was told to nobody are over too.
    fn end_notices(&mut self, now: UtcMs) {
        let live = self.callers.live.iter();
        let late = live.filter(|(_, c)| c.hears == Hears::Notice && now >= c.next_at);
        let late: Vec<AttemptId> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.noticed(now, id);
        }
    }

    /// Who waits hears what is due: first that he waits, then place, wait and the offer, music between.
    pub(in crate::engine) fn say_in_queues(&mut self, now: UtcMs) {
        self.end_notices(now);
        let due: Vec<(AttemptId, bool)> = self
            .callers
            .live
            .iter()
            .filter(|(_, c)| !c.kept && !matches!(c.hears, Hears::Words | Hears::Notice))
            .filter(|(_, c)| now >= c.next_at)
            .filter(|(id, _)| self.waits(**id))
            .map(|(id, c)| (*id, c.hears == Hears::Nothing))
            .collect();
        for (id, first) in due {
            let Some(ctx) = self.calls.get(&id).map(|e| Arc::clone(&e.ctx)) else {
                continue;
            };
            let stocked = &ctx.stocked;
            let offers = self.offers(now, stocked, Some(&ctx));
            let away = offers && self.elsewhere(stocked.setting.id()).is_some();
            let what = if away {
                spoken(&["queue_away"], stocked)
            } else if first {
                spoken(&["queue_wait"], stocked)
            } else {
                self.place_of(now, id, stocked, offers)
            };
            self.play_to(id, what);
            if let Some(caller) = self.callers.live.get_mut(&id) {
                caller.hears = Hears::Words;
                // Who asked for an agent out of a message may press that key twice: he hears the offer out first.
                let asked = first && caller.row.is_none();
                // What the law let us promise at first it may not any more.
                caller.offered = offers && (caller.offered || (away && !asked) || !first);
            }
        }
    }

    pub(in crate::engine) fn waits(&self, id: AttemptId) -> bool {
        let call = self.brain.call(id);
        call.is_some_and(|c| c.phase == Phase::Waiting && c.queued.is_some())
    }

    /// Place, estimated wait and the offer of a call-back.
    fn place_of(&self, now: UtcMs, id: AttemptId, stocked: &Stocked, offers: bool) -> PlayWhat {
        let campaign = stocked.setting.id();
        let line = self.waiting_of(campaign);
        let at = line.iter().position(|(_, other)| *other == id).unwrap_or(0);
        let place = i64::try_from(at).unwrap_or(0) + 1;
        let said = number(place);
        let mut parts = vec!["queue_place", said.as_str()];
        let minutes = self.estimate_ms(now, campaign, place);
        let minutes = minutes.map(|ms| number((ms + MINUTE_MS - 1) / MINUTE_MS));
        if let Some(minutes) = &minutes {
            parts.extend(["queue_minutes", minutes.as_str()]);
        }
        if offers {
            parts.push("queue_offer");
        }
        spoken(&parts, stocked)
    }

    /// How long somebody in that place will wait, by how fast those who waited were joined of late; `None` where
    /// nobody waited for the next. How often people call is no pace of the agents.
    fn estimate_ms(&self, now: UtcMs, campaign: CampaignId, place: i64) -> Option<i64> {
        let joins = self.callers.joins.get(&campaign)?;
        let fresh = joins.iter().filter(|(at, _)| now.since_ms(*at) <= PACE_MS);
        let took: Vec<i64> = fresh.filter_map(|(_, took)| *took).collect();
        let count = i64::try_from(took.len()).ok().filter(|n| *n > 0)?;
        Some(place * took.iter().sum::<i64>() / count)
    }

    /// A sound is over: `true` when it was one of the queue's or an announcement's.
    pub(in crate::engine) fn caller_heard(&mut self, now: UtcMs, attempt: AttemptId) -> bool {
        if let Some(heard) = self.callers.announced.get_mut(&attempt) {
            match heard.hours_next() {
                Some(hours) => self.say_or_end(attempt, hours),
                None => self.order_hang_up(attempt, HangUpCause::Normal),
            }
            return true;
        }
        if !self.waits(attempt) {
            return false;
        }
        let hears = self.callers.live.get(&attempt).map(|c| c.hears);
        if hears == Some(Hears::Notice) {
            self.noticed(now, attempt);
            self.say_in_queues(now);
            return true;
        }
        let (every, away) = self.calls.get(&attempt).map_or((0, false), |entry| {
            let stocked = &entry.ctx.stocked;
            let params = &stocked.setting.campaign.params;
            let away = self.away(now, stocked, Some(&entry.ctx)).is_some();
            (params.inbound.announce_every_s * SECOND_MS, away)
        });
        let Some(caller) = self.callers.live.get_mut(&attempt) else {
            return false;
        };
        caller.hears = Hears::Music;
        caller.offered |= away;
        caller.next_at = now.plus_ms(every);
        self.play_to(attempt, PlayWhat::Music);
        true
    }

    /// Says something to who only hears announcements; one that cannot be said ends his call.
    fn say_or_end(&self, attempt: AttemptId, what: PlayWhat) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        tokio::spawn(async move {
            if trunk.play(LegRef::Debtor(attempt), what).await.is_err() {
                let _ = trunk.hang_up(attempt, HangUpCause::Normal).await;
            }
        });
    }

    /// The lawful announcement for who is not given to an agent.
    pub(crate) fn announce(
        &mut self,
        now: UtcMs,
        call: InboundCall,
        (client, language): (&str, &str),
        hours: Option<String>,
    ) {
        let id = call.id;
        self.arrival_over(id);
        if let Some(campaign) = call.campaign_id {
            let counts = self.counts_of(campaign);
            counts.offered += 1;
            counts.announced += 1;
        }
        tracing::info!(call = %id, outcome = %call.outcome, at = now.0, "a caller hears the announcement");
        let (client, language) = (client.to_owned(), language.to_owned());
        let heard = Announced {
            row: call,
            client,
            language,
            hours,
            opted_out: false,
        };
        let what = heard.what();
        self.callers.announced.insert(id, heard);
        let order = TakeOrder {
            attempt_id: id,
            record: RecordMode::None,
            recording_id: RecordingId(self.shared.id()),
            recording_key: String::new(),
            mask_dtmf: false,
        };
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            let taken = trunk.take_incoming(order).await;
            if taken.is_err() || trunk.play(LegRef::Debtor(id), what).await.is_err() {
                // Gone, or without a message: there is nothing to wait for.
                let _ = trunk.hang_up(id, HangUpCause::Normal).await;
                post.tell(move |engine, now| {
                    engine.announced_over(now, id);
                })
                .await;
            }
        });
        self.board.touch();
    }

    /// The call of who only heard the announcement is over; `true` when it was one.
    pub(in crate::engine) fn announced_over(&mut self, now: UtcMs, id: AttemptId) -> bool {
        let Some(heard) = self.callers.announced.remove(&id) else {
            return false;
        };
        let mut row = heard.row;
        row.ended_at = Some(now);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move { crate::inbound::store(&shared, &row).await });
        true
    }

    /// Whether the opt-out key of a call that hears the announcement was pressed; `true` when it is one.
    pub(in crate::engine) fn announced_key(&mut self, id: AttemptId, digit: char) -> bool {
        let out = digit == self.shared.config.opt_out_digit;
        let Some(heard) = self.callers.announced.get_mut(&id) else {
            return false;
        };
        let row = &heard.row;
        let told = row.client_id.zip(row.caller.clone());
        if let (Some((client, phone)), true) = (told, out && !heard.opted_out) {
            heard.opted_out = true;
            let (said, row) = (heard.says("opted_out"), &heard.row);
            let (debtor, shared) = (row.debtor_id, Arc::clone(&self.shared));
            tokio::spawn(async move {
                match debtor {
                    Some(debtor) => crate::ops::opt_out(&shared, client, debtor, phone, id).await,
                    None => crate::ops::opt_out_number(&shared, client, phone, id).await,
                }
            });
            self.play_to(id, said);
        }
        true
    }
}
