//! The needs of issues, labels and comments.

use bigdecimal::BigDecimal;
use chrono::NaiveDate;
use diesel::data_types::PgInterval;
use diesel::dsl::{count_star, exists, now};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use diesel_full_text_search::configuration::TsConfigurationByName;
use diesel_full_text_search::{
    TsVectorExtensions, ts_rank, websearch_to_tsquery_with_search_config,
};
use serde::Serialize;

use crate::needs::attachments_of;
use crate::rows::{
    Comment, Issue, IssueLabel, IssueStatus, Label, ListedAttachment, Organisation, Project, User,
};
use crate::schema::{comments, issue_labels, issues, labels, projects, users};

// need: jsonb, text[], date, numeric, interval
#[derive(Insertable)]
#[diesel(table_name = issues)]
pub struct NewIssue {
    pub project_id: i64,
    pub number: i32,
    pub author_id: i64,
    pub title: String,
    pub tags: Vec<Option<String>>,
    pub estimate: Option<BigDecimal>,
    pub remind_before: Option<PgInterval>,
    pub due_on: Option<NaiveDate>,
}

pub async fn insert_issue(db: &mut AsyncPgConnection, new: NewIssue) -> QueryResult<Issue> {
    diesel::insert_into(issues::table)
        .values(new)
        .returning(Issue::as_returning())
        .get_result(db)
        .await
}

pub async fn find_issue(db: &mut AsyncPgConnection, id: i64) -> QueryResult<Option<Issue>> {
    let found = Issue::query().find(id).filter(issues::deleted_at.is_null());
    found.first(db).await.optional()
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

pub async fn board(
    db: &mut AsyncPgConnection,
    project: i64,
    filter: &Filter<'_>,
) -> QueryResult<Vec<IssueInList>> {
    let mut query = IssueWithAuthor::query()
        .filter(issues::project_id.eq(project))
        .filter(issues::deleted_at.is_null())
        .limit(filter.limit)
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(issues::status.eq(status));
    }
    if let Some(author) = filter.author {
        query = query.filter(issues::author_id.eq(author));
    }
    if let Some(label) = filter.label {
        let labelled = issue_labels::table
            .inner_join(labels::table)
            .filter(issue_labels::issue_id.eq(issues::id))
            .filter(labels::name.eq(label));
        query = query.filter(exists(labelled));
    }
    query = match filter.order {
        BoardOrder::Newest => query.order((issues::updated_at.desc(), issues::id.desc())),
        BoardOrder::Oldest => query.order((issues::created_at, issues::id)),
        BoardOrder::Due => query.order((issues::due_on, issues::id)),
    };
    if let Some(IssueInList { issue: last, .. }) = filter.after {
        let later = issues::id.gt(last.id);
        query = match (filter.order, last.due_on) {
            (BoardOrder::Newest, _) => query.filter(
                issues::updated_at.lt(last.updated_at).or(issues::updated_at
                    .eq(last.updated_at)
                    .and(issues::id.lt(last.id))),
            ),
            (BoardOrder::Oldest, _) => query.filter(
                issues::created_at
                    .gt(last.created_at)
                    .or(issues::created_at.eq(last.created_at).and(later)),
            ),
            (BoardOrder::Due, None) => query.filter(issues::due_on.is_null().and(later)),
            (BoardOrder::Due, Some(date)) => query.filter(
                (issues::due_on.gt(date).or(issues::due_on.is_null()))
                    .or(issues::due_on.eq(date).and(later)),
            ),
        };
    }
    let found = query.load(db).await?;
    with_labels(db, found).await
}

// need: an issue with author, labels, comments and attachments
#[derive(Debug, Serialize)]
pub struct IssuePage {
    #[serde(flatten)]
    pub issue: IssueInList,
    pub comments: Vec<CommentWithAuthor>,
    pub attachments: Vec<ListedAttachment>,
}

#[derive(Debug, HasQuery, Serialize)]
#[diesel(base_query = comments::table.inner_join(users::table), table_name = comments)]
pub struct CommentWithAuthor {
    #[diesel(embed)]
    #[serde(flatten)]
    pub comment: Comment,
    #[diesel(embed)]
    pub author: User,
}

pub async fn issue_page(
    db: &mut AsyncPgConnection,
    project: i64,
    number: i32,
) -> QueryResult<Option<IssuePage>> {
    let found = IssueWithAuthor::query()
        .filter(
            issues::project_id
                .eq(project)
                .and(issues::number.eq(number)),
        )
        .filter(issues::deleted_at.is_null())
        .load(db)
        .await?;
    let Some(issue) = with_labels(db, found).await?.pop() else {
        return Ok(None);
    };
    let comments = CommentWithAuthor::query()
        .filter(comments::issue_id.eq(issue.issue.id))
        .order(comments::id)
        .load(db)
        .await?;
    let attachments = attachments_of(db, issue.issue.id).await?;
    Ok(Some(IssuePage {
        issue,
        comments,
        attachments,
    }))
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

pub async fn overview(db: &mut AsyncPgConnection, id: i64) -> QueryResult<Option<Overview>> {
    let organisation = Organisation::query().find(id);
    let Some(organisation) = organisation.first(db).await.optional()? else {
        return Ok(None);
    };
    let projects: Vec<Project> = Project::query()
        .filter(projects::organisation_id.eq(id))
        .order(projects::name)
        .load(db)
        .await?;
    // diesel has no subquery in FROM.
    let newest: Vec<Issue> = diesel::sql_query(
        "SELECT i.*
           FROM projects p,
                LATERAL (
                  SELECT * FROM issues WHERE project_id = p.id AND deleted_at IS NULL
                   ORDER BY number DESC LIMIT 10
                ) i
          WHERE p.organisation_id = $1
          ORDER BY i.number DESC",
    )
    .bind::<BigInt, _>(id)
    .load(db)
    .await?;
    let issues = newest.grouped_by(&projects);
    let projects = projects.into_iter().zip(issues);
    Ok(Some(Overview {
        organisation,
        projects: projects
            .map(|(project, issues)| ProjectWithIssues { project, issues })
            .collect(),
    }))
}

// need: many issues with authors and labels
#[derive(Debug, HasQuery)]
#[diesel(base_query = issues::table.inner_join(users::table), table_name = issues)]
pub struct IssueWithAuthor {
    #[diesel(embed)]
    pub issue: Issue,
    #[diesel(embed)]
    pub author: User,
}

#[derive(Debug, Serialize)]
pub struct IssueInList {
    #[serde(flatten)]
    pub issue: Issue,
    pub author: User,
    pub labels: Vec<Label>,
}

pub async fn issues_with_labels(
    db: &mut AsyncPgConnection,
    ids: &[i64],
) -> QueryResult<Vec<IssueInList>> {
    let mut found: Vec<IssueWithAuthor> = IssueWithAuthor::query()
        .filter(issues::id.eq_any(ids))
        .filter(issues::deleted_at.is_null())
        .load(db)
        .await?;
    found.sort_by_key(|it| ids.iter().position(|id| *id == it.issue.id));
    with_labels(db, found).await
}

async fn with_labels(
    db: &mut AsyncPgConnection,
    found: Vec<IssueWithAuthor>,
) -> QueryResult<Vec<IssueInList>> {
    let (issues, authors): (Vec<_>, Vec<_>) =
        found.into_iter().map(|it| (it.issue, it.author)).unzip();
    let labels: Vec<(IssueLabel, Label)> = IssueLabel::belonging_to(&issues)
        .inner_join(labels::table)
        .select((IssueLabel::as_select(), Label::as_select()))
        .order(labels::name)
        .load(db)
        .await?;
    let labels = labels.grouped_by(&issues);
    let found = issues.into_iter().zip(authors).zip(labels);
    Ok(found
        .map(|((issue, author), labels)| IssueInList {
            issue,
            author,
            labels: labels.into_iter().map(|(_, label)| label).collect(),
        })
        .collect())
}

// need: full text search
#[derive(Debug, Queryable, Serialize)]
pub struct Found {
    pub id: i64,
    pub number: i32,
    pub title: String,
    pub rank: f32,
}

pub async fn search(
    db: &mut AsyncPgConnection,
    project: i64,
    words: &str,
    limit: i64,
) -> QueryResult<Vec<Found>> {
    let query = websearch_to_tsquery_with_search_config(TsConfigurationByName("simple"), words);
    let rank = ts_rank(issues::words, query);
    issues::table
        .select((issues::id, issues::number, issues::title, rank))
        .filter(issues::project_id.eq(project))
        .filter(issues::words.matches(query))
        .filter(issues::deleted_at.is_null())
        .order((rank.desc(), issues::id))
        .limit(limit)
        .load(db)
        .await
}

// need: the replies below a comment, however deep
#[derive(Debug, QueryableByName, Serialize)]
pub struct Reply {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub parent_id: Option<i64>,
    #[diesel(sql_type = Text)]
    pub body: String,
    #[diesel(sql_type = Integer)]
    pub depth: i32,
}

pub async fn replies(db: &mut AsyncPgConnection, comment: i64) -> QueryResult<Vec<Reply>> {
    diesel::sql_query(
        "WITH RECURSIVE below AS (
             SELECT c.id, c.parent_id, c.body, 1 AS depth FROM comments c WHERE c.parent_id = $1
             UNION ALL
             SELECT c.id, c.parent_id, c.body, below.depth + 1
               FROM comments c JOIN below ON c.parent_id = below.id
           )
         SELECT id, parent_id, body, depth FROM below ORDER BY id",
    )
    .bind::<BigInt, _>(comment)
    .load(db)
    .await
}

// need: rows by group
#[derive(Debug, Queryable, Serialize)]
pub struct Count {
    pub status: IssueStatus,
    pub issues: i64,
}

pub async fn count_by_status(db: &mut AsyncPgConnection, project: i64) -> QueryResult<Vec<Count>> {
    issues::table
        .filter(issues::project_id.eq(project))
        .filter(issues::deleted_at.is_null())
        .group_by(issues::status)
        .select((issues::status, count_star()))
        .order(issues::status)
        .load(db)
        .await
}

// need: a number for each row of a parent
#[derive(Debug, Queryable, Serialize)]
pub struct Opened {
    pub id: i64,
    pub number: i32,
    pub version: i32,
}

pub async fn open_issue(
    db: &mut AsyncPgConnection,
    project: i64,
    author: i64,
    title: &str,
    body: &str,
) -> QueryResult<Opened> {
    db.transaction(async |db| {
        let number = next_number(db, project).await?;
        diesel::insert_into(issues::table)
            .values((
                issues::project_id.eq(project),
                issues::number.eq(number),
                issues::author_id.eq(author),
                issues::title.eq(title),
                issues::body.eq(body),
            ))
            .returning((issues::id, issues::number, issues::version))
            .get_result(db)
            .await
    })
    .await
}

async fn next_number(db: &mut AsyncPgConnection, project: i64) -> QueryResult<i32> {
    diesel::update(projects::table.find(project))
        .set(projects::last_number.eq(projects::last_number + 1))
        .returning(projects::last_number)
        .get_result(db)
        .await
}

// need: labels by their names
pub async fn label_issue(
    db: &mut AsyncPgConnection,
    issue: i64,
    names: &[String],
) -> QueryResult<usize> {
    issues::table
        .inner_join(labels::table.on(labels::project_id.eq(issues::project_id)))
        .filter(issues::id.eq(issue).and(labels::name.eq_any(names)))
        .select((issues::id, labels::id))
        .insert_into(issue_labels::table)
        .into_columns((issue_labels::issue_id, issue_labels::label_id))
        .on_conflict_do_nothing()
        .execute(db)
        .await
}

// need: an update of many rows
pub async fn set_status(
    db: &mut AsyncPgConnection,
    status: IssueStatus,
    ids: &[i64],
) -> QueryResult<usize> {
    diesel::update(issues::table)
        .filter(issues::id.eq_any(ids).and(issues::status.ne(status)))
        .filter(issues::deleted_at.is_null())
        .set((
            issues::status.eq(status),
            issues::version.eq(issues::version + 1),
            issues::updated_at.eq(now),
        ))
        .execute(db)
        .await
}

// need: import of 100,000 rows, with their ids
pub async fn import_comments(
    db: &mut AsyncPgConnection,
    issue: i64,
    author: i64,
    bodies: &[String],
) -> QueryResult<Vec<i64>> {
    db.transaction(async |db| {
        let mut ids = Vec::with_capacity(bodies.len());
        // A statement has at most 65,535 parameters.
        for bodies in bodies.chunks(20_000) {
            let rows = bodies.iter().map(|body| {
                (
                    comments::issue_id.eq(issue),
                    comments::author_id.eq(author),
                    comments::body.eq(body),
                )
            });
            let insert = diesel::insert_into(comments::table)
                .values(rows.collect::<Vec<_>>())
                .returning(comments::id);
            ids.extend(insert.get_results::<i64>(db).await?);
        }
        Ok(ids)
    })
    .await
}

// need: an update that compares a version
#[derive(Default, AsChangeset)]
#[diesel(table_name = issues)]
pub struct IssueChanges<'a> {
    pub title: Option<&'a str>,
    pub body: Option<&'a str>,
    pub status: Option<IssueStatus>,
    pub due_on: Option<Option<NaiveDate>>,
}

/// Returns nothing if the issue has another version.
pub async fn edit_issue(
    db: &mut AsyncPgConnection,
    id: i64,
    version: i32,
    changes: IssueChanges<'_>,
) -> QueryResult<Option<Issue>> {
    diesel::update(issues::table.find(id))
        .filter(issues::version.eq(version))
        .filter(issues::deleted_at.is_null())
        .set((
            changes,
            issues::version.eq(issues::version + 1),
            issues::updated_at.eq(now),
        ))
        .returning(Issue::as_returning())
        .get_result(db)
        .await
        .optional()
}

// need: soft delete
pub async fn delete_issue(db: &mut AsyncPgConnection, id: i64) -> QueryResult<bool> {
    let deleted = diesel::update(issues::table.find(id))
        .filter(issues::deleted_at.is_null())
        .set(issues::deleted_at.eq(now));
    Ok(deleted.execute(db).await? == 1)
}

// need: an issue moved to another project, with retries
pub async fn move_issue(db: &mut AsyncPgConnection, id: i64, project: i64) -> QueryResult<Issue> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let moved = db
            .build_transaction()
            .serializable()
            .run(async |db| {
                let number = next_number(db, project).await?;
                diesel::delete(issue_labels::table)
                    .filter(issue_labels::issue_id.eq(id))
                    .execute(db)
                    .await?;
                diesel::update(issues::table.find(id))
                    .filter(issues::deleted_at.is_null())
                    .set((
                        issues::project_id.eq(project),
                        issues::number.eq(number),
                        issues::version.eq(issues::version + 1),
                        issues::updated_at.eq(now),
                    ))
                    .returning(Issue::as_returning())
                    .get_result(db)
                    .await
            })
            .await;
        match moved {
            // A deadlock has no kind of its own, and is not retried.
            Err(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _))
                if attempts < 10 => {}
            moved => return moved,
        }
    }
}

// end
