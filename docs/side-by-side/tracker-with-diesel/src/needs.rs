//! The needs of the tracker, without those of issues.

use diesel::dsl::{IntervalDsl, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel::upsert::excluded;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use diesel_json::Json;
use futures_util::StreamExt;
use serde::Serialize;

use crate::audit_schema::audit::events;
use crate::rows::{
    Email, Event, Job, ListedAttachment, Membership, Organisation, Project, Settings, User,
};
use crate::schema::{attachments, jobs, memberships, organisations, projects, users};

// need: insert
pub async fn insert_project(
    db: &mut AsyncPgConnection,
    organisation: i64,
    name: &str,
) -> QueryResult<Project> {
    diesel::insert_into(projects::table)
        .values((
            projects::organisation_id.eq(organisation),
            projects::name.eq(name),
        ))
        .returning(Project::as_returning())
        .get_result(db)
        .await
}

// need: find by key
pub async fn find_project(db: &mut AsyncPgConnection, id: i64) -> QueryResult<Option<Project>> {
    Project::query().find(id).first(db).await.optional()
}

// need: list by foreign key, in pages
pub async fn projects_of(
    db: &mut AsyncPgConnection,
    organisation: i64,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Project>> {
    Project::query()
        .filter(projects::organisation_id.eq(organisation))
        .filter(projects::id.gt(after))
        .order(projects::id)
        .limit(limit)
        .load(db)
        .await
}

// need: upsert
pub async fn upsert_project(
    db: &mut AsyncPgConnection,
    organisation: i64,
    name: &str,
    last_number: i32,
) -> QueryResult<Project> {
    diesel::insert_into(projects::table)
        .values((
            projects::organisation_id.eq(organisation),
            projects::name.eq(name),
            projects::last_number.eq(last_number),
        ))
        .on_conflict((projects::organisation_id, projects::name))
        .do_update()
        .set(projects::last_number.eq(excluded(projects::last_number)))
        .returning(Project::as_returning())
        .get_result(db)
        .await
}

// need: a table with a composite key
pub async fn insert_membership(
    db: &mut AsyncPgConnection,
    organisation: i64,
    user: i64,
    role: &str,
) -> QueryResult<Membership> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::organisation_id.eq(organisation),
            memberships::user_id.eq(user),
            memberships::role.eq(role),
        ))
        .returning(Membership::as_returning())
        .get_result(db)
        .await
}

pub async fn membership(
    db: &mut AsyncPgConnection,
    organisation: i64,
    user: i64,
) -> QueryResult<Option<Membership>> {
    let found = Membership::query().find((organisation, user));
    found.first(db).await.optional()
}

// need: own types of columns
pub async fn insert_user(
    db: &mut AsyncPgConnection,
    email: &Email,
    display_name: &str,
) -> QueryResult<User> {
    diesel::insert_into(users::table)
        .values((users::email.eq(email), users::display_name.eq(display_name)))
        .returning(User::as_returning())
        .get_result(db)
        .await
}

pub async fn find_user_by_email(
    db: &mut AsyncPgConnection,
    email: &Email,
) -> QueryResult<Option<User>> {
    let found = User::query().filter(users::email.eq(email));
    found.first(db).await.optional()
}

pub async fn insert_organisation(
    db: &mut AsyncPgConnection,
    name: &str,
    settings: &Settings,
) -> QueryResult<Organisation> {
    diesel::insert_into(organisations::table)
        .values((
            organisations::name.eq(name),
            organisations::settings.eq(Json::new(settings)),
        ))
        .returning(Organisation::as_returning())
        .get_result(db)
        .await
}

// need: members of an organisation (many-to-many)
#[derive(Debug, HasQuery, Serialize)]
#[diesel(base_query = memberships::table.inner_join(users::table), table_name = memberships)]
pub struct Member {
    #[diesel(embed)]
    pub member: User,
    pub role: String,
}

pub async fn members(db: &mut AsyncPgConnection, organisation: i64) -> QueryResult<Vec<Member>> {
    Member::query()
        .filter(memberships::organisation_id.eq(organisation))
        .order((users::display_name, users::id))
        .load(db)
        .await
}

// need: a queue of jobs, `SKIP LOCKED`
pub async fn take_job(db: &mut AsyncPgConnection) -> QueryResult<Option<Job>> {
    db.transaction(async |db| {
        let due = jobs::table
            .select(jobs::id)
            .filter(jobs::run_at.le(now))
            .order((jobs::run_at, jobs::id))
            .for_update()
            .skip_locked();
        let Some(id) = due.first::<i64>(db).await.optional()? else {
            return Ok(None);
        };
        diesel::update(jobs::table.find(id))
            .set((
                jobs::attempts.eq(jobs::attempts + 1),
                jobs::run_at.eq(now.into_sql::<Timestamptz>() + 1.minute()),
            ))
            .returning(Job::as_returning())
            .get_result(db)
            .await
            .map(Some)
    })
    .await
}

pub async fn finish_job(db: &mut AsyncPgConnection, id: i64) -> QueryResult<usize> {
    diesel::delete(jobs::table.find(id)).execute(db).await
}

// need: a worker that hears of jobs
pub async fn add_job(db: &mut AsyncPgConnection, kind: &str) -> QueryResult<()> {
    db.transaction(async |db| {
        diesel::insert_into(jobs::table)
            .values(jobs::kind.eq(kind))
            .execute(db)
            .await?;
        diesel::sql_query("NOTIFY jobs").execute(db).await?;
        Ok(())
    })
    .await
}

pub async fn wait_for_job(db: &mut AsyncPgConnection) -> QueryResult<Job> {
    diesel::sql_query("LISTEN jobs").execute(db).await?;
    loop {
        if let Some(job) = take_job(db).await? {
            return Ok(job);
        }
        let mut announced = std::pin::pin!(db.notifications_stream());
        announced.next().await.transpose()?;
    }
}

// need: a table in another schema
pub async fn insert_event(
    db: &mut AsyncPgConnection,
    user: i64,
    action: &str,
) -> QueryResult<Event> {
    diesel::insert_into(events::table)
        .values((events::user_id.eq(user), events::action.eq(action)))
        .returning(Event::as_returning())
        .get_result(db)
        .await
}

pub async fn find_event(db: &mut AsyncPgConnection, id: i64) -> QueryResult<Option<Event>> {
    Event::query().find(id).first(db).await.optional()
}

// need: a view, and a materialized view
diesel::table! {
    commenters (author_id) {
        author_id -> Int8,
        comments -> Int8,
    }
}

diesel::table! {
    open_issues (project_id) {
        project_id -> Int8,
        issues -> Int8,
    }
}

pub async fn open_issues(db: &mut AsyncPgConnection, project: i64) -> QueryResult<Option<i64>> {
    let found = open_issues::table.find(project).select(open_issues::issues);
    found.first(db).await.optional()
}

pub async fn comments_by(db: &mut AsyncPgConnection, author: i64) -> QueryResult<Option<i64>> {
    let found = commenters::table.find(author).select(commenters::comments);
    found.first(db).await.optional()
}

pub async fn refresh_commenters(db: &mut AsyncPgConnection) -> QueryResult<usize> {
    let refresh = diesel::sql_query("REFRESH MATERIALIZED VIEW commenters");
    refresh.execute(db).await
}

// need: a column that no list reads
pub async fn attachments_of(
    db: &mut AsyncPgConnection,
    issue: i64,
) -> QueryResult<Vec<ListedAttachment>> {
    ListedAttachment::query()
        .filter(attachments::issue_id.eq(issue))
        .order(attachments::id)
        .load(db)
        .await
}

// end

/// Inserts an attachment, for the other needs.
pub async fn insert_attachment(
    db: &mut AsyncPgConnection,
    issue: i64,
    name: &str,
    content: &[u8],
) -> QueryResult<usize> {
    diesel::insert_into(attachments::table)
        .values((
            attachments::issue_id.eq(issue),
            attachments::name.eq(name),
            attachments::content.eq(content),
        ))
        .execute(db)
        .await
}
