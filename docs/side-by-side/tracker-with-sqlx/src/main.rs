//! The needs of the issue tracker (`examples/tracker`), with sqlx: each is called, and its result
//! is checked, on the database at `DATABASE_URL`.

mod issues;
mod needs;
mod rows;

/// Calls a need.
macro_rules! need {
    ($db:expr, $module:ident :: $need:ident ( $($argument:expr),* $(,)? )) => {
        crate::$module::$need(&$db, $($argument),*).await
    };
}

#[path = "../../tracker/checks.rs"]
mod checks;

type Db = sqlx::PgPool;

fn interval() -> sqlx::postgres::types::PgInterval {
    sqlx::postgres::types::PgInterval {
        months: 0,
        days: 1,
        microseconds: 0,
    }
}

/// An issue with each column that it can be given.
fn all_columns(project: i64, author: i64) -> issues::NewIssue {
    issues::NewIssue {
        project_id: project,
        number: 100,
        author_id: author,
        title: "all columns".to_owned(),
        tags: vec!["one".to_owned(), "two".to_owned()],
        estimate: "1.50".parse().ok(),
        remind_before: Some(interval()),
        due_on: "2027-01-01".parse().ok(),
    }
}

async fn open(url: &str) -> Result<Db, sqlx::Error> {
    sqlx::PgPool::connect(url).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    checks::all(open(&std::env::var("DATABASE_URL")?).await?).await
}

/// Runs SQL that is no need of the tracker.
async fn set_up(db: &Db, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(db).await.map(drop)
}
