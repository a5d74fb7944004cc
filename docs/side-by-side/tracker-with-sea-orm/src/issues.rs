//! The needs of issues, labels and comments.

use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    Condition, DatabaseTransaction, DeriveIntoActiveModel, EntityLoaderTrait, FromQueryResult,
    IntoActiveModel, IsolationLevel, QueryOrder, QuerySelect, QueryTrait, RuntimeErr, Set,
    TransactionTrait, raw_sql,
};
use serde::Serialize;

use crate::entities::{comments, issue_labels, issues, labels, organisations, projects, users};
use crate::needs::{ListedAttachment, attachments_of};
use crate::rows::IssueStatus;

// need: jsonb, text[], date, numeric, interval
pub async fn insert_issue(
    db: &DatabaseConnection,
    new: issues::ActiveModel,
) -> Result<issues::Model, DbErr> {
    new.insert(db).await
}

pub async fn find_issue(db: &DatabaseConnection, id: i64) -> Result<Option<issues::Model>, DbErr> {
    issues::Entity::find_by_id(id)
        .filter(issues::COLUMN.deleted_at.is_null())
        .one(db)
        .await
}

// need: a list with filters, orders and pages, with authors and labels
#[derive(Default)]
pub struct Filter<'a> {
    pub status: Option<IssueStatus>,
    pub author: Option<i64>,
    pub label: Option<&'a str>,
    pub order: BoardOrder,
    pub after: Option<&'a issues::ModelEx>,
    pub limit: u64,
}

#[derive(Clone, Copy, Default)]
pub enum BoardOrder {
    #[default]
    Newest,
    Oldest,
    Due,
}

pub async fn board(
    db: &DatabaseConnection,
    project: i64,
    filter: &Filter<'_>,
) -> Result<Vec<issues::ModelEx>, DbErr> {
    let mut query = issues::Entity::load()
        .filter(issues::COLUMN.project_id.eq(project))
        .filter(issues::COLUMN.deleted_at.is_null());
    if let Some(status) = filter.status {
        query = query.filter(issues::COLUMN.status.eq(status));
    }
    if let Some(author) = filter.author {
        query = query.filter(issues::COLUMN.author_id.eq(author));
    }
    if let Some(label) = filter.label {
        let labelled = issue_labels::Entity::find()
            .select_only()
            .column(issue_labels::Column::IssueId)
            .inner_join(labels::Entity)
            .filter(labels::COLUMN.name.eq(label));
        query = query.filter(issues::Column::Id.in_subquery(labelled.into_query()));
    }
    let (updated, created) = (issues::COLUMN.updated_at, issues::COLUMN.created_at);
    let (due, id) = (issues::COLUMN.due_on, issues::COLUMN.id);
    query = match filter.order {
        BoardOrder::Newest => query.order_by_desc(updated).order_by_desc(id),
        BoardOrder::Oldest => query.order_by_asc(created).order_by_asc(id),
        BoardOrder::Due => query.order_by_asc(due).order_by_asc(id),
    };
    if let Some(last) = filter.after {
        let later = id.gt(last.id);
        query = query.filter(match (filter.order, last.due_on) {
            (BoardOrder::Newest, _) => Condition::any()
                .add(updated.lt(last.updated_at))
                .add(updated.eq(last.updated_at).and(id.lt(last.id))),
            (BoardOrder::Oldest, _) => Condition::any()
                .add(created.gt(last.created_at))
                .add(created.eq(last.created_at).and(later)),
            (BoardOrder::Due, None) => Condition::all().add(due.is_null()).add(later),
            (BoardOrder::Due, Some(date)) => Condition::any()
                .add(due.gt(date))
                .add(due.is_null())
                .add(due.eq(date).and(later)),
        });
    }
    let query = query.with(users::Entity).with(labels::Entity);
    let found = query.paginate(db, filter.limit).fetch().await?;
    Ok(by_name(found))
}

// need: an issue with author, labels, comments and attachments
#[derive(Debug, Serialize)]
pub struct IssuePage {
    #[serde(flatten)]
    pub issue: issues::ModelEx,
    pub attachments: Vec<ListedAttachment>,
}

pub async fn issue_page(
    db: &DatabaseConnection,
    project: i64,
    number: i32,
) -> Result<Option<IssuePage>, DbErr> {
    let found = issues::Entity::load()
        .filter(issues::COLUMN.project_id.eq(project))
        .filter(issues::COLUMN.number.eq(number))
        .filter(issues::COLUMN.deleted_at.is_null())
        .with(users::Entity)
        .with(labels::Entity)
        .with((comments::Entity, users::Entity));
    let Some(issue) = found.one(db).await? else {
        return Ok(None);
    };
    let attachments = attachments_of(db, issue.id).await?;
    Ok(Some(IssuePage { issue, attachments }))
}

// need: an organisation with projects and their newest issues
pub async fn overview(
    db: &DatabaseConnection,
    id: i64,
) -> Result<Option<organisations::ModelEx>, DbErr> {
    let organisation = organisations::Entity::load()
        .filter_by_id(id)
        .with(projects::Entity);
    let Some(mut organisation) = organisation.one(db).await? else {
        return Ok(None);
    };
    // A relation loads all rows, not the newest of each.
    let newest = issues::Entity::find()
        .filter(Expr::cust_with_values(
            "issues.id IN (
               SELECT i.id
                 FROM projects p,
                      LATERAL (
                        SELECT id FROM issues WHERE project_id = p.id AND deleted_at IS NULL
                         ORDER BY number DESC LIMIT 10
                      ) i
                WHERE p.organisation_id = $1
             )",
            [id],
        ))
        .order_by_desc(issues::Column::Number)
        .all(db)
        .await?;
    let mut projects: Vec<_> = organisation.projects.into_iter().collect();
    projects.sort_by(|one, other| one.name.cmp(&other.name));
    for project in &mut projects {
        let issues = newest.iter().filter(|it| it.project_id == project.id);
        let issues = issues.cloned().map(issues::Model::into_ex);
        project.issues = HasMany::Loaded(issues.collect());
    }
    organisation.projects = HasMany::Loaded(projects);
    Ok(Some(organisation))
}

// need: many issues with authors and labels
pub async fn issues_with_labels(
    db: &DatabaseConnection,
    ids: &[i64],
) -> Result<Vec<issues::ModelEx>, DbErr> {
    let mut found = issues::Entity::load()
        .filter(issues::COLUMN.id.is_in(ids.iter().copied()))
        .filter(issues::COLUMN.deleted_at.is_null())
        .with(users::Entity)
        .with(labels::Entity)
        .all(db)
        .await?;
    found.sort_by_key(|issue| ids.iter().position(|id| *id == issue.id));
    Ok(by_name(found))
}

/// Sorts the labels of issues; a relation is loaded in the order of its key.
fn by_name(mut issues: Vec<issues::ModelEx>) -> Vec<issues::ModelEx> {
    for issue in &mut issues {
        if let HasMany::Loaded(labels) = &mut issue.labels {
            labels.sort_by(|one, other| one.name.cmp(&other.name));
        }
    }
    issues
}

// need: full text search
#[derive(Debug, FromQueryResult, Serialize)]
pub struct Found {
    pub id: i64,
    pub number: i32,
    pub title: String,
    pub rank: f32,
}

pub async fn search(
    db: &DatabaseConnection,
    project: i64,
    words: &str,
    limit: i64,
) -> Result<Vec<Found>, DbErr> {
    Found::find_by_statement(raw_sql!(
        Postgres,
        r#"SELECT i.id, i.number, i.title, ts_rank(i.words, query) AS rank
             FROM issues i, websearch_to_tsquery('simple', {words}) query
            WHERE i.project_id = {project} AND i.words @@ query AND i.deleted_at IS NULL
            ORDER BY rank DESC, i.id
            LIMIT {limit}"#
    ))
    .all(db)
    .await
}

// need: the replies below a comment, however deep
#[derive(Debug, FromQueryResult, Serialize)]
pub struct Reply {
    pub id: i64,
    pub parent_id: Option<i64>,
    pub body: String,
    pub depth: i32,
}

pub async fn replies(db: &DatabaseConnection, comment: i64) -> Result<Vec<Reply>, DbErr> {
    Reply::find_by_statement(raw_sql!(
        Postgres,
        r#"WITH RECURSIVE below AS (
               SELECT c.id, c.parent_id, c.body, 1 AS depth FROM comments c WHERE c.parent_id = {comment}
               UNION ALL
               SELECT c.id, c.parent_id, c.body, below.depth + 1
                 FROM comments c JOIN below ON c.parent_id = below.id
             )
           SELECT id, parent_id, body, depth FROM below ORDER BY id"#
    ))
    .all(db)
    .await
}

// need: rows by group
#[derive(Debug, FromQueryResult, Serialize)]
pub struct Count {
    pub status: IssueStatus,
    pub issues: i64,
}

pub async fn count_by_status(db: &DatabaseConnection, project: i64) -> Result<Vec<Count>, DbErr> {
    issues::Entity::find()
        .select_only()
        .column(issues::Column::Status)
        .column_as(issues::Column::Id.count(), "issues")
        .filter(issues::COLUMN.project_id.eq(project))
        .filter(issues::COLUMN.deleted_at.is_null())
        .group_by(issues::Column::Status)
        .order_by_asc(issues::Column::Status)
        .into_model()
        .all(db)
        .await
}

// need: a number for each row of a parent
pub async fn open_issue(
    db: &DatabaseConnection,
    project: i64,
    author: i64,
    title: &str,
    body: &str,
) -> Result<issues::Model, DbErr> {
    let tx = db.begin().await?;
    let new = issues::ActiveModel {
        project_id: Set(project),
        number: Set(next_number(&tx, project).await?),
        author_id: Set(author),
        title: Set(title.to_owned()),
        body: Set(body.to_owned()),
        ..Default::default()
    };
    let opened = new.insert(&tx).await?;
    tx.commit().await?;
    Ok(opened)
}

async fn next_number(tx: &DatabaseTransaction, project: i64) -> Result<i32, DbErr> {
    let projects = projects::Entity::update_many()
        .col_expr(
            projects::Column::LastNumber,
            projects::COLUMN.last_number.add(1),
        )
        .filter(projects::COLUMN.id.eq(project))
        .exec_with_returning(tx)
        .await?;
    let missing = || DbErr::RecordNotFound("the project".to_owned());
    Ok(projects.first().ok_or_else(missing)?.last_number)
}

// need: labels by their names
pub async fn label_issue(
    db: &DatabaseConnection,
    issue: i64,
    names: &[String],
) -> Result<u64, DbErr> {
    let label = raw_sql!(
        Postgres,
        r#"INSERT INTO issue_labels (issue_id, label_id)
           SELECT i.id, l.id
             FROM issues i JOIN labels l ON l.project_id = i.project_id
            WHERE i.id = {issue} AND l.name IN ({..names})
           ON CONFLICT DO NOTHING"#
    );
    Ok(db.execute_raw(label).await?.rows_affected())
}

// need: an update of many rows
pub async fn set_status(
    db: &DatabaseConnection,
    status: IssueStatus,
    ids: &[i64],
) -> Result<u64, DbErr> {
    let set = issues::ActiveModel {
        status: Set(status),
        ..Default::default()
    };
    let updated = issues::Entity::update_many()
        .set(set)
        .col_expr(issues::Column::Version, issues::COLUMN.version.add(1))
        .col_expr(issues::Column::UpdatedAt, Expr::current_timestamp())
        .filter(issues::COLUMN.id.is_in(ids.iter().copied()))
        .filter(issues::COLUMN.status.ne(status))
        .filter(issues::COLUMN.deleted_at.is_null());
    Ok(updated.exec(db).await?.rows_affected)
}

// need: import of 100,000 rows, with their ids
pub async fn import_comments(
    db: &DatabaseConnection,
    issue: i64,
    author: i64,
    bodies: &[String],
) -> Result<Vec<i64>, DbErr> {
    let tx = db.begin().await?;
    let mut ids = Vec::with_capacity(bodies.len());
    // A statement has at most 65,535 parameters.
    for bodies in bodies.chunks(20_000) {
        let new = bodies.iter().map(|body| comments::ActiveModel {
            issue_id: Set(issue),
            author_id: Set(author),
            body: Set(body.clone()),
            ..Default::default()
        });
        let insert = comments::Entity::insert_many(new);
        ids.extend(insert.exec_with_returning_keys(&tx).await?);
    }
    tx.commit().await?;
    Ok(ids)
}

// need: an update that compares a version
#[derive(Default, DeriveIntoActiveModel)]
#[sea_orm(active_model = "issues::ActiveModel")]
pub struct IssueChanges {
    pub title: Option<String>,
    pub body: Option<String>,
    pub status: Option<IssueStatus>,
    pub due_on: Option<Option<Date>>,
}

/// Returns nothing if the issue has another version.
pub async fn edit_issue(
    db: &DatabaseConnection,
    id: i64,
    version: i32,
    changes: IssueChanges,
) -> Result<Option<issues::Model>, DbErr> {
    let mut edited = issues::Entity::update_many()
        .set(changes.into_active_model())
        .col_expr(issues::Column::Version, issues::COLUMN.version.add(1))
        .col_expr(issues::Column::UpdatedAt, Expr::current_timestamp())
        .filter(issues::COLUMN.id.eq(id))
        .filter(issues::COLUMN.version.eq(version))
        .filter(issues::COLUMN.deleted_at.is_null())
        .exec_with_returning(db)
        .await?;
    Ok(edited.pop())
}

// need: soft delete
pub async fn delete_issue(db: &DatabaseConnection, id: i64) -> Result<bool, DbErr> {
    let deleted = issues::Entity::update_many()
        .col_expr(issues::Column::DeletedAt, Expr::current_timestamp())
        .filter(issues::COLUMN.id.eq(id))
        .filter(issues::COLUMN.deleted_at.is_null());
    Ok(deleted.exec(db).await?.rows_affected == 1)
}

// need: an issue moved to another project, with retries
pub async fn move_issue(
    db: &DatabaseConnection,
    id: i64,
    project: i64,
) -> Result<issues::Model, DbErr> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match try_to_move(db, id, project).await {
            Err(error) if attempts < 10 && is_conflict(&error) => {}
            moved => return moved,
        }
    }
}

fn is_conflict(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

async fn try_to_move(
    db: &DatabaseConnection,
    id: i64,
    project: i64,
) -> Result<issues::Model, DbErr> {
    let level = Some(IsolationLevel::Serializable);
    let tx = db.begin_with_config(level, None).await?;
    let set = issues::ActiveModel {
        project_id: Set(project),
        number: Set(next_number(&tx, project).await?),
        ..Default::default()
    };
    issue_labels::Entity::delete_many()
        .filter(issue_labels::COLUMN.issue_id.eq(id))
        .exec(&tx)
        .await?;
    let mut moved = issues::Entity::update_many()
        .set(set)
        .col_expr(issues::Column::Version, issues::COLUMN.version.add(1))
        .col_expr(issues::Column::UpdatedAt, Expr::current_timestamp())
        .filter(issues::COLUMN.id.eq(id))
        .filter(issues::COLUMN.deleted_at.is_null())
        .exec_with_returning(&tx)
        .await?;
    tx.commit().await?;
    let missing = || DbErr::RecordNotFound("the issue".to_owned());
    moved.pop().ok_or_else(missing)
}

// end
