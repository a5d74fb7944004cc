//! The catalog of a server, from the answers to a few queries of `pg_catalog`.
//!
//! [`queries`] gives the SQL, the caller runs it, and [`read`] makes a [`Catalog`] of the rows. So no client is in
//! here, and every client will do. The queries have to see one moment, so they run in one transaction that is
//! `REPEATABLE READ`, with the settings of [`SETTINGS`].
//!
//! The result says what [`replay`](crate::replay) says of the migrations that made the database. Left out is what no
//! migration made: PostgreSQL's own schemas, what belongs to an extension (but for its types), and
//! the table in which diesel records which migrations have run.

mod attached;
mod constraint;
mod data_type;
mod index;
mod privilege;
mod relation;
mod routine;
mod sequence;
mod types;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};

use super::{Catalog, Name};

/// Settings of the transaction in which the queries run; the texts that the server writes depend on them.
///
/// With this search path, names in expressions are qualified unless they are in the default schema.
pub const SETTINGS: [(&str, &str); 9] = [
    ("standard_conforming_strings", "on"),
    ("search_path", "public"),
    ("quote_all_identifiers", "off"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
];

/// The queries in their order, which is that of their answers in [`read`].
const QUERIES: [&str; 14] = [
    SCHEMAS,
    EXTENSIONS,
    relation::RELATIONS,
    relation::COLUMNS,
    constraint::CONSTRAINTS,
    index::INDEXES,
    sequence::SEQUENCES,
    types::TYPES,
    attached::TRIGGERS,
    attached::INHERITED_TRIGGERS,
    attached::POLICIES,
    attached::RULES,
    routine::ROUTINES,
    privilege::PRIVILEGES,
];

/// Returns the queries to run; each gives rows of one column, a text of JSON.
pub fn queries() -> Vec<String> {
    QUERIES
        .iter()
        .map(|query| format!("SELECT row_to_json(answer)::text AS line FROM ({query}) answer"))
        .collect()
}

/// Returns the catalog that these answers describe: for each of [`queries`] the texts of its rows.
///
/// # Errors
/// If an answer is missing, or a row is not what its query gives.
pub fn read(answers: &[Vec<String>]) -> Result<Catalog, serde_json::Error> {
    let mut answers = answers.iter();
    let schemas: Vec<Schema> = rows(&mut answers)?;
    let extensions: Vec<Extension> = rows(&mut answers)?;
    let mut catalog = Catalog {
        schemas: schemas
            .into_iter()
            .map(|schema| (schema.name, schema.comment))
            .collect(),
        extensions: extensions.into_iter().map(|found| found.name).collect(),
        ..Catalog::default()
    };
    let (relations, columns): (Vec<_>, Vec<_>) = (rows(&mut answers)?, rows(&mut answers)?);
    let (constraints, indexes): (Vec<_>, Vec<_>) = (rows(&mut answers)?, rows(&mut answers)?);
    let sequences: Vec<_> = rows(&mut answers)?;
    types::add(&mut catalog, &rows::<types::TypeRow>(&mut answers)?);
    relation::add(&mut catalog, &relations, &columns);
    constraint::add(&mut catalog, &constraints);
    index::add(&mut catalog, &indexes);
    sequence::add(&mut catalog, &sequences);
    let (triggers, inherited): (Vec<_>, Vec<_>) = (rows(&mut answers)?, rows(&mut answers)?);
    let policies: Vec<_> = rows(&mut answers)?;
    attached::add(
        &mut catalog,
        &triggers,
        &inherited,
        &policies,
        &rows::<attached::RuleRow>(&mut answers)?,
    );
    routine::add(&mut catalog, &rows::<routine::RoutineRow>(&mut answers)?);
    privilege::add(
        &mut catalog,
        &rows::<privilege::PrivilegeRow>(&mut answers)?,
    );
    Ok(catalog)
}

/// The rows of the next answer.
fn rows<'a, T: DeserializeOwned>(
    answers: &mut impl Iterator<Item = &'a Vec<String>>,
) -> Result<Vec<T>, serde_json::Error> {
    let lines = answers
        .next()
        .ok_or_else(|| serde_json::Error::custom("the answer to a query is missing"))?;
    lines
        .iter()
        .map(|line| serde_json::from_str(line))
        .collect()
}

fn name(schema: &str, name: &str) -> Name {
    Name {
        schema: schema.to_owned(),
        name: name.to_owned(),
    }
}

/// The name, if both of its parts are there.
fn optional_name(schema: &Option<String>, own: &Option<String>) -> Option<Name> {
    let parts = schema.as_ref().zip(own.as_ref());
    parts.map(|(schema, own)| name(schema, own))
}

#[derive(Deserialize)]
struct Schema {
    name: String,
    comment: Option<String>,
}

#[derive(Deserialize)]
struct Extension {
    name: String,
}

const SCHEMAS: &str = r"
    SELECT n.nspname::text AS name, obj_description(n.oid, 'pg_namespace') AS comment
    FROM pg_namespace n
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'public')
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')";

const EXTENSIONS: &str =
    "SELECT extname::text AS name FROM pg_extension WHERE extname <> 'plpgsql'";

#[cfg(test)]
mod tests;
