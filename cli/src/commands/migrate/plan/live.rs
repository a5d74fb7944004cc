//! What the database says of the tables that a plan meets: their sizes, and who uses them now.

use bowline::{Session, sql_query};
use diesel::sql_types::{Array, BigInt, Text};

use super::effect::{Effect, qualified};

/// The database that the plan is for.
pub(super) struct Live(Session);

#[derive(bowline::Row)]
struct Facts {
    #[diesel(sql_type = Text)]
    name: String,
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

    /// Adds the sizes and users of the tables, in one round trip. A table that the database does
    /// not have keeps none.
    pub(super) fn complete<'e>(
        &mut self,
        effects: impl Iterator<Item = &'e mut Effect>,
    ) -> bowline::Result<()> {
        let effects: Vec<&mut Effect> = effects.collect();
        let mut names: Vec<&str> = effects.iter().map(|effect| &*effect.relation).collect();
        names.sort_unstable();
        names.dedup();
        let qualified: Vec<String> = names.iter().map(|name| qualified(name)).collect();
        let query = sql_query(
            "SELECT t.name, c.reltuples::pg_catalog.int8 AS rows,
                    pg_catalog.pg_total_relation_size(c.oid) AS bytes,
                    (SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l
                     WHERE l.relation = c.oid AND l.pid <> pg_catalog.pg_backend_pid()
                       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                         WHERE d.datname = pg_catalog.current_database())) AS sessions
             FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) t (name, qualified)
                 JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(t.qualified)",
        );
        let found = self.0.run(
            query
                .bind::<Array<Text>, _>(names)
                .bind::<Array<Text>, _>(qualified)
                .all::<Facts>(),
        )?;
        for effect in effects {
            let facts = found.iter().find(|facts| facts.name == effect.relation);
            // -1 rows are of a table that was never analyzed.
            effect.rows = facts.map(|facts| facts.rows).filter(|rows| *rows >= 0);
            effect.bytes = facts.map(|facts| facts.bytes);
            effect.sessions = facts.map(|facts| facts.sessions);
        }
        Ok(())
    }
}
