//! Types of columns that `bowline.toml` names.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Citext, Jsonb};
use serde::{Deserialize, Serialize};

/// The address of a user. PostgreSQL compares it without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow, Serialize)]
pub struct Email(String);

impl Email {
    /// Returns the address, or `None` if the text is none.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let is_address = text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        is_address.then_some(Self(text))
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text).ok_or_else(|| serde::de::Error::custom("this is no e-mail address"))
    }
}

impl FromSql<Citext, Pg> for Email {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Citext, Pg>>::from_sql(value).map(Self)
    }
}

impl ToSql<Citext, Pg> for Email {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <String as ToSql<Citext, Pg>>::to_sql(&self.0, out)
    }
}

/// The settings of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromSqlRow, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether people who are no members can read its issues.
    pub public: bool,
    /// The days after which an issue without a change is closed.
    pub close_after_days: Option<u32>,
}

impl FromSql<Jsonb, Pg> for Settings {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(value)?;
        Ok(serde_json::from_value(value)?)
    }
}

impl ToSql<Jsonb, Pg> for Settings {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(self)?;
        <serde_json::Value as ToSql<Jsonb, Pg>>::to_sql(&value, &mut out.reborrow())
    }
}
