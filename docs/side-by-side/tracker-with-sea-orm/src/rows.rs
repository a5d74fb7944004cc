//! Types of columns. The rows of the tables are generated, in `entities`.

use sea_orm::{DeriveValueType, FromJsonQueryResult};
use serde::{Deserialize, Serialize};

pub use crate::entities::sea_orm_active_enums::IssueStatus;

// need: own types of columns

/// The address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, DeriveValueType)]
pub struct Email(pub String);

/// The settings of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub public: bool,
    pub close_after_days: Option<u32>,
}

// end
