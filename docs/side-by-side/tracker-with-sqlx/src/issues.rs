//! The needs of issues, labels and comments.

use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::postgres::types::PgInterval;
use sqlx::{FromRow, PgPool, QueryBuilder, Result};

use crate::rows::{
    Comment, Issue, IssueStatus, Label, ListedAttachment, Organisation, Project, User,
};

// need: jsonb, text[], date, numeric, interval
pub struct NewIssue {
    pub project_id: i64,
    pub number: i32,
    pub author_id: i64,
    pub title: String,
    pub tags: Vec<String>,
    pub estimate: Option<Decimal>,
    pub remind_before: Option<PgInterval>,
    pub due_on: Option<NaiveDate>,
}

pub async fn insert_issue(db: &PgPool, new: NewIssue) -> Result<Issue> {
    sqlx::query_as(
        "INSERT INTO issues (project_id, number, author_id, title, tags, estimate, remind_before, due_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         RETURNING *",
    )
    .bind(new.project_id)
    .bind(new.number)
    .bind(new.author_id)
    .bind(new.title)
    .bind(new.tags)
    .bind(new.estimate)
    .bind(new.remind_before)
    .bind(new.due_on)
    .fetch_one(db)
    .await
}

pub async fn find_issue(db: &PgPool, id: i64) -> Result<Option<Issue>> {
    sqlx::query_as("SELECT * FROM issues WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .fetch_optional(db)
        .await
}

// need: a list with filters, orders and pages, with authors and labels
#[derive(Default)]
pub struct Filter<'a> {
    pub status: Option<IssueStatus>,
    pub author: Option<i64>,
    pub label: Option<&'a str>,
    pub order: BoardOrder,
    pub after: Option<&'a IssueInList>,
    pub limit: i64,
}

#[derive(Clone, Copy, Default)]
pub enum BoardOrder {
    #[default]
    Newest,
    Oldest,
    Due,
}

pub async fn board(db: &PgPool, project: i64, filter: &Filter<'_>) -> Result<Vec<IssueInList>> {
    let mut sql = QueryBuilder::new(
        "SELECT i.*, to_jsonb(u) AS author,
                to_jsonb(ARRAY(
                  SELECT l FROM issue_labels il JOIN labels l ON l.id = il.label_id
                   WHERE il.issue_id = i.id ORDER BY l.name
                )) AS labels
           FROM issues i JOIN users u ON u.id = i.author_id
          WHERE i.deleted_at IS NULL AND i.project_id = ",
    );
    sql.push_bind(project);
    if let Some(status) = filter.status {
        sql.push(" AND i.status = ").push_bind(status);
    }
    if let Some(author) = filter.author {
        sql.push(" AND i.author_id = ").push_bind(author);
    }
    if let Some(label) = filter.label {
        sql.push(
            " AND EXISTS (
                SELECT FROM issue_labels il JOIN labels l ON l.id = il.label_id
                 WHERE il.issue_id = i.id AND l.name = ",
        )
        .push_bind(label)
        .push(")");
    }
    match (&filter.order, filter.after) {
        (_, None) => &mut sql,
        (BoardOrder::Newest, Some(last)) => sql
            .push(" AND (i.updated_at, i.id) < (")
            .push_bind(last.issue.updated_at)
            .push(", ")
            .push_bind(last.issue.id)
            .push(")"),
        (BoardOrder::Oldest, Some(last)) => sql
            .push(" AND (i.created_at, i.id) > (")
            .push_bind(last.issue.created_at)
            .push(", ")
            .push_bind(last.issue.id)
            .push(")"),
        // A date comes before NULL.
        (BoardOrder::Due, Some(last)) => sql
            .push(" AND (coalesce(i.due_on, 'infinity'), i.id) > (coalesce(")
            .push_bind(last.issue.due_on)
            .push(", 'infinity'), ")
            .push_bind(last.issue.id)
            .push(")"),
    };
    sql.push(match filter.order {
        BoardOrder::Newest => " ORDER BY i.updated_at DESC, i.id DESC LIMIT ",
        BoardOrder::Oldest => " ORDER BY i.created_at, i.id LIMIT ",
        BoardOrder::Due => " ORDER BY i.due_on, i.id LIMIT ",
    });
    sql.push_bind(filter.limit);
    sql.build_query_as().fetch_all(db).await
}

// need: an issue with author, labels, comments and attachments
#[derive(Debug, FromRow, Serialize)]
pub struct IssuePage {
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub issue: Issue,
    #[sqlx(json)]
    pub author: User,
    #[sqlx(json)]
    pub labels: Vec<Label>,
    #[sqlx(json)]
    pub comments: Vec<CommentWithAuthor>,
    #[sqlx(json)]
    pub attachments: Vec<ListedAttachment>,
}

#[derive(Debug, Serialize, serde::Deserialize)]
pub struct CommentWithAuthor {
    #[serde(flatten)]
    pub comment: Comment,
    pub author: User,
}

pub async fn issue_page(db: &PgPool, project: i64, number: i32) -> Result<Option<IssuePage>> {
    sqlx::query_as(
        "SELECT i.*, to_jsonb(u) AS author,
                to_jsonb(ARRAY(
                  SELECT l FROM issue_labels il JOIN labels l ON l.id = il.label_id
                   WHERE il.issue_id = i.id ORDER BY l.id
                )) AS labels,
                to_jsonb(ARRAY(
                  SELECT to_jsonb(c) || jsonb_build_object('author', to_jsonb(u))
                    FROM comments c JOIN users u ON u.id = c.author_id
                   WHERE c.issue_id = i.id ORDER BY c.id
                )) AS comments,
                to_jsonb(ARRAY(
                  SELECT to_jsonb(a) - 'content' FROM attachments a WHERE a.issue_id = i.id ORDER BY a.id
                )) AS attachments
           FROM issues i JOIN users u ON u.id = i.author_id
          WHERE i.project_id = $1 AND i.number = $2 AND i.deleted_at IS NULL",
    )
    .bind(project)
    .bind(number)
    .fetch_optional(db)
    .await
}

// need: an organisation with projects and their newest issues
#[derive(Debug, Serialize)]
pub struct Overview {
    #[serde(flatten)]
    pub organisation: Organisation,
    pub projects: Vec<ProjectWithIssues>,
}

#[derive(Debug, Serialize)]
pub struct ProjectWithIssues {
    #[serde(flatten)]
    pub project: Project,
    pub issues: Vec<Issue>,
}

pub async fn overview(db: &PgPool, id: i64) -> Result<Option<Overview>> {
    let organisation = sqlx::query_as!(
        Organisation,
        "SELECT * FROM organisations WHERE id = $1",
        id
    );
    let Some(organisation) = organisation.fetch_optional(db).await? else {
        return Ok(None);
    };
    let projects = sqlx::query_as!(
        Project,
        "SELECT * FROM projects WHERE organisation_id = $1 ORDER BY name",
        id
    )
    .fetch_all(db)
    .await?;
    let newest = sqlx::query_as(
        "SELECT i.*
           FROM projects p,
                LATERAL (
                  SELECT * FROM issues WHERE project_id = p.id AND deleted_at IS NULL
                   ORDER BY number DESC LIMIT 10
                ) i
          WHERE p.organisation_id = $1
          ORDER BY i.number DESC",
    );
    let mut issues: HashMap<i64, Vec<Issue>> = HashMap::new();
    for issue in newest.bind(id).fetch_all(db).await? {
        let issue: Issue = issue;
        issues.entry(issue.project_id).or_default().push(issue);
    }
    let projects = projects
        .into_iter()
        .map(|project| ProjectWithIssues {
            issues: issues.remove(&project.id).unwrap_or_default(),
            project,
        })
        .collect();
    Ok(Some(Overview {
        organisation,
        projects,
    }))
}

// need: many issues with authors and labels
#[derive(Debug, FromRow, Serialize)]
pub struct IssueInList {
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub issue: Issue,
    #[sqlx(json)]
    pub author: User,
    #[sqlx(json)]
    pub labels: Vec<Label>,
}

pub async fn issues_with_labels(db: &PgPool, ids: &[i64]) -> Result<Vec<IssueInList>> {
    sqlx::query_as(
        "SELECT i.*, to_jsonb(u) AS author,
                to_jsonb(ARRAY(
                  SELECT l FROM issue_labels il JOIN labels l ON l.id = il.label_id
                   WHERE il.issue_id = i.id ORDER BY l.name
                )) AS labels
           FROM issues i JOIN users u ON u.id = i.author_id
          WHERE i.id = ANY($1) AND i.deleted_at IS NULL
          ORDER BY array_position($1, i.id)",
    )
    .bind(ids)
    .fetch_all(db)
    .await
}

// need: full text search
#[derive(Debug, Serialize)]
pub struct Found {
    pub id: i64,
    pub number: i32,
    pub title: String,
    pub rank: f32,
}

pub async fn search(db: &PgPool, project: i64, words: &str, limit: i64) -> Result<Vec<Found>> {
    sqlx::query_as!(
        Found,
        r#"SELECT i.id, i.number, i.title, ts_rank(i.words, query) AS "rank!"
             FROM issues i, websearch_to_tsquery('simple', $1) query
            WHERE i.project_id = $2 AND i.words @@ query AND i.deleted_at IS NULL
            ORDER BY 4 DESC, i.id
            LIMIT $3"#,
        words,
        project,
        limit
    )
    .fetch_all(db)
    .await
}

// need: the replies below a comment, however deep
#[derive(Debug, Serialize)]
pub struct Reply {
    pub id: i64,
    pub parent_id: Option<i64>,
    pub body: String,
    pub depth: i32,
}

pub async fn replies(db: &PgPool, comment: i64) -> Result<Vec<Reply>> {
    sqlx::query_as!(
        Reply,
        r#"WITH RECURSIVE below AS (
               SELECT c.id, c.parent_id, c.body, 1 AS depth FROM comments c WHERE c.parent_id = $1
               UNION ALL
               SELECT c.id, c.parent_id, c.body, below.depth + 1
                 FROM comments c JOIN below ON c.parent_id = below.id
             )
           SELECT id AS "id!", parent_id, body AS "body!", depth AS "depth!" FROM below ORDER BY id"#,
        comment
    )
    .fetch_all(db)
    .await
}

// need: rows by group
#[derive(Debug, Serialize)]
pub struct Count {
    pub status: IssueStatus,
    pub issues: i64,
}

pub async fn count_by_status(db: &PgPool, project: i64) -> Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"SELECT status, count(*) AS "issues!"
             FROM issues
            WHERE project_id = $1 AND deleted_at IS NULL
            GROUP BY status
            ORDER BY status"#,
        project
    )
    .fetch_all(db)
    .await
}

// need: a number for each row of a parent
#[derive(Debug, Serialize)]
pub struct Opened {
    pub id: i64,
    pub number: i32,
    pub version: i32,
}

pub async fn open_issue(
    db: &PgPool,
    project: i64,
    author: i64,
    title: &str,
    body: &str,
) -> Result<Opened> {
    sqlx::query_as!(
        Opened,
        "WITH project AS (
           UPDATE projects SET last_number = last_number + 1 WHERE id = $1 RETURNING id, last_number
         )
         INSERT INTO issues (project_id, number, author_id, title, body)
         SELECT id, last_number, $2, $3, $4 FROM project
         RETURNING id, number, version",
        project,
        author,
        title,
        body
    )
    .fetch_one(db)
    .await
}

// need: labels by their names
pub async fn label_issue(db: &PgPool, issue: i64, names: &[String]) -> Result<u64> {
    let labelled = sqlx::query!(
        "INSERT INTO issue_labels (issue_id, label_id)
         SELECT i.id, l.id
           FROM issues i JOIN labels l ON l.project_id = i.project_id
          WHERE i.id = $1 AND l.name = ANY($2)
         ON CONFLICT DO NOTHING",
        issue,
        names
    );
    Ok(labelled.execute(db).await?.rows_affected())
}

// need: an update of many rows
pub async fn set_status(db: &PgPool, status: IssueStatus, ids: &[i64]) -> Result<u64> {
    let set = sqlx::query!(
        "UPDATE issues SET status = $1, version = version + 1, updated_at = now()
          WHERE id = ANY($2) AND status <> $1 AND deleted_at IS NULL",
        status as _,
        ids
    );
    Ok(set.execute(db).await?.rows_affected())
}

// need: import of 100,000 rows, with their ids
pub async fn import_comments(
    db: &PgPool,
    issue: i64,
    author: i64,
    bodies: &[String],
) -> Result<Vec<i64>> {
    sqlx::query_scalar!(
        "INSERT INTO comments (issue_id, author_id, body)
         SELECT $1, $2, body FROM UNNEST($3::text[]) WITH ORDINALITY AS new (body, place)
         ORDER BY place
         RETURNING id",
        issue,
        author,
        bodies
    )
    .fetch_all(db)
    .await
}

// need: an update that compares a version
#[derive(Default)]
pub struct IssueChanges<'a> {
    pub title: Option<&'a str>,
    pub body: Option<&'a str>,
    pub status: Option<IssueStatus>,
    pub due_on: Option<Option<NaiveDate>>,
}

/// Returns nothing if the issue has another version.
pub async fn edit_issue(
    db: &PgPool,
    id: i64,
    version: i32,
    changes: IssueChanges<'_>,
) -> Result<Option<Issue>> {
    sqlx::query_as(
        "UPDATE issues
            SET title = coalesce($3, title), body = coalesce($4, body), status = coalesce($5, status),
                due_on = CASE WHEN $6 THEN $7 ELSE due_on END, version = version + 1, updated_at = now()
          WHERE id = $1 AND version = $2 AND deleted_at IS NULL
         RETURNING *",
    )
    .bind(id)
    .bind(version)
    .bind(changes.title)
    .bind(changes.body)
    .bind(changes.status)
    .bind(changes.due_on.is_some())
    .bind(changes.due_on.flatten())
    .fetch_optional(db)
    .await
}

// need: soft delete
pub async fn delete_issue(db: &PgPool, id: i64) -> Result<bool> {
    let deleted = sqlx::query!(
        "UPDATE issues SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL",
        id
    );
    Ok(deleted.execute(db).await?.rows_affected() == 1)
}

// need: an issue moved to another project, with retries
pub async fn move_issue(db: &PgPool, id: i64, project: i64) -> Result<Issue> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match try_to_move(db, id, project).await {
            Err(sqlx::Error::Database(error))
                if attempts < 10 && matches!(error.code().as_deref(), Some("40001" | "40P01")) => {}
            moved => return moved,
        }
    }
}

async fn try_to_move(db: &PgPool, id: i64, project: i64) -> Result<Issue> {
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await?;
    let number = sqlx::query_scalar!(
        "UPDATE projects SET last_number = last_number + 1 WHERE id = $1 RETURNING last_number",
        project
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM issue_labels WHERE issue_id = $1", id)
        .execute(&mut *tx)
        .await?;
    let issue = sqlx::query_as(
        "UPDATE issues SET project_id = $2, number = $3, version = version + 1, updated_at = now()
          WHERE id = $1 AND deleted_at IS NULL
         RETURNING *",
    )
    .bind(id)
    .bind(project)
    .bind(number)
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(issue)
}

// end
