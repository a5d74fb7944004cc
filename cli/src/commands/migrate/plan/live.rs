//! What the database says of the tables that a plan meets: their sizes, and who uses them now.

use bowline::{Session, sql_query};
use diesel::sql_types::{BigInt, Text};

use super::effect::Effect;

/// The database that the plan is for.
pub(super) struct Live(Session);

#[derive(bowline::Row)]
struct Facts {
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    sessions: i64,
}

impl Live {
    pub(super) fn new(session: Session) -> Self {
        Self(session)
    }

    /// Returns the major version of its server.
    pub(super) fn major(&self) -> u32 {
        u32::try_from(self.0.server_version() / 10_000).unwrap_or_default()
    }

    /// Adds the sizes and users of the tables. A table that the database does not have keeps none.
    pub(super) fn complete(&mut self, effects: &mut [Effect]) -> bowline::Result<()> {
        for effect in effects {
            // A name without a schema is one of `public`, as `to_regclass` would not always find it.
            let name = match effect.relation.contains('.') {
                true => effect.relation.clone(),
                false => format!("public.{}", effect.relation),
            };
            let query = sql_query(
                "SELECT c.reltuples::pg_catalog.int8 AS rows,
                        pg_catalog.pg_total_relation_size(c.oid) AS bytes,
                        (SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l
                         WHERE l.relation = c.oid AND l.pid <> pg_catalog.pg_backend_pid()
                           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                             WHERE d.datname = pg_catalog.current_database())) AS sessions
                 FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)",
            );
            let found = self
                .0
                .run(query.bind::<Text, _>(name).optional::<Facts>())?;
            if let Some(facts) = found {
                // -1 is a table that was never analyzed.
                effect.rows = Some(facts.rows).filter(|rows| *rows >= 0);
                effect.bytes = Some(facts.bytes);
                effect.sessions = Some(facts.sessions);
            }
        }
        Ok(())
    }
}
