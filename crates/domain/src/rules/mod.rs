//! Rules of the trade that need more than one entity: agent states, call results, dispositions,
//! retries, promises, what currencies are worth beside each other. Pure functions and small machines; what a country asks for is in `law`.

pub mod ageing;
pub mod agent_state;
pub mod allocation;
pub mod consents;
pub mod detector;
pub mod disclosure;
pub mod disposition;
pub mod due_items;
pub mod goal;
pub mod hours;
pub mod interest;
pub mod kpi;
pub mod ladder;
pub mod letter;
pub mod limited;
pub mod messaging;
pub mod mix;
pub mod negotiation;
pub mod objection;
pub mod offers;
pub mod plan;
pub mod promise;
pub mod reach;
pub mod recovery;
pub mod results;
pub mod retry;
pub mod stage;
pub mod stale;
pub mod strategy;
pub mod template;
pub mod tone;
pub mod visit;
pub mod voicemail;
pub mod withdrawal;
pub mod worth;
