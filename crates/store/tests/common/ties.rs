//! What ties random people to the house beyond calls and money: plans, stages, wishes, complaints, messages, who
//! works them.

use crate::maker::Maker;
use domain::entity::{
    Assignment, Campaign, Channel, Complaint, ComplaintState, DebtItem, Excuse, ExcuseKind,
    ImportState, InstalmentState, LedgerKind, LedgerRow, LetterLevel, MessageState, Placement,
    PlanState, Preference, PreferenceKind, Stage, Team,
};
use domain::ids::{AgentId, CampaignId, ComplaintId, ExcuseId, PlacementId, PreferenceId, TeamId};
use domain::ports::store::{AttemptFilter, Closing, PageRequest};
use domain::time::DAY_MS;
use rand::Rng as _;
use sim::contract::addresses::address;
use sim::contract::catalog::draft_agent;
use sim::contract::imports::file;
use sim::contract::judges::Allow;
use sim::contract::letters::{batch, draft};
use sim::contract::messages::waiting;
use sim::contract::plans::agreed;
use sim::contract::scene::*;
use sim::contract::stages::stage;

/// Who may work a debtor.
pub(crate) struct Crew {
    campaign: CampaignId,
    team: TeamId,
    agent: AgentId,
}

impl Crew {
    pub(crate) async fn new(store: &Subject, scene: &Scene) -> Self {
        let campaign = Campaign {
            name: "COLA".into(),
            ..scene.draft_campaign()
        };
        store.put_campaign(&campaign, &[]).await.expect("campaign");
        let team = Team {
            id: fresh::<TeamId>(),
            name: "NORTE".into(),
            created_at: NOW,
        };
        store.put_team(&team, &[]).await.expect("team");
        let mut agent = draft_agent();
        agent.name = "Eva".into();
        store.put_agent(&agent, &[]).await.expect("agent");
        Self {
            campaign: campaign.id,
            team: team.id,
            agent: agent.id,
        }
    }
}

/// When a debt was placed with us, and when it is to be given back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub on: &'static str,
    pub back: Option<&'static str>,
}

impl Maker {
    /// Gives the days on which a debt of his was placed with us and is to be given back, where one was.
    pub(crate) async fn ties(
        &mut self,
        scene: &Scene,
        person: &Person,
        crew: &Crew,
    ) -> Option<Placed> {
        self.places(person).await;
        self.debt(person).await;
        self.said(person).await;
        self.messages(person).await;
        if self.chance(60) {
            let row = Assignment {
                debtor_id: person.debtor.id,
                client_id: person.debtor.client_id,
                rule_id: None,
                campaign_id: self.one(&[None, Some(crew.campaign)]),
                team_id: self.one(&[None, Some(crew.team)]),
                agent_id: self.one(&[None, Some(crew.agent)]),
                assigned_at: NOW,
            };
            self.store.assign(&[row], &[]).await.expect("assigned");
        }
        self.swap();
        self.written(person).await;
        self.outside(person, crew.campaign).await;
        let placed = self.placed(scene, person).await;
        self.lately(person).await;
        self.swap();
        placed
    }

    /// One more debt of his, by a file of a placement.
    async fn placed(&mut self, scene: &Scene, person: &Person) -> Option<Placed> {
        if !self.chance(50) {
            return None;
        }
        let on = self.one(&["2026-11-23", "2026-11-22", "2026-10-24", "2026-12-01"]);
        let back = self.one(&[
            None,
            Some("2026-11-20"),
            Some("2026-11-23"),
            Some("2026-12-24"),
        ]);
        let placement = Placement {
            id: fresh::<PlacementId>(),
            client_id: scene.client.id,
            portfolio_id: scene.portfolio.id,
            placed_on: on.into(),
            recall_on: back.map(str::to_owned),
            fee_bp: 1_000,
            recalled_at: None,
            at: NOW,
            actor: "system".into(),
        };
        let kept = self.store.put_placement(&placement, &[]).await;
        kept.expect("placement");
        let mut file = file(scene, ImportState::Accepted);
        // Not kept in pieces: its rows are written as they come.
        (file.bytes, file.placement_id) = (0, Some(placement.id));
        self.store.put_import(&file, &[]).await.expect("file");
        let mut row = person.row(2);
        row.debt = scene.draft_debt(person.debtor.id, 1_000);
        row.parties.clear();
        let rows = [row];
        let report = self.store.import_batch(file.id, &rows, false, &[]).await;
        assert_eq!(report.expect("import").debts_new, 1);
        Some(Placed { on, back })
    }

    /// Letters and visits.
    async fn written(&mut self, person: &Person) {
        let month = NOW.plus_ms(-30 * DAY_MS);
        for _ in 0..self.rng.random_range(0..3) {
            let batch = batch(person);
            self.store.put_batch(&batch, &[]).await.expect("batch");
            let mut draft = draft(person, batch.id);
            let season = NOW.plus_ms(-90 * DAY_MS);
            let made = [NOW, month, month.plus_ms(1), season, season.plus_ms(1)];
            draft.letter.made_at = self.one(&made);
            draft.letter.level = self.one(LetterLevel::ALL);
            // A debt that is paid gets none.
            let _made_or_not = self.store.open_letter(&draft, &Allow).await;
        }
        let page = PageRequest {
            limit: 1,
            ..PageRequest::default()
        };
        let filter = AttemptFilter {
            debtor_id: Some(person.debtor.id),
            ..AttemptFilter::default()
        };
        let made = self.store.list_attempts(&filter, &page).await;
        let Some(attempt) = made.expect("attempts").items.pop() else {
            return;
        };
        // Somebody went there after the call.
        for _ in 0..self.rng.random_range(0..3) {
            let at = self.one(&[NOW, month, month.plus_ms(1)]);
            let mut row = LedgerRow::of_attempt(&attempt, LedgerKind::Visit, at);
            row.id = fresh();
            row.channel = Channel::Visit;
            let closing = Closing {
                ledger: vec![row],
                ..Closing::default()
            };
            let kept = self.store.close_attempt(attempt.id, &closing).await;
            kept.expect("visit");
        }
    }

    async fn places(&mut self, person: &Person) {
        for street in ["Calle 1", "Calle 2"] {
            if self.chance(50) {
                let mut row = address(person, street);
                row.city = self.one(&["Tijuana", "Toluca", ""]).into();
                row.postcode = self.one(&["22000", "50000"]).into();
                row.bad = self.chance(30);
                self.swap();
                row.region = self.one(&["BC", "MEX", ""]).into();
                row.country = self.one(&["MX", "US"]).into();
                self.swap();
                self.store.put_address(&row, &[]).await.expect("address");
            }
        }
        for _ in 0..self.rng.random_range(0..3) {
            let mut point = draft_point(person.debtor.id);
            point.channel = Channel::Email;
            point.value = self.one(&["ana@example.com", "leo@example.com"]).into();
            point.bad = self.chance(30);
            self.store.put_point(&point, &[]).await.expect("e-mail");
        }
    }

    /// What is agreed on his debt, where it stands, and of which invoices it is.
    async fn debt(&mut self, person: &Person) {
        let debt = &person.debt;
        if self.chance(50) {
            let row = stage(person, self.one(Stage::ALL));
            self.store.begin_stages(&[row]).await.expect("stage");
        }
        if debt.principal_minor > 1 && self.chance(60) {
            let item = |reference: &str, amount_minor: i64| DebtItem {
                debt_id: debt.id,
                reference: reference.to_owned(),
                due_date: "2026-10-24".into(),
                amount_minor,
            };
            let items = [item("F1", 1), item("F2", debt.principal_minor - 1)];
            let set = self.store.set_due_items(debt.id, &items, NOW, &[]).await;
            set.expect("items").expect("they add up");
        }
        for _ in 0..self.rng.random_range(0..3) {
            let mut file = agreed(person, 0);
            file.plan.currency = debt.currency;
            file.plan.state = self.one(&[
                PlanState::Active,
                PlanState::Signed,
                PlanState::Broken,
                PlanState::Completed,
            ]);
            self.swap();
            for part in &mut file.instalments {
                part.due_date = self.one(&["2026-11-20", "2026-11-23", "2026-12-24"]).into();
                part.paid_minor = self.one(&[0, part.amount_minor / 2]);
                part.state = self.one(&[
                    InstalmentState::Due,
                    InstalmentState::Due,
                    InstalmentState::Paid,
                ]);
            }
            self.swap();
            // One that does not stand on the debt as it is, or beside one that runs, is refused.
            let _drawn_or_refused = self.store.draw_plan(&file, &[]).await.expect("asked");
        }
    }

    async fn said(&mut self, person: &Person) {
        if self.chance(40) {
            let row = Excuse {
                id: fresh::<ExcuseId>(),
                client_id: person.debtor.client_id,
                debtor_id: person.debtor.id,
                promise_id: None,
                attempt_id: fresh(),
                agent_id: None,
                kind: self.one(ExcuseKind::ALL),
                at: NOW,
            };
            self.store.add_excuse(&row, &[]).await.expect("excuse");
        }
        if self.chance(50) {
            self.swap();
            let channel = self.one(&[
                None,
                Some(Channel::Sms),
                Some(Channel::Sms),
                Some(Channel::Call),
            ]);
            self.swap();
            let wish = Preference {
                id: fresh::<PreferenceId>(),
                debtor_id: person.debtor.id,
                kind: self.one(&[PreferenceKind::Elderly, PreferenceKind::Health]),
                channel,
                point_id: None,
                days: Vec::new(),
                from: None,
                to: None,
                recorded_at: self.one(&[NOW, NOW.plus_ms(1), NOW.plus_ms(-DAY_MS)]),
                until: self.one(&[None, Some(NOW), Some(NOW.plus_ms(1))]),
                revoked_at: self.one(&[None, None, Some(NOW), Some(NOW.plus_ms(1))]),
                proof: "call".into(),
            };
            self.store.put_preference(&wish, &[]).await.expect("wish");
        }
        if self.chance(30) {
            self.swap();
            let deadline = self.one(&["2026-12-01", "2026-11-23", "2026-11-20"]);
            let authority = self.one(&["CONDUSEF", "REDECO"]);
            self.swap();
            let row = Complaint {
                id: fresh::<ComplaintId>(),
                client_id: person.debtor.client_id,
                debtor_id: person.debtor.id,
                authority: authority.into(),
                number: name("case"),
                received_at: NOW,
                deadline: deadline.into(),
                state: self.one(ComplaintState::ALL),
                summary: "llamadas".into(),
                answer: None,
                answered_at: None,
                created_at: NOW,
            };
            self.store
                .put_complaint(&row, &[])
                .await
                .expect("complaint");
        }
    }

    async fn messages(&mut self, person: &Person) {
        for _ in 0..self.rng.random_range(0..3) {
            let mut row = waiting(person, None);
            let month = NOW.plus_ms(-30 * DAY_MS);
            row.sent_at = self.one(&[None, Some(NOW), Some(month), Some(month.plus_ms(1))]);
            self.swap();
            row.channel = self.one(&[Channel::Sms, Channel::Whatsapp]);
            if row.sent_at.is_some() {
                row.state = self.one(&[MessageState::Sent, MessageState::Bounced]);
            }
            self.swap();
            let planned = self.store.plan_messages(&[row], &[]).await;
            assert_eq!(planned.expect("message"), 1);
        }
    }
}
