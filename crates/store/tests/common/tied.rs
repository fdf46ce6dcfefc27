//! What ties a debtor to the house, read back from a store.

use domain::entity::{
    Assignment, Claim, Complaint, Debt, DebtStage, Excuse, InboxMessage, Instalment, LedgerRow,
    Letter, Message, PaymentLink, Plan, Visit,
};
use domain::ids::DebtorId;
use domain::ports::store::{InboxAsk, ItemState, LinkFilter, ListFilter, MessageAsk, PageRequest};
use domain::time::UtcMs;
use sim::contract::scene::Subject;

/// Most rows of one debtor that are read of a kind.
const OF_ONE: u32 = 100;

/// What ties one debtor to the house, as the store gives it.
pub(crate) struct Tied {
    pub stages: Vec<DebtStage>,
    pub plans: Vec<Plan>,
    pub excuses: Vec<Excuse>,
    pub complaints: Vec<Complaint>,
    pub messages: Vec<Message>,
    pub instalments: Vec<Instalment>,
    pub letters: Vec<Letter>,
    pub ledger: Vec<LedgerRow>,
    pub claims: Vec<Claim>,
    pub links: Vec<PaymentLink>,
    pub places: Vec<ItemState>,
    pub visits: Vec<Visit>,
    pub inbox: Vec<InboxMessage>,
    pub campaign: Option<String>,
    pub team: Option<String>,
    pub agent: Option<String>,
    pub since: Option<UtcMs>,
}

pub(crate) async fn tied(store: &Subject, id: DebtorId, debts: &[Debt]) -> Tied {
    let mut stages = Vec::new();
    for debt in debts {
        stages.extend(store.stage_of(debt.id).await.expect("stage"));
    }
    let plans = store.plans_of(id).await.expect("plans");
    let filter = ListFilter {
        debtor_id: Some(id),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: OF_ONE,
        ..PageRequest::default()
    };
    let complaints = store.list_complaints(&filter, &page).await;
    let filter = LinkFilter {
        debtor_id: Some(id),
        ..LinkFilter::default()
    };
    let links = store.payment_links_page(&filter, &page).await;
    let ask = MessageAsk {
        debtor: Some(id),
        limit: OF_ONE,
        ..MessageAsk::default()
    };
    let wrote = InboxAsk {
        debtor: Some(id),
        limit: OF_ONE,
        ..InboxAsk::default()
    };
    let row = store.assignments_of(&[id]).await.expect("assigned");
    let row: Option<Assignment> = row.into_iter().next();
    let since = row.as_ref().map(|row| row.assigned_at);
    let (mut campaign, mut team, mut agent) = (None, None, None);
    if let Some(row) = row {
        if let Some(id) = row.campaign_id {
            campaign = Some(store.get_campaign(id).await.expect("campaign").name);
        }
        if let Some(id) = row.team_id {
            team = Some(store.get_team(id).await.expect("team").name);
        }
        if let Some(id) = row.agent_id {
            agent = Some(store.get_agent(id).await.expect("agent").name);
        }
    }
    let parts = plans.iter().flat_map(|file| file.instalments.clone());
    Tied {
        stages,
        instalments: parts.collect(),
        letters: store.letters_of(id, OF_ONE).await.expect("letters"),
        ledger: store.ledger_of(id).await.expect("ledger"),
        claims: store.claims_of(id, OF_ONE).await.expect("claims"),
        links: links.expect("links").items,
        places: store.items_of(id).await.expect("items"),
        visits: store.visits_of(id, None, OF_ONE).await.expect("visits"),
        plans: plans.into_iter().map(|file| file.plan).collect(),
        excuses: store.excuses_of(id, OF_ONE).await.expect("excuses"),
        complaints: complaints.expect("complaints").items,
        messages: store.messages_page(&ask).await.expect("messages"),
        inbox: store.inbox_page(&wrote).await.expect("inbox"),
        campaign,
        team,
        agent,
        since,
    }
}
