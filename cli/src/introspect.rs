//! Reads the catalog of a server, and lets a server compare two texts.

use bowline::{Session, StatementDsl as _, TransactionOptions, sql_query};
use bowline_catalog::Catalog;
use bowline_catalog::compare::Server;
use bowline_catalog::definition::literal;
use bowline_catalog::introspect::{SETTINGS, queries, read};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use crate::error::CliError;

#[derive(bowline::Row)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(bowline::Row)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Returns the catalog of a database, read in one snapshot and with one round trip of queries.
///
/// Within a transaction, the catalog includes the transaction's own changes, and the settings are
/// restored.
pub(crate) fn introspect(session: &mut Session) -> Result<Catalog, CliError> {
    // The modes are a part of BEGIN. Behind a pooler, settings are sent directly after BEGIN, and
    // no SET TRANSACTION may follow them.
    let options = TransactionOptions::repeatable_read().read_only();
    let lines = session.savepoint_with(&options, |session| {
        let set = |(name, value): (&str, &str)| {
            let value = literal(value);
            sql_query(format!(
                "SELECT set_config('{name}', {value}, true) AS value"
            ))
            .affected()
        };
        let earlier = SETTINGS.map(|(name, _)| {
            sql_query(format!("SELECT current_setting('{name}') AS value")).one::<Setting>()
        });
        let queries = queries().into_iter();
        let (earlier, _, rows) = session.run((
            earlier.into_iter().collect::<Vec<_>>(),
            SETTINGS.into_iter().map(set).collect::<Vec<_>>(),
            queries
                .map(|query| sql_query(query).all::<Line>())
                .collect::<Vec<_>>(),
        ))?;
        if session.transaction_depth() > 1 {
            let names = SETTINGS.into_iter().map(|(name, _)| name);
            let values = earlier.iter().map(|setting| setting.value.as_str());
            session.run(names.zip(values).map(set).collect::<Vec<_>>())?;
        }
        Ok::<_, bowline::Error>(rows)
    })?;
    let answers: Vec<Vec<String>> = lines
        .into_iter()
        .map(|rows| rows.into_iter().map(|row| row.line).collect())
        .collect();
    read(&answers)
        .map_err(|error| CliError::failed(format!("the server's catalog cannot be read: {error}")))
}

/// A server that decides for the engine whether two texts mean the same.
pub(crate) struct ComparisonServer<'s> {
    session: &'s mut Session,
    has_catalog: bool,
}

impl<'s> ComparisonServer<'s> {
    /// Returns a server whose database has one of the two catalogs.
    pub(crate) fn with_catalog(session: &'s mut Session) -> Self {
        let has_catalog = true;
        Self {
            session,
            has_catalog,
        }
    }

    /// Returns a server on which the objects of one of the two catalogs were created.
    pub(crate) fn elsewhere(session: &'s mut Session) -> Self {
        let has_catalog = false;
        Self {
            session,
            has_catalog,
        }
    }
}

#[derive(bowline::Row)]
struct Answer {
    #[diesel(sql_type = Text)]
    text: String,
}

/// The error that rolls the savepoint back, with the answer if there was one.
struct Undo(Option<String>);

impl From<bowline::Error> for Undo {
    fn from(_: bowline::Error) -> Self {
        Self(None)
    }
}

impl Server for ComparisonServer<'_> {
    fn version_of_catalog(&self) -> Option<i32> {
        self.has_catalog
            .then(|| self.session.server_version() / 10_000)
    }

    fn probe(&mut self, statements: &str, query: &str) -> Option<String> {
        let undone: Result<(), Undo> = self.session.savepoint_with_error(|session| {
            let done = session.batch_execute(statements);
            done.map_err(|_| Undo(None))?;
            let answer = session.run(sql_query(query).one::<Answer>());
            Err(Undo(answer.ok().map(|answer| answer.text)))
        });
        match undone {
            Err(Undo(text)) => text,
            Ok(()) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline::testing::LocalServer;

    use super::*;

    #[test]
    fn the_search_path_stays_and_diesels_table_is_left_out() {
        let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
        let mut session = Session::connect(&server.config("postgres")).expect("a connection");
        let undone: Result<(), CliError> = session.savepoint_with_error(|session| {
            session
                .batch_execute(
                    "CREATE TABLE __diesel_schema_migrations (version text PRIMARY KEY); CREATE SCHEMA other;
                     SET LOCAL search_path = other; CREATE TABLE here (id int DEFAULT 1)",
                )
                .expect("PostgreSQL takes the statements");
            let catalog = introspect(session)?;
            let names = catalog.relations.into_keys();
            let names: Vec<_> = names.map(|name| (name.schema, name.name)).collect();
            assert_eq!(names, [("other".to_owned(), "here".to_owned())]);
            let path = session.run(sql_query("SELECT current_setting('search_path') AS value").one::<Setting>())?;
            assert_eq!(path.value, "other");
            Err(CliError::failed("undone"))
        });
        assert_eq!(undone.expect_err("it is rolled back").message, "undone");
    }
}
