//! The rows of the tables. A struct of sqlx is written by hand.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::postgres::types::PgInterval;
use sqlx::types::Json;
use uuid::Uuid;

// need: the rows of the tables

/// The state of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "issue_status", rename_all = "snake_case")]
pub enum IssueStatus {
    Open,
    InProgress,
    Done,
}

#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Organisation {
    pub id: i64,
    pub name: String,
    pub settings: Json<Settings>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct User {
    pub id: i64,
    pub email: Email,
    pub display_name: String,
    // line: a column that no JSON has
    #[serde(skip_serializing)]
    pub password_hash: Option<String>,
    pub is_admin: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Membership {
    pub organisation_id: i64,
    pub user_id: i64,
    pub role: String,
}

#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct Project {
    pub id: i64,
    pub organisation_id: i64,
    pub name: String,
    pub last_number: i32,
}

// sqlx reads no tsvector, so that `words` is left out.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Issue {
    pub id: i64,
    pub project_id: i64,
    pub number: i32,
    pub author_id: i64,
    pub title: String,
    pub body: String,
    pub status: IssueStatus,
    pub tags: Vec<String>,
    pub estimate: Option<Decimal>,
    #[serde(skip)]
    pub remind_before: Option<PgInterval>,
    pub due_on: Option<NaiveDate>,
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct Label {
    pub id: i64,
    pub project_id: i64,
    pub name: String,
}

#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct Comment {
    pub id: i64,
    pub issue_id: i64,
    pub author_id: i64,
    pub parent_id: Option<i64>,
    pub body: String,
    pub created_at: DateTime<Utc>,
}

// need: a column that no list reads

/// An attachment without its content.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct ListedAttachment {
    pub id: Uuid,
    pub issue_id: i64,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

// need: the rows of the tables

#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Job {
    pub id: i64,
    pub kind: String,
    pub payload: serde_json::Value,
    pub run_at: DateTime<Utc>,
    pub attempts: i32,
}

#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Event {
    pub id: i64,
    pub user_id: Option<i64>,
    pub action: String,
    pub happened_at: DateTime<Utc>,
}

// need: own types of columns

/// The address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(type_name = "citext")]
pub struct Email(pub String);

/// The settings of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub public: bool,
    pub close_after_days: Option<u32>,
}

// end
