//! The needs of the issue tracker (`examples/tracker`), with SeaORM: each is called, and its result
//! is checked, on the database at `DATABASE_URL`.
//!
//! `entities` is what `sea-orm-cli generate entity` writes with `--entity-format dense
//! --with-serde serialize --with-copy-enums --with-prelude none --enum-extra-attributes
//! 'serde(rename_all = "snake_case")'`, but for the lines below `// line:` comments.

mod entities;
mod issues;
mod needs;
mod rows;

use sea_orm::{ConnectionTrait as _, Set};

/// Calls a need.
macro_rules! need {
    ($db:expr, $module:ident :: $need:ident ( $($argument:expr),* $(,)? )) => {
        crate::$module::$need(&$db, $($argument),*).await
    };
}

#[path = "../../tracker/checks.rs"]
mod checks;

type Db = sea_orm::DatabaseConnection;

fn interval() -> String {
    "1 day".to_owned()
}

/// An issue with each column that it can be given.
fn all_columns(project: i64, author: i64) -> entities::issues::ActiveModel {
    entities::issues::ActiveModel {
        project_id: Set(project),
        number: Set(100),
        author_id: Set(author),
        title: Set("all columns".to_owned()),
        tags: Set(vec!["one".to_owned(), "two".to_owned()]),
        estimate: Set("1.50".parse().ok()),
        remind_before: Set(Some(interval())),
        due_on: Set("2027-01-01".parse().ok()),
        ..Default::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::var("DATABASE_URL")?;
    checks::all(sea_orm::Database::connect(url).await?).await
}

/// Runs SQL that is no need of the tracker.
async fn set_up(db: &Db, sql: &'static str) -> Result<(), sea_orm::DbErr> {
    db.execute_unprepared(sql).await.map(drop)
}
