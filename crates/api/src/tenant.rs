//! Whose rows a caller sees. A caller without a client sees all; any other sees rows that belong to
//! his client, be it by their own field, their debtor or their attempt.

use crate::ApiState;
use crate::auth::Caller;
use crate::list::Items;
use crate::problem::Problem;
use domain::entity::{Address, Claim, LetterBatch, Plan, Visit};
use domain::entity::{
    Agent, AssignmentRule, Attempt, Call, CallerId, Campaign, CampaignTemplate, CampaignVersion,
    Client, Complaint, Consent, ContactPoint, Debt, Debtor, DncList, Hold, Import, ImportMap,
    Merge, Override, Payment, Placement, Portfolio, Preference, Promise, Recording, Script,
    Segment, Suppression, Team, Trunk, User, Verdict, VoicemailTemplate,
};
use domain::entity::{BankFile, PaymentLink, Receipt};
use domain::entity::{InboxMessage, Message, PlannedStep, Strategy, TextTemplate};
use domain::ids::{AttemptId, ClientId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::Page;

/// To whom a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The installation's floor: staff of any client may see it.
    House,
    /// The installation itself: only callers without a client.
    Installation,
    /// A client.
    Client(ClientId),
    /// The client of a debtor.
    Debtor(DebtorId),
    /// The client of an attempt.
    Attempt(AttemptId),
}

/// A row with an owner and a name for "no such …".
pub(crate) trait Owned {
    /// As said in "no such …".
    const WHAT: &'static str;
    /// Whose it is.
    fn owner(&self) -> Owner;
}

macro_rules! owned {
    ($($entity:ident $what:literal $row:ident => $owner:expr;)+) => { $(
        impl Owned for $entity {
            const WHAT: &'static str = $what;
            fn owner(&self) -> Owner { let $row = self; let _ = $row; $owner }
        }
    )+ };
}

owned! {
    Client "client" r => Owner::Client(r.id);
    Address "address" r => Owner::Client(r.client_id);
    Portfolio "portfolio" r => Owner::Client(r.client_id);
    Debtor "debtor" r => Owner::Client(r.client_id);
    Debt "debt" r => Owner::Client(r.client_id);
    ContactPoint "point" r => Owner::Debtor(r.debtor_id);
    Consent "consent" r => Owner::Debtor(r.debtor_id);
    Override "relaxed presumption" r => Owner::Client(r.client_id);
    Hold "hold" r => Owner::Client(r.client_id);
    Preference "preference" r => Owner::Debtor(r.debtor_id);
    DncList "do-not-call list" r => r.client_id.map_or(Owner::House, Owner::Client);
    Complaint "complaint" r => Owner::Client(r.client_id);
    CampaignVersion "version of the campaign" r => Owner::Client(r.client_id);
    CampaignTemplate "template of campaigns" r => r.client_id.map_or(Owner::House, Owner::Client);
    VoicemailTemplate "message for mailboxes" r => Owner::Client(r.client_id);
    AssignmentRule "rule of assignment" r => Owner::Client(r.client_id);
    Suppression "suppression" r => r.client_id.map_or(Owner::Installation, Owner::Client);
    Import "import" r => Owner::Client(r.client_id);
    ImportMap "column map" r => Owner::Client(r.client_id);
    Merge "merge" r => Owner::Client(r.client_id);
    Placement "placement" r => Owner::Client(r.client_id);
    Segment "segment" r => Owner::Client(r.client_id);
    Campaign "campaign" r => Owner::Client(r.client_id);
    Script "script" r => Owner::Client(r.client_id);
    User "user" r => r.client_id.map_or(Owner::Installation, Owner::Client);
    Team "team" r => Owner::House;
    Agent "agent" r => Owner::House;
    Trunk "trunk" r => Owner::House;
    CallerId "caller id" r => Owner::Client(r.client_id);
    Attempt "attempt" r => Owner::Client(r.client_id);
    Call "call" r => Owner::Attempt(r.attempt_id);
    Recording "recording" r => Owner::Client(r.client_id);
    Plan "plan" r => Owner::Client(r.client_id);
    Visit "visit" r => Owner::Client(r.client_id);
    Claim "claim" r => Owner::Client(r.client_id);
    LetterBatch "batch of letters" r => Owner::Client(r.client_id);
    Promise "promise" r => Owner::Client(r.client_id);
    Payment "payment" r => Owner::Client(r.client_id);
    Receipt "receipt" r => Owner::Client(r.client_id);
    PaymentLink "payment link" r => Owner::Client(r.client_id);
    BankFile "bank file" r => Owner::Client(r.client_id);
    Message "message" r => Owner::Client(r.client_id);
    InboxMessage "message of a debtor" r => r.client_id.map_or(Owner::Installation, Owner::Client);
    TextTemplate "template" r => Owner::Client(r.client_id);
    Strategy "strategy" r => Owner::Client(r.client_id);
    PlannedStep "planned step" r => Owner::Client(r.client_id);
    Verdict "verdict" r => Owner::Debtor(r.debtor_id);
}

/// The client behind an owner; `None` = no client.
async fn client_of(state: &ApiState, owner: Owner) -> Result<Option<ClientId>, Problem> {
    Ok(match owner {
        Owner::House | Owner::Installation => None,
        Owner::Client(id) => Some(id),
        Owner::Debtor(id) => Some(state.store.get_debtor(id).await?.client_id),
        Owner::Attempt(id) => Some(state.store.get_attempt(id).await?.client_id),
    })
}

async fn sees(state: &ApiState, caller: &Caller, owner: Owner) -> Result<bool, Problem> {
    match (caller.client, owner) {
        (None, _) | (_, Owner::House) => Ok(true),
        (Some(own), owner) => Ok(client_of(state, owner).await? == Some(own)),
    }
}

/// Lets a row through; another client's is no such row.
pub(crate) async fn seen<T: Owned>(
    state: &ApiState,
    caller: &Caller,
    row: T,
) -> Result<T, Problem> {
    if sees(state, caller, row.owner()).await? {
        Ok(row)
    } else {
        Err(Problem::not_found(T::WHAT))
    }
}

/// The rows of a page that the caller sees. The store narrows by client where a row names it; where
/// only the debtor or the attempt tells, rows fall out here and the page gets shorter.
pub(crate) async fn seen_page<T: Owned>(
    state: &ApiState,
    caller: &Caller,
    page: Page<T>,
) -> Result<Items<T>, Problem> {
    let mut items = Vec::with_capacity(page.items.len());
    let mut last: Option<(Owner, bool)> = None;
    for row in page.items {
        let owner = row.owner();
        let known = last.filter(|(of, _)| *of == owner).map(|(_, ok)| ok);
        let ok = match known {
            Some(ok) => ok,
            None => sees(state, caller, owner).await?,
        };
        last = Some((owner, ok));
        if ok {
            items.push(row);
        }
    }
    Ok(Items {
        items,
        next_cursor: page.next_cursor,
    })
}

impl ApiState {
    /// A client named in a body.
    pub(crate) async fn client_exists(&self, id: ClientId) -> Result<(), Problem> {
        match self.store.get_client(id).await {
            Ok(_) => Ok(()),
            Err(StoreError::NotFound(_)) => Err(Problem::invalid("client_id", "no such client")),
            Err(other) => Err(other.into()),
        }
    }

    /// A debtor named in a body, when the caller may see him.
    pub(crate) async fn own_debtor(
        &self,
        caller: &Caller,
        id: DebtorId,
    ) -> Result<Debtor, Problem> {
        let debtor = self.store.get_debtor(id).await?;
        seen(self, caller, debtor).await
    }
}
