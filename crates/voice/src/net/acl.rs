//! Who may send at all: looked at before a message is read.

use crate::VoiceError;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};

/// Addresses that share their first bits: `203.0.113.0/24`, `2001:db8::/32`, `192.0.2.7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Whether an address belongs to it. IPv4 inside IPv6 counts as IPv4.
    #[must_use]
    pub fn holds(&self, addr: IpAddr) -> bool {
        match (self.base, addr.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(addr)) => {
                let shift = 32 - u32::from(self.bits);
                (u64::from(base.to_bits()) >> shift) == (u64::from(addr.to_bits()) >> shift)
            }
            (IpAddr::V6(base), IpAddr::V6(addr)) => {
                let differ = base.to_bits() ^ addr.to_bits();
                differ.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Cidr {
    type Err = VoiceError;
    fn from_str(text: &str) -> Result<Self, VoiceError> {
        let bad = || VoiceError::config("address range", format!("'{text}' is no ADDRESS/BITS"));
        let (addr, bits) = match text.split_once('/') {
            Some((addr, bits)) => (addr, Some(bits.parse::<u8>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let base: IpAddr = addr.parse().map_err(|_| bad())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(bad());
        }
        Ok(Self { base, bits })
    }
}

/// Who is known, and whether others are heard.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    /// Trunks and registered phones.
    pub(crate) known: HashSet<IpAddr>,
    /// What trunks send from besides.
    pub(crate) trunks: Vec<Cidr>,
    /// Where phones may be; `None`: anywhere, none at all: nobody but trunks is heard.
    pub(crate) allowed: Option<Vec<Cidr>>,
}

impl Guests {
    /// Whether it is a trunk or a registered phone.
    pub(crate) fn knows(&self, addr: IpAddr) -> bool {
        self.known.contains(&addr) || self.trunks.iter().any(|net| net.holds(addr))
    }

    /// Whether what it sends is read at all.
    pub(crate) fn hears(&self, addr: IpAddr) -> bool {
        let Some(allowed) = &self.allowed else {
            return true;
        };
        self.knows(addr) || allowed.iter().any(|net| net.holds(addr))
    }
}

/// The list that readers of sockets share with the signalling thread.
pub(crate) type Door = Arc<RwLock<Guests>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn ranges_hold_their_own() {
        let table = [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("203.0.113.0/24", "::ffff:203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
        ];
        for (net, addr, inside) in table {
            let net: Cidr = net.parse().expect("range");
            assert_eq!(net.holds(ip(addr)), inside, "{net:?} {addr}");
        }
        for bad in ["", "x", "1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3/8"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn who_is_known_is_always_heard() {
        let mut guests = Guests::default();
        assert!(guests.hears(ip("8.8.8.8")) && !guests.knows(ip("8.8.8.8")));
        guests.allowed = Some(vec!["10.0.0.0/8".parse().expect("range")]);
        guests.known.insert(ip("192.0.2.1"));
        guests.trunks = vec!["198.51.100.0/28".parse().expect("range")];
        assert!(!guests.hears(ip("8.8.8.8")));
        for fine in ["10.1.1.1", "192.0.2.1", "198.51.100.15"] {
            assert!(guests.hears(ip(fine)), "{fine}");
        }
        assert!(guests.knows(ip("198.51.100.3")) && !guests.knows(ip("10.1.1.1")));
        guests.allowed = Some(Vec::new());
        assert!(guests.hears(ip("198.51.100.3")) && guests.hears(ip("192.0.2.1")));
        assert!(!guests.hears(ip("10.1.1.1")), "trunks alone");
    }
}
