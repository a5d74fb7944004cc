//! Sequences.

use serde::{Deserialize, Serialize};

use crate::Name;
use crate::privilege::Privileges;

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The name of the sequence.
    pub name: Name,
    /// `int2`, `int4` or `int8`.
    pub data_type: String,
    /// `START WITH`.
    pub start: i64,
    /// `INCREMENT BY`.
    pub increment: i64,
    /// `MINVALUE`.
    pub min: i64,
    /// `MAXVALUE`.
    pub max: i64,
    /// `CACHE`.
    pub cache: i64,
    /// `CYCLE`.
    pub cycle: bool,
    /// The table and column of `OWNED BY`, or of the identity.
    pub owner: Option<(Name, String)>,
    /// True if the sequence is created and dropped with an identity column.
    pub identity: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Privileges on the sequence, except those of its owner.
    #[serde(default, skip_serializing_if = "Privileges::is_empty")]
    pub privileges: Privileges,
}

impl Sequence {
    /// Returns true if this column owns the sequence.
    pub(crate) fn is_owned_by(&self, table: &Name, column: &str) -> bool {
        let owner = self.owner.as_ref();
        owner.is_some_and(|(owner, owned)| owner == table && owned == column)
    }
}
