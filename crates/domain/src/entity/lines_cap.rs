//! How the cap on lines for each agent is written. Campaigns written before it was honoured all hold `3.0`, which
//! bound nothing: read as no cap they go on as they were. A cap of three is written whole, `3`.

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
use serde_json::Number;

/// The former default.
const FORMER: f64 = 3.0;

fn is_former(n: &Number) -> bool {
    n.is_f64() && n.as_f64() == Some(FORMER)
}

/// The cap as it is to be read, where `3.0` is meant: from whoever asks for it now.
#[must_use]
pub fn whole_lines(n: Number) -> Number {
    if is_former(&n) { Number::from(3) } else { n }
}

pub(super) fn serialize<S: Serializer>(cap: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    cap.and_then(Number::from_f64)
        .map(whole_lines)
        .serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let told = Option::<Number>::deserialize(from)?;
    Ok(told.filter(|n| !is_former(n)).and_then(|n| n.as_f64()))
}

#[cfg(test)]
mod tests {
    use super::super::CampaignParams;
    use super::*;

    fn read(text: &str) -> Option<f64> {
        let params: CampaignParams = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&params).unwrap();
        assert_eq!(
            serde_json::from_str::<CampaignParams>(&again).unwrap(),
            params
        );
        params.lines_per_agent_max
    }

    #[test]
    fn what_was_stored_before_binds_nothing_and_every_cap_is_kept() {
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"lines_per_agent_max": null}"#), None);
        assert_eq!(read(r#"{"lines_per_agent_max": 3.0}"#), None);
        assert_eq!(read(r#"{"lines_per_agent_max": 3}"#), Some(3.0));
        assert_eq!(read(r#"{"lines_per_agent_max": 2.0}"#), Some(2.0));
        assert_eq!(read(r#"{"lines_per_agent_max": 1.5}"#), Some(1.5));
        assert_eq!(whole_lines(Number::from_f64(3.0).unwrap()), Number::from(3));
    }
}
