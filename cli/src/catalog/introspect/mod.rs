//! The catalog from a server, in one round trip of a few `pg_catalog` queries.
//!
//! It says what [`replay`](super::replay) says of the migrations that made the database. Left out is what no
//! migration made: PostgreSQL's own schemas, what belongs to an extension (but for its types), and
//! the table in which diesel notes what has run.

mod attached;
mod constraint;
mod data_type;
mod index;
mod privilege;
mod relation;
mod routine;
mod sequence;
mod types;

use bowline::{Session, StatementDsl as _, repeatable_read, sql};
use diesel::sql_types::{Nullable, Text};

use super::{Catalog, Name};

/// What the database holds, as of one moment.
///
/// Within a transaction what it has done so far is seen too, and the search path is as before when this returns.
pub(crate) fn introspect(session: &mut Session) -> bowline::Result<Catalog> {
    // In the BEGIN itself: behind a pooler, settings stand right behind it, which no SET TRANSACTION may follow.
    let options = repeatable_read().read_only(true);
    session.savepoint_with(&options, |session| {
        let answers = session.run((
            sql("SET LOCAL standard_conforming_strings = on").affected(),
            sql("SELECT current_setting('search_path') AS path").one::<SearchPath>(),
            // Names in expressions are qualified unless they are in the default schema.
            sql("SELECT set_config('search_path', 'public', true) AS path").one::<SearchPath>(),
            sql(SCHEMAS).all::<Schema>(),
            sql(EXTENSIONS).all::<Extension>(),
            sql(relation::RELATIONS).all::<relation::RelationRow>(),
            sql(relation::COLUMNS).all::<relation::ColumnRow>(),
            sql(constraint::CONSTRAINTS).all::<constraint::ConstraintRow>(),
            sql(index::INDEXES).all::<index::IndexRow>(),
            sql(sequence::SEQUENCES).all::<sequence::SequenceRow>(),
            sql(types::TYPES).all::<types::TypeRow>(),
            (
                sql(attached::TRIGGERS).all::<attached::TriggerRow>(),
                sql(attached::POLICIES).all::<attached::PolicyRow>(),
                sql(attached::RULES).all::<attached::RuleRow>(),
                sql(routine::ROUTINES).all::<routine::RoutineRow>(),
                sql(privilege::PRIVILEGES).all::<privilege::PrivilegeRow>(),
            ),
        ))?;
        let (_, earlier, _, schemas, extensions, relations, columns, constraints, indexes, ..) =
            &answers;
        let (.., sequences, type_rows, (triggers, policies, rules, routines, privileges)) =
            &answers;
        let mut catalog = Catalog {
            schemas: schemas
                .iter()
                .map(|schema| (schema.name.clone(), schema.comment.clone()))
                .collect(),
            extensions: extensions.iter().map(|found| found.name.clone()).collect(),
            ..Catalog::default()
        };
        types::add(&mut catalog, type_rows);
        relation::add(&mut catalog, relations, columns);
        constraint::add(&mut catalog, constraints);
        index::add(&mut catalog, indexes);
        sequence::add(&mut catalog, sequences);
        attached::add(&mut catalog, triggers, policies, rules);
        routine::add(&mut catalog, routines);
        privilege::add(&mut catalog, privileges);
        if session.transaction_depth() > 1 {
            let restore = sql("SELECT set_config('search_path', $1, true) AS path");
            session.run(restore.bind::<Text, _>(earlier.path.clone()).affected())?;
        }
        Ok(catalog)
    })
}

fn name(schema: &str, name: &str) -> Name {
    Name {
        schema: schema.to_owned(),
        name: name.to_owned(),
    }
}

#[derive(bowline::Row)]
struct SearchPath {
    #[diesel(sql_type = Text)]
    path: String,
}

#[derive(bowline::Row)]
struct Schema {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    comment: Option<String>,
}

#[derive(bowline::Row)]
struct Extension {
    #[diesel(sql_type = Text)]
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
pub(crate) mod tests;
