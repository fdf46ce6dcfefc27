//! Room: voice. Sockets and legs: drives `sip` over UDP and TCP and `media` on its own threads, and
//! implements the [`domain::ports::Trunk`] port. The only room of the product that opens UDP.
//!
//! One contract: [`Voice::start`] takes a [`VoiceConfig`] and gives the trunk, the channel of its
//! reports and a handle to stop it. Orders return at once; what becomes of them is reported.
//!
//! ```no_run
//! # async fn f(clock: std::sync::Arc<dyn domain::ports::Clock>) -> Result<(), voice::VoiceError> {
//! let phones = std::sync::Arc::new(|user: &str| (user == "ana").then(|| "secret".to_owned()));
//! let config = voice::VoiceConfig::loopback(clock, phones, "recordings".into());
//! let mut voice = voice::Voice::start(config).await?;
//! while let Some(report) = voice.reports.recv().await {
//!     // hand it to the engine
//!     drop(report);
//! }
//! voice.handle.shutdown().await;
//! # Ok(()) }
//! ```

mod config;
mod crypto;
mod engine;
mod error;
mod faults;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod limits;
mod net;
mod never;
mod plane;
pub mod policy;
mod recorder;
mod speech;
mod voice;
mod wall;
mod webrtc;

pub use config::{
    Codec, IdentityHeader, Inbound, PhoneSecrets, ResultTable, SipBind, SipTransport, TlsFiles,
    TlsTrust, TollRules, TrunkConfig, TrunkPolicy, VoiceConfig,
};
pub use crypto::install_provider;
pub use error::VoiceError;
pub use net::Cidr;
pub use recorder::{Repaired, repair_recording};
pub use speech::EspeakNg;
pub use voice::{Spent, TrunkStatus, Voice, VoiceHandle, VoiceStats};
