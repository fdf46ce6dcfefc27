//! Rules of the trade that need more than one entity: agent states, dispositions, retries, promises.
