//! Ports: what the product needs from outside, as object-safe traits. `store`, `voice`, `api` and
//! `sim` implement them; one contract suite per port runs against every implementation.

mod blob;
mod bus;
mod clock;
mod desk;
mod messenger;
mod party;
mod payments;
mod play;
mod speech;
pub mod store;
mod trunk;
mod what_if;

pub use blob::{Blob, BlobError};
pub use bus::{Bus, BusError};
pub use clock::{Clock, IdSource};
pub use desk::{Card, Desk, DeskError};
pub use messenger::{
    Accepted, Hook, HookFault, HookReply, Messenger, Outgoing, ProviderTemplate, REPLY_MAX,
    Receipt, ReceiptKind, SendFault,
};
pub use party::{PartyOrder, PartyWho, TakeOrder};
pub use payments::{PageOrder, Payments, PaymentsError, ProviderEvent, ProviderPage, ProviderWhat};
pub use play::{PlayWhat, Spoken};
pub use speech::{Speech, SpeechError};
pub use store::{Page, PageRequest, Store, StoreError};
pub use trunk::{
    DialOrder, HangUpCause, LegRef, MonitorMode, SoundVerdict, Trunk, TrunkError, TrunkReport,
};
pub use what_if::{
    ANSWERS_ENOUGH, CampaignProfile, Forecast, HourCount, Misses, Range, Spread, TalkClass, WhatIf,
    WhatIfError, WhatIfSettings,
};
