//! Transactions: what is committed, retried, and reported when an answer is lost.

mod begun;
mod citus;
mod closures;
mod commit_keys;
mod distributed;
mod dropped_calls;
mod given_up;
mod hooks;
mod lacking;
mod leaks;
mod locks;
mod lost_reads;
mod procedures;
mod retry;
mod row_security;
mod scripts;
mod tenant_figures;
mod tenants;
mod unknown_outcomes;
