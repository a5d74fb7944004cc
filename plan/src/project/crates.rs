//! The settings for the crates whose types columns have.

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
    /// The crate `jiff`, whose types `bowline::types::jiff` wraps.
    Jiff,
}

/// The crate whose type numbers of the type `numeric` have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NumericCrate {
    /// The crate `bigdecimal`, which holds each number but NaN and infinity.
    #[default]
    Bigdecimal,
    /// The crate `rust_decimal`, which holds numbers of 28 digits.
    RustDecimal,
}

/// The crate whose types vectors of the extension `vector` have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum VectorCrate {
    /// None: they are read and written as text.
    #[default]
    Text,
    /// The crate `pgvector`.
    Pgvector,
}

/// The crate whose types geometries of the extension `postgis` have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GeometryCrate {
    /// None: they are read and written as text.
    #[default]
    Text,
    /// The crate `postgis_diesel`.
    PostgisDiesel,
}

/// The crates whose types columns have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Crates {
    /// The one of dates and times.
    pub time: TimeCrate,
    /// The one of `numeric`.
    pub numeric: NumericCrate,
    /// The one of vectors.
    pub vector: VectorCrate,
    /// The one of geometries.
    pub geometry: GeometryCrate,
}
