//! Servers for the tests of this package, and the bank's migrations.

use std::path::Path;

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};
use bowline_migrations::{Migration, SqlFile, read_folder};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use crate::Catalog;
use crate::compare::Server;
use crate::introspect::{SETTINGS, queries, read};
use crate::replay::replay;

/// Returns the migrations of the sample bank.
pub(crate) fn bank() -> Vec<Migration> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let folder = root.expect("the workspace").join("migrations");
    read_folder(&folder).expect("the bank's migrations")
}

/// Returns the catalog that replay builds from these statements.
pub(crate) fn replayed(sql: &str) -> Catalog {
    let up = SqlFile {
        path: "up.sql".into(),
        text: sql.to_owned(),
    };
    let replayed = replay([&up]);
    assert_eq!(replayed.refusals, [], "all of it is followed");
    replayed.catalog
}

/// Returns the catalog of an empty database after these statements, which are rolled back.
pub(crate) fn after(statements: &str) -> Catalog {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let catalog = rolled_back(&mut session, |session| {
        session
            .batch_execute(statements)
            .expect("PostgreSQL takes the statements");
        introspect(session)
    });
    catalog.expect("a catalog")
}

/// Calls `work` in a transaction, or in a savepoint within one, and rolls it back.
pub(crate) fn rolled_back<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> bowline::Result<T>,
) -> bowline::Result<T> {
    let undone: Result<(), Undo<T>> =
        session.savepoint_with_error(|session| Err(Undo(work(session))));
    match undone {
        Err(Undo(done)) => done,
        Ok(()) => unreachable!("the work always ends with Undo"),
    }
}

struct Undo<T>(bowline::Result<T>);

impl<T> From<bowline::Error> for Undo<T> {
    fn from(error: bowline::Error) -> Self {
        Self(Err(error))
    }
}

#[derive(bowline::Row)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Returns the catalog of the database. An open transaction is allowed.
pub(crate) fn introspect(session: &mut Session) -> bowline::Result<Catalog> {
    rolled_back(session, |session| {
        for (name, value) in SETTINGS {
            session.run(
                sql_query(format!("SELECT set_config('{name}', '{value}', true)")).affected(),
            )?;
        }
        let mut answers = Vec::new();
        for query in queries() {
            let rows = session.run(sql_query(query).all::<Line>())?;
            answers.push(rows.into_iter().map(|row| row.line).collect());
        }
        Ok(read(&answers).expect("the answers are those of the queries"))
    })
}

#[derive(bowline::Row)]
struct Answer {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Server for Session {
    fn version_of_catalog(&self) -> Option<i32> {
        Some(self.server_version() / 10_000)
    }

    fn probe(&mut self, statements: &str, query: &str) -> Option<String> {
        let answer = rolled_back(self, |session| {
            session
                .batch_execute(statements)
                .map_err(bowline::Error::from)?;
            session.run(sql_query(query).one::<Answer>())
        });
        Some(answer.ok()?.text)
    }
}
