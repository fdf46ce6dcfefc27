//! A gateway for messages behind the `Messenger` port, with its own log of what it took, and with what
//! gateways and debtors do: addresses that do not exist, refusals for a while, answers that are lost, receipts
//! out of order and told twice, debtors who read, write back, and ask for no more.

use crate::mishaps::locked;
use async_trait::async_trait;
use domain::entity::Channel;
use domain::ids::MessageId;
use domain::money::Currency;
use domain::pii::Pii;
use domain::ports::{Accepted, Messenger, Outgoing, Receipt, ReceiptKind, SendFault};
use domain::time::UtcMs;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::sync::Mutex;

/// What a message costs, millionths of the currency.
const COST_MICRO: i64 = 350_000;
/// Messages a minute.
const PER_MINUTE: u32 = 600;
/// What debtors write back, as they come.
const REPLIES: [&str; 3] = [
    "Ya pagué",
    "¿Me puede llamar el lunes?",
    "No soy esa persona",
];

/// A message that the gateway took: it left, or may have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Message.
    pub message: MessageId,
    /// Channel.
    pub channel: Channel,
    /// When.
    pub at: UtcMs,
}

/// Shares in percent.
#[derive(Debug, Clone, Copy)]
pub struct PostMix {
    /// Addresses that do not exist; an address stays what it is.
    pub no_such_pct: u64,
    /// Refused for a while.
    pub later_pct: u32,
    /// The gateway's answer is lost.
    pub lost_pct: u32,
    /// Fails on its way, of those taken.
    pub failed_pct: u32,
    /// Read, of those delivered.
    pub read_pct: u32,
    /// Answered, of those delivered.
    pub reply_pct: u32,
    /// Of the answers those that ask for no more.
    pub opt_out_pct: u32,
    /// Receipts told twice.
    pub repeated_pct: u32,
}

impl Default for PostMix {
    fn default() -> Self {
        Self {
            no_such_pct: 4,
            later_pct: 3,
            lost_pct: 1,
            failed_pct: 3,
            read_pct: 50,
            reply_pct: 12,
            opt_out_pct: 25,
            repeated_pct: 5,
        }
    }
}

#[derive(Debug)]
struct State {
    rng: ChaCha8Rng,
    log: Vec<Posted>,
    waiting: VecDeque<Receipt>,
    replies: u64,
}

impl State {
    fn chance(&mut self, pct: u32) -> bool {
        self.rng.random_range(0..100) < pct
    }

    fn tell(&mut self, mix: &PostMix, receipt: Receipt) {
        if self.chance(mix.repeated_pct) {
            self.waiting.push_back(receipt.clone());
        }
        self.waiting.push_back(receipt);
    }

    /// What becomes of a message that was taken.
    fn follow(&mut self, mix: &PostMix, name: &str, message: &Outgoing) {
        let of = |kind| Receipt {
            provider_ref: name.to_owned(),
            own: None,
            at: None,
            kind,
        };
        if self.chance(mix.failed_pct) {
            let code = "unreachable".to_owned();
            let kind = ReceiptKind::Failed {
                code,
                bad_address: false,
            };
            return self.tell(mix, of(kind));
        }
        let mut kinds = vec![ReceiptKind::Delivered];
        if self.chance(mix.read_pct) {
            kinds.push(ReceiptKind::Read);
        }
        if self.chance(20) {
            kinds.reverse();
        }
        for kind in kinds {
            self.tell(mix, of(kind));
        }
        if self.chance(mix.reply_pct) {
            let text = if self.chance(mix.opt_out_pct) {
                "BAJA"
            } else {
                REPLIES[self.rng.random_range(0..REPLIES.len())]
            };
            self.replies += 1;
            let receipt = Receipt {
                provider_ref: format!("in-{}", self.replies),
                own: None,
                at: None,
                kind: ReceiptKind::Reply {
                    channel: message.channel,
                    from: message.to.clone(),
                    text: Pii(text.to_owned()),
                    answers: Some(name.to_owned()),
                    optout: false,
                },
            };
            self.tell(mix, receipt);
        }
    }
}

/// The gateway; it outlives our process.
#[derive(Debug)]
pub struct SimPost {
    seed: u64,
    mix: PostMix,
    currency: Currency,
    state: Mutex<State>,
}

impl SimPost {
    /// A gateway whose costs are in a currency.
    #[must_use]
    pub fn new(seed: u64, mix: PostMix, currency: Currency) -> Self {
        let state = State {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0905_7000),
            log: Vec::new(),
            waiting: VecDeque::new(),
            replies: 0,
        };
        Self {
            seed,
            mix,
            currency,
            state: Mutex::new(state),
        }
    }

    /// Everything it took so far.
    #[must_use]
    pub fn log(&self) -> Vec<Posted> {
        locked(&self.state).log.clone()
    }

    fn exists(&self, address: &str) -> bool {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let start = self.seed ^ 0xcbf2_9ce4_8422_2325;
        // The high bits: the low ones of addresses that count up are alike.
        (address.bytes().fold(start, mix) >> 32) % 100 >= self.mix.no_such_pct
    }
}

#[async_trait]
impl Messenger for SimPost {
    fn name(&self) -> &str {
        "sim-post"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms, Channel::Whatsapp, Channel::Email]
    }

    fn per_minute(&self) -> u32 {
        PER_MINUTE
    }

    fn price(&self) -> (i64, Option<Currency>) {
        (COST_MICRO, Some(self.currency))
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let mut state = locked(&self.state);
        if !self.exists(message.to.reveal()) {
            let code = "no_such_address".to_owned();
            return Err(SendFault::Refused {
                code,
                bad_address: true,
            });
        }
        if state.chance(self.mix.later_pct) {
            return Err(SendFault::Later("busy".to_owned()));
        }
        state.log.push(Posted {
            message: message.id,
            channel: message.channel,
            at: message.at,
        });
        if state.chance(self.mix.lost_pct) {
            return Err(SendFault::Unknown("no answer".to_owned()));
        }
        let provider_ref = format!("out-{}", message.id);
        state.follow(&self.mix, &provider_ref, message);
        Ok(Accepted {
            provider_ref,
            cost_micro: COST_MICRO,
            currency: Some(self.currency),
        })
    }

    async fn poll(&self, limit: usize) -> Result<Vec<Receipt>, SendFault> {
        let state = locked(&self.state);
        Ok(state.waiting.iter().take(limit).cloned().collect())
    }

    async fn put_away(&self, told: &[Receipt]) -> Result<(), SendFault> {
        let mut state = locked(&self.state);
        for receipt in told {
            if let Some(at) = state.waiting.iter().position(|r| r == receipt) {
                state.waiting.remove(at);
            }
        }
        Ok(())
    }
}
