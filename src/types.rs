//! Column types of other crates, and types that generated code uses.

mod id;
mod pg_enum;

#[cfg(feature = "numeric")]
pub use bigdecimal;
#[cfg(feature = "network-address")]
pub use ipnetwork;
pub use pg_enum::UnknownLabel;
#[cfg(feature = "uuid")]
pub use uuid;
