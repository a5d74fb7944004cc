//! Names of objects.

use serde::{Deserialize, Serialize};

/// A schema-qualified name. Both parts are as in PostgreSQL's catalog: without quotes, in their
/// stored case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name within the schema.
    pub name: String,
}
