//! Column types of other crates, and types that generated code uses.

pub(crate) mod composite;
mod id;
#[cfg(feature = "jiff")]
pub mod jiff;
#[doc(hidden)]
pub mod json;
mod newtype;
mod pg_enum;
#[cfg(feature = "postgis")]
pub mod postgis;
pub(crate) mod range;
#[cfg(any(feature = "jiff", feature = "rust-decimal"))]
#[doc(hidden)]
pub mod range_markers;
mod value;
#[cfg(feature = "pgvector")]
mod vectors;

#[cfg(feature = "numeric")]
pub use bigdecimal;
#[cfg(feature = "network-address")]
pub use ipnetwork;
pub use pg_enum::UnknownLabel;
#[cfg(feature = "pgvector")]
pub use pgvector;
pub use range::{PgMultirange, PgRange};
#[cfg(feature = "rust-decimal")]
pub use rust_decimal;
#[cfg(feature = "uuid")]
pub use uuid;
