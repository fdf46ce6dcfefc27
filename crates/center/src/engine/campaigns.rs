//! Campaigns inside the engine: taken up, left, stocked.

use super::{Engine, lines};
use crate::feeder::Fed;
use crate::live::{CampaignEntry, Setting, StockKey, TrunkEntry};
use crate::short_calls::ShortAsk;
use crate::stats::CampaignStats;
use crate::view::{HopperRow, Problem};
use dialer::{CampaignSpec, Input, Item, ShortDay, TrunkSpec};
use domain::answer::Why;
use domain::entity::{CampaignStatus, Trunk};
use domain::ids::{CampaignId, DebtorId};
use domain::pii::mask;
use domain::ports::store::ItemCounts;
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// A campaign with what is needed to dial it.
pub(crate) struct Adopted {
    pub(crate) setting: Arc<Setting>,
    pub(crate) spec: CampaignSpec,
    pub(crate) counts: ItemCounts,
    /// The first feeding, so that a report can say at once what stands in the way.
    pub(crate) fed: Fed,
}

/// What a feeding is told as: new items, or the moment from which on nobody is left to dial.
fn filled(entry: &mut CampaignEntry, fed: &Fed, queued: usize) -> Option<(&'static str, Value)> {
    let data = json!({
        "reserved": fed.last.reserved, "allowed": fed.last.allowed, "queued": queued,
        "blocked": fed.last.blocked, "next_legal_at": fed.last.next,
    });
    let empty = fed.stocked.is_empty() && queued == 0 && !fed.more;
    let before = std::mem::replace(&mut entry.starved, empty);
    let starves = empty && !before;
    match (fed.stocked.is_empty(), starves) {
        (false, _) => Some(("hopper.filled", data)),
        (true, true) => Some(("hopper.starved", data)),
        (true, false) => None,
    }
}

impl Engine {
    /// Knows the campaign without dialing it.
    pub(crate) fn know(&mut self, setting: Arc<Setting>, counts: Option<ItemCounts>) {
        let entry = self
            .campaigns
            .entry(setting.id())
            .or_insert_with(|| CampaignEntry {
                setting: Arc::clone(&setting),
                counts: ItemCounts::default(),
                feed: None,
                starved: false,
                stats: CampaignStats::default(),
            });
        entry.setting = setting;
        if let Some(counts) = counts {
            entry.counts = counts;
        }
        self.board.touch();
    }

    /// Dials a campaign from now on.
    ///
    /// # Errors
    /// The brain's refusal (a mode that is not there).
    pub(crate) fn adopt(
        &mut self,
        now: UtcMs,
        adopted: Adopted,
    ) -> Result<Vec<Problem>, dialer::Refusal> {
        let Adopted {
            setting,
            spec,
            counts,
            fed,
        } = adopted;
        let id = setting.id();
        self.know(Arc::clone(&setting), Some(counts));
        if let Err(refusal) = self.ask(now, Input::Campaign(Box::new(spec))) {
            crate::ops::unknown_campaign(&self.shared, fed);
            return Err(refusal);
        }
        self.stocked(now, id, fed, None);
        Ok(self.problems(now, id))
    }

    /// What the forecasts of the campaigns that dial now have learned.
    pub(crate) fn memories(&self) -> Vec<(CampaignId, dialer::predictive::Memory)> {
        let on = self.campaigns.keys().filter(|id| self.is_dialing(**id));
        on.filter_map(|id| Some((*id, self.brain.memory(*id)?)))
            .collect()
    }

    /// Stops dialing a campaign; `cancel` withdraws what rings.
    pub(crate) fn leave(
        &mut self,
        now: UtcMs,
        setting: Arc<Setting>,
        cancel: bool,
    ) -> Vec<Problem> {
        let id = setting.id();
        self.know(setting, None);
        self.take(
            now,
            Input::CampaignOff {
                campaign: id,
                cancel,
            },
        );
        self.problems(now, id)
    }

    /// The feeder's outcome.
    pub(crate) fn stocked(
        &mut self,
        now: UtcMs,
        id: CampaignId,
        fed: Fed,
        counts: Option<ItemCounts>,
    ) {
        let queued = self.brain.hopper(id).count();
        let Some(entry) = self.campaigns.get_mut(&id) else {
            crate::ops::unknown_campaign(&self.shared, fed);
            return;
        };
        if let Some(counts) = counts {
            entry.counts = counts;
        }
        let refused: Vec<(String, u64)> = fed
            .last
            .blocked
            .iter()
            .map(|(reason, n)| (reason.clone(), *n))
            .collect();
        let told = filled(entry, &fed, queued);
        if let Some((kind, data)) = told {
            let client = Some(entry.setting.client.id);
            let subject = format!("campaign:{id}");
            let event = self
                .shared
                .event(client, self.shared.actor(), kind, subject, data);
            self.shared.journal(event);
        }
        entry.feed = Some(crate::ops::merged(entry.feed.as_ref(), fed.last));
        for (reason, n) in refused {
            self.count_blocked(Some(id), &reason, n);
        }
        let mut items: Vec<Item> = Vec::with_capacity(fed.stocked.len());
        for (item, stocked) in fed.stocked {
            match self.hopper.entry((id, item.debtor)) {
                Entry::Vacant(place) => {
                    place.insert(stocked);
                    items.push(item);
                }
                // Given out twice: the brain would let this one go, and what is kept of the first with it.
                Entry::Occupied(_) => {
                    self.shared
                        .fault("debtor is in the hopper already", &item.debtor);
                }
            }
        }
        self.take(
            now,
            Input::Stock {
                campaign: id,
                items,
                more: fed.more,
            },
        );
        self.board.touch();
    }

    /// Items that the brain let go without a word (a call by hand took the person) go back.
    pub(super) fn give_back_strays(&mut self) {
        let previewed = self.brain.agents().filter(|(_, s)| s.preview.is_some());
        let queued = self.campaigns.keys().map(|c| self.brain.hopper(*c).count());
        if queued.sum::<usize>() + previewed.count() == self.hopper.len() {
            return;
        }
        let mut kept: BTreeSet<StockKey> = BTreeSet::new();
        for id in self.campaigns.keys() {
            kept.extend(self.brain.hopper(*id).map(|item| (*id, item.debtor)));
        }
        let previews = self.brain.agents().filter_map(|(_, s)| s.preview.as_ref());
        kept.extend(previews.map(|(_, item)| (item.campaign, item.debtor)));
        let strays: Vec<StockKey> = self
            .hopper
            .keys()
            .filter(|key| !kept.contains(key))
            .copied()
            .collect();
        for key in strays {
            if let Some(stocked) = self.hopper.remove(&key) {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move { crate::ops::give_back(&shared, stocked.state).await });
            }
        }
    }

    pub(crate) fn set_counts(&mut self, id: CampaignId, counts: ItemCounts) {
        if let Some(entry) = self.campaigns.get_mut(&id) {
            entry.counts = counts;
            self.board.touch();
        }
    }

    /// Whether the campaign is dialed here now.
    pub(crate) fn is_dialing(&self, id: CampaignId) -> bool {
        self.brain.campaign(id).is_some_and(|v| v.on)
    }

    /// Abandonment the campaign's forecast aims at, percent.
    pub(crate) fn aims_at(&self, id: CampaignId) -> Option<f64> {
        self.brain.campaign(id)?.target_pct
    }

    /// Campaigns that dial now.
    pub(crate) fn running(&self) -> Vec<Arc<Setting>> {
        self.campaigns
            .values()
            .filter(|c| c.setting.campaign.status == CampaignStatus::Running)
            .filter(|c| self.is_dialing(c.setting.id()))
            .map(|c| Arc::clone(&c.setting))
            .collect()
    }

    /// Campaigns under a rule on short calls that dial now, or for which somebody dialed by hand.
    pub(crate) fn short_asks(&self) -> Vec<ShortAsk> {
        let ask = |(id, day): (CampaignId, ShortDay)| {
            Some(ShortAsk {
                setting: Arc::clone(&self.campaigns.get(&id)?.setting),
                rule: day.rule,
                counted: day.counted.is_some(),
            })
        };
        self.brain.short_days().filter_map(ask).collect()
    }

    /// Nodes came or went: the trunks' limits are shared anew.
    pub(crate) fn set_place(&mut self, now: UtcMs, place: (u32, u32)) {
        if std::mem::replace(&mut self.place, place) == place {
            return;
        }
        tracing::info!(
            place = place.0,
            nodes = place.1,
            "the trunks' limits are shared anew"
        );
        let trunks: Vec<Trunk> = self.trunks.values().map(|t| t.trunk.clone()).collect();
        for trunk in trunks {
            self.put_trunk(now, trunk);
        }
    }

    /// A trunk is there, or changed.
    pub(crate) fn put_trunk(&mut self, now: UtcMs, trunk: Trunk) {
        let (place, limit) = (self.place, |n: i32| u32::try_from(n).unwrap_or(0));
        let usable = |n: u32| if trunk.enabled { n } else { 0 };
        let spec = TrunkSpec {
            id: trunk.id,
            channels: usable(lines::channels(limit(trunk.channels), place)),
            cps: usable(lines::starts(limit(trunk.cps), place, now)),
        };
        match self.trunks.get_mut(&trunk.id) {
            Some(entry) => entry.trunk = trunk,
            None => {
                self.trunks.insert(
                    trunk.id,
                    TrunkEntry {
                        trunk,
                        invites: 0,
                        answered: 0,
                        effective: 0,
                        talk_ms: 0,
                        rung: 0,
                        pdd_ms: 0,
                    },
                );
            }
        }
        self.take(now, Input::Trunk(spec));
        self.tell_readiness();
        self.board.touch();
    }

    /// The hopper, next first.
    pub(crate) fn hopper_rows(&self, id: CampaignId) -> Vec<HopperRow> {
        let row = |item: &Item| {
            let stocked = self.hopper.get(&(id, item.debtor))?;
            Some(HopperRow {
                debtor_id: item.debtor,
                point_id: item.point,
                masked: mask(stocked.point.value.reveal()),
                agent_only: item.agent_only,
                priority: item.priority,
                since: stocked.since,
                verdict_id: stocked.verdict_id,
                decision: stocked.decision,
                reason_es: stocked.reason.0.clone(),
                reason_en: stocked.reason.1.clone(),
            })
        };
        self.brain.hopper(id).filter_map(row).collect()
    }

    pub(crate) fn in_hopper(&self, campaign: CampaignId, debtor: DebtorId) -> bool {
        self.hopper.contains_key(&(campaign, debtor))
    }

    /// Of a debtor in the campaign's hopper or on one of its lines, why the order chose him, where it did.
    pub(crate) fn chosen(&self, campaign: CampaignId, debtor: DebtorId) -> Option<Option<Why>> {
        let queued = self.hopper.get(&(campaign, debtor));
        let on_line = || {
            let up = self.calls.values().filter(|call| call.over.is_none());
            let mut up = up.map(|call| &call.ctx.stocked);
            up.find(|s| s.setting.id() == campaign && s.facts.debtor.id == debtor)
        };
        queued.or_else(on_line).map(|stocked| stocked.why)
    }
}
