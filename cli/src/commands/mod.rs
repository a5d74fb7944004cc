//! One file per command.

pub mod generate;
pub mod migrate;
pub mod server;
