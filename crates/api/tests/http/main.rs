//! The HTTP surface of this room over the store in memory and a real center.

#![recursion_limit = "256"]

mod ageing;
mod app;
mod asks;
mod audio;
mod bank_back;
mod bodies;
mod callers;
mod choices;
mod claims;
mod disputes;
mod documents;
mod due_items;
mod events;
mod evidence;
mod export;
mod file_tasks;
mod floor;
mod idempotency;
mod interest;
mod keeping;
mod law;
mod law_rules;
mod messages;
mod money;
mod pacing;
mod paging;
mod pay;
mod plans;
mod receipts;
mod reports;
mod roles;
mod scripts;
mod second_factor;
mod sign_in;
mod sign_in_ends;
mod stages;
mod tenants;
mod visits;
mod what_if;
mod world;
mod writes;
