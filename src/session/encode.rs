//! Encodes statements as commands, looks up the types that they name, and refuses some statements.

use std::sync::Arc;
use std::time::Instant;

use super::Session;
use crate::command::Command;
use crate::command::control::Control;
use crate::command::types::{TypeLookup, TypeName};
use crate::error::{Error, Outcome, Result};
use crate::retry::is_stale;
use crate::sql_text::keywords::begins_with;
use crate::sql_text::read_only::Reads;
use crate::sql_text::search_path::SearchPathKey;
use crate::statement::{Encoded, Statement};

impl Session {
    /// Returns the commands of a statement; takes one round trip if a type is met for the first
    /// time. Values within values may name further types, which take another.
    pub(super) async fn encode<S: Statement + ?Sized>(
        &mut self,
        statement: &mut S,
        deadline: Instant,
    ) -> Result<Vec<Command>> {
        let mut asked = Vec::new();
        loop {
            match self.encode_at_once(statement, &[])? {
                Encoded::Commands(commands) => return Ok(commands),
                Encoded::Misses(names) => {
                    Box::pin(self.look_up_new(names, &mut asked, deadline)).await?;
                }
            }
        }
    }

    /// Returns the commands of a statement, or the types that have to be looked up first. The
    /// statement's own transaction begins with `opening`, which may set the search path.
    pub(super) fn encode_at_once<S: Statement + ?Sized>(
        &mut self,
        statement: &S,
        opening: &[Control],
    ) -> Result<Encoded> {
        let mut encoder = self.encoder();
        for change in opening.iter().filter_map(Control::search_path_change) {
            encoder.lookup.change(&change);
        }
        let encoded = statement.encode(&mut encoder);
        let encoded = encoder.finish(encoded)?;
        if let Encoded::Commands(commands) = &encoded {
            commands.iter().try_for_each(refuse_copy)?;
            if self.transactions.depth() > 0 {
                commands.iter().try_for_each(refuse_end)?;
            }
            self.note_read_only(commands);
        }
        Ok(encoded)
    }

    /// Looks up types; fails for those that were asked for before.
    pub(super) async fn look_up_new(
        &mut self,
        names: Vec<(SearchPathKey, TypeName)>,
        asked: &mut Vec<(SearchPathKey, TypeName)>,
        deadline: Instant,
    ) -> Result<()> {
        if names.iter().any(|name| asked.contains(name)) {
            let names: Vec<_> = names.into_iter().map(|(_, name)| name.name).collect();
            return Err(
                Error::query(format!("the database has no type {}", names.join(", ")))
                    .with_hint("run the migrations, or check the search_path"),
            );
        }
        self.look_up(&names, deadline).await?;
        asked.extend(names);
        Ok(())
    }

    /// Sets whether handwritten commands only read, if their text does not count.
    fn note_read_only(&mut self, commands: &[Command]) {
        for command in commands {
            if !self.trusts_text || self.connection.may_misread(&command.text) {
                let is_show = begins_with(command.sql(), &["show"]);
                command.set_reads_if_unknown(if is_show { Reads::Yes } else { Reads::No });
            }
        }
    }

    /// Looks up the types that `ask` asks for, and returns them. It is called again as long as it
    /// asks for further types.
    pub(crate) async fn known_types(
        &mut self,
        mut ask: impl FnMut(&mut TypeLookup),
    ) -> Result<TypeLookup> {
        let mut lookup = self.types.lookup();
        let mut asked = Vec::new();
        loop {
            ask(&mut lookup);
            let mut misses = lookup.take_misses();
            misses.retain(|name| !asked.contains(name));
            if misses.is_empty() {
                return Ok(lookup);
            }
            self.look_up(&misses, self.limits.call_deadline()).await?;
            asked.extend(misses);
        }
    }

    /// Returns the SQL of a statement that binds no values, and whether diesel made it.
    pub(crate) async fn text_of(
        &mut self,
        statement: &mut impl Statement,
    ) -> Result<(Arc<str>, bool)> {
        let deadline = self.limits.call_deadline();
        let commands = self.encode(statement, deadline).await?;
        match commands.as_slice() {
            [command] if command.parameters.is_empty() => {
                Ok((Arc::clone(command.sql()), command.is_diesels))
            }
            [command] => Err(Error::query("COPY takes no parameters, but the query has some")
                .with_hint("read its rows with Session::stream, or write the values into the SQL of bowline::sql_query")
                .with_sql(Arc::clone(command.sql()))),
            _ => Err(Error::query("COPY takes one query")),
        }
    }

    /// Returns whether the server refused a statement only because its schema had changed since it
    /// was looked up. Then the looked-up types are forgotten. Nothing of the statement was done, so
    /// it can be sent again.
    pub(super) fn handle_stale(&mut self, error: &Error) -> bool {
        if is_stale(error) && self.is_idle() && error.outcome() == Outcome::NotCommitted {
            self.forget_schema();
            return true;
        }
        false
    }

    /// Forgets the prepared statements and the cached types.
    pub(crate) fn forget_schema(&mut self) {
        self.connection.prepared_mut().forget_all();
        self.types.cache().clear();
        self.stop_preparing_behind_pooler();
    }
}

/// Refuses a BEGIN among several statements: the transaction would be open when the answer says
/// that the work is committed.
#[inline]
pub(super) fn refuse_begin(command: &Command) -> Result<()> {
    if command.begins_transaction() {
        Err(cannot_begin(command.sql()))
    } else {
        Ok(())
    }
}

#[cold]
fn cannot_begin(sql: &Arc<str>) -> Error {
    Error::query("a statement cannot begin a transaction: nothing would end it")
        .with_hint("run the statements as one tuple, or in Database::transaction")
        .with_sql(Arc::clone(sql))
}

/// Refuses a COMMIT or ROLLBACK: the statements after it would be committed one by one, and retried
/// from the beginning.
#[inline]
pub(super) fn refuse_end(command: &Command) -> Result<()> {
    if command.ends_transaction() {
        Err(cannot_end(command.sql()))
    } else {
        Ok(())
    }
}

/// Returns the refusal of a statement that would end a transaction.
#[cold]
pub(super) fn cannot_end(sql: &str) -> Error {
    Error::query("a statement cannot end the transaction that it runs in")
        .with_hint("return from the closure: Ok commits, an error rolls back")
        .with_sql(sql.into())
}

/// Refuses a COPY from or to the client: a pipeline can neither send nor receive its data.
#[inline]
fn refuse_copy(command: &Command) -> Result<()> {
    match command.text.copy_direction() {
        None => Ok(()),
        Some(_) => Err(copied(command.sql())),
    }
}

#[cold]
fn copied(sql: &Arc<str>) -> Error {
    copy_in_a_pipeline().with_sql(Arc::clone(sql))
}

/// Returns the refusal of a COPY from or to the client.
pub(super) fn copy_in_a_pipeline() -> Error {
    Error::query("COPY from or to the client cannot run as a statement").with_hint(
        "see Session::copy_in and Session::copy_out, and copy_in_from and copy_out_to for bytes",
    )
}
