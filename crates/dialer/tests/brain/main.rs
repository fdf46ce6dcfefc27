//! The brain under orders, answers and losses, written from what it promises: never more lines than
//! channels, an agent before the dial where the mode or the law asks for one, the message in time,
//! the hard stop, every state with an end, one live attempt a person.

mod agents;
mod agreed;
mod answers;
mod cards;
mod forecast;
mod found;
mod guard;
mod judged;
mod launching;
mod leaning;
mod offer;
mod packs;
mod queue;
mod random;
mod rig;
mod sharing;
mod transfers;
