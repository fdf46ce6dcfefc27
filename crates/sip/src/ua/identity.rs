//! Who calls, as a trunk wants to be told: P-Asserted-Identity, P-Preferred-Identity and Privacy
//! (RFC 3325, RFC 3323), Diversion (RFC 5806).

use super::InviteOrder;
use crate::header::NameAddr;
use crate::msg::{HeaderName, Uri};

/// What is told of the caller beside From.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// P-Asserted-Identity: towards a trunk that trusts us.
    pub asserted: Option<NameAddr>,
    /// P-Preferred-Identity: towards one that checks which of our numbers we name.
    pub preferred: Option<NameAddr>,
    /// Hide the number from the called side: `Privacy: id`, and an anonymous From.
    pub private: bool,
    /// Who was called at first, and why the call moved on (`unconditional`, `no-answer`, …).
    pub diversion: Option<(NameAddr, String)>,
}

impl InviteOrder {
    /// Writes an identity into the order.
    pub fn identify(&mut self, identity: &Identity) {
        let named = [
            (HeaderName::PAssertedIdentity, &identity.asserted),
            (HeaderName::PPreferredIdentity, &identity.preferred),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                self.headers.push(name, value.to_bytes());
            }
        }
        if identity.private {
            self.headers.push(HeaderName::Privacy, "id");
            let nobody = Uri::sip_host(Some("anonymous"), "anonymous.invalid");
            self.from = NameAddr::new(nobody).with_display("Anonymous");
        }
        if let Some((first, why)) = &identity.diversion {
            let mut value = first.clone();
            // A token, whatever was configured: what is none would break the header.
            let word: String = why
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
            let word = if word.is_empty() { "unknown" } else { &word };
            value.params.set("reason", Some(word));
            self.headers.push(HeaderName::Diversion, value.to_bytes());
        }
    }
}
