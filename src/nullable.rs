//! Tells "leave it" from "set it to NULL" in what comes by serde.

use serde::{Deserialize, Deserializer};

/// Reads a field that may be absent (`None`, with `#[serde(default)]`), null (`Some(None)`) or there.
///
/// For `#[serde(deserialize_with = "bowline::__generated::nullable")]` in `Changes`.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
