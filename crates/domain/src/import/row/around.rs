//! How the debtor of a row is reached, and who answers for the debt with him: phones, e-mail addresses, postal
//! address, co-debtors and guarantors.

use super::super::{Target, value};
use super::{NAME_CHARS, Row};
use crate::entity::{Address, Channel, ContactPoint, Debtor, Party, PartyRole, PointClass};
use crate::ids::{DebtId, DebtorId, PointId};
use crate::import::PhoneRepair;
use crate::import::cells::Cell;
use crate::pii::Pii;
use crate::ports::store::RowFault;
use crate::rules::reach::UNTRIED;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// Most characters of a line of an address.
const ADDRESS_CHARS: usize = 200;

/// Columns of one role beside the main debtor.
struct Other {
    role: PartyRole,
    name: Target,
    phone: Target,
    email: Target,
}

/// Roles that a file may bring beside the main debtor: those who owe with him.
const OTHERS: [Other; 4] = [
    Other {
        role: PartyRole::Codeudor,
        name: Target::CodeudorName,
        phone: Target::CodeudorPhone,
        email: Target::CodeudorEmail,
    },
    Other {
        role: PartyRole::Aval,
        name: Target::AvalName,
        phone: Target::AvalPhone,
        email: Target::AvalEmail,
    },
    Other {
        role: PartyRole::Fiador,
        name: Target::FiadorName,
        phone: Target::FiadorPhone,
        email: Target::FiadorEmail,
    },
    Other {
        role: PartyRole::ObligadoSolidario,
        name: Target::ObligadoSolidarioName,
        phone: Target::ObligadoSolidarioPhone,
        email: Target::ObligadoSolidarioEmail,
    },
];

/// Who answers at points, and what was said of them.
#[derive(Clone, Copy)]
struct Whose {
    role: PartyRole,
    authorised: bool,
    given: bool,
}

/// Points of a row so far, and what mended them.
struct Found<'a> {
    debtor: DebtorId,
    country: &'a str,
    fresh: &'a dyn Fn() -> Uuid,
    points: Vec<ContactPoint>,
    mended: Vec<PhoneRepair>,
}

impl Row<'_> {
    /// Where letters reach him, when the file says anything of it.
    pub(super) fn address(
        &self,
        debtor: &Debtor,
        fresh: &dyn Fn() -> Uuid,
    ) -> Result<Option<Address>, RowFault> {
        let line = |target| self.parse(target, |v| value::text(v, ADDRESS_CHARS));
        let (street, city) = (line(Target::Street)?, line(Target::City)?);
        let postcode = line(Target::Postcode)?;
        if [&street, &city, &postcode].iter().all(|t| t.is_empty()) {
            return Ok(None);
        }
        let region = match line(Target::AddressRegion)? {
            own if own.is_empty() => debtor.subdivision.clone().unwrap_or_default(),
            own => own,
        };
        let country = match self.given(Target::AddressCountry) {
            true => self.parse(Target::AddressCountry, value::country)?,
            false => debtor.country.clone(),
        };
        let now = self.reader.context.now;
        Ok(Some(Address {
            id: fresh().into(),
            client_id: debtor.client_id,
            debtor_id: debtor.id,
            street: Pii(street),
            city,
            region,
            postcode,
            country,
            zone: debtor.address_zone.clone(),
            source: "import".into(),
            bad: false,
            added_at: now,
            confirmed_at: now,
        }))
    }

    fn whose(&self, role: PartyRole, authorised: Target, given: Target) -> Result<Whose, RowFault> {
        Ok(Whose {
            role,
            authorised: self.parse(authorised, value::yes_no)?,
            given: self.parse(given, value::yes_no)?,
        })
    }

    fn filled(&self, target: Target) -> impl Iterator<Item = Cell<'_>> {
        self.cells(target).filter(|c| !c.text.trim().is_empty())
    }

    fn phones(
        &self,
        found: &mut Found<'_>,
        (target, class): (Target, PointClass),
        whose: Whose,
    ) -> Result<(), RowFault> {
        let rules = &self.reader.map.repair;
        for cell in self.filled(target) {
            let (phone, rule) = value::phone(cell.text, found.country, rules)
                .map_err(|reason| self.fault(cell, reason))?;
            found.mended.extend(rule);
            let value = phone.e164().to_owned();
            self.point(found, (Channel::Call, value), class, whose);
        }
        Ok(())
    }

    fn emails(&self, found: &mut Found<'_>, target: Target, whose: Whose) -> Result<(), RowFault> {
        for cell in self.filled(target) {
            let address = value::email(cell.text).map_err(|reason| self.fault(cell, reason))?;
            self.point(found, (Channel::Email, address), PointClass::Other, whose);
        }
        Ok(())
    }

    /// Adds a point; one that the row has already stays whose it is.
    fn point(
        &self,
        found: &mut Found<'_>,
        (channel, value): (Channel, String),
        class: PointClass,
        whose: Whose,
    ) {
        if found.points.iter().any(|p| *p.value.reveal() == value) {
            return;
        }
        found.points.push(ContactPoint {
            id: PointId((found.fresh)()),
            debtor_id: found.debtor,
            role: whose.role,
            channel,
            value: Pii(value),
            class,
            source: "import".into(),
            given_by_debtor: whose.given,
            authorised: whose.authorised,
            confidence: UNTRIED,
            position: i32::try_from(found.points.len()).unwrap_or(i32::MAX),
            bad: false,
            last_rpc_at: None,
            added_at: self.reader.context.now,
        });
    }

    pub(super) fn points(
        &self,
        country: &str,
        debtor: DebtorId,
        fresh: &dyn Fn() -> Uuid,
    ) -> Result<Vec<ContactPoint>, RowFault> {
        let mut found = Found {
            debtor,
            country,
            fresh,
            points: Vec::new(),
            mended: Vec::new(),
        };
        let (authorised, given) = (Target::PhoneAuthorised, Target::PhoneGivenByDebtor);
        let own = self.whose(PartyRole::Titular, authorised, given)?;
        for column in [
            (Target::PhoneMobile, PointClass::Mobile),
            (Target::Phone, PointClass::Other),
            (Target::PhoneHome, PointClass::Home),
            (Target::PhoneWork, PointClass::Work),
        ] {
            self.phones(&mut found, column, own)?;
        }
        let (authorised, given) = (Target::EmailAuthorised, Target::EmailGivenByDebtor);
        let own = self.whose(PartyRole::Titular, authorised, given)?;
        self.emails(&mut found, Target::Email, own)?;
        for of in &OTHERS {
            let (authorised, given) = (Target::PartyAuthorised, Target::PartyGivenByDebtor);
            let whose = self.whose(of.role, authorised, given)?;
            self.phones(&mut found, (of.phone, PointClass::Other), whose)?;
            self.emails(&mut found, of.email, whose)?;
        }
        for rule in found.mended {
            if let Some(count) = self.reader.repaired.get(rule as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(found.points)
    }

    /// The main debtor, and who owes with him. A point of somebody without a name is refused: the law asks who
    /// is spoken to.
    pub(super) fn parties(
        &self,
        debtor: &Debtor,
        debt: DebtId,
        fresh: &dyn Fn() -> Uuid,
    ) -> Result<Vec<Party>, RowFault> {
        let party = |role, name| Party {
            id: fresh().into(),
            debt_id: debt,
            debtor_id: debtor.id,
            role,
            name,
        };
        let mut parties = vec![party(PartyRole::Titular, debtor.name.clone())];
        for of in &OTHERS {
            let before = parties.len();
            for cell in self.filled(of.name) {
                let name =
                    value::key(cell.text, NAME_CHARS).map_err(|reason| self.fault(cell, reason))?;
                let name = Pii(name);
                if !parties.iter().any(|p| p.role == of.role && p.name == name) {
                    parties.push(party(of.role, name));
                }
            }
            let point = self.filled(of.phone).chain(self.filled(of.email)).next();
            if let Some(cell) = point.filter(|_| parties.len() == before) {
                let reason = format!("whose is it: expected a name in {} too", of.name);
                return Err(self.fault(cell, reason));
            }
        }
        Ok(parties)
    }
}
