//! A file of consents: each row says of one debtor of the portfolio what he allowed or took back by one channel,
//! when, and what proves it. A row without date or proof is refused.

use super::cells::{Columns, Line};
use super::detect::{clean, meaning};
use super::{COLUMNS_MAX, ColumnMap, ImportFault, Target, date, value};
use crate::entity::{Channel, Portfolio, SuppressionKind, dnc::listed_form};
use crate::ids::ConsentId;
use crate::ports::IdSource;
use crate::ports::store::RowFault;
use crate::rules::consents::{ConsentAct, ConsentDebtor, ConsentRow, PURPOSES};
use crate::time::UtcMs;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Most characters of a key or document.
const KEY_CHARS: usize = 64;
/// Most characters of a proof.
const PROOF_CHARS: usize = 500;

/// Reads rows under one header.
#[derive(Debug)]
pub struct ConsentReader {
    columns: Columns,
    map: ColumnMap,
    zone: TimeZone,
    now: UtcMs,
}

impl ConsentReader {
    /// Prepares for a header; `map` as [`super::detect_as`] completed it. Dates are days of the portfolio's zone.
    ///
    /// # Errors
    /// A needed column that is missing, a mapped one that is not in the file or twice, or that a file of consents
    /// does not have.
    pub fn new(
        header: &[String],
        map: ColumnMap,
        (portfolio, now): (&Portfolio, UtcMs),
    ) -> Result<Self, ImportFault> {
        if header.len() > COLUMNS_MAX {
            let text = format!("more than {COLUMNS_MAX} columns");
            return Err(ImportFault::Header(text));
        }
        let mut columns = Columns::new();
        for (at, name) in header.iter().enumerate() {
            let Some(target) = meaning(&map, name) else {
                continue;
            };
            let name = clean(name);
            if !target.is_of_consents() {
                return Err(ImportFault::Map(format!(
                    "column '{name}': a file of consents has no {target}"
                )));
            }
            if let Some((_, other, _)) = columns.iter().find(|c| c.1 == name || c.2 == target) {
                return Err(ImportFault::Map(format!(
                    "columns '{other}' and '{name}' are both {target}"
                )));
            }
            columns.push((at, name.to_owned(), target));
        }
        let found = |name: &String| columns.iter().any(|c| c.1 == clean(name));
        let plain = |name: &String| {
            let want = super::column::plain(name);
            columns.iter().any(|c| super::column::plain(&c.1) == want)
        };
        if let Some(name) = map.columns.keys().find(|n| !found(n) && !plain(n)) {
            return Err(ImportFault::Map(format!("the file has no column '{name}'")));
        }
        let absent = super::detect::missing_consents(&map, header);
        if !absent.is_empty() {
            return Err(ImportFault::Missing(absent.join(", ")));
        }
        let zone = crate::time::zone(&portfolio.zone)
            .map_err(|e| ImportFault::Map(format!("portfolio: {e}")))?;
        Ok(Self {
            columns,
            map,
            zone,
            now,
        })
    }

    /// Reads the row that begins on `line`.
    ///
    /// # Errors
    /// The first cell that cannot be taken.
    pub fn read(
        &self,
        line: u64,
        fields: &[String],
        ids: &dyn IdSource,
    ) -> Result<ConsentRow, RowFault> {
        let row = Line {
            columns: &self.columns,
            map: &self.map,
            fields,
            line,
        };
        row.no_formula()?;
        let (column, debtor) = debtor(&row)?;
        let channel = row.parse(Target::ConsentChannel, channel)?;
        let act = row.parse(Target::ConsentState, act)?;
        let purpose = row.parse(Target::ConsentPurpose, purpose)?;
        let at = row.parse(Target::ConsentDate, |v| self.begins(v))?;
        let until = match row.given(Target::ConsentUntil) {
            false => None,
            true => Some(row.parse(Target::ConsentUntil, |v| self.ends(v, at))?),
        };
        if until.is_some() && act == ConsentAct::Revoked {
            let cell = row.cell(Target::ConsentUntil);
            return Err(row.fault(cell, "an end goes with what is granted alone"));
        }
        let proof = row.parse(Target::ConsentProof, |v| {
            match value::text(v, PROOF_CHARS)? {
                none if none.is_empty() => {
                    Err("no proof: expected the reference of a document or recording".to_owned())
                }
                proof => Ok(proof),
            }
        })?;
        Ok(ConsentRow {
            id: ConsentId(ids.next(self.now)),
            line,
            column,
            debtor,
            channel,
            purpose,
            act,
            at,
            until,
            proof,
        })
    }

    fn day(&self, text: &str) -> Result<Date, String> {
        if text.trim().is_empty() {
            return Err("no date: expected YYYY-MM-DD".into());
        }
        date::parse(text, self.map.dates)
    }

    fn midnight(&self, day: Date) -> Result<UtcMs, String> {
        let start = day.to_zoned(self.zone.clone());
        let start = start.map_err(|_| "no such day in the calendar".to_owned())?;
        Ok(UtcMs(start.timestamp().as_millisecond()))
    }

    fn begins(&self, text: &str) -> Result<UtcMs, String> {
        let at = self.midnight(self.day(text)?)?;
        match at > self.now {
            true => Err("a day to come: expected the day on which it was said".into()),
            false => Ok(at),
        }
    }

    /// The end of a last day.
    fn ends(&self, text: &str, after: UtcMs) -> Result<UtcMs, String> {
        let next = self.day(text)?.checked_add(1.day());
        let next = next.map_err(|_| "no such day in the calendar".to_owned())?;
        let end = self.midnight(next)?;
        match end > after {
            true => Ok(end),
            false => Err("ends before it was granted".into()),
        }
    }
}

/// Whose it is: by the client's key where the row has one, else by document; with the column that says so.
fn debtor(row: &Line<'_>) -> Result<(String, ConsentDebtor), RowFault> {
    let (key, document) = (row.cell(Target::ExternalRef), row.cell(Target::Document));
    if key.text.trim().is_empty() && !document.text.trim().is_empty() {
        let read = row.parse(Target::Document, |v| value::key(v, KEY_CHARS))?;
        let form = listed_form(SuppressionKind::Document, &read);
        if form.is_empty() {
            return Err(row.fault(document, "expected letters or digits"));
        }
        return Ok((document.column.to_owned(), ConsentDebtor::Document(form)));
    }
    let read = row.parse(Target::ExternalRef, |v| value::key(v, KEY_CHARS))?;
    Ok((key.column.to_owned(), ConsentDebtor::Ref(read)))
}

fn channel(text: &str) -> Result<Channel, String> {
    match super::column::plain(text).as_str() {
        "call" | "llamada" | "llamadas" | "telefono" | "voz" | "voice" | "phone" => {
            Ok(Channel::Call)
        }
        "sms" | "mensaje_de_texto" | "text" => Ok(Channel::Sms),
        "whatsapp" | "wa" | "whats_app" => Ok(Channel::Whatsapp),
        "email" | "e_mail" | "correo" | "correo_electronico" | "mail" => Ok(Channel::Email),
        "push" | "notificacion_push" => Ok(Channel::Push),
        "letter" | "carta" | "correo_postal" => Ok(Channel::Letter),
        "visit" | "visita" | "visitas" => Ok(Channel::Visit),
        _ => Err("expected call, sms, whatsapp, email, push, letter or visit (llamada, correo, carta, visita)".into()),
    }
}

fn act(text: &str) -> Result<ConsentAct, String> {
    match super::column::plain(text).as_str() {
        "granted" | "otorgado" | "otorgada" | "concedido" | "concedida" | "autorizado"
        | "autorizada" | "aceptado" | "aceptada" | "alta" | "vigente" | "opt_in" | "given" => {
            Ok(ConsentAct::Granted)
        }
        "revoked" | "revocado" | "revocada" | "retirado" | "retirada" | "baja" | "opt_out"
        | "withdrawn" | "cancelado" | "cancelada" => Ok(ConsentAct::Revoked),
        _ => Err("expected granted or revoked (otorgado, revocado)".into()),
    }
}

fn purpose(text: &str) -> Result<String, String> {
    let plain = super::column::plain(text);
    let name = match plain.as_str() {
        "" | "contacto" | "cobranza" | "gestion_de_cobranza" => "contact",
        "llamada_en_7_dias" => "call_within_7_days",
        "voz_grabada" | "mensaje_grabado" | "llamada_grabada" | "llamada_automatica" => {
            "prerecorded"
        }
        "horario_ampliado" | "fuera_de_horario" => "wider_hours",
        "solicitud_de_informacion" | "informacion" => "information_request",
        "verificacion_de_numero" => "number_check",
        "aviso_de_validacion" => "validation_notice",
        "grabacion" => "recording",
        other => other,
    };
    PURPOSES
        .iter()
        .find(|known| **known == name)
        .map(|known| (*known).to_owned())
        .ok_or_else(|| format!("expected one of {}", PURPOSES.join(", ")))
}
