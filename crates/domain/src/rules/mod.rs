//! Rules of the trade that need more than one entity: agent states, call results, dispositions,
//! retries, promises, what currencies are worth beside each other. Pure functions and small machines; what a country asks for is in `law`.

pub mod agent_state;
pub mod disposition;
pub mod ladder;
pub mod mix;
pub mod promise;
pub mod results;
pub mod retry;
pub mod worth;
