//! Phone numbers: E.164 only, checked by the `phonenumber` crate (libphonenumber data).

mod plain;

use crate::ValueError;

crate::text_enum! {
    /// What a number is by its numbering plan.
    pub enum NumberClass {
        /// Of a place.
        Fixed = "fixed",
        /// A mobile.
        Mobile = "mobile",
        /// Of a country that does not tell the two apart.
        FixedOrMobile = "fixed_or_mobile",
        /// Free for who calls it.
        TollFree = "toll_free",
        /// Dearer than a call, or shared.
        Charged = "charged",
        /// Over the internet.
        Voip = "voip",
        /// Anything else, or in no plan.
        Other = "other",
    }
}

/// What a number in E.164 is by its numbering plan.
#[must_use]
pub fn class(number: &str) -> NumberClass {
    use phonenumber::Type;
    let Ok(number) = phonenumber::parse(None, number) else {
        return NumberClass::Other;
    };
    match number.number_type(&phonenumber::metadata::DATABASE) {
        Type::FixedLine => NumberClass::Fixed,
        Type::Mobile => NumberClass::Mobile,
        Type::FixedLineOrMobile => NumberClass::FixedOrMobile,
        Type::TollFree => NumberClass::TollFree,
        Type::PremiumRate | Type::SharedCost => NumberClass::Charged,
        Type::Voip => NumberClass::Voip,
        _ => NumberClass::Other,
    }
}

/// The digits of a number in E.164 behind its country's code; `None` when it cannot be told.
#[must_use]
pub fn national(number: &str) -> Option<String> {
    let number = phonenumber::parse(None, number).ok()?;
    Some(number.national().to_string())
}

/// A phone number in E.164 form with its `+`. Prints masked; `e164()` gives the number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people write it; `country` (ISO 3166 alpha-2) helps national forms.
    ///
    /// # Errors
    /// When the text is no valid number of its country's numbering plan.
    pub fn parse(text: &str, country: Option<&str>) -> Result<Self, ValueError> {
        match country.and_then(|country| plain::e164(text, country)) {
            Some(number) => Ok(Self(number)),
            None => Self::by_library(text, country),
        }
    }

    fn by_library(text: &str, country: Option<&str>) -> Result<Self, ValueError> {
        let region = match country {
            Some(code) => Some(code.parse().map_err(|_| {
                ValueError::malformed("phone", "unknown country for a national number")
            })?),
            None => None,
        };
        let number = phonenumber::parse(region, text).map_err(|_| {
            ValueError::malformed(
                "phone",
                "not a phone number; expected E.164, as +525512345678",
            )
        })?;
        if !phonenumber::is_valid(&number) {
            return Err(ValueError::malformed(
                "phone",
                "not valid in its country's numbering plan (length or prefix)",
            ));
        }
        Ok(Self(
            number.format().mode(phonenumber::Mode::E164).to_string(),
        ))
    }

    /// Takes a text that already is E.164 (from our own database); checks form only.
    ///
    /// # Errors
    /// When it is not `+` and 7 to 15 digits.
    pub fn from_e164(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix('+').unwrap_or("");
        if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ValueError::malformed(
                "phone",
                "expected + and 7 to 15 digits",
            ))
        }
    }

    /// The number, with `+`.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The digits without `+`.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// Country whose numbering plan the number is of, ISO 3166 alpha-2.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let number = phonenumber::parse(None, &self.0).ok()?;
        let id = number.country().id()?;
        Some(format!("{id:?}"))
    }

    /// Whether calls to it cost more than a call: premium rate, shared cost, and the like.
    #[must_use]
    pub fn is_premium(&self) -> bool {
        use phonenumber::Type;
        let Ok(number) = phonenumber::parse(None, &self.0) else {
            return false;
        };
        matches!(
            number.number_type(&phonenumber::metadata::DATABASE),
            Type::PremiumRate | Type::SharedCost | Type::Pager | Type::Emergency
        )
    }

    /// `··76`, for screens and logs.
    #[must_use]
    pub fn masked(&self) -> String {
        crate::pii::mask(&self.0)
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl<'de> serde::Deserialize<'de> for Phone {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::from_e164(&text).map_err(serde::de::Error::custom)
    }
}

/// Digits of a Mexican or Argentine number behind the country code.
const AMERICAN: usize = 10;
/// Digits of a Brazilian number behind country and area code, before mobiles got a nine in front.
const BRAZILIAN: usize = 8;

/// The other form of a number behind a prefix: with `mark` where it has none, without it where it has it.
fn other_form(digits: &str, country: &str, mark: &str, length: usize) -> Option<String> {
    let rest = digits.strip_prefix(country)?;
    let bare = rest.strip_prefix(mark).filter(|r| r.len() == length);
    match bare {
        Some(bare) => Some(format!("+{country}{bare}")),
        None if rest.len() == length => Some(format!("+{country}{mark}{rest}")),
        None => None,
    }
}

/// The other form of a Brazilian mobile: with the nine behind the area code, or without. What begins below six
/// is a landline, which is another number than the mobile with a nine in front of it.
fn brazilian_form(digits: &str) -> Option<String> {
    let rest = digits.strip_prefix("55")?;
    let (area, number) = rest.split_at_checked(2)?;
    let old = match number.strip_prefix('9') {
        Some(old) if old.len() == BRAZILIAN => old,
        _ if number.len() == BRAZILIAN => number,
        _ => return None,
    };
    if !old.starts_with(['6', '7', '8', '9']) {
        return None;
    }
    Some(if old.len() == number.len() {
        format!("+55{area}9{old}")
    } else {
        format!("+55{area}{old}")
    })
}

/// Whether it is a country (ISO 3166 alpha-2, capitals) whose numbering plan is known.
#[must_use]
pub fn known_country(code: &str) -> bool {
    code.len() == 2
        && code.bytes().all(|b| b.is_ascii_uppercase())
        && code.parse::<phonenumber::country::Id>().is_ok()
}

/// All forms under which those who carry messages and calls know one mobile, the given one first: WhatsApp names
/// Mexican senders `521…` and Argentine ones `549…`, carriers show both forms, and Brazilian numbers are found
/// without the nine that they got later.
#[must_use]
pub fn forms(number: &str) -> Vec<String> {
    let digits = number.strip_prefix('+').unwrap_or_default();
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    let other = match digits.get(..2).filter(|_| plain) {
        Some("52") => other_form(digits, "52", "1", AMERICAN),
        Some("54") => other_form(digits, "54", "9", AMERICAN),
        Some("55") => brazilian_form(digits),
        _ => None,
    };
    std::iter::once(number.to_owned()).chain(other).collect()
}

#[cfg(test)]
mod tests {
    use super::{forms, known_country};

    #[test]
    fn a_country_is_one_with_a_numbering_plan() {
        for code in ["MX", "AR", "BR", "CL", "ES", "US"] {
            assert!(known_country(code), "{code}");
        }
        for code in ["", "mx", "XX", "MEX", "M", "52"] {
            assert!(!known_country(code), "{code}");
        }
    }

    #[test]
    fn a_mobile_has_the_forms_of_those_who_carry_its_messages() {
        for (one, other) in [
            ("+5215512345678", "+525512345678"),
            ("+5491123456789", "+541123456789"),
            ("+551187654321", "+5511987654321"),
            ("+554196543210", "+5541996543210"),
        ] {
            assert_eq!(forms(one), [one, other]);
            assert_eq!(forms(other), [other, one]);
        }
        for alone in [
            "+16505551234",
            "+551132654321",
            "+5511932654321",
            "+52551234567",
            "+525512345",
            "+52",
            "+5",
            "+",
            "",
            "5215512345678",
            "+52ññññññññññ",
            "ana@b.mx",
        ] {
            assert_eq!(forms(alone), [alone]);
        }
    }
}
