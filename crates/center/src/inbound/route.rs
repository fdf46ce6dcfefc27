//! From the two numbers of a call to its campaign and its debtor.

use super::stranger::Fresh;
use super::{Came, stranger};
use crate::error::CenterError;
use crate::live::Stocked;
use crate::shared::Shared;
use crate::{campaigns, feeder};
use dialer::{CallRules, Item};
use domain::entity::{
    Attempt, BlockReason, CallerId, Campaign, CampaignStatus, CampaignZones, CheckPoint,
    ContactPoint, Debtor, Direction, InboundCall, InboundOutcome, Language, Verdict,
};
use domain::ids::{CallerIdId, CampaignId, ClientId, DebtorId, VerdictId};
use domain::ports::store::{
    AttemptFilter, ContactFacts, ItemState, KnownCaller, ListFilter, PAGE_LIMIT_MAX, PageRequest,
    StoreError,
};
use domain::rules::hours::OpeningHours;
use domain::time::{DAY_MS, SECOND_MS, UtcMs};
use std::sync::Arc;

/// How far back it is looked which of our numbers he was shown, ms.
const BACK_MS: i64 = 30 * DAY_MS;

/// A caller who may talk with an agent.
pub(crate) struct Guest {
    pub(crate) stocked: Stocked,
    pub(crate) item: Item,
    pub(crate) rules: CallRules,
    pub(crate) wait_ms: i64,
    pub(crate) caller: (Option<CallerIdId>, String),
    /// Nobody knows him: his file, to be written with his call.
    pub(crate) file: Option<Box<(Debtor, ContactPoint)>>,
}

impl Guest {
    pub(super) fn told(&self) -> Told {
        Told {
            outcome: InboundOutcome::NotServed,
            client: self.stocked.setting.client.id.to_string(),
            language: tongue(self.stocked.facts.debtor.language).to_owned(),
            hours: None,
        }
    }
}

/// What a caller hears who is not given to an agent.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) outcome: InboundOutcome,
    /// Client whose message it is, as text id; empty = the house's.
    pub(super) client: String,
    pub(super) language: String,
    /// When he would be taken, in words, where he came outside of those hours.
    pub(super) hours: Option<String>,
}

impl Told {
    pub(super) fn plain(outcome: InboundOutcome) -> Self {
        Self {
            outcome,
            client: String::new(),
            language: "es".to_owned(),
            hours: None,
        }
    }

    pub(super) fn with(self, outcome: InboundOutcome) -> Self {
        Self { outcome, ..self }
    }

    /// Who came outside the hours hears them.
    fn with_hours(
        self,
        shared: &Shared,
        setting: &crate::live::Setting,
        facts: &ContactFacts,
        now: UtcMs,
    ) -> Self {
        let closed = self.outcome == InboundOutcome::Closed;
        let hours = closed.then(|| hours(shared, setting, facts, now)).flatten();
        Self { hours, ..self }
    }

    fn of(client: ClientId, outcome: InboundOutcome) -> Self {
        Self {
            client: client.to_string(),
            ..Self::plain(outcome)
        }
    }
}

/// Languages of recorded messages. The house has none in Portuguese of its own: until somebody records them its
/// place is taken by [`FALLBACK`].
pub(crate) const TONGUES: &[&str] = &["en", "es", "pt"];

/// Language that is heard where a message is not there in one's own.
pub(crate) const FALLBACK: &str = "es";

/// Language of recorded messages for a debtor: one of [`TONGUES`].
pub(crate) const fn tongue(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Es => "es",
        Language::Pt => "pt",
    }
}

const fn whole() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

/// Whose number was called: a caller id's client, or the one that names it as its call-back number.
async fn owner(
    shared: &Shared,
    called: &str,
) -> Result<Option<(ClientId, Option<CallerId>)>, StoreError> {
    if called.is_empty() {
        return Ok(None);
    }
    let store = &shared.out.store;
    let forms = domain::phone::forms(called);
    for form in &forms {
        if let Some(row) = store.caller_id_numbered(form).await? {
            reached(shared, row.id).await;
            return Ok(Some((row.client_id, Some(row))));
        }
    }
    let (all, mut page) = (ListFilter::default(), whole());
    loop {
        let clients = store.list_clients(&all, &page).await?;
        let named = clients
            .items
            .iter()
            .find(|c| forms.contains(&c.callback_number));
        if let Some(named) = named {
            return Ok(Some((named.id, None)));
        }
        page.cursor = clients.next_cursor;
        if page.cursor.is_none() {
            return Ok(None);
        }
    }
}

/// Notes that the way back by a number of ours works, once a day. That it is not noted keeps nobody from talking.
async fn reached(shared: &Shared, id: CallerIdId) {
    let now = shared.now();
    if shared.floor.note_reached(id, now)
        && let Err(error) = shared.out.store.caller_id_reached(id, now).await
    {
        tracing::debug!(reason = %error, "a call to a number of ours is not noted as its test");
    }
}

/// The campaigns of a client that run and take callers.
async fn open_to_callers(shared: &Shared, client: ClientId) -> Result<Vec<Campaign>, StoreError> {
    let ours = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let (mut found, mut page) = (Vec::new(), whole());
    loop {
        let all = shared.out.store.list_campaigns(&ours, &page).await?;
        let takes = |c: &Campaign| c.status == CampaignStatus::Running && c.params.inbound.blended;
        found.extend(all.items.into_iter().filter(takes));
        page.cursor = all.next_cursor;
        if page.cursor.is_none() {
            return Ok(found);
        }
    }
}

/// The campaign whose call to him last showed the number that he calls.
async fn showed_him(
    shared: &Shared,
    debtor: DebtorId,
    called: &str,
) -> Result<Option<CampaignId>, StoreError> {
    let filter = AttemptFilter {
        debtor_id: Some(debtor),
        since: Some(shared.now().plus_ms(-BACK_MS)),
        ..AttemptFilter::default()
    };
    let rows = shared.out.store.list_attempts(&filter, &whole()).await?;
    let shows = |a: &&Attempt| a.direction == Direction::Outbound && a.caller_number == called;
    let mut shown = rows.items.iter().rev().filter(shows);
    Ok(shown.find_map(|a| a.campaign_id))
}

/// Its campaign: of those that run and take callers the one that called him last from the number he calls, then
/// the one that called him last, then one that shows that number, then one that has him.
async fn campaign(
    shared: &Shared,
    client: ClientId,
    (called, caller_id): (&str, Option<&CallerId>),
    known: Option<&KnownCaller>,
) -> Result<Option<(Campaign, Option<ItemState>)>, StoreError> {
    // He was shown the number as we write it.
    let called = caller_id.map_or(called, |row| row.number.as_str());
    let (items, from) = match known {
        Some(known) => (
            shared.out.store.items_of(known.debtor_id).await?,
            showed_him(shared, known.debtor_id, called).await?,
        ),
        None => (Vec::new(), None),
    };
    let shows = |c: &Campaign| {
        let pool = &c.params.caller_id_pool;
        caller_id.is_some_and(|row| pool.is_empty() || pool.contains(&row.id))
    };
    let rank = |c: &Campaign| {
        (
            from != Some(c.id),
            known.is_none_or(|k| k.campaign_id != Some(c.id)),
            !shows(c),
            items.iter().all(|i| i.campaign_id != c.id),
            c.id,
        )
    };
    let all = open_to_callers(shared, client).await?;
    let best = all.into_iter().min_by_key(|c| rank(c));
    Ok(best.map(|c| {
        let item = items.iter().find(|i| i.campaign_id == c.id).cloned();
        (c, item)
    }))
}

/// A debtor's facts without what was done before.
fn bare(facts: &ContactFacts) -> ContactFacts {
    let mut bare = stranger::as_debtor(facts).into_owned();
    bare.ledger.clear();
    for point in &mut bare.points {
        point.last_rpc_at = None;
    }
    bare
}

/// What the law says of talking with him now. Caps and gaps bind what we start, not him who calls us: it is
/// asked without what was done before. So it is of a message in a call that counted already.
pub(crate) fn law(
    shared: &Shared,
    setting: &crate::live::Setting,
    facts: &ContactFacts,
    point: &ContactPoint,
    now: UtcMs,
) -> Verdict {
    let bare = bare(facts);
    let id = VerdictId(shared.id());
    let point = Some(point.id);
    let mut action = feeder::action(setting, id, CheckPoint::Manual, point, 0, now);
    action.agent_reserved = true;
    action.attempts_per_day = None;
    action.circumstances.zone_policy = CampaignZones::Pack;
    crate::asked::by(shared, &mut action, shared.actor());
    shared.out.law.judge(&bare, &action)
}

/// How far ahead the hours are looked at that a caller is told, ms: two weeks, for holidays.
const HOURS_AHEAD_MS: i64 = 14 * DAY_MS;
/// Most stretches of open hours in that time: some a day.
const HOURS_MOST: usize = 60;

/// When a caller would be taken, by the law and the campaign, in words of his language.
fn hours(
    shared: &Shared,
    setting: &crate::live::Setting,
    facts: &ContactFacts,
    now: UtcMs,
) -> Option<String> {
    let bare = bare(facts);
    let id = VerdictId(shared.id());
    let mut action = feeder::action(setting, id, CheckPoint::Manual, None, 0, now);
    action.agent_reserved = true;
    action.attempts_per_day = None;
    action.circumstances.zone_policy = CampaignZones::Pack;
    let (mut open, end) = (Vec::new(), now.plus_ms(HOURS_AHEAD_MS));
    for _ in 0..HOURS_MOST {
        let (from, until) = shared.out.law.callable(&bare, &action);
        if until <= from || from >= end {
            break;
        }
        open.push((from, until));
        action.now = until;
    }
    let zone = feeder::zone_or_utc(&shared.out.law.zone_of(facts));
    OpeningHours::of(&open, &zone).in_words(facts.debtor.language)
}

const fn refusal(verdict: &Verdict) -> InboundOutcome {
    match verdict.blocked {
        Some(BlockReason::Window) => InboundOutcome::Closed,
        Some(BlockReason::Hold) => InboundOutcome::Held,
        Some(BlockReason::Suppressed) => InboundOutcome::Suppressed,
        Some(BlockReason::Cap | BlockReason::Rule) | None => InboundOutcome::Refused,
    }
}

/// Whose number was called, who calls, and to which campaign, as far as can be told; for one who is not taken.
pub(super) async fn label(
    shared: &Shared,
    came: &Came,
    call: &mut InboundCall,
) -> Result<(), StoreError> {
    let Some((client, caller_id)) = owner(shared, &came.called).await? else {
        return Ok(());
    };
    call.client_id = Some(client);
    let known = match &came.caller {
        Some(number) => shared.out.store.known_caller(client, number).await?,
        None => None,
    };
    call.debtor_id = known.as_ref().map(|k| k.debtor_id);
    let of = (came.called.as_str(), caller_id.as_ref());
    let found = campaign(shared, client, of, known.as_ref()).await?;
    call.campaign_id = found.map(|(c, _)| c.id);
    Ok(())
}

/// Who calls whom. The inner error is what he is told instead.
pub(super) async fn find(
    shared: &Shared,
    came: &Came,
    call: &mut InboundCall,
) -> Result<Result<Guest, Told>, StoreError> {
    let (store, now) = (&shared.out.store, shared.now());
    let Some((client, caller_id)) = owner(shared, &came.called).await? else {
        return Ok(Err(Told::plain(InboundOutcome::UnknownNumber)));
    };
    call.client_id = Some(client);
    let known = match &came.caller {
        Some(number) => store.known_caller(client, number).await?,
        None => None,
    };
    let of = (came.called.as_str(), caller_id.as_ref());
    let found = campaign(shared, client, of, known.as_ref()).await?;
    call.campaign_id = found.as_ref().map(|(c, _)| c.id);
    let (facts, point_id, file) = match (known, &found) {
        (Some(known), _) => {
            call.debtor_id = Some(known.debtor_id);
            let facts = crate::owed::facts_of(store.as_ref(), known.debtor_id, now).await?;
            (facts, known.point_id, None)
        }
        (None, None) => return Ok(Err(Told::of(client, InboundOutcome::Unidentified))),
        (None, Some((campaign, _))) => {
            match stranger::draft(shared, client, campaign, came, now).await? {
                Ok(Fresh {
                    debtor,
                    point,
                    facts,
                }) => (facts, point.id, Some(Box::new((debtor, point)))),
                Err(outcome) => return Ok(Err(Told::of(client, outcome))),
            }
        }
    };
    let told = Told {
        language: tongue(facts.debtor.language).to_owned(),
        ..Told::of(client, InboundOutcome::NotServed)
    };
    let Some((campaign, item)) = found else {
        return Ok(Err(told));
    };
    note_duty(shared, campaign.id, &facts, now).await;
    if facts.debtor.is_stranger() && !campaign.params.inbound.unknown {
        return Ok(Err(told.with(InboundOutcome::Unidentified)));
    }
    let point = facts.points.iter().find(|p| p.id == point_id);
    let Some(point) = point.cloned() else {
        return Ok(Err(told.with(InboundOutcome::Unidentified)));
    };
    let rules = campaigns::rules(&campaign);
    let setting = match campaigns::setting(shared, campaign).await {
        Ok(setting) => Arc::new(setting),
        Err(CenterError::Store(error)) => return Err(error),
        Err(_) => return Ok(Err(told)),
    };
    let verdict = law(shared, &setting, &facts, &point, now);
    if !verdict.decision.permits(true) {
        let told = told.with(refusal(&verdict));
        return Ok(Err(told.with_hours(shared, &setting, &facts, now)));
    }
    let guest = guest(
        shared,
        (setting, facts, point),
        (rules, item),
        (caller_id, came),
        now,
    );
    Ok(Ok(Guest { file, ..guest }))
}

/// What a caller's packs ask of the line, for the alarms of its queue.
async fn note_duty(shared: &Shared, id: CampaignId, facts: &ContactFacts, now: UtcMs) {
    let facts = stranger::as_debtor(facts);
    if let Some(duty) = shared.out.law.inbound_duty(&facts, now) {
        shared
            .post
            .tell(move |engine, _| engine.note_duty(id, duty))
            .await;
    }
}

fn guest(
    shared: &Shared,
    (setting, facts, point): (Arc<crate::live::Setting>, ContactFacts, ContactPoint),
    (rules, item): (CallRules, Option<ItemState>),
    (caller_id, came): (Option<CallerId>, &Came),
    now: UtcMs,
) -> Guest {
    let wait_ms = setting.campaign.params.inbound.wait_max_s * SECOND_MS;
    let (item, stocked) = seated(shared, (setting, facts, point), item, now);
    Guest {
        stocked,
        item,
        rules,
        wait_ms,
        caller: (caller_id.map(|c| c.id), came.called.clone()),
        file: None,
    }
}

/// A debtor who is given to an agent alone, at one of his numbers, as the queue has him.
pub(super) fn seated(
    shared: &Shared,
    (setting, facts, point): (Arc<crate::live::Setting>, ContactFacts, ContactPoint),
    item: Option<ItemState>,
    now: UtcMs,
) -> (Item, Stocked) {
    let law = shared.out.law.call_law(&facts, now);
    let in_campaign = item.is_some();
    let state = item.unwrap_or_else(|| crate::manual::fresh(setting.id(), facts.debtor.id, now));
    let item = Item {
        campaign: setting.id(),
        client: setting.client.id,
        debtor: facts.debtor.id,
        person: facts.debtor.person_id,
        point: point.id,
        agent_only: true,
        ring_min_ms: law.ring_min_ms,
        agent_within_ms: law.agent_within_ms,
        lease_until: now.plus_ms(shared.config.contact_lease_ms),
        priority: state.priority,
        own_agent: None,
        own_only: false,
        abandon: law.abandon,
        short_calls: law.short_calls,
        closes_at: None,
        language: facts.debtor.language,
        avoid: None,
        answer: None,
    };
    let stocked = Stocked {
        setting,
        state,
        in_campaign,
        facts: Arc::new(facts),
        point,
        point_attempts: Vec::new(),
        verdict_id: VerdictId(shared.id()),
        decision: "allow",
        reason: (String::new(), String::new()),
        since: now,
        closes_at: None,
        why: None,
    };
    (item, stocked)
}
