//! Instants and local time. An instant is UTC milliseconds; the debtor's zone is applied at the edge.

use crate::ValueError;
use jiff::tz::TimeZone;

/// An instant in UTC, milliseconds since the Unix epoch. Text form: RFC 3339 with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UtcMs(pub i64);

/// Milliseconds in a second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in 24 hours (not a local day: those may have 23 or 25 hours).
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl UtcMs {
    /// This instant moved by `ms` milliseconds (saturating).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same instant as a jiff timestamp; the far ends are clamped.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// Local date and time of this instant in `zone`.
    #[must_use]
    pub fn in_zone(self, zone: &TimeZone) -> jiff::Zoned {
        self.timestamp().to_zoned(zone.clone())
    }
}

impl From<jiff::Timestamp> for UtcMs {
    fn from(t: jiff::Timestamp) -> Self {
        Self(t.as_millisecond())
    }
}

impl std::fmt::Display for UtcMs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl std::str::FromStr for UtcMs {
    type Err = ValueError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse::<jiff::Timestamp>().map(Self::from).map_err(|_| {
            ValueError::malformed("instant", "expected RFC 3339, as 2026-11-23T15:00:00.000Z")
        })
    }
}

impl serde::Serialize for UtcMs {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for UtcMs {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Reads an IANA zone name.
///
/// # Errors
/// When the bundled zone database does not know the name.
pub fn zone(name: &str) -> Result<TimeZone, ValueError> {
    TimeZone::get(name)
        .map_err(|_| ValueError::malformed("time zone", "expected an IANA name, as America/Bogota"))
}
