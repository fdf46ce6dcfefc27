//! Messages, what debtors write, templates, strategies.

use super::{
    Channel, Currency, InboxState, Instant, Language, LetterLevel, MessagePurpose, MessageState,
    PlannedState, StepAction, StrategyStatus, StrategyTrigger, Tone,
};
use uuid::Uuid;

shape! {
    /// One text for one channel and language under a name.
    TextTemplate {
        id: Uuid, client_id: Uuid, name: String, channel: Channel, language: Language, tone: Tone,
        /// Of an e-mail.
        subject: String,
        /// Text with variables, as `{debtor.name}`.
        body: String,
        /// Template that the provider approved (WhatsApp); empty = none.
        provider_name: String,
        /// The provider's code of its language (`es_MX`); empty = the plain one.
        provider_language: String,
        active: bool, version: i32, created_at: Instant, updated_at: Instant,
    }
    /// A message that is to go out, or went.
    Message {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, debt_id: Option<Uuid>, point_id: Option<Uuid>,
        /// Where it went, masked.
        address: Option<String>,
        channel: Channel, purpose: MessagePurpose, template_id: Option<Uuid>, template_version: i32,
        strategy_id: Option<Uuid>, strategy_version: i32, step: String, plan_key: Option<String>,
        subject: String, body: String, due_at: Instant, expires_at: Instant, state: MessageState,
        /// Rule, error code or word behind the state.
        reason: String,
        tries: i32, gateway: String, provider_ref: String,
        /// Millionths of the currency.
        cost_micro: i64,
        currency: Option<Currency>, verdict_id: Option<Uuid>, reply_to: Option<Uuid>, made_by: String,
        created_at: Instant, sent_at: Option<Instant>, delivered_at: Option<Instant>,
        read_at: Option<Instant>, answered_at: Option<Instant>, ended_at: Option<Instant>,
    }
    /// A message that came in.
    InboxMessage {
        id: Uuid, client_id: Option<Uuid>, debtor_id: Option<Uuid>, message_id: Option<Uuid>,
        channel: Channel,
        /// Where it came from, masked.
        address: String,
        text: String, gateway: String, provider_ref: String, state: InboxState, optout: bool,
        received_at: Instant, handled_at: Option<Instant>, handled_by: String,
    }
    /// One step of a strategy.
    StrategyStep {
        /// Unique within the strategy.
        key: String,
        /// Local days from the date; negative = before it.
        offset_days: i32,
        /// Local time of the debtor, `HH:MM`.
        at: String,
        action: StepAction,
        /// Of a message, in order of preference.
        channels: Vec<Channel>,
        /// Name of the template of a message.
        template: String,
        /// Tone of a message; null = the one of the debt's stage.
        tone: Option<Tone>,
        /// Of a call.
        campaign_id: Option<Uuid>,
        /// Which letter; null = the firmest that the debt's age allows.
        letter: Option<LetterLevel>,
        note: String,
    }
    /// A versioned plan of steps.
    Strategy {
        id: Uuid, client_id: Uuid, name: String, trigger: StrategyTrigger,
        /// Segment expression; empty = all.
        segment: String,
        steps: Vec<StrategyStep>,
        /// The strategy that this one challenges.
        champion_id: Option<Uuid>,
        /// Share of the champion's debtors that a challenger takes.
        share_pct: i32,
        status: StrategyStatus, version: i32, created_at: Instant, updated_at: Instant,
    }
    /// A planned step that is no message.
    PlannedStep {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, debt_id: Option<Uuid>, strategy_id: Uuid,
        strategy_version: i32, step: String, action: StepAction, campaign_id: Option<Uuid>,
        plan_key: String, due_at: Instant, state: PlannedState, reason: String, note: String,
        created_at: Instant, ended_at: Option<Instant>, ended_by: String,
    }
}
