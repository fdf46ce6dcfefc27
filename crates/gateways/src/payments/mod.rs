//! Payment providers behind the port [`domain::ports::Payments`].

mod amount;
mod signature;
mod stripe;
mod stripe_words;

pub use stripe::{STRIPE_API, Stripe, StripeConfig};
