//! Connecting: addresses, encryption, authentication, secrets.

mod authentication;
mod connecting;
mod secrets;
pub(crate) mod tls;
