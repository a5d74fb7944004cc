//! One file per command.

pub(crate) mod generate;
pub(crate) mod migrate;
pub(crate) mod server;
pub(crate) mod top;
