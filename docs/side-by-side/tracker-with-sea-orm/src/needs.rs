//! The needs of the tracker, without those of issues.

use sea_orm::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{DerivePartialModel, QueryOrder, Set, TransactionTrait, raw_sql};
use serde::Serialize;

use crate::entities::audit::events;
use crate::entities::{attachments, jobs, memberships, organisations, projects, users};
use crate::rows::{Email, Settings};

// need: insert
pub async fn insert_project(
    db: &DatabaseConnection,
    organisation: i64,
    name: &str,
) -> Result<projects::Model, DbErr> {
    projects::ActiveModel {
        organisation_id: Set(organisation),
        name: Set(name.to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await
}

// need: find by key
pub async fn find_project(
    db: &DatabaseConnection,
    id: i64,
) -> Result<Option<projects::Model>, DbErr> {
    projects::Entity::find_by_id(id).one(db).await
}

// need: list by foreign key, in pages
pub async fn projects_of(
    db: &DatabaseConnection,
    organisation: i64,
    after: i64,
    limit: u64,
) -> Result<Vec<projects::Model>, DbErr> {
    projects::Entity::find()
        .filter(projects::COLUMN.organisation_id.eq(organisation))
        .cursor_by(projects::Column::Id)
        .after(after)
        .first(limit)
        .all(db)
        .await
}

// need: upsert
pub async fn upsert_project(
    db: &DatabaseConnection,
    organisation: i64,
    name: &str,
    last_number: i32,
) -> Result<projects::Model, DbErr> {
    let new = projects::ActiveModel {
        organisation_id: Set(organisation),
        name: Set(name.to_owned()),
        last_number: Set(last_number),
        ..Default::default()
    };
    let key = [projects::Column::OrganisationId, projects::Column::Name];
    let mut conflict = OnConflict::columns(key);
    conflict.update_column(projects::Column::LastNumber);
    projects::Entity::insert(new)
        .on_conflict(conflict)
        .exec_with_returning(db)
        .await
}

// need: a table with a composite key
pub async fn insert_membership(
    db: &DatabaseConnection,
    organisation: i64,
    user: i64,
    role: &str,
) -> Result<memberships::Model, DbErr> {
    memberships::ActiveModel {
        organisation_id: Set(organisation),
        user_id: Set(user),
        role: Set(role.to_owned()),
    }
    .insert(db)
    .await
}

pub async fn membership(
    db: &DatabaseConnection,
    organisation: i64,
    user: i64,
) -> Result<Option<memberships::Model>, DbErr> {
    let found = memberships::Entity::find_by_id((organisation, user));
    found.one(db).await
}

// need: own types of columns
pub async fn insert_user(
    db: &DatabaseConnection,
    email: &Email,
    display_name: &str,
) -> Result<users::Model, DbErr> {
    users::ActiveModel {
        email: Set(email.clone()),
        display_name: Set(display_name.to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await
}

pub async fn find_user_by_email(
    db: &DatabaseConnection,
    email: &Email,
) -> Result<Option<users::Model>, DbErr> {
    let found = users::Entity::find_by_email(email.clone());
    found.one(db).await
}

pub async fn insert_organisation(
    db: &DatabaseConnection,
    name: &str,
    settings: &Settings,
) -> Result<organisations::Model, DbErr> {
    organisations::ActiveModel {
        name: Set(name.to_owned()),
        settings: Set(settings.clone()),
        ..Default::default()
    }
    .insert(db)
    .await
}

// need: members of an organisation (many-to-many)
pub async fn members(
    db: &DatabaseConnection,
    organisation: i64,
) -> Result<Vec<memberships::ModelEx>, DbErr> {
    memberships::Entity::load()
        .filter(memberships::COLUMN.organisation_id.eq(organisation))
        .order_by_asc(users::COLUMN.display_name)
        .order_by_asc(users::COLUMN.id)
        .with(users::Entity)
        .all(db)
        .await
}

// need: a queue of jobs, `SKIP LOCKED`
pub async fn take_job(db: &DatabaseConnection) -> Result<Option<jobs::Model>, DbErr> {
    let take = raw_sql!(
        Postgres,
        r#"UPDATE jobs SET attempts = attempts + 1, run_at = now() + interval '1 minute'
            WHERE id = (SELECT id FROM jobs WHERE run_at <= now() ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING *"#
    );
    jobs::Entity::find().from_raw_sql(take).one(db).await
}

pub async fn finish_job(db: &DatabaseConnection, id: i64) -> Result<(), DbErr> {
    jobs::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

// need: a worker that hears of jobs
pub async fn add_job(db: &DatabaseConnection, kind: &str) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    let job = jobs::ActiveModel {
        kind: Set(kind.to_owned()),
        ..Default::default()
    };
    job.insert(&tx).await?;
    tx.execute_unprepared("NOTIFY jobs").await?;
    tx.commit().await
}

/// SeaORM has no LISTEN; sqlx has, below it.
pub async fn wait_for_job(db: &DatabaseConnection) -> Result<jobs::Model, DbErr> {
    let failed = |error: SqlxError| DbErr::Custom(error.to_string());
    let pool = db.get_postgres_connection_pool();
    let mut announced = PgListener::connect_with(pool).await.map_err(failed)?;
    announced.listen("jobs").await.map_err(failed)?;
    loop {
        if let Some(job) = take_job(db).await? {
            return Ok(job);
        }
        announced.try_recv().await.map_err(failed)?;
    }
}

// need: a table in another schema
pub async fn insert_event(
    db: &DatabaseConnection,
    user: i64,
    action: &str,
) -> Result<events::Model, DbErr> {
    events::ActiveModel {
        user_id: Set(Some(user)),
        action: Set(action.to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await
}

pub async fn find_event(db: &DatabaseConnection, id: i64) -> Result<Option<events::Model>, DbErr> {
    events::Entity::find_by_id(id).one(db).await
}

// need: a view, and a materialized view
pub async fn open_issues(db: &DatabaseConnection, project: i64) -> Result<Option<i64>, DbErr> {
    let sql = raw_sql!(
        Postgres,
        "SELECT issues FROM open_issues WHERE project_id = {project}"
    );
    let row = db.query_one_raw(sql).await?;
    row.map(|row| row.try_get("", "issues")).transpose()
}

pub async fn comments_by(db: &DatabaseConnection, author: i64) -> Result<Option<i64>, DbErr> {
    let sql = raw_sql!(
        Postgres,
        "SELECT comments FROM commenters WHERE author_id = {author}"
    );
    let row = db.query_one_raw(sql).await?;
    row.map(|row| row.try_get("", "comments")).transpose()
}

pub async fn refresh_commenters(db: &DatabaseConnection) -> Result<(), DbErr> {
    db.execute_unprepared("REFRESH MATERIALIZED VIEW commenters")
        .await?;
    Ok(())
}

// need: a column that no list reads

/// An attachment without its content.
#[derive(Debug, DerivePartialModel, Serialize)]
#[sea_orm(entity = "attachments::Entity")]
pub struct ListedAttachment {
    pub id: Uuid,
    pub issue_id: i64,
    pub name: String,
    pub created_at: DateTimeWithTimeZone,
}

pub async fn attachments_of(
    db: &DatabaseConnection,
    issue: i64,
) -> Result<Vec<ListedAttachment>, DbErr> {
    attachments::Entity::find()
        .filter(attachments::COLUMN.issue_id.eq(issue))
        .order_by_asc(attachments::COLUMN.id)
        .into_partial_model()
        .all(db)
        .await
}

// end

/// Inserts an attachment, for the other needs.
pub async fn insert_attachment(
    db: &DatabaseConnection,
    issue: i64,
    name: &str,
    content: &[u8],
) -> Result<attachments::Model, DbErr> {
    attachments::ActiveModel {
        issue_id: Set(issue),
        name: Set(name.to_owned()),
        content: Set(content.to_vec()),
        ..Default::default()
    }
    .insert(db)
    .await
}
