//! Names of objects.

use serde::{Deserialize, Serialize};

/// A name with its schema, as PostgreSQL stores both: unquoted, case as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name within the schema.
    pub name: String,
}
