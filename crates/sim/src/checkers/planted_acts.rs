//! Planted breaches of what is counted over calls, messages and letters.

use super::acts::{caps_hold_over_channels, everything_is_counted_once, messages_are_allowed};
use super::planted::{T0, add, attempt, id, verdict};
use crate::post::Posted;
use crate::store::Tables;
use crate::trunk::Invite;
use domain::entity::{
    Channel, Debtor, DebtorKind, Hold, HoldKind, HoldScope, Language, LedgerKind, LedgerRow,
    Letter, Message,
};
use domain::ids::{ClientId, DebtId, DebtorId, HoldId, LedgerId, MessageId, PersonId, PortfolioId};
use domain::pii::Pii;
use domain::time::{HOUR_MS, UtcMs};
use serde_json::json;

/// Offset from UTC of the planted world, hours.
const OFFSET_H: i64 = -6;

#[derive(Default)]
struct Planted {
    tables: Tables,
    invites: Vec<Invite>,
    posted: Vec<Posted>,
    rows: u128,
}

/// So many hours in.
fn at(hour: i64) -> UtcMs {
    UtcMs(T0 + hour * HOUR_MS)
}

impl Planted {
    /// A world with one debtor, who is person 1, of a country.
    fn of(country: &str) -> Self {
        let mut new = Self::default();
        let debtor = Debtor {
            id: DebtorId(id(1)),
            client_id: ClientId(id(3)),
            portfolio_id: PortfolioId(id(2)),
            person_id: PersonId(id(1)),
            external_ref: "C1".into(),
            kind: DebtorKind::Person,
            name: Pii("x".into()),
            document: Pii("x".into()),
            country: country.into(),
            subdivision: None,
            language: Language::Es,
            address_zone: None,
            told_zone: None,
            told_zone_at: None,
            created_at: at(0),
            updated_at: at(0),
        };
        new.tables.debtors.insert(debtor.id, debtor);
        new
    }

    fn next(&mut self) -> u128 {
        self.rows += 1;
        self.rows
    }

    fn count(&mut self, row: LedgerId, channel: Channel, at: UtcMs) {
        let call = attempt(900, 1, 0);
        self.tables.ledger.push(LedgerRow {
            id: row,
            channel,
            attempt_id: None,
            ..LedgerRow::of_attempt(&call, LedgerKind::Message, at)
        });
    }

    fn call(mut self, hour: i64) -> Self {
        let n = self.next();
        let row = attempt(n, 1, hour);
        let counted = LedgerRow::of_attempt(&row, LedgerKind::Attempt, row.opened_at);
        self.tables.ledger.push(counted);
        add(&mut self.tables, &mut self.invites, n, row);
        self
    }

    fn message(mut self, hour: i64) -> Self {
        let n = self.next();
        let mut allowed = verdict(700 + n, at(hour));
        allowed.channel = Channel::Sms;
        let row: Message = serde_json::from_value(json!({
            "id": id(600 + n), "client_id": id(3), "debtor_id": id(1), "debt_id": id(4),
            "channel": "sms", "purpose": "strategy", "template_version": 1, "strategy_version": 1,
            "step": "a", "subject": "", "body": "x", "due_at": at(hour), "expires_at": at(hour + 24),
            "state": "sent", "reason": "", "tries": 1, "gateway": "g", "provider_ref": "r",
            "cost_micro": 0, "verdict_id": allowed.id, "made_by": "system", "created_at": at(hour),
        }))
        .expect("a message");
        self.count(LedgerRow::id_of_message(row.id), Channel::Sms, at(hour));
        self.posted.push(Posted {
            message: row.id,
            channel: Channel::Sms,
            at: at(hour),
        });
        self.tables.verdicts.insert(allowed.id, allowed);
        self.tables.messages.insert(row.id, row);
        self
    }

    fn letter(mut self, hour: i64) -> Self {
        let n = self.next();
        let row: Letter = serde_json::from_value(json!({
            "id": id(800 + n), "client_id": id(3), "debtor_id": id(1), "debt_id": id(4),
            "batch_id": id(5), "level": "L1", "language": "es", "template_id": id(6),
            "letterhead": "x", "addressee": "x", "subject": "x", "body": "x", "dated": "2026-11-23",
            "made_at": at(hour),
        }))
        .expect("a letter");
        self.count(LedgerId(id(850 + n)), Channel::Letter, at(hour));
        self.tables.letters.insert(row.id, row);
        self
    }

    fn hold(mut self, kind: HoldKind, debt: bool) -> Self {
        let hold = Hold {
            id: HoldId(id(9)),
            client_id: ClientId(id(3)),
            debtor_id: DebtorId(id(1)),
            scope: if debt {
                HoldScope::Debt
            } else {
                HoldScope::Debtor
            },
            debt_id: debt.then_some(DebtId(id(4))),
            point_id: None,
            channel: (kind == HoldKind::ChannelOptout).then_some(Channel::Sms),
            kind,
            from: at(0),
            until: None,
            lifted_at: None,
            evidence: String::new(),
        };
        self.tables.holds.insert(hold.id, hold);
        self
    }

    fn seen(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let (t, invites, posted) = (&self.tables, &self.invites, &self.posted);
        caps_hold_over_channels(t, invites, posted, OFFSET_H, &mut out);
        everything_is_counted_once(t, invites, posted, &mut out);
        messages_are_allowed(t, posted, &mut out);
        let mut ids: Vec<u8> = out.into_iter().map(|b| b.invariant).collect();
        ids.dedup();
        ids
    }
}

const NONE: [u8; 0] = [];

#[test]
fn a_call_and_a_message_of_one_day_are_two_actions_where_the_law_counts_actions() {
    assert_eq!(Planted::of("EC").call(0).message(24).seen(), NONE);
    assert_eq!(Planted::of("EC").call(0).message(2).seen(), [3]);
    assert_eq!(Planted::of("MX").call(0).message(2).seen(), NONE);
}

#[test]
fn messages_and_letters_are_one_count_where_the_law_names_both() {
    assert_eq!(Planted::of("CL").message(0).letter(48).seen(), NONE);
    assert_eq!(
        Planted::of("CL").message(0).letter(2).seen(),
        [3],
        "a day apart"
    );
    let three = Planted::of("CL").message(0).letter(48).message(96);
    assert_eq!(three.seen(), [3], "three in a week");
    assert_eq!(Planted::of("MX").message(0).letter(2).seen(), NONE);
    let four = Planted::of("MX")
        .message(0)
        .message(24)
        .message(48)
        .message(96);
    assert_eq!(four.seen(), [3], "four in seven days");
}

#[test]
fn what_left_and_is_not_counted_is_seen() {
    for uncounted in [
        Planted::of("MX").call(0),
        Planted::of("MX").message(0),
        Planted::of("MX").letter(0),
    ] {
        let mut world = uncounted;
        assert_eq!(world.seen(), NONE);
        world.tables.ledger.clear();
        assert_eq!(world.seen(), [3]);
    }
}

#[test]
fn a_message_under_a_hold_twice_or_without_leave_is_seen() {
    let one = || Planted::of("MX").message(5);
    for (kind, debt) in [
        (HoldKind::Paid, true),
        (HoldKind::Dispute, true),
        (HoldKind::Deceased, false),
        (HoldKind::ChannelOptout, false),
    ] {
        assert_eq!(one().hold(kind, debt).seen(), [13], "{kind}");
    }
    assert_eq!(
        one().hold(HoldKind::Promise, true).seen(),
        NONE,
        "a promise is reminded of"
    );
    let mut twice = one();
    let again = twice.posted[0];
    twice.posted.push(again);
    assert_eq!(twice.seen(), [2]);
    let mut unasked = one();
    unasked.tables.verdicts.clear();
    assert_eq!(unasked.seen(), [2]);
    let mut unknown = one();
    unknown.posted[0].message = MessageId(id(999));
    assert_eq!(unknown.seen(), [3, 2]);
}
