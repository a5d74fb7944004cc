//! The needs of the issue tracker (`examples/tracker`), with diesel and diesel-async: each is
//! called, and its result is checked, on the database at `DATABASE_URL`.

mod audit_schema;
mod issues;
mod needs;
mod rows;
mod schema;

use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

/// Calls a need.
macro_rules! need {
    ($db:expr, $module:ident :: $need:ident ( $($argument:expr),* $(,)? )) => {
        crate::$module::$need(&mut $db.get().await.expect("a connection"), $($argument),*).await
    };
}

#[path = "../../tracker/checks.rs"]
mod checks;

type Db = diesel_async::pooled_connection::deadpool::Pool<AsyncPgConnection>;

fn interval() -> diesel::data_types::PgInterval {
    diesel::data_types::PgInterval::from_days(1)
}

/// An issue with each column that it can be given.
fn all_columns(project: i64, author: i64) -> issues::NewIssue {
    issues::NewIssue {
        project_id: project,
        number: 100,
        author_id: author,
        title: "all columns".to_owned(),
        tags: vec!["one".to_owned().into(), "two".to_owned().into()],
        estimate: "1.50".parse().ok(),
        remind_before: Some(interval()),
        due_on: "2027-01-01".parse().ok(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let manager = AsyncDieselConnectionManager::new(std::env::var("DATABASE_URL")?);
    checks::all(Db::builder(manager).build()?).await
}

/// Runs SQL that is no need of the tracker.
async fn set_up(db: &Db, sql: &'static str) -> Result<(), diesel::result::Error> {
    let mut db = db.get().await.expect("a connection");
    diesel::sql_query(sql).execute(&mut db).await.map(drop)
}
