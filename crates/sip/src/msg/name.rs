//! Header names, their compact forms, and which may repeat.

use bytes::Bytes;

macro_rules! names {
    ($($variant:ident $text:literal $compact:literal),* $(,)?) => {
        /// A header name; unknown ones keep their octets. Names compare without case.
        #[derive(Clone, Debug)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// A name this room does not read.
            Other(Bytes),
        }

        impl HeaderName {
            /// The canonical spelling, or the octets of an unknown name.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                match self {
                    $(HeaderName::$variant => $text.as_bytes(),)*
                    HeaderName::Other(name) => name,
                }
            }

            fn known(name: &[u8]) -> Option<HeaderName> {
                $(if name.eq_ignore_ascii_case($text.as_bytes()) {
                    return Some(HeaderName::$variant);
                })*
                None
            }

            fn compact(name: &[u8]) -> Option<HeaderName> {
                $(if !$compact.is_empty() && name.eq_ignore_ascii_case($compact.as_bytes()) {
                    return Some(HeaderName::$variant);
                })*
                None
            }
        }
    };
}

names! {
    Via "Via" "v",
    From "From" "f",
    To "To" "t",
    CallId "Call-ID" "i",
    CSeq "CSeq" "",
    MaxForwards "Max-Forwards" "",
    Contact "Contact" "m",
    ContentLength "Content-Length" "l",
    ContentType "Content-Type" "c",
    Route "Route" "",
    RecordRoute "Record-Route" "",
    Allow "Allow" "",
    Supported "Supported" "k",
    Require "Require" "",
    ProxyRequire "Proxy-Require" "",
    Unsupported "Unsupported" "",
    Authorization "Authorization" "",
    ProxyAuthorization "Proxy-Authorization" "",
    WwwAuthenticate "WWW-Authenticate" "",
    ProxyAuthenticate "Proxy-Authenticate" "",
    Expires "Expires" "",
    MinExpires "Min-Expires" "",
    SessionExpires "Session-Expires" "x",
    MinSe "Min-SE" "",
    RetryAfter "Retry-After" "",
    Reason "Reason" "",
    Warning "Warning" "",
    UserAgent "User-Agent" "",
    Server "Server" "",
    PAssertedIdentity "P-Asserted-Identity" "",
    PPreferredIdentity "P-Preferred-Identity" "",
    Privacy "Privacy" "",
    Diversion "Diversion" "",
    Date "Date" "",
    Subject "Subject" "s",
    Accept "Accept" "",
    AcceptContact "Accept-Contact" "a",
    ContentEncoding "Content-Encoding" "e",
    ContentDisposition "Content-Disposition" "",
    Event "Event" "o",
    AllowEvents "Allow-Events" "u",
    ReferTo "Refer-To" "r",
    ReferredBy "Referred-By" "b",
    ReferSub "Refer-Sub" "",
    RSeq "RSeq" "",
    RAck "RAck" "",
    Replaces "Replaces" "",
    SubscriptionState "Subscription-State" "",
    RejectContact "Reject-Contact" "j",
    RequestDisposition "Request-Disposition" "d",
    Identity "Identity" "y",
    IdentityInfo "Identity-Info" "n",
    Timestamp "Timestamp" "",
}

impl HeaderName {
    /// The name of a token, compact forms included.
    #[must_use]
    pub fn from_token(token: Bytes) -> Self {
        HeaderName::known_token(&token).unwrap_or(HeaderName::Other(token))
    }

    /// The same of a token that this room reads.
    pub(super) fn known_token(token: &[u8]) -> Option<Self> {
        if token.len() == 1 {
            HeaderName::compact(token)
        } else {
            HeaderName::known(token)
        }
    }

    /// True for headers whose repeated fields mean one comma-separated list.
    #[must_use]
    pub fn may_repeat(&self) -> bool {
        !matches!(
            self,
            HeaderName::From
                | HeaderName::To
                | HeaderName::CallId
                | HeaderName::CSeq
                | HeaderName::MaxForwards
                | HeaderName::ContentLength
                | HeaderName::ContentType
                | HeaderName::Expires
                | HeaderName::MinExpires
                | HeaderName::SessionExpires
                | HeaderName::MinSe
                | HeaderName::Date
                | HeaderName::RetryAfter
                | HeaderName::RSeq
                | HeaderName::RAck
                | HeaderName::ReferTo
                | HeaderName::ReferSub
                | HeaderName::Replaces
                | HeaderName::SubscriptionState
        )
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (HeaderName::Other(a), HeaderName::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for HeaderName {}
