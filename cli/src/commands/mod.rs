//! One file per command.

pub(crate) mod catalog;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod generate;
pub(crate) mod init;
pub(crate) mod migrate;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod top;
pub(crate) mod verify;
