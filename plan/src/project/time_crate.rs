//! The setting for the crate of dates and times.

use serde::Deserialize;

/// The crate whose types dates and times have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TimeCrate {
    /// The crate `chrono`.
    #[default]
    Chrono,
    /// The crate `time`.
    Time,
}
