//! The catalog of a server, read from `pg_catalog` with a few queries.
//!
//! [`queries`] returns the SQL, the caller runs it, and [`read`] turns the rows into a [`Catalog`].
//! The module contains no client and works with any client. The queries must see the same snapshot,
//! so they run in one `REPEATABLE READ` transaction, with the settings of [`SETTINGS`].
//!
//! The result equals that of [`replay`](crate::replay) for the migrations that created the
//! database. It leaves out PostgreSQL's own schemas, and objects of extensions other than types. It
//! also leaves out the table in which diesel records the applied migrations.

mod attached;
mod constraint;
mod data_type;
mod distribution;
mod index;
mod privilege;
mod relation;
mod routine;
mod sequence;
mod types;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};

use super::{Catalog, Name};

/// Settings of the transaction in which the queries run. They affect how the server prints
/// expressions and definitions.
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

/// The queries, in the order in which [`read`] expects their results.
const QUERIES: [&str; 15] = [
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
    distribution::DISTRIBUTIONS,
];

/// Returns the queries to run. Each returns rows of one column, a JSON text.
pub fn queries() -> Vec<String> {
    QUERIES
        .iter()
        .map(|query| format!("SELECT row_to_json(answer)::text AS line FROM ({query}) answer"))
        .collect()
}

/// Returns the catalog that the answers describe. `answers[i]` has the rows of the i-th of
/// [`queries`], each a JSON text.
///
/// # Errors
/// If an answer is missing, or a row does not have the form that its query returns.
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
    distribution::add(
        &mut catalog,
        &rows::<distribution::DistributionRow>(&mut answers)?,
    );
    Ok(catalog)
}

/// Returns the rows of the next answer.
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

/// Returns the name, if both of its parts are given.
fn optional_name(schema: &Option<String>, name: &Option<String>) -> Option<Name> {
    let parts = schema.as_ref().zip(name.as_ref());
    parts.map(|(schema, name)| self::name(schema, name))
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
