//! Faults of servers, networks, statements and clients; `docs/FAULTS.md` lists them.

mod answers;
mod bank_under_fire;
mod byte_sweep;
mod catalogue;
mod client_process;
mod face;
mod fake_server;
mod memory;
mod proxy;
mod server;
mod standby;
mod statements;
