//! Looks up the OIDs of types that are not built in, by their names.

use std::sync::Arc;
use std::time::Instant;

use diesel::row::Row as _;
use diesel::sql_types::{Array, Nullable, Oid, Text};

use super::Session;
use super::batch::Batch;
use super::exchange::CommitPoint;
use crate::command::row_count::wrong_count;
use crate::command::types::TypeName;
use crate::command::{Command, ExpectedRows};
use crate::error::{Error, Result};
use crate::sql_text::search_path::SearchPathChange;
use crate::sql_text::search_path::SearchPathKey;
use crate::statement::{Encoder, render};
use crate::wire::row::SessionRow;

/// From this version on the server reports each change of the search path (`GUC_REPORT`).
const REPORTS_SEARCH_PATH: i32 = 180_000;

/// The savepoint that protects the search path of a transaction while types are looked up by
/// another.
const SAVEPOINT: &str = "bowline_types";

impl Session {
    /// Returns an encoder that looks types up by the search path in effect.
    pub(super) fn encoder(&mut self) -> Encoder<'_> {
        let commands = std::mem::take(&mut self.buffers.commands);
        Encoder::new(self.types.begin_statement(), &mut self.texts, commands)
    }

    /// Notes the changes that statements made to the search path, and those that the server
    /// reports.
    pub(super) fn follow_search_path<'c>(
        &mut self,
        changes: impl Iterator<Item = &'c SearchPathChange>,
    ) {
        let is_within = self.is_within_transaction();
        let search_path = self.types.search_path();
        for change in changes {
            search_path.apply(change, is_within);
        }
        if !is_within {
            search_path.set_idle();
        }
        if self.connection.server_version() >= REPORTS_SEARCH_PATH {
            search_path.report(self.connection.parameter_status(c"search_path"));
        }
    }

    /// Returns the key of the search path in effect.
    pub(crate) fn search_path(&self) -> SearchPathKey {
        self.types.path_key()
    }

    /// Asks the server for the OIDs of types: one query for each search path, nearly always one.
    pub(super) async fn look_up(
        &mut self,
        misses: &[(SearchPathKey, TypeName)],
        deadline: Instant,
    ) -> Result<()> {
        let mut rest: Vec<_> = misses.to_vec();
        while let Some((path, _)) = rest.first() {
            let path = Arc::clone(path);
            let (these, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|(other, _)| *other == path);
            let names: Vec<_> = these.into_iter().map(|(_, name)| name).collect();
            self.look_up_by(&path, &names, deadline).await?;
            rest = others;
        }
        Ok(())
    }

    /// Returns a query together with what sets a search path for it alone.
    ///
    /// The path may be one that a statement is about to set, or that ended with its transaction.
    pub(super) fn by_path(&mut self, path: &SearchPathKey, query: Command) -> Batch {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let set = self.types.search_path().set_local(path);
        if !set.is_empty() && self.is_within_transaction() {
            let plain = |sql: &str| Command::plain(format!("{sql} {SAVEPOINT}"));
            before.push(plain("SAVEPOINT"));
            after.push(plain("ROLLBACK TO SAVEPOINT"));
            after.push(plain("RELEASE SAVEPOINT"));
        }
        before.extend(set.into_iter().map(Command::plain));
        Batch::of(vec![query])
            .preceded_by(before)
            .followed_by(after)
    }

    async fn look_up_by(
        &mut self,
        path: &SearchPathKey,
        names: &[TypeName],
        deadline: Instant,
    ) -> Result<()> {
        let schemas: Vec<_> = names.iter().map(|name| name.schema.as_deref()).collect();
        let types: Vec<_> = names.iter().map(|name| Some(name.name.as_str())).collect();
        let query = diesel::sql_query(
            "SELECT t.oid, t.typarray, wanted.number::text \
             FROM unnest($1, $2) WITH ORDINALITY AS wanted (schema, name, number) \
             JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(\
             coalesce(pg_catalog.quote_ident(wanted.schema) || '.', '') || pg_catalog.quote_ident(wanted.name))",
        )
        .bind::<Array<Nullable<Text>>, _>(schemas)
        .bind::<Array<Nullable<Text>>, _>(types);
        let mut encoder = self.encoder();
        let command = render(&query, ExpectedRows::Any, &mut encoder)?;
        let batch = self.by_path(path, command);
        let mut result = self.exchange(batch, CommitPoint::Later, deadline).await?;
        let rows = result.take_answers().flat_map(SessionRow::all);
        let found = rows.map(|row| {
            let oid = row.get_value::<Oid, u32, _>(0).map_err(Error::decode)?;
            let array = row.get_value::<Oid, u32, _>(1).map_err(Error::decode)?;
            let number: usize = row
                .get_value::<Text, String, _>(2)
                .map_err(Error::decode)?
                .parse()
                .map_err(|_| wrong_count(1, 0))?;
            Ok(names
                .get(number - 1)
                .map(|name| (name.clone(), (oid, array))))
        });
        let found: Vec<_> = found.collect::<Result<Vec<_>>>()?;
        self.types.cache().extend(path, found.into_iter().flatten());
        Ok(())
    }
}
