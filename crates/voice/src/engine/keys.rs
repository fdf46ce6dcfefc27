//! Keys by INFO, as some far ends send them.

/// The key that an INFO tells: `Signal=5` of a relay, or the key alone.
pub(crate) fn info_key(content_type: &[u8], body: &[u8]) -> Option<char> {
    let kind = content_type.to_ascii_lowercase();
    let text = String::from_utf8_lossy(body);
    let key = if kind.starts_with(b"application/dtmf-relay") {
        text.lines()
            .find_map(|line| line.trim().strip_prefix("Signal"))
            .and_then(|rest| rest.trim_start_matches([' ', '=']).chars().next())
    } else if kind.starts_with(b"application/dtmf") {
        text.trim().chars().next()
    } else {
        None
    };
    key.filter(|key| crate::plane::key_event(*key).is_some())
}
