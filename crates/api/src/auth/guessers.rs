//! Wrong guesses of one source, whatever names it tries: hashing costs processor time that calls need,
//! so a source that guesses on and on is told to wait before anything is hashed.

use domain::time::UtcMs;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Wrong guesses of a source in a minute; an office of a hundred mistypes less.
const GUESSES_MAX: u32 = 60;
/// The minute, ms.
const WINDOW_MS: i64 = 60_000;
/// Sources remembered; when there are more, the oldest windows go first.
const SOURCES_MAX: usize = 10_000;

/// The addresses that one visitor can take: an IPv6 visitor owns his whole /64.
#[must_use]
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) >> 64 << 64).to_be_bytes()),
        v4 => v4,
    }
}

/// Guesses by source: how many since when. Of this node alone: it protects this node's processor.
#[derive(Debug, Default)]
pub(crate) struct Guessers(Mutex<HashMap<IpAddr, (u32, UtcMs)>>);

impl Guessers {
    /// Time still to wait, ms; 0 = go ahead.
    pub(crate) fn wait_ms(&self, source: IpAddr, now: UtcMs) -> i64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&network(source)) {
            Some((count, since)) if *count >= GUESSES_MAX => {
                (WINDOW_MS - now.since_ms(*since)).max(0)
            }
            _ => 0,
        }
    }

    /// Counts a wrong guess.
    pub(crate) fn wrong(&self, source: IpAddr, now: UtcMs) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SOURCES_MAX {
            all.retain(|_, (_, since)| now.since_ms(*since) < WINDOW_MS);
        }
        if all.len() >= SOURCES_MAX
            && let Some(oldest) = all.iter().min_by_key(|(_, (_, s))| *s).map(|(ip, _)| *ip)
        {
            all.remove(&oldest);
        }
        let entry = all.entry(network(source)).or_insert((0, now));
        if now.since_ms(entry.1) >= WINDOW_MS {
            *entry = (0, now);
        }
        entry.0 = entry.0.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_guesses_on_waits_and_others_do_not() {
        let guessers = Guessers::default();
        let (rude, other) = (IpAddr::from([6, 6, 6, 6]), IpAddr::from([10, 0, 0, 1]));
        for n in 0..GUESSES_MAX {
            assert_eq!(guessers.wait_ms(rude, UtcMs(1_000)), 0, "{n}");
            guessers.wrong(rude, UtcMs(1_000));
        }
        assert_eq!(guessers.wait_ms(rude, UtcMs(11_000)), 50_000);
        assert_eq!(guessers.wait_ms(other, UtcMs(11_000)), 0);
        assert_eq!(guessers.wait_ms(rude, UtcMs(61_000)), 0);
        guessers.wrong(rude, UtcMs(61_000));
        assert_eq!(guessers.wait_ms(rude, UtcMs(61_000)), 0, "a new minute");
    }

    #[test]
    fn bounded() {
        let guessers = Guessers::default();
        for n in 0..SOURCES_MAX + 5 {
            let n = u32::try_from(n).expect("small");
            guessers.wrong(IpAddr::from(n.to_be_bytes()), UtcMs(i64::from(n)));
        }
        assert!(guessers.0.lock().expect("lock").len() <= SOURCES_MAX);
    }

    #[test]
    fn an_ipv6_visitor_is_his_network() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:6.6.6.6"), IpAddr::from([6, 6, 6, 6]));
    }
}
