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
    /// `OWNED BY`, and the column of an identity: the table and its column.
    pub owner: Option<(Name, String)>,
    /// Whether it is the identity's own, which comes and goes with it.
    pub identity: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Privileges on it, beside those of its owner.
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
