//! Hold and Suppression: reasons that stop contact.

use super::{Payment, Promise};
use crate::ids::{ClientId, DebtId, DebtorId, HoldId, PointId, SuppressionId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

crate::text_enum! {
    /// Why contact stops.
    pub enum HoldKind {
        /// The debtor contests the debt.
        Dispute = "dispute",
        /// Asked not to be contacted.
        Cease = "cease",
        /// Only in writing.
        WritingOnly = "writing_only",
        /// Opted out of one channel.
        ChannelOptout = "channel_optout",
        /// Has a lawyer.
        Represented = "represented",
        /// Insolvent.
        Insolvency = "insolvency",
        /// Died.
        Deceased = "deceased",
        /// Breathing space.
        Moratorium = "moratorium",
        /// In court.
        Judicial = "judicial",
        /// Paid.
        Paid = "paid",
        /// Recalled by the client.
        Recalled = "recalled",
        /// Minor.
        Minor = "minor",
        /// A promise is alive: the debt is silent for the dialer (terms.md §6).
        Promise = "promise",
    }
}

crate::text_enum! {
    /// What a hold stops.
    pub enum HoldScope {
        /// Everything of the debtor.
        Debtor = "debtor",
        /// One debt.
        Debt = "debt",
        /// One contact point.
        Point = "point",
    }
}

/// A reason that stops contact on a debtor, debt or point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Identity.
    pub id: HoldId,
    /// Owner.
    pub client_id: ClientId,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// What it stops.
    pub scope: HoldScope,
    /// The debt, when `scope` is `debt`.
    pub debt_id: Option<DebtId>,
    /// The point, when `scope` is `point`.
    pub point_id: Option<PointId>,
    /// Channel, for `channel_optout`.
    pub channel: Option<super::Channel>,
    /// Why.
    pub kind: HoldKind,
    /// In force from.
    pub from: UtcMs,
    /// Until; `None` = until lifted.
    pub until: Option<UtcMs>,
    /// Lifted at.
    pub lifted_at: Option<UtcMs>,
    /// Evidence or note, without personal data.
    pub evidence: String,
}

impl Hold {
    /// Whether it stops contact at `now`.
    #[must_use]
    pub fn active_at(&self, now: UtcMs) -> bool {
        self.from <= now
            && self.until.is_none_or(|t| now < t)
            && self.lifted_at.is_none_or(|t| now < t)
    }

    /// Identity of a hold that follows from a row: the row's own under the kind's name space, so that it is made once.
    #[must_use]
    pub fn id_of(row: Uuid, kind: HoldKind) -> HoldId {
        HoldId(Uuid::new_v5(&row, kind.as_str().as_bytes()))
    }

    /// The hold of a promise: while it runs its debt is silent, until its grace is over.
    #[must_use]
    pub fn of_promise(promise: &Promise) -> Self {
        Self {
            id: Self::id_of(promise.id.0, HoldKind::Promise),
            client_id: promise.client_id,
            debtor_id: promise.debtor_id,
            scope: HoldScope::Debt,
            debt_id: Some(promise.debt_id),
            point_id: None,
            channel: None,
            kind: HoldKind::Promise,
            from: promise.made_at,
            until: Some(promise.grace_until),
            lifted_at: None,
            evidence: format!("promise:{}", promise.id),
        }
    }

    /// The hold of a debt that a payment paid off.
    #[must_use]
    pub fn of_payment(payment: &Payment) -> Self {
        Self {
            id: Self::id_of(payment.id.0, HoldKind::Paid),
            client_id: payment.client_id,
            debtor_id: payment.debtor_id,
            scope: HoldScope::Debt,
            debt_id: Some(payment.debt_id),
            point_id: None,
            channel: None,
            kind: HoldKind::Paid,
            from: payment.posted_at,
            until: None,
            lifted_at: None,
            evidence: format!("payment:{}", payment.id),
        }
    }

    /// Whether a hold on one of a person's debtors binds `debtor`, another one of the same person. What is
    /// true of the person binds everybody; what he asked a client for binds that client.
    #[must_use]
    pub fn reaches(&self, debtor: &super::Debtor) -> bool {
        if self.debtor_id == debtor.id {
            return true;
        }
        self.scope == HoldScope::Debtor
            && match self.kind {
                HoldKind::Deceased
                | HoldKind::Represented
                | HoldKind::Insolvency
                | HoldKind::Minor => true,
                HoldKind::Cease | HoldKind::WritingOnly | HoldKind::ChannelOptout => {
                    self.client_id == debtor.client_id
                }
                _ => false,
            }
    }
}

crate::text_enum! {
    /// What is listed.
    pub enum SuppressionKind {
        /// A phone number (E.164).
        Phone = "phone",
        /// An identity document.
        Document = "document",
        /// A person over all his debts, points and clients (the person's id).
        Person = "person",
        /// An e-mail address.
        Email = "email",
    }
}

/// A point or document never to be contacted, by any client when `client_id` is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Identity.
    pub id: SuppressionId,
    /// Client it binds; `None` binds the installation.
    pub client_id: Option<ClientId>,
    /// Debtor it binds (a wrong number for one debtor); `None` binds all.
    pub debtor_id: Option<DebtorId>,
    /// What is listed.
    pub kind: SuppressionKind,
    /// The number or document.
    pub value: crate::pii::Pii<String>,
    /// Why (`optout`, `wrong_number`, `list`, `request`).
    pub reason: String,
    /// Added at.
    pub created_at: UtcMs,
    /// Lifted at.
    pub lifted_at: Option<UtcMs>,
}
