//! What a leg is told: recordings, words, music.

/// What is played into a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayWhat {
    /// The safe-harbour message in a language (`es`, `en`) for a client; `Played` is reported at its end.
    SafeHarbour {
        /// Language.
        language: String,
        /// Client whose message replaces the default one, as text id.
        client: String,
    },
    /// Recorded parts by name, one after the other, in a language and where a client has his own in his;
    /// `Played` is reported at the end of the last. A part that is not there is left out.
    Spoken {
        /// Names, without language.
        parts: Vec<String>,
        /// Language.
        language: String,
        /// Client, as text id.
        client: String,
    },
    /// Hold music, without end.
    Music,
    /// A message of recordings and words, on a mailbox or to a caller, its parts in order; `Played` is reported at its
    /// end. `Gone` where a part can be neither played nor spoken.
    Voicemail {
        /// Language (`es`, `en`).
        language: String,
        /// What is said.
        parts: Vec<Spoken>,
    },
    /// Ring-back.
    RingBack,
    /// A short beep (a call is coming).
    Beep,
    /// Nothing: stops what is playing.
    Silence,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// A recording by its name.
    Recorded(String),
    /// Words for the speech engine.
    Words(String),
    /// Digits one by one: recordings of them where there are, else the speech engine.
    Digits(String),
}
