//! The rows of the tables. A struct of diesel is written by hand; `schema.rs` is generated.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::data_types::PgInterval;
use diesel::prelude::*;
use diesel_derive_enum::DbEnum;
use diesel_derive_newtype::DieselNewType;
use diesel_json::Json;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit_schema::audit::events;
use crate::schema::{
    attachments, comments, issue_labels, issues, jobs, labels, memberships, organisations,
    projects, users,
};

// need: the rows of the tables

/// The state of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, DbEnum)]
#[serde(rename_all = "snake_case")]
#[db_enum(existing_type_path = "crate::schema::sql_types::IssueStatus")]
pub enum IssueStatus {
    Open,
    InProgress,
    Done,
}

#[derive(Debug, HasQuery, Serialize)]
pub struct Organisation {
    pub id: i64,
    pub name: String,
    pub settings: Json<Settings>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, HasQuery, Serialize)]
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

#[derive(Debug, HasQuery, Serialize)]
pub struct Membership {
    pub organisation_id: i64,
    pub user_id: i64,
    pub role: String,
}

#[derive(Debug, HasQuery, Identifiable, Serialize)]
pub struct Project {
    pub id: i64,
    pub organisation_id: i64,
    pub name: String,
    pub last_number: i32,
}

#[derive(Debug, HasQuery, QueryableByName, Identifiable, Associations, Serialize)]
#[diesel(belongs_to(Project))]
pub struct Issue {
    pub id: i64,
    pub project_id: i64,
    pub number: i32,
    pub author_id: i64,
    pub title: String,
    pub body: String,
    pub status: IssueStatus,
    pub tags: Vec<Option<String>>,
    pub estimate: Option<BigDecimal>,
    #[serde(skip)]
    pub remind_before: Option<PgInterval>,
    pub due_on: Option<NaiveDate>,
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

#[derive(Debug, HasQuery, Serialize)]
pub struct Label {
    pub id: i64,
    pub project_id: i64,
    pub name: String,
}

#[derive(Debug, HasQuery, Identifiable, Associations)]
#[diesel(primary_key(issue_id, label_id), belongs_to(Issue))]
pub struct IssueLabel {
    pub issue_id: i64,
    pub label_id: i64,
}

#[derive(Debug, HasQuery, Serialize)]
pub struct Comment {
    pub id: i64,
    pub issue_id: i64,
    pub author_id: i64,
    pub parent_id: Option<i64>,
    pub body: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, HasQuery, Serialize)]
pub struct Job {
    pub id: i64,
    pub kind: String,
    pub payload: serde_json::Value,
    pub run_at: DateTime<Utc>,
    pub attempts: i32,
}

#[derive(Debug, HasQuery, Serialize)]
pub struct Event {
    pub id: i64,
    pub user_id: Option<i64>,
    pub action: String,
    pub happened_at: DateTime<Utc>,
}

// need: a column that no list reads

/// An attachment without its content.
#[derive(Debug, HasQuery, Serialize)]
#[diesel(table_name = attachments)]
pub struct ListedAttachment {
    pub id: Uuid,
    pub issue_id: i64,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

// need: own types of columns

/// The address of a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, DieselNewType)]
pub struct Email(pub String);

/// The settings of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub public: bool,
    pub close_after_days: Option<u32>,
}

// end
