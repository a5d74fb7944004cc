//! Distinguishes an absent field from a null one in data that serde reads.

use serde::{Deserialize, Deserializer};

/// Reads a field that may be absent (`None`, with `#[serde(default)]`), null (`Some(None)`) or set.
///
/// It is for `#[serde(deserialize_with = "bowline::__generated::nullable")]` in `Changes`.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
