//! Room: the world a dialer talks to, by real SIP and RTP over sockets. A carrier that answers, is
//! busy or never picks up; phones that register and speak; agents that use the product's own HTTP
//! and websocket. The demo, the tests and the load figures use it, and anybody can point another
//! trunk or server at it.
//!
//! The one contract: everything ends by itself, and what a seed decides does not depend on time or
//! order. Fates are a pure function of seed, number and how often the number was called; voices are
//! told apart by frequency ([`media::speech::AGENT_HZ`], [`media::speech::DEBTOR_HZ`]).
//!
//! ```no_run
//! # async fn f() -> Result<(), sip_test::SipTestError> {
//! let config = sip_test::carrier::Config::new("127.0.0.1:5070".parse().expect("an address"));
//! let carrier = sip_test::carrier::start(config).await?;
//! println!("{}", carrier.address());
//! let summary = carrier.stop().await;
//! assert_eq!(summary.live, 0);
//! # Ok(()) }
//! ```

pub mod agent;
pub mod caller;
pub mod carrier;
mod clock;
mod driver;
mod error;
pub mod hostile;
pub mod load;
pub mod phone;
pub mod plane;
mod ports;
pub mod secure;

pub use clock::Clock;
pub use driver::Driver;
pub use error::SipTestError;
pub use ports::Ports;
