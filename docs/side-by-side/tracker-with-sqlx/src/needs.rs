//! The needs of the tracker, without those of issues.

use sqlx::types::Json;
use sqlx::{PgPool, Result};
use uuid::Uuid;

use crate::rows::{
    Email, Event, Job, ListedAttachment, Membership, Organisation, Project, Settings, User,
};

// need: insert
pub async fn insert_project(db: &PgPool, organisation: i64, name: &str) -> Result<Project> {
    sqlx::query_as!(
        Project,
        "INSERT INTO projects (organisation_id, name) VALUES ($1, $2) RETURNING *",
        organisation,
        name
    )
    .fetch_one(db)
    .await
}

// need: find by key
pub async fn find_project(db: &PgPool, id: i64) -> Result<Option<Project>> {
    sqlx::query_as!(Project, "SELECT * FROM projects WHERE id = $1", id)
        .fetch_optional(db)
        .await
}

// need: list by foreign key, in pages
pub async fn projects_of(
    db: &PgPool,
    organisation: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Project>> {
    sqlx::query_as!(
        Project,
        "SELECT * FROM projects WHERE organisation_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        organisation,
        after,
        limit
    )
    .fetch_all(db)
    .await
}

// need: upsert
pub async fn upsert_project(
    db: &PgPool,
    organisation: i64,
    name: &str,
    last_number: i32,
) -> Result<Project> {
    sqlx::query_as!(
        Project,
        "INSERT INTO projects (organisation_id, name, last_number) VALUES ($1, $2, $3)
         ON CONFLICT (organisation_id, name) DO UPDATE SET last_number = excluded.last_number
         RETURNING *",
        organisation,
        name,
        last_number
    )
    .fetch_one(db)
    .await
}

// need: a table with a composite key
pub async fn insert_membership(
    db: &PgPool,
    organisation: i64,
    user: i64,
    role: &str,
) -> Result<Membership> {
    sqlx::query_as!(
        Membership,
        "INSERT INTO memberships VALUES ($1, $2, $3) RETURNING *",
        organisation,
        user,
        role
    )
    .fetch_one(db)
    .await
}

pub async fn membership(db: &PgPool, organisation: i64, user: i64) -> Result<Option<Membership>> {
    sqlx::query_as!(
        Membership,
        "SELECT * FROM memberships WHERE organisation_id = $1 AND user_id = $2",
        organisation,
        user
    )
    .fetch_optional(db)
    .await
}

// need: own types of columns
pub async fn insert_user(db: &PgPool, email: &Email, display_name: &str) -> Result<User> {
    sqlx::query_as!(
        User,
        "INSERT INTO users (email, display_name) VALUES ($1, $2) RETURNING *",
        email as _,
        display_name
    )
    .fetch_one(db)
    .await
}

pub async fn find_user_by_email(db: &PgPool, email: &Email) -> Result<Option<User>> {
    sqlx::query_as!(User, "SELECT * FROM users WHERE email = $1", email as _)
        .fetch_optional(db)
        .await
}

pub async fn insert_organisation(
    db: &PgPool,
    name: &str,
    settings: &Settings,
) -> Result<Organisation> {
    sqlx::query_as!(
        Organisation,
        "INSERT INTO organisations (name, settings) VALUES ($1, $2) RETURNING *",
        name,
        Json(settings) as _
    )
    .fetch_one(db)
    .await
}

// need: members of an organisation (many-to-many)
#[derive(Debug, sqlx::FromRow, serde::Serialize)]
pub struct Member {
    #[sqlx(json)]
    pub member: User,
    pub role: String,
}

pub async fn members(db: &PgPool, organisation: i64) -> Result<Vec<Member>> {
    sqlx::query_as(
        "SELECT to_jsonb(u) AS member, m.role
           FROM memberships m JOIN users u ON u.id = m.user_id
          WHERE m.organisation_id = $1
          ORDER BY u.display_name, u.id",
    )
    .bind(organisation)
    .fetch_all(db)
    .await
}

// need: a queue of jobs, `SKIP LOCKED`
pub async fn take_job(db: &PgPool) -> Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        "UPDATE jobs SET attempts = attempts + 1, run_at = now() + interval '1 minute'
          WHERE id = (SELECT id FROM jobs WHERE run_at <= now() ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *"
    )
    .fetch_optional(db)
    .await
}

pub async fn finish_job(db: &PgPool, id: i64) -> Result<()> {
    sqlx::query!("DELETE FROM jobs WHERE id = $1", id)
        .execute(db)
        .await?;
    Ok(())
}

// need: a worker that hears of jobs
pub async fn add_job(db: &PgPool, kind: &str) -> Result<()> {
    sqlx::query!(
        "WITH job AS (INSERT INTO jobs (kind) VALUES ($1)) SELECT pg_notify('jobs', '')",
        kind
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn wait_for_job(db: &PgPool) -> Result<Job> {
    let mut announced = sqlx::postgres::PgListener::connect_with(db).await?;
    announced.listen("jobs").await?;
    loop {
        if let Some(job) = take_job(db).await? {
            return Ok(job);
        }
        // A lost connection, in which notifications were lost, is also a reason to look.
        announced.try_recv().await?;
    }
}

// need: a table in another schema
pub async fn insert_event(db: &PgPool, user: i64, action: &str) -> Result<Event> {
    sqlx::query_as!(
        Event,
        "INSERT INTO audit.events (user_id, action) VALUES ($1, $2) RETURNING *",
        user,
        action
    )
    .fetch_one(db)
    .await
}

pub async fn find_event(db: &PgPool, id: i64) -> Result<Option<Event>> {
    sqlx::query_as!(Event, "SELECT * FROM audit.events WHERE id = $1", id)
        .fetch_optional(db)
        .await
}

// need: a view, and a materialized view
pub async fn open_issues(db: &PgPool, project: i64) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"SELECT issues AS "issues!" FROM open_issues WHERE project_id = $1"#,
        project
    )
    .fetch_optional(db)
    .await
}

pub async fn comments_by(db: &PgPool, author: i64) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"SELECT comments AS "comments!" FROM commenters WHERE author_id = $1"#,
        author
    )
    .fetch_optional(db)
    .await
}

pub async fn refresh_commenters(db: &PgPool) -> Result<()> {
    sqlx::query!("REFRESH MATERIALIZED VIEW commenters")
        .execute(db)
        .await?;
    Ok(())
}

// need: a column that no list reads
pub async fn attachments_of(db: &PgPool, issue: i64) -> Result<Vec<ListedAttachment>> {
    sqlx::query_as!(
        ListedAttachment,
        "SELECT id, issue_id, name, created_at FROM attachments WHERE issue_id = $1 ORDER BY id",
        issue
    )
    .fetch_all(db)
    .await
}

// end

/// Not a need of its own: the other libraries insert it in the same way as a project.
pub async fn insert_attachment(
    db: &PgPool,
    issue: i64,
    name: &str,
    content: &[u8],
) -> Result<Uuid> {
    sqlx::query_scalar!(
        "INSERT INTO attachments (issue_id, name, content) VALUES ($1, $2, $3) RETURNING id",
        issue,
        name,
        content
    )
    .fetch_one(db)
    .await
}
