//! The settings of `bowline migrate`.

use serde::Deserialize;

/// The table `[migrate]` of `bowline.toml`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MigrateSettings {
    /// What to do about migrations that were edited after they ran.
    pub edited: Edited,
    /// What to do about pending migrations that are older than one that has run.
    pub late: Late,
}

/// What to do about migrations that were edited after they ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Edited {
    /// Run nothing.
    #[default]
    Refuse,
    /// Print a note, and run the others.
    Warn,
}

/// What to do about pending migrations that are older than one that has run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Late {
    /// Run them.
    Run,
    /// Print a note, and run them.
    #[default]
    Warn,
    /// Run nothing.
    Refuse,
}
