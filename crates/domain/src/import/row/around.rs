//! How the debtor of a row is reached: phones and postal address.

use super::super::{Target, value};
use super::Row;
use crate::entity::{Address, Channel, ContactPoint, Debtor, PartyRole, PointClass};
use crate::ids::{DebtorId, PointId};
use crate::pii::Pii;
use crate::ports::store::RowFault;
use crate::rules::reach::UNTRIED;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// Most characters of a line of an address.
const ADDRESS_CHARS: usize = 200;

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

    pub(super) fn points(
        &self,
        country: &str,
        debtor: DebtorId,
        fresh: &dyn Fn() -> Uuid,
    ) -> Result<Vec<ContactPoint>, RowFault> {
        let authorised = self.parse(Target::PhoneAuthorised, value::yes_no)?;
        let given = self.parse(Target::PhoneGivenByDebtor, value::yes_no)?;
        let rules = &self.reader.map.repair;
        let mut points: Vec<ContactPoint> = Vec::new();
        let mut mended = Vec::new();
        for (target, class) in [
            (Target::PhoneMobile, PointClass::Mobile),
            (Target::Phone, PointClass::Other),
            (Target::PhoneHome, PointClass::Home),
            (Target::PhoneWork, PointClass::Work),
        ] {
            for cell in self.cells(target).filter(|c| !c.text.trim().is_empty()) {
                let (phone, rule) = value::phone(cell.text, country, rules)
                    .map_err(|reason| self.fault(cell, reason))?;
                mended.extend(rule);
                if points.iter().any(|p| p.value.reveal() == phone.e164()) {
                    continue;
                }
                points.push(ContactPoint {
                    id: PointId(fresh()),
                    debtor_id: debtor,
                    role: PartyRole::Titular,
                    channel: Channel::Call,
                    value: Pii(phone.e164().to_owned()),
                    class,
                    source: "import".into(),
                    given_by_debtor: given,
                    authorised,
                    confidence: UNTRIED,
                    position: i32::try_from(points.len()).unwrap_or(i32::MAX),
                    bad: false,
                    last_rpc_at: None,
                    added_at: self.reader.context.now,
                });
            }
        }
        for rule in mended {
            if let Some(count) = self.reader.repaired.get(rule as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(points)
    }
}
