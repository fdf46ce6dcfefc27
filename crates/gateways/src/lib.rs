//! Third parties: payment providers and messages, with their webhooks.
//!
//! Contract: each provider is an adapter behind a port of `domain::ports`; its secret never leaves this
//! room, its webhooks are believed only with a signature that fits and is fresh, and what it answers is
//! never trusted for more than its type. No card number passes here: providers have pages for that.

pub mod messages;
pub mod payments;
