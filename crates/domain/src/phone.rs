//! Phone numbers: E.164 only, checked by the `phonenumber` crate (libphonenumber data).

use crate::ValueError;

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
