//! The HTTP surface of this room over the store in memory and a real center.

mod app;
mod asks;
mod audio;
mod bodies;
mod documents;
mod events;
mod export;
mod floor;
mod idempotency;
mod keeping;
mod law;
mod money;
mod pacing;
mod paging;
mod roles;
mod second_factor;
mod sign_in;
mod sign_in_ends;
mod tenants;
mod what_if;
mod world;
mod writes;
