//! Types that generated code is made of: ids and enums.

mod id;
mod pg_enum;

pub use pg_enum::UnknownLabel;
