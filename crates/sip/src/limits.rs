//! Every bound of the room in one place.

/// Longest message accepted or sent, octets; the size of the largest UDP datagram.
pub const MAX_MESSAGE: usize = 65_535;
/// Most header fields of one message; the longest of RFC 4475 has under 50.
pub const MAX_HEADERS: usize = 128;
/// Most values taken from comma-separated or repeated headers of one name.
pub const MAX_VALUES: usize = 64;
/// Most parameters of one header value or URI.
pub const MAX_PARAMS: usize = 64;

/// Most client and server transactions alive at once. An answered INVITE is kept for 32 s and a BYE for 5: 1,625 calls/s
/// keep 60,000 of them.
pub const MAX_TRANSACTIONS: usize = 80_000;
/// Transactions that INVITEs of ours leave free for what ends and keeps calls: BYE, CANCEL, UPDATE.
pub const OWN_RESERVE: usize = 4_000;
/// Most server transactions alive at once: 900 requests a second of peers, each kept for 64·T1.
/// Beyond it requests are answered without one.
pub const MAX_SERVED: usize = 30_000;
/// Most refused INVITEs whose refusal nobody has acknowledged; beyond it new calls are refused
/// without a transaction. An honest peer acknowledges at once, a flood never does.
pub const MAX_UNACKNOWLEDGED: usize = 2_000;
/// Most calls alive at once in one endpoint.
pub const MAX_CALLS: usize = 10_000;
/// Most stream connections whose bytes are framed at once.
pub const MAX_CONNECTIONS: usize = 4_096;
/// Most early dialogs kept for one INVITE; a proxy seldom forks wider.
pub const MAX_FORKS: usize = 16;
/// Most ACKs remembered to answer repeated 2xx with, each for 64·T1.
pub const MAX_ACK_MEMORY: usize = 20_000;
/// Most registrations kept as client.
pub const MAX_REGISTRATIONS: usize = 1_000;
/// Most events waiting to be polled; beyond it new incoming requests are refused with 503.
pub const MAX_EVENTS: usize = 20_000;
/// When a caller for whom there is no room may come again, seconds (Retry-After, RFC 3261 §20.33): a carrier that
/// honours it sends us nothing at all meanwhile (§21.5.4), so it is short.
pub const RETRY_AFTER_S: u32 = 10;

/// Most bindings of one account in the registrar.
pub const MAX_BINDINGS: usize = 10;
/// Most accounts with bindings in the registrar.
pub const MAX_ACCOUNTS: usize = 10_000;
/// Wrong guesses for one account from one source address before it gets silence.
pub const MAX_WRONG_GUESSES: u32 = 10;
/// How long the wrong guesses of one account and source are remembered, ms.
pub const GUESS_MEMORY_MS: u64 = 15 * 60 * 1_000;
/// Most pairs of account and source whose guesses are counted.
pub const MAX_GUESS_ROWS: usize = 20_000;
/// How long a nonce is accepted, ms.
pub const NONCE_LIFE_MS: u64 = 5 * 60 * 1_000;
/// Most nonces whose counts are remembered.
pub const MAX_NONCES: usize = 20_000;

/// Longest ringing before an own INVITE is cancelled, ms (RFC 3261 §16.6 timer C: over 3 min).
pub const MAX_RING_MS: u64 = 185_000;
/// Longest an incoming INVITE may wait for the user's answer, ms.
pub const MAX_UNANSWERED_MS: u64 = 185_000;
/// Longest a re-INVITE or an UPDATE may wait for the user's answer, ms; below timer F.
pub const MAX_OFFER_WAIT_MS: u64 = 15_000;
/// Most provisional responses that wait for the PRACK of one before.
pub const MAX_WAITING_PROVISIONALS: usize = 4;
/// Tries of one request with credentials, over all realms and stale nonces.
pub const MAX_AUTH_TRIES: u8 = 4;
/// Shortest session interval of an answer that is acted on, seconds. None may be below 90 (RFC 4028 §5); who answers
/// with one all the same is served, but gets no flood of refreshes and does not end the call with a 0.
pub const LEAST_SESSION_S: u32 = 10;
/// Tries of one re-INVITE that meets glare (491).
pub const MAX_GLARE_TRIES: u8 = 4;
