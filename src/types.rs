//! Column types of other crates, and types that generated code uses.

pub(crate) mod composite;
mod id;
#[doc(hidden)]
pub mod json;
mod pg_enum;
pub(crate) mod range;
mod value;

#[cfg(feature = "numeric")]
pub use bigdecimal;
#[cfg(feature = "network-address")]
pub use ipnetwork;
pub use pg_enum::UnknownLabel;
pub use range::{PgMultirange, PgRange};
#[cfg(feature = "uuid")]
pub use uuid;
