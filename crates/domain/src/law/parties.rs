//! Who may be spoken to and which points may be used. Where no pack of the stack says, the house
//! floor holds: the main debtor alone (law.md §2.1).

use super::finding::{Effect, Finding};
use super::pack::{LoadedPack, PointsRule};
use super::text;
use crate::entity::{BlockReason, Channel, Consent, ContactPoint, PartyRole, PointClass};
use crate::time::UtcMs;

/// Rule of a point that is marked bad.
pub(super) const BAD_POINT: &str = "house/bad_point";

/// Whether a point can carry a channel: phones take calls, SMS and WhatsApp.
pub(crate) fn carries(point: &ContactPoint, channel: Channel) -> bool {
    let phone = |c: Channel| matches!(c, Channel::Call | Channel::Sms | Channel::Whatsapp);
    point.channel == channel
        || (phone(point.channel) && phone(channel))
        || (matches!(point.channel, Channel::Letter | Channel::Visit)
            && matches!(channel, Channel::Letter | Channel::Visit))
}

fn in_force(consent: &Consent, channel: Channel, purpose: &str, now: UtcMs) -> bool {
    consent.channel == channel
        && consent.purpose == purpose
        && consent.granted_at <= now
        && consent.until.is_none_or(|t| now < t)
        && consent.revoked_at.is_none_or(|t| now < t)
}

/// Tests role, origin, authorisation and state of a point.
pub(crate) fn test(
    point: &ContactPoint,
    channel: Channel,
    consents: &[Consent],
    packs: &[&LoadedPack],
    now: UtcMs,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if !carries(point, channel) {
        let (es, en) = text::by_channel(channel);
        found.push(Finding::forbid(
            "house/point_channel",
            (
                format!("este punto no sirve para contactar {es}"),
                format!("this point cannot be used {en}"),
            ),
        ));
    }
    if point.bad {
        found.push(Finding::forbid(
            BAD_POINT,
            (
                "el punto está marcado como malo".into(),
                "the point is marked bad".into(),
            ),
        ));
    }
    found.extend(role(point, packs));
    for loaded in packs {
        found.extend(origin(point, loaded));
        found.extend(authorisation(point, channel, consents, loaded, now));
    }
    found.extend(automated(point, channel, consents, packs, now));
    found
}

/// Whether the debtor gave the point, where the pack wants that.
fn origin(point: &ContactPoint, loaded: &LoadedPack) -> Option<Finding> {
    let pack = &loaded.pack;
    let only_given =
        pack.parties.as_ref().and_then(|p| p.points) == Some(PointsRule::OnlyGivenByDebtor);
    (only_given && !point.given_by_debtor).then(|| {
        Finding::forbid(
            format!("{}/parties.points", pack.id),
            (
                format!(
                    "{}: solo puntos dados por el deudor, y este no lo es",
                    pack.name
                ),
                format!(
                    "{}: only points that the debtor gave, and this one is not",
                    pack.name
                ),
            ),
        )
    })
}

/// Whether the debtor authorised the channel on the point, where the pack wants that.
fn authorisation(
    point: &ContactPoint,
    channel: Channel,
    consents: &[Consent],
    loaded: &LoadedPack,
    now: UtcMs,
) -> Option<Finding> {
    let pack = &loaded.pack;
    let granted = consents
        .iter()
        .any(|c| in_force(c, channel, "contact", now));
    // What he took back of a channel holds against a point's own mark, which has no date.
    let taken_back = consents.iter().any(|c| {
        c.channel == channel && c.purpose == "contact" && c.revoked_at.is_some_and(|t| t <= now)
    });
    // His consent is his own: whoever owes with him gave none by it.
    let authorised = (granted && point.role == PartyRole::Titular)
        || (point.authorised && point.channel == channel && (granted || !taken_back));
    (pack.channel_authorisation.is_some() && !authorised).then(|| {
        let (es, en) = text::by_channel(channel);
        Finding::forbid(
            format!("{}/channel_authorisation", pack.id),
            (
                format!(
                    "{}: el deudor no autorizó ser contactado {es} en este punto",
                    pack.name
                ),
                format!(
                    "{}: the debtor did not authorise contact {en} at this point",
                    pack.name
                ),
            ),
        )
    })
}

fn role(point: &ContactPoint, packs: &[&LoadedPack]) -> Option<Finding> {
    let (es, en) = text::role(point.role);
    if point.role == PartyRole::Reference {
        return Some(Finding::forbid(
            "house/parties.reference",
            (
                "una referencia nunca se contacta".into(),
                "a reference is never contacted".into(),
            ),
        ));
    }
    let mut told = false;
    for loaded in packs {
        let Some(parties) = &loaded.pack.parties else {
            continue;
        };
        told = true;
        if !parties.allowed.contains(&point.role) {
            return Some(Finding::forbid(
                format!("{}/parties", loaded.pack.id),
                (
                    format!("{}: no se puede contactar a: {es}", loaded.pack.name),
                    format!("{}: may not be contacted: {en}", loaded.pack.name),
                ),
            ));
        }
    }
    (!told && point.role != PartyRole::Titular).then(|| {
        Finding::forbid(
            "house/parties",
            (
                format!("regla de la casa: solo se contacta al titular, y este punto es de: {es}"),
                format!("house rule: only the main debtor is contacted; this point is of: {en}"),
            ),
        )
    })
}

/// Machine-made calls to a mobile need express consent where a pack says so; without it only an
/// agent reserved first may call, so that no recorded voice is ever played.
fn automated(
    point: &ContactPoint,
    channel: Channel,
    consents: &[Consent],
    packs: &[&LoadedPack],
    now: UtcMs,
) -> Option<Finding> {
    let may_be_mobile = matches!(point.class, PointClass::Mobile | PointClass::Other);
    if channel != Channel::Call || !may_be_mobile {
        return None;
    }
    if consents
        .iter()
        .any(|c| in_force(c, Channel::Call, "prerecorded", now))
    {
        return None;
    }
    let pack = &packs
        .iter()
        .find(|p| {
            p.pack
                .consent
                .as_ref()
                .is_some_and(|c| c.prerecorded_or_atds_mobile.is_some())
        })?
        .pack;
    Some(Finding::new(
        BlockReason::Rule,
        Effect::AgentOnly,
        format!("{}/consent", pack.id),
        (
            format!(
                "{}: móvil sin consentimiento para voz grabada; solo con agente reservado",
                pack.name
            ),
            format!(
                "{}: mobile without consent to a recorded voice; only with an agent reserved first",
                pack.name
            ),
        ),
    ))
}
