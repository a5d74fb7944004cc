//! Queries whose types cannot be inferred: they are read from a server that has run the migrations.

use std::collections::BTreeSet;

use bowline::{Row, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Bool, Text};

use crate::error::CliError;
use crate::migrations::{Migration, prepared};
use crate::source::Fallback;
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::query::{Column, Parameter, Query, Rows};
use bowline_catalog::query_file::{Annotation, NamedQuery};
use bowline_catalog::{DataType, Name};
use bowline_sql::quote::identifier;

/// A server that is started at the first question.
pub(super) struct Asked<'a> {
    fallback: &'a Fallback,
    pub(super) migrations: &'a [Migration],
    throwaway: Option<Throwaway>,
}

/// A parameter or column, as a server describes it.
#[derive(Debug, Row)]
struct Described {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Text)]
    data_type: String,
    #[diesel(sql_type = Bool)]
    is_array: bool,
}

const PARAMETERS: &str = "\
SELECT '' AS name, n.nspname::text AS schema, coalesce(e.typname, t.typname)::text AS data_type,
    e.oid IS NOT NULL AS is_array
FROM pg_prepared_statements p, unnest(p.parameter_types) WITH ORDINALITY u (type, number)
    JOIN pg_type t ON t.oid = u.type
    LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
    JOIN pg_namespace n ON n.oid = coalesce(e.typnamespace, t.typnamespace)
WHERE p.name = 'bowline_asked' ORDER BY u.number";

const COLUMNS: &str = "\
SELECT a.attname::text AS name, n.nspname::text AS schema, coalesce(e.typname, t.typname)::text AS data_type,
    e.oid IS NOT NULL AS is_array
FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
    JOIN pg_namespace n ON n.oid = coalesce(e.typnamespace, t.typnamespace)
WHERE a.attrelid = 'pg_temp.bowline_asked'::regclass AND a.attnum > 0 ORDER BY a.attnum";

impl<'a> Asked<'a> {
    pub(super) fn new(fallback: &'a Fallback, migrations: &'a [Migration]) -> Self {
        Self {
            fallback,
            migrations,
            throwaway: None,
        }
    }

    /// Returns the types of a query, with the name of the server. Returns `None` if no server may
    /// be used, or if the server does not report them.
    pub(super) fn ask(&mut self, named: &NamedQuery) -> Result<Option<(Query, String)>, CliError> {
        if self.throwaway.is_none() {
            let Some(server) = self.fallback.server() else {
                return Ok(None);
            };
            let progress = ui::Progress::start("starting a server to check a query");
            let Ok(mut throwaway) = Throwaway::create(server) else {
                return Ok(None);
            };
            for migration in prepared(self.migrations)?.iter() {
                throwaway.run(migration)?;
            }
            drop(progress);
            self.throwaway = Some(throwaway);
        }
        let Some(throwaway) = &mut self.throwaway else {
            return Ok(None);
        };
        let server = throwaway.server();
        let session = throwaway.session()?;
        let sql = &named.sql.text;
        // A query that PostgreSQL refuses stays refused, with the reason from inference.
        if session
            .batch_execute(&format!("PREPARE bowline_asked AS {sql}"))
            .is_err()
        {
            return Ok(None);
        }
        let parameters = session.run(sql_query(PARAMETERS).all::<Described>())?;
        session.batch_execute("DEALLOCATE bowline_asked").ok();
        let columns = if returns_nothing(sql) {
            Some(Vec::new())
        } else {
            // Only a query can be a view, so the columns of RETURNING are not found.
            let view = with_nulls(sql, &parameters);
            let create = format!("CREATE TEMP VIEW bowline_asked AS {view}");
            match session.batch_execute(&create) {
                Err(_) => None,
                Ok(()) => {
                    let columns = session.run(sql_query(COLUMNS).all::<Described>())?;
                    session
                        .batch_execute("DROP VIEW pg_temp.bowline_asked")
                        .ok();
                    Some(columns)
                }
            }
        };
        let query = columns.map(|columns| query(named, parameters, columns));
        Ok(query.map(|query| (query, server)))
    }
}

/// Returns true for a statement that writes and returns no rows.
fn returns_nothing(sql: &str) -> bool {
    let mut tokens = bowline_sql::tokens(sql);
    let first = tokens.next();
    let writes = ["insert", "update", "delete", "merge"];
    first.is_some_and(|first| first.is_one_of(&writes))
        && !tokens.any(|token| token.is_word("returning"))
}

/// Returns the text with a NULL of its type for each parameter.
fn with_nulls(sql: &str, parameters: &[Described]) -> String {
    let mut text = String::new();
    let mut end = 0;
    for token in bowline_sql::tokens(sql) {
        let number = token.text().strip_prefix('$');
        let number = number.and_then(|digits| digits.parse::<usize>().ok());
        let parameter = number.and_then(|number| parameters.get(number.checked_sub(1)?));
        if let Some(parameter) = parameter {
            let brackets = if parameter.is_array { "[]" } else { "" };
            text.push_str(&sql[end..token.start()]);
            text.push_str(&format!(
                "(NULL::{}.{}{brackets})",
                identifier(&parameter.schema),
                identifier(&parameter.data_type)
            ));
            end = token.end();
        }
    }
    text.push_str(&sql[end..]);
    text
}

/// Returns the query. Each column can be NULL, since a server does not say which cannot.
fn query(named: &NamedQuery, parameters: Vec<Described>, columns: Vec<Described>) -> Query {
    let annotation = named.annotation.as_ref().map(|written| written.annotation);
    let rows = match annotation {
        _ if columns.is_empty() => Rows::Affected,
        Some(Annotation::One) => Rows::One,
        Some(Annotation::Optional) => Rows::Optional,
        _ => Rows::Many,
    };
    let parameters = parameters.into_iter().map(|found| Parameter {
        data_type: found.data_type(),
        column: None,
    });
    let columns = columns.into_iter().map(|found| Column {
        data_type: found.data_type(),
        name: found.name,
        nullable: true,
        column: None,
        row: None,
        comment: None,
    });
    Query {
        sql: named.sql.text.clone(),
        parameters: parameters.collect(),
        columns: columns.collect(),
        rows,
        reads: BTreeSet::new(),
        writes: BTreeSet::new(),
        assigns: BTreeSet::new(),
        indexes: BTreeSet::new(),
        shards: None,
        omitted: None,
    }
}

impl Described {
    fn data_type(&self) -> DataType {
        DataType {
            name: Name {
                schema: self.schema.clone(),
                name: self.data_type.clone(),
            },
            modifiers: Vec::new(),
            fields: None,
            dimensions: u8::from(self.is_array),
        }
    }
}
